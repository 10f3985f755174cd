"""What each shape of a character does to its face, in the units of `motion`: comparable between all faces."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats
from ..errors import SettingsError
from ..landmarks import IPD_M, align_to, canonical_face
from .places import Places

LEAST_LANDMARKS: Final = 8
"""Fewer do not say where a face is and how large."""

_MOUTH: Final = (0, 13, 14, 17, 61, 291)
_NEAR_MOUTH: Final = 0.8
"""Distance from the mouth's middle within which a tongue lies, in distances between the eyes."""


@dataclass(frozen=True, slots=True)
class Measured:
    """The motions of K shapes at full strength, on a face that is aligned to the canonical one.

    Attributes:
        landmarks: (L,) int64 numbers of the landmarks.
        neutral: (L, 3) float64 in head axes (x to the character's left, y down, z into the head), origin and unit as
            in `landmarks.Aligned`.
        motion: (K, L, 3) float64 displacements in the same axes and unit.
        inner: (K, 3) float64: the farthest that any point near the mouth moves, whether a landmark or not.
    """

    landmarks: NDArray[np.int64]
    neutral: NDArray[np.float64]
    motion: NDArray[np.float64]
    inner: NDArray[np.float64]


def measure(places: Places, points: Floats, shapes: Iterable[Floats]) -> Measured:
    """Measures shapes where the landmarks are.

    Args:
        places: Landmarks on the surface, at least `LEAST_LANDMARKS`.
        points: (V, 3) the resting surface in any unit and any axes of a right-handed space.
        shapes: Displacement (V, 3) of each shape at full strength, in the same space.

    Raises:
        SettingsError: There are too few landmarks, or they lie in one place.
    """
    if len(places.landmarks) < LEAST_LANDMARKS:
        message = f"{len(places.landmarks)} landmarks do not show a face: pick at least {LEAST_LANDMARKS}."
        raise SettingsError(message)
    points = np.asarray(points, np.float64)
    rest = places.points(points)
    face = canonical_face()
    if not np.isfinite(rest).all() or np.ptp(rest, axis=0).max() <= 0.0:
        message = "The landmarks lie in one place: put each where its name says."
        raise SettingsError(message)
    aligned = align_to(rest[None], face.points[places.landmarks] / IPD_M, face.weights[places.landmarks])
    neutral, turn = aligned.points[0].astype(np.float64), aligned.rotations[0]
    scale = float(np.linalg.norm(neutral - neutral.mean(axis=0)) / np.linalg.norm(rest - rest.mean(axis=0)))
    near = _near_mouth(points, rest, turn * scale, neutral)
    motion: list[NDArray[np.float64]] = []
    inner: list[NDArray[np.float64]] = []
    for shape in shapes:
        moved = places.points(shape) @ (turn * scale)
        around = np.asarray(shape, np.float64)[near] @ (turn * scale)
        motion.append(moved)
        inner.append(around[np.argmax(np.square(around).sum(axis=1))] if len(around) else np.zeros(3))
    count = len(motion)
    return Measured(
        landmarks=places.landmarks,
        neutral=neutral,
        motion=np.array(motion, np.float64).reshape(count, len(rest), 3),
        inner=np.array(inner, np.float64).reshape(count, 3),
    )


def _near_mouth(
    points: NDArray[np.float64], rest: NDArray[np.float64], turn: NDArray[np.float64], neutral: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Points of the surface about the mouth, where the canonical face has it."""
    mouth = canonical_face().points[list(_MOUTH)].mean(axis=0) / IPD_M
    aligned = (points - rest.mean(axis=0)) @ turn + neutral.mean(axis=0)
    return np.flatnonzero(np.linalg.norm(aligned - mouth, axis=1) < _NEAR_MOUTH)
