"""BP4D and BP4D+ as their authors and FERA 2015 hand them out, and FERA 2017's rendered views of BP4D.

BP4D, anywhere in FOLDER:

    .../F001/T1/0001.jpg             images of subject F001, task T1 (.../2D+3D/, BP4D-training/, Sequences/)
    .../F001_T1.csv                  occurrence (AUCoding/, AU_OCC/): a heading of AU numbers; each line a frame number
                                     and one code an AU: 0 absent, 1 present, 9 not coded
    .../AU12/F001_T1_AU12.csv        intensity (AU Intensity Codes3.0/, AU_INT/): lines `frame,intensity`, 0..5 or 9

A frame number is an image's; where images are counted from 0, frames from 1. Where an AU has intensities, occurrence
is not looked at. Clips without images are left out with a warning.

FERA 2017 names carry its partition and, for videos, the view: `FERA17_TR_F001_T1_6.mp4`, `FERA17_TR_F001_T1.csv`,
`FERA17_TR_F001_T1_AU12_Int.csv`. The frontal view (6) is read. Lines follow the video frame by frame. Validation reuses
the training subjects' numbers for other people, so its subjects are `TR_F001` and `VA_F001`.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from . import targets
from .clips import Clip, DatasetError, at_images, is_video, leave_out, made_labels, numbered_images
from .coding import rows_of
from .numbers import lines_of, read_rows, scaled

_HIGHEST: Final = 5.0
_NOT_CODED: Final = 9.0
_RATE_HZ: Final = 25.0
_FRONTAL_VIEW: Final = "6"
_SUBJECT: Final = re.compile(r"r?[FM]\d{3}")
_CODED: Final = r"(?:_AU(?P<number>\d+)(?:_Int)?)?\.csv"
_BP4D: Final = re.compile(r"(?P<clip>r?[FM]\d{3}_T\d+)" + _CODED, re.IGNORECASE)
_FERA2017: Final = re.compile(r"(?P<clip>FERA17_[A-Z]+_r?[FM]\d{3}_T\d+)" + _CODED, re.IGNORECASE)


@dataclass(slots=True)
class _Files:
    """Label files of one clip."""

    occurrence: Path | None = None
    intensity: dict[int, Path] = field(default_factory=dict[int, Path])


@dataclass(slots=True)
class _Found:
    """What a walk through the folder came across, by clip (`F001_T1`)."""

    labels: dict[str, _Files] = field(default_factory=dict[str, _Files])
    images: dict[str, Path] = field(default_factory=dict[str, Path])
    videos: dict[str, Path] = field(default_factory=dict[str, Path])


def load(folder: Path) -> list[Clip]:
    """Reads all clips of BP4D or BP4D+, one a task.

    Raises:
        DatasetError: Labels or images are missing or damaged.
    """
    found = _walk(folder, _BP4D)
    if not found.labels:
        message = f"{folder} holds no labels such as F001_T1.csv: name the folder that BP4D was unpacked into."
        raise DatasetError(message)
    lacking = [name for name in sorted(found.labels) if name not in found.images]
    leave_out(lacking, "folder of images such as F001/T1", folder, len(found.labels))
    clips: list[Clip] = []
    for name in sorted(set(found.labels) - set(lacking)):
        images = numbered_images(found.images[name])
        if not images:
            message = f"{found.images[name]} holds no numbered images: unpack them there."
            raise DatasetError(message)
        columns, rows = _read(found.labels[name])
        first = 1 if 0 in images else 0
        rows, source = at_images({number - first: row for number, row in rows.items()}, images, name)
        labels = made_labels(columns, rows, found.images[name])
        clips.append(Clip(name, name.partition("_")[0], source, labels, _RATE_HZ))
    return clips


def load_fera2017(folder: Path) -> list[Clip]:
    """Reads all clips of FERA 2017 in the frontal view.

    Raises:
        DatasetError: Labels or videos are missing or damaged.
    """
    found = _walk(folder, _FERA2017)
    if not found.labels:
        message = f"{folder} holds no labels such as FERA17_TR_F001_T1.csv: name the folder that it was unpacked into."
        raise DatasetError(message)
    videos = {name: found.videos.get(f"{name}_{_FRONTAL_VIEW}".lower()) for name in sorted(found.labels)}
    lacking = [name for name, video in videos.items() if video is None]
    leave_out(lacking, f"video of the frontal view (…_{_FRONTAL_VIEW}.mp4)", folder, len(videos))
    clips: list[Clip] = []
    for name, video in videos.items():
        if video is None:
            continue
        columns, rows = _read(found.labels[name])
        in_order = {index: rows[number] for index, number in enumerate(sorted(rows))}
        subject = "_".join(name.split("_")[1:-1])
        clips.append(Clip(name, subject, video, made_labels(columns, in_order, video), _RATE_HZ))
    return clips


def _walk(folder: Path, label: re.Pattern[str]) -> _Found:
    """Looks through a folder without listing its hundreds of thousands of images."""
    found = _Found()
    for parent, inside, names in os.walk(folder):
        place = Path(parent)
        if _SUBJECT.fullmatch(place.name):
            found.images |= {f"{place.name}_{task}": place / task for task in inside if re.fullmatch(r"T\d+", task)}
            inside.clear()
        inside.sort()
        for name in sorted(names):
            match = label.fullmatch(name)
            if match:
                files = found.labels.setdefault(match["clip"], _Files())
                if match["number"]:
                    files.intensity[int(match["number"])] = place / name
                else:
                    files.occurrence = place / name
            elif is_video(Path(name)):
                found.videos[Path(name).stem.lower()] = place / name
    return found


def _read(files: _Files) -> tuple[tuple[targets.Target, ...], dict[int, NDArray[np.float32]]]:
    """Targets and (K,) rows by frame number."""
    intensities = {number: dict(_intensities(file)) for number, file in files.intensity.items()}
    occurrences = _occurrences(files.occurrence) if files.occurrence else {}
    return rows_of(intensities, occurrences, files.occurrence or next(iter(files.intensity.values())))


def _intensities(file: Path) -> Iterator[tuple[int, float]]:
    for frame, code in read_rows(file, 2):
        yield int(frame), np.nan if code == _NOT_CODED else scaled(code, _HIGHEST, file)


def _occurrences(file: Path) -> dict[int, dict[int, float]]:
    """Codes by AU number and frame."""
    heading, *lines = [line.split(",") for line in lines_of(file) if line.strip()] or [[""]]
    digits = [re.sub(r"\D", "", cell) for cell in heading]
    wanted = {column: int(number) for column, number in enumerate(digits) if column and number}
    wanted = {column: number for column, number in wanted.items() if targets.is_known(number)}
    tables: dict[int, dict[int, float]] = {number: {} for number in wanted.values()}
    for place, cells in enumerate(lines, 2):
        try:
            frame = int(cells[0])
            codes = {column: float(cells[column]) for column in wanted}
        except (ValueError, IndexError) as error:
            message = f"{file}, line {place} does not hold a number for every AU. Unpack this file again."
            raise DatasetError(message) from error
        for column, number in wanted.items():
            code = codes[column]
            tables[number][frame] = np.nan if code == _NOT_CODED else scaled(code, 1.0, file)
    return tables
