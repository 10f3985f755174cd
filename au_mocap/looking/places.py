"""Places on a surface that the landmarks of the face are fixed to."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats
from ..landmarks import COUNT
from .surface import Surface
from .view import Picture

FIRST_IRIS: Final = 468
_IRISES: Final = (slice(FIRST_IRIS, 473), slice(473, COUNT))
_CHUNK: Final = 64
_CANDIDATES: Final = 32

# Inner lips, each with the outer lip above or below it, from the actor's right to the left.
_INNER: Final = (191, 80, 81, 82, 13, 312, 311, 310, 415, 95, 88, 178, 87, 14, 317, 402, 318, 324)
_OUTER: Final = (185, 40, 39, 37, 0, 267, 269, 270, 409, 146, 91, 181, 84, 17, 314, 405, 321, 375)
_FROM_THE_SEAM: Final = 0.3
"""How far inner lips are looked for towards the outer ones: closed lips do not show which of them is seen."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where landmarks are on a surface.

    Attributes:
        landmarks: (L,) int64 numbers of the landmarks, 0..477.
        corners: (L, 3) int64 points of the surface.
        shares: (L, 3) float64 barycentric coordinates, each row sums to 1.
    """

    landmarks: NDArray[np.int64]
    corners: NDArray[np.int64]
    shares: NDArray[np.float64]

    def points(self, values: Floats) -> NDArray[np.float64]:
        """(V, 3) positions or displacements of all points to (L, 3) of the landmarks."""
        return (np.asarray(values, np.float64)[self.corners] * self.shares[..., None]).sum(axis=1)


def under(landmarks_px: Floats, surface: Surface, picture: Picture, part: NDArray[np.int64]) -> Places:
    """Fixes (478, 2 or 3) tracked landmarks to what a picture shows below them.

    The skin is the connected part that most landmarks lie on: a landmark beside it, on an eyeball, a tooth or a hair,
    goes to the nearest pixel of the skin. An iris that a lid hides in part is put onto its eyeball. The picture must
    show something.

    Args:
        landmarks_px: Pixels of the picture.
        surface: What was drawn.
        picture: The drawing.
        part: (F,) from `surface.islands`.
    """
    xy = np.array(landmarks_px[:, :2], np.float64)
    xy[list(_INNER)] += _FROM_THE_SEAM * (xy[list(_OUTER)] - xy[list(_INNER)])
    size = picture.triangle.shape[0]
    inside = np.clip(np.floor(xy), 0, size - 1).astype(np.int64)
    shown = np.full(picture.triangle.shape, -1, np.int64)
    shown[picture.triangle >= 0] = part[picture.triangle[picture.triangle >= 0]]
    hit = picture.triangle[inside[:FIRST_IRIS, 1], inside[:FIRST_IRIS, 0]]
    skin = _skin(part, hit if (hit >= 0).any() else picture.triangle, surface.movable)
    for members in (slice(0, FIRST_IRIS), *_IRISES):
        own = shown[inside[members, 1], inside[members, 0]]
        wanted = skin if members.start == 0 else _eye(own, skin)
        beside = np.flatnonzero(own != wanted) + members.start
        inside[beside] = _nearest(xy[beside], shown == wanted)
    triangle = picture.triangle[inside[:, 1], inside[:, 0]]
    shares = picture.shares[inside[:, 1], inside[:, 0]].astype(np.float64)
    return Places(np.arange(COUNT), surface.triangles[triangle], shares)


def _skin(part: NDArray[np.int64], hit: NDArray[np.int64], movable: NDArray[np.bool_]) -> int:
    """The connected part that most of some pixels show, a movable one if there is any."""
    hit = hit[hit >= 0]
    preferred = hit[movable[hit]]
    numbers, counts = np.unique(part[preferred if len(preferred) else hit], return_counts=True)
    return int(numbers[np.argmax(counts)])


def _eye(part: NDArray[np.int64], skin: int) -> int:
    """The connected part that most of an iris lies on; the skin only where all of it does, as on a painted eye."""
    numbers, counts = np.unique(part[(part >= 0) & (part != skin)], return_counts=True)
    return int(numbers[np.argmax(counts)]) if len(numbers) else skin


def _nearest(xy: NDArray[np.float64], wanted: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(n, 2) pixels of a mask that are nearest to (n, 2) places; the mask holds at least one."""
    pixels = np.argwhere(wanted)[:, ::-1]
    found = np.empty((len(xy), 2), np.int64)
    for start in range(0, len(xy), _CHUNK):
        chosen = xy[start : start + _CHUNK]
        squared = np.square(pixels[None] + 0.5 - chosen[:, None]).sum(axis=2)
        found[start : start + _CHUNK] = pixels[squared.argmin(axis=1)]
    return found


def nearest_on(points: Floats, landmarks: NDArray[np.integer[Any]], surface: Surface) -> Places:
    """Fixes landmarks that somebody placed in space to the nearest triangles.

    Args:
        points: (L, 3) in the surface's space.
        landmarks: (L,) their numbers. All but irises go to what shapes move, where anything is.
        surface: Where to look.
    """
    everything = np.arange(len(surface.triangles))
    moving = np.flatnonzero(surface.movable) if surface.movable.any() else everything
    centres = surface.points[surface.triangles].mean(axis=1)
    chosen, shares = np.empty(len(points), np.int64), np.empty((len(points), 3))
    for row, (point, landmark) in enumerate(zip(np.asarray(points, np.float64), landmarks, strict=True)):
        allowed = moving if landmark < FIRST_IRIS else everything
        near = allowed[np.argsort(np.square(centres[allowed] - point).sum(axis=1))[:_CANDIDATES]]
        corners = surface.points[surface.triangles[near]]
        weights = _closest(point, corners)
        gap = np.linalg.norm((weights[..., None] * corners).sum(axis=1) - point, axis=1)
        best = int(np.argmin(gap))
        chosen[row], shares[row] = near[best], weights[best]
    return Places(np.asarray(landmarks, np.int64), surface.triangles[chosen], shares)


def _closest(point: NDArray[np.float64], corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 3) weights, none negative, near the foot of a point in each of (n, 3, 3) triangles."""
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    across = point - corners[:, 0]
    a, b, c = (first * first).sum(1), (first * second).sum(1), (second * second).sum(1)
    d, e = (across * first).sum(1), (across * second).sum(1)
    determinant = np.maximum(a * c - b * b, 1e-30)
    v, w = (c * d - b * e) / determinant, (a * e - b * d) / determinant
    weights = np.clip(np.stack([1.0 - v - w, v, w], axis=1), 0.0, None)
    return weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-30)
