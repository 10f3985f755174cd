"""A performance on a body that is animated already: on top of it or in its place, and nothing of it is lost."""

from typing import Any

import bpy
import numpy as np
import pytest
from mathutils import Euler, Matrix, Quaternion, Vector

from training import extension

from .playing import (
    Played,
    acting,
    bake_with,
    curves_of,
    errors,
    head_settings,
    points,
    skeleton,
    table,
    turned,
    xyz,
)

MODES = ("QUATERNION", "XYZ", "ZYX", "AXIS_ANGLE")
DESTINATIONS = ("active", "new", "nla")
START, COUNT = 10, 21
HAS_SLOTS = "slots" in bpy.types.Action.bl_rna.properties


def rig_of(mode: str = "QUATERNION") -> bpy.types.Object:
    rig = skeleton(
        ("hips", "", (0, 0, 0.9), (0, 0, 1.2), 0.0),
        ("neck", "hips", (0, 0.01, 1.4), (0, 0, 1.5), 0.4),
        ("head", "neck", (0, 0, 1.5), (0, 0.05, 1.7), -0.7),
    )
    for bone in rig.pose.bones:
        bone.rotation_mode = mode
    return rig


def body_turn(frame: int) -> Quaternion:
    """What the artist animated the head by."""
    return Euler((0.01 * frame, -0.02 * frame, 0.3)).to_quaternion()


def animate(rig: bpy.types.Object, name: str = "head", first: int = 1, last: int = 40) -> Any:  # noqa: ANN401
    """Keys by hand on every frame of a bone, in its own mode."""
    bone = rig.pose.bones[name]
    for frame in range(first, last + 1):
        turn = body_turn(frame)
        if bone.rotation_mode == "QUATERNION":
            bone.rotation_quaternion = turn
            bone.keyframe_insert("rotation_quaternion", frame=frame)
        elif bone.rotation_mode == "AXIS_ANGLE":
            axis, angle = turn.to_axis_angle()
            bone.rotation_axis_angle = (angle, *axis)
            bone.keyframe_insert("rotation_axis_angle", frame=frame)
        else:
            bone.rotation_euler = turn.to_euler(bone.rotation_mode)
            bone.keyframe_insert("rotation_euler", frame=frame)
    action = rig.animation_data.action
    action.name = "body"
    return action


def played() -> Played:
    yaw = np.linspace(-30.0, 30.0, COUNT)
    return turned(acting(COUNT, 24.0), np.stack([yaw, 0.5 * yaw, 0.0 * yaw], axis=1))


def perform(rig: bpy.types.Object, **settings: Any) -> Any:  # noqa: ANN401
    """Bake the head from frame 10 to 30, the neck left out unless told otherwise."""
    head = {"neck_share": 0.0} | settings.pop("head", {})
    start = settings.pop("start_frame", START)
    return bake_with(
        rig, played(), table(), face=False, gaze=False, head=head_settings(**head), start_frame=start, **settings
    )


def basis(rig: bpy.types.Object, frame: int, name: str = "head") -> Matrix:
    bpy.context.scene.frame_set(frame)
    seen = rig.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return seen.pose.bones[name].matrix_basis.to_3x3()


def performance_alone() -> dict[int, Matrix]:
    """The local turns of the head at some frames where nothing else is animated."""
    rig = rig_of()
    perform(rig)
    found = {frame: basis(rig, frame) for frame in (10, 17, 24, 30)}
    bpy.data.objects.remove(rig)
    return found


def error_deg(one: Matrix, other: Matrix) -> float:
    return float(np.degrees(np.linalg.norm(np.array(one) - np.array(other)) / np.sqrt(2.0)))


def assert_on_top(rig: bpy.types.Object, alone: dict[int, Matrix]) -> None:
    for frame, performed in alone.items():
        assert error_deg(basis(rig, frame), body_turn(frame).to_matrix() @ performed) < 0.05, frame


