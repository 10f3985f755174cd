"""Panel 5, edits by hand: the value here, the fixes, the curves in the Graph Editor."""

import math
from typing import Any, ClassVar

import bpy

from ..operators import choices, classes, fixing, refresh
from . import text
from .tab import InTab

_PRESENT = 0.1
"""As `channels.PRESENT_ABOVE`, which is not imported before the engine is used."""


class AUMOCAP_UL_fixes(bpy.types.UIList):
    """The fixes of a take."""

    bl_idname = "AUMOCAP_UL_fixes"

    def draw_item(
        self,
        _context: object,
        layout: bpy.types.UILayout,
        _data: object,
        item: bpy.types.PropertyGroup,
        _icon: int,
        _active_data: object,
        _active_property: str,
        index: int = 0,
    ) -> None:
        """One fix."""
        row = layout.row(align=True)
        row.operator("aumocap.go_to_fix", text="", icon="TIME", emboss=False).index = index
        split = row.split(factor=0.22)
        split.label(text=f"{item.time_s:.2f} s", translate=False)
        split = split.split(factor=0.6)
        split.label(text=choices.short_label(item.name))
        split.prop(item, "value", text="", emboss=False)
        row.operator("aumocap.remove_fix", text="", icon="X", emboss=False).index = index


class AUMOCAP_MT_copy_edits(bpy.types.Menu):
    """The other takes of the scene."""

    bl_idname = "AUMOCAP_MT_copy_edits"
    bl_label = "Copy Edits From"

    def draw(self, context: bpy.types.Context) -> None:
        """One entry each."""
        own = context.scene.aumocap
        others = [each.name for index, each in enumerate(own.takes) if index != own.active_take]
        for name in others:
            self.layout.operator("aumocap.copy_edits", text=name, translate=False).source = name
        if not others:
            self.layout.label(text="There is no other take")


class AUMOCAP_PT_edits(InTab, bpy.types.Panel):
    """What the artist knows better than the networks."""

    bl_idname = "AUMOCAP_PT_edits"
    bl_label = "5  Edits"
    bl_options: ClassVar = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """Fix Here, the fixes, the curves."""
        layout, own = self.layout, context.scene.aumocap
        if not 0 <= own.active_take < len(own.takes):
            text.paragraph(layout, context, "Edits can be made once there is a take.", "INFO")
            return
        item = own.takes[own.active_take]
        _draw_channels(layout, context.scene, item)
        _draw_value(layout, context.scene)
        _draw_fixes(layout, item)
        if refresh.problem():
            text.problem(layout, context, refresh.problem())
        _draw_curves(layout, context)


def _draw_channels(layout: bpy.types.UILayout, scene: bpy.types.Scene, item: bpy.types.PropertyGroup) -> None:
    """The channels with their values, left and right face to face."""
    own = scene.aumocap_fixing
    row = layout.row(align=True)
    row.prop(own, "wanted", text="", icon="VIEWZOOM")
    row.prop(own, "only_active", text="", icon="FILTER")
    values = fixing.row(scene)
    fixed = {each.name for each in item.edits.fixes}
    column = layout.box().column(align=True)
    column.scale_y = 0.9
    shown = 0
    for faced in choices.faced_channels():
        named = {each: _value(values, number) for each, number in faced.ids.items()}
        if not _is_shown(own, faced, named, fixed):
            continue
        shown += 1
        _draw_faced(column.row(align=True), own, faced, named)
    if not shown:
        column.label(text="No channel of that name" if own.wanted else "The face rests here: show all, or search")


def _value(values: Any, number: int) -> float:  # noqa: ANN401 - an array, or None
    found = 0.0 if values is None else float(values[number])
    return 0.0 if math.isnan(found) else found  # where there is no face


def _is_shown(own: bpy.types.PropertyGroup, faced: choices.Faced, named: dict[str, float], fixed: set[str]) -> bool:
    if own.wanted:
        return own.wanted.lower() in f"{faced.label} {' '.join(named)}".lower()
    is_active = any(value > _PRESENT for value in named.values()) or fixed & set(named)
    return not own.only_active or bool(is_active) or own.channel in named


def _draw_faced(row: bpy.types.UILayout, own: bpy.types.PropertyGroup, faced: choices.Faced, named: dict) -> None:
    """One line: the left side's value, the name (a button where there is a channel for both), the right side's."""
    split = row.split(factor=0.2, align=True)
    _draw_side(split, own, faced.left, named)
    split = split.split(factor=0.75, align=True)
    if faced.both:
        split.prop_enum(own, "channel", faced.both, text=f"{faced.label}  {named[faced.both]:.2f}")
    else:
        middle = split.row()
        middle.alignment = "CENTER"
        middle.label(text=faced.label)
    _draw_side(split, own, faced.right, named)


def _draw_side(layout: bpy.types.UILayout, own: bpy.types.PropertyGroup, channel_id: str, named: dict) -> None:
    if channel_id:
        side = channel_id[-1]
        layout.prop_enum(own, "channel", channel_id, text=f"{side} {named[channel_id]:.2f}")
    else:
        layout.label()


def _draw_value(layout: bpy.types.UILayout, scene: bpy.types.Scene) -> None:
    own = scene.aumocap_fixing
    column = layout.column(align=True)
    column.label(text=choices.channel_label(own.channel))
    row = column.row(align=True)
    row.prop(own, "value", text=f"At Frame {scene.frame_current}", slider=True)
    if fixing.is_shown(scene):
        row.operator("aumocap.leave_fix", text="", icon="X")
    row = column.row(align=True)
    row.prop(own, "blend_in")
    row.prop(own, "blend_out")
    column.operator("aumocap.add_fix", icon="KEYFRAME_HLT")


def _draw_fixes(layout: bpy.types.UILayout, item: bpy.types.PropertyGroup) -> None:
    edits = item.edits
    if not edits.fixes:
        return
    layout.template_list("AUMOCAP_UL_fixes", "", edits, "fixes", edits, "active_fix", rows=3)
    if 0 <= edits.active_fix < len(edits.fixes):
        fix = edits.fixes[edits.active_fix]
        row = layout.row(align=True)
        row.prop(fix, "blend_in_s", text="In (s)")
        row.prop(fix, "blend_out_s", text="Out (s)")
    layout.operator("aumocap.remove_fix", text="Remove All Fixes", icon="TRASH").everything = True


def _draw_curves(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    header, body = layout.panel("aumocap_edits_curves", default_closed=False)
    header.label(text="Curves and Reset")
    if body is None:
        return
    body.operator("aumocap.show_curves", icon="GRAPH")
    text.paragraph(body, context, "Fixes lie over these curves and do not show in them.")
    column = body.column(align=True)
    row = column.row(align=True)
    row.operator("aumocap.reset_edits", text="Reset Channel", icon="LOOP_BACK").extent = "channel"
    row.operator("aumocap.reset_edits", text="In Range").extent = "channel_range"
    row = column.row(align=True)
    row.operator("aumocap.reset_edits", text="Reset Range", icon="PREVIEW_RANGE").extent = "range"
    row.operator("aumocap.reset_edits", text="Reset All").extent = "all"
    body.menu("AUMOCAP_MT_copy_edits", icon="PASTEDOWN")


CLASSES = (AUMOCAP_UL_fixes, AUMOCAP_MT_copy_edits, AUMOCAP_PT_edits)

register, unregister = classes.factory(CLASSES)
