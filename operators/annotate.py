"""Labelling a clip by hand: what is open, what its sliders say, and what Blender does meanwhile: undo, saving, closing.

Labels are in their folder and nowhere else. The scene holds the number of their present state, which undo brings back;
the labels then follow (`annotation.editing`).
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

import bpy
from bpy.app.handlers import persistent

from ..au_mocap.errors import AnnotationError, AuMocapError
from . import bundle

if TYPE_CHECKING:
    from ..au_mocap.annotation.editing import Rows
    from .annotate_session import Session

_STORE_AFTER_S: Final = 3.0


class _State:
    """What is open; never stored in a file."""

    session: "ClassVar[Session | None]" = None
    is_posing: ClassVar[bool] = False


def current(stage: bpy.types.Scene) -> "Session | None":
    """The labels that are open in a scene."""
    session = _State.session
    return session if session is not None and session.scene == stage.name else None


def needed(stage: bpy.types.Scene) -> "Session":
    """As `current`; raises AnnotationError where none are open."""
    session = current(stage)
    if session is None:
        message = "Start annotating first (Annotate panel)."
        raise AnnotationError(message)
    return session


def clip_frame(stage: bpy.types.Scene) -> int:
    """The clip's frame that the timeline shows: Blender shows one frame of a video in each scene frame."""
    return stage.frame_current - round(stage.aumocap.bake.start_frame)


def is_clip_of(stage: bpy.types.Scene, video: str) -> bool:
    """Whether a video is the one whose labels are open: then the timeline counts its frames one by one."""
    session = current(stage)
    return session is not None and session.video == Path(bpy.path.abspath(video))


def go_to(stage: bpy.types.Scene, frame: int) -> None:
    """Show a frame of the clip."""
    stage.frame_set(scene_frame(stage, frame))


def scene_frame(stage: bpy.types.Scene, frame: int) -> int:
    """The scene frame that shows a frame of the clip."""
    return frame + round(stage.aumocap.bake.start_frame)


def start(stage: bpy.types.Scene, folder: str, coder: str) -> "Session":
    """Open a coder's labels of the scene's clip, in place of any that are open.

    Raises:
        AuMocapError: They cannot be opened; nothing is open then.
    """
    stop()
    with bundle.needed():
        from ..au_mocap import channels
        from .annotate_session import opened
    own = stage.aumocap_annotation
    session = opened(stage, folder, coder)
    if [item.name for item in own.sliders] != list(channels.IDS):
        own.sliders.clear()
        for channel_id in channels.IDS:
            own.sliders.add().name = channel_id
    own.folder, own.coder, own.step = str(session.folder), session.coder, session.editing.step
    _State.session = session
    for name, function in _handlers():
        getattr(bpy.app.handlers, name).append(function)
    show(stage)
    return session


def stop() -> None:
    """Store the labels, close them and put the character back."""
    session, _State.session = _State.session, None
    for name, function in _handlers():
        functions = getattr(bpy.app.handlers, name)
        if function in functions:
            functions.remove(function)
    if bpy.app.timers.is_registered(_store_later):
        bpy.app.timers.unregister(_store_later)
    pause()
    if session is not None:
        session.store()


def value(stage: bpy.types.Scene, channel_id: str) -> float:
    """What a slider shows: the label; where there is none, a blend of the labelled frames around."""
    known = label(stage, channel_id)
    session = current(stage)
    if known is not None or session is None:
        return known or 0.0
    from ..au_mocap.channels import INDEX

    return float(session.shown(clip_frame(stage))[INDEX[channel_id]])


def label(stage: bpy.types.Scene, channel_id: str) -> float | None:
    """A channel's label in the current frame; None where it has none."""
    session = current(stage)
    row = session.editing.row(clip_frame(stage)) if session is not None else None
    if row is None:
        return None
    from ..au_mocap.channels import INDEX

    known = float(row.values[INDEX[channel_id]])
    return None if known != known else known


def set_value(stage: bpy.types.Scene, channel_id: str, wanted: float) -> None:
    """A slider was moved."""
    session = current(stage)
    if session is None:
        return
    from ..au_mocap.channels import mirrored

    ids = (channel_id, mirrored(channel_id)) if stage.aumocap_annotation.use_both else (channel_id,)
    try:
        change(stage, session.set_value(stage, clip_frame(stage), tuple(dict.fromkeys(ids)), wanted))
    except AuMocapError as error:
        session.problem = str(error)


