"""How well curves agree with the truth, per channel; how calm they are; and how well they tell blinks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .arrays import Floats
from .channels import PRESENT_ABOVE

JITTER_WINDOW: Final = 5
"""Frames in the window of the jitter measure, as in GE-Net's table 3."""

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


def feafa_loss(predicted: Floats, truth: Floats) -> float:
    """FEAFA's loss (equation 3): the mean over frames of the squared norm of the error.

    Args:
        predicted: (T, 24), T at least 1.
        truth: (T, 24).
    """
    return float(((np.asarray(predicted, np.float64) - truth) ** 2).sum(axis=1).mean())


def f1(predicted: Floats, truth: Floats, above: float = PRESENT_ABOVE) -> NDArray[np.float64]:
    """F1 score of presence in each column: the harmonic mean of precision and recall.

    Args:
        predicted: (T, C).
        truth: (T, C).
        above: A value above this one is present.

    Returns:
        (C,) in 0..1; NaN where the truth is never present, whatever is predicted, because there is nothing to be found.
    """
    found, present = np.asarray(predicted) > above, np.asarray(truth) > above
    hits = (found & present).sum(axis=0)
    wanted = present.sum(axis=0)
    return np.where(wanted > 0, 2.0 * hits / np.maximum(found.sum(axis=0) + wanted, 1), np.nan)


def jitter(values: Floats, window: int = JITTER_WINDOW) -> NDArray[np.float64]:
    """How much columns tremble: the standard deviation in a sliding window, averaged over the windows (GE-Net).

    On a still face this is noise; on a moving one it contains the motion, so compare with that of the truth.

    Args:
        values: (T, C) consecutive frames; a window that holds a NaN is left out.
        window: Its length in frames.

    Returns:
        (C,) in units of the values; NaN where no window is complete.
    """
    if len(values) < window:
        return np.full(values.shape[1], np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(np.asarray(values, np.float64), window, axis=0)
    deviations = windows.std(axis=-1)
    complete = ~np.isnan(deviations)
    total = np.where(complete, deviations, 0.0).sum(axis=0)
    return np.where(complete.any(axis=0), total / np.maximum(complete.sum(axis=0), 1), np.nan)


@dataclass(frozen=True, slots=True)
class Blink:
    """A blink seen by eye, in frames from 0.

    Attributes:
        start: First frame in which the lids move.
        peak: Frame in which they are closed most.
        end: Last frame in which they move.
        full: Whether the eyes close altogether; a half blink need not reach a high peak.
    """

    start: int
    peak: int
    end: int
    full: bool = True


def blink_recall(values: Floats, blinks: Sequence[Blink], peak: float = 0.8, margin: int = 2) -> float:
    """Share of listed blinks in whose interval a curve reaches the peak.

    Args:
        values: (T,) a curve of closing eyes, NaN where there is no face.
        blinks: What was seen.
        peak: What the curve must reach.
        margin: Frames by which each interval is widened on both sides.

    Returns:
        0..1; NaN where none is listed.
    """
    caught = [bool((_part(values, blink, margin) >= peak).any()) for blink in blinks]
    return float(np.mean(caught)) if caught else float("nan")


def false_blinks(values: Floats, blinks: Sequence[Blink], above: float = 0.5, margin: int = 3) -> float:
    """Stretches in which a curve is high though no blink was listed, as a share of the listed ones.

    A stretch counts where none of its frames lies in a listed interval: a blink that lasts too long is none more.

    Args:
        values: (T,) a curve of closing eyes, NaN where there is no face.
        blinks: What was seen.
        above: The curve is high above this value.
        margin: Frames by which each interval is widened on both sides.

    Returns:
        0 or more; NaN where none is listed.
    """
    high = np.asarray(values) > above
    edges = np.flatnonzero(np.diff(np.concatenate([[False], high, [False]]).astype(np.int8)))
    between = _between(len(high), blinks, margin)
    false = sum(bool(between[start:end].all()) for start, end in edges.reshape(-1, 2))
    return false / len(blinks) if blinks else float("nan")


def median_between_blinks(values: Floats, blinks: Sequence[Blink], margin: int = 5) -> float:
    """Median of a curve outside the listed blinks.

    Args:
        values: (T,) a curve of closing eyes, NaN where there is no face.
        blinks: What was seen.
        margin: Frames by which each interval is widened on both sides.

    Returns:
        The median; NaN where no frame is left.
    """
    rest = np.asarray(values, np.float64)[_between(len(values), blinks, margin)]
    rest = rest[~np.isnan(rest)]
    return float(np.median(rest)) if rest.size else float("nan")


def _part(values: Floats, blink: Blink, margin: int) -> Floats:
    return values[max(blink.start - margin, 0) : blink.end + margin + 1]


def _between(count: int, blinks: Sequence[Blink], margin: int) -> NDArray[np.bool_]:
    """(T,) frames in no widened interval."""
    outside = np.ones(count, np.bool_)
    for blink in blinks:
        outside[max(blink.start - margin, 0) : blink.end + margin + 1] = False
    return outside
