"""Labels from a take that an artist corrected: the exported table of its curves, beside the take.

Where a channel was corrected anywhere, the artist has looked at it and left the rest of it as it is: all of it counts.
Channels whose curves are the take's own say nothing.
"""

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from au_mocap import calibration, channels
from au_mocap import take as takes
from au_mocap.annotation import rounded
from au_mocap.errors import AnnotationError, TakeError
from au_mocap.exchange import tables
from au_mocap.neutral import NeutralSettings, choose_neutral
from au_mocap.regressors import features, generic_neutral
from training.finetune.clips import Clip, Source, is_of_stage

SUFFIX: Final = ".csv"
_CORRECTED: Final = 0.02
"""Difference from the take's own curves, with the settings that a new take has, from which on a channel counts."""

_APART_S: Final = 0.2
_OFF_S: Final = 0.002


def read(table: Path, source: Source) -> Clip:
    """Reads a corrected table and the take of the same name beside it.

    Args:
        table: `NAME.csv`, whose take is `NAME.take.npz`.
        source: The base; it, or a regressor adapted from it, made the take.

    Raises:
        AnnotationError: The table is not of this take, or nothing in it was corrected.
        TakeError: There is no take beside it, or another base made it.
        ExchangeError: The table cannot be read.
    """
    take = takes.load(table.with_name(table.stem + takes.SUFFIX))
    if not is_of_stage(take, source):
        message = (
            f"The take of {table.name} was not made with '{source.regressor.entry.name}': name its --base, or analyse "
            "the clip with that and correct it again."
        )
        raise TakeError(message)
    recording = tables.read(table, None)
    rows = np.searchsorted(take.time_s, recording.time_s - _OFF_S)
    if rows[-1] >= len(take) or np.abs(take.time_s[rows] - recording.time_s).max() > _OFF_S:
        message = f"{table} has other times than its take: export the table of this take again."
        raise AnnotationError(message)
    seen = features(take)
    known = take.found[rows] & ~np.isnan(recording.values).any(axis=1) & seen.known[rows]
    rows, values = rows[known], recording.values[known]
    plain = calibration.curves(take, calibration.Settings(), source.regressor).values[rows]
    labels = np.full((len(rows), len(channels.IDS)), np.nan, np.float32)
    for column, channel_id in enumerate(recording.channels):
        own = plain[:, channels.INDEX[channel_id]]
        if len(rows) and np.abs(values[:, column] - own).max() > _CORRECTED:
            labels[:, channels.INDEX[channel_id]] = rounded(values[:, column])
    if np.isnan(labels).all():
        message = f"{table} says what its take says already: nothing was corrected that could be learnt."
        raise AnnotationError(message)
    apart = _apart(take.time_s[rows])
    return Clip(
        name=table.stem,
        take=take,
        seen=seen,
        neutral=choose_neutral(take, seen, NeutralSettings()).neutral or generic_neutral(seen.embedding.shape[1]),
        rows=rows[apart],
        labels=labels[apart],
        weight=np.ones(len(apart)),
        lost=int((~known).sum()),
    )


def _apart(time_s: NDArray[np.float64]) -> NDArray[np.int64]:
    """The first frame of every fifth of a second: those beside it show the same face."""
    return np.unique((time_s / _APART_S).astype(np.int64), return_index=True)[1]
