"""Live preview: a clip as the camera drives the character, quickly, and leaves no trace."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy
import numpy as np
import pytest

from training import extension

from .clips import ffmpeg
from .conftest import CLIP, Properties
from .playing import acting, curves_of, errors, key_curves, turned

if TYPE_CHECKING:
    from operators.demo_head import DemoHead

SMILE = "mouthSmileLeft"


@pytest.fixture(scope="module")
def camera_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rendered performance as a camera would give it: 640x480, 30 frames per second."""
    path = tmp_path_factory.mktemp("camera") / "camera.mp4"
    size = ("-vf", "scale=640:480:force_original_aspect_ratio=increase,crop=640:480")
    ffmpeg("-i", CLIP, *size, "-r", "30", "-an", "-pix_fmt", "yuv420p", path)
    return path


@pytest.fixture
def own(demo_head: "DemoHead", camera_clip: Path) -> Iterator[Properties]:
    """A scene whose camera is a clip that loops, and the demo head as its character."""
    own = bpy.context.scene.aumocap
    own.character = demo_head.armature
    own.live.source, own.live.video, own.live.loop = "file", str(camera_clip), True
    own.live.countdown_s = 0
    yield own
    live().stop()


def live() -> Any:  # noqa: ANN401 - a module of the extension
    return extension.module("operators.live")


def keys() -> Any:  # noqa: ANN401
    return bpy.data.objects["Demo Head Face"].data.shape_keys.key_blocks


def play(until: Callable[[], object], timeout_s: float = 30.0) -> None:
    """What Blender's timers do, until something is so or the preview has ended."""
    deadline = time.perf_counter() + timeout_s
    while live().tick() is not None and not until():
        assert time.perf_counter() < deadline, live().problem()
        time.sleep(live().TICK_S)


def shown(count: int) -> Callable[[], bool]:
    """So many frames more were shown."""
    first = len(live().current().tick_s)
    return lambda: len(live().current().tick_s) >= first + count


def start() -> None:
    assert bpy.ops.aumocap.live() == {"FINISHED"}
    play(shown(5))
    assert live().problem() == ""


def state() -> dict[str, Any]:
    """All that live preview could leave behind."""
    scene = bpy.context.scene
    lists = {name: getattr(bpy.app.handlers, name) for name in dir(bpy.app.handlers)}
    return {
        "keys": [key.value for key in keys()],
        "bones": {
            bone.name: [
                bone.rotation_mode,
                *(tuple(getattr(bone, f"rotation_{leaf}")) for leaf in ("euler", "quaternion", "axis_angle")),
                bone.location[:],
                bone.scale[:],
            ]
            for bone in bpy.data.objects["Demo Head"].pose.bones
        },
        "custom": {each.name: {key: str(each[key]) for key in each.keys() if key != "aumocap"} for each in owners()},  # noqa: SIM118
        "noted": [each.name for each in owners() if each.is_property_set("aumocap_posed")],
        "animated": [each.name for each in owners() if each.animation_data is not None],
        "auto_key": scene.tool_settings.use_keyframe_insert_auto,
        "frames": (scene.frame_start, scene.frame_end, scene.frame_current, scene.frame_subframe, scene.sync_mode),
        "handlers": {name: len(each) for name, each in lists.items() if isinstance(each, list)},
        "timer": bpy.app.timers.is_registered(live().tick),
        "data": {name: len(getattr(bpy.data, name)) for name in ("objects", "actions", "images", "texts", "meshes")},
        "threads": {each.name for each in threading.enumerate() if each.name.startswith("live")},
    }


def owners() -> list[Any]:
    return [*bpy.data.objects, *bpy.data.shape_keys]


