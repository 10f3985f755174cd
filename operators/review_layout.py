"""The window while a take is reviewed: the video beside the viewport, and back to how it was."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

import bpy
from bpy.app.handlers import persistent

from . import bundle, review_state, review_step

_FIT_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class _Layout:
    """What was there, by the names that outlive it.

    Attributes:
        screen: Name of the window's screen.
        area: Address of the image editor.
        made: Whether it was made for the review; what was there before stays.
        strip: Whether the strip was drawn before.
    """

    screen: str
    area: int
    made: bool
    strip: bool


class _State:
    """The layout at hand; never stored in a file."""

    layout: "ClassVar[_Layout | None]" = None


def is_on(window: bpy.types.Window | None) -> bool:
    """Whether a window shows the review's layout."""
    return window is not None and _area(window) is not None


def enter(context: bpy.types.Context) -> str:
    """Show the clip beside the viewport, and the strip.

    Returns:
        What keeps picture and keys from staying in step, empty where nothing does.

    Raises:
        AuMocapError: There is no take, its clip cannot be shown, or there is no room; the window is as it was.
    """
    with bundle.needed():
        from . import performing, staging
    item, stage = performing.active_take(context.scene), context.scene
    window: Any = context.window
    before = {area.as_pointer() for area in window.screen.areas} if window is not None else set()
    shown = staging.set_up(context, Path(bpy.path.abspath(item.video)), stage.aumocap.bake.start_frame, "image_editor")
    assert shown.area is not None
    address, review = shown.area.as_pointer(), _review(stage)
    _State.layout = _Layout(window.screen.name, address, address not in before, review.show_strip)
    review.show_strip = True
    review_step.follow(stage)
    review_state.look_changed()
    bpy.app.timers.register(_fit, first_interval=_FIT_S)  # a new editor gets its size with the next drawing
    return "" if review.in_step else shown.hint


def leave(context: bpy.types.Context) -> None:
    """Close what was opened; an image editor that was there before stays."""
    layout, area, window = _State.layout, _area(context.window), context.window
    _State.layout = None
    if layout is None or area is None:
        return
    _review(context.scene).show_strip = layout.strip
    if layout.made:
        with context.temp_override(window=window, area=area):
            bpy.ops.screen.area_close()
    review_state.look_changed()


@persistent
def forget(*_arguments: object) -> None:
    """The file is closed, or the extension ends: its editors are nobody's any more."""
    _State.layout = None
    if bpy.app.timers.is_registered(_fit):
        bpy.app.timers.unregister(_fit)


def _review(stage: bpy.types.Scene) -> Any:  # noqa: ANN401 - a property group
    return stage.aumocap_review  # pyright: ignore[reportAttributeAccessIssue]


def _area(window: bpy.types.Window | None) -> bpy.types.Area | None:
    """The review's image editor, where it is still there and still one."""
    layout = _State.layout
    if layout is None or window is None or window.screen.name != layout.screen:
        return None
    areas = (area for area in window.screen.areas if area.type == "IMAGE_EDITOR")
    return next((area for area in areas if area.as_pointer() == layout.area), None)


def _fit() -> None:
    """Fill the new editor with the picture."""
    for window in bpy.context.window_manager.windows:
        area = _area(window)
        region = next((each for each in area.regions if each.type == "WINDOW"), None) if area is not None else None
        if region is not None and region.width > 1:
            with bpy.context.temp_override(window=window, area=area, region=region):
                bpy.ops.image.view_all(fit_view=True)


def register() -> None:
    """Listen for other files."""
    bpy.app.handlers.load_post.append(forget)


def unregister() -> None:
    """Undo `register`; what was opened stays, as any editor does."""
    forget()
    if forget in bpy.app.handlers.load_post:
        bpy.app.handlers.load_post.remove(forget)
