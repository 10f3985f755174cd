"""A sheet of pictures side by side, stamped with the time: video frames beside rendered heads."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

HEIGHT_PX: Final = 320
_GAP: Final = 20
_LINE: Final = 26
_PAPER: Final = (244, 243, 241)
_INK: Final = (52, 46, 42)
_FAINT: Final = (140, 132, 126)
_FONT: Final = cv2.FONT_HERSHEY_DUPLEX


@dataclass(frozen=True, slots=True)
class Cell:
    """One moment.

    Attributes:
        pictures: (h, w, 3) BGR each, of any size, from left to right.
        caption: What is written below.
    """

    pictures: tuple[NDArray[np.uint8], ...]
    caption: str


def contact_sheet(title: str, subtitle: str, moments: Sequence[Cell], columns: int = 2) -> NDArray[np.uint8]:
    """Lay out cells in rows under a title: (h, w, 3) BGR."""
    cells = [_drawn(moment) for moment in moments]
    width = max(cell.shape[1] for cell in cells)
    columns = max(1, min(columns, len(cells)))
    rows = -(-len(cells) // columns)
    step_x, step_y = width + _GAP, cells[0].shape[0] + _GAP
    top = 2 * _GAP + 2 * _LINE
    sheet = np.full((top + rows * step_y, _GAP + columns * step_x, 3), _PAPER, np.uint8)
    _write(sheet, title, (_GAP, _GAP + 18), 0.75, _INK)
    _write(sheet, subtitle, (_GAP, _GAP + 18 + _LINE), 0.5, _FAINT)
    for number, cell in enumerate(cells):
        y, x = top + number // columns * step_y, _GAP + number % columns * step_x
        sheet[y : y + cell.shape[0], x : x + cell.shape[1]] = cell
    return sheet


def _drawn(cell: Cell) -> NDArray[np.uint8]:
    pictures = np.hstack([_to_height(picture) for picture in cell.pictures])
    label = np.full((_LINE, pictures.shape[1], 3), _PAPER, np.uint8)
    _write(label, cell.caption, (1, _LINE - 7), 0.5, _INK)
    return np.vstack([pictures, label])


def _to_height(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    width = max(1, round(picture.shape[1] * HEIGHT_PX / picture.shape[0]))
    shrinks = picture.shape[0] > HEIGHT_PX
    way = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return cv2.resize(picture, (width, HEIGHT_PX), interpolation=way).astype(np.uint8)


def _write(
    picture: NDArray[np.uint8], text: str, at: tuple[int, int], size: float, colour: tuple[int, int, int]
) -> None:
    plain = text.encode("ascii", "replace").decode()
    cv2.putText(picture, plain, at, _FONT, size, colour, 1, cv2.LINE_AA)
