"""The 478 landmarks of the face mesh: their names, a canonical face, and alignment to it.

The canonical face is the mean of the training performers' neutral faces at the places where the tracker puts its
landmarks (`canonical_face.csv`, made by `training.geometry`): metres in head axes (x to the actor's left, y down, z
into the head), origin between the eyes, eyes' centres 63 mm apart, with a weight for how little each landmark moves
with expression.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .arrays import Floats

COUNT: Final = 478
IPD_M: Final = 0.063
"""Distance between the eyes' centres that metric positions assume."""

RIGHT_EYE_CORNERS: Final = (33, 133)
LEFT_EYE_CORNERS: Final = (263, 362)
"""Outer and inner corners of the actor's own eyes."""

CANONICAL_FILE: Final = Path(__file__).parent / "canonical_face.csv"

_CHUNK: Final = 64
"""Frames that are aligned at a time: few enough for the processor's caches."""


@dataclass(frozen=True, slots=True)
class CanonicalFace:
    """A generic face.

    Attributes:
        points: (478, 3) float64 metres in head axes.
        weights: (478,) float64, 0..1, 1 for landmarks that expressions do not move.
    """

    points: NDArray[np.float64]
    weights: NDArray[np.float64]


@cache
def canonical_face() -> CanonicalFace:
    """Reads the canonical face that ships with the engine."""
    table = np.loadtxt(CANONICAL_FILE, delimiter=",", skiprows=1)
    return CanonicalFace(points=table[:, :3], weights=table[:, 3])


@dataclass(frozen=True, slots=True)
class Aligned:
    """Landmarks with head pose and size taken out.

    Attributes:
        points: (T, 478, 3) float32 in head axes, unit the canonical face's distance between the eyes, origin between
            them.
        rotations: (T, 3, 3) float64: rotation from head axes to the axes that the landmarks came in.
    """

    points: NDArray[np.float32]
    rotations: NDArray[np.float64]


def align(landmarks: Floats) -> Aligned:
    """Fits each face to the canonical one by a weighted similarity (Umeyama's method without reflection).

    Args:
        landmarks: (T, 478, 3) in any axes with x right, y down, z away from the camera, any unit; NaN rows stay NaN.
    """
    face = canonical_face()
    return align_to(landmarks, face.points / IPD_M, face.weights)


def align_to(landmarks: Floats, reference: Floats, weights: Floats) -> Aligned:
    """As `align`, to any (478, 3) reference with (478,) weights."""
    result = np.full(landmarks.shape, np.nan, np.float32)
    rotations = np.full((len(landmarks), 3, 3), np.nan)
    for start in range(0, len(landmarks), _CHUNK):
        part = slice(start, start + _CHUNK)
        _align_chunk(landmarks[part], (reference, weights), Aligned(result[part], rotations[part]))
    return Aligned(result, rotations)


def _align_chunk(landmarks: Floats, target: tuple[Floats, Floats], out: Aligned) -> None:
    """Aligns some frames to (reference, weights), into the arrays of `out`."""
    reference, weights = target
    points = np.asarray(landmarks, np.float64)
    known = ~np.isnan(points).any(axis=(1, 2))
    if not known.any():
        return
    points = points[known]
    share = (weights / weights.sum())[:, None]
    reference_center = (reference * share).sum(axis=0)
    centered = points - (share[:, 0] @ points)[:, None]
    covariance = np.asarray(centered.transpose(0, 2, 1) @ (share * (reference - reference_center)), np.float64)
    u, singular, vt = np.linalg.svd(covariance)
    sign = np.sign(np.linalg.det(u @ vt))
    u[:, :, 2] *= sign[:, None]
    singular[:, 2] *= sign
    spread = np.square(centered).sum(axis=2) @ share[:, 0]
    scale = singular.sum(axis=1) / np.maximum(spread, 1e-12)
    rotation = u @ vt
    out.rotations[known] = rotation
    out.points[known] = centered @ (rotation * scale[:, None, None]) + reference_center
