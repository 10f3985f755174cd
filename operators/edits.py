"""The artist's edits of a take: values fixed here and there, its channels as F-curves, and the way back.

F-curves are read whenever preview or bake ask for a take's curves (`edit_store.of`), so that no edit can be missed. The
handler below only sees that they ask again soon after an Action has changed.
"""

# pyright: reportInvalidTypeForm=false
# Blender declares properties as annotations that call functions.

import time
from typing import Any, ClassVar, Final

import bpy
from bpy.app.handlers import persistent

from ..au_mocap.errors import AuMocapError
from . import bundle, polls, redrawing, refresh
from .edits_properties import AUMOCAP_PG_fixing

_QUIET_S: Final = 0.15
"""Curves count as drawn when they have not changed for so long: while a key is dragged they change all the time."""


class _State:
    """Of this Blender, never stored in a file."""

    due_s: ClassVar[float] = 0.0
    seen: ClassVar[int] = 0


def _active(context: bpy.types.Context) -> Any:  # noqa: ANN401
    own = context.scene.aumocap
    return own.takes[own.active_take]


class _OfTake:
    """What all of them share."""

    bl_options: ClassVar = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a take."""
        return polls.take(cls, context)  # pyright: ignore[reportArgumentType] - operators have the message

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Do it, or say why not."""
        from . import fixing

        try:
            with bundle.needed():
                said = self.work(context)
        except AuMocapError as error:
            fixing.stop()
            self.report({"ERROR"}, str(error))  # pyright: ignore[reportAttributeAccessIssue]
            return {"CANCELLED"}
        if said:
            self.report({"WARNING"}, said)  # pyright: ignore[reportAttributeAccessIssue]
        return {"FINISHED"}

    def work(self, context: bpy.types.Context) -> str:
        """What the operator does; returns what the user should know."""
        raise NotImplementedError


class AUMOCAP_OT_add_fix(_OfTake, bpy.types.Operator):
    """Stores the value that the slider shows."""

    bl_idname = "aumocap.add_fix"
    bl_label = "Fix Here"
    bl_description = (
        "Make the slider's value the right one at this frame. It blends in and out, and stays when settings change"
    )

    def work(self, context: bpy.types.Context) -> str:
        """Add it, or change the one that is there."""
        from . import edit_store, fixing

        scene, item = context.scene, _active(context)
        fixing.prepare(scene)
        fix = fixing.fix_here(scene, item, fixing.value(scene))
        fixing.stop()
        same = [each for each in item.edits.fixes if each.name == fix.channel and abs(each.time_s - fix.time_s) < 1e-4]
        with refresh.held():
            if same:
                for name in ("value", "blend_in_s", "blend_out_s"):
                    setattr(same[-1], name, getattr(fix, name))
            else:
                edit_store.add_fix(item, fix)
                item.edits.active_fix = len(item.edits.fixes) - 1
        refresh.scene(scene)
        return ""


class AUMOCAP_OT_leave_fix(_OfTake, bpy.types.Operator):
    """Puts the slider and the character back."""

    bl_idname = "aumocap.leave_fix"
    bl_label = "Leave It"
    bl_description = "Put slider and character back to what the take says"

    def work(self, _context: bpy.types.Context) -> str:
        """Put them back."""
        from . import fixing

        fixing.stop()
        return ""


class AUMOCAP_OT_go_to_fix(_OfTake, bpy.types.Operator):
    """Moves the playhead to a fix."""

    bl_idname = "aumocap.go_to_fix"
    bl_label = "Go to Fix"
    bl_description = "Move the playhead to this fix and choose its channel"

    index: bpy.props.IntProperty(name="Index", options={"SKIP_SAVE", "HIDDEN"})

    def work(self, context: bpy.types.Context) -> str:
        """Move it."""
        import numpy as np

        from . import take_curves

        scene, item = context.scene, _active(context)
        if not 0 <= self.index < len(item.edits.fixes):
            return "There is no such fix any more."
        fix, times = item.edits.fixes[self.index], take_curves.times_of(item)
        frames = take_curves.placed_now(scene).frames(times)
        frame = float(np.interp(fix.time_s, times, frames))
        item.edits.active_fix, scene.aumocap_fixing.channel = self.index, fix.name
        whole = int(np.floor(frame + 1e-3))
        scene.frame_set(whole, subframe=max(0.0, frame - whole))
        return ""


