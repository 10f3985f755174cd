"""Rigs as they come: the right result or a clear refusal, and nothing of the artist's is overwritten."""

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy
import numpy as np
import pytest
from mathutils import Vector

from training import extension

from .playing import (
    acting,
    angle_deg,
    bake_with,
    curves_of,
    errors,
    face_mesh,
    head_settings,
    key_curves,
    shape_row,
    shown,
    skeleton,
    table,
    turned,
    xyz,
)

if TYPE_CHECKING:
    from operators.demo_head import DemoHead

JAW = [shape_row("jaw_drop", "jawOpen")]


def neck_and_head(mode: str = "QUATERNION") -> bpy.types.Object:
    rig = skeleton(("neck", "", (0, 0, 0), (0, 0, 0.1), 0.4), ("head", "neck", (0, 0, 0.1), (0, 0, 0.3), 0.0))
    for bone in rig.pose.bones:
        bone.rotation_mode = mode
    return rig


def bake_head(rig: bpy.types.Object, angles_deg: Any = (30.0, 0.0, 0.0), **settings: Any) -> Any:  # noqa: ANN401
    head = head_settings(**settings.pop("head", {}))
    return bake_with(rig, turned(acting(3), angles_deg), table(), face=False, gaze=False, head=head, **settings)


def driven(mesh: bpy.types.Object, value: float = 0.3) -> Any:  # noqa: ANN401
    driver = mesh.data.shape_keys.key_blocks["jawOpen"].driver_add("value")
    driver.driver.expression = str(value)
    return driver


# Drivers


def test_muted_drivers_let_keys_count_and_come_back() -> None:
    mesh = face_mesh("Face", "jawOpen", "mouthPucker")
    driver = driven(mesh)
    report = bake_with(mesh, acting(9, jaw_drop=0.8), table(*JAW), driven="mute")
    assert driver.mute
    assert evaluated(mesh, 3) == pytest.approx(0.8)
    assert any("1 drivers were muted" in note for note in report.notes)
    drivers = extension.module("operators.drivers")
    assert drivers.restore(mesh.data.shape_keys) == 1
    assert not driver.mute
    assert evaluated(mesh, 4) == pytest.approx(0.3)
    assert drivers.restore(mesh.data.shape_keys) == 0


def evaluated(mesh: bpy.types.Object, frame: int, key: str = "jawOpen") -> float:
    """A shape key's value after animation and drivers."""
    bpy.context.scene.frame_set(frame)
    seen = mesh.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return seen.data.shape_keys.key_blocks[key].value


def test_drivers_that_the_artist_muted_stay_so() -> None:
    mesh = face_mesh("Face", "jawOpen")
    driver = driven(mesh)
    driver.mute = True
    report = bake_with(mesh, acting(9, jaw_drop=0.8), table(*JAW))
    assert report.skipped == ()
    assert evaluated(mesh, 3) == pytest.approx(0.8)
    assert extension.module("operators.drivers").restore(mesh.data.shape_keys) == 0
    assert driver.mute


def test_two_bakes_mute_a_driver_once() -> None:
    mesh = face_mesh("Face", "jawOpen")
    driven(mesh)
    for _ in range(2):
        bake_with(mesh, acting(9, jaw_drop=0.8), table(*JAW), driven="mute")
    assert extension.module("operators.drivers").count_muted(mesh.data.shape_keys) == 1


def test_driven_bones_are_muted_alike() -> None:
    rig = neck_and_head("XYZ")
    for index in range(3):
        rig.driver_add('pose.bones["head"].rotation_euler', index).driver.expression = "0.0"
    assert "'head' has a driver" in bake_head(rig).skipped[0]
    assert angle_deg(rig, "head", 2) == pytest.approx(9.0, abs=0.01), "the neck's part alone"
    bake_head(rig, driven="mute")
    assert angle_deg(rig, "head", 2) == pytest.approx(30.0, abs=0.01)


