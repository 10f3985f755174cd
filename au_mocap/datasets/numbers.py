"""Label files: lines of numbers."""

import math
import re
from pathlib import Path

from .clips import DatasetError


def read_rows(path: Path, fields: int) -> list[list[float]]:
    """Reads lines of numbers that commas or blanks part; a first line of words is a heading and left out.

    A file name stands for the number that it begins with (`012.jpg` for 12).

    Args:
        path: The file.
        fields: How many numbers each line holds.

    Raises:
        DatasetError: The file cannot be read, a line holds something else, or nothing is in it.
    """
    rows: list[list[float]] = []
    for number, line in enumerate(lines_of(path), 1):
        words = line.replace(",", " ").split()
        if not words:
            continue
        try:
            row = [_number(word) for word in words]
        except ValueError as error:
            if number == 1:
                continue
            message = f"{path}, line {number}: '{line.strip()}' are no numbers. Unpack this file again."
            raise DatasetError(message) from error
        if len(row) != fields:
            message = f"{path}, line {number} holds {len(row)} numbers instead of {fields}. Unpack this file again."
            raise DatasetError(message)
        rows.append(row)
    if not rows:
        message = f"{path} holds no labels. Unpack this file again."
        raise DatasetError(message)
    return rows


def _number(word: str) -> float:
    try:
        number = float(word)
    except ValueError:
        number = float(re.sub(r"\.(jpe?g|png|bmp)$", "", word, flags=re.IGNORECASE))
    if not math.isfinite(number):
        raise ValueError(word)
    return number


def lines_of(path: Path) -> list[str]:
    """The lines of a text file, whatever stray bytes it holds.

    Raises:
        DatasetError: It cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    except OSError as error:
        message = f"{path} cannot be read ({error.strerror}): check that it exists and that you may read it."
        raise DatasetError(message) from error


def scaled(value: float, highest: float, path: Path) -> float:
    """A value of 0..`highest` as 0..1.

    Raises:
        DatasetError: It lies outside.
    """
    if not -1e-6 <= value <= highest * (1 + 1e-6):
        message = f"{path} holds {value:g}, which is not from 0 to {highest:g}. Is it a label file of this data set?"
        raise DatasetError(message)
    return min(max(value / highest, 0.0), 1.0)
