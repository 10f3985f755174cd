"""Sub-panel of Live: what is shown also goes to another program on this machine."""

from typing import TYPE_CHECKING, ClassVar

import bpy

from ..operators import classes, live, preview
from . import text
from .tab import InTab

if TYPE_CHECKING:
    from ..operators.outlets_feed import CurvesFeed, Feed


class AUMOCAP_PT_sender(InTab, bpy.types.Panel):
    """Whom live faces go to."""

    bl_idname = "AUMOCAP_PT_sender"
    bl_parent_id = "AUMOCAP_PT_live"
    bl_label = "Send to Another Program"
    bl_options: ClassVar = {"DEFAULT_CLOSED"}

    def draw_header(self, context: bpy.types.Context) -> None:
        """The switch, and a sign where something does not work: the panel may be closed."""
        own = context.scene.aumocap_sender
        self.layout.prop(own, "use", text="")
        feed = _feed()
        if own.use and feed is not None and feed.problem:
            self.layout.label(icon="ERROR")

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


def _feed() -> "Feed | CurvesFeed | None":
    """What sends now."""
    run = live.current()
    return run.feed if run is not None else preview.feed()


def _draw_state(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    feed = _feed()
    if feed is None:
        layout.label(text="Sends while Live or Preview is on", icon="INFO")
    elif feed.problem:
        text.problem(layout, context, feed.problem)
    else:
        layout.label(text=f"{feed.sent} frames sent", icon="CHECKMARK", translate=False)


register, unregister = classes.factory((AUMOCAP_PT_sender,))
