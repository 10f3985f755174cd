"""Bake a take that was analysed before onto the chosen character."""

# pyright: reportInvalidTypeForm=false
# Blender declares properties as annotations that call functions.

from pathlib import Path
from typing import ClassVar

import bpy

from ..au_mocap import mapping, take
from ..au_mocap.errors import AuMocapError
from . import keying, scene
from .curves import curves_of
from .head_tracks import HeadSettings


class AUMOCAP_OT_bake_take(bpy.types.Operator):
    """Bakes a stored take onto the active object's character."""

    bl_idname = "aumocap.bake_take"
    bl_label = "Bake Take"
    bl_description = "Write a take as keys on the active object's character: shape keys, neck and head"
    bl_options: ClassVar = {"REGISTER", "UNDO"}

    filepath: bpy.props.StringProperty(
        name="Take", description="The .take.npz file to bake", subtype="FILE_PATH", options={"SKIP_SAVE"}
    )
    filter_glob: bpy.props.StringProperty(default="*.take.npz", options={"HIDDEN"})
    mapping: bpy.props.StringProperty(
        name="Mapping", description="Name of a mapping, or path of a mapping file", default="arkit"
    )
    start_frame: bpy.props.FloatProperty(name="Start", description="Scene frame at which the video begins", default=1.0)
    use_head_pose: bpy.props.BoolProperty(
        name="Head Turns", description="Turn the neck and head bones as the actor turned", default=True
    )
    neck_share: bpy.props.FloatProperty(
        name="Neck Share",
        description="The neck's part of the head's turn",
        default=0.3,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
    )
    use_position: bpy.props.BoolProperty(
        name="Head Moves", description="Move the character as the actor's head moved", default=False
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a character."""
        if context.active_object is None:
            cls.poll_message_set("Select a character's armature or face mesh first")
            return False
        return True

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask for the file."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Bake, or say why not and leave the scene as it was."""
        path = Path(bpy.path.abspath(self.filepath))
        head = HeadSettings(position=self.use_position, neck_share=self.neck_share)
        settings = keying.BakeSettings(
            start_frame=self.start_frame,
            name=path.name.removesuffix(take.SUFFIX) or "AU Mocap",
            head=head if self.use_head_pose else None,
        )
        try:
            character = scene.find_character(context.active_object)
            stage: bpy.types.Scene = context.scene  # pyright: ignore[reportAssignmentType] - the stubs have it wrong
            table = mapping.load(self.mapping)
            report = keying.bake(stage, character, curves_of(path), table, settings)
        except AuMocapError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self.report({"WARNING"} if report.skipped else {"INFO"}, keying.summary(report))
        return {"FINISHED"}


def register() -> None:
    """Register the operator."""
    bpy.utils.register_class(AUMOCAP_OT_bake_take)


def unregister() -> None:
    """Undo `register`."""
    bpy.utils.unregister_class(AUMOCAP_OT_bake_take)
