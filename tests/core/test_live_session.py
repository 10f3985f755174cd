"""Live sessions for real: threads, networks and a clip at its own pace; failures come in through the source."""

import gc
import threading
import time
import weakref
from pathlib import Path

import numpy as np
import pytest

from au_mocap import calibration, channels, pipeline
from au_mocap.errors import LiveError, ModelError, SettingsError
from au_mocap.live.frames import SourceFrame
from au_mocap.live.session import DEFAULT_REGRESSOR, LiveFrame, LiveSettings, Session
from au_mocap.live.slots import Newest
from au_mocap.live.sources import CameraSource, FileSource
from au_mocap.registry import Registry
from au_mocap.regressors import Neutral, Regressor, open_regressor
from au_mocap.take import Take
from au_mocap.tracking import open_tracker
from au_mocap.video import VideoFrame, open_video
from tests.core.live import PATIENCE_S, Pictures, live_threads, play, started, tracker, wait_for


@pytest.fixture(scope="module")
def fast() -> Regressor:
    return open_regressor(Registry(), DEFAULT_REGRESSOR, "cpu")


@pytest.fixture(scope="module")
def clip(single_face: Path) -> list[VideoFrame]:
    with open_video(single_face) as video:
        return list(video.frames())


@pytest.fixture(scope="module")
def offline(single_face: Path, fast: Regressor) -> Take:
    return pipeline.extract(single_face, tracker(), fast)[0]


@pytest.fixture(autouse=True)
def all_threads_end() -> object:
    yield
    wait_for(lambda: not live_threads(), "threads to end")


# What comes out -------------------------------------------------------------------------------------------------------


def test_values_are_the_offline_ones(clip: list[VideoFrame], offline: Take, fast: Regressor) -> None:
    """The same neutral, no filter: what is left is the crop that offline foretells one frame further ahead."""
    reference = calibration.curves(offline, calibration.Settings(smoothing="off"), fast)
    source = Pictures(clip)
    session = Session(source, tracker, fast, LiveSettings(smoothing="off"))
    session.set_neutral(reference.neutral.neutral)
    session.start()
    frames = play(session, source)
    assert session.state == "ended"
    assert session.problem == ""
    assert [frame.index for frame in frames] == list(range(72))
    raw = np.stack([frame.raw for frame in frames])
    shown = np.stack([frame.values for frame in frames])
    assert np.abs(raw - reference.values).mean() <= 0.015
    settled = slice(12, None)  # the face has eased in
    assert np.abs(shown - reference.values)[settled].mean() <= 0.015
    turns = np.abs(np.sum(np.stack([frame.head_rotation for frame in frames]) * reference.head_rotation, axis=1))
    assert np.degrees(2 * np.arccos(np.clip(turns, 0, 1)))[settled].max() < 3.0
    places = np.stack([frame.head_position for frame in frames]) - reference.head_position
    assert np.linalg.norm(places, axis=1)[settled].max() < 0.01
    assert [frame.time_s for frame in frames] == pytest.approx(offline.time_s)


def test_light_filtering_stays_near_the_offline_curves(clip: list[VideoFrame], offline: Take, fast: Regressor) -> None:
    reference = calibration.curves(offline, calibration.Settings(), fast)
    source = Pictures(clip)
    session = Session(source, tracker, fast, LiveSettings())
    session.set_neutral(reference.neutral.neutral)
    session.start()
    shown = np.stack([frame.values for frame in play(session, source)])
    assert np.abs(shown - reference.values)[12:].mean() <= 0.05


def test_a_frame_tells_what_it_shows(clip: list[VideoFrame], fast: Regressor) -> None:
    source = Pictures(clip[:3])
    frame = play(started(source, fast), source)[-1]
    assert frame.found
    assert frame.image.shape == (360, 640, 3)
    assert frame.landmarks is not None
    assert frame.crop is not None
    assert frame.landmarks.shape == (478, 3)
    left, right = frame.landmarks[:, 0].min(), frame.landmarks[:, 0].max()
    assert frame.crop.center_x_px == pytest.approx((left + right) / 2, abs=20)
    assert 0.5 < frame.confidence <= 1.0
    assert (frame.values.shape, frame.values.dtype) == ((len(channels.IDS),), np.float32)
    assert (frame.raw.shape, frame.raw.dtype) == ((len(channels.IDS),), np.float32)
    assert (frame.head_rotation.shape, frame.head_position.shape) == ((4,), (3,))
    assert frame.captured_s < frame.ready_s


