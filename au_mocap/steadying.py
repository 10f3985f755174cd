"""Holding values where the face is hardly to be seen.

Behind a hand, near profile, out of focus or half outside the frame, a regressor answers with something, and its answers
jump. Such frames take their values from the clear frames around them instead, the more the less they are to be trusted.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from .arrays import Floats
from .smoothing import segments

CLEAR: Final = 0.45
"""Frames of this confidence and more keep their values."""
HIDDEN: Final = 0.1
"""Frames of this confidence and less have none of their own."""

_BESIDE_S: Final = 0.1
"""A frame is no clearer than those so near to it: a hidden face that seems clear for a moment is a mistake."""


def steady(time_s: Floats, values: Floats, confidence: Floats) -> NDArray[np.float32]:
    """Replaces the values of doubtful frames.

    Between clear frames they run in a straight line from the one before to the one after; where there is none on one
    side, the other's are held. What lies beyond frames without a face has no say, and a stretch that has no clear frame
    stays as it is.

    Args:
        time_s: (T,) strictly increasing seconds.
        values: (T, C); NaN rows where there is no face.
        confidence: (T,) 0..1.

    Returns:
        (T, C) float32, NaN in the same rows.
    """
    result = np.array(values, np.float32)
    trust = np.clip((np.asarray(confidence, np.float64) - HIDDEN) / (CLEAR - HIDDEN), 0.0, 1.0)
    for start, stop in segments(~np.isnan(result).any(axis=1)):
        times_s, table = np.asarray(time_s[start:stop], np.float64), result[start:stop]
        own = _least_beside(times_s, trust[start:stop])
        clear, doubtful = np.flatnonzero(own == 1.0), np.flatnonzero(own < 1.0)
        if not len(clear) or not len(doubtful):
            continue
        held = _between(times_s, table, clear, doubtful)
        share = own[doubtful, None]
        table[doubtful] = share * table[doubtful] + (1.0 - share) * held
    return result


def _least_beside(time_s: NDArray[np.float64], trust: NDArray[np.float64]) -> NDArray[np.float64]:
    """(T,) the least trust within a moment of each frame."""
    result = trust.copy()
    for step in range(1, len(trust)):
        near = time_s[step:] - time_s[:-step] <= _BESIDE_S
        if not near.any():
            break
        result[step:] = np.where(near, np.minimum(result[step:], trust[:-step]), result[step:])
        result[:-step] = np.where(near, np.minimum(result[:-step], trust[step:]), result[:-step])
    return result


def _between(
    time_s: NDArray[np.float64], table: NDArray[np.float32], clear: NDArray[np.int64], wanted: NDArray[np.int64]
) -> NDArray[np.float64]:
    """(W, C) values at the wanted frames, on straight lines between the clear ones."""
    after = np.searchsorted(clear, wanted)
    last, following = clear[np.maximum(after - 1, 0)], clear[np.minimum(after, len(clear) - 1)]
    length = np.maximum(time_s[following] - time_s[last], 1e-9)
    place = np.clip((time_s[wanted] - time_s[last]) / length, 0.0, 1.0)[:, None]
    return (1.0 - place) * table[last] + place * table[following]
