"""Features that meet on one take: fixes, labels, F-curves, preview, report, export and the library."""

import json
import shutil
from dataclasses import replace
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
def own(stored_take: Path, demo_head: "DemoHead", tmp_path: Path) -> Properties:
    """A scene with two takes of one clip, the first chosen, and the demo head; scene frames are the video's."""
    scene = bpy.context.scene
    scene.render.fps = 30
    folder = tmp_path / "takes"
    folder.mkdir()
    for name in ("first", "second"):
        path = Path(shutil.copy(stored_take, folder / f"{name}.take.npz"))
        extension.module("operators.take_list").add(scene, path)
    own = scene.aumocap
    own.character, own.active_take = demo_head.armature, 0
    labels = scene.aumocap_annotation
    labels.folder, labels.coder, labels.begin = str(tmp_path / "clip.annotation"), "Anna", "NOTHING"
    return own


@pytest.fixture(autouse=True)
def nothing_stays_open() -> Any:  # noqa: ANN401
    yield
    extension.module("operators.annotate").stop()
    extension.module("operators.preview").stop()


def column(channel: str) -> int:
    return extension.module("au_mocap.channels").INDEX[channel]


def fix(frame: int, value: float, channel: str = JAW) -> None:
    how = bpy.context.scene.aumocap_fixing
    bpy.context.scene.frame_set(frame)
    how.channel, how.blend_in, how.blend_out, how.value = channel, 0, 0, value
    assert bpy.ops.aumocap.add_fix() == {"FINISHED"}


def coders(tmp_path: Path) -> Any:  # noqa: ANN401
    return extension.module("au_mocap.annotation").load(tmp_path / "clip.annotation").coders


def values(own: Properties, number: int) -> np.ndarray:
    return extension.module("operators.performing").curves_of(own.takes[number]).values


def test_fixes_become_labels_of_a_coder_of_their_own(own: Properties, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="has no fixes"):
        bpy.ops.aumocap.annotate_fixes()
    fix(11, 0.75)
    fix(11, 0.5, SMILE)
    fix(21, 0.25)
    assert bpy.ops.aumocap.annotate_fixes() == {"FINISHED"}
    found = coders(tmp_path)
    assert list(found) == ["fixes"]
    assert found["fixes"].frames.tolist() == [10, 20]
    assert found["fixes"].key.all()
    table = found["fixes"].values[:, [column(JAW), column(SMILE)]]
    np.testing.assert_allclose(table, [[0.75, 0.5], [0.25, np.nan]], atol=1e-6)
    assert np.isfinite(found["fixes"].values).sum() == 3, "what was not fixed is not labelled"
    assert extension.module("operators.annotate").current(bpy.context.scene) is None


def test_fixes_join_the_labels_that_are_open(own: Properties, tmp_path: Path) -> None:
    fix(11, 0.75)
    bpy.ops.aumocap.annotate()
    sliders = bpy.context.scene.aumocap_annotation.sliders
    sliders[SMILE].value = 0.2
    sliders[JAW].value = 0.1
    bpy.ops.aumocap.annotate_fixes()
    assert sliders[JAW].value == pytest.approx(0.75)
    labels = coders(tmp_path)["Anna"]
    np.testing.assert_allclose(labels.values[0, [column(JAW), column(SMILE)]], [0.75, 0.2], atol=1e-6)
    session = extension.module("operators.annotate").current(bpy.context.scene)
    session.editing.go_to(session.editing.step - 1)
    assert sliders[JAW].value == pytest.approx(0.1), "one step back"


def test_a_folder_beside_the_video_is_not_kept_for_the_next_one(own: Properties, tmp_path: Path) -> None:
    clip = Path(shutil.copy(own.takes[0].video, tmp_path / "actor.mp4"))
    labels = bpy.context.scene.aumocap_annotation
    own.takes[0].video, labels.folder = str(clip), ""
    bpy.ops.aumocap.annotate()
    assert Path(labels.folder) == tmp_path / "actor.annotation"
    bpy.ops.aumocap.annotate_close()
    assert labels.folder == ""
    labels.folder = str(tmp_path)
    bpy.ops.aumocap.annotate()
    bpy.ops.aumocap.annotate_close()
    labels.folder = str(tmp_path / "elsewhere.annotation")
    bpy.ops.aumocap.annotate()
    bpy.ops.aumocap.annotate_close()
    assert Path(labels.folder) == tmp_path / "elsewhere.annotation", "a chosen one is"


def test_labels_give_way_to_a_value_that_is_tried_and_to_a_bake(own: Properties, demo_head: "DemoHead") -> None:
    scene, jaw = bpy.context.scene, demo_head.head.data.shape_keys.key_blocks["jawOpen"]
    labels = scene.aumocap_annotation
    scene.frame_set(11)
    bpy.ops.aumocap.annotate()
    labels.sliders[JAW].value = 1.0
    assert jaw.value == pytest.approx(1.0)
    scene.aumocap_fixing.channel = JAW
    scene.aumocap_fixing.value = 0.3
    assert jaw.value == pytest.approx(0.3, abs=1e-6)
    bpy.ops.aumocap.leave_fix()
    assert jaw.value == 0.0, "not what the labels had posed"
    assert not labels.use_pose
    labels.use_pose = True
    row = next(each for each in own.character.aumocap.rows if each.channel == JAW)
    row.test = 0.5
    assert jaw.value == pytest.approx(0.5, abs=1e-6)
    row.test = 0.0
    assert jaw.value == 0.0
    labels.use_pose = True
    assert jaw.value == pytest.approx(1.0)
    bpy.ops.aumocap.bake()
    assert not labels.use_pose
    assert jaw.value == pytest.approx(values(own, 0)[10, column(JAW)], abs=1e-5), "what was baked is seen"
    own.active_take = 0
    bpy.ops.aumocap.preview()
    labels.use_pose = True
    assert not extension.module("operators.preview").is_on(scene), "labels end a preview"


