"""Live sources: a video at its own pace, a folder that is being filled, cameras and all that is wrong with them."""

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from au_mocap.errors import LiveError
from au_mocap.live import camera
from au_mocap.live.sources import CameraSource, FileSource, FolderSource, Source, SourceFrame, cameras
from au_mocap.video import open_video
from tests.core import clips


class Clock:
    """A clock that moves only when somebody waits."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s

    def wait(self, seconds: float) -> None:
        self.now_s += seconds


def opened(path: Path, clock: Clock, loop: bool = False) -> FileSource:
    source = FileSource(path, loop, clock=clock, wait=clock.wait)
    source.open()
    return source


def read_all(source: Source, clock: Clock, busy_s: float = 0.0) -> list[SourceFrame]:
    """Every frame that a reader gets who is busy for a while after each."""
    frames = []
    while not source.ended:
        frame = source.read(0.1)
        if frame is not None:
            frames.append(frame)
            clock.wait(busy_s)
    return frames


@pytest.fixture(scope="module")
def numbered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """30 frames at 25 fps that carry their numbers."""
    return clips.write_clip(tmp_path_factory.mktemp("live") / "numbered.mp4", range(30), rate_hz=25)


# A video --------------------------------------------------------------------------------------------------------------


def test_a_video_plays_at_its_own_pace(numbered: Path) -> None:
    clock = Clock()
    source = opened(numbered, clock)
    assert source.size_px == (clips.WIDTH_PX, clips.HEIGHT_PX)
    assert source.rate_hz == pytest.approx(25.0)
    assert source.name == "numbered.mp4"
    frames = read_all(source, clock)
    assert [frame.index for frame in frames] == list(range(30))
    assert [clips.read_number(frame.image) for frame in frames] == list(range(30))
    assert [frame.captured_s - 100.0 for frame in frames] == pytest.approx(np.arange(30) / 25)
    assert clock.now_s == pytest.approx(100.0 + 29 / 25)


def test_no_picture_comes_before_its_time(numbered: Path) -> None:
    clock = Clock()
    source = opened(numbered, clock)
    assert source.read(0.1) is not None
    assert source.read(0.01) is None
    assert clock.now_s == pytest.approx(100.01), "waited as long as it was let"
    late = source.read(0.1)
    assert late is not None
    assert clock.now_s == pytest.approx(late.captured_s)


def test_true_times_of_a_variable_rate(face_noface: Path) -> None:
    clock = Clock()
    with open_video(face_noface) as video:
        expected = [frame.time_s for frame in video.frames(0, 40)]
    source = opened(face_noface, clock)
    frames = [source.read(1.0) for _ in expected]
    assert [frame.captured_s - 100.0 for frame in frames if frame] == pytest.approx(expected)
    source.close()


def test_a_slow_reader_gets_the_newest_and_never_a_queue(numbered: Path) -> None:
    clock = Clock()
    source = opened(numbered, clock)
    ages = []
    frames = []
    while not source.ended:
        frame = source.read(0.1)
        if frame is not None:
            frames.append(frame)
            ages.append(clock.now_s - frame.captured_s)
            clock.wait(0.13)  # 3.25 frames
    assert max(ages) < 1 / 25
    assert np.diff([frame.index for frame in frames]).min() >= 3
    assert [clips.read_number(frame.image) for frame in frames] == [frame.index for frame in frames]


def test_a_loop_goes_on_counting_and_in_time(numbered: Path) -> None:
    clock = Clock()
    source = opened(numbered, clock, loop=True)
    frames = [source.read(1.0) for _ in range(70)]
    assert [frame.index for frame in frames if frame] == list(range(70))
    assert [clips.read_number(frame.image) for frame in frames if frame] == [index % 30 for index in range(70)]
    steps = np.diff([frame.captured_s for frame in frames if frame])
    assert steps == pytest.approx(1 / 25)
    assert not source.ended
    source.close()
    assert source.read(0.1) is None


def test_real_time_is_real(numbered: Path) -> None:
    source = FileSource(numbered)
    source.open()
    started_s = time.perf_counter()
    frames = []
    while not source.ended:
        frame = source.read(0.1)
        if frame is not None:
            frames.append(frame)
            assert frame.captured_s <= time.perf_counter()
    assert time.perf_counter() - started_s >= 29 / 25
    assert frames[-1].index == 29


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda folder: folder / "none.mp4", "There is no file"),
        (lambda folder: _written(folder / "empty.mp4", b""), "is empty"),
        (lambda folder: _written(folder / "text.mp4", b"no video at all"), "text.mp4"),
    ],
)
def test_a_video_that_cannot_be_opened_is_told(tmp_path: Path, make: Callable[[Path], Path], told: str) -> None:
    with pytest.raises(LiveError, match=told):
        FileSource(make(tmp_path)).open()


def _written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


# A folder -------------------------------------------------------------------------------------------------------------


def encoded(number: int, suffix: str = ".png") -> bytes:
    return cv2.imencode(suffix, clips.numbered_image(number))[1].tobytes()


def numbers(source: FolderSource, turns: int = 1) -> list[int | None]:
    frames = [source.read(0.0) for _ in range(turns)]
    return [None if frame is None else clips.read_number(frame.image) for frame in frames]


def write(path: Path, data: bytes, second: float) -> None:
    """A file with a time of change of its own, since a test writes quicker than some file systems count."""
    import os

    path.write_bytes(data)
    os.utime(path, ns=(int(second * 1e9), int(second * 1e9)))


def test_a_folder_gives_its_newest_image_once(tmp_path: Path) -> None:
    for number in range(3):
        write(tmp_path / f"f_{number:04d}.png", encoded(number), 1000 + number)
    source = FolderSource(tmp_path)
    source.open()
    assert numbers(source, 2) == [2, None]
    write(tmp_path / "f_0003.png", encoded(3), 1003)
    assert numbers(source, 2) == [3, None]
    for number in (4, 5, 6):
        write(tmp_path / f"f_{number:04d}.png", encoded(number), 1000 + number)
    frame = source.read(0.0)
    assert frame is not None
    assert clips.read_number(frame.image) == 6
    assert frame.index == 4, "0, 1, then three more of which two were dropped"
    assert source.size_px == (clips.WIDTH_PX, clips.HEIGHT_PX)
    assert not source.ended


def test_one_file_that_is_written_again_and_again_counts(tmp_path: Path) -> None:
    source = FolderSource(tmp_path)
    source.open()
    assert numbers(source) == [None]
    for number in (1, 2):
        write(tmp_path / "live.jpg", encoded(number, ".jpg"), 1000 + number)
        assert numbers(source, 2) == [number, None]


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".webp", ".tiff"])
@pytest.mark.parametrize("part", [0.0, 0.3, 0.98])
def test_a_half_written_image_is_tried_again(tmp_path: Path, suffix: str, part: float) -> None:
    data = encoded(5, suffix)
    write(tmp_path / f"f_1{suffix}", data[: int(part * len(data))], 1000)
    source = FolderSource(tmp_path)
    source.open()
    assert numbers(source, 3) == [None] * 3
    write(tmp_path / f"f_1{suffix}", data, 1001)
    assert numbers(source, 2) == [5, None]


def test_an_image_whose_last_piece_came_after_the_look_is_shown_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, data = tmp_path / "f_1.jpg", encoded(5, ".jpg")
    write(path, data[:-1000], 1000)
    look = FolderSource._list

    def then_written(source: FolderSource) -> list[tuple[int, str, Path]]:
        found = look(source)
        write(path, data, 1001)
        return found

    monkeypatch.setattr(FolderSource, "_list", then_written)
    source = FolderSource(tmp_path)
    assert numbers(source, 3) == [5, None, None]


def test_an_image_that_stays_broken_is_told(tmp_path: Path) -> None:
    clock = Clock()
    write(tmp_path / "f_1.png", encoded(5)[:-20], 1000)
    source = FolderSource(tmp_path, clock=clock)
    source.open()
    assert source.read(0.0) is None
    clock.wait(3.0)
    with pytest.raises(LiveError, match=r"f_1\.png stays unreadable: let the other program"):
        source.read(0.0)


def test_times_are_those_of_writing_and_increase(tmp_path: Path) -> None:
    source = FolderSource(tmp_path)
    source.open()
    moments = []
    for number in range(4):
        (tmp_path / f"f_{number}.png").write_bytes(encoded(number))
        before_s = time.perf_counter()
        frame = source.read(1.0)
        assert frame is not None
        assert frame.captured_s <= time.perf_counter()
        assert before_s - frame.captured_s < 0.5
        moments.append(frame.captured_s)
        time.sleep(0.02)
    assert (np.diff(moments) > 0).all()


def test_a_folder_is_watched_while_it_is_filled(tmp_path: Path) -> None:
    """For real: another thread writes piece by piece; every image that is shown is whole."""

    def fill() -> None:
        for number in range(20):
            data = encoded(number, ".jpg")
            with (tmp_path / f"f_{number:03d}.jpg").open("wb") as file:
                for start in range(0, len(data), 1000):
                    file.write(data[start : start + 1000])
                    file.flush()
                    time.sleep(0.001)

    source = FolderSource(tmp_path)
    source.open()
    writer = threading.Thread(target=fill)
    writer.start()
    shown = []
    while writer.is_alive() or not shown:
        frame = source.read(0.05)
        if frame is not None:
            shown.append(clips.read_number(frame.image))
    writer.join()
    assert shown == sorted(shown)
    assert len(set(shown)) == len(shown) > 3


def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(LiveError, match="There is no folder"):
        FolderSource(tmp_path / "none").open()
    file = _written(tmp_path / "file.png", b"x")
    with pytest.raises(LiveError, match="is a file"):
        FolderSource(file).open()
    source = FolderSource(_folder(tmp_path / "gone"))
    source.open()
    (tmp_path / "gone").rmdir()
    with pytest.raises(LiveError, match="There is no folder"):
        source.read(0.0)


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def test_what_is_no_image_is_passed_over(tmp_path: Path) -> None:
    write(tmp_path / "f_1.png", encoded(1), 1000)
    write(tmp_path / "notes.txt", b"hello", 1001)
    write(tmp_path / ".f_2.png", encoded(2), 1002)
    source = FolderSource(tmp_path)
    source.open()
    assert numbers(source) == [1]


# Cameras --------------------------------------------------------------------------------------------------------------


class StandIn:
    """A camera as OpenCV shows it: there is none where tests run."""

    def __init__(self, size_px: tuple[int, int] = (640, 480), good: int = 5, opens: bool = True) -> None:
        self.opens, self.good, self.size_px = opens, good, size_px
        self.asked: dict[int, float] = {}
        self.released = False
        self.stamp_ms = 0.0

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        return self.opens

    def set(self, propId: int, value: float) -> bool:  # noqa: N803 - OpenCV's name
        self.asked[propId] = value
        return True

    def get(self, propId: int) -> float:  # noqa: N803 - OpenCV's name
        sizes = {cv2.CAP_PROP_FRAME_WIDTH: self.size_px[0], cv2.CAP_PROP_FRAME_HEIGHT: self.size_px[1]}
        return {**sizes, cv2.CAP_PROP_FPS: 30.0, cv2.CAP_PROP_POS_MSEC: self.stamp_ms}.get(propId, 0.0)

    def grab(self) -> bool:
        self.good -= 1
        return self.good >= 0

    def retrieve(self) -> tuple[bool, np.ndarray]:
        return True, np.zeros((self.size_px[1], self.size_px[0], 3), np.uint8)

    def release(self) -> None:
        self.released = True


def source_of(stand_in: StandIn, size_px: tuple[int, int] | None = None, rate_hz: float | None = None) -> CameraSource:
    return CameraSource(0, size_px, rate_hz, open_capture=lambda index: stand_in)


def test_a_camera_gives_pictures_with_times() -> None:
    stand_in = StandIn()
    source = source_of(stand_in, (640, 480), 30.0)
    source.open()
    assert stand_in.asked[cv2.CAP_PROP_FRAME_WIDTH] == 640
    assert stand_in.asked[cv2.CAP_PROP_FPS] == 30.0
    assert stand_in.asked[cv2.CAP_PROP_BUFFERSIZE] == 2, "the driver must not queue"
    assert (source.size_px, source.rate_hz) == ((640, 480), 30.0)
    frames = [source.read(0.1) for _ in range(3)]
    assert [frame.index for frame in frames if frame] == [0, 1, 2]
    moments = [frame.captured_s for frame in frames if frame]
    assert moments == sorted(set(moments))
    assert abs(time.perf_counter() - moments[-1]) < 1.0
    source.close()
    assert stand_in.released
    assert source.read(0.1) is None


def test_a_capture_of_opencv_itself_that_runs_dry(numbered: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file in the camera's place: real pictures, and a real end of them as when the plug is pulled."""
    monkeypatch.setattr(camera, "_LOST_S", 0.1)
    source = CameraSource(
        0, (clips.WIDTH_PX, clips.HEIGHT_PX), open_capture=lambda index: cv2.VideoCapture(str(numbered))
    )
    source.open()
    frames = [source.read(0.1) for _ in range(29)]  # the first one proved that the camera works
    assert [clips.read_number(frame.image) for frame in frames if frame] == list(range(1, 30))
    frame = frames[0]
    assert frame is not None
    assert (frame.image.dtype, frame.image.shape) == (np.uint8, (clips.HEIGHT_PX, clips.WIDTH_PX, 3))
    assert source.read(0.0) is None
    time.sleep(0.15)
    with pytest.raises(LiveError, match="plug it in again"):
        source.read(0.0)


