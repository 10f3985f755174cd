"""The formats that are known, by name and by what a file holds."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from .. import take as takes
from ..calibration import Curves
from ..errors import ExchangeError
from ..take import Take
from . import (
    face_cap,
    ifacialmocap,
    live_link_face,
    mediapipe_json,
    mediapipe_table,
    openface,
    own_json,
    tables,
)
from .recording import Imported, Recording, to_take
from .sheet import Head, look, names_in
from .timing import check_rate


@dataclass(frozen=True, slots=True)
class Format:
    """A form of file.

    Attributes:
        name: What it is called in commands.
        label: What people call it.
        suffix: Ending of its files, with the dot.
        fits: Whether the beginning of a file is of this form.
        read: Reads a file; frames a second where it does not tell, or None.
        write: Writes a take's curves; frames a second where the form needs a rate, or None.
    """

    name: str
    label: str
    suffix: str
    fits: Callable[[Head], bool]
    read: Callable[[Path, float | None], Recording]
    write: Callable[[Take, Curves, Path, float | None], None]


def _in_names(fits: Callable[[tuple[str, ...]], bool]) -> Callable[[Head], bool]:
    return lambda head: not _is_json(head) and fits(names_in(head.text))


def _in_text(fits: Callable[[str], bool]) -> Callable[[Head], bool]:
    return lambda head: not _is_json(head) and fits(head.text)


def _in_json(fits: Callable[[str], bool]) -> Callable[[Head], bool]:
    return lambda head: _is_json(head) and fits(head.text)


def _is_json(head: Head) -> bool:
    return head.text.lstrip("\ufeff \t\r\n")[:1] in ("{", "[")


TABLE: Final = Format("table", "AU Mocap Table", ".csv", _in_names(tables.fits), tables.read, tables.write)
JSON: Final = Format("json", "AU Mocap JSON", ".json", _in_json(own_json.fits_text), own_json.read, own_json.write)

FORMATS: Final = (
    JSON,
    Format(
        "mediapipe-json",
        "MediaPipe JSON",
        ".json",
        _in_json(mediapipe_json.fits_text),
        mediapipe_json.read,
        mediapipe_json.write,
    ),
    Format(
        "ifacialmocap",
        "iFacialMocap Text",
        ".txt",
        _in_text(ifacialmocap.fits),
        ifacialmocap.read,
        ifacialmocap.write,
    ),
    Format("face-cap", "Face Cap Text", ".txt", _in_text(face_cap.fits), face_cap.read, face_cap.write),
    Format(
        "live-link-face",
        "Live Link Face",
        ".csv",
        _in_names(live_link_face.fits),
        live_link_face.read,
        live_link_face.write,
    ),
    Format("openface", "OpenFace", ".csv", _in_names(openface.fits), openface.read, openface.write),
    TABLE,
    Format(
        "mediapipe-table",
        "MediaPipe or ARKit Table",
        ".csv",
        _in_names(mediapipe_table.fits),
        mediapipe_table.read,
        mediapipe_table.write,
    ),
)
"""Every format; the first that fits a file is taken."""

NAMES: Final = tuple(each.name for each in FORMATS)


def by_name(name: str) -> Format:
    """The format of that name; raises ExchangeError that names the choices."""
    for each in FORMATS:
        if each.name == name:
            return each
    message = f"There is no format '{name}'. Choose one of: {', '.join(NAMES)}."
    raise ExchangeError(message)


def detect(path: Path) -> Format:
    """The format of a file, by what it holds.

    Raises:
        ExchangeError: It is of no known form, or cannot be read.
    """
    head = look(path)
    for each in FORMATS:
        if head.text and each.fits(head):
            return each
    if path.name.endswith(takes.SUFFIX):
        message = f"{path} is a take: open it as one, there is nothing to import."
        raise ExchangeError(message)
    message = (
        f"{path} is in none of the formats that are known ({', '.join(NAMES)}): a table must name its columns in its "
        "first line."
    )
    raise ExchangeError(message)


def read(path: Path, name: str | None = None, rate_hz: float | None = None) -> Imported:
    """Reads a file of another program as a take.

    Args:
        path: The file.
        name: Its format; None to tell by what it holds.
        rate_hz: Frames a second, where the file does not say.

    Raises:
        ExchangeError: It is missing, of another form or damaged; the message says what to do.
    """
    try:
        check_rate(rate_hz)
    except ExchangeError as error:
        message = f"{path}: {error}"
        raise ExchangeError(message) from error
    form = detect(path) if name is None else by_name(name)
    return to_take(form.read(path, rate_hz), path, form.name)


def write(take: Take, curves: Curves, path: Path, name: str, rate_hz: float | None = None) -> None:
    """Writes a take's curves for another program.

    Args:
        take: The take.
        curves: Its curves.
        path: The file.
        name: The format.
        rate_hz: Frames a second, where the format has no times of its own; None for its usual rate.

    Raises:
        ExchangeError: Unknown format, a rate that it does not know, or there is no face to write of.
        OutputError: The file cannot be written.
    """
    check_rate(rate_hz)
    form = by_name(name)
    if not np.isfinite(curves.values).all(axis=1).any():
        message = "The take holds no frame with a face: there is nothing to write."
        raise ExchangeError(message)
    form.write(take, curves, path, rate_hz)


def stored_name(path: Path) -> str:
    """What the take of a recording is called: the recording's name with the ending of takes."""
    return f"{path.stem or path.name}{takes.SUFFIX}"
