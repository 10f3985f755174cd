"""What an image stage may be fed with: a part of the picture, and how its pixels are written."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from . import framing
from .crops import Crop, Image, grey, planes, similarity
from .frontal import frontalise


class Preprocessor(Protocol):
    """From a frame and the face in it to the input of a graph."""

    def __call__(self, image: Image, landmarks: NDArray[np.float32], crop: Crop, size_px: int) -> NDArray[np.float32]:
        """(C, size, size) float32, 0..1 of one face.

        Args:
            image: (H, W, 3) uint8 BGR.
            landmarks: (478, 3) image pixels.
            crop: The tracker's.
            size_px: Height and width of the result.

        Raises:
            TrackerError: The crop has no size or place, or there is no face in the landmarks.
        """
        ...


@dataclass(frozen=True, slots=True)
class Cropped:
    """What a crop of the picture shows.

    Attributes:
        frame: (478, 3) landmarks in image pixels and the tracker's crop to the crop that is shown.
        paint: Image, crop and side in pixels to (C, side, side) float32, 0..1.
    """

    frame: Callable[[NDArray[np.float32], Crop], Crop]
    paint: Callable[[Image, Crop, int], NDArray[np.float32]]

    def __call__(self, image: Image, landmarks: NDArray[np.float32], crop: Crop, size_px: int) -> NDArray[np.float32]:
        """See `Preprocessor`."""
        return self.paint(image, self.frame(landmarks, crop), size_px)


def registered(image: Image, landmarks: NDArray[np.float32], crop: Crop, size_px: int) -> NDArray[np.float32]:
    """The face turned to the front by its mesh, in colour; see `Preprocessor` and `frontal.frontalise`."""
    del crop
    return planes(frontalise(image, landmarks, size_px))


PREPROCESSORS: Final[dict[str, Preprocessor]] = {
    "similarity": Cropped(framing.tracked, similarity),
    "grey": Cropped(framing.tracked, grey),
    "level_eyes_grey": Cropped(framing.level_eyes, grey),
    "pupils": Cropped(framing.pupils, similarity),
    "template": Cropped(framing.template, similarity),
    "frontal": registered,
}
"""Every preprocessor, by the name that the registry uses."""
