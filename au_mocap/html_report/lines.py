"""Curves as SVG paths, small however long the take is: the lowest and highest value of each column of pixels."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats
from ..smoothing import segments

WIDTH: Final = 1000
HEIGHT: Final = 100
"""Extent of a drawing; pages stretch it to whatever room there is."""

_TARGET_TICKS: Final = 9
_STEPS_S: Final = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0)


def path(time_s: Floats, heights: Floats, *, filled: bool) -> str:
    """The `d` of a curve's path.

    Args:
        time_s: (T,) seconds; the whole width is their span.
        heights: (T,) 0 at the bottom, 1 at the top; NaN where the curve is interrupted.
        filled: Begin and end each stretch at the bottom, for an area under the curve.
    """
    x, y = decimate(time_s, heights)
    parts: list[str] = []
    for first, stop in segments(~np.isnan(y)):
        points = " ".join(f"{a:g} {b:g}" for a, b in zip(x[first:stop].tolist(), y[first:stop].tolist(), strict=True))
        if filled:
            parts.append(f"M{x[first]:g} {HEIGHT}L{points} {x[stop - 1]:g} {HEIGHT}")
        else:
            parts.append(f"M{points}" + (f"h{0.5}" if stop - first == 1 else ""))
    return "".join(parts)


def decimate(time_s: Floats, heights: Floats) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points of a curve in the drawing's units, at most two in each column: both extremes, in the order they come.

    Returns:
        x and y (N,), rounded to a tenth; y grows downwards and is NaN where the curve is interrupted.
    """
    x = places(time_s)
    y = HEIGHT * (1.0 - np.asarray(heights, np.float64))
    if len(x) > 2 * WIDTH:
        column = np.minimum(x.astype(np.int64), WIDTH - 1)
        chosen = _extremes(column, y)
        x, y = x[chosen], y[chosen]
    return np.round(x, 1), np.round(y, 1)


def places(time_s: Floats) -> NDArray[np.float64]:
    """Where (T,) times lie across the drawing."""
    times = np.asarray(time_s, np.float64)
    return (times - times[0]) / max(float(times[-1] - times[0]), 1e-3) * WIDTH


def _extremes(column: NDArray[np.int64], y: NDArray[np.float64]) -> NDArray[np.int64]:
    """Frames of the lowest and the highest value of each column, and one without a value where it has nothing else."""
    order = np.lexsort((y, column))  # NaN come last within their column
    starts = np.flatnonzero(np.diff(column[order], prepend=-1))
    known = np.add.reduceat((~np.isnan(y[order])).astype(np.int64), starts)
    lowest, highest = order[starts], order[starts + np.maximum(known - 1, 0)]
    return np.unique(np.concatenate([lowest, highest]))


def bands(time_s: Floats, gaps: list[tuple[int, int]]) -> str:
    """The `d` of bands over stretches of frames (first, one after the last), from top to bottom."""
    if not gaps:
        return ""
    x = places(time_s)
    middles = np.concatenate([[x[0]], (x[1:] + x[:-1]) / 2, [WIDTH if len(x) > 1 else x[0] + WIDTH]])
    return "".join(
        f"M{middles[a]:.1f} 0H{max(middles[b], middles[a] + 0.5):.1f}V{HEIGHT}H{middles[a]:.1f}Z" for a, b in gaps
    )


def ticks(first_s: float, last_s: float) -> list[float]:
    """Round times between two others, a handful of them."""
    span_s = last_s - first_s
    step_s = next((step for step in _STEPS_S if span_s / step <= _TARGET_TICKS), _STEPS_S[-1])
    count = int(np.floor(span_s / step_s + 1e-9))
    start = np.ceil(first_s / step_s - 1e-9)
    return [float(start + k) * step_s for k in range(count + 1) if (start + k) * step_s <= last_s + 1e-9]
