"""Reduced keys never err by more than the tolerance, for curves of every kind."""

import time

import numpy as np
import pytest

from au_mocap import reduction, rotations
from au_mocap.errors import SettingsError

COUNT = 3000
TIMES = 1.0 + np.arange(COUNT) * 24.0 / 29.97


def _curves() -> dict[str, np.ndarray]:
    random = np.random.default_rng(7)
    index = np.arange(COUNT)
    spikes = np.zeros(COUNT)
    spikes[random.integers(0, COUNT, 40)] = 1.0
    return {
        "random": random.uniform(size=COUNT),
        "walk": np.cumsum(random.normal(0.0, 0.01, COUNT)),
        "constant": np.full(COUNT, 0.3),
        "line": np.linspace(-2.0, 5.0, COUNT),
        "waves": np.sin(index / 25.0) ** 2,
        "spikes": spikes,
        "ever lower spikes": np.where(index % 2 == 0, np.linspace(1.0, 0.0, COUNT), 0.0),
        "two samples": np.array([0.0, 1.0]),
        "three samples": np.array([0.0, 1.0, 0.0]),
        "one sample": np.array([0.4]),
        "no samples": np.array([]),
    }


CURVES = _curves()


@pytest.mark.parametrize("tolerance", [1e-6, 0.001, 0.02, 0.5, 10.0])
@pytest.mark.parametrize("values", CURVES.values(), ids=CURVES.keys())
def test_error_stays_within_the_tolerance(values: np.ndarray, tolerance: float) -> None:
    times = TIMES[: len(values)]
    kept = reduction.keep(times, values, tolerance)
    assert kept.shape == values.shape
    if len(values):
        assert kept[0]
        assert kept[-1]
        assert np.abs(np.interp(times, times[kept], values[kept]) - values).max() <= tolerance * (1 + 1e-12) + 1e-15


def test_times_count_and_not_positions() -> None:
    times = np.array([0.0, 1.0, 10.0])
    assert reduction.keep(times, np.array([0.0, 0.1, 1.0]), 1e-9).tolist() == [True, False, True]
    assert reduction.keep(times, np.array([0.0, 0.5, 1.0]), 0.39).tolist() == [True, True, True]
    assert reduction.keep(times, np.array([0.0, 0.5, 1.0]), 0.41).tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("name", "tolerance", "most"),
    [("constant", 1e-9, 2), ("line", 1e-9, 2), ("waves", 0.01, 800), ("spikes", 0.01, 124)],
)
def test_what_says_nothing_goes(name: str, tolerance: float, most: int) -> None:
    assert reduction.keep(TIMES, CURVES[name], tolerance).sum() <= most


def test_peaks_stay_keys() -> None:
    values = np.exp(-(((np.arange(200) - 80) / 12.0) ** 2))
    assert reduction.keep(TIMES[:200], values, 0.02)[80]


def test_zero_keeps_everything() -> None:
    assert reduction.keep(TIMES, CURVES["constant"], 0.0).all()


@pytest.mark.parametrize("tolerance_deg", [0.05, 0.5, 5.0])
@pytest.mark.parametrize("step_deg", [0.2, 3.0, 40.0])
def test_rotations_stay_within_the_angle(tolerance_deg: float, step_deg: float) -> None:
    random = np.random.default_rng(3)
    angles = np.cumsum(random.normal(0.0, np.radians(step_deg), (600, 3)), axis=0)
    quaternions = rotations.continuous(rotations.to_quaternions(rotations.from_angles(angles)))
    times = TIMES[:600]
    kept = reduction.keep_rotations(times, quaternions, np.radians(tolerance_deg))
    between = np.stack([np.interp(times, times[kept], column) for column in quaternions[kept].T], axis=1)
    between /= np.linalg.norm(between, axis=1, keepdims=True)
    turned = np.swapaxes(rotations.to_matrices(between), 1, 2) @ rotations.to_matrices(quaternions)
    off = np.linalg.norm(turned - np.eye(3), axis=(1, 2)) / np.sqrt(2.0)  # 2 sin(angle / 2), exact for small angles
    assert np.degrees(2.0 * np.arcsin(np.clip(off / 2.0, 0.0, 1.0))).max() <= tolerance_deg + 1e-6


def test_a_steady_turn_needs_few_keys() -> None:
    yaw = np.linspace(0.0, 0.5, 300)
    quaternions = rotations.to_quaternions(rotations.from_angles(np.stack([yaw, 0 * yaw, 0 * yaw], axis=1)))
    assert reduction.keep_rotations(TIMES[:300], quaternions, np.radians(0.1)).sum() <= 4


def test_opposite_quaternions_are_no_way_between_them() -> None:
    quaternions = np.array([[1.0, 0, 0, 0], [0, 1.0, 0, 0], [-1.0, 0, 0, 0]])
    assert reduction.keep_rotations(np.arange(3.0), quaternions, 1.0).all()


def test_a_film_of_curves_takes_no_time() -> None:
    random = np.random.default_rng(1)
    curves = np.clip(np.cumsum(random.normal(0.0, 0.02, (52, 10_000)), axis=1) % 2.0, 0.0, 1.0)
    times = np.arange(10_000.0)
    started = time.process_time()
    for values in curves:
        reduction.keep(times, values, 0.01)
    assert time.process_time() - started <= 1.0


@pytest.mark.parametrize(
    ("times", "values", "tolerance", "message"),
    [
        ([0.0, 1.0], [0.0, 1.0], -0.1, "0 or more"),
        ([0.0, 1.0], [0.0, 1.0], float("nan"), "0 or more"),
        ([0.0, 1.0], [0.0, 1.0], float("inf"), "0 or more"),
        ([0.0, 1.0], [0.0, float("nan")], 0.1, "finite"),
        ([0.0, float("inf")], [0.0, 1.0], 0.1, "finite"),
        ([0.0, 1.0, 2.0], [0.0, 1.0], 0.1, "finite"),
        ([0.0, 1.0, 1.0], [0.0, 1.0, 2.0], 0.1, "share a scene frame"),
        ([1.0, 0.0], [0.0, 1.0], 0.1, "rise"),
    ],
)
def test_bad_input(times: list[float], values: list[float], tolerance: float, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        reduction.keep(np.array(times), np.array(values), tolerance)
