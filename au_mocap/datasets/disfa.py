"""DISFA and DISFA+ (12 AUs, intensities 0..5).

DISFA:

    FOLDER/ActionUnit_Labels/SN001/SN001_au12.txt          lines `frame,intensity`, frames from 1
    FOLDER/Video_LeftCamera/LeftVideoSN001_comp.avi        (also Videos_LeftCamera, and the right camera's)

DISFA+:

    FOLDER/Labels/SN001/A1_AU1_TrailNo_1/AU12.txt          lines `012.jpg 3`
    FOLDER/Images/SN001/A1_AU1_TrailNo_1/012.jpg
"""

import re
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from . import targets
from .clips import Clip, DatasetError, at_images, is_video, leave_out, made_labels, numbered_images, video_of
from .coding import rows_of
from .numbers import read_rows, scaled

_HIGHEST: Final = 5.0
_PLUS_RATE_HZ: Final = 20.0
_LABEL_FOLDER: Final = "ActionUnit_Labels"


def load(folder: Path) -> list[Clip]:
    """Reads all clips of DISFA, one a subject: the left camera's video where it is there, else the right one's.

    Subjects without either are left out with a warning.

    Raises:
        DatasetError: Labels or videos are missing or damaged.
    """
    subjects = _folders(folder / _LABEL_FOLDER, "DISFA")
    label_files = {subject: _by_number(subject, rf"{re.escape(subject.name)}_au(\d+)\.txt") for subject in subjects}
    numbers = sorted(set[int]().union(*label_files.values()))
    videos = [file for file in sorted(folder.glob("*/*")) if is_video(file)]
    clips: list[Clip] = []
    without: list[str] = []
    for subject, files in label_files.items():
        lacking = [f"{subject.name}_au{number}.txt" for number in numbers if number not in files]
        if lacking:
            message = f"{subject} lacks {', '.join(lacking)}: unpack all labels of this subject."
            raise DatasetError(message)
        video = video_of(subject.name, videos)
        if video is None:
            without.append(subject.name)
            continue
        found, rows = _read(files)
        labels = made_labels(found, {frame - 1: row for frame, row in rows.items()}, subject)
        clips.append(Clip(subject.name, subject.name, video, labels))
    leave_out(without, "video in Video_LeftCamera or Video_RightCamera", folder, len(subjects))
    return clips


def load_plus(folder: Path) -> list[Clip]:
    """Reads all clips of DISFA+, one a trial.

    Raises:
        DatasetError: Labels or images are missing or damaged.
    """
    clips: list[Clip] = []
    for subject in _folders(folder / "Labels", "DISFA+"):
        for trial in _folders(subject, "DISFA+"):
            name = f"{subject.name}_{trial.name}"
            found, rows = _read(_by_number(trial, r"au(\d+)\.txt"))
            images = folder / "Images" / subject.name / trial.name
            if not images.is_dir():
                message = f"There is no folder {images}: unpack DISFA+'s images beside its Labels."
                raise DatasetError(message)
            rows, source = at_images(rows, numbered_images(images), name)
            clips.append(Clip(name, subject.name, source, made_labels(found, rows, trial), _PLUS_RATE_HZ))
    return clips


def _folders(folder: Path, what: str) -> list[Path]:
    found = [path for path in sorted(folder.iterdir()) if path.is_dir()] if folder.is_dir() else []
    if not found:
        message = f"{folder} is no folder with {what}'s labels: name the folder that {what} was unpacked into."
        raise DatasetError(message)
    return found


def _by_number(folder: Path, pattern: str) -> dict[int, Path]:
    matches = ((re.fullmatch(pattern, file.name, re.IGNORECASE), file) for file in sorted(folder.iterdir()))
    found = {int(match[1]): file for match, file in matches if match}
    if not found:
        message = f"{folder} holds no label files: unpack the labels of this clip again."
        raise DatasetError(message)
    return found


def _read(files: dict[int, Path]) -> tuple[tuple[targets.Target, ...], dict[int, NDArray[np.float32]]]:
    """Targets and (K,) rows by the numbers in the files' first column."""
    codes = {
        number: {int(frame): scaled(code, _HIGHEST, file) for frame, code in read_rows(file, 2)}
        for number, file in files.items()
    }
    return rows_of(codes, {}, next(iter(files.values())).parent)
