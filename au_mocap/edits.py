"""The artist's word over the curves: right values at moments (fixes), and stretches drawn anew (overrides).

Everything is in seconds of the take, so that edits outlive another regressor's analysis of the clip, another frame rate
and a trim. `apply` lays overrides in the place of what was measured and then fixes on top: each moves the curve by what
it was wrong by, so that the actor's motion around it stays. `edits_json` reads and writes them.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from . import channels
from .arrays import Floats
from .errors import SettingsError

MOST_S: Final = 1e6
"""Times and blends beyond this are no seconds of a take."""


@dataclass(frozen=True, slots=True)
class Fix:
    """The right value of a channel at a moment.

    Attributes:
        channel: Channel id. A mean of two sides moves both by the same amount, as far as they have room.
        time_s: When, in seconds of the take; the nearest frame takes the value.
        value: 0..1, what the curve is then.
        blend_in_s: Seconds before it in which the curve goes over to it; 0 or more.
        blend_out_s: Seconds after it in which the curve goes back.
    """

    channel: str
    time_s: float
    value: float
    blend_in_s: float = 0.0
    blend_out_s: float = 0.0

    def __post_init__(self) -> None:
        """Checks name and ranges; raises SettingsError."""
        channels.positions((self.channel,))
        _check_number(f"The time of a fix of {self.channel}", self.time_s, -MOST_S, MOST_S)
        _check_number(f"The value of a fix of {self.channel}", self.value, 0.0, 1.0)
        for blend_s in (self.blend_in_s, self.blend_out_s):
            _check_number(f"The blend of a fix of {self.channel}", blend_s, 0.0, MOST_S)


@dataclass(frozen=True, slots=True, eq=False)
class Override:
    """A stretch of a channel that was drawn anew.

    Attributes:
        channel: Channel id; of a mean of two sides both follow.
        from_s: First moment that it covers.
        until_s: The moment from which it does not any more.
        time_s: (K,) rising seconds.
        values: (K,) 0..1, joined by straight lines; the first and the last hold to the stretch's ends.
    """

    channel: str
    from_s: float
    until_s: float
    time_s: NDArray[np.float64]
    values: NDArray[np.float64]

    def __post_init__(self) -> None:
        """Checks name, order and ranges; raises SettingsError."""
        channels.positions((self.channel,))
        what = f"A drawn stretch of {self.channel}"
        _check_number(f"{what}: its start", self.from_s, -MOST_S, MOST_S)
        _check_number(f"{what}: its end", self.until_s, self.from_s, MOST_S)
        if self.time_s.shape != self.values.shape or self.time_s.ndim != 1 or not len(self.time_s):
            message = f"{what} needs as many times as values, at least one of each."
            raise SettingsError(message)
        if not np.isfinite(self.time_s).all() or (np.diff(self.time_s) <= 0.0).any():
            message = f"{what} needs rising times."
            raise SettingsError(message)
        if not ((self.values >= 0.0) & (self.values <= 1.0)).all():
            message = f"{what} needs values between 0 and 1."
            raise SettingsError(message)

    def __eq__(self, other: object) -> bool:
        """Whether it says the same."""
        if not isinstance(other, Override):
            return NotImplemented
        return self._said == other._said

    def __hash__(self) -> int:
        return hash(self._said)

    @property
    def _said(self) -> tuple[str, float, float, bytes, bytes]:
        return self.channel, self.from_s, self.until_s, self.time_s.tobytes(), self.values.tobytes()

    def covers(self, time_s: Floats) -> NDArray[np.bool_]:
        """Which of some moments lie in the stretch."""
        times = np.asarray(time_s, np.float64)
        return (times >= self.from_s) & (times < self.until_s)


@dataclass(frozen=True, slots=True)
class Edits:
    """All edits of a take; of two that say something about one moment the later one counts.

    Attributes:
        fixes: In the order in which they were made.
        overrides: The same.
    """

    fixes: tuple[Fix, ...] = ()
    overrides: tuple[Override, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether they leave every curve as it is."""
        return not self.fixes and not self.overrides

    @property
    def channel_ids(self) -> tuple[str, ...]:
        """Ids of the channels that they name, in the vocabulary's order."""
        named = {each.channel for each in (*self.fixes, *self.overrides)}
        return tuple(each for each in channels.IDS if each in named)


