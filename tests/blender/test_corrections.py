"""A layer over the bake: corrections add to it, and survive what happens to the bake. And the way back to rest."""

from pathlib import Path
from typing import TYPE_CHECKING

import bpy
import numpy as np
import pytest

from training import extension

from .conftest import Properties
from .playing import angle_deg, curves_of, face_mesh, key_curves, shape_row, shown, strip_curves, table, xyz

if TYPE_CHECKING:
    from operators.demo_head import DemoHead

SMILE = "mouthSmileLeft"


@pytest.fixture
def own(stored_take: Path, demo_head: "DemoHead") -> Properties:
    """A scene with a take and the demo head as its character."""
    bpy.context.scene.render.fps = 30  # the video's, so that scene frames are its frames
    own = bpy.context.scene.aumocap
    extension.module("operators.take_list").add(bpy.context.scene, stored_take)
    own.character = demo_head.armature
    own.takes[0].channels["lip_corner_pull_L"].offset = 0.25  # so that there is something to see
    return own


def played(mesh: bpy.types.Object, key: str = SMILE) -> np.ndarray:
    return np.array([shown(mesh, frame, key) for frame in range(1, 24)])


def correct(mesh: bpy.types.Object, amount: float) -> None:
    """Key a correction by hand: from frame 10 on the smile is wider."""
    keys = mesh.data.shape_keys
    block = keys.key_blocks[SMILE]
    for frame, added in ((5, 0.0), (10, amount)):
        bpy.context.scene.frame_set(frame)
        block.value += added
        assert block.keyframe_insert("value", frame=frame)
    bpy.context.scene.frame_set(1)


@pytest.mark.parametrize("destination", ["new", "active", "nla"])
@pytest.mark.parametrize("keys", ["EVERY", "REDUCED"])
def test_nothing_moves_until_something_is_corrected(
    own: Properties, demo_head: "DemoHead", destination: str, keys: str
) -> None:
    own.bake.destination, own.bake.keys = destination, keys
    bpy.ops.aumocap.bake()
    before = played(demo_head.head)
    turns = [angle_deg(demo_head.armature, "head", frame) for frame in (2, 12, 22)]
    actions = len(bpy.data.actions)
    assert bpy.ops.aumocap.add_corrections() == {"FINISHED"}
    np.testing.assert_allclose(played(demo_head.head), before, atol=1e-5)
    assert [angle_deg(demo_head.armature, "head", frame) for frame in (2, 12, 22)] == pytest.approx(turns, abs=1e-3)
    data = demo_head.head.data.shape_keys.animation_data
    assert (data.action_blend_type, data.nla_tracks[0].name) == ("ADD", "first second")
    assert demo_head.armature.animation_data.action_blend_type == "COMBINE"
    assert key_curves(demo_head.head) == {}
    assert own.bake.destination == "nla"
    assert len(bpy.data.actions) > actions


def layer_of(mesh: bpy.types.Object) -> dict[tuple[str, int], list[tuple[float, ...]]]:
    """The keys of the active Action."""
    return {path: [(key.co.x, key.co.y) for key in curve.keyframe_points] for path, curve in key_curves(mesh).items()}


def together(mesh: bpy.types.Object) -> np.ndarray:
    """The bake in the strip with the corrections added."""
    path = (f'key_blocks["{SMILE}"].value', 0)
    curves = strip_curves(mesh.data.shape_keys)[path], key_curves(mesh)[path]
    return np.array([min(sum(curve.evaluate(frame) for curve in curves), 1.0) for frame in range(1, 24)])


