"""Files as live sources: a video played at its own pace, and a folder that another program fills with images."""

import math
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from ..errors import LiveError, VideoError
from ..image_sequence import SUFFIXES
from ..video import Video, VideoFrame, open_video
from .frames import Image, SourceFrame

_POLL_S: Final = 0.005
_GIVE_UP_S: Final = 2.0
"""An image that stays half-written for so long will not be finished."""


class FileSource:
    """A video as a camera: each picture comes when its presentation time has come, on the real clock.

    Pictures whose time has passed when somebody reads are dropped, as a camera drops what nobody fetches. Playing
    begins with the first read.
    """

    def __init__(
        self,
        path: Path,
        loop: bool = False,
        *,
        clock: Callable[[], float] = time.perf_counter,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        """Names the video; it is opened later.

        Args:
            path: A video file or an image sequence.
            loop: Begin again at the end, without end.
            clock: Seconds, as `time.perf_counter`.
            wait: Sleeps for some seconds of that clock.
        """
        self.path = path
        self.name = path.name
        self.size_px = (0, 0)
        self.rate_hz = 0.0
        self.ended = False
        self._loop = loop
        self._clock = clock
        self._wait = wait
        self._video: Video | None = None
        self._frames: Generator[VideoFrame] | None = None
        self._next: SourceFrame | None = None
        self._started_s = math.nan
        self._round = (0, 0.0)  # index and time at which this round through the video begins
        self._last = (-1, 0.0)  # index and time of the last picture that was decoded

    def open(self) -> None:
        """Opens the video and makes sure that its first frame decodes; see `Source.open`."""
        try:
            self._video = open_video(self.path)
        except VideoError as error:
            raise LiveError(str(error)) from error
        self.size_px = self._video.info.size_px
        self.rate_hz = self._video.info.rate_hz
        self._frames = self._video.frames()

    def read(self, timeout_s: float) -> SourceFrame | None:
        """Gives the picture that is due; see `Source.read`."""
        deadline_s = self._clock() + timeout_s
        if math.isnan(self._started_s):
            self._started_s = self._clock()
        current = self._next or self._decode()
        self._next = None
        while current is not None:
            now_s = self._clock()
            if current.captured_s > now_s:
                self._wait(max(min(current.captured_s, deadline_s) - now_s, 0.0))
                if current.captured_s > self._clock():
                    self._next = current
                    return None
            self._next = self._decode()
            # Where decoding itself is too slow, what there is goes out in time, however late it is.
            if self._next is None or self._next.captured_s > self._clock() or self._clock() >= deadline_s:
                return current
            current, self._next = self._next, None
        self.ended = True
        return None

    def close(self) -> None:
        """Frees the decoder; see `Source.close`."""
        if self._frames is not None:
            self._frames.close()
        if self._video is not None:
            self._video.close()
        self._frames, self._video, self._next = None, None, None

    def _decode(self) -> SourceFrame | None:
        """The next frame with the moment at which it is due, None at the end."""
        if self._frames is None or self._video is None:
            return None
        try:
            frame = next(self._frames, None)
            if frame is None and self._loop and self._last[0] >= self._round[0]:
                self._round = (self._last[0] + 1, self._last[1] + 1.0 / self.rate_hz)
                self._frames = self._video.frames()
                frame = next(self._frames, None)
        except VideoError as error:
            raise LiveError(str(error)) from error
        if frame is None:
            return None
        self._last = (self._round[0] + frame.index, self._round[1] + frame.time_s)
        return SourceFrame(self._last[0], self._started_s + self._last[1], frame.image)


class FolderSource:
    """A folder into which another program writes one image after the other; the newest one counts.

    An image that is half-written is tried again until it is whole. What already lies in the folder when it is opened is
    old, save for its newest image.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.perf_counter) -> None:
        """Names the folder; it is looked into later."""
        self.path = path
        self.name = path.name or str(path)
        self.size_px = (0, 0)
        self.rate_hz = 0.0
        self.ended = False
        self._clock = clock
        self._newest: tuple[int, str] = (-1, "")
        self._broken: tuple[str, float] = ("", math.inf)
        self._index = -1
        self._captured_s = -math.inf

    def open(self) -> None:
        """Makes sure that the folder can be read; see `Source.open`."""
        self._list()
        self._index = -1

    def read(self, timeout_s: float) -> SourceFrame | None:
        """Gives the newest whole image; see `Source.read`."""
        deadline_s = self._clock() + timeout_s
        while True:
            frame = self._look()
            if frame is not None or self._clock() >= deadline_s:
                return frame
            time.sleep(_POLL_S)

    def close(self) -> None:
        """Does nothing: images are opened one at a time."""

    def _look(self) -> SourceFrame | None:
        later = [item for item in self._list() if item[:2] > self._newest]
        for written_ns, name, path in reversed(later):
            listed = (written_ns, name)
            image = self._image(path, name)
            if image is None:
                continue
            # Its last piece may have come after the folder was listed: the image would look like a later one.
            written_ns = max(written_ns, _changed_ns(path))
            # Images between the last one and this one were never shown: they count as dropped.
            self._index += 1 if self._index < 0 else 1 + sum(item[:2] < listed for item in later)
            self._newest = (written_ns, name)
            if self.size_px == (0, 0):
                self.size_px = (image.shape[1], image.shape[0])
            return SourceFrame(self._index, self._moment(written_ns), image)
        return None

    def _list(self) -> list[tuple[int, str, Path]]:
        """Images with the time of their last change, oldest first."""
        found: list[tuple[int, str, Path]] = []
        try:
            for path in self.path.iterdir():
                if path.suffix.lower() in SUFFIXES and not path.name.startswith("."):
                    try:
                        found.append((path.stat().st_mtime_ns, path.name, path))
                    except FileNotFoundError:  # renamed or removed by its writer this very moment
                        continue
        except NotADirectoryError as error:
            message = f"{self.path} is a file: choose the folder that images are written to, or play it as a video."
            raise LiveError(message) from error
        except FileNotFoundError as error:
            message = f"There is no folder {self.path}: make it, or choose the one that images are written to."
            raise LiveError(message) from error
        except OSError as error:
            message = f"The folder {self.path} cannot be read ({error.strerror}): check that you may open it."
            raise LiveError(message) from error
        return sorted(found)

    def _image(self, path: Path, name: str) -> Image | None:
        """A whole image, None while it is still being written; raises LiveError where it never will be whole."""
        image: Image | None = None
        try:
            encoded = np.fromfile(path, dtype=np.uint8)
        except OSError:  # locked by its writer, or gone again
            encoded = np.zeros(0, np.uint8)
        if encoded.size and _is_whole(encoded.tobytes(), path.suffix.lower()):
            decoded: Image | None = cv2.imdecode(encoded, cv2.IMREAD_COLOR)  # type: ignore[assignment]
            image = decoded
        if image is not None:
            self._broken = ("", math.inf)
            return image
        if self._broken[0] != name:
            self._broken = (name, self._clock())
        elif self._clock() - self._broken[1] > _GIVE_UP_S and path.exists():
            message = f"{path} stays unreadable: let the other program write whole images, as JPEG or PNG."
            raise LiveError(message)
        return None

    def _moment(self, written_ns: int) -> float:
        """When an image was written, on the session's clock, always later than the one before."""
        age_s = max((time.time_ns() - written_ns) * 1e-9, 0.0)
        self._captured_s = max(self._clock() - age_s, np.nextafter(self._captured_s, math.inf))
        return float(self._captured_s)


def _changed_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:  # gone again
        return 0


def _is_whole(data: bytes, suffix: str) -> bool:
    """Whether an image file holds its own end; a decoder would fill what is missing with grey."""
    if suffix in (".jpg", ".jpeg"):
        return data.rstrip(b"\0").endswith(b"\xff\xd9")
    if suffix == ".png":
        return b"IEND" in data[-12:]
    if suffix == ".bmp":
        return len(data) >= 6 and len(data) >= int.from_bytes(data[2:6], "little")
    if suffix == ".webp":
        return len(data) >= 8 and len(data) >= 8 + int.from_bytes(data[4:8], "little")
    return True  # TIFF: its directory comes last, so a cut one does not decode
