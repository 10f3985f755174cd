"""Which way a character faces: found from its own bones and face, or chosen by the artist."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..au_mocap.arrays import Floats
from ..au_mocap.errors import SettingsError
from . import face_mesh, places, sides
from .bake_settings import FACINGS
from .scene import Character, plain_name

_AXES: Final = {
    f"{sign}{letter}": (1.0 if sign == "+" else -1.0) * np.eye(3)["XYZ".index(letter)]
    for letter in "XYZ"
    for sign in "+-"
}
_ALIKE: Final = 0.995
"""Left and right lie across so clearly that a face between two axes is believed."""
_EXACT_RAD: Final = np.radians(5.0)
_NEAR_RAD: Final = np.radians(25.0)
_LOW: Final = ("foot", "ankle", "hips", "pelvis", "thigh", "upleg", "upperleg", "hip")
_FRONT: Final = ("nose", "lip", "chin", "mouth", "teeth", "tongue")
_OF_WORLD: Final = 0.3
"""How much the scene's own upwards counts against what the bones say (1)."""


@dataclass(frozen=True, slots=True)
class Facing:
    """A character at rest, seen by a camera that it faces.

    Attributes:
        axes: (3, 3) columns, in the armature's space: right in the picture (the character's left), down, and away from
            the camera. A rotation.
        found_by: What told it, for people; empty where nothing did and the usual was taken.
    """

    axes: NDArray[np.float64]
    found_by: tuple[str, ...] = ()

    @property
    def forward(self) -> NDArray[np.float64]:
        """(3,) where the character looks at rest."""
        return -self.axes[:, 2]

    @property
    def up(self) -> NDArray[np.float64]:
        """(3,) towards the crown."""
        return -self.axes[:, 1]


def facing_of(character: Character, choice: str = "auto") -> Facing:
    """The way a character faces at rest, in its armature's space.

    Args:
        character: With an armature; one without takes the usual way.
        choice: `auto`, or an axis of the armature object such as `-Y`.

    Raises:
        SettingsError: The choice is none of `FACINGS`.
    """
    if choice not in FACINGS:
        message = f"Unknown facing '{choice}': use {', '.join(FACINGS)}."
        raise SettingsError(message)
    left = _left(character)
    if choice != "auto":
        forward = _AXES[choice]
        return Facing(_axes(forward, _up(character, None, forward)), ("the panel",))
    up = _up(character, left)
    votes = dict(_votes(character, up, left))
    if not votes:
        votes = dict(_votes_of_meshes(character, up))
    total = sum((weight * vector for weight, vector in votes.values()), np.zeros(3))
    if np.linalg.norm(total) < 1e-6:
        return Facing(_axes(_usual(up), up))
    return Facing(_axes(_settled(total / np.linalg.norm(total), up, left), up), tuple(votes))


def _axes(forward: NDArray[np.float64], up: NDArray[np.float64]) -> NDArray[np.float64]:
    """Columns right, down, away for a character that looks forward; up is made square to it."""
    forward = forward / np.linalg.norm(forward)
    up = up - forward * (forward @ up)
    up = up / np.linalg.norm(up)
    return np.stack([np.cross(up, forward), -up, -forward], axis=1)


def _settled(seen: NDArray[np.float64], up: NDArray[np.float64], left: NDArray[np.float64] | None) -> Floats:
    """The exact direction that rough evidence means: across left and right where those are sure, else an axis."""
    axis = max(_AXES.values(), key=lambda each: float(each @ seen))
    axis = axis if abs(float(axis @ up)) < 0.5 else seen
    if left is None:
        return axis
    across = np.cross(left, up)
    across = across / np.linalg.norm(across)
    across = across if float(across @ seen) >= 0.0 else -across
    return axis if float(across @ axis) > np.cos(_EXACT_RAD) else across


