"""Settings act at once: on keys that were baked, on the preview, and never on anything else."""

from pathlib import Path
from typing import TYPE_CHECKING

import bpy
import numpy as np
import pytest

from training import extension

from .conftest import Properties
from .playing import key_curve, key_curves, points

if TYPE_CHECKING:
    from operators.demo_head import DemoHead


@pytest.fixture
def own(stored_take: Path, demo_head: "DemoHead") -> Properties:
    """A scene with a take and the demo head as its character."""
    own = bpy.context.scene.aumocap
    extension.module("operators.take_list").add(bpy.context.scene, stored_take)
    own.character = demo_head.armature
    return own


def smile(demo_head: "DemoHead") -> np.ndarray:
    return points(key_curve(demo_head.head, "mouthSmileLeft"))[:, 1]


def expected(own: Properties, channel: str) -> np.ndarray:
    curves = extension.module("operators.performing").curves_of(own.takes[0])
    return curves.values[:, extension.module("au_mocap.channels").INDEX[channel]]


def test_a_character_gets_the_preset_that_fits(own: Properties) -> None:
    assert own.character.aumocap.table_name == "ARKit 52"
    assert len(own.character.aumocap.rows) == 54  # browInnerUp and cheekPuff serve two sides each


def test_bakes_what_the_engine_says(own: Properties, demo_head: "DemoHead") -> None:
    bpy.context.scene.render.fps = 30
    own.bake.start_frame = 5.0
    assert bpy.ops.aumocap.bake() == {"FINISHED"}
    keys = points(key_curve(demo_head.head, "mouthSmileLeft"))
    np.testing.assert_allclose(keys[:, 1], expected(own, "lip_corner_pull_L"), atol=1e-6)
    np.testing.assert_allclose(keys[:, 0], 5.0 + np.arange(30), atol=1e-3)
    assert demo_head.armature.animation_data.action.name.startswith("first second")


@pytest.mark.parametrize(
    ("name", "value"),
    [("smoothing", "strong"), ("neutral", "mean"), ("mirror", True), ("gain", 0.5), ("offset", 0.25)],
)
def test_every_setting_reaches_the_keys_at_once(
    own: Properties, demo_head: "DemoHead", name: str, value: object
) -> None:
    bpy.ops.aumocap.bake()
    before = smile(demo_head)
    target = own.takes[0].channels["lip_corner_pull_L"] if name in ("gain", "offset") else own.takes[0]
    setattr(target, name, value)
    after = smile(demo_head)
    assert np.abs(after - before).max() > 1e-3
    np.testing.assert_allclose(after, expected(own, "lip_corner_pull_L"), atol=1e-6)
    assert extension.module("operators.refresh").problem() == ""
    assert len(bpy.data.actions) == 1


def test_the_table_reaches_the_keys_at_once(own: Properties, demo_head: "DemoHead") -> None:
    bpy.ops.aumocap.bake()
    before = smile(demo_head)
    row = next(row for row in own.character.aumocap.rows if row.target == "mouthSmileLeft")
    row.gain = 0.5
    np.testing.assert_allclose(smile(demo_head), 0.5 * before, atol=1e-6)


def test_no_live_update_no_change(own: Properties, demo_head: "DemoHead") -> None:
    bpy.ops.aumocap.bake()
    before = smile(demo_head)
    own.bake.live_update = False
    own.takes[0].smoothing = "strong"
    np.testing.assert_array_equal(smile(demo_head), before)


def test_a_setting_that_cannot_be_is_told_and_harms_nothing(own: Properties, demo_head: "DemoHead") -> None:
    refresh = extension.module("operators.refresh")
    bpy.ops.aumocap.bake()
    before = smile(demo_head)
    own.takes[0].neutral_first, own.takes[0].neutral_last = 500, 510
    own.takes[0].neutral = "frames"
    assert "lies outside the take" in refresh.problem()
    np.testing.assert_array_equal(smile(demo_head), before)
    own.takes[0].neutral = "auto"
    assert refresh.problem() == ""


