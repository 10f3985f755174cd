"""The rows of curves on a page: which there are, what they are called and what they hold."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from .. import channels, rotations
from ..arrays import Floats
from .performance import Performance

Kind = Literal["confidence", "channel", "angle"]
Hue = Literal["left", "right", "middle", "first", "second"]

_LEAST_ANGLE_DEG: Final = 15.0
_ANGLES: Final = (
    ("Head turn", "up: to the actor's right"),
    ("Head nod", "up: looking down"),
    ("Head tilt", "up: to the actor's left shoulder"),
)


@dataclass(frozen=True, slots=True)
class Series:
    """One curve of a row.

    Attributes:
        hue: Which colour it has.
        name: What it is called beside the others of its row; empty where it is alone.
        values: (T,) 0..1, or degrees for angles; NaN where there is no face.
    """

    hue: Hue
    name: str
    values: Floats


@dataclass(frozen=True, slots=True)
class Row:
    """One drawing.

    Attributes:
        label: What it shows.
        note: A word on it; may be empty.
        kind: What its values are.
        series: One curve or several over each other.
        limit: Largest magnitude that it shows: 1, or degrees.
    """

    label: str
    note: str
    kind: Kind
    series: tuple[Series, ...]
    limit: float = 1.0

    def heights(self, series: Series) -> Floats:
        """(T,) of one of its curves, 0 at the bottom and 1 at the top."""
        if self.kind == "angle":
            return np.clip(np.asarray(series.values, np.float64) / (2.0 * self.limit) + 0.5, 0.0, 1.0)
        return np.asarray(series.values, np.float64)


def active_ids(*values: Floats) -> list[str]:
    """Predicted channels that are present somewhere in one of several (T, 58) tables, in the vocabulary's order."""
    tops = [np.where(np.isnan(each), 0.0, each).max(axis=0) for each in values]
    peaks = np.max(np.stack(tops), axis=0)
    return [each for each in channels.PREDICTED_IDS if peaks[channels.INDEX[each]] > channels.PRESENT_ABOVE]


def rows_of(shown: Performance, against: Performance | None = None) -> list[Row]:
    """The rows of a page: confidence, active channels, the head's angles.

    Sides share a row; where two takes are compared each channel has one, with the curves of both.
    """
    both = [shown] if against is None else [shown, against]
    hues: tuple[Hue, ...] = ("middle",) if against is None else ("first", "second")
    names = [""] if against is None else ["1:", "2:"]
    confidence = tuple(
        Series(hue, name, np.where(each.take.found, each.take.confidence, np.nan))
        for each, hue, name in zip(both, hues, names, strict=True)
    )
    result = [Row("Confidence", "grey: no face", "confidence", confidence)]
    active = active_ids(*(each.curves.values for each in both))
    result += _paired(shown, active) if against is None else [_compared(shown, against, each) for each in active]
    angles = [np.degrees(rotations.to_angles(rotations.to_matrices(each.curves.head_rotation))) for each in both]
    for column, (label, note) in enumerate(_ANGLES):
        series = tuple(Series(hue, name, each[:, column]) for each, hue, name in zip(angles, hues, names, strict=True))
        result.append(Row(label, note, "angle", series, _limit(series)))
    return result


def _paired(shown: Performance, active: list[str]) -> list[Row]:
    result: list[Row] = []
    done: set[str] = set()
    for channel_id in active:
        if channel_id in done:
            continue
        channel = channels.CHANNELS[channels.INDEX[channel_id]]
        other = channels.mirrored(channel_id)
        ids = sorted({channel_id, other})
        done.update(ids)
        hues: tuple[Hue, ...] = ("left", "right") if len(ids) == 2 else ("middle",)
        names = ("L", "R") if len(ids) == 2 else ("",)
        label = channel.label.rpartition(", ")[0] if len(ids) == 2 else channel.label
        series = tuple(
            Series(hue, name, shown.curves.values[:, channels.INDEX[each]])
            for each, hue, name in zip(ids, hues, names, strict=True)
        )
        result.append(Row(label, channel.facs, "channel", series))
    return result


def _compared(shown: Performance, against: Performance, channel_id: str) -> Row:
    column = channels.INDEX[channel_id]
    channel = channels.CHANNELS[column]
    series = (
        Series("first", "1:", shown.curves.values[:, column]),
        Series("second", "2:", against.curves.values[:, column]),
    )
    return Row(channel.label, channel.facs, "channel", series)


def _limit(series: tuple[Series, ...]) -> float:
    highest = max(float(np.nan_to_num(np.abs(each.values)).max()) for each in series)
    return max(_LEAST_ANGLE_DEG, float(np.ceil(highest / 5.0)) * 5.0)
