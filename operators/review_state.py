"""What is known of the take at hand while it is reviewed: its problems, and where its frames lie on the timeline.

It is looked for by operators at once, and by a timer of the window after whatever was drawn or changed; nothing is
looked for while Blender draws. What the panel lists is kept with the window manager and never counts as a change.
"""

from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar, Final

import bpy
from bpy.app.handlers import persistent

from ..au_mocap.errors import AuMocapError
from . import annotate, bundle

if TYPE_CHECKING:
    from collections.abc import Callable

    from .review_finding import Review

EDITORS: Final = ("DOPESHEET_EDITOR", "GRAPH_EDITOR", "IMAGE_EDITOR", "VIEW_3D")
"""Editors that show something of a review."""

_SOON_S: Final = 0.15

Key = tuple[object, ...]


class _State:
    """Of this Blender, never stored in a file."""

    changes: ClassVar[int] = 0
    review: "ClassVar[Review | None]" = None
    key: "ClassVar[Key | None]" = None
    error: ClassVar[str] = ""
    wanted: ClassVar[str] = ""
    filling: ClassVar[bool] = False


def key_of(stage: bpy.types.Scene) -> Key | None:
    """What a review depends on, in one comparable value; None where the scene has no take."""
    own = stage.aumocap
    if not 0 <= own.active_take < len(own.takes):
        return None
    item, bake, render = own.takes[own.active_take], own.bake, stage.render
    when = bake.start_frame, bake.timing, bake.speed, render.fps, render.fps_base
    is_labelled = annotate.is_clip_of(stage, item.video)
    return _State.changes, stage.name, own.active_take, item.filepath, is_labelled, *when


def current(stage: bpy.types.Scene) -> "Review | None":
    """What was found for the scene as it is; None where it has to be looked for."""
    return _State.review if _State.key is not None and _State.key == key_of(stage) else None


def error(stage: bpy.types.Scene) -> str:
    """Why nothing can be found for the scene as it is; empty where something was, or was not tried yet."""
    return _State.error if _State.key is not None and _State.key == key_of(stage) else ""


def update(stage: bpy.types.Scene) -> "Review":
    """Look now, and fill the list.

    Raises:
        AuMocapError: There is no take, or it cannot be read with the scene's settings.
    """
    known = current(stage)
    if known is not None:
        return known
    _State.key, _State.review, _State.error = key_of(stage), None, ""
    try:
        with bundle.needed():
            from . import review_finding

            found = _State.review = review_finding.find(stage)
    except AuMocapError as problem:
        _State.error = str(problem)
        raise
    finally:
        _fill(_State.review)
    return found


def want(stage: bpy.types.Scene) -> None:
    """Have the window look soon, unless it has: drawing calls this, which may not look itself."""
    if bpy.app.background or key_of(stage) is None or current(stage) is not None or error(stage):
        return
    _State.wanted = stage.name
    if not bpy.app.timers.is_registered(_look):
        bpy.app.timers.register(_look, first_interval=_SOON_S)


def changed() -> None:
    """A setting or a take has changed: what was found counts no more."""
    _State.changes += 1
    look_changed()


def look_changed() -> None:
    """Have all that shows a review drawn again."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in EDITORS:
                area.tag_redraw()


def forget() -> None:
    """Drop what was found."""
    if bpy.app.timers.is_registered(_look):
        bpy.app.timers.unregister(_look)
    _State.review, _State.key, _State.error, _State.wanted = None, None, "", ""


def listed() -> Any:  # noqa: ANN401 - a property group
    """The list: problems, and the chosen one."""
    return bpy.context.window_manager.aumocap_review  # pyright: ignore[reportAttributeAccessIssue]


def choose(stage: bpy.types.Scene, index: int) -> None:
    """Choose a line of the list and go to its frame."""
    _State.filling = True
    try:
        listed().active = index
    finally:
        _State.filling = False
    go_to_chosen(stage)


def go_to_chosen(stage: bpy.types.Scene) -> None:
    """Go to the frame of the chosen problem."""
    found = listed()
    if not _State.filling and 0 <= found.active < len(found.problems):
        frame = found.problems[found.active].frame
        if stage.frame_current != frame:
            stage.frame_set(frame)


def _fill(review: "Review | None") -> None:
    found = listed()
    _State.filling = True
    try:
        found.problems.clear()
        for spot in review.spots if review is not None else ():
            line = found.problems.add()
            line.kind, line.channel = spot.problem.kind, spot.problem.channel or ""
            line.frame, line.last_frame = spot.frame, spot.last_frame
            line.severity, line.message = spot.problem.severity, spot.problem.message
        found.active = min(found.active, len(found.problems) - 1)
    finally:
        _State.filling = False


def _look() -> None:
    """The window's timer."""
    stage = bpy.data.scenes.get(_State.wanted)
    if stage is None or key_of(stage) is None or current(stage) is not None:
        return
    with suppress(AuMocapError):  # `error` keeps it for the panel
        update(stage)
    look_changed()


@persistent
def _state_changed(*_arguments: object) -> None:
    """Another file, or another state of this one: the list must not show what is not there."""
    forget()
    _State.changes += 1
    _fill(None)
    look_changed()


def handlers() -> "tuple[tuple[str, Callable[..., None]], ...]":
    """What is told to whom."""
    return ("load_post", _state_changed), ("undo_post", _state_changed), ("redo_post", _state_changed)


def register() -> None:
    """Listen for other files and undo."""
    for name, function in handlers():
        getattr(bpy.app.handlers, name).append(function)


def unregister() -> None:
    """Undo `register`."""
    forget()
    for name, function in handlers():
        listening = getattr(bpy.app.handlers, name)
        if function in listening:
            listening.remove(function)
