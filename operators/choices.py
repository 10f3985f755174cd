"""Items of menus whose entries come from files: regressors, channels, mapping presets.

Blender keeps no reference to the texts of a dynamic menu, so they are kept here.
"""

import zlib
from functools import cache

import bpy

from . import models

Item = tuple[str, str, str, str, int]


def number_of(identifier: str) -> int:
    """What a file stores for a menu entry: the same number whatever stands before it in the menu."""
    return zlib.crc32(identifier.encode()) & 0x7FFFFFFF


def regressors() -> tuple[Item, ...]:
    """Every regressor, best first, then the user's own."""
    return _regressors(models.stamp())


@cache
def _regressors(_stamp: models.Stamp) -> tuple[Item, ...]:
    entries = models.registry().regressors
    return tuple((entry.name, entry.label, entry.description, "NONE", number_of(entry.name)) for entry in entries)


def regressor_items(_owner: object, _context: bpy.types.Context | None) -> tuple[Item, ...]:
    """`regressors` for an EnumProperty."""
    return regressors()


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
