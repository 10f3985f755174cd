"""From live properties to a session of the engine. Imported at first use: it needs the engine."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import bpy

from ..au_mocap import sessions
from ..au_mocap.errors import LiveError
from ..au_mocap.live.session import LiveSettings, Session
from ..au_mocap.live.sources import CameraSource, FileSource, FolderSource, Source
from ..au_mocap.registry import Registry
from ..au_mocap.regressors import Regressor, open_regressor
from ..au_mocap.tracking import FaceTracker, open_tracker
from . import models, preferences

if TYPE_CHECKING:
    from .live_properties import AUMOCAP_PG_live


def session_of(context: bpy.types.Context, stage: bpy.types.Scene) -> Session:
    """A session as a scene asks for it, not yet started.

    Raises:
        AuMocapError: No video or folder is chosen, or the preferences name a runtime that cannot be used.
    """
    own, capture, chosen = stage.aumocap.live, stage.aumocap.capture, preferences.get(context)
    device, threads, name = capture.device, chosen.threads, own.regressor
    sessions.use_runtime(Path(bpy.path.abspath(chosen.runtime_folder)) if chosen.runtime_folder else None)
    return Session(
        source_of(own), _tracker(device, threads), _regressor(name, device, threads), settings_of(own), capture.fov_deg
    )


def settings_of(own: "AUMOCAP_PG_live") -> LiveSettings:
    """What is done to the measurements."""
    return LiveSettings(own.smoothing, own.mirror, own.frozen, frozenset(own.muted))


def source_of(own: "AUMOCAP_PG_live") -> Source:
    """Where the pictures come from; raises LiveError where that is not chosen yet."""
    if own.source == "camera":
        width, height = map(int, own.size.split("x"))
        return CameraSource(own.camera, (width, height), own.rate_hz)
    is_file = own.source == "file"
    path = own.video if is_file else own.folder
    if not path:
        message = "Choose the video first." if is_file else "Choose the folder of pictures first."
        raise LiveError(message)
    whole = Path(bpy.path.abspath(path))
    return FileSource(whole, own.loop) if is_file else FolderSource(whole)


def _tracker(device: str, threads: int) -> Callable[[], FaceTracker]:
    return lambda: open_tracker("onnx", Registry(), device, threads)


def _regressor(name: str, device: str, threads: int) -> Callable[[], Regressor]:
    registry = models.registry()
    return lambda: open_regressor(registry, name, device, threads)