def assert_body(rig: bpy.types.Object, *frames: int) -> None:
    for frame in frames:
        assert error_deg(basis(rig, frame), body_turn(frame).to_matrix()) < 0.05, frame


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("destination", DESTINATIONS)
def test_on_top_of_an_action(mode: str, destination: str) -> None:
    alone = performance_alone()
    rig = rig_of(mode)
    body = animate(rig)
    before = {key: points(curve).tolist() for key, curve in curves_of(rig).items()}
    report = perform(rig, destination=destination)
    assert_on_top(rig, alone)
    assert_body(rig, 1, 5, 8, 33, 40)
    kept = bpy.data.actions["body before AU Mocap"] if destination == "active" else body
    assert saved(kept, rig) == before
    assert any("'head' is animated already" in note for note in report.notes)
    is_told = any("are kept as they were in 'body before AU Mocap'" in note for note in report.notes)
    assert is_told == (destination == "active")
    # Once more: the body counts once, and the copy stays the artist's.
    perform(rig, destination=destination)
    assert_on_top(rig, alone)
    assert_body(rig, 1, 5, 8, 33, 40)
    assert saved(kept, rig) == before


def saved(action: bpy.types.Action, rig: bpy.types.Object) -> dict[tuple[str, int], list]:
    """Keys of the artist's curves in an Action."""
    bag: Any = action
    if HAS_SLOTS:
        bag = action.layers[0].strips[0].channelbag(action.slots[f"OB{rig.name}"])
    return {(curve.data_path, curve.array_index): points(curve).tolist() for curve in bag.fcurves}


@pytest.mark.parametrize("destination", DESTINATIONS)
def test_in_place_of_it(destination: str) -> None:
    alone = performance_alone()
    rig = rig_of()
    animate(rig)
    perform(rig, destination=destination, head={"over_body": "replace"})
    for frame, performed in alone.items():
        assert error_deg(basis(rig, frame), performed) < 0.05
    assert_body(rig, 1, 5, 8, 33, 40)


def test_switching_over_and_back_loses_nothing() -> None:
    alone = performance_alone()
    rig = rig_of("XYZ")
    animate(rig)
    for over_body in ("replace", "add"):
        perform(rig, head={"over_body": over_body})
    assert_on_top(rig, alone)
    # A shorter take, moved: where the first one was, the body is back.
    perform(rig, start_frame=40)
    assert_body(rig, 1, 10, 20, 30, 38)


def test_artists_later_changes_elsewhere_survive() -> None:
    rig = rig_of()
    animate(rig)
    animate(rig, "hips")
    perform(rig)
    rig.pose.bones["hips"].rotation_quaternion = (0, 1, 0, 0)
    rig.pose.bones["hips"].keyframe_insert("rotation_quaternion", frame=5)
    perform(rig)
    assert xyz(basis(rig, 5, "hips").to_quaternion().axis) == pytest.approx((1, 0, 0), abs=1e-4)


@pytest.mark.parametrize("destination", ["new", "nla"])
def test_the_rest_of_the_body_plays_on(destination: str) -> None:
    rig = rig_of()
    body = animate(rig, "hips")
    report = perform(rig, destination=destination)
    for frame in (1, 15, 30, 40):
        assert error_deg(basis(rig, frame, "hips"), body_turn(frame).to_matrix()) < 0.05
    alone = performance_alone()
    for frame, performed in alone.items():
        assert error_deg(basis(rig, frame), performed) < 0.05, "the head turns with the body below it, not twice"
    assert any("plays its Action 'body' on" in note for note in report.notes)
    assert rig.animation_data.nla_tracks[0].strips[0].action == body


def test_on_top_of_strips() -> None:
    alone = performance_alone()
    for destination in DESTINATIONS:
        rig = rig_of()
        body = animate(rig)
        track = rig.animation_data.nla_tracks.new()
        strip = track.strips.new("body", 1, body)
        if HAS_SLOTS:
            strip.action_slot = body.slots[0]
        rig.animation_data.action = None
        perform(rig, destination=destination)
        assert_on_top(rig, alone)


def test_on_top_of_a_moved_and_stretched_strip() -> None:
    rig = rig_of()
    body = animate(rig)
    strip = rig.animation_data.nla_tracks.new().strips.new("body", 1, body)
    if HAS_SLOTS:
        strip.action_slot = body.slots[0]
    rig.animation_data.action = None
    strip.scale = 0.5
    strip.frame_start_raw, strip.frame_end_raw = 7.0, 26.5
    seen = {frame: basis(rig, frame) for frame in (10, 17, 24, 30)}
    alone = performance_alone()
    perform(rig, destination="nla")
    for frame, performed in alone.items():
        assert error_deg(basis(rig, frame), seen[frame] @ performed) < 0.05


