"""Calls the overlay of live preview for the editors that show it."""

import sys
from typing import Any, Final

import bpy

from ..operators import live

_DRAWING: Final = f"{__package__}.overlay_drawing"
_handles: "list[tuple[Any, Any]]" = []


def _draw() -> None:
    """Called by Blender for every 3D viewport and image editor that it draws."""
    run, context = live.current(), bpy.context
    if run is None:
        _forget()
    elif run.frame is None or context.area is None or not live.is_on(context.scene):
        return
    elif context.scene.aumocap.live.overlay == context.area.type:
        from . import overlay_drawing

        overlay_drawing.draw(context, run)


def _forget() -> None:
    """Let go of the picture, if one was ever drawn."""
    module = sys.modules.get(_DRAWING)
    if module is not None:
        module.forget()


def register() -> None:
    """Have Blender call the overlay."""
    for space in (bpy.types.SpaceView3D, bpy.types.SpaceImageEditor):
        _handles.append((space, space.draw_handler_add(_draw, (), "WINDOW", "POST_PIXEL")))


def unregister() -> None:
    """Undo `register`."""
    for space, handle in _handles:
        space.draw_handler_remove(handle, "WINDOW")
    _handles.clear()
    _forget()
