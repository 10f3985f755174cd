"""Rotations as Euler angles and as axis and angle: the same turn, and never a jump."""

import numpy as np
import pytest

from au_mocap import euler, rotations
from au_mocap.errors import SettingsError


def turns(count: int = 500, seed: int = 3) -> np.ndarray:
    """A smooth walk through all rotations: (T, 4)."""
    steps = np.random.default_rng(seed).normal(0.0, 0.12, (count, 3))
    matrix, walked = np.eye(3), []
    for step in rotations.from_vectors(steps):
        matrix = step @ matrix
        walked.append(matrix)
    return rotations.to_quaternions(np.array(walked))


def angle_between(one: np.ndarray, other: np.ndarray) -> float:
    """Largest angle in radians between rotations (T, 4)."""
    return float(2.0 * np.arccos(np.clip(np.abs(np.sum(one * other, axis=1)), 0.0, 1.0)).max())


@pytest.mark.parametrize("order", euler.ORDERS)
def test_euler_and_back(order: str) -> None:
    walked = turns()
    assert angle_between(euler.from_euler(euler.to_euler(walked, order), order), walked) < 1e-6


@pytest.mark.parametrize("order", euler.ORDERS)
def test_first_letter_turns_first(order: str) -> None:
    angles = np.zeros((1, 3))
    angles[0, "XYZ".index(order[0])], angles[0, "XYZ".index(order[2])] = 0.4, 0.7
    first, last = (rotations.from_vectors(np.eye(3)["XYZ".index(order[n])][None] * a) for n, a in ((0, 0.4), (2, 0.7)))
    assert angle_between(euler.from_euler(angles, order), rotations.to_quaternions(last @ first)) < 1e-6


@pytest.mark.parametrize("order", euler.ORDERS)
def test_whole_turns_are_counted(order: str) -> None:
    for axis in "XYZ":
        if axis == order[1]:
            continue  # the middle axis cannot count past a quarter without the others flipping
        angle = np.linspace(0.0, 5.0 * np.pi, 200)
        walked = rotations.to_quaternions(rotations.from_vectors(angle[:, None] * np.eye(3)["XYZ".index(axis)]))
        np.testing.assert_allclose(euler.to_euler(walked, order)[:, "XYZ".index(axis)], angle, atol=1e-6)


@pytest.mark.parametrize("order", euler.ORDERS)
@pytest.mark.parametrize("quarter", [-np.pi / 2, np.pi / 2])
def test_gimbal_lock_keeps_the_turn(order: str, quarter: float) -> None:
    angles = np.zeros((3, 3))
    angles[:, "XYZ".index(order[1])] = quarter
    angles[:, "XYZ".index(order[0])] = [0.1, 0.2, 0.3]
    walked = euler.from_euler(angles, order)
    found = euler.to_euler(walked, order)
    assert angle_between(euler.from_euler(found, order), walked) < 1e-5
    assert np.abs(np.diff(found, axis=0)).max() < 0.11


def test_starts_near_what_was_there() -> None:
    start = np.array([0.1, 2.0 * np.pi, -4.0 * np.pi])
    found = euler.to_euler(np.array([[1.0, 0.0, 0.0, 0.0]]), "XYZ", start)
    np.testing.assert_allclose(found[0], [0.0, 2.0 * np.pi, -4.0 * np.pi], atol=1e-9)


def test_axis_angle_and_back() -> None:
    walked = turns()
    rows = euler.to_axis_angle(walked)
    assert angle_between(euler.from_axis_angle(rows), walked) < 1e-6
    np.testing.assert_allclose(np.linalg.norm(rows[:, 1:], axis=1), 1.0)
    assert np.abs(np.diff(rows[:, 0])).max() < 1.0


def test_axis_stays_where_nothing_turns() -> None:
    angle = np.linspace(-0.5, 0.5, 11)
    rows = euler.to_axis_angle(rotations.to_quaternions(rotations.from_vectors(angle[:, None] * [0.0, 0.0, 1.0])))
    np.testing.assert_allclose(rows[:, 0] * rows[:, 3], angle, atol=1e-9)
    assert (np.abs(np.diff(rows[:, 0])) < 0.11).all()
    assert euler.to_axis_angle(np.array([[1.0, 0, 0, 0]])).tolist() == [[0.0, 0.0, 1.0, 0.0]]


def test_missing_frames_stay_missing() -> None:
    walked = turns(9)
    walked[3:5] = np.nan
    for found in (euler.to_euler(walked, "YXZ"), euler.to_axis_angle(walked)):
        assert np.isnan(found[3:5]).all()
        assert np.isfinite(np.delete(found, [3, 4], axis=0)).all()
    assert np.isnan(euler.to_euler(np.full((2, 4), np.nan), "XYZ")).all()


def test_unknown_order_is_an_error() -> None:
    with pytest.raises(SettingsError, match="'XXZ'"):
        euler.to_euler(turns(2), "XXZ")


def test_axis_without_length_turns_nothing() -> None:
    np.testing.assert_allclose(euler.from_axis_angle(np.array([[1.0, 0.0, 0.0, 0.0]])), [[1.0, 0.0, 0.0, 0.0]])
