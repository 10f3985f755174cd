"""What a character's lids and lips do at rest, as sentences for the panel."""

import time
from typing import ClassVar, Final

import bpy

from . import bundle, scene

_FRESH_S: Final = 1.0
_NOTHING: Final = "No lids or lips were found that the table's shape keys close"


class _Cache:
    """A panel is drawn many times a second."""

    key: ClassVar[tuple[str, int]] = ("", 0)
    until_s: ClassVar[float] = 0.0
    notes: ClassVar[tuple[str, ...]] = ()


def of(chosen: bpy.types.Object) -> tuple[str, ...]:
    """What was measured on a character, one sentence each.

    Raises:
        AuMocapError: The object is no character, its table holds what cannot be, or the engine is missing.
    """
    with bundle.needed():
        from . import resting, rows
    return resting.fit(scene.find_character(chosen), rows.table_of(chosen.aumocap)).notes or (_NOTHING,)


def for_drawing(chosen: bpy.types.Object) -> tuple[str, ...]:
    """`of`, at most a second old."""
    key, now_s = (chosen.name, chosen.session_uid), time.monotonic()
    if key != _Cache.key or now_s > _Cache.until_s:
        _Cache.key, _Cache.until_s, _Cache.notes = key, now_s + _FRESH_S, of(chosen)
    return _Cache.notes
