"""Recordings of other programs become takes in the list that bake; curves become files of other programs."""

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import bpy
import numpy as np
import pytest
from mathutils import Vector

from training import extension

from .conftest import Properties
from .playing import curves_of, key_curve, points

if TYPE_CHECKING:
    from operators.demo_head import DemoHead

HZ = 60
COUNT = 3 * HZ
YAW_DEG = 25.0


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Three seconds of Live Link Face: the left corner of the mouth rises, the jaw swings, the head turns right."""
    columns = extension.module("au_mocap.exchange.live_link_face").COLUMNS
    path = tmp_path / "MySlate_1_iPhone.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, restval=0)
        writer.writeheader()
        for at in range(COUNT):
            row = {"Timecode": f"10:00:{at // HZ:02}:{at % HZ:02}.000", "BlendShapeCount": 61}
            row |= {"MouthSmileLeft": smile()[at], "JawOpen": jaw()[at], "BrowInnerUp": 0.3, "EyeLookOutLeft": 0.5}
            writer.writerow({**row, "HeadYaw": np.radians(YAW_DEG) * at / (COUNT - 1)})
    return path


def smile() -> np.ndarray:
    return np.linspace(0.0, 0.9, COUNT)


def jaw() -> np.ndarray:
    return 0.4 + 0.3 * np.sin(np.linspace(0.0, 9.0, COUNT))


def takes_on_disk(tmp_path: Path) -> list[str]:
    return sorted(each.name for each in (tmp_path / "takes").glob("*")) if (tmp_path / "takes").exists() else []


@pytest.fixture
def own() -> Properties:
    return bpy.context.scene.aumocap


def test_a_recording_becomes_a_take_in_the_list(own: Properties, recording: Path, tmp_path: Path) -> None:
    assert bpy.ops.aumocap.import_take(filepath=str(recording)) == {"FINISHED"}
    item = own.takes[0]
    assert (item.name, item.neutral, item.smoothing) == ("MySlate_1_iPhone", "none", "off")
    assert item.detail == f"{COUNT} frames, face in 100 %, imported"
    assert Path(item.filepath) == tmp_path / "takes" / "MySlate_1_iPhone.take.npz"
    assert bpy.ops.aumocap.import_take(filepath=str(recording)) == {"FINISHED"}
    assert takes_on_disk(tmp_path) == ["MySlate_1_iPhone 2.take.npz", "MySlate_1_iPhone.take.npz"]
    assert own.active_take == 1


def test_it_bakes_to_the_values_that_were_recorded(own: Properties, demo_head: "DemoHead", recording: Path) -> None:
    bpy.context.scene.render.fps = HZ
    own.character = demo_head.armature
    own.bake.start_frame = 1.0
    own.bake.use_rotation = True
    bpy.ops.aumocap.import_take(filepath=str(recording))
    assert bpy.ops.aumocap.bake() == {"FINISHED"}
    keys = demo_head.head.data.shape_keys.key_blocks
    np.testing.assert_allclose(points(key_curve(demo_head.head, "mouthSmileLeft"))[:, 1], smile(), atol=1e-5)
    for at in (0, 61, 140, COUNT - 1):
        bpy.context.scene.frame_set(1 + at)
        shown = demo_head.head.evaluated_get(bpy.context.evaluated_depsgraph_get()).data.shape_keys.key_blocks
        assert shown["mouthSmileLeft"].value == pytest.approx(smile()[at], abs=1e-5)
        assert shown["mouthSmileRight"].value == pytest.approx(0.0, abs=1e-6)
        assert shown["jawOpen"].value == pytest.approx(jaw()[at], abs=1e-5)
        assert keys["tongueOut"].value == pytest.approx(0.0, abs=1e-6)
        rig = demo_head.armature
        bone = rig.pose.bones[extension.module("operators.scene").find_character(rig).head]
        turn = bone.matrix.to_3x3().normalized() @ bone.bone.matrix_local.to_3x3().normalized().inverted()
        ahead = turn @ Vector((0, -1, 0))
        # The character's right is -X.
        assert np.degrees(np.arctan2(-ahead.x, -ahead.y)) == pytest.approx(YAW_DEG * at / (COUNT - 1), abs=0.01)


def test_settings_act_on_it_as_on_any_take(own: Properties, demo_head: "DemoHead", recording: Path) -> None:
    own.character = demo_head.armature
    bpy.ops.aumocap.import_take(filepath=str(recording))
    bpy.ops.aumocap.bake()
    item = own.takes[0]
    item.neutral_first, item.neutral_last = 0, 0
    item.neutral = "frames"
    rest = jaw()[0]
    told = points(key_curve(demo_head.head, "jawOpen"))[:, 1]
    np.testing.assert_allclose(told, np.clip((jaw() - rest) / (1 - rest), 0, 1), atol=1e-4)
    item.mirror = True
    assert points(key_curve(demo_head.head, "mouthSmileRight"))[-1, 1] == pytest.approx(0.9, abs=1e-4)


def test_a_recording_without_a_head_leaves_the_head_alone(
    own: Properties, demo_head: "DemoHead", tmp_path: Path
) -> None:
    path = tmp_path / "shapes.csv"
    path.write_text("time_s,jawOpen,mouthFunnel,mouthPucker\n0,0.1,0,0\n0.1,0.6,0,0\n0.2,0.2,0,0\n")
    own.character = demo_head.armature
    own.bake.use_rotation = own.bake.use_position = True
    bpy.ops.aumocap.import_take(filepath=str(path))
    assert bpy.ops.aumocap.bake() == {"FINISHED"}
    np.testing.assert_allclose(points(key_curve(demo_head.head, "jawOpen"))[:, 1], [0.1, 0.6, 0.2], atol=1e-6)
    owner = demo_head.armature
    assert owner.animation_data is None or curves_of(owner) == {}


def test_reloading_has_nothing_to_complain_of(own: Properties, recording: Path) -> None:
    bpy.ops.aumocap.import_take(filepath=str(recording))
    recording.unlink()
    assert bpy.ops.aumocap.find_takes() == {"FINISHED"}
    assert len(own.takes) == 1
    assert own.takes[0].video == ""


@pytest.mark.parametrize(
    ("content", "told"),
    [("", "empty"), ("nothing\nknown\n", "none of the formats"), ("Timecode,jawOpen\n", "no rows|none of the formats")],
)
def test_what_cannot_be_read_leaves_nothing(own: Properties, tmp_path: Path, content: str, told: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(content)
    with pytest.raises(RuntimeError, match=told):
        bpy.ops.aumocap.import_take(filepath=str(path))
    assert len(own.takes) == 0
    assert takes_on_disk(tmp_path) == []


def test_a_chosen_format_and_rate_are_used(own: Properties, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("jawOpen-20|\n" * 11)
    with pytest.raises(RuntimeError, match="line 1"):
        bpy.ops.aumocap.import_take(filepath=str(path), form="face-cap")
    bpy.ops.aumocap.import_take(filepath=str(path), form="ifacialmocap", rate_hz=10.0)
    take = extension.module("au_mocap.take").load(Path(own.takes[0].filepath))
    assert take.time_s[-1] == pytest.approx(1.0)


def test_export_needs_a_take(own: Properties, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="poll"):
        bpy.ops.aumocap.export_curves(filepath=str(tmp_path / "a.csv"))


def test_exports_what_is_baked(own: Properties, stored_take: Path, tmp_path: Path) -> None:
    """The take's settings are in the file, in every format."""
    exchange, channels = extension.module("au_mocap.exchange"), extension.module("au_mocap.channels")
    bpy.ops.aumocap.open_take(filepath=str(stored_take))
    own.takes[0].channels["jaw_drop"].gain = 0.5
    wanted = extension.module("operators.performing").curves_of(own.takes[0])
    jaw_drop = wanted.values[:, channels.INDEX["jaw_drop"]]
    for form in exchange.FORMATS:
        path = tmp_path / f"{form.name}{form.suffix}"
        assert bpy.ops.aumocap.export_curves(filepath=str(path), form=form.name) == {"FINISHED"}
        assert exchange.detect(path).name == form.name
        back = exchange.read(path).take
        told = channels.complete(back.values, back.channels)[:, channels.INDEX["jaw_drop"]]
        if form.name == "ifacialmocap":
            assert len(told) == pytest.approx(60, abs=3)
            np.testing.assert_allclose([told[0], told.max()], [jaw_drop[0], jaw_drop.max()], atol=5e-3)
        else:
            np.testing.assert_allclose(told, jaw_drop, atol=5e-5, err_msg=form.name)