def test_strips_mixed_beyond_reading_are_refused() -> None:
    rig = rig_of()
    body = animate(rig)
    strip = rig.animation_data.nla_tracks.new().strips.new("body", 1, body)
    if HAS_SLOTS:
        strip.action_slot = body.slots[0]
    rig.animation_data.action = None
    strip.use_animated_influence, strip.influence = True, 0.5
    with pytest.raises(errors("SettingsError"), match="choose Head over Body: Replace"):
        perform(rig, destination="nla")
    assert len(bpy.data.actions) == 1
    assert perform(rig, destination="nla", head={"over_body": "replace"}).curves == 8


def test_muted_curves_and_strips_are_no_body() -> None:
    alone = performance_alone()
    rig = rig_of()
    animate(rig)
    for curve in curves_of(rig).values():
        curve.mute = True
    perform(rig, destination="new")
    for frame, performed in alone.items():
        assert error_deg(basis(rig, frame), performed) < 0.05


def test_punch_in_on_top() -> None:
    alone = performance_alone()
    rig = rig_of()
    animate(rig)
    perform(rig)
    perform(rig, frame_range=(15, 20))
    assert_on_top(rig, alone)
    assert_body(rig, 1, 5, 8, 33, 40)


def test_head_moves_on_top_of_moves() -> None:
    rig = rig_of()
    bone = rig.pose.bones["neck"]
    for frame, height in ((1, 0.0), (41, 0.4)):
        bone.location = (0.0, height, 0.0)
        bone.keyframe_insert("location", frame=frame)
    for curve in curves_of(rig).values():
        for key in curve.keyframe_points:
            key.interpolation = "LINEAR"
    moving = played()
    moving.head_position[:] += np.linspace(0.0, 1.0, COUNT)[:, None] * [0.1, 0.0, 0.0]
    how = head_settings(rotation=False, position=True, moves="metres")
    bake_with(rig, moving, table(), face=False, gaze=False, head=how, start_frame=START)
    for frame in (10, 20, 30):
        bpy.context.scene.frame_set(frame)
        axes = rig.data.bones["neck"].matrix_local.to_3x3()
        sideways = axes.inverted() @ Vector((0.1 * (frame - 10) / 20, 0.0, 0.0))
        assert xyz(bone.location) == pytest.approx((sideways.x, sideways.y + 0.01 * (frame - 1), sideways.z), abs=1e-3)


def test_an_action_that_two_characters_share_moves_one() -> None:
    first, second = rig_of(), rig_of()
    body = animate(first)
    data = second.animation_data_create()
    data.action = body
    if HAS_SLOTS:
        data.action_slot = body.slots[0]
    report = perform(first)
    assert_body(second, 1, 10, 20, 30)
    assert data.action == body
    assert first.animation_data.action != body
    assert any("'body' animates others, too" in note for note in report.notes)
    assert_on_top(first, performance_alone())
    assert not any("animates others" in note for note in perform(first).notes)


def test_a_duplicate_with_the_same_strip_is_left_alone() -> None:
    first = rig_of()
    perform(first, destination="nla")
    second = first.copy()
    bpy.context.collection.objects.link(second)
    before = basis(second, 20)
    yaw = turned(acting(COUNT, 24.0), (50.0, 0.0, 0.0))
    report = bake_with(
        first, yaw, table(), face=False, gaze=False, head=head_settings(), start_frame=START, destination="nla"
    )
    assert any("animates others" in note for note in report.notes)
    assert error_deg(basis(second, 20), before) < 1e-3
    assert error_deg(basis(first, 20), before) > 10.0


def test_broken_memory_is_no_obstacle() -> None:
    rig = rig_of()
    body = animate(rig)
    module = extension.module("operators.body")
    body[module.OVER], body[module.BEFORE] = "not JSON", "no Action"
    perform(rig)
    assert_on_top(rig, performance_alone())