class AUMOCAP_OT_remove_fix(_OfTake, bpy.types.Operator):
    """Takes fixes back."""

    bl_idname = "aumocap.remove_fix"
    bl_label = "Remove Fix"

    index: bpy.props.IntProperty(name="Index", options={"SKIP_SAVE", "HIDDEN"})
    everything: bpy.props.BoolProperty(
        name="All", description="All fixes of the take", default=False, options={"SKIP_SAVE"}
    )

    @classmethod
    def description(cls, _context: bpy.types.Context, properties: "AUMOCAP_OT_remove_fix") -> str:
        """What the button does."""
        return "Take all fixes of this take back" if properties.everything else "Take this fix back"

    def work(self, context: bpy.types.Context) -> str:
        """Remove it."""
        edits = _active(context).edits
        if self.everything:
            edits.fixes.clear()
        elif 0 <= self.index < len(edits.fixes):
            edits.fixes.remove(self.index)
        else:
            return "There is no such fix any more."
        edits.active_fix = max(0, min(edits.active_fix, len(edits.fixes) - 1))
        refresh.scene(context.scene)
        return ""


class AUMOCAP_OT_show_curves(_OfTake, bpy.types.Operator):
    """Gives the take an object that carries its channels."""

    bl_idname = "aumocap.show_curves"
    bl_label = "Show Curves as F-Curves"
    bl_description = (
        "Make an Empty with a property and an F-curve for each channel. What you draw there, in the Graph Editor or "
        "with modifiers, shows in preview and bake. Deleting the Empty takes it back"
    )

    def work(self, context: bpy.types.Context) -> str:
        """Make it, or bring it up to date; it is selected alone, so that the Graph Editor shows it."""
        from . import take_curves

        made = take_curves.show(context.scene, _active(context))
        layer = context.view_layer
        for each in layer.objects.selected:
            each.select_set(False)
        if made.name in layer.objects:
            made.select_set(True)
            layer.objects.active = made
        refresh.scene(context.scene)
        return ""


class AUMOCAP_OT_reset_edits(_OfTake, bpy.types.Operator):
    """Brings back what was measured."""

    bl_idname = "aumocap.reset_edits"
    bl_label = "Reset Edits"

    extent: bpy.props.EnumProperty(
        name="Extent",
        items=(
            ("channel", "Channel", "Take back every edit of the chosen channel"),
            ("channel_range", "Channel in Range", "Take back the chosen channel's edits in the preview range, or "
             "between the selected keys"),
            ("range", "Range", "Take back all channels' edits in the preview range, or between the selected keys"),
            ("all", "All", "Take back every edit of this take"),
        ),
    )  # fmt: skip

    @classmethod
    def description(cls, _context: bpy.types.Context, properties: "AUMOCAP_OT_reset_edits") -> str:
        """What the button does."""
        items = cls.bl_rna.properties["extent"].enum_items  # pyright: ignore[reportAttributeAccessIssue]
        return items[properties.extent].description

    def work(self, context: bpy.types.Context) -> str:
        """Reset."""
        from . import edit_reset

        scene, item = context.scene, _active(context)
        channels = (scene.aumocap_fixing.channel,) if self.extent.startswith("channel") else None
        frames = edit_reset.chosen_range(scene, item) if self.extent.endswith("range") else None
        modified = edit_reset.reset(scene, item, channels, frames)
        return f"{modified} curves keep modifiers, which go on changing them." if modified else ""