def change(stage: bpy.types.Scene, rows: "Rows") -> None:
    """Take a change of the labels on: onto the disk, into the undo, onto the character.

    Raises:
        OutputError: It cannot be written. It stands in memory, and is written with the next store.
    """
    session = needed(stage)
    stage.aumocap_annotation.step = session.editing.step
    if not bpy.app.background and not bpy.app.timers.is_registered(_store_later):
        bpy.app.timers.register(_store_later, first_interval=_STORE_AFTER_S)
    try:
        session.change(rows)
    finally:
        show(stage)


def show(stage: bpy.types.Scene) -> None:
    """Pose the character by the labels of the current frame, or put it back where that is switched off."""
    session = current(stage)
    if session is None:
        return
    if not stage.aumocap_annotation.use_pose or stage.aumocap.character is None:
        pause()
        return
    from . import annotate_pose, live, preview, trying

    if not _State.is_posing:
        preview.stop()
        live.stop()
        trying.stop()
        _State.is_posing = True
    try:
        annotate_pose.show(stage, session.shown(clip_frame(stage)))
    except AuMocapError as error:
        session.problem = str(error)


def pause() -> None:
    """Put the character back; the labels stay open."""
    if _State.is_posing:
        from . import annotate_pose

        _State.is_posing = False
        annotate_pose.stop()


def give_way(stage: bpy.types.Scene) -> None:
    """Something else poses the character from now on, until Show on Character is chosen again."""
    if _State.is_posing:
        pause()
        stage.aumocap_annotation.use_pose = False


def table_changed(stage: bpy.types.Scene) -> None:
    """The table, the bones or the character have changed."""
    if _State.is_posing:
        pause()
        show(stage)


def _handlers() -> tuple[tuple[str, Any], ...]:
    """What is told to whom while labels are open."""
    return (
        ("frame_change_post", _follow),
        ("save_pre", _before_save),
        ("save_post", _after_save),
        ("undo_pre", _before_undo),
        ("redo_pre", _before_undo),
        ("undo_post", _after_undo),
        ("redo_post", _after_undo),
        ("load_pre", _before_load),
    )


@persistent
def _follow(stage: bpy.types.Scene, _depsgraph: bpy.types.Depsgraph | None = None) -> None:
    if not bpy.app.is_job_running("RENDER"):  # what is rendered stands still
        show(stage)


@persistent
def _before_save(*_arguments: object) -> None:
    """No file holds a pose; the labels are stored along with it."""
    pause()
    _store()


@persistent
def _after_save(*_arguments: object) -> None:
    _show_again()


@persistent
def _before_undo(*_arguments: object) -> None:
    """All data will be replaced. What is posed is noted in the data itself, and put back by `live_trace`."""
    if _State.is_posing:
        from . import annotate_pose

        annotate_pose.forget()


@persistent
def _after_undo(*_arguments: object) -> None:
    """The labels go where the scene says."""
    session = _State.session
    stage = bpy.data.scenes.get(session.scene) if session is not None else None
    if session is None:
        return
    own = stage.aumocap_annotation if stage is not None else None
    if own is None or (own.folder, own.coder) != (str(session.folder), session.coder):
        _close()  # undone back to before they were opened
        return
    try:
        session.change(session.editing.go_to(own.step))
    except AuMocapError as error:
        session.problem = str(error)
    _show_again()


@persistent
def _before_load(*_arguments: object) -> None:
    """The file is being closed, with all that is posed in it."""
    if _State.is_posing:
        from . import annotate_pose

        annotate_pose.forget()
        _State.is_posing = False
    _close()


def _show_again() -> None:
    session = _State.session
    stage = bpy.data.scenes.get(session.scene) if session is not None else None
    if stage is not None:
        show(stage)


def _store() -> None:
    if _State.session is not None:
        from .annotate_session import stored_or_problem

        stored_or_problem(_State.session)


def _store_later() -> float | None:
    """Write the table once nobody is in the middle of something; the journal has it all meanwhile."""
    if any(window.screen.is_animation_playing for window in bpy.context.window_manager.windows):
        return _STORE_AFTER_S
    _store()
    return None


def _close() -> None:
    """Close where nobody can be told of an error: the journal has what the table lacks."""
    try:
        stop()
    except AuMocapError as error:
        import sys

        sys.stderr.write(f"AU Mocap: {error}\n")


def register() -> None:
    """Nothing is open yet."""


def unregister() -> None:
    """Store and close what is open."""
    _close()
