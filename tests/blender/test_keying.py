"""Keys land at the right time, on the right things, and on nothing else."""

from pathlib import Path
from typing import TYPE_CHECKING

import bpy
import numpy as np
import pytest

from training import extension

from .playing import (
    acting,
    bake,
    curves_of,
    errors,
    face_mesh,
    key_curve,
    key_curves,
    points,
    shape_row,
    skeleton,
    still,
    table,
    turned,
    with_gap,
    xyz,
)

if TYPE_CHECKING:
    from operators.demo_head import DemoHead


@pytest.mark.parametrize(("fps", "fps_base"), [(24, 1.0), (60, 1.0), (24, 1.001), (30, 1.001), (25, 1.0)])
def test_a_long_take_stays_in_time(fps: int, fps_base: float) -> None:
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = fps, fps_base
    rate_hz = 24000 / 1001
    count = int(610 * rate_hz)
    late = int(600 * rate_hz)
    jaw = np.zeros(count)
    jaw[late] = 1.0
    mesh = face_mesh("Face", "jawOpen")
    bake(mesh, acting(count, rate_hz, jaw_drop=jaw), start_frame=1.0)

    keys = points(key_curve(mesh, "jawOpen"))
    frame = float(keys[np.argmax(keys[:, 1]), 0])
    played_at_s = (frame - 1.0) / (scene.render.fps / scene.render.fps_base)
    assert abs(played_at_s - late / rate_hz) <= 0.5 / rate_hz
    # What the scene shows at that time is the action, not a neighbour.
    whole = int(np.floor(frame))
    scene.frame_set(whole, subframe=frame - whole)
    assert mesh.data.shape_keys.key_blocks["jawOpen"].value == pytest.approx(1.0, abs=0.2)


def test_variable_frame_times_are_kept_exactly() -> None:
    played = acting(4, jaw_drop=np.array([0.0, 1.0, 0.5, 0.25]))
    object.__setattr__(played, "time_s", np.array([0.0, 0.1, 0.11, 2.0]))
    mesh = face_mesh("Face", "jawOpen")
    bake(mesh, played, start_frame=10.0)
    np.testing.assert_allclose(points(key_curve(mesh, "jawOpen"))[:, 0], [10.0, 12.4, 12.64, 58.0], atol=1e-4)


def test_scene_plays_the_curve_between_keys() -> None:
    mesh = face_mesh("Face", "jawOpen")
    bpy.context.scene.render.fps = 60
    bake(mesh, acting(3, 30.0, jaw_drop=np.array([0.0, 0.8, 0.0])), start_frame=1.0)
    for frame, expected in ((1, 0.0), (2, 0.4), (3, 0.8), (4, 0.4), (5, 0.0), (50, 0.0)):
        bpy.context.scene.frame_set(frame)
        assert mesh.data.shape_keys.key_blocks["jawOpen"].value == pytest.approx(expected, abs=1e-5)


def test_one_action_with_a_slot_for_each_data_block(demo_head: "DemoHead") -> None:
    report = bake(demo_head.armature, acting(5, jaw_drop=0.5))
    owners = (demo_head.armature, demo_head.head.data.shape_keys)
    if not hasattr(report.actions[0], "slots"):
        assert [owner.animation_data.action for owner in owners[::-1]] == list(report.actions)
        return
    assert {owner.animation_data.action for owner in owners} == set(report.actions)
    assert len(report.actions) == 1
    assert len({owner.animation_data.action_slot.handle for owner in owners}) == 2
    assert report.actions[0].name == "take one"


