"""The picture that a refiner compares: the face brought to a base face by five points."""

import math
from functools import cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats
from ..crops import Image
from ..errors import TrackerError
from ..landmarks import IPD_M, LEFT_EYE_CORNERS, RIGHT_EYE_CORNERS, canonical_face

POINTS: Final[tuple[tuple[int, ...], ...]] = (RIGHT_EYE_CORNERS, LEFT_EYE_CORNERS, (1,), (61,), (291,))
"""Landmarks whose means are the five points: the actor's right eye, left eye, tip of the nose, corners of the mouth."""

_SIDES: Final = 3.3
_EYES_AT: Final = 0.34
"""Side of the picture in distances between the eyes, and where in it the eyes are, from the top."""

_MOST_SAMPLES: Final = 8


@cache
def base_points() -> NDArray[np.float32]:
    """(5, 2) where the five points of the base face lie: x and y, 0..1 of the picture's side."""
    face = canonical_face().points[:, :2] / (IPD_M * _SIDES)
    return (five_points(face.astype(np.float32)) + np.array([0.5, _EYES_AT])).astype(np.float32)


def five_points(landmarks: Floats) -> NDArray[np.float32]:
    """(478, 2 or 3) landmarks to (5, 2) points of the same axes."""
    return np.stack([landmarks[list(group), :2].mean(axis=0) for group in POINTS]).astype(np.float32)


def similarity(landmarks: Floats) -> NDArray[np.float64]:
    """The similarity that brings a face to the base face.

    Args:
        landmarks: (478, 2 or 3) image pixels.

    Returns:
        (2, 3) matrix from image pixels to the picture, 0..1 of its side.

    Raises:
        TrackerError: The five points lie in one place, or nowhere.
    """
    points, base = five_points(landmarks).astype(np.float64), base_points().astype(np.float64)
    center, base_center = points.mean(axis=0), base.mean(axis=0)
    own = (points - center) @ [1.0, 1j]
    wanted = (base - base_center) @ [1.0, 1j]
    spread = float((np.abs(own) ** 2).sum())
    if not (math.isfinite(spread) and spread > 0.0):
        message = "There is no face to look at: its eyes, nose and mouth lie in one place, or nowhere."
        raise TrackerError(message)
    turn = complex((np.conj(own) * wanted).sum() / spread)
    matrix = np.array([[turn.real, -turn.imag], [turn.imag, turn.real]])
    return np.concatenate([matrix, (base_center - matrix @ center)[:, None]], axis=1)


def picture(image: Image, landmarks: Floats, size_px: int) -> Image:
    """Cuts a face out, eyes, nose and mouth as near to the base face's as a similarity brings them.

    Args:
        image: (H, W, 3) uint8 BGR.
        landmarks: (478, 2 or 3) pixels of the image.
        size_px: Side of the result.

    Returns:
        (size_px, size_px, 3) uint8 BGR; what lies outside the image continues its outermost pixels.

    Raises:
        TrackerError: As `similarity`.
    """
    matrix = similarity(landmarks)
    shrinking = 1.0 / (math.hypot(matrix[0, 0], matrix[1, 0]) * size_px)
    samples = min(max(math.ceil(shrinking), 1), _MOST_SAMPLES)
    # Sampled as finely as the image is and averaged, or thin lids and lips would come and go from frame to frame.
    side = size_px * samples
    to_pixels = matrix * side
    to_pixels[:, 2] -= 0.5
    warped = cv2.warpAffine(image, to_pixels, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    if samples > 1:
        warped = cv2.resize(warped, (size_px, size_px), interpolation=cv2.INTER_AREA)
    return np.asarray(warped, np.uint8)
