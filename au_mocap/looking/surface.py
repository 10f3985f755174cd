"""A character's surface: triangles of all its meshes, what they look like, and whether shapes move them."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats
from ..crops import Image


@dataclass(frozen=True, slots=True)
class Surface:
    """Triangles in one space.

    Attributes:
        points: (V, 3) float64 in any unit and any axes of a right-handed space.
        triangles: (F, 3) int64 corners in `points`.
        movable: (F,) bool: whether the triangle's mesh has shapes.
        colours: (F, 3, 3) uint8 BGR of each corner.
        texture: (F,) int64: which of `textures` is multiplied with the colours; -1 for none.
        uv: (F, 3, 2) float32 texture coordinates, (0, 0) at the lower left; any number where there is no texture.
        textures: (H, W, 4) uint8 BGRA pictures, top row first; what is see-through in them is not drawn.
    """

    points: NDArray[np.float64]
    triangles: NDArray[np.int64]
    movable: NDArray[np.bool_]
    colours: NDArray[np.uint8]
    texture: NDArray[np.int64]
    uv: NDArray[np.float32]
    textures: tuple[Image, ...] = field(default=())


def plain(points: Floats, triangles: NDArray[np.integer[Any]]) -> Surface:
    """A surface of one pale colour that shapes move: (V, 3) points and (F, 3) corners."""
    count = len(triangles)
    return Surface(
        points=np.asarray(points, np.float64),
        triangles=np.asarray(triangles, np.int64),
        movable=np.ones(count, bool),
        colours=np.full((count, 3, 3), 200, np.uint8),
        texture=np.full(count, -1, np.int64),
        uv=np.zeros((count, 3, 2), np.float32),
    )


def joined(parts: "list[Surface]") -> Surface:
    """Several surfaces as one, in their order."""
    corners = np.cumsum([0, *(len(each.points) for each in parts)])
    pictures = np.cumsum([0, *(len(each.textures) for each in parts)])
    return Surface(
        points=np.concatenate([each.points for each in parts]),
        triangles=np.concatenate([each.triangles + start for each, start in zip(parts, corners, strict=False)]),
        movable=np.concatenate([each.movable for each in parts]),
        colours=np.concatenate([each.colours for each in parts]),
        texture=np.concatenate(
            [np.where(each.texture < 0, -1, each.texture + start) for each, start in zip(parts, pictures, strict=False)]
        ),
        uv=np.concatenate([each.uv for each in parts]),
        textures=tuple(texture for each in parts for texture in each.textures),
    )


def normals(surface: Surface) -> NDArray[np.float64]:
    """(V, 3) unit normals, the mean of the triangles around each point weighted by area; zero where there is none."""
    corners = surface.points[surface.triangles]
    faces = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    total = np.zeros_like(surface.points)
    for corner in range(3):
        for axis in range(3):
            total[:, axis] += np.bincount(surface.triangles[:, corner], faces[:, axis], len(total))
    length = np.linalg.norm(total, axis=1, keepdims=True)
    return total / np.where(length > 0.0, length, 1.0)


def islands(surface: Surface) -> NDArray[np.int64]:
    """(F,) number of the connected part that each triangle belongs to; points at one place count as one."""
    extent = float(np.ptp(surface.points, axis=0).max()) or 1.0
    _, welded = np.unique(np.round(surface.points / (1e-6 * extent)).astype(np.int64), axis=0, return_inverse=True)
    corners = welded.reshape(-1)[surface.triangles]
    label = np.arange(int(welded.max(initial=-1)) + 1)
    while True:
        least = label[corners].min(axis=1)
        lower = label.copy()
        for corner in range(3):
            np.minimum.at(lower, corners[:, corner], least)
        lower = np.minimum(lower, lower[lower])  # labels are points too: whole stretches follow in one step
        if np.array_equal(lower, label):
            return label[corners[:, 0]]
        label = lower
