"""Smoothing: no delay, no lost blinks, time instead of frames, and gaps left alone."""

import tracemalloc

import numpy as np
import pytest

from au_mocap import channels, metrics, regions, smoothing
from au_mocap.errors import SettingsError

STRENGTHS = [strength for strength in smoothing.SIGMA_S if strength != "off"]
RATE_HZ = 30.0


def times(seconds: float = 4.0, rate_hz: float = RATE_HZ) -> np.ndarray:
    return np.arange(round(seconds * rate_hz)) / rate_hz


def blink(time_s: np.ndarray, at_s: float = 2.0, width_s: float = 0.08) -> np.ndarray:
    """A blink: closed within 0.1 s, open again 0.2 s later."""
    return np.exp(-0.5 * ((time_s - at_s) / width_s) ** 2)[:, None]


def test_off_changes_nothing() -> None:
    curves = np.random.default_rng(1).uniform(size=(50, 3))
    curves[7] = np.nan
    np.testing.assert_array_equal(smoothing.smooth(times()[:50], curves, "off"), curves)


@pytest.mark.parametrize("strength", STRENGTHS)
def test_slow_motion_passes_unchanged(strength: str) -> None:
    """A quadratic is its own local fit, everywhere, at the ends too."""
    time_s = times()
    curves = np.stack([np.full_like(time_s, 0.4), 0.1 + 0.2 * time_s, 0.05 * time_s**2 - 0.1 * time_s], axis=1)
    np.testing.assert_allclose(smoothing.smooth(time_s, curves, strength), curves, atol=2e-5)


@pytest.mark.parametrize("strength", STRENGTHS)
def test_peak_is_not_delayed(strength: str) -> None:
    time_s = times()
    smooth = smoothing.smooth(time_s, blink(time_s), strength)[:, 0]
    assert time_s[np.argmax(smooth)] == pytest.approx(2.0)
    np.testing.assert_allclose(smooth[1:], smooth[1:][::-1], atol=1e-9)


@pytest.mark.parametrize("strength", STRENGTHS)
def test_playing_backwards_gives_the_same(strength: str) -> None:
    time_s = times(2.0)
    curves = np.random.default_rng(4).uniform(size=(len(time_s), 2))
    forwards = smoothing.smooth(time_s, curves, strength)
    backwards = smoothing.smooth(time_s, curves[::-1], strength)[::-1]
    np.testing.assert_allclose(forwards, backwards, atol=1e-9)


@pytest.mark.parametrize(("strength", "kept"), [("light", 0.97), ("medium", 0.8), ("strong", 0.45)])
def test_blink_keeps_its_height(strength: str, kept: float) -> None:
    time_s = times()
    assert smoothing.smooth(time_s, blink(time_s), strength).max() >= kept


def test_noise_falls_with_strength() -> None:
    noise = np.random.default_rng(2).normal(scale=0.1, size=(600, 4))
    left = [smoothing.smooth(times(20.0), noise, strength)[30:-30].std() for strength in smoothing.SIGMA_S]
    assert left == sorted(left, reverse=True)
    assert left[-1] < 0.35 * left[0]


@pytest.mark.parametrize("strength", STRENGTHS)
def test_variable_rate_gives_the_same_curve_as_constant(strength: str) -> None:
    even = times(4.0, 60.0)
    random = np.random.default_rng(3)
    uneven = np.sort(even + random.uniform(-0.4, 0.4, len(even)) / 60.0)

    def motion(time_s: np.ndarray) -> np.ndarray:
        return blink(time_s, 1.5, 0.15) + 0.3 * np.sin(3 * time_s)[:, None]

    of_even = smoothing.smooth(even, motion(even), strength)[:, 0]
    of_uneven = smoothing.smooth(uneven, motion(uneven), strength)[:, 0]
    inner = (uneven > 0.5) & (uneven < 3.5)
    difference = np.abs(of_uneven - np.interp(uneven, even, of_even))[inner]
    assert difference.max() < 0.02
    treated_as_even = smoothing.smooth(even, motion(uneven), strength)[:, 0]
    assert np.abs(treated_as_even - np.interp(uneven, even, of_even))[inner].max() > 1.2 * difference.max()


