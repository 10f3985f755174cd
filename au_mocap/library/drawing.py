"""Pictures of what was measured, for takes whose video is not there."""

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

_GROUND: Final = (43, 39, 36)
_LINE: Final = (196, 168, 120)
_BAR: Final = (96, 160, 232)
_FACE: Final = 0.86
"""Share of the picture that the face fills."""

_LONGEST: Final = 0.2
"""Lines longer than this share of the face lie outside of it."""


def mesh(points: NDArray[np.float64], side_px: int) -> NDArray[np.uint8]:
    """A face as a net of lines between its landmarks.

    Args:
        points: (N, 2) in any unit, x right, y down.
        side_px: Height and width of the picture.

    Returns:
        (side, side, 3) uint8 BGR.
    """
    image = _ground(side_px)
    if not np.isfinite(points).all() or len(points) < 3:
        return image
    low, high = points.min(axis=0), points.max(axis=0)
    extent = float((high - low).max())
    if not extent > 0.0:
        return image
    placed = (points - 0.5 * (low + high)) * (_FACE * side_px / extent) + 0.5 * side_px
    net: Any = cv2.Subdiv2D((0, 0, side_px, side_px))
    for x, y in np.clip(placed, 0.0, side_px - 1.001):
        net.insert((float(x), float(y)))
    for x_1, y_1, x_2, y_2 in net.getEdgeList():
        if max(x_1, y_1, x_2, y_2) < side_px and np.hypot(x_2 - x_1, y_2 - y_1) < _LONGEST * _FACE * side_px:
            cv2.line(image, (int(x_1), int(y_1)), (int(x_2), int(y_2)), _LINE, 1, cv2.LINE_AA)
    return image


def bars(values: NDArray[Any], side_px: int) -> NDArray[np.uint8]:
    """One frame's values as bars side by side.

    Args:
        values: (C,) 0..1; NaN is none.
        side_px: Height and width of the picture.

    Returns:
        (side, side, 3) uint8 BGR.
    """
    image = _ground(side_px)
    margin, base = side_px // 12, side_px - side_px // 12
    step = (side_px - 2 * margin) / max(1, len(values))
    for number, value in enumerate(np.clip(np.nan_to_num(values.astype(np.float64)), 0.0, 1.0)):
        left = round(margin + number * step)
        right = max(left, round(margin + (number + 1) * step) - 2)
        cv2.rectangle(image, (left, base - round(value * (base - margin))), (right, base), _BAR, -1)
    return image


def _ground(side_px: int) -> NDArray[np.uint8]:
    return np.full((side_px, side_px, 3), _GROUND, np.uint8)
