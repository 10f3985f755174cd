"""Normals of meshes, quickly."""

import numpy as np
from numpy.typing import NDArray


def of_quads(vertices: NDArray[np.floating], quads: NDArray[np.integer]) -> NDArray[np.float32]:
    """(N, 3) unit normals that point out of the head, for (Q, 4) quads wound counter-clockwise in MakeHuman's axes."""
    a, b = vertices[quads[:, 2]] - vertices[quads[:, 0]], vertices[quads[:, 3]] - vertices[quads[:, 1]]
    return _gathered(_cross(a, b), quads, len(vertices))


def of_triangles(vertices: NDArray[np.floating], triangles: NDArray[np.integer]) -> NDArray[np.float32]:
    """The same for (F, 3) triangles."""
    first = vertices[triangles[:, 0]]
    normals = _cross(vertices[triangles[:, 1]] - first, vertices[triangles[:, 2]] - first)
    return _gathered(normals, triangles, len(vertices))


def _cross(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.floating]:
    """Products of (n, 3) rows; several times as fast as `np.cross`."""
    (ax, ay, az), (bx, by, bz) = a.T, b.T
    return np.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], axis=1)


def _gathered(faces: NDArray[np.floating], corners: NDArray[np.integer], count: int) -> NDArray[np.float32]:
    normals = np.empty((count, 3), np.float32)
    for axis in range(3):
        weights = np.repeat(faces[:, axis], corners.shape[1])
        normals[:, axis] = np.bincount(corners.ravel(), weights=weights, minlength=count)
    length = np.sqrt(np.einsum("ij,ij->i", normals, normals))
    return normals / np.maximum(length, 1e-12)[:, None]
