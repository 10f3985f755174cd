"""Tables of MediaPipe's blendshape scores, and of ARKit's shapes from any other program.

There is no official table; what people write has a column for each shape in MediaPipe's own names (`browDownLeft`),
often `_neutral`, and times as `timestamp_ms`, `timestamp`, `time` or a frame number. Those are read by name, in any
order. The table that is written has `frame`, `timestamp_ms` and the 52 scores in the order of MediaPipe's graph; it has
no head pose, and MediaPipe has no tongueOut.
"""

import csv
from pathlib import Path
from typing import Final

import numpy as np

from ..blendshapes import SCORES
from ..calibration import Curves
from ..errors import ExchangeError
from ..files import replacing
from ..take import Take
from . import arkit
from .recording import Recording
from .sheet import Sheet, Wanted
from .timing import clock_of

_SECONDS: Final = {
    **dict.fromkeys(("time_s", "timestamp_s", "time (s)", "seconds", "timestamp_sec", "time_sec"), 1.0),
    **dict.fromkeys(("timestamp_ms", "time_ms", "timestampms", "time (ms)", "timestamp (ms)", "milliseconds"), 0.001),
}
_EITHER: Final = ("timestamp", "time")
_FRAMES: Final = ("frame", "frame_number", "frame_idx", "frame_index", "frame_id")
_FEWEST_SHAPES: Final = 3
NEUTRAL: Final = SCORES[0]


def fits(names: tuple[str, ...]) -> bool:
    """Whether a table with these columns is one."""
    return sum(arkit.shape_of(name) is not None for name in names) >= _FEWEST_SHAPES


def read(path: Path, rate_hz: float | None) -> Recording:
    """Reads a table.

    Args:
        path: The file.
        rate_hz: Frames a second where there are no times.

    Raises:
        ExchangeError: It is no such table.
    """
    sheet = Sheet(path)
    columns = {
        shape: column
        for name in sheet.names
        if (shape := arkit.shape_of(name)) is not None and (column := sheet.find(name)) is not None
    }
    if not columns:
        message = f"{path} needs columns of blendshapes, such as browDownLeft."
        raise ExchangeError(message)
    clock = clock_of(sheet, _SECONDS, _FRAMES, _EITHER)
    rows = sheet.read(Wanted(clock.columns, tuple(columns.values())))
    times, notes = clock.seconds(rows.exact, rate_hz)
    told, values = arkit.to_channels(tuple(columns), rows.values)
    return Recording(time_s=times, channels=told, values=values, notes=(*rows.notes, *notes))


def write(take: Take, curves: Curves, path: Path, _rate_hz: float | None) -> None:
    """Writes one row for each frame; without a face its scores are empty. `_neutral` is 1 less the largest score.

    Raises:
        OutputError: The file cannot be written.
    """
    weights = arkit.to_shapes(curves.values, SCORES[1:])
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["frame", "timestamp_ms", *SCORES])
        for frame, (time_s, row) in enumerate(zip(curves.time_s, weights, strict=True), take.first_frame):
            seen = bool(np.isfinite(row).all())
            cells = [f"{value:.6f}" for value in (1.0 - row.max(), *row)] if seen else [""] * len(SCORES)
            writer.writerow([frame, f"{1000.0 * time_s:.3f}", *cells])
