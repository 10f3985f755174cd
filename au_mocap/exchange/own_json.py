"""The project's curves as JSON, for programs that would rather not read a table.

    {"format": "au_mocap.curves", "version": 1, "source": NAME, "first_frame": 0,
     "channels": [58 ids], "time_s": [T], "found": [T], "confidence": [T],
     "values": [T rows of 58], "head_rotation": [T rows w, x, y, z], "head_position": [T rows in metres]}

A row is null where it is not known. Head pose as in a take.
"""

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .. import channels
from ..arrays import Floats
from ..calibration import Curves
from ..errors import ExchangeError
from ..files import replacing
from ..take import Take
from . import json_data
from .recording import Recording

FORMAT: Final = "au_mocap.curves"
VERSION: Final = 1


def fits(content: object) -> bool:
    """Whether JSON data is such a file."""
    fields = json_data.as_dict(content)
    return fields is not None and fields.get("format") == FORMAT


def fits_text(text: str) -> bool:
    """Whether the beginning of a file looks like one."""
    return f'"{FORMAT}"' in text


def read(path: Path, _rate_hz: float | None) -> Recording:
    """Reads a file.

    Raises:
        ExchangeError: It is no such file, or of a newer version.
    """
    content = json_data.read(path)
    fields = json_data.as_dict(content)
    if fields is None or not fits(content):
        message = f'{path} is no file of curves ("format": "{FORMAT}").'
        raise ExchangeError(message)
    version = fields.get("version")
    if version != VERSION:
        message = f"{path} was made by a newer AU Mocap (curves version {version}): update to read it."
        raise ExchangeError(message)
    told = _told(fields, path)
    time_s = np.array([json_data.as_number(each) for each in json_data.as_list(fields.get("time_s")) or []])
    values = _rows(fields, "values", len(told), len(time_s), path)
    if values is None:
        message = f"{path} has no values."
        raise ExchangeError(message)
    found = json_data.as_list(fields.get("found"))
    confidence = json_data.as_list(fields.get("confidence"))
    for name, given in (("found", found), ("confidence", confidence)):
        if given is not None and len(given) != len(time_s):
            _refuse(path, name)
    first = fields.get("first_frame", 0)
    predicted = [place for place, channel_id in enumerate(told) if channel_id in channels.PREDICTED_IDS]
    return Recording(
        time_s=time_s,
        channels=tuple(told[place] for place in predicted),
        values=values[:, predicted].astype(np.float32),
        found=None if found is None else np.array([each is True for each in found]),
        confidence=None if confidence is None else np.array([json_data.as_number(each) for each in confidence]),
        rotation=_rows(fields, "head_rotation", 4, len(time_s), path),
        position=_rows(fields, "head_position", 3, len(time_s), path),
        first_frame=first if isinstance(first, int) and not isinstance(first, bool) and first >= 0 else 0,
    )


def _told(fields: dict[str, Any], path: Path) -> tuple[str, ...]:
    given = json_data.as_list(fields.get("channels")) or []
    told = tuple(each for each in given if isinstance(each, str) and each in channels.INDEX)
    if not told or len(told) < len(given) or len(set(told)) < len(told):
        message = f"{path} must name its channels, each once and as in the channel table, such as {channels.IDS[0]}."
        raise ExchangeError(message)
    return told


def _rows(fields: dict[str, Any], name: str, width: int, count: int, path: Path) -> NDArray[np.float64] | None:
    if fields.get(name) is None:
        return None
    table = json_data.rows(fields[name], width, count)
    if table is None:
        _refuse(path, name)
    return table


def _refuse(path: Path, name: str) -> None:
    message = f'{path}: "{name}" does not fit "time_s" and "channels". Export the curves again.'
    raise ExchangeError(message)


def write(take: Take, curves: Curves, path: Path, _rate_hz: float | None) -> None:
    """Writes the curves with the frames' own times.

    Raises:
        OutputError: The file cannot be written.
    """
    content = {
        "format": FORMAT,
        "version": VERSION,
        "source": str(take.meta.get("source", {}).get("name", "")),
        "first_frame": take.first_frame,
        "channels": list(channels.IDS),
        "time_s": [round(float(each), 6) for each in curves.time_s],
        "found": take.found.tolist(),
        "confidence": [round(float(each), 5) for each in take.confidence],
        "values": _listed(curves.values, 5),
        "head_rotation": _listed(curves.head_rotation, 6),
        "head_position": _listed(curves.head_position, 5),
    }
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        json.dump(content, file, ensure_ascii=True, allow_nan=False)
        file.write("\n")


def _listed(table: Floats, digits: int) -> list[list[float] | None]:
    known = np.isfinite(table).all(axis=1)
    rounded = np.round(np.asarray(table, np.float64), digits).tolist()
    return [row if is_known else None for row, is_known in zip(rounded, known, strict=True)]
