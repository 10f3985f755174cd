"""Edits as JSON text, and back: strict, for the text may have passed through other hands."""

import json
from typing import Any, Final, cast

import numpy as np

from . import strict_json
from .edits import Edits, Fix, Override
from .errors import SettingsError

VERSION: Final = 1

_FIX: Final = ("channel", "time_s", "value", "blend_in_s", "blend_out_s")
_OVERRIDE: Final = ("channel", "from_s", "until_s", "time_s", "values")


def to_json(edits: Edits) -> str:
    """The edits as text."""
    document = {
        "version": VERSION,
        "fixes": [{name: getattr(fix, name) for name in _FIX} for fix in edits.fixes],
        "overrides": [
            {
                "channel": each.channel,
                "from_s": each.from_s,
                "until_s": each.until_s,
                "time_s": each.time_s.tolist(),
                "values": each.values.tolist(),
            }
            for each in edits.overrides
        ],
    }
    return json.dumps(document, separators=(",", ":"), allow_nan=False)


def from_json(text: str) -> Edits:
    """Reads what `to_json` wrote; an empty text means no edits.

    Raises:
        SettingsError: It is something else, of a newer version, or out of range.
    """
    if not text:
        return Edits()
    try:
        document = _fields(strict_json.parse(text), ("version", "fixes", "overrides"), "The edits")
        _check_version(document["version"])
        return Edits(
            tuple(_fix(each) for each in _list(document["fixes"], "fixes")),
            tuple(_override(each) for each in _list(document["overrides"], "overrides")),
        )
    except (strict_json.JsonError, SettingsError) as error:
        message = f"The edits of this take cannot be read: {error}. Remove all edits to go on without them."
        raise SettingsError(message) from error


def _check_version(version: object) -> None:
    if version != VERSION:
        message = f"they are of version {version}, and this AU Mocap knows {VERSION}: update it"
        raise strict_json.JsonError(message)


def _fix(part: object) -> Fix:
    fields = _fields(part, _FIX, "A fix")
    return Fix(_text(fields["channel"]), *(_number(fields[name], name) for name in _FIX[1:]))


def _override(part: object) -> Override:
    fields = _fields(part, _OVERRIDE, "A drawn stretch")
    times, values = (
        np.array([_number(each, name) for each in _list(fields[name], name)], np.float64) for name in _OVERRIDE[3:]
    )
    from_s, until_s = (_number(fields[name], name) for name in _OVERRIDE[1:3])
    return Override(_text(fields["channel"]), from_s, until_s, times, values)


def _fields(part: object, names: tuple[str, ...], what: str) -> dict[str, Any]:
    if not isinstance(part, dict) or set(cast(dict[str, Any], part)) != set(names):
        message = f"{what} must have the fields {', '.join(names)} and no others"
        raise strict_json.JsonError(message)
    return cast(dict[str, Any], part)


def _list(part: object, name: str) -> list[object]:
    if not isinstance(part, list):
        message = f"'{name}' must be a list"
        raise strict_json.JsonError(message)
    return cast(list[object], part)


def _text(part: object) -> str:
    if not isinstance(part, str):
        message = "a channel must be named by its id"
        raise strict_json.JsonError(message)
    return part


def _number(part: object, name: str) -> float:
    if isinstance(part, bool) or not isinstance(part, int | float):
        message = f"'{name}' must be numbers"
        raise strict_json.JsonError(message)
    try:
        return float(part)
    except OverflowError as error:
        message = f"a number of '{name}' is too large"
        raise strict_json.JsonError(message) from error
