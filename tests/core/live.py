"""A live source that never drops a picture, and what tests of live sessions do with it."""

import threading
import time
from collections.abc import Callable

from au_mocap.live.frames import Source, SourceFrame
from au_mocap.live.session import LiveFrame, LiveSettings, Session
from au_mocap.registry import Registry
from au_mocap.regressors import Regressor
from au_mocap.tracking import FaceTracker, open_tracker
from au_mocap.video import VideoFrame

PATIENCE_S = 30.0
"""A machine that is busy with other things may take so long for what takes a second."""


def tracker() -> FaceTracker:
    return open_tracker("onnx", Registry(), "cpu")


class Pictures:
    """Pictures that come when the session is ready for them, so that none is ever dropped.

    Attributes:
        fails: What `read` raises after the last one; None to end in good order, or to go on without pictures.
    """

    name = "pictures"
    rate_hz = 30.0

    def __init__(self, frames: list[VideoFrame], fails: Exception | None = None, goes_on: bool = False) -> None:
        self.frames, self.fails, self.goes_on = frames, fails, goes_on
        height, width = frames[0].image.shape[:2] if frames else (0, 0)
        self.size_px = (width, height)
        self.ended = False
        self.closed = threading.Event()
        self.wanted = threading.Semaphore(1)
        self.base_s = time.perf_counter()
        self.index = -1

    def open(self) -> None:
        pass

    def read(self, timeout_s: float) -> SourceFrame | None:
        if not self.wanted.acquire(timeout=timeout_s):
            return None
        self.index += 1
        if self.index < len(self.frames):
            frame = self.frames[self.index]
            return SourceFrame(self.index, self.base_s + frame.time_s, frame.image)
        if self.fails is not None:
            raise self.fails
        self.ended = not self.goes_on
        return None

    def close(self) -> None:
        self.closed.set()


def started(source: Source, regressor: Regressor, **settings: object) -> Session:
    session = Session(source, tracker, regressor, LiveSettings(**settings))  # type: ignore[arg-type]
    session.start()
    return session


def wait_for(condition: Callable[[], object], what: str) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s, f"still waiting for: {what}"
        time.sleep(0.002)


def play(
    session: Session, source: Pictures, on_frame: Callable[[LiveFrame], object] = lambda frame: None
) -> list[LiveFrame]:
    """Every frame of a source, handed on one by one."""
    frames: list[LiveFrame] = []
    deadline_s = time.monotonic() + PATIENCE_S
    while session.state in ("opening", "running"):
        assert time.monotonic() < deadline_s
        frame = session.newest()
        if frame is None:
            time.sleep(0.001)
            continue
        frames.append(frame)
        on_frame(frame)
        source.wanted.release()
    last = session.newest()
    return [*frames, last] if last is not None else frames


def live_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("live ")]
