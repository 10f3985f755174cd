"""Finding faces in a whole image: MediaPipe's short-range BlazeFace detector."""

import math
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .crops import Crop, Image, crop_image
from .runtimes import Session

INPUT_PX: Final = 128
RIGHT_EYE: Final = 0
LEFT_EYE: Final = 1

# Cells per side of the two grids that the graph answers on, and answers per cell.
_GRIDS: Final = ((16, 2), (8, 6))
_BOX_MARGIN: Final = 1.5
_MIN_OVERLAP: Final = 0.3
_TILE_SHARE: Final = 0.3
_TILE_OVERLAP: Final = 0.4
_MAX_TILES_ACROSS: Final = 24
_CLOSE_UP: Final = 3.0
_CONFIRMED: Final = 0.75


@dataclass(frozen=True, slots=True)
class Detection:
    """A face in an image.

    Attributes:
        box: (4,) float32: left, top, right, bottom in image pixels.
        keypoints: (6, 2) float32 image pixels: the actor's right eye, left eye, nose tip, mouth, right and left
        tragion.
        score: 0.5..1.
    """

    box: NDArray[np.float32]
    keypoints: NDArray[np.float32]
    score: float

    @property
    def side_px(self) -> float:
        """The longer side of the box."""
        return float(max(self.box[2] - self.box[0], self.box[3] - self.box[1]))

    def crop(self) -> Crop:
        """The region to run the landmark graph on: half as large again as the box, eyes level."""
        left, top, right, bottom = (float(value) for value in self.box)
        across, down = (self.keypoints[LEFT_EYE] - self.keypoints[RIGHT_EYE]).tolist()
        return Crop((left + right) / 2, (top + bottom) / 2, self.side_px * _BOX_MARGIN, math.atan2(down, across))


class FaceDetector:
    """Runs the detector graph on images and regions of images."""

    def __init__(self, session: Session, min_score: float = 0.5) -> None:
        """Wraps the detector's session.

        Args:
            session: The `detector` graph.
            min_score: Faces below this score are not reported, 0..1.
        """
        self._session = session
        self._min_logit = math.log(min_score / (1 - min_score))

    def detect(self, image: Image) -> list[Detection]:
        """Finds the faces of an image.

        Only faces of an eighth of the image's longer side and more are found reliably: the graph was made for people in
        front of their own camera. `detect_small` finds the others.

        Args:
            image: (H, W, 3) uint8 BGR.

        Returns:
            Faces in image pixels, best score first.
        """
        height, width = image.shape[:2]
        return self.detect_in(image, Crop(width / 2, height / 2, float(max(width, height)), 0.0))

    def detect_small(self, image: Image) -> list[Detection]:
        """Finds faces down to a twenty-fifth of the image's longer side, by looking at overlapping tiles.

        Takes some 15 runs of the graph on a 16:9 image, so it is meant for images in which `detect` found nothing.

        Args:
            image: (H, W, 3) uint8 BGR.

        Returns:
            Faces in image pixels, best score first.
        """
        found = [detection for tile in tiles(*image.shape[:2]) for detection in self.detect_in(image, tile)]
        if not found:
            return []
        points = np.stack([np.concatenate([item.box.reshape(2, 2), item.keypoints]) for item in found])
        return merge(points, np.array([item.score for item in found]))

    def confirm(self, image: Image, detection: Detection) -> Detection | None:
        """Looks at a detection again from close up, which tells faces from what merely resembles one.

        On real clips, faces of all sizes scored 0.83 and more this way, lettering and clouds at most 0.69.

        Returns:
            The face, more exactly placed; None where nothing like one is seen.
        """
        close = detection.crop()
        region = Crop(close.center_x_px, close.center_y_px, detection.side_px * _CLOSE_UP, 0.0)
        found = self.detect_in(image, region)
        return found[0] if found and found[0].score >= _CONFIRMED else None

    def detect_in(self, image: Image, region: Crop) -> list[Detection]:
        """Finds faces in a square, upright region of an image; coordinates are those of the whole image."""
        tile = crop_image(image, region, INPUT_PX)
        fed = np.ascontiguousarray(tile[:, :, ::-1].transpose(2, 0, 1), np.float32)[None]
        boxes, scores = self._session.run({"image": fed * np.float32(2 / 255) - np.float32(1)})
        logits = scores[0, :, 0]
        kept = np.flatnonzero(logits >= self._min_logit)
        if kept.size == 0:
            return []
        corner = np.array([region.center_x_px, region.center_y_px], np.float32) - np.float32(region.side_px / 2)
        points = _decode(boxes[0, kept], _anchors()[kept]) * np.float32(region.side_px) + corner
        return merge(points, 1 / (1 + np.exp(-np.clip(logits[kept], -100, 100))))


