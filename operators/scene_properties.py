"""What a scene knows: the video, its takes, the character and how to bake."""

# pyright: reportInvalidTypeForm=false
# Blender declares properties as annotations that call functions.

import bpy

from . import refresh
from .capture_properties import AUMOCAP_PG_capture, AUMOCAP_PG_take
from .live_properties import AUMOCAP_PG_live

DESTINATIONS = (
    ("new", "New Action", "An Action of its own; what the character played before is kept"),
    ("active", "Existing Action", "Into the Action that the character plays; only AU Mocap's own curves are replaced"),
    ("nla", "NLA Strip", "A new Action as a strip on a track of its own"),
)
TIMINGS = (
    ("seconds", "Real Time", "A second of video is a second of the scene, whatever the two frame rates"),
    ("frames", "Frame by Frame", "Every video frame is one scene frame"),
)
DRIVEN = (
    ("skip", "Skip", "Leave them alone; what was left out is told"),
    ("mute", "Mute Drivers", "Mute their drivers and key them; Restore Drivers takes that back"),
)


KEYS = (
    ("EVERY", "Every Frame", "A key for every frame of the video"),
    ("REDUCED", "Reduced", "Few keys, within the largest error of all frames: curves to go on with by hand"),
)
_REDUCED_TOLERANCE = 0.01


def _get_keys(self: "AUMOCAP_PG_bake") -> int:
    return int(self.tolerance > 0.0)


def _set_keys(self: "AUMOCAP_PG_bake", value: int) -> None:
    if bool(value) != (self.tolerance > 0.0):
        self.tolerance = _REDUCED_TOLERANCE if value else 0.0


def _is_character(_self: "AUMOCAP_PG_scene", chosen: bpy.types.Object) -> bool:
    return chosen.type in {"ARMATURE", "MESH", "EMPTY"}


class AUMOCAP_PG_bake(bpy.types.PropertyGroup):
    """How a take becomes keys."""

    destination: bpy.props.EnumProperty(name="Destination", description="Where the keys go", items=DESTINATIONS)
    action: bpy.props.PointerProperty(
        type=bpy.types.Action, name="Action", description="Where to write; empty for the one that the character plays"
    )
    start_frame: bpy.props.FloatProperty(
        name="Start", description="Scene frame at which the video begins", default=1.0, precision=1
    )
    timing: bpy.props.EnumProperty(name="Time", description="How video time becomes scene time", items=TIMINGS)
    speed: bpy.props.FloatProperty(
        name="Speed", description="1 plays as filmed, 2 twice as fast", default=1.0, min=0.05, max=20.0, precision=2
    )
    use_face: bpy.props.BoolProperty(name="Face", description="Key the table's shape keys and bones", default=True)
    use_rotation: bpy.props.BoolProperty(
        name="Head Turns", description="Turn neck and head as the actor turned", default=True
    )
    use_position: bpy.props.BoolProperty(
        name="Head Moves", description="Move the head as the actor's head moved", default=False
    )
    use_gaze: bpy.props.BoolProperty(name="Gaze", description="Key where the eyes look", default=True)
    keys: bpy.props.EnumProperty(
        name="Keys",
        description="How many keys are written",
        items=KEYS,
        get=_get_keys,
        set=_set_keys,
        options={"SKIP_SAVE"},
    )
    use_handles: bpy.props.BoolProperty(
        name="Fitted Handles",
        description="Shape the curve between keys with handles, as an animator does: about a third fewer keys than "
        "straight lines need, and turning points and touches stay exact",
        default=True,
    )
    tolerance: bpy.props.FloatProperty(
        name="Largest Error",
        description="Keys are left out where that changes no curve by more than this at any frame: 1 is a shape key's "
        "full range; radians for rotations, decimetres for positions. 0 keys every frame",
        default=0.0,
        min=0.0,
        max=0.2,
        step=1,
        precision=3,
    )
    driven: bpy.props.EnumProperty(
        name="Driven Keys", description="What to do with shape keys and bones that have drivers", items=DRIVEN
    )
    range_first: bpy.props.IntProperty(name="From", description="First scene frame to replace", default=1)
    range_last: bpy.props.IntProperty(name="To", description="Last scene frame to replace", default=24)
    live_update: bpy.props.BoolProperty(
        name="Keys Follow Changes",
        description="Bake again at once when the actor's settings, edits or the table change",
        default=True,
    )


FORMAT = 1
"""Rises when files hold what an earlier AU Mocap would misread."""


class AUMOCAP_PG_scene(bpy.types.PropertyGroup):
    """AU Mocap in one scene."""

    format: bpy.props.IntProperty(
        name="Format", description="Which form these settings have in the file", default=FORMAT, options={"HIDDEN"}
    )
    capture: bpy.props.PointerProperty(type=AUMOCAP_PG_capture)
    takes: bpy.props.CollectionProperty(type=AUMOCAP_PG_take)
    active_take: bpy.props.IntProperty(
        name="Take", description="The chosen take", default=0, update=refresh.settings_changed
    )
    character: bpy.props.PointerProperty(
        type=bpy.types.Object,
        name="Character",
        description="The character's armature or face mesh",
        poll=_is_character,
        update=refresh.character_changed,
    )
    bake: bpy.props.PointerProperty(type=AUMOCAP_PG_bake)
    live: bpy.props.PointerProperty(type=AUMOCAP_PG_live)


def newer(own: AUMOCAP_PG_scene) -> str:
    """What to tell where a scene was saved by a newer AU Mocap; empty where it was not."""
    if own.format <= FORMAT:
        return ""
    return (
        "This file was saved by a newer AU Mocap: update it, or settings that are unknown here will be lost on saving."
    )


CLASSES = (AUMOCAP_PG_bake, AUMOCAP_PG_scene)


def register() -> None:
    """Register the groups, and the scene's on every scene."""
    for each in CLASSES:
        bpy.utils.register_class(each)
    bpy.types.Scene.aumocap = bpy.props.PointerProperty(  # pyright: ignore[reportAttributeAccessIssue]
        type=AUMOCAP_PG_scene
    )


def unregister() -> None:
    """Undo `register`."""
    del bpy.types.Scene.aumocap  # pyright: ignore[reportAttributeAccessIssue]
    for each in reversed(CLASSES):
        bpy.utils.unregister_class(each)
