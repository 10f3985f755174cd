"""Panel 3: the character, and the table from channels to its controls."""

from typing import Final

import bpy

from ..operators import choices, classes, presets, table
from . import head, text
from .tab import InTab

_SURE: Final = 0.995
"""Matches from here on are shown without their confidence."""
_DOUBTFUL: Final = 0.75
"""Matches below are marked even where there is little room."""


class _Drawn:
    """What the list's rows are compared with: names that exist on the character, found once a draw."""

    keys: frozenset[str] = frozenset()
    bones: frozenset[str] = frozenset()


class AUMOCAP_UL_rows(bpy.types.UIList):
    """The table's rows; the filter finds channels and targets."""

    bl_idname = "AUMOCAP_UL_rows"

    def draw_item(
        self,
        context: bpy.types.Context,
        layout: bpy.types.UILayout,
        _data: object,
        item: bpy.types.PropertyGroup,
        _icon: int,
        _active_data: object,
        _active_property: str,
    ) -> None:
        """One row: switch, channel, target, solo; gain and test slider where there is room."""
        row = layout.row(align=True)
        row.prop(item, "enabled", text="")
        wide = text.is_wide(context)
        split = row.split(factor=0.62 if wide else 1.0, align=True)
        names = split.split(factor=0.52, align=True)
        names.active = item.enabled
        names.label(text=choices.short_label(item.channel))
        target = names.row(align=True)
        target.alert = not _exists(item)
        target.label(text=item.data_path if item.kind == "property" else item.target, translate=False)
        if 0.0 <= item.confidence < (_SURE if wide else _DOUBTFUL):
            _draw_doubt(row, item, wide)
        if wide:
            numbers = split.row(align=True)
            numbers.prop(item, "gain", text="")
            numbers.prop(item, "test", text="", slider=True)
        row.prop(item, "solo", text="", icon="SOLO_ON" if item.solo else "SOLO_OFF", emboss=False)


def _draw_doubt(row: bpy.types.UILayout, item: bpy.types.PropertyGroup, wide: bool) -> None:
    """How sure a match is, where it is not sure: a percentage if there is room, else a mark."""
    doubt = row.row(align=True)
    doubt.active = False
    if wide:
        doubt.ui_units_x = 2.0
        doubt.label(text=f"{item.confidence:.0%}")
    else:
        doubt.label(text="", icon="QUESTION")


def _exists(item: bpy.types.PropertyGroup) -> bool:
    if item.kind == "shape_key":
        return item.target in _Drawn.keys
    return item.kind == "property" or item.target in _Drawn.bones


class AUMOCAP_MT_presets(bpy.types.Menu):
    """Presets of the table: bundled ones and the user's own."""

    bl_idname = "AUMOCAP_MT_presets"
    bl_label = "Presets"

    def draw(self, context: bpy.types.Context) -> None:
        """Presets that fit the character, the others in grey, then what can be done with the table as a whole."""
        layout = self.layout
        listed = presets.entries(context.scene.aumocap.character)
        _draw_entries(layout, [entry for entry in listed if entry.fits])
        _draw_entries(layout, [entry for entry in listed if not entry.fits])
        layout.operator("aumocap.save_preset", icon="FILE_TICK")
        own = table.own_preset_names()
        if own:
            layout.menu("AUMOCAP_MT_delete_presets", icon="TRASH")
        layout.separator()
        layout.operator("aumocap.import_table", icon="IMPORT")
        layout.operator("aumocap.export_table", icon="EXPORT")


def _draw_entries(layout: bpy.types.UILayout, listed: list[presets.Entry]) -> None:
    for entry in listed:
        row = layout.row()
        row.active = entry.fits  # grey, and still to be had
        icon = "PRESET" if entry.fits else "NONE"
        row.operator("aumocap.load_preset", text=entry.title, icon=icon, translate=False).name = entry.name
    if listed:
        layout.separator()


class AUMOCAP_MT_delete_presets(bpy.types.Menu):
    """The user's own presets, to delete one."""

    bl_idname = "AUMOCAP_MT_delete_presets"
    bl_label = "Delete Preset"

    def draw(self, _context: bpy.types.Context) -> None:
        """The user's own presets."""
        for name in table.own_preset_names():
            self.layout.operator("aumocap.delete_preset", text=name, translate=False).name = name


