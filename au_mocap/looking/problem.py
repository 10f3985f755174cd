"""Motions of channels and of a character's shapes as plain vectors that can be compared."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .measure import Measured
from .motion import ChannelMotion
from .places import FIRST_IRIS

LEAST_MOTION: Final = 0.01
"""A shape that moves no landmark further, in distances between the eyes, is none of the face's."""

TONGUE: Final = "tongue_out"
LOOK: Final = "look_"

_LEAST_LOOK: Final = 0.02
"""Motion of an iris below which nothing looks anywhere."""

_LOOK_SHARE: Final = 0.8
"""How far irises move in a look, against the lids that follow."""

_RIGID: Final = 0.9
"""Share of a motion that a turn, a shift and a change of size explain: more is a motion of the whole head."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Everything as plain vectors of N entries: three for each landmark.

    Attributes:
        channels: (P, N) motions of the channels at the measured landmarks; irises alone for those of the gaze.
        shapes: (K, N) motions of the shapes.
        irises: (N,) bool: which entries belong to the irises.
        candidates: (K,) bool: shapes that may play anything.
    """

    ids: tuple[str, ...]
    channels: NDArray[np.float64]
    shapes: NDArray[np.float64]
    irises: NDArray[np.bool_]
    candidates: NDArray[np.bool_]

    def fit(self, group: Sequence[str], left: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """(K,) cosine of each shape with channels played together, or with what is left of them; 0 for what cannot."""
        target, gaze = self.target(group) if left is None else left, group[0].startswith(LOOK)
        shapes = self.seen(group)
        size = np.linalg.norm(shapes, axis=1) * np.linalg.norm(target)
        cosine = shapes @ target / np.where(size > 0.0, size, np.inf)
        return np.where(self.candidates & (self._turns_eyes() if gaze else True), cosine, 0.0)

    def _turns_eyes(self) -> NDArray[np.bool_]:
        """(K,) whether a shape moves irises, and about as far as anything else: a wider skull moves them as well."""
        irises = np.abs(np.where(self.irises, self.shapes, 0.0)).max(axis=1, initial=0.0)
        others = np.abs(np.where(self.irises, 0.0, self.shapes)).max(axis=1, initial=0.0)
        return (irises >= _LEAST_LOOK) & (irises >= _LOOK_SHARE * others)

    def seen(self, group: Sequence[str]) -> NDArray[np.float64]:
        """(K, N) the shapes' motions as far as they count for channels: of the gaze only the irises."""
        return np.where(self.irises, self.shapes, 0.0) if group[0].startswith(LOOK) else self.shapes

    def target(self, group: Sequence[str]) -> NDArray[np.float64]:
        """(N,) the motion of channels played together."""
        return np.sum([self.channels[self.ids.index(channel_id)] for channel_id in group], axis=0)


def make(measured: Measured, known: ChannelMotion) -> Problem:
    """Puts a character's motions beside the channels', at the landmarks that were measured."""
    here = measured.landmarks
    irises = np.repeat(here >= FIRST_IRIS, 3)
    motion = known.motion[:, here].reshape(len(known.ids), -1).copy()
    looks = np.array([each.startswith(LOOK) for each in known.ids])
    motion[looks] = np.where(irises, motion[looks], 0.0)
    furthest = np.linalg.norm(measured.motion, axis=2).max(axis=1, initial=0.0)
    candidates = (furthest >= LEAST_MOTION) & (_rigid_share(measured) < _RIGID)
    return Problem(known.ids, motion, measured.motion.reshape(len(furthest), -1), irises, candidates)


def _rigid_share(measured: Measured) -> NDArray[np.float64]:
    """(K,) share of each motion's energy that moving the whole head explains."""
    points = measured.neutral - measured.neutral.mean(axis=0)
    turns = [np.cross(axis, points) for axis in np.eye(3)]
    shifts = [np.broadcast_to(axis, points.shape) for axis in np.eye(3)]
    basis, _ = np.linalg.qr(np.stack([each.ravel() for each in (*turns, *shifts, points)], axis=1))
    flat = measured.motion.reshape(len(measured.motion), -1)
    energy = np.square(flat).sum(axis=1)
    return np.square(flat @ basis).sum(axis=1) / np.where(energy > 0.0, energy, np.inf)
