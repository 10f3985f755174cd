"""Items of menus whose entries come from files: regressors, channels, mapping presets.

Blender keeps no reference to the texts of a dynamic menu, so they are kept here.
"""

import zlib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

import bpy

from . import models

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..au_mocap.registry import RegressorEntry

Item = tuple[str, str, str, str, int]

_ADVANCED: Final[Item] = ("", "Advanced", "Systems of published papers, to compare with", "NONE", 0)
"""A heading: what has no identifier cannot be chosen."""


def number_of(identifier: str) -> int:
    """What a file stores for a menu entry: the same number whatever stands before it in the menu."""
    return zlib.crc32(identifier.encode()) & 0x7FFFFFFF


def regressors() -> tuple[Item, ...]:
    """Every regressor, best first, then the user's own."""
    return _regressors(models.stamp())


@cache
def _regressors(_stamp: models.Stamp) -> tuple[Item, ...]:
    return tuple(_item(entry) for entry in models.registry().regressors)


@cache
def _menu(_stamp: models.Stamp) -> tuple[Item, ...]:
    return grouped(models.registry().regressors)


def regressor_items(_owner: object, _context: bpy.types.Context | None) -> tuple[Item, ...]:
    """`regressors` for an EnumProperty, under headings."""
    return _menu(models.stamp())


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


@dataclass(frozen=True, slots=True)
class Faced:
    """A channel with its sides face to face.

    Attributes:
        label: Name for people, without the side.
        left: Channel id of the actor's left side, empty where it has no sides.
        both: Channel id of both sides together, empty where there is none.
        right: As `left`.
        ids: Those that there are, with their places in the vocabulary.
    """

    label: str
    left: str
    both: str
    right: str
    ids: dict[str, int]


@cache
def faced_channels() -> tuple[Faced, ...]:
    """The vocabulary with sides face to face, in its order."""
    from ..au_mocap.channels import CHANNELS, INDEX

    stems = dict.fromkeys(each.id.removesuffix(f"_{each.side}") if each.side else each.id for each in CHANNELS)
    found: list[Faced] = []
    for stem in stems:
        left, both, right = (each if each in INDEX else "" for each in (f"{stem}_L", stem, f"{stem}_R"))
        ids = {each: INDEX[each] for each in (left, both, right) if each}
        found.append(
            Faced(channel_label(both) if both else channel_label(left).rpartition(", ")[0], left, both, right, ids)
        )
    return tuple(found)
