"""Blinks that were listed by eye: `clip,start_frame,peak_frame,end_frame`, frames from 0, the end included.

A column `full` may say 0 of blinks that do not close the eyes altogether; others, such as notes, are not looked at.
"""

import csv
from pathlib import Path
from typing import Final

from ..metrics import Blink
from .clips import DatasetError
from .numbers import lines_of

_COLUMNS: Final = ("start_frame", "peak_frame", "end_frame")


def read_blinks(path: Path) -> dict[str, tuple[Blink, ...]]:
    """Reads the blinks of each clip, in order of time.

    Raises:
        DatasetError: The file cannot be read or a line is not of that form.
    """
    reader = csv.DictReader(lines_of(path))
    lacking = [name for name in ("clip", *_COLUMNS) if name not in (reader.fieldnames or ())]
    if lacking:
        message = f"{path} lacks the column {lacking[0]}: its heading is clip,{','.join(_COLUMNS)}."
        raise DatasetError(message)
    found: dict[str, list[Blink]] = {}
    for cells in reader:
        try:
            start, peak, end = (int(cells[name]) for name in _COLUMNS)
        except (ValueError, TypeError) as error:
            message = f"{path}, line {reader.line_num}: write whole numbers as frames."
            raise DatasetError(message) from error
        if not 0 <= start <= peak <= end:
            message = f"{path}, line {reader.line_num}: a blink starts at or before its peak and ends at or after it."
            raise DatasetError(message)
        found.setdefault(cells["clip"], []).append(Blink(start, peak, end, cells.get("full") != "0"))
    return {clip: tuple(sorted(blinks, key=lambda blink: blink.start)) for clip, blinks in found.items()}
