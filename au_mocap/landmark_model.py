"""The 478 landmarks of one face, from a crop around it."""

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .crops import Crop, Image, crop_image, planes, to_image
from .landmarks import LEFT_EYE_CORNERS, RIGHT_EYE_CORNERS
from .sessions import Session

INPUT_PX: Final = 256
RIGHT_EYE_OUTER: Final = RIGHT_EYE_CORNERS[0]
LEFT_EYE_OUTER: Final = LEFT_EYE_CORNERS[0]

_FACE_MARGIN: Final = 1.5


@dataclass(frozen=True, slots=True)
class LandmarkResult:
    """What the graph says about one crop.

    Attributes:
        landmarks: (478, 3) float32 image pixels; z in pixels too, smaller nearer to the camera, 0 about the head's
        centre.
        presence: 0..1, how surely the crop shows a face.
        tile: (256, 256, 3) uint8 BGR, what the graph was shown.
    """

    landmarks: NDArray[np.float32]
    presence: float
    tile: Image


class LandmarkModel:
    """Runs the landmark graph. One instance may be used by several threads at once."""

    def __init__(self, session: Session) -> None:
        """Wraps the `landmarks` graph's session."""
        self._session = session
        self._landmarks = session.output_names.index("landmarks")
        self._presence = session.output_names.index("presence")

    def run(self, image: Image, crop: Crop) -> LandmarkResult:
        """Finds the landmarks of the face that a crop shows.

        Args:
            image: (H, W, 3) uint8 BGR.
            crop: Region around the face, about one and a half times its size, eyes level.
        """
        tile = crop_image(image, crop, INPUT_PX, replicate=True)
        outputs = self._session.run({"image": planes(tile)[None]})
        inside = outputs[self._landmarks][0] * np.float32(1 / INPUT_PX)
        inside[:, :2] -= np.float32(0.5)
        return LandmarkResult(to_image(inside, crop), float(outputs[self._presence][0, 0]), tile)

    def run_tiles(self, tiles: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
        """Runs the graph on crops that are already cut out, several at once.

        Args:
            tiles: (N, 256, 256, 3) uint8 BGR.

        Returns:
            The graph's outputs by name: `landmarks` (N, 478, 3) in pixels of the tile, `presence` (N, 1), and the
            inner maps `map_16` (N, 128, 16, 16) and `map_8` (N, 128, 8, 8).
        """
        fed = np.stack([planes(tile) for tile in tiles])
        return dict(zip(self._session.output_names, self._session.run({"image": fed}), strict=True))


def crop_around(landmarks: NDArray[np.float32]) -> Crop:
    """The crop for the next frame: half as large again as the landmarks' bounding box, outer eye corners level.

    Args:
        landmarks: (478, 2 or 3) image pixels.
    """
    low, high = landmarks[:, :2].min(axis=0), landmarks[:, :2].max(axis=0)
    across, down = (landmarks[LEFT_EYE_OUTER, :2] - landmarks[RIGHT_EYE_OUTER, :2]).tolist()
    x, y = ((low + high) / 2).tolist()
    return Crop(x, y, float((high - low).max()) * _FACE_MARGIN, math.atan2(down, across))
