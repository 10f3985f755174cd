"""Frames of a clip with their true presentation times.

A clip is a video file (constant or variable frame rate, rotated as phones record it) or a sequence of numbered images.
Frames come one at a time, so memory does not grow with the clip. Times are those that the file itself carries, counted
from its first frame; a nominal rate is used only where the file's own times are missing or run backwards.
"""

import hashlib
import math
import queue
import threading
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from . import image_sequence
from .container import counts_frames
from .decoder import SAME_TIME_MS, Decoder, Packets, read_packets, why_undecodable
from .errors import VideoError

_T = TypeVar("_T")

_FALLBACK_RATE_HZ: Final = 30.0
_RATE_RANGE_HZ: Final = (0.1, 1000.0)
# Up to here, decoding and dropping frames is quicker than reading the whole file for its packets.
_SEEK_FROM_FRAME: Final = 300
# A file lacking more frames than this was cut off or is damaged; fewer are rounding, or hidden by an edit list.
_LACKING_FRAMES: Final = 3
_LACKING_S: Final = 1.0
_LACKING_SHARE: Final = 0.1


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What is known about a clip before it is decoded.

    Attributes:
        path: The file, or what was given for a sequence (pattern, folder or image).
        name: File name, pattern or folder name, for display and for a take's meta data.
        size_px: Width and height as shown, rotation applied.
        frame_count: Number of frames; for a file the container's estimate, None where it gives none.
        rate_hz: Frames per second; the average of a file with a variable rate.
        duration_s: Length by the two above, None where `frame_count` is.
        kind: A video file or a sequence of images.
    """

    path: Path
    name: str
    size_px: tuple[int, int]
    frame_count: int | None
    rate_hz: float
    duration_s: float | None
    kind: Literal["file", "sequence"]


@dataclass(slots=True)
class VideoFrame:
    """One decoded frame.

    Attributes:
        index: Position in the whole clip, from 0, whatever range is read.
        time_s: Presentation time in seconds after the clip's first frame; strictly increasing.
        image: (H, W, 3) uint8 BGR, rotation applied; its own memory, free to keep or change.
    """

    index: int
    time_s: float
    image: NDArray[np.uint8]


class Video(ABC):
    """An open clip; use it in a `with` statement.

    Attributes:
        info: What is known about it.
        warnings: Messages for the user about what was put right, such as a cut-off file; grows while reading.
    """

    def __init__(self, info: VideoInfo) -> None:
        self.info = info
        self.warnings: list[str] = []

    def frames(self, start: int = 0, stop: int | None = None) -> Generator[VideoFrame]:
        """Decode a range of frames; each call reads the clip anew and on its own.

        Args:
            start: Index of the first frame.
            stop: Index after the last frame; None for all that follow.

        Returns:
            The frames in order of presentation. Closing the generator frees the decoder.

        Raises:
            VideoError: The range is empty; or, while reading, the range lies behind the end of the clip or a frame
                cannot be decoded.
        """
        if start < 0 or (stop is not None and stop <= start):
            message = f"The frame range {start} to {stop} is empty. Give a start from 0 and an end behind it."
            raise VideoError(message)
        return self._decode(start, stop)

    @abstractmethod
    def _decode(self, start: int, stop: int | None) -> Generator[VideoFrame]: ...

    @abstractmethod
    def close(self) -> None:
        """Free what the clip holds open; generators of frames that are still read free themselves."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _warn(self, message: str) -> None:
        if message not in self.warnings:
            self.warnings.append(message)

    def _check_start(self, start: int, count: int) -> None:
        if start >= count:
            frames = "1 frame" if count == 1 else f"{count} frames"
            message = f"{self.info.name} has {frames}: a range from {start} lies behind its end. Start earlier."
            raise VideoError(message)


def open_video(path: Path | str, sequence_rate_hz: float = 24.0) -> Video:
    """Open a clip and make sure that its first frame decodes.

    Args:
        path: A video file, a pattern of numbered images (`frame_%04d.png`, `frame_####.png`), a folder of them, one of
            them, or a single image.
        sequence_rate_hz: Frames per second of an image sequence; video files carry their own times.

    Returns:
        The open clip.

    Raises:
        VideoError: There is no such file, it is not a video, is empty or cut off, or its codec cannot be decoded.
    """
    path = Path(path)
    try:
        return _open(path, sequence_rate_hz)
    except FileNotFoundError as error:
        message = f"There is no file {path}. Check the path."
        raise VideoError(message) from error
    except OSError as error:
        message = f"{path} cannot be read ({error.strerror}). Check that you may read it."
        raise VideoError(message) from error