def tiles(height: int, width: int) -> list[Crop]:
    """Overlapping square regions that cover an image: none where it is hardly larger than the detector's input.

    Neighbours share two fifths of their side, so every face up to that size lies whole in one of them.
    """
    side = max(min(_TILE_SHARE * max(height, width), float(min(height, width))), 2.0 * INPUT_PX)
    side = max(side, max(height, width) / _MAX_TILES_ACROSS)
    if side >= max(height, width):
        return []
    return [Crop(x, y, side, 0.0) for y in _tile_centers(height, side) for x in _tile_centers(width, side)]


def _tile_centers(length: int, side: float) -> list[float]:
    if side >= length:
        return [length / 2]
    count = 1 + math.ceil((length - side) / (side * (1 - _TILE_OVERLAP)))
    return np.linspace(side / 2, length - side / 2, count).tolist()


@cache
def _anchors() -> NDArray[np.float32]:
    """(896, 2) centres of the graph's answers, 0..1 of the input, x first."""
    rows: list[NDArray[np.float32]] = []
    for cells, answers in _GRIDS:
        y, x = np.mgrid[:cells, :cells]
        centers = np.stack([x, y], axis=-1).reshape(-1, 2)
        rows.append(((centers.repeat(answers, axis=0) + 0.5) / cells).astype(np.float32))
    return np.concatenate(rows)


def _decode(raw: NDArray[np.float32], anchors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Raw answers (N, 16) to points (N, 8, 2), 0..1 of the input: two box corners, then six keypoints."""
    pairs = raw.reshape(-1, 8, 2) / np.float32(INPUT_PX)
    center, half = pairs[:, 0] + anchors, pairs[:, 1] / 2
    return np.concatenate([np.stack([center - half, center + half], axis=1), pairs[:, 2:] + anchors[:, None]], axis=1)


def merge(points: NDArray[np.float32], scores: NDArray[np.floating[Any]]) -> list[Detection]:
    """Joins answers that overlap into one detection each: their mean weighted by score, with the best one's score.

    Args:
        points: (N, 8, 2) pixels: two box corners, six keypoints.
        scores: (N,) 0..1.

    Returns:
        Detections, best score first.
    """
    order = np.argsort(-scores, kind="stable")
    found: list[Detection] = []
    while order.size:
        overlap = overlaps(points[order[0], :2], points[order, :2])
        overlap[0] = 1.0
        same = order[overlap > _MIN_OVERLAP]
        weights = scores[same].astype(np.float32)
        mean = np.tensordot(weights, points[same], axes=1) / weights.sum()
        found.append(Detection(mean[:2].reshape(4), mean[2:], float(scores[order[0]])))
        order = order[overlap <= _MIN_OVERLAP]
    return found


def overlaps(box: NDArray[np.float32], boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Area in common over area together, of one box (2, 2) with each of (N, 2, 2); corners as (x, y)."""
    common = np.clip(np.minimum(box[1], boxes[:, 1]) - np.maximum(box[0], boxes[:, 0]), 0, None).prod(axis=1)
    area = np.clip(box[1] - box[0], 0, None).prod()
    areas = np.clip(boxes[:, 1] - boxes[:, 0], 0, None).prod(axis=1)
    return common / np.maximum(area + areas - common, np.float32(1e-6))
