"""A range of an earlier bake is replaced; all else stays to the bit, and the seams hold."""

from typing import TYPE_CHECKING

import bpy
import numpy as np
import pytest

from training import extension

from .playing import (
    acting,
    angle_deg,
    bake_with,
    curves_of,
    errors,
    face_mesh,
    key_curve,
    key_curves,
    points,
    shape_row,
    table,
    turned,
    with_gap,
)

if TYPE_CHECKING:
    from operators.demo_head import DemoHead

ATTRIBUTES = ("co", "handle_left", "handle_right", "handle_left_type", "handle_right_type", "interpolation", "easing")
FRAMES = np.arange(1.0, 121.0)


def everything(curve: bpy.types.FCurve, outside: tuple[float, float]) -> list[tuple]:
    """All attributes of the keys outside a range."""
    first, last = (float(np.float32(frame)) for frame in outside)
    kept = [key for key in curve.keyframe_points if not first <= key.co.x <= last]
    return [
        tuple(tuple(value) if hasattr(value := getattr(key, name), "x") else value for name in ATTRIBUTES)
        for key in kept
    ]


def played_at(curve: bpy.types.FCurve) -> np.ndarray:
    return np.array([curve.evaluate(frame) for frame in FRAMES])


def waves(phase: float, rate_hz: float = 24.0, count: int = 120) -> np.ndarray:
    return 0.5 + 0.4 * np.sin(np.arange(count) / rate_hz * 4.0 + phase)


@pytest.mark.parametrize("tolerance", [0.0, 0.02])
@pytest.mark.parametrize("rate_hz", [24.0, 29.97])
@pytest.mark.parametrize(
    "frame_range", [(40.0, 60.0), (40.3, 60.7), (1.0, 10.0), (100.0, 200.0), (50.0, 50.0), (-9.0, 500.0)]
)
def test_range_is_new_and_the_rest_is_old(tolerance: float, rate_hz: float, frame_range: tuple[float, float]) -> None:
    mesh = face_mesh("Face", "jawOpen")
    count = int(5 * rate_hz)
    takes = [acting(count, rate_hz, jaw_drop=waves(phase, rate_hz, count)) for phase in (0.0, 2.0)]
    bake_with(mesh, takes[1], tolerance=tolerance)
    new = played_at(key_curve(mesh, "jawOpen"))
    bake_with(mesh, takes[0], tolerance=tolerance)
    old, kept = played_at(key_curve(mesh, "jawOpen")), everything(key_curve(mesh, "jawOpen"), frame_range)
    report = bake_with(mesh, takes[1], tolerance=tolerance, frame_range=frame_range)

    curve = key_curve(mesh, "jawOpen")
    both = played_at(curve)
    inside = (frame_range[0] <= FRAMES) & (min(frame_range[1], report.frame_range[1]) >= FRAMES)
    # A reduced curve may be another one within the tolerance, since its range begins and ends with keys.
    np.testing.assert_allclose(both[inside], new[inside], atol=2 * tolerance + 1e-5)
    far = (frame_range[0] - 1.0 >= FRAMES) | (frame_range[1] + 1.0 <= FRAMES)
    np.testing.assert_allclose(both[far], old[far], atol=1e-6)
    left = everything(curve, frame_range)
    assert [key for key in kept if key not in left] == []
    assert len(left) <= len(kept) + 2
    first, last = report.frame_range
    assert frame_range[0] - 1e-5 <= first <= last <= frame_range[1] + 1e-5
    again = points(curve).tolist()
    bake_with(mesh, takes[1], tolerance=tolerance, frame_range=frame_range)
    assert points(curve).tolist() == again


def test_border_keys_only_where_none_is() -> None:
    mesh = face_mesh("Face", "jawOpen")
    bake_with(mesh, acting(120, 24.0, jaw_drop=waves(0.0)))
    bake_with(mesh, acting(120, 24.0, jaw_drop=waves(2.0)), frame_range=(40, 60))
    assert points(key_curve(mesh, "jawOpen"))[:, 0].tolist() == FRAMES.tolist()
    bake_with(mesh, acting(120, 24.0, jaw_drop=np.linspace(0, 1, 120)), tolerance=0.01)
    assert points(key_curve(mesh, "jawOpen"))[:, 0].tolist() == [1.0, 120.0]
    bake_with(mesh, acting(120, 24.0, jaw_drop=np.linspace(1, 0, 120)), tolerance=0.01, frame_range=(40, 60))
    assert points(key_curve(mesh, "jawOpen"))[:, 0].tolist() == [1.0, 39.0, 40.0, 60.0, 61.0, 120.0]


