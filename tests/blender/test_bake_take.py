"""The operator that bakes a stored take: the same keys as the engine, one undo step, errors that say what to do."""

from pathlib import Path
from typing import TYPE_CHECKING

import bpy
import numpy as np
import pytest

from training import extension

from .playing import curves_of, key_curve, key_curves, points

if TYPE_CHECKING:
    from operators.demo_head import DemoHead


def test_bakes_what_the_engine_says(stored_take: Path, demo_head: "DemoHead") -> None:
    bpy.context.scene.render.fps = 30
    assert bpy.ops.aumocap.bake_take(filepath=str(stored_take), start_frame=5.0) == {"FINISHED"}
    curves = extension.module("operators.curves").curves_of(stored_take)
    smile = curves.values[:, extension.module("au_mocap.channels").INDEX["lip_corner_pull_L"]]
    keys = points(key_curve(demo_head.head, "mouthSmileLeft"))
    np.testing.assert_allclose(keys[:, 1], smile, atol=1e-6)
    np.testing.assert_allclose(keys[:, 0], 5.0 + np.arange(30), atol=1e-3)
    assert keys[:, 1].argmax() > keys[:, 1].argmin()
    assert demo_head.armature.animation_data.action.name.startswith("first second")


def test_options_reach_the_bake(stored_take: Path, demo_head: "DemoHead") -> None:
    bpy.ops.aumocap.bake_take(filepath=str(stored_take), use_head_pose=False)
    assert curves_of(demo_head.armature) == {}
    bpy.ops.aumocap.bake_take(filepath=str(stored_take), neck_share=0.0, use_position=True)
    curves = curves_of(demo_head.armature)
    assert {path.rsplit(".", 1)[1] for path, _ in curves} == {"rotation_quaternion", "location"}
    neck_w = points(curves['pose.bones["neck"].rotation_quaternion', 0])
    np.testing.assert_allclose(neck_w[:, 1], 1.0, atol=1e-6)


def test_is_one_undo_step(stored_take: Path, demo_head: "DemoHead") -> None:
    name = demo_head.head.name
    bpy.context.preferences.edit.use_global_undo = True
    bpy.ops.ed.undo_push(message="before the bake")
    bpy.ops.aumocap.bake_take("EXEC_DEFAULT", True, filepath=str(stored_take))
    assert key_curves(bpy.data.objects[name])
    bpy.ops.ed.undo()
    assert bpy.data.objects[name].data.shape_keys.animation_data is None
    assert len(bpy.data.actions) == 0
    bpy.ops.ed.redo()
    assert len(key_curves(bpy.data.objects[name])) == 52


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"filepath": "/nowhere/no.take.npz"}, "There is no take"),
        ({"filepath": ""}, "name a .take.npz file"),
        ({"mapping": "no such table"}, "No mapping 'no such table'"),
    ],
)
def test_errors_say_what_to_do_and_change_nothing(
    stored_take: Path, demo_head: "DemoHead", arguments: dict[str, str], message: str
) -> None:
    with pytest.raises(RuntimeError, match=message):
        bpy.ops.aumocap.bake_take(**{"filepath": str(stored_take), **arguments})
    assert demo_head.head.data.shape_keys.animation_data is None
    assert len(bpy.data.actions) == 0


def test_a_damaged_take_is_refused(stored_take: Path, demo_head: "DemoHead", tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.take.npz"
    damaged.write_bytes(stored_take.read_bytes()[:5000])
    with pytest.raises(RuntimeError, match="damaged"):
        bpy.ops.aumocap.bake_take(filepath=str(damaged))
    assert demo_head.armature.animation_data is None


def test_an_object_without_controls_is_refused(stored_take: Path) -> None:
    bpy.ops.object.camera_add()
    with pytest.raises(RuntimeError, match="no shape keys and no armature"):
        bpy.ops.aumocap.bake_take(filepath=str(stored_take))


def test_needs_an_active_object(stored_take: Path) -> None:
    with pytest.raises(RuntimeError, match="Select a character's armature or face mesh first"):
        bpy.ops.aumocap.bake_take(filepath=str(stored_take))
