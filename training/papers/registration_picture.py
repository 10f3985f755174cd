"""`python -m training.papers.registration_picture`: `docs/papers-registered.jpg`, turned faces and what comes of them.

Each performer stands once for each turn of the head, from the actor's left to the right: the tracked crop, laid over
the template (2D), turned to the front by the mesh (3D).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from au_mocap import rotations
from au_mocap.crops import Crop, Image, crop_image
from au_mocap.landmark_model import INPUT_PX
from training.papers.data import Cast, Look, load
from training.papers.registration_training import LOOKS
from training.papers.study import PAGES
from training.synth import film

TURNS_DEG: Final = (-40, -27, -13, 0, 13, 27, 40)
_FARTHEST_DEG: Final = 7.0
_SIDE_PX: Final = 160
_WHOLE: Final = Crop(INPUT_PX / 2, INPUT_PX / 2, float(INPUT_PX), 0.0)
_MARGIN_PX: Final = 44
_TOP_PX: Final = 26
_PAPER: Final = (244, 243, 241)
_INK: Final = (52, 46, 42)
_QUALITY: Final = 82


def performers(cast: Cast, count: int) -> list[NDArray[np.int64]]:
    """Rows (7,) of those performers whose turns come nearest to `TURNS_DEG`.

    Raises:
        RuntimeError: Nobody turns the head that far.
    """
    yaw = np.degrees(rotations.to_angles(cast.frames.rotation)[:, 0])
    found: list[tuple[float, NDArray[np.int64]]] = []
    for performer in range(cast.performers):
        rows = cast.rows(np.array([performer]))
        if not len(rows):
            continue
        gaps = np.abs(yaw[rows][:, None] - np.array(TURNS_DEG))
        found.append((float(gaps.min(axis=0).max()), rows[gaps.argmin(axis=0)]))
    found.sort(key=lambda each: each[0])
    if not found or found[0][0] > _FARTHEST_DEG:
        message = f"Nobody in these films shows every turn to within {_FARTHEST_DEG:.0f} degrees: film more shards."
        raise RuntimeError(message)
    return [rows for _, rows in found[:count]]


def grid(cast: Cast, people: Sequence[NDArray[np.int64]]) -> Image:
    """The sheet, BGR: three rows of pictures for each of some performers' (7,) rows of the cast."""
    lines: list[Image] = []
    for rows in people:
        lines.append(_line("crop", [crop_image(cast.tiles[row], _WHOLE, _SIDE_PX) for row in rows.tolist()]))
        for registration in ("2D", "3D"):
            look = Look(LOOKS[registration], _SIDE_PX)
            shown = [cast.picture(row, look) for row in rows.tolist()]
            lines.append(_line(registration, [picture[::-1].transpose(1, 2, 0) for picture in shown]))
    top = np.full((_TOP_PX, lines[0].shape[1], 3), _PAPER, np.uint8)
    for number, turn in enumerate(TURNS_DEG):
        _write(top, f"{turn:+d} deg" if turn else "frontal", (_MARGIN_PX + number * _SIDE_PX + 50, 18))
    return np.vstack([top, *lines])


def _line(label: str, pictures: Sequence[NDArray[np.uint8]]) -> Image:
    margin = np.full((_SIDE_PX, _MARGIN_PX, 3), _PAPER, np.uint8)
    _write(margin, label, (4, _SIDE_PX // 2))
    return np.hstack([margin, *pictures])


def _write(sheet: Image, text: str, at: tuple[int, int]) -> None:
    cv2.putText(sheet, text, at, cv2.FONT_HERSHEY_DUPLEX, 0.45, _INK, 1, cv2.LINE_AA)


def main(page: Path = PAGES / "papers-registered.jpg") -> None:
    """Draws two performers of the test cast, chosen for clear pictures among those who turn evenly."""
    _, paths = film.film_all(film.Call({"test": 4}))
    cast = load(paths["test"])
    cv2.imwrite(str(page), grid(cast, performers(cast, 3)[1:]), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])


if __name__ == "__main__":
    main()
