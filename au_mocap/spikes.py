"""Teeth in curves: values that jump and are back within a few frames, measured against each channel's own noise.

A face moves quickly, but it seldom goes and comes back within a tenth of a second; lids do, and are left out, and so is
what moves with them in a blink.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from . import channels
from .arrays import Floats
from .regions import REGION_OF
from .smoothing import segments

LONGEST_S: Final = 0.11
"""The sound frames on both sides of a spike are no farther apart, as in `repair`: a syllable takes longer."""

LEAST: Final = 0.2
"""Lower spikes are hardly seen on a character, and a lip that presses a consonant makes them all the time."""

NOISES: Final = 8.0
"""A spike is so many times as high as the channel's usual trembling, or it is a part of that."""

STANDS_OUT: Final = 0.6
"""Part of the channel's movement around it that a spike makes up: the sharp tip of a real movement makes up less."""

AROUND_S: Final = 0.25
"""What is around a spike: the syllable before it and the one after it."""

_BLINK: Final = 0.4
"""From this closing of an eye on, lids, cheeks, brows and gaze around it move with a blink."""

_BLINK_S: Final = 0.15
_WITH_BLINKS: Final = ("lids", "gaze", "brows", "nose_cheeks")
_LEAST_FRAMES: Final = 5
_MAD: Final = 1.4826
"""Standard deviation of normal noise in median absolute deviations."""


def heights(time_s: Floats, values: Floats) -> NDArray[np.float32]:
    """How high spikes are.

    Args:
        time_s: (T,) strictly increasing seconds.
        values: (T, 58) curves, columns as `channels.IDS`; rows that hold a NaN are gaps.

    Returns:
        (T, 58) float32: 0 but where a channel has a spike, there its height over both sides. Symmetric means and the
        closing of the eyes have none; nor has a take of fewer than five frames.
    """
    result = np.zeros(np.shape(values), np.float32)
    times, known = np.asarray(time_s, np.float64), ~np.isnan(values).any(axis=1)
    period_s = float(np.median(np.diff(times))) if len(times) > 1 else LONGEST_S
    width = max(int(LONGEST_S / period_s + 1e-6), 2)
    judged = _judged_columns()
    for start, stop in segments(known):
        if stop - start >= max(_LEAST_FRAMES, width + 2):
            table = np.ascontiguousarray(np.asarray(values[start:stop], np.float32)[:, judged].T)
            result[start:stop, judged] = _hats(table, width, max(round(AROUND_S / period_s), width)).T
    limits = np.full(result.shape[1], LEAST, np.float32)
    limits[judged] = np.maximum(LEAST, NOISES * _noise(np.asarray(values, np.float32)[known][:, judged]))
    result[result < limits] = 0.0
    _leave_blinks(result, values, max(round(_BLINK_S / period_s), 1))
    return result


def _judged_columns() -> NDArray[np.int64]:
    judged = (
        channels.INDEX[channel_id] for channel_id in channels.PREDICTED_IDS if not channel_id.startswith("eye_close")
    )
    return np.array(sorted(judged))


def _hats(table: NDArray[np.float32], width: int, around: int) -> NDArray[np.float32]:
    """(C, T) by how much each frame stands out of (C, T) curves, upwards or downwards, for less than `width` frames.

    These are the top hats of morphology: what an opening takes away, and what a closing fills.
    """
    padded = np.pad(table, ((0, 0), (width - 1, width - 1)), mode="edge")  # what does not come back is no spike
    opened = _running(np.maximum, _running(np.minimum, padded, width), width)
    closed = _running(np.minimum, _running(np.maximum, padded, width), width)
    hats = np.maximum(table - opened, closed - table)
    if not (hats >= LEAST).any():
        return hats
    wide = np.pad(table, ((0, 0), (around, around)), mode="edge")
    moved = _running(np.maximum, wide, 2 * around + 1) - _running(np.minimum, wide, 2 * around + 1)
    hats[hats < STANDS_OUT * moved] = 0.0
    return hats


def _running(most: np.ufunc, table: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """(C, T - width + 1) extremes of all windows of (C, T): wider windows are made of two of half their width."""
    size = 1
    while 2 * size <= width:
        table = most(table[:, :-size], table[:, size:])
        size *= 2
    if size < width:
        table = most(table[:, : table.shape[1] - (width - size)], table[:, width - size :])
    return table


def _noise(table: NDArray[np.float32]) -> NDArray[np.float32]:
    """(C,) standard deviation of the trembling of (T, C) curves: of what second differences leave of their course."""
    if len(table) < 3:
        return np.zeros(table.shape[1], np.float32)
    bends = np.abs(table[2:] - 2.0 * table[1:-1] + table[:-2])
    return np.asarray(_MAD * np.median(bends, axis=0) / np.sqrt(6.0), np.float32)


def _leave_blinks(result: NDArray[np.float32], values: Floats, around: int) -> None:
    """Take back, in place, what the upper face does around a blink."""
    eyes = [channels.INDEX["eye_close_L"], channels.INDEX["eye_close_R"]]
    closing = np.nan_to_num(np.asarray(values, np.float32)[:, eyes]).max(axis=1)[None]
    closing = np.pad(closing, ((0, 0), (around, around)), mode="edge")
    blinks = _running(np.maximum, closing, 2 * around + 1)[0] > _BLINK
    upper = [column for column, each in enumerate(channels.IDS) if REGION_OF[each] in _WITH_BLINKS]
    result[np.ix_(blinks, upper)] = 0.0
