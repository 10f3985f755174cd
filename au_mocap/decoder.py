"""OpenCV's FFmpeg decoder, one frame at a time: true time stamps, exact positions, no chatter on stderr."""

import bisect
import os
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from .container import CONVERT_HINT, why_unreadable
from .errors import VideoError

SAME_TIME_MS: Final = 0.01
_SEEK_ATTEMPTS: Final = 3
_ONE_THREAD: Final = [int(cv2.CAP_PROP_N_THREADS), 1]
_FEW_PIXELS: Final = 1280 * 720
"""Pictures up to this size are decoded faster than they are analysed by one thread, which wastes less than several."""

_PACKETS_ONLY: Final = [int(cv2.CAP_PROP_FORMAT), -1]
_FFMPEG_LEVEL: Final = "OPENCV_FFMPEG_LOGLEVEL"
_FFMPEG_QUIET: Final = "-8"
_CODEC_NAMES: Final = {"av01": "AV1", "AV01": "AV1", "hev1": "HEVC", "hvc1": "HEVC", "avc1": "H.264"}
_quiet_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Packets:
    """What a file's packets say without decoding them.

    Attributes:
        times_ms: Presentation times of all frames in the file's clock, ascending.
        key_times_ms: Those of the frames that can be decoded on their own, ascending.
    """

    times_ms: tuple[float, ...]
    key_times_ms: tuple[float, ...]

    def starting(self, first_ms: float) -> Self:
        """Return the packets without those before `first_ms`, which an edit list hides."""
        return type(self)(
            tuple(time for time in self.times_ms if time >= first_ms - SAME_TIME_MS),
            tuple(time for time in self.key_times_ms if time >= first_ms - SAME_TIME_MS),
        )

    @property
    def are_distinct(self) -> bool:
        """Whether every frame has a time of its own, so that a time identifies a frame."""
        return all(later - earlier > SAME_TIME_MS for earlier, later in pairwise(self.times_ms))


class Decoder:
    """A decoder standing on one frame of a file.

    Attributes:
        index: Position of that frame in the clip, from 0.
        time_ms: Its presentation time in the file's clock, as the file states it.
        at_end: True when there is no further frame; `index` is then the number of frames read.
    """

    def __init__(self, path: Path) -> None:
        """Open a file, standing before its first frame.

        Raises:
            VideoError: It holds no video that can be opened.
        """
        self.path = path
        self.capture = _open_sparingly(path)
        self.index = -1
        self.time_ms = 0.0
        self.at_end = False
        if not self.capture.isOpened():
            message = f"{path} {why_unreadable(path)}"
            raise VideoError(message)
        # Off by default in some versions of OpenCV.
        self.capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)

    def advance(self) -> bool:
        """Step to the next frame; return False at the end."""
        self.index += 1
        self.at_end = not self.capture.grab()
        if not self.at_end:
            self.time_ms = self.capture.get(cv2.CAP_PROP_POS_MSEC)
        return not self.at_end

    def image(self) -> NDArray[np.uint8]:
        """Return the current frame as (H, W, 3) uint8 BGR, rotation applied.

        Raises:
            VideoError: The frame cannot be converted.
        """
        good, image = self.capture.retrieve()
        if not good:
            message = f"Frame {self.index} of {self.path} cannot be decoded. {CONVERT_HINT}."
            raise VideoError(message)
        return image.astype(np.uint8, copy=False)

    def seek(self, index: int, packets: Packets) -> bool:
        """Step to a frame far ahead without decoding all before it, if that can be done exactly.

        OpenCV's own seeking counts frames by the nominal rate and misses on variable-rate files, so the frame is found
        by its time, and every frame on the way is compared with the file's packets.

        Args:
            index: The frame wanted.
            packets: Those of this file, from its first frame on, with distinct times.

        Returns:
            Whether the decoder now stands on that frame; where not, its position is lost and it must be closed.
        """
        wanted_ms = packets.times_ms[index]
        last_key = bisect.bisect_right(packets.key_times_ms, wanted_ms + SAME_TIME_MS) - 1
        for back in range(1, _SEEK_ATTEMPTS + 1):
            # One key frame earlier than needed: frames after one may lean on pictures before it.
            key_ms = packets.key_times_ms[max(last_key - back, 0)] if packets.key_times_ms else 0.0
            self.capture.set(cv2.CAP_PROP_POS_MSEC, key_ms)
            if self._walk_to(index, packets):
                return True
        return False

    def _walk_to(self, index: int, packets: Packets) -> bool:
        """Decode from wherever the seek landed to a frame; False where a frame on the way is not the expected one."""
        if not self.advance():
            return False
        position = bisect.bisect_left(packets.times_ms, self.time_ms - SAME_TIME_MS)
        while position <= index and abs(packets.times_ms[position] - self.time_ms) <= SAME_TIME_MS:
            if position == index:
                self.index = index
                return True
            position += 1
            if not self.advance():
                return False
        return False

    def close(self) -> None:
        """Free the decoder."""
        self.capture.release()


def read_packets(path: Path) -> Packets:
    """Read a whole file's packets without decoding them: about as quick as reading the file."""
    capture = _open(path, _PACKETS_ONLY)
    times: list[float] = []
    keys: list[float] = []
    while capture.grab():
        time_ms = capture.get(cv2.CAP_PROP_POS_MSEC)
        times.append(time_ms)
        if capture.get(cv2.CAP_PROP_LRF_HAS_KEY_FRAME):
            keys.append(time_ms)
    capture.release()
    return Packets(tuple(sorted(times)), tuple(sorted(keys)))


def why_undecodable(decoder: Decoder) -> str:
    """Say why a file that opens gives no first frame: "X <text>"."""
    packets = len(read_packets(decoder.path).times_ms)
    if packets == 0:
        return "ends before its first frame: it was cut off. Copy, record or export it again."
    code = int(decoder.capture.get(cv2.CAP_PROP_FOURCC))
    letters = code.to_bytes(4, "little", signed=code < 0).decode("ascii", "replace").strip("\0 ")
    codec = _CODEC_NAMES.get(letters, letters)
    if codec == "AV1":
        return f"is encoded as AV1, which cannot be decoded here. {CONVERT_HINT}."
    return f"is damaged, or its codec ({codec or 'unknown'}) cannot be decoded here. {CONVERT_HINT}."


def _open_sparingly(path: Path) -> cv2.VideoCapture:
    """With no more threads than its pictures need."""
    capture = _open(path, _ONE_THREAD)
    pixels = capture.get(cv2.CAP_PROP_FRAME_WIDTH) * capture.get(cv2.CAP_PROP_FRAME_HEIGHT)
    if not capture.isOpened() or pixels <= _FEW_PIXELS:
        return capture
    capture.release()
    return _open(path)


def _open(path: Path, parameters: list[int] | None = None) -> cv2.VideoCapture:
    with _quiet():
        # Absolute, or FFmpeg takes what stands before a colon ("12:30.mp4") for a protocol.
        return cv2.VideoCapture(str(path.absolute()), cv2.CAP_FFMPEG, parameters or [])


@contextmanager
def _quiet() -> Generator[None]:
    """Keep OpenCV and FFmpeg from writing to stderr: both read their level when a file is opened."""
    with _quiet_lock:
        before = os.environ.get(_FFMPEG_LEVEL)
        level = cv2.setLogLevel(0)
        os.environ[_FFMPEG_LEVEL] = before or _FFMPEG_QUIET
        try:
            yield
        finally:
            cv2.setLogLevel(level)
            if before is None:
                del os.environ[_FFMPEG_LEVEL]
