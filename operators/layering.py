"""Corrections over a bake: the baked Action becomes an NLA strip, and an additive Action lies above it."""

import json
from dataclasses import dataclass
from typing import Any

import bpy

from ..au_mocap.errors import SettingsError
from . import actions
from .capture_properties import AUMOCAP_PG_take
from .destinations import CORRECTIONS, TAKE, place
from .scene import Character, title
from .tracks import GROUP_PREFIX


@dataclass(frozen=True, slots=True)
class Layered:
    """What was done.

    Attributes:
        actions: The Actions that take corrections now.
        owners: How many data-blocks have a layer now.
    """

    actions: tuple[bpy.types.Action, ...]
    owners: int


def add(stage: bpy.types.Scene, character: Character, item: AUMOCAP_PG_take) -> Layered:
    """Puts an empty additive Action over a take's bake, for keys that a new bake leaves alone.

    What was baked into the active Action moves to an NLA track of the take's name, where later bakes go; corrections
    that are there already become a track as well.

    Args:
        stage: The scene; its bake's destination becomes the NLA.
        character: Who plays the bake.
        item: The take.

    Raises:
        SettingsError: The take is not baked on this character, or one of its data-blocks cannot have a layer; nothing
            was changed.
    """
    owners = [owner for owner in _owners(character) if _is_baked(owner, item.name)]
    if not owners:
        message = f"'{item.name}' is not baked on this character: bake it first, then corrections can lie over it."
        raise SettingsError(message)
    for owner in owners:
        _check(owner, item.name)
    made: list[bpy.types.Action] = []
    for owner in owners:
        data: Any = owner.animation_data
        if data.action is not None:
            _push_down(owner, item.name)
        if not made or not actions.HAS_SLOTS:
            made.append(bpy.data.actions.new(f"{item.name} Corrections"))
            made[-1][CORRECTIONS] = item.name
        actions.assign(owner, made[-1])
        actions.ensure_bag(made[-1], data.action_slot if actions.HAS_SLOTS else None)
        # Turns and scales combine as turns and scales. Values of shape keys add, even where Blender's default is 1,
        # which it would multiply with.
        data.action_blend_type = "ADD" if isinstance(owner, bpy.types.Key) else "COMBINE"
        data.action_extrapolation, data.action_influence = "HOLD", 1.0
        owner.update_tag()
    _send_bakes_below(stage, item)
    return Layered(tuple(made), len(owners))


def is_on_track(character: Character, name: str) -> bool:
    """Whether a take's bake lies on an NLA track of the character."""
    return any(True for owner in _owners(character) for _ in actions.own_strips(owner, TAKE, name))


def _owners(character: Character) -> list[bpy.types.ID]:
    blocks = [character.armature, *(mesh.data.shape_keys for mesh in character.meshes)]
    return list(dict.fromkeys(owner for owner in blocks if owner is not None))


def _is_baked(owner: bpy.types.ID, name: str) -> bool:
    return _plays_bake(owner) or any(True for _ in actions.own_strips(owner, TAKE, name))


def _plays_bake(owner: bpy.types.ID) -> bool:
    bag = actions.active_bag(owner)
    return bag is not None and any(group.name.startswith(GROUP_PREFIX) for group in bag.groups)


def _check(owner: bpy.types.ID, name: str) -> None:
    data: Any = owner.animation_data
    override = owner.override_library
    if owner.library is not None or (override is not None and override.is_system_override):
        message = f"'{title(owner)}' is linked from another file: make it local or an editable library override first."
        raise SettingsError(message)
    if data.use_tweak_mode:
        message = f"'{title(owner)}' is in the NLA's tweak mode: leave it (Tab in the NLA editor) first."
        raise SettingsError(message)
    action = data.action
    if action is None:
        return
    if CORRECTIONS in action:
        bag = actions.active_bag(owner)
        if bag is None or not bag.fcurves:
            message = f"'{action.name}' is a correction layer without keys: key your corrections on it."
            raise SettingsError(message)
        return
    if action.library is not None:
        message = f"The Action '{action.name}' is linked from another file: make it local first."
        raise SettingsError(message)
    if not _plays_bake(owner):
        message = (
            f"'{title(owner)}' plays '{action.name}' above the strip of '{name}': push that Action down in the NLA "
            "editor, or take it off, then add the layer."
        )
        raise SettingsError(message)


def _push_down(owner: bpy.types.ID, name: str) -> None:
    """Move the active Action to a track of its own on top of the others, playing as it does now."""
    data: Any = owner.animation_data
    action, slot = data.action, data.action_slot if actions.HAS_SLOTS else None
    is_bake = CORRECTIONS not in action
    bag = actions.active_bag(owner)
    spans = [curve.range() for curve in bag.fcurves]
    first, last = min(span[0] for span in spans), max(span[1] for span in spans)
    if is_bake:
        for track, strip in list(actions.own_strips(owner, TAKE, name)):
            track.strips.remove(strip)  # an earlier bake of the take, which this one hid
            if not track.strips:
                data.nla_tracks.remove(track)
        action[TAKE] = name
    track = data.nla_tracks.new()
    track.name = name if is_bake else action.name
    strip = track.strips.new(track.name, int(first), action)
    strip.name = track.name
    if actions.HAS_SLOTS:
        strip.action_slot = slot
    strip.blend_type, strip.extrapolation = data.action_blend_type, data.action_extrapolation
    strip.influence = data.action_influence
    data.action = None
    data.action_blend_type, data.action_influence = "REPLACE", 1.0
    place(strip, first, max(last, first + 1.0))


def _send_bakes_below(stage: bpy.types.Scene, item: AUMOCAP_PG_take) -> None:
    """Later bakes, and what follows a change of settings, renew the strip."""
    stage.aumocap.bake.destination = "nla"
    if item.baked_with:
        how = json.loads(item.baked_with)
        item.baked_with = json.dumps({**how, "destination": "nla", "action": None, "name": item.name})
