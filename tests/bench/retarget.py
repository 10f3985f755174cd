"""From a film to a head that is not the actor's: curves, heads of every build, closures, keys and seconds.

Performers whose every channel is known are filmed, analysed as a user would, and baked on the demo head with few keys;
what its shape keys then say in every frame is compared with what was played. Heads are compared in the world, on
characters built in every way. Closures are those of `closures`, with the same performers.
"""

import time
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from au_mocap import metrics
from training import extension
from training.closures import RATE_HZ

from . import Row, at_most, closures

TOLERANCE: Final = 0.01
_MOST_HEAD_DEG: Final = 0.1
_PLAYED: Final = 0.1
"""A channel is compared where its truth goes beyond this."""


def rows() -> Iterator[Row]:
    """Yield errors of curves by channel, of heads by build, recall of closures, keys left and seconds."""
    import bpy  # noqa: F401 - Blender looks for extensions when it starts, and must not find this one there

    with extension.registered():
        performers = closures.performers()
        yield from _curves(performers)
        yield from _heads()
        yield from closures.figures(performers)


def _curves(performers: Sequence[closures.Performer]) -> Iterator[Row]:
    played, shown, wanted = [], [], []
    seconds, keys, samples = 0.0, 0, 0
    settings = extension.module("au_mocap.calibration").Settings(gaps="hold")
    for film, calibrator in performers:
        curves = calibrator.curves(settings)
        head, report, took = _baked(curves)
        seconds, keys, samples = seconds + took, keys + report.keys, samples + report.curves * len(curves.time_s)
        played.append(film.values)
        wanted.append(curves.values)
        shown.append(_channels(head, len(curves.time_s)))
    channels = extension.module("au_mocap.channels")
    told, asked = np.concatenate(shown), np.concatenate(wanted)
    known = ~np.isnan(told)
    yield at_most("keys_error", float(np.abs(told - asked)[known].max()), "", 1.1 * TOLERANCE, "keys against curves")
    yield Row("keys_times_fewer", samples / keys, note=f"{TOLERANCE:g} of error, fitted handles")
    frames = len(told)
    yield Row(
        "bake_1000_frames", 1000.0 * seconds / frames, "s", note=f"in clips of {frames // len(performers)} frames"
    )
    truth = np.concatenate(played)
    for column, channel_id in enumerate(channels.PREDICTED_IDS):
        of_head = told[:, channels.INDEX[channel_id]]
        if np.isnan(of_head).any() or truth[:, column].max() < _PLAYED:
            continue
        pair = of_head[:, None], truth[:, column, None]
        error, icc = float(metrics.mae(*pair)[0]), float(metrics.icc(*pair)[0])
        yield Row(f"curve_{channel_id}_mae", error, note=f"ICC(3,1) {icc:.2f}")


def _baked(curves: Any) -> tuple[Any, Any, float]:  # noqa: ANN401 - the engine's, known inside the extension
    """The demo head with a performance on it, the bake's report, and its seconds."""
    import bpy

    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = round(RATE_HZ), 1.0
    keying = extension.module("operators.keying")
    demo = extension.module("operators.demo_head").add_demo_head(bpy.context)
    character = extension.module("operators.scene").find_character(demo.armature)
    table = extension.module("au_mocap.mapping").load("arkit")
    how = keying.BakeSettings(start_frame=0.0, timing="frames", tolerance=TOLERANCE, handles=True)
    began = time.perf_counter()
    report = keying.bake(scene, character, curves, table, how)
    return demo.head, report, time.perf_counter() - began


def _channels(head: Any, frames: int) -> NDArray[np.float64]:  # noqa: ANN401
    """(T, 58) what the head's keys say of channels that have a key of their own; NaN of the others."""
    channels, mapping = extension.module("au_mocap.channels"), extension.module("au_mocap.mapping")
    values = closures.weights(head, frames)
    places = {key.name: number for number, key in enumerate(head.data.shape_keys.key_blocks)}
    told = np.full((frames, len(channels.IDS)), np.nan)
    table = mapping.load("arkit").rows
    shared = [row.target.name for row in table]
    for row in table:
        if shared.count(row.target.name) == 1:
            told[:, channels.INDEX[row.channel]] = values[:, places[row.target.name]]
    return told


def _heads() -> Iterator[Row]:
    """The evaluated head of each build against the actor's."""
    import bpy
    from mathutils import Vector

    from tests.blender import builds, playing

    for name, build in builds.BUILDS.items():
        bpy.ops.wm.read_factory_settings(use_empty=True)
        rig = builds.person(build)
        actor = playing.turned(playing.acting(2), builds.YAW_PITCH_ROLL)
        playing.bake_with(rig, actor, playing.table(), face=False, gaze=False, head=playing.head_settings())
        shown, wanted = builds.evaluated_turn(rig), builds.wanted_turn(build)
        frame = build.placed.to_3x3() @ build.turned
        ways = [frame @ Vector(way) for way in ((0, -1, 0), (0, 0, 1))]  # where the face looks, and the crown
        error = max(builds.degrees_between(shown @ way, wanted @ way) for way in ways)
        yield at_most(f"head_{_key(name)}", error, "degrees", _MOST_HEAD_DEG)


def _key(name: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in name.lower()).replace("__", "_")