def test_the_character_follows_and_all_is_put_back(own: Properties) -> None:
    bone = bpy.data.objects["Demo Head"].pose.bones["head"]
    bone.rotation_mode, bone.rotation_euler = "XYZ", (0.1, 0.2, 0.3)
    keys()["jawOpen"].value = 0.125
    before = state()
    start()
    play(shown(20))
    frame = live().current().frame
    index = extension.module("au_mocap.channels").INDEX
    assert keys()[SMILE].value == pytest.approx(frame.values[index["lip_corner_pull_L"]], abs=1e-6)
    assert max(key.value for key in keys()) > 0.05
    assert bone.rotation_mode == "XYZ"
    assert tuple(bone.rotation_euler[:]) != pytest.approx((0.1, 0.2, 0.3), abs=1e-3)
    during = state()
    assert during["timer"]
    assert during["noted"]
    assert during["animated"] == before["animated"]
    began = time.perf_counter()
    assert bpy.ops.aumocap.live() == {"FINISHED"}
    assert time.perf_counter() - began < 0.5
    assert state() == before


@pytest.mark.parametrize("use_eye_bones", [False, True])
def test_shows_what_a_bake_would_key(own: Properties, use_eye_bones: bool) -> None:
    """Face, head, neck and eyes of the second of two frames."""
    own.character.aumocap.use_eye_bones = use_eye_bones
    own.bake.use_position = True
    performing, pose = extension.module("operators.performing"), extension.module("operators.live_pose")
    channels = {"jaw_drop": 0.7, "lip_corner_pull_L": 0.4, "look_up_L": 0.5, "look_out_R": 0.3, "eye_close_R": 0.2}
    played = turned(acting(2, **channels), [[0.0, 0.0, 0.0], [20.0, -10.0, 5.0]])
    played.head_position[1] += (0.02, -0.01, 0.05)
    rows = extension.module("operators.rows").table_of(own.character.aumocap)
    how = extension.module("operators.settings").of_bake(own.bake, own.character.aumocap, "take")
    character = performing.scene.find_character(own.character)
    plan = performing.keying.planned(bpy.context.scene, character, played, rows, how)
    wanted = {
        (owner.name, each.data_path, each.index): each.values[-1]
        for owner in plan.tracks
        for each in plan.tracks[owner]
    }
    rotation, position = played.head_rotation, played.head_position
    shown_now = pose.LivePose(bpy.context.scene, extension.module("operators.posing").Remembered())
    shown_now.show(pose.Moment(played.time_s, played.values, rotation, position))
    got = {
        (owner.name, each.data_path, each.index): each.values[0]
        for owner, tracks in shown_now.tracks.items()
        for each in tracks
    }
    assert got.keys() == wanted.keys()
    assert any('"eye.' in path for _, path, _ in got) == use_eye_bones
    assert [got[key] for key in wanted] == pytest.approx(list(wanted.values()), abs=1e-6)
    eye = bpy.data.objects["Demo Head"].pose.bones["eye.L"].rotation_quaternion
    assert (abs(eye.angle) > 0.05) == use_eye_bones
    extension.module("operators.live_trace").put_back()
    assert not any(key.value for key in keys())


def test_ticks_are_short_and_no_frame_waits(own: Properties) -> None:
    """With room for a machine's other work: `make.py bench live_preview` holds the exact limits."""
    start()
    run = live().current()
    run.tick_s.clear()
    waited: list[float] = []

    def enough() -> bool:
        if len(run.tick_s) > len(waited):
            waited.append(run.lag_s[-1] - (run.frame.ready_s - run.frame.captured_s))
        return len(waited) >= 90

    play(enough, timeout_s=60.0)
    assert np.median(run.tick_s) <= 0.01
    assert np.median(waited) <= 0.1, "from the values to the character"


def test_muting_freezing_and_mirroring_act_at_once(own: Properties) -> None:
    rest = bpy.data.objects["Demo Head"].pose.bones["head"].rotation_quaternion.copy()
    start()
    own.live.muted = {"lips", "head"}
    play(shown(15))
    assert keys()[SMILE].value == 0.0
    assert bpy.data.objects["Demo Head"].pose.bones["head"].rotation_quaternion == rest
    own.live.muted = set()
    own.live.frozen = True
    play(shown(15))
    held = [key.value for key in keys()]
    play(shown(15))
    assert [key.value for key in keys()] == held
    own.live.frozen, own.live.mirror, own.live.smoothing = False, True, "off"
    play(shown(15))
    assert live().current().session.settings.mirror
    assert live().problem() == ""


