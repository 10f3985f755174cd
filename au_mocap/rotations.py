"""Rotations as matrices, unit quaternions (w, x, y, z) and angles, for whole takes at once.

Angles follow the project's head pose contract: `R = Ry Rx Rz` in OpenCV camera axes (x right, y down, z forward).
Turning to the actor's right is positive yaw (about y), looking up negative pitch (about x), tilting to the actor's
right shoulder negative roll (about z).
"""

import numpy as np
from numpy.typing import NDArray

from .arrays import Floats


def to_quaternions(matrices: Floats) -> NDArray[np.float64]:
    """(T, 3, 3) rotation matrices to (T, 4) unit quaternions; NaN in, NaN out.

    Takes, for each matrix, the largest of the four components as pivot, which is stable for every rotation.
    """
    m = np.asarray(matrices, np.float64)
    diagonal = np.stack([m[:, 0, 0], m[:, 1, 1], m[:, 2, 2]], axis=1)
    trace = diagonal.sum(axis=1, keepdims=True)
    # Row k holds 4 q_k q for the pivot k in w, x, y, z.
    products = np.empty((len(m), 4, 4))
    products[:, 0, 0] = 1 + trace[:, 0]
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        products[:, i + 1, i + 1] = 1 + 2 * diagonal[:, i] - trace[:, 0]
        products[:, 0, i + 1] = products[:, i + 1, 0] = m[:, k, j] - m[:, j, k]
        products[:, j + 1, k + 1] = products[:, k + 1, j + 1] = m[:, j, k] + m[:, k, j]
    pivots = np.argmax(np.nan_to_num(np.diagonal(products, axis1=1, axis2=2)), axis=1)
    rows = products[np.arange(len(m)), pivots]
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def to_matrices(quaternions: Floats) -> NDArray[np.float64]:
    """(T, 4) unit quaternions to (T, 3, 3) rotation matrices; NaN in, NaN out."""
    w, x, y, z = np.moveaxis(np.asarray(quaternions, np.float64), -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def continuous(quaternions: Floats) -> NDArray[np.float64]:
    """Chooses the sign of each quaternion nearest to the last one that is not NaN, the first with w >= 0."""
    result = np.array(quaternions, np.float64)
    valid = np.flatnonzero(~np.isnan(result).any(axis=1))
    if not len(valid):
        return result
    known = result[valid]
    steps = np.sign(np.sum(known[1:] * known[:-1], axis=1))
    signs = np.cumprod(np.concatenate([[1.0 if known[0, 0] >= 0 else -1.0], np.where(steps == 0, 1.0, steps)]))
    result[valid] = known * signs[:, None]
    return result


def mirrored(quaternions: Floats) -> NDArray[np.float64]:
    """(T, 4) unit quaternions as a mirror shows them that swaps left and right (x in camera and head axes alike).

    A turn about x keeps its sense, turns about y and z change theirs: with `M = diag(-1, 1, 1)` this is `M R M`.
    """
    return np.asarray(quaternions, np.float64) * [1.0, 1.0, -1.0, -1.0]


def from_vectors(vectors: Floats) -> NDArray[np.float64]:
    """(T, 3) rotation vectors (axis times angle in radians) to (T, 3, 3) matrices (Rodrigues)."""
    vectors = np.asarray(vectors, np.float64)
    angle = np.linalg.norm(vectors, axis=1)
    half = angle / 2
    scale = np.where(angle > 1e-12, np.sin(half) / np.maximum(angle, 1e-12), 0.5)
    return to_matrices(np.concatenate([np.cos(half)[:, None], vectors * scale[:, None]], axis=1))


def to_angles(matrices: Floats) -> NDArray[np.float64]:
    """(T, 3, 3) rotation matrices to (T, 3) yaw, pitch, roll in radians, from `R = Ry Rx Rz`."""
    m = np.asarray(matrices, np.float64)
    yaw = np.arctan2(m[:, 0, 2], m[:, 2, 2])
    pitch = np.arcsin(np.clip(-m[:, 1, 2], -1.0, 1.0))
    roll = np.arctan2(m[:, 1, 0], m[:, 1, 1])
    return np.stack([yaw, pitch, roll], axis=1)


def from_angles(angles_rad: Floats) -> NDArray[np.float64]:
    """(T, 3) yaw, pitch, roll in radians to (T, 3, 3) matrices `R = Ry Rx Rz`."""
    yaw, pitch, roll = np.moveaxis(np.asarray(angles_rad, np.float64), -1, 0)
    zero = np.zeros_like(yaw)
    ry = from_vectors(np.stack([zero, yaw, zero], axis=1))
    rx = from_vectors(np.stack([pitch, zero, zero], axis=1))
    rz = from_vectors(np.stack([zero, zero, roll], axis=1))
    return ry @ rx @ rz
