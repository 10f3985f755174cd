"""What curves do while no face is seen: stay empty, hold what was last seen, or ease to rest and back."""

from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from .arrays import Floats
from .errors import SettingsError

GapMode = Literal["leave", "hold", "fade"]
MODES: Final[tuple[GapMode, ...]] = get_args(GapMode)

EASE_S: Final = 0.3
"""Seconds in which values ease to rest after the face is lost, and back before it returns."""


def check(mode: str) -> None:
    """Makes sure that a way to treat gaps is one of `MODES`; raises SettingsError."""
    if mode not in MODES:
        message = f"Unknown treatment of gaps '{mode}': use {', '.join(MODES)}."
        raise SettingsError(message)


def hold(rows: Floats) -> NDArray[np.float64]:
    """Fills gaps with what was last seen.

    Args:
        rows: (T, C); rows that hold a NaN are gaps.

    Returns:
        (T, C) float64 without gaps: each takes the last row before it, one at the beginning the first row after it.
        Where every row is a gap there is nothing to hold, and all stay as they are.
    """
    result = np.array(rows, np.float64)
    before, after = _neighbours(_known(result))
    source = np.where(before >= 0, before, after)
    return result[source] if source[-1] < len(result) else result


def fade(time_s: Floats, values: Floats) -> NDArray[np.float64]:
    """Lets values ease to 0 where the face is lost and back to where they go on.

    Each side of a gap eases within `EASE_S` by a smooth step in time, which begins at the last frame with a face and
    ends at the first one after the gap. In a gap too short for both, values pass smoothly from one side to the other
    and sink only as far as there is time for.

    Args:
        time_s: (T,) strictly increasing seconds.
        values: (T, C); rows that hold a NaN are gaps.

    Returns:
        (T, C) float64 without gaps. At the beginning and the end of the take there is one ease only. Where every row is
        a gap there is no face to ease from, and all stay as they are.
    """
    result = np.array(values, np.float64)
    known = _known(result)
    gap = np.flatnonzero(~known)
    if not len(gap) or not known.any():
        return result
    times = np.asarray(time_s, np.float64)
    before, after = (side[gap] for side in _neighbours(known))
    since = np.where(before >= 0, times[gap] - times[np.maximum(before, 0)], np.inf)
    until = np.where(after < len(times), times[np.minimum(after, len(times) - 1)] - times[gap], np.inf)
    share = _share_of_return(since, until)[:, None]
    depth = 1.0 - _smooth_step(np.minimum(since, until) / EASE_S)[:, None]
    # Where one side is missing its share is 0, so any row may stand in for it.
    left, back = result[np.where(before >= 0, before, after)], result[np.where(after < len(times), after, before)]
    result[gap] = ((1.0 - share) * left + share * back) * depth
    return result


def _known(rows: NDArray[np.float64]) -> NDArray[np.bool_]:
    return ~np.isnan(rows).any(axis=1)


def _neighbours(known: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each row the nearest known one at or before it (-1: none) and at or after it (T: none)."""
    index, count = np.arange(len(known)), len(known)
    before = np.maximum.accumulate(np.where(known, index, -1))
    after = np.minimum.accumulate(np.where(known, index, count)[::-1])[::-1]
    return before, after


def _share_of_return(since: NDArray[np.float64], until: NDArray[np.float64]) -> NDArray[np.float64]:
    """0..1: how far values have passed from the side that was left to the one that comes back.

    They pass in the middle of the gap, within the time by which both eases overlap, and at once where the values have
    reached 0 in between. `since` and `until` are seconds from the one and to the other, infinite where there is none.
    """
    length = since + until
    passing = np.clip(2.0 * EASE_S - length, 0.0, length)
    overlaps = passing > 0.0
    place = np.where(since > until, 1.0, 0.0)
    place[overlaps] = 0.5 + 0.5 * (since[overlaps] - until[overlaps]) / passing[overlaps]
    return _smooth_step(place)


def _smooth_step(place: NDArray[np.float64]) -> NDArray[np.float64]:
    """0 up to 0, 1 from 1 on, between them `3 x^2 - 2 x^3`, which starts and ends without speed."""
    x = np.clip(place, 0.0, 1.0)
    return x * x * (3.0 - 2.0 * x)
