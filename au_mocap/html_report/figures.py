"""What the curves of a take amount to, channel by channel."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .. import channels
from ..arrays import Floats

_NEAR_PEAK: Final = 0.5
"""Share of its peak that a channel must reach where its peak itself is shown already for another."""


@dataclass(frozen=True, slots=True)
class Figures:
    """One channel over all frames that have a value.

    Attributes:
        channel: The channel.
        highest: Largest value; 0 where there is none.
        mean: Mean value; 0 where there is none.
        present: Share of the frames in which it is present, 0..1.
        letters: Share of the frames with each intensity, A to E, 0..1; together `present`.
    """

    channel: channels.Channel
    highest: float
    mean: float
    present: float
    letters: tuple[float, ...]


def levels(values: Floats) -> NDArray[np.uint8]:
    """Intensities of values as numbers: 0 not present (or NaN), 1 to 5 for A to E; as `channels.intensity_letter`."""
    clipped = np.minimum(np.nan_to_num(np.asarray(values, np.float64)), 1.0)
    fifths = np.ceil(clipped * len(channels.INTENSITY_LETTERS))
    return np.where(clipped > channels.PRESENT_ABOVE, fifths, 0).astype(np.uint8)


def figures(values: Floats) -> dict[str, Figures]:
    """Figures of every channel that a regressor predicts.

    Args:
        values: (T, 58) curves, NaN where there is no face.
    """
    known = ~np.isnan(values)
    counts = np.maximum(known.sum(axis=0), 1)
    filled = np.where(known, values, 0.0)
    highest, mean = filled.max(axis=0), filled.sum(axis=0, dtype=np.float64) / counts
    graded = levels(values)
    shares = [(graded == level).sum(axis=0) / counts for level in range(1, len(channels.INTENSITY_LETTERS) + 1)]
    result: dict[str, Figures] = {}
    for channel_id in channels.PREDICTED_IDS:
        column = channels.INDEX[channel_id]
        letters = tuple(float(part[column]) for part in shares)
        result[channel_id] = Figures(
            channels.CHANNELS[column], float(highest[column]), float(mean[column]), sum(letters), letters
        )
    return result


def moments(values: Floats, time_s: Floats, usable: NDArray[np.bool_], most: int) -> list[tuple[int, str]]:
    """Frames that show the most active channels at their peaks.

    Args:
        values: (T, 58) curves.
        time_s: (T,) seconds.
        usable: (T,) which frames show the face well enough.
        most: How many at most.

    Returns:
        Places of the frames in order of time, none near another, each with the channel that peaks there. Of the two
        sides of an action the stronger one stands for both.
    """
    columns = [channels.INDEX[channel_id] for channel_id in channels.PREDICTED_IDS]
    chosen = np.where(usable[:, None] & ~np.isnan(values[:, columns]), values[:, columns], 0.0)
    apart_s = float(time_s[-1] - time_s[0]) / (4 * most)
    found: list[tuple[int, str]] = []
    done: set[str] = set()
    order: list[int] = np.argsort(-chosen.max(axis=0), kind="stable").tolist()
    for place in order:
        channel_id = channels.PREDICTED_IDS[place]
        if channel_id in done:
            continue
        curve = chosen[:, place].copy()
        for taken, _ in found:
            curve[np.abs(time_s - time_s[taken]) <= apart_s] = 0.0
        index = int(curve.argmax())
        if curve[index] > channels.PRESENT_ABOVE and curve[index] >= _NEAR_PEAK * chosen[:, place].max():
            found.append((index, channel_id))
            done.update((channel_id, channels.mirrored(channel_id)))
        if len(found) == most:
            break
    return sorted(found)
