"""Presence and intensity over time as one small picture: a row for each channel, darker where it is stronger."""

import base64
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats
from . import figures
from .lines import WIDTH, places

COLOUR_RGB: Final = (38, 132, 200)
OPACITY: Final = (0, 46, 92, 142, 196, 255)
"""Of not present, then A to E: on white it darkens, on black it brightens, always in steps that can be told apart."""

ROW_PX: Final = 14
_LINE_PX: Final = 2


def picture(time_s: Floats, values: Floats) -> str:
    """The strips of (T, K) curves as a PNG in a `data:` address; each row is `ROW_PX` high, gaps between rows clear."""
    graded = _columns(time_s, figures.levels(values))
    rows = np.zeros((graded.shape[1], ROW_PX, WIDTH, 4), np.uint8)
    rows[..., :3] = COLOUR_RGB[::-1]
    rows[:, : ROW_PX - _LINE_PX, :, 3] = np.array(OPACITY, np.uint8)[graded.T][:, None]
    done, coded = cv2.imencode(".png", rows.reshape(-1, WIDTH, 4), [cv2.IMWRITE_PNG_COMPRESSION, 9])
    assert done
    return f"data:image/png;base64,{base64.b64encode(coded.tobytes()).decode()}"


def _columns(time_s: Floats, graded: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The strongest level of each column of pixels (WIDTH, K); between two frames that of the one before."""
    column = np.minimum(places(time_s).astype(np.int64), WIDTH - 1)
    starts = np.flatnonzero(np.diff(column, prepend=-1))
    strongest = np.maximum.reduceat(graded, starts, axis=0)
    return strongest[np.searchsorted(column[starts], np.arange(WIDTH), side="right") - 1]
