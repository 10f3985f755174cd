"""Tables of labels: `frame,time_s,key,<channels…>`, a row per labelled frame, empty cells for what is not labelled."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from reprlib import repr as shortened
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .. import channels
from ..errors import AnnotationError
from ..files import is_file, replacing
from .labels import DECIMALS, Labels, rounded

LEADING: Final = ("frame", "time_s", "key")
MOST_FRAMES: Final = 200_000
"""Labelled frames of one clip: more than anybody labels by hand."""

_MOST_BYTES: Final = 80_000_000
_HIGHEST_FRAME: Final = 100_000_000
_LONGEST_CELL: Final = 40
_STEPS: Final = 10**DECIMALS
_TEXTS: Final = tuple(f"{step / _STEPS:.{DECIMALS}f}" for step in range(_STEPS + 1))
_NUMBERS: Final = {"": float("nan"), **{text: step / _STEPS for step, text in enumerate(_TEXTS)}}
"""What a cell as it is written stands for: looking it up takes a third of the time that reading it takes."""


@dataclass(frozen=True, slots=True)
class _Form:
    """What a table is to hold.

    Attributes:
        path: The file, for messages.
        columns: The channels, until the heading has been read; then all of its columns in order.
        frames: How many frames the clip has, None where that does not matter.
        is_journal: Whether a frame may stand there more than once.
    """

    path: Path
    columns: tuple[str, ...]
    frames: int | None
    is_journal: bool = False


def write_labels(labels: Labels, channel_ids: Sequence[str], path: Path) -> None:
    """Writes labels, replacing an earlier table only when all is written. Frames of which nothing is said are left out.

    Args:
        labels: The labels.
        channel_ids: The channels that get a column.
        path: The file.

    Raises:
        AnnotationError: A channel without a column is labelled.
        OutputError: The file cannot be written.
    """
    columns = [channels.INDEX[channel_id] for channel_id in channel_ids]
    said_of: list[bool] = labels.known.any(axis=0).tolist()
    lost = [channels.IDS[k] for k, is_said in enumerate(said_of) if is_said and k not in columns]
    if lost:
        message = f"Labels of {', '.join(lost[:4])} have no column in {path}: add these channels to the annotation."
        raise AnnotationError(message)
    said = labels.without_empty()
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow((*LEADING, *channel_ids))
        table = said.values[:, columns].tolist()
        rows = zip(said.frames.tolist(), said.time_s.tolist(), said.key.tolist(), table, strict=True)
        writer.writerows(row_of(frame, time_s, values, is_key=key) for frame, time_s, key, values in rows)


def row_of(frame: int, time_s: float, values: Sequence[float], *, is_key: bool) -> list[str]:
    """The cells of one frame; NaN is an empty one."""
    cells = ("" if value != value else _TEXTS[round(value * _STEPS)] for value in values)
    return [str(frame), f"{time_s:.6f}", "1" if is_key else "0", *cells]


def read_labels(path: Path, channel_ids: Sequence[str], frames: int | None = None) -> Labels:
    """Reads a table of labels. Further decimals are rounded; rows in which nothing is labelled are left out.

    Args:
        path: The file.
        channel_ids: The channels that have a column, in any order.
        frames: How many frames the clip has; None leaves that open.

    Raises:
        AnnotationError: It cannot be read or has another form; the message names line and column.
    """
    form, rows = _parsed(text_of(path), _Form(path, tuple(channel_ids), frames))
    return _arranged(form, [row for row in rows if any(value == value for value in row[3])])


def read_changes(text: str, path: Path, channel_ids: Sequence[str], frames: int | None = None) -> Labels:
    """Reads a journal's text: a later line replaces an earlier one of its frame, and a line may take all labels away.

    Args:
        text: Whole lines in the form of a table.
        path: The file, for messages.
        channel_ids: As for `read_labels`.
        frames: As for `read_labels`.

    Returns:
        The last line of each frame; NaN throughout where it takes the labels away.

    Raises:
        AnnotationError: As `read_labels`.
    """
    form, rows = _parsed(text, _Form(path, tuple(channel_ids), frames, is_journal=True))
    return _arranged(form, list({row[0]: row for row in rows}.values()))


def _parsed(text: str, form: _Form) -> tuple[_Form, "list[_Row]"]:
    """The form with the file's own order of columns, and its rows."""
    lines = text.splitlines()
    if len(lines) > MOST_FRAMES + 1:
        message = (
            f"{form.path} has {len(lines):,} lines: at most {MOST_FRAMES:,} frames of one clip can be labelled. "
            "Split the clip."
        )
        raise AnnotationError(message)
    reader = csv.reader(lines)
    try:
        heading: list[str] = next(reader, list[str]())
        form = replace(form, columns=_columns(form.path, heading, form.columns))
        return form, _rows(form, ((reader.line_num, cells) for cells in reader))
    except csv.Error as error:
        message = f"{form.path}, line {reader.line_num}: {error}. Save the table as CSV again."
        raise AnnotationError(message) from error


