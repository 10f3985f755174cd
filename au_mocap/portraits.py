"""Square pictures of the actor's face at chosen frames of a take, from its video."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from .errors import VideoError
from .take import Take
from .video import open_video

_MARGIN: Final = 1.2
"""Side of a picture in sides of the face's crop."""


@dataclass(frozen=True, slots=True)
class Portrait:
    """A picture of the face.

    Attributes:
        index: Place in the take, from 0.
        time_s: Presentation time of the video's frame.
        image: (S, S, 3) uint8 BGR.
    """

    index: int
    time_s: float
    image: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Portraits:
    """Pictures, or why there are none.

    Attributes:
        pictures: In the order of time.
        problem: What the user should know where there are none; empty otherwise.
    """

    pictures: tuple[Portrait, ...]
    problem: str = ""


def portraits(take: Take, indices: Iterable[int], side_px: int, video: Path | None = None) -> Portraits:
    """Cuts the face out of some frames of a take's video.

    Args:
        take: The take.
        indices: Places in the take, from 0.
        side_px: Side of a picture.
        video: The video; None takes the path that the take remembers.

    Returns:
        The pictures; none where the video is unknown, cannot be read, has another size or ends too early.
    """
    remembered = take.meta.get("source", {}).get("path")
    if video is None and not remembered:
        return Portraits((), "The take does not say where its video lies.")
    try:
        return Portraits(_cut_out(take, sorted(set(indices)), side_px, video or Path(str(remembered))))
    except (VideoError, ValueError) as error:  # ValueError: a path that no system can have
        return Portraits((), str(error))


def _cut_out(take: Take, indices: list[int], side_px: int, path: Path) -> tuple[Portrait, ...]:
    pictures: list[Portrait] = []
    with open_video(path) as opened:
        wanted = take.meta.get("frame_size", list(opened.info.size_px))
        if list(opened.info.size_px) != wanted:
            width, height = opened.info.size_px
            message = f"{opened.info.name} has {width} x {height} pixels: it is not the video that was analysed."
            raise VideoError(message)
        for index in indices:
            number = take.first_frame + index
            for frame in opened.frames(number, number + 1):
                pictures.append(Portrait(index, frame.time_s, square(frame.image, take.crop[index], side_px)))
    return tuple(pictures)


def square(image: NDArray[np.uint8], crop: NDArray[np.float32], side_px: int) -> NDArray[np.uint8]:
    """The face with some space around it, or the middle of the picture where there is none; never beyond its edge.

    Args:
        image: (H, W, 3) uint8 BGR.
        crop: (4,) as in a take; NaN where no face was found.
        side_px: Side of the result.
    """
    height, width = image.shape[:2]
    x, y, side = (width / 2, height / 2, min(width, height)) if np.isnan(crop).any() else crop[:3]
    half = min(_MARGIN / 2 * max(float(side), 1.0), width / 2, height / 2)
    x, y = np.clip(x, half, width - half), np.clip(y, half, height - half)
    matrix = np.array([[1, 0, half - x], [0, 1, half - y]], np.float64) * (side_px / (2 * half))
    cut = cv2.warpAffine(image, matrix, (side_px, side_px), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cut, np.uint8)