def test_drivers_of_a_library_override_stay(tmp_path: Path) -> None:
    """Blender would bring them back when the file is opened again."""
    rig = neck_and_head("XYZ")
    rig.driver_add('pose.bones["head"].rotation_euler', 0)
    path = str(tmp_path / "rig.blend")
    bpy.data.libraries.write(path, {rig})
    bpy.ops.wm.read_factory_settings(use_empty=True)
    with bpy.data.libraries.load(path, link=True) as (_, wanted):  # pyright: ignore[reportOptionalContextManager, reportGeneralTypeIssues]
        wanted.objects = ["Rig"]
    linked = bpy.data.objects["Rig"]
    bpy.context.collection.objects.link(linked)
    override: Any = linked.override_create(remap_local_usages=True)
    override.override_library.is_system_override = False
    report = bake_head(override, driven="mute")
    assert any("'head' has a driver" in line and "library" in line for line in report.skipped)
    assert not override.animation_data.drivers[0].mute
    assert {path.split('"')[1] for path, _ in curves_of(override)} == {"neck"}


def test_memory_of_drivers_that_is_none() -> None:
    keys: Any = face_mesh("Face", "jawOpen").data.shape_keys
    module = extension.module("operators.drivers")
    for broken in ("not JSON", "[1, 2]", '[["only a path"]]', 7):
        keys[module.MUTED] = broken
        assert module.count_muted(keys) == 0
    assert module.restore(keys) == 0


# Locks and constraints


def test_locked_rotation_is_refused() -> None:
    rig = neck_and_head("XYZ")
    rig.pose.bones["head"].lock_rotation = (True, True, True)
    report = bake_head(rig)
    assert report.skipped == ("Rig: the rotation of 'head' is locked: unlock it in the Item tab to key it",)
    assert {path.split('"')[1] for path, _ in curves_of(rig)} == {"neck"}
    rig = neck_and_head("QUATERNION")
    rig.pose.bones["head"].lock_rotation = (True, True, True)
    assert "is locked" in bake_head(rig).skipped[0]


def test_a_lock_that_nothing_breaks_is_kept() -> None:
    rig = skeleton(("jaw", "", (0, 0, 0), (0, -1, 0), 0.0))
    bone = rig.pose.bones["jaw"]
    bone.rotation_mode, bone.lock_rotation = "XYZ", (False, True, True)
    row = {"channel": "jaw_drop", "target": {"kind": "bone", "bone": "jaw", "path": "rotation", "axis": "x"}}
    report = bake_with(rig, acting(3, jaw_drop=0.5), table(row))
    assert report.skipped == ()
    assert set(curves_of(rig)) == {('pose.bones["jaw"].rotation_euler', 0)}
    assert angle_deg(rig, "jaw", 2) == pytest.approx(np.degrees(0.5), abs=1e-3)
    row["target"]["axis"] = "y"  # pyright: ignore[reportIndexIssue]
    with pytest.raises(errors("MappingError"), match="is locked"):
        bake_with(rig, acting(3, jaw_drop=0.5), table(row))


def test_locked_location_and_scale_are_refused() -> None:
    rig = skeleton(("jaw", "", (0, 0, 0), (0, -1, 0), 0.0))
    rig.pose.bones["jaw"].lock_location[0] = rig.pose.bones["jaw"].lock_scale[1] = True
    rows = [
        {"channel": "jaw_drop", "target": {"kind": "bone", "bone": "jaw", "path": path, "axis": axis}}
        for path, axis in (("location", "x"), ("location", "y"), ("scale", "y"))
    ]
    report = bake_with(rig, acting(3, jaw_drop=0.5), table(*rows))
    assert set(curves_of(rig)) == {('pose.bones["jaw"].location', 1)}
    assert "Rig: the location of 'jaw' is locked: unlock it in the Item tab" in report.skipped
    assert "Rig: the scale of 'jaw' is locked: unlock it in the Item tab" in report.skipped


@pytest.mark.parametrize("kind", ["COPY_ROTATION", "COPY_TRANSFORMS", "DAMPED_TRACK", "TRACK_TO", "IK"])
def test_a_head_that_something_else_holds_is_refused(kind: Any) -> None:  # noqa: ANN401
    rig = neck_and_head()
    target = bpy.data.objects.new("Target", None)
    bpy.context.collection.objects.link(target)
    constraint = rig.pose.bones["head"].constraints.new(kind)
    constraint.target = target
    bpy.context.view_layer.update()
    chain = kind == "IK"  # it holds the neck as well, and nothing is left
    with pytest.raises(errors("MappingError"), match="is held by") if chain else nullcontext():
        report = bake_head(rig)
        assert any("the rotation of 'head' is held by" in line for line in report.skipped)
    assert '"head"' not in "".join(path for path, _ in curves_of(rig))
    constraint.mute = True
    bpy.context.view_layer.update()
    assert bake_head(rig).skipped == ()
    assert angle_deg(rig, "head", 2) == pytest.approx(30.0, abs=0.01)