def text_of(path: Path, most_bytes: int = _MOST_BYTES) -> str:
    """The text of a file.

    Raises:
        AnnotationError: It is not there, too large or no UTF-8.
    """
    if not is_file(path):
        message = f"There is no file {path}."
        raise AnnotationError(message)
    try:
        with path.open("rb") as file:
            content = file.read(most_bytes + 1)
    except OSError as error:
        message = f"{path} cannot be read ({error.strerror}): check that you may read it."
        raise AnnotationError(message) from error
    if len(content) > most_bytes:
        message = f"{path} is larger than {most_bytes // 1_000_000} MB: it is no table of one clip's labels."
        raise AnnotationError(message)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"{path} is not UTF-8 text (byte {error.start}): save it as CSV in UTF-8."
        raise AnnotationError(message) from error


def _columns(path: Path, heading: list[str], channel_ids: Sequence[str]) -> tuple[str, ...]:
    columns = tuple(name.strip() for name in heading)
    if len(columns) == 1 and (";" in columns[0] or "\t" in columns[0]):
        message = f"{path} does not part its columns with commas: save it as CSV with commas and decimal points."
        raise AnnotationError(message)
    wanted = (*LEADING, *channel_ids)
    problems = (
        ("lacks", [name for name in wanted if name not in columns], "put it back, empty where nothing is labelled"),
        ("has twice", sorted({name for name in columns if columns.count(name) > 1}), "remove one of the two"),
        ("has as well", [name for name in columns if name not in wanted], "remove it, or name it in annotation.json"),
    )
    for what, names, advice in problems:
        if names:
            shown = ", ".join(shortened(name) for name in names[:4])
            message = f"{path}, line 1 {what} the column {shown}: {advice}."
            raise AnnotationError(message)
    return columns


_Row = tuple[int, float, bool, list[float], int]
"""Frame, time, key, values in the order of the file's columns, line."""


def _rows(form: _Form, lines: Iterable[tuple[int, list[str]]]) -> list[_Row]:
    place = {name: column for column, name in enumerate(form.columns)}
    leading = [place[name] for name in LEADING]
    told = [column for column, name in enumerate(form.columns) if name not in LEADING]
    rows: list[_Row] = []
    seen: dict[int, int] = {}
    for line, cells in lines:
        if not any(cells):
            continue
        if len(cells) != len(form.columns):
            message = (
                f"{form.path}, line {line} has {len(cells)} cells for {len(form.columns)} columns: write decimals with "
                "a point, and leave cells empty where nothing is labelled."
            )
            raise AnnotationError(message)
        frame, time_s, key = (_leading(form, cells[column], column, line) for column in leading)
        if frame in seen and not form.is_journal:
            message = (
                f"{form.path}, line {line}: frame {frame:.0f} stands in line {seen[int(frame)]} already: keep one."
            )
            raise AnnotationError(message)
        seen[int(frame)] = line
        values = [_value(form, cells[column], column, line) for column in told]
        rows.append((int(frame), time_s, bool(key), values, line))
    return rows


def _number(cell: str) -> float:
    """A plain number; NaN where the cell holds anything else."""
    if len(cell) > _LONGEST_CELL or not cell.isascii() or "_" in cell:
        return float("nan")
    try:
        return float(cell)
    except ValueError:
        return float("nan")


def _leading(form: _Form, cell: str, column: int, line: int) -> float:
    name = form.columns[column]
    number = _number(cell)
    fits, wanted = (
        {
            "frame": (0 <= number < _HIGHEST_FRAME and number == int(number), "a whole number, counted from 0"),
            "time_s": (0 <= number < _HIGHEST_FRAME, "seconds, such as 1.25"),
            "key": (number in (0.0, 1.0), "1 where a person set the values, 0 where they were interpolated"),
        }[name]
        if number == number
        else (False, "a number")
    )
    if not fits:
        message = f"{form.path}, line {line}, column {name}: {shortened(cell)} is not {wanted}."
        raise AnnotationError(message)
    if name == "frame" and form.frames is not None and number >= form.frames:
        message = (
            f"{form.path}, line {line}: frame {number:.0f} lies behind the end of the clip, whose last is "
            f"{form.frames - 1}. Do these labels belong to this clip?"
        )
        raise AnnotationError(message)
    return number


def _value(form: _Form, cell: str, column: int, line: int) -> float:
    known = _NUMBERS.get(cell)
    if known is not None:
        return known
    if cell.isspace():
        return float("nan")
    number = _number(cell)
    if 0.0 <= number <= 1.0:
        return number
    advice = "write decimals with a point" if "," in cell else "write 0.00 to 1.00, or nothing where not labelled"
    message = f"{form.path}, line {line}, column {form.columns[column]}: {shortened(cell)} is no label: {advice}."
    raise AnnotationError(message)


def _arranged(form: _Form, rows: list[_Row]) -> Labels:
    """Rows in the order of their frames, as labels."""
    told = [channels.INDEX[name] for name in form.columns if name not in LEADING]
    rows = sorted(rows, key=lambda row: row[0])
    values = np.full((len(rows), len(channels.IDS)), np.nan, np.float32)
    if rows:
        values[:, told] = rounded(np.array([row[3] for row in rows], np.float64))
    time_s: NDArray[np.float64] = np.array([row[1] for row in rows], np.float64)
    backwards = np.flatnonzero(np.diff(time_s) <= 0)
    if backwards.size:
        frame, line = rows[int(backwards[0]) + 1][0], rows[int(backwards[0]) + 1][4]
        message = f"{form.path}, line {line}: the time of frame {frame} is not later than that of the frame before it."
        raise AnnotationError(message)
    frames = np.array([row[0] for row in rows], np.int64)
    return Labels(frames, time_s, np.array([row[2] for row in rows], np.bool_), values)
