"""Whether what is predicted hangs together as the truth does: the measures of AUNet's Table X."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from au_mocap.channels import PRESENT_ABOVE

FEWEST: Final = 20
"""Frames that must show an AU, or a pair of them, for it to be counted."""


@dataclass(frozen=True, slots=True)
class Dependency:
    """How faithful predictions are to what goes with what.

    Attributes:
        l2: Distance between the adjacency matrices of predictions and truth, as a share of the truth's own size; the
            lower, the better.
        f1: Dependency F1-score, 0..1; the higher, the better.
        pairs: Ordered pairs of AUs that it counts.
    """

    l2: float
    f1: float
    pairs: int


def measure(predicted: NDArray[np.floating], truth: NDArray[np.floating], present: NDArray[np.bool_]) -> Dependency:
    """Measures a table of frames.

    Args:
        predicted: (M, P) values 0..1.
        truth: (M, P).
        present: (M, P) which AUs the predictions call present.
    """
    shown = truth > PRESENT_ABOVE
    counted = (shown.sum(axis=0) >= FEWEST) & (shown.sum(axis=0) <= len(shown) - FEWEST)
    f1, pairs = _conditional_f1(present[:, counted], shown[:, counted])
    return Dependency(_distance(predicted[:, counted], truth[:, counted]), f1, pairs)


def adjacency(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """(P, P) correlation of every AU with every other, as in the paper's figure 8; 0 where one never changes."""
    centered = np.asarray(values, np.float64) - values.mean(axis=0)
    spread = np.sqrt(np.square(centered).sum(axis=0))
    scaled = centered / np.where(spread > 0, spread, 1.0)
    return scaled.T @ scaled * ~np.eye(values.shape[1], dtype=np.bool_)


def _distance(predicted: NDArray[np.floating], truth: NDArray[np.floating]) -> float:
    wanted = adjacency(truth)
    size = float(np.linalg.norm(wanted))
    return float(np.linalg.norm(adjacency(predicted) - wanted)) / size if size else float("nan")


def _conditional_f1(present: NDArray[np.bool_], shown: NDArray[np.bool_]) -> tuple[float, int]:
    """F1 of each AU in the frames that show another one, from mean precision and recall over all pairs that occur."""
    both = shown.astype(np.float64)
    said = present.astype(np.float64)
    together = both.T @ both  # (P, P): frames that show i and j
    right = (both * said).T @ both  # ... in which i was found
    claimed = said.T @ both  # frames that show j in which i was claimed
    pairs = (together >= FEWEST) & ~np.eye(shown.shape[1], dtype=np.bool_)
    if not pairs.any():
        return float("nan"), 0
    precision = float((right / np.maximum(claimed, 1.0))[pairs].mean())
    recall = float((right / np.maximum(together, 1.0))[pairs].mean())
    total = precision + recall
    return (2.0 * precision * recall / total if total else 0.0), int(pairs.sum())
