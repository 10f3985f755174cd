"""The project's own table, which other programs read: `extract` writes it."""

import csv
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .. import channels
from ..calibration import Curves
from ..errors import ExchangeError
from ..files import replacing
from ..take import Take
from .recording import Recording
from .sheet import Sheet, Wanted
from .timing import clock_of

HEAD: Final = ("head_qw", "head_qx", "head_qy", "head_qz", "head_tx_m", "head_ty_m", "head_tz_m")
COLUMNS: Final = ("frame", "time_s", "found", "confidence", *channels.IDS, *HEAD)
_PREDICTED: Final = channels.PREDICTED_IDS
_LENGTH_OF_UNIT: Final = (0.9, 1.1)
"""Lengths of a quaternion between which five decimals may have left it."""


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


def write(take: Take, curves: Curves, path: Path, _rate_hz: float | None) -> None:
    """As `write_csv`, which keeps the frames' own times."""
    write_csv(take, curves, path)


def fits(names: tuple[str, ...]) -> bool:
    """Whether a table with these columns is one: a time or frame, and a channel."""
    return bool({"time_s", "frame"} & set(names)) and any(name in _BY_KEY for name in names)


_BY_KEY: Final = {channel_id.lower(): channel_id for channel_id in channels.IDS}


def read(path: Path, rate_hz: float | None) -> Recording:
    """Reads a table. Columns that are empty throughout, or missing, are not told; means of sides follow their sides.

    Args:
        path: The file.
        rate_hz: Frames a second where there is no `time_s`.

    Raises:
        ExchangeError: It is no such table.
    """
    sheet = Sheet(path)
    columns = {
        _BY_KEY[name]: column for name in sheet.names if name in _BY_KEY and (column := sheet.find(name)) is not None
    }
    if not columns:
        message = f"{path} needs columns of channels, such as {channels.IDS[0]}."
        raise ExchangeError(message)
    told = _told(columns)
    clock = clock_of(sheet, {"time_s": 1.0}, ("frame",))
    single = {name: sheet.find(name) for name in ("frame", "found", "confidence", *HEAD)}
    there = {name: column for name, column in single.items() if column is not None}
    exact = (*clock.columns, *there.values())
    rows = sheet.read(Wanted(exact, tuple(told.values())))
    of = {name: rows.exact[:, exact.index(column)] for name, column in there.items()}
    used = ~np.isnan(rows.values).all(axis=0)
    if not used.any():
        message = f"{path} holds no numbers in its columns of channels."
        raise ExchangeError(message)
    times, notes = clock.seconds(rows.exact[:, : len(clock.columns)], rate_hz)
    frame = of.get("frame")
    return Recording(
        time_s=times,
        channels=tuple(channel_id for channel_id, is_used in zip(told, used, strict=True) if is_used),
        values=rows.values[:, used],
        found=of["found"] != 0.0 if "found" in of else None,
        confidence=of.get("confidence"),
        rotation=_rotation(of),
        position=np.stack([of[name] for name in HEAD[4:]], axis=1) if set(HEAD[4:]) <= set(of) else None,
        first_frame=int(frame[0]) if frame is not None and np.isfinite(frame[0]) and frame[0] >= 0 else 0,
        notes=(*rows.notes, *notes),
    )


def _told(columns: dict[str, int]) -> dict[str, int]:
    """Columns of the channels that are predicted on their own; a mean stands for a side that is missing."""
    means = {side: mean_id for mean_id, sides in channels.SIDES_OF.items() for side in sides}
    found = {channel_id: columns.get(channel_id, columns.get(means.get(channel_id, ""))) for channel_id in _PREDICTED}
    return {channel_id: column for channel_id, column in found.items() if column is not None}


def _rotation(of: dict[str, NDArray[np.float64]]) -> NDArray[np.float64] | None:
    if not set(HEAD[:4]) <= set(of):
        return None
    quaternions = np.stack([of[name] for name in HEAD[:4]], axis=1)
    length = np.linalg.norm(quaternions, axis=1, keepdims=True)
    low, high = _LENGTH_OF_UNIT
    return np.where((length > low) & (length < high), quaternions / np.maximum(length, low), np.nan)
