"""Items of menus whose entries come from files: regressors, channels, mapping presets.

Blender keeps no reference to the texts of a dynamic menu, so they are kept here.
"""

import zlib
from functools import cache
from typing import TYPE_CHECKING, Final

import bpy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..au_mocap.registry import RegressorEntry

Item = tuple[str, str, str, str, int]

_ADVANCED: Final[Item] = ("", "Advanced", "Systems of published papers, to compare with", "NONE", 0)
"""A heading: what has no identifier cannot be chosen."""


def number_of(identifier: str) -> int:
    """What a file stores for a menu entry: the same number whatever stands before it in the menu."""
    return zlib.crc32(identifier.encode()) & 0x7FFFFFFF


@cache
def regressors() -> tuple[Item, ...]:
    """Every regressor of the bundled registry, best first."""
    from ..au_mocap.registry import Registry

    return tuple(_item(entry) for entry in Registry().regressors)


@cache
def _menu() -> tuple[Item, ...]:
    from ..au_mocap.registry import Registry

    return grouped(Registry().regressors)


def regressor_items(_owner: object, _context: bpy.types.Context | None) -> tuple[Item, ...]:
    """`regressors` for an EnumProperty, under headings."""
    return _menu()


def grouped(entries: "Iterable[RegressorEntry]") -> tuple[Item, ...]:
    """Regressors as a menu shows them: the standard ones, then under a heading those to compare with."""
    known = tuple(entries)
    standard = tuple(_item(entry) for entry in known if entry.group == "standard")
    advanced = tuple(_item(entry) for entry in known if entry.group == "advanced")
    return (*standard, _ADVANCED, *advanced) if advanced else standard


def _item(entry: "RegressorEntry") -> Item:
    return (entry.name, entry.label, entry.description, "NONE", number_of(entry.name))


@cache
def channels() -> tuple[Item, ...]:
    """The vocabulary, FEAFA's 24 first, with FACS numbers in the tooltips."""
    from ..au_mocap.channels import CHANNELS

    return tuple(
        (each.id, each.label, f"{each.facs or 'No FACS number'}; {each.arkit_shape}", "NONE", index)
        for index, each in enumerate(CHANNELS)
    )


def channel_items(_owner: object, _context: bpy.types.Context | None) -> tuple[Item, ...]:
    """`channels` for an EnumProperty."""
    return channels()


@cache
def channel_label(channel_id: str) -> str:
    """A channel's name for people."""
    from ..au_mocap.channels import CHANNELS

    return next((each.label for each in CHANNELS if each.id == channel_id), channel_id)


@cache
def short_label(channel_id: str) -> str:
    """A channel's name for lists: the side stands in front, where a narrow column does not cut it off."""
    label, _, side = channel_label(channel_id).rpartition(", ")
    return f"{side[0].upper()}  {label}" if side in ("left", "right") else channel_label(channel_id)
