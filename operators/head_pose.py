"""From the head pose contract (OpenCV camera axes) to rotations of a character's bones. No Blender data is touched.

A camera in front of a character that faces -Y with its head up along +Z sees: right is +X (the character's left), down
is -Z, forward is +Y. A head that faces the camera upright is the character at rest.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..au_mocap import rotations
from ..au_mocap.arrays import Floats

ARMATURE_FROM_CAMERA: Final = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
"""Turns OpenCV camera axes into those of an armature that faces the camera."""


@dataclass(frozen=True, slots=True)
class NeckAndHead:
    """Local rotations of two bones that turn the head together.

    Attributes:
        neck: (T, 4) quaternions in the neck's rest frame.
        head: (T, 4) quaternions in the head's rest frame.
    """

    neck: NDArray[np.float64]
    head: NDArray[np.float64]


def to_armature(quaternions: Floats) -> NDArray[np.float64]:
    """Head rotations (T, 4) of a take as rotation matrices (T, 3, 3) in the armature's space; NaN stays NaN."""
    return ARMATURE_FROM_CAMERA @ rotations.to_matrices(quaternions) @ ARMATURE_FROM_CAMERA.T


def to_armature_offset(position_m: Floats) -> NDArray[np.float64]:
    """Head positions (T, 3) of a take as metres moved since the first frame with a face, in the armature's axes."""
    known = ~np.isnan(position_m).any(axis=1)
    start = position_m[np.argmax(known)] if known.any() else np.zeros(3)
    return (position_m - start) @ ARMATURE_FROM_CAMERA.T


def swing(turns: Floats, neck_share: float, pivots: Floats) -> NDArray[np.float64]:
    """How far the point between the eyes is carried by neck and head turning: (T, 3), since the first known frame.

    Args:
        turns: (T, 3, 3) the head's turn in the armature's space.
        neck_share: 0..1, the neck's part of the angle; 0 where only the head turns.
        pivots: (3, 3) rows: the neck's pivot, the head's pivot, the point between the eyes, all at rest.
    """
    neck, head, eyes = pivots
    place = neck + share(turns, neck_share) @ (head - neck) + turns @ (eyes - head)
    known = ~np.isnan(place).any(axis=1)
    return place - (place[np.argmax(known)] if known.any() else 0.0)


def in_rest_frame(turns: Floats, rest: Floats) -> NDArray[np.float64]:
    """Rotations (T, 3, 3) in the armature's space as local rotations (T, 4) of a bone.

    Args:
        turns: What the bone turns beyond its parent.
        rest: (3, 3) the bone's resting axes in the armature's space, as columns.
    """
    return rotations.continuous(rotations.to_quaternions(rest.T @ turns @ rest))


def share(turns: Floats, part: float) -> NDArray[np.float64]:
    """The same turn by a part of its angle: (T, 3, 3)."""
    quaternions = rotations.to_quaternions(turns)
    quaternions *= np.where(quaternions[:, :1] < 0.0, -1.0, 1.0)
    axis = quaternions[:, 1:]
    length = np.linalg.norm(axis, axis=1, keepdims=True)
    angle = 2.0 * np.arctan2(length, quaternions[:, :1])
    unit = np.divide(axis, length, out=np.zeros_like(axis), where=length > 1e-12)
    vectors = np.where(np.isnan(axis), np.nan, part * angle * unit)
    return rotations.from_vectors(vectors)


def neck_and_head(turns: Floats, neck_rest: Floats, head_rest: Floats, neck_share: float) -> NeckAndHead:
    """Split a head's turn between neck and head, so that the head ends up fully turned.

    Args:
        turns: (T, 3, 3) the head's turn in the armature's space.
        neck_rest: (3, 3) resting axes of the neck bone in the armature's space, as columns.
        head_rest: (3, 3) the same of the head bone, which inherits the neck's rotation.
        neck_share: 0..1, the neck's part of the angle.
    """
    neck_turns = share(turns, neck_share)
    rest_of_it = np.swapaxes(neck_turns, 1, 2) @ turns
    return NeckAndHead(in_rest_frame(neck_turns, neck_rest), in_rest_frame(rest_of_it, head_rest))
