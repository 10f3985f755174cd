"""What lies a moment before and after each frame: for heads that read how a face changes."""

import numpy as np
from numpy.typing import NDArray

from .arrays import Floats

Indices = NDArray[np.int64]


def around(time_s: Floats, known: NDArray[np.bool_], window_s: float) -> tuple[Indices, Indices]:
    """For each frame the ones nearest to `window_s` before and after it.

    A face is followed no further than it is seen without a break: at a gap, and at the beginning and the end, the
    frames there stand for those beyond. Where frames come so seldom that none is nearer than the frame itself, that
    is taken.

    Args:
        time_s: (T,) seconds, increasing.
        known: (T,) which frames show the face.
        window_s: How far away, above 0.

    Returns:
        (T,) places of the earlier and of the later frames. Frames without a face are given their own.
    """
    places = np.arange(len(known))
    times = np.asarray(time_s, np.float64)
    breaks = ~known
    first = np.maximum.accumulate(np.where(breaks, places + 1, 0))
    last = np.minimum.accumulate(np.where(breaks, places - 1, len(known) - 1)[::-1])[::-1]
    earlier = np.clip(_nearest(times, times - window_s), first, places)
    later = np.clip(_nearest(times, times + window_s), places, last)
    return np.where(known, earlier, places), np.where(known, later, places)


def _nearest(times: NDArray[np.float64], wanted: NDArray[np.float64]) -> Indices:
    """Place of the time nearest to each wanted one; of two, the earlier."""
    after = np.clip(np.searchsorted(times, wanted), 1, max(len(times) - 1, 1))
    before = after - 1
    after = np.minimum(after, len(times) - 1)
    return np.where(times[after] - wanted < wanted - times[before], after, before)
