"""The video in step: wherever the take's clip is seen, its picture of the take's time, at any frame rate and speed.

Blender shows one picture of a film in each scene frame. Here the offset of every image editor and camera background
that shows the clip follows the playhead, so that it agrees with the keys.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

import bpy
from bpy.app.handlers import persistent

from ..au_mocap.errors import AuMocapError

if TYPE_CHECKING:
    from .review_clock import Clock


class _State:
    """The clip that was looked at last, by the take's file and its own; never stored in a .blend file."""

    files: ClassVar[tuple[str, str] | None] = None
    clock: "ClassVar[Clock | None]" = None


def clip_images(stage: bpy.types.Scene) -> "list[bpy.types.Image]":
    """Blender's images of the active take's clip."""
    item = _item(stage)
    if item is None or not item.video:
        return []
    video = bpy.path.abspath(item.video)
    films = (image for image in bpy.data.images if image.source in ("MOVIE", "SEQUENCE"))
    return [image for image in films if _is_of(image, video)]


def _is_of(image: bpy.types.Image, video: str) -> bool:
    """Whether a film is a clip: the same file, or a picture of the folder or sequence that it is."""
    from pathlib import Path

    shown, clip = Path(bpy.path.abspath(image.filepath)), Path(video)
    if image.source == "MOVIE":
        return shown == clip
    return shown.parent == clip or (shown.parent == clip.parent and shown.suffix == clip.suffix)


def follow(stage: bpy.types.Scene) -> None:
    """Show the pictures of now wherever the active take's clip is seen."""
    if not stage.aumocap_review.in_step:  # pyright: ignore[reportAttributeAccessIssue]
        return
    images = clip_images(stage)
    shown = list(_users(stage, images)) if images else []
    if not shown:
        return
    clock = _clock(stage)
    if clock is None:
        return
    for image, user in shown:
        clock.show(stage, _item(stage).video, image, user)


def switched(stage: bpy.types.Scene) -> None:
    """Following was switched on or off: without it the films run as Blender lets them."""
    if stage.aumocap_review.in_step:  # pyright: ignore[reportAttributeAccessIssue]
        follow(stage)
        return
    from . import review_clock

    for image, user in _users(stage, clip_images(stage)):
        review_clock.release(image, user)


def _users(
    stage: bpy.types.Scene, images: "list[bpy.types.Image]"
) -> "Iterator[tuple[bpy.types.Image, bpy.types.ImageUser]]":
    """Where images are seen: image editors of all windows, and behind the scene's camera."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            space: Any = area.spaces.active
            if area.type == "IMAGE_EDITOR" and space.image in images:
                yield space.image, space.image_user
    camera: Any = stage.camera.data if stage.camera is not None else None
    for background in getattr(camera, "background_images", ()):
        if background.source == "IMAGE" and background.image in images:
            yield background.image, background.image_user


def _item(stage: bpy.types.Scene) -> Any:  # noqa: ANN401 - a property group
    own = stage.aumocap
    return own.takes[own.active_take] if 0 <= own.active_take < len(own.takes) else None


def _clock(stage: bpy.types.Scene) -> "Clock | None":
    """The take's times and its clip's rate; None where either cannot be read."""
    item = _item(stage)
    if (item.filepath, item.video) != _State.files:
        _State.files, _State.clock = (item.filepath, item.video), None
        try:
            from . import review_clock

            _State.clock = review_clock.read(item)
        except (AuMocapError, ImportError):
            return None  # the panels say what is wrong with takes and packages
    return _State.clock


@persistent
def _frame_changed(stage: bpy.types.Scene, _depsgraph: "bpy.types.Depsgraph | None" = None) -> None:
    if not bpy.app.is_job_running("RENDER"):  # which has a thread of its own, and shows no editor
        follow(stage)


@persistent
def forget(*_arguments: object) -> None:
    """Read the clip again when it is needed next."""
    _State.files, _State.clock = None, None


def register() -> None:
    """Follow the playhead."""
    bpy.app.handlers.frame_change_post.append(_frame_changed)
    bpy.app.handlers.load_post.append(forget)


def unregister() -> None:
    """Undo `register`."""
    for listening, function in (
        (bpy.app.handlers.frame_change_post, _frame_changed),
        (bpy.app.handlers.load_post, forget),
    ):
        if function in listening:
            listening.remove(function)
    forget()
