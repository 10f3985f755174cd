"""Edits by hand: fixes, and the take's channels as F-curves, on the character and in what is baked."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy
import numpy as np
import pytest

from training import extension

from .conftest import Properties
from .playing import curves_of, key_curve, points, shown

if TYPE_CHECKING:
    from operators.demo_head import DemoHead

JAW, SMILE = "jaw_drop", "lip_corner_pull_L"


@pytest.fixture
def own(stored_take: Path, demo_head: "DemoHead") -> Properties:
    """A scene with a take and the demo head as its character; scene frames are the video's."""
    bpy.context.scene.render.fps = 30
    own = bpy.context.scene.aumocap
    extension.module("operators.take_list").add(bpy.context.scene, stored_take)
    own.character = demo_head.armature
    return own


def values(own: Properties, channel: str = JAW) -> np.ndarray:
    curves = extension.module("operators.performing").curves_of(own.takes[own.active_take])
    return curves.values[:, extension.module("au_mocap.channels").INDEX[channel]]


def fix(frame: int, value: float, channel: str = JAW, blend: int = 0) -> set[str]:
    scene, how = bpy.context.scene, bpy.context.scene.aumocap_fixing
    scene.frame_set(frame)
    how.channel, how.blend_in, how.blend_out = channel, blend, blend
    how.value = value
    return bpy.ops.aumocap.add_fix()


def curve_of(own: Properties, channel: str = JAW) -> bpy.types.FCurve:
    return curves_of(own.takes[own.active_take].edits.curves)[f'["{channel}"]', 0]


def set_key(curve: bpy.types.FCurve, frame: int, value: float) -> None:
    key = next(key for key in curve.keyframe_points if abs(key.co.x - frame) < 0.5)
    key.co.y = value
    curve.update()


def baked(demo_head: "DemoHead", key: str = "jawOpen") -> np.ndarray:
    return points(key_curve(demo_head.head, key))[:, 1]


def test_the_slider_poses_the_character_and_the_fix_reaches_the_keys(own: Properties, demo_head: "DemoHead") -> None:
    bpy.ops.aumocap.bake()
    before, scene = values(own), bpy.context.scene
    scene.frame_set(11)
    jaw = demo_head.head.data.shape_keys.key_blocks["jawOpen"]
    shown_before = jaw.value
    scene.aumocap_fixing.channel = JAW
    assert scene.aumocap_fixing.value == pytest.approx(before[10], abs=1e-6)
    scene.aumocap_fixing.value = 0.9
    assert jaw.value == pytest.approx(0.9, abs=1e-6)
    assert scene.aumocap_fixing.value == pytest.approx(0.9)
    np.testing.assert_array_equal(values(own), before, "nothing is stored before the button is pressed")
    assert bpy.ops.aumocap.leave_fix() == {"FINISHED"}
    assert jaw.value == pytest.approx(shown_before)
    scene.aumocap_fixing.blend_in = scene.aumocap_fixing.blend_out = 4
    scene.aumocap_fixing.value = 0.8
    assert bpy.ops.aumocap.add_fix() == {"FINISHED"}
    after = values(own)
    assert after[10] == np.float32(0.8)
    assert 0.0 < after[8] - before[8] < after[10] - before[10]
    np.testing.assert_allclose(np.delete(after, range(7, 14)), np.delete(before, range(7, 14)), atol=1e-9)
    np.testing.assert_allclose(baked(demo_head), after, atol=1e-6)
    assert bpy.ops.aumocap.add_fix() == {"FINISHED"}
    assert len(own.takes[0].edits.fixes) == 1, "a second word about one frame changes the first"


def test_moving_on_and_saving_put_the_character_back(own: Properties, demo_head: "DemoHead", tmp_path: Path) -> None:
    scene, jaw = bpy.context.scene, demo_head.head.data.shape_keys.key_blocks["jawOpen"]
    scene.frame_set(5)
    scene.aumocap_fixing.value = 0.9
    assert jaw.value == pytest.approx(0.9, abs=1e-6)
    scene.frame_set(6)
    assert jaw.value == 0.0
    scene.aumocap_fixing.value = 0.9
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "posed.blend"), copy=True)
    assert jaw.value == 0.0
    assert scene.aumocap_fixing.value == pytest.approx(values(own)[5], abs=1e-6)
    scene.aumocap_fixing.value = 0.9
    bpy.ops.aumocap.preview()
    assert jaw.value == pytest.approx(values(own)[5], abs=1e-6)
    scene.aumocap_fixing.value = 0.9
    bpy.ops.aumocap.preview()
    assert jaw.value == 0.0, "neither the preview nor what was tried over it is left"


