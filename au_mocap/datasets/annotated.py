"""Clips that were labelled in AU Mocap: one folder NAME.annotation (`docs/annotation.md`), or a folder of several.

    FOLDER/SUBJECT_anything.annotation/annotation.json   which clip, and where it was
    FOLDER/SUBJECT_anything.annotation/coders/NAME.csv
    FOLDER/SUBJECT_anything.annotation/agreed.csv        what is read, unless a coder is chosen

The clip is taken from where it was labelled, or from beside the folder where it has moved. The subject is what stands
before the first underscore.
"""

from pathlib import Path
from typing import Final

import numpy as np

from .. import annotation, channels
from ..annotation import Annotation, sides
from ..errors import AnnotationError
from ..files import is_file, is_folder
from ..video import file_sha256
from . import targets
from .clips import Clip, DatasetError, made_labels


def load(folder: Path, coder: str | None = None) -> list[Clip]:
    """Reads labelled clips.

    Args:
        folder: A folder of labels, or one that holds some.
        coder: Whose labels count; None for those that the coders agreed on, or the only coder's.

    Raises:
        DatasetError: There are none, a folder is damaged, nothing is agreed, the coder is unknown, or a clip is not
            there or is another one.
    """
    is_one = is_file(folder / _DESCRIPTION)
    folders = (
        [folder] if is_one else sorted(each.parent for each in folder.glob(f"*{annotation.SUFFIX}/{_DESCRIPTION}"))
    )
    if not folders:
        message = f"{folder} holds no folder NAME{annotation.SUFFIX}: name the folder that it is in, or it itself."
        raise DatasetError(message)
    try:
        return [_clip(each, annotation.load(each), coder) for each in folders]
    except AnnotationError as error:
        raise DatasetError(str(error)) from error


_DESCRIPTION: Final = "annotation.json"


def _clip(folder: Path, stored: Annotation, coder: str | None) -> Clip:
    labels = annotation.labels_of(stored, folder, coder)
    values = sides.with_means(labels.values)
    used: list[int] = np.flatnonzero((~np.isnan(values)).any(axis=0)).tolist()
    rows = dict(zip(labels.frames.tolist(), values[:, used], strict=True))
    found = made_labels([targets.channel(channels.IDS[column]) for column in used], rows, folder)
    name = folder.resolve().name.removesuffix(annotation.SUFFIX)
    return Clip(name, name.partition("_")[0], clip_path(folder, stored), found, stored.clip.rate_hz)


def clip_path(folder: Path, stored: Annotation) -> Path:
    """Where the labelled recording is now: where it was, or beside the folder of labels.

    Raises:
        DatasetError: It is in neither place, or what is there is another file, by size or checksum.
    """
    clip = stored.clip
    places = [Path(clip.path)] if clip.path else []
    places += [folder.resolve().parent / clip.name, folder / clip.name] if clip.name else []
    there = [place for place in places if is_file(place) or (clip.sha256 is None and is_folder(place))]
    if clip.sha256 is None and not there and clip.path:  # a pattern of images: whoever opens it says what is wrong
        return Path(clip.path)
    if not there:
        message = f"{folder} labels {clip.name}, which is not at {clip.path}: put it beside that folder."
        raise DatasetError(message)
    for place in there:
        if clip.sha256 is None or (
            place.stat().st_size == (clip.size_bytes or place.stat().st_size) and file_sha256(place) == clip.sha256
        ):
            return place
    message = f"{there[0]} is not the file that {folder.name} labels: put that one there, or label this one."
    raise DatasetError(message)
