"""au_mocap.video: true times, exact frames, flat memory, and what it says about bad input."""

import hashlib
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from au_mocap import decoder, video
from au_mocap.errors import VideoError
from au_mocap.video import VideoFrame, file_sha256, open_video, read_ahead
from tests.core.clips import HEIGHT_PX, WIDTH_PX, ffmpeg, read_number, write_clip

COUNT = 150
VARIABLE_MS = [40 * n + 13 * (n % 3) + 200 * (n >= 50) for n in range(COUNT)]
VARIABLE = "settb=1/1000,setpts=N*40+13*mod(N\\,3)+200*gte(N\\,50)"


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of clips of 150 numbered frames, each of another kind."""
    folder = tmp_path_factory.mktemp("clips")
    numbers = range(COUNT)
    write_clip(folder / "constant.mp4", numbers)
    write_clip(folder / "moov_first.mp4", numbers, "-movflags", "+faststart")
    variable = ("-vf", VARIABLE, "-fps_mode", "passthrough", "-enc_time_base", "1:1000")
    write_clip(folder / "variable.mp4", numbers, *variable, "-video_track_timescale", "1000")
    write_clip(folder / "variable.mkv", numbers, *variable)
    open_gop = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-x264-params", "open-gop=1:keyint=30:bframes=3")
    write_clip(folder / "open_gop.mp4", numbers, *open_gop)
    write_clip(folder / "vp9.webm", numbers, "-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8")
    write_clip(folder / "motion_jpeg.avi", numbers, "-c:v", "mjpeg", "-q:v", "3")
    write_clip(folder / "grey.mp4", numbers, "-c:v", "libx264", "-pix_fmt", "gray")
    write_clip(folder / "stream.ts", numbers)
    return folder


CONSTANT = ["constant.mp4", "moov_first.mp4", "open_gop.mp4", "vp9.webm", "motion_jpeg.avi", "grey.mp4", "stream.ts"]
ALL = [*CONSTANT, "variable.mp4", "variable.mkv"]


def read(path: Path, start: int = 0, stop: int | None = None) -> list[VideoFrame]:
    with open_video(path) as clip:
        return list(clip.frames(start, stop))


# Times and frames -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
def test_every_frame_arrives_once_and_in_order(clips: Path, name: str) -> None:
    frames = read(clips / name)
    assert [frame.index for frame in frames] == list(range(COUNT))
    assert [read_number(frame.image) for frame in frames] == list(range(COUNT))
    assert {frame.image.shape for frame in frames} == {(HEIGHT_PX, WIDTH_PX, 3)}
    assert {frame.image.dtype for frame in frames} == {np.dtype(np.uint8)}


@pytest.mark.parametrize("name", CONSTANT)
def test_constant_rate_times(clips: Path, name: str) -> None:
    times = [frame.time_s for frame in read(clips / name)]
    # WebM keeps whole milliseconds.
    assert times == pytest.approx([n / 30 for n in range(COUNT)], abs=5.1e-4 if name == "vp9.webm" else 1e-9)


@pytest.mark.parametrize("name", ["variable.mp4", "variable.mkv"])
def test_variable_rate_times_are_the_files_own(clips: Path, name: str) -> None:
    with open_video(clips / name) as clip:
        times = [frame.time_s for frame in clip.frames()]
        assert not clip.warnings
    assert times == pytest.approx([ms / 1000 for ms in VARIABLE_MS], abs=1e-9)


def test_info(clips: Path) -> None:
    path = clips / "constant.mp4"
    with open_video(path) as clip:
        assert clip.info == video.VideoInfo(path, "constant.mp4", (WIDTH_PX, HEIGHT_PX), COUNT, 30.0, 5.0, "file")


@pytest.mark.parametrize(("angle", "corner"), [(90, (-1, 0)), (180, (-1, -1)), (270, (0, -1))])
def test_rotation_is_applied(tmp_path: Path, angle: int, corner: tuple[int, int]) -> None:
    """Number 1 is white in the upper left corner only; the angle is counter-clockwise."""
    plain = write_clip(tmp_path / "plain.mp4", [1] * 5)
    turned = tmp_path / "turned.mp4"
    ffmpeg("-display_rotation", str(angle), "-i", plain, "-c", "copy", turned)
    with open_video(turned) as clip:
        frame = next(clip.frames())
        width, height = clip.info.size_px
    assert frame.image.shape == (height, width, 3)
    assert (width, height) == ((WIDTH_PX, HEIGHT_PX) if angle == 180 else (HEIGHT_PX, WIDTH_PX))
    corners = {(y, x): frame.image[-8 if y else 8, -8 if x else 8].mean() for y in (0, -1) for x in (0, -1)}
    assert max(corners, key=lambda key: corners[key]) == corner


def test_real_clip_times(langer: Path) -> None:
    with open_video(langer) as clip:
        times = [frame.time_s for frame in read_ahead(clip.frames())]
        assert clip.info.size_px == (640, 360)
    assert times == pytest.approx([n * 1001 / 24000 for n in range(472)], abs=1e-3)


def test_real_phone_clip_has_a_variable_rate(face_noface: Path) -> None:
    steps = np.diff([frame.time_s for frame in read(face_noface)])
    assert len(steps) == 168
    assert steps.min() > 0
    assert steps.max() > 1.2 * steps.min()


def test_times_that_run_backwards_are_replaced(tmp_path: Path) -> None:
    part = write_clip(tmp_path / "part.ts", range(40), "-c:v", "libx264", "-bf", "0", "-pix_fmt", "yuv420p")
    joined = tmp_path / "joined.ts"
    joined.write_bytes(part.read_bytes() * 2)
    with open_video(joined) as clip:
        times = [frame.time_s for frame in clip.frames()]
        assert any("were replaced" in message for message in clip.warnings)
    assert len(times) >= 78
    assert np.diff(times).min() > 0
    assert np.diff(times).max() < 0.1


# Ranges ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("eager", [True, False], ids=["seeking", "skipping"])
def test_ranges_equal_sequential_reading(clips: Path, name: str, eager: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video, "_SEEK_FROM_FRAME", 1 if eager else COUNT)
    whole = read(clips / name)
    for start, stop in ((1, 4), (29, 33), (59, 61), (60, 63), (75, 76), (119, 125), (147, None)):
        part = read(clips / name, start, stop)
        assert [(one.index, one.time_s) for one in part] == [(one.index, one.time_s) for one in whole[start:stop]]
        assert all(np.array_equal(one.image, other.image) for one, other in zip(part, whole[start:stop], strict=True))


@pytest.mark.parametrize("name", ["constant.mp4", "variable.mp4", "open_gop.mp4", "vp9.webm"])
def test_a_far_range_is_reached_without_decoding_all_before_it(
    clips: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video, "_SEEK_FROM_FRAME", 100)
    seeks: list[bool] = []
    seek = decoder.Decoder.seek

    def seen(self: decoder.Decoder, index: int, packets: decoder.Packets) -> bool:
        seeks.append(seek(self, index, packets))
        return seeks[-1]

    monkeypatch.setattr(decoder.Decoder, "seek", seen)
    assert [read_number(frame.image) for frame in read(clips / name, 140, 143)] == [140, 141, 142]
    assert seeks == [True]


def test_a_seek_that_lies_is_not_believed(clips: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every seek lands at the start of the file, and packets tell of frames that do not come."""
    monkeypatch.setattr(video, "_SEEK_FROM_FRAME", 1)
    path = clips / "constant.mp4"
    true = decoder.read_packets(path)
    shifted = tuple(time_ms + (7.0 if n > 5 else 0.0) for n, time_ms in enumerate(true.times_ms))
    monkeypatch.setattr(video, "read_packets", lambda _: decoder.Packets(shifted, true.key_times_ms))
    frames = read(path, 80, 83)
    assert [read_number(frame.image) for frame in frames] == [80, 81, 82]
    assert [frame.time_s for frame in frames] == pytest.approx([80 / 30, 81 / 30, 82 / 30])