def test_fixes_outlive_other_settings_and_show_in_the_preview(own: Properties, demo_head: "DemoHead") -> None:
    fix(11, 0.7, SMILE)
    item = own.takes[0]
    for name, value in (("neutral", "none"), ("smoothing", "strong"), ("mirror", True)):
        setattr(item, name, value)
        assert values(own, SMILE)[10] == np.float32(0.7)
    bpy.ops.aumocap.preview()
    assert shown(demo_head.head, 11, "mouthSmileLeft") == pytest.approx(0.7, abs=1e-6)
    bpy.ops.aumocap.remove_fix(index=0)
    assert shown(demo_head.head, 11, "mouthSmileLeft") != pytest.approx(0.7, abs=1e-3)
    bpy.ops.aumocap.preview()


def test_fixes_in_the_list(own: Properties) -> None:
    fix(5, 0.5)
    fix(9, 0.6, SMILE)
    item, scene = own.takes[0], bpy.context.scene
    assert [(each.name, round(each.time_s * 30)) for each in item.edits.fixes] == [(JAW, 4), (SMILE, 8)]
    item.edits.fixes[0].value = 0.25
    assert values(own)[4] == np.float32(0.25)
    assert bpy.ops.aumocap.go_to_fix(index=0) == {"FINISHED"}
    assert (scene.frame_current, scene.aumocap_fixing.channel) == (5, JAW)
    rows = extension.module("operators.edit_store").labelled_frames(scene)
    assert list(rows) == [item.filepath]
    assert [(channel, value) for _, channel, value in rows[item.filepath]] == [
        (JAW, 0.25),
        (SMILE, pytest.approx(0.6)),
    ]
    bpy.ops.aumocap.remove_fix(index=1)
    assert [each.name for each in item.edits.fixes] == [JAW]
    bpy.ops.aumocap.remove_fix(everything=True)
    assert not item.edits.fixes


def test_a_fix_beyond_the_take_or_without_a_character_is_refused(own: Properties) -> None:
    bpy.context.scene.frame_set(100)
    with pytest.raises(RuntimeError, match="covers the frames 1 to 30: move the playhead"):
        bpy.ops.aumocap.add_fix()
    own.character = None
    bpy.context.scene.aumocap_fixing.value = 0.4
    assert "Choose a character" in extension.module("operators.refresh").problem()


@pytest.mark.parametrize("keys", ["EVERY", "REDUCED"])
def test_channels_become_coloured_curves_in_groups(own: Properties, keys: str) -> None:
    own.bake.keys = keys
    before = values(own)
    assert bpy.ops.aumocap.show_curves() == {"FINISHED"}
    made = own.takes[0].edits.curves
    assert (made.name, made.type) == ("Take first second", "EMPTY")
    assert bpy.context.view_layer.objects.active == made
    ids = extension.module("au_mocap.channels").IDS
    assert set(made.keys()) == set(ids)
    looks = made.id_properties_ui(JAW).as_dict()
    assert (looks["min"], looks["max"], looks["description"][:8]) == (0.0, 1.0, "Jaw drop")
    curves = curves_of(made)
    assert {path for path, _ in curves} == {f'["{each}"]' for each in ids}
    assert curve_of(own).group.name == "Jaw"
    colours = [str(curve_of(own, each).color) for each in (SMILE, "eye_close_L", "lip_corner_pull_R", JAW)]
    assert colours[0] == colours[1]
    assert len(set(colours)) == 3
    if keys == "EVERY":
        np.testing.assert_allclose(points(curve_of(own)), np.stack([np.arange(1, 31), before], axis=1), atol=1e-5)
    assert extension.module("operators.take_curves").drawn(own.takes[0]) == ()
    np.testing.assert_array_equal(values(own), before)


