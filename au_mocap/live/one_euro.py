"""The One-Euro filter: a low-pass whose cutoff follows the signal's own speed.

Casiez, Roussel and Vogel, "1€ Filter: A Simple Speed-based Low-pass Filter for Noisy Input in Interactive Systems",
CHI 2012. At rest the cutoff is low and noise is taken out; in motion it rises and the delay nearly vanishes.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats


@dataclass(frozen=True, slots=True)
class Tuning:
    """How one filter, or each column of one, is set.

    Attributes:
        cutoff_hz: Cutoff at rest.
        rise: How many Hz the cutoff rises for each unit a second (the paper's beta).
        speed_cutoff_hz: Cutoff of the low-pass over the speed itself.
    """

    cutoff_hz: NDArray[np.float64]
    rise: NDArray[np.float64]
    speed_cutoff_hz: float


def share(cutoff_hz: Floats | float, elapsed_s: float) -> NDArray[np.float64]:
    """How much of a new sample a low-pass of first order takes in, 0..1."""
    turn = 2.0 * math.pi * elapsed_s * np.asarray(cutoff_hz, np.float64)
    return turn / (turn + 1.0)


class OneEuro:
    """Filters rows of numbers, every column by itself.

    Attributes:
        speed: (C,) filtered speed in units a second.
    """

    def __init__(self) -> None:
        """Begins without a past: the first row comes out as it went in."""
        self._last: NDArray[np.float64] | None = None
        self._raw = np.zeros(0)
        self.speed = np.zeros(0)

    def step(self, elapsed_s: float, row: Floats, tuning: Tuning) -> NDArray[np.float64]:
        """Takes in the next row.

        Args:
            elapsed_s: Seconds since the last one.
            row: (C,), finite.
            tuning: For all columns, or arrays of one entry for each.
        """
        raw = np.asarray(row, np.float64)
        if self._last is None or elapsed_s <= 0.0:
            self._last = raw.copy() if self._last is None else self._last
            self._raw = raw.copy() if not len(self._raw) else self._raw
            self.speed = np.zeros_like(raw) if not len(self.speed) else self.speed
            return self._last.copy()
        speed = (raw - self._raw) / elapsed_s
        self.speed = self.speed + share(tuning.speed_cutoff_hz, elapsed_s) * (speed - self.speed)
        taken = share(tuning.cutoff_hz + tuning.rise * np.abs(self.speed), elapsed_s)
        self._last = self._last + taken * (raw - self._last)
        self._raw = raw.copy()
        return self._last.copy()


class OneEuroRotation:
    """Filters unit quaternions along the shortest turn.

    Attributes:
        speed: Filtered speed in radians a second.
    """

    def __init__(self) -> None:
        """Begins without a past: the first rotation comes out as it went in."""
        self._last: NDArray[np.float64] | None = None
        self._raw = np.zeros(0)
        self.speed = 0.0

    def step(self, elapsed_s: float, rotation: Floats, tuning: Tuning) -> NDArray[np.float64]:
        """Takes in the next (4,) unit quaternion; the result's sign is continuous."""
        raw = np.asarray(rotation, np.float64)
        if self._last is None or elapsed_s <= 0.0:
            self._last = raw.copy() if self._last is None else self._last
            self._raw = raw.copy() if not len(self._raw) else self._raw
            return self._last.copy()
        speed = angle(self._raw, raw) / elapsed_s
        self.speed += float(share(tuning.speed_cutoff_hz, elapsed_s)) * (speed - self.speed)
        taken = float(share(tuning.cutoff_hz + tuning.rise * self.speed, elapsed_s))
        self._last = between(self._last, raw, taken)
        self._raw = raw.copy()
        return self._last.copy()


def angle(first: Floats, second: Floats) -> float:
    """Angle in radians between two unit quaternions' rotations."""
    # By the chord, since arccos of nearly 1 has no digits left for the small turns that matter here.
    near = min(float(np.linalg.norm(first - second)), float(np.linalg.norm(first + second)))
    return 4.0 * math.asin(min(near / 2.0, 1.0))


def between(first: Floats, second: Floats, place: float) -> NDArray[np.float64]:
    """The (4,) unit quaternion on the shortest turn from one (place 0) to another (place 1)."""
    start, end = np.asarray(first, np.float64), np.asarray(second, np.float64)
    end = -end if float(start @ end) < 0.0 else end
    half = math.acos(min(float(start @ end), 1.0))
    if half < 1e-6:
        mixed = (1.0 - place) * start + place * end
    else:
        mixed = (math.sin((1.0 - place) * half) * start + math.sin(place * half) * end) / math.sin(half)
    return mixed / np.linalg.norm(mixed)
