"""Analyse a video: in the background of the window, or at once where Blender has none."""

# pyright: reportInvalidTypeForm=false
# Blender declares properties as annotations that call functions.

from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Final

import bpy

from ..au_mocap.errors import AuMocapError
from . import check_devices, devices, models, preferences, take_list
from .analysis import Analysis, Order, Outcome

_TICK_S: Final = 0.1
_PATIENCE_S: Final = 30.0


class _State:
    """The pass that is running, and how the last one ended; never stored in a file."""

    current: ClassVar[Analysis | None] = None
    last: ClassVar[Outcome | None] = None


def current() -> Analysis | None:
    """The pass that is running."""
    return _State.current


def watch(analysis: Analysis | None) -> None:
    """Show a pass that something else has started as the one that is running; None where it has ended."""
    _State.current = analysis


def last() -> Outcome | None:
    """How the last pass of this session ended."""
    return _State.last


class AUMOCAP_OT_choose_video(bpy.types.Operator):
    """Chooses the video to analyse."""

    bl_idname = "aumocap.choose_video"
    bl_label = "Choose Video"
    bl_description = "Choose the actor's video, or one picture of an image sequence"
    bl_options: ClassVar = {"REGISTER", "UNDO"}

    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_movie: bpy.props.BoolProperty(default=True, options={"HIDDEN"})
    filter_image: bpy.props.BoolProperty(default=True, options={"HIDDEN"})
    filter_folder: bpy.props.BoolProperty(default=True, options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask for the file."""
        self.filepath = context.scene.aumocap.capture.filepath
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Take it."""
        context.scene.aumocap.capture.filepath = self.filepath
        return {"FINISHED"}


class AUMOCAP_OT_analyse(bpy.types.Operator):
    """Measures the actor's face in the chosen video."""

    bl_idname = "aumocap.analyse"
    bl_label = "Analyse"
    bl_description = (
        "Measure the actor's face in every frame. Blender stays usable meanwhile; Esc stops and keeps what is done"
    )

    _timer: bpy.types.Timer | None = None
    _analysis: Analysis
    _scene = ""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a video, and no other pass."""
        from . import library_batch

        is_listed = library_batch.current() is not None  # between two passes of a list none is running
        if is_listed or (_State.current is not None and _State.current.running):
            cls.poll_message_set("A video is being analysed: wait, or press Cancel")
            return False
        if not context.scene.aumocap.capture.filepath:
            cls.poll_message_set("Choose a video first")
            return False
        return True

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Start the pass and watch it."""
        if bpy.app.background:
            return self.execute(context)
        if not self._begin(context):
            return {"CANCELLED"}
        self._analysis.start()
        manager = context.window_manager
        self._timer = manager.event_timer_add(_TICK_S, window=context.window)
        manager.modal_handler_add(self)
        context.workspace.status_text_set("AU Mocap: analysing the video.  Esc: stop and keep what is done")
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """The whole pass at once."""
        if not self._begin(context):
            return {"CANCELLED"}
        self._analysis.at_terminal = bpy.app.background
        self._analysis.run()
        return self._finish(context)

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Show progress; leave everything else to Blender."""
        if _State.current is not self._analysis:  # the extension was switched off
            self._leave(context)
            return {"CANCELLED"}
        if event.type == "ESC" and event.value == "PRESS":
            self._analysis.stop()
            return {"RUNNING_MODAL"}
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        redraw(context)
        return {"PASS_THROUGH"} if self._analysis.running else self._finish(context)

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender ends the operator, for another file perhaps: what was analysed is stored, in no list."""
        self._analysis.stop()
        self._analysis.join(_PATIENCE_S)
        self._leave(context)

    def _begin(self, context: bpy.types.Context) -> bool:
        try:
            order = _order(context)
        except AuMocapError as error:
            self.report({"ERROR"}, str(error))
            return False
        self._scene = context.scene.name
        self._analysis = _State.current = Analysis(order)
        return True

    def _finish(self, context: bpy.types.Context) -> set[str]:
        analysis, outcome = self._analysis, self._analysis.outcome
        assert outcome is not None
        _State.last = outcome
        self._leave(context)
        if outcome.providers:
            check_devices.analysed(devices.LastAnalysis(outcome.providers, outcome.frames, outcome.seconds))
        if analysis.bug is not None:
            import traceback

            traceback.print_exception(analysis.bug)  # for a bug report; the user reads the line below
        if outcome.error:
            self.report({"ERROR"}, outcome.error)
            return {"CANCELLED"}
        stage = bpy.data.scenes.get(self._scene)
        if outcome.output is None or stage is None:
            self.report({"INFO"}, "Stopped before the first frame: there is no take.")
            return {"CANCELLED"}
        try:
            for path in (outcome.output, *outcome.further):
                take_list.add(stage, path, preferences.get(context).smoothing)
            stage.aumocap.active_take -= len(outcome.further)  # the foremost actor
        except AuMocapError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        if not bpy.app.background:
            bpy.ops.ed.undo_push(message="Analyse")  # so that undoing later steps leaves the take in the list
        self.report({"WARNING"} if outcome.warnings else {"INFO"}, _summary(outcome))
        return {"FINISHED"}

    def _leave(self, context: bpy.types.Context) -> None:
        """Every way out passes here; any number of times."""
        if _State.current is self._analysis:
            _State.current = None
        if self._timer is not None:
            context.window_manager.event_timer_remove(self._timer)
            self._timer = None
            if context.workspace is not None:
                context.workspace.status_text_set(None)
        redraw(context)


class AUMOCAP_OT_cancel_analysis(bpy.types.Operator):
    """Stops the pass that is running."""

    bl_idname = "aumocap.cancel_analysis"
    bl_label = "Cancel"
    bl_description = "Stop analysing; what was measured so far becomes a partial take"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Needs a pass."""
        return _State.current is not None

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Ask it to stop; the operator that started it does the rest."""
        if _State.current is not None:
            _State.current.stop()
        return {"FINISHED"}


def _order(context: bpy.types.Context) -> Order:
    capture = context.scene.aumocap.capture
    video = Path(bpy.path.abspath(capture.filepath))
    return replace(
        whole_video(context, video, take_list.free_path(preferences.takes_folder(context), video)),
        first=capture.first if capture.use_range else 0,
        stop=capture.last + 1 if capture.use_range else None,
        all_actors=capture.all_actors,
    )


def whole_video(context: bpy.types.Context, video: Path, output: Path) -> Order:
    """A pass over a whole video for its largest face, with the scene's networks and the machine's settings."""
    capture, chosen = context.scene.aumocap.capture, preferences.get(context)
    return Order(
        video=video,
        output=output,
        regressor=capture.regressor if capture.is_property_set("regressor") else chosen.regressor,
        device=capture.device if capture.is_property_set("device") else chosen.device,
        fov_deg=capture.fov_deg,
        threads=chosen.threads,
        runtime=Path(bpy.path.abspath(chosen.runtime_folder)) if chosen.runtime_folder else None,
        models=models.folders(),
    )


def _summary(outcome: Outcome) -> str:
    rate = f", {outcome.frames / outcome.seconds:.0f} frames/s" if outcome.seconds else ""
    part = "" if outcome.complete else " before it was stopped"
    actors = f"{len(outcome.further) + 1} actors, " if outcome.further else ""
    text = f"{actors}{outcome.frames} frames analysed{part}, a face in {outcome.faces}{rate}."
    return " ".join((text, *outcome.warnings))


def redraw(context: bpy.types.Context) -> None:
    """Have the panels of every 3D viewport drawn again."""
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                for region in area.regions:
                    if region.type == "UI":
                        region.tag_redraw()


def register() -> None:
    """Register the operators."""
    bpy.utils.register_class(AUMOCAP_OT_choose_video)
    bpy.utils.register_class(AUMOCAP_OT_analyse)
    bpy.utils.register_class(AUMOCAP_OT_cancel_analysis)


def unregister() -> None:
    """Undo `register`; a pass that is running is stopped, what it has measured is stored."""
    analysis, _State.current = _State.current, None
    if analysis is not None:
        analysis.stop()
        analysis.join(_PATIENCE_S)
    bpy.utils.unregister_class(AUMOCAP_OT_cancel_analysis)
    bpy.utils.unregister_class(AUMOCAP_OT_analyse)
    bpy.utils.unregister_class(AUMOCAP_OT_choose_video)
