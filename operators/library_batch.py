"""Analyse, calibrate, bake or relink a list of takes: with progress, stopped by Esc, and a summary at the end."""

# pyright: reportInvalidTypeForm=false
# Blender declares properties as annotations that call functions.

import time
from pathlib import Path
from typing import Any, ClassVar, Final

import bpy

from ..au_mocap.errors import AuMocapError, OutputError
from . import analyse, bundle, classes, library_state, polls, preferences, redrawing
from .library_runs import AnalyseOrder, BakeOrder, Run, Steps

_TICK_S: Final = 0.05
_WAIT_S: Final = 0.005
REPORT: Final = "AU Mocap Library"
"""Name of the text that holds the summary."""


class _State:
    """Of this Blender, never stored in a file."""

    run: "ClassVar[Run | None]" = None
    last: "ClassVar[Run | None]" = None


def current() -> Run | None:
    """The list that is worked through."""
    return _State.run


def last() -> Run | None:
    """The list that was worked through last."""
    return _State.last


class _Listed(bpy.types.Operator):
    """What they share: the run goes on with the window's timer, or at once without one."""

    _timer: bpy.types.Timer | None = None

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """One list at a time, and no other analysis."""
        if _State.run is not None or analyse.current() is not None:
            cls.poll_message_set("Something is being worked through: wait, or press Cancel")
            return False
        return cls.is_ready(context)

    @classmethod
    def is_ready(cls, _context: bpy.types.Context) -> bool:
        """What else it needs."""
        return True

    def plan(self, context: bpy.types.Context) -> "tuple[Run, Steps]":
        """The list and its steps; raises AuMocapError."""
        raise NotImplementedError

    def begin_modal(self, context: bpy.types.Context) -> set[str]:
        """Start, and go on with the timer."""
        if bpy.app.background:
            return self.execute(context)
        if not self._plan(context):
            return {"CANCELLED"}
        manager = context.window_manager
        self._timer = manager.event_timer_add(_TICK_S, window=context.window)
        manager.modal_handler_add(self)
        context.workspace.status_text_set(f"AU Mocap: {self._run.title}.  Esc: stop")
        return {"RUNNING_MODAL"}

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Start, and go on with the timer."""
        return self.begin_modal(context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """All of it at once."""
        if self._timer is None and not self._plan(context):
            return {"CANCELLED"}
        while self._advance():
            time.sleep(_WAIT_S)
        return self._finish(context)

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """One step for each tick; leave everything else to Blender."""
        if _State.run is not self._run:  # the extension was switched off
            self._leave(context)
            return {"CANCELLED"}
        if event.type == "ESC" and event.value == "PRESS":
            self._run.stop()
            return {"RUNNING_MODAL"}
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        redrawing.redraw("", panels=True)
        return {"PASS_THROUGH"} if self._advance() else self._finish(context)

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender ends the operator, for another file perhaps, or the file browser was left."""
        if getattr(self, "_run", None) is None:  # no list was begun
            return
        self._run.stop()
        self._steps.close()
        self._leave(context)

    def _plan(self, context: bpy.types.Context) -> bool:
        library_state.tell("")
        try:
            with bundle.needed():
                self._run, self._steps = self.plan(context)
        except AuMocapError as error:
            self.report({"ERROR"}, str(error))
            return False
        _State.run = self._run
        return True

    def _advance(self) -> bool:
        """One step; False after the last one."""
        try:
            next(self._steps)
        except StopIteration:
            return False
        except AuMocapError as error:
            library_state.tell(str(error))
            return False
        except BaseException:  # a bug: it is shown, and nothing stays behind
            self._leave(bpy.context)
            raise
        return True

    def _finish(self, context: bpy.types.Context) -> set[str]:
        from ..au_mocap import batch

        run = self._run
        self._leave(context)
        if library_state.problem() and not run.results:
            self.report({"ERROR"}, library_state.problem())
            return {"CANCELLED"}
        _State.last = run
        write_report(batch.report(run.title, run.results))
        if not bpy.app.background:
            bpy.ops.ed.undo_push(message=run.title)
        failed = any(result.state in ("failed", "cancelled") for result in run.results)
        self.report({"WARNING"} if failed else {"INFO"}, f"{run.title}: {batch.headline(run.results)}")
        return {"FINISHED"}

    def _leave(self, context: bpy.types.Context) -> None:
        """Every way out passes here; any number of times."""
        if _State.run is self._run:
            _State.run = None
        if self._timer is not None:
            context.window_manager.event_timer_remove(self._timer)
            self._timer = None
            if context.workspace is not None:
                context.workspace.status_text_set(None)
        redrawing.redraw("", panels=True)