class AUMOCAP_PT_character(InTab, bpy.types.Panel):
    """Who plays the take, and which channel moves what."""

    bl_idname = "AUMOCAP_PT_character"
    bl_label = "3  Character"

    def draw(self, context: bpy.types.Context) -> None:
        """The character, its table, its bones."""
        layout = self.layout
        own = context.scene.aumocap
        layout.prop(own, "character", text="")
        chosen = own.character
        if chosen is None:
            text.paragraph(layout, context, "Pick the character's armature or face mesh, or try the demo head.", "INFO")
            layout.operator("aumocap.add_demo_head", text="Add Demo Head", icon="ADD")
            return
        if chosen.name not in context.scene.objects:
            text.problem(layout, context, f"'{chosen.name}' is not in this scene any more: pick another character.")
            return
        members = table.members_for_drawing(chosen)
        _Drawn.keys, _Drawn.bones = frozenset(members.shape_keys), frozenset(members.bones)
        layout.label(text=members.summary, translate=False)
        _draw_table(layout, context, chosen.aumocap)
        head.draw(layout, context, members)


def _draw_table(layout: bpy.types.UILayout, context: bpy.types.Context, character: bpy.types.PropertyGroup) -> None:
    row = layout.row(align=True)
    row.menu("AUMOCAP_MT_presets", text=character.table_name or "Choose a Preset")
    row.operator("aumocap.match_by_name", text="", icon="VIEWZOOM")
    row.operator("aumocap.match_by_looking", text="", icon="HIDE_OFF")
    row = layout.row()
    row.template_list("AUMOCAP_UL_rows", "", character, "rows", character, "active_row", rows=6)
    column = row.column(align=True)
    column.operator("aumocap.add_row", text="", icon="ADD")
    column.operator("aumocap.remove_row", text="", icon="REMOVE")
    column.separator()
    column.operator("aumocap.duplicate_row", text="", icon="DUPLICATE")
    column.operator("aumocap.sort_rows", text="", icon="SORTALPHA")
    column.separator()
    column.operator("aumocap.end_test", text="", icon="LOOP_BACK")
    if 0 <= character.active_row < len(character.rows):
        layout.prop(character.rows[character.active_row], "test", slider=True)
    missing = sum(not _exists(each) for each in character.rows)
    if missing:
        many = f"{missing} rows name" if missing > 1 else "1 row names"
        text.paragraph(layout, context, f"{many} what this character does not have: it stays still.", "ERROR")
    unused = table.unused_channels(character)
    if unused and len(character.rows):
        header, body = layout.panel("aumocap_unused", default_closed=True)
        header.label(text=f"Unused Channels ({len(unused)})")
        if body is not None:
            for channel_id in unused:
                add = body.row()
                add.label(text=choices.short_label(channel_id))
                add.operator("aumocap.add_row", text="", icon="ADD").channel = channel_id
    if 0 <= character.active_row < len(character.rows):
        _draw_row(layout, context, character.rows[character.active_row])


def _draw_row(layout: bpy.types.UILayout, context: bpy.types.Context, row: bpy.types.PropertyGroup) -> None:
    header, body = layout.panel("aumocap_row", default_closed=True)
    header.label(text="Row")
    if body is None:
        return
    body.use_property_split = True
    body.use_property_decorate = False
    if row.confidence >= 0.0:
        body.label(text=f"Matched by its name: {row.confidence:.0%} sure", icon="VIEWZOOM")
    body.prop(row, "channel")
    body.prop(row, "kind")
    _draw_target(body, context, row)
    column = body.column(align=True)
    for name in ("gain", "gamma", "offset"):
        column.prop(row, name)
    column = body.column(align=True)
    column.prop(row, "min")
    column.prop(row, "max")


def _draw_target(body: bpy.types.UILayout, context: bpy.types.Context, row: bpy.types.PropertyGroup) -> None:
    chosen = context.scene.aumocap.character
    if row.kind == "shape_key":
        keys = table.widest_keys(chosen, row.object)
        if keys is None:
            body.prop(row, "target")
        else:
            body.prop_search(row, "target", keys, "key_blocks", icon="SHAPEKEY_DATA")
        body.prop_search(row, "object", context.scene, "objects")
    elif row.kind == "bone":
        armature = table.armature_of(chosen)
        if armature is None:
            body.prop(row, "target")
        else:
            body.prop_search(row, "target", armature.data, "bones", icon="BONE_DATA")
        body.prop(row, "path")
        body.prop(row, "axis", expand=True)
    else:
        body.prop_search(row, "object", context.scene, "objects")
        body.prop(row, "data_path")
        body.prop(row, "index")


CLASSES = (AUMOCAP_UL_rows, AUMOCAP_MT_presets, AUMOCAP_MT_delete_presets, AUMOCAP_PT_character)

register, unregister = classes.factory(CLASSES)
