"""What is kept of a live performance: an ordinary take, and the camera's own pictures where they are wanted.

A thread of its own does the work, so that neither the values on the screen nor Blender waits for it. Picture k of the
video is row k of the take; the take has the true times, which the video's constant rate only approaches.
"""

import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .. import __version__, pose
from ..crops import Image
from ..errors import OutputError, TakeError, VideoError
from ..pipeline import FrameResult, TakeBuilder
from ..regressors import Regressor
from ..take import Take
from ..tracking import TrackedFace
from ..video import file_sha256
from .film import Film, open_film

_MOST_WAITING: Final = 256 * 2**20
"""Bytes of pictures that may wait to be written."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a recording comes from.

    Attributes:
        source: The source's name.
        rate_hz: Frames per second that it promises, 0 where it makes none.
        camera: Picture size and field of view.
        tracker: Name and version.
        regressor: What embeds and evaluates.
    """

    source: str
    rate_hz: float
    camera: pose.Camera
    tracker: Mapping[str, str]
    regressor: Regressor


@dataclass(frozen=True, slots=True)
class _Item:
    captured_s: float
    image: Image | None
    face: TrackedFace | None
    embedding: NDArray[np.float32]


class Recorder:
    """Gathers frames from one thread, and writes them in another.

    Attributes:
        dropped: Frames that could not be kept, since the disk did not keep up.
        problem: What went wrong with the video, for the user; empty where nothing did. The take is whole without it.
        began_s: When its first picture was taken, seconds of `time.perf_counter()`; None before it.
    """

    def __init__(self, origin: Origin, video: Path | None) -> None:
        """Begins a recording.

        Args:
            origin: Where it comes from.
            video: Where to write the pictures, see `film.open_film`; None for a take alone.

        Raises:
            OutputError: The video cannot be written there.
        """
        self.dropped = 0
        self.problem = ""
        self._origin = origin
        self._film: Film | None = None
        if video is not None:
            self._film = open_film(video, origin.camera.size_px, origin.rate_hz or 30.0)
        self._builder = TakeBuilder(origin.camera, origin.regressor)
        self.began_s: float | None = None
        self._last_s = 0.0
        self._waiting: deque[_Item] = deque()
        self._bytes = 0
        self._more = threading.Condition()
        self._finished = False
        self._thread = threading.Thread(target=self._work, name="live recording", daemon=True)
        self._thread.start()

    def __len__(self) -> int:
        """Frames that were kept so far."""
        return len(self._builder) + len(self._waiting)

    def add(self, captured_s: float, image: Image, face: TrackedFace | None, embedding: NDArray[np.float32]) -> None:
        """Keeps a frame; never waits."""
        with self._more:
            if self._finished:
                return
            if self._bytes > _MOST_WAITING:
                self.dropped += 1
                return
            kept = None if self._film is None else image
            self._bytes += 0 if kept is None else kept.nbytes
            self._waiting.append(_Item(captured_s, kept, face, embedding))
            self._more.notify()

    def finish(self) -> Take | None:
        """Ends the recording and gives its take; None where not one frame came.

        Raises:
            ModelError: The regressor's head failed.
        """
        self.end()
        self._thread.join()
        if self._film is not None:
            self._close_film(self._film)
        try:
            return self._builder.build(self._meta())
        except TakeError:
            return None

    def end(self) -> None:
        """Takes no further frames; what waits is still written."""
        with self._more:
            self._finished = True
            self._more.notify()

    def _work(self) -> None:
        while True:
            with self._more:
                while not self._waiting and not self._finished:
                    self._more.wait()
                if not self._waiting:
                    return
                item = self._waiting[0]
            self._write(item)
            with self._more:
                self._waiting.popleft()
                self._bytes -= 0 if item.image is None else item.image.nbytes

    def _write(self, item: _Item) -> None:
        self.began_s = item.captured_s if self.began_s is None else self.began_s
        self._last_s = item.captured_s
        index = len(self._builder)
        self._builder.add(FrameResult(index, item.captured_s - self.began_s, item.face, item.embedding))
        if self._film is not None and item.image is not None and not self.problem:
            try:
                self._film.write(item.image)
            except OutputError as error:
                self.problem = str(error)

    def _close_film(self, film: Film) -> None:
        try:
            film.close()
        except OutputError as error:
            self.problem = self.problem or str(error)

    def _meta(self) -> dict[str, Any]:
        """As `pipeline.describe` does for a video."""
        origin, count = self._origin, len(self._builder)
        length_s = self._last_s - (self.began_s or 0.0)
        entry = origin.regressor.entry
        return {
            "source": {**self._source(), "rate_hz": (count - 1) / length_s if length_s > 0 else origin.rate_hz or 30.0},
            "frame_size": list(origin.camera.size_px),
            "tracker": dict(origin.tracker),
            "regressor": {"name": entry.name, "version": entry.version},
            "settings": {"fov_deg": origin.camera.fov_deg, "start": 0, "stop": None},
            "live": {
                "source": origin.source,
                "recorded": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
                "dropped": self.dropped,
            },
            "made_by": f"AU Mocap {__version__}",
        }

    def _source(self) -> dict[str, Any]:
        path = None if self._film is None or self.problem else self._film.path
        if path is None:
            return {"name": self._origin.source, "path": None, "size_bytes": None, "sha256": None}
        size = path.stat().st_size if path.is_file() else None
        try:
            checksum = file_sha256(path) if path.is_file() else None
        except VideoError as error:
            self.problem = str(error)
            checksum = None
        return {"name": path.name, "path": str(path.resolve()), "size_bytes": size, "sha256": checksum}