class AUMOCAP_OT_copy_edits(_OfTake, bpy.types.Operator):
    """Copies the edits of another take."""

    bl_idname = "aumocap.copy_edits"
    bl_label = "Copy Edits From"
    bl_description = (
        "Give this take the edits of another one in place of its own: of the same video, analysed with other networks"
    )

    source: bpy.props.StringProperty(name="Take", description="Name of the other take", options={"SKIP_SAVE"})

    def work(self, context: bpy.types.Context) -> str:
        """Copy them, drawn curves as well."""
        from ..au_mocap.errors import SettingsError
        from . import edit_store, loaded, settings

        takes, item = context.scene.aumocap.takes, _active(context)
        source = takes.get(self.source)
        if source is None or source.name == item.name:
            message = f"There is no other take '{self.source}': choose one from the list."
            raise SettingsError(message)
        clips = [loaded.take(settings.path_of(each)).meta.get("source", {}) for each in (source, item)]
        edit_store.copy(source, item)
        refresh.scene(context.scene)
        same = clips[0].get("sha256") == clips[1].get("sha256") and clips[0].get("name") == clips[1].get("name")
        return "" if same else "The two takes are not of the same video: look at the edits' places in time."


@persistent
def _action_changed(scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph) -> None:
    """Light, for it is called at every change: it looks at nothing but the Action of the chosen take's object."""
    if not depsgraph.id_type_updated("ACTION"):
        return
    own = scene.aumocap  # pyright: ignore[reportAttributeAccessIssue]
    if not 0 <= own.active_take < len(own.takes):
        return
    holder = own.takes[own.active_take].edits.curves
    action = holder.animation_data.action if holder is not None and holder.animation_data else None
    if action is not None and any(each.id.original == action for each in depsgraph.updates):
        _look_soon()


@persistent
def _undone(*_arguments: object) -> None:
    """Undo brings other curves back, and keys of a bake that did not follow them yet."""
    _State.seen = 0
    from . import fixing

    fixing.forget()
    _look_soon()


@persistent
def _loading(*_arguments: object) -> None:
    _State.seen = 0
    from . import fixing

    fixing.drop()


def _look_soon() -> None:
    _State.due_s = time.monotonic() + _QUIET_S
    if not bpy.app.background and not bpy.app.timers.is_registered(_look):
        bpy.app.timers.register(_look, first_interval=_QUIET_S)


def _look() -> float | None:
    """Renew preview and keys once the curves are quiet, if what is drawn is not what it was."""
    left_s = _State.due_s - time.monotonic()
    if left_s > 0.0:
        return left_s
    stage = bpy.context.scene
    own = stage.aumocap
    if 0 <= own.active_take < len(own.takes) and own.takes[own.active_take].edits.curves is not None:
        refresh.tell(lambda: _follow(stage))
    return None


def _follow(stage: bpy.types.Scene) -> None:
    from . import edit_store, performing

    now = hash(edit_store.of(performing.active_take(stage)))
    if now != _State.seen:
        _State.seen = now
        refresh.scene(stage)
        redrawing.redraw("", panels=True)


def end() -> None:
    """Look no more."""
    if bpy.app.timers.is_registered(_look):
        bpy.app.timers.unregister(_look)


CLASSES = (
    AUMOCAP_PG_fixing,
    AUMOCAP_OT_add_fix,
    AUMOCAP_OT_leave_fix,
    AUMOCAP_OT_go_to_fix,
    AUMOCAP_OT_remove_fix,
    AUMOCAP_OT_show_curves,
    AUMOCAP_OT_reset_edits,
    AUMOCAP_OT_copy_edits,
)


def _handlers() -> tuple[tuple[Any, Any], ...]:
    handlers = bpy.app.handlers
    return (
        (handlers.depsgraph_update_post, _action_changed),
        (handlers.undo_post, _undone),
        (handlers.redo_post, _undone),
        (handlers.load_pre, _loading),
    )


def register() -> None:
    """Register the operators, what the scene knows of the next fix, and who watches the curves."""
    for each in CLASSES:
        bpy.utils.register_class(each)
    bpy.types.Scene.aumocap_fixing = bpy.props.PointerProperty(  # pyright: ignore[reportAttributeAccessIssue]
        type=AUMOCAP_PG_fixing
    )
    for functions, function in _handlers():
        functions.append(function)


def unregister() -> None:
    """Undo `register`."""
    end()
    for functions, function in _handlers():
        if function in functions:
            functions.remove(function)
    del bpy.types.Scene.aumocap_fixing  # pyright: ignore[reportAttributeAccessIssue]
    for each in reversed(CLASSES):
        bpy.utils.unregister_class(each)
