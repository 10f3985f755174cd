"""What a face mesh says of its own geometry: where its left, its front and its eyes are, from what its keys move."""

from dataclasses import dataclass
from typing import Final

import bpy
import numpy as np
from numpy.typing import NDArray

from . import places, sides
from .scene import Character, plain_name

_MOST_PAIRS: Final = 12
_BLINKS: Final = ("blink", "eye_close", "eyeclose", "eyes_closed")


@dataclass(frozen=True, slots=True)
class FaceShape:
    """A face at rest, in the armature's space.

    Attributes:
        left: (3,) from keys of the right to their twins of the left; 0 where there are no twins.
        forward: (3,) from the middle of the head to the middle of what the keys move; 0 where no key moves anything.
    """

    left: NDArray[np.float64]
    forward: NDArray[np.float64]


def look_at(character: Character, up: NDArray[np.float64]) -> FaceShape | None:
    """The geometry of the mesh with the most shape keys; None where there is none.

    Args:
        character: Its meshes are read at rest.
        up: (3,) towards the crown in the armature's space.
    """
    mesh = max(character.meshes, key=lambda each: len(each.data.shape_keys.key_blocks), default=None)
    if mesh is None:
        return None
    keys = mesh.data.shape_keys
    twins = sides.pairs([key.name for key in keys.key_blocks])[:_MOST_PAIRS]
    centres = {name: centre for pair in twins for name in pair if (centre := _moved(keys, name)) is not None}
    across = [centres[left] - centres[right] for left, right in twins if left in centres and right in centres]
    rotation, points = _to_armature(mesh, character.armature)[:3, :3], _points(keys.reference_key)
    forward = np.zeros(3)
    if centres:
        # Only the slice of the mesh at the height of the face: a whole body has no middle of the head.
        heights = points @ (rotation.T @ up)
        face = np.array(list(centres.values()))
        levels = face @ (rotation.T @ up)
        apart = float(np.mean([np.linalg.norm(each) for each in across])) if across else 0.0
        margin = max(0.25 * float(levels.max() - levels.min()), 0.5 * apart)
        slab = points[(heights >= levels.min() - margin) & (heights <= levels.max() + margin)]
        forward = face.mean(axis=0) - 0.5 * (slab.min(axis=0) + slab.max(axis=0)) if len(slab) else forward
    left = np.mean(across, axis=0) if across else np.zeros(3)
    return FaceShape(rotation @ left, rotation @ forward)


def eye_distance(character: Character) -> float:
    """Distance between the eyes in the armature's space, from the keys that shut them; 0 where there are none."""
    for mesh in character.meshes:
        keys = mesh.data.shape_keys
        names = [key.name for key in keys.key_blocks if any(word in plain_name(key.name) for word in _BLINKS)]
        for left, right in sides.pairs(names):
            one, other = _moved(keys, left), _moved(keys, right)
            if one is not None and other is not None:
                return float(np.linalg.norm(_to_armature(mesh, character.armature)[:3, :3] @ (one - other)))
    return 0.0


def _points(key: bpy.types.ShapeKey) -> NDArray[np.float64]:
    flat = np.empty(3 * len(key.data), np.float32)
    key.data.foreach_get("co", flat)
    return flat.reshape(-1, 3).astype(np.float64)


def _moved(keys: bpy.types.Key, name: str) -> NDArray[np.float64] | None:
    """(3,) the middle of what a shape key moves, by how far it moves it; None where it moves nothing."""
    key = keys.key_blocks[name]
    rest = _points(key.relative_key)
    weights = np.linalg.norm(_points(key) - rest, axis=1)
    return weights @ rest / weights.sum() if weights.sum() > 1e-9 else None


def _to_armature(mesh: bpy.types.Object, armature: bpy.types.Object | None) -> NDArray[np.float64]:
    """(4, 4) from a mesh's space into its armature's, all bones at rest."""
    if armature is None:
        return np.eye(4)
    matrix = places.world_of(armature).inverted_safe() @ places.world_of(mesh)
    if mesh.parent == armature and mesh.parent_type == "BONE" and mesh.parent_bone in armature.pose.bones:
        bone = armature.pose.bones[mesh.parent_bone]
        matrix = bone.bone.matrix_local @ bone.matrix.inverted_safe() @ matrix
    return np.array([row[:] for row in matrix])
