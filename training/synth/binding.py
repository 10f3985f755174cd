"""Hangs points on a surface, so that they come along when it moves."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

_CANDIDATES: Final = 16
_CHUNK: Final = 512
_TINY: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Binding:
    """Where V points hang.

    Attributes:
        anchors: (V, 3) int32 vertices of the surface.
        weights: (V, 3) float32, each row sums to 1.
        offsets: (V, 3) float32 from the weighted mean of the anchors to the point, in the surface's axes and unit.
    """

    anchors: NDArray[np.int32]
    weights: NDArray[np.float32]
    offsets: NDArray[np.float32]

    def replaced(self, rows: NDArray[np.bool_], other: "Binding") -> "Binding":
        """With the points of a mask (V,) hung as `other` hangs them, which holds only those, in their order."""
        arrays = [self.anchors.copy(), self.weights.copy(), self.offsets.copy()]
        for array, fresh in zip(arrays, (other.anchors, other.weights, other.offsets), strict=True):
            array[rows] = fresh
        return Binding(*arrays)


def to_surface(points: NDArray[np.floating], vertices: NDArray[np.floating], triangles: NDArray[np.integer]) -> Binding:
    """Binds each point to the triangle that is nearest to it.

    Args:
        points: (V, 3).
        vertices: (N, 3).
        triangles: (F, 3) corners in `vertices`.
    """
    corners = np.asarray(vertices, np.float64)[triangles]
    centres = corners.mean(axis=1)
    chosen = np.empty(len(points), np.int64)
    weights = np.empty((len(points), 3))
    for start in range(0, len(points), _CHUNK):
        part = slice(start, start + _CHUNK)
        chosen[part], weights[part] = _nearest(np.asarray(points[part], np.float64), corners, centres)
    return fixed(points, vertices, triangles[chosen], weights)


def fixed(
    points: NDArray[np.floating],
    vertices: NDArray[np.floating],
    anchors: NDArray[np.integer],
    weights: NDArray[np.floating],
) -> Binding:
    """Binds points to given anchors (V, 3) with given weights (V, 3)."""
    offsets = points - np.einsum("vij,vi->vj", np.asarray(vertices, np.float64)[anchors], weights)
    return Binding(anchors.astype(np.int32), weights.astype(np.float32), offsets.astype(np.float32))


def to_plane(points: NDArray[np.floating], vertices: NDArray[np.floating], anchors: tuple[int, int, int]) -> Binding:
    """Binds all points to one triangle, inside it or not: a stiff thing that takes the triangle's size and slant."""
    triangle = np.asarray(vertices, np.float64)[list(anchors)]
    weights = _in_plane(np.asarray(points, np.float64), np.broadcast_to(triangle, (len(points), 3, 3)))
    return fixed(points, vertices, np.tile(np.array(anchors, np.int32), (len(points), 1)), weights)


def lifted(
    points: NDArray[np.floating],
    vertices: NDArray[np.floating],
    triangles: NDArray[np.integer],
    least: float,
) -> NDArray[np.float64]:
    """The points (V, 3), moved out where they lie less than `least` outside the surface (fronts counter-clockwise)."""
    bound = to_surface(points, vertices, triangles)
    corners = np.asarray(vertices, np.float64)[bound.anchors]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), _TINY)
    height = (bound.offsets * normals).sum(axis=1)
    return points + normals * np.maximum(least - height, 0.0)[:, None]


def _nearest(
    points: NDArray[np.float64], corners: NDArray[np.float64], centres: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Nearest triangle and the weights of the nearest place in it, among those whose centres are close."""
    squared = (points**2).sum(1)[:, None] - 2.0 * points @ centres.T + (centres**2).sum(1)
    count = min(_CANDIDATES, len(corners))
    close = np.argpartition(squared, count - 1, axis=1)[:, :count]
    flat = corners[close.ravel()]
    repeated = np.repeat(points, count, axis=0)
    weights = _closest_weights(repeated, flat)
    gap = np.linalg.norm(repeated - np.einsum("nij,ni->nj", flat, weights), axis=1).reshape(-1, count)
    best = gap.argmin(axis=1)
    rows = np.arange(len(points))
    return close[rows, best], weights.reshape(-1, count, 3)[rows, best]


def _in_plane(points: NDArray[np.float64], corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 3) weights of the points' feet in their triangles' planes, negative outside the triangles."""
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    across = points - corners[:, 0]
    a, b, c = (first * first).sum(1), (first * second).sum(1), (second * second).sum(1)
    d, e = (across * first).sum(1), (across * second).sum(1)
    determinant = np.maximum(a * c - b * b, _TINY)
    v, w = (c * d - b * e) / determinant, (a * e - b * d) / determinant
    return np.stack([1.0 - v - w, v, w], axis=1)


def _closest_weights(points: NDArray[np.float64], corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 3) weights, none negative, of the nearest place in each point's triangle."""
    weights = _in_plane(points, corners)
    outside = (weights < 0.0).any(axis=1)
    best = np.full(len(points), np.inf)
    for i, j in ((0, 1), (1, 2), (2, 0)):
        edge = corners[:, j] - corners[:, i]
        along = ((points - corners[:, i]) * edge).sum(1) / np.maximum((edge * edge).sum(1), _TINY)
        along = np.clip(along, 0.0, 1.0)
        gap = np.linalg.norm(points - corners[:, i] - along[:, None] * edge, axis=1)
        closer = outside & (gap < best)
        best[closer] = gap[closer]
        weights[closer] = 0.0
        weights[closer, i] = 1.0 - along[closer]
        weights[closer, j] = along[closer]
    return weights
