"""From a chosen video to a take in the list, and what can be done with it there."""

import shutil
from pathlib import Path

import bpy
import numpy as np
import pytest

from training import extension

from .conftest import CLIP, Properties


@pytest.fixture
def own() -> Properties:
    return bpy.context.scene.aumocap


def analyse_some(own: Properties, last: int = 11) -> Properties:
    own.capture.filepath = str(CLIP)
    own.capture.use_range, own.capture.first, own.capture.last = True, 2, last
    own.capture.regressor = "geometry"
    assert bpy.ops.aumocap.analyse() == {"FINISHED"}
    return own.takes[-1]


def test_a_take_is_what_the_engine_measures(own: Properties) -> None:
    item = analyse_some(own)
    take = extension.module("au_mocap.take")
    stored = take.load(Path(item.filepath))
    assert (len(stored), stored.first_frame) == (10, 2)
    assert item.name == "rendered_performance"
    assert item.detail == "10 frames, face in 100 %, geometry"
    assert Path(item.video) == CLIP.resolve()
    assert not item.partial
    pipeline = extension.module("au_mocap.pipeline")
    registry = extension.module("au_mocap.registry").Registry()
    tracker = extension.module("au_mocap.tracking").open_tracker("onnx", registry, "cpu")
    regressor = extension.module("au_mocap.regressors").open_regressor(registry, "geometry", "cpu")
    made, _ = pipeline.extract(CLIP, tracker, regressor, pipeline.Extraction(pipeline.Range(2, 12)))
    np.testing.assert_array_equal(stored.values, made.values)


def test_takes_have_names_and_files_of_their_own(own: Properties) -> None:
    first, second = analyse_some(own, 4).filepath, analyse_some(own, 5).filepath
    assert [item.name for item in own.takes] == ["rendered_performance", "rendered_performance 2"]
    assert first != second
    assert own.active_take == 1


def test_preferences_give_new_scenes_their_defaults(own: Properties) -> None:
    preferences = extension.enable()
    preferences.regressor, preferences.smoothing = "fast", "strong"
    own.capture.filepath = str(CLIP)
    assert own.capture.regressor == "fast"
    own.capture.use_range, own.capture.last = True, 1
    bpy.ops.aumocap.analyse()
    assert own.takes[0].smoothing == "strong"
    own.capture.regressor = "geometry"
    own.capture.filepath = str(CLIP)  # a choice of the scene's own stays
    assert own.capture.regressor == "geometry"


@pytest.mark.parametrize(
    ("filepath", "message"),
    [("/nowhere/actor.mp4", "does not exist|no such|There is no"), (__file__, "video|decode|image")],
)
def test_a_video_that_cannot_be_read_is_told(own: Properties, filepath: str, message: str) -> None:
    own.capture.filepath = filepath
    with pytest.raises(RuntimeError, match=message):
        bpy.ops.aumocap.analyse()
    assert len(own.takes) == 0
    assert extension.module("operators.analyse").current() is None


def test_needs_a_video() -> None:
    with pytest.raises(RuntimeError, match="Choose a video first"):
        bpy.ops.aumocap.analyse()


