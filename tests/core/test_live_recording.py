"""What is kept of a live performance: a take like any other, and the camera's pictures in step with it."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from au_mocap import calibration, image_sequence, pipeline, pose, sources
from au_mocap.errors import LiveError, OutputError
from au_mocap.live import film, recording
from au_mocap.live.film import open_film
from au_mocap.live.recording import Origin, Recorder
from au_mocap.live.session import DEFAULT_REGRESSOR
from au_mocap.registry import Registry
from au_mocap.regressors import Regressor, open_regressor
from au_mocap.take import Take, load, save
from au_mocap.tracking import track_frames
from au_mocap.video import VideoFrame, open_video
from tests.core import clips
from tests.core.live import Pictures, live_threads, play, started, tracker, wait_for


@pytest.fixture(scope="module")
def fast() -> Regressor:
    return open_regressor(Registry(), DEFAULT_REGRESSOR, "cpu")


@pytest.fixture(scope="module")
def clip(single_face: Path) -> list[VideoFrame]:
    with open_video(single_face) as video:
        return list(video.frames())


@pytest.fixture(autouse=True)
def all_threads_end() -> object:
    yield
    wait_for(lambda: not live_threads(), "threads to end")


def record(frames: list[VideoFrame], regressor: Regressor, video: Path | None = None, **settings: object) -> Take:
    """The take of a recording that begins at the second frame."""
    source = Pictures(frames)
    session = started(source, regressor, **settings)
    play(session, source, lambda frame: session.record(video) if frame.index == 0 else None)
    take = session.stop_recording()
    assert take is not None
    assert session.recording_problem == ""
    assert session.recording is None
    return take


def test_a_recording_is_a_take_with_raw_values(clip: list[VideoFrame], fast: Regressor, tmp_path: Path) -> None:
    """Whatever the settings of the moment: values, times and poses are those of the analysed frames."""
    take = record(clip, fast, smoothing="strong", mirror=True, muted=frozenset({"lips"}), gains={"jaw_drop": 3.0})
    builder = pipeline.TakeBuilder(pose.Camera((640, 360)), fast)
    one_by_one = tracker()
    one_by_one.reset(fast.maps)
    for frame, face in track_frames(clip, one_by_one, workers=1):
        assert face is not None
        if frame.index:
            builder.add(pipeline.FrameResult(frame.index, frame.time_s, face, fast.embed(frame.image, face)))
    expected = builder.build({})
    assert take.values == pytest.approx(expected.values, abs=1e-5)
    assert take.head_rotation == pytest.approx(expected.head_rotation, abs=1e-5)
    assert take.landmarks == pytest.approx(expected.landmarks, abs=1e-3)
    assert take.time_s == pytest.approx(np.array([frame.time_s for frame in clip[1:]]) - clip[1].time_s)
    assert take.time_s[0] == 0.0
    save(take, tmp_path / "live.take.npz")
    again = load(tmp_path / "live.take.npz")
    assert again.meta == take.meta
    assert (again.values == take.values).all()


def test_a_recording_can_be_calibrated_again(clip: list[VideoFrame], fast: Regressor) -> None:
    take = record(clip, fast)
    calibrator = calibration.Calibrator(take, fast)
    plain = calibrator.curves(calibration.Settings())
    first = calibrator.curves(calibration.Settings(calibration.NeutralSettings("frames", (0, 1, 2))))
    assert np.isfinite(plain.values).all()
    assert np.abs(plain.values - first.values).max() > 0.0
    assert take.meta["regressor"] == {"name": "fast", "version": fast.entry.version}
    assert take.meta["live"]["source"] == "pictures"
    assert take.meta["source"]["path"] is None
    assert take.meta["source"]["rate_hz"] == pytest.approx(30.0, rel=0.01)
    assert sources.state(take) == "missing"


def test_lost_faces_are_rows_too(clip: list[VideoFrame], fast: Regressor) -> None:
    wall = np.full_like(clip[0].image, 140)
    frames = [VideoFrame(f.index, f.time_s, wall if 10 <= f.index < 20 else f.image) for f in clip[:30]]
    take = record(frames, fast)
    assert (~take.found).nonzero()[0].tolist() == list(range(9, 19))
    assert np.isnan(take.values[9:19]).all()


@pytest.mark.parametrize("suffix", [".mp4", ".avi", ""])
def test_pictures_are_kept_in_step_with_rows(fast: Regressor, tmp_path: Path, suffix: str) -> None:
    """Variable times: the video runs evenly, the take knows better."""
    times_s = np.cumsum([0.0, *np.tile([0.02, 0.05], 10)])
    frames = [VideoFrame(k, float(t), clips.numbered_image(k)) for k, t in enumerate(times_s)]
    path = tmp_path / "new folder" / f"kept{suffix}"
    take = record(frames, fast, path)
    assert take.time_s == pytest.approx(times_s[1:] - times_s[1])
    with open_video(path) as video:
        numbers = [clips.read_number(frame.image) for frame in video.frames()]
    assert numbers == list(range(1, 21)), "picture k is row k"
    assert take.meta["source"]["path"] == str(path.resolve())
    if suffix:
        assert sources.state(take) == "same"


def test_the_kept_video_gives_the_same_take_again(clip: list[VideoFrame], fast: Regressor, tmp_path: Path) -> None:
    take = record(clip, fast, tmp_path / "kept.mp4")
    again, _ = pipeline.extract(tmp_path / "kept.mp4", tracker(), fast)
    assert len(again) == len(take) == 71
    assert np.abs(again.values - take.values).mean() < 0.02


def test_pictures_come_as_jpegs_where_there_is_no_encoder(
    fast: Regressor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(film._CODECS, ".mp4", "XXXX")  # a codec that OpenCV has not
    frames = [VideoFrame(k, k / 30, clips.numbered_image(k)) for k in range(5)]
    take = record(frames, fast, tmp_path / "kept.mp4")
    folder = tmp_path / "kept"
    assert take.meta["source"]["path"] == str(folder)
    assert not (tmp_path / "kept.mp4").exists()
    images = [image_sequence.read_image(path) for path in image_sequence.resolve(folder)]
    assert [clips.read_number(image) for image in images] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda folder: folder / "kept.webm", "no name for a video"),
        (lambda folder: _touched(folder / "kept.mp4"), "already exists"),
        (lambda folder: _touched(folder / "file") / "kept.mp4", "Cannot write|Not a directory"),
        (lambda folder: _touched(folder / "kept"), "already exists"),
    ],
)
def test_a_place_that_cannot_be_written_is_told_before_recording(
    clip: list[VideoFrame], fast: Regressor, tmp_path: Path, make: Callable[[Path], Path], told: str
) -> None:
    source = Pictures(clip, goes_on=True)
    session = started(source, fast)
    wait_for(lambda: session.state == "running", "the first frame")
    with pytest.raises(OutputError, match=told):
        session.record(make(tmp_path))
    assert session.recording is None
    assert session.state == "running"
    session.record()  # without pictures it works
    session.stop()


def _touched(path: Path) -> Path:
    path.touch()
    return path


def test_a_disk_that_fails_costs_the_video_alone(clip: list[VideoFrame], fast: Regressor, tmp_path: Path) -> None:
    """The folder of pictures is taken away while they are written."""
    source = Pictures(clip[:20])
    session = started(source, fast)

    def meddle(frame: object) -> None:
        if frame.index == 0:  # type: ignore[attr-defined]
            session.record(tmp_path / "kept")
        if frame.index == 10:  # type: ignore[attr-defined]
            (tmp_path / "kept").rename(tmp_path / "away")

    play(session, source, meddle)
    take = session.stop_recording()
    assert take is not None
    assert len(take) == 19
    assert "Cannot write" in session.recording_problem
    assert take.meta["source"]["path"] is None


def test_two_recordings_at_once_and_one_after_the_other(clip: list[VideoFrame], fast: Regressor) -> None:
    source = Pictures(clip[:20])
    session = started(source, fast)
    takes = []

    def act(frame: object) -> None:
        index = frame.index  # type: ignore[attr-defined]
        if index in (2, 10):
            session.record()
            with pytest.raises(LiveError, match="stop it first"):
                session.record()
        if index == 6:
            takes.append(session.stop_recording())

    play(session, source, act)
    takes.append(session.stop_recording())
    assert [len(take) for take in takes] == [4, 9]
    assert all(take.time_s[0] == 0.0 for take in takes)
    assert session.stop_recording() is None


def test_a_recording_without_a_frame_is_none(clip: list[VideoFrame], fast: Regressor, tmp_path: Path) -> None:
    source = Pictures(clip, goes_on=True)
    session = started(source, fast)
    wait_for(lambda: session.state == "running", "the first frame")
    session.record(tmp_path / "kept.mp4")
    assert session.recording == 0
    assert session.stop_recording() is None
    session.stop()


def test_what_the_disk_cannot_take_is_dropped_in_step(
    clip: list[VideoFrame], fast: Regressor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Row and picture together, counted; whoever adds never waits."""
    monkeypatch.setattr(recording, "_MOST_WAITING", 3 * clip[0].image.nbytes)
    origin = Origin("pictures", 30.0, pose.Camera((640, 360)), {"name": "onnx", "version": "2"}, fast)
    recorder = Recorder(origin, tmp_path / "kept")
    go_on = threading.Event()
    write = recorder._film.write  # type: ignore[union-attr]
    monkeypatch.setattr(recorder._film, "write", lambda image: (go_on.wait(30.0), write(image)))
    started_s = time.monotonic()
    for frame in clip[:20]:
        recorder.add(frame.time_s, frame.image, None, np.zeros(0, np.float32))
    assert time.monotonic() - started_s < 5.0
    go_on.set()
    take = recorder.finish()
    assert take is not None
    assert recorder.dropped == 20 - len(take) > 10
    assert take.meta["live"]["dropped"] == recorder.dropped
    assert len(list((tmp_path / "kept").iterdir())) == len(take)
    assert take.time_s == pytest.approx([frame.time_s for frame in clip[: len(take)]])


def test_a_picture_of_another_size_is_fitted(tmp_path: Path) -> None:
    kept = open_film(tmp_path / "kept.avi", (clips.WIDTH_PX, clips.HEIGHT_PX), 30.0)
    kept.write(clips.numbered_image(1))
    kept.write(np.repeat(np.repeat(clips.numbered_image(2), 2, axis=0), 2, axis=1))
    kept.close()
    with open_video(tmp_path / "kept.avi") as video:
        assert [clips.read_number(frame.image) for frame in video.frames()] == [1, 2]
