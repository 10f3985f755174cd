"""Refine the chosen take: in the background of the window, or at once where Blender has none."""

# pyright: reportInvalidTypeForm=false
# Blender declares properties as annotations that call functions.

from pathlib import Path
from typing import ClassVar, Final

import bpy

from ..au_mocap.errors import AuMocapError
from . import analyse, models, polls, preferences, take_list
from .refinement import Order, Refinement

_TICK_S: Final = 0.2
_PATIENCE_S: Final = 30.0


class _State:
    """The pass that is running; never stored in a file."""

    current: "ClassVar[Refinement | None]" = None


def current() -> Refinement | None:
    """The pass that is running."""
    return _State.current


class AUMOCAP_OT_refine(bpy.types.Operator):
    """Refines the chosen take."""

    bl_idname = "aumocap.refine"
    bl_label = "Refine"
    bl_description = (
        "Look at the video once more and correct the take's values by renderings of the face, into a new take beside "
        "it. It takes far longer than analysing; Blender stays usable meanwhile; Esc stops and keeps what is done"
    )

    steps: bpy.props.IntProperty(
        name="Steps", description="How often each frame is corrected", default=30, min=1, max=200
    )

    _timer: bpy.types.Timer | None = None
    _pass: Refinement
    _scene = ""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a take, and no other pass."""
        if _State.current is not None:
            cls.poll_message_set("A take is being refined: wait, or press Cancel")
            return False
        return polls.take(cls, context)

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Start the pass and watch it."""
        if bpy.app.background:
            return self.execute(context)
        if not self._begin(context):
            return {"CANCELLED"}
        self._pass.start()
        manager = context.window_manager
        self._timer = manager.event_timer_add(_TICK_S, window=context.window)
        manager.modal_handler_add(self)
        context.workspace.status_text_set("AU Mocap: refining the take.  Esc: stop and keep what is done")
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """The whole pass at once."""
        if not self._begin(context):
            return {"CANCELLED"}
        self._pass.run()
        return self._finish(context)

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Show progress; leave everything else to Blender."""
        if _State.current is not self._pass:  # the extension was switched off
            self._leave(context)
            return {"CANCELLED"}
        if event.type == "ESC" and event.value == "PRESS":
            self._pass.stop()
            return {"RUNNING_MODAL"}
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        analyse.redraw(context)
        return {"PASS_THROUGH"} if self._pass.running else self._finish(context)

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender ends the operator, for another file perhaps: what was fitted is stored, in no list."""
        self._pass.stop()
        self._pass.join(_PATIENCE_S)
        self._leave(context)

    def _begin(self, context: bpy.types.Context) -> bool:
        try:
            order = _order(context, self.steps)
        except AuMocapError as error:
            self.report({"ERROR"}, str(error))
            return False
        self._scene = context.scene.name
        self._pass = _State.current = Refinement(order)
        return True

    def _finish(self, context: bpy.types.Context) -> set[str]:
        done = self._pass
        self._leave(context)
        if done.bug is not None:
            import traceback

            traceback.print_exception(done.bug)  # for a bug report; the user reads the line below
        stage = bpy.data.scenes.get(self._scene)
        if done.error or stage is None:
            self.report({"ERROR"}, done.error or "The scene is gone: the refined take lies beside the other.")
            return {"CANCELLED"}
        try:
            take_list.add(stage, done.order.output, preferences.get(context).smoothing)
        except AuMocapError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        if not bpy.app.background:
            bpy.ops.ed.undo_push(message="Refine")  # so that undoing later steps leaves the take in the list
        self.report({"INFO"}, done.told)
        return {"FINISHED"}

    def _leave(self, context: bpy.types.Context) -> None:
        """Every way out passes here; any number of times."""
        if _State.current is self._pass:
            _State.current = None
        if self._timer is not None:
            context.window_manager.event_timer_remove(self._timer)
            self._timer = None
            if context.workspace is not None:
                context.workspace.status_text_set(None)
        analyse.redraw(context)


class AUMOCAP_OT_cancel_refining(bpy.types.Operator):
    """Stops the pass that is running."""

    bl_idname = "aumocap.cancel_refining"
    bl_label = "Cancel"
    bl_description = "Stop refining; the frames that were fitted keep what was found, the others stay as they were"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Needs a pass."""
        return _State.current is not None

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Ask it to stop; the operator that started it does the rest."""
        if _State.current is not None:
            _State.current.stop()
        return {"FINISHED"}


def _order(context: bpy.types.Context, steps: int) -> Order:
    from . import bundle

    with bundle.needed():
        from ..au_mocap import files
        from ..au_mocap.refine_file import output_of
        from . import performing, settings
    item, chosen = performing.active_take(context.scene), preferences.get(context)
    source = settings.path_of(item)
    return Order(
        source=source,
        output=files.free_path(output_of(source), ".take.npz"),
        video=Path(bpy.path.abspath(item.video)) if item.video else None,
        steps=steps,
        device=chosen.device,
        threads=chosen.threads,
        runtime=Path(bpy.path.abspath(chosen.runtime_folder)) if chosen.runtime_folder else None,
        models=models.folders(),
    )


def register() -> None:
    """Register the operators."""
    bpy.utils.register_class(AUMOCAP_OT_refine)
    bpy.utils.register_class(AUMOCAP_OT_cancel_refining)


def unregister() -> None:
    """Undo `register`; a pass that is running is stopped, what it has fitted is stored."""
    running, _State.current = _State.current, None
    if running is not None:
        running.stop()
        running.join(_PATIENCE_S)
    bpy.utils.unregister_class(AUMOCAP_OT_cancel_refining)
    bpy.utils.unregister_class(AUMOCAP_OT_refine)
