"""What one coder said of a clip's frames."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .. import channels
from ..arrays import Floats
from ..errors import AnnotationError

DECIMALS: Final = 2
"""FEAFA's coders gave values to two decimal places (section 3.3)."""


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels of N frames; a frame of which nothing is said is not in it.

    Attributes:
        frames: (N,) int64, strictly increasing, places in the clip from 0.
        time_s: (N,) float64, their presentation times in seconds, strictly increasing.
        key: (N,) bool, True where a person set the values, False where they were interpolated.
        values: (N, 58) float32 in the order of `channels.IDS`, 0..1 to two decimals; NaN where not labelled.
    """

    frames: NDArray[np.int64]
    time_s: NDArray[np.float64]
    key: NDArray[np.bool_]
    values: NDArray[np.float32]

    @classmethod
    def empty(cls) -> "Labels":
        """Labels of no frame."""
        values = np.zeros((0, len(channels.IDS)), np.float32)
        return cls(np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.bool_), values)

    def __len__(self) -> int:
        """Number of labelled frames."""
        return len(self.frames)

    def __post_init__(self) -> None:
        """Checks that the arrays fit each other.

        Raises:
            AnnotationError: Shapes disagree, frames or times do not increase, or values lie outside 0..1.
        """
        count = len(self.frames)
        shapes = (self.time_s.shape, self.key.shape, self.values.shape)
        if shapes != ((count,), (count,), (count, len(channels.IDS))):
            message = f"Labels of {count} frames need as many times, marks and rows of {len(channels.IDS)} values."
            raise AnnotationError(message)
        if count and (self.frames[0] < 0 or (np.diff(self.frames) <= 0).any()):
            message = "Frames of labels must increase, from 0: sort them and name each frame once."
            raise AnnotationError(message)
        if not np.isfinite(self.time_s).all() or (np.diff(self.time_s) <= 0).any():
            message = "Times of labels must increase from frame to frame."
            raise AnnotationError(message)
        known = self.values[~np.isnan(self.values)]
        if known.size and not (known.min() >= 0.0 and known.max() <= 1.0):
            message = f"Labels run from {known.min():g} to {known.max():g}: bring them to 0..1 (1 is the full action)."
            raise AnnotationError(message)

    @property
    def known(self) -> NDArray[np.bool_]:
        """(N, 58) where something is labelled."""
        return ~np.isnan(self.values)

    def without_empty(self) -> "Labels":
        """The frames of which something is said."""
        said = self.known.any(axis=1)
        return Labels(self.frames[said], self.time_s[said], self.key[said], self.values[said])


def rounded(values: Floats) -> NDArray[np.float32]:
    """Values as labels carry them: within 0..1, to two decimals; NaN stays NaN."""
    return (np.round(np.clip(np.asarray(values, np.float64), 0.0, 1.0), DECIMALS) + 0.0).astype(np.float32)  # no -0
