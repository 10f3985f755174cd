"""Gives a character's muted drivers their say again."""

from typing import ClassVar

import bpy

from ..au_mocap.errors import AuMocapError
from . import classes, drivers, polls, scene


class AUMOCAP_OT_restore_drivers(bpy.types.Operator):
    """Lets the drivers decide again that a bake has muted."""

    bl_idname = "aumocap.restore_drivers"
    bl_label = "Restore Drivers"
    bl_description = "Let the drivers decide again that a bake has muted; its keys stay below them"
    bl_options: ClassVar = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a character."""
        return polls.character(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Restore them."""
        try:
            character = scene.find_character(context.scene.aumocap.character)
        except AuMocapError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        keys = [mesh.data.shape_keys for mesh in character.meshes]
        owners = [owner for owner in (character.armature, *keys) if owner is not None and owner.is_editable]
        count = sum(drivers.restore(owner) for owner in dict.fromkeys(owners))
        if not count:
            self.report({"INFO"}, "No driver of this character was muted by a bake.")
            return {"CANCELLED"}
        scene_now = context.scene
        scene_now.frame_set(scene_now.frame_current, subframe=scene_now.frame_subframe)
        self.report({"INFO"}, f"{count} drivers decide again.")
        return {"FINISHED"}


register, unregister = classes.factory((AUMOCAP_OT_restore_drivers,))