def test_parts_and_strengths_are_those_of_the_engine() -> None:
    properties = extension.module("operators.live_properties")
    settings = extension.module("au_mocap.live.settings")
    filtering = extension.module("au_mocap.live.filtering")
    assert {each[0] for each in properties.PARTS} == set(settings.PARTS)
    assert {each[0] for each in properties.STRENGTHS} == set(filtering.STRENGTHS)


def test_a_change_of_table_or_bake_settings_shows_at_once(own: Properties) -> None:
    start()
    row = next(each for each in own.character.aumocap.rows if each.target == SMILE)
    row.enabled = False
    play(shown(5))
    assert keys()[SMILE].value == 0.0
    assert live().problem() == ""
    own.bake.use_rotation = False
    play(lambda: not bpy.data.objects["Demo Head"].pose.bones["head"].rotation_quaternion[1])
    own.bake.use_face = own.bake.use_gaze = False
    play(lambda: live().current() is None)
    assert "nothing to bake" in live().problem().lower()
    assert not any(key.value for key in keys())


def test_recording_becomes_a_take_like_any_other(own: Properties) -> None:
    start()
    own.live.mirror, own.live.keep_video = True, True
    assert bpy.ops.aumocap.record_live() == {"FINISHED"}
    play(lambda: (live().current().session.recording or 0) > 20)
    assert bpy.ops.aumocap.record_live() == {"FINISHED"}
    play(lambda: own.takes)
    (item,) = own.takes
    stored = extension.module("au_mocap.take").load(Path(item.filepath))
    assert (item.name, item.mirror) == ("Live", True)
    assert len(stored) > 20
    assert np.all(np.diff(stored.time_s) > 0.0)
    assert stored.meta["regressor"]["name"] == "fast"
    assert Path(item.video).name == "Live.mp4"
    with extension.module("au_mocap.video").open_video(Path(item.video)) as video:
        assert video.info.size_px == (640, 480)
    item.smoothing = "strong"
    item.channels["lip_corner_pull_L"].gain = 0.5
    bpy.ops.aumocap.live()
    assert bpy.ops.aumocap.bake() == {"FINISHED"}
    assert bpy.data.objects["Demo Head Face"].data.shape_keys.animation_data is not None


def test_stopping_keeps_what_was_recorded(own: Properties) -> None:
    start()
    live().record(0.0)
    play(lambda: (live().current().session.recording or 0) > 5)
    assert bpy.ops.aumocap.stop_live() == {"FINISHED"}
    (item,) = own.takes
    assert Path(item.filepath).is_file()
    assert live().problem() == ""
    assert not live().is_storing()


def test_the_neutral_is_taken_after_a_countdown_and_kept(own: Properties, camera_clip: Path, tmp_path: Path) -> None:
    still = tmp_path / "still.mp4"
    ffmpeg("-ss", "0", "-t", "0.04", "-i", camera_clip, "-vf", "loop=150:1,fps=30", "-t", "5", still)
    own.live.video = str(still)
    start()
    status = extension.module("operators.live_status").status
    assert bpy.ops.aumocap.calibrate_live() == {"FINISHED"}
    assert status().told.startswith("Rest your face in 3 s")
    session = live().current().session
    play(lambda: session.calibration.state in ("done", "refused"))
    assert session.calibration.state == "done", session.calibration.message
    assert session.neutral is not None
    bpy.ops.aumocap.live()
    start()
    assert live().current().session.neutral is not None, "for the next session of the same networks"


@pytest.mark.parametrize(
    ("source", "words"),
    [("file", "Choose the video first"), ("folder", "Choose the folder of pictures first")],
)
def test_nothing_chosen_is_told_at_once(own: Properties, source: str, words: str) -> None:
    own.live.source, own.live.video, own.live.folder = source, "", ""
    before = state()
    with pytest.raises(RuntimeError, match=words):
        bpy.ops.aumocap.live()
    assert live().current() is None
    assert state() == before


