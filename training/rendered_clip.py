"""Render the demo head performing known curves and head turns, with the truth beside the clip.

    python -m training.rendered_clip [--out FOLDER]

Makes `tests/data/rendered_performance.mp4` and `.csv`. The clip is the demo's fallback where no registry can be
reached, and a test with a known answer: what is extracted from it can be compared with what was played.
"""

import argparse
import csv
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import bpy
import numpy as np
from numpy.typing import NDArray

from training import extension, stage

FRAMES: Final = 150
RATE_HZ: Final = 30.0
SHOT: Final = stage.Shot(width=480, height=480, fov_deg=63.0, distance_m=0.38, samples=6)
OUTPUT: Final = extension.ROOT / "tests" / "data"
NAME: Final = "rendered_performance"


@dataclass(frozen=True, slots=True)
class Action:
    """Channels that rise and fall once, as a raised cosine.

    Attributes:
        centre: Frame of the peak.
        reach: Frames from the peak to zero on either side.
        peaks: Channel id to value at the peak.
    """

    centre: float
    reach: float
    peaks: Mapping[str, float]


def _both(**peaks: float) -> dict[str, float]:
    return {f"{name}_{side}": value for name, value in peaks.items() for side in "LR"}


ACTIONS: Final = (
    Action(12, 4, _both(eye_close=1.0)),
    Action(24, 9, _both(lip_corner_pull=0.9, cheek_raise=0.5)),
    Action(37, 7, _both(inner_brow_raise=0.9, brow_raise=0.9, lid_raise=0.5)),
    Action(49, 8, {"jaw_drop": 0.8}),
    Action(60, 6, {"lip_corner_pull_L": 0.9}),
    Action(67, 5, {"eye_close_R": 1.0, "cheek_raise_R": 0.4}),
    Action(75, 6, {"lip_pucker": 0.9}),
    Action(83, 5, _both(brow_lower=0.9, nose_wrinkle=0.5)),
)

TURNS_DEG: Final = {"yaw": (99.0, 30.0), "pitch": (119.0, 20.0), "roll": (139.0, 20.0)}
"""Middle frame and angle of each head turn, which swings to the positive and then to the negative side."""

TURN_REACH: Final = 9.5


@dataclass(frozen=True, slots=True)
class Played:
    """What the head plays, in the form that baking takes.

    Attributes:
        time_s: (T,) seconds.
        values: (T, 58) curves.
        head_rotation: (T, 4) quaternions of the head pose contract.
        head_position: (T, 3) metres; zero, since the neck carries the head.
    """

    time_s: NDArray[np.float64]
    values: NDArray[np.float32]
    head_rotation: NDArray[np.float64]
    head_position: NDArray[np.float64]


def perform() -> Played:
    """The performance."""
    channels = extension.module("au_mocap.channels")
    rotations = extension.module("au_mocap.rotations")
    frames = np.arange(FRAMES)
    values = np.zeros((FRAMES, len(channels.IDS)), np.float32)
    for action in ACTIONS:
        shape = 0.5 + 0.5 * np.cos(np.pi * np.clip((frames - action.centre) / action.reach, -1.0, 1.0))
        for channel, peak in action.peaks.items():
            values[:, channels.INDEX[channel]] += peak * shape
    angles = np.stack([_swing(frames, *TURNS_DEG[name]) for name in ("yaw", "pitch", "roll")], axis=1)
    rotation = rotations.continuous(rotations.to_quaternions(rotations.from_angles(np.radians(angles))))
    return Played(frames / RATE_HZ, channels.enforce_rules(values), rotation, np.zeros((FRAMES, 3)))


def _swing(frames: NDArray[np.int64], middle: float, angle: float) -> NDArray[np.float64]:
    phase = np.clip((frames - middle) / TURN_REACH, -1.0, 1.0)
    return -angle * np.sin(np.pi * phase)


def set_scene(scene: bpy.types.Scene, shot: stage.Shot, played: Played) -> NDArray[np.float64]:
    """Bake the performance onto a new demo head in front of the camera, frame 0 being time zero.

    Returns:
        (T, 3) metres, the point between the eyes in OpenCV camera axes.
    """
    scene.render.fps, scene.render.fps_base = round(RATE_HZ), 1.0
    keying, characters = extension.module("operators.keying"), extension.module("operators.scene")
    demo = extension.module("operators.demo_head").add_demo_head(bpy.context)
    bones = demo.armature.data.bones
    between = 0.5 * (bones["eye.L"].head_local + bones["eye.R"].head_local)
    demo.armature.location = (0.0, -between.y, -between.z)
    character = characters.find_character(demo.armature)
    table = extension.module("au_mocap.mapping").load("arkit")
    keying.bake(scene, character, played, table, keying.BakeSettings(start_frame=0.0))
    stage.set_up(scene, shot)
    places = []
    for frame in range(len(played.time_s)):
        scene.frame_set(frame)
        eyes = [demo.armature.matrix_world @ demo.armature.pose.bones[f"eye.{side}"].head for side in "LR"]
        places.append(shot.to_camera(np.mean([tuple(eye) for eye in eyes], axis=0)))
    return np.array(places)


def write_truth(path: Path, played: Played, position_m: NDArray[np.float64]) -> None:
    """Write what was played as the project's table."""
    columns = extension.module("au_mocap.exchange").COLUMNS
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for i, time_s in enumerate(played.time_s):
            numbers = [*played.values[i], *played.head_rotation[i], *position_m[i]]
            writer.writerow([i, f"{time_s:.6f}", 1, "1.00000", *(f"{number:.5f}" for number in numbers)])


def main(arguments: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=OUTPUT)
    folder = parser.parse_args(arguments).out
    folder.mkdir(parents=True, exist_ok=True)
    with extension.registered():
        bpy.ops.wm.read_factory_settings(use_empty=True)
        scene, played = bpy.data.scenes[0], perform()
        position_m = set_scene(scene, SHOT, played)
        write_truth(folder / f"{NAME}.csv", played, position_m)
        clip = folder / f"{NAME}.mp4"
        count = stage.write_video(clip, stage.render_frames(scene, range(FRAMES)), RATE_HZ)
    sys.stdout.write(f"{clip}: {count} frames, {clip.stat().st_size / 1e3:.0f} KB\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