def test_a_face_that_leaves_is_data(clip: list[VideoFrame], fast: Regressor) -> None:
    wall = np.full_like(clip[0].image, 140)
    frames = [VideoFrame(f.index, f.time_s, wall if f.index >= 20 else f.image) for f in clip]
    source = Pictures(frames)
    shown = play(started(source, fast), source)
    assert [frame.found for frame in shown] == [index < 20 for index in range(72)]
    assert shown[-1].landmarks is None
    assert shown[-1].crop is None
    assert shown[-1].confidence == 0.0
    assert np.isnan(shown[-1].raw).all()
    assert (shown[-1].values == 0.0).all()
    assert np.isfinite(shown[-1].head_rotation).all()


def test_settings_change_from_the_next_frame_on(clip: list[VideoFrame], fast: Regressor) -> None:
    source = Pictures(clip)
    session = started(source, fast, smoothing="off")

    def change(frame: LiveFrame) -> None:
        if frame.index == 30:
            session.settings = LiveSettings(smoothing="off", muted=frozenset({"lips", "head"}))
        if frame.index == 40:
            session.settings = LiveSettings(smoothing="off", frozen=True)

    frames = play(session, source, change)
    smile = channels.INDEX["lip_corner_pull_L"]
    assert frames[30].values[smile] > 0.0
    assert np.isfinite(frames[30].head_rotation).all()
    assert frames[31].values[smile] == 0.0
    assert np.isnan(frames[31].head_rotation).all()
    assert (np.stack([frame.values for frame in frames[41:]]) == frames[41].values).all()
    assert (frames[45].raw != frames[41].raw).any(), "what is measured goes on"


# Keeping up -----------------------------------------------------------------------------------------------------------


def test_newest_gives_every_frame_once_and_never_waits(single_face: Path, fast: Regressor) -> None:
    session = started(FileSource(single_face, loop=True), fast)
    wait_for(lambda: session.state == "running", "the first frame")
    seen = []
    longest_s = 0.0
    while len(seen) < 20:
        before_s = time.thread_time()
        frame = session.newest()
        longest_s = max(longest_s, time.thread_time() - before_s)
        if frame is not None:
            seen.append(frame.index)
        time.sleep(0.001)
    assert seen == sorted(set(seen))
    assert longest_s < 0.005
    statistics = session.statistics
    assert statistics.frames_per_s > 1.0
    assert 0.0 < statistics.latency_s < PATIENCE_S
    assert statistics.dropped >= 0
    assert statistics.age_s < PATIENCE_S
    session.stop()
    assert session.state == "ended"


def test_a_slow_session_drops_and_counts(single_face: Path, fast: Regressor) -> None:
    """A tracker that takes five frames' time for each."""

    class Slow:
        def __init__(self) -> None:
            self.own = tracker()
            self.name, self.version = self.own.name, self.own.version

        def track(self, image: np.ndarray, time_s: float) -> object:
            time.sleep(5 / 30)
            return self.own.track(image, time_s)

        def reset(self, maps: tuple[str, ...] = ()) -> None:
            self.own.reset(maps)

    session = Session(FileSource(single_face), Slow, fast)  # type: ignore[arg-type]
    session.start()
    frames = []
    while session.state in ("opening", "running"):
        frame = session.newest()
        if frame is not None:
            frames.append(frame)
        time.sleep(0.001)
    assert np.diff([frame.index for frame in frames]).min() >= 4
    assert session.statistics.dropped >= 72 * 3 // 4
    waits = [frame.ready_s - frame.captured_s for frame in frames]
    assert np.median(waits) < 3 * 5 / 30, "each looks at the newest, none at a queue"


def test_nothing_is_known_before_the_first_frame(fast: Regressor) -> None:
    session = Session(Pictures([]), tracker, fast)
    assert session.state == "opening"
    assert session.newest() is None
    statistics = session.statistics
    assert (statistics.frames_per_s, statistics.dropped) == (0.0, 0)
    assert np.isnan(statistics.latency_s)
    assert np.isinf(statistics.age_s)