@pytest.mark.parametrize("interpolation", ["BEZIER", "CONSTANT", "LINEAR", "ELASTIC"])
@pytest.mark.parametrize("modifier", [False, True])
def test_curves_that_were_edited_by_hand_hold(interpolation: str, modifier: bool) -> None:
    mesh = face_mesh("Face", "jawOpen")
    key = mesh.data.shape_keys.key_blocks["jawOpen"]
    for frame, value in ((1, 0.1), (20, 0.8), (50, 0.3), (80, 0.9), (110, 0.2), (118, 0.6)):
        key.value = value
        key.keyframe_insert("value", frame=frame)
    curve = key_curve(mesh, "jawOpen")
    for point in curve.keyframe_points:
        point.interpolation = interpolation
    if modifier:
        curve.modifiers.new("NOISE").strength = 0.5
    curve.update()
    old, places = played_at(curve), points(curve)
    bake_with(mesh, acting(120, 24.0, jaw_drop=0.5), frame_range=(60, 70))
    curve = key_curve(mesh, "jawOpen")
    both = played_at(curve)
    outside = (FRAMES <= 59) | (FRAMES >= 71)
    np.testing.assert_allclose(both[outside], old[outside], atol=1e-4)
    if not modifier:
        np.testing.assert_allclose(both[59:70], 0.5, atol=1e-6)
    now = {tuple(place) for place in points(curve)}
    assert all(tuple(place) in now for place in places)
    assert all(not noise.mute for noise in curve.modifiers)


def test_curves_that_do_not_exist_get_the_range_alone() -> None:
    mesh = face_mesh("Face", "jawOpen", "mouthPucker")
    bake_with(mesh, acting(120, 24.0, jaw_drop=0.5), table(shape_row("jaw_drop", "jawOpen")))
    rows = table(shape_row("jaw_drop", "jawOpen"), shape_row("lip_pucker", "mouthPucker"))
    bake_with(mesh, acting(120, 24.0, jaw_drop=0.7, lip_pucker=waves(0.0)), rows, frame_range=(40.5, 60))
    curves = key_curves(mesh)
    assert points(curves['key_blocks["mouthPucker"].value', 0])[:, 0].tolist() == [40.5, *range(41, 61)]
    assert {curve.group.name for curve in curves.values()} == {"AU Mocap Face"}
    assert len(points(key_curve(mesh, "jawOpen"))) == 121


def test_what_the_new_mapping_lacks_stays() -> None:
    mesh = face_mesh("Face", "jawOpen", "mouthPucker")
    bake_with(mesh, acting(120, 24.0, jaw_drop=0.5, lip_pucker=waves(0.0)))
    before = points(key_curve(mesh, "mouthPucker")).tolist()
    bake_with(mesh, acting(120, 24.0, jaw_drop=0.7), table(shape_row("jaw_drop", "jawOpen")), frame_range=(40, 60))
    assert points(key_curve(mesh, "mouthPucker")).tolist() == before


def test_head_turns_hold_at_the_seams_whatever_the_quaternions_sign(demo_head: "DemoHead") -> None:
    head = extension.module("operators.bake_settings").HeadSettings(neck_share=0.0)
    still, quick = turned(acting(120, 24.0), (170.0, 0.0, 0.0)), turned(acting(120, 24.0), (-170.0, 0.0, 0.0))
    bake_with(demo_head.armature, still, head=head)
    bake_with(demo_head.armature, quick, head=head, frame_range=(40, 60))
    curves = [curves_of(demo_head.armature)['pose.bones["head"].rotation_quaternion', index] for index in range(4)]
    for frame in np.arange(38.0, 63.0, 0.25):
        # 20 degrees lie between the two, not 340.
        assert np.linalg.norm([curve.evaluate(frame) for curve in curves]) > 0.97
    assert angle_deg(demo_head.armature, "head", 39) == pytest.approx(170.0, abs=0.1)
    assert angle_deg(demo_head.armature, "head", 50) == pytest.approx(170.0, abs=0.1)


def test_gap_at_the_border_does_not_reach_outside() -> None:
    mesh = face_mesh("Face", "jawOpen")
    bake_with(mesh, acting(120, 24.0, jaw_drop=0.2))
    played = with_gap(acting(120, 24.0, jaw_drop=0.8), slice(0, 45))
    bake_with(mesh, played, frame_range=(40, 60))
    curve = key_curve(mesh, "jawOpen")
    assert [curve.evaluate(frame) for frame in (39, 46, 60, 61)] == pytest.approx([0.2, 0.8, 0.8, 0.2])


def test_range_without_a_face_is_an_error_and_touches_nothing() -> None:
    mesh = face_mesh("Face", "jawOpen")
    bake_with(mesh, acting(120, 24.0, jaw_drop=waves(0.0)))
    before = points(key_curve(mesh, "jawOpen")).tolist()
    with pytest.raises(errors("TakeError"), match="no face between the frames 200 and 300"):
        bake_with(mesh, acting(120, 24.0, jaw_drop=0.5), frame_range=(200, 300))
    assert points(key_curve(mesh, "jawOpen")).tolist() == before


def test_curves_of_samples_are_left_alone_and_named() -> None:
    mesh = face_mesh("Face", "jawOpen", "mouthPucker")
    bake_with(mesh, acting(120, 24.0, jaw_drop=waves(0.0)))
    curve = key_curve(mesh, "jawOpen")
    curve.convert_to_samples(1, 120)
    before = played_at(curve)
    report = bake_with(mesh, acting(120, 24.0, jaw_drop=0.5), frame_range=(40, 60))
    assert any("jawOpen" in line and "is samples" in line for line in report.skipped)
    np.testing.assert_array_equal(played_at(key_curve(mesh, "jawOpen")), before)