@pytest.mark.parametrize("keys", ["EVERY", "REDUCED"])
def test_what_is_drawn_is_baked_and_stays_when_settings_change(
    own: Properties, demo_head: "DemoHead", keys: str
) -> None:
    bpy.ops.aumocap.bake()
    own.bake.keys = keys
    before = values(own, SMILE)
    bpy.ops.aumocap.show_curves()
    curve = curve_of(own, SMILE)
    for frame in (10, 11, 12):
        curve.keyframe_points.insert(frame, 0.9).interpolation = "LINEAR"
    curve.update()
    drawn = values(own, SMILE)
    np.testing.assert_allclose(drawn[9:12], 0.9, atol=1e-3)
    np.testing.assert_allclose(drawn[20:], before[20:], atol=1e-6)
    bpy.ops.aumocap.bake()
    own.bake.keys = "EVERY"
    bpy.ops.aumocap.bake()
    np.testing.assert_allclose(baked(demo_head, "mouthSmileLeft"), drawn, atol=1e-5)
    own.bake.keys = keys
    own.takes[0].channels[SMILE].offset = 0.125
    after = values(own, SMILE)
    np.testing.assert_allclose(after[9:12], 0.9, atol=1e-3)
    # With few keys, what was drawn may reach as far as the next key does, within the tolerance of all keys.
    error = own.bake.tolerance if keys == "REDUCED" else 1e-5
    np.testing.assert_allclose(after[20:] - before[20:], 0.125, atol=error)
    np.testing.assert_allclose(curve.evaluate(26), after[25], atol=1e-2)
    assert extension.module("operators.refresh").problem() == ""


def test_modifiers_muting_and_other_actions_count(own: Properties) -> None:
    before = values(own)
    bpy.ops.aumocap.show_curves()
    curve = curve_of(own)
    modifier: Any = curve.modifiers.new("GENERATOR")
    modifier.use_additive = True
    modifier.coefficients = (0.2, 0.0)
    np.testing.assert_allclose(values(own), np.clip(before + 0.2, 0.0, 1.0), atol=1e-5)
    own.takes[0].channels[JAW].offset = 0.1
    np.testing.assert_allclose(values(own), np.clip(before + 0.3, 0.0, 1.0), atol=1e-3)
    own.takes[0].channels[JAW].offset = 0.0
    curve.mute = True
    np.testing.assert_allclose(values(own), before, atol=1e-6)
    curve.mute = False
    bpy.context.scene.aumocap_fixing.channel = JAW
    bpy.ops.aumocap.reset_edits(extent="channel")
    assert not curve_of(own).modifiers
    np.testing.assert_allclose(values(own), before, atol=1e-6)
    made = own.takes[0].edits.curves
    other = made.animation_data.action.copy()
    made.animation_data.action = other
    if hasattr(other, "slots"):
        made.animation_data.action_slot = other.slots[0]
    set_key(curve_of(own), 20, 1.0)
    assert values(own)[19] == pytest.approx(1.0)


def test_reset_brings_a_range_or_all_back(own: Properties) -> None:
    before, scene = values(own), bpy.context.scene
    bpy.ops.aumocap.show_curves()
    for frame in (5, 15, 25):
        set_key(curve_of(own), frame, 0.95)
        fix(frame, 0.5, SMILE)
    with pytest.raises(RuntimeError, match="preview range"):
        bpy.ops.aumocap.reset_edits(extent="range")
    next(key for key in curve_of(own).keyframe_points if key.co.x > 24.5).select_control_point = True
    scene.aumocap_fixing.channel = JAW
    bpy.ops.aumocap.reset_edits(extent="channel_range")
    np.testing.assert_allclose(values(own)[[4, 14, 24]], [0.95, 0.95, before[24]], atol=1e-5)
    assert len(own.takes[0].edits.fixes) == 3
    scene.use_preview_range, scene.frame_preview_start, scene.frame_preview_end = True, 10, 20
    bpy.ops.aumocap.reset_edits(extent="range")
    np.testing.assert_allclose(values(own)[[4, 14, 24]], [0.95, before[14], before[24]], atol=1e-5)
    assert [round(each.time_s * 30) for each in own.takes[0].edits.fixes] == [4, 24]
    scene.frame_preview_start, scene.frame_preview_end = 100, 120
    with pytest.raises(RuntimeError, match="holds no frame of the take"):
        bpy.ops.aumocap.reset_edits(extent="range")
    own.takes[0].edits.drawn = "damaged"
    with pytest.raises(RuntimeError, match="Remove all edits"):
        bpy.ops.aumocap.bake()
    bpy.ops.aumocap.reset_edits(extent="all")
    np.testing.assert_allclose(values(own), before, atol=1e-5)
    assert not own.takes[0].edits.fixes


