"""A first look at a chosen video: its facts, and a thumbnail with the face that was found.

A thread decodes and looks; a timer of the window takes its result, since only Blender's own thread may touch a picture.
"""

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

import bpy

from ..au_mocap.errors import AuMocapError
from . import bundle

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .capture_properties import AUMOCAP_PG_capture

_SIDE_PX: Final = 256
_POLL_S: Final = 0.1
_TRIED_FRAMES: Final = 60
_EVERY: Final = 10
_BOX_BGR: Final = (40, 190, 255)


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen.

    Attributes:
        path: The video as it was chosen.
        facts: One line: size, rate, length.
        face: Whether a face was found in the first frames.
        error: Why it cannot be used; empty where it can.
        pixels: (H, W, 4) float32 0..1, bottom row first, as Blender keeps pictures; None without a picture.
    """

    path: str
    facts: str = ""
    face: bool = False
    error: str = ""
    pixels: "NDArray[np.float32] | None" = None


class _State:
    """The look at hand; never stored in a file."""

    wanted: ClassVar[str] = ""
    arrived: "ClassVar[Look | None]" = None
    shown: "ClassVar[Look | None]" = None
    previews: ClassVar[Any] = None


def shown(filepath: str) -> Look | None:
    """What is known of a chosen video; None while it is being looked at."""
    look = _State.shown
    return look if look is not None and look.path == filepath else None


def icon(filepath: str) -> int:
    """Icon of the thumbnail, 0 without one."""
    previews = _State.previews
    return previews[filepath].icon_id if previews is not None and filepath in previews else 0


def start(capture: "AUMOCAP_PG_capture", context: bpy.types.Context) -> None:
    """Look at the chosen video, in the background of a window."""
    from . import preferences

    if not capture.is_property_set("regressor"):
        capture.regressor = preferences.get(context).regressor
    if not capture.is_property_set("device"):
        capture.device = preferences.get(context).device
    _State.wanted = capture.filepath
    if not capture.filepath or bpy.app.background:  # nobody would see it
        return
    path = capture.filepath
    absolute = Path(bpy.path.abspath(path))
    threading.Thread(target=_work, args=(path, absolute), name="AU Mocap look", daemon=True).start()
    if not bpy.app.timers.is_registered(_take):
        bpy.app.timers.register(_take, first_interval=_POLL_S)


def _work(path: str, absolute: Path) -> None:
    found = look(path, absolute)
    if path == _State.wanted:
        _State.arrived = found


def look(path: str, absolute: Path) -> Look:
    """Decode the first frames of a video and find a face in them. Any thread may call it.

    Args:
        path: The video as it was chosen.
        absolute: The same as an absolute path.
    """
    try:
        from ..au_mocap.registry import Registry
        from ..au_mocap.tracking import open_tracker
        from ..au_mocap.video import open_video

        with open_video(absolute) as video:
            info = video.info
            tracker = open_tracker("onnx", Registry(), "cpu")
            image, face = None, None
            for frame in video.frames(0, _TRIED_FRAMES):
                if frame.index % _EVERY:
                    continue
                image = frame.image if image is None else image
                face = tracker.track(frame.image, frame.time_s)
                if face is not None:
                    image = frame.image
                    break
    except AuMocapError as error:
        return Look(path, error=str(error))
    except ImportError as error:
        return Look(path, error=bundle.explain(error))
    length = f", {info.frame_count} frames, {info.duration_s:.1f} s" if info.frame_count and info.duration_s else ""
    facts = f"{info.size_px[0]} x {info.size_px[1]}, {info.rate_hz:.4g} fps{length}"
    return Look(path, facts, face is not None, pixels=None if image is None else _picture(image, face))


def _picture(image: "NDArray[np.uint8]", face: Any | None) -> "NDArray[np.float32]":  # noqa: ANN401 - a TrackedFace
    import cv2
    import numpy as np

    scale = _SIDE_PX / max(image.shape[:2])
    small = cv2.resize(image[:, :, :3], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    if face is not None:
        low, high = (face.landmarks[:, :2].min(axis=0) * scale, face.landmarks[:, :2].max(axis=0) * scale)
        margin = 0.12 * (high - low)
        corners = [tuple(int(v) for v in corner) for corner in (low - margin, high + margin)]
        cv2.rectangle(small, corners[0], corners[1], _BOX_BGR, 2, cv2.LINE_AA)
    picture = np.ones((_SIDE_PX, _SIDE_PX, 4), np.float32)
    picture[..., 3] = 0.0  # a preview is square: what the video does not fill stays clear
    top, left = (_SIDE_PX - small.shape[0]) // 2, (_SIDE_PX - small.shape[1]) // 2
    place = picture[top : top + small.shape[0], left : left + small.shape[1]]
    place[..., :3], place[..., 3] = small[:, :, ::-1] / np.float32(255.0), 1.0
    return picture[::-1]


def _take() -> float | None:
    """The window's timer: put the result where panels find it."""
    found, _State.arrived = _State.arrived, None
    if found is None or found.path != _State.wanted:
        return _POLL_S if _State.wanted and shown(_State.wanted) is None else None
    if found.pixels is not None:
        if _State.previews is None:
            from bpy.utils import previews

            _State.previews = previews.new()
        preview = _State.previews.get(found.path) or _State.previews.new(found.path)
        preview.image_size = (_SIDE_PX, _SIDE_PX)
        preview.image_pixels_float.foreach_set(found.pixels.ravel())
    _State.shown = found
    from .analyse import redraw

    redraw(bpy.context)
    return None


def unregister() -> None:
    """Drop thumbnails and timer."""
    _State.wanted, _State.shown, _State.arrived = "", None, None
    if bpy.app.timers.is_registered(_take):
        bpy.app.timers.unregister(_take)
    if _State.previews is not None:
        from bpy.utils import previews

        previews.remove(_State.previews)
        _State.previews = None
