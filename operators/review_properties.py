"""What a scene knows of reviewing: what is shown, and which problems count. What was found lives with the window."""

# pyright: reportInvalidTypeForm=false
# Blender declares properties as annotations that call functions.

from typing import Final

import bpy

KINDS: Final = (
    ("gap", "No Face", "The face was not found", "HIDE_ON", 1),
    ("confidence", "Low Confidence", "The face was hardly to be seen", "QUESTION", 2),
    ("spike", "Spike", "A value jumps and is back within a few frames", "SHARPCURVE", 4),
    ("clamp", "Cut Value", "A value stays at its limit, and movement is lost", "NOCURVE", 8),
    ("contact", "Broken Contact", "Lips or lids touch on the actor alone, or in the curves alone", "UNLINKED", 16),
)  # fmt: skip
KIND_IDS: Final = frozenset(each[0] for each in KINDS)


def _look_changed(_owner: object, _context: bpy.types.Context) -> None:
    from . import review_state

    review_state.look_changed()


def _step_changed(_owner: object, context: bpy.types.Context) -> None:
    from . import review_step

    review_step.switched(context.scene)


def _chosen(_owner: object, context: bpy.types.Context) -> None:
    from . import review_state

    review_state.go_to_chosen(context.scene)


class AUMOCAP_PG_problem(bpy.types.PropertyGroup):
    """One line of the list."""

    kind: bpy.props.EnumProperty(name="Kind", description="What is wrong", items=KINDS)
    frame: bpy.props.IntProperty(name="Frame", description="Scene frame at which it begins")
    last_frame: bpy.props.IntProperty(name="Last Frame", description="Scene frame at which it ends")
    channel: bpy.props.StringProperty(name="Channel", description="The channel that has it; empty for the whole face")
    severity: bpy.props.FloatProperty(name="Severity", description="How much it is likely to be seen", min=0.0, max=1.0)
    message: bpy.props.StringProperty(name="Message", description="What it is, and what helps")


class AUMOCAP_PG_found(bpy.types.PropertyGroup):
    """The list of problems, with the window: no file needs it and no undo step holds it."""

    problems: bpy.props.CollectionProperty(type=AUMOCAP_PG_problem)
    active: bpy.props.IntProperty(
        name="Problem", description="The chosen problem; choosing one goes to its frame", default=-1, update=_chosen
    )


class AUMOCAP_PG_review(bpy.types.PropertyGroup):
    """What is shown of a take while it is reviewed."""

    kinds: bpy.props.EnumProperty(
        name="Kinds",
        description="Problems that are listed, drawn and gone to",
        items=KINDS,
        options={"ENUM_FLAG"},
        default=set(KIND_IDS),
        update=_look_changed,
    )
    show_strip: bpy.props.BoolProperty(
        name="Confidence Strip",
        description="Draw confidence, gaps and problems along the bottom of timelines, dope sheets and graph editors",
        default=False,
        update=_look_changed,
    )
    show_landmarks: bpy.props.BoolProperty(
        name="Landmarks",
        description="Draw what the tracker found over the video",
        default=False,
        update=_look_changed,
    )
    show_crop: bpy.props.BoolProperty(
        name="Face Crop",
        description="Draw what the regressor looked at over the video",
        default=False,
        update=_look_changed,
    )
    show_axes: bpy.props.BoolProperty(
        name="Head Axes",
        description="Draw where the head turns over the video: red to the actor's left, green up, blue ahead",
        default=False,
        update=_look_changed,
    )
    in_step: bpy.props.BoolProperty(
        name="Video in Step",
        description="Show the video's picture of the take's time wherever this clip is seen: in image editors and "
        "behind the camera, at any frame rate and speed",
        default=True,
        update=_step_changed,
    )


CLASSES: Final = (AUMOCAP_PG_problem, AUMOCAP_PG_found, AUMOCAP_PG_review)


def register() -> None:
    """Register the groups, the scene's on every scene."""
    for each in CLASSES:
        bpy.utils.register_class(each)
    bpy.types.Scene.aumocap_review = bpy.props.PointerProperty(  # pyright: ignore[reportAttributeAccessIssue]
        type=AUMOCAP_PG_review
    )
    bpy.types.WindowManager.aumocap_review = bpy.props.PointerProperty(  # pyright: ignore[reportAttributeAccessIssue]
        type=AUMOCAP_PG_found
    )


def unregister() -> None:
    """Undo `register`."""
    del bpy.types.WindowManager.aumocap_review  # pyright: ignore[reportAttributeAccessIssue]
    del bpy.types.Scene.aumocap_review  # pyright: ignore[reportAttributeAccessIssue]
    for each in reversed(CLASSES):
        bpy.utils.unregister_class(each)
