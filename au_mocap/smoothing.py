"""Zero-phase smoothing of curves over true time.

Each value is replaced by a local quadratic fitted to its neighbours with Gaussian weights in seconds (Savitzky and
Golay's method made free of the frame rate). A quadratic keeps the height of short peaks such as blinks, symmetric
weights add no delay, and weights in time treat variable frame rates and missing frames rightly. Gaps are never
bridged.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from . import rotations
from .arrays import Floats, einsum
from .errors import SettingsError

SIGMA_S: Final = {"off": 0.0, "light": 0.035, "medium": 0.07, "strong": 0.14}
"""Standard deviation of the Gaussian weights in seconds, by strength."""

_REACH: Final = 2.5
"""Neighbours farther away than this many standard deviations are left out."""

_RIDGE: Final = 1e-6


def check(strength: str) -> None:
    """Makes sure that a strength is one of `SIGMA_S`; raises SettingsError."""
    if strength not in SIGMA_S:
        message = f"Unknown smoothing '{strength}': use {', '.join(SIGMA_S)}."
        raise SettingsError(message)


def smooth(time_s: Floats, curves: Floats, strength: str) -> NDArray[np.float64]:
    """Smooths curves.

    Args:
        time_s: (T,) strictly increasing seconds.
        curves: (T, C); rows that hold a NaN are gaps and stay NaN, and what lies beyond a gap has no influence.
        strength: One of `SIGMA_S`.

    Returns:
        (T, C) float64.

    Raises:
        SettingsError: Unknown strength.
    """
    check(strength)
    result = np.array(curves, np.float64)
    sigma_s = SIGMA_S[strength]
    if sigma_s == 0.0:
        return result
    for start, stop in segments(~np.isnan(result).any(axis=1)):
        result[start:stop] = _fit(np.asarray(time_s[start:stop], np.float64), result[start:stop], sigma_s)
    return result


def smooth_rotations(time_s: Floats, quaternions: Floats, strength: str) -> NDArray[np.float64]:
    """As `smooth`, for (T, 4) unit quaternions; the result is of unit length with continuous sign."""
    smoothed = smooth(time_s, rotations.continuous(quaternions), strength)
    return smoothed / np.linalg.norm(smoothed, axis=1, keepdims=True)


def segments(valid: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Runs of True as (start, stop) index pairs."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], valid, [False]])))
    return [(int(start), int(stop)) for start, stop in zip(edges[::2], edges[1::2], strict=True)]


def _fit(time_s: NDArray[np.float64], values: NDArray[np.float64], sigma_s: float) -> NDArray[np.float64]:
    count = len(time_s)
    reach_s = _REACH * sigma_s
    side = int(
        max(
            np.max(np.searchsorted(time_s, time_s + reach_s, side="right") - np.arange(count)) - 1,
            np.max(np.arange(count) - np.searchsorted(time_s, time_s - reach_s)),
        )
    )
    if side < 1:
        return values
    neighbours = np.arange(count)[:, None] + np.arange(-side, side + 1)
    inside = (neighbours >= 0) & (neighbours < count)
    neighbours = np.clip(neighbours, 0, count - 1)
    offset = (time_s[neighbours] - time_s[:, None]) / sigma_s
    weight = np.where(inside & (np.abs(offset) <= _REACH), np.exp(-0.5 * offset**2), 0.0)
    # Value at offset 0 of the weighted least-squares quadratic, as one row of coefficients for each frame. At the ends
    # and beside short gaps there are too few points for curvature; the ridge lets the fit fall back to a line or mean.
    powers = np.stack([np.ones_like(offset), offset, offset**2], axis=-1)
    normal = einsum("tk,tki,tkj->tij", weight, powers, powers) + _RIDGE * np.diag([0.0, 1.0, 1.0])
    first = np.linalg.solve(normal, np.broadcast_to(np.array([[1.0], [0.0], [0.0]]), (count, 3, 1)))[..., 0]
    coefficients = weight * einsum("tki,ti->tk", powers, first)
    result = np.zeros_like(values)
    for k in range(neighbours.shape[1]):  # one neighbour at a time: a long take's (T, K, C) would fill the memory
        result += coefficients[:, k, None] * values[neighbours[:, k]]
    return result