def test_readings_of_one_clip_are_independent(clips: Path) -> None:
    with open_video(clips / "constant.mp4") as clip:
        one, other = clip.frames(), clip.frames(20)
        numbers = [(read_number(next(one).image), read_number(next(other).image)) for _ in range(5)]
    assert numbers == [(n, n + 20) for n in range(5)]


@pytest.mark.parametrize(("start", "stop"), [(-1, None), (5, 5), (5, 2)])
def test_an_empty_range_is_refused(clips: Path, start: int, stop: int | None) -> None:
    with open_video(clips / "constant.mp4") as clip, pytest.raises(VideoError, match="is empty"):
        clip.frames(start, stop)


@pytest.mark.parametrize("start", [COUNT, COUNT + 500])
def test_a_range_behind_the_end_is_refused(clips: Path, start: int) -> None:
    with pytest.raises(VideoError, match="has 150 frames"):
        read(clips / "constant.mp4", start)


# Memory and threads ---------------------------------------------------------------------------------------------------


def test_memory_stays_flat(tmp_path: Path) -> None:
    depth, frame_bytes = 8, WIDTH_PX * HEIGHT_PX * 3
    path = write_clip(tmp_path / "long.mp4", [n % 1024 for n in range(3000)])
    tracemalloc.start()
    try:
        with open_video(path) as clip:
            count = sum(1 for _ in read_ahead(clip.frames(), depth))
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 3000
    assert peak_bytes < (depth + 6) * frame_bytes + 500_000


