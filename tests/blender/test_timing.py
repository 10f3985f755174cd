"""When keys land: timing, speed, and how few of them a tolerance leaves."""

from typing import TYPE_CHECKING

import bpy
import numpy as np
import pytest

from training import extension

from .playing import acting, bake_with, curves_of, face_mesh, key_curve, points, turned

if TYPE_CHECKING:
    from operators.demo_head import DemoHead


def frames_of(mesh: bpy.types.Object) -> list[float]:
    return points(key_curve(mesh, "jawOpen"))[:, 0].tolist()


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, [10.0, 10.4, 10.8, 11.2]),
        ({"speed": 2.0}, [10.0, 10.2, 10.4, 10.6]),
        ({"speed": 0.5}, [10.0, 10.8, 11.6, 12.4]),
        ({"timing": "frames"}, [10.0, 11.0, 12.0, 13.0]),
        ({"timing": "frames", "speed": 2.0}, [10.0, 10.5, 11.0, 11.5]),
        ({"timing": "frames", "start_frame": 0.5}, [0.5, 1.5, 2.5, 3.5]),
    ],
)
def test_where_video_frames_land(settings: dict[str, object], expected: list[float]) -> None:
    mesh = face_mesh("Face", "jawOpen")
    bake_with(mesh, acting(4, 60.0, jaw_drop=0.5), **{"start_frame": 10.0, **settings})
    assert frames_of(mesh) == pytest.approx(expected)


@pytest.mark.parametrize(("timing", "expected"), [("seconds", [49.0, 49.8]), ("frames", [61.0, 62.0])])
def test_part_of_a_video_keeps_its_place(timing: str, expected: list[float]) -> None:
    played = acting(2, 30.0, jaw_drop=0.5)
    object.__setattr__(played, "time_s", 2.0 + played.time_s)
    mesh = face_mesh("Face", "jawOpen")
    bake_with(mesh, played, timing=timing)
    assert frames_of(mesh) == pytest.approx(expected)


def test_single_frame_by_frames() -> None:
    mesh = face_mesh("Face", "jawOpen")
    bake_with(mesh, acting(1, jaw_drop=0.5), timing="frames", start_frame=3)
    assert frames_of(mesh) == [3.0]


def test_frames_too_close_to_tell_apart_become_one() -> None:
    mesh = face_mesh("Face", "jawOpen")
    report = bake_with(mesh, acting(40, 240.0, jaw_drop=0.5), speed=100.0, start_frame=100_000.0)
    frames = frames_of(mesh)
    assert report.keys == len(frames)
    assert (np.diff(frames) > 0).all()


@pytest.mark.parametrize("tolerance", [0.005, 0.05])
def test_reduced_curves_stay_within_the_tolerance(demo_head: "DemoHead", tolerance: float) -> None:
    random = np.random.default_rng(5)
    count = 600
    walk = np.clip(0.5 + np.cumsum(random.normal(0.0, 0.02, count)), 0.0, 1.0)
    angles = np.cumsum(random.normal(0.0, 0.6, (count, 3)), axis=0)
    played = turned(acting(count, 29.97, jaw_drop=walk, look_up_L=walk[::-1]), angles)
    played.head_position[:] += np.cumsum(random.normal(0.0, 0.001, (count, 3)), axis=0)
    head = extension.module("operators.bake_settings").HeadSettings(position=True)
    full = bake_with(demo_head.armature, played, head=head)
    every = {path: points(curve) for path, curve in curves_of(demo_head.armature).items()}
    report = bake_with(demo_head.armature, played, head=head, tolerance=tolerance)
    assert report.keys < 0.7 * full.keys
    assert report.curves == full.curves

    curve = key_curve(demo_head.head, "jawOpen")
    at = 1.0 + played.time_s * 24.0
    assert np.abs([curve.evaluate(frame) for frame in at] - walk).max() <= tolerance + 1e-5
    for bone in ("neck", "head"):
        paths = [(f'pose.bones["{bone}"].rotation_quaternion', index) for index in range(4)]
        curves = [curves_of(demo_head.armature)[path] for path in paths]
        assert len({tuple(points(curve)[:, 0]) for curve in curves}) == 1
        now = np.array([[curve.evaluate(frame) for curve in curves] for frame in every[paths[0]][:, 0]])
        wanted = np.stack([every[path][:, 1] for path in paths], axis=1)
        cosines = np.abs(np.sum(now * wanted, axis=1)) / np.linalg.norm(now, axis=1) / np.linalg.norm(wanted, axis=1)
        assert 2.0 * np.arccos(np.clip(cosines, 0.0, 1.0)).max() <= tolerance + 2e-3
    for (path, index), keys in every.items():
        if path.endswith("location"):
            curve = curves_of(demo_head.armature)[path, index]
            errors_m = np.abs([curve.evaluate(frame) for frame in keys[:, 0]] - keys[:, 1])
            assert errors_m.max() <= 0.1 * tolerance + 1e-5
