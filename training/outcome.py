"""What a network said against the truth, and how large its answers should be."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from au_mocap import channels, metrics

_WEAKEST: Final = 0.25
_SURE: Final = 0.5
_MOST_GAIN: Final = 1.6
FEAFA: Final = slice(0, len(channels.FEAFA_IDS))
"""Columns of FEAFA's 24 channels in a table of the whole vocabulary."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Predictions and truth on one split.

    Attributes:
        predicted: (M, P) clipped values over `channels.PREDICTED_IDS`.
        truth: (M, P).
    """

    predicted: NDArray[np.float32]
    truth: NDArray[np.float32]

    def tables(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Predictions and truth as (M, 58) tables of the whole vocabulary."""
        predicted, truth = (channels.complete(table, channels.PREDICTED_IDS) for table in (self.predicted, self.truth))
        return predicted, truth

    @property
    def feafa_icc(self) -> float:
        """Mean ICC(3,1) over FEAFA's 24 channels."""
        return float(metrics.icc(*self.tables())[FEAFA].mean())


def amplitude(outcome: Outcome) -> NDArray[np.float64]:
    """Gains that make each channel spread as far as the truth, where it is recognised well enough.

    Least squares makes uncertain channels timid: spread r times the truth's at correlation r. A full action should read
    near 1, but where a channel is hardly seen at all, scaling up would only scale noise, so the gain fades out there.

    Returns:
        (P,) factors, at least 1.
    """
    correlation = metrics.pcc(outcome.predicted, outcome.truth)
    spread = outcome.truth.std(axis=0) / np.maximum(outcome.predicted.std(axis=0), 1e-6)
    share = np.clip((correlation - _WEAKEST) / (_SURE - _WEAKEST), 0.0, 1.0)
    return 1.0 + share * (np.clip(spread, 1.0, _MOST_GAIN) - 1.0)
