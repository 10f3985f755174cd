"""The library: takes of a folder with their pictures, what is noted about them, and work on many at once."""

from pathlib import Path

import bpy

from ..operators import actor_profile, classes, library, library_batch, library_pictures, library_state
from . import text
from .tab import InTab

_ICONS = {"done": "CHECKMARK", "failed": "ERROR", "cancelled": "CANCEL", "skipped": "FORWARD"}
_CLIPS = {"missing": "The video has moved", "changed": "Another video lies in its place"}
_MOST_RESULTS = 6


class AUMOCAP_UL_library(bpy.types.UIList):
    """Takes that fit the search."""

    bl_idname = "AUMOCAP_UL_library"

    def draw_item(
        self,
        context: bpy.types.Context,
        layout: bpy.types.UILayout,
        _data: object,
        item: bpy.types.PropertyGroup,
        _icon: int,
        _active_data: object,
        _active_property: str,
        index: int = 0,
        _flags: int = 0,
    ) -> None:
        """One take: its mark, picture, name, actor and length."""
        entry = library_state.entry(index)
        row = layout.row(align=True)
        row.prop(item, "marked", text="")
        if entry is None:
            return
        icon = library_pictures.icon(entry)
        is_wide = text.is_wide(context)
        split = row.split(factor=0.5 if is_wide else 0.72)
        if icon:
            split.label(text=item.name, icon_value=icon, translate=False)
        else:
            split.label(text=item.name, icon=_icon_of(entry), translate=False)
        right = split.row()
        if is_wide:
            right.label(text=library_state.text_of(entry.notes.actor), translate=False)
        if entry.summary is not None:
            length = right.row()
            length.alignment = "RIGHT"
            length.label(text=_length(entry.summary.duration_s), translate=False)
        if entry.clip_state in _CLIPS or entry.notes_problem:
            right.label(text="", icon="UNLINKED" if entry.clip_state in _CLIPS else "ERROR")

    def draw_filter(self, _context: object, _layout: object) -> None:
        """Nothing: the search above the list filters."""

    def filter_items(self, _context: object, _data: object, _property: str) -> tuple[list[int], list[int]]:
        """All rows in their order."""
        return [], []


def _icon_of(entry: "object") -> str:
    return "ERROR" if getattr(entry, "problem", "") else "ANIM_DATA"


def _length(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02}" if whole >= 60 else f"{seconds:.1f} s"


class AUMOCAP_PT_library(InTab, bpy.types.Panel):
    """Takes of a folder."""

    bl_idname = "AUMOCAP_PT_library"
    bl_label = "Library"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012 - Blender reads it once

    def draw(self, context: bpy.types.Context) -> None:
        """Folder, search, takes, the chosen one, work on many."""
        layout = self.layout
        own = context.window_manager.aumocap_library
        row = layout.row(align=True)
        row.prop(context.scene.aumocap_library, "folder", text="", placeholder="Takes folder of the preferences")
        row.operator("aumocap.library_refresh", text="", icon="FILE_REFRESH")
        reading = library_state.progress()
        if reading is not None:
            layout.label(text=f"Reading takes… {reading}" if reading else "Looking for takes…", icon="SORTTIME")
        for problem in filter(None, (library_state.problem(), *library_state.told()[:3])):
            text.problem(layout, context, library_state.text_of(problem))
        if library_state.shown_folder() is None or library_state.is_stale():
            library_state.want()
        if library_state.shown_folder() is not None:
            _draw_takes(layout, context, own)
        _draw_work(layout, context)


def _draw_takes(layout: bpy.types.UILayout, context: bpy.types.Context, own: bpy.types.PropertyGroup) -> None:
    row = layout.row(align=True)
    row.prop(own, "search", text="", icon="VIEWZOOM", placeholder="actor:anna tag:smile -blooper")
    row.prop(own, "view", text="", expand=True)
    total, shown = library_state.count(), len(own.rows)
    marked = sum(row.marked for row in own.rows)
    row = layout.row(align=True)
    counted = f"{shown} of {total} takes" if shown != total else f"{total} takes"
    row.label(text=f"{counted}, {marked} marked" if marked else counted, translate=False)
    row.operator("aumocap.library_mark", text="", icon="CHECKBOX_HLT").action = "ALL"
    row.operator("aumocap.library_mark", text="", icon="CHECKBOX_DEHLT").action = "NONE"
    row.operator("aumocap.library_note", text="", icon="BOOKMARKS")
    row.operator("aumocap.library_relink", text="", icon="LINKED")
    if own.view == "GRID":
        _draw_grid(layout, context, own)
    else:
        layout.template_list("AUMOCAP_UL_library", "", own, "rows", own, "active", rows=6, maxrows=12)
    if shown:
        row = layout.row(align=True)
        row.operator("aumocap.library_load", icon="IMPORT")
        row.operator("aumocap.library_reveal", text="", icon="FILE_FOLDER")
        _draw_details(layout, context, own)


