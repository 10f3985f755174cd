"""What a file of another program says, and the take that is made of it.

An imported take holds no landmarks and no embedding. Channels that its program does not tell are not among its
`channels`: their curves stay 0. A head pose that is not told stays NaN, and nothing is baked of it.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .. import __version__, imported, rotations
from ..arrays import Floats
from ..errors import ExchangeError
from ..take import Take

_DAY_S: Final = 86_400.0
_BEYOND: Final = 5.0
"""A value as large as this is no overdone shape but another unit."""


@dataclass(frozen=True, slots=True)
class Recording:
    """What a file says of T frames.

    Attributes:
        time_s: (T,) float64 seconds, in the order of the file.
        channels: The C channels that it tells.
        values: (T, C) float32, 0..1; rows with NaN count as frames without a face.
        found: (T,) whether there is a face; None where the file does not tell.
        confidence: (T,) 0..1, or None where the file does not tell.
        rotation: (T, 4) quaternions of the head pose contract, or None.
        position: (T, 3) metres of the same, or None.
        first_frame: Number of the first frame in the video, where the file counts so.
        notes: What was put right, for the user.
        facts: What else the take's meta data should keep.
    """

    time_s: NDArray[np.float64]
    channels: tuple[str, ...]
    values: NDArray[np.float32]
    found: NDArray[np.bool_] | None = None
    confidence: Floats | None = None
    rotation: Floats | None = None
    position: Floats | None = None
    first_frame: int = 0
    notes: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Imported:
    """A take that was made of a file, and what was put right on the way, one sentence each."""

    take: Take
    notes: tuple[str, ...]


def to_take(recording: Recording, path: Path, format_name: str) -> Imported:
    """Makes a take of a recording.

    Values outside 0..1 are clipped, rows with the same time as the one before are dropped; both are noted.

    Args:
        recording: What was read.
        path: The file, for messages and the take's meta data.
        format_name: The format's name.

    Raises:
        ExchangeError: There are no frames or no faces, times run back, or values are in another unit.
    """
    notes = list(recording.notes)
    kept = _in_order(recording.time_s, path, notes)
    values, found = _checked_values(recording, kept, path, notes)
    count = len(kept)
    given = recording.confidence
    confidence = np.ones(count) if given is None else np.clip(np.nan_to_num(given[kept], nan=1.0), 0.0, 1.0)
    rotation = np.full((count, 4), np.nan) if recording.rotation is None else recording.rotation[kept]
    position = np.full((count, 3), np.nan) if recording.position is None else recording.position[kept]
    take = Take(
        time_s=_within_a_day(recording.time_s[kept], notes),
        found=found,
        confidence=np.where(found, confidence, 0.0).astype(np.float32),
        values=values,
        channels=recording.channels,
        head_rotation=_without(rotations.continuous(rotation), ~found),
        head_position=_without(position, ~found),
        crop=np.full((count, 4), np.nan, np.float32),
        landmarks=np.zeros((count, 0, 3), np.float16),
        embedding=np.zeros((count, 0), np.float16),
        meta={
            "source": {"name": path.name},
            "first_frame": recording.first_frame,
            "tracker": {},
            "regressor": imported.ImportedValues().identity,
            "settings": {},
            "imported": {"format": format_name, "notes": notes, **recording.facts},
            "made_by": f"AU Mocap {__version__}",
        },
    )
    return Imported(take, tuple(notes))


def _within_a_day(time_s: NDArray[np.float64], notes: list[str]) -> NDArray[np.float64]:
    """Times as the file has them, or from 0 on where they count from a date."""
    if 0.0 <= time_s[0] < _DAY_S:
        return np.asarray(time_s, np.float64)
    notes.append("times count from another day: the take begins at 0 s")
    return np.asarray(time_s - time_s[0], np.float64)


def _in_order(time_s: NDArray[np.float64], path: Path, notes: list[str]) -> NDArray[np.int64]:
    """Rows whose time is later than that of the row before."""
    if not len(time_s):
        message = f"{path} holds no frames: record or export it again."
        raise ExchangeError(message)
    unknown = np.flatnonzero(~np.isfinite(time_s))
    if len(unknown):
        message = f"{path}: frame {unknown[0] + 1} of {len(time_s)} has no time. Export the recording again."
        raise ExchangeError(message)
    steps = np.diff(time_s)
    back = np.flatnonzero(steps < 0.0)
    if len(back):
        place = int(back[0]) + 1
        message = (
            f"{path}: time runs back from {time_s[place - 1]:g} s to {time_s[place]:g} s at frame {place + 1}. "
            "It seems to hold several recordings: split it there."
        )
        raise ExchangeError(message)
    kept = np.flatnonzero(np.concatenate([[True], steps > 0.0]))
    if len(kept) < len(time_s):
        notes.append(f"{len(time_s) - len(kept)} frames have the time of the one before and were left out")
    return kept


def _checked_values(
    recording: Recording, kept: NDArray[np.int64], path: Path, notes: list[str]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Values within 0..1, NaN in whole rows, and which rows hold a face."""
    values = np.array(recording.values[kept], np.float32)
    said = np.ones(len(kept), np.bool_) if recording.found is None else recording.found[kept]
    known = np.isfinite(values)
    whole = known.all(axis=1)
    holes = int(np.sum(said & ~whole & known.any(axis=1)))  # a row without any number says that there is no face
    if holes:
        notes.append(f"{holes} frames hold cells that are empty or no number and count as frames without a face")
    found = said & whole
    if not found.any():
        message = f"{path} holds no frame with a face: there is nothing to import."
        raise ExchangeError(message)
    values[~found] = np.nan
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if max(-low, high) > _BEYOND:
        far = recording.channels[int(np.nanargmax(np.nanmax(np.abs(values), axis=0)))]
        message = (
            f"{path} holds values from {low:g} to {high:g} ({far}): they must run from 0 at rest to 1 for the full "
            "action. It seems to be in percent, or of another kind: choose its format."
        )
        raise ExchangeError(message)
    if low < -1e-4 or high > 1.0 + 1e-4:
        notes.append(f"values run from {low:.3g} to {high:.3g} and were clipped to 0 to 1")
    return np.clip(values, 0.0, 1.0), found


def _without(rows: Floats, gone: NDArray[np.bool_]) -> NDArray[np.float32]:
    result = np.array(rows, np.float32)
    result[gone] = np.nan
    return result
