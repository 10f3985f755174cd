"""Editing a character's table: rows, presets, files, matching by name."""

# pyright: reportInvalidTypeForm=false
# Blender declares properties as annotations that call functions.

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import bpy

from ..au_mocap.errors import AuMocapError
from . import choices, classes, polls, refresh, table

_ROW = (
    "channel", "kind", "target", "object", "path", "axis", "data_path", "index",
    "gain", "gamma", "offset", "min", "max", "enabled", "confidence",
)  # fmt: skip


class _NeedsTable:
    """What all of them share: they need a character whose table may be edited."""

    bl_options: ClassVar = {"REGISTER", "UNDO"}
    poll_message_set: ClassVar[Callable[..., None]]

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a character."""
        return polls.table(cls, context)


def _character(context: bpy.types.Context) -> "bpy.types.PropertyGroup":
    return context.scene.aumocap.character.aumocap


class AUMOCAP_OT_add_row(_NeedsTable, bpy.types.Operator):
    """Adds a row."""

    bl_idname = "aumocap.add_row"
    bl_label = "Add Row"
    bl_description = "Add a row: which channel drives which shape key, bone or property"

    channel: bpy.props.EnumProperty(name="Channel", items=choices.channel_items, options={"SKIP_SAVE"})
    target: bpy.props.StringProperty(name="Shape Key", options={"SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Add it below the others."""
        character = _character(context)
        with refresh.held():
            row = character.rows.add()
            row.channel, row.target = self.channel, self.target
            character.active_row = len(character.rows) - 1
        refresh.scene(context.scene)
        return {"FINISHED"}


class AUMOCAP_OT_remove_row(_NeedsTable, bpy.types.Operator):
    """Removes the chosen row."""

    bl_idname = "aumocap.remove_row"
    bl_label = "Remove Row"
    bl_description = "Remove the chosen row"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Remove it."""
        character = _character(context)
        if not 0 <= character.active_row < len(character.rows):
            return {"CANCELLED"}
        _end_test(context)
        character.rows.remove(character.active_row)
        character.active_row = max(0, min(character.active_row, len(character.rows) - 1))
        refresh.scene(context.scene)
        return {"FINISHED"}


class AUMOCAP_OT_duplicate_row(_NeedsTable, bpy.types.Operator):
    """Copies the chosen row."""

    bl_idname = "aumocap.duplicate_row"
    bl_label = "Duplicate Row"
    bl_description = "Copy the chosen row, to drive a second target"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Copy it to the place below."""
        character = _character(context)
        index = character.active_row
        if not 0 <= index < len(character.rows):
            return {"CANCELLED"}
        with refresh.held():
            copy = character.rows.add()
            for name in _ROW:
                setattr(copy, name, getattr(character.rows[index], name))
            character.rows.move(len(character.rows) - 1, index + 1)
            character.active_row = index + 1
        refresh.scene(context.scene)
        return {"FINISHED"}


