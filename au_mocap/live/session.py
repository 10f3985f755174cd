"""One live performance, from start to stop.

session = Session(CameraSource(0), tracker_factory, regressor, LiveSettings(), fov_deg=63.0)
session.start()
...
frame = session.newest()        # from a timer of the user interface, never blocks
...
session.stop()
"""

import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Final

from ..pose import DEFAULT_FOV_DEG
from ..regressors import Neutral, Regressor
from ..take import Take
from ..tracking import FaceTracker
from .calibrating import Calibration
from .engine import Engine, State
from .frames import Source
from .results import LiveFrame, Statistics
from .settings import PARTS, LiveSettings

__all__ = ["DEFAULT_REGRESSOR", "PARTS", "Calibration", "LiveFrame", "LiveSettings", "Session", "Statistics"]

DEFAULT_REGRESSOR: Final = "fast"
"""What to open for live sessions unless another one is named."""

_STOP_S: Final = 0.5


class Session:
    """A live session. It runs once; its methods may be called by any thread and, save where they say so, never block.

    When the session is dropped without a stop, its threads end by themselves and let go of the source.
    """

    def __init__(
        self,
        source: Source,
        tracker_factory: Callable[[], FaceTracker],
        regressor: Regressor | Callable[[], Regressor],
        settings: LiveSettings | None = None,
        fov_deg: float = DEFAULT_FOV_DEG,
    ) -> None:
        """Puts a session together; nothing is opened yet.

        Args:
            source: Where pictures come from; the session alone uses it from now on.
            tracker_factory: Opens the tracker, in the session's own thread.
            regressor: What gives values, or what opens it, in the session's own thread.
            settings: What is done to measurements; None for the defaults.
            fov_deg: Vertical field of view of the camera in degrees.

        Raises:
            SettingsError: There is no such field of view.
        """
        self._engine = Engine(source, tracker_factory, regressor, settings or LiveSettings(), fov_deg)
        self._finalizer = weakref.finalize(self, self._engine.stop, _STOP_S)

    def start(self) -> None:
        """Begins: opens source and networks in threads of their own; `state` tells how far they are.

        Raises:
            LiveError: It has been started before.
        """
        self._engine.start()

    def stop(self, timeout_s: float = _STOP_S) -> None:
        """Ends the session; blocks until its threads have ended, or for `timeout_s`. May be called again.

        A thread that a camera's driver holds up for longer ends by itself later. A recording that runs is not lost:
        `stop_recording` still gives it.
        """
        self._engine.stop(timeout_s)

    @property
    def state(self) -> State:
        """`opening` until the first frame is ready, `running`, `ended` (stopped, or no pictures left), or `failed`."""
        return self._engine.state

    @property
    def problem(self) -> str:
        """Why it failed and what to do, for the user; empty where it did not."""
        return self._engine.problem

    def newest(self) -> LiveFrame | None:
        """The newest frame that was not handed out before, None where there is none."""
        return self._engine.newest()

    @property
    def statistics(self) -> Statistics:
        """How it keeps up."""
        return self._engine.statistics()

    @property
    def settings(self) -> LiveSettings:
        """What is done to measurements; set it to change it from the next frame on."""
        return self._engine.settings

    @settings.setter
    def settings(self, settings: LiveSettings) -> None:
        self._engine.settings = settings

    def calibrate(self) -> None:
        """Takes the actor's neutral from the next second; `calibration` tells how it went.

        Raises:
            LiveError: The session does not run.
        """
        self._engine.calibrate()

    @property
    def calibration(self) -> Calibration:
        """How the latest `calibrate` goes or went."""
        return self._engine.calibration

    def set_neutral(self, neutral: Neutral | None) -> None:
        """Sets the actor's neutral, of an earlier session or take; None for the regressor's generic one.

        Raises:
            LiveError: It was made with another regressor. Where that is still being opened, the session fails so.
        """
        self._engine.set_neutral(neutral)

    @property
    def neutral(self) -> Neutral | None:
        """The actor's neutral, None for the regressor's generic one."""
        return self._engine.neutral

    def record(self, video: Path | None = None) -> None:
        """Begins a recording with the next frame.

        Args:
            video: Keep the pictures too, see `film.open_film`: a video that does not exist yet. Its row of the take
                tells the true time of each picture.

        Raises:
            LiveError: The session does not run, or records already.
            OutputError: The video cannot be written there.
        """
        self._engine.record(video)

    @property
    def recording(self) -> int | None:
        """Frames recorded so far, None while nothing is recorded."""
        recorder = self._engine.recorder
        return None if recorder is None else len(recorder)

    def stop_recording(self) -> Take | None:
        """Ends the recording and gives its take: values as analysed, with true times, without any setting.

        Blocks until what waits is written and the take's values are computed: about a second for each minute that was
        recorded. Works after the session has ended or failed too.

        Returns:
            The take, None where nothing was recorded. Where the video could not be kept, `recording_problem` says why.

        Raises:
            ModelError: The regressor failed.
        """
        recorder = self._engine.take_recorder()
        if recorder is None:
            return None
        take = recorder.finish()
        self._recording_problem = recorder.problem
        self._recording_began_s = recorder.began_s
        return take

    _recording_problem: str = ""
    _recording_began_s: float | None = None

    @property
    def recording_began_s(self) -> float | None:
        """When the first picture of the latest finished recording was taken, in seconds of `time.perf_counter()`."""
        return self._recording_began_s

    @property
    def recording_problem(self) -> str:
        """Why the video of the latest recording could not be kept, for the user; empty where it was."""
        return self._recording_problem
