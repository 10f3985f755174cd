"""Where an image stage looks: the part of the picture around a tracked face that it was trained on.

The distance between the eyes, as the picture shows it, gives the size. It shrinks as the face turns away, so that from
the side next to nothing would be left: a share of the tracker's crop is the least that is looked at.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .crops import Crop
from .landmarks import IPD_M, LEFT_EYE_CORNERS, RIGHT_EYE_CORNERS, canonical_face

_RIGHT_PUPIL: Final = (468,)
_LEFT_PUPIL: Final = (473,)

_LEVEL_SIDE: Final = 3.0
_PUPILS_SIDE: Final = 3.2
"""Sides of the crops in distances between the eyes: from the middle of the forehead to below an open jaw."""

_BELOW: Final = 0.65
"""How far the crops' centres lie below the middle between the eyes, in distances between the eyes."""

_LEAST_SHARE: Final = 0.4

FRONTAL_SPAN: Final = 3.1
"""Width of a registered face's picture in distances between the eyes: a face with its jaw dropped, and a margin."""

FRONTAL_MIDDLE: Final = (0.0, 0.55)
"""Where that picture's middle lies from between the eyes, in distances between them: right of it, below it."""


def tracked(_landmarks: NDArray[np.float32], crop: Crop) -> Crop:
    """The tracker's own crop: half as large again as the face, eyes level."""
    return crop


def level_eyes(landmarks: NDArray[np.float32], crop: Crop) -> Crop:
    """The face with its eyes level and at a fixed distance, as the 48x48 network of FERA 2015 sees it.

    Args:
        landmarks: (478, 2 or 3) image pixels.
        crop: The tracker's.
    """
    right, left = _middle(landmarks, RIGHT_EYE_CORNERS), _middle(landmarks, LEFT_EYE_CORNERS)
    distance, roll = _across(right, left)
    return _below(right, left, roll, max(_LEVEL_SIDE * distance, _LEAST_SHARE * crop.side_px), _LEVEL_SIDE)


def pupils(landmarks: NDArray[np.float32], crop: Crop) -> Crop:
    """The face by the distance of its pupils and upright in the picture, as FEAFA's baseline crops it.

    Args:
        landmarks: (478, 2 or 3) image pixels.
        crop: The tracker's.
    """
    right, left = _middle(landmarks, _RIGHT_PUPIL), _middle(landmarks, _LEFT_PUPIL)
    distance, _ = _across(right, left)
    return _below(right, left, 0.0, max(_PUPILS_SIDE * distance, _LEAST_SHARE * crop.side_px), _PUPILS_SIDE)


def template(landmarks: NDArray[np.float32], crop: Crop) -> Crop:
    """The face laid over the canonical one as seen from the front, by moving, turning and scaling the picture alone.

    The third paper's 2D registration (Procrustes analysis against a frontal template); at the same place and size as
    `frontal.frontalise` puts the face. The landmarks count by how little they move with expression.

    Args:
        landmarks: (478, 2 or 3) image pixels.
        crop: The tracker's.
    """
    face = canonical_face()
    share = face.weights / face.weights.sum()
    here = np.asarray(landmarks[:, :2], np.float64)
    there = face.points[:, :2] / IPD_M
    center, target = share @ here, share @ there
    here, there = here - center, there - target
    # As complex numbers the similarity that takes the template to the picture with least squares is one quotient.
    there_z, here_z = there @ (1.0, 1.0j), here @ (1.0, 1.0j)
    turn = (share * there_z.conj()) @ here_z / (share @ np.square(np.abs(there_z)))
    side = FRONTAL_SPAN * abs(turn)
    least = _LEAST_SHARE * crop.side_px
    turn *= max(side, least) / max(side, 1e-9)
    middle = complex(*center) + turn * complex(*(np.array(FRONTAL_MIDDLE) - target))
    return Crop(middle.real, middle.imag, max(side, least), math.atan2(turn.imag, turn.real))


def _middle(landmarks: NDArray[np.float32], places: Sequence[int]) -> tuple[float, float]:
    x, y = landmarks[list(places), :2].mean(axis=0, dtype=np.float64).tolist()
    return x, y


def _across(right: tuple[float, float], left: tuple[float, float]) -> tuple[float, float]:
    """Distance in pixels and turn in radians of the line from the actor's right eye to the left one."""
    x, y = left[0] - right[0], left[1] - right[1]
    return math.hypot(x, y), math.atan2(y, x)


def _below(
    right: tuple[float, float], left: tuple[float, float], roll_rad: float, side_px: float, sides: float
) -> Crop:
    """A crop of some side whose centre lies below the eyes, down as the crop itself is turned."""
    down = _BELOW * side_px / sides
    return Crop(
        center_x_px=(right[0] + left[0]) / 2 - down * math.sin(roll_rad),
        center_y_px=(right[1] + left[1]) / 2 + down * math.cos(roll_rad),
        side_px=side_px,
        roll_rad=roll_rad,
    )
