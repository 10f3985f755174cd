"""Keys with handles: within the tolerance everywhere, few, exact where the curve turns or touches its limits."""

import time

import numpy as np
import pytest

from au_mocap import bezier, reduction, rotations, turning
from au_mocap.errors import SettingsError
from tests.core.test_reduction import CURVES, TIMES


def played(times: np.ndarray, keys: bezier.Keys, at: np.ndarray | None = None) -> np.ndarray:
    return bezier.evaluate(times[keys.kept], keys, times if at is None else at)


def speech(count: int = 1200, seed: int = 5) -> np.ndarray:
    """A jaw that opens and closes: smooth, at rest between words, cut off at both limits."""
    random = np.random.default_rng(seed)
    rough = random.normal(size=count + 60)
    smooth = np.convolve(rough, np.hanning(15) / np.hanning(15).sum(), "same")[30:-30]
    return np.clip(0.3 + 1.2 * smooth, 0.0, 1.0)


@pytest.mark.parametrize("tolerance", [1e-6, 0.001, 0.02, 0.5, 10.0])
@pytest.mark.parametrize("values", CURVES.values(), ids=CURVES.keys())
def test_error_stays_within_the_tolerance(values: np.ndarray, tolerance: float) -> None:
    times = TIMES[: len(values)]
    keys = bezier.fit(times, values, tolerance)
    assert keys.values.shape == keys.left.shape == keys.right.shape == keys.kept.shape
    if len(values):
        assert (keys.kept[0], keys.kept[-1]) == (0, len(values) - 1)
        assert np.abs(played(times, keys) - values).max() <= tolerance * (1 + 1e-12) + 1e-15
        np.testing.assert_allclose(keys.values[[0, -1]], values[[0, -1]], atol=1e-15)


def test_far_fewer_keys_than_straight_lines_need() -> None:
    values = np.sin(np.arange(600) / 25.0)
    lines = reduction.keep(TIMES[:600], values, 0.01).sum()
    keys = bezier.fit(TIMES[:600], values, 0.01)
    assert len(keys.kept) <= 24  # 7.6 turns and a key on every slope
    assert len(keys.kept) < 0.35 * lines


def test_turning_points_are_exact_and_level() -> None:
    values = speech()
    times = TIMES[: len(values)]
    keys = bezier.fit(times, values, 0.01)
    at = {index: place for place, index in enumerate(keys.kept.tolist())}
    turns = turning.turning_points(values, 0.03).tolist()
    assert len(turns) > 50
    for index in turns:
        place = at[index]
        assert keys.values[place] == values[index]
        assert keys.left[place] == 0.0
        assert keys.right[place] == 0.0


def test_touches_are_exact_and_what_rests_stays_at_rest() -> None:
    values = speech()
    times = TIMES[: len(values)]
    keys = bezier.fit(times, values, 0.01)
    shut = values == 0.0
    assert 100 < shut.sum() < 1000
    stays = np.flatnonzero(shut[:-1] & shut[1:])
    for share in (0.0, 0.3, 0.5, 0.9):
        between = times[stays] + share * (times[stays + 1] - times[stays])
        assert np.abs(played(times, keys, between)).max() <= 1e-9
    arrivals = np.flatnonzero(~shut[:-1] & shut[1:]) + 1
    departures = np.flatnonzero(shut[:-1] & ~shut[1:])
    deep = [index for index in arrivals if values[index - 1] > 0.05]
    assert deep
    assert set(deep) <= set(keys.kept.tolist())
    assert len(departures)


def test_does_not_swing_out_between_samples() -> None:
    for values in (speech(), CURVES["waves"], CURVES["spikes"], CURVES["random"][:500], CURVES["walk"]):
        times = TIMES[: len(values)]
        keys = bezier.fit(times, values, 0.01)
        low, high = np.minimum(values[:-1], values[1:]), np.maximum(values[:-1], values[1:])
        for share in (0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9):
            line = played(times, keys, times[:-1] + share * np.diff(times))
            assert np.maximum(low - line, line - high).max() <= 0.025


def test_small_flicker_is_smoothed_over() -> None:
    random = np.random.default_rng(2)
    calm = 0.5 + 0.3 * np.sin(np.arange(900) / 40.0)
    noisy = calm + random.uniform(-0.004, 0.004, 900)
    assert len(bezier.fit(TIMES[:900], noisy, 0.01).kept) < 0.25 * reduction.keep(TIMES[:900], noisy, 0.01).sum()


