"""Which part of the face each pixel shows: classes painted from the performers' true landmarks.

The films hold pictures and no classes. The places of the 478 landmarks on the performers' mesh are known exactly, so
that the outlines of brows, eyes, nose, lips and mouth are, and painting them is what rendering the mesh in flat colours
would give but for hands, hair and spectacles before the face: the classes say what is there, hidden or not.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

CLASSES: Final = ("background", "skin", "brows", "eyes", "nose", "upper_lip", "lower_lip", "inner_mouth")

_OVAL: Final = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152),
    *(148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
_NOSE: Final = (168, 193, 245, 188, 174, 217, 198, 129, 98, 97, 2, 326, 327, 358, 420, 437, 399, 412, 465, 417)
_RIGHT_BROW: Final = (70, 63, 105, 66, 107, 55, 65, 52, 53, 46)
_LEFT_BROW: Final = (300, 293, 334, 296, 336, 285, 295, 282, 283, 276)
_RIGHT_EYE: Final = (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7)
_LEFT_EYE: Final = (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249)
_OUTER_UPPER: Final = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291)
_OUTER_LOWER: Final = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291)
_INNER_UPPER: Final = (78, 80, 81, 82, 13, 312, 311, 310, 308)
_INNER_LOWER: Final = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)

# 191 and 415 belong to the inner lip as well, but 191 has no sure place on the mesh: both are left out.
# Later ones are painted over earlier ones.
_SHAPES: Final = (
    ("skin", _OVAL),
    ("nose", _NOSE),
    ("brows", _RIGHT_BROW),
    ("brows", _LEFT_BROW),
    ("eyes", _RIGHT_EYE),
    ("eyes", _LEFT_EYE),
    ("upper_lip", (*_OUTER_UPPER, *reversed(_INNER_UPPER))),
    ("lower_lip", (*_OUTER_LOWER, *reversed(_INNER_LOWER))),
    ("inner_mouth", (*_INNER_UPPER, *reversed(_INNER_LOWER))),
)
_SHIFT: Final = 4
_FINER: Final = 4


def paint(points: NDArray[np.floating], size_px: int) -> NDArray[np.uint8]:
    """(S, S) number of the class in `CLASSES` that most of each pixel shows.

    Args:
        points: (478, 2) places in the picture, 0..1 of its side.
        size_px: S.
    """
    side = size_px * _FINER
    # A polygon's coordinates are those of pixel centres, in sixteenths of a pixel.
    grid = np.rint((np.clip(points, -4.0, 5.0) * side - 0.5) * (1 << _SHIFT)).astype(np.int32)
    fine = np.zeros((side, side), np.uint8)
    for name, outline in _SHAPES:
        cv2.fillPoly(fine, [grid[list(outline)]], (CLASSES.index(name),), lineType=cv2.LINE_8, shift=_SHIFT)
    votes = [
        cv2.resize(np.asarray(fine == number, np.float32), (size_px, size_px), interpolation=cv2.INTER_AREA)
        for number in range(len(CLASSES))
    ]
    return np.argmax(np.stack(votes), axis=0).astype(np.uint8)
