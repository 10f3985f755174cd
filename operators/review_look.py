"""What is drawn over the video and along the timeline, as plain numbers. Imported at first use: it needs numpy.

Places in the picture are parts of its width and height from its bottom left, whatever size it is shown at.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from ..au_mocap import crops, pose, rotations
from ..au_mocap.smoothing import segments
from .review_finding import Review

if TYPE_CHECKING:
    from ..au_mocap.take import Take

_AXIS_M: Final = 0.07
"""About as long as a nose casts its shadow: seen, and inside most pictures."""

_AXES: Final = np.array([[1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, -1.0]]) * _AXIS_M
"""To the actor's left, up and ahead, in head axes (x left, y down, z into the head)."""

_LOOPS: Final = (
    (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150,
     136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
    (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185),
    (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191),
    (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246),
    (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466),
    (46, 53, 52, 65, 55, 107, 66, 105, 63, 70),
    (276, 283, 282, 295, 285, 336, 296, 334, 293, 300),
    (469, 470, 471, 472),
    (474, 475, 476, 477),
)  # fmt: skip
"""Face, lips outside and inside, lids, brows and irises: landmarks around each."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The take in the columns of an editor, W of them.

    Attributes:
        inside: (W,) bool, whether the take covers the column.
        lost: (W,) bool, whether a frame in it has no face.
        confidence: (W,) the least confidence in it, 0 where the take does not cover it.
    """

    inside: NDArray[np.bool_]
    lost: NDArray[np.bool_]
    confidence: NDArray[np.float32]


def columns(review: Review, left: float, right: float, width: int) -> Columns:
    """Squeezes a take into columns; what is worst in one counts, so that no short fault gets lost.

    Args:
        review: The take on the timeline.
        left: Scene frame at the left edge of the first column.
        right: Scene frame at the right edge of the last column, after the first.
        width: Number of columns, 1 or more.
    """
    frames, take = review.frames, review.take
    step = float(np.median(np.diff(frames))) if len(frames) > 1 else 1.0
    edges = np.concatenate([[frames[0] - step / 2], (frames[1:] + frames[:-1]) / 2, [frames[-1] + step / 2]])
    bounds = np.linspace(left, right, width + 1)
    inside = (bounds[1:] > edges[0]) & (bounds[:-1] < edges[-1])
    first = np.clip(np.searchsorted(edges, bounds[:-1], "right") - 1, 0, len(frames) - 1)
    last = np.clip(np.searchsorted(edges, bounds[1:], "left") - 1, first, len(frames) - 1)
    spans = np.column_stack([first, last + 1]).ravel()
    confidence = np.append(np.where(take.found, take.confidence, 0.0), np.inf)  # an end may lie behind the last frame
    lost = np.append(~take.found, False)
    return Columns(
        inside=inside,
        lost=inside & np.logical_or.reduceat(lost, spans)[::2],
        confidence=np.where(inside, np.minimum.reduceat(confidence, spans)[::2], 0.0).astype(np.float32),
    )


runs = segments
"""For those who draw."""


def hatching(left: float, right: float, height: float, step: float) -> NDArray[np.float32]:
    """(N, 2) ends, two by two, of slanting lines inside a box that begins at height 0."""
    starts = np.arange(np.floor((left - height) / step), np.ceil(right / step) + 1) * step
    low, high = np.maximum(left - starts, 0.0), np.minimum(right - starts, height)
    crossing = high > low
    starts, low, high = starts[crossing], low[crossing], high[crossing]
    ends = np.stack([np.column_stack([starts + low, low]), np.column_stack([starts + high, high])], axis=1)
    return np.ascontiguousarray(ends.reshape(-1, 2), np.float32)


def points(take: "Take", index: int) -> NDArray[np.float32]:
    """(478, 2) landmarks of a frame; (0, 2) where it has none."""
    if take.is_imported or not take.found[index]:
        return np.zeros((0, 2), np.float32)
    return _share(take, crops.to_image(take.landmarks[index : index + 1, :, :2], take.crop[index : index + 1])[0])


def contours(take: "Take", index: int) -> NDArray[np.float32]:
    """(N, 2) ends, two by two, of the lines around face, lips, lids, brows and irises; (0, 2) without a face."""
    marks = points(take, index)
    if not len(marks):
        return marks
    pairs = [(loop[number - 1], loop[number]) for loop in _LOOPS for number in range(len(loop))]
    return np.ascontiguousarray(marks[np.array(pairs).ravel()])


def crop(take: "Take", index: int) -> NDArray[np.float32]:
    """(4, 2) corners of the face's crop in turn; (0, 2) without a face."""
    if not np.isfinite(take.crop[index]).all() or not take.found[index]:
        return np.zeros((0, 2), np.float32)
    corners = np.array([[[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]]], np.float32)
    return _share(take, crops.to_image(corners, take.crop[index : index + 1])[0])


def axes(take: "Take", index: int) -> NDArray[np.float32]:
    """(4, 2) the point between the eyes, then the ends of the head's axes: left, up, ahead; (0, 2) without a pose."""
    rotation, position = take.head_rotation[index], take.head_position[index].astype(np.float64)
    size, camera = frame_size(take), _camera(take)
    if size is None or camera is None or not np.isfinite(rotation).all() or not np.isfinite(position).all():
        return np.zeros((0, 2), np.float32)
    matrix = rotations.to_matrices(np.asarray(rotation, np.float64)[None])[0]
    places = np.concatenate([position[None], position + _AXES @ matrix.T])
    if not (places[:, 2] > 1e-3).all():
        return np.zeros((0, 2), np.float32)
    return _share(take, places[:, :2] / places[:, 2:] * camera.focal_px + np.array(size) / 2.0)


def frame_size(take: "Take") -> tuple[int, int] | None:
    """Width and height of the clip's pictures, where the take says them."""
    size: Any = take.meta.get("frame_size")
    known = (
        isinstance(size, list | tuple) and len(size) == 2 and all(isinstance(each, int) and each > 0 for each in size)
    )
    return (size[0], size[1]) if known else None


def _camera(take: "Take") -> pose.Camera | None:
    size, fov_deg = frame_size(take), take.meta.get("settings", {}).get("fov_deg", pose.DEFAULT_FOV_DEG)
    plausible = isinstance(fov_deg, int | float) and pose.MIN_FOV_DEG <= fov_deg <= pose.MAX_FOV_DEG
    return pose.Camera(size, float(fov_deg)) if size is not None and plausible else None


def _share(take: "Take", points_px: NDArray[Any]) -> NDArray[np.float32]:
    size = frame_size(take)
    if size is None:
        return np.zeros((0, 2), np.float32)
    share = (points_px + 0.5) / np.array(size)  # the first pixel's sample lies in its middle
    return np.stack([share[:, 0], 1.0 - share[:, 1]], axis=1).astype(np.float32)
