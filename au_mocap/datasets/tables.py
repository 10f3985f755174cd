"""Tables in our own CSV form, and folders of videos with such tables beside them.

    FOLDER/SUBJECT_anything.mp4      a video, or a folder of images of that name
    FOLDER/SUBJECT_anything.csv      the column `frame`, from 0, and any of the channels; an empty cell was not labelled

The subject is what stands before the first underscore.
"""

import csv
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .. import channels
from . import targets
from .clips import Clip, DatasetError, Labels, at_images, is_video, made_labels, numbered_images
from .numbers import lines_of

_FRAME: Final = "frame"


def read_table(path: Path) -> Labels:
    """Reads a table as `extract` writes it, or any with a column `frame` and some of the channels.

    Returns:
        Every frame of the table; NaN where a cell is empty.

    Raises:
        DatasetError: It cannot be read, lacks these columns, holds words instead of numbers, or a frame twice.
    """
    reader = csv.DictReader(lines_of(path))
    columns = [name for name in reader.fieldnames or () if name in channels.INDEX]
    if _FRAME not in (reader.fieldnames or ()) or not columns:
        message = f"{path} needs a column '{_FRAME}' and at least one channel, such as {channels.IDS[0]}."
        raise DatasetError(message)
    rows: dict[int, NDArray[np.float32]] = {}
    for cells in reader:
        try:
            frame = int(cells[_FRAME])
            row = np.array([float(cells[name]) if cells[name].strip() else np.nan for name in columns], np.float32)
        except (ValueError, TypeError, AttributeError) as error:
            message = f"{path}, line {reader.line_num}: write a whole number as frame and numbers or nothing elsewhere."
            raise DatasetError(message) from error
        if frame in rows or frame < 0:
            problem = "stands there twice" if frame in rows else "is negative"
            message = f"{path}, line {reader.line_num}: frame {frame} {problem}. Frames are counted from 0."
            raise DatasetError(message)
        rows[frame] = row
    if not rows:
        message = f"{path} holds no frames."
        raise DatasetError(message)
    frames = sorted(rows)
    table = np.stack([rows[frame] for frame in frames])
    return Labels(tuple(targets.channel(name) for name in columns), np.array(frames, np.int64), table)


def read_truth(path: Path) -> Labels:
    """Reads a table of labels, whose values are 0..1.

    Returns:
        The frames of which something is known.

    Raises:
        DatasetError: As `read_table`, or no frame is labelled, or a value lies outside.
    """
    table = read_table(path)
    labels = made_labels(table.targets, dict(zip(table.frames.tolist(), table.values, strict=True)), path)
    low, high = float(np.nanmin(labels.values)), float(np.nanmax(labels.values))
    if low < -1e-6 or high > 1.0 + 1e-6:
        message = f"{path} holds values from {low:g} to {high:g}: bring labels to 0..1 (0 at rest, 1 the full action)."
        raise DatasetError(message)
    return labels


def load(folder: Path) -> list[Clip]:
    """Reads all videos of a folder that have a table of labels beside them.

    Raises:
        DatasetError: There are none, a table is damaged or has no video.
    """
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    tables = [file for file in files if file.suffix.lower() == ".csv"]
    if not tables:
        message = f"{folder} holds no tables (NAME.csv) with videos of the same name: name another folder."
        raise DatasetError(message)
    return [_clip(table, files) for table in tables]


def _clip(table: Path, files: list[Path]) -> Clip:
    name, labels = table.stem, read_truth(table)
    subject = name.partition("_")[0]
    video = next((file for file in files if file.stem == name and is_video(file)), None)
    if video is not None:
        return Clip(name, subject, video, labels)
    images = numbered_images(table.with_suffix("")) if table.with_suffix("").is_dir() else {}
    if not images:
        message = f"{table} has no video {name}.mp4 (or a folder of numbered images {name}) beside it."
        raise DatasetError(message)
    first = min(images)
    by_number = {int(frame) + first: row for frame, row in zip(labels.frames, labels.values, strict=True)}
    rows, source = at_images(by_number, images, name)
    return Clip(name, subject, source, made_labels(labels.targets, rows, table))