def _open(path: Path, sequence_rate_hz: float) -> Video:
    if image_sequence.is_pattern(path) or path.is_dir():
        return _SequenceVideo(path, sequence_rate_hz)
    with path.open("rb"):
        pass
    if path.stat().st_size == 0:
        message = f"{path} is empty (0 bytes). Copy, record or export it again."
        raise VideoError(message)
    if path.suffix.lower() in image_sequence.SUFFIXES:
        return _SequenceVideo(path, sequence_rate_hz)
    return _FileVideo(path)


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file as lower-case hex, reading it piece by piece.

    Raises:
        VideoError: The file cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        message = f"{path} cannot be read ({error.strerror}). Check that it exists and that you may read it."
        raise VideoError(message) from error


def read_ahead(frames: Iterable[_T], depth: int = 8) -> Generator[_T]:
    """Read from an iterator in a thread of its own, at most `depth` items ahead of the consumer.

    The thread starts with the first item that is asked for. An error of the iterator is raised in the consumer. When
    the consumer stops early (closes or drops the generator), the thread ends after the item it is reading and closes
    the iterator if it is a generator.

    Args:
        frames: What to read; only the thread touches it from then on.
        depth: Items that may wait, at least 1.

    Yields:
        The items in their order.
    """
    waiting: queue.Queue[tuple[_T] | None] = queue.Queue(maxsize=max(depth, 1))
    stopped = threading.Event()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="read-ahead") as pool:
        reading = pool.submit(_fill, frames, waiting, stopped)
        try:
            while (item := waiting.get()) is not None:
                yield item[0]
            reading.result()
        finally:
            stopped.set()
            while not waiting.empty():  # wakes a thread that waits for room
                waiting.get_nowait()


def _fill(frames: Iterable[_T], waiting: queue.Queue[tuple[_T] | None], stopped: threading.Event) -> None:
    try:
        for item in frames:
            if stopped.is_set():
                break
            waiting.put((item,))
    finally:
        if isinstance(frames, Generator):
            frames.close()
        if not stopped.is_set():
            waiting.put(None)


class _FileVideo(Video):
    """A video file. The decoder that proved the first frame serves the first reading from the start."""

    def __init__(self, path: Path) -> None:
        decoder = Decoder(path)
        if not decoder.advance():
            reason = why_undecodable(decoder)
            decoder.close()
            message = f"{path} {reason}"
            raise VideoError(message)
        image = decoder.image()
        count, rate_hz = (decoder.capture.get(key) for key in (cv2.CAP_PROP_FRAME_COUNT, cv2.CAP_PROP_FPS))
        is_rate = math.isfinite(rate_hz) and _RATE_RANGE_HZ[0] <= rate_hz <= _RATE_RANGE_HZ[1]
        rate_hz = rate_hz if is_rate else _FALLBACK_RATE_HZ
        frame_count = int(count) if math.isfinite(count) and count >= 1 else None
        duration_s = frame_count / rate_hz if frame_count else None
        size_px = (image.shape[1], image.shape[0])
        super().__init__(VideoInfo(path, path.name, size_px, frame_count, rate_hz, duration_s, "file"))
        self._first_ms = decoder.time_ms
        self._proven: Decoder | None = decoder
        self._packets: Packets | None = None

    def close(self) -> None:
        """Free the decoder that was kept for the first reading."""
        if self._proven is not None:
            self._proven.close()
            self._proven = None

    def _decode(self, start: int, stop: int | None) -> Generator[VideoFrame]:
        clock = _Clock(self._first_ms, 1000.0 / self.info.rate_hz)
        decoder = self._decoder_at(start, clock)
        time_s = 0.0
        try:
            self._check_start(start, decoder.index if decoder.at_end else start + 1)
            while not decoder.at_end:
                time_s = clock.tell(decoder.time_ms) / 1000.0
                if clock.repaired:
                    self._warn(f"{self.info.name} has times that are missing or run backwards: they were replaced.")
                yield VideoFrame(decoder.index, time_s, decoder.image())
                if decoder.index + 1 == stop:
                    return
                decoder.advance()
            self._check_complete(decoder.index, time_s)
        finally:
            decoder.close()

    def _decoder_at(self, start: int, clock: "_Clock") -> Decoder:
        """Return a decoder standing on a frame, or at the end where the clip is shorter."""
        if start == 0 and self._proven is not None:
            decoder, self._proven = self._proven, None
            return decoder
        if start >= _SEEK_FROM_FRAME:
            packets = self._read_packets()
            # Where the container counts otherwise than its packets do, only decoding tells which frame is which.
            known = len(packets.times_ms) == self.info.frame_count and packets.are_distinct
            if known and start < len(packets.times_ms):
                decoder = Decoder(self.info.path)
                if decoder.seek(start, packets):
                    return decoder
                decoder.close()
        decoder = Decoder(self.info.path)
        while decoder.advance() and decoder.index < start:
            clock.tell(decoder.time_ms)
        return decoder

    def _read_packets(self) -> Packets:
        if self._packets is None:
            self._packets = read_packets(self.info.path).starting(self._first_ms)
        return self._packets

    def _check_complete(self, count: int, length_s: float) -> None:
        """Warn where the file ended before what it declares, or holds frames that did not decode.

        Args:
            count: Frames read, to the end.
            length_s: Time of the last one.
        """
        declared, duration_s = self.info.frame_count, self.info.duration_s
        if declared is None or duration_s is None or count + _LACKING_FRAMES >= declared:
            return
        held = len(self._read_packets().times_ms)
        if counts_frames(self.info.path):
            is_cut_off = held + _LACKING_FRAMES < declared
        else:  # the count was made from the duration and an average rate
            is_cut_off = length_s + max(_LACKING_S, _LACKING_SHARE * duration_s) < duration_s
        if is_cut_off:
            self._warn(
                f"{self.info.name} was cut off: it declares {declared} frames and holds {count} that can be read. Only "
                "these are used; copy or export the file again for the rest."
            )
        elif count + _LACKING_FRAMES < held:
            self._warn(f"{self.info.name} is damaged: {held - count} of its {held} frames cannot be decoded.")


