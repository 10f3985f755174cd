"""The vocabulary and its rules."""

import csv
from pathlib import Path

import numpy as np
import pytest

from au_mocap import channels
from au_mocap.errors import SettingsError


def table(**values: float) -> np.ndarray:
    """One frame of the whole vocabulary, 0 where nothing is given."""
    row = np.zeros((1, len(channels.IDS)), np.float32)
    for channel_id, value in values.items():
        row[0, channels.INDEX[channel_id]] = value
    return row


def at(curves: np.ndarray, channel_id: str) -> float:
    return float(curves[0, channels.INDEX[channel_id]])


def test_vocabulary_begins_with_feafa_in_its_order() -> None:
    assert len(channels.IDS) == len(set(channels.IDS)) == 58
    assert [channel.feafa for channel in channels.CHANNELS[:24]] == list(range(1, 25))
    assert all(channel.feafa is None for channel in channels.CHANNELS[24:])
    assert channels.IDS[:24] == channels.FEAFA_IDS


def test_table_is_read_as_it_stands_in_the_file() -> None:
    with (Path(channels.__file__).parent / "channels.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == list(channels.IDS)
    brow = channels.CHANNELS[channels.INDEX["brow_lower_R"]]
    assert (brow.facs, brow.side, brow.feafa, brow.arkit_shape) == ("AU4", "R", 6, "browDownRight")


def test_side_agrees_with_the_name() -> None:
    for channel in channels.CHANNELS:
        ending = channel.id[-2:]
        assert channel.side == (ending[1] if ending in ("_L", "_R") else "")


def test_symmetric_channels_are_those_of_the_table() -> None:
    derived = {channel.id for channel in channels.CHANNELS if channel.arkit_shape.startswith("mean of")}
    assert set(channels.SIDES_OF) == derived == {"upper_lip_raise", "lower_lip_depress", "cheek_puff", "nose_wrinkle"}
    assert set(channels.PREDICTED_IDS) == set(channels.IDS) - derived


def test_mirror_swaps_sides_and_is_its_own_inverse() -> None:
    assert channels.mirrored("look_in_L") == "look_in_R"
    assert channels.mirrored("jaw_slide_R") == "jaw_slide_L"
    assert channels.mirrored("jaw_drop") == "jaw_drop"
    mirror = np.array(channels.MIRROR)
    assert mirror[mirror].tolist() == list(range(58))


def test_complete_derives_means_clips_and_fills() -> None:
    ids = ("cheek_puff_L", "cheek_puff_R", "jaw_drop", "lips_together")
    curves = channels.complete(np.array([[0.2, 1.5, 0.3, 0.9]]), ids)
    assert curves.shape == (1, 58)
    assert curves.dtype == np.float32
    assert at(curves, "cheek_puff_R") == 1.0
    assert at(curves, "cheek_puff") == pytest.approx(0.6)
    assert at(curves, "lips_together") == pytest.approx(0.3)
    assert at(curves, "tongue_out") == 0.0


def test_complete_ignores_a_predicted_mean() -> None:
    curves = channels.complete(np.array([[0.9, 0.2, 0.4]]), ("nose_wrinkle", "nose_wrinkle_L", "nose_wrinkle_R"))
    assert at(curves, "nose_wrinkle") == pytest.approx(0.3)


def test_complete_keeps_faceless_frames_empty() -> None:
    curves = channels.complete(np.array([[np.nan], [0.5]]), ("jaw_drop",))
    assert np.isnan(curves[0]).all()
    assert not np.isnan(curves[1]).any()


def test_rules_leave_their_input_alone() -> None:
    before = table(jaw_drop=0.1, lips_together=0.8)
    kept = before.copy()
    assert at(channels.enforce_rules(before), "lips_together") == pytest.approx(0.1)
    np.testing.assert_array_equal(before, kept)


def test_unknown_channel_is_named() -> None:
    with pytest.raises(SettingsError, match="jaw_dorp"):
        channels.complete(np.zeros((1, 2)), ("jaw_drop", "jaw_dorp"))


@pytest.mark.parametrize(
    ("value", "letter"),
    [
        (0.0, ""),
        (0.1, ""),
        (0.11, "A"),
        (0.2, "A"),
        (0.21, "B"),
        (0.5, "C"),
        (0.8, "D"),
        (0.81, "E"),
        (1.0, "E"),
        (1.2, "E"),
        (float("nan"), ""),
    ],
)
def test_intensity_letters(value: float, letter: str) -> None:
    assert channels.intensity_letter(value) == letter
