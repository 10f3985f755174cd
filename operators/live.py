"""Live preview: on or off, one at a time, and what Blender does meanwhile: saving, undo, another file.

Nothing is written into the file but keys that Blender's auto-keying asks for and takes that were recorded: what is
posed is put back at the end, around every save, and after an undo that brings it back (`live_trace`).
"""

import time
from typing import TYPE_CHECKING, Any, ClassVar, Final

import bpy
from bpy.app.handlers import persistent

from ..au_mocap.errors import AuMocapError, LiveError
from . import bundle, live_trace

if TYPE_CHECKING:
    from .live_recording import Recording
    from .live_run import LiveRun

TICK_S: Final = 1.0 / 120.0
"""Between two looks for a new frame: what waits here adds to the latency."""

_CALIBRATE_AFTER_S: Final = 3.0
_COLLECT_S: Final = 0.2
_PATIENCE_S: Final = 30.0


class _State:
    """What is on; never stored in a file."""

    live: "ClassVar[LiveRun | None]" = None
    storing: "ClassVar[tuple[Recording, ...]]" = ()
    problem: ClassVar[str] = ""
    neutral: "ClassVar[tuple[str, Any] | None]" = None


def current() -> "LiveRun | None":
    """The live preview that is on."""
    return _State.live


def is_on(stage: bpy.types.Scene) -> bool:
    """Whether a live preview poses this scene's character."""
    return _State.live is not None and _State.live.scene == stage.name


def problem() -> str:
    """Why the last one ended, or could not do what was asked; empty where all is well."""
    return _State.live.problem if _State.live is not None and _State.live.problem else _State.problem


def is_recording() -> bool:
    """Whether a recording is on, or counted down to."""
    live = _State.live
    if live is None:
        return False
    return live.recording is not None or (live.countdown is not None and live.countdown.purpose == "record")


def is_storing() -> bool:
    """Whether a recording is on its way to the disk."""
    live = _State.live
    return bool(_State.storing) or (live is not None and live.recording is not None and live.recording.is_storing)


def start(context: bpy.types.Context, stage: bpy.types.Scene) -> tuple[str, ...]:
    """Show live pictures on the scene's character; whatever else poses it ends.

    Returns:
        What of the table cannot be shown, and why.

    Raises:
        AuMocapError: There is nothing to show, or nothing to show it on; nothing is left on.
    """
    from . import preview

    stop()
    preview.make_way(stage)
    _State.problem = ""
    with bundle.needed():
        from . import trying
        from .live_run import LiveRun

        trying.stop()
        live = LiveRun(context, stage)
        if _State.neutral is not None and _State.neutral[0] == live.regressor:
            live.session.set_neutral(_State.neutral[1])
        live.session.start()
    _State.live = live
    for name, function in _handlers():
        getattr(bpy.app.handlers, name).append(function)
    bpy.app.timers.register(tick, first_interval=0.0)
    return live.skipped


def stop() -> None:
    """End the live preview and put the character back. A recording becomes a take."""
    live, _State.live = _State.live, None
    for name, function in _handlers():
        functions = getattr(bpy.app.handlers, name)
        if function in functions:
            functions.remove(function)
    if bpy.app.timers.is_registered(tick):
        bpy.app.timers.unregister(tick)
    if live is None:
        return
    neutral = live.session.neutral
    _State.neutral = None if neutral is None else (live.regressor, neutral)
    live.end()
    if live.recording is not None:
        _State.storing += (live.recording,)
        if bpy.app.background:
            collect(wait=True)
        else:
            bpy.app.timers.register(_collect_later, first_interval=_COLLECT_S)


def tick() -> float | None:
    """What the timer does: a few milliseconds of work, then the seconds until the next time."""
    live = _State.live
    if live is None:
        return None
    try:
        live.tick()
    except AuMocapError as error:
        stop()
        _State.problem = str(error)
    except Exception as error:  # noqa: BLE001 - a timer that raises is dropped by Blender, and the face stays posed
        import traceback

        traceback.print_exc()
        stop()
        _State.problem = f"Live preview has failed: {error!r}. The character was put back."
    return TICK_S if _State.live is live else None


def calibrate() -> None:
    """Take the actor's neutral after a countdown; raises LiveError where nothing is on."""
    live = _needed()
    if live.recording is not None:
        message = "Stop recording first, then calibrate."
        raise LiveError(message)
    from .live_recording import Countdown

    _State.problem = live.problem = ""
    live.countdown = Countdown("calibrate", time.perf_counter() + _CALIBRATE_AFTER_S)


def record(countdown_s: float) -> None:
    """Record after a countdown; raises LiveError where nothing is on, or a recording is."""
    live = _needed()
    if live.recording is not None:
        message = "A recording is on already, or is being stored: wait a moment."
        raise LiveError(message)
    from .live_recording import Countdown

    _State.problem = live.problem = ""
    live.countdown = Countdown("record", time.perf_counter() + countdown_s)


def stop_recording() -> None:
    """End the recording, or the countdown to it; the take appears in the list when it is stored."""
    live = _needed()
    live.countdown = None
    if live.recording is not None and not live.recording.is_storing:
        live.recording.store(live.session)


def collect(*, wait: bool = False) -> None:
    """Put recordings that outlived their preview into their lists once they are stored."""
    for recording in _State.storing:
        if wait:
            recording.wait(_PATIENCE_S)
        if recording.done:
            _State.storing = tuple(each for each in _State.storing if each is not recording)
            _listed(recording)


def table_changed(stage: bpy.types.Scene) -> None:
    """Table, bones or bake settings have changed: the next frame shows it."""
    if _State.live is not None and _State.live.scene == stage.name:
        _State.live.renew()


def _needed() -> "LiveRun":
    if _State.live is None:
        message = "Start the live preview first."
        raise LiveError(message)
    return _State.live


def _listed(recording: "Recording") -> None:
    recording.into_list(bpy.context)
    _State.problem = recording.told or _State.problem


def _collect_later() -> float | None:
    from .redrawing import redraw

    collect()
    redraw("", panels=True)
    return _COLLECT_S if _State.storing else None


def _handlers() -> tuple[tuple[str, Any], ...]:
    """What is told to whom while it is on."""
    return (
        ("save_pre", _before_save),
        ("undo_pre", _before_undo),
        ("redo_pre", _before_undo),
        ("load_pre", _before_load),
    )


@persistent
def _before_save(*_arguments: object) -> None:
    """The next frame poses the character again."""
    if _State.live is not None:
        _State.live.put_back()


@persistent
def _before_undo(*_arguments: object) -> None:
    if _State.live is not None:
        _State.live.forget_references()


@persistent
def _before_load(*_arguments: object) -> None:
    """The file is being closed, or stays where the other one cannot be read: its scenes get no take any more."""
    stop()
    if _State.storing:
        paths = ", ".join(str(recording.output) for recording in _State.storing)
        _State.problem = f"The file was closed while recording. The take is stored as {paths}: Open Take shows it."
        _State.storing = ()


def register() -> None:
    """Register what is always on."""
    live_trace.register()


def unregister() -> None:
    """End a live preview that is on, and wait for what it has recorded."""
    stop()
    collect(wait=True)
    if bpy.app.timers.is_registered(_collect_later):
        bpy.app.timers.unregister(_collect_later)
    live_trace.unregister()
