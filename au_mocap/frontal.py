"""3D registration: a face seen from the front, whatever way the head is turned.

The third paper's registered picture (section 3.1): the face's mesh takes its texture from the image, is turned to the
front and rasterised. The mesh is the tracked one, with the expression of the frame; what the camera could not see stays
black.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from .arrays import Floats
from .crops import Image
from .errors import TrackerError
from .framing import FRONTAL_MIDDLE, FRONTAL_SPAN
from .landmarks import COUNT, align, canonical_face

SIZE_PX: Final = 224
"""Side of the paper's registered picture."""

_SURFACE: Final = 468
"""Landmarks of the skin; the others are the irises', which lie on no surface of their own."""

_CAMERA_PX: Final = 192
"""Side of the map that tells which part of the mesh the camera sees first."""

_DEEPEST: Final = 0.05
"""How far behind the nearest surface skin still counts as seen, in widths of the face: neighbours share their edges."""

_SUBPIXEL_BITS: Final = 4
_SPECKS_PX: Final = 5
"""Width of the median filter that takes single triangles out of what is seen and not seen, at `SIZE_PX`."""

_NOWHERE: Final = -1e6
"""A place outside every image."""

_EDGE_ON: Final = 1e-3
"""Area in the image, against that of the face's box, below which a triangle shows nothing of its texture."""


@dataclass(frozen=True, slots=True)
class _Flat:
    """Triangles on a plane, with a depth.

    Attributes:
        corners: (F, 3, 2) float64 pixels of a square picture.
        depth: (F,) float64 mean depth, away from the viewer positive.
    """

    corners: NDArray[np.float64]
    depth: NDArray[np.float64]

    def painted(self, size_px: int, outside: NDArray[np.bool_]) -> NDArray[np.int32]:
        """(size, size) number of the triangle nearest to the viewer, -1 where there is none.

        Triangles of which the camera sees the outside go before all others, which may be folded over them.
        """
        canvas = np.full((size_px, size_px), -1, np.int32)
        fixed = np.round(self.corners * 2**_SUBPIXEL_BITS).astype(np.int32)
        for triangle in np.lexsort((-self.depth, outside)):  # painter's algorithm: the farthest first
            cv2.fillConvexPoly(canvas, fixed[triangle], (int(triangle),), cv2.LINE_8, _SUBPIXEL_BITS)
        return canvas


def frontalise(image: Image, landmarks_px: Floats, size_px: int = SIZE_PX) -> Image:
    """Turns a face to the front.

    Args:
        image: (H, W, 3) uint8.
        landmarks_px: (478, 3) tracked landmarks, image pixels, depth in the same unit, away from the camera positive.
        size_px: Height and width of the result.

    Returns:
        (size_px, size_px, 3) uint8: the face without its head's turn, place and size, the distance between the eyes
        always the same; black beside it, outside the image, and where the camera did not see the skin.

    Raises:
        TrackerError: There is no face in the landmarks.
    """
    points = np.asarray(landmarks_px, np.float64)
    if points.shape != (COUNT, 3) or not np.isfinite(points).all():
        message = f"A face is turned to the front by {COUNT} landmarks, all of them numbers; track the frame first."
        raise TrackerError(message)
    surface = points[:_SURFACE]
    front = _front(points, size_px)
    here = surface[triangles()]
    outside = _faces_camera(here[..., :2])
    canvas = front.painted(size_px, outside)
    rows, columns = np.nonzero(canvas >= 0)
    chosen = canvas[rows, columns]
    source = _Texture(front, here)(chosen, columns, rows)
    visible = np.zeros((size_px, size_px), np.uint8)
    visible[rows, columns] = outside[chosen] & _is_nearest(source, surface, _camera_view(here, surface), outside)
    kept = cv2.medianBlur(visible, 2 * round(_SPECKS_PX * size_px / SIZE_PX / 2) + 1)[rows, columns] > 0
    places = np.full((size_px, size_px, 2), _NOWHERE, np.float32)
    places[rows[kept], columns[kept]] = source[kept, :2]
    across, down = places[..., 0], places[..., 1]
    return np.asarray(cv2.remap(image, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT), np.uint8)


