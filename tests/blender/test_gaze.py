"""Eye bones turn by the gaze whatever their rest, or the mapping's rows carry it."""

from typing import TYPE_CHECKING

import bpy
import numpy as np
import pytest
from mathutils import Vector

from training import extension

from .playing import (
    acting,
    bake_with,
    curves_of,
    errors,
    face_mesh,
    key_curves,
    points,
    shape_row,
    skeleton,
    table,
    turned,
    with_gap,
    xyz,
)

if TYPE_CHECKING:
    from operators.demo_head import DemoHead

RESTS = {
    "forward, roll 0": ((0, -1, 0), 0.0),
    "forward, roll 70": ((0, -1, 0), 1.2),
    "up, roll -37": ((0, 0, 1), -0.65),
    "out of the corner": ((0.7, -0.6, 0.2), 2.5),
}


def eyes(left: str = "", right: str = "") -> object:
    return extension.module("operators.bake_settings").EyeSettings(left, right)


def rig_of(direction: tuple, roll: float) -> bpy.types.Object:
    tip = 0.03 * Vector(direction).normalized()
    places = {"eye.L": Vector((0.03, -0.08, 0.1)), "eye.R": Vector((-0.03, -0.08, 0.1))}
    return skeleton(
        ("head", "", (0, 0, 0), (0, 0, 0.2), 0.3),
        *((name, "head", xyz(place), xyz(place + tip), roll) for name, place in places.items()),
    )


def sight(rig: bpy.types.Object, name: str, frame: int = 1) -> tuple[float, float, float]:
    """Where an eye looks in the armature's space that looks ahead (-Y) at rest."""
    bpy.context.scene.frame_set(frame)
    bone = rig.pose.bones[name]
    turn = bone.matrix.to_3x3() @ bone.bone.matrix_local.to_3x3().inverted()
    return xyz(turn.normalized() @ Vector((0, -1, 0)))


def towards(right_deg: float, up_deg: float) -> tuple[float, float, float]:
    """A direction that far to the character's right (-X) and up, from ahead (-Y)."""
    right, up = np.radians(right_deg), np.radians(up_deg)
    return (-np.sin(right) * np.cos(up), -np.cos(right) * np.cos(up), np.sin(up))


@pytest.mark.parametrize("rest", RESTS.values(), ids=RESTS.keys())
@pytest.mark.parametrize(
    ("channels", "left", "right"),
    [
        ({"look_out_L": 1.0, "look_in_R": 1.0}, (-35, 0), (-35, 0)),
        ({"look_in_L": 1.0, "look_out_R": 1.0}, (35, 0), (35, 0)),
        ({"look_in_L": 0.4, "look_in_R": 0.4}, (14, 0), (-14, 0)),
        ({"look_up_L": 1.0, "look_up_R": 0.5}, (0, 25), (0, 12.5)),
        ({"look_down_L": 1.0, "look_down_R": 0.5}, (0, -30), (0, -15)),
        ({"look_out_R": 1.0, "look_up_R": 1.0}, (0, 0), (35, 25)),
        ({}, (0, 0), (0, 0)),
    ],
    ids=["to the left", "to the right", "cross-eyed", "up", "down", "one eye", "ahead"],
)
def test_eyes_look_where_the_actor_looks(rest: tuple, channels: dict, left: tuple, right: tuple) -> None:
    rig = rig_of(*rest)
    bake_with(rig, acting(3, **channels), table(), face=False, eyes=eyes())
    assert sight(rig, "eye.L") == pytest.approx(towards(*left), abs=1e-4)
    assert sight(rig, "eye.R") == pytest.approx(towards(*right), abs=1e-4)


def test_gaze_adds_to_the_turn_of_the_head() -> None:
    rig = rig_of((0, -1, 0), 0.4)
    head = extension.module("operators.bake_settings").HeadSettings()
    played = turned(acting(3, look_in_L=1.0, look_out_R=1.0), (20.0, 0.0, 0.0))
    bake_with(rig, played, table(), face=False, eyes=eyes(), head=head)
    assert sight(rig, "eye.L") == pytest.approx(towards(55.0, 0.0), abs=1e-4)


def test_eye_bones_replace_the_rows_of_the_gaze(demo_head: "DemoHead") -> None:
    played = acting(9, look_up_L=0.5, jaw_drop=0.5)
    bake_with(demo_head.head, played)
    assert len(key_curves(demo_head.head)) == 52
    bake_with(demo_head.head, played, eyes=eyes())
    assert len(key_curves(demo_head.head)) == 44
    assert {path.split('"')[1] for path, _ in curves_of(demo_head.armature)} == {"eye.L", "eye.R"}
    assert {curve.group.name for curve in curves_of(demo_head.armature).values()} == {"AU Mocap Gaze"}
    bake_with(demo_head.head, played)
    assert len(key_curves(demo_head.head)) == 52
    assert curves_of(demo_head.armature) == {}


def test_gaze_switched_off_leaves_the_eyes_alone(demo_head: "DemoHead") -> None:
    bake_with(demo_head.head, acting(9, look_up_L=0.5), gaze=False, eyes=eyes())
    assert curves_of(demo_head.armature) == {}
    assert len(key_curves(demo_head.head)) == 44


def test_without_eye_bones_the_rows_carry_the_gaze() -> None:
    mesh = face_mesh("Face", "eyeLookUpLeft")
    report = bake_with(mesh, acting(9, look_up_L=0.5), table(shape_row("look_up_L", "eyeLookUpLeft")), eyes=eyes())
    assert set(key_curves(mesh)) == {('key_blocks["eyeLookUpLeft"].value', 0)}
    assert {"no left eye bone", "no right eye bone"} <= set(report.skipped)


def test_one_eye_alone() -> None:
    rig = skeleton(("head", "", (0, 0, 0), (0, 0, 1), 0.0), ("lamp", "head", (0, 0, 1), (0, -1, 1), 0.7))
    report = bake_with(rig, acting(9, look_up_L=1.0), table(), eyes=eyes(left="lamp"))
    assert sight(rig, "lamp") == pytest.approx(towards(0, 25), abs=1e-4)
    assert report.skipped == ("no right eye bone",)


def test_unknown_eye_bone_is_an_error(demo_head: "DemoHead") -> None:
    with pytest.raises(errors("SettingsError"), match="no bone 'third eye'"):
        bake_with(demo_head.head, acting(9), eyes=eyes(left="third eye"))
    with pytest.raises(errors("SettingsError"), match="no bone 'eye'"):
        bake_with(face_mesh("Face", "jawOpen"), acting(9), eyes=eyes(right="eye"))
    assert len(bpy.data.actions) == 0


def test_gaps_hold_no_keys(demo_head: "DemoHead") -> None:
    bake_with(demo_head.head, with_gap(acting(9, 24.0, look_up_L=0.5), slice(2, 5)), eyes=eyes())
    for curve in curves_of(demo_head.armature).values():
        assert points(curve)[:, 0].tolist() == [1, 2, 6, 7, 8, 9]
