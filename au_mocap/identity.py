"""Telling the followed face from others in the picture by how it looks.

A face's signature is its picture at 8x8 cells in CIELAB, cut out upright around its landmarks. Two signatures are
compared cell by cell and the median taken, so that a hand over a part of the face counts little; lightness counts less
than colour and only as a pattern, so that turning towards a lamp counts little too. It tells people in one shot apart;
it is not meant to recognise anybody.
"""

import math
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from .crops import Image

Signature = NDArray[np.float32]

SAME: Final = 9.0
"""Distances up to this are one person: on real clips, hands over the face included, the largest seen was 8.9."""
STRANGER: Final = 12.0
"""Distances beyond this are two people: on real clips the smallest seen was 13.5."""

_CELLS: Final = 8
_CENTRAL: Final = 0.7
_LIGHTNESS_WEIGHT: Final = 0.3
_ADAPT_S: Final = 2.0
_ADOPT_S: Final = 2.0
_MAX_BYSTANDERS: Final = 8


class Verdict(Enum):
    """Whose face a signature is."""

    SAME = auto()
    UNSURE = auto()
    OTHER = auto()


@dataclass(frozen=True, slots=True)
class Likeness:
    """How a signature compares.

    Attributes:
        distance: To the followed face; 0 is equal.
        verdict: Whose face it is.
    """

    distance: float
    verdict: Verdict


def prepare_colours() -> None:
    """Makes OpenCV build its tables for CIELAB, which takes a tenth of a second the first time; any thread may."""
    cv2.cvtColor(np.zeros((1, 1, 3), np.uint8), cv2.COLOR_BGR2LAB)


def signature(tile: Image) -> Signature:
    """The signature of the face in a crop around its landmarks.

    Args:
        tile: (S, S, 3) uint8 BGR, the face filling about two thirds of it.

    Returns:
        (8, 8, 3) float32, 8-bit CIELAB.
    """
    edge = round(tile.shape[0] * (1 - _CENTRAL) / 2)
    cells = cv2.resize(tile[edge:-edge, edge:-edge], (_CELLS, _CELLS), interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(cells, cv2.COLOR_BGR2LAB).astype(np.float32)


def distance(first: Signature, second: Signature) -> float:
    """How differently two faces look; 0 is equal, see `SAME` and `STRANGER`."""
    difference = (first - second).reshape(-1, 3)
    difference[:, 0] -= _medians(difference)[0]
    lightness, green_red, blue_yellow = _medians(np.abs(difference)).tolist()
    return lightness * _LIGHTNESS_WEIGHT + green_red + blue_yellow


def _medians(columns: NDArray[np.float32]) -> NDArray[np.float32]:
    """Medians of (64, C) columns: for so few numbers a third of `np.median`'s time, and every frame waits for it."""
    ordered = np.sort(columns, axis=0)
    half = len(ordered) // 2
    return (ordered[half - 1] + ordered[half]) / 2


class Identity:
    """What the followed face looks like, and the others that were seen beside it."""

    def __init__(self, reference: Signature, time_s: float) -> None:
        """Begins with the first sight of the face to follow."""
        self._reference = reference
        self._time_s = time_s
        self._unsure_since_s: float | None = None
        self._bystanders: list[Signature] = []

    @property
    def reference(self) -> Signature:
        """What the followed face looks like by now."""
        return self._reference

    def judge(self, seen: Signature) -> Likeness:
        """Compares a face with the followed one and with those known to be others."""
        own = distance(seen, self._reference)
        if own <= SAME:
            return Likeness(own, Verdict.SAME)
        nearest = min((distance(seen, other) for other in self._bystanders), default=math.inf)
        return Likeness(own, Verdict.OTHER if nearest < own else Verdict.UNSURE)

    def follow(self, seen: Signature, verdict: Verdict, time_s: float) -> None:
        """Learns from a sight of the followed face: slow changes at once, a new look once it has lasted."""
        elapsed_s = max(time_s - self._time_s, 0.0)
        self._time_s = time_s
        if verdict is Verdict.SAME:
            self._unsure_since_s = None
            self._reference = self._reference + (seen - self._reference) * np.float32(
                -math.expm1(-elapsed_s / _ADAPT_S)
            )
        elif self._unsure_since_s is None:
            self._unsure_since_s = time_s
        elif time_s - self._unsure_since_s >= _ADOPT_S:
            self._unsure_since_s = None
            self._reference = seen

    def note_bystander(self, seen: Signature) -> None:
        """Remembers a face seen beside the followed one, unless the two look alike."""
        if distance(seen, self._reference) <= SAME:
            return
        known = [other for other in self._bystanders if distance(seen, other) > SAME]
        self._bystanders = [*known, seen][-_MAX_BYSTANDERS:]
