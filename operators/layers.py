"""NLA strips: where they lie in time, and what a rig plays below a performance."""

import bpy

from . import actions
from .tracks import is_own


def place(strip: bpy.types.NlaStrip, first: float, last: float) -> None:
    """Let a strip, alone on its track, play these frames of its Action at the same frames of the scene."""
    strip.use_sync_length = False
    strip.use_reverse = False
    # Each end is held on its side of the other, so the first has to be tried once more.
    strip.action_frame_end, strip.action_frame_start, strip.action_frame_end = last, first, last
    strip.scale, strip.repeat = 1.0, 1.0
    strip.frame_start_raw, strip.frame_end_raw = first, last


def push_down(owner: bpy.types.ID) -> str:
    """Let the Action of an armature go on playing as an NLA strip, so that another one can play above it.

    Actions that hold nothing but an earlier bake are left: they are what the new one replaces.

    Returns:
        What was done, for people; empty where nothing was.
    """
    data = owner.animation_data
    action, bag = (data.action if data else None), actions.active_bag(owner)
    if not isinstance(owner, bpy.types.Object) or owner.type != "ARMATURE" or action is None or bag is None:
        return ""
    if all(is_own(curve) for curve in bag.fcurves):
        return ""
    slot = data.action_slot if actions.HAS_SLOTS else None
    track = data.nla_tracks.new()
    track.name = action.name
    strip = track.strips.new(action.name, 0, action)
    if actions.HAS_SLOTS:
        strip.action_slot = slot
    strip.blend_type = data.action_blend_type
    if data.action_influence < 1.0:
        strip.use_animated_influence = True
        strip.influence = data.action_influence
    strip.extrapolation = "HOLD" if strip.blend_type == "REPLACE" else "NOTHING"
    first, last = _reach(owner, action)
    place(strip, first, max(last, first + 1.0))
    data.action = None
    # Before and after the performance the rig shall do what it did.
    data.action_blend_type, data.action_influence, data.action_extrapolation = "REPLACE", 1.0, "NOTHING"
    return f"'{owner.name}' plays its Action '{action.name}' on as an NLA strip below"


def _reach(owner: bpy.types.Object, action: bpy.types.Action) -> tuple[float, float]:
    """First and last frame of a strip that shows all of an Action: cycles and noise go on beyond its keys."""
    first, last = action.frame_range
    scenes = owner.users_scene
    starts, ends = [scene.frame_start for scene in scenes], [scene.frame_end for scene in scenes]
    return float(min([first, *starts])), float(max([last, *ends]))