def apply(time_s: Floats, values: Floats, edits: Edits) -> NDArray[np.float32]:
    """The curves as the artist wants them.

    Frames that no edit touches stay as they are. In the others the rules of `channels.enforce_rules` hold afterwards:
    where lips come together further than the jaw has dropped, the jaw's opening is the limit, whatever a fix says.

    Args:
        time_s: (T,) rising seconds.
        values: (T, 58) curves 0..1, columns as `channels.IDS`. What is unknown (NaN) stays unknown, and a fix of such a
            moment does nothing.
        edits: What to do.

    Returns:
        (T, 58) float32 of its own.
    """
    result = np.array(values, np.float32)
    times = np.asarray(time_s, np.float64)
    if edits.is_empty or not len(times):
        return result
    table = result.astype(np.float64)
    for override in edits.overrides:
        _draw(times, table, override)
    for channel_id, fixes in _by_side(times, table, edits.fixes).items():
        column = channels.INDEX[channel_id]
        table[:, column] = np.clip(table[:, column] + _offsets(times, table[:, column], fixes), 0.0, 1.0)
    edited = table.astype(np.float32)
    touched = ((edited != result) & np.isfinite(result)).any(axis=1)
    result[touched] = channels.enforce_rules(edited[touched])
    return result


def labels(edits: Edits) -> tuple[tuple[float, str, float], ...]:
    """The values that were fixed by hand as (seconds, channel id, value), by time: what a regressor can learn from.

    Of two fixes of one channel at one moment the later one counts.
    """
    said = {(fix.time_s, fix.channel): fix.value for fix in edits.fixes}
    return tuple((time_s, channel_id, value) for (time_s, channel_id), value in sorted(said.items()))


def differing(
    channel_id: str, time_s: Floats, drawn: Floats, written: Floats, tolerance: float
) -> tuple[Override, ...]:
    """The stretches in which a drawn curve is not what was written any more.

    Args:
        channel_id: Whose curve.
        time_s: (T,) rising seconds.
        drawn: (T,) the curve as it is now; clipped to 0..1.
        written: (T,) as it was written.
        tolerance: What does not count as a difference.

    Returns:
        Overrides that reach half way to the neighbouring frames on either side.
    """
    times = np.asarray(time_s, np.float64)
    clipped = np.clip(np.asarray(drawn, np.float64), 0.0, 1.0)
    apart = np.abs(clipped - np.asarray(written, np.float64)) > tolerance
    borders = edges(times)
    return tuple(
        Override(channel_id, float(borders[run[0]]), float(borders[run[-1] + 1]), times[run], clipped[run])
        for run in runs(apart)
    )


def runs(chosen: NDArray[np.bool_]) -> list[NDArray[np.int64]]:
    """Indices of what is chosen, one array for each row without a break."""
    indices = np.flatnonzero(chosen)
    if not len(indices):
        return []
    return np.split(indices, np.flatnonzero(np.diff(indices) > 1) + 1)


def without(edits: Edits, channel_ids: Iterable[str] | None, from_s: float = -MOST_S, until_s: float = MOST_S) -> Edits:
    """Edits without what they say of some channels within a range of time.

    Args:
        edits: What to take from; overrides that reach beyond the range are cut.
        channel_ids: Whose; a mean goes with its sides, and they with it. None for all.
        from_s: First moment of the range.
        until_s: The moment behind it.
    """
    meant = set(channels.IDS) if channel_ids is None else related(channel_ids)

    def is_kept(fix: Fix) -> bool:
        return fix.channel not in meant or not from_s <= fix.time_s < until_s

    overrides = [
        part for each in edits.overrides for part in (_cut(each, from_s, until_s) if each.channel in meant else (each,))
    ]
    return Edits(tuple(filter(is_kept, edits.fixes)), tuple(overrides))


def related(channel_ids: Iterable[str]) -> set[str]:
    """Channels with the sides of the means among them, and the means of the sides."""
    named = set(channel_ids)
    sides = {side for mean in named & set(channels.SIDES_OF) for side in channels.SIDES_OF[mean]}
    means = {mean for mean, pair in channels.SIDES_OF.items() if named & set(pair)}
    return named | sides | means


def _cut(override: Override, from_s: float, until_s: float) -> Iterator[Override]:
    """What of a stretch lies outside a range."""
    for first, last in (
        (override.from_s, min(override.until_s, from_s)),
        (max(override.from_s, until_s), override.until_s),
    ):
        if first < last:
            inside = (override.time_s >= first) & (override.time_s < last)
            times = override.time_s[inside] if inside.any() else np.array([(first + last) / 2.0])
            values = np.interp(times, override.time_s, override.values)
            yield replace(override, from_s=first, until_s=last, time_s=times, values=values)


def edges(times: NDArray[np.float64]) -> NDArray[np.float64]:
    """(T + 1,) seconds at which one of (T,) frames ends and the next begins."""
    if len(times) < 2:
        return np.array([times[0] - 1e-3, times[0] + 1e-3])
    middles = (times[1:] + times[:-1]) / 2.0
    return np.concatenate([[2.0 * times[0] - middles[0]], middles, [2.0 * times[-1] - middles[-1]]])


