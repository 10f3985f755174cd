"""What an animation curve's keys hold, with straight lines between them or with handles."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Keys = dict[str, NDArray[np.float32 | np.int32]]
"""All that a curve's keys hold, by attribute: (K,) or (K, 2)."""

CONSTANT: Final = 0
LINEAR: Final = 1
BEZIER: Final = 2
FREE: Final = 0
ALIGNED: Final = 3
_AUTO_CLAMPED: Final = 4
_POINTS: Final = ("co", "handle_left", "handle_right")
# What Blender gives to a key that is made by hand.
_NUMBERS: Final = {"amplitude": 0.8, "back": 1.70158, "period": 4.1}
_CHOICES: Final = {
    # Linear: between frames of a video nothing is known, and across a gap a curve must not swing out.
    "interpolation": LINEAR,
    "handle_left_type": _AUTO_CLAMPED,
    "handle_right_type": _AUTO_CLAMPED,
    "easing": 0,
    "type": 0,
}
_HALVINGS: Final = 50


def linear_keys(frames: NDArray[np.float32], values: NDArray[np.float32]) -> Keys:
    """Keys joined by straight lines: (K,) frames and values."""
    keys: Keys = {name: np.stack([frames, values], axis=1).astype(np.float32) for name in _POINTS}
    keys |= {name: np.full(len(frames), number, np.float32) for name, number in _NUMBERS.items()}
    return keys | {name: np.full(len(frames), choice, np.int32) for name, choice in _CHOICES.items()}


def bezier_keys(frames: NDArray[np.float32], values: NDArray[np.float32], slopes: NDArray[np.float32]) -> Keys:
    """Keys with handles a third of the way to their neighbours.

    Args:
        frames: (K,) rising scene frames.
        values: (K,) the curve's values.
        slopes: (K, 2) per frame, on the left and on the right of each key; where they agree the handles are aligned.
    """
    keys = linear_keys(frames, values)
    reach = np.diff(frames.astype(np.float64)) / 3.0 if len(frames) > 1 else np.ones(1)
    reaches = np.append(reach[0], reach)[: len(frames)], np.append(reach, reach[-1])[: len(frames)]
    for name, side, column in (("handle_left", -1.0, 0), ("handle_right", 1.0, 1)):
        step = side * reaches[column]
        keys[name] = np.stack([frames + step, values + step * slopes[:, column]], axis=1).astype(np.float32)
    types = np.where(slopes[:, 0] == slopes[:, 1], ALIGNED, FREE).astype(np.int32)
    keys["handle_left_type"], keys["handle_right_type"] = types, types.copy()
    keys["interpolation"][:] = BEZIER
    return keys


@dataclass(frozen=True, slots=True)
class Cut:
    """One side of a Bezier stretch that was cut in two: each (2,) frame and value.

    Attributes:
        point: The new key.
        own_handle: The new key's handle on this side.
        near_handle: The handle, towards the new key, of the old key on this side.
    """

    point: NDArray[np.float64]
    own_handle: NDArray[np.float64]
    near_handle: NDArray[np.float64]


def cut(keys: Keys, frame: float) -> tuple[Cut, Cut]:
    """Cut the stretch between two keys at a frame between them: the part before and the part after, of the same shape.

    Args:
        keys: Two keys with Bezier interpolation.
        frame: Where to cut.
    """
    start, end = (np.asarray(keys["co"][index], np.float64) for index in (0, 1))
    length = end[0] - start[0]
    # Blender shortens handles that reach beyond the other key, or the curve would turn back in time.
    leaving = _shortened(np.asarray(keys["handle_right"][0], np.float64) - start, length)
    arriving = _shortened(np.asarray(keys["handle_left"][1], np.float64) - end, length)
    controls = np.stack([start, start + leaving, end + arriving, end])
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        low, high = (middle, high) if _levels(controls, middle)[-1][0, 0] < frame else (low, middle)
    first, second, point = _levels(controls, high)
    return Cut(point[0], second[0], first[0]), Cut(point[0], second[1], first[2])


def _levels(controls: NDArray[np.float64], share: float) -> list[NDArray[np.float64]]:
    """De Casteljau's scheme: (3, 2), (2, 2) and (1, 2) points."""
    levels: list[NDArray[np.float64]] = []
    points = controls
    while len(points) > 1:
        points = (1.0 - share) * points[:-1] + share * points[1:]
        levels.append(points)
    return levels


def _shortened(handle: NDArray[np.float64], length: float) -> NDArray[np.float64]:
    reach = abs(float(handle[0]))
    return handle * (length / reach) if reach > length else handle
