"""Numbered images as frames of a clip: which files they are, in order, and how one is read."""

import re
from itertools import pairwise
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from .errors import VideoError

SUFFIXES: Final = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp")
_PATTERN: Final = re.compile(r"%0?(\d*)d|#+")
_NUMBER: Final = re.compile(r"^(.*?)(\d+)(\D*)$")
_SHOWN: Final = 5


def is_pattern(path: Path) -> bool:
    """Whether a name stands for a sequence: `frame_%04d.png`, `frame_####.png`. A file of that very name wins."""
    return path.suffix.lower() in SUFFIXES and _PATTERN.search(path.name) is not None and not path.exists()


def resolve(path: Path) -> list[Path]:
    """Return the images of a sequence in the order of their numbers.

    Args:
        path: A pattern (`frame_%04d.png`, `frame_####.png`), a folder of numbered images, one image of a sequence, or a
            single image.

    Returns:
        At least one existing file; their numbers have no gap.

    Raises:
        VideoError: There are none, several sequences lie in the folder, or a number is missing or there twice.
    """
    if path.is_dir():
        return _resolve_folder(path)
    if is_pattern(path):
        return _resolve_pattern(path)
    return _resolve_image(path)


def read_image(path: Path) -> NDArray[np.uint8]:
    """Read an image as it is to be shown.

    Returns:
        (H, W, 3) uint8 BGR; grey is spread to three channels, alpha dropped, an Exif rotation applied.

    Raises:
        VideoError: The file cannot be read or decoded.
    """
    try:
        # Not cv2.imread: on Windows it cannot open names beyond the system's code page.
        encoded = np.fromfile(path, dtype=np.uint8)
    except OSError as error:
        message = f"{path} cannot be read ({error.strerror}). Check that it exists and that you may read it."
        raise VideoError(message) from error
    image = cv2.imdecode(encoded, cv2.IMREAD_COLOR) if encoded.size else None
    if image is None:
        message = f"{path} is damaged or not an image. Export it again, as PNG for instance."
        raise VideoError(message)
    return image.astype(np.uint8, copy=False)


def _resolve_folder(folder: Path) -> list[Path]:
    images = [file for file in sorted(folder.iterdir()) if _is_image(file)]
    if not images:
        message = (
            f"{folder} is a folder without images ({', '.join(SUFFIXES)}). Choose a video file or a folder of numbered "
            "images."
        )
        raise VideoError(message)
    if len(images) == 1:
        return images
    groups: dict[tuple[str, str], dict[int, Path]] = {}
    for image in images:
        _add(groups, image)
    if len(groups) > 1:
        names = ", ".join(next(iter(group.values())).name for group in list(groups.values())[:_SHOWN])
        message = f"{folder} holds several sequences ({names}, …). Choose one by its pattern, such as frame_%04d.png."
        raise VideoError(message)
    return _in_order(next(iter(groups.values())))


def _resolve_pattern(path: Path) -> list[Path]:
    match = _PATTERN.search(path.name)
    if match is None:
        message = f"{path} is no pattern such as frame_%04d.png. Check the name."
        raise VideoError(message)
    before, after = path.name[: match.start()], path.name[match.end() :]
    width = int(match[1] or 0) if match[0].startswith("%") else len(match[0])
    number = re.compile(re.escape(before) + r"(\d+)" + re.escape(after) + r"\Z")
    found: dict[int, Path] = {}
    for file in sorted(path.parent.iterdir()) if path.parent.is_dir() else ():
        fits = number.match(file.name)
        if fits and len(fits[1]) == max(width, len(str(int(fits[1])))):
            found[int(fits[1])] = file
    if not found:
        message = f"No file fits {path}. Check the folder and the number of digits."
        raise VideoError(message)
    return _in_order(found)


def _resolve_image(path: Path) -> list[Path]:
    match = _NUMBER.match(path.stem)
    if match is None:
        return [path]
    key = _key(path)
    groups: dict[tuple[str, str], dict[int, Path]] = {}
    for file in sorted(path.parent.iterdir()):
        if _is_image(file) and _NUMBER.match(file.stem) and _key(file) == key:
            _add(groups, file)
    number = int(match[2])
    if not {number - 1, number + 1} & groups[key].keys():
        return [path]  # a picture among others, such as photos numbered by a camera
    return _in_order(groups[key])


def _is_image(file: Path) -> bool:
    return file.suffix.lower() in SUFFIXES and not file.name.startswith(".") and file.is_file()


def _key(file: Path) -> tuple[str, str]:
    """Return what the names of one sequence share: the text before and after the number."""
    match = _NUMBER.match(file.stem)
    return (match[1], match[3] + file.suffix) if match else (file.stem, file.suffix)


def _add(groups: dict[tuple[str, str], dict[int, Path]], file: Path) -> None:
    match = _NUMBER.match(file.stem)
    if match is None:
        message = (
            f"{file} has no number in its name, other images in its folder do. Move it elsewhere or give a pattern."
        )
        raise VideoError(message)
    group = groups.setdefault(_key(file), {})
    if int(match[2]) in group:
        message = f"{file} and {group[int(match[2])].name} have the same number. Remove one of them."
        raise VideoError(message)
    group[int(match[2])] = file


def _in_order(found: dict[int, Path]) -> list[Path]:
    numbers = sorted(found)
    gaps = [(low + 1, high - 1) for low, high in pairwise(numbers) if high > low + 1]
    if gaps:
        shown = ", ".join(str(low) if low == high else f"{low} to {high}" for low, high in gaps[:_SHOWN])
        message = (
            f"The sequence {found[numbers[0]].name} … {found[numbers[-1]].name} in {found[numbers[0]].parent} lacks "
            f"number {shown}{', …' if len(gaps) > _SHOWN else ''}. Export the missing images or renumber the files."
        )
        raise VideoError(message)
    return [found[number] for number in numbers]
