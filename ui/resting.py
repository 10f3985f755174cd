"""Under the character: how its lids and lips meet, and whether the table is fitted to that."""

from typing import ClassVar

import bpy

from ..au_mocap.errors import AuMocapError
from ..operators import classes, fit_notes
from . import text
from .tab import InTab


class AUMOCAP_PT_resting(InTab, bpy.types.Panel):
    """Where lids and lips meet on this character. Folded away at first: what it shows is measured on the meshes."""

    bl_idname = "AUMOCAP_PT_resting"
    bl_label = "Lids and Lips"
    bl_parent_id = "AUMOCAP_PT_character"
    bl_options: ClassVar = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a character with a table."""
        chosen = context.scene.aumocap.character
        return chosen is not None and chosen.name in context.scene.objects and len(chosen.aumocap.rows) > 0

    def draw(self, context: bpy.types.Context) -> None:
        """The switch, and what was measured."""
        layout = self.layout
        chosen = context.scene.aumocap.character
        layout.prop(chosen.aumocap, "fit_contacts")
        try:
            notes = fit_notes.for_drawing(chosen)
        except AuMocapError as error:
            text.problem(layout, context, str(error))
            return
        column = layout.column(align=True)
        column.active = chosen.aumocap.fit_contacts
        for note in notes:
            text.paragraph(column, context, note)


register, unregister = classes.factory((AUMOCAP_PT_resting,))
