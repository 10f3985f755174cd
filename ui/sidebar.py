"""The tab in the 3D viewport's sidebar."""

import bpy

from ..operators.bake import AUMOCAP_OT_bake_take
from ..operators.demo_head import AUMOCAP_OT_add_demo_head


class AUMOCAP_PT_bake(bpy.types.Panel):
    """What this version does inside Blender: add a head to try, bake a take."""

    bl_idname = "AUMOCAP_PT_bake"
    bl_label = "Takes"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "AU Mocap"

    def draw(self, context: bpy.types.Context) -> None:
        """The chosen character, and what can be done."""
        column = self.layout.column()
        chosen = context.active_object
        column.label(text=chosen.name if chosen else "No character selected", icon="USER")
        column.operator(AUMOCAP_OT_bake_take.bl_idname, text="Bake Take…", icon="ACTION")
        column.separator()
        column.operator(AUMOCAP_OT_add_demo_head.bl_idname, text="Add Demo Head", icon="ADD")


def register() -> None:
    """Register the panel."""
    bpy.utils.register_class(AUMOCAP_PT_bake)


def unregister() -> None:
    """Undo `register`."""
    bpy.utils.unregister_class(AUMOCAP_PT_bake)