def test_is_one_undo_step(own: Properties, demo_head: "DemoHead") -> None:
    name = demo_head.head.name
    bpy.context.preferences.edit.use_global_undo = True
    bpy.ops.ed.undo_push(message="before the bake")
    bpy.ops.aumocap.bake("EXEC_DEFAULT", True)
    assert key_curves(bpy.data.objects[name])
    bpy.ops.ed.undo()
    assert bpy.data.objects[name].data.shape_keys.animation_data is None
    assert len(bpy.data.actions) == 0
    bpy.ops.ed.redo()
    assert len(key_curves(bpy.data.objects[name])) == 52


def test_preview_follows_the_timeline_and_puts_all_back(own: Properties, demo_head: "DemoHead") -> None:
    scene = bpy.context.scene
    scene.render.fps = 30
    keys = demo_head.head.data.shape_keys.key_blocks
    bone = demo_head.armature.pose.bones["head"]
    bone.rotation_mode = "XYZ"
    keys["jawOpen"].value = 0.125
    before = [key.value for key in keys], bone.rotation_mode, bone.rotation_euler.copy()
    handlers = len(bpy.app.handlers.frame_change_post)
    assert bpy.ops.aumocap.preview() == {"FINISHED"}
    smiles = expected(own, "lip_corner_pull_L")
    for frame in (1, 12, 25):
        scene.frame_set(frame)
        assert keys["mouthSmileLeft"].value == pytest.approx(smiles[frame - 1], abs=1e-5)
    assert bone.rotation_mode == "XYZ"
    assert bone.rotation_euler != before[2]
    own.takes[0].channels["lip_corner_pull_L"].gain = 0.5
    assert keys["mouthSmileLeft"].value == pytest.approx(0.5 * smiles[24], abs=1e-4)
    assert bpy.ops.aumocap.preview() == {"FINISHED"}
    assert ([key.value for key in keys], bone.rotation_mode, bone.rotation_euler.copy()) == before
    assert len(bpy.app.handlers.frame_change_post) == handlers
    assert demo_head.head.data.shape_keys.animation_data is None


def test_no_file_holds_a_preview(own: Properties, demo_head: "DemoHead", tmp_path: Path) -> None:
    keys = demo_head.head.data.shape_keys.key_blocks
    bpy.ops.aumocap.preview()
    bpy.context.scene.frame_set(20)
    posed = keys["mouthSmileLeft"].value
    assert posed > 0.0
    path = tmp_path / "saved.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    assert keys["mouthSmileLeft"].value == pytest.approx(posed)
    bpy.ops.wm.open_mainfile(filepath=str(path))
    assert not extension.module("operators.preview").is_on(bpy.context.scene)
    assert all(key.value == 0.0 for key in bpy.data.objects["Demo Head Face"].data.shape_keys.key_blocks)


def test_a_preview_whose_character_is_deleted_ends_quietly(own: Properties, demo_head: "DemoHead") -> None:
    bpy.ops.aumocap.preview()
    for each in (demo_head.head, demo_head.hair, demo_head.armature):
        bpy.data.objects.remove(each)
    bpy.context.scene.frame_set(9)
    bpy.ops.aumocap.preview()
    assert not extension.module("operators.preview").is_on(bpy.context.scene)


def test_a_row_is_tried_with_its_slider(own: Properties, demo_head: "DemoHead", tmp_path: Path) -> None:
    keys = demo_head.head.data.shape_keys.key_blocks
    keys["jawOpen"].value = 0.25
    rows = own.character.aumocap.rows
    row = next(row for row in rows if row.target == "jawOpen")
    row.gain = 0.5
    row.test = 1.0
    assert keys["jawOpen"].value == pytest.approx(0.5)
    other = next(row for row in rows if row.target == "mouthSmileLeft")
    other.test = 0.5
    assert keys["jawOpen"].value == pytest.approx(0.25)
    assert keys["mouthSmileLeft"].value == pytest.approx(0.5)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "saved.blend"))
    assert keys["mouthSmileLeft"].value == 0.0
    assert other.test == 0.0


def test_punch_in_leaves_the_rest_and_is_not_overwritten(own: Properties, demo_head: "DemoHead") -> None:
    bpy.context.scene.render.fps = 30
    bpy.ops.aumocap.bake()
    before = smile(demo_head)
    own.bake.live_update = False
    own.takes[0].channels["lip_corner_pull_L"].gain = 0.5
    own.bake.live_update = True
    assert bpy.ops.aumocap.bake_range(first=10, last=15) == {"FINISHED"}
    after = smile(demo_head)
    np.testing.assert_array_equal(after[:9], before[:9])
    np.testing.assert_array_equal(after[15:], before[15:])
    np.testing.assert_allclose(after[9:15], 0.5 * before[9:15], atol=1e-6)
    own.takes[0].smoothing = "strong"
    np.testing.assert_array_equal(smile(demo_head), after)


