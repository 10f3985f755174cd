"""Presets as a character sees them: which fit it, with its own names, and moved bones in its own size."""

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import bpy

from ..au_mocap.errors import AuMocapError
from . import scene, table

if TYPE_CHECKING:
    from ..au_mocap.fitting import Controls, Fitted
    from ..au_mocap.mapping import Mapping, Row

HUMAN_EYES_M: Final = 0.063
"""Distance between the eyes of the human for whom bundled presets count in metres."""
_HUMAN_HEAD_M: Final = 0.2
"""The same person's head bone, neck to crown, for rigs without eye bones."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the presets menu.

    Attributes:
        name: The file's name without its ending.
        title: The name inside the file, or the file's own where that cannot be read.
        fits: Whether the character has most of its targets.
    """

    name: str
    title: str
    fits: bool


def entries(chosen: bpy.types.Object) -> tuple[Entry, ...]:
    """All presets, those that fit the character first and the widest of them on top."""
    members = table.members_for_drawing(chosen)
    return _entries(members, tuple((name, *_stamp(name)) for name in table.preset_names()))


@lru_cache(maxsize=8)
def _entries(members: "table.Members", files: tuple[tuple[str, Path, int, int], ...]) -> tuple[Entry, ...]:
    """Kept until the character or a file changes: a menu is drawn whenever the mouse moves."""
    from ..au_mocap import fitting, mapping

    controls = controls_of(members)
    found: list[tuple[bool, int, Entry]] = []
    for name, path, _, _ in files:
        try:
            fitted = fitting.fit(mapping.load(path), controls)
        except AuMocapError:
            found.append((True, 0, Entry(name, name, fits=False)))
            continue
        fits = fitted.share >= fitting.FITS
        covered = len(fitted.covered) if fits else 0
        found.append((not fits, -covered, Entry(name, fitted.mapping.name, fits)))
    return tuple(entry for _, _, entry in sorted(found, key=lambda each: (*each[:2], each[2].title.lower())))


def _stamp(name: str) -> tuple[Path, int, int]:
    """The file of a preset, with what changes when it is written."""
    for folder in table.preset_folders():
        path = folder / f"{name}.json"
        try:
            state = path.stat()
        except OSError:
            continue
        return path, state.st_mtime_ns, state.st_size
    return Path(f"{name}.json"), 0, 0


def load(source: str | Path, chosen: bpy.types.Object) -> "Fitted":
    """A preset for a character: in the character's own names and, where it is a bundled one, in its size.

    Args:
        source: Name of a preset, or path of a file, which is taken as it is.
        chosen: The character.

    Raises:
        MappingError: There is no such preset, or it is malformed.
    """
    from ..au_mocap import fitting, mapping

    loaded = mapping.load(source, table.preset_folders())
    if source not in table.preset_names():
        return fitting.Fitted(loaded, (fitting.UNKNOWN,) * len(loaded.rows))
    fitted = fitting.fit(loaded, controls_of(table.members(chosen)))
    own = source in table.own_preset_names()  # saved from a character, in whose size it already is
    return fitted if own else replace(fitted, mapping=in_size(fitted.mapping, size(chosen)))


def matched(chosen: bpy.types.Object, used: tuple[str, ...] = ()) -> "Fitted":
    """The table that a character's names suggest; see `fitting.by_name`. The user's own presets come before equal ones.

    Raises:
        AuMocapError: The names contradict each other.
    """
    from ..au_mocap import fitting, mapping

    presets: list[Mapping] = []
    own, factor = table.own_preset_names(), size(chosen)
    for name in (*own, *(name for name in table.preset_names() if name not in own)):
        try:
            loaded = mapping.load(name, table.preset_folders())
        except AuMocapError:
            continue  # one broken file must not hide the others
        presets.append(loaded if name in own else in_size(loaded, factor))
    return fitting.by_name(presets, controls_of(table.members(chosen)), used)


def controls_of(members: "table.Members") -> "Controls":
    """What a character has, as the engine wants it."""
    from ..au_mocap.fitting import Controls

    return Controls(members.shape_keys, frozenset(members.bones), frozenset(members.properties))


def missing(loaded: "Mapping", chosen: bpy.types.Object) -> list[str]:
    """Names of shape keys and bones that a mapping wants and the character lacks."""
    from ..au_mocap.mapping import BoneTarget, ShapeKeyTarget

    members = table.members(chosen)
    keys, bones = set(members.shape_keys), set(members.bones)
    wanted: dict[str, bool] = {}
    for row in loaded.rows:
        if row.enabled and isinstance(row.target, ShapeKeyTarget):
            wanted[row.target.name] = row.target.name in keys
        elif row.enabled and isinstance(row.target, BoneTarget):
            wanted[row.target.bone] = row.target.bone in bones
    return [name for name, is_there in wanted.items() if not is_there]


def in_size(loaded: "Mapping", factor: float) -> "Mapping":
    """A mapping for a human on a larger or smaller head: bones move as much farther or less far.

    Args:
        loaded: The mapping; only rows that move bones change.
        factor: What `size` tells of the character.
    """
    from ..au_mocap.mapping import BoneTarget

    def scaled(row: "Row") -> "Row":
        if not isinstance(row.target, BoneTarget) or row.target.path != "location":
            return row
        numbers = {name: getattr(row, name) * factor for name in ("gain", "offset", "min", "max")}
        return replace(row, **numbers)

    return replace(loaded, rows=tuple(map(scaled, loaded.rows)))


def size(chosen: bpy.types.Object) -> float:
    """How many times larger than a human's a character's head is, in units of its armature.

    Told by the distance of its eye bones, or by the length of its head bone; 1 where it has neither.
    """
    try:
        found = scene.find_character(chosen)
    except AuMocapError:
        return 1.0
    if found.armature is None:
        return 1.0
    bones = found.armature.data.bones
    left, right = (bones.get(name or "") for name in found.eyes)
    head = bones.get(found.head or "")
    if left is not None and right is not None:
        factor = (left.head_local - right.head_local).length / HUMAN_EYES_M
    else:
        factor = head.length / _HUMAN_HEAD_M if head is not None else 1.0
    return factor if math.isfinite(factor) and factor > 0.0 else 1.0
