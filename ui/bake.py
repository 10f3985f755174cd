"""Panel 6: preview, keys, sound and picture."""

import bpy

from ..operators import classes, preview, refresh
from . import corrections, text
from .tab import InTab


class AUMOCAP_PT_bake(InTab, bpy.types.Panel):
    """From the take to keys."""

    bl_idname = "AUMOCAP_PT_bake"
    bl_label = "6  Bake"

    def draw(self, context: bpy.types.Context) -> None:
        """Preview, destination, what and when, the button."""
        layout = self.layout
        scene = context.scene
        bake = scene.aumocap.bake
        is_on = preview.is_on(scene)
        layout.operator(
            "aumocap.preview", text="End Preview" if is_on else "Preview", icon="PAUSE" if is_on else "HIDE_OFF",
            depress=is_on,
        )  # fmt: skip
        column = layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        column.prop(bake, "destination")
        if bake.destination == "active":
            column.prop(bake, "action")
        column.prop(bake, "start_frame")
        row = layout.row(align=True)
        for name in ("use_face", "use_gaze"):
            row.prop(bake, name, toggle=True)
        row = layout.row(align=True)
        for name in ("use_rotation", "use_position"):
            row.prop(bake, name, toggle=True)
        _draw_more(layout, bake)
        row = layout.row()
        row.scale_y = 1.4
        row.operator("aumocap.bake", icon="RENDER_ANIMATION")
        layout.operator("aumocap.export_character", icon="EXPORT")
        if refresh.problem():
            text.problem(layout, context, refresh.problem())
        layout.prop(bake, "live_update")
        _draw_range(layout, bake)
        corrections.draw(layout)
        _draw_stage(layout)


def _draw_more(layout: bpy.types.UILayout, bake: bpy.types.PropertyGroup) -> None:
    header, body = layout.panel("aumocap_bake_more", default_closed=True)
    header.label(text="Timing and Keys")
    if body is None:
        return
    body.use_property_split = True
    body.use_property_decorate = False
    body.prop(bake, "timing")
    body.prop(bake, "speed")
    body.row().prop(bake, "keys", expand=True)
    if bake.tolerance > 0.0:
        body.prop(bake, "tolerance")
        body.prop(bake, "use_handles")
    body.prop(bake, "driven")
    if bake.driven == "mute":
        body.operator("aumocap.restore_drivers", icon="DRIVER")


def _draw_range(layout: bpy.types.UILayout, bake: bpy.types.PropertyGroup) -> None:
    header, body = layout.panel("aumocap_bake_range", default_closed=True)
    header.label(text="Bake Only a Range")
    if body is None:
        return
    row = body.row(align=True)
    row.prop(bake, "range_first")
    row.prop(bake, "range_last")
    body.operator("aumocap.bake_range", icon="PREVIEW_RANGE")


def _draw_stage(layout: bpy.types.UILayout) -> None:
    header, body = layout.panel("aumocap_stage", default_closed=True)
    header.label(text="Sound and Picture")
    if body is None:
        return
    body.operator("aumocap.add_audio", icon="SPEAKER")
    body.operator("aumocap.set_up_scene", text="Video Beside the Viewport", icon="IMAGE_DATA").kind = "image_editor"
    body.operator("aumocap.set_up_scene", text="Video Behind the Camera", icon="CAMERA_DATA").kind = "camera"


register, unregister = classes.factory((AUMOCAP_PT_bake,))
