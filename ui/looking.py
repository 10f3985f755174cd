"""Sub-panel of the character: match by looking, and the marks for faces that the tracker does not see."""

from typing import ClassVar

import bpy

from ..operators import classes
from . import text
from .tab import InTab


class AUMOCAP_PT_looking(InTab, bpy.types.Panel):
    """The table from what shape keys do."""

    bl_idname = "AUMOCAP_PT_looking"
    bl_label = "Match by Looking"
    bl_parent_id = "AUMOCAP_PT_character"
    bl_options: ClassVar = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only for a character of this scene."""
        chosen = context.scene.aumocap.character
        return chosen is not None and chosen.name in context.scene.objects

    def draw(self, context: bpy.types.Context) -> None:
        """The button, and the marks."""
        layout = self.layout
        layout.operator("aumocap.match_by_looking", icon="HIDE_OFF")
        count = sum("aumocap_landmark" in each for each in context.scene.aumocap.character.children)
        row = layout.row(align=True)
        row.operator("aumocap.add_marks", icon="EMPTY_AXIS")
        row.operator("aumocap.remove_marks", text="", icon="X")
        if count:
            text.paragraph(
                layout, context, f"{count} marks say where the face is. Left is the character's own.", "INFO"
            )
        else:
            text.paragraph(layout, context, "Marks are for faces that the tracker does not see.")


register, unregister = classes.factory((AUMOCAP_PT_looking,))
