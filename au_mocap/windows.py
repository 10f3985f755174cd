"""What lies a moment before and after each frame: for heads that read how a face changes."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .arrays import Floats

Indices = NDArray[np.int64]

_LONGEST_S: Final = 5.0


def length_s(row: Mapping[str, Any]) -> float:
    """The `window_s` of a regressor's registry entry, 0 where it has none; raises ValueError where it cannot be."""
    value = row.get("window_s", 0.0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LONGEST_S:
        message = f"'window_s' must be a number of seconds from 0 to {_LONGEST_S:g}, not {value}"
        raise ValueError(message)
    if value and "image" not in row:
        message = "'window_s' needs an 'image': without one there are no embeddings to read"
        raise ValueError(message)
    return float(value)


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
