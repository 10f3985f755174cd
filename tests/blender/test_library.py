"""The library in Blender: a folder's takes are listed, noted, loaded, calibrated, baked and analysed together."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import bpy
import pytest

from training import extension

from .conftest import CLIP, Properties

if TYPE_CHECKING:
    from operators.demo_head import DemoHead


@pytest.fixture
def folder(stored_take: Path, tmp_path: Path) -> Path:
    """Two takes of the rendered clip and a file that is none, in a folder that the scene's library shows."""
    where = tmp_path / "library"
    (where / "day 2").mkdir(parents=True)
    shutil.copyfile(stored_take, where / "one.take.npz")
    shutil.copyfile(stored_take, where / "day 2" / "two.take.npz")
    (where / "broken.take.npz").write_bytes(b"cut off")
    bpy.context.scene.aumocap_library.folder = str(where)
    assert bpy.ops.aumocap.library_refresh() == {"FINISHED"}
    return where


@pytest.fixture
def character(demo_head: "DemoHead") -> Properties:
    """The demo head, chosen as the scene's character."""
    bpy.context.scene.aumocap.character = demo_head.armature
    return demo_head.armature


@pytest.fixture(autouse=True)
def forgotten() -> None:
    """No take of the test before."""
    extension.module("operators.library_state").forget()
    window().search = ""
    window().rows.clear()


def window() -> Properties:
    return bpy.context.window_manager.aumocap_library


def names() -> list[str]:
    return [row.name for row in window().rows]


def choose(name: str) -> None:
    window().active = names().index(name)


def mark(*wanted: str) -> None:
    for row in window().rows:
        row.marked = row.name in wanted


def results() -> dict[str, tuple[str, str]]:
    run = extension.module("operators.library_batch").last()
    return {result.name: (result.state, result.detail) for result in run.results}


def test_a_folder_is_listed_and_searched(folder: Path) -> None:
    assert names() == ["broken", "one", "two"]
    window().search = "-is:broken"
    assert names() == ["one", "two"]
    window().search = "name:day"
    assert names() == ["two"]
    window().search = "nothing of it"
    assert names() == []
    assert bpy.ops.aumocap.library_load.poll() is False


def test_another_file_shows_no_takes_of_this_one(folder: Path) -> None:
    state = extension.module("operators.library_state")
    assert state.count() == 3
    bpy.ops.wm.read_homefile(use_empty=True)
    assert (state.count(), state.shown_folder()) == (0, None)


def test_what_is_typed_is_noted_beside_the_take(folder: Path) -> None:
    notes = extension.module("au_mocap.library.notes")
    choose("two")
    window().actor, window().tags, window().notes = "Änna", "smile, hero take", "good light"
    take = folder / "day 2" / "two.take.npz"
    assert notes.load(take) == notes.Notes("Änna", ("smile", "hero take"), "good light")
    choose("one")
    assert (window().actor, window().tags, window().notes) == ("", "", "")
    window().search = "actor:anna"
    assert names() == ["two"]
    assert window().tags == "smile, hero take"
    window().tags = "smile"
    assert notes.load(take).tags == ("smile",)


def test_notes_of_a_newer_version_stay(folder: Path) -> None:
    sidecar = folder / "one.take.json"
    sidecar.write_text('{"version": 7}')
    bpy.ops.aumocap.library_refresh()
    choose("one")
    window().actor = "Bo"
    assert "newer AU Mocap" in extension.module("operators.library_state").problem()
    assert sidecar.read_text() == '{"version": 7}'
    assert window().actor == ""
    with pytest.raises(RuntimeError, match="newer AU Mocap"):
        bpy.ops.aumocap.library_note(actor="Bo")


def test_marked_takes_are_tagged_and_loaded_once(folder: Path) -> None:
    mark("one", "two")
    bpy.ops.aumocap.library_note(add="keep, smile", actor="Anna")
    bpy.ops.aumocap.library_note(remove="smile")
    window().search = "tag:keep -tag:smile actor:anna"
    assert names() == ["one", "two"]
    own = bpy.context.scene.aumocap
    mark("one", "two")
    assert bpy.ops.aumocap.library_load() == {"FINISHED"}
    assert [item.name for item in own.takes] == ["one", "two"]
    mark()
    choose("one")
    bpy.ops.aumocap.library_load()
    assert len(own.takes) == 2
    assert own.active_take == 0


