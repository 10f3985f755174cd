"""Finds a character's face: it is drawn from several sides, and the tracker says where it sees one."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..crops import Crop, Image
from ..detector import FaceDetector
from ..errors import TrackerError
from ..landmark_model import LandmarkModel, LandmarkResult, crop_around
from ..landmarks import align
from ..registry import Registry
from ..sessions import open_session
from .places import FIRST_IRIS, Places, under
from .surface import Surface, islands, normals
from .view import Frame, draw

SEARCH_PX: Final = 160
CLOSE_PX: Final = 512
"""Sides of the pictures that are searched, and of those that are measured in."""

_PRESENT: Final = 0.5
_SURE: Final = 0.9
_DOUBTFUL: Final = 0.1
_SETTLING: Final = 2
_ROUNDS: Final = 3
_SAME_VIEW: Final = 1.0 + 2.0 * float(np.cos(np.radians(3.0)))
"""Sum of the products of two frames' axes above which they lie within 3 degrees of each other."""

_ROOM: Final = 1.5
"""Half a close picture's width, in largest distances of landmarks from their middle."""

_OUTERMOST: Final = 0.98
"""Share of the landmarks that lies within that distance: a stray one does not make the picture wide."""

_LIVELY: Final = 0.3
"""Share of the most moves of any point that makes a point part of the face."""

_FACE_ROOM: Final = 1.6
HEAD_ROOM: Final = 2.6
_ALL: Final = 1.1
_HEAD_SHARE: Final = 0.16
"""Widths of regions, in widths of what they are around; and how much of a figure's height is head."""

_PARALLEL: Final = 1e-3
_STEPS: Final = 8
"""Sides that a figure is seen from as it turns."""

LOOK_NEXT: Final = "pick its landmarks by hand (Add Marks in the same panel), then match again"


@dataclass(frozen=True, slots=True)
class FoundFace:
    """A face on a surface.

    Attributes:
        places: All 478 landmarks on the surface.
        axes: (3, 3) rows: the directions right, down and away of the picture that it was seen in.
        confidence: 0..1, how well the tracker sees it.
        image: The picture.
    """

    places: Places
    axes: NDArray[np.float64]
    confidence: float
    image: Image


@dataclass(frozen=True, slots=True)
class _Canvas:
    """A surface with what every picture of it needs: (V, 3) normals, and (F,) connected parts."""

    surface: Surface
    normal: NDArray[np.float64]
    part: NDArray[np.int64]


class Looker:
    """The bundled tracker's graphs, for single pictures."""

    def __init__(self, registry: Registry | None = None, device: str = "cpu") -> None:
        """Opens the graphs; raises ModelError where one is missing."""
        known = registry or Registry()
        files = known.tracker("onnx").files
        self._detector = FaceDetector(open_session(known.path(files["detector"]), device))
        self._model = LandmarkModel(open_session(known.path(files["landmarks"]), device))

    def search(self, image: Image) -> LandmarkResult | None:
        """The surest face of a picture; None where there is none."""
        found = self._detector.detect(image) or self._detector.detect_small(image)
        results = [self.settle(image, detection.crop()) for detection in found[:2]]
        seen = [result for result in results if result is not None]
        return max(seen, key=lambda result: result.confidence, default=None)

    def settle(self, image: Image, crop: Crop) -> LandmarkResult | None:
        """The landmarks around a place; None where the graph sees no face there."""
        result = self._model.run(image, crop)
        for _ in range(_SETTLING):
            if result.presence < _PRESENT:
                return None
            result = self._model.run(image, crop_around(result.landmarks))
        return result if result.presence >= _PRESENT else None


@dataclass(frozen=True, slots=True)
class View:
    """A side to look from: axes (3, 3) as in `Frame`, the middle (3,) and half the width of what is looked at."""

    axes: NDArray[np.float64]
    centre: NDArray[np.float64]
    reach: float


