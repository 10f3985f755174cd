"""Labelling in Blender: sliders, the character, undo, the disk, several coders, and what can go wrong."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy
import numpy as np
import pytest

from training import extension

from .conftest import CLIP, Properties
from .playing import face_mesh

if TYPE_CHECKING:
    from operators.demo_head import DemoHead


SHAPES = ("jawOpen", "mouthSmileLeft", "mouthSmileRight", "tongueOut", "eyeBlinkLeft", "eyeBlinkRight", "jawLeft")


@pytest.fixture
def own(stored_take: Path, tmp_path: Path) -> Iterator[Properties]:
    """A scene with a take, a face of a few shape keys, and labels by Anna that are open and empty."""
    scene = bpy.context.scene
    extension.module("operators.take_list").add(scene, stored_take)
    scene.aumocap.character = face_mesh("Face", *SHAPES)
    own = scene.aumocap_annotation
    own.folder, own.coder, own.begin = str(tmp_path / "labels"), "Anna", "NOTHING"
    (tmp_path / "labels").mkdir()
    assert bpy.ops.aumocap.annotate() == {"FINISHED"}
    yield own
    extension.module("operators.annotate").stop()


def session() -> Any:  # noqa: ANN401
    return extension.module("operators.annotate").needed(bpy.context.scene)


def slide(own: Properties, channel: str, value: float) -> None:
    own.sliders[channel].value = value


def keys() -> Any:  # noqa: ANN401
    return bpy.data.objects["Face"].data.shape_keys.key_blocks


def stored(own: Properties) -> Any:  # noqa: ANN401
    """What another program would read now."""
    return extension.module("au_mocap.annotation").load(Path(own.folder)).coders


def column(channel: str) -> int:
    return extension.module("au_mocap.channels").INDEX[channel]


def told(*arguments: object, call: Any, part: str, **options: object) -> None:  # noqa: ANN401
    """Checks that a button reports an error that holds a part."""
    with pytest.raises(RuntimeError, match=part):
        call(*arguments, **options)


def test_begins_beside_the_video_or_in_a_folder_of_choice(own: Properties, tmp_path: Path) -> None:
    folder = Path(own.folder)
    assert folder == tmp_path / "labels" / "rendered_performance.annotation"
    found = extension.module("au_mocap.annotation").load(folder)
    assert (found.clip.name, found.clip.frames, found.clip.rate_hz) == (CLIP.name, 150, 30.0)
    assert found.take.regressor
    assert [item.name for item in own.sliders] == list(found.channels)
    assert list(found.coders) == ["Anna"]


def test_a_slider_poses_the_character_and_is_on_the_disk_at_once(own: Properties) -> None:
    scene = bpy.context.scene
    scene.frame_set(11)
    slide(own, "jaw_drop", 0.4567)
    slide(own, "lip_corner_pull_L", 0.5)
    assert own.sliders["jaw_drop"].value == pytest.approx(0.46)
    assert keys()["jawOpen"].value == pytest.approx(0.46, abs=1e-5)
    assert keys()["mouthSmileLeft"].value == pytest.approx(0.5, abs=1e-5)
    labels = stored(own)["Anna"]
    assert labels.frames.tolist() == [10]
    assert labels.values[0, [column("jaw_drop"), column("lip_corner_pull_L")]] == pytest.approx([0.46, 0.5])
    assert np.isnan(labels.values[0]).sum() == 56
    scene.frame_set(12)
    assert own.sliders["jaw_drop"].value == pytest.approx(0.46), "shown, but no label"
    assert extension.module("operators.annotate").label(scene, "jaw_drop") is None


def test_between_labels_the_character_blends_and_at_the_end_all_is_put_back(own: Properties, tmp_path: Path) -> None:
    scene = bpy.context.scene
    keys()["jawOpen"].value = 0.0
    for frame, value in ((1, 0.0), (11, 0.8)):
        scene.frame_set(frame)
        slide(own, "jaw_drop", value)
    times = session().editing.time_s
    scene.frame_set(6)
    wanted = 0.8 * (times[5] - times[0]) / (times[10] - times[0])
    assert keys()["jawOpen"].value == pytest.approx(wanted, abs=1e-4)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"), copy=True)
    loading: Any = bpy.data.libraries.load(str(tmp_path / "a.blend"))
    with loading as (source, target):
        target.meshes = [name for name in source.meshes if name.startswith("Face")]
    assert [mesh.shape_keys.key_blocks["jawOpen"].value for mesh in target.meshes] == [0.0]
    assert keys()["jawOpen"].value == pytest.approx(wanted, abs=1e-4)
    own.use_pose = False
    assert keys()["jawOpen"].value == 0.0
    own.use_pose = True
    assert bpy.ops.aumocap.annotate_close() == {"FINISHED"}
    assert keys()["jawOpen"].value == 0.0
    assert not bpy.data.objects["Face"].data.shape_keys.aumocap_posed


def test_undo_and_redo_reach_labels_disk_and_character(own: Properties) -> None:
    bpy.context.preferences.edit.use_global_undo = True
    bpy.context.scene.frame_set(4)
    bpy.ops.ed.undo_push(message="begun")
    for value in (0.3, 0.6):
        slide(own, "jaw_drop", value)
        bpy.ops.ed.undo_push(message="slider")
    bpy.ops.aumocap.annotate_edit("EXEC_DEFAULT", True, kind="CLEAR")
    assert len(stored(own)["Anna"]) == 0
    for wanted in (0.6, 0.3):
        bpy.ops.ed.undo()
        fresh = bpy.context.scene.aumocap_annotation
        assert fresh.sliders["jaw_drop"].value == pytest.approx(wanted)
        assert stored(fresh)["Anna"].values[0, column("jaw_drop")] == pytest.approx(wanted)
        assert keys()["jawOpen"].value == pytest.approx(wanted, abs=1e-5)
    bpy.ops.ed.redo()
    fresh = bpy.context.scene.aumocap_annotation
    assert fresh.sliders["jaw_drop"].value == pytest.approx(0.6)
    slide(fresh, "jaw_drop", 0.9)
    assert stored(fresh)["Anna"].values[0, column("jaw_drop")] == pytest.approx(0.9)


def test_nothing_is_lost_when_blender_ends(own: Properties) -> None:
    """Another file is opened without a word: what the journal holds is the label of the next session."""
    folder = own.folder
    slide(own, "jaw_drop", 0.7)
    journal = Path(folder) / "coders" / "Anna.journal"
    assert journal.is_file()
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    assert not journal.exists()
    assert extension.module("operators.annotate").current(bpy.context.scene) is None
    labels = extension.module("au_mocap.annotation").load(Path(folder)).coders["Anna"]
    assert labels.values[0, column("jaw_drop")] == pytest.approx(0.7)


def test_buttons_step_copy_mirror_and_interpolate(own: Properties) -> None:
    scene, edit, step = bpy.context.scene, bpy.ops.aumocap.annotate_edit, bpy.ops.aumocap.annotate_step
    scene.aumocap.bake.start_frame = 101.0
    scene.frame_set(101)
    slide(own, "lip_corner_pull_L", 0.2)
    own.stride = 4
    step(kind="FRAME")
    assert scene.frame_current == 105
    edit(kind="COPY")
    edit(kind="MIRROR")
    assert own.sliders["lip_corner_pull_R"].value == pytest.approx(0.2)
    slide(own, "lip_corner_pull_L", 0.6)
    scene.frame_set(103)
    edit(kind="AROUND")
    labels = stored(own)["Anna"]
    assert labels.frames.tolist() == [0, 1, 2, 3, 4]
    assert labels.key.tolist() == [True, False, False, False, True]
    assert labels.values[2, column("lip_corner_pull_L")] == pytest.approx(0.4)
    step(kind="LABELLED", backwards=True)
    assert scene.frame_current == 102
    step(kind="KEY")
    assert scene.frame_current == 105
    assert step(kind="KEY") == {"CANCELLED"}
    bpy.ops.aumocap.annotate_unset(channel="lip_corner_pull_L")
    assert extension.module("operators.annotate").label(scene, "lip_corner_pull_L") is None
    own.use_both = True
    slide(own, "brow_lower_R", 0.35)
    assert own.sliders["brow_lower_L"].value == pytest.approx(0.35)


def test_the_regressors_values_are_where_a_coder_begins(own: Properties) -> None:
    scene = bpy.context.scene
    curves = extension.module("operators.performing").curves_of(scene.aumocap.takes[0])
    measured = extension.module("au_mocap.annotation").rounded(curves.values)
    scene.frame_set(5)
    slide(own, "jaw_drop", 0.99)
    bpy.ops.aumocap.annotate_edit(kind="RANGE")
    labels = stored(own)["Anna"]
    assert len(labels) == 30
    assert labels.key.tolist() == [frame == 4 for frame in range(30)]
    np.testing.assert_allclose(labels.values[[3, 7]], measured[[3, 7]], atol=1e-6)
    bpy.ops.aumocap.annotate_edit(kind="FRAME")
    np.testing.assert_allclose(stored(own)["Anna"].values[4], measured[4], atol=1e-6)
    bpy.ops.aumocap.annotate_edit(kind="CLEAR")
    own.begin = "REGRESSOR"
    slide(own, "chin_raise", 0.5)
    row = stored(own)["Anna"].values[4]
    assert row[column("chin_raise")] == pytest.approx(0.5)
    assert row[column("eye_close_L")] == pytest.approx(measured[4, column("eye_close_L")])
    scene.frame_set(100)
    own.begin = "SHOWN"
    slide(own, "jaw_drop", 0.25)
    np.testing.assert_allclose(
        np.delete(stored(own)["Anna"].values[-1], column("jaw_drop")),
        np.delete(measured[29], column("jaw_drop")),
        atol=1e-6,
    )


def test_two_coders_are_compared_and_agree(own: Properties) -> None:
    scene = bpy.context.scene
    for frame in (1, 2, 3):
        scene.frame_set(frame)
        slide(own, "jaw_drop", 0.2 * frame)
    own.coder = "Bo"
    assert bpy.ops.aumocap.annotate() == {"FINISHED"}
    for frame, value in ((1, 0.3), (2, 1.0), (3, 0.7)):
        scene.frame_set(frame)
        slide(own, "jaw_drop", value)
    assert bpy.ops.aumocap.annotate_agreed() == {"FINISHED"}
    found = session().agreement
    assert found.coders == ("Anna", "Bo")
    assert {each.frame for each in found.outliers} == {1}
    assert bpy.ops.aumocap.annotate_outlier() == {"FINISHED"}
    assert scene.frame_current == 2
    (clip,) = extension.module("au_mocap.datasets").load("annotated", Path(own.folder))
    assert clip.labels.frames.tolist() == [0, 2]
    assert clip.labels.values[:, 0] == pytest.approx([0.25, 0.65])


def test_preview_and_labels_do_not_pose_at_once(own: Properties) -> None:
    slide(own, "tongue_out", 0.5)
    assert keys()["tongueOut"].value == pytest.approx(0.5, abs=1e-5)
    assert bpy.ops.aumocap.preview() == {"FINISHED"}
    assert not own.use_pose
    slide(own, "tongue_out", 0.9)
    preview = extension.module("operators.preview")
    assert preview.is_on(bpy.context.scene)
    own.use_pose = True
    assert not preview.is_on(bpy.context.scene)
    assert keys()["tongueOut"].value == pytest.approx(0.9, abs=1e-5)


def test_what_is_missing_is_told(own: Properties, tmp_path: Path) -> None:
    scene, annotate = bpy.context.scene, bpy.ops.aumocap.annotate
    told(call=bpy.ops.aumocap.annotate_edit, kind="COPY", part="nothing to copy")
    told(call=bpy.ops.aumocap.annotate_edit, kind="ALL", part="two frames by hand")
    scene.frame_set(151)
    slide(own, "jaw_drop", 0.5)
    assert "last frame is 149" in session().problem
    scene.frame_set(60)
    told(call=bpy.ops.aumocap.annotate_edit, kind="FRAME", part="nothing new for these frames")
    bpy.ops.aumocap.annotate_close()
    assert not bpy.ops.aumocap.annotate_edit.poll()
    own.coder = ""
    told(call=annotate, part="coder's name")
    own.coder = "=1+1"
    told(call=annotate, part="cannot be a coder's name")
    own.coder = "ANNA"
    told(call=annotate, part="share a file")
    own.coder = "Anna"
    scene.aumocap.takes.clear()
    other = tmp_path / "other.mp4"
    shutil.copyfile(CLIP, other)
    other.write_bytes(other.read_bytes() + b"x")
    scene.aumocap.capture.filepath = str(other)
    told(call=annotate, part="choose another folder")
    (Path(own.folder) / "coders" / "Anna.csv").write_text("frame\n", encoding="utf-8")
    scene.aumocap.capture.filepath = ""
    told(call=annotate, part="Anna.csv, line 1")
    own.folder = ""
    told(call=annotate, part="Choose the video to label")


@pytest.mark.parametrize("button", ["bake", "export_character"])
def test_labels_give_way_to_keys(own: Properties, tmp_path: Path, button: str) -> None:
    """What is baked or exported is the take, though labels pose the character at every frame."""
    scene = bpy.context.scene
    bpy.ops.aumocap.bake()
    scene.frame_set(2)
    played = keys()["jawOpen"].value
    own.use_pose = True
    slide(own, "jaw_drop", 1.0)
    assert keys()["jawOpen"].value == pytest.approx(1.0) != pytest.approx(played)
    if button == "bake":
        bpy.ops.aumocap.bake()
        scene.frame_set(3)
        scene.frame_set(2)
    else:
        bpy.ops.aumocap.export_character(filepath=str(tmp_path / "face.glb"))
    assert not own.use_pose
    assert keys()["jawOpen"].value == pytest.approx(played)


def test_a_video_without_a_take_or_a_character_is_labelled(tmp_path: Path) -> None:
    scene = bpy.context.scene
    video = Path(shutil.copyfile(CLIP, tmp_path / "anna talks.mp4"))
    scene.aumocap.capture.filepath = str(video)
    own = scene.aumocap_annotation
    own.folder, own.coder = "", "Anna"
    assert bpy.ops.aumocap.annotate() == {"FINISHED"}
    slide(own, "jaw_drop", 0.5)
    assert Path(own.folder) == tmp_path / "anna talks.annotation"
    assert stored(own)["Anna"].frames.tolist() == [0]
    told(call=bpy.ops.aumocap.annotate_edit, kind="FRAME", part="no take yet")
    bpy.ops.aumocap.annotate_close()


def test_a_slider_takes_less_than_thirty_milliseconds(own: Properties, demo_head: "DemoHead") -> None:
    """With 150 frames labelled: label, journal and pose together, by the processor's time, the best of twenty."""
    bpy.context.scene.aumocap.character = demo_head.armature
    editing = session().editing
    session().change(editing.fill(range(150), np.full((150, 58), 0.25)))
    taken = []
    for number in range(20):
        began = time.process_time()
        slide(own, "jaw_drop", 0.01 * number)
        taken.append(time.process_time() - began)
    assert min(taken) < 0.03, taken
    assert demo_head.head.data.shape_keys.key_blocks["jawOpen"].value == pytest.approx(0.19, abs=1e-5)