def test_zero_keeps_every_sample() -> None:
    values = speech(200)
    keys = bezier.fit(TIMES[:200], values, 0.0)
    assert keys.kept.tolist() == list(range(200))
    np.testing.assert_array_equal(keys.values, values)


@pytest.mark.parametrize("tolerance_deg", [0.05, 0.5, 5.0])
@pytest.mark.parametrize("step_deg", [0.2, 3.0, 40.0])
def test_rotations_stay_within_the_angle(tolerance_deg: float, step_deg: float) -> None:
    random = np.random.default_rng(3)
    angles = np.cumsum(random.normal(0.0, np.radians(step_deg), (600, 3)), axis=0)
    quaternions = rotations.continuous(rotations.to_quaternions(rotations.from_angles(angles)))
    keys = bezier.fit_rotations(TIMES[:600], quaternions, np.radians(tolerance_deg))
    between = played(TIMES[:600], keys)
    between /= np.linalg.norm(between, axis=1, keepdims=True)
    turned = np.swapaxes(rotations.to_matrices(between), 1, 2) @ rotations.to_matrices(quaternions)
    off = np.linalg.norm(turned - np.eye(3), axis=(1, 2)) / np.sqrt(2.0)  # 2 sin(angle / 2), exact for small angles
    assert np.degrees(2.0 * np.arcsin(np.clip(off / 2.0, 0.0, 1.0))).max() <= tolerance_deg + 1e-6


def test_a_slow_nod_needs_few_keys() -> None:
    pitch = 0.4 * np.sin(np.arange(300) / 30.0)
    quaternions = rotations.to_quaternions(rotations.from_angles(np.stack([0 * pitch, pitch, 0 * pitch], axis=1)))
    keys = bezier.fit_rotations(TIMES[:300], rotations.continuous(quaternions), 0.005)
    assert len(keys.kept) <= 14
    assert keys.values.shape == (len(keys.kept), 4)


def test_a_film_of_curves_takes_little_time() -> None:
    curves = [np.tile(speech(1250, seed), 8) for seed in range(58)]
    times = np.arange(10_000.0)
    started = time.process_time()
    for values in curves:
        bezier.fit(times, values, 0.01)
    assert time.process_time() - started <= 10.0


@pytest.mark.parametrize(
    ("values", "prominence", "expected"),
    [
        ([0, 1, 0, 1, 0], 0.5, [1, 2, 3]),
        ([0, 1, 0.9, 1.1, 0], 0.5, [3]),
        ([1, 0, 0, 1], 0.5, [1]),
        ([0, 1, 2, 3], 0.5, []),
        ([0, 1, 0.8, 1, 0.8, 1], 0.5, []),
        ([5, 4, 4.2, 3.9, 6, 5.9], 0.3, [3]),
        ([2, 2, 2], 0.1, []),
        ([1], 0.1, []),
        ([], 0.1, []),
    ],
)
def test_turning_points(values: list[float], prominence: float, expected: list[int]) -> None:
    assert turning.turning_points(np.array(values, float), prominence).tolist() == expected


def test_touches_pass_over_small_departures() -> None:
    values = np.array([0.5, 0, 0, 0.005, 0, 0.6, 0, 1, 1, 0.4])
    assert np.flatnonzero(turning.touches(values, 0.01)).tolist() == [1, 4, 6, 7, 8]
    assert not turning.touches(np.full(5, 0.3), 0.01).any()
    assert not turning.touches(np.array([0, 0.005, 0]), 0.01).any()


@pytest.mark.parametrize(
    ("times", "values", "tolerance", "message"),
    [
        ([0.0, 1.0], [0.0, 1.0], -0.1, "0 or more"),
        ([0.0, 1.0], [0.0, 1.0], float("nan"), "0 or more"),
        ([0.0, 1.0], [0.0, float("nan")], 0.1, "finite"),
        ([0.0, 1.0, 1.0], [0.0, 1.0, 2.0], 0.1, "share a scene frame"),
    ],
)
def test_bad_input(times: list[float], values: list[float], tolerance: float, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        bezier.fit(np.array(times), np.array(values), tolerance)
    with pytest.raises(SettingsError, match=message):
        bezier.fit_rotations(np.array(times), np.tile(np.array(values)[:, None], 4), tolerance)
