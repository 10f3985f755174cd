"""Spikes and short losses of the face, bridged in the curves while the take stays as it was measured."""

from dataclasses import fields, replace

import numpy as np
import pytest

from au_mocap import calibration, channels, repair, rotations
from au_mocap.regressors import Regressor
from au_mocap.take import Take

RATE_HZ = 30.0
RAW = calibration.Settings(smoothing="off", gaps="hold", contact=0.0)


def head(count: int = 60) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Times, (T, 4) rotations, (T, 3) positions and confidence of a head that turns and sways as heads do."""
    time_s = np.arange(count) / RATE_HZ
    yaw = 0.5 * np.sin(4.0 * time_s)
    turns = rotations.to_quaternions(rotations.from_angles(np.stack([yaw, 0.0 * yaw, 0.0 * yaw], axis=1)))
    position = np.stack([0.05 * np.sin(3.0 * time_s), 0.0 * yaw, 0.6 + 0.0 * yaw], axis=1)
    return time_s, rotations.continuous(turns), position, np.full(count, 0.9)


def turned(quaternion: np.ndarray, degrees: float) -> np.ndarray:
    turn = rotations.from_angles(np.radians([[degrees, 0.0, 0.0]]))
    return rotations.to_quaternions(rotations.to_matrices(quaternion[None]) @ turn)[0]


def test_a_moving_head_has_no_faults() -> None:
    assert not repair.find(*head()).any_of_both.any()


@pytest.mark.parametrize("confident", [0.9, 0.3])
def test_a_spike_of_one_frame_is_found(confident: float) -> None:
    time_s, rotation, position, confidence = head()
    rotation[20], confidence[20] = turned(rotation[20], 25.0), confident
    position[40] += [0.0, 0.05, 0.0]
    assert np.flatnonzero(repair.find(time_s, rotation, position, confidence).spikes).tolist() == [20, 40]


def test_a_small_jump_counts_only_where_confidence_dips() -> None:
    time_s, rotation, position, confidence = head()
    position[30] += [0.0, 0.015, 0.0]
    assert not repair.find(time_s, rotation, position, confidence).spikes.any()
    confidence[30] = 0.5
    assert np.flatnonzero(repair.find(time_s, rotation, position, confidence).spikes).tolist() == [30]


def test_a_jump_that_stays_and_frames_far_apart_are_no_spikes() -> None:
    time_s, rotation, position, confidence = head()
    position[30:] += [0.0, 0.2, 0.0]
    assert not repair.find(time_s, rotation, position, confidence).spikes.any()
    position[30:] -= [0.0, 0.2, 0.0]
    position[20] += [0.0, 0.2, 0.0]
    assert repair.find(time_s, rotation, position, confidence).spikes[20]
    assert not repair.find(10.0 * time_s, rotation, position, confidence).spikes.any()


@pytest.mark.parametrize(("frames", "bridged"), [(1, True), (3, True), (5, False)])
def test_short_losses_of_the_face_are_found(frames: int, bridged: bool) -> None:
    time_s, rotation, position, confidence = head()
    rows = slice(20, 20 + frames)
    rotation[rows], position[rows], confidence[rows] = np.nan, np.nan, 0.0
    faults = repair.find(time_s, rotation, position, confidence)
    assert faults.dropouts[rows].all() == bridged
    assert faults.dropouts.sum() == frames * bridged
    assert not faults.spikes.any()


def test_a_face_that_comes_late_or_leaves_is_not_made_up() -> None:
    time_s, rotation, position, confidence = head()
    for rows in (slice(0, 2), slice(58, 60)):
        rotation[rows], position[rows] = np.nan, np.nan
    assert not repair.find(time_s, rotation, position, confidence).any_of_both.any()
    for count in (1, 2):
        assert not repair.find(*(each[:count] for each in head())).any_of_both.any()


def test_bridges_are_straight_in_time() -> None:
    rows = np.array([[0.0], [9.0], [9.0], [4.0]])
    bridged = repair.bridge(np.array([0.0, 1.0, 3.0, 4.0]), rows, np.array([False, True, True, False]))
    np.testing.assert_allclose(bridged[:, 0], [0.0, 1.0, 3.0, 4.0])
    at_the_end = repair.bridge(np.arange(4.0), rows, np.array([True, False, False, False]))
    np.testing.assert_array_equal(at_the_end, rows)


def spoilt(take: Take) -> Take:
    """A take with a spike of the head and of all it measures in frame 15, and no face in frames 40 to 42."""
    kept = {field.name: getattr(take, field.name) for field in fields(Take)}
    arrays = {name: each.copy() for name, each in kept.items() if isinstance(each, np.ndarray)}
    arrays["head_rotation"][15] = turned(take.head_rotation[15].astype(np.float64), 30.0)
    arrays["head_position"][15] += [0.1, 0.0, 0.0]
    arrays["landmarks"][15] *= 1.0 + 0.4 * np.linspace(-1.0, 1.0, 478)[:, None]
    arrays["confidence"][15] = 0.5
    for name in ("values", "head_rotation", "head_position", "crop", "landmarks", "embedding"):
        arrays[name][40:43] = np.nan
    arrays["found"][40:43], arrays["confidence"][40:43] = False, 0.0
    return replace(take, **arrays)


def test_curves_run_through_what_tracking_got_wrong(single_face_take: Take, regressor: Regressor) -> None:
    sound = calibration.curves(single_face_take, RAW, regressor)
    take = spoilt(single_face_take)
    before = {field.name: getattr(take, field.name) for field in fields(Take)}
    kept = {name: array.copy() for name, array in before.items() if isinstance(array, np.ndarray)}
    repaired = calibration.curves(take, RAW, regressor)
    for rows in (slice(15, 16), slice(40, 43)):
        assert np.abs(repaired.values[rows] - sound.values[rows]).mean() < 0.03
        assert np.abs(repaired.head_position[rows] - sound.head_position[rows]).max() < 0.01
        assert np.abs((repaired.head_rotation[rows] * sound.head_rotation[rows]).sum(axis=1)).min() > 0.9995
    for name, array in kept.items():
        np.testing.assert_array_equal(getattr(take, name), array, err_msg="the take was altered")


def test_gaps_that_are_to_be_left_are_left(single_face_take: Take, regressor: Regressor) -> None:
    left = calibration.curves(spoilt(single_face_take), replace(RAW, gaps="leave", contact=1.0), regressor)
    for rows in (left.values, left.head_rotation, left.head_position):
        assert np.flatnonzero(np.isnan(rows).all(axis=1)).tolist() == [40, 41, 42]
    held = calibration.curves(spoilt(single_face_take), replace(RAW, gaps="fade", contact=1.0), regressor)
    assert held.values.shape[1] == len(channels.IDS)
    assert not np.isnan(held.values).any()
