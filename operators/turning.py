"""A bone's rotation in the numbers that its rotation mode is keyed by."""

from typing import Final

import bpy
import numpy as np
from numpy.typing import NDArray

from ..au_mocap import euler
from ..au_mocap.arrays import Floats

_STILL: Final = 1e-3
"""A locked channel that would change by less than this (radians) may stay as it is."""
_LEAVES: Final = {"QUATERNION": "rotation_quaternion", "AXIS_ANGLE": "rotation_axis_angle"}


def leaf(bone: bpy.types.PoseBone) -> str:
    """The property that turns a bone in its mode."""
    return _LEAVES.get(bone.rotation_mode, "rotation_euler")


def in_mode(
    bone: bpy.types.PoseBone, quaternions: Floats, start: Floats | None = None
) -> tuple[str, NDArray[np.float64]]:
    """The property that turns a bone, and its values for rotations without jumps.

    Args:
        bone: The bone.
        quaternions: (T, 4) in its rest frame.
        start: The property's values that the first ones shall be near to, if any.
    """
    name = leaf(bone)
    if name == "rotation_quaternion":
        return name, np.asarray(quaternions, np.float64)
    if name == "rotation_axis_angle":
        return name, euler.to_axis_angle(quaternions)
    return name, euler.to_euler(quaternions, bone.rotation_mode, start)


def locked(bone: bpy.types.PoseBone, columns: Floats) -> tuple[int, ...] | None:
    """Which of a rotation's values are locked and may stay unkeyed; None where a lock would be broken.

    Args:
        bone: The bone.
        columns: (T, 3) angles, or (T, 4) a quaternion or an angle and axis.
    """
    locks = [index for index in range(3) if bone.lock_rotation[index]]
    if columns.shape[1] == 3:
        held = np.array(bone.rotation_euler[:])
        broken = [index for index in locks if np.nanmax(np.abs(columns[:, index] - held[index]), initial=0.0) > _STILL]
        return None if broken else tuple(locks)
    size = np.abs(columns[:, 1:]) * (1.0 if bone.rotation_mode == "QUATERNION" else np.abs(columns[:, :1]))
    return None if any(np.nanmax(size[:, index], initial=0.0) > _STILL for index in locks) else ()
