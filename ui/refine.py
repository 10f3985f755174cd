"""Panel Refine: a second pass over the chosen take's video, by renderings of the face."""

from typing import ClassVar

import bpy

from ..operators import classes, models, refine
from . import text
from .tab import InTab


class AUMOCAP_PT_refine(InTab, bpy.types.Panel):
    """The button, or how far the pass has come."""

    bl_idname = "AUMOCAP_PT_refine"
    bl_label = "Refine"
    bl_options: ClassVar = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """None ships, so that few have a refiner."""
        return refine.current() is not None or models.has_refiner()

    def draw(self, context: bpy.types.Context) -> None:
        """The button or its progress, and what it takes."""
        layout = self.layout
        running = refine.current()
        if running is None:
            layout.operator("aumocap.refine", icon="SHADERFX")
            text.paragraph(layout, context, "Renders the face and corrects the values by it: slow, into a new take.")
            return
        progress = running.progress
        row = layout.row(align=True)
        if progress is None or not progress.total:
            row.progress(factor=0.0, text="Starting…")
        else:
            share = min(1.0, progress.done / progress.total)
            row.progress(factor=share, text=f"{progress.done} of {progress.total}  ({100 * share:.0f} %)")
        row.operator("aumocap.cancel_refining", text="", icon="CANCEL")


CLASSES = (AUMOCAP_PT_refine,)

register, unregister = classes.factory(CLASSES)
