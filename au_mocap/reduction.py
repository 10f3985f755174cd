"""Fewer keys for the same motion: which samples to keep so that straight lines between them stay near all others.

The samples farthest from the line are kept first (Ramer-Douglas-Peucker), so peaks and turning points stay keys. All
open spans are looked at in one pass of array operations, so that no curve, however long, needs recursion.
"""

import math
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .arrays import Floats
from .errors import SettingsError

Deviation = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]
"""From interpolated and measured samples, (K,) or (K, D), to (K,) errors."""

_PASSES_BEFORE_HALVING: Final = 48
"""Ordinary curves are done after some 30 passes. One that is not, say ever lower spikes, is cut in halves as well from
then on, which costs a few keys and keeps the number of passes logarithmic."""

_ROUNDS_OF_THINNING: Final = 2
_WORTH_A_ROUND: Final = 0.02
"""Share of keys that a round must have dropped for another to be tried."""


def keep(frames: Floats, values: Floats, tolerance: float) -> NDArray[np.bool_]:
    """Chooses the samples of a curve that become keys.

    Args:
        frames: (K,) rising points in time, in any unit.
        values: (K,) samples, all finite.
        tolerance: Largest allowed error of linear interpolation at any sample, in the samples' unit; 0 keeps all.

    Returns:
        (K,) True where a sample is kept; the first and the last always are.

    Raises:
        SettingsError: The tolerance is negative or not a number, or the samples are not finite and rising in time.
    """
    return _keep(frames, np.asarray(values, np.float64), tolerance, distance)


def keep_rotations(frames: Floats, quaternions: Floats, tolerance_rad: float) -> NDArray[np.bool_]:
    """Chooses the samples of a rotation that become keys, the same for all four components.

    Between keys the components are taken to be interpolated linearly and the result made a unit quaternion, as
    animation programs do.

    Args:
        frames: (K,) rising points in time, in any unit.
        quaternions: (K, 4) unit quaternions of continuous sign, all finite.
        tolerance_rad: Largest allowed angle between interpolated and given rotation at any sample; 0 keeps all.

    Returns:
        (K,) True where a sample is kept; the first and the last always are.

    Raises:
        SettingsError: As for `keep`.
    """
    return _keep(frames, np.asarray(quaternions, np.float64), tolerance_rad, angle)


def distance(lines: NDArray[np.float64], samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """Differences between two curves, of any shape."""
    return np.abs(lines - samples)


def angle(lines: NDArray[np.float64], samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """Angles between rotations in radians, exact for small ones; a line through zero is as wrong as can be."""
    lengths = np.linalg.norm(lines, axis=1, keepdims=True)
    units = np.divide(lines, lengths, out=np.zeros_like(lines), where=lengths > 0.0)
    samples = samples / np.linalg.norm(samples, axis=1, keepdims=True)
    opposite = np.sum(units * samples, axis=1, keepdims=True) < 0.0
    chords = np.linalg.norm(np.where(opposite, -units, units) - samples, axis=1)
    return np.where(lengths[:, 0] > 0.0, 4.0 * np.arcsin(np.clip(chords / 2.0, 0.0, 1.0)), math.pi)


def _keep(frames: Floats, values: NDArray[np.float64], tolerance: float, deviation: Deviation) -> NDArray[np.bool_]:
    times = np.asarray(frames, np.float64)
    check(times, values, tolerance)
    kept = np.full(len(times), tolerance == 0.0)
    kept[:1] = kept[-1:] = True
    is_done = np.zeros(len(times), np.bool_)  # by a span's first sample
    passes = 0
    while True:
        edges = np.flatnonzero(kept)
        first, last = edges[:-1], edges[1:]
        is_open = (last - first > 1) & ~is_done[first]
        first, last = first[is_open], last[is_open]
        if not len(first):
            break
        worst, errors = _worst(times, values, (first, last), deviation)
        too_far = errors > tolerance
        kept[worst[too_far]] = True
        is_done[first[~too_far]] = True
        passes += 1
        if passes > _PASSES_BEFORE_HALVING:
            kept[(first[too_far] + last[too_far]) // 2] = True
    if tolerance > 0.0:
        _thin(kept, lambda first, last: _worst(times, values, (first, last), deviation)[1] <= tolerance)
    return kept


def _thin(
    kept: NDArray[np.bool_], can_join: Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.bool_]]
) -> None:
    """Drop keys, every second at a time, that later ones have made needless."""
    for _ in range(_ROUNDS_OF_THINNING):
        before = kept.sum()
        for offset in (1, 2):
            edges = np.flatnonzero(kept)
            middle = edges[offset:-1:2]
            if len(middle):
                joins = can_join(edges[offset - 1 : -2 : 2], edges[offset + 1 :: 2])
                kept[middle[joins]] = False
        if before - kept.sum() < _WORTH_A_ROUND * before:
            return


def _worst(
    times: NDArray[np.float64],
    values: NDArray[np.float64],
    spans: tuple[NDArray[np.int64], NDArray[np.int64]],
    deviation: Deviation,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """For each span, the inner sample farthest from the line through its ends (the earliest of equals), and how far."""
    first, last = spans
    counts = last - first - 1
    starts = np.cumsum(counts) - counts
    inner: NDArray[np.int64] = np.arange(int(counts.sum())) + np.repeat(first + 1 - starts, counts)
    sides = (-1,) + (1,) * (values.ndim - 1)
    slopes = (values[last] - values[first]) / (times[last] - times[first]).reshape(sides)
    elapsed = (times[inner] - np.repeat(times[first], counts)).reshape(sides)
    lines = np.repeat(slopes, counts, axis=0) * elapsed + np.repeat(values[first], counts, axis=0)
    errors = deviation(lines, values[inner])
    most = np.maximum.reduceat(errors, starts)
    hits = np.flatnonzero(errors == np.repeat(most, counts))
    return inner[hits[np.searchsorted(hits, starts)]], most


def check(times: NDArray[np.float64], values: NDArray[np.float64], tolerance: float) -> None:
    """Raises SettingsError where samples or tolerance are not as `keep` wants them."""
    if not 0.0 <= tolerance < math.inf:
        message = f"The tolerance must be 0 or more, not {tolerance:g}."
        raise SettingsError(message)
    if len(times) != len(values) or not (np.isfinite(times).all() and np.isfinite(values).all()):
        message = "Keys can be reduced only where every frame has a finite value."
        raise SettingsError(message)
    if not (np.diff(times) > 0.0).all():
        message = "Keys can be reduced only where the frames rise: two samples share a scene frame."
        raise SettingsError(message)
