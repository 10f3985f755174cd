"""Changes of a coder's labels, written one by one as they are made, so that nothing is lost when a program ends.

`coders/NAME.journal` has the columns of `coders/NAME.csv`; each line takes the place of what was said of its frame
before, and a line without values takes its labels away. Writing the table anew removes the journal. A last line without
an end was cut off while it was written and does not count.
"""

import contextlib
import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from .. import channels
from ..errors import AnnotationError, OutputError
from ..files import is_file
from .editing import Rows
from .labels import Labels
from .table import LEADING, read_changes, row_of, text_of

SUFFIX: Final = ".journal"


def path_of(table: Path) -> Path:
    """The journal of a coder's table."""
    return table.with_suffix(SUFFIX)


class Journal:
    """A coder's journal, open for writing."""

    def __init__(self, table: Path, channel_ids: Sequence[str]) -> None:
        """Names the table whose journal it is; the file is made with the first change."""
        self._path = path_of(table)
        self._ids = tuple(channel_ids)
        self._columns = [channels.INDEX[channel_id] for channel_id in channel_ids]

    def add(self, rows: Rows, time_s: Sequence[float]) -> None:
        """Writes changed rows; they are in the system's hands when this returns.

        Args:
            rows: By frame.
            time_s: Times of those frames, in their order.

        Raises:
            OutputError: The system refuses.
        """
        if not rows:
            return
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        size = self._path.stat().st_size if is_file(self._path) else 0
        if not size:
            writer.writerow((*LEADING, *self._ids))
        for (frame, row), time in zip(rows.items(), time_s, strict=True):
            values = [float("nan")] * len(self._columns) if row is None else row.values[self._columns].tolist()
            writer.writerow(row_of(frame, time, values, is_key=row is not None and row.key))
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", newline="", encoding="utf-8") as file:
                file.write(text.getvalue())
        except OSError as error:
            with contextlib.suppress(OSError):  # half a line would spoil the next one
                os.truncate(self._path, size)
            message = f"Cannot write {self._path} ({error.strerror or error}): your last change is not on the disk."
            raise OutputError(message) from error


def remove(table: Path) -> None:
    """Removes the journal of a table that holds all of it."""
    with contextlib.suppress(OSError):
        path_of(table).unlink()


def applied(labels: Labels, table: Path, channel_ids: Sequence[str], frames: int | None = None) -> Labels:
    """Labels with what the table's journal says; without one they stay as they are.

    Args:
        labels: What the table holds.
        table: Its path.
        channel_ids: The channels that have a column.
        frames: How many frames the clip has.

    Raises:
        AnnotationError: The journal has another form.
    """
    path = path_of(table)
    if not is_file(path):
        return labels
    text = text_of(path)
    whole = text[: text.rfind("\n") + 1]
    changed = read_changes(whole, path, channel_ids, frames) if whole else Labels.empty()
    if not len(changed):
        return labels
    stays = ~np.isin(labels.frames, changed.frames)
    parts = [
        np.concatenate([getattr(labels, name)[stays], getattr(changed, name)])
        for name in ("frames", "time_s", "key", "values")
    ]
    order = np.argsort(parts[0], kind="stable")
    try:
        return Labels(*(part[order] for part in parts)).without_empty()
    except AnnotationError as error:
        message = f"{path} does not fit {table.name}: {error}"
        raise AnnotationError(message) from error