def test_corrections_survive_new_bakes_and_changed_settings(own: Properties, demo_head: "DemoHead") -> None:
    bpy.ops.aumocap.bake()
    plain = played(demo_head.head)
    bpy.ops.aumocap.add_corrections()
    correct(demo_head.head, 0.125)
    corrected = played(demo_head.head)
    assert corrected[:5] == pytest.approx(plain[:5], abs=1e-5)
    np.testing.assert_allclose(corrected[10:], np.minimum(plain[10:] + 0.125, 1.0), atol=1e-5)
    layer = layer_of(demo_head.head)
    assert [path for path, _ in layer] == [f'key_blocks["{SMILE}"].value']

    own.takes[0].channels["lip_corner_pull_L"].offset = 0.5  # renewed live
    wider = played(demo_head.head)
    assert wider[0] == pytest.approx(plain[0] + 0.25, abs=1e-5)
    np.testing.assert_allclose(wider, together(demo_head.head), atol=1e-5)
    own.bake.keys = "REDUCED"
    assert bpy.ops.aumocap.bake() == {"FINISHED"}
    np.testing.assert_allclose(played(demo_head.head), wider, atol=0.0101)
    own.bake.keys = "EVERY"
    own.takes[0].channels["lip_corner_pull_L"].offset = 0.25
    bpy.ops.aumocap.bake_range(first=1, last=8)
    np.testing.assert_allclose(played(demo_head.head)[:8], corrected[:8], atol=1e-5)
    assert layer_of(demo_head.head) == layer
    assert len(demo_head.head.data.shape_keys.animation_data.nla_tracks) == 1
    assert extension.module("operators.refresh").problem() == ""


def test_a_turned_head_is_corrected_as_a_turn(own: Properties, demo_head: "DemoHead") -> None:
    bpy.ops.aumocap.bake()
    bpy.ops.aumocap.add_corrections()
    before = angle_deg(demo_head.armature, "head", 12)
    bone = demo_head.armature.pose.bones["head"]
    bpy.context.scene.frame_set(12)
    from mathutils import Quaternion

    bone.rotation_quaternion = Quaternion((0.0, 0.0, 1.0), np.radians(20.0)) @ bone.rotation_quaternion
    wanted = bone.rotation_quaternion.copy()
    bone.keyframe_insert("rotation_quaternion", frame=12)
    bpy.context.scene.frame_set(13)
    bpy.context.scene.frame_set(12)
    assert bone.rotation_quaternion.rotation_difference(wanted).angle == pytest.approx(0.0, abs=1e-3)
    assert angle_deg(demo_head.armature, "head", 12) != pytest.approx(before, abs=5.0)
    assert own.bake.destination == "nla"


def test_layers_pile_up_but_not_empty_ones(own: Properties, demo_head: "DemoHead") -> None:
    bpy.ops.aumocap.bake()
    bpy.ops.aumocap.add_corrections()
    with pytest.raises(RuntimeError, match="is a correction layer without keys"):
        bpy.ops.aumocap.add_corrections()
    correct(demo_head.head, 0.125)
    bone = demo_head.armature.pose.bones["head"]
    bone.keyframe_insert("rotation_quaternion", frame=3)
    before = played(demo_head.head)
    assert bpy.ops.aumocap.add_corrections() == {"FINISHED"}
    np.testing.assert_allclose(played(demo_head.head), before, atol=1e-5)
    data = demo_head.head.data.shape_keys.animation_data
    names = [track.name for track in data.nla_tracks]
    assert names[0] == "first second"
    assert [name.startswith("first second Corrections") for name in names[1:]] == [True]  # without slots, .001
    assert data.nla_tracks[1].strips[0].blend_type == "ADD"


@pytest.mark.parametrize("destination", ["new", "active"])
def test_no_bake_goes_into_the_corrections(own: Properties, demo_head: "DemoHead", destination: str) -> None:
    bpy.ops.aumocap.bake()
    bpy.ops.aumocap.add_corrections()
    correct(demo_head.head, 0.125)
    before = played(demo_head.head)
    own.bake.destination = destination
    with pytest.raises(RuntimeError, match="choose the destination NLA Strip"):
        bpy.ops.aumocap.bake()
    np.testing.assert_allclose(played(demo_head.head), before, atol=1e-6)
    assert len(key_curves(demo_head.head)) == 1


