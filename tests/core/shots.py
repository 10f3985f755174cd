"""Shots made of real faces whose paths are known: heads cut from clips, moved over a plain background."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from au_mocap.crops import Crop, Image, crop_image
from au_mocap.detector import FaceDetector
from au_mocap.video import VideoFrame, open_video

HEAD_PX = 240
_FACE_SHARE = 2.1


@dataclass(frozen=True, slots=True)
class Path2D:
    """Where a head is and how large its face, for every frame.

    Attributes:
        x: (T,) pixels, the head's centre.
        y: (T,) pixels.
        face_px: (T,) width of the face.
        visible: (T,) whether it is drawn.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    face_px: NDArray[np.float64]
    visible: NDArray[np.bool_]


def heads(clip: Path, detector: FaceDetector, count: int, step: int = 1) -> list[Image]:
    """Square pictures (HEAD_PX, HEAD_PX, 3) of the head in a clip, always framed as in its first frame."""
    result: list[Image] = []
    region: Crop | None = None
    with open_video(clip) as video:
        for frame in video.frames():
            if frame.index % step:
                continue
            if region is None:
                crop = detector.detect(frame.image)[0].crop()
                region = Crop(crop.center_x_px, crop.center_y_px, crop.side_px / 1.5 * _FACE_SHARE, 0.0)
            result.append(crop_image(frame.image, region, HEAD_PX, replicate=True))
            if len(result) == count:
                break
    return result


def straight(start: tuple[float, float], end: tuple[float, float], frames: int, face_px: float = 100.0) -> Path2D:
    """A head that moves evenly from one place to another."""
    ones = np.ones(frames)
    x, y = np.linspace(start[0], end[0], frames), np.linspace(start[1], end[1], frames)
    return Path2D(x, y, ones * face_px, ones.astype(bool))


def shot(
    people: Sequence[tuple[list[Image], Path2D]], size_px: tuple[int, int] = (960, 540), rate_hz: float = 25.0
) -> Iterator[VideoFrame]:
    """Draws people over a plain background; later ones stand in front."""
    frames = len(people[0][1].x)
    for index in range(frames):
        canvas = np.full((size_px[1], size_px[0], 3), (96, 104, 100), np.uint8)
        for pictures, path in people:
            if path.visible[index]:
                _draw(canvas, pictures[index % len(pictures)], path.x[index], path.y[index], path.face_px[index])
        yield VideoFrame(index, index / rate_hz, canvas)


def _draw(canvas: Image, head: Image, x: float, y: float, face_px: float) -> None:
    scale = face_px * _FACE_SHARE / HEAD_PX
    matrix = np.array([[scale, 0, x - scale * HEAD_PX / 2], [0, scale, y - scale * HEAD_PX / 2]])
    mask = np.zeros((HEAD_PX, HEAD_PX), np.uint8)
    cv2.ellipse(mask, (HEAD_PX // 2, HEAD_PX // 2), (int(HEAD_PX * 0.36), int(HEAD_PX * 0.48)), 0, 0, 360, (255,), -1)
    size = (canvas.shape[1], canvas.shape[0])
    drawn = cv2.warpAffine(head, matrix, size, flags=cv2.INTER_AREA)
    inside = cv2.warpAffine(mask, matrix, size) > 127
    canvas[inside] = drawn[inside]
