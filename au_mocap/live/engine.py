"""The two threads of a live session: one takes pictures, one looks at them.

Threads, not a helper process, by measurement: two cores, a 640x360 face at 30 frames a second, a main thread that
ticks 60 times a second with 2.5 ms of Python each. What can hold the main thread up is Python's lock, which inference
and OpenCV let go of. With cores to spare ticks begin 0.1 to 0.5 ms late in the median, 7 to 13 ms at the 99th
percentile (beside a helper process that does the same work 0.1 and 4 to 5 ms, beside nothing 0.1 and 0.5 to 5 ms), a
tick's own work takes as long as ever, and values come 14 ms after capture, against 12 ms. Where other programs take
eight times what the machine has, ticks are 7 to 9 ms late in the median, against 1 ms beside a process, which the
network's own share of the processor dwarfs: both drop to half of the frames. For that a process would want every
picture copied, a second copy of all networks in memory, and a protocol for settings, neutrals and takes. A crash of
OpenCV or onnxruntime would take Blender down as it would during an analysis. The one that is known, the camera's
permission on macOS, hits a child process that tries the camera first (`camera.check_permission`).
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from .. import channels, pose
from ..errors import AuMocapError, LiveError
from ..regressors import Neutral, Regressor
from ..tracking import FaceTracker
from .calibrating import IDLE, Calibration, NeutralSearch
from .filtering import LiveFilter, Sample
from .frames import Source, SourceFrame
from .looking import Look, Looker
from .recording import Origin, Recorder
from .results import LiveFrame, Statistics
from .settings import LiveSettings, shown
from .slots import Newest

State = Literal["opening", "running", "ended", "failed"]

_READ_S: Final = 0.1
"""How long a thread waits before it looks whether to stop."""
_WINDOW_S: Final = 2.0
_NO_VALUES: Final = np.full(len(channels.IDS), np.nan, np.float32)
_NO_EMBEDDING: Final = np.zeros(0, np.float32)


class Engine:
    """What the threads of a session share. It knows nothing of the session, so that one that is dropped can end it.

    Attributes:
        settings: What is done to measurements; replaced as a whole, by any thread, at any time.
        neutral: The actor's neutral, None for the regressor's generic one; replaced likewise.
        state: How far it is.
        problem: Why it failed, for the user.
        calibration: How far the search for the neutral is.
    """

    def __init__(
        self,
        source: Source,
        tracker_factory: Callable[[], FaceTracker],
        regressor: Regressor | Callable[[], Regressor],
        settings: LiveSettings,
        fov_deg: float,
    ) -> None:
        """Puts the parts together; nothing runs yet."""
        pose.Camera((1, 1), fov_deg)  # refuses what cannot be before anything is opened
        self.settings = settings
        self.neutral: Neutral | None = None
        self.state: State = "opening"
        self.problem = ""
        self.calibration: Calibration = IDLE
        self.source = source
        self._tracker_factory = tracker_factory
        self._regressor = regressor
        self._fov_deg = fov_deg
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._taken: Newest[SourceFrame] = Newest()
        self._ready: Newest[LiveFrame] = Newest()
        self._search: NeutralSearch | None = None
        self._recorder: Recorder | None = None
        self._origin: Origin | None = None
        self._recent: deque[tuple[float, float]] = deque(maxlen=1000)
        self._newest_s: float | None = None
        self._dropped = 0
        self._threads = (
            threading.Thread(target=self._guarded, args=(self._capture,), name="live capture", daemon=True),
            threading.Thread(target=self._guarded, args=(self._look_on,), name="live inference", daemon=True),
        )

    # Called by the session, in any thread ---------------------------------------------------------------------------

    def start(self) -> None:
        """Starts both threads, once."""
        if self._threads[0].ident is not None or self.state != "opening":
            message = "This live session has been started before: begin a new one."
            raise LiveError(message)
        for thread in self._threads:
            thread.start()

    def stop(self, timeout_s: float) -> None:
        """Asks both threads to end and waits for them; one that a driver holds up ends by itself later."""
        self._end("ended")
        deadline_s = time.monotonic() + timeout_s
        for thread in self._threads:
            if thread.ident is not None and thread is not threading.current_thread():
                thread.join(max(deadline_s - time.monotonic(), 0.0))
        with self._lock:
            recorder = self._recorder
        if recorder is not None:
            recorder.end()

    def newest(self) -> LiveFrame | None:
        """The newest frame that was not given before."""
        return self._ready.take()

    def set_neutral(self, neutral: Neutral | None) -> None:
        """Replaces the actor's neutral; raises LiveError where it is another regressor's."""
        if not callable(self._regressor):
            _check_neutral(neutral, self._regressor)
        self.neutral = neutral

    def calibrate(self) -> None:
        """Begins to look for the actor's neutral; raises LiveError where nothing runs."""
        self._check_running("calibrate")
        with self._lock:
            self._search = NeutralSearch()
            self.calibration = Calibration("running", 0.0, "Rest your face and look into the camera.")

    def record(self, video: Path | None) -> None:
        """Begins a recording; raises LiveError where nothing runs or another one does, OutputError from `Recorder`."""
        self._check_running("record")
        with self._lock:
            if self._recorder is not None:
                message = "A recording runs already: stop it first."
                raise LiveError(message)
            if self._origin is None:  # running, and yet no picture has been looked at
                message = "There is no picture yet: record when the camera shows one."
                raise LiveError(message)
            self._recorder = Recorder(self._origin, video)

    def take_recorder(self) -> Recorder | None:
        """Hands the recording over, whatever has become of the session since."""
        with self._lock:
            recorder, self._recorder = self._recorder, None
        return recorder

    @property
    def recorder(self) -> Recorder | None:
        """The recording that runs."""
        return self._recorder

    def statistics(self) -> Statistics:
        """How it keeps up."""
        now_s = time.perf_counter()
        with self._lock:
            recent = [item for item in self._recent if item[0] > now_s - _WINDOW_S]
            newest_s, dropped = self._newest_s, self._dropped
        return Statistics(
            frames_per_s=(len(recent) - 1) / max(now_s - recent[0][0], 1e-6) if recent else 0.0,
            latency_s=float(np.median([latency for _, latency in recent])) if recent else float("nan"),
            dropped=dropped,
            age_s=float("inf") if newest_s is None else now_s - newest_s,
        )

    def _check_running(self, what: str) -> None:
        if self.state != "running":
            reason = {"opening": "has not begun yet: wait for the picture", "failed": "has failed: start it again"}
            message = f"Cannot {what}: the live session {reason.get(self.state, 'has ended: start it again')}."
            raise LiveError(message)

    # The threads ----------------------------------------------------------------------------------------------------

    def _end(self, state: State, problem: str = "") -> None:
        """Ends everything; what was said first counts."""
        with self._lock:
            if self.state in ("opening", "running"):
                self.state, self.problem = state, problem
            if self._search is not None:
                self._search = None
                self.calibration = Calibration("refused", 1.0, "The live session ended before a second was over.")
        self._stop.set()
        self._taken.close()

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except AuMocapError as error:
            self._end("failed", str(error))
        except BaseException as error:
            self._end("failed", f"An error in AU Mocap ended the live session ({error!r}): please report it.")
            raise

    def _capture(self) -> None:
        try:
            self.source.open()
            while not self._stop.is_set() and not self.source.ended:
                frame = self.source.read(_READ_S)
                if frame is not None:
                    self._taken.put(frame)
        finally:
            self.source.close()
        self._taken.close()  # not after an error, which must be told before the other thread sees the end

    def _look_on(self) -> None:
        tracker = self._tracker_factory()
        regressor = self._regressor() if callable(self._regressor) else self._regressor
        self._regressor = regressor
        _check_neutral(self.neutral, regressor)
        looker: Looker | None = None
        smooth = LiveFilter()
        first_s = 0.0
        index = -1
        while not self._stop.is_set():
            frame = self._taken.take(_READ_S)
            if frame is None:
                if self._taken.exhausted:
                    break
                continue
            if looker is None:
                first_s, index = frame.captured_s, frame.index - 1
                looker = self._begin(frame, tracker, regressor)
            look = looker.look(frame.image, frame.captured_s - first_s, self.neutral)
            self._calibrate(frame, look)
            self._record(frame, look)
            self._publish(_live_frame(frame, first_s, look, smooth, self.settings), frame.index - index - 1)
            index = frame.index
        self._end("ended")

    def _begin(self, frame: SourceFrame, tracker: FaceTracker, regressor: Regressor) -> Looker:
        height, width = frame.image.shape[:2]
        camera = pose.Camera((width, height), self._fov_deg)
        made = {"name": tracker.name, "version": tracker.version}
        with self._lock:
            self._origin = Origin(self.source.name, self.source.rate_hz, camera, made, regressor)
        return Looker(tracker, regressor, camera)

    def _calibrate(self, frame: SourceFrame, look: Look | None) -> None:
        with self._lock:
            if self._search is None:
                return
            self.calibration = self._search.add(frame.captured_s, look)
            if self.calibration.state == "running":
                return
            self._search = None
            if self.calibration.neutral is not None:
                self.neutral = self.calibration.neutral

    def _record(self, frame: SourceFrame, look: Look | None) -> None:
        with self._lock:
            recorder = self._recorder
        if recorder is None:
            return
        if look is None:
            recorder.add(frame.captured_s, frame.image, None, _NO_EMBEDDING)
        else:
            recorder.add(frame.captured_s, frame.image, look.face, look.embedding)

    def _publish(self, live: LiveFrame, left_out: int) -> None:
        with self._lock:
            self._recent.append((live.ready_s, live.ready_s - live.captured_s))
            self._newest_s = live.captured_s
            self._dropped += left_out
            if self.state == "opening":
                self.state = "running"
        self._ready.put(live)


def _check_neutral(neutral: Neutral | None, regressor: Regressor) -> None:
    if neutral is not None and len(neutral.embedding) != regressor.embedding_size:
        message = f"The neutral was not made with regressor '{regressor.entry.name}': calibrate again."
        raise LiveError(message)


def _live_frame(
    frame: SourceFrame, first_s: float, look: Look | None, smooth: LiveFilter, settings: LiveSettings
) -> LiveFrame:
    time_s = frame.captured_s - first_s
    sample = None if look is None else Sample(look.values, look.rotation, look.position, look.face.confidence)
    result = shown(smooth.step(time_s, sample, settings.smoothing, frozen=settings.frozen), settings)
    return LiveFrame(
        index=frame.index,
        captured_s=frame.captured_s,
        ready_s=time.perf_counter(),
        time_s=time_s,
        image=frame.image,
        landmarks=None if look is None else look.face.landmarks,
        crop=None if look is None else look.face.crop,
        confidence=0.0 if look is None else look.face.confidence,
        values=result.values,
        raw=_raw(look),
        head_rotation=result.rotation,
        head_position=result.position,
        found=look is not None,
    )


def _raw(look: Look | None) -> NDArray[np.float32]:
    return _NO_VALUES.copy() if look is None else look.values
