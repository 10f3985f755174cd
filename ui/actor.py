"""Panel 2: the actor's neutral, ranges and smoothing."""

import bpy

from ..operators import choices, classes, refresh
from . import actor_profile, text
from .tab import InTab


class AUMOCAP_UL_channels(bpy.types.UIList):
    """The channels with the actor's gain and offset."""

    bl_idname = "AUMOCAP_UL_channels"

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
        """One channel."""
        split = layout.split(factor=0.5)
        split.label(text=choices.short_label(item.name))
        row = split.row(align=True)
        row.prop(item, "gain", text="", emboss=False)
        row.prop(item, "offset", text="", emboss=False)

    def filter_items(self, _context: object, data: bpy.types.PropertyGroup, name: str) -> tuple[list[int], list[int]]:
        """Find channels by the names that people read."""
        items = getattr(data, name)
        wanted = self.filter_name.lower()
        shown = [not wanted or wanted in f"{choices.channel_label(item.name)} {item.name}".lower() for item in items]
        return [self.bitflag_filter_item if each else 0 for each in shown], []


class AUMOCAP_PT_actor(InTab, bpy.types.Panel):
    """What is known of the actor; every change shows at once."""

    bl_idname = "AUMOCAP_PT_actor"
    bl_label = "2  Actor"

    def draw(self, context: bpy.types.Context) -> None:
        """Neutral, smoothing, gaps, mirror; ranges folded away."""
        layout = self.layout
        own = context.scene.aumocap
        if not 0 <= own.active_take < len(own.takes):
            text.paragraph(layout, context, "The actor's settings appear once there is a take.", "INFO")
            return
        item = own.takes[own.active_take]
        actor_profile.draw_profile(layout, item)
        column = layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        column.prop(item, "neutral")
        if item.neutral == "frames":
            frames = column.column(align=True)
            frames.prop(item, "neutral_first")
            frames.prop(item, "neutral_last")
        row = layout.row(align=True)
        row.operator("aumocap.neutral_from_timeline", text="Current Frame", icon="EYEDROPPER").source = "current"
        row.operator("aumocap.neutral_from_timeline", text="Playback Range", icon="PREVIEW_RANGE").source = "range"
        column = layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        column.prop(item, "smoothing")
        column.prop(item, "contact")
        column.prop(item, "gaps")
        column.prop(item, "mirror")
        if refresh.problem():
            text.problem(layout, context, refresh.problem())
        _draw_ranges(layout, item)
        actor_profile.draw_intensity(layout, item)


def _draw_ranges(layout: bpy.types.UILayout, item: bpy.types.PropertyGroup) -> None:
    header, body = layout.panel("aumocap_actor_ranges", default_closed=True)
    changed = sum(each.gain != 1.0 or each.offset != 0.0 for each in item.channels)
    header.label(text=f"Ranges ({changed} changed)" if changed else "Ranges")
    if body is None:
        return
    split = body.split(factor=0.5)
    split.label(text="Channel")
    row = split.row(align=True)
    row.label(text="Gain")
    row.label(text="Offset")
    body.template_list("AUMOCAP_UL_channels", "", item, "channels", item, "active_channel", rows=7)
    if 0 <= item.active_channel < len(item.channels):
        channel = item.channels[item.active_channel]
        column = body.column(align=True)
        column.prop(channel, "gain", slider=True)
        column.prop(channel, "offset", slider=True)
    body.operator("aumocap.calibrate_ranges", icon="DRIVER_DISTANCE")
    row = body.row(align=True)
    row.operator("aumocap.reset_channels", text="Reset", icon="LOOP_BACK").everything = False
    row.operator("aumocap.reset_channels", text="Reset All").everything = True


CLASSES = (AUMOCAP_UL_channels, AUMOCAP_PT_actor)

register, unregister = classes.factory(CLASSES)
