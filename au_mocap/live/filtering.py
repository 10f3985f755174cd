"""From measurements that jitter, stop and come back to values that a character can be given.

Pure: rows and times go in, rows come out; no threads, no clock. In this order:

- Doubtful frames (a hand before the mouth) lean on the last clear ones, as `steadying` does offline.
- One-Euro filters by region of the face, for the head's rotation and position: still at rest, quick in motion.
- A deadband that sets itself by each channel's own noise: what stays within it does not move the character at all.
- A face that is lost is held for `HOLD_S`, then eases to rest; one that comes back eases in from what was shown.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .. import channels, regions
from ..arrays import Floats
from ..gaps import EASE_S
from ..steadying import CLEAR, HIDDEN
from .one_euro import OneEuro, OneEuroRotation, Tuning, angle, between
from .rest import Deadband

HOLD_S: Final = 0.3
"""A face that is lost for no longer is shown as it was last seen."""


@dataclass(frozen=True, slots=True)
class Strength:
    """How much is filtered.

    Attributes:
        cutoff_hz: Cutoff of values at rest; regions multiply it.
        rise: Hz for each unit of value a second.
        head_cutoff_hz: Cutoff of the head's pose at rest.
        head_rise: Hz for each radian a second; ten times as much for each metre a second.
        deadband: Width of the deadband in standard deviations of a channel's noise.
    """

    cutoff_hz: float
    rise: float
    head_cutoff_hz: float
    head_rise: float
    deadband: float


STRENGTHS: Final[dict[str, Strength | None]] = {
    "off": None,
    "light": Strength(2.0, 9.0, 2.0, 8.0, 2.5),
    "medium": Strength(1.0, 5.0, 1.0, 5.0, 3.5),
    "strong": Strength(0.5, 2.5, 0.5, 2.5, 4.5),
}
"""By the names that offline smoothing uses too."""

_PACE: Final = {
    "brows": 0.8,
    "lids": 2.0,
    "gaze": 1.5,
    "nose_cheeks": 0.8,
    "lips": 1.2,
    "jaw": 1.2,
    "tongue": 1.0,
}
"""What cutoffs are multiplied by: how quickly a part of the face moves. A blink must not be late."""

_SPEED_CUTOFF_HZ: Final = 4.0
_METRES_TO_RADIANS: Final = 10.0
_WIDEST_BAND: Final = 0.03
_WIDEST_HEAD_BAND: Final = 0.01  # radians, and tenths of metres


@dataclass(frozen=True, slots=True)
class Sample:
    """What was measured in one frame with a face.

    Attributes:
        values: (58,) 0..1.
        rotation: (4,) unit quaternion.
        position: (3,) metres.
        confidence: 0..1, see `TrackedFace`.
    """

    values: Floats
    rotation: Floats
    position: Floats
    confidence: float


@dataclass(frozen=True, slots=True)
class Filtered:
    """What is to be shown.

    Attributes:
        values: (58,) float64.
        rotation: (4,) unit quaternion, NaN before the first face; held while there is none.
        position: (3,) metres, as above.
        presence: 0..1: how far the face is there, 0 at rest because it was lost.
    """

    values: NDArray[np.float64]
    rotation: NDArray[np.float64]
    position: NDArray[np.float64]
    presence: float


_NOTHING: Final = Filtered(np.zeros(len(channels.IDS)), np.full(4, np.nan), np.full(3, np.nan), 0.0)


class LiveFilter:
    """Filters one performance, frame by frame."""

    def __init__(self) -> None:
        """Begins at rest, without a face."""
        self._seen_s = -math.inf
        self._eased_s = -math.inf  # when the ease from `_from` began
        self._from = _NOTHING
        self._shown = _NOTHING
        self._target = _NOTHING
        self._clear: Sample | None = None
        self._restart()

    def _restart(self) -> None:
        self._values, self._rotation, self._position = OneEuro(), OneEuroRotation(), OneEuro()
        self._band, self._position_band = Deadband(_WIDEST_BAND), Deadband(_WIDEST_HEAD_BAND / _METRES_TO_RADIANS)
        self._rotation_band = Deadband(_WIDEST_HEAD_BAND)
        self._reference = np.array([1.0, 0.0, 0.0, 0.0])
        self._clear = None

    def step(self, time_s: float, sample: Sample | None, strength: str, *, frozen: bool = False) -> Filtered:
        """Takes in the next frame.

        Args:
            time_s: When it was captured, later than the last one.
            sample: What was measured in it, None where no face was found.
            strength: One of `STRENGTHS`.
            frozen: Show what was shown before; when this ends, the face eases in again.
        """
        if sample is not None:
            elapsed_s = time_s - self._seen_s
            if elapsed_s > HOLD_S:
                self._restart()
                self._from, self._eased_s = self._shown, time_s
            self._seen_s = time_s
            self._target = self._filter(elapsed_s, sample, STRENGTHS[strength])
        if frozen:
            self._from, self._eased_s = self._shown, time_s
        else:
            self._shown = self._eased(time_s)
        return self._shown

    def _filter(self, elapsed_s: float, sample: Sample, strength: Strength | None) -> Filtered:
        sample = self._steady(sample)
        if strength is None:
            self._restart_keeping_clear()
            rotation = _nearer(sample.rotation, self._target.rotation)
            return Filtered(np.asarray(sample.values, np.float64), rotation, np.asarray(sample.position), 1.0)
        tuning = Tuning(strength.cutoff_hz * _PACES, strength.rise * _PACES, _SPEED_CUTOFF_HZ)
        head = Tuning(np.array(strength.head_cutoff_hz), np.array(strength.head_rise), _SPEED_CUTOFF_HZ)
        place = Tuning(head.cutoff_hz, head.rise * _METRES_TO_RADIANS, _SPEED_CUTOFF_HZ)
        values = self._values.step(elapsed_s, sample.values, tuning)
        position = self._position.step(elapsed_s, sample.position, place)
        rotation = self._rotation.step(elapsed_s, _nearer(sample.rotation, self._target.rotation), head)
        return Filtered(
            self._band.step(elapsed_s, np.asarray(sample.values, np.float64), values, strength.deadband),
            self._still(elapsed_s, sample.rotation, rotation, strength.deadband),
            self._position_band.step(elapsed_s, np.asarray(sample.position), position, strength.deadband),
            1.0,
        )

    def _still(
        self, elapsed_s: float, measured: Floats, rotation: NDArray[np.float64], width: float
    ) -> NDArray[np.float64]:
        """The head's deadband, in the one number that tells how far it has turned from what is shown."""
        shown = rotation if np.isnan(self._target.rotation).any() else self._target.rotation
        off = angle(shown, rotation)
        taken = self._rotation_band.share(elapsed_s, np.array([angle(shown, measured)]), np.array([off]), width)
        return between(shown, rotation, float(taken[0]))

    def _restart_keeping_clear(self) -> None:
        clear = self._clear
        self._restart()
        self._clear = clear

    def _steady(self, sample: Sample) -> Sample:
        """Leans a doubtful frame's values on the last clear frame's."""
        trust = min(max((sample.confidence - HIDDEN) / (CLEAR - HIDDEN), 0.0), 1.0)
        if trust == 1.0 or self._clear is None:
            self._clear = sample if trust == 1.0 else self._clear
            return sample
        values = trust * np.asarray(sample.values) + (1.0 - trust) * np.asarray(self._clear.values)
        return Sample(values, sample.rotation, sample.position, sample.confidence)

    def _eased(self, time_s: float) -> Filtered:
        lost_s = time_s - self._seen_s
        depth = 1.0 - _smooth_step((lost_s - HOLD_S) / EASE_S) if math.isfinite(lost_s) else 0.0
        target = self._target
        place = _smooth_step((time_s - self._eased_s) / EASE_S)
        rotation, position = target.rotation, target.position
        before = self._from
        if place < 1.0 and not np.isnan(before.rotation).any() and not np.isnan(rotation).any():
            rotation = between(before.rotation, rotation, place)
            position = (1.0 - place) * before.position + place * position
        return Filtered(
            (1.0 - place) * before.values + place * depth * target.values,
            rotation,
            position,
            (1.0 - place) * before.presence + place * depth * target.presence,
        )


def _paces() -> NDArray[np.float64]:
    return np.array([_PACE[regions.REGION_OF[channel_id]] for channel_id in channels.IDS])


_PACES: Final = _paces()


def _nearer(rotation: Floats, last: Floats) -> NDArray[np.float64]:
    """The quaternion with the sign nearer to the last one, or, without one, with w >= 0."""
    own = np.asarray(rotation, np.float64)
    side = own[0] if np.isnan(last).any() else float(own @ last)
    return -own if side < 0 else own.copy()


def _smooth_step(place: float) -> float:
    """As offline gaps ease: 0 up to 0, 1 from 1 on."""
    x = min(max(place, 0.0), 1.0)
    return x * x * (3.0 - 2.0 * x)
