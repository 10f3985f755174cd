"""Live preview in Blender: what a tick of its timer costs, how late the face is, how soon it stops."""

import tempfile
import time
from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from training import extension
from training.packages import SINGLE_FACE, fetch

from . import Row, at_most

_FRAMES: Final = 300
_WARM_UP: Final = 30


def rows() -> Iterator[Row]:
    """Yield milliseconds over ten seconds of a clip at 30 frames per second, as a camera shows it."""
    import bpy

    with tempfile.TemporaryDirectory() as folder, extension.registered():
        bpy.ops.wm.read_factory_settings(use_empty=True)
        extension.enable().takes_folder = folder
        scene: Any = bpy.data.scenes[0]
        own = scene.aumocap
        bpy.ops.aumocap.add_demo_head()
        own.character = bpy.data.objects["Demo Head"]
        own.live.source, own.live.video = "file", str(fetch(SINGLE_FACE))
        live = extension.module("operators.live")
        started = time.perf_counter()
        live.start(bpy.context, scene)
        yield at_most("start", 1000 * (time.perf_counter() - started), "ms", 1000.0)
        _play(live, _WARM_UP)
        run = live.current()
        run.tick_s.clear()
        run.lag_s.clear()
        _play(live, _FRAMES)
        rate = f"{run.session.statistics.frames_per_s:.0f} frames/s"
        yield at_most("tick_median", 1000 * float(np.median(run.tick_s)), "ms", 5.0, note=rate)
        yield at_most("tick_p99", 1000 * float(np.percentile(run.tick_s, 99)), "ms", 20.0)
        yield at_most("capture_to_character", 1000 * float(np.median(run.lag_s)), "ms", 50.0)
        started = time.perf_counter()
        live.stop()
        yield at_most("stop", 1000 * (time.perf_counter() - started), "ms", 500.0)


def _play(live: Any, frames: int) -> None:  # noqa: ANN401 - a module of the extension
    """What Blender's timers do, until so many frames were shown."""
    target = len(live.current().tick_s) + frames
    while live.tick() is not None and len(live.current().tick_s) < target:
        time.sleep(live.TICK_S)
    assert live.current() is not None, live.problem()
