"""After a bake: a layer for corrections, and the character back at rest."""

# pyright: reportInvalidTypeForm=false
# Blender declares properties as annotations that call functions.

from typing import ClassVar

import bpy

from ..au_mocap.errors import AuMocapError
from . import bundle, classes, polls


class AUMOCAP_OT_add_corrections(bpy.types.Operator):
    """Puts an additive Action over the bake."""

    bl_idname = "aumocap.add_corrections"
    bl_label = "Add Correction Layer"
    bl_description = (
        "Put an empty additive Action over the baked keys, which move to an NLA track. What you key from now on is a "
        "correction, and stays when the take is baked again"
    )
    bl_options: ClassVar = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a take and a character."""
        return polls.take_and_character(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Add it, or say why not and leave all as it was."""
        from . import preview

        preview.make_way(context.scene)  # its poses are not to be taken for the character's own
        try:
            with bundle.needed():
                from . import layering, performing, scene, settings
            chosen, _ = settings.character_of(context.scene)
            found = scene.find_character(chosen)
            layered = layering.add(context.scene, found, performing.active_take(context.scene))
        except AuMocapError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        context.scene.frame_set(context.scene.frame_current, subframe=context.scene.frame_subframe)
        named = ", ".join(f"'{action.name}'" for action in layered.actions)
        self.report({"INFO"}, f"Keys go to {named} now; the bake lies below it in the NLA.")
        return {"FINISHED"}


class AUMOCAP_OT_rest_pose(bpy.types.Operator):
    """Poses the character as the table does for an actor at rest."""

    bl_idname = "aumocap.rest_pose"
    bl_label = "Reset to Neutral Pose"
    bl_description = (
        "Put everything that the table and the head drive back to rest. Keys stay, so the next frame change plays them"
    )
    bl_options: ClassVar = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a character whose properties may be set."""
        return polls.table(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Set the values; no key is touched."""
        from . import preview

        preview.make_way(context.scene)
        try:
            with bundle.needed():
                from . import rest_pose
            skipped = rest_pose.pose(context.scene)
        except AuMocapError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        if skipped:
            self.report({"WARNING"}, f"Left as it was: {'; '.join(skipped[:4])}")
        return {"FINISHED"}


CLASSES = (AUMOCAP_OT_add_corrections, AUMOCAP_OT_rest_pose)

register, unregister = classes.factory(CLASSES)