class AUMOCAP_OT_sort_rows(_NeedsTable, bpy.types.Operator):
    """Sorts the rows."""

    bl_idname = "aumocap.sort_rows"
    bl_label = "Sort Rows"
    bl_description = "Sort the rows by channel, FEAFA's 24 Action Units first"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Sort in place."""
        from ..au_mocap.channels import INDEX

        _end_test(context)
        rows = _character(context).rows
        for place in range(len(rows)):  # selection sort: Blender can only move one row at a time
            first = min(range(place, len(rows)), key=lambda index: (INDEX[rows[index].channel], rows[index].target))
            rows.move(first, place)
        return {"FINISHED"}


class AUMOCAP_OT_match_by_name(_NeedsTable, bpy.types.Operator):
    """Fills the table from the names of the character's shape keys."""

    bl_idname = "aumocap.match_by_name"
    bl_label = "Match by Name"
    bl_description = (
        "Add rows for channels that the table does not use yet, by the names of the character's shape keys, bones and "
        "properties: single actions in any usual spelling, and presets that fit"
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Add what is found; rows that are there stay."""
        from . import presets, rows

        chosen = context.scene.aumocap.character
        character = chosen.aumocap
        before = len(table.unused_channels(character))
        try:
            found = presets.matched(chosen, tuple(row.channel for row in character.rows if row.enabled))
        except AuMocapError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        with refresh.held():
            for row, sure in zip(found.mapping.rows, found.confidences, strict=True):
                rows.fill_row(character.rows.add(), row, sure)
            if found.mapping.rows:
                character.table_name = character.table_name or found.mapping.name
        refresh.scene(context.scene)
        if not found.mapping.rows:
            self.report({"WARNING"}, "Nothing further has a name that says which channel it plays.")
            return {"CANCELLED"}
        after = len(table.unused_channels(character))
        many = len(found.mapping.rows)
        self.report({"INFO"}, f"{many} rows added for {before - after} channels, {after} channels play nothing.")
        return {"FINISHED"}


class AUMOCAP_OT_load_preset(_NeedsTable, bpy.types.Operator):
    """Puts a preset in the table's place."""

    bl_idname = "aumocap.load_preset"
    bl_label = "Load Preset"
    bl_description = (
        "Put this preset in the place of the table. Bundled presets that move bones are made for a human head and are "
        "scaled to this character's, by the distance of its eye bones or the length of its head bone"
    )

    name: bpy.props.StringProperty(name="Preset", options={"SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Load it."""
        return _load(self, context, self.name)


class AUMOCAP_OT_import_table(_NeedsTable, bpy.types.Operator):
    """Reads a table from a file."""

    bl_idname = "aumocap.import_table"
    bl_label = "Import Table"
    bl_description = "Put a table from a JSON file in the place of this one"

    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: bpy.props.StringProperty(default="*.json", options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask for the file."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Read it."""
        return _load(self, context, Path(bpy.path.abspath(self.filepath)))


def _load(operator: bpy.types.Operator, context: bpy.types.Context, source: str | Path) -> set[str]:
    from . import presets

    chosen = context.scene.aumocap.character
    try:
        loaded = presets.load(source, chosen)
        missing = presets.missing(loaded.mapping, chosen)
        _end_test(context)
        table.fill(_character(context), loaded.mapping, loaded.confidences)
    except AuMocapError as error:
        operator.report({"ERROR"}, str(error))
        return {"CANCELLED"}
    refresh.scene(context.scene)
    if missing:
        some = ", ".join(missing[:4]) + (f" and {len(missing) - 4} more" if len(missing) > 4 else "")
        operator.report({"WARNING"}, f"This character has no {some}: those rows move nothing.")
    return {"FINISHED"}


class AUMOCAP_OT_save_preset(_NeedsTable, bpy.types.Operator):
    """Keeps the table as a preset of one's own."""

    bl_idname = "aumocap.save_preset"
    bl_label = "Save Preset"
    bl_description = "Keep this table as a preset of your own, for other characters and other files"
    bl_options: ClassVar = {"REGISTER"}

    name: bpy.props.StringProperty(name="Name", description="Name in the presets menu", options={"SKIP_SAVE"})
    overwrite: bpy.props.BoolProperty(
        name="Overwrite", description="Replace your preset of that name", default=False, options={"SKIP_SAVE"}
    )

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask for the name."""
        self.name = context.scene.aumocap.character.name
        return context.window_manager.invoke_props_dialog(self)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Write it."""
        try:
            path = table.own_preset(self.name)
            if path.exists() and not self.overwrite:
                self.report({"ERROR"}, f"There is a preset '{self.name}' already: choose another name, or Overwrite.")
                return {"CANCELLED"}
            _save(context, path, self.name.strip())
        except AuMocapError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


class AUMOCAP_OT_delete_preset(bpy.types.Operator):
    """Deletes a preset of one's own."""

    bl_idname = "aumocap.delete_preset"
    bl_label = "Delete Preset"
    bl_description = "Delete this preset of your own"

    name: bpy.props.StringProperty(name="Preset", options={"SKIP_SAVE"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask first."""
        return context.window_manager.invoke_confirm(self, event)

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Delete the file."""
        try:
            table.own_preset(self.name).unlink()
        except (OSError, AuMocapError) as error:
            self.report({"ERROR"}, f"The preset '{self.name}' cannot be deleted: {error}")
            return {"CANCELLED"}
        return {"FINISHED"}


class AUMOCAP_OT_export_table(_NeedsTable, bpy.types.Operator):
    """Writes the table to a file."""

    bl_idname = "aumocap.export_table"
    bl_label = "Export Table"
    bl_description = "Write this table to a JSON file"
    bl_options: ClassVar = {"REGISTER"}

    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: bpy.props.StringProperty(default="*.json", options={"HIDDEN"})
    check_existing: bpy.props.BoolProperty(default=True, options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask for the file."""
        self.filepath = f"{bpy.path.clean_name(context.scene.aumocap.character.name)}.json"
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Write it."""
        path = Path(bpy.path.ensure_ext(bpy.path.abspath(self.filepath), ".json"))
        try:
            _save(context, path, path.stem)
        except AuMocapError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


def _save(context: bpy.types.Context, path: Path, name: str) -> None:
    from ..au_mocap import mapping
    from . import rows

    mapping.save(mapping.Mapping(name, tuple(rows.row_of(row) for row in _character(context).rows)), path)


def _end_test(context: bpy.types.Context) -> None:
    """The rows are about to move: no test slider may be left behind."""
    from . import trying

    trying.stop()
    with refresh.held():
        for row in _character(context).rows:
            if row.test:
                row.test = 0.0


class AUMOCAP_OT_end_test(_NeedsTable, bpy.types.Operator):
    """Ends all tests."""

    bl_idname = "aumocap.end_test"
    bl_label = "End Test"
    bl_description = "Put the face back and all test sliders to 0"
    bl_options: ClassVar = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Put the face back."""
        _end_test(context)
        return {"FINISHED"}


CLASSES = (
    AUMOCAP_OT_add_row,
    AUMOCAP_OT_remove_row,
    AUMOCAP_OT_duplicate_row,
    AUMOCAP_OT_sort_rows,
    AUMOCAP_OT_match_by_name,
    AUMOCAP_OT_load_preset,
    AUMOCAP_OT_import_table,
    AUMOCAP_OT_save_preset,
    AUMOCAP_OT_delete_preset,
    AUMOCAP_OT_export_table,
    AUMOCAP_OT_end_test,
)

register, unregister = classes.factory(CLASSES)
