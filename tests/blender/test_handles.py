"""Keys with fitted handles: Blender plays what was fitted, and a part of them can be replaced."""

from typing import TYPE_CHECKING

import bpy
import numpy as np
import pytest

from training import extension

from .conftest import Properties
from .playing import (
    acting,
    bake_with,
    curves_of,
    face_mesh,
    head_settings,
    key_curve,
    key_curves,
    points,
    shown,
    turned,
    with_gap,
)

if TYPE_CHECKING:
    from operators.demo_head import DemoHead

ATTRIBUTES = ("co", "handle_left", "handle_right", "handle_left_type", "handle_right_type", "interpolation")


def acted(count: int, seed: int = 4) -> np.ndarray:
    """A jaw in speech, cut off at both limits."""
    rough = np.random.default_rng(seed).normal(size=count + 60)
    smooth = np.convolve(rough, np.hanning(15) / np.hanning(15).sum(), "same")[30:-30]
    return np.clip(0.3 + 1.2 * smooth, 0.0, 1.0)


def dense(curve: bpy.types.FCurve, first: float, last: float) -> np.ndarray:
    return np.array([curve.evaluate(frame) for frame in np.arange(first, last + 0.01, 0.125)])


def everything(curve: bpy.types.FCurve) -> list[tuple]:
    return [
        tuple(tuple(value) if hasattr(value := getattr(key, name), "x") else value for name in ATTRIBUTES)
        for key in curve.keyframe_points
    ]


@pytest.mark.parametrize("rate_hz", [24.0, 29.97, 60.0])
@pytest.mark.parametrize("start_frame", [1.0, -250.5, 100_000.0])
@pytest.mark.parametrize("tolerance", [0.002, 0.01, 0.2, 5.0])
def test_blender_plays_every_frame_within_the_tolerance(rate_hz: float, start_frame: float, tolerance: float) -> None:
    mesh = face_mesh("Face", "jawOpen")
    jaw = acted(600)
    bake_with(mesh, acting(600, rate_hz, jaw_drop=jaw), tolerance=tolerance, handles=True, start_frame=start_frame)
    curve = key_curve(mesh, "jawOpen")
    at = (start_frame + np.arange(600) * 24.0 / rate_hz).astype(np.float32)
    errors = np.abs([curve.evaluate(frame) for frame in at] - jaw)
    # Handles stand where 32-bit numbers allow, which is up to 0.008 frames away at frame 100,000.
    rounding = float(np.abs(np.diff(jaw)).max()) * rate_hz / 24.0 * float(np.spacing(at[-1]))
    assert errors.max() <= tolerance + rounding + 1e-6
    assert len(curve.keyframe_points) < (0.5 if tolerance >= 0.01 else 0.7) * 600
    assert {key.interpolation for key in curve.keyframe_points} == {"BEZIER"}
    assert {key.handle_left_type for key in curve.keyframe_points} <= {"ALIGNED", "FREE"}
    x = np.array([(key.handle_left.x, key.co.x, key.handle_right.x) for key in curve.keyframe_points])
    assert (np.diff(x.reshape(-1)) >= -1e-3).all(), "handles of neighbours cross"


def test_far_fewer_keys_than_with_straight_lines() -> None:
    mesh = face_mesh("Face", "jawOpen")
    counts = [
        bake_with(mesh, acting(600, 24.0, jaw_drop=acted(600)), tolerance=tolerance, handles=handles).keys
        for tolerance, handles in ((0.0, True), (0.01, False), (0.01, True))
    ]
    curves = len(key_curves(mesh))
    assert counts[0] == 600 * curves
    assert counts[2] < 0.85 * counts[1]


def test_handles_survive_what_blender_recalculates() -> None:
    mesh = face_mesh("Face", "jawOpen")
    bake_with(mesh, acting(300, 24.0, jaw_drop=acted(300)), tolerance=0.01, handles=True)
    curve = key_curve(mesh, "jawOpen")
    before = dense(curve, 1, 300)
    curve.keyframe_points.handles_recalc()
    curve.update()
    np.testing.assert_allclose(dense(curve, 1, 300), before, atol=1e-4)


def test_rotations_turn_within_the_tolerance(demo_head: "DemoHead") -> None:
    rotations = extension.module("au_mocap.rotations")
    angles_deg = 25.0 * np.stack([acted(400, seed) - 0.3 for seed in (1, 2, 3)], axis=1)
    played = turned(acting(400, 24.0), angles_deg)
    how = head_settings(neck_share=0.0)
    bake_with(demo_head.armature, played, head=how, tolerance=0.0)
    path = 'pose.bones["head"].rotation_quaternion'
    exact = np.stack([points(curves_of(demo_head.armature)[path, index])[:, 1] for index in range(4)], axis=1)
    bake_with(demo_head.armature, played, head=how, tolerance=0.01, handles=True)
    curves = [curves_of(demo_head.armature)[path, index] for index in range(4)]
    assert len({tuple(points(curve)[:, 0]) for curve in curves}) == 1
    assert len(curves[0].keyframe_points) < 200
    got = np.array([[curve.evaluate(frame) for curve in curves] for frame in range(1, 401)])
    got /= np.linalg.norm(got, axis=1, keepdims=True)
    turns = np.swapaxes(rotations.to_matrices(got), 1, 2) @ rotations.to_matrices(exact.astype(float))
    off = np.linalg.norm(turns - np.eye(3), axis=(1, 2)) / np.sqrt(2.0)
    assert (2.0 * np.arcsin(off / 2.0)).max() <= 0.01 + 1e-5