class _SequenceVideo(Video):
    """Numbered images at a constant rate, or one image."""

    def __init__(self, path: Path, rate_hz: float) -> None:
        if not (math.isfinite(rate_hz) and _RATE_RANGE_HZ[0] <= rate_hz <= _RATE_RANGE_HZ[1]):
            message = f"An image sequence cannot run at {rate_hz} frames per second. Give a rate such as 24."
            raise VideoError(message)
        self._files = image_sequence.resolve(path)
        height, width = image_sequence.read_image(self._files[0]).shape[:2]
        count = len(self._files)
        name = path.name or path.resolve().name
        super().__init__(VideoInfo(path, name, (width, height), count, rate_hz, count / rate_hz, "sequence"))

    def close(self) -> None:
        """Do nothing: images are opened one at a time."""

    def _decode(self, start: int, stop: int | None) -> Generator[VideoFrame]:
        self._check_start(start, len(self._files))
        for index, file in enumerate(self._files[start:stop], start):
            image = image_sequence.read_image(file)
            if image.shape[1::-1] != self.info.size_px:
                self._warn(f"{self.info.name} holds images of different sizes; they were fitted into the first one's.")
            yield VideoFrame(index, index / self.info.rate_hz, _fit(image, self.info.size_px))


class _Clock:
    """Turns a file's time stamps into strictly increasing times from the first frame.

    Attributes:
        repaired: Whether a stamp had to be replaced by the previous time plus one period.
    """

    def __init__(self, first_ms: float, period_ms: float) -> None:
        self._first_ms = first_ms
        self._period_ms = period_ms
        self._last_ms: float | None = None
        self.repaired = False

    def tell(self, stamp_ms: float) -> float:
        """Return the time in milliseconds of a frame; to be called once for each frame, in order."""
        time_ms = stamp_ms - self._first_ms
        if self._last_ms is not None and not time_ms > self._last_ms + SAME_TIME_MS:
            time_ms = self._last_ms + self._period_ms
            self.repaired = True
        self._last_ms = time_ms
        return time_ms


def _fit(image: NDArray[np.uint8], size_px: tuple[int, int]) -> NDArray[np.uint8]:
    """Return an image at a size, scaled without distortion and padded with black; unchanged where it has that size."""
    width, height = size_px
    if image.shape[:2] == (height, width):
        return image
    scale = min(width / image.shape[1], height / image.shape[0])
    inner = (max(round(image.shape[1] * scale), 1), max(round(image.shape[0] * scale), 1))
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    fitted = np.zeros((height, width, 3), np.uint8)
    fitted[top : top + inner[1], left : left + inner[0]] = cv2.resize(image, inner, interpolation=cv2.INTER_AREA)
    return fitted