def test_what_an_artist_keyed_beside_the_bake_comes_along(own: Properties, demo_head: "DemoHead") -> None:
    own.bake.destination = "active"
    bpy.ops.aumocap.bake()
    demo_head.armature.location.x = 1.0
    demo_head.armature.keyframe_insert("location", frame=1)
    demo_head.armature.location.x = 3.0
    demo_head.armature.keyframe_insert("location", frame=101)
    bpy.ops.aumocap.add_corrections()
    bpy.ops.aumocap.bake()
    for frame, place in ((1, 1.0), (101, 3.0), (200, 3.0)):
        bpy.context.scene.frame_set(frame)
        assert demo_head.armature.location.x == pytest.approx(place)


def test_what_cannot_have_a_layer_is_told_and_left(own: Properties, demo_head: "DemoHead") -> None:
    with pytest.raises(RuntimeError, match="is not baked on this character"):
        bpy.ops.aumocap.add_corrections()
    own.bake.destination = "nla"
    bpy.ops.aumocap.bake()
    keys = demo_head.head.data.shape_keys
    keys.key_blocks["mouthPucker"].keyframe_insert("value", frame=1)
    with pytest.raises(RuntimeError, match="push that Action down"):
        bpy.ops.aumocap.add_corrections()
    assert demo_head.armature.animation_data.action is None, "one block was changed although another refused"
    keys.animation_data.action = None
    keys.animation_data.nla_tracks.active = keys.animation_data.nla_tracks[0]
    keys.animation_data.nla_tracks[0].strips[0].select = True
    keys.animation_data.use_tweak_mode = True
    with pytest.raises(RuntimeError, match="tweak mode"):
        bpy.ops.aumocap.add_corrections()
    keys.animation_data.use_tweak_mode = False


def test_rest_pose_puts_all_back_and_deletes_nothing(own: Properties, demo_head: "DemoHead") -> None:
    bpy.ops.aumocap.bake()
    curves = len(key_curves(demo_head.head)) + len(curves_of(demo_head.armature))
    bpy.context.scene.frame_set(12)
    blocks = demo_head.head.data.shape_keys.key_blocks
    assert max(block.value for block in blocks) > 0.2
    assert bpy.ops.aumocap.rest_pose() == {"FINISHED"}
    assert [block.value for block in blocks] == pytest.approx([0.0] * len(blocks), abs=1e-6)
    for bone in demo_head.armature.pose.bones:
        assert bone.rotation_quaternion.angle == pytest.approx(0.0, abs=1e-6)
        assert xyz(bone.location) == pytest.approx((0, 0, 0))
    assert len(key_curves(demo_head.head)) + len(curves_of(demo_head.armature)) == curves
    bpy.context.scene.frame_set(13)
    assert max(block.value for block in blocks) > 0.2
    assert len(own.takes) == 1


def test_rest_pose_needs_no_take_and_follows_the_table() -> None:
    mesh = face_mesh("Face", "jawOpen", "mouthPucker")
    own = bpy.context.scene.aumocap
    own.character = mesh
    rows = table(shape_row("jaw_drop", "jawOpen", offset=0.25), shape_row("lip_pucker", "mouthPucker"))
    extension.module("operators.table").fill(mesh.aumocap, rows)
    blocks = mesh.data.shape_keys.key_blocks
    blocks["jawOpen"].value = blocks["mouthPucker"].value = 0.8
    assert bpy.ops.aumocap.rest_pose() == {"FINISHED"}
    assert (blocks["jawOpen"].value, blocks["mouthPucker"].value) == pytest.approx((0.25, 0.0))
    driver = blocks["jawOpen"].driver_add("value")
    driver.driver.expression = "0.5"
    blocks["mouthPucker"].value = 0.8
    assert bpy.ops.aumocap.rest_pose() == {"FINISHED"}
    assert blocks["mouthPucker"].value == 0.0


def test_rest_pose_without_a_character() -> None:
    assert not bpy.ops.aumocap.rest_pose.poll()
    assert not bpy.ops.aumocap.add_corrections.poll()