def test_the_neutral_is_taken_from_the_timeline(own: Properties) -> None:
    scene = bpy.context.scene
    scene.render.fps, own.bake.start_frame = 30, 101.0
    scene.frame_set(108)
    assert bpy.ops.aumocap.neutral_from_timeline(source="current") == {"FINISHED"}
    item = own.takes[0]
    assert (item.neutral, item.neutral_first, item.neutral_last) == ("frames", 7, 7)
    scene.use_preview_range, scene.frame_preview_start, scene.frame_preview_end = True, 103, 105
    bpy.ops.aumocap.neutral_from_timeline(source="range")
    assert (item.neutral_first, item.neutral_last) == (2, 4)
    scene.frame_set(500)
    with pytest.raises(RuntimeError, match="shows no face there"):
        bpy.ops.aumocap.neutral_from_timeline(source="current")


def test_ranges_are_reset(own: Properties) -> None:
    channels = own.takes[0].channels
    channels[0].gain, channels[1].offset = 1.5, 0.5
    own.takes[0].active_channel = 0
    bpy.ops.aumocap.reset_channels()
    assert (channels[0].gain, channels[1].offset) == (1.0, 0.5)
    bpy.ops.aumocap.reset_channels(everything=True)
    assert channels[1].offset == 0.0


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda own: own.takes.clear(), "analyse it first"),
        (lambda own: setattr(own, "character", None), "Choose a character first"),
        (lambda own: own.character.aumocap.rows.clear(), "table is empty"),
        (lambda own: setattr(own.takes[0], "filepath", "/nowhere/no.take.npz"), "There is no take"),
        (lambda own: [setattr(row, "target", "nothing") for row in own.character.aumocap.rows], "exists on this"),
    ],
)
def test_errors_say_what_to_do_and_change_nothing(
    own: Properties,
    demo_head: "DemoHead",
    spoil: Properties,
    message: str,
) -> None:
    spoil(own)
    with pytest.raises(RuntimeError, match=message):
        bpy.ops.aumocap.bake()
    assert demo_head.head.data.shape_keys.animation_data is None
    assert len(bpy.data.actions) == 0


def test_a_damaged_take_is_refused(own: Properties, stored_take: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.take.npz"
    damaged.write_bytes(stored_take.read_bytes()[:5000])
    own.takes[0].filepath = str(damaged)
    with pytest.raises(RuntimeError, match="damaged"):
        bpy.ops.aumocap.bake()
    with pytest.raises(RuntimeError, match="damaged"):
        bpy.ops.aumocap.open_take(filepath=str(damaged))
    assert len(own.takes) == 1


def test_a_file_of_a_newer_version_is_told_and_kept(own: Properties, stored_take: Path, tmp_path: Path) -> None:
    newer = extension.module("operators.scene_properties").newer
    assert own.is_property_set("format"), "so that an earlier version can tell"
    assert newer(own) == ""
    own.format = 99
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "newer.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "newer.blend"))
    opened: Properties = bpy.context.scene.aumocap
    assert "newer AU Mocap: update it" in newer(opened)
    bpy.ops.aumocap.open_take(filepath=str(stored_take))
    assert opened.format == 99, "never lowered: what is unknown here may still be in the file"
    assert bpy.ops.aumocap.bake() == {"FINISHED"}


def test_choosing_an_earlier_take_leaves_the_keys_of_a_later_one(
    own: Properties, demo_head: "DemoHead", stored_take: Path
) -> None:
    bpy.ops.aumocap.bake()
    extension.module("operators.take_list").add(bpy.context.scene, stored_take)
    own.takes[1].smoothing = "strong"
    bpy.ops.aumocap.bake()
    later = smile(demo_head)
    own.active_take = 0
    own.takes[0].smoothing = "off"
    np.testing.assert_array_equal(smile(demo_head), later)
    own.active_take = 1
    own.takes[1].channels["lip_corner_pull_L"].gain = 0.5
    np.testing.assert_allclose(smile(demo_head), 0.5 * later, atol=1e-6)