def test_a_held_neck_leaves_the_turn_to_the_head() -> None:
    rig = neck_and_head()
    target = bpy.data.objects.new("Target", None)
    bpy.context.collection.objects.link(target)
    rig.pose.bones["neck"].constraints.new("COPY_ROTATION").target = target
    report = bake_head(rig)
    assert any("so the head turns alone" in note for note in report.notes)
    assert {path.split('"')[1] for path, _ in curves_of(rig)} == {"head"}
    found = rig.pose.bones["head"]
    bpy.context.scene.frame_set(2)
    turn = found.parent.matrix.to_3x3().inverted() @ found.matrix.to_3x3()
    rest = found.parent.bone.matrix_local.to_3x3().inverted() @ found.bone.matrix_local.to_3x3()
    assert np.degrees((turn @ rest.inverted()).to_quaternion().angle) == pytest.approx(30.0, abs=0.05)


def test_constraints_that_add_or_limit_are_no_hindrance() -> None:
    rig = neck_and_head()
    rig.pose.bones["head"].constraints.new("LIMIT_ROTATION")
    report = bake_head(rig)
    assert report.skipped == ()
    assert "a constraint limits the rotation of 'head'" in report.notes
    assert angle_deg(rig, "head", 2) == pytest.approx(30.0, abs=0.01)


def test_the_control_is_found_and_not_the_bone_that_copies_it() -> None:
    rig = skeleton(
        ("DEF-head", "", (0, 0, 0.1), (0, 0, 0.3), 0.0),
        ("ORG-head", "", (0, 0, 0.1), (0, 0, 0.3), 0.0),
        ("head", "", (0, 0, 0.1), (0, 0, 0.3), 0.0),
    )
    for name, copied in (("DEF-head", "ORG-head"), ("ORG-head", "head")):
        constraint = rig.pose.bones[name].constraints.new("COPY_TRANSFORMS")
        constraint.target, constraint.subtarget = rig, copied
    assert extension.module("operators.scene").find_character(rig).head == "head"
    bake_head(rig)
    assert angle_deg(rig, "DEF-head", 2) == pytest.approx(30.0, abs=0.01)


# States


def test_edit_mode_is_refused() -> None:
    rig = neck_and_head()
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    try:
        with pytest.raises(errors("SettingsError"), match="'Rig' is in Edit Mode: leave it"):
            bake_head(rig)
    finally:
        bpy.ops.object.mode_set(mode="OBJECT")
    assert rig.animation_data is None


def test_pose_mode_is_fine() -> None:
    rig = neck_and_head()
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="POSE")
    bake_head(rig)
    bpy.ops.object.mode_set(mode="OBJECT")
    assert angle_deg(rig, "head", 2) == pytest.approx(30.0, abs=0.01)


def test_rest_position_is_told() -> None:
    rig = neck_and_head()
    rig.data.pose_position = "REST"
    report = bake_head(rig)
    assert any("is shown in its rest position" in note for note in report.notes)
    rig.data.pose_position = "POSE"
    assert angle_deg(rig, "head", 2) == pytest.approx(30.0, abs=0.01)
    assert not any("rest position" in note for note in bake_head(rig).notes)


