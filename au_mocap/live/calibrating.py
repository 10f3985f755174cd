"""The actor's neutral, live: one second of a face at rest, averaged."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from .. import channels
from ..landmarks import COUNT
from ..regressors import Neutral
from .looking import Look
from .one_euro import angle

State = Literal["idle", "running", "done", "refused"]

LENGTH_S: Final = 1.0
_PATIENCE_S: Final = 3.0
_FEWEST: Final = 5
_LEAST_FOUND: Final = 0.8
_LEAST_CONFIDENCE: Final = 0.5
_BLINK: Final = 0.25
"""An eye this much more closed than usual is blinking: such frames are left out."""
_MOST_BLINKING: Final = 0.4
_MOST_SPREAD: Final = 0.08
"""Standard deviation of a value beyond which the face moved."""
_MOST_TURN_RAD: Final = 0.06
_NO_FACES: Final = "No face was seen: look into the camera, with light on your face, and calibrate again."


@dataclass(frozen=True, slots=True)
class Calibration:
    """How far the search for the actor's neutral has come.

    Attributes:
        state: `idle` before the first one, `running`, `done`, or `refused`: the neutral stays as it was.
        progress: 0..1 while it runs, 1 after it.
        message: What to show to the actor: what to do, or why it was refused.
        neutral: What was found, where it is done; `Session.set_neutral` takes it again in a later session.
        head_rotation: (4,) mean unit quaternion of the head at rest, where it is done; as measured, not mirrored.
        head_position: (3,) mean metres, as above.
    """

    state: State = "idle"
    progress: float = 0.0
    message: str = ""
    neutral: Neutral | None = None
    head_rotation: NDArray[np.float32] | None = None
    head_position: NDArray[np.float32] | None = None


IDLE: Final = Calibration()


class NeutralSearch:
    """Gathers frames and says what they are worth."""

    def __init__(self) -> None:
        """Begins with the next frame."""
        self._first_s: float | None = None
        self._frames = 0
        self._looks: list[Look] = []

    def add(self, time_s: float, look: Look | None) -> Calibration:
        """Takes in the next frame, with or without a face."""
        self._first_s = time_s if self._first_s is None else self._first_s
        elapsed_s = time_s - self._first_s
        self._frames += 1
        if look is not None:
            self._looks.append(look)
        if elapsed_s < LENGTH_S or (self._frames < _FEWEST and elapsed_s < _PATIENCE_S):
            return Calibration("running", min(elapsed_s / LENGTH_S, 1.0), "Rest your face and look into the camera.")
        return self._judge()

    def _judge(self) -> Calibration:
        if not self._looks:
            return _refused(_NO_FACES)
        if len(self._looks) < max(_LEAST_FOUND * self._frames, _FEWEST):
            return _refused("The face was lost now and then: stay in the picture, and calibrate again.")
        if float(np.median([look.face.confidence for look in self._looks])) < _LEAST_CONFIDENCE:
            return _refused(
                "The face is only half to be seen: face the camera, hands and hair away from the face, more light; "
                "then calibrate again."
            )
        calm = self._without_blinks()
        if len(calm) < max((1.0 - _MOST_BLINKING) * len(self._looks), _FEWEST):
            return _refused("The eyes opened and closed: keep them open for a second, and calibrate again.")
        if _turn(calm) > _MOST_TURN_RAD:
            return _refused("The head moved: hold it still for a second, and calibrate again.")
        spread = np.stack([look.values for look in calm]).astype(np.float64).std(axis=0)
        if spread.max() > _MOST_SPREAD:
            moved = channels.CHANNELS[int(spread.argmax())].label.lower()
            return _refused(f"The face moved ({moved}): keep it at rest for a second, and calibrate again.")
        return _done(calm)

    def _without_blinks(self) -> list[Look]:
        columns = [channels.INDEX["eye_close_L"], channels.INDEX["eye_close_R"]]
        closing = np.array([look.values[columns].max() for look in self._looks])
        usual = float(np.percentile(closing, 30))
        return [look for look, value in zip(self._looks, closing, strict=True) if value <= usual + _BLINK]


def _turn(looks: list[Look]) -> float:
    """The farthest turn of the head away from its mean, in radians."""
    mean = _mean_rotation(looks)
    return max(angle(mean, look.rotation) for look in looks)


def _mean_rotation(looks: list[Look]) -> NDArray[np.float64]:
    first = looks[0].rotation
    table = np.stack([look.rotation * (1.0 if look.rotation @ first >= 0 else -1.0) for look in looks])
    mean = table.mean(axis=0)
    return mean / np.linalg.norm(mean)


def _done(looks: list[Look]) -> Calibration:
    faces = np.concatenate([look.seen.landmarks for look in looks])
    neutral = Neutral(
        landmarks=faces.mean(axis=0, dtype=np.float64).astype(np.float32),
        weight=np.ones((COUNT, 1), np.float32),
        embedding=np.concatenate([look.seen.embedding for look in looks]).mean(axis=0),
    )
    return Calibration(
        "done",
        1.0,
        f"Neutral taken from {len(looks)} frames.",
        neutral,
        _mean_rotation(looks).astype(np.float32),
        np.stack([look.position for look in looks]).mean(axis=0).astype(np.float32),
    )


def _refused(message: str) -> Calibration:
    return Calibration("refused", 1.0, message)