def test_the_drivers_stamp_counts_where_it_is_of_this_clock() -> None:
    stand_in = StandIn()
    source = source_of(stand_in)
    source.open()
    stamp_s = time.perf_counter() - 0.05
    stand_in.stamp_ms = stamp_s * 1000
    frame = source.read(0.1)
    assert frame is not None
    assert frame.captured_s == pytest.approx(stamp_s, abs=1e-6)
    stand_in.stamp_ms = 12.0  # counts from the camera's own beginning
    frame = source.read(0.1)
    assert frame is not None
    assert time.perf_counter() - frame.captured_s < 0.5


def test_large_pictures_are_asked_for_compressed() -> None:
    stand_in = StandIn((1280, 720))
    source_of(stand_in, (1280, 720)).open()
    assert stand_in.asked[cv2.CAP_PROP_FOURCC] == cv2.VideoWriter.fourcc(*"MJPG")


def test_a_refused_resolution_is_told_with_the_one_there_is() -> None:
    stand_in = StandIn((1280, 720))
    with pytest.raises(LiveError, match="does not give 1920 x 1080 pictures: choose 1280 x 720"):
        source_of(stand_in, (1920, 1080)).open()
    assert stand_in.released


def test_a_busy_camera_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera, "_FIRST_FRAME_S", 0.1)
    stand_in = StandIn(good=0)
    with pytest.raises(LiveError, match="another program may be using it"):
        source_of(stand_in).open()
    assert stand_in.released