@pytest.mark.parametrize("source", ["camera", "file", "folder"])
def test_a_source_that_cannot_be_opened_is_told_and_another_one_works(
    own: Properties, camera_clip: Path, tmp_path: Path, source: str
) -> None:
    missing = str(tmp_path / "missing")
    own.live.source, own.live.video, own.live.folder, own.live.camera = source, missing, missing, 87
    before = state()
    bpy.ops.aumocap.live()
    play(lambda: live().current() is None)
    assert live().problem()
    assert state() == before
    own.live.source, own.live.video = "file", str(camera_clip)
    start()


def test_a_video_that_ends_is_told(own: Properties, tmp_path: Path, camera_clip: Path) -> None:
    short = tmp_path / "short.mp4"
    ffmpeg("-t", "0.5", "-i", camera_clip, short)
    own.live.video, own.live.loop = str(short), False
    before = state()
    bpy.ops.aumocap.live()
    play(lambda: live().current() is None)
    assert "come to an end" in live().problem()
    assert state() == before


def test_a_recording_that_cannot_be_stored_is_told_and_live_goes_on(own: Properties, tmp_path: Path) -> None:
    (tmp_path / "a file").write_text("no folder", encoding="utf-8")
    extension.enable().takes_folder = str(tmp_path / "a file")
    start()
    bpy.ops.aumocap.record_live()
    play(lambda: live().problem())
    assert "Takes cannot be stored" in live().problem()
    assert live().current().recording is None
    extension.enable().takes_folder = str(tmp_path / "takes")
    bpy.ops.aumocap.record_live()
    assert live().problem() == ""
    play(lambda: (live().current().session.recording or 0) > 5)
    (tmp_path / "takes").rename(tmp_path / "moved")
    (tmp_path / "takes").write_text("no folder any more", encoding="utf-8")
    bpy.ops.aumocap.record_live()
    play(lambda: live().problem())
    assert "takes" in live().problem()
    assert not own.takes
    play(shown(5))


def test_a_bug_ends_it_and_puts_the_character_back(own: Properties, monkeypatch: pytest.MonkeyPatch) -> None:
    before = state()
    start()
    play(shown(5))

    def broken(*_arguments: object) -> None:
        msg = "nobody thought of this"
        raise RuntimeError(msg)

    monkeypatch.setattr(extension.module("operators.keying"), "fill", broken)
    play(lambda: live().current() is None)
    assert "nobody thought of this" in live().problem()
    assert state() == before
    monkeypatch.undo()
    start()


def test_live_and_preview_are_never_on_at_once(own: Properties, stored_take: Path) -> None:
    preview = extension.module("operators.preview")
    extension.module("operators.take_list").add(bpy.context.scene, stored_take)
    start()
    assert bpy.ops.aumocap.preview() == {"FINISHED"}
    assert live().current() is None
    assert preview.is_on(bpy.context.scene)
    start()
    assert not preview.is_on(bpy.context.scene)
    live().stop()
    assert not any(key.value for key in keys())


def test_a_row_that_is_tried_ends_with_live(own: Properties) -> None:
    own.character.aumocap.rows[0].test = 1.0
    start()
    live().stop()
    assert not any(key.value for key in keys())


def test_auto_keying_writes_into_the_groups(own: Properties) -> None:
    module = extension.module("operators.live_keys")
    assert not module.is_wanted(bpy.context.scene), "nothing plays without a window"
    start()
    writer = module.LiveKeys()
    for frame in (3, 4, 4, 5):
        play(shown(3))
        writer.write(live().current()._pose.tracks, frame)
    writer.finish()
    assert writer.frames == 3
    live().stop()
    curves = key_curves(bpy.data.objects["Demo Head Face"])
    assert len(curves) == 52
    assert {curve.group.name for curve in curves.values() if curve.group} == {"AU Mocap Face", "AU Mocap Gaze"}
    assert all([point.co.x for point in curve.keyframe_points] == [3.0, 4.0, 5.0] for curve in curves.values())
    assert curves_of(bpy.data.objects["Demo Head"])


def test_unknown_errors_are_spelled_out() -> None:
    with pytest.raises(errors("LiveError"), match="Start the live preview first"):
        live().calibrate()
    with pytest.raises(errors("LiveError"), match="Start the live preview first"):
        live().record(1.0)
    assert json.dumps(extension.module("operators.live_status").status()) == "null"
