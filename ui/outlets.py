"""Sub-panel of Live: what is shown also goes to another program on this machine."""

from typing import ClassVar

import bpy

from ..operators import classes, live, preview
from . import text
from .tab import InTab


class AUMOCAP_PT_sender(InTab, bpy.types.Panel):
    """Whom live faces go to."""

    bl_idname = "AUMOCAP_PT_sender"
    bl_parent_id = "AUMOCAP_PT_live"
    bl_label = "Send to Another Program"
    bl_options: ClassVar = {"DEFAULT_CLOSED"}

    def draw_header(self, context: bpy.types.Context) -> None:
        """The switch."""
        self.layout.prop(context.scene.aumocap_sender, "use", text="")

    def draw(self, context: bpy.types.Context) -> None:
        """Form, address, name, and how it goes."""
        layout = self.layout
        own = context.scene.aumocap_sender
        column = layout.column()
        column.active = own.use
        column.use_property_split = True
        column.use_property_decorate = False
        for name in ("form", "address", "port"):
            column.prop(own, name)
        if own.form == "live-link-face":
            column.prop(own, "subject")
        if own.use:
            _draw_state(layout, context)


def _draw_state(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    run = live.current()
    feed = run.feed if run is not None else preview.feed()
    if feed is None:
        layout.label(text="Sends while Live or Preview is on", icon="INFO")
    elif feed.problem:
        text.problem(layout, context, feed.problem)
    else:
        layout.label(text=f"{feed.sent} frames sent", icon="CHECKMARK", translate=False)


register, unregister = classes.factory((AUMOCAP_PT_sender,))