def test_what_cannot_be_read_is_told(folder: Path) -> None:
    choose("broken")
    with pytest.raises(RuntimeError, match="damaged"):
        bpy.ops.aumocap.library_load()
    mark("broken", "one")
    assert bpy.ops.aumocap.library_load() == {"FINISHED"}
    assert [item.name for item in bpy.context.scene.aumocap.takes] == ["one"]
    bpy.context.scene.aumocap_library.folder = str(folder / "nowhere")
    with pytest.raises(RuntimeError, match="There is no folder"):
        bpy.ops.aumocap.library_refresh()
    assert names() == []


def test_a_name_that_blender_cannot_keep_leaves_no_half_of_a_take(folder: Path) -> None:
    try:
        shutil.copyfile(folder / "one.take.npz", folder / "bad \udcff.take.npz")
    except OSError:
        pytest.skip("names are letters on this system")
    bpy.ops.aumocap.library_refresh()
    mark("bad ?")
    with pytest.raises(RuntimeError, match="rename the file"):
        bpy.ops.aumocap.library_load()
    assert len(bpy.context.scene.aumocap.takes) == 0


def test_a_take_that_is_gone_is_told(folder: Path) -> None:
    choose("one")
    (folder / "one.take.npz").unlink()
    with pytest.raises(RuntimeError, match="There is no take"):
        bpy.ops.aumocap.library_load()


def test_the_scene_s_own_takes_are_shown_without_a_folder(stored_take: Path) -> None:
    where = Path(extension.enable().takes_folder)
    where.mkdir(parents=True)
    shutil.copyfile(stored_take, where / "mine.take.npz")
    bpy.ops.aumocap.library_refresh()
    assert names() == ["mine"]


def test_a_list_is_baked_under_its_own_names(folder: Path, character: Properties) -> None:
    own, library = bpy.context.scene.aumocap, bpy.context.scene.aumocap_library
    mark("one", "two", "broken")
    library.bake_to, library.place, library.gap = "new", "ROW", 5
    assert bpy.ops.aumocap.library_bake() == {"FINISHED"}
    states = {name: state for name, (state, _) in results().items()}
    assert states == {"one": "done", "two": "done", "broken": "failed"}
    one, two = (bpy.data.actions[name] for name in ("one", "two"))
    assert one.use_fake_user
    assert one.frame_range[0] == pytest.approx(1.0)
    assert two.frame_range[0] == pytest.approx(int(one.frame_range[1]) + 1 + 5)
    assert (own.bake.start_frame, own.bake.destination) == (1.0, "new")
    assert "2 done, 1 failed." in bpy.data.texts["AU Mocap Library"].as_string()
    library.bake_to, library.place = "nla", "SAME"
    bpy.ops.aumocap.library_bake()
    tracks = [
        track.name for key in bpy.data.shape_keys if key.animation_data for track in key.animation_data.nla_tracks
    ]
    assert {"one", "two"} <= set(tracks)


def test_one_that_fails_stops_no_other(folder: Path, character: Properties) -> None:
    mark("one", "two")
    (folder / "one.take.npz").write_bytes(b"cut off meanwhile")
    bpy.ops.aumocap.library_bake()
    assert {name: state for name, (state, _) in results().items()} == {"one": "failed", "two": "done"}
    assert "damaged" in results()["one"][1]


def test_a_list_is_given_an_actor_s_profile(folder: Path) -> None:
    profile = extension.module("au_mocap.profile")
    path = extension.module("operators.actor_settings").path_of("Library Anna")
    profile.save(profile.Profile("Library Anna", gains={"jaw_drop": 1.5}), path)
    own, library = bpy.context.scene.aumocap, bpy.context.scene.aumocap_library
    mark("one", "two")
    try:
        with pytest.raises(RuntimeError, match="Choose an actor's profile"):
            bpy.ops.aumocap.library_calibrate()
        library.profile = "Library Anna"
        assert bpy.ops.aumocap.library_calibrate() == {"FINISHED"}
    finally:
        path.unlink()
    assert [item.channels["jaw_drop"].gain for item in own.takes] == [1.5, 1.5]
    assert [item.actor for item in own.takes] == ["Library Anna"] * 2
    own.active_take = 0
    own.takes[0].smoothing, own.takes[0].channels["jaw_drop"].gain = "strong", 0.5
    library.source = "ACTIVE"
    bpy.ops.aumocap.library_calibrate()
    assert {name: state for name, (state, _) in results().items()} == {"one": "skipped", "two": "done"}
    assert (own.takes[1].smoothing, own.takes[1].channels["jaw_drop"].gain) == ("strong", 0.5)
    assert own.active_take == 0