def test_an_ending_is_added_and_a_bad_place_is_told(own: Properties, recording: Path, tmp_path: Path) -> None:
    bpy.ops.aumocap.import_take(filepath=str(recording))
    bpy.ops.aumocap.export_curves(filepath=str(tmp_path / "plain"), form="json")
    assert (tmp_path / "plain.json").is_file()
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(RuntimeError, match="folder"):
        bpy.ops.aumocap.export_curves(filepath=str(tmp_path / "folder.json"), form="json")
    with pytest.raises(RuntimeError, match="choose another place"):
        bpy.ops.aumocap.export_curves(filepath=str(tmp_path / "plain.json" / "a.json"), form="json")


def test_the_menu_knows_every_format() -> None:
    exchange, operators = extension.module("au_mocap.exchange"), extension.module("operators.exchange_files")
    assert {(name, suffix) for name, _, _, suffix in operators.FORMATS} == {
        (form.name, form.suffix) for form in exchange.FORMATS
    }


def test_gaze_turns_as_far_as_eye_bones_do() -> None:
    gaze, eyes = extension.module("au_mocap.exchange.gaze"), extension.module("operators.eye_tracks")
    for name in ("SIDEWAYS_RAD", "UP_RAD", "DOWN_RAD"):
        assert getattr(gaze, name) == pytest.approx(getattr(eyes, name))
