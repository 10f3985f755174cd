"""Panel 1: the video, and its takes."""

from pathlib import Path

import bpy

from ..operators import analyse, classes, scene_properties, video_look
from ..operators.analysis import Analysis
from . import text
from .tab import InTab


class AUMOCAP_UL_takes(bpy.types.UIList):
    """The scene's takes; a double click renames."""

    bl_idname = "AUMOCAP_UL_takes"

    def draw_item(
        self,
        _context: object,
        layout: bpy.types.UILayout,
        _data: object,
        item: bpy.types.PropertyGroup,
        _icon: int,
        _active_data: object,
        _active_property: str,
    ) -> None:
        """One take: its name, what is wrong with it, whether keys follow it."""
        row = layout.row(align=True)
        row.prop(item, "name", text="", emboss=False, icon="ACTION" if item.baked_on else "ANIM_DATA")
        if item.partial:
            row.label(text="partial")
        if not Path(bpy.path.abspath(item.filepath)).is_file():
            row.label(text="", icon="ERROR")


class AUMOCAP_PT_capture(InTab, bpy.types.Panel):
    """From a video to a take."""

    bl_idname = "AUMOCAP_PT_capture"
    bl_label = "1  Capture"

    def draw(self, context: bpy.types.Context) -> None:
        """Video, options, the button or its progress, the takes."""
        layout = self.layout
        own = context.scene.aumocap
        if scene_properties.newer(own):
            text.problem(layout, context, scene_properties.newer(own))
        _draw_video(layout, context, own.capture)
        running = analyse.current()
        if running is None:
            _draw_options(layout, own.capture)
            row = layout.row()
            row.scale_y = 1.4
            row.operator("aumocap.analyse", icon="PLAY")
        else:
            _draw_progress(layout, running)
        _draw_last(layout, context)
        _draw_takes(layout, context, own)


def _draw_video(layout: bpy.types.UILayout, context: bpy.types.Context, capture: bpy.types.PropertyGroup) -> None:
    row = layout.row(align=True)
    row.prop(capture, "filepath", text="", placeholder="Choose the actor's video")
    row.operator("aumocap.choose_video", text="", icon="FILE_FOLDER")
    if not capture.filepath:
        return
    look = video_look.shown(capture.filepath)
    if look is None:
        layout.label(text="Looking at the video…", icon="SORTTIME")
        return
    if look.error:
        text.problem(layout, context, look.error)
        return
    icon = video_look.icon(capture.filepath)
    if icon:
        layout.template_icon(icon_value=icon, scale=7.0)
    column = layout.column(align=True)
    column.label(text=look.facts, translate=False)
    if not look.face:
        text.paragraph(column, context, "No face in the first frames: it is looked for in all of them.", "INFO")


def _draw_options(layout: bpy.types.UILayout, capture: bpy.types.PropertyGroup) -> None:
    column = layout.column()
    column.use_property_split = True
    column.use_property_decorate = False
    column.prop(capture, "regressor")
    column.prop(capture, "all_actors")
    header, body = layout.panel("aumocap_capture_more", default_closed=True)
    header.label(text="Camera, Range, Device")
    if body is None:
        return
    body.use_property_split = True
    body.use_property_decorate = False
    body.prop(capture, "device")
    body.prop(capture, "fov_deg")
    body.prop(capture, "use_range")
    column = body.column(align=True)
    column.active = capture.use_range
    column.prop(capture, "first")
    column.prop(capture, "last")


def _draw_progress(layout: bpy.types.UILayout, running: Analysis) -> None:
    progress = running.progress
    column = layout.column()
    row = column.row(align=True)
    if progress is None:
        row.progress(factor=0.0, text="Starting…")
    elif progress.total:
        share = min(1.0, progress.done / progress.total)
        row.progress(factor=share, text=f"{progress.done} of {progress.total}  ({100 * share:.0f} %)")
    else:
        row.progress(factor=0.0, text=f"{progress.done} frames")
    row.operator("aumocap.cancel_analysis", text="", icon="CANCEL")
    if progress is not None and progress.done:
        rate = progress.frames_per_s
        left = f", {_time(max(0, progress.total - progress.done) / rate)} left" if progress.total and rate else ""
        column.label(text=f"{rate:.0f} frames/s{left}", translate=False)
        if progress.faces < progress.done:
            column.label(text=f"Face in {100 * progress.faces / progress.done:.0f} % of the frames", translate=False)


def _time(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02} min" if whole >= 60 else f"{whole} s"


def _draw_last(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    outcome = analyse.last()
    if outcome is None or analyse.current() is not None:
        return
    if outcome.error:
        text.problem(layout, context, outcome.error)
    for warning in outcome.warnings:
        text.paragraph(layout, context, warning, "INFO")


def _draw_takes(layout: bpy.types.UILayout, context: bpy.types.Context, own: bpy.types.PropertyGroup) -> None:
    layout.separator()
    layout.label(text="Takes")
    row = layout.row()
    row.template_list("AUMOCAP_UL_takes", "", own, "takes", own, "active_take", rows=5)
    column = row.column(align=True)
    column.operator("aumocap.open_take", text="", icon="ADD")
    column.operator("aumocap.delete_take", text="", icon="REMOVE")
    column.separator()
    column.operator("aumocap.duplicate_take", text="", icon="DUPLICATE")
    column.operator("aumocap.find_takes", text="", icon="FILE_REFRESH")
    column.operator("aumocap.relink_video", text="", icon="LINKED")
    column.separator()
    column.operator("aumocap.import_take", text="", icon="IMPORT")
    if not 0 <= own.active_take < len(own.takes):
        return
    item = own.takes[own.active_take]
    layout.label(text=item.detail, translate=False)
    row = layout.row(align=True)
    row.operator("aumocap.export_curves", icon="EXPORT")
    row.operator("aumocap.write_report", icon="TEXT")
    if item.video and not Path(item.video).exists():
        text.paragraph(
            layout, context, "The video has moved: the take is whole, Relink shows the picture again.", "INFO"
        )


CLASSES = (AUMOCAP_UL_takes, AUMOCAP_PT_capture)

register, unregister = classes.factory(CLASSES)
