"""Local quadratics over true time: each value replaced by what its neighbours say, without delay.

A quadratic is fitted to the neighbours with Gaussian weights in seconds (Savitzky and Golay's method made free of the
frame rate). It keeps the height of short peaks such as blinks, symmetric weights add no delay, and weights in time
treat variable frame rates and missing frames rightly.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

_REACH: Final = 2.5
"""Neighbours farther away than this many standard deviations are left out."""

_AT_REACH: Final = float(np.exp(-0.5 * _REACH**2))
"""Taken off the weights, so that they run out to 0: a neighbour just within reach must not make a difference."""

_RIDGE: Final = 1e-6

_CHUNK: Final = 64
"""Frames whose weights are multiplied with the values as one banded matrix."""


class Fit:
    """The weights of one width at the times of one stretch, for any number of curves."""

    def __init__(self, time_s: NDArray[np.float64], sigma_s: float) -> None:
        """Prepares the weights.

        Args:
            time_s: (T,) strictly increasing seconds, T at least 1.
            sigma_s: Standard deviation of the Gaussian weights in seconds, above 0.
        """
        count, reach_s = len(time_s), _REACH * sigma_s
        ahead = np.searchsorted(time_s, time_s + reach_s, side="right") - np.arange(count) - 1
        behind = np.arange(count) - np.searchsorted(time_s, time_s - reach_s)
        self._side = int(max(ahead.max(), behind.max()))
        self._weights = _weights(time_s, sigma_s, self._side)

    def __call__(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Fits (T, C) values without NaN: an array of the same shape, its own."""
        if not self._side:
            return values.copy()
        side, count = self._side, len(values)
        padded = np.pad(values, ((side, side), (0, 0)))
        result = np.empty_like(values)
        for start in range(0, count, _CHUNK):
            weights = self._weights[start : start + _CHUNK]
            result[start : start + _CHUNK] = _banded(weights) @ padded[start : start + len(weights) + 2 * side]
        return result


def _weights(time_s: NDArray[np.float64], sigma_s: float, side: int) -> NDArray[np.float64]:
    """(T, K) how much each neighbour, from `side` before to `side` after, counts in a frame's fit."""
    far = np.full(side, np.inf)
    padded = np.concatenate([-far, time_s, far])
    offset = (np.lib.stride_tricks.sliding_window_view(padded, 2 * side + 1) - time_s[:, None]) / sigma_s
    inside = np.abs(offset) <= _REACH
    offset = np.where(inside, offset, 0.0)
    # Value at offset 0 of the weighted least-squares quadratic: the first column of the inverse of the matrix of
    # moments, by cofactors. At the ends and beside short gaps there are too few points for curvature; the ridge lets
    # the fit fall back to a line or mean.
    weight = np.where(inside, np.exp(-0.5 * offset**2) - _AT_REACH, 0.0)
    first = weight * offset
    second = first * offset
    m0, m1, m2 = (each.sum(axis=1, keepdims=True) for each in (weight, first, second))
    m3, m4 = (each.sum(axis=1, keepdims=True) for each in (second * offset, second * offset**2))
    a, b = m2 + _RIDGE, m4 + _RIDGE
    c0, c1, c2 = a * b - m3**2, m2 * m3 - m1 * b, m1 * m3 - m2 * a
    return (c0 * weight + c1 * first + c2 * second) / (m0 * c0 + m1 * c1 + m2 * c2)


def _banded(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """(R, R + K - 1) matrix whose row i holds the i-th of the (R, K) weights from column i on."""
    rows, width = weights.shape
    sheared = np.zeros((rows, rows + width))
    sheared[:, :width] = weights
    return sheared.ravel()[: rows * (rows + width - 1)].reshape(rows, rows + width - 1)