def _draw(times: NDArray[np.float64], table: NDArray[np.float64], override: Override) -> None:
    rows = np.flatnonzero(override.covers(times) & np.isfinite(table[:, channels.INDEX[override.channel]]))
    wanted = np.interp(times[rows], override.time_s, override.values)
    if override.channel in channels.SIDES_OF:
        left, right = (channels.INDEX[side] for side in channels.SIDES_OF[override.channel])
        table[rows, left], table[rows, right] = _sides(table[rows, left], table[rows, right], wanted)
        wanted = (table[rows, left] + table[rows, right]) / 2.0
    table[rows, channels.INDEX[override.channel]] = wanted


def _sides(left: Floats, right: Floats, mean: Floats) -> tuple[Floats, Floats]:
    """Both sides moved alike until their mean is this one; where one has no more room the other goes further."""
    moved = mean - (left + right) / 2.0
    first, second = np.clip(left + moved, 0.0, 1.0), np.clip(right + moved, 0.0, 1.0)
    return np.clip(2.0 * mean - second, 0.0, 1.0), np.clip(2.0 * mean - first, 0.0, 1.0)


def _by_side(times: NDArray[np.float64], table: NDArray[np.float64], fixes: Iterable[Fix]) -> dict[str, list[Fix]]:
    """The fixes of each predicted channel at the take's own frames, by time: those of a mean as two of its sides."""
    found: dict[str, dict[float, Fix]] = {}
    for fix in fixes:
        row = int(np.abs(times - fix.time_s).argmin())
        if not np.isfinite(table[row, channels.INDEX[fix.channel]]):
            continue
        for channel_id, value in _wanted(table[row], fix).items():
            # The nearest frame takes the value; where the take was cut off before it, only its blend reaches in.
            at_s = float(times[row]) if _is_near(times, row, fix.time_s) else fix.time_s
            known = found.setdefault(channel_id, {})
            known.pop(at_s, None)
            known[at_s] = replace(fix, channel=channel_id, time_s=at_s, value=value)
    return {channel_id: [known[at_s] for at_s in sorted(known)] for channel_id, known in found.items()}


def _is_near(times: NDArray[np.float64], row: int, time_s: float) -> bool:
    period_s = float(np.median(np.diff(times))) if len(times) > 1 else MOST_S
    return times[0] <= time_s <= times[-1] or abs(float(times[row]) - time_s) <= period_s


def _wanted(row: NDArray[np.float64], fix: Fix) -> dict[str, float]:
    """What a fix means for each predicted channel, in a frame of values."""
    if fix.channel not in channels.SIDES_OF:
        return {fix.channel: fix.value}
    sides = channels.SIDES_OF[fix.channel]
    left, right = (row[channels.INDEX[side]] for side in sides)
    pair = _sides(np.array(left), np.array(right), np.array(fix.value))
    return dict(zip(sides, (float(each) for each in pair), strict=True))


def _offsets(times: NDArray[np.float64], curve: NDArray[np.float64], fixes: list[Fix]) -> NDArray[np.float64]:
    """(T,) what to add to a curve: between two fixes whose blends meet it goes from one to the other."""
    known = [(fix, fix.value - float(curve[np.abs(times - fix.time_s).argmin()])) for fix in fixes]
    total = np.zeros(len(times))
    for index, (fix, by) in enumerate(known):
        before = known[index - 1] if index else None
        after = known[index + 1] if index + 1 < len(known) else None
        total[times == fix.time_s] = by
        if before is None or not _meet(before[0], fix):
            earlier = (times < fix.time_s) & (times > (before[0].time_s if before else -math.inf))
            total[earlier] += by * _weight(fix.time_s - times[earlier], fix.blend_in_s)
        later = (times > fix.time_s) & (times < (after[0].time_s if after else math.inf))
        if after is not None and _meet(fix, after[0]):
            share = _weight(times[later] - fix.time_s, after[0].time_s - fix.time_s)
            total[later] += by * share + after[1] * (1.0 - share)
        else:
            total[later] += by * _weight(times[later] - fix.time_s, fix.blend_out_s)
    return total


def _meet(first: Fix, second: Fix) -> bool:
    return first.blend_out_s + second.blend_in_s > second.time_s - first.time_s


def _weight(away_s: NDArray[np.float64], blend_s: float) -> NDArray[np.float64]:
    """1 at no distance, 0 from the blend's length on, smooth at both ends."""
    if blend_s <= 0.0:
        return np.zeros(len(away_s))
    place = np.clip(away_s / blend_s, 0.0, 1.0)
    return 1.0 - place * place * (3.0 - 2.0 * place)


def _check_number(what: str, number: float, low: float, high: float) -> None:
    if not low <= number <= high:
        message = f"{what} must lie between {low:g} and {high:g}, not {number:g}."
        raise SettingsError(message)
