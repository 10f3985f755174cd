"""Curves as tables that other programs read."""

import csv
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from . import channels
from .calibration import Curves
from .files import replacing
from .take import Take

_HEAD: Final = ("head_qw", "head_qx", "head_qy", "head_qz", "head_tx_m", "head_ty_m", "head_tz_m")
COLUMNS: Final = ("frame", "time_s", "found", "confidence", *channels.IDS, *_HEAD)


def write_csv(take: Take, curves: Curves, path: Path) -> None:
    """Writes one row per video frame with the columns `COLUMNS`; `found` is 1 or 0, NaN an empty cell.

    Raises:
        OutputError: The file cannot be written.
    """
    numbers = np.concatenate(
        [take.confidence[:, None], curves.values, curves.head_rotation, curves.head_position], axis=1, dtype=np.float64
    )
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        rows = zip(curves.time_s, take.found, numbers, strict=True)
        for frame, (time_s, found, row) in enumerate(rows, take.first_frame):
            writer.writerow([frame, f"{time_s:.6f}", int(found), *_cells(row)])


def _cells(row: NDArray[np.float64]) -> list[str]:
    return ["" if np.isnan(value) else f"{value:.5f}" for value in row]
