"""JSON files. Of what others made, what is large, ambiguous or not JSON at all is refused before it is used."""

import json
from pathlib import Path
from reprlib import repr as shortened
from typing import Any, NoReturn

from .errors import AuMocapError
from .files import is_file, replacing


class JsonError(AuMocapError):
    """Something that is not read as JSON; the message says why, without the file's name."""


def read(path: Path, most_bytes: int) -> object:
    """Reads a JSON file.

    Args:
        path: The file.
        most_bytes: Larger files are refused without being parsed.

    Raises:
        JsonError: It is too large, not UTF-8, not JSON or nested too deeply, names a field twice in one object, or
            holds NaN or infinity, which JSON does not have.
        OSError: It cannot be read, or is no ordinary file.
    """
    if not is_file(path):
        message = "no ordinary file"
        raise FileNotFoundError(message)
    with path.open("rb") as file:
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        message = f"it is larger than {most_bytes / 1_000_000:g} MB"
        raise JsonError(message)
    try:
        text = content.decode("utf-8-sig")  # Windows editors put a mark in front
    except UnicodeDecodeError as error:
        message = f"its text is not UTF-8 (byte {error.start}): save it as UTF-8"
        raise JsonError(message) from error
    return parse(text)


def parse(text: str) -> object:
    """Reads JSON text.

    Raises:
        JsonError: It is not JSON or nested too deeply, names a field twice in one object, or holds NaN or infinity.
    """
    try:
        return json.loads(text, object_pairs_hook=_fields, parse_constant=_refuse_constant)
    except RecursionError as error:
        message = "it is nested too deeply"
        raise JsonError(message) from error
    except ValueError as error:
        raise JsonError(str(error)) from error


def write(document: object, path: Path, indent: int | None = 1) -> None:
    """Writes a JSON file for people, which takes an earlier one's place when it is whole.

    Raises:
        OutputError: It cannot be written.
        ValueError: The document holds NaN or infinity.
    """
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=indent)
    try:
        content = text.encode()
    except UnicodeEncodeError:  # a file's name may hold bytes that are no letters: these are kept as escapes
        content = json.dumps(document, allow_nan=False, indent=indent).encode()
    with replacing(path) as temporary:
        temporary.write_bytes(content + b"\n")


def _fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for key, value in pairs:
        if key in fields:
            message = f"field {shortened(key)} is there twice in one object"
            raise JsonError(message)
        fields[key] = value
    return fields


def _refuse_constant(name: str) -> NoReturn:
    message = f"{name} is not a finite number"
    raise JsonError(message)
