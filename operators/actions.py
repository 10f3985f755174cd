"""Actions of data-blocks: one Action with a slot for each where Blender has slots (4.4 on), else one Action each."""

from collections.abc import Iterator
from typing import Any, Final

import bpy

HAS_SLOTS: Final = "slots" in bpy.types.Action.bl_rna.properties


def assign(owner: bpy.types.ID, action: bpy.types.Action) -> None:
    """Give a data-block an Action, with a slot of its own; an Action that nothing else holds then is kept.

    Args:
        owner: Object or shape keys.
        action: A local Action, of this kind of data-block where Blender has no slots.
    """
    data = owner.animation_data or owner.animation_data_create()
    old = data.action
    if old != action:
        data.action = action
        if old is not None and old.library is None and old.users == 0:
            old.use_fake_user = True
    if HAS_SLOTS:
        # Never the slot that Blender may have picked: it could belong to another data-block of the same kind.
        data.action_slot = own_slot(owner, action) or action.slots.new(id_type=owner.id_type, name=owner.name)


def own_slot(owner: bpy.types.ID, action: bpy.types.Action) -> Any:  # noqa: ANN401
    """The slot of an Action that has a data-block's name and is used by no other data-block, or None."""
    for slot in action.slots:
        if (slot.target_id_type, slot.name_display) == (owner.id_type, owner.name) and set(slot.users()) <= {owner}:
            return slot
    return None


def others(owner: bpy.types.ID, action: bpy.types.Action, slot: Any) -> list[bpy.types.ID]:  # noqa: ANN401
    """Other data-blocks that an Action animates by the same curves."""
    if HAS_SLOTS:
        users = set(slot.users()) if slot is not None else set()
    else:
        users = bpy.data.user_map(subset=[action])[action]
    animated = [each for each in users if each != owner and hasattr(each, "animation_data")]
    return sorted(animated, key=lambda each: each.name)


def single_user(owner: bpy.types.ID, holder: Any, copies: dict[bpy.types.Action, bpy.types.Action]) -> str:  # noqa: ANN401
    """Give a data-block a copy of its Action where others are animated by the same curves.

    Args:
        owner: The data-block.
        holder: Its animation data, or an NLA strip of it.
        copies: Copies that were made for other data-blocks of the same character; a new one is added.

    Returns:
        What was done, for people; empty where nothing was.
    """
    action = holder.action
    slot = holder.action_slot if HAS_SLOTS and action is not None else None
    if action is None or not others(owner, action, slot):
        return ""
    if action not in copies or not HAS_SLOTS:
        copies[action] = action.copy()
    holder.action = copies[action]
    if HAS_SLOTS:
        holder.action_slot = copies[action].slots[slot.identifier]
    return f"'{action.name}' animates others, too: this character now has the copy '{copies[action].name}'"


def fits(owner: bpy.types.ID, action: bpy.types.Action) -> bool:
    """Whether an Action can animate this kind of data-block."""
    # Without slots an Action is bound to a kind by its first user; before that its kind is no value of the enum.
    return HAS_SLOTS or action.id_root in ("", owner.id_type)


def find_bag(action: bpy.types.Action | None, slot: Any) -> Any:  # noqa: ANN401
    """What holds a slot's curves and groups (before 4.4: the Action itself), or None where there is nothing yet."""
    if action is None or not HAS_SLOTS:
        return action
    strips = [strip for layer in action.layers for strip in layer.strips]
    return strips[0].channelbag(slot) if strips and slot is not None else None


def ensure_bag(action: bpy.types.Action, slot: Any) -> Any:  # noqa: ANN401
    """The same, made where it is missing."""
    if not HAS_SLOTS:
        return action
    layer = action.layers[0] if action.layers else action.layers.new("Layer")
    strip = layer.strips[0] if layer.strips else layer.strips.new(type="KEYFRAME")
    return strip.channelbag(slot, ensure=True)


def active_bag(owner: bpy.types.ID) -> Any:  # noqa: ANN401
    """What holds the curves of a data-block's active Action, or None."""
    data = owner.animation_data
    return find_bag(data.action, data.action_slot if HAS_SLOTS else None) if data else None


def strip_bag(strip: bpy.types.NlaStrip) -> Any:  # noqa: ANN401
    """What holds the curves that an NLA strip plays, or None."""
    return find_bag(strip.action, strip.action_slot if HAS_SLOTS else None)


def own_strips(owner: bpy.types.ID, key: str, name: str) -> Iterator[tuple[bpy.types.NlaTrack, bpy.types.NlaStrip]]:
    """NLA strips whose Action carries a custom property of a certain value, with their tracks."""
    data = owner.animation_data
    for track in data.nla_tracks if data else ():
        for strip in track.strips:
            if strip.action is not None and strip.action.get(key) == name:
                yield track, strip