@pytest.mark.parametrize("way", ["hide_viewport", "hide_set", "collection", "excluded"])
def test_hidden_characters_are_keyed_all_the_same(way: str, demo_head: "DemoHead") -> None:
    collection = bpy.data.collections.new("Away")
    bpy.context.scene.collection.children.link(collection)
    for each in (demo_head.armature, demo_head.head):
        collection.objects.link(each)
        for other in list(each.users_collection):
            if other != collection:
                other.objects.unlink(each)
    layer = bpy.context.view_layer.layer_collection.children["Away"]
    demo_head.armature.location.x = 5.0
    if way == "hide_viewport":
        demo_head.armature.hide_viewport = demo_head.head.hide_viewport = True
    elif way == "hide_set":
        demo_head.armature.hide_set(True)
    elif way == "collection":
        layer.hide_viewport = True
    else:
        layer.exclude = True
    played = turned(acting(5, jaw_drop=0.5), (30.0, 0.0, 0.0))
    played.head_position[3:] += [0.1, 0.0, 0.0]
    report = bake_with(demo_head.head, played, head=head_settings(position=True, moves="metres"))
    assert report.skipped == ()
    layer.exclude = layer.hide_viewport = demo_head.armature.hide_viewport = demo_head.head.hide_viewport = False
    demo_head.armature.hide_set(False)
    assert shown(demo_head.head, 3) == pytest.approx(0.5)
    assert angle_deg(demo_head.armature, "head", 3) == pytest.approx(30.0, abs=0.01)


def test_a_character_of_another_scene_is_refused(demo_head: "DemoHead", stored_take: Path) -> None:
    own = bpy.context.scene.aumocap
    own.character = demo_head.armature
    extension.module("operators.take_list").add(bpy.context.scene, stored_take, "light")
    for collection in list(demo_head.armature.users_collection):
        collection.objects.unlink(demo_head.armature)
    bpy.data.scenes.new("Elsewhere").collection.objects.link(demo_head.armature)
    with pytest.raises(RuntimeError, match="Choose a character"):
        bpy.ops.aumocap.bake()
    assert demo_head.armature.animation_data is None


# Shape keys


def test_muted_and_pinned_and_absolute_keys_are_told() -> None:
    mesh = face_mesh("Face", "jawOpen")
    keys = mesh.data.shape_keys
    keys.key_blocks["jawOpen"].mute = True
    mesh.show_only_shape_key = True
    keys.use_relative = False
    notes = "\n".join(bake_with(mesh, acting(3, jaw_drop=0.5), table(*JAW)).notes)
    for text in ("not to be seen: jawOpen", "shows only its active shape key", "are absolute"):
        assert text in notes
    assert keys.key_blocks["jawOpen"].mute, "left as the artist had it"
    assert mesh.show_only_shape_key
    assert not keys.use_relative


def test_locked_shapes_are_keyed_since_only_sculpting_is_locked() -> None:
    mesh = face_mesh("Face", "jawOpen")
    mesh.data.shape_keys.key_blocks["jawOpen"].lock_shape = True
    assert bake_with(mesh, acting(3, jaw_drop=0.5), table(*JAW)).skipped == ()
    assert evaluated(mesh, 2) == pytest.approx(0.5)
    assert mesh.data.shape_keys.key_blocks["jawOpen"].lock_shape


def test_sliders_beyond_one() -> None:
    mesh = face_mesh("Face", "jawOpen")
    key = mesh.data.shape_keys.key_blocks["jawOpen"]
    key.slider_min, key.slider_max = -1.0, 3.0
    bake_with(mesh, acting(3, jaw_drop=1.0), table(*JAW))
    assert evaluated(mesh, 2) == pytest.approx(1.0), "a wider slider alone changes nothing"
    bake_with(mesh, acting(3, jaw_drop=1.0), table(shape_row("jaw_drop", "jawOpen", gain=2.5, max=5.0)))
    assert evaluated(mesh, 2) == pytest.approx(2.5)
    bake_with(mesh, acting(3, jaw_drop=1.0), table(shape_row("jaw_drop", "jawOpen", gain=-2.0, min=-5.0)))
    assert evaluated(mesh, 2) == pytest.approx(-1.0)


def test_objects_that_share_a_mesh_are_keyed_once_and_strangers_told() -> None:
    rig = skeleton(("head", "", (0, 0, 0), (0, 0, 1), 0.0))
    mesh = face_mesh("Face", "jawOpen")
    twin = bpy.data.objects.new("Twin", mesh.data)
    stranger = bpy.data.objects.new("Stranger", mesh.data)
    for each in (twin, stranger):
        bpy.context.collection.objects.link(each)
    mesh.parent = twin.parent = rig
    report = bake_with(rig, acting(3, jaw_drop=0.5), table(*JAW))
    assert report.curves == len(key_curves(mesh)) == 1
    assert any("shares its mesh with Stranger" in note for note in report.notes)