def test_f_curves_of_one_take_leave_the_other_alone(own: Properties, demo_head: "DemoHead") -> None:
    bpy.ops.aumocap.show_curves()
    before = values(own, 0)
    own.active_take = 1
    assert bpy.ops.aumocap.preview() == {"FINISHED"}
    plain = shown(demo_head.head, 11, "jawOpen")
    curve = curves_of(own.takes[0].edits.curves)[f'["{JAW}"]', 0]
    for key in curve.keyframe_points:
        key.co.y = 0.9
    curve.update()
    assert shown(demo_head.head, 11, "jawOpen") == pytest.approx(plain)
    assert values(own, 0)[10, column(JAW)] == pytest.approx(0.9, abs=1e-3)
    np.testing.assert_array_equal(values(own, 1), before)
    own.active_take = 0
    assert shown(demo_head.head, 11, "jawOpen") == pytest.approx(0.9, abs=1e-2), "the preview follows the choice"


def test_report_and_export_hold_the_edits(own: Properties, tmp_path: Path) -> None:
    def page() -> str:
        bpy.ops.aumocap.write_report(filepath=str(tmp_path / "a.html"), show=False)
        return (tmp_path / "a.html").read_text(encoding="utf-8")

    def exported() -> str:
        bpy.ops.aumocap.export_curves(filepath=str(tmp_path / "a.json"), form="json")
        return json.dumps(json.loads((tmp_path / "a.json").read_text(encoding="utf-8")))

    before = page(), exported()
    fix(11, 0.87654)
    after = page(), exported()
    assert "1 value fixed in 1 channel" in after[0]
    assert "1 value fixed" not in before[0]
    assert "0.8765" in after[1]
    assert "0.8765" not in before[1]
    bpy.ops.aumocap.remove_fix(everything=True)
    assert (page(), exported()) == before


def test_the_library_bakes_each_take_with_its_own_edits(own: Properties, demo_head: "DemoHead") -> None:
    fix(11, 0.9)
    own.active_take = 1
    fix(11, 0.1)
    library = bpy.context.scene.aumocap_library
    library.folder, library.bake_to = str(Path(own.takes[0].filepath).parent), "new"
    bpy.ops.aumocap.library_refresh()
    bpy.ops.aumocap.library_mark(action="ALL")
    assert bpy.ops.aumocap.library_bake() == {"FINISHED"}
    owner = demo_head.head.data.shape_keys.animation_data
    baked = {}
    for name in ("first", "second"):
        action = next(each for each in bpy.data.actions if each.name.startswith(name))
        owner.action = action
        if hasattr(owner, "action_slot") and owner.action_slot is None:
            owner.action_slot = next(slot for slot in action.slots if slot.target_id_type == "KEY")
        baked[name] = points(key_curve(demo_head.head, "jawOpen"))[10, 1]
    assert baked == {"first": pytest.approx(0.9, abs=1e-5), "second": pytest.approx(0.1, abs=1e-5)}


def test_a_take_that_was_relinked_in_the_library_shows_its_video(own: Properties, tmp_path: Path) -> None:
    item = own.takes[0]
    moved = tmp_path / "store" / "renamed.mp4"
    moved.parent.mkdir()
    shutil.copy(item.video, moved)
    take = extension.module("au_mocap.take")
    stored = take.load(Path(item.filepath))
    source = {**stored.meta["source"], "path": str(tmp_path / "gone.mp4")}
    take.save(replace(stored, meta={**stored.meta, "source": source}), Path(item.filepath))
    item.video = str(tmp_path / "gone.mp4")
    bpy.context.scene.aumocap_library.folder = str(Path(item.filepath).parent)
    bpy.ops.aumocap.library_refresh()
    assert bpy.ops.aumocap.library_relink(directory=str(moved.parent)) == {"FINISHED"}
    assert Path(item.video) == moved, "of a take that is in the scene"
    own.takes.clear()
    added = extension.module("operators.take_list").add(
        bpy.context.scene, Path(bpy.context.scene.aumocap_library.folder) / "first.take.npz"
    )
    assert Path(added.video) == moved, "and of one that is loaded later"


def test_a_copy_of_a_take_has_its_settings_and_its_edits(own: Properties) -> None:
    own.takes[0].contact, own.takes[0].smoothing = 0.25, "strong"
    fix(11, 0.9)
    bpy.ops.aumocap.duplicate_take()
    copy = own.takes[2]
    assert (copy.contact, copy.smoothing) == (pytest.approx(0.25), "strong")
    np.testing.assert_array_equal(values(own, 2), values(own, 0))