def readers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("read-ahead")]


def test_read_ahead_keeps_order_and_its_bound() -> None:
    made: list[int] = []

    def numbers() -> Iterator[int]:
        for number in range(50):
            made.append(number)
            yield number

    for position, item in enumerate(read_ahead(numbers(), depth=4)):
        time.sleep(0.002)
        assert item == position
        # One is with the consumer, four wait, one is in the thread's hands.
        assert len(made) <= position + 6
    assert made == list(range(50))
    assert not readers()


def test_read_ahead_raises_the_error_of_its_source_in_the_consumer() -> None:
    def broken() -> Iterator[int]:
        yield 1
        message = "frame 1 is damaged"
        raise VideoError(message)

    ahead = read_ahead(broken())
    assert next(ahead) == 1
    with pytest.raises(VideoError, match="frame 1 is damaged"):
        next(ahead)
    assert not readers()


@pytest.mark.parametrize("depth", [1, 2, 8])
def test_read_ahead_stops_with_its_consumer(depth: int) -> None:
    closed = threading.Event()

    def endless() -> Iterator[int]:
        try:
            while True:
                yield 0
        finally:
            closed.set()

    for _ in range(30):
        closed.clear()
        ahead = read_ahead(endless(), depth)
        next(ahead)
        start = time.monotonic()
        ahead.close()
        assert time.monotonic() - start < 2
        assert closed.is_set()
    assert not readers()


def test_read_ahead_stops_when_the_consumer_fails(clips: Path) -> None:
    def consume() -> None:
        with open_video(clips / "constant.mp4") as clip:
            for _ in read_ahead(clip.frames()):
                message = "consumer failed"
                raise RuntimeError(message)

    with pytest.raises(RuntimeError, match="consumer failed"):
        consume()
    assert not readers()


def test_read_ahead_that_is_never_read_starts_no_thread(clips: Path) -> None:
    with open_video(clips / "constant.mp4") as clip:
        ahead = read_ahead(clip.frames())
        assert not readers()
        ahead.close()


# Bad input ------------------------------------------------------------------------------------------------------------


