"""The choices of the fold "Head and Eyes" and of driven keys, through the operators that artists press."""

from pathlib import Path
from typing import TYPE_CHECKING

import bpy
import numpy as np
import pytest
from mathutils import Euler, Matrix

from training import extension

from .conftest import Properties
from .playing import curves_of, key_curves, points

if TYPE_CHECKING:
    from operators.demo_head import DemoHead

HEAD = 'pose.bones["head"].rotation_quaternion'


@pytest.fixture
def own(stored_take: Path, demo_head: "DemoHead") -> Properties:
    """A scene with a take and the demo head as its character."""
    own = bpy.context.scene.aumocap
    extension.module("operators.take_list").add(bpy.context.scene, stored_take)
    own.character = demo_head.armature
    return own


def head_keys(demo_head: "DemoHead") -> np.ndarray:
    """(K, 4) keys of the head's quaternion."""
    curves = curves_of(demo_head.armature)
    return np.stack([points(curves[HEAD, index])[:, 1] for index in range(4)], axis=1)


def test_facing_reaches_the_keys_at_once(own: Properties, demo_head: "DemoHead") -> None:
    assert bpy.ops.aumocap.bake() == {"FINISHED"}
    before = head_keys(demo_head)
    own.character.aumocap.facing = "-Y"
    np.testing.assert_allclose(head_keys(demo_head), before, atol=1e-6)
    own.character.aumocap.facing = "+Y"
    after = head_keys(demo_head)
    assert np.abs(after - before).max() > 1e-3
    np.testing.assert_allclose(after[:, 0], before[:, 0], atol=1e-5)
    assert extension.module("operators.refresh").problem() == ""


def test_what_was_found_is_said(demo_head: "DemoHead") -> None:
    module = extension.module("operators.found_facing")
    assert module.described(demo_head.armature) == "Found: -Y\nby eye bones, sides"
    assert module.for_drawing(demo_head.armature) == module.described(demo_head.armature)
    empty = bpy.data.objects.new("Empty", None)
    assert "has no shape keys and no armature" in module.described(empty)


@pytest.mark.parametrize("over_body", ["add", "replace"])
def test_preview_shows_what_a_bake_would_do(own: Properties, demo_head: "DemoHead", over_body: str) -> None:
    scene, rig = bpy.context.scene, demo_head.armature
    scene.render.fps = 30
    bone = rig.pose.bones["head"]
    bone.rotation_mode = "QUATERNION"
    for frame, angle in ((1, 0.2), (31, 0.8)):
        bone.rotation_quaternion = Euler((angle, 0.0, 0.0)).to_quaternion()
        bone.keyframe_insert("rotation_quaternion", frame=frame)
    own.character.aumocap.over_body = over_body
    assert bpy.ops.aumocap.preview() == {"FINISHED"}
    previewed = {frame: turned(demo_head, frame) for frame in (2, 15, 29)}
    bpy.ops.aumocap.preview()
    bpy.ops.aumocap.bake()
    for frame, shown in previewed.items():
        assert np.abs(np.array(turned(demo_head, frame)) - np.array(shown)).max() < 1e-4
    assert (np.degrees(previewed[15].to_quaternion().angle) > 20.0) == (over_body == "add")


def turned(demo_head: "DemoHead", frame: int) -> Matrix:
    bpy.context.scene.frame_set(frame)
    return demo_head.armature.pose.bones["head"].matrix_basis.to_3x3()


def test_driven_keys_are_muted_and_restored(own: Properties, demo_head: "DemoHead") -> None:
    keys = demo_head.head.data.shape_keys
    driver = keys.key_blocks["jawOpen"].driver_add("value")
    driver.driver.expression = "0.3"
    path = 'key_blocks["jawOpen"].value', 0
    bpy.ops.aumocap.bake()
    assert path not in key_curves(demo_head.head)
    own.bake.driven = "mute"
    bpy.ops.aumocap.preview()
    assert not driver.mute, "a preview leaves drivers alone"
    bpy.ops.aumocap.preview()
    bpy.ops.aumocap.bake()
    assert driver.mute
    assert path in key_curves(demo_head.head)
    assert bpy.ops.aumocap.restore_drivers() == {"FINISHED"}
    assert not driver.mute
    assert keys.key_blocks["jawOpen"].value == pytest.approx(0.3)
    assert bpy.ops.aumocap.restore_drivers() == {"CANCELLED"}


def test_undo_brings_drivers_and_body_back(own: Properties, demo_head: "DemoHead") -> None:
    rig = demo_head.armature.name
    demo_head.head.data.shape_keys.key_blocks["jawOpen"].driver_add("value").driver.expression = "0.3"
    bone = demo_head.armature.pose.bones["head"]
    bone.rotation_mode = "QUATERNION"
    bone.keyframe_insert("rotation_quaternion", frame=1)
    own.bake.driven = "mute"
    bpy.context.preferences.edit.use_global_undo = True
    bpy.ops.ed.undo_push(message="before the bake")
    bpy.ops.aumocap.bake("EXEC_DEFAULT", True)
    assert len(bpy.data.objects[rig].animation_data.nla_tracks) == 1
    bpy.ops.ed.undo()
    assert len(bpy.data.objects[rig].animation_data.nla_tracks) == 0
    assert len(points(curves_of(bpy.data.objects[rig])[HEAD, 0])) == 1
    keys = bpy.data.objects["Demo Head Face"].data.shape_keys
    assert not keys.animation_data.drivers[0].mute


def test_a_file_keeps_the_choices(own: Properties, tmp_path: Path) -> None:
    character = own.character.aumocap
    chosen = {"facing": "+X", "over_body": "replace", "moves": "metres", "eye_target": "eyes"}
    for name, value in chosen.items():
        setattr(character, name, value)
    own.bake.driven = "mute"
    path = str(tmp_path / "saved.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    opened = bpy.context.scene.aumocap
    assert {name: getattr(opened.character.aumocap, name) for name in chosen} == chosen
    assert opened.bake.driven == "mute"


def test_edit_mode_is_told(own: Properties, demo_head: "DemoHead") -> None:
    bpy.context.view_layer.objects.active = demo_head.armature
    bpy.ops.object.mode_set(mode="EDIT")
    try:
        with pytest.raises(RuntimeError, match="is in Edit Mode"):
            bpy.ops.aumocap.bake()
    finally:
        bpy.ops.object.mode_set(mode="OBJECT")