def test_a_folder_that_cannot_be_written_is_told(own: Properties, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    extension.enable().takes_folder = str(tmp_path / "file" / "takes")
    own.capture.filepath = str(CLIP)
    with pytest.raises(RuntimeError, match="choose another folder"):
        bpy.ops.aumocap.analyse()
    assert len(own.takes) == 0


def test_stopping_keeps_what_was_measured(tmp_path: Path) -> None:
    analysis = extension.module("operators.analysis")
    order = analysis.Order(CLIP, tmp_path / "part.take.npz", "geometry", "cpu")
    running = analysis.Analysis(order)
    running.start()
    while running.progress is None or running.progress.done < 5:
        assert running.running
    running.stop()
    running.join(30)
    outcome = running.outcome
    stored = extension.module("au_mocap.take").load(order.output)
    assert not outcome.complete
    assert 5 <= outcome.frames == len(stored) < 150
    assert stored.meta["partial"] is True
    assert extension.module("operators.take_list").add(bpy.context.scene, order.output).partial


def test_stopping_before_the_first_frame_leaves_no_take(tmp_path: Path) -> None:
    analysis = extension.module("operators.analysis")
    running = analysis.Analysis(analysis.Order(CLIP, tmp_path / "none.take.npz", "geometry", "cpu"))
    running.stop()
    running.run()
    assert not running.outcome.complete
    assert running.outcome.frames <= 1


def test_switching_the_extension_off_ends_the_pass(registered_extension: Properties, tmp_path: Path) -> None:
    analyse, analysis = extension.module("operators.analyse"), extension.module("operators.analysis")
    running = analysis.Analysis(analysis.Order(CLIP, tmp_path / "part.take.npz", "geometry", "cpu"))
    analyse._State.current = running
    running.start()
    registered_extension.unregister()
    assert not running.running
    assert analyse.current() is None
    registered_extension.register()
    extension.enable()


def test_duplicates_with_its_settings(own: Properties) -> None:
    item = analyse_some(own)
    item.neutral, item.mirror, item.channels["jaw_drop"].gain = "none", True, 1.5
    assert bpy.ops.aumocap.duplicate_take() == {"FINISHED"}
    first, copy = own.takes
    assert (copy.name, copy.neutral, copy.mirror) == ("rendered_performance 2", "none", True)
    assert copy.channels["jaw_drop"].gain == 1.5
    assert copy.filepath != first.filepath
    assert Path(copy.filepath).read_bytes() == Path(first.filepath).read_bytes()


def test_deletes_with_and_without_the_file(own: Properties) -> None:
    kept, lost = Path(analyse_some(own, 4).filepath), Path(analyse_some(own, 5).filepath)
    bpy.ops.aumocap.delete_take(delete_file=True)
    assert not lost.exists()
    bpy.ops.aumocap.delete_take()
    assert kept.exists()
    assert len(own.takes) == 0


def test_finds_stored_takes_of_the_video(own: Properties) -> None:
    analyse_some(own)
    bpy.ops.aumocap.delete_take()
    (Path(extension.enable().takes_folder) / "broken.take.npz").write_bytes(b"nothing")
    assert bpy.ops.aumocap.find_takes() == {"FINISHED"}
    assert [item.name for item in own.takes] == ["rendered_performance"]
    bpy.ops.aumocap.find_takes()
    assert len(own.takes) == 1


def test_relinks_the_same_video_only(own: Properties, tmp_path: Path) -> None:
    moved, other = tmp_path / "moved.mp4", tmp_path / "other.mp4"
    shutil.copy(CLIP, moved)
    other.write_bytes(CLIP.read_bytes() + b"more")
    item = analyse_some(own)
    assert bpy.ops.aumocap.relink_video(filepath=str(moved)) == {"FINISHED"}
    assert Path(item.video) == moved
    before = Path(item.filepath).read_bytes()
    with pytest.raises(RuntimeError, match=r"checksum|not the"):
        bpy.ops.aumocap.relink_video(filepath=str(other))
    assert Path(item.filepath).read_bytes() == before


def test_a_video_that_has_gone_or_changed_is_told(
    own: Properties, tmp_path: Path, capfd: pytest.CaptureFixture
) -> None:
    clip = tmp_path / "clip.mp4"
    shutil.copy(CLIP, clip)
    own.capture.filepath = str(clip)
    own.capture.use_range, own.capture.last, own.capture.regressor = True, 2, "geometry"
    bpy.ops.aumocap.analyse()
    clip.write_bytes(clip.read_bytes() + b"more")
    bpy.ops.aumocap.find_takes()
    assert "not the one that was analysed" in capfd.readouterr().out
    clip.unlink()
    bpy.ops.aumocap.find_takes()
    assert "use Relink" in capfd.readouterr().out
    assert len(own.takes) == 1


def test_the_first_look_finds_the_face_and_says_what_is_wrong() -> None:
    look = extension.module("operators.video_look").look
    seen = look("clip", CLIP)
    assert seen.face
    assert "fps" in seen.facts
    assert seen.pixels.shape == (256, 256, 4)
    assert 0.0 <= seen.pixels.min() < seen.pixels.max() <= 1.0
    lost = look("gone", Path("/nowhere/actor.mp4"))
    assert lost.error
    assert lost.pixels is None
