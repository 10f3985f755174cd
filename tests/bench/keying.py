"""Writing keys: 10,000 frames of 52 shape keys and a turning head onto the demo head."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training import extension

from . import Row, at_most

FRAMES = 10_000
TOLERANCE = 0.01


@dataclass(frozen=True)
class _Played:
    time_s: NDArray[np.float64]
    values: NDArray[np.float32]
    head_rotation: NDArray[np.float64]
    head_position: NDArray[np.float64]


def _performance() -> _Played:
    random = np.random.default_rng(1)
    rotations = extension.module("au_mocap.rotations")
    channels = extension.module("au_mocap.channels")
    angles = np.cumsum(random.normal(0.0, 0.005, (FRAMES, 3)), axis=0)
    return _Played(
        np.arange(FRAMES) / 30.0,
        channels.enforce_rules(random.uniform(size=(FRAMES, len(channels.IDS))).astype(np.float32)),
        rotations.continuous(rotations.to_quaternions(rotations.from_angles(angles))),
        np.tile([0.0, 0.0, 0.6], (FRAMES, 1)),
    )


def rows() -> Iterator[Row]:
    """The first bake, a second one that replaces it, a third with fewer keys, and a fourth with handles."""
    import bpy

    with extension.registered():
        bpy.ops.wm.read_factory_settings(use_empty=True)
        keying = extension.module("operators.keying")
        demo = extension.module("operators.demo_head").add_demo_head(bpy.context)
        character = extension.module("operators.scene").find_character(demo.armature)
        table = extension.module("au_mocap.mapping").load("arkit")
        played = _performance()
        seconds, keys = [], []
        for tolerance, handles in ((0.0, False), (0.0, False), (TOLERANCE, False), (TOLERANCE, True)):
            started = time.perf_counter()
            settings = keying.BakeSettings(tolerance=tolerance, handles=handles)
            report = keying.bake(bpy.data.scenes[0], character, played, table, settings)
            seconds.append(time.perf_counter() - started)
            keys.append(report.keys)
    yield Row("keys", float(keys[0]))
    yield at_most("bake_10000_frames", seconds[0], "s", 1.0)
    yield at_most("bake_again", seconds[1], "s", 1.0)
    yield at_most("bake_reduced", seconds[2], "s", 1.0, "of noise, which is the slowest to reduce")
    yield Row("keys_left", float(keys[2]))
    yield at_most("bake_handles", seconds[3], "s", 8.0, "of noise, with fitted handles")
