"""JSON that other programs wrote, looked at field by field without trusting it."""

import math
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from .. import strict_json
from ..errors import ExchangeError
from ..strict_json import JsonError

MOST_BYTES: Final = 400_000_000
"""A larger file would need many times its size of memory; a table has no such limit."""


def read(path: Path) -> object:
    """Reads a JSON file; raises ExchangeError where there is none, or it is too large."""
    try:
        return strict_json.read(path, MOST_BYTES)
    except (JsonError, OSError) as error:
        reason = str(error) if isinstance(error, JsonError) else error.strerror or str(error)
        message = f"{path} cannot be read as JSON: {reason}."
        raise ExchangeError(message) from error


def as_dict(value: object) -> dict[str, Any] | None:
    """A JSON object, or None."""
    return cast(dict[str, Any], value) if isinstance(value, dict) else None


def as_list(value: object) -> list[Any] | None:
    """A JSON array, or None."""
    return cast(list[Any], value) if isinstance(value, list) else None


def as_number(value: object) -> float:
    """A number, NaN for anything else."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan


def rows(value: object, width: int, count: int) -> NDArray[np.float64] | None:
    """A (count, width) array from a list of lists of numbers, in which null stands for a row of NaN.

    Returns:
        None where it has another form or holds something else.
    """
    given = as_list(value)
    if given is None or len(given) != count:
        return None
    table = np.full((count, width), np.nan)
    for place, row in enumerate(given):
        cells = as_list(row)
        if row is None:
            continue
        if cells is None or len(cells) != width:
            return None
        try:
            table[place] = [math.nan if cell is None else as_number(cell) for cell in cells]
        except OverflowError:
            return None
    return table
