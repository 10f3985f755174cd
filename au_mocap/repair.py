"""Frames that tracking got wrong for a moment, taken from the frames around them.

A head does not jump and come back within a frame, nor does a face that was seen before and after vanish in between.
Movements of lids and lips are that quick, so nothing is judged by the values themselves.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .arrays import Floats
from .smoothing import segments
from .steadying import CLEAR

LONGEST_S: Final = 0.17
"""Greatest time between the frames around a loss of the face that is bridged: three frames at 24 a second."""

_SPIKE_S: Final = 0.11
"""The frames before and after a spike are no farther apart."""

_JUMP_RAD: Final = float(np.radians(6.0))
_JUMP_M: Final = 0.02
_BACK: Final = 0.8
"""The frames around a spike are nearer to each other than to it, by this share at most: the head may be moving."""

_DIP: Final = 0.25
"""A frame that is so much less certain than both of its neighbours is a spike with half of the jumps."""


@dataclass(frozen=True, slots=True)
class Faults:
    """Which of T frames are to be bridged.

    Attributes:
        spikes: (T,) bool: a face was seen, in the wrong place.
        dropouts: (T,) bool: no face was seen, though there was one just before and after.
    """

    spikes: NDArray[np.bool_]
    dropouts: NDArray[np.bool_]

    @property
    def any_of_both(self) -> NDArray[np.bool_]:
        """(T,) bool."""
        return self.spikes | self.dropouts


def find(time_s: Floats, rotation: Floats, position: Floats, confidence: Floats) -> Faults:
    """Finds faults by the head's pose and the confidence.

    Args:
        time_s: (T,) strictly increasing seconds.
        rotation: (T, 4) unit quaternions; NaN where there is no face.
        position: (T, 3) metres; NaN where there is no face.
        confidence: (T,) 0..1.
    """
    times = np.asarray(time_s, np.float64)
    return Faults(
        _spikes(
            times,
            np.asarray(rotation, np.float64),
            np.asarray(position, np.float64),
            np.asarray(confidence, np.float64),
        ),
        _dropouts(times, ~np.isnan(np.asarray(position)).any(axis=1)),
    )


def bridge(time_s: Floats, rows: Floats, faults: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Straight lines through faulty frames, between the sound ones on both sides.

    Args:
        time_s: (T,) strictly increasing seconds.
        rows: (T, C); quaternions need continuous signs, and are to be brought to unit length afterwards.
        faults: (T,) bool; such a frame at the beginning or the end stays as it is.

    Returns:
        (T, C) float64.
    """
    result, times = np.array(rows, np.float64), np.asarray(time_s, np.float64)
    for start, stop in segments(faults):
        before, after = start - 1, stop
        if before >= 0 and after < len(result):
            place = ((times[start:stop] - times[before]) / (times[after] - times[before]))[:, None]
            result[start:stop] = (1.0 - place) * result[before] + place * result[after]
    return result


def _dropouts(time_s: NDArray[np.float64], known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    result = np.zeros(len(known), bool)
    for start, stop in segments(~known):
        inside = start > 0 and stop < len(known)
        result[start:stop] = inside and time_s[stop] - time_s[start - 1] <= LONGEST_S + 1e-9
    return result


def _spikes(
    time_s: NDArray[np.float64],
    rotation: NDArray[np.float64],
    position: NDArray[np.float64],
    confidence: NDArray[np.float64],
) -> NDArray[np.bool_]:
    result = np.zeros(len(time_s), bool)
    if len(time_s) < 3:
        return result
    near = time_s[2:] - time_s[:-2] <= _SPIKE_S
    sure = np.minimum(confidence[2:], confidence[:-2])
    limit = np.where(confidence[1:-1] < sure - _DIP, 0.5, 1.0)
    jumps = np.zeros(len(near), bool)
    turned = _turns(rotation[1:], rotation[:-1]), _turns(rotation[2:], rotation[:-2])
    moved = (np.linalg.norm(each, axis=1) for each in (np.diff(position, axis=0), position[2:] - position[:-2]))
    for (step, across), most in ((turned, _JUMP_RAD), (tuple(moved), _JUMP_M)):
        there = np.minimum(step[:-1], step[1:])  # NaN beside a lost face compares as no jump
        jumps |= (there > limit * most) & (across < _BACK * there)
    result[1:-1] = jumps & near & (sure >= CLEAR)
    return result


def _turns(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """(T,) angles in radians between rotations."""
    return 2.0 * np.arccos(np.clip(np.abs((first * second).sum(axis=1)), 0.0, 1.0))
