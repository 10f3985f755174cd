"""Drivers in the way of keys: muted for a bake where the artist wants that, and given back."""

import json
from collections.abc import Iterable
from typing import Final

import bpy

MUTED: Final = "au_mocap_muted"
"""Custom property of a data-block: the drivers that a bake has muted, as JSON."""


def find(owner: bpy.types.ID, data_path: str, index: int) -> bpy.types.FCurve | None:
    """The driver that decides a value; None where there is none or it is muted."""
    data = owner.animation_data
    for driver in data.drivers if data is not None else ():
        if (driver.data_path, driver.array_index) == (data_path, index) and not driver.mute:
            return driver
    return None


def obstacle(owner: bpy.types.ID, data_path: str, index: int, driven: str) -> str:
    """Why a value's driver keeps it from being keyed; empty where none does.

    Args:
        owner: The data-block.
        data_path: Path from it.
        index: Index in an array property, else 0.
        driven: What happens to drivers: see `BakeSettings`.
    """
    if find(owner, data_path, index) is None:
        return ""
    if owner.override_library is not None and driven == "mute":
        return "has a driver, which can be muted only in the library's own file"
    return "has a driver" if driven == "skip" else ""


def mute(owner: bpy.types.ID, places: Iterable[tuple[str, int]]) -> int:
    """Mute drivers and remember them with their data-block; returns how many."""
    found = [driver for path, index in places if (driver := find(owner, path, index)) is not None]
    for driver in found:
        driver.mute = True
    if found:
        known = [*_remembered(owner), *((driver.data_path, driver.array_index) for driver in found)]
        owner[MUTED] = json.dumps(known)
        owner.update_tag()
    return len(found)


def restore(owner: bpy.types.ID) -> int:
    """Let the drivers decide again that a bake has muted; returns how many."""
    places = _remembered(owner)
    data, count = owner.animation_data, 0
    for driver in data.drivers if data is not None else ():
        if (driver.data_path, driver.array_index) in places and driver.mute:
            driver.mute, count = False, count + 1
    if MUTED in owner:
        del owner[MUTED]
        owner.update_tag()
    return count


def count_muted(owner: bpy.types.ID) -> int:
    """How many drivers of a data-block a bake has muted."""
    return len(_remembered(owner))


def _remembered(owner: bpy.types.ID) -> list[tuple[str, int]]:
    """What a file says may be anything: it is read as nothing where it is no such list."""
    try:
        found = json.loads(owner.get(MUTED, "[]"))
        return [(str(path), int(index)) for path, index in found]
    except (TypeError, ValueError):
        return []