# Where rigs stand


@pytest.mark.parametrize("scale", [(0.01, 0.01, 0.01), (-1.0, 1.0, 1.0), (2.0, 2.0, 2.0), (1.0, -1.0, 1.0)])
def test_scaled_and_mirrored_parents(scale: tuple) -> None:
    """Left and right are the character's own: in a mirror the head turns to the same of its shoulders."""
    rig = neck_and_head()
    parent = bpy.data.objects.new("Parent", None)
    bpy.context.collection.objects.link(parent)
    parent.scale, parent.rotation_euler = scale, (0.0, 0.0, 0.8)
    rig.parent = parent
    rig.rotation_euler = (0.3, 0.0, 0.0)
    bpy.context.view_layer.update()
    bake_head(rig, (90.0, 0.0, 0.0))
    bpy.context.scene.frame_set(2)
    bone = rig.pose.bones["head"]
    nose = (bone.matrix.to_3x3() @ bone.bone.matrix_local.to_3x3().inverted()) @ Vector((0, -1, 0))
    world = rig.matrix_world.to_3x3()
    shoulder = world @ Vector((-1, 0, 0))
    assert np.degrees((world @ nose).angle(shoulder)) < 0.1
    assert xyz(nose) == pytest.approx((-1, 0, 0), abs=1e-3)


# Eyes


def eyed(*more: tuple, eyes_parent: tuple[str, str] = ("head", "head")) -> bpy.types.Object:
    return skeleton(
        ("head", "", (0, 0, 0), (0, 0, 0.2), 0.3),
        ("sockets", "head", (0, 0, 0.1), (0, -0.1, 0.1), 1.0),
        ("eye.L", eyes_parent[0], (0.03, -0.08, 0.1), (0.03, -0.11, 0.1), 0.4),
        ("eye.R", eyes_parent[1], (-0.03, -0.08, 0.1), (-0.03, -0.11, 0.1), -1.0),
        *more,
    )


def aim(rig: bpy.types.Object, target: dict[str, str]) -> None:
    for eye, name in target.items():
        constraint = rig.pose.bones[eye].constraints.new("DAMPED_TRACK")
        constraint.target, constraint.subtarget, constraint.track_axis = rig, name, "TRACK_Y"
    bpy.context.view_layer.update()


def sight(rig: bpy.types.Object, eye: str) -> Vector:
    bpy.context.scene.frame_set(2)
    seen = rig.evaluated_get(bpy.context.evaluated_depsgraph_get()).pose.bones[eye]
    return (seen.tail - seen.head).normalized()


def right_up(right_deg: float, up_deg: float) -> Vector:
    right, up = np.radians(right_deg), np.radians(up_deg)
    return Vector((-np.sin(right) * np.cos(up), -np.cos(right) * np.cos(up), np.sin(up)))


def gaze(rig: bpy.types.Object, settings: dict[str, str] | None = None, **more: Any) -> Any:  # noqa: ANN401
    """Both eyes 17.5 degrees to the right and 12.5 up."""
    eyes = extension.module("operators.bake_settings").EyeSettings(**(settings or {}))
    played = acting(3, look_in_L=0.5, look_out_R=0.5, look_up_L=0.5, look_up_R=0.5)
    if "head" in more:
        played = turned(played, (20.0, 0.0, 0.0))
    return bake_with(rig, played, table(), face=False, eyes=eyes, **more)


def degrees_between(one: Vector, other: Vector) -> float:
    return float(np.degrees(one.angle(other)))


def test_eyes_of_different_parents() -> None:
    rig = eyed(eyes_parent=("head", "sockets"))
    gaze(rig)
    for eye in ("eye.L", "eye.R"):
        assert degrees_between(sight(rig, eye), right_up(17.5, 12.5)) < 0.1


def test_one_target_for_both_eyes() -> None:
    rig = eyed(("eyes", "head", (0, -5.0, 0.1), (0, -5.1, 0.1), 0.8))
    aim(rig, {"eye.L": "eyes", "eye.R": "eyes"})
    assert gaze(rig).skipped == ()
    assert {path.split('"')[1] for path, _ in curves_of(rig)} == {"eyes"}
    middle = sight(rig, "eye.L") + sight(rig, "eye.R")
    assert degrees_between(middle, right_up(17.5, 12.5)) < 0.1
    assert degrees_between(sight(rig, "eye.L"), right_up(17.5, 12.5)) < 0.5