def test_the_slot_keeps_the_newest() -> None:
    slot: Newest[int] = Newest()
    assert slot.take() is None
    slot.put(1)
    slot.put(2)
    assert slot.take() == 2
    assert slot.take(0.01) is None
    slot.put(3)
    slot.close()
    assert not slot.exhausted
    assert slot.take(10.0) == 3
    started_s = time.monotonic()
    assert slot.take(10.0) is None
    assert time.monotonic() - started_s < 5.0, "nobody waits for what will not come"
    assert slot.exhausted


# Ends -----------------------------------------------------------------------------------------------------------------


def test_stop_is_quick_and_closes_the_source(single_face: Path, clip: list[VideoFrame], fast: Regressor) -> None:
    source = Pictures(clip, goes_on=True)
    session = started(source, fast)
    wait_for(lambda: session.state == "running", "the first frame")
    started_s = time.monotonic()
    session.stop()
    assert time.monotonic() - started_s < 0.5 + 0.1
    assert session.state == "ended"
    wait_for(source.closed.is_set, "the source to be closed")
    session.stop()
    assert session.problem == ""


def test_stop_does_not_wait_for_a_driver_that_hangs(clip: list[VideoFrame], fast: Regressor) -> None:
    release = threading.Event()

    class Hanging(Pictures):
        def read(self, timeout_s: float) -> SourceFrame | None:
            if self.index >= 2:
                release.wait(PATIENCE_S)
            self.wanted.release()
            return super().read(timeout_s)

    source = Hanging(clip, goes_on=True)
    session = started(source, fast)
    wait_for(lambda: session.state == "running", "the first frame")
    started_s = time.monotonic()
    session.stop(0.2)
    assert time.monotonic() - started_s < 0.5
    assert session.state == "ended"
    assert not source.closed.is_set()
    release.set()
    wait_for(source.closed.is_set, "the thread to close the source itself")


def test_a_session_that_is_dropped_ends(clip: list[VideoFrame], fast: Regressor) -> None:
    source = Pictures(clip, goes_on=True)

    def begin() -> weakref.ref[Session]:
        session = started(source, fast)
        wait_for(lambda: session.state == "running", "the first frame")
        return weakref.ref(session)

    gone = begin()
    gc.collect()
    assert gone() is None
    wait_for(source.closed.is_set, "the source to be closed")


def test_stop_before_start_and_start_after_stop(clip: list[VideoFrame], fast: Regressor) -> None:
    session = Session(Pictures(clip), tracker, fast)
    session.stop()
    with pytest.raises(LiveError, match="begin a new one"):
        session.start()
    running = started(Pictures(clip, goes_on=True), fast)
    with pytest.raises(LiveError, match="begin a new one"):
        running.start()
    running.stop()


def test_python_ends_with_a_session_running(single_face: Path) -> None:
    """In a process of its own, which neither hangs nor crashes."""
    import subprocess
    import sys

    code = (
        "import time\n"
        "from pathlib import Path\n"
        "from au_mocap.live.session import Session\n"
        "from au_mocap.live.sources import FileSource\n"
        "from au_mocap.registry import Registry\n"
        "from au_mocap.regressors import open_regressor\n"
        "from au_mocap.tracking import open_tracker\n"
        "registry = Registry()\n"
        f"source = FileSource(Path({str(single_face)!r}), loop=True)\n"
        "make = lambda: open_tracker('onnx', registry, 'cpu')\n"
        "session = Session(source, make, lambda: open_regressor(registry, 'fast', 'cpu'))\n"
        "session.start()\n"
        "while session.state == 'opening': time.sleep(0.01)\n"
        "print(session.state)\n"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "running\n", "")


# What goes wrong ------------------------------------------------------------------------------------------------------


def failed(session: Session) -> str:
    wait_for(lambda: session.state not in ("opening", "running"), "the session to fail")
    assert session.state == "failed"
    return session.problem


