"""What an image stage may be fed with: a part of the picture, and how its pixels are written."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from . import framing
from .crops import Crop, Image, grey, similarity


@dataclass(frozen=True, slots=True)
class Preprocessor:
    """From a frame and the face in it to the input of a graph.

    Attributes:
        frame: (478, 3) landmarks in image pixels and the tracker's crop to the crop that is shown.
        paint: Image, crop and side in pixels to (C, side, side) float32, 0..1.
    """

    frame: Callable[[NDArray[np.float32], Crop], Crop]
    paint: Callable[[Image, Crop, int], NDArray[np.float32]]

    def __call__(self, image: Image, landmarks: NDArray[np.float32], crop: Crop, size_px: int) -> NDArray[np.float32]:
        """(C, size, size) float32, 0..1 of one face.

        Raises:
            TrackerError: The crop has no size or place.
        """
        return self.paint(image, self.frame(landmarks, crop), size_px)


PREPROCESSORS: Final[dict[str, Preprocessor]] = {
    "similarity": Preprocessor(framing.tracked, similarity),
    "grey": Preprocessor(framing.tracked, grey),
    "level_eyes_grey": Preprocessor(framing.level_eyes, grey),
    "pupils": Preprocessor(framing.pupils, similarity),
}
"""Every preprocessor, by the name that the registry uses."""
