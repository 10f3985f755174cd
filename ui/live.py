"""Panel: live preview."""

import bpy

from ..operators import classes, live, live_operators
from . import text
from .tab import InTab


class AUMOCAP_MT_cameras(bpy.types.Menu):
    """The cameras of this machine."""

    bl_idname = "AUMOCAP_MT_cameras"
    bl_label = "Cameras"

    def draw(self, _context: bpy.types.Context) -> None:
        """One entry each."""
        found = live_operators.cameras()
        if not found:
            self.layout.label(text="No camera is connected")
        for index, name in found:
            self.layout.operator("aumocap.choose_camera", text=f"{index}  {name}", translate=False).index = index


class AUMOCAP_PT_live(InTab, bpy.types.Panel):
    """From the camera to the character, at once."""

    bl_idname = "AUMOCAP_PT_live"
    bl_label = "Live"

    def draw(self, context: bpy.types.Context) -> None:
        """Source, the button, what can be done while it runs."""
        layout = self.layout
        own = context.scene.aumocap.live
        is_on = live.current() is not None
        column = layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        column.enabled = not is_on
        _draw_source(column, own)
        row = layout.row()
        row.scale_y = 1.4
        row.operator(
            "aumocap.live", text="Stop Live  (Esc)" if is_on else "Start Live", icon="PAUSE" if is_on else "PLAY",
            depress=is_on,
        )  # fmt: skip
        _draw_status(layout, context)
        if is_on:
            _draw_recording(layout, own)
        _draw_shown(layout, own)
        _draw_more(layout, own)


def _draw_source(column: bpy.types.UILayout, own: bpy.types.PropertyGroup) -> None:
    column.prop(own, "source")
    if own.source == "camera":
        row = column.row(align=True)
        row.prop(own, "camera")
        row.menu("AUMOCAP_MT_cameras", text="", icon="DOWNARROW_HLT")
        column.prop(own, "size")
        column.prop(own, "rate_hz")
    elif own.source == "file":
        column.prop(own, "video")
        column.prop(own, "loop")
    else:
        column.prop(own, "folder")


def _draw_status(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    said = None
    if live.current() is not None:
        from ..operators import live_status

        said = live_status.status()
    if said is not None:
        layout.label(text=said.text, icon="REC" if said.told.startswith("Recording:") else "INFO", translate=False)
        if said.progress is not None:
            layout.progress(factor=said.progress, text=said.told)
        elif said.told:
            layout.label(text=said.told, icon="TIME", translate=False)
    problem = live.problem() or (said.alert if said is not None else "")
    if problem:
        text.problem(layout, context, problem)
    elif live.current() is None and live.is_storing():
        layout.label(text="Storing the take…", icon="SORTTIME")


def _draw_recording(layout: bpy.types.UILayout, own: bpy.types.PropertyGroup) -> None:
    row = layout.row(align=True)
    row.operator("aumocap.calibrate_live", text="Neutral", icon="USER")
    row.prop(own, "frozen", toggle=True, icon="FREEZE")
    is_recording = live.is_recording()
    row = layout.row()
    row.scale_y = 1.2
    row.operator(
        "aumocap.record_live", text="Stop" if is_recording else "Record", icon="SNAP_FACE" if is_recording else "REC",
        depress=is_recording,
    )  # fmt: skip


def _draw_shown(layout: bpy.types.UILayout, own: bpy.types.PropertyGroup) -> None:
    column = layout.column()
    column.use_property_split = True
    column.use_property_decorate = False
    column.prop(own, "smoothing")
    column.prop(own, "mirror")
    column.prop(own, "overlay")
    layout.label(text="Mute")
    grid = layout.grid_flow(columns=4, align=True, even_columns=True)
    grid.prop(own, "muted")


def _draw_more(layout: bpy.types.UILayout, own: bpy.types.PropertyGroup) -> None:
    header, body = layout.panel("aumocap_live_more", default_closed=True)
    header.label(text="Recording and Networks")
    if body is None:
        return
    body.use_property_split = True
    body.use_property_decorate = False
    for name in ("countdown_s", "play_scene", "keep_video", "regressor"):
        body.prop(own, name)


CLASSES = (AUMOCAP_MT_cameras, AUMOCAP_PT_live)

register, unregister = classes.factory(CLASSES)
