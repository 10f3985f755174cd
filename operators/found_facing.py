"""Which way a character was found to face, in words for its panel."""

import time
from typing import ClassVar

import bpy

from ..au_mocap.errors import AuMocapError

_FRESH_S = 5.0


class _Cache:
    """A panel is drawn many times a second."""

    key: ClassVar[tuple[str, int]] = ("", 0)
    until_s: ClassVar[float] = 0.0
    text: ClassVar[str] = ""


def for_drawing(chosen: bpy.types.Object) -> str:
    """`described`, at most five seconds old."""
    key, now_s = (chosen.name, chosen.session_uid), time.monotonic()
    if key != _Cache.key or now_s > _Cache.until_s:
        _Cache.text = described(chosen)
        _Cache.key, _Cache.until_s = key, time.monotonic() + _FRESH_S
    return _Cache.text


def described(chosen: bpy.types.Object) -> str:
    """Such as `Found: -Y` and, on a second line, `by eye bones, feet`."""
    import numpy as np

    from . import facing, scene

    try:
        found = facing.facing_of(scene.find_character(chosen))
    except AuMocapError as error:
        return str(error)
    axis = int(np.argmax(np.abs(found.forward)))
    name = f"{'+' if found.forward[axis] > 0.0 else '-'}{'XYZ'[axis]}"
    away_deg = float(np.degrees(np.arccos(min(abs(float(found.forward[axis])), 1.0))))
    where = name if away_deg < 1.0 else f"{away_deg:.0f}° beside {name}"
    if not found.found_by:
        return f"Nothing tells: {where}"
    return f"Found: {where}\nby {', '.join(found.found_by)}"
