"""What a character knows: its AU-to-blendshape table and the bones of its head."""

# pyright: reportInvalidTypeForm=false
# Blender declares properties as annotations that call functions.

from typing import Final

import bpy

from . import choices, refresh

OVERRIDABLE: Final = {"LIBRARY_OVERRIDABLE"}
KINDS = (
    ("shape_key", "Shape Key", "A shape key of the character's meshes", "SHAPEKEY_DATA", 0),
    ("bone", "Bone", "A bone's location, rotation or scale in its own rest frame", "BONE_DATA", 1),
    ("property", "Property", "Any number by its data path", "RNA", 2),
)
PATHS = (
    ("location", "Location", "Moves the bone, in metres"),
    ("rotation", "Rotation", "Turns the bone, in radians"),
    ("scale", "Scale", "Scales the bone; the value is added to 1"),
)
AXES = tuple((axis, axis.upper(), f"The bone's own {axis.upper()} axis") for axis in "xyz")


def _retitled(self: "AUMOCAP_PG_row", context: bpy.types.Context) -> None:
    self.confidence = -1.0
    self.name = f"{choices.channel_label(self.channel)} {self.target or self.data_path}"  # what the list's filter reads
    refresh.table_changed(self, context)


class AUMOCAP_PG_row(bpy.types.PropertyGroup):
    """One row of the table: `clamp(gain * x ** gamma + offset, min, max)` of a channel, sent to a target."""

    channel: bpy.props.EnumProperty(
        name="Channel",
        description="What the actor does",
        items=choices.channel_items,
        override=OVERRIDABLE,
        update=_retitled,
    )
    kind: bpy.props.EnumProperty(
        name="Kind", description="What the row drives", items=KINDS, override=OVERRIDABLE, update=refresh.table_changed
    )
    target: bpy.props.StringProperty(
        name="Target", description="Name of the shape key or bone", override=OVERRIDABLE, update=_retitled
    )
    object: bpy.props.StringProperty(
        name="Object",
        description="Only on this object; empty for every mesh of the character that has the shape key",
        override=OVERRIDABLE,
        update=refresh.table_changed,
    )
    path: bpy.props.EnumProperty(
        name="Motion", description="What of the bone is driven", items=PATHS, default="rotation",
        override=OVERRIDABLE, update=refresh.table_changed,
    )  # fmt: skip
    axis: bpy.props.EnumProperty(
        name="Axis", description="The bone's own axis", items=AXES, override=OVERRIDABLE, update=refresh.table_changed
    )
    data_path: bpy.props.StringProperty(
        name="Data Path", description='Such as ["jaw"] for a custom property', override=OVERRIDABLE, update=_retitled
    )
    index: bpy.props.IntProperty(
        name="Index", description="Place in an array property; -1 for a single number", default=-1, min=-1,
        override=OVERRIDABLE, update=refresh.table_changed,
    )  # fmt: skip
    gain: bpy.props.FloatProperty(
        name="Gain", description="Factor", default=1.0, soft_min=0.0, soft_max=2.0, precision=2,
        override=OVERRIDABLE, update=refresh.table_changed,
    )  # fmt: skip
    gamma: bpy.props.FloatProperty(
        name="Curve", description="Exponent: below 1 lifts small values, above 1 holds them back", default=1.0,
        min=0.05, max=20.0, soft_min=0.25, soft_max=4.0, precision=2, override=OVERRIDABLE,
        update=refresh.table_changed,
    )  # fmt: skip
    offset: bpy.props.FloatProperty(
        name="Offset", description="Added after the gain", default=0.0, soft_min=-1.0, soft_max=1.0, precision=2,
        override=OVERRIDABLE, update=refresh.table_changed,
    )  # fmt: skip
    min: bpy.props.FloatProperty(
        name="Min", description="Never below this", default=0.0, soft_min=-1.0, soft_max=1.0, precision=2,
        override=OVERRIDABLE, update=refresh.table_changed,
    )  # fmt: skip
    max: bpy.props.FloatProperty(
        name="Max", description="Never above this", default=1.0, soft_min=0.0, soft_max=2.0, precision=2,
        override=OVERRIDABLE, update=refresh.table_changed,
    )  # fmt: skip
    enabled: bpy.props.BoolProperty(
        name="On", description="Whether the row counts", default=True, override=OVERRIDABLE,
        update=refresh.table_changed,
    )  # fmt: skip
    solo: bpy.props.BoolProperty(
        name="Solo", description="Play only rows that are solo", default=False, override=OVERRIDABLE,
        update=refresh.table_changed,
    )  # fmt: skip
    confidence: bpy.props.FloatProperty(
        name="Confidence", description="How sure a match by name is, 0 to 1; -1 for a row that was set by hand",
        default=-1.0, min=-1.0, max=1.0, precision=2, override=OVERRIDABLE,
    )  # fmt: skip
    test: bpy.props.FloatProperty(
        name="Test",
        description="Drag to pose the face with this row alone; the face goes back at 0",
        default=0.0,
        min=0.0,
        max=1.0,
        precision=2,
        override=OVERRIDABLE,
        update=refresh.row_tested,
    )


class AUMOCAP_PG_character(bpy.types.PropertyGroup):
    """A character's table, and which bones turn with the head."""

    table_name: bpy.props.StringProperty(
        name="Preset", description="What the table was loaded from", override=OVERRIDABLE
    )
    rows: bpy.props.CollectionProperty(type=AUMOCAP_PG_row, override={"LIBRARY_OVERRIDABLE", "USE_INSERTION"})
    active_row: bpy.props.IntProperty(name="Row", description="The chosen row", override=OVERRIDABLE)
    head_bone: bpy.props.StringProperty(
        name="Head", description="Bone that turns with the head; empty finds it by its name", override=OVERRIDABLE,
        update=refresh.table_changed,
    )  # fmt: skip
    neck_bone: bpy.props.StringProperty(
        name="Neck", description="Bone that takes its share of the turn; empty finds it by its name",
        override=OVERRIDABLE, update=refresh.table_changed,
    )  # fmt: skip
    neck_share: bpy.props.FloatProperty(
        name="Neck Share", description="The neck's part of the head's turn", default=0.3, min=0.0, max=1.0,
        subtype="FACTOR", override=OVERRIDABLE, update=refresh.table_changed,
    )  # fmt: skip
    use_eye_bones: bpy.props.BoolProperty(
        name="Eye Bones", description="Turn the eye bones by the gaze, in place of look shape keys", default=False,
        override=OVERRIDABLE, update=refresh.table_changed,
    )  # fmt: skip
    eye_left: bpy.props.StringProperty(
        name="Left Eye", description="The character's own left; empty finds it by its name", override=OVERRIDABLE,
        update=refresh.table_changed,
    )  # fmt: skip
    eye_right: bpy.props.StringProperty(
        name="Right Eye", description="The character's own right; empty finds it by its name", override=OVERRIDABLE,
        update=refresh.table_changed,
    )  # fmt: skip


CLASSES = (AUMOCAP_PG_row, AUMOCAP_PG_character)


def register() -> None:
    """Register the groups, and the character's on every object."""
    for each in CLASSES:
        bpy.utils.register_class(each)
    bpy.types.Object.aumocap = bpy.props.PointerProperty(  # pyright: ignore[reportAttributeAccessIssue]
        type=AUMOCAP_PG_character, override=OVERRIDABLE
    )


def unregister() -> None:
    """Undo `register`."""
    del bpy.types.Object.aumocap  # pyright: ignore[reportAttributeAccessIssue]
    for each in reversed(CLASSES):
        bpy.utils.unregister_class(each)
