"""What can be done with the takes in the list."""

# pyright: reportInvalidTypeForm=false
# Blender declares properties as annotations that call functions.

from pathlib import Path
from typing import ClassVar

import bpy

from ..au_mocap.errors import AuMocapError
from . import classes, polls, preferences, refresh, take_list


def _active(context: bpy.types.Context) -> "bpy.types.PropertyGroup":
    own = context.scene.aumocap
    return own.takes[own.active_take]


class AUMOCAP_OT_open_take(bpy.types.Operator):
    """Puts a take file into the list."""

    bl_idname = "aumocap.open_take"
    bl_label = "Open Take"
    bl_description = "Put a take that was analysed before into the list (.take.npz)"
    bl_options: ClassVar = {"REGISTER", "UNDO"}

    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: bpy.props.StringProperty(default="*.take.npz", options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask for the file, in the folder of takes."""
        try:
            self.filepath = f"{preferences.takes_folder(context)}/"
        except AuMocapError as error:
            self.report({"WARNING"}, str(error))
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Put it into the list."""
        try:
            take_list.add(context.scene, Path(bpy.path.abspath(self.filepath)), preferences.get(context).smoothing)
        except AuMocapError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


class AUMOCAP_OT_find_takes(bpy.types.Operator):
    """Looks for takes of the video on disk, and reads those in the list again."""

    bl_idname = "aumocap.find_takes"
    bl_label = "Reload from Disk"
    bl_description = (
        "Read the takes in the list again, add stored takes of this video, and compare the videos with those analysed"
    )
    bl_options: ClassVar = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Add what is missing; say which videos are not what they were."""
        from ..au_mocap import sources, take
        from . import loaded

        loaded.forget()
        problems: list[str] = []
        for item in context.scene.aumocap.takes:
            try:
                stored = take.load(Path(bpy.path.abspath(item.filepath)))
                take_list.describe(item, stored)
                state = sources.state(stored)
            except AuMocapError as error:
                problems.append(str(error))
                continue
            if state == "missing":
                problems.append(f"the video of '{item.name}' has moved or gone: use Relink")
            elif state == "changed":
                problems.append(f"the video of '{item.name}' is not the one that was analysed any more")
        try:
            found = take_list.find_missing(context.scene, preferences.takes_folder(context))
            for path in found:
                take_list.add(context.scene, path, preferences.get(context).smoothing)
        except AuMocapError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        refresh.scene(context.scene)
        text = f"{len(found)} takes found" if len(found) != 1 else "1 take found"
        self.report({"WARNING"} if problems else {"INFO"}, "; ".join([text, *problems]) + ".")
        return {"FINISHED"}


class AUMOCAP_OT_duplicate_take(bpy.types.Operator):
    """Copies a take's settings and its file."""

    bl_idname = "aumocap.duplicate_take"
    bl_label = "Duplicate Take"
    bl_description = "Copy the take, to try other settings beside those it has"
    bl_options: ClassVar = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a take."""
        return polls.take(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Copy the file, then the settings."""
        import shutil

        from . import actor_settings, edit_store

        index = context.scene.aumocap.active_take
        path = Path(bpy.path.abspath(_active(context).filepath))
        copy = take_list.free_path(path.parent, Path(_active(context).name))
        try:
            shutil.copyfile(path, copy)
            item = take_list.add(context.scene, copy)
        except (OSError, AuMocapError) as error:
            self.report({"ERROR"}, f"The take cannot be copied: {error}")
            return {"CANCELLED"}
        original = context.scene.aumocap.takes[index]  # adding may have moved the list in memory
        with refresh.held():
            for name in ("neutral", "neutral_first", "neutral_last", "smoothing", "contact", "gaps", "mirror"):
                setattr(item, name, getattr(original, name))
            actor_settings.copy(original, item)
        try:
            edit_store.copy(original, item)
        except AuMocapError as error:
            self.report({"WARNING"}, f"The edits were not copied: {error}")
        return {"FINISHED"}


class AUMOCAP_OT_delete_take(bpy.types.Operator):
    """Takes a take off the list."""

    bl_idname = "aumocap.delete_take"
    bl_label = "Delete Take"
    bl_description = "Take the take off the list. Keys that were baked from it stay"
    bl_options: ClassVar = {"REGISTER", "UNDO"}

    delete_file: bpy.props.BoolProperty(
        name="Delete the File as Well",
        description="What was measured is lost, and no undo brings it back",
        default=False,
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a take."""
        return polls.take(cls, context)

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask about the file."""
        return context.window_manager.invoke_props_dialog(self)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Take it off."""
        own = context.scene.aumocap
        path = Path(bpy.path.abspath(_active(context).filepath))
        if self.delete_file:
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                self.report({"ERROR"}, f"{path} cannot be deleted ({error.strerror}): it stays in the list.")
                return {"CANCELLED"}
        own.takes.remove(own.active_take)
        own.active_take = max(0, min(own.active_take, len(own.takes) - 1))
        return {"FINISHED"}


class AUMOCAP_OT_relink_video(bpy.types.Operator):
    """Tells a take where its video lies now."""

    bl_idname = "aumocap.relink_video"
    bl_label = "Relink Video"
    bl_description = "Say where the take's video lies now. It must be the same file, by its checksum"
    bl_options: ClassVar = {"REGISTER", "UNDO"}

    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    even_if_changed: bpy.props.BoolProperty(
        name="Even if It Differs",
        description="Take the file although it is not the one that was analysed",
        default=False,
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a take."""
        return polls.take(cls, context)

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask for the video."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Write it into the take's description; the measurements stay as they are."""
        from ..au_mocap import sources, take

        item = _active(context)
        path = Path(bpy.path.abspath(item.filepath))
        try:
            relinked = sources.relinked(
                take.load(path), Path(bpy.path.abspath(self.filepath)), even_if_changed=self.even_if_changed
            )
            take.save(relinked, path)
        except AuMocapError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        take_list.describe(item, relinked)
        return {"FINISHED"}


CLASSES = (
    AUMOCAP_OT_open_take,
    AUMOCAP_OT_find_takes,
    AUMOCAP_OT_duplicate_take,
    AUMOCAP_OT_delete_take,
    AUMOCAP_OT_relink_video,
)

register, unregister = classes.factory(CLASSES)