@pytest.mark.skipif("fcurves" not in bpy.types.Action.bl_rna.properties, reason="this Blender has slots alone")
def test_without_slots_each_data_block_has_an_action_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The way of Blender 4.2 and 4.3, which 4.5 still understands."""
    monkeypatch.setattr(extension.module("operators.actions"), "HAS_SLOTS", False)
    mesh = face_mesh("Face", "jawOpen")
    bake(mesh, acting(10, jaw_drop=0.5))
    report = bake(mesh, acting(10, jaw_drop=0.25))
    (action,) = report.actions
    (curve,) = action.fcurves
    assert mesh.data.shape_keys is not None
    assert mesh.data.shape_keys.animation_data.action == action
    assert (curve.data_path, curve.group.name) == ('key_blocks["jawOpen"].value', "AU Mocap Face")
    assert curve.evaluate(3) == 0.25


def test_all_52_shapes_and_the_head_are_keyed(demo_head: "DemoHead") -> None:
    report = bake(demo_head.head, turned(acting(3), (10.0, 0.0, 0.0)))
    assert report.skipped == ()
    names = {path for path, _ in key_curves(demo_head.head)}
    keys = demo_head.head.data.shape_keys.key_blocks[1:]
    assert names == {f'key_blocks["{key.name}"].value' for key in keys}
    assert len(names) == 52
    bones = {path.split('"')[1] for path, _ in curves_of(demo_head.armature)}
    assert bones == {"neck", "head"}
    groups = {curve.group.name for curve in curves_of(demo_head.armature).values()}
    assert groups == {"AU Mocap Head"}


def test_gaps_hold_no_keys_and_do_not_jump() -> None:
    played = with_gap(acting(30, 24.0, jaw_drop=np.linspace(0.2, 0.8, 30)), slice(10, 20))
    mesh = face_mesh("Face", "jawOpen")
    bake(mesh, played, start_frame=0.0)
    curve = key_curve(mesh, "jawOpen")
    frames = points(curve)[:, 0]
    assert list(frames) == [*range(10), *range(20, 30)]
    steps = np.diff([curve.evaluate(frame) for frame in np.arange(0.0, 29.01, 0.25)])
    assert np.abs(steps).max() < 0.02
    assert steps.min() >= -1e-6


def test_gaps_in_the_head_pose_hold_no_keys(demo_head: "DemoHead") -> None:
    played = with_gap(turned(acting(10, 24.0), (20.0, 0.0, 0.0)), slice(0, 4))
    bake(demo_head.armature, played, start_frame=0.0)
    for curve in curves_of(demo_head.armature).values():
        assert points(curve)[0, 0] == 4.0
        assert np.isfinite(points(curve)).all()


def test_values_stay_within_the_sliders() -> None:
    mesh = face_mesh("Face", "jawOpen")
    key = mesh.data.shape_keys.key_blocks["jawOpen"]
    key.slider_min, key.slider_max = 0.1, 0.6
    wide = table(shape_row("jaw_drop", "jawOpen", gain=3.0, max=5.0))
    bake(mesh, acting(3, jaw_drop=np.array([0.0, 0.15, 1.0])), wide)
    np.testing.assert_allclose(points(key_curve(mesh, "jawOpen"))[:, 1], [0.1, 0.45, 0.6], atol=1e-6)


def test_every_mesh_with_the_key_follows_and_a_named_one_alone() -> None:
    rig = skeleton(("head", "", (0, 0, 0), (0, 0, 1), 0.0))
    meshes = [face_mesh(name, "jawOpen", "extra") for name in ("Face", "Beard", "Other")]
    for mesh in meshes[:2]:
        mesh.parent = rig
    named = {"channel": "lip_pucker", "target": {"kind": "shape_key", "name": "extra", "object": "Beard"}}
    bake(rig, acting(3, jaw_drop=0.5, lip_pucker=0.5), table(shape_row("jaw_drop", "jawOpen"), named))
    face, beard, other = (key_curves(mesh) for mesh in meshes)
    assert set(face) == {('key_blocks["jawOpen"].value', 0)}
    assert set(beard) == {('key_blocks["jawOpen"].value', 0), ('key_blocks["extra"].value', 0)}
    assert other == {}


def test_a_second_bake_replaces_the_first_and_leaves_all_else(demo_head: "DemoHead") -> None:
    armature, head = demo_head.armature, demo_head.head
    armature.location.x = 2.0
    armature.keyframe_insert("location", frame=7)
    head.data.shape_keys.key_blocks["tongueOut"].keyframe_insert("value", frame=3)
    small = table(shape_row("jaw_drop", "jawOpen"), shape_row("lip_pucker", "mouthPucker"))
    bake(head, turned(acting(50, jaw_drop=0.5), (5.0, 0.0, 0.0)), small)
    bake(head, acting(20, jaw_drop=0.25), table(shape_row("jaw_drop", "jawOpen")), head_pose=False)

    keys = key_curves(head)
    assert set(keys) == {('key_blocks["jawOpen"].value', 0), ('key_blocks["tongueOut"].value', 0)}
    assert len(points(keys['key_blocks["jawOpen"].value', 0])) == 20
    assert points(keys['key_blocks["tongueOut"].value', 0])[0, 0] == 3.0
    location = curves_of(armature)["location", 0]
    assert points(location).tolist() == [[7.0, 2.0]]


def test_missing_targets_are_named_and_the_rest_is_baked() -> None:
    mesh = face_mesh("Face", "jawOpen")
    rows = table(
        shape_row("jaw_drop", "jawOpen"),
        shape_row("lip_pucker", "kiss"),
        {"channel": "lip_funnel", "target": {"kind": "bone", "bone": "jaw", "path": "location", "axis": "x"}},
        {"channel": "tongue_out", "target": {"kind": "property", "object": "Nobody", "data_path": '["x"]'}},
        {"channel": "jaw_thrust", "target": {"kind": "property", "object": "Face", "data_path": '["x"]'}},
    )
    report = bake(mesh, acting(3, jaw_drop=0.5), rows)
    text = "\n".join(report.skipped)
    for name in ("'kiss'", "'jaw'", "'Nobody'", "'Face'", "no head bone"):
        assert name in text
    assert report.curves == 1


def test_nothing_to_drive_is_an_error_and_touches_nothing(demo_head: "DemoHead") -> None:
    demo_head.armature.pose.bones["head"].rotation_mode = "XYZ"
    with pytest.raises(errors("MappingError"), match="'nose'"):
        bake(demo_head.head, acting(3), table(shape_row("jaw_drop", "nose")))
    assert demo_head.head.data.shape_keys.animation_data is None
    assert demo_head.armature.animation_data is None
    assert demo_head.armature.pose.bones["head"].rotation_mode == "XYZ"
    assert len(bpy.data.actions) == 0


def test_a_take_without_a_face_is_an_error_and_touches_nothing(demo_head: "DemoHead") -> None:
    with pytest.raises(errors("TakeError"), match="no frame"):
        bake(demo_head.head, with_gap(acting(5), slice(None)))
    assert len(bpy.data.actions) == 0


def test_unknown_head_bone_is_an_error(demo_head: "DemoHead") -> None:
    with pytest.raises(errors("SettingsError"), match="'skull'"):
        bake(demo_head.head, acting(5), head_bone="skull")
    assert len(bpy.data.actions) == 0


def test_driven_keys_are_left_alone_and_named() -> None:
    mesh = face_mesh("Face", "jawOpen", "mouthPucker")
    mesh.data.shape_keys.key_blocks["jawOpen"].driver_add("value").driver.expression = "0.3"
    report = bake(mesh, acting(3, jaw_drop=0.5, lip_pucker=0.5))
    assert any("jawOpen" in line and "driver" in line for line in report.skipped)
    assert set(key_curves(mesh)) == {('key_blocks["mouthPucker"].value', 0)}


def test_a_bone_whose_euler_angles_are_driven_keeps_its_mode(demo_head: "DemoHead") -> None:
    rig = demo_head.armature
    rig.pose.bones["head"].rotation_mode = "XYZ"
    rig.driver_add('pose.bones["head"].rotation_euler', 0)
    report = bake(rig, turned(acting(3, jaw_drop=0.5), (10.0, 0.0, 0.0)))
    assert report.skipped == ("Demo Head: the rotation of 'head' has a driver",)
    assert rig.pose.bones["head"].rotation_mode == "XYZ"


def test_linked_faces_are_left_alone_and_named(tmp_path: Path) -> None:
    face_mesh("Linked", "jawOpen")
    library = str(tmp_path / "face.blend")
    bpy.data.libraries.write(library, {bpy.data.objects["Linked"]})
    bpy.ops.wm.read_factory_settings(use_empty=True)
    with bpy.data.libraries.load(library, link=True) as (_, wanted):  # pyright: ignore[reportOptionalContextManager, reportGeneralTypeIssues]
        wanted.objects = ["Linked"]
    with pytest.raises(errors("MappingError"), match="linked from another file"):
        bake(bpy.data.objects["Linked"], acting(3, jaw_drop=0.5))
    assert len(bpy.data.actions) == 0


def test_bone_and_property_rows() -> None:
    rig = skeleton(("jaw", "", (0, 0, 0), (0, -1, 0), 0.3), ("lid", "", (1, 0, 0), (1, 0, 1), 0.0))
    rig["smile"] = 0.0
    rig["pair"] = [0.0, 0.0]
    bone = {"kind": "bone", "bone": "jaw"}
    rows = table(
        {"channel": "jaw_drop", "target": {**bone, "path": "rotation", "axis": "x"}, "gain": 0.5},
        {"channel": "jaw_slide_L", "target": {**bone, "path": "location", "axis": "y"}, "gain": 0.02},
        {"channel": "jaw_thrust", "target": {**bone, "path": "scale", "axis": "z"}, "gain": 0.1},
        {"channel": "lip_pucker", "target": {"kind": "property", "data_path": '["smile"]'}, "gain": 2.0, "max": 2.0},
        {"channel": "lip_pucker", "target": {"kind": "property", "data_path": '["pair"]', "index": 1}},
    )
    played = acting(2, jaw_drop=np.array([0.0, 1.0]), jaw_slide_L=1.0, jaw_thrust=1.0, lip_pucker=0.75)
    bake(rig, played, rows, head_pose=False, start_frame=1.0)
    bpy.context.scene.frame_set(1)
    bpy.context.scene.frame_set(2, subframe=-0.0)
    bpy.context.scene.frame_set(10)
    jaw = rig.pose.bones["jaw"]
    angle = jaw.rotation_quaternion.to_euler()
    assert xyz(angle) == pytest.approx((0.5, 0.0, 0.0), abs=1e-5)
    assert jaw.location.y == pytest.approx(0.02)
    assert jaw.scale.z == pytest.approx(1.1)
    assert rig["smile"] == pytest.approx(1.5)
    assert list(rig["pair"]) == pytest.approx([0.0, 0.75])


def test_a_mapping_that_turns_the_head_wins_over_the_pose_and_says_so(demo_head: "DemoHead") -> None:
    nod = {"channel": "jaw_drop", "target": {"kind": "bone", "bone": "head", "path": "rotation", "axis": "x"}}
    report = bake(demo_head.head, acting(3, jaw_drop=0.2), table(nod))
    assert [line for line in report.skipped if "driven twice" in line] == list(report.skipped)
    assert len(report.skipped) == 1


def test_single_frame_take(demo_head: "DemoHead") -> None:
    report = bake(demo_head.head, acting(1, jaw_drop=0.5))
    assert report.frame_range == (1.0, 1.0)
    assert report.keys == report.curves


def test_settings_are_checked() -> None:
    with pytest.raises(errors("SettingsError"), match="neck's share"):
        bake(face_mesh("Face", "jawOpen"), still(2), neck_share=1.5)