def _draw_grid(layout: bpy.types.UILayout, context: bpy.types.Context, own: bpy.types.PropertyGroup) -> None:
    columns = 4 if text.is_wide(context) else 3
    grid = layout.grid_flow(row_major=True, columns=columns, even_columns=True, even_rows=True, align=True)
    first = own.page * library.PAGE
    for index in range(first, min(first + library.PAGE, len(own.rows))):
        entry = library_state.entry(index)
        if entry is None:
            continue
        cell = grid.column(align=True)
        icon = library_pictures.icon(entry)
        box = cell.box()
        if icon:
            box.template_icon(icon_value=icon, scale=4.0)
        else:
            column = box.column()
            column.scale_y = 4.0
            column.label(text="", icon=_icon_of(entry))
        row = cell.row(align=True)
        row.prop(own.rows[index], "marked", text="")
        name = own.rows[index].name
        row.operator("aumocap.library_choose", text=name, depress=index == own.active, translate=False).index = index
    pages = (len(own.rows) + library.PAGE - 1) // library.PAGE
    if pages > 1:
        row = layout.row(align=True)
        row.operator("aumocap.library_page", text="", icon="TRIA_LEFT").step = -1
        row.label(text=f"{own.page + 1} of {pages}", translate=False)
        row.operator("aumocap.library_page", text="", icon="TRIA_RIGHT").step = 1


def _draw_details(layout: bpy.types.UILayout, context: bpy.types.Context, own: bpy.types.PropertyGroup) -> None:
    entry = library_state.active()
    if entry is None:
        return
    box = layout.box()
    icon = library_pictures.icon(entry)
    if icon and own.view == "LIST":
        box.template_icon(icon_value=icon, scale=7.0)
    known = entry.summary
    place = f"{entry.folder}/{entry.name}" if entry.folder else entry.name
    box.label(text=library_state.text_of(place), translate=False)
    for problem in filter(None, (entry.problem, entry.notes_problem)):
        text.problem(box, context, library_state.text_of(problem))
    if known is not None:
        partial = ", partial" if known.partial else ""
        facts = f"{_length(known.duration_s)}, {known.frames} frames, face in {100 * known.faces:.0f} %{partial}"
        text.paragraph(box, context, facts)
        text.paragraph(box, context, ", ".join(filter(None, (known.regressor, _date(entry.modified_ns)))))
        if known.clip:
            text.paragraph(box, context, library_state.text_of(known.clip))
        if entry.clip_state in _CLIPS:
            row = box.row()
            row.label(text=_CLIPS[entry.clip_state], icon="UNLINKED")
            row.operator("aumocap.library_link", text="", icon="FILE_FOLDER")
    column = box.column()
    column.enabled = not entry.notes_problem
    column.use_property_split = True
    column.use_property_decorate = False
    for name in ("actor", "tags", "notes"):
        column.prop(own, name)


def _date(modified_ns: int) -> str:
    import time

    return time.strftime("%Y-%m-%d %H:%M", time.localtime(modified_ns / 1e9))


def _draw_work(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    run = library_batch.current()
    if run is not None:
        column = layout.column()
        row = column.row(align=True)
        row.progress(factor=run.factor, text=f"{len(run.results)} of {run.total}" if run.total else "Looking…")
        row.operator("aumocap.library_cancel", text="", icon="CANCEL")
        column.label(text=library_state.text_of(f"{run.title}: {Path(run.name).name}"), translate=False)
        return
    header, body = layout.panel("aumocap_library_lists", default_closed=True)
    header.label(text="Many at Once")
    if body is not None:
        _draw_lists(body, context)
    done = library_batch.last()
    if done is not None:
        _draw_summary(layout, context, done)


def _draw_lists(body: bpy.types.UILayout, context: bpy.types.Context) -> None:
    own = context.scene.aumocap_library
    body.operator("aumocap.library_analyse", icon="PLAY")
    meant = len(library_state.wanted())
    takes = f"{meant} Takes" if meant > 1 else "Take"
    box = body.column(align=True)
    box.row().prop(own, "source", expand=True)
    if own.source == "PROFILE":
        box.menu("AUMOCAP_MT_library_profiles", text=own.profile or "Choose a Profile", icon="USER", translate=False)
    box.operator("aumocap.library_calibrate", text=f"Give Settings to {takes}", icon="USER", translate=False)
    box = body.column()
    box.use_property_split = True
    box.use_property_decorate = False
    box.prop(own, "bake_to")
    box.prop(own, "place")
    if own.place == "ROW":
        box.prop(own, "gap")
    box.operator("aumocap.library_bake", text=f"Bake {takes}", icon="RENDER_ANIMATION", translate=False)


def _draw_summary(layout: bpy.types.UILayout, context: bpy.types.Context, done: "object") -> None:
    from ..au_mocap import batch

    box = layout.box()
    results = done.results  # pyright: ignore[reportAttributeAccessIssue] - a Run
    box.label(text=f"{done.title}: {batch.headline(results)}", translate=False)  # pyright: ignore[reportAttributeAccessIssue]
    order = ("failed", "cancelled", "done", "skipped")
    for result in sorted(results, key=lambda each: order.index(each.state))[:_MOST_RESULTS]:
        line = f"{result.name}: {result.detail}" if result.detail else result.name
        text.paragraph(box, context, library_state.text_of(line), _ICONS[result.state])
    box.label(text=f"All of it: text '{library_batch.REPORT}'", translate=False)


class AUMOCAP_MT_library_profiles(bpy.types.Menu):
    """Actors that are known, for a list."""

    bl_idname = "AUMOCAP_MT_library_profiles"
    bl_label = "Actor Profiles"

    def draw(self, _context: bpy.types.Context) -> None:
        """Every profile."""
        known = actor_profile.names()
        if not known:
            self.layout.label(text="Save a profile in the Actor panel first")
        for name in known:
            entry = self.layout.operator("wm.context_set_string", text=name, icon="USER", translate=False)
            entry.data_path, entry.value = "scene.aumocap_library.profile", name


CLASSES = (AUMOCAP_UL_library, AUMOCAP_MT_library_profiles, AUMOCAP_PT_library)

register, unregister = classes.factory(CLASSES)