def test_a_target_for_each_eye_that_goes_by_the_eyes_name() -> None:
    """Controls are often called like the eye; the bones that turn are helpers."""
    rig = skeleton(
        ("head", "", (0, 0, 0), (0, 0, 0.2), 0.3),
        ("turns.L", "head", (0.03, -0.08, 0.1), (0.03, -0.11, 0.1), 0.4),
        ("turns.R", "head", (-0.03, -0.08, 0.1), (-0.03, -0.11, 0.1), 0.4),
        ("eyes", "head", (0, -1.0, 0.1), (0, -1.1, 0.1), 0.8),
        ("eye.L", "eyes", (0.03, -1.0, 0.1), (0.03, -1.1, 0.1), 0.8),
        ("eye.R", "eyes", (-0.03, -1.0, 0.1), (-0.03, -1.1, 0.1), -0.2),
    )
    aim(rig, {"turns.L": "eye.L", "turns.R": "eye.R"})
    gaze(rig, head=head_settings())
    for eye in ("turns.L", "turns.R"):
        assert degrees_between(sight(rig, eye), right_up(37.5, 12.5)) < 0.1, "20 degrees of it by the head"


def test_a_chosen_target() -> None:
    rig = eyed(("lamp", "head", (0, -5.0, 0.1), (0, -5.1, 0.1), 0.8))
    rig.data.bones["lamp"].use_local_location = False
    aim(rig, {"eye.L": "lamp", "eye.R": "lamp"})
    gaze(rig, {"target": "lamp"})
    assert degrees_between(sight(rig, "eye.L") + sight(rig, "eye.R"), right_up(17.5, 12.5)) < 0.1
    with pytest.raises(errors("SettingsError"), match="no bone 'moon'"):
        gaze(rig, {"target": "moon"})


def test_a_target_that_stays_behind_is_refused() -> None:
    rig = eyed(("eyes", "", (0, -5.0, 0.1), (0, -5.1, 0.1), 0.8))
    aim(rig, {"eye.L": "eyes", "eye.R": "eyes"})
    report = gaze(rig, head=head_settings())
    assert any("the eyes' target 'eyes' does not go where the head goes" in line for line in report.skipped)
    assert '"eyes"' not in "".join(path for path, _ in curves_of(rig))
    assert gaze(rig).skipped == (), "without the head it does no harm"


def test_a_target_tied_to_the_head_by_a_constraint_goes_with_it() -> None:
    rig = eyed(("follow", "", (0, 0, 0), (0, 0, 0.2), 0.3), ("eyes", "follow", (0, -5.0, 0.1), (0, -5.1, 0.1), 0.8))
    constraint = rig.pose.bones["follow"].constraints.new("COPY_TRANSFORMS")
    constraint.target, constraint.subtarget = rig, "head"
    aim(rig, {"eye.L": "eyes", "eye.R": "eyes"})
    assert gaze(rig, head=head_settings()).skipped == ()
    middle = sight(rig, "eye.L") + sight(rig, "eye.R")
    assert degrees_between(middle, right_up(37.5, 12.5)) < 0.1


def test_a_target_that_cannot_move_is_refused() -> None:
    rig = eyed(("eyes", "head", (0, -5.0, 0.1), (0, -5.1, 0.1), 0.8))
    aim(rig, {"eye.L": "eyes", "eye.R": "eyes"})
    rig.pose.bones["eyes"].lock_location = (True, True, True)
    with pytest.raises(errors("MappingError"), match="target 'eyes' cannot be moved"):
        gaze(rig)


def test_eyes_held_by_something_else_are_refused() -> None:
    rig = eyed()
    target = bpy.data.objects.new("Target", None)
    bpy.context.collection.objects.link(target)
    rig.pose.bones["eye.L"].constraints.new("TRACK_TO").target = target
    report = gaze(rig)
    assert any("the rotation of 'eye.L' is held by the constraint 'Track To'" in line for line in report.skipped)
    assert {path.split('"')[1] for path, _ in curves_of(rig)} == {"eye.R"}
