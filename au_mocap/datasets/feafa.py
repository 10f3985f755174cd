"""FEAFA and FEAFA+.

    FOLDER/**/PV057.output/00000994.jpg    a recorded frame (.jpg or .png); 00000994_crop.jpg beside it is not used
    FOLDER/**/PV057.output/00000994.auw    its label: one line of 24 numbers 0..1 in FEAFA's order

A frame without .auw was not labelled. A folder may hold labels alone, such as those of FEAFA+'s part B, the relabelled
DISFA (`SN001.output/`): then put DISFA's videos anywhere in FOLDER, and the one whose name holds the subject is taken,
the left camera's first.

Subjects are told apart by the folder's name. FEAFA has 127 sequences of 122 people and does not say which share one.
"""

import os
import re
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from . import targets
from .clips import Clip, DatasetError, at_images, is_video, made_labels, numbered_images, video_of
from .numbers import read_rows, scaled

_LABEL: Final = ".auw"
_RATE_HZ: Final = 30.0
_SUBJECT: Final = re.compile(r"[A-Za-z]*\d+")


def load(folder: Path) -> list[Clip]:
    """Reads all clips of a folder.

    Raises:
        DatasetError: It holds no labels, or a clip neither images nor a video.
    """
    labelled: list[Path] = []
    videos: list[Path] = []
    for parent, _, names in sorted(os.walk(folder)):
        if any(name.lower().endswith(_LABEL) for name in names):
            labelled.append(Path(parent))
        videos += [Path(parent, name) for name in sorted(names) if is_video(Path(name))]
    if not labelled:
        message = f"{folder} holds no label files ({_LABEL}): name the folder that FEAFA was unpacked into."
        raise DatasetError(message)
    return [_clip(clip_folder, folder, videos) for clip_folder in labelled]


def _clip(folder: Path, root: Path, videos: list[Path]) -> Clip:
    name = "_".join(folder.relative_to(root).parts) or folder.resolve().name
    match = _SUBJECT.match(folder.name)
    subject = match[0] if match else folder.name
    rows = {int(file.stem): _row(file) for file in sorted(folder.iterdir()) if _is_label(file)}
    images = numbered_images(folder)
    source: Path | tuple[Path, ...] | None
    if images:
        rows, source = at_images(rows, images, name)
    else:
        source = video_of(subject, videos)
        if source is None:
            message = f"{folder} has labels but no images: unpack them there, or put a video named {subject} beside it."
            raise DatasetError(message)
        first = min(0 if 0 in rows else 1, min(rows))  # frames of a video are counted from 1, unless there is a 0
        rows = {number - first: row for number, row in rows.items()}
    return Clip(name, subject, source, made_labels(targets.FEAFA, rows, folder), _RATE_HZ)


def _is_label(file: Path) -> bool:
    if file.suffix.lower() != _LABEL:
        return False
    if not file.stem.isdecimal():
        message = f"{file} should be named by its frame's number, such as 00000994{_LABEL}: rename or remove it."
        raise DatasetError(message)
    return True


def _row(file: Path) -> NDArray[np.float32]:
    rows = read_rows(file, len(targets.FEAFA))
    if len(rows) > 1:
        message = f"{file} holds {len(rows)} lines instead of one. Unpack this file again."
        raise DatasetError(message)
    return np.array([scaled(value, 1.0, file) for value in rows[0]], np.float32)
