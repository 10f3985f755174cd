"""Rotations: hand-computed turns, and agreement between the three forms."""

import math

import numpy as np
import pytest

from au_mocap import rotations


def random_matrices(count: int = 500) -> np.ndarray:
    random = np.random.default_rng(5)
    matrices, _ = np.linalg.qr(random.normal(size=(count, 3, 3)))
    return matrices * np.linalg.det(matrices)[:, None, None]


def one(function: object, row: list[float]) -> np.ndarray:
    return function(np.array([row]))[0]  # type: ignore[operator]


def test_quarter_turns_by_hand() -> None:
    half = math.sqrt(0.5)
    for axis in range(3):
        quaternion = np.zeros((1, 4))
        quaternion[0, 0] = quaternion[0, axis + 1] = half
        start = np.eye(3)[(axis + 1) % 3]
        np.testing.assert_allclose(rotations.to_matrices(quaternion)[0] @ start, np.eye(3)[(axis + 2) % 3], atol=1e-12)


def test_angles_follow_the_contract() -> None:
    """Turned to the actor's right the nose (head z backwards) points to image left; looking up, upwards."""
    nose = np.array([0.0, 0.0, -1.0])
    right = one(rotations.from_angles, [0.3, 0.0, 0.0])
    assert (right @ nose)[0] == pytest.approx(-math.sin(0.3))
    up = one(rotations.from_angles, [0.0, -0.3, 0.0])
    assert (up @ nose)[1] == pytest.approx(-math.sin(0.3))
    crown = np.array([0.0, -1.0, 0.0])
    right_shoulder = one(rotations.from_angles, [0.0, 0.0, -0.3])
    assert (right_shoulder @ crown)[0] == pytest.approx(-math.sin(0.3))


def test_angles_compose_as_ry_rx_rz() -> None:
    yaw, pitch, roll = 0.5, -0.3, 0.2
    c, s = math.cos, math.sin
    ry = np.array([[c(yaw), 0, s(yaw)], [0, 1, 0], [-s(yaw), 0, c(yaw)]])
    rx = np.array([[1, 0, 0], [0, c(pitch), -s(pitch)], [0, s(pitch), c(pitch)]])
    rz = np.array([[c(roll), -s(roll), 0], [s(roll), c(roll), 0], [0, 0, 1]])
    np.testing.assert_allclose(one(rotations.from_angles, [yaw, pitch, roll]), ry @ rx @ rz, atol=1e-12)


def test_angles_round_trip() -> None:
    angles = np.random.default_rng(2).uniform([-3.1, -1.5, -3.1], [3.1, 1.5, 3.1], (500, 3))
    np.testing.assert_allclose(rotations.to_angles(rotations.from_angles(angles)), angles, atol=1e-9)


def test_quaternions_round_trip_for_every_kind_of_turn() -> None:
    half_turns = np.array([np.diag(d) for d in ((1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1))], float)
    matrices = np.concatenate([random_matrices(), half_turns])
    quaternions = rotations.to_quaternions(matrices)
    np.testing.assert_allclose(np.linalg.norm(quaternions, axis=1), 1.0)
    np.testing.assert_allclose(rotations.to_matrices(quaternions), matrices, atol=1e-12)


def test_vectors_turn_by_their_length() -> None:
    matrices = rotations.from_vectors(np.array([[0, 0, math.pi / 2], [0, 0, 0], [1e-9, 0, 0]]))
    np.testing.assert_allclose(matrices[0] @ [1, 0, 0], [0, 1, 0], atol=1e-12)
    np.testing.assert_allclose(matrices[1], np.eye(3))
    assert matrices[2][2, 1] == pytest.approx(1e-9)


def test_sign_is_continuous_across_gaps_and_starts_positive() -> None:
    angle = np.linspace(0, 4 * math.pi, 50)
    turning = np.stack([np.cos(angle / 2), np.zeros(50), np.sin(angle / 2), np.zeros(50)], axis=1)
    flipped = turning * np.random.default_rng(1).choice([-1.0, 1.0], (50, 1))
    flipped[10:13] = np.nan
    result = rotations.continuous(flipped)
    valid = ~np.isnan(flipped[:, 0])
    np.testing.assert_allclose(result[valid], turning[valid])
    assert np.isnan(result[~valid]).all()
    assert rotations.continuous(-turning[:1])[0, 0] == 1.0


def test_empty_frames_stay_empty() -> None:
    matrices = random_matrices(3)
    matrices[1] = np.nan
    quaternions = rotations.to_quaternions(matrices)
    assert np.isnan(quaternions[1]).all()
    assert np.isnan(rotations.to_matrices(quaternions)[1]).all()
    assert np.isnan(rotations.to_angles(matrices)[1]).all()
    assert np.isfinite(quaternions[[0, 2]]).all()
    assert rotations.continuous(np.full((2, 4), np.nan)).shape == (2, 4)


def test_mirror_swaps_turns_and_tilts_and_keeps_nods() -> None:
    angles = np.random.default_rng(3).uniform(-0.8, 0.8, (50, 3))
    quaternions = rotations.to_quaternions(rotations.from_angles(angles))
    seen = rotations.to_angles(rotations.to_matrices(rotations.mirrored(quaternions)))
    np.testing.assert_allclose(seen, angles * [-1.0, 1.0, -1.0], atol=1e-12)
    np.testing.assert_array_equal(rotations.mirrored(rotations.mirrored(quaternions)), quaternions)


def test_mirrored_rotation_is_the_rotation_between_mirrored_axes() -> None:
    matrices = random_matrices()
    mirror = np.diag([-1.0, 1.0, 1.0])
    seen = rotations.to_matrices(rotations.mirrored(rotations.to_quaternions(matrices)))
    np.testing.assert_allclose(seen, mirror @ matrices @ mirror, atol=1e-12)
    assert np.isnan(rotations.mirrored(np.full((1, 4), np.nan))).all()