@cache
def triangles() -> NDArray[np.int64]:
    """(F, 3) landmarks of the triangles between them: those of Delaunay on the canonical face as seen from the front.

    Lids and lips are joined by triangles, too, so that eyeballs and the inside of the mouth are part of the picture.
    """
    flat = canonical_face().points[:_SURFACE, :2]
    low, high = flat.min(axis=0), flat.max(axis=0)
    scaled = ((flat - low) / (high - low).max() * 1000.0 + 10.0).astype(np.float32)
    plane = cv2.Subdiv2D((0, 0, 1020, 1020))
    number = {plane.insert((float(x), float(y))): index for index, (x, y) in enumerate(scaled)}
    kept: list[list[int]] = []
    for row in np.asarray(plane.getTriangleList(), np.float64).reshape(-1, 3, 2):
        corners = [number.get(plane.findNearest((float(x), float(y)))[0], -1) for x, y in row]
        if min(corners) >= 0 and all(abs(scaled[i] - row[k]).max() < 0.5 for k, i in enumerate(corners)):
            kept.append(corners)
    table = np.array(kept, np.int64)
    turned = _area(flat[table]) < 0.0
    table[turned] = table[turned][:, [0, 2, 1]]
    return table


def _front(points: NDArray[np.float64], size_px: int) -> _Flat:
    """The mesh as seen from the front: head axes, unit the distance between the eyes."""
    turned = align(points[None]).points[0, :_SURFACE].astype(np.float64)
    scale = size_px / FRONTAL_SPAN
    flat = (turned[:, :2] - FRONTAL_MIDDLE) * scale + 0.5 * size_px
    return _Flat(flat[triangles()], turned[triangles(), 2].mean(axis=1))


def _camera_view(here: NDArray[np.float64], surface: NDArray[np.float64]) -> _Flat:
    """The mesh as the camera sees it, in a picture of `_CAMERA_PX`."""
    low, side = _box(surface)
    return _Flat((here[..., :2] - low) * ((_CAMERA_PX - 1) / side), here[..., 2].mean(axis=1))


def _is_nearest(
    source: NDArray[np.float32], surface: NDArray[np.float64], view: _Flat, outside: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """(P,) whether nothing of the mesh lies between the camera and points (P, 3) on it."""
    low, side = _box(surface)
    first = view.painted(_CAMERA_PX, outside)
    cells = np.clip(np.round((source[:, :2] - low) * ((_CAMERA_PX - 1) / side)), 0, _CAMERA_PX - 1).astype(np.int64)
    nearest = first[cells[:, 1], cells[:, 0]]
    depth = np.where(nearest >= 0, view.depth[nearest], np.inf)
    return source[:, 2] <= depth + _DEEPEST * side


def _box(surface: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Upper left corner and side of the square around a face in the image."""
    low, high = surface[:, :2].min(axis=0), surface[:, :2].max(axis=0)
    return low, max(float((high - low).max()), 1e-9)


def _faces_camera(corners: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(F,) whether triangles (F, 3, 2) in the image show their outer side, and enough of it."""
    low, high = corners.min(axis=(0, 1)), corners.max(axis=(0, 1))
    return _area(corners) > _EDGE_ON / len(corners) * float((high[0] - low[0]) * (high[1] - low[1]))


def _area(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """(F,) area of triangles (F, 3, 2), positive where they turn from x to y."""
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return 0.5 * (first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0])


class _Texture:
    """Where in the image each pixel of the frontal picture takes its colour: one rule for each triangle."""

    def __init__(self, front: _Flat, here: NDArray[np.float64]) -> None:
        """Works the rules out from triangles on the picture and the same (F, 3, 3) in the image."""
        origin = front.corners[:, 0]
        first, second = front.corners[:, 1] - origin, front.corners[:, 2] - origin
        whole = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
        whole = np.where(np.abs(whole) < 1e-9, 1e-9, whole)[:, None]
        shares = np.hstack([second[:, 1:] / whole, -second[:, :1] / whole, -first[:, 1:] / whole, first[:, :1] / whole])
        sides = (here[:, 1:] - here[:, :1]).reshape(-1, 6)
        self._rules = np.hstack([origin, shares, here[:, 0], sides]).astype(np.float32)

    def __call__(
        self, chosen: NDArray[np.int32], columns: NDArray[np.int64], rows: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """(P, 3) places in the image of pixels, each on its triangle `chosen` (P,) or at its edge."""
        rules = self._rules[chosen].T
        x, y = columns - rules[0], rows - rules[1]
        # A pixel's centre may lie just beside the triangle that covers it.
        second = np.clip(rules[2] * x + rules[3] * y, 0.0, 1.0)
        third = np.clip(rules[4] * x + rules[5] * y, 0.0, 1.0 - second)
        return np.stack([rules[6 + k] + second * rules[9 + k] + third * rules[12 + k] for k in range(3)], axis=1)