def write_report(text: str) -> None:
    """Keep the summary as a text of the file."""
    block = bpy.data.texts.get(REPORT) or bpy.data.texts.new(REPORT)
    block.clear()
    block.write(library_state.text_of(text))


class _InFolder(_Listed):
    """A list that comes from a folder: the file browser asks for it first."""

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask for the folder."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """After the folder was chosen: in the background of a window."""
        if self._timer is None and not bpy.app.background and context.window is not None:
            return self.begin_modal(context)
        return super().execute(context)


class AUMOCAP_OT_library_analyse(_InFolder):
    """Makes takes of the videos of a folder."""

    bl_idname = "aumocap.library_analyse"
    bl_label = "Analyse Folder"
    bl_description = (
        "Make takes of all videos of a folder, with the options of the Capture panel, into the library's folder. "
        "Videos that have a whole take by the same regressor are skipped"
    )

    directory: bpy.props.StringProperty(subtype="DIR_PATH", options={"SKIP_SAVE"})
    filter_folder: bpy.props.BoolProperty(default=True, options={"HIDDEN"})
    filter_movie: bpy.props.BoolProperty(default=True, options={"HIDDEN"})
    add_to_scene: bpy.props.BoolProperty(
        name="Add to the Scene", description="Put the new takes into the scene's list as well", default=False
    )

    def plan(self, context: bpy.types.Context) -> "tuple[Run, Steps]":
        """The videos' passes."""
        from . import library_runs

        folder = Path(bpy.path.abspath(self.directory))
        output = library_state.folder_of(context)
        how = analyse.whole_video(context, folder, output)
        try:
            output.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            message = f"Takes cannot be stored in {output} ({error.strerror}): choose another folder."
            raise OutputError(message) from error
        stage = context.scene.name if self.add_to_scene else ""
        run = Run("Analyse Folder")
        order = AnalyseOrder(folder, output, how, stage, preferences.get(context).smoothing)
        return run, library_runs.analyse(run, order, analyse.watch)

    def _finish(self, context: bpy.types.Context) -> set[str]:
        done = super()._finish(context)
        _look_again(context)
        return done


def _look_again(context: bpy.types.Context) -> None:
    try:
        library_state.start(context)
    except AuMocapError as error:
        library_state.tell(str(error))


def _paths() -> list[Path]:
    """Files of the takes that are meant, those that cannot be read among them: the summary tells of them."""
    return [entry.path for entry in library_state.wanted()]


def _some(cls: polls.Polled) -> bool:
    """Takes are shown."""
    if library_state.count():
        return True
    cls.poll_message_set("The library shows no takes: choose a folder and press Refresh")
    return False


class AUMOCAP_OT_library_calibrate(_Listed):
    """Gives takes an actor's profile, or another take's settings."""

    bl_idname = "aumocap.library_calibrate"
    bl_label = "Give Settings"
    bl_description = (
        "Give the marked takes, or the one that is shown, the settings chosen above. Those that are not in the scene's "
        "list are added; the files stay as they are"
    )

    @classmethod
    def is_ready(cls, context: bpy.types.Context) -> bool:
        """Needs takes, and what they are to be given."""
        own = context.scene.aumocap_library
        if own.source == "PROFILE" and not own.profile:
            cls.poll_message_set("Choose an actor's profile above")
            return False
        return _some(cls) and (own.source == "PROFILE" or polls.take(cls, context))

    def plan(self, context: bpy.types.Context) -> "tuple[Run, Steps]":
        """The takes' settings."""
        from ..au_mocap import profile
        from . import actor_settings, library_runs

        own = context.scene.aumocap_library
        actor = profile.load(actor_settings.path_of(own.profile)) if own.source == "PROFILE" else None
        run = Run("Give Settings")
        smoothing = preferences.get(context).smoothing
        return run, library_runs.calibrate(run, context.scene.name, _paths(), actor, smoothing)

    def _finish(self, context: bpy.types.Context) -> set[str]:
        from . import refresh

        done = super()._finish(context)
        refresh.scene(context.scene)
        return done