@pytest.mark.parametrize("strength", STRENGTHS)
def test_rate_does_not_change_the_result(strength: str) -> None:
    slow, fast = times(4.0, 30.0), times(4.0, 120.0)
    of_slow = smoothing.smooth(slow, blink(slow, width_s=0.15), strength)[:, 0]
    of_fast = smoothing.smooth(fast, blink(fast, width_s=0.15), strength)[::4, 0]
    np.testing.assert_allclose(of_slow[10:-10], of_fast[10:-10], atol=0.01)


@pytest.mark.parametrize("strength", STRENGTHS)
def test_gaps_are_never_bridged(strength: str) -> None:
    time_s = times(3.0)
    curves = np.random.default_rng(6).uniform(size=(len(time_s), 2))
    curves[30:35] = np.nan
    smooth = smoothing.smooth(time_s, curves, strength)
    assert np.isnan(smooth[30:35]).all()
    for part in (slice(0, 30), slice(35, None)):
        np.testing.assert_allclose(smooth[part], smoothing.smooth(time_s[part], curves[part], strength))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_shortest_stretches_stay_in_range(count: int) -> None:
    curves = np.full((9, 1), np.nan)
    curves[3 : 3 + count, 0] = [0.2, 0.9, 0.4][:count]
    smooth = smoothing.smooth(np.arange(9) / RATE_HZ, curves, "strong")
    np.testing.assert_array_equal(np.isnan(smooth), np.isnan(curves))
    known = smooth[3 : 3 + count, 0]
    assert (known >= 0.15).all()
    assert (known <= 0.95).all()


def test_nothing_but_gap() -> None:
    curves = np.full((5, 2), np.nan)
    assert np.isnan(smoothing.smooth(np.arange(5.0), curves, "medium")).all()


def test_input_is_left_alone() -> None:
    curves = np.random.default_rng(1).uniform(size=(40, 2))
    before = curves.copy()
    smoothing.smooth(times()[:40], curves, "strong")
    np.testing.assert_array_equal(curves, before)


def test_rotations_stay_rotations_with_continuous_sign() -> None:
    time_s = times(2.0)
    angle = 0.6 * np.sin(4 * time_s)
    turning = np.stack([np.cos(angle / 2), np.zeros_like(angle), np.sin(angle / 2), np.zeros_like(angle)], axis=1)
    turning[::3] *= -1
    turning[20:23] = np.nan
    smooth = smoothing.smooth_rotations(time_s, turning, "light")
    valid = ~np.isnan(smooth[:, 0])
    assert (~valid).nonzero()[0].tolist() == [20, 21, 22]
    np.testing.assert_allclose(np.linalg.norm(smooth[valid], axis=1), 1.0)
    assert (np.sum(smooth[valid][1:] * smooth[valid][:-1], axis=1) > 0.9).all()
    np.testing.assert_allclose(2 * np.arctan2(smooth[valid, 2], smooth[valid, 0]), angle[valid], atol=0.02)


def test_segments() -> None:
    assert smoothing.segments(np.array([0, 1, 1, 0, 1], bool)) == [(1, 3), (4, 5)]
    assert smoothing.segments(np.zeros(3, bool)) == []
    assert smoothing.segments(np.ones(2, bool)) == [(0, 2)]


def test_unknown_strength() -> None:
    with pytest.raises(SettingsError, match=r"mild.*off, light, medium, strong"):
        smoothing.smooth(np.arange(3.0), np.zeros((3, 1)), "mild")


