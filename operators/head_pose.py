"""From the head pose contract (OpenCV camera axes) to rotations of a character's bones. No Blender data is touched.

A camera in front of a character that faces -Y with its head up along +Z sees: right is +X (the character's left), down
is -Z, forward is +Y. A head that faces the camera upright is the character at rest. Characters that face elsewhere
bring the axes of such a camera (`facing.Facing`).
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..au_mocap import rotations
from ..au_mocap.arrays import Floats

ARMATURE_FROM_CAMERA: Final = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
"""OpenCV camera axes, as columns, in an armature that faces the camera along -Y."""


def to_armature(quaternions: Floats, axes: Floats = ARMATURE_FROM_CAMERA) -> NDArray[np.float64]:
    """Head rotations (T, 4) of a take as rotation matrices (T, 3, 3) in the armature's space; NaN stays NaN.

    Args:
        quaternions: Of the head pose contract.
        axes: (3, 3) columns: the axes of a camera that the character faces, in the armature's space.
    """
    return axes @ rotations.to_matrices(quaternions) @ axes.T


def to_armature_offset(position_m: Floats, axes: Floats = ARMATURE_FROM_CAMERA) -> NDArray[np.float64]:
    """Head positions (T, 3) of a take as metres moved since the first frame with a face, in the armature's axes.

    `axes` as for `to_armature`.
    """
    known = ~np.isnan(position_m).any(axis=1)
    start = position_m[np.argmax(known)] if known.any() else np.zeros(3)
    return (position_m - start) @ axes.T


def swing(turns: Floats, neck_share: float, pivots: Floats) -> NDArray[np.float64]:
    """How far the point between the eyes is carried by neck and head turning: (T, 3), since the first known frame.

    Args:
        turns: (T, 3, 3) the head's turn in the armature's space.
        neck_share: 0..1, the part of the angle of all the neck's bones together.
        pivots: (N, 3) rows: the pivots of the neck's bones from below, the head's, the point between the eyes, at rest.
    """
    necks = len(pivots) - 2
    place = np.broadcast_to(pivots[0], turns[:, 0].shape)
    for number, step in enumerate(np.diff(pivots, axis=0), 1):
        turned = turns if number > necks else share(turns, neck_share * number / necks)
        place = place + turned @ step
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


def chain(turns: Floats, rests: Sequence[Floats], neck_share: float) -> list[NDArray[np.float64]]:
    """Split a head's turn between the bones of a neck, in equal parts, and the head, which ends up fully turned.

    Args:
        turns: (T, 3, 3) the head's turn in the armature's space.
        rests: (3, 3) resting axes in the armature's space, as columns: of the neck's bones from below, then of the
            head. Each inherits the rotation of the one before.
        neck_share: 0..1, the neck's part of the angle, all its bones together.

    Returns:
        For each bone (T, 4) quaternions in its rest frame.
    """
    *necks, head = rests
    if not necks:
        return [in_rest_frame(turns, head)]
    part = share(turns, neck_share / len(necks))
    rest_of_it = np.swapaxes(share(turns, neck_share), 1, 2) @ turns
    return [*(in_rest_frame(part, each) for each in necks), in_rest_frame(rest_of_it, head)]
