"""Actors' profiles: saved from a take, and used again for others of the same actor."""

# pyright: reportInvalidTypeForm=false
# Blender declares properties as annotations that call functions.

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import bpy

from ..au_mocap.errors import AuMocapError
from . import bundle, classes, polls, refresh


class _NeedsTake:
    """What all of them share."""

    bl_options: ClassVar = {"REGISTER", "UNDO"}
    poll_message_set: ClassVar[Callable[..., None]]

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a take."""
        return polls.take(cls, context)


def _active(context: bpy.types.Context) -> "bpy.types.PropertyGroup":
    own = context.scene.aumocap
    return own.takes[own.active_take]


def _do(operator: bpy.types.Operator, work: Callable[[], None]) -> set[str]:
    """Report what goes wrong."""
    try:
        with bundle.needed():
            work()
    except AuMocapError as error:
        operator.report({"ERROR"}, str(error))
        return {"CANCELLED"}
    return {"FINISHED"}


def names() -> tuple[str, ...]:
    """The user's own profiles, for menus; none where they cannot be listed."""
    from ..au_mocap import profile
    from . import actor_settings

    try:
        return profile.names(actor_settings.folder())
    except (AuMocapError, OSError):
        return ()


class AUMOCAP_OT_load_profile(_NeedsTake, bpy.types.Operator):
    """Uses an actor's profile for the take."""

    bl_idname = "aumocap.load_profile"
    bl_label = "Load Profile"
    bl_description = "Give the take this actor's neutral, ranges and intensity"

    name: bpy.props.StringProperty(name="Profile", options={"SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Load it."""
        from . import actor_settings

        return _do(self, lambda: _load(context, actor_settings.path_of(self.name)))


class AUMOCAP_OT_import_profile(_NeedsTake, bpy.types.Operator):
    """Reads an actor's profile from a file."""

    bl_idname = "aumocap.import_profile"
    bl_label = "Import Profile"
    bl_description = "Give the take an actor's neutral, ranges and intensity from a JSON file"

    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: bpy.props.StringProperty(default="*.json", options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask for the file."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Read it."""
        return _do(self, lambda: _load(context, Path(bpy.path.abspath(self.filepath))))


def _load(context: bpy.types.Context, path: Path) -> None:
    from ..au_mocap import profile
    from . import actor_settings

    actor_settings.apply(profile.load(path), _active(context))
    refresh.scene(context.scene)


class AUMOCAP_OT_save_profile(_NeedsTake, bpy.types.Operator):
    """Keeps what is known of the take's actor."""

    bl_idname = "aumocap.save_profile"
    bl_label = "Save Profile"
    bl_description = "Keep this take's neutral, ranges and intensity for other takes of the same actor"
    bl_options: ClassVar = {"REGISTER"}

    name: bpy.props.StringProperty(name="Name", description="The actor's name", options={"SKIP_SAVE"})
    overwrite: bpy.props.BoolProperty(
        name="Overwrite", description="Replace your profile of that name", default=False, options={"SKIP_SAVE"}
    )

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask for the name."""
        self.name = _active(context).actor or _active(context).name
        return context.window_manager.invoke_props_dialog(self)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Write it."""
        return _do(self, lambda: self._save(context))

    def _save(self, context: bpy.types.Context) -> None:
        from ..au_mocap.errors import ProfileError
        from . import actor_settings

        path = actor_settings.path_of(self.name)
        if path.exists() and not self.overwrite:
            message = f"There is a profile '{self.name}' already: choose another name, or Overwrite."
            raise ProfileError(message)
        _write(context, path, self.name.strip())


class AUMOCAP_OT_export_profile(_NeedsTake, bpy.types.Operator):
    """Writes what is known of the take's actor to a file."""

    bl_idname = "aumocap.export_profile"
    bl_label = "Export Profile"
    bl_description = "Write this take's neutral, ranges and intensity to a JSON file"
    bl_options: ClassVar = {"REGISTER"}

    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: bpy.props.StringProperty(default="*.json", options={"HIDDEN"})
    check_existing: bpy.props.BoolProperty(default=True, options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask for the file."""
        self.filepath = f"{bpy.path.clean_name(_active(context).actor or _active(context).name)}.json"
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Write it."""
        path = Path(bpy.path.ensure_ext(bpy.path.abspath(self.filepath), ".json"))
        return _do(self, lambda: _write(context, path, path.stem))


def _write(context: bpy.types.Context, path: Path, name: str) -> None:
    from ..au_mocap import profile
    from . import actor_settings

    item = _active(context)
    profile.save(actor_settings.profile_of(item, name), path)
    item.actor = name


class AUMOCAP_OT_delete_profile(bpy.types.Operator):
    """Deletes a profile."""

    bl_idname = "aumocap.delete_profile"
    bl_label = "Delete Profile"
    bl_description = "Delete this profile. Takes that use it keep what it gave them"

    name: bpy.props.StringProperty(name="Profile", options={"SKIP_SAVE"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask first."""
        return context.window_manager.invoke_confirm(self, event)

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Delete the file."""
        from . import actor_settings

        try:
            actor_settings.path_of(self.name).unlink()
        except (OSError, AuMocapError) as error:
            self.report({"ERROR"}, f"The profile '{self.name}' cannot be deleted: {error}")
            return {"CANCELLED"}
        return {"FINISHED"}


CLASSES = (
    AUMOCAP_OT_load_profile,
    AUMOCAP_OT_import_profile,
    AUMOCAP_OT_save_profile,
    AUMOCAP_OT_export_profile,
    AUMOCAP_OT_delete_profile,
)

register, unregister = classes.factory(CLASSES)
