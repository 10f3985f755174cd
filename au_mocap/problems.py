"""Where a take deserves a look: no face, low confidence, spikes, values that are cut, contact that is broken.

Everything is found in curves as they are played, so a setting that cures a problem takes it off the list.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from . import channels, closing, spikes
from .arrays import Floats
from .calibration import Calibrator, Settings
from .contact import Contacts
from .errors import SettingsError
from .smoothing import segments
from .steadying import CLEAR, HIDDEN

Kind = Literal["gap", "confidence", "spike", "clamp", "contact"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

SHORTEST_DOUBT_S: Final = 0.1
"""Confidence that is low for less is bridged by `steadying` and leaves nothing to see."""

LONG_GAP_S: Final = 1.0
"""A face that is away for so long is a problem of full weight: nothing that is held looks alive any longer."""

CUT: Final = 0.999
"""A value counts as cut from here on: smoothing leaves a little below 1 of what the head holds at 1."""

LEAST_CUT_S: Final = 0.3
"""Ranges are calibrated so that peaks reach 1 for 0.2 s (`ranges`): what stays longer has lost its shape."""

LEAST_LOST: Final = 0.1
"""Movement below 0 that an offset has to hide before it counts: cutting the noise of a resting channel is its use."""

OPEN_LIDS: Final = 0.8
"""Lids closed by less than this do not meet, on many characters."""

SHUT_LIDS: Final = 0.9
"""Lids closed by more than this do meet, on all characters."""

OPEN_LIPS: Final = 0.08
"""A jaw that drops by so much more than the lips close leaves a gap to be seen."""

SHUT_LIPS: Final = 0.02
DROPPED: Final = 0.1
"""Lips are judged as wrongly shut below a jaw dropped by so much: a face at rest may have them closed."""

SURE: Final = 0.999
"""Contact, or its absence, counts where it is certain; while it comes and goes a curve may be anywhere."""

JOINED_S: Final = 0.12
"""Problems of one kind with less than this between them are one: the artist goes there once."""

_FREE_TO_STAY: Final = ("eye_close_L", "eye_close_R")
"""A closed eye stays closed: at 1 nothing is cut."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something to look at.

    Attributes:
        kind: One of `KINDS`.
        start_s: Time of the first frame, seconds in the video.
        stop_s: Time of the last frame, at or after the first.
        channel: The channel that has it most; None for gaps and confidence, which concern the whole face.
        severity: 0..1, how much it is likely to be seen.
        message: What it is, and what helps.
    """

    kind: Kind
    start_s: float
    stop_s: float
    channel: str | None
    severity: float
    message: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What problems are found in, T frames.

    Attributes:
        time_s: (T,) strictly increasing seconds.
        found: (T,) bool, whether the face was found.
        confidence: (T,) 0..1.
        values: (T, 58) curves as played, 0..1, columns as `channels.IDS`; NaN where there is no face and gaps are left.
        unclipped: (T, 58) the same before anything held them within 0..1, or None where that is not known.
        contacts: Where lids and lips touch on the actor, or None where that is not known.
    """

    time_s: Floats
    found: NDArray[np.bool_]
    confidence: Floats
    values: Floats
    unclipped: Floats | None = None
    contacts: Contacts | None = None

    def __post_init__(self) -> None:
        """Checks that all describe the same frames; raises SettingsError."""
        count = len(self.time_s)
        shapes = {"found": (count,), "confidence": (count,), "values": (count, len(channels.IDS))}
        given = {name: np.shape(getattr(self, name)) for name in shapes}
        if self.unclipped is not None:
            shapes["unclipped"], given["unclipped"] = shapes["values"], np.shape(self.unclipped)
        if self.contacts is not None:
            shapes["contacts"], given["contacts"] = (count,), np.shape(self.contacts.lips)
        for name, shape in shapes.items():
            if given[name] != shape:
                message = f"Problems are looked for in {count} frames, but {name} is {given[name]}: give one take's."
                raise SettingsError(message)


def find_in(calibrator: Calibrator, settings: Settings, values: Floats | None = None) -> list[Problem]:
    """Finds the problems of a take with some settings.

    Args:
        calibrator: The take.
        settings: Its settings.
        values: (T, 58) curves that are played in place of what the settings give, such as edited ones.

    Raises:
        AuMocapError: The settings do not fit the take; see `Calibrator.curves`.
    """
    take = calibrator.take
    return find(
        Evidence(
            time_s=take.time_s,
            found=take.found,
            confidence=take.confidence,
            values=calibrator.curves(settings).values if values is None else values,
            unclipped=calibrator.unclipped(settings),
            contacts=calibrator.contacts(settings),
        )
    )


def find(seen: Evidence) -> list[Problem]:
    """Finds problems, sorted by their first frame; those of one kind that overlap or nearly do are one."""
    found = [*_gaps(seen), *_doubts(seen), *_spikes(seen), *_cuts(seen), *_broken_contacts(seen)]
    return sorted(_merged(found), key=lambda problem: (problem.start_s, KINDS.index(problem.kind)))


def label(channel_id: str | None) -> str:
    """A channel's name for people; empty for None."""
    return channels.CHANNELS[channels.INDEX[channel_id]].label if channel_id is not None else ""


def _gaps(seen: Evidence) -> Iterator[Problem]:
    for start, stop in segments(~np.asarray(seen.found, bool)):
        lasting_s = _length_s(seen, start, stop)
        yield _problem(seen, "gap", (start, stop), None, lasting_s / LONG_GAP_S, f"No face for {lasting_s:.2f} s.")


