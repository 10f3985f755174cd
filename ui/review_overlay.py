"""Calls what draws a review, for the editors that show it: the strip along timelines, the face over the video."""

import sys
from collections.abc import Callable
from typing import Any, Final

import bpy
from bpy.app.handlers import persistent

from ..operators import review_state

_DRAWING: Final = f"{__package__}.review_strip"
_handles: "list[tuple[Any, Any]]" = []


def _settings(context: bpy.types.Context) -> Any:  # noqa: ANN401 - a property group
    """What the scene wants to see; None where there is nothing to look at."""
    stage = context.scene
    if stage is None or context.area is None or review_state.key_of(stage) is None:
        return None
    return stage.aumocap_review  # pyright: ignore[reportAttributeAccessIssue]


def _draw_strip() -> None:
    """Called by Blender for every timeline, dope sheet and graph editor that it draws."""
    context = bpy.context
    settings = _settings(context)
    if settings is None or not settings.show_strip:
        return
    review = review_state.current(context.scene)
    if review is None:
        review_state.want(context.scene)
        return
    from . import review_strip

    review_strip.draw(context, review, settings)


def _draw_face() -> None:
    """Called by Blender for every image editor and 3D viewport that it draws."""
    context = bpy.context
    settings = _settings(context)
    if settings is None or not (settings.show_landmarks or settings.show_crop or settings.show_axes):
        return
    from . import review_face

    if not review_face.is_shown(context):
        return
    review = review_state.current(context.scene)
    if review is None:
        review_state.want(context.scene)
        return
    review_face.draw(context, review, settings)


@persistent
def _forget(*_arguments: object) -> None:
    """Let go of the strips, if any was ever drawn."""
    module = sys.modules.get(_DRAWING)
    if module is not None:
        module.forget()


_CALLS: Final["tuple[tuple[Any, Callable[[], None]], ...]"] = (
    (bpy.types.SpaceDopeSheetEditor, _draw_strip),
    (bpy.types.SpaceGraphEditor, _draw_strip),
    (bpy.types.SpaceImageEditor, _draw_face),
    (bpy.types.SpaceView3D, _draw_face),
)


def register() -> None:
    """Have Blender call what draws, and let go of it with every other file."""
    for space, function in _CALLS:
        _handles.append((space, space.draw_handler_add(function, (), "WINDOW", "POST_PIXEL")))
    bpy.app.handlers.load_pre.append(_forget)


def unregister() -> None:
    """Undo `register`."""
    for space, handle in _handles:
        space.draw_handler_remove(handle, "WINDOW")
    _handles.clear()
    if _forget in bpy.app.handlers.load_pre:
        bpy.app.handlers.load_pre.remove(_forget)
    _forget()
