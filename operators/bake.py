"""Bake the chosen take onto the chosen character: all of it, or only some frames."""

# pyright: reportInvalidTypeForm=false
# Blender declares properties as annotations that call functions.

from typing import ClassVar

import bpy

from ..au_mocap.errors import AuMocapError
from . import bundle, classes, polls


class AUMOCAP_OT_bake(bpy.types.Operator):
    """Writes the take as keys."""

    bl_idname = "aumocap.bake"
    bl_label = "Bake"
    bl_description = "Write the take as keys on the character, as the settings above say"
    bl_options: ClassVar = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a take, and a character with a table."""
        return polls.take_and_character(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Bake, or say why not and leave the scene as it was."""
        return _bake(self, context, None)


class AUMOCAP_OT_bake_range(bpy.types.Operator):
    """Writes some frames of the take over an earlier bake."""

    bl_idname = "aumocap.bake_range"
    bl_label = "Bake Range"
    bl_description = "Replace only the keys between these two scene frames; those outside stay as they are"
    bl_options: ClassVar = {"REGISTER", "UNDO"}

    first: bpy.props.IntProperty(name="From", description="First scene frame to replace", options={"SKIP_SAVE"})
    last: bpy.props.IntProperty(name="To", description="Last scene frame to replace", options={"SKIP_SAVE"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a take, and a character with a table."""
        return polls.take_and_character(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Bake, or say why not and leave the scene as it was."""
        bake = context.scene.aumocap.bake
        first = self.first if self.properties.is_property_set("first") else bake.range_first
        last = self.last if self.properties.is_property_set("last") else bake.range_last
        return _bake(self, context, (first, last))


def _bake(operator: bpy.types.Operator, context: bpy.types.Context, frame_range: tuple[int, int] | None) -> set[str]:
    from . import preview

    preview.make_way(context.scene)  # its poses are not to be taken for the character's own
    try:
        with bundle.needed():
            from . import keying, performing
        report = performing.bake_scene(context.scene, frame_range)
    except AuMocapError as error:
        operator.report({"ERROR"}, str(error))
        return {"CANCELLED"}
    context.scene.frame_set(context.scene.frame_current, subframe=context.scene.frame_subframe)
    operator.report({"WARNING"} if report.skipped else {"INFO"}, keying.summary(report))
    return {"FINISHED"}


register, unregister = classes.factory((AUMOCAP_OT_bake, AUMOCAP_OT_bake_range))
