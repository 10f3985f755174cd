"""The channel vocabulary: FEAFA's 24 Action Units first, then the extended and one-sided ones.

`channels.csv` beside this module is the table itself. Left and right are the actor's own. Every channel runs from 0
(the actor's neutral) to 1 (the full action: the ARKit shape at weight 1 on the training head).
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from .arrays import Floats
from .errors import SettingsError

Side = Literal["", "L", "R"]

PRESENT_ABOVE: Final = 0.1
"""An AU counts as present above this value (FEAFA, section 6.2)."""

INTENSITY_LETTERS: Final = "ABCDE"
"""FACS letters for the fifths of (0, 1] (FEAFA, section 6.2)."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One row of the vocabulary.

    Attributes:
        id: Identifier used in takes, tables and mappings.
        label: Name for people.
        facs: Action Unit or Action Descriptor of FACS, empty where it has none.
        side: The actor's own side, empty for a symmetric action.
        feafa: FEAFA's number 1..24, or None for an extended channel.
        arkit_shape: The ARKit shape, or in words how the channel derives from shapes.
    """

    id: str
    label: str
    facs: str
    side: Side
    feafa: int | None
    arkit_shape: str


def _read_table() -> tuple[Channel, ...]:
    with (Path(__file__).parent / "channels.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    sides: dict[str, Side] = {"": "", "L": "L", "R": "R"}
    return tuple(
        Channel(
            id=row["id"],
            label=row["label"],
            facs=row["facs"],
            side=sides[row["side"]],
            feafa=int(row["feafa"]) if row["feafa"] else None,
            arkit_shape=row["arkit_shape"],
        )
        for row in rows
    )


CHANNELS: Final = _read_table()
IDS: Final = tuple(channel.id for channel in CHANNELS)
INDEX: Final = {channel_id: index for index, channel_id in enumerate(IDS)}
FEAFA_IDS: Final = tuple(channel.id for channel in CHANNELS if channel.feafa is not None)

SIDES_OF: Final = {
    channel_id: (f"{channel_id}_L", f"{channel_id}_R")
    for channel_id in IDS
    if f"{channel_id}_L" in INDEX and f"{channel_id}_R" in INDEX
}
"""Symmetric channels that are the mean of two sided ones, with those."""

PREDICTED_IDS: Final = tuple(channel_id for channel_id in IDS if channel_id not in SIDES_OF)
"""Channels that a regressor predicts; the others are derived."""


def mirrored(channel_id: str) -> str:
    """The channel that this one becomes when the picture is flipped left to right."""
    stem, _, side = channel_id.rpartition("_")
    return {"L": f"{stem}_R", "R": f"{stem}_L"}.get(side, channel_id)


MIRROR: Final = tuple(INDEX[mirrored(channel_id)] for channel_id in IDS)
"""Permutation of the vocabulary that flips left and right: `values[:, MIRROR]`."""


@cache
def positions(channel_ids: tuple[str, ...]) -> dict[str, int]:
    """Column of each channel in a table; raises SettingsError for ids outside the vocabulary."""
    unknown = [channel_id for channel_id in channel_ids if channel_id not in INDEX]
    if unknown:
        message = f"Unknown channels {', '.join(unknown)}: use ids from the channel table (channels.csv)."
        raise SettingsError(message)
    return {channel_id: column for column, channel_id in enumerate(channel_ids)}


def complete(values: Floats, channel_ids: Sequence[str]) -> NDArray[np.float32]:
    """Arranges predicted columns as the whole vocabulary and applies its rules.

    Symmetric channels become the mean of their sides, `lips_together` is held at or below `jaw_drop`, and everything is
    clipped to 0..1. NaN rows stay NaN.

    Args:
        values: (T, P) predicted values.
        channel_ids: The P ids of the columns.

    Returns:
        (T, 58) float32 in the order of `IDS`; channels that were not predicted are 0 (NaN in NaN rows).

    Raises:
        SettingsError: An id is not in the vocabulary.
    """
    columns = positions(tuple(channel_ids))
    table = np.zeros((len(values), len(IDS)), np.float32)
    for channel_id, column in columns.items():
        table[:, INDEX[channel_id]] = values[:, column]
    table[np.isnan(values).any(axis=1)] = np.nan
    return enforce_rules(table)


def enforce_rules(table: NDArray[np.float32]) -> NDArray[np.float32]:
    """Clips a (T, 58) table to 0..1, derives the symmetric means and holds `lips_together` at or below `jaw_drop`."""
    table = np.clip(table, 0.0, 1.0)
    for mean_id, (left, right) in SIDES_OF.items():
        table[:, INDEX[mean_id]] = (table[:, INDEX[left]] + table[:, INDEX[right]]) / 2
    together, jaw = INDEX["lips_together"], INDEX["jaw_drop"]
    table[:, together] = np.minimum(table[:, together], table[:, jaw])
    return table


def intensity_letter(value: float) -> str:
    """FACS letter A..E of a value in 0..1, empty where the AU is not present (FEAFA, section 6.2)."""
    if not value > PRESENT_ABOVE:
        return ""
    fifth = int(np.ceil(min(value, 1.0) * len(INTENSITY_LETTERS))) - 1
    return INTENSITY_LETTERS[fifth]
