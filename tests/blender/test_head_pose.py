"""The head pose contract on bones of any resting orientation."""

from typing import TYPE_CHECKING

import bpy
import numpy as np
import pytest
from mathutils import Matrix, Vector

from training import extension

from .playing import (
    Played,
    acting,
    angle_deg,
    bake,
    bake_with,
    curves_of,
    head_settings,
    points,
    skeleton,
    table,
    turned,
    xyz,
)

if TYPE_CHECKING:
    from operators.demo_head import DemoHead

RESTS = {
    "up, roll 0": ((0, 0, 1), 0.0),
    "up, roll 90": ((0, 0, 1), np.pi / 2),
    "up, roll -37": ((0, 0, 1), -0.65),
    "forward": ((0, -1, 0), 0.0),
    "backward and down": ((0.1, 0.8, -0.6), 1.1),
    "to the character's left": ((1, 0.05, 0.1), 2.5),
}


def rig_of(direction: tuple, roll: float, neck_roll: float = 0.4) -> bpy.types.Object:
    top = (0.0, 0.0, 0.1)
    tip = xyz(Vector(top) + 0.2 * Vector(direction).normalized())
    return skeleton(
        ("neck", "", (0, 0.02, 0), top, neck_roll),
        ("head", "neck", top, tip, roll),
    )


def turn_of(rig: bpy.types.Object, name: str = "head") -> Matrix:
    """How a bone is turned in the armature's space, away from its rest."""
    bpy.context.scene.frame_set(1)
    bone = rig.pose.bones[name]
    return (bone.matrix.to_3x3() @ bone.bone.matrix_local.to_3x3().inverted()).normalized()


@pytest.mark.parametrize("rest", RESTS.values(), ids=RESTS.keys())
@pytest.mark.parametrize(
    ("angles_deg", "nose", "crown"),
    [
        # Positive yaw turns to the actor's right: the nose towards -X.
        ((30.0, 0.0, 0.0), (-0.5, -0.866, 0.0), (0.0, 0.0, 1.0)),
        # Negative pitch looks up.
        ((0.0, -20.0, 0.0), (0.0, -0.940, 0.342), (0.0, 0.342, 0.940)),
        # Negative roll tilts to the actor's right shoulder: the crown towards -X.
        ((0.0, 0.0, -25.0), (0.0, -1.0, 0.0), (-0.423, 0.0, 0.906)),
    ],
    ids=["yaw", "pitch", "roll"],
)
def test_turns_on_any_rest(rest: tuple, angles_deg: tuple, nose: tuple, crown: tuple) -> None:
    rig = rig_of(*rest)
    bake_head(rig, turned(acting(2), angles_deg))
    turn = turn_of(rig)
    assert xyz(turn @ Vector((0, -1, 0))) == pytest.approx(nose, abs=1e-3)
    assert xyz(turn @ Vector((0, 0, 1))) == pytest.approx(crown, abs=1e-3)


def bake_head(rig: bpy.types.Object, played: Played, **settings: float | bool) -> None:
    """Bake with one row beside the head pose, since a mapping may not be empty-handed."""
    rig["x"] = 0.0
    row = {"channel": "jaw_drop", "target": {"kind": "property", "data_path": '["x"]'}}
    bake(rig, played, table(row), **settings)


@pytest.mark.parametrize("neck_share", [0.0, 0.3, 1.0])
def test_neck_takes_its_share_and_the_head_ends_up_turned(neck_share: float) -> None:
    rig = rig_of((0, 0.1, 1), 0.7)
    bake_head(rig, turned(acting(2), (40.0, 0.0, 0.0)), neck_share=neck_share)
    assert np.degrees(turn_of(rig, "neck").to_quaternion().angle) == pytest.approx(40.0 * neck_share, abs=1e-3)
    assert np.degrees(turn_of(rig).to_quaternion().angle) == pytest.approx(40.0, abs=1e-3)


def test_head_that_does_not_inherit_turns_in_full() -> None:
    rig = rig_of((0, 0, 1), 0.0)
    rig.data.bones["head"].use_inherit_rotation = False
    bake_head(rig, turned(acting(2), (40.0, 0.0, 0.0)))
    assert np.degrees(turn_of(rig).to_quaternion().angle) == pytest.approx(40.0, abs=1e-3)
    assert {path.split('"')[1] for path, _ in curves_of(rig) if "pose" in path} == {"head"}