def test_videos_of_a_folder_become_takes(folder: Path, tmp_path: Path) -> None:
    clips = extension.module("au_mocap.video")
    videos = tmp_path / "videos"
    videos.mkdir()
    with clips.open_video(CLIP) as video:
        images = [frame.image for frame in video.frames(0, 4)]
    import cv2

    for number, image in enumerate(images):
        cv2.imwrite(str(videos / f"frame {number}.png"), image)
    write(videos / "a.avi", images)
    (videos / "b.mp4").write_bytes(b"no video")
    bpy.context.scene.aumocap.capture.regressor = "geometry"
    assert bpy.ops.aumocap.library_analyse(directory=str(videos)) == {"FINISHED"}
    assert {name: state for name, (state, _) in results().items()} == {"a.avi": "done", "b.mp4": "failed"}
    assert "a" in names()
    assert len(bpy.context.scene.aumocap.takes) == 0
    bpy.ops.aumocap.library_analyse(directory=str(videos))
    assert results()["a.avi"][0] == "skipped"
    with pytest.raises(RuntimeError, match="no videos"):
        bpy.ops.aumocap.library_analyse(directory=str(folder))
    assert extension.module("operators.analyse").current() is None


def write(path: Path, images: list) -> None:
    import cv2

    height, width = images[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 25.0, (width, height))
    for image in images:
        writer.write(image)
    writer.release()


def test_a_video_that_moved_is_found_and_the_take_stays(folder: Path, tmp_path: Path) -> None:
    take = extension.module("au_mocap.take")
    sources = extension.module("au_mocap.sources")
    moved = tmp_path / "moved"
    (tmp_path / "shot").mkdir()
    moved.mkdir()
    clip = tmp_path / "shot" / "actor.mp4"
    shutil.copyfile(CLIP, clip)
    path = folder / "one.take.npz"
    stored = take.load(path)
    take.save(sources.relinked(stored, clip), path)
    clip.rename(moved / "other name.mp4")
    bpy.ops.aumocap.library_refresh()
    before = path.read_bytes()
    window().search = "is:missing"
    assert names() == ["one"]
    with pytest.raises(RuntimeError, match="not the video"):
        bpy.ops.aumocap.library_link(filepath=__file__)
    bpy.ops.aumocap.library_relink(directory=str(moved))
    assert results()["one"][0] == "done"
    assert path.read_bytes() == before
    bpy.ops.aumocap.library_load()
    assert bpy.context.scene.aumocap.takes[0].video == str(moved / "other name.mp4")


def test_a_stopped_list_leaves_the_rest(folder: Path, character: Properties) -> None:
    runs = extension.module("operators.library_runs")
    run = runs.Run("Bake Takes")
    order = runs.BakeOrder(bpy.context.scene.name, "new", in_a_row=False, gap=0, smoothing="light")
    paths = [folder / "one.take.npz", folder / "day 2" / "two.take.npz"]
    batch = extension.module("operators.library_batch")
    bpy.context.scene.aumocap.capture.filepath = str(CLIP)
    assert bpy.ops.aumocap.analyse.poll()
    for _ in runs.bake(run, paths, order):
        batch._State.run = run  # as a window's does
        assert not bpy.ops.aumocap.analyse.poll()
        batch._State.run = None
        if run.share > 0.0:  # read, but nothing written yet
            run.stop()
    assert [result.state for result in run.results] == ["cancelled", "cancelled"]
    assert not bpy.data.actions


def test_a_stopped_pass_leaves_no_take(folder: Path) -> None:
    runs = extension.module("operators.library_runs")
    run, passes = runs.Run("Analyse Folder"), []
    how = runs.Order(video=folder, output=folder, regressor="geometry", device="cpu")
    order = runs.AnalyseOrder(CLIP.parent, folder / "new", how, "", "light")
    for _ in runs.analyse(run, order, passes.append):
        if run.share > 0.0 or (passes and passes[-1] is not None and passes[-1].progress is not None):
            run.stop()
    assert run.results[0].state == "cancelled"
    assert not list(folder.glob("new/*.npz"))
    assert passes[-1] is None