def test_an_unplugged_camera_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera, "_LOST_S", 0.1)
    stand_in = StandIn(good=3)
    source = source_of(stand_in)
    source.open()
    assert source.read(0.1) is not None
    assert source.read(0.1) is not None
    assert source.read(0.0) is None, "one picture that fails is no reason to give up"
    time.sleep(0.15)
    with pytest.raises(LiveError, match="gives no more pictures: plug it in again"):
        source.read(0.02)
    assert stand_in.released


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's device files")
def test_a_camera_that_is_not_there_is_told(tmp_path: Path) -> None:
    """By OpenCV itself, on a machine without a camera of that number."""
    with pytest.raises(LiveError, match=r"There is no camera 97: (plug one in|choose)"):
        CameraSource(97).open()
    with pytest.raises(LiveError, match="counted from 0"):
        CameraSource(-1).open()


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's device files")
def test_a_camera_without_permission_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "video0").touch()
    monkeypatch.setattr(camera.os, "access", lambda path, mode: False)  # whoever runs tests as root may do anything
    source = CameraSource(0, open_capture=lambda index: StandIn(opens=False), devices=tmp_path)
    with pytest.raises(LiveError, match="add yourself to the group 'video'"):
        source.open()


@pytest.mark.skipif(sys.platform != "linux", reason="reads what Linux lists")
def test_cameras_are_listed_with_their_names(tmp_path: Path) -> None:
    for device, name, index in (("video2", "Studio Cam", "0"), ("video0", "Webcam", "0"), ("video1", "Webcam", "1")):
        (tmp_path / device).mkdir()
        (tmp_path / device / "name").write_text(f"{name}\n")
        (tmp_path / device / "index").write_text(f"{index}\n")
    (tmp_path / "radio0").mkdir()
    found = cameras(tmp_path)
    assert [(item.index, item.name) for item in found] == [(0, "Webcam"), (2, "Studio Cam")]
    assert cameras(tmp_path / "none") == ()


def test_a_system_that_ends_whoever_touches_a_camera_ends_a_child() -> None:
    """The real child process, killed by itself as macOS would kill it."""
    with pytest.raises(LiveError, match="Start Blender from a terminal"):
        camera.check_permission(0, "import os, signal; os.kill(os.getpid(), signal.SIGABRT)")
    camera.check_permission(0, "import sys; sys.exit(3)")  # no camera is told later, with a reason
    camera.check_permission(97)  # OpenCV loads in the child


def test_a_child_that_hangs_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera, "_PROBE_S", 0.5)
    with pytest.raises(LiveError, match="answer the system's question"):
        camera.check_permission(0, "import time; time.sleep(30)")


def test_every_kind_is_a_source(tmp_path: Path) -> None:
    sources: list[Source] = [FileSource(tmp_path), FolderSource(tmp_path), CameraSource(0)]
    assert all(source.name and not source.ended for source in sources)
