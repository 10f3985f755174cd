"""An actor's ranges from a take: gains that let the strongest action reach 1, and no noise that is lifted."""

import numpy as np
import pytest

from au_mocap import channels, ranges
from au_mocap.channels import INDEX
from au_mocap.errors import TakeError

TIME_S = np.arange(900) / 30.0


def limits(**levels: float) -> np.ndarray:
    """Noise, and each named channel going to its level once for half a second."""
    values = np.random.default_rng(1).uniform(0.0, 0.05, (900, 58))
    for number, (channel, level) in enumerate(levels.items()):
        start = 30 + 60 * number
        values[start : start + 15, INDEX[channel]] = level
    return values


def test_the_strongest_action_reaches_one() -> None:
    found = ranges.calibrate(TIME_S, limits(jaw_drop=0.8, lip_corner_pull_L=0.5, lip_corner_pull_R=0.625))
    assert found.gains == pytest.approx({"jaw_drop": 1.25, "lip_corner_pull_L": 2.0, "lip_corner_pull_R": 1.6})
    assert "brow_raise_L" in found.still
    assert found.levels["jaw_drop"] == pytest.approx(0.8)


def test_gains_are_limited() -> None:
    found = ranges.calibrate(TIME_S, limits(jaw_drop=0.3, brow_raise_L=1.0), {"brow_raise_L": 0.9})
    assert found.gains == pytest.approx({"jaw_drop": 2.5, "brow_raise_L": 0.5})


def test_an_offset_is_part_of_the_range() -> None:
    assert ranges.calibrate(TIME_S, limits(jaw_drop=0.8), {"jaw_drop": 0.2}).gains["jaw_drop"] == pytest.approx(1.0)


def test_one_bad_frame_is_no_action() -> None:
    values = limits(jaw_drop=0.8)
    values[500:503, INDEX["jaw_drop"]] = 1.0
    values[500, INDEX["tongue_out"]] = 1.0
    found = ranges.calibrate(TIME_S, values)
    assert found.gains["jaw_drop"] == pytest.approx(1.25)
    assert "tongue_out" in found.still


def test_what_rests_high_did_not_act() -> None:
    values = limits(jaw_drop=0.8)
    values[:, INDEX["brow_lower_L"]] = 0.5
    assert "brow_lower_L" in ranges.calibrate(TIME_S, values).still


def test_gaze_and_lips_together_are_left_out() -> None:
    found = ranges.calibrate(TIME_S, limits(jaw_drop=0.8, look_up_L=0.5, lips_together=0.5))
    assert set(found.gains) == {"jaw_drop"}
    assert not {"look_up_L", "lips_together"} & {*found.still, *channels.SIDES_OF}
    assert not set(ranges.CHANNELS) & set(channels.SIDES_OF)


def test_gaps_are_passed_over() -> None:
    values = limits(jaw_drop=0.8)
    values[600:700] = np.nan
    assert ranges.calibrate(TIME_S, values).gains == pytest.approx({"jaw_drop": 1.25})


def test_one_frame_has_no_range() -> None:
    with pytest.raises(TakeError, match="hardly moves"):
        ranges.calibrate(np.zeros(1), np.full((1, 58), 0.7))


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (np.full((900, 58), np.nan), "No face is seen"),
        (np.zeros((0, 58)), "No face is seen"),
        (np.full((900, 58), 0.1), "hardly moves"),
    ],
)
def test_what_says_nothing_is_told(values: np.ndarray, problem: str) -> None:
    with pytest.raises(TakeError, match=problem):
        ranges.calibrate(TIME_S[: len(values)], values)
