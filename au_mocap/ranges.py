"""An actor's ranges, from a take in which the face goes to its limits.

A channel's gain is set so that the actor's own strongest action, held for a moment, reaches 1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from . import channels
from .arrays import Floats
from .errors import TakeError

LEAST_GAIN: Final = 0.5
MOST_GAIN: Final = 2.5

_HELD_S: Final = 0.2
"""A level counts as reached when the curve is above it for so long in all: one bad frame is no action."""

_MOVED: Final = 0.2
"""A channel that rises less than this above its resting level did not act; its gain would only lift noise."""

_RESTING: Final = 20.0
"""Percentile that counts as a channel's resting level."""

_LEFT_OUT: Final = ("lips_together",)
"""Its limit is the jaw's opening. The gaze is left out, too: its channels are angles, which a gain would make wrong."""

CHANNELS: Final = tuple(
    channel_id
    for channel_id in channels.PREDICTED_IDS
    if channel_id not in _LEFT_OUT and not channel_id.startswith("look_")
)
"""Channels whose ranges can be calibrated, each side by its own."""


@dataclass(frozen=True, slots=True)
class Ranges:
    """What was found.

    Attributes:
        gains: Gain by channel, 0.5..2.5, of the channels that acted.
        levels: The strongest level that each channel held, 0..1, before any gain.
        still: Channels that did not act; their gains are to stay as they are.
    """

    gains: Mapping[str, float]
    levels: Mapping[str, float]
    still: tuple[str, ...]


def calibrate(time_s: Floats, values: Floats, offsets: Mapping[str, float] | None = None) -> Ranges:
    """Finds gains.

    Args:
        time_s: (T,) rising seconds.
        values: (T, 58) curves without gains and offsets, columns as `channels.IDS`; NaN where there is no face.
        offsets: Offsets by channel id that are added after the gain.

    Raises:
        TakeError: No frame holds a face, or not one channel acted.
    """
    times, table = np.asarray(time_s, np.float64), np.asarray(values, np.float64)
    known = np.isfinite(table).all(axis=1)
    if not known.any():
        message = "No face is seen in these frames: choose a take in which the actor's face goes to its limits."
        raise TakeError(message)
    period_s = float(np.median(np.diff(times))) if len(times) > 1 else _HELD_S
    levels = dict(zip(channels.IDS, _held(table[known], period_s).tolist(), strict=True))
    resting = dict(zip(channels.IDS, np.percentile(table[known], _RESTING, axis=0).tolist(), strict=True))
    acted = [channel_id for channel_id in CHANNELS if levels[channel_id] - resting[channel_id] >= _MOVED]
    if not acted:
        message = "The face hardly moves in these frames: choose a take in which the actor goes to the limits."
        raise TakeError(message)
    return Ranges(
        gains={each: _gain(levels[each], (offsets or {}).get(each, 0.0)) for each in acted},
        levels={each: levels[each] for each in CHANNELS},
        still=tuple(each for each in CHANNELS if each not in acted),
    )


def _held(table: NDArray[np.float64], period_s: float) -> NDArray[np.float64]:
    """(C,) the level that each column exceeds for a moment in all."""
    frames = min(max(round(_HELD_S / max(period_s, 1e-6)), 1), len(table))
    return np.partition(table, len(table) - frames, axis=0)[len(table) - frames]


def _gain(level: float, offset: float) -> float:
    return float(np.clip((1.0 - offset) / level, LEAST_GAIN, MOST_GAIN))