def views(
    places: Sequence[tuple[NDArray[np.float64], float]],
    up: Sequence[float],
    front: Sequence[float],
    others: Iterable[Sequence[float]] = (),
) -> list[View]:
    """The sides to look from, likeliest first.

    Args:
        places: Where the face may be, from `regions`.
        up: The likeliest direction to be up: all places are looked at from all around it, the first of them at once.
        front: The likeliest direction that the face looks in.
        others: Directions that may be up instead: the first place is looked at from four sides each.
    """
    upright = _around_up(up, front, _STEPS)
    found = [View(axes, *places[0]) for axes in upright]
    for other in others:
        for axes in _around_up(other, front, _STEPS // 2):
            if not any(np.allclose(axes, each.axes, atol=1e-3) for each in found):
                found.append(View(axes, *places[0]))
    return found + [View(axes, *place) for place in places[1:] for axes in upright]


def _around_up(up: Sequence[float], front: Sequence[float], steps: int) -> list[NDArray[np.float64]]:
    """(3, 3) axes of pictures of a figure that stands along `up`, from all around, the front first."""
    above = np.asarray(up, np.float64) / np.linalg.norm(up)
    ahead = np.asarray(front, np.float64)
    ahead = ahead - (ahead @ above) * above
    if np.linalg.norm(ahead) < _PARALLEL:
        ahead = np.eye(3)[np.argmin(np.abs(above))]
        ahead = ahead - (ahead @ above) * above
    ahead = ahead / np.linalg.norm(ahead)
    turns = (np.arange(steps) + 1) // 2 * np.where(np.arange(steps) % 2, 1, -1) * (2.0 * np.pi / steps)
    faced = np.cos(turns)[:, None] * ahead + np.sin(turns)[:, None] * np.cross(above, ahead)
    across = np.asarray(np.cross(above, faced), np.float64)
    return [np.stack([right, -above, -each]) for right, each in zip(across, faced, strict=True)]


def regions(
    points: NDArray[np.float64], moves: NDArray[np.integer[Any]], up: Sequence[float]
) -> list[tuple[NDArray[np.float64], float]]:
    """Where a face may be: centres (3,) with half the width around them, likeliest first.

    Args:
        points: (V, 3) the resting surface.
        moves: (V,) how many shapes move each point: most of a face's shapes move the face.
        up: Direction that is likely up, where a head is looked for last.
    """
    found: list[tuple[NDArray[np.float64], float]] = []
    if moves.max(initial=0) > 0:
        face = points[moves >= _LIVELY * moves.max()]
        found += [_around(face, HEAD_ROOM), _around(face, _FACE_ROOM)]
    found.append(_around(points, _ALL))
    height = points @ (np.asarray(up, np.float64) / np.linalg.norm(up))
    tall = float(np.ptp(height))
    found.append(_around(points[height >= height.max() - _HEAD_SHARE * tall], _ALL))
    return found


def _around(points: NDArray[np.float64], room: float) -> tuple[NDArray[np.float64], float]:
    low, high = np.quantile(points, [0.01, 0.99], axis=0)
    return (low + high) / 2, max(room * float((high - low).max()) / 2, 1e-9)


def find_face(
    surface: Surface,
    sides: Sequence[View],
    looker: Looker,
    progress: Callable[[float], None] = lambda _share: None,
) -> FoundFace:
    """Finds the face that a surface shows best.

    Args:
        surface: The character.
        sides: Where to look from, from `views`.
        looker: The tracker.
        progress: Told how much of the search is done, 0..1; most faces are found early.

    Raises:
        TrackerError: No face is seen anywhere; the message says what to do.
    """
    canvas = _Canvas(surface, normals(surface), islands(surface))
    best: FoundFace | None = None
    for number, side in enumerate(sides):
        progress(number / len(sides))
        found = _look(canvas, Frame(side.axes, side.centre, side.reach, SEARCH_PX), looker)
        if found is not None and (best is None or found.confidence > best.confidence):
            best = found
        if best is not None and best.confidence >= _SURE:
            break
    progress(1.0)
    if best is None or best.confidence < _DOUBTFUL:
        message = f"The tracker sees no face on this character: {LOOK_NEXT}."
        raise TrackerError(message)
    return best


def _look(canvas: _Canvas, frame: Frame, looker: Looker) -> FoundFace | None:
    """Searches a picture for a face, and draws that again from straight ahead and close up until it is seen so."""
    picture = draw(canvas.surface, frame, canvas.normal)
    seen = looker.search(picture.image)
    found = None
    for _ in range(_ROUNDS):
        if seen is None or not (picture.triangle >= 0).any():
            return found
        places = under(seen.landmarks, canvas.surface, picture, canvas.part)
        straight = _straight(frame, places.points(canvas.surface.points))
        if frame.size_px == CLOSE_PX:
            found = FoundFace(places, frame.axes, seen.confidence, picture.image)
            if (straight.axes * frame.axes).sum() > _SAME_VIEW:
                return found
        frame = straight
        picture = draw(canvas.surface, frame, canvas.normal)
        seen = looker.settle(picture.image, Crop(CLOSE_PX / 2, CLOSE_PX / 2, float(CLOSE_PX), 0.0))
    if seen is None:
        return found
    return FoundFace(
        under(seen.landmarks, canvas.surface, picture, canvas.part), frame.axes, seen.confidence, picture.image
    )


def _straight(frame: Frame, points: NDArray[np.float64]) -> Frame:
    """The frame that looks straight at a face: (478, 3) landmarks on the surface."""
    turn = align((points @ frame.axes.T)[None]).rotations[0]
    skin = points[:FIRST_IRIS]
    centre = np.quantile(skin, 0.5, axis=0)
    reach = _ROOM * float(np.sort(np.linalg.norm(skin - centre, axis=1))[int(_OUTERMOST * len(skin))])
    return Frame(turn.T @ frame.axes, centre, max(reach, 1e-9), CLOSE_PX)