def test_turns_do_not_depend_on_where_the_armature_stands() -> None:
    rig = rig_of((0, 0, 1), 0.0)
    rig.rotation_euler = (0.3, 0.5, 1.0)
    rig.scale = (2.0, 2.0, 2.0)
    bake_head(rig, turned(acting(2), (30.0, 0.0, 0.0)))
    assert xyz(turn_of(rig) @ Vector((0, -1, 0))) == pytest.approx((-0.5, -0.866, 0.0), abs=1e-3)


def test_quaternions_never_flip_sign() -> None:
    count = 400
    rig = rig_of((1, 0.05, 0.1), 2.5)
    yaw = np.linspace(0.0, 720.0, count)
    bake_head(rig, turned(acting(count), np.stack([yaw, 0 * yaw, 0 * yaw], axis=1)), neck_share=0.0)
    for (path, _), curve in curves_of(rig).items():
        if "rotation_quaternion" in path:
            assert np.abs(np.diff(points(curve)[:, 1])).max() < 0.05


@pytest.mark.parametrize("mode", ["QUATERNION", "AXIS_ANGLE", "XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX"])
def test_bones_keep_their_rotation_mode(mode: str) -> None:
    count = 60
    rig = rig_of((1, 0.05, 0.1), 2.5)
    for bone in rig.pose.bones:
        bone.rotation_mode = mode
    yaw = np.linspace(-75.0, 75.0, count)
    angles = np.stack([yaw, 0.4 * yaw, -0.6 * yaw], axis=1)
    bake_head(rig, turned(acting(count, 24.0), angles))
    leaf = {"QUATERNION": "rotation_quaternion", "AXIS_ANGLE": "rotation_axis_angle"}.get(mode, "rotation_euler")
    keyed = {path.rpartition(".")[2] for path, _ in curves_of(rig) if "pose" in path}
    assert ({bone.rotation_mode for bone in rig.pose.bones}, keyed) == ({mode}, {leaf})
    rotations = extension.module("au_mocap.rotations")
    contract = extension.module("operators.head_pose").ARMATURE_FROM_CAMERA
    wanted = contract @ rotations.from_angles(np.radians(angles)) @ contract.T
    for index in range(0, count, 7):
        bpy.context.scene.frame_set(1 + index)
        bone = rig.pose.bones["head"]
        turn = np.array((bone.matrix.to_3x3() @ bone.bone.matrix_local.to_3x3().inverted()).normalized())
        assert rotation_error_deg(turn, wanted[index]) < 0.01
    for (path, _), curve in curves_of(rig).items():
        if leaf in path:
            assert np.abs(np.diff(points(curve)[:, 1])).max() < 0.35, "no jump between keys"


def rotation_error_deg(one: np.ndarray, other: np.ndarray) -> float:
    """Angle between two (3, 3) rotations; exact for small ones."""
    return float(np.degrees(np.linalg.norm(one - other) / np.sqrt(2.0)))


@pytest.mark.parametrize("mode", ["XYZ", "AXIS_ANGLE"])
def test_fewer_keys_in_any_mode(mode: str) -> None:
    count, tolerance = 120, 0.01
    rig = rig_of((0, 0.1, 1), 0.7)
    for bone in rig.pose.bones:
        bone.rotation_mode = mode
    yaw = 30.0 * np.sin(np.linspace(0.0, 4.0, count))
    played = turned(acting(count, 24.0), np.stack([yaw, 0.3 * yaw, 0.0 * yaw], axis=1))
    bake_with(rig, played, table(), face=False, gaze=False, head=head_settings(), tolerance=tolerance)
    sizes = [len(points(curve)) for curve in curves_of(rig).values()]
    assert max(sizes) < count / 3
    for index in range(0, count, 11):
        shown = angle_deg(rig, "head", 1 + index)
        wanted = np.degrees(2 * np.arccos(abs(played.head_rotation[index, 0])))
        assert abs(shown - wanted) < np.degrees(4 * tolerance)