def bad_file(kind: str, folder: Path, clips: Path) -> Path:
    """Make one kind of file that holds no readable video."""
    path = folder / f"{kind}.mp4"
    match kind:
        case "empty":
            path.touch()
        case "text":
            path.write_text("These are my notes on the shoot.\n" * 50)
        case "audio":
            ffmpeg("-f", "lavfi", "-i", "sine=d=1", "-c:a", "aac", path)
        case "wave":
            path = path.with_suffix(".wav")
            ffmpeg("-f", "lavfi", "-i", "sine=d=1", path)
        case "av1":
            write_clip(path, range(10), "-c:v", "libaom-av1", "-cpu-used", "8", "-pix_fmt", "yuv420p")
        case "no_index":
            content = (clips / "constant.mp4").read_bytes()
            path.write_bytes(content[: len(content) // 2])
        case "no_frame":
            content = (clips / "moov_first.mp4").read_bytes()
            path.write_bytes(content[: content.index(b"mdat") + 8])
        case "folder":
            path.mkdir()
    return path


BAD = {
    "missing": "There is no file",
    "empty": "is empty",
    "text": "is not a video",
    "audio": "holds sound but no picture",
    "wave": "holds sound but no picture",
    "av1": r"AV1.*H\.264",
    "no_index": "cut off .* index",
    "no_frame": "cut off",
    "folder": "folder without images",
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_input(kind: str, tmp_path: Path, clips: Path) -> None:
    path = bad_file(kind, tmp_path, clips)
    with pytest.raises(VideoError, match=BAD[kind]) as caught:
        open_video(path)
    assert path.name in str(caught.value)


def test_a_cut_off_file_gives_its_readable_part_and_a_warning(tmp_path: Path, clips: Path) -> None:
    content = (clips / "moov_first.mp4").read_bytes()
    path = tmp_path / "cut.mp4"
    path.write_bytes(content[: len(content) * 6 // 10])
    with open_video(path) as clip:
        frames = list(clip.frames())
        assert len(clip.warnings) == 1
        assert f"declares {COUNT} frames and holds {len(frames)}" in clip.warnings[0]
    assert 20 < len(frames) < COUNT
    assert [read_number(frame.image) for frame in frames] == list(range(len(frames)))


@pytest.mark.parametrize("name", ALL)
def test_a_sound_file_gives_no_warning(clips: Path, name: str) -> None:
    with open_video(clips / name) as clip:
        assert len(list(clip.frames())) == COUNT
        assert clip.warnings == []


def test_a_clip_of_one_frame(tmp_path: Path) -> None:
    [frame] = read(write_clip(tmp_path / "one.mp4", [5]))
    assert (frame.index, frame.time_s, read_number(frame.image)) == (0, 0.0, 5)


def test_nothing_is_written_to_stderr(tmp_path: Path, clips: Path) -> None:
    bad = [bad_file(kind, tmp_path, clips) for kind in ("empty", "text", "audio", "av1", "no_index", "no_frame")]
    content = (clips / "moov_first.mp4").read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(content[: len(content) // 2])
    script = (
        "import sys\n"
        "from au_mocap.errors import VideoError\n"
        "from au_mocap.video import open_video\n"
        "for path in sys.argv[1:]:\n"
        "    try:\n"
        "        with open_video(path) as clip:\n"
        "            print(path, sum(1 for _ in clip.frames()))\n"
        "    except VideoError as error:\n"
        "        print(path, 'refused')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, [*bad, cut])],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0
    assert done.stdout.count("refused") == len(bad)
    assert done.stderr == ""


def test_file_sha256(tmp_path: Path) -> None:
    path = tmp_path / "file.bin"
    path.write_bytes(b"abc" * 1_000_000)
    assert file_sha256(path) == hashlib.sha256(b"abc" * 1_000_000).hexdigest()
    with pytest.raises(VideoError, match="cannot be read"):
        file_sha256(tmp_path / "missing.bin")
