"""What the overlay shows of a live frame, as plain numbers. Imported at first use: it needs numpy and OpenCV."""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from ..au_mocap import channels
from . import choices

if TYPE_CHECKING:
    from ..au_mocap.live.session import LiveFrame


@dataclass(frozen=True, slots=True)
class Bar:
    """A line of the chart.

    Attributes:
        label: The channel without its side.
        right: Column of the character's right in a frame's values; the same as `left` where it has no sides.
        left: Column of the character's left.
    """

    label: str
    right: int
    left: int


@cache
def bars() -> tuple[Bar, ...]:
    """Every channel that is measured, the two sides of one action in one line."""
    found: list[Bar] = []
    for channel_id in channels.PREDICTED_IDS:
        stem, _, side = channel_id.rpartition("_")
        if side == "R":
            continue
        right = channels.INDEX[f"{stem}_R" if side == "L" else channel_id]
        label = choices.channel_label(channel_id)
        found.append(Bar(label.rpartition(", ")[0] if side == "L" else label, right, channels.INDEX[channel_id]))
    return tuple(found)


def picture(frame: "LiveFrame", width_px: int, *, mirror: bool) -> NDArray[np.float32]:
    """The camera's picture (h, w, 4), 0..1, red first, its bottom row first, as wide as asked for."""
    height, width = frame.image.shape[:2]
    size = (width_px, max(1, round(height * width_px / width)))
    small = cv2.resize(frame.image, size, interpolation=cv2.INTER_AREA)
    small = cv2.cvtColor(small[::-1, ::-1] if mirror else small[::-1], cv2.COLOR_BGR2RGBA)
    return np.ascontiguousarray(small, np.float32) / np.float32(255.0)


def marks(frame: "LiveFrame", *, mirror: bool) -> NDArray[np.float32]:
    """Landmarks (478, 2) in parts of the picture's width and height from its bottom left; (0, 2) without a face."""
    if frame.landmarks is None:
        return np.zeros((0, 2), np.float32)
    return _in_picture(frame, frame.landmarks[:, :2], mirror)


def box(frame: "LiveFrame", *, mirror: bool) -> NDArray[np.float32]:
    """The face's region: its corners (4, 2) in turn, in parts of the picture; (0, 2) without a face."""
    if frame.crop is None:
        return np.zeros((0, 2), np.float32)
    center = np.array([frame.crop.center_x_px, frame.crop.center_y_px])
    cosine, sine = np.cos(frame.crop.roll_rad), np.sin(frame.crop.roll_rad)
    corners = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]]) * frame.crop.side_px / 2.0
    turned = corners @ np.array([[cosine, sine], [-sine, cosine]])
    return _in_picture(frame, center + turned, mirror)


def squares(points: NDArray[np.float32], size: float) -> NDArray[np.float32]:
    """Corners (6 N, 2) of the triangles of N squares around points (N, 2)."""
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, -1], [1, 1], [-1, 1]], np.float32) * np.float32(size / 2.0)
    return np.ascontiguousarray((points[:, None] + corners).reshape(-1, 2), np.float32)


def _in_picture(frame: "LiveFrame", points: NDArray[Any], mirror: bool) -> NDArray[np.float32]:
    height, width = frame.image.shape[:2]
    share = points / np.array([width, height])
    share = np.stack([1.0 - share[:, 0] if mirror else share[:, 0], 1.0 - share[:, 1]], axis=1)
    return cast(NDArray[np.float32], share.astype(np.float32))
