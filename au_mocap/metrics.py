"""How well curves agree with the truth, per channel."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from .arrays import Floats

_STILL: Final = 1e-12
"""A column whose squares sum to less does not vary: what is left is rounding."""


def icc(predicted: Floats, truth: Floats) -> NDArray[np.float64]:
    """Intraclass correlation ICC(3,1) of each column (Shrout and Fleiss): consistency of two fixed raters.

    Args:
        predicted: (T, C).
        truth: (T, C).

    Returns:
        (C,) in -1..1; 0 where neither column varies. Both mean squares have T - 1 degrees of freedom, which cancel.
    """
    ratings = np.stack([predicted, truth], axis=-1).astype(np.float64)
    mean_of_frame = ratings.mean(axis=-1, keepdims=True)
    mean_of_rater = ratings.mean(axis=0, keepdims=True)
    overall = ratings.mean(axis=(0, 2))[:, None]
    between = 2 * ((mean_of_frame[..., 0] - overall.T) ** 2).sum(axis=0)
    error = ((ratings - mean_of_frame - mean_of_rater + overall[None]) ** 2).sum(axis=(0, 2))
    total = between + error
    return np.where(total > _STILL, (between - error) / np.maximum(total, _STILL), 0.0)


def pcc(predicted: Floats, truth: Floats) -> NDArray[np.float64]:
    """Pearson's correlation of each column; 0 where a column does not vary."""
    a = np.asarray(predicted, np.float64) - np.mean(predicted, axis=0, dtype=np.float64)
    b = np.asarray(truth, np.float64) - np.mean(truth, axis=0, dtype=np.float64)
    size_a, size_b = (a**2).sum(axis=0), (b**2).sum(axis=0)
    varies = np.minimum(size_a, size_b) > _STILL
    return np.where(varies, (a * b).sum(axis=0) / np.maximum(np.sqrt(size_a * size_b), _STILL), 0.0)


def mae(predicted: Floats, truth: Floats) -> NDArray[np.float64]:
    """Mean absolute error of each column."""
    return np.abs(np.asarray(predicted, np.float64) - truth).mean(axis=0)


def mse(predicted: Floats, truth: Floats) -> NDArray[np.float64]:
    """Mean squared error of each column."""
    return ((np.asarray(predicted, np.float64) - truth) ** 2).mean(axis=0)
