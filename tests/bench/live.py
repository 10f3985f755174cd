"""A setting changed in Blender, on a baked take of 10,000 frames: new curves and new keys, at once."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any, Final

from training import extension
from training.packages import SINGLE_FACE, fetch

from . import Row, at_most
from .calibrate import long_take

_MOST_S: Final = 0.5


def rows() -> Iterator[Row]:
    """Yield seconds for each kind of change (medians over turns)."""
    import bpy

    with tempfile.TemporaryDirectory() as folder, extension.registered():
        bpy.ops.wm.read_factory_settings(use_empty=True)
        extension.enable().takes_folder = folder
        scene: Any = bpy.data.scenes[0]
        own = scene.aumocap
        bpy.ops.aumocap.add_demo_head()
        own.character = bpy.data.objects["Demo Head"]
        own.capture.filepath = str(fetch(SINGLE_FACE))
        bpy.ops.aumocap.analyse()
        item = own.takes[0]
        take = extension.module("au_mocap.take")
        take.save(long_take(take.load(Path(item.filepath))), Path(item.filepath))
        bpy.ops.aumocap.bake()
        first = item.neutral_first
        changes = {
            "neutral": [("neutral_last", first + 1), ("neutral_last", first + 2), ("neutral_last", first + 3)],
            "smoothing": [("smoothing", "medium"), ("smoothing", "strong"), ("smoothing", "off")],
            "mirror": [("mirror", True), ("mirror", False), ("mirror", True)],
        }
        item.neutral = "frames"
        for key, settings in changes.items():
            yield at_most(key, _median_s(item, settings), "s", _MOST_S)
        yield at_most("gain", _median_s(item.channels["jaw_drop"], [("gain", 1.1), ("gain", 1.2)]), "s", _MOST_S)
        problem = extension.module("operators.refresh").problem()
        assert not problem, problem


def _median_s(owner: Any, settings: list[tuple[str, object]]) -> float:  # noqa: ANN401 - a property group
    seconds: list[float] = []
    for name, value in settings:
        started = time.perf_counter()
        setattr(owner, name, value)
        seconds.append(time.perf_counter() - started)
    return median(seconds)