def test_several_neck_bones_share_the_necks_part() -> None:
    rig = skeleton(
        ("spine", "", (0, 0, -0.5), (0, 0, 0), 0.2),
        ("neck_01", "spine", (0, 0.02, 0), (0, 0.01, 0.05), 0.4),
        ("neck_02", "neck_01", (0, 0.01, 0.05), (0, 0, 0.1), -1.0),
        ("head", "neck_02", (0, 0, 0.1), (0, 0, 0.3), 0.0),
    )
    bake_head(rig, turned(acting(2), (40.0, -10.0, 5.0)), neck_share=0.5)
    whole = np.degrees(turn_of(rig).to_quaternion().angle)
    assert np.degrees(turn_of(rig, "neck_01").to_quaternion().angle) == pytest.approx(0.25 * whole, abs=1e-3)
    assert np.degrees(turn_of(rig, "neck_02").to_quaternion().angle) == pytest.approx(0.5 * whole, abs=1e-3)
    assert np.degrees(turn_of(rig, "spine").to_quaternion().angle) == pytest.approx(0.0, abs=1e-3)
    nose = xyz(turn_of(rig) @ Vector((0, -1, 0)))
    assert nose == pytest.approx((-0.643 * np.cos(np.radians(10)), -0.754, 0.174), abs=2e-3)


def test_helper_bones_in_the_neck_stay_still() -> None:
    rig = skeleton(
        ("neck", "", (0, 0, 0), (0, 0, 0.05), 0.4),
        ("helper", "neck", (0, 0, 0.05), (0, 0, 0.1), 0.0),
        ("head", "helper", (0, 0, 0.1), (0, 0, 0.3), 0.0),
    )
    rig.data.bones["helper"].use_deform = False
    bake_head(rig, turned(acting(2), (40.0, 0.0, 0.0)))
    assert {path.split('"')[1] for path, _ in curves_of(rig) if "pose" in path} == {"neck", "head"}
    assert np.degrees(turn_of(rig).to_quaternion().angle) == pytest.approx(40.0, abs=1e-3)


def test_moving_head_moves_in_metres_and_in_the_actors_directions(demo_head: "DemoHead") -> None:
    played = acting(3)
    # 10 cm to image right, 4 cm down, 20 cm away from the camera.
    played.head_position[1:] += [0.10, 0.04, 0.20]
    bake(demo_head.head, played, position=True, moves="metres")
    places = []
    for frame in (1, 5):
        bpy.context.scene.frame_set(frame)
        bone = demo_head.armature.pose.bones["eye.L"]
        places.append(demo_head.armature.matrix_world @ bone.head)
    assert xyz(places[1] - places[0]) == pytest.approx((0.10, 0.20, -0.04), abs=1e-4)


@pytest.mark.parametrize("size", [0.01, 1.0, 3.0])
def test_moving_head_moves_by_the_characters_size(demo_head: "DemoHead", size: float) -> None:
    """The actor's eyes are 63 mm apart: 63 mm of the actor are one eye distance of the character."""
    demo_head.armature.scale = (size, size, size)
    bpy.context.view_layer.update()
    played = acting(3)
    played.head_position[1:] += [0.063, 0.0, 0.0]
    bake(demo_head.head, played, position=True)
    places = []
    for frame in (1, 5):
        bpy.context.scene.frame_set(frame)
        places.append([demo_head.armature.matrix_world @ demo_head.armature.pose.bones[f"eye.{s}"].head for s in "LR"])
    apart = (places[0][0] - places[0][1]).length
    assert (places[1][0] - places[0][0]).length == pytest.approx(apart, rel=1e-3)
    assert xyz(places[1][0] - places[0][0]) == pytest.approx((apart, 0.0, 0.0), abs=1e-3 * apart)


def test_turning_head_carries_the_eyes_once(demo_head: "DemoHead") -> None:
    """The take's position is that of the point between the eyes, which a turning neck moves by itself."""
    played = turned(acting(3), [(0, 0, 0), (30, 0, 0), (30, 0, 0)])
    bake(demo_head.head, played, position=True)
    places = []
    for frame in (1, 5):
        bpy.context.scene.frame_set(frame)
        heads = [demo_head.armature.pose.bones[f"eye.{side}"].head for side in "LR"]
        places.append(0.5 * (heads[0] + heads[1]))
    assert (places[1] - places[0]).length < 1e-4
