"""What of a character an exporter would take, and what it would lose, found before anything is written."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

import bpy

from ..au_mocap.errors import SettingsError
from . import actions, rig_state, scene

Span = Literal["animation", "scene"]

TYPES: Final = ("ARMATURE", "MESH", "EMPTY")
_CARRIED: Final = re.compile(
    r'(key_blocks\["(?:[^"\\]|\\.)*"\]\.value'
    r'|(pose\.bones\["(?:[^"\\]|\\.)*"\]\.)?(location|scale|rotation_(euler|quaternion|axis_angle))'
    r"|delta_(location|scale|rotation_(euler|quaternion)))"
)
_MOST: Final = 4


@dataclass(frozen=True, slots=True)
class Cast:
    """What is to be exported.

    Attributes:
        objects: The character's armature, meshes and empties.
        first: First scene frame.
        last: Last scene frame.
        lost: What the file cannot hold, one line each.
        notes: What else the user should know, one line each.
    """

    objects: tuple[bpy.types.Object, ...]
    first: int
    last: int
    lost: tuple[str, ...]
    notes: tuple[str, ...]


def look(stage: bpy.types.Scene, layer: bpy.types.ViewLayer, chosen: bpy.types.Object | None, span: Span) -> Cast:
    """Find what to export of a character.

    Args:
        stage: The scene.
        layer: Its view layer: what is not in it cannot be exported.
        chosen: The character.
        span: Frames from the first to the last key of the character's animation, or those of the scene.

    Raises:
        SettingsError: There is no character, or nothing of it moves by keys.
    """
    layer.update()  # or what was linked just now is not in it yet
    character = scene.find_character(chosen)
    rig_state.check(character)
    everything = _members(character, chosen)
    objects = tuple(each for each in everything if each.type in TYPES and each.name in layer.objects)
    busy = next((each for each in objects if each.mode == "EDIT"), None)
    if busy is not None:
        message = f"'{busy.name}' is in Edit Mode: leave it (Tab), then export again."
        raise SettingsError(message)
    if not objects:
        message = "Nothing of the character is in this view layer: switch its collection on, then export again."
        raise SettingsError(message)
    owners = list(_owners(objects))
    spans = [found for owner in owners for found in _spans(owner)]
    if not spans:
        raise SettingsError(_unmoved(scene.title(chosen) if chosen is not None else "", owners))
    lost = [
        f"'{each.name}' ({each.type.lower()}) is no mesh, bone or empty"
        for each in everything
        if each.type not in TYPES
    ]
    absent = [each.name for each in everything if each.type in TYPES and each not in objects]
    lost += [f"'{name}' is not in this view layer" for name in absent]
    if span == "scene":
        first, last = stage.frame_start, stage.frame_end
    else:
        first, last = int(min(found[0] for found in spans) // 1), int(-(-max(found[1] for found in spans) // 1))
    if first < 0:
        lost.append(f"frames {first} to -1: Blender's exporters begin at frame 0")
    first, last = max(first, 0), max(last, 0)
    return Cast(objects, first, last, (*lost, *_lost(owners)), tuple(_notes(character, objects, owners)))


def _members(character: scene.Character, chosen: bpy.types.Object | None) -> list[bpy.types.Object]:
    """Root, what hangs below it and what its armature deforms, by name."""
    root = character.armature or chosen
    assert root is not None  # or there would be no character
    found = {root, *root.children_recursive, *character.meshes}
    if character.armature is not None:
        found |= {each for each in bpy.data.objects if each.find_armature() == character.armature}
    return sorted(found, key=lambda each: each.name)


def _owners(objects: tuple[bpy.types.Object, ...]) -> Iterator[bpy.types.ID]:
    """Data-blocks whose animation moves the objects."""
    seen: set[bpy.types.ID] = set()
    for each in objects:
        keys: Any = each.data.shape_keys if each.type == "MESH" else None
        for owner in (each, each.data, keys):
            if owner is not None and owner not in seen:
                seen.add(owner)
                yield owner


def _strips(owner: bpy.types.ID) -> Iterator[bpy.types.NlaStrip]:
    """NLA strips that play."""
    data = owner.animation_data
    tracks = list(data.nla_tracks) if data is not None and data.use_nla else []
    solo = [track for track in tracks if track.is_solo]
    for track in solo or tracks:
        yield from (strip for strip in track.strips if not track.mute and not strip.mute)


def _curves(owner: bpy.types.ID) -> Iterator[bpy.types.FCurve]:
    """Curves that play."""
    bags = [actions.active_bag(owner), *(actions.strip_bag(strip) for strip in _strips(owner))]
    for bag in bags:
        yield from (curve for curve in (bag.fcurves if bag is not None else ()) if not curve.mute)


def _spans(owner: bpy.types.ID) -> Iterator[tuple[float, float]]:
    bag = actions.active_bag(owner)
    for curve in bag.fcurves if bag is not None else ():
        if not curve.mute and not curve.is_empty:
            start, end = curve.range()
            yield float(start), float(end)
    for strip in _strips(owner):
        yield float(strip.frame_start), float(strip.frame_end)


def _unmoved(name: str, owners: list[bpy.types.ID]) -> str:
    for owner in owners:
        data = owner.animation_data
        if data is not None and (data.nla_tracks or actions.active_bag(owner) is not None):
            return (
                f"All animation of '{name}' is muted or empty: unmute its curves, or its strips in the Nonlinear "
                "Animation editor, then export again."
            )
    return f"Nothing is baked on '{name}': press Bake first, then export."


def _lost(owners: list[bpy.types.ID]) -> Iterator[str]:
    paths = dict.fromkeys(
        f"{scene.title(owner)}: {curve.data_path}"
        for owner in owners
        for curve in _curves(owner)
        if not _CARRIED.fullmatch(curve.data_path)
    )
    yield from (f"the animation of {path} (what it moves is in the file)" for path in list(paths)[:_MOST])
    if len(paths) > _MOST:
        yield f"the animation of {len(paths) - _MOST} more properties"


def _notes(
    character: scene.Character, objects: tuple[bpy.types.Object, ...], owners: list[bpy.types.ID]
) -> Iterator[str]:
    if not character.meshes:
        yield "the character has no shape keys: only its bones move"
    drivers = sum(len(owner.animation_data.drivers) for owner in owners if owner.animation_data is not None)
    if drivers:
        yield f"{drivers} drivers became keys of what they give"
    for each in objects:
        shown = [one.name for one in each.modifiers if one.type != "ARMATURE" and one.show_viewport]
        if shown:
            yield f"modifiers of '{each.name}' are not in the file, or its shape keys could not be: {', '.join(shown)}"
    muted = [each.name for owner in owners for each in _tracks(owner) if each.mute]
    if muted:
        yield f"muted, so not in the file: {', '.join(dict.fromkeys(muted))}"
    if any(owner.animation_data is not None and any(each.is_solo for each in _tracks(owner)) for owner in owners):
        yield "a track of the NLA is solo: the others are not in the file"


def _tracks(owner: bpy.types.ID) -> list[bpy.types.NlaTrack]:
    return list(owner.animation_data.nla_tracks) if owner.animation_data is not None else []