def _doubts(seen: Evidence) -> Iterator[Problem]:
    confidence = np.asarray(seen.confidence, np.float64)
    for start, stop in segments(np.asarray(seen.found, bool) & (confidence < CLEAR)):
        if _length_s(seen, start, stop) < SHORTEST_DOUBT_S:
            continue
        least = float(confidence[start:stop].min())
        text = f"Confidence down to {least:.2f}: values are taken from the frames around."
        yield _problem(seen, "confidence", (start, stop), None, (CLEAR - least) / (CLEAR - HIDDEN), text)


def _spikes(seen: Evidence) -> Iterator[Problem]:
    heights = spikes.heights(seen.time_s, seen.values)
    for column in np.flatnonzero(heights.any(axis=0)):
        for start, stop in segments(heights[:, column] > 0.0):
            height = float(heights[start:stop, column].max())
            name = channels.IDS[int(column)]
            text = f"{label(name)} jumps by {height:.2f} and back."
            yield _problem(seen, "spike", (start, stop), name, height, text)


def _cuts(seen: Evidence) -> Iterator[Problem]:
    if seen.unclipped is None:
        return
    table = np.nan_to_num(np.asarray(seen.unclipped))
    candidates = (channels.INDEX[each] for each in channels.PREDICTED_IDS if each not in _FREE_TO_STAY)
    above, below = table.max(axis=0) >= CUT, table.min(axis=0) <= -LEAST_LOST
    for column in (each for each in candidates if above[each] or below[each]):
        name, own = channels.IDS[column], table[:, column]
        for start, stop in segments(own >= CUT):
            lasting_s = _length_s(seen, start, stop)
            if lasting_s >= LEAST_CUT_S:
                over = float(own[start:stop].max()) - 1.0
                text = f"{label(name)} is cut at 1 for {lasting_s:.2f} s: lower its gain or intensity."
                yield _problem(seen, "clamp", (start, stop), name, 0.3 + over, text)
        for start, stop in segments(own < 0.0):
            lost = float(np.ptp(own[start:stop]))
            if lost >= LEAST_LOST and _length_s(seen, start, stop) >= LEAST_CUT_S:
                text = f"{label(name)} is cut at 0, {lost:.2f} of its movement is lost: raise its offset."
                yield _problem(seen, "clamp", (start, stop), name, 0.3 + lost, text)


def _broken_contacts(seen: Evidence) -> Iterator[Problem]:
    if seen.contacts is None:
        return
    for number, side in enumerate("LR"):
        name = f"eye_close_{side}"
        touching, shut = np.asarray(seen.contacts.eyes)[:, number], closing.lids_closed(seen.values, side)
        yield from _parted(seen, name, (touching >= SURE) & (shut < OPEN_LIDS), 1.0 - shut, "eye is shut, the lids")
        yield from _met(seen, name, (touching <= 1.0 - SURE) & (shut > SHUT_LIDS), "eye is open, the lids")
    touching, apart = np.asarray(seen.contacts.lips), np.asarray(seen.contacts.lips_apart)
    gap, parting = closing.lips_opened(seen.values)
    dropped = np.asarray(seen.values)[:, channels.INDEX["jaw_drop"]]
    open_ = (touching >= SURE) & (np.maximum(gap, parting) > OPEN_LIPS)
    yield from _parted(seen, "lips_together", open_, np.maximum(gap, parting), "lips meet, the character's")
    shut_ = (apart >= SURE) & (dropped > DROPPED) & (gap < SHUT_LIPS) & (parting < SHUT_LIPS)
    yield from _met(seen, "lips_together", shut_, "lips are apart, the character's")


def _parted(
    seen: Evidence, name: str, wrong: NDArray[np.bool_], openness: NDArray[np.float64], what: str
) -> Iterator[Problem]:
    for start, stop in segments(wrong):
        most = float(openness[start:stop].max())
        yield _problem(seen, "contact", (start, stop), name, 0.3 + most, f"The actor's {what} stay apart.")


def _met(seen: Evidence, name: str, wrong: NDArray[np.bool_], what: str) -> Iterator[Problem]:
    for start, stop in segments(wrong):
        yield _problem(seen, "contact", (start, stop), name, 0.5, f"The actor's {what} meet.")


def _problem(
    seen: Evidence, kind: Kind, frames: tuple[int, int], channel: str | None, severity: float, message: str
) -> Problem:
    """One of frames start..stop - 1."""
    start_s, stop_s = float(seen.time_s[frames[0]]), float(seen.time_s[frames[1] - 1])
    return Problem(kind, start_s, stop_s, channel, float(np.clip(severity, 0.0, 1.0)), message)


def _length_s(seen: Evidence, start: int, stop: int) -> float:
    """How long frames are shown: until the one after them."""
    times = seen.time_s
    if stop < len(times):
        return float(times[stop] - times[start])
    return float(times[stop - 1] - times[start]) + (float(np.median(np.diff(times))) if len(times) > 1 else 0.0)


def _merged(found: Iterable[Problem]) -> Iterator[Problem]:
    """Overlapping problems as one: spikes whatever their channels, others of one action, whatever the side."""
    groups: dict[tuple[Kind, str], list[Problem]] = {}
    for problem in found:
        stem = (problem.channel or "").removesuffix("_L").removesuffix("_R")
        groups.setdefault((problem.kind, "" if problem.kind == "spike" else stem), []).append(problem)
    for group in groups.values():
        group.sort(key=lambda problem: problem.start_s)
        joined = [group[0]]
        for problem in group[1:]:
            if problem.start_s - joined[-1].stop_s < JOINED_S:
                joined[-1] = _join(joined[-1], problem)
            else:
                yield joined.pop()
                joined = [problem]
        yield joined[-1]


def _join(first: Problem, second: Problem) -> Problem:
    """Both as one, told by the worse; how long it lasts is both's."""
    worse = second if second.severity > first.severity else first
    return replace(worse, start_s=first.start_s, stop_s=max(first.stop_s, second.stop_s))