def _usual(up: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where characters look that say nothing of it: Blender's own along -Y, those of Y-up programs along +Z."""
    wanted = _AXES["+Z"] if abs(up[1]) > 0.7 else _AXES["-Y"]
    return wanted - up * float(wanted @ up)


def _points(character: Character) -> dict[str, NDArray[np.float64]]:
    bones = character.armature.data.bones if character.armature else ()
    return {bone.name: np.array(bone.head_local[:]) for bone in bones}


def _left(character: Character) -> NDArray[np.float64] | None:
    """The character's left, where pairs of bones agree on it."""
    points = _points(character)
    across = [points[left] - points[right] for left, right in sides.pairs(tuple(points))]
    sizes = [float(np.linalg.norm(each)) for each in across]
    largest = max(sizes, default=0.0)
    units = [each / size for each, size in zip(across, sizes, strict=True) if size > 1e-3 * largest > 0.0]
    if not units:
        return None
    mean = np.mean(units, axis=0)
    # Fingers and toes outnumber all else: what matters is that nothing speaks against it.
    length = float(np.linalg.norm(mean))
    return mean / length if length > _ALIKE else None


def _up(
    character: Character, left: NDArray[np.float64] | None, forward: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """The axis of the armature that points to the crown, square to left and right where those are known."""
    seen = _upwards(character)
    world = np.zeros(3)
    if character.armature is not None:
        world = np.array(places.world_of(character.armature).to_3x3().normalized().inverted_safe().col[2][:])
    seen = seen + _OF_WORLD * world if np.linalg.norm(seen) > 0.0 else world
    across = left if forward is None else forward
    axes = [each for each in _AXES.values() if forward is None or abs(float(each @ forward)) < 0.5]
    if left is not None and forward is None:
        axes = [each for each in axes if abs(float(each @ left)) < np.sin(_NEAR_RAD)] or axes
    up = max(axes, key=lambda each: float(each @ seen) + 1e-6 * each[2])
    if across is not None:
        up = up - across * float(across @ up)
    return up / np.linalg.norm(up)


def _upwards(character: Character) -> NDArray[np.float64]:
    """(3,) roughly to the crown as the bones have it: from feet or hips to the head, else up the neck; 0 if unknown."""
    points = _points(character)
    head = points.get(character.head or "")
    if head is None:
        return np.zeros(3)
    lowest = _mean(points, _LOW)
    neck = points.get(character.neck or "")
    bone = character.armature.data.bones[character.head] if character.armature and character.head else None
    while bone is not None and bone.parent is not None:
        bone = bone.parent
    root = np.array(bone.head_local[:]) if bone is not None else None
    for below in (lowest, neck, root):
        if below is not None and np.linalg.norm(head - below) > 1e-6:
            return (head - below) / np.linalg.norm(head - below)
    return np.zeros(3)


def _mean(points: dict[str, NDArray[np.float64]], words: tuple[str, ...]) -> NDArray[np.float64] | None:
    """The middle of the bones whose names hold the first of the words that any name holds."""
    names = {name: plain_name(name) for name in points}
    for word in words:
        found = [points[name] for name, plain in names.items() if word in plain.split("_") or plain.endswith(word)]
        if found:
            return np.mean(found, axis=0)
    return None


def _votes(
    character: Character, up: NDArray[np.float64], left: NDArray[np.float64] | None
) -> list[tuple[str, tuple[float, NDArray[np.float64]]]]:
    """What bones say of where forward is: reason, weight, and a direction square to up."""
    points = _points(character)
    head = points.get(character.head or "")
    eyes = [points[name] for name in character.eyes if name in points]
    feet, toes = _mean(points, ("foot", "ankle")), _mean(points, ("toe", "toes", "toebase", "ball"))
    front = np.mean(found, axis=0) if (found := _named(points, _FRONT)) else None
    seen = [
        ("eye bones", 2.0, np.mean(eyes, axis=0) - head if len(eyes) == 2 and head is not None else None),
        ("feet", 1.5, toes - feet if toes is not None and feet is not None else None),
        ("face bones", 1.0, front - head if front is not None and head is not None else None),
        ("sides", 1.5, np.cross(left, up) if left is not None else None),
    ]
    return [(reason, (weight, level)) for reason, weight, each in seen if (level := _level(each, up)) is not None]


def _named(points: dict[str, NDArray[np.float64]], words: tuple[str, ...]) -> list[NDArray[np.float64]]:
    return [point for name, point in points.items() if set(plain_name(name).split("_")) & set(words)]


def _votes_of_meshes(
    character: Character, up: NDArray[np.float64]
) -> list[tuple[str, tuple[float, NDArray[np.float64]]]]:
    """The same from the largest face mesh, which costs more to look at."""
    shape = face_mesh.look_at(character, up)
    if shape is None:
        return []
    seen = [("face", 2.0, shape.forward), ("sides of the face", 1.5, np.cross(shape.left, up))]
    return [(reason, (weight, level)) for reason, weight, each in seen if (level := _level(each, up)) is not None]


def _level(direction: NDArray[np.float64] | None, up: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """A direction without its part along up, as a unit vector; None where that is most of it."""
    if direction is None or (length := float(np.linalg.norm(direction))) < 1e-9:
        return None
    level = direction - up * float(up @ direction)
    size = float(np.linalg.norm(level))
    return level / size if size > 0.1 * length else None
