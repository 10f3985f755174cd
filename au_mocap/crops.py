"""Square, turned cut-outs of an image, and the coordinates inside them.

Image coordinates are pixels: x right, y down, the first pixel's sample at (0, 0). Crop coordinates have their origin at
the crop's centre, its side as unit, and axes turned with the crop (x right, y down within it), so a crop spans
-0.5..0.5. A third coordinate, where there is one, is depth: away from the camera positive, in pixels or in sides.

An array of crops is (T, 4): centre x, centre y and side in pixels, roll in radians, as a take stores them.
"""

import math
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from .arrays import Floats
from .errors import TrackerError

Image = NDArray[np.uint8]

_INTERPOLATION_PX: Final = 2.0


@dataclass(frozen=True, slots=True)
class Crop:
    """A square region of an image.

    Attributes:
        center_x_px: Centre, image pixels.
        center_y_px: Centre, image pixels.
        side_px: Length of a side, image pixels, above 0.
        roll_rad: Turn of the crop's x axis from the image's, clockwise on screen positive.
    """

    center_x_px: float
    center_y_px: float
    side_px: float
    roll_rad: float

    def as_array(self) -> NDArray[np.float32]:
        """The crop as a row (4,) of an array of crops."""
        return np.array([self.center_x_px, self.center_y_px, self.side_px, self.roll_rad], np.float32)


def readable(image: NDArray[Any]) -> Image:
    """An image as the graphs take it: (H, W, 3) uint8 BGR; grey and alpha are converted.

    Raises:
        TrackerError: The array is not an 8-bit image.
    """
    channels = image.shape[2] if image.ndim == 3 else 1
    if image.ndim not in (2, 3) or image.dtype != np.uint8 or channels not in (1, 3, 4) or image.size == 0:
        message = (
            f"Cannot track an array of shape {image.shape} and type {image.dtype}. "
            "Give an 8-bit image: (height, width, 3) BGR, or grey."
        )
        raise TrackerError(message)
    if channels == 3:
        return image
    return cv2.cvtColor(image, cv2.COLOR_GRAY2BGR if channels == 1 else cv2.COLOR_BGRA2BGR).astype(np.uint8, copy=False)


