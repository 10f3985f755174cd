"""The library of takes: look, choose, mark, load, note, reveal."""

# pyright: reportInvalidTypeForm=false
# Blender declares properties as annotations that call functions.

import sys
from typing import ClassVar, Final

import bpy
from bpy.app.handlers import persistent

from ..au_mocap.errors import AuMocapError
from . import bundle, classes, library_state, preferences, refresh

PAGE: Final = 12
"""Pictures on one page."""


class AUMOCAP_OT_library_refresh(bpy.types.Operator):
    """Looks at the library's folder."""

    bl_idname = "aumocap.library_refresh"
    bl_label = "Refresh"
    bl_description = "Look at the folder and list its takes; only what has changed is read"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Begin; the panel shows what is found."""
        try:
            library_state.start(context)
        except AuMocapError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


class AUMOCAP_OT_library_choose(bpy.types.Operator):
    """Shows a take."""

    bl_idname = "aumocap.library_choose"
    bl_label = "Choose"
    bl_description = "Show this take below"

    index: bpy.props.IntProperty(name="Row", options={"SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Make it the active one."""
        context.window_manager.aumocap_library.active = self.index
        return {"FINISHED"}


class AUMOCAP_OT_library_mark(bpy.types.Operator):
    """Marks takes."""

    bl_idname = "aumocap.library_mark"
    bl_label = "Mark"
    bl_description = "Mark all takes of the list, or none"

    action: bpy.props.EnumProperty(
        name="Which", items=(("ALL", "All", "Mark all"), ("NONE", "None", "Mark none")), options={"SKIP_SAVE"}
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Mark them."""
        for row in context.window_manager.aumocap_library.rows:
            row.marked = self.action == "ALL"
        return {"FINISHED"}


class AUMOCAP_OT_library_page(bpy.types.Operator):
    """Turns the page."""

    bl_idname = "aumocap.library_page"
    bl_label = "Page"
    bl_description = "Show further pictures"

    step: bpy.props.IntProperty(name="Step", default=1, options={"SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Turn it."""
        own = context.window_manager.aumocap_library
        own.page = min(max(0, own.page + self.step), max(0, (len(own.rows) - 1) // PAGE))
        return {"FINISHED"}


class AUMOCAP_OT_library_load(bpy.types.Operator):
    """Puts takes into the scene's list."""

    bl_idname = "aumocap.library_load"
    bl_label = "Load to Scene"
    bl_description = "Put the marked takes, or the one that is shown, into the scene's list"
    bl_options: ClassVar = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Needs a take."""
        return _needs_take(cls)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Add those that are not there yet; choose the last one."""
        from . import library_runs

        problems: list[str] = []
        before, number = len(context.scene.aumocap.takes), -1
        with refresh.held():
            for entry in library_state.wanted():
                try:
                    with bundle.needed():
                        number = library_runs.load(context.scene, entry.path, preferences.get(context).smoothing)
                except AuMocapError as error:
                    problems.append(str(error))
            if number >= 0:
                context.scene.aumocap.active_take = number
        refresh.scene(context.scene)
        if number < 0:
            self.report({"ERROR"}, " ".join(problems))
            return {"CANCELLED"}
        added = len(context.scene.aumocap.takes) - before
        text = f"{added} takes loaded" if added != 1 else "1 take loaded"
        self.report({"WARNING"} if problems else {"INFO"}, ". ".join([text, *problems]))
        return {"FINISHED"}


class AUMOCAP_OT_library_note(bpy.types.Operator):
    """Notes the same about several takes."""

    bl_idname = "aumocap.library_note"
    bl_label = "Tag Marked Takes"
    bl_description = "Add and remove tags, and say who acts, in all marked takes at once"

    add: bpy.props.StringProperty(name="Add Tags", description="With commas between", options={"SKIP_SAVE"})
    remove: bpy.props.StringProperty(name="Remove Tags", description="With commas between", options={"SKIP_SAVE"})
    actor: bpy.props.StringProperty(name="Actor", description="Empty leaves it as it is", options={"SKIP_SAVE"})

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Needs a take."""
        return _needs_take(cls)

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask what."""
        return context.window_manager.invoke_props_dialog(self)

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Write it down beside each."""
        from ..au_mocap.library import notes

        entries, problems = library_state.wanted(), []
        for entry in entries:
            try:
                notes.edit(
                    entry.path,
                    actor=self.actor or None,
                    add_tags=self.add.split(","),
                    remove_tags=self.remove.split(","),
                )
            except AuMocapError as error:
                problems.append(str(error))
        library_state.renew([entry.path for entry in entries])
        library_state.choose()
        if problems:
            self.report({"ERROR" if len(problems) == len(entries) else "WARNING"}, " ".join(problems[:3]))
            return {"CANCELLED" if len(problems) == len(entries) else "FINISHED"}
        self.report({"INFO"}, f"{len(entries)} takes noted.")
        return {"FINISHED"}


class AUMOCAP_OT_library_link(bpy.types.Operator):
    """Says where one take's video is."""

    bl_idname = "aumocap.library_link"
    bl_label = "Choose Video"
    bl_description = "Say where this take's video is now. It must be the one that was analysed; the take stays as it is"

    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_movie: bpy.props.BoolProperty(default=True, options={"HIDDEN"})
    filter_folder: bpy.props.BoolProperty(default=True, options={"HIDDEN"})

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Needs a take."""
        return _needs_take(cls)

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask for the video."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Note it beside the take, and in the scene's list."""
        from pathlib import Path

        chosen = library_state.active()
        assert chosen is not None
        video = Path(bpy.path.abspath(self.filepath))
        try:
            with bundle.needed():
                from ..au_mocap.library import relinking
            from . import library_runs

            relinking.link(chosen, video)
        except AuMocapError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        number = library_runs.listed(context.scene, chosen.path)
        if number >= 0:
            context.scene.aumocap.takes[number].video = str(video)
        library_state.renew([chosen.path])
        return {"FINISHED"}


class AUMOCAP_OT_library_reveal(bpy.types.Operator):
    """Shows a take's folder."""

    bl_idname = "aumocap.library_reveal"
    bl_label = "Reveal"
    bl_description = "Show the take's folder in the file browser of the system"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Needs a take."""
        return _needs_take(cls)

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Open it."""
        chosen = library_state.active()
        assert chosen is not None
        try:
            bpy.ops.wm.path_open(filepath=str(chosen.path.parent))
        except (RuntimeError, UnicodeEncodeError) as error:
            self.report({"ERROR"}, f"{library_state.text_of(str(chosen.path.parent))} cannot be shown: {error}")
            return {"CANCELLED"}
        return {"FINISHED"}


def _needs_take(cls: type[bpy.types.Operator]) -> bool:
    if library_state.active() is not None:
        return True
    cls.poll_message_set("The library shows no take: choose a folder and press Refresh")
    return False


_register, _unregister = classes.factory(
    (
        AUMOCAP_OT_library_refresh,
        AUMOCAP_OT_library_choose,
        AUMOCAP_OT_library_mark,
        AUMOCAP_OT_library_page,
        AUMOCAP_OT_library_load,
        AUMOCAP_OT_library_note,
        AUMOCAP_OT_library_link,
        AUMOCAP_OT_library_reveal,
    )
)


@persistent
def _another_file(*_arguments: object) -> None:
    """Its scene may have another folder, and the window's rows are gone."""
    library_state.forget()


def register() -> None:
    """Register the operators."""
    _register()
    bpy.app.handlers.load_post.append(_another_file)


def unregister() -> None:
    """Undo `register`, and drop what was found."""
    if _another_file in bpy.app.handlers.load_post:
        bpy.app.handlers.load_post.remove(_another_file)
    library_state.forget()
    pictures = sys.modules.get(f"{__package__}.library_pictures")
    if pictures is not None:
        pictures.forget()
    _unregister()
