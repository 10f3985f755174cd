"""Curves while no face is seen: exact values of both treatments, and gaps too short for them."""

from itertools import pairwise

import numpy as np
import pytest

from au_mocap import gaps
from au_mocap.errors import SettingsError

NAN = float("nan")


def column(*values: float) -> np.ndarray:
    return np.array(values, np.float64)[:, None]


def faded(time_s: list[float], *values: float) -> list[float]:
    return gaps.fade(np.array(time_s), column(*values))[:, 0].tolist()


def test_hold_keeps_the_last_known_row() -> None:
    rows = np.array([[NAN, NAN], [1.0, 2.0], [NAN, NAN], [NAN, NAN], [3.0, 4.0], [NAN, NAN]])
    wanted = [[1, 2], [1, 2], [1, 2], [1, 2], [3, 4], [3, 4]]
    np.testing.assert_array_equal(gaps.hold(rows), wanted)


def test_row_with_one_empty_cell_is_a_gap() -> None:
    np.testing.assert_array_equal(gaps.hold(np.array([[1.0, 2.0], [5.0, NAN]])), [[1, 2], [1, 2]])
    result = gaps.fade(np.array([0.0, 0.3]), np.array([[1.0, 2.0], [5.0, NAN]]))
    np.testing.assert_allclose(result, [[1, 2], [0, 0]], atol=1e-12)


@pytest.mark.parametrize("count", [0, 1, 4])
def test_take_without_any_face_stays_empty(count: int) -> None:
    empty = np.full((count, 3), np.nan)
    times = np.arange(count) / 25
    if count:
        assert np.isnan(gaps.hold(empty)).all()
    assert np.isnan(gaps.fade(times, empty)).all()


def test_take_without_gaps_stays_as_it_is_in_arrays_of_its_own() -> None:
    rows = np.random.default_rng(1).uniform(size=(5, 3))
    for result in (gaps.hold(rows), gaps.fade(np.arange(5.0), rows)):
        np.testing.assert_array_equal(result, rows)
        assert not np.shares_memory(result, rows)


def test_fade_eases_to_rest_and_back() -> None:
    """Smooth steps 3 x^2 - 2 x^3 of 0.3 s: at a third and two thirds of the way 7/27 and 20/27 are gone."""
    times = [0.0, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 0.8, 0.85, 0.9, 1.0]
    values = faded(times, 0.8, *[NAN] * 9, 0.4)
    wanted = [0.8, 0.8 * 20 / 27, 0.4, 0.8 * 7 / 27, 0, 0, 0, 0.4 * 7 / 27, 0.2, 0.4 * 20 / 27, 0.4]
    np.testing.assert_allclose(values, wanted, atol=1e-12)


def test_fade_at_the_ends_of_a_take_eases_once() -> None:
    np.testing.assert_allclose(faded([0.0, 0.7, 0.85, 1.0], NAN, NAN, NAN, 0.6), [0, 0, 0.3, 0.6], atol=1e-12)
    np.testing.assert_allclose(faded([0.0, 0.15, 0.3, 2.0], 0.6, NAN, NAN, NAN), [0.6, 0.3, 0, 0], atol=1e-12)


def test_gap_of_exactly_both_eases_touches_rest_once() -> None:
    values = faded([0.0, 0.15, 0.3, 0.45, 0.6], 0.4, NAN, NAN, NAN, 1.0)
    np.testing.assert_allclose(values, [0.4, 0.2, 0, 0.5, 1.0], atol=1e-12)


def test_short_gap_passes_from_side_to_side() -> None:
    """In the middle of 0.2 s the values are half way, and 7/27 have been lost."""
    np.testing.assert_allclose(faded([0.0, 0.1, 0.2], 0.4, NAN, 1.0), [0.4, 0.7 * 20 / 27, 1.0], atol=1e-12)


@pytest.mark.parametrize("length_s", [0.01, 0.04, 0.1, 0.29, 0.3, 0.31, 0.45, 0.59, 0.6, 0.61, 1.5])
@pytest.mark.parametrize(("left", "back"), [(1.0, 1.0), (1.0, 0.0), (0.0, 1.0), (0.7, 0.2)])
def test_no_gap_jumps(length_s: float, left: float, back: float) -> None:
    """At 10 kHz no step is longer than the steepest the eases and the passing can make."""
    times = np.linspace(0.0, length_s, int(length_s * 10_000) + 1)
    values = gaps.fade(times, column(left, *[NAN] * (len(times) - 2), back))[:, 0]
    steepest = 1.5 / gaps.EASE_S + 1.5 * abs(left - back) / min(length_s, gaps.EASE_S)
    assert max(abs(after - before) for before, after in pairwise(values)) <= steepest * 1e-4 * 1.05
    assert values.min() >= 0.0
    assert values.max() <= max(left, back) + 1e-12


def test_longer_gaps_sink_deeper() -> None:
    lowest = [
        min(faded(np.linspace(0.0, length_s, 101).tolist(), 1.0, *[NAN] * 99, 1.0))
        for length_s in (0.04, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
    ]
    assert lowest == sorted(lowest, reverse=True)
    assert lowest[0] > 0.98
    assert lowest[-1] == pytest.approx(0.0, abs=1e-9)


def test_times_and_not_frames_count() -> None:
    even = gaps.fade(np.array([0.0, 0.15, 5.0]), column(1.0, NAN, NAN))
    crowded = gaps.fade(np.array([0.0, 0.01, 0.02, 0.15]), column(1.0, NAN, NAN, NAN))
    assert even[1, 0] == pytest.approx(0.5)
    assert crowded[3, 0] == pytest.approx(0.5)


def test_unknown_treatment_is_refused() -> None:
    with pytest.raises(SettingsError, match="Unknown treatment of gaps 'bridge': use leave, hold, fade"):
        gaps.check("bridge")