def crop_image(image: Image, crop: Crop, size_px: int, replicate: bool = False) -> Image:
    """Cuts a crop out of an image, upright and at a fixed size.

    Pixel k of the result samples the image at k / size_px of the crop's width, without half a pixel's shift: what the
    landmark graph was fed with in its own home. Outside the image the result is black.

    Args:
        image: (H, W, 3) uint8.
        crop: What to cut out.
        size_px: Height and width of the result.
        replicate: Continue the image's outermost pixels instead of black.

    Returns:
        (size_px, size_px, 3) uint8.

    Raises:
        TrackerError: The crop has no size or place.
    """
    if not (crop.side_px > 0 and math.isfinite(crop.center_x_px + crop.center_y_px + crop.side_px + crop.roll_rad)):
        message = f"There is nothing to see in {crop}: its side must be above 0 and its place a number."
        raise TrackerError(message)
    left, top, part = _neighbourhood(image, crop)
    step = crop.side_px / size_px
    across, down = step * math.cos(crop.roll_rad), step * math.sin(crop.roll_rad)
    half = size_px / 2
    matrix = np.array(
        [
            [across, -down, crop.center_x_px - left - half * (across - down)],
            [down, across, crop.center_y_px - top - half * (across + down)],
        ]
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    border = cv2.BORDER_REPLICATE if replicate else cv2.BORDER_CONSTANT
    return cv2.warpAffine(part, matrix, (size_px, size_px), flags=flags, borderMode=border)  # type: ignore[return-value]


def _neighbourhood(image: Image, crop: Crop) -> tuple[int, int, Image]:
    """Left, top and a contiguous copy of all pixels that a crop can touch, at least one.

    Read from end to end they come into the processor's cache at full speed; warping the whole image, whose pixels it
    would fetch along turned lines, takes half as long again.
    """
    height, width = image.shape[:2]
    reach = (abs(math.cos(crop.roll_rad)) + abs(math.sin(crop.roll_rad))) * crop.side_px / 2 + _INTERPOLATION_PX
    left, right = _span(crop.center_x_px, reach, width)
    top, bottom = _span(crop.center_y_px, reach, height)
    return left, top, np.ascontiguousarray(image[top:bottom, left:right])


def _span(center: float, reach: float, length: int) -> tuple[int, int]:
    """Pixels of 0..length within reach of a place, at least the one nearest to it."""
    low = min(max(math.floor(center - reach), 0), length - 1)
    return low, max(min(math.ceil(center + reach) + 1, length), low + 1)


def planes(tile: Image) -> NDArray[np.float32]:
    """A BGR tile (H, W, 3) uint8 as the graph reads it: (3, H, W) float32, RGB, 0..1."""
    result = np.empty((3, *tile.shape[:2]), np.float32)
    for channel, plane in enumerate(reversed(cv2.split(tile))):
        np.multiply(plane, np.float32(1 / 255), out=result[channel])
    return result


def similarity(image: Image, crop: Crop, size_px: int) -> NDArray[np.float32]:
    """The crop in colour, (3, size, size) float32, RGB, 0..1."""
    return planes(crop_image(image, crop, size_px, replicate=True))


def grey(image: Image, crop: Crop, size_px: int) -> NDArray[np.float32]:
    """The crop's luma, (1, size, size) float32, 0..1."""
    tile = cv2.cvtColor(crop_image(image, crop, size_px, replicate=True), cv2.COLOR_BGR2GRAY)
    return np.asarray(tile, np.float32)[None] * np.float32(1 / 255)


def to_image(points: Floats, crop: Crop | Floats) -> NDArray[np.float32]:
    """Crop coordinates to image pixels.

    Args:
        points: (..., 2) or (..., 3); with an array of crops (T, N, 2) or (T, N, 3).
        crop: One crop, or an array (T, 4), one for every frame of points.

    Returns:
        Pixels in the shape of the points; depth is scaled by the side.
    """
    center, side, cosine, sine = _frame(crop)
    points = np.asarray(points, np.float32)
    x, y = points[..., 0], points[..., 1]
    result = np.empty(points.shape, np.float32)
    result[..., 0] = (cosine * x - sine * y) * side + center[0]
    result[..., 1] = (sine * x + cosine * y) * side + center[1]
    result[..., 2:] = points[..., 2:] * np.asarray(side)[..., None]
    return result


def to_crop(points_px: Floats, crop: Crop | Floats) -> NDArray[np.float32]:
    """Image pixels to crop coordinates: the inverse of `to_image`, with the same shapes."""
    center, side, cosine, sine = _frame(crop)
    points = np.asarray(points_px, np.float32)
    x, y = (points[..., 0] - center[0]) / side, (points[..., 1] - center[1]) / side
    result = np.empty(points.shape, np.float32)
    result[..., 0] = cosine * x + sine * y
    result[..., 1] = cosine * y - sine * x
    result[..., 2:] = points[..., 2:] / np.asarray(side)[..., None]
    return result


def _frame(crop: Crop | Floats) -> tuple[tuple[Any, Any], Any, Any, Any]:
    """Centre, side and the roll's cosine and sine, ready to be combined with (N,) or (T, N) coordinates."""
    if isinstance(crop, Crop):
        center = (np.float32(crop.center_x_px), np.float32(crop.center_y_px))
        roll = crop.roll_rad
        return center, np.float32(crop.side_px), np.float32(math.cos(roll)), np.float32(math.sin(roll))
    table = np.asarray(crop, np.float32)[..., None, :]
    return (table[..., 0], table[..., 1]), table[..., 2], np.cos(table[..., 3]), np.sin(table[..., 3])
