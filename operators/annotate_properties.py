"""What a scene knows of labelling a clip by hand. The labels themselves are in their folder, not in the file."""

# pyright: reportInvalidTypeForm=false
# Blender declares properties as annotations that call functions.

import bpy

BEGINNINGS = (
    ("NOTHING", "Nothing", "Only the channels that you move are labelled"),
    ("SHOWN", "What Is Shown", "The other channels begin with what is shown: a blend of the labelled frames around"),
    ("REGRESSOR", "Regressor", "The other channels begin with the values of the take, with its settings and edits"),
)


def _value(self: "AUMOCAP_PG_label") -> float:
    from . import annotate

    return annotate.value(self.id_data, self.name)  # pyright: ignore[reportArgumentType]


def _set_value(self: "AUMOCAP_PG_label", value: float) -> None:
    from . import annotate

    annotate.set_value(self.id_data, self.name, value)  # pyright: ignore[reportArgumentType]


def _show_changed(self: "AUMOCAP_PG_annotation", _context: bpy.types.Context) -> None:
    from . import annotate

    annotate.show(self.id_data)  # pyright: ignore[reportArgumentType]


class AUMOCAP_PG_label(bpy.types.PropertyGroup):
    """One channel's slider; its name is the channel's id. What it shows is the label of the current frame."""

    value: bpy.props.FloatProperty(
        name="Label",
        description="How far the actor's face shows this action in this frame: 0 as at rest, 1 the full action",
        min=0.0,
        max=1.0,
        step=1,
        precision=2,
        get=_value,
        set=_set_value,
        options={"SKIP_SAVE"},
    )


class AUMOCAP_PG_annotation(bpy.types.PropertyGroup):
    """Whose labels of which clip, and how the panel helps."""

    folder: bpy.props.StringProperty(
        name="Folder",
        description="Where the labels are kept, NAME.annotation; empty for a folder beside the video",
        subtype="DIR_PATH",
    )
    coder: bpy.props.StringProperty(
        name="Coder", description="Who labels: each coder's labels are kept in a table of their own", maxlen=60
    )
    begin: bpy.props.EnumProperty(
        name="Begin With",
        description="What the other channels of a frame get when its first slider is moved",
        items=BEGINNINGS,
        default="SHOWN",
    )
    use_both: bpy.props.BoolProperty(
        name="Both Sides", description="Moving the slider of one side moves the other side's as well", default=False
    )
    use_pose: bpy.props.BoolProperty(
        name="Show on Character",
        description="Pose the character by the labels, between labelled frames by a blend of them",
        default=True,
        update=_show_changed,
    )
    stride: bpy.props.IntProperty(
        name="Stride", description="How many frames the arrows step", default=1, min=1, max=1000
    )
    step: bpy.props.IntProperty(
        name="Step", description="Which state of the labels undo goes back to", default=0, options={"HIDDEN"}
    )
    sliders: bpy.props.CollectionProperty(type=AUMOCAP_PG_label)


CLASSES = (AUMOCAP_PG_label, AUMOCAP_PG_annotation)


def register() -> None:
    """Register the groups, and the scene's on every scene."""
    for each in CLASSES:
        bpy.utils.register_class(each)
    bpy.types.Scene.aumocap_annotation = bpy.props.PointerProperty(  # pyright: ignore[reportAttributeAccessIssue]
        type=AUMOCAP_PG_annotation
    )


def unregister() -> None:
    """Undo `register`."""
    del bpy.types.Scene.aumocap_annotation  # pyright: ignore[reportAttributeAccessIssue]
    for each in reversed(CLASSES):
        bpy.utils.unregister_class(each)
