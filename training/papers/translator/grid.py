"""The translator's work on one sheet: a person a row, an action a column."""

from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from au_mocap.channels import PREDICTED_IDS
from training.papers.translator.album import Album
from training.papers.translator.settings import TranslatorError
from training.papers.translator.translator import Translator

ACTIONS: Final[dict[str, tuple[str, ...]]] = {
    "eyes closed": ("eye_close_L", "eye_close_R"),
    "brows raised": ("brow_raise_L", "brow_raise_R", "inner_brow_raise_L", "inner_brow_raise_R"),
    "brows lowered": ("brow_lower_L", "brow_lower_R"),
    "nose wrinkled": ("nose_wrinkle_L", "nose_wrinkle_R"),
    "jaw dropped": ("jaw_drop",),
    "lip corners up": ("lip_corner_pull_L", "lip_corner_pull_R"),
    "left corner up": ("lip_corner_pull_L",),
    "lips puckered": ("lip_pucker",),
    "cheeks puffed": ("cheek_puff_L", "cheek_puff_R"),
}
"""Columns: what is raised to 1 on a neutral face, everything else at 0."""

_SHOWN_PX: Final = 112
_GAP: Final = 4
_LINE: Final = 22
_PAPER: Final = (244, 243, 241)
_INK: Final = (52, 46, 42)
_QUALITIES: Final = (90, 80, 70, 60, 45, 30)


def sheet(translator: Translator, album: Album, people: int) -> NDArray[np.uint8]:
    """(H, W, 3) BGR: neutral source, each action, then a render of the person and a translation to its values.

    Args:
        translator: Who translates.
        album: People; those without a neutral picture are passed over.
        people: How many rows.

    Raises:
        TranslatorError: Nobody has a neutral picture.
    """
    neutral = np.flatnonzero(album.neutral)
    _, first = np.unique(album.person[neutral], return_index=True)
    if not len(first):
        message = "A sheet of translations begins with neutral faces: there is none in the cast."
        raise TranslatorError(message)
    chosen = neutral[first][np.linspace(0, len(first) - 1, min(people, len(first))).astype(int)]
    rows = [_row(translator, album, int(source)) for source in chosen]
    titles = ("source", *ACTIONS, "a render", "to its values")
    return np.vstack([_header(titles), *rows])


def write(path: Path, picture: NDArray[np.uint8], most_bytes: int = 300_000) -> None:
    """Writes a JPEG as good as its size allows."""
    encoded = (cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1] for quality in _QUALITIES)
    raw = b""
    for table in encoded:
        raw = table.tobytes()
        if len(raw) <= most_bytes:
            break
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw)


def _row(translator: Translator, album: Album, source: int) -> NDArray[np.uint8]:
    own = np.flatnonzero(album.person == album.person[source])
    busiest = int(own[np.argmax(album.values[own].sum(axis=1))])
    wanted = np.zeros((len(ACTIONS) + 1, len(PREDICTED_IDS)), np.float32)
    for row, raised in enumerate(ACTIONS.values()):
        wanted[row, [PREDICTED_IDS.index(channel_id) for channel_id in raised]] = 1.0
    wanted[-1] = album.values[busiest]
    made = translator.translate(np.repeat(album.pictures[[source]], len(wanted), axis=0), wanted)
    shown = [album.pictures[source], *made[:-1], album.pictures[busiest], made[-1]]
    return np.hstack([_cell(picture) for picture in shown])


def _cell(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture (3, S, S) RGB, with paper around it."""
    drawn = cv2.cvtColor(np.ascontiguousarray(picture.transpose(1, 2, 0)), cv2.COLOR_RGB2BGR)
    large = cv2.resize(drawn, (_SHOWN_PX, _SHOWN_PX), interpolation=cv2.INTER_CUBIC)
    cell = np.full((_SHOWN_PX + _GAP, _SHOWN_PX + _GAP, 3), _PAPER, np.uint8)
    cell[:_SHOWN_PX, :_SHOWN_PX] = large
    return cell


def _header(titles: tuple[str, ...]) -> NDArray[np.uint8]:
    line = np.full((_LINE, len(titles) * (_SHOWN_PX + _GAP), 3), _PAPER, np.uint8)
    for number, title in enumerate(titles):
        place = (number * (_SHOWN_PX + _GAP) + 2, _LINE - 7)
        cv2.putText(line, title, place, cv2.FONT_HERSHEY_DUPLEX, 0.42, _INK, 1, cv2.LINE_AA)
    return line
