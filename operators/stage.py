"""The clip's sound in the sequencer, and its picture beside the viewport."""

# pyright: reportInvalidTypeForm=false
# Blender declares properties as annotations that call functions.

from pathlib import Path
from typing import ClassVar

import bpy

from ..au_mocap.errors import AuMocapError
from . import classes, polls


def _video(context: bpy.types.Context) -> Path:
    own = context.scene.aumocap
    return Path(bpy.path.abspath(own.takes[own.active_take].video))


class AUMOCAP_OT_add_audio(bpy.types.Operator):
    """Puts the clip's sound into the sequencer."""

    bl_idname = "aumocap.add_audio"
    bl_label = "Add Audio"
    bl_description = "Put the clip's sound into the sequencer, in step with the keys"
    bl_options: ClassVar = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a take."""
        return polls.take(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Add the strip, in the place of an earlier one."""
        from . import audio

        bake = context.scene.aumocap.bake
        try:
            audio.add_audio(context.scene, _video(context), bake.start_frame)
        except AuMocapError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        if bake.timing == "frames" or bake.speed != 1.0:
            self.report({"WARNING"}, "The sound plays in real time; the keys do not (Time and Speed).")
        return {"FINISHED"}


class AUMOCAP_OT_set_up_scene(bpy.types.Operator):
    """Puts the video beside the character."""

    bl_idname = "aumocap.set_up_scene"
    bl_label = "Set Up Scene"
    bl_options: ClassVar = {"REGISTER", "UNDO"}

    kind: bpy.props.EnumProperty(
        name="Where",
        items=(
            ("image_editor", "Beside the Viewport", "An image editor next to the viewport, in step with the timeline"),
            ("camera", "Behind the Camera", "The camera's background, in step with the timeline"),
        ),
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a take."""
        return polls.take(cls, context)

    @classmethod
    def description(cls, _context: bpy.types.Context, properties: "AUMOCAP_OT_set_up_scene") -> str:
        """What the button does."""
        where = (
            "as the camera's background" if properties.kind == "camera" else "in an image editor beside the viewport"
        )
        return f"Show the video {where}, in step with the timeline"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Show it."""
        from . import review_step, staging

        try:
            stage = staging.set_up(context, _video(context), context.scene.aumocap.bake.start_frame, self.kind)
        except AuMocapError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        review_step.follow(context.scene)
        if stage.hint and not context.scene.aumocap_review.in_step:
            self.report({"WARNING"}, stage.hint)
        return {"FINISHED"}


register, unregister = classes.factory((AUMOCAP_OT_add_audio, AUMOCAP_OT_set_up_scene))