def test_undo_brings_edits_back(own: Properties) -> None:
    bpy.ops.ed.undo_push(message="before")
    fix(11, 0.7)
    bpy.ops.ed.undo_push(message="fixed")
    bpy.ops.aumocap.show_curves()
    set_key(curve_of(own), 20, 0.9)
    bpy.ops.ed.undo_push(message="drawn")
    own = bpy.context.scene.aumocap
    assert values(own)[[10, 19]] == pytest.approx([0.7, 0.9])
    bpy.ops.ed.undo()
    own = bpy.context.scene.aumocap
    assert values(own)[10] == pytest.approx(0.7)
    assert values(own)[19] != pytest.approx(0.9)
    bpy.ops.ed.undo()
    assert not bpy.context.scene.aumocap.takes[0].edits.fixes
    bpy.ops.ed.redo()
    bpy.ops.ed.redo()
    assert values(bpy.context.scene.aumocap)[[10, 19]] == pytest.approx([0.7, 0.9])


def test_edits_are_saved_and_outlive_a_new_name(own: Properties, tmp_path: Path) -> None:
    fix(11, 0.7)
    bpy.ops.aumocap.show_curves()
    own.takes[0].name = "renamed"
    own.takes[0].edits.curves.name = "Mine"
    set_key(curve_of(own), 20, 0.9)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "edited.blend"))
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "edited.blend"))
    own = bpy.context.scene.aumocap
    assert values(own)[[10, 19]] == pytest.approx([0.7, 0.9])
    own.takes[0].channels[JAW].offset = 0.05
    assert values(own)[[10, 19]] == pytest.approx([0.7, 0.9])
    assert bpy.data.objects["Mine"] == own.takes[0].edits.curves


def test_deleting_the_object_drops_what_was_drawn_and_no_more(own: Properties) -> None:
    before = values(own)
    fix(11, 0.7)
    bpy.ops.aumocap.show_curves()
    set_key(curve_of(own), 20, 0.9)
    bpy.ops.object.delete()
    assert values(own)[10] == pytest.approx(0.7)
    np.testing.assert_allclose(np.delete(values(own), 10), np.delete(before, 10), atol=1e-6)
    bpy.ops.aumocap.show_curves()
    assert len([each for each in bpy.data.objects if each.name.startswith("Take")]) == 1
    np.testing.assert_allclose(points(curve_of(own))[:, 1], before, atol=1e-6)


def test_curves_follow_the_timeline_of_the_bake(own: Properties) -> None:
    before = values(own)
    bpy.ops.aumocap.show_curves()
    set_key(curve_of(own), 20, 0.9)
    own.bake.start_frame = 51.0
    assert values(own)[19] == pytest.approx(0.9), "where the curves lie is remembered"
    bpy.ops.aumocap.show_curves()
    assert points(curve_of(own))[[0, 19], 0] == pytest.approx([51.0, 70.0])
    np.testing.assert_allclose(np.delete(values(own), 19), np.delete(before, 19), atol=1e-5)
    assert values(own)[19] == pytest.approx(0.9)


def test_another_analysis_of_the_clip_takes_the_edits_over(own: Properties, stored_take: Path) -> None:
    fix(11, 0.7)
    bpy.ops.aumocap.show_curves()
    set_key(curve_of(own), 20, 0.9)
    extension.module("operators.take_list").add(bpy.context.scene, stored_take)
    other = own.takes[1]
    other.smoothing = "strong"
    plain = values(own)
    assert plain[10] != pytest.approx(0.7)
    assert bpy.ops.aumocap.copy_edits(source=own.takes[0].name) == {"FINISHED"}
    assert values(own)[[10, 19]] == pytest.approx([0.7, 0.9])
    np.testing.assert_allclose(np.delete(values(own), (10, 19)), np.delete(plain, (10, 19)), atol=1e-6)
    with pytest.raises(RuntimeError, match="no other take"):
        bpy.ops.aumocap.copy_edits(source=other.name)
    bpy.ops.aumocap.show_curves()
    assert curve_of(own).evaluate(20) == pytest.approx(0.9)
    bpy.ops.aumocap.duplicate_take()
    assert values(own)[[10, 19]] == pytest.approx([0.7, 0.9])
    Path(own.takes[own.active_take].filepath).unlink()
