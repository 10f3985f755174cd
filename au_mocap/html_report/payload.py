"""What the page's script reads: every frame of every curve, one byte or two for each value."""

import base64
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats
from . import strip
from .performance import Performance, gaps_of
from .rows import Row

STEPS = 250
"""Values 0..1 are stored in so many steps, 255 for none."""

ANGLE_STEPS = 100
"""Angles are stored in so many steps a degree, -32768 for none."""


def payload(shown: Performance, rows: list[Row], strips: Floats) -> str:
    """JSON for an inline script element; holds numbers only, and nothing that could end the element.

    Args:
        shown: The take; the times and gaps are its.
        rows: The rows of curves, in the page's order.
        strips: (T, K) curves of the strips of intensity.
    """
    times = shown.curves.time_s
    data: dict[str, Any] = {
        "first": shown.take.first_frame,
        "start": float(times[0]),
        "times": _coded((times - times[0]).astype("<f4")),
        "gaps": gaps_of(shown.take.found),
        "rows": [
            {"kind": row.kind, "limit": row.limit, "series": [_series(row, each.values) for each in row.series]}
            for row in rows
        ],
        "colour": strip.COLOUR_RGB,
        "opacity": strip.OPACITY,
        "strips": [_coded(_bytes(column)) for column in strips.T],
    }
    return json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _series(row: Row, values: Floats) -> str:
    if row.kind != "angle":
        return _coded(_bytes(values))
    scaled = np.clip(np.nan_to_num(values) * ANGLE_STEPS, -32767, 32767)
    return _coded(np.where(np.isnan(values), -32768, np.round(scaled)).astype("<i2"))


def _bytes(values: Floats) -> NDArray[np.uint8]:
    scaled = np.clip(np.round(np.nan_to_num(values) * STEPS), 0, STEPS)
    return np.where(np.isnan(values), 255, scaled).astype(np.uint8)


def _coded(array: NDArray[Any]) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