def test_gaps_are_crossed_in_a_straight_line() -> None:
    mesh = face_mesh("Face", "jawOpen")
    jaw = 0.5 + 0.4 * np.sin(np.arange(120) / 6.0)
    bake_with(mesh, with_gap(acting(120, 24.0, jaw_drop=jaw), slice(40, 70)), tolerance=0.01, handles=True)
    curve = key_curve(mesh, "jawOpen")
    across = np.array([curve.evaluate(frame) for frame in range(40, 72)])
    np.testing.assert_allclose(across, np.linspace(jaw[39], jaw[70], 32), atol=1e-5)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_shortest_takes(count: int) -> None:
    mesh = face_mesh("Face", "jawOpen")
    bake_with(mesh, acting(count, 24.0, jaw_drop=np.linspace(0.2, 0.8, count)), tolerance=0.01, handles=True)
    assert [shown(mesh, 1), shown(mesh, count)] == pytest.approx([0.2, 0.8 if count > 1 else 0.2])


def test_constant_curves_need_two_keys() -> None:
    mesh = face_mesh("Face", "jawOpen")
    bake_with(mesh, acting(100, 24.0, jaw_drop=0.4), tolerance=0.01, handles=True)
    assert points(key_curve(mesh, "jawOpen")) == pytest.approx(np.array([[1, 0.4], [100, 0.4]]))


@pytest.mark.parametrize("frame_range", [(100.0, 140.0), (100.3, 140.7), (1.0, 20.0), (280.0, 400.0), (150.0, 150.0)])
@pytest.mark.parametrize("handles", [True, False])
def test_range_is_new_and_the_curve_outside_is_old(frame_range: tuple[float, float], handles: bool) -> None:
    mesh = face_mesh("Face", "jawOpen")
    old_jaw, new_jaw = acted(300), acted(300, 9)
    bake_with(mesh, acting(300, 24.0, jaw_drop=old_jaw), tolerance=0.01, handles=True)
    curve = key_curve(mesh, "jawOpen")
    old, places = dense(curve, 1, 300), points(curve)
    how = {"tolerance": 0.01, "handles": handles, "frame_range": frame_range}
    bake_with(mesh, acting(300, 24.0, jaw_drop=new_jaw), **how)
    curve = key_curve(mesh, "jawOpen")
    now, at = dense(curve, 1, 300), np.arange(1, 300.01, 0.125)
    outside = (at <= frame_range[0] - 1.0) | (at >= frame_range[1] + 1.0)
    np.testing.assert_allclose(now[outside], old[outside], atol=2e-4)
    frames = np.arange(1, 301)
    inside = (frames >= frame_range[0]) & (frames <= frame_range[1])
    got = np.array([curve.evaluate(float(frame)) for frame in frames[inside]])
    np.testing.assert_allclose(got, new_jaw[inside], atol=0.01 + 1e-5)
    kept = {tuple(place) for place in points(curve)}
    assert all(tuple(place) in kept for place in places if not frame_range[0] <= place[0] <= frame_range[1])
    assert len(curve.keyframe_points) <= len(places) + inside.sum() + 4
    again = everything(curve)
    bake_with(mesh, acting(300, 24.0, jaw_drop=new_jaw), **how)
    for one, other in zip(everything(key_curve(mesh, "jawOpen")), again, strict=True):
        assert one[0] == pytest.approx(other[0], abs=1e-5)


def test_edits_by_hand_outside_a_range_stay() -> None:
    mesh = face_mesh("Face", "jawOpen")
    bake_with(mesh, acting(300, 24.0, jaw_drop=acted(300)), tolerance=0.01, handles=True)
    curve = key_curve(mesh, "jawOpen")
    late = [key for key in curve.keyframe_points if key.co.x > 200]
    late[2].co.y = 0.77
    late[2].handle_left.y = late[2].handle_right.y = 0.9
    late[3].interpolation = "CONSTANT"
    curve.update()
    before = [each for each in everything(curve) if each[0][0] > 160]
    how = {"tolerance": 0.01, "handles": True, "frame_range": (50, 100)}
    bake_with(mesh, acting(300, 24.0, jaw_drop=acted(300, 9)), **how)
    assert [each for each in everything(key_curve(mesh, "jawOpen")) if each[0][0] > 160] == before


def test_a_second_bake_with_as_many_keys_brings_its_own_handles() -> None:
    mesh = face_mesh("Face", "jawOpen")
    jaw = 0.5 + 0.4 * np.sin(np.arange(120) / 6.0)
    bake_with(mesh, acting(120, 24.0, jaw_drop=jaw), tolerance=0.01, handles=True)
    count = len(key_curve(mesh, "jawOpen").keyframe_points)
    bake_with(mesh, acting(120, 24.0, jaw_drop=1.0 - jaw), tolerance=0.01, handles=True)
    curve = key_curve(mesh, "jawOpen")
    assert len(curve.keyframe_points) == count
    got = np.array([curve.evaluate(frame) for frame in range(1, 121)])
    np.testing.assert_allclose(got, 1.0 - jaw, atol=0.01 + 1e-5)
    bake_with(mesh, acting(count, 24.0, jaw_drop=0.1 + 0.02 * (np.arange(count) % 2)))
    assert {key.interpolation for key in key_curve(mesh, "jawOpen").keyframe_points} == {"LINEAR"}


def test_the_panel_offers_every_frame_or_reduced() -> None:
    bake: Properties = bpy.context.scene.aumocap.bake
    assert (bake.keys, bake.tolerance) == ("EVERY", 0.0)
    bake.keys = "REDUCED"
    assert bake.tolerance == pytest.approx(0.01)
    assert bake.use_handles
    bake.tolerance = 0.03
    bake.keys = "REDUCED"
    assert bake.tolerance == pytest.approx(0.03)
    bake.keys = "EVERY"
    assert bake.tolerance == 0.0
