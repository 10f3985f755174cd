"""The 478 landmarks of one face, from a crop around it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .crops import Crop, Image, crop_image, planes, to_image
from .landmarks import LEFT_EYE_CORNERS, RIGHT_EYE_CORNERS
from .runtimes import Session

INPUT_PX: Final = 256
RIGHT_EYE_OUTER: Final = RIGHT_EYE_CORNERS[0]
LEFT_EYE_OUTER: Final = LEFT_EYE_CORNERS[0]

OUTPUTS: Final[Mapping[str, tuple[int, ...]]] = {
    "landmarks": (478, 3),
    "presence": (1,),
    "presence_logit": (1,),
    "tongue_out": (1,),
    "map_64": (32, 64, 64),
    "map_32": (64, 32, 32),
    "map_16": (128, 16, 16),
    "map_8": (128, 8, 8),
}
"""What the graph can give for one tile: `landmarks` in pixels of the tile, and the inner maps, fine to coarse."""

MIRRORED: Final = "mirrored_"
"""Begins the names of what the graph gives for the mirrored tile: a second look, which errs in other ways."""

LOOKS: Final[Mapping[str, tuple[int, ...]]] = {
    **OUTPUTS,
    **{f"{MIRRORED}{name}": shape for name, shape in OUTPUTS.items()},
}
"""`OUTPUTS` of the tile and of the mirrored tile."""

_FACE_MARGIN: Final = 1.5

# Of the score before its sigmoid, on real clips and renders: 18 to 22 for a clear face, 11 to 17 in a laugh or with a
# hand at the mouth, 5 to 10 with a hand across the face; 13 and more up to 40 degrees of yaw, 8 to 17 at 50, 1 to 12 at
# 60; 10 where a face of 200 px is blurred with a standard deviation of 8 px; below 0 nothing is left of a face.
_HALF_CONFIDENCE: Final = 11.0
_CONFIDENCE_SCALE: Final = 2.0


@dataclass(frozen=True, slots=True)
class LandmarkResult:
    """What the graph says about one crop.

    Attributes:
        landmarks: (478, 3) float32 image pixels; z in pixels too, smaller nearer to the camera, 0 about the head's
        centre.
        presence: 0..1, how surely the crop shows a face: the graph's own score, 1 for almost any face.
        confidence: 0..1, how well the face is to be seen: the same score on a scale that tells clear faces from those
            that a hand hides, that are turned to the side, or that are tiny or out of focus.
        tile: (256, 256, 3) uint8 BGR, what the graph was shown.
        maps: Further outputs that were asked for, by name, each (1, ...) float32 as the graph gives it; see `OUTPUTS`.
    """

    landmarks: NDArray[np.float32]
    presence: float
    confidence: float
    tile: Image
    maps: Mapping[str, NDArray[np.float32]] = field(default_factory=dict[str, NDArray[np.float32]])


class LandmarkModel:
    """Runs the landmark graph. One instance may be used by several threads at once."""

    def __init__(self, session: Session) -> None:
        """Wraps the `landmarks` graph's session."""
        self._session = session

    def run(self, image: Image, crop: Crop, maps: Sequence[str] = ()) -> LandmarkResult:
        """Finds the landmarks of the face that a crop shows.

        Args:
            image: (H, W, 3) uint8 BGR.
            crop: Region around the face, about one and a half times its size, eyes level.
            maps: Further names of `OUTPUTS` that the result should hold. Each costs a copy, nothing else.
        """
        tile = crop_image(image, crop, INPUT_PX, replicate=True)
        outputs = self._run(planes(tile)[None], tuple(dict.fromkeys(("landmarks", "presence_logit", *maps))))
        inside = outputs["landmarks"][0] * np.float32(1 / INPUT_PX)
        inside[:, :2] -= np.float32(0.5)
        score = float(outputs["presence_logit"][0, 0])
        return LandmarkResult(
            landmarks=to_image(inside, crop),
            presence=_sigmoid(score),
            confidence=_sigmoid((score - _HALF_CONFIDENCE) / _CONFIDENCE_SCALE),
            tile=tile,
            maps={name: outputs[name] for name in maps},
        )

    def run_tiles(self, tiles: NDArray[np.uint8], wanted: Sequence[str] = tuple(OUTPUTS)) -> dict[str, NDArray[Any]]:
        """Runs the graph on crops that are already cut out, several at once.

        Args:
            tiles: (N, 256, 256, 3) uint8 BGR.
            wanted: Names of `OUTPUTS`.

        Returns:
            The wanted outputs by name, each (N, ...); `landmarks` are in pixels of the tile.
        """
        return self._run(np.stack([planes(tile) for tile in tiles]), wanted)

    def _run(self, fed: NDArray[np.float32], wanted: Sequence[str]) -> dict[str, NDArray[Any]]:
        return dict(zip(wanted, self._session.run({"image": fed}, wanted), strict=True))


def _sigmoid(score: float) -> float:
    return 1 / (1 + math.exp(-max(score, -100.0)))


def crop_around(landmarks: NDArray[np.float32]) -> Crop:
    """The crop for the next frame: half as large again as the landmarks' bounding box, outer eye corners level.

    Args:
        landmarks: (478, 2 or 3) image pixels.
    """
    low, high = landmarks[:, :2].min(axis=0), landmarks[:, :2].max(axis=0)
    across, down = (landmarks[LEFT_EYE_OUTER, :2] - landmarks[RIGHT_EYE_OUTER, :2]).tolist()
    x, y = ((low + high) / 2).tolist()
    return Crop(x, y, float((high - low).max()) * _FACE_MARGIN, math.atan2(down, across))