def test_long_take_needs_little_memory() -> None:
    """Ten minutes at 60 frames a second, all channels: far below the take's own size times the filter's width."""
    time_s = np.arange(36_000) / 60.0
    curves = np.random.default_rng(1).uniform(size=(len(time_s), 58))
    tracemalloc.start()
    smoothing.smooth(time_s, curves, "strong")
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 300e6


def every_channel(curve: np.ndarray) -> np.ndarray:
    """The same (T,) curve in all 58 channels."""
    return np.repeat(curve[:, None], len(channels.IDS), axis=1)


@pytest.mark.parametrize("strength", STRENGTHS)
@pytest.mark.parametrize("width_s", [0.05, 0.08])
def test_lids_keep_a_blink_at_every_strength(strength: str, width_s: float) -> None:
    time_s = times()
    smooth = smoothing.smooth_values(time_s, every_channel(blink(time_s, width_s=width_s)[:, 0]), strength)
    lids = smooth[:, regions.columns("lids")]
    np.testing.assert_allclose(time_s[np.argmax(lids, axis=0)], 2.0)
    assert lids.max(axis=0).min() >= 0.95
    np.testing.assert_allclose(smooth[31:-30], smooth[31:-30][::-1], atol=1e-9)


@pytest.mark.parametrize("strength", STRENGTHS)
@pytest.mark.parametrize("region", regions.REGIONS)
def test_a_face_at_rest_trembles_less_than_with_one_width_for_all(strength: str, region: regions.Region) -> None:
    time_s = times(20.0)
    noise = np.random.default_rng(2).normal(scale=0.015, size=(len(time_s), len(channels.IDS)))
    own = regions.columns(region)
    by_region = smoothing.smooth_values(time_s, noise, strength)[:, own]
    by_one_width = smoothing.smooth(time_s, noise, strength)[:, own]
    assert metrics.jitter(by_region).mean() < 0.9 * metrics.jitter(by_one_width).mean()


@pytest.mark.parametrize("strength", STRENGTHS)
def test_regions_treat_gaps_backwards_and_slow_motion_as_one_width_does(strength: str) -> None:
    time_s = times(3.0)
    slow = every_channel(0.1 + 0.1 * time_s + 0.03 * time_s**2)
    np.testing.assert_allclose(smoothing.smooth_values(time_s, slow, strength), slow, atol=2e-5)
    values = np.random.default_rng(6).uniform(size=slow.shape)
    values[30:35] = np.nan
    smooth = smoothing.smooth_values(time_s, values, strength)
    assert np.isnan(smooth[30:35]).all()
    np.testing.assert_allclose(smooth[35:], smoothing.smooth_values(time_s[35:], values[35:], strength))
    np.testing.assert_allclose(smooth, smoothing.smooth_values(time_s, values[::-1], strength)[::-1], atol=1e-9)


@pytest.mark.parametrize("strength", STRENGTHS)
def test_head_is_calm_at_rest_and_not_late_in_a_nod(strength: str) -> None:
    time_s = times()
    nod = 0.03 * blink(time_s, width_s=0.25)
    still = smoothing.smooth_positions(time_s, np.random.default_rng(3).normal(scale=0.001, size=(120, 3)), strength)
    one_width = smoothing.smooth(time_s, np.random.default_rng(3).normal(scale=0.001, size=(120, 3)), strength)
    assert metrics.jitter(still).mean() < 0.9 * metrics.jitter(one_width).mean()
    moved = smoothing.smooth_positions(time_s, np.repeat(nod, 3, axis=1), strength)
    assert time_s[np.argmax(moved[:, 0])] == pytest.approx(2.0)
    assert moved.max() > 0.93 * nod.max()


def test_regions_refuse_an_unknown_strength() -> None:
    with pytest.raises(SettingsError, match="mild"):
        smoothing.smooth_values(np.arange(3.0), np.zeros((3, len(channels.IDS))), "mild")
    with pytest.raises(SettingsError, match="mild"):
        smoothing.smooth_positions(np.arange(3.0), np.zeros((3, 3)), "mild")