class AUMOCAP_OT_library_bake(_Listed):
    """Bakes takes one after the other."""

    bl_idname = "aumocap.library_bake"
    bl_label = "Bake Takes"
    bl_description = (
        "Bake the marked takes, or the one that is shown, onto the scene's character, each under its own name and with "
        "its own settings. Those that are not in the scene's list are added"
    )

    @classmethod
    def is_ready(cls, context: bpy.types.Context) -> bool:
        """Needs takes, and a character with a table."""
        return _some(cls) and polls.filled_table(cls, context)

    def plan(self, context: bpy.types.Context) -> "tuple[Run, Steps]":
        """The takes' bakes."""
        from . import library_runs

        own = context.scene.aumocap_library
        run = Run("Bake Takes")
        smoothing = preferences.get(context).smoothing
        order = BakeOrder(context.scene.name, own.bake_to, own.place == "ROW", own.gap, smoothing)
        return run, library_runs.bake(run, _paths(), order)

    def _finish(self, context: bpy.types.Context) -> set[str]:
        done = super()._finish(context)
        context.scene.frame_set(context.scene.frame_current, subframe=context.scene.frame_subframe)
        return done


class AUMOCAP_OT_library_relink(_InFolder):
    """Looks for the videos of takes."""

    bl_idname = "aumocap.library_relink"
    bl_label = "Relink Videos"
    bl_description = (
        "Look in a folder, and below it, for the videos of the takes in the list whose video has moved, by size and "
        "checksum. Where they are is noted beside the takes; the takes stay as they are"
    )

    directory: bpy.props.StringProperty(subtype="DIR_PATH", options={"SKIP_SAVE"})
    filter_folder: bpy.props.BoolProperty(default=True, options={"HIDDEN"})

    @classmethod
    def is_ready(cls, _context: bpy.types.Context) -> bool:
        """Needs takes."""
        return _some(cls)

    def plan(self, context: bpy.types.Context) -> "tuple[Run, Steps]":
        """The search."""
        from ..au_mocap.errors import LibraryError
        from . import library_runs

        del context
        sought = [entry for entry in library_state.shown() if entry.clip_state in ("missing", "changed")]
        if not sought:
            message = "Every take of the list has its video: there is nothing to look for."
            raise LibraryError(message)
        run = Run("Relink Videos")
        return run, library_runs.relink(run, Path(bpy.path.abspath(self.directory)), sought)


class AUMOCAP_OT_library_cancel(bpy.types.Operator):
    """Stops the list that is worked through."""

    bl_idname = "aumocap.library_cancel"
    bl_label = "Cancel"
    bl_description = "Stop: what is done stays, the rest is left"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Needs a list that is worked through."""
        return _State.run is not None

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Ask it to stop; the operator that started it does the rest."""
        if _State.run is not None:
            _State.run.stop()
        return {"FINISHED"}


_OPERATORS: "tuple[Any, ...]" = (
    AUMOCAP_OT_library_analyse,
    AUMOCAP_OT_library_calibrate,
    AUMOCAP_OT_library_bake,
    AUMOCAP_OT_library_relink,
    AUMOCAP_OT_library_cancel,
)
_register, _unregister = classes.factory(_OPERATORS)


def register() -> None:
    """Register the operators."""
    _register()


def unregister() -> None:
    """Undo `register`; a list that is worked through ends."""
    run, _State.run, _State.last = _State.run, None, None
    if run is not None:
        run.stop()
    _unregister()
