"""Curves that honour contact, through smoothing and gains."""

from dataclasses import replace

import numpy as np
import pytest

from au_mocap import calibration, channels, closing
from au_mocap.calibration import Settings
from au_mocap.contact import Contacts
from au_mocap.errors import SettingsError
from au_mocap.regressors import Regressor
from au_mocap.take import Take

I = channels.INDEX  # noqa: E741


def contacts(count: int = 4, eyes: float = 0.0, lips: float = 0.0) -> Contacts:
    """The same contact in all frames; what is none is surely none."""
    return Contacts(
        np.full((count, 2), eyes),
        np.full(count, lips),
        np.full(count, float(lips == 0.0)),
    )


def table(**values: float) -> np.ndarray:
    rows = np.zeros((4, len(channels.IDS)))
    for channel_id, value in values.items():
        rows[:, I[channel_id]] = value
    return rows


def test_shut_eyes_are_shut_and_their_lids_not_raised() -> None:
    closed = closing.close(table(eye_close_L=0.7, eye_close_R=0.4, lid_raise_L=0.3), contacts(eyes=1.0), 1.0)
    np.testing.assert_array_equal(closed[:, [I["eye_close_L"], I["eye_close_R"]]], 1.0)
    assert not closed[:, I["lid_raise_L"]].any()


def test_eyes_that_are_open_are_not_shut() -> None:
    kept = closing.close(table(eye_close_L=1.0, eye_close_R=0.5), contacts(), 1.0)
    np.testing.assert_allclose(kept[:, I["eye_close_L"]], closing.MOST_APART)
    np.testing.assert_allclose(kept[:, I["eye_close_R"]], 0.5)


def test_lids_that_other_channels_bring_near_do_not_meet() -> None:
    kept = closing.close(table(eye_close_L=0.7, look_down_L=0.8, lid_tighten_L=0.4, eye_close_R=0.3), contacts(), 1.0)
    brought = 0.3 * 0.8 + 0.3 * 0.4
    np.testing.assert_allclose(kept[:, I["eye_close_L"]], closing.MOST_APART - brought)
    np.testing.assert_allclose(kept[:, I["eye_close_R"]], 0.3)
    np.testing.assert_allclose(kept[:, [I["look_down_L"], I["lid_tighten_L"]]], [[0.8, 0.4]] * len(kept))


def test_lips_meet_over_a_dropped_jaw() -> None:
    parted = table(jaw_drop=0.4, lips_together=0.1, lower_lip_depress_L=0.3, upper_lip_raise_R=0.2, lip_funnel=0.5)
    closed = channels.enforce_rules(closing.close(parted, contacts(lips=1.0), 1.0).astype(np.float32))
    np.testing.assert_array_equal(closed[:, I["lips_together"]], closed[:, I["jaw_drop"]])
    np.testing.assert_allclose(closed[:, I["jaw_drop"]], 0.4)
    held_off = ("lower_lip_depress_L", "lower_lip_depress", "upper_lip_raise_R", "upper_lip_raise", "lip_funnel")
    assert not closed[:, [I[name] for name in held_off]].any()


def test_lips_that_do_not_touch_leave_a_gap_under_a_dropped_jaw_alone() -> None:
    kept = closing.close(table(jaw_drop=0.4, lips_together=0.4), contacts(), 1.0)
    np.testing.assert_allclose(kept[:, I["lips_together"]], 0.4 - closing.LEAST_GAP)
    still = closing.close(table(lip_press_L=0.4), contacts(), 1.0)
    np.testing.assert_array_equal(still, table(lip_press_L=0.4))


def test_strength_mixes_and_none_changes_nothing() -> None:
    rows = table(eye_close_L=0.6, jaw_drop=0.4, lower_lip_depress_L=0.3)
    every = contacts(eyes=1.0, lips=1.0)
    np.testing.assert_array_equal(closing.close(rows, every, 0.0), rows)
    half = closing.close(rows, every, 0.5)[0]
    assert half[I["eye_close_L"]] == pytest.approx(0.8)
    assert half[I["lips_together"]] == pytest.approx(0.2)
    assert half[I["lower_lip_depress_L"]] == pytest.approx(0.15)


def test_frames_without_a_face_stay_empty() -> None:
    rows, lost = table(eye_close_L=0.6), contacts(eyes=1.0)
    rows[2], lost.eyes[2], lost.lips[2] = np.nan, np.nan, np.nan
    closed = closing.close(rows, lost, 1.0)
    assert np.isnan(closed[2]).all()
    assert not np.isnan(closed[[0, 1, 3]]).any()


def test_sides_are_swapped_with_the_picture() -> None:
    left = Contacts(np.array([[1.0, 0.0]]), np.ones(1), np.zeros(1))
    swapped = closing.mirrored(left)
    np.testing.assert_array_equal(swapped.eyes, [[0.0, 1.0]])


@pytest.mark.parametrize("strength", [-0.1, 1.5, float("nan")])
def test_a_strength_out_of_range_is_refused(strength: float) -> None:
    with pytest.raises(SettingsError, match="between 0 and 1"):
        Settings(contact=strength)


@pytest.mark.parametrize("mirror", [False, True])
def test_a_blink_shuts_the_eyes_through_strong_smoothing_and_a_low_gain(
    single_face_take: Take, regressor: Regressor, mirror: bool
) -> None:
    """The clip's one blink is in frames 25 to 31; see tests/data/blinks.csv."""
    low = {"eye_close_L": 0.6, "eye_close_R": 0.5}
    settings = Settings(smoothing="strong", gains=low, mirror=mirror)
    eyes = [I["eye_close_L"], I["eye_close_R"], I["eye_close_L"]]
    with_contact = calibration.curves(single_face_take, settings, regressor).values[:, eyes]
    without = calibration.curves(single_face_take, replace(settings, contact=0.0), regressor).values[:, eyes]
    assert without.max() < 0.7
    np.testing.assert_allclose(with_contact[25:31].max(axis=0), 1.0, atol=1e-6)
    assert with_contact[36:].max() < 0.7, "pushed outside the blink"
