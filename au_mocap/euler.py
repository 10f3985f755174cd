"""Rotations as the numbers that bones are animated by: Euler angles in any order, or an axis and an angle.

Orders are named as in Blender: `XYZ` turns about x first, then y, then z, about axes that stand still.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from . import rotations
from .arrays import Floats
from .errors import SettingsError

ORDERS: Final = ("XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX")
_LOCKED: Final = 1e-7
"""Cosine of the middle angle below which only the sum or the difference of the other two is defined."""
_STILL_RAD: Final = 1e-9
_TURN: Final = 2.0 * math.pi


def to_euler(quaternions: Floats, order: str, start_rad: Floats | None = None) -> NDArray[np.float64]:
    """Unit quaternions as Euler angles without jumps.

    Each turn can be written in many ways; taken is the one nearest to the frame before, so that straight lines between
    keys stay near the rotation.

    Args:
        quaternions: (T, 4); NaN rows stay NaN and are passed over.
        order: One of `ORDERS`.
        start_rad: (3,) angles about x, y and z that the first ones shall be near to; None for zero.

    Returns:
        (T, 3) radians about x, y and z.

    Raises:
        SettingsError: The order is unknown.
    """
    i, j, k, sign = _axes(order)
    matrices = rotations.to_matrices(quaternions)
    result = np.full((len(matrices), 3), np.nan)
    known = np.flatnonzero(~np.isnan(matrices).any(axis=(1, 2)))
    m = matrices[known]
    cosines = np.hypot(m[:, i, i], m[:, j, i])
    one = np.empty((len(m), 3))
    one[:, i] = np.arctan2(sign * m[:, k, j], m[:, k, k])
    one[:, j] = np.arctan2(-sign * m[:, k, i], cosines)
    one[:, k] = np.arctan2(sign * m[:, j, i], m[:, i, i])
    other = one + np.pi
    other[:, j] = np.pi - one[:, j]
    last = [0.0, 0.0, 0.0] if start_rad is None else [float(angle) for angle in start_rad]
    is_locked = (cosines < _LOCKED).tolist()
    # Each frame depends on the one before: plain numbers are quickest at that.
    for number, (frame, angles, others) in enumerate(zip(known, one.tolist(), other.tolist(), strict=True)):
        if is_locked[number]:
            # The first and the last axis coincide: the last angle stays, the first does the rest.
            part = _about(j, angles[j]).T @ _about(k, last[k]).T @ m[number]
            angles[i], angles[k] = math.atan2(sign * part[k, j], part[j, j]), last[k]
            others = [angle + math.pi for angle in angles]
            others[j] = math.pi - angles[j]
        near, far = _near(angles, last), _near(others, last)
        last = min(near, far, key=lambda each: sum(abs(a - b) for a, b in zip(each, last, strict=True)))
        result[frame] = last
    return result


def from_euler(angles_rad: Floats, order: str) -> NDArray[np.float64]:
    """(T, 3) radians about x, y and z to (T, 4) unit quaternions; NaN stays NaN.

    Raises:
        SettingsError: The order is unknown.
    """
    i, j, k, _ = _axes(order)
    angles = np.asarray(angles_rad, np.float64)
    first, second, third = (rotations.from_vectors(angles[:, axis, None] * np.eye(3)[axis]) for axis in (i, j, k))
    return rotations.to_quaternions(third @ second @ first)


def to_axis_angle(quaternions: Floats) -> NDArray[np.float64]:
    """Unit quaternions (T, 4) as angle in radians and unit axis (T, 4), without jumps; NaN rows stay NaN.

    Where nothing turns the axis of the frame before is kept (y at the beginning, as in Blender).
    """
    result = np.full((len(quaternions), 4), np.nan)
    axis, before = np.array([0.0, 1.0, 0.0]), 0.0
    for frame in np.flatnonzero(~np.isnan(quaternions).any(axis=1)):
        w, vector = quaternions[frame, 0], np.asarray(quaternions[frame, 1:], np.float64)
        length = float(np.linalg.norm(vector))
        if length > _STILL_RAD:
            turned = vector / length
            if float(turned @ axis) < 0.0 and abs(before) > _STILL_RAD:
                turned, length = -turned, -length
            axis = turned
        angle = 2.0 * float(np.arctan2(length, w))
        before = angle + 2.0 * np.pi * round((before - angle) / (2.0 * np.pi))
        result[frame] = [before, *axis]
    return result


def from_axis_angle(rows: Floats) -> NDArray[np.float64]:
    """(T, 4) angle in radians and axis of any length to (T, 4) unit quaternions; an axis of no length turns nothing."""
    rows = np.asarray(rows, np.float64)
    length = np.linalg.norm(rows[:, 1:], axis=1, keepdims=True)
    unit = np.divide(rows[:, 1:], length, out=np.zeros_like(rows[:, 1:]), where=length > 0.0)
    half = np.where(length > 0.0, rows[:, :1] / 2.0, 0.0)
    return np.concatenate([np.cos(half), np.sin(half) * unit], axis=1).astype(np.float64)


def _axes(order: str) -> tuple[int, int, int, float]:
    if order not in ORDERS:
        message = f"Unknown order of rotation '{order}': use {', '.join(ORDERS)}."
        raise SettingsError(message)
    i, j, k = ("XYZ".index(letter) for letter in order)
    return i, j, k, 1.0 if (j - i) % 3 == 1 else -1.0


def _about(axis: int, angle_rad: float) -> NDArray[np.float64]:
    return rotations.from_vectors(angle_rad * np.eye(3)[axis][None])[0]


def _near(angles: list[float], last: list[float]) -> list[float]:
    return [a + _TURN * round((b - a) / _TURN) for a, b in zip(angles, last, strict=True)]