def test_a_camera_that_is_not_there_fails_the_session(fast: Regressor) -> None:
    assert "There is no camera 97" in failed(started(CameraSource(97), fast))


def test_a_source_that_cannot_be_opened(clip: list[VideoFrame], fast: Regressor) -> None:
    class Closed(Pictures):
        def open(self) -> None:
            message = "The camera is busy: close the other program."
            raise LiveError(message)

    source = Closed(clip)
    assert failed(started(source, fast)) == "The camera is busy: close the other program."
    assert source.closed.is_set()


def test_a_camera_that_is_unplugged_while_recording(clip: list[VideoFrame], fast: Regressor) -> None:
    """The take up to there is not lost, and the reason is told, not the end alone."""
    source = Pictures(clip[:20], LiveError("Plug it in again."))
    session = started(source, fast)
    play(session, source, lambda frame: session.record() if frame.index == 4 else None)
    assert failed(session) == "Plug it in again."
    take = session.stop_recording()
    assert take is not None
    assert 14 <= len(take) <= 15
    with pytest.raises(LiveError, match="has failed: start it again"):
        session.calibrate()


def test_networks_that_cannot_be_opened(clip: list[VideoFrame], fast: Regressor) -> None:
    session = Session(Pictures(clip), lambda: open_tracker("none", Registry()), fast)
    session.start()
    assert "There is no tracker 'none'" in failed(session)
    session = Session(Pictures(clip), tracker, lambda: open_regressor(Registry(), "none"))
    session.start()
    assert "none" in failed(session)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_bug_is_told_as_one(clip: list[VideoFrame], fast: Regressor) -> None:
    source = Pictures(clip[:3], ZeroDivisionError("oops"))
    session = started(source, fast)
    play(session, source)
    problem = failed(session)
    assert "ZeroDivisionError('oops')" in problem
    assert "please report it" in problem


def test_a_neutral_of_another_regressor_is_refused(clip: list[VideoFrame], fast: Regressor) -> None:
    other = Neutral(np.zeros((478, 3), np.float32), np.zeros((478, 1), np.float32), np.zeros(7, np.float32))
    session = Session(Pictures(clip), tracker, fast)
    with pytest.raises(LiveError, match="calibrate again"):
        session.set_neutral(other)
    later = Session(Pictures(clip), tracker, lambda: fast)
    later.set_neutral(other)
    later.start()
    assert "was not made with regressor 'fast'" in failed(later)


def test_a_field_of_view_that_cannot_be(clip: list[VideoFrame], fast: Regressor) -> None:
    with pytest.raises(SettingsError, match="field of view"):
        Session(Pictures(clip), tracker, fast, fov_deg=200.0)


def test_nothing_is_asked_of_a_session_that_does_not_run(clip: list[VideoFrame], fast: Regressor) -> None:
    session = Session(Pictures(clip), tracker, fast)
    with pytest.raises(LiveError, match="has not begun yet"):
        session.record()
    session.stop()
    with pytest.raises(LiveError, match="has ended"):
        session.calibrate()
    assert session.stop_recording() is None


def test_a_picture_that_is_none_fails_the_session(clip: list[VideoFrame], fast: Regressor) -> None:
    odd = [VideoFrame(0, 0.0, np.zeros((20, 20), np.float32))]  # type: ignore[arg-type]
    assert "Cannot track an array" in failed(started(Pictures(odd), fast))


def test_a_network_that_fails_midway(clip: list[VideoFrame], fast: Regressor) -> None:
    class Breaking:
        def __init__(self) -> None:
            self.own, self.count = tracker(), 0
            self.name, self.version = self.own.name, self.own.version

        def track(self, image: np.ndarray, time_s: float) -> object:
            self.count += 1
            if self.count > 3:
                message = "The graphics card went away: use the CPU."
                raise ModelError(message)
            return self.own.track(image, time_s)

        def reset(self, maps: tuple[str, ...] = ()) -> None:
            self.own.reset(maps)

    source = Pictures(clip)
    session = Session(source, Breaking, fast)  # type: ignore[arg-type]
    session.start()
    assert len(play(session, source)) == 3
    assert failed(session) == "The graphics card went away: use the CPU."
    wait_for(source.closed.is_set, "the source to be closed")
