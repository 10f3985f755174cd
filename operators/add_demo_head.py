"""Adds the demo head, from the Add menu and the panel."""

from typing import ClassVar

import bpy


class AUMOCAP_OT_add_demo_head(bpy.types.Operator):
    """Adds the demo head."""

    bl_idname = "aumocap.add_demo_head"
    bl_label = "Demo Head"
    bl_description = "Add a head with the 52 ARKit shape keys, a neck and two eyes, ready for a take"
    bl_options: ClassVar = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Adding objects needs object mode."""
        if context.mode != "OBJECT":
            cls.poll_message_set("Leave the edit or pose mode first")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Add the head at the 3D cursor."""
        from .demo_head import add_demo_head

        add_demo_head(context)
        return {"FINISHED"}


def draw_in_add_menu(menu: bpy.types.Menu, _context: bpy.types.Context) -> None:
    """The entry in Add > Mesh."""
    menu.layout.operator(AUMOCAP_OT_add_demo_head.bl_idname, icon="USER")


def register() -> None:
    """Register the operator and its menu entry."""
    bpy.utils.register_class(AUMOCAP_OT_add_demo_head)
    bpy.types.VIEW3D_MT_mesh_add.append(draw_in_add_menu)


def unregister() -> None:
    """Undo `register`."""
    bpy.types.VIEW3D_MT_mesh_add.remove(draw_in_add_menu)
    bpy.utils.unregister_class(AUMOCAP_OT_add_demo_head)
