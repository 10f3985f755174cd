"""Timecodes `HH:MM:SS:FF`, with fractions of a frame behind a point where a program writes them.

A timecode counts frames at a whole nominal rate. With a semicolon before the frames it drops the numbers 0 and 1 (0 to
3 at 60) at the start of each minute but every tenth, so that it keeps to the clock at 29.97 or 59.94 frames a second
(SMPTE ST 12-1).
"""

import re
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..errors import ExchangeError

NOMINAL_HZ: Final = (24, 25, 30, 48, 50, 60, 120)
DROPPING_HZ: Final = (30, 60, 120)
"""Rates at which timecodes may drop numbers."""
MOST_GAP_S: Final = 60.0
"""A step beyond this is no gap in a recording: the clock was set, or another recording begins."""

_FORM: Final = re.compile(r"(\d{1,3}):(\d{1,2}):(\d{1,2})([:;])(\d{1,3}(?:[.,]\d+)?)", re.ASCII)
_FRAME_PLACES: Final = 1000.0
"""A timecode is packed into one number: whole seconds in thousands, frames below."""
_DAY_S: Final = 86_400.0


def is_drop_frame(text: str) -> bool:
    """Whether a timecode is written as one that drops numbers."""
    return ";" in text


def parse(text: str) -> float:
    """A timecode as one number, for `seconds`; raises ValueError, whose text ends a sentence."""
    found = _FORM.fullmatch(text)
    if found is None:
        message = "is no timecode such as 10:02:33:14.500"
        raise ValueError(message)
    hours, minutes, seconds = (int(part) for part in found.groups()[:3])
    if minutes > 59 or seconds > 59:
        message = "is no time of day"
        raise ValueError(message)
    return (hours * 3600 + minutes * 60 + seconds) * _FRAME_PLACES + float(found.group(5).replace(",", "."))


def nominal_hz(packed: NDArray[np.float64], *, drop_frame: bool) -> tuple[int, bool]:
    """The rate at which timecodes count.

    Args:
        packed: (T,) timecodes, as `parse` gives them.
        drop_frame: Whether they drop numbers, which only `DROPPING_HZ` do.

    Returns:
        The rate, and whether it is certain: a recording that never reaches the end of a second leaves open how far its
        frames would have counted, and is then taken for the lowest of 30 and 60 that fits.
    """
    frame = np.floor(packed % _FRAME_PLACES)
    second = np.floor(packed / _FRAME_PLACES)
    most = int(frame.max())
    is_short = len(np.unique(second)) < 3
    if drop_frame or is_short:
        return next((rate for rate in DROPPING_HZ if rate > most), most + 1), not is_short
    return next((rate for rate in NOMINAL_HZ if rate > most), most + 1), True


def seconds(packed: NDArray[np.float64], rate_hz: int, *, drop_frame: bool) -> NDArray[np.float64]:
    """Seconds since midnight of the first day.

    Args:
        packed: (T,) timecodes, as `parse` gives them.
        rate_hz: The nominal rate.
        drop_frame: Whether they drop numbers.
    """
    whole, frame = np.divmod(packed, _FRAME_PLACES)
    if not drop_frame:
        return whole + frame / rate_hz
    minutes = np.floor(whole / 60.0)
    dropped = (rate_hz // 15) * (minutes - np.floor(minutes / 10.0))
    return (whole * rate_hz + frame - dropped) * 1.001 / rate_hz


def continuous(time_s: NDArray[np.float64], rate_hz: float) -> tuple[NDArray[np.float64], list[str]]:
    """Times that increase and start at 0.

    Midnight is passed. Where the clock jumps back, or further ahead than a recording pauses, the recording goes on one
    frame later. Rows with one and the same timecode are spread over the frame that it names.

    Returns:
        (T,) seconds, and notes for the user.
    """
    notes: list[str] = []
    steps = np.diff(time_s)
    steps = np.where(steps < -_DAY_S / 2.0, steps + _DAY_S, steps)
    jumps = (steps < 0.0) | (steps > MOST_GAP_S)
    if jumps.any():
        places = np.flatnonzero(jumps) + 2
        notes.append(f"timecode jumps at row {places[0]}" + (f" and {len(places) - 1} more" if len(places) > 1 else ""))
        notes[-1] += ": the recording goes on one frame later there"
    steps = np.where(jumps, 1.0 / rate_hz, steps)
    pauses = steps > 1.5 / rate_hz + 2.0 * float(np.median(steps) if len(steps) else 0.0)
    if pauses.any():
        notes.append(f"{int(pauses.sum())} gaps in the timecode, the longest of {float(steps.max()):.2f} s, were kept")
    times = np.concatenate([[0.0], np.cumsum(steps)])
    return _spread(times, rate_hz, notes), notes


def _spread(times: NDArray[np.float64], rate_hz: float, notes: list[str]) -> NDArray[np.float64]:
    """Sets rows of one time apart within their frame."""
    first = np.concatenate([[True], np.diff(times) > 1e-9])
    if first.all():
        return times
    group = np.cumsum(first) - 1
    starts = np.flatnonzero(first)
    place = np.arange(len(times)) - starts[group]
    size = np.bincount(group)[group]
    notes.append(f"{int((~first).sum())} rows repeat the timecode before them and were spread over its frame")
    ends = np.append(times[starts[1:]], np.inf)
    room = np.minimum(1.0 / rate_hz, ends - times[starts])
    return times[starts[group]] + place * room[group] / size


def write(time_s: float, rate_hz: int) -> str:
    """A timecode with thousandths of a frame for seconds since midnight; drops no numbers."""
    thousandths = round(time_s * rate_hz * 1000.0)
    frames, rest = divmod(thousandths, 1000)
    whole, frame = divmod(frames, rate_hz)
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours % 24:02}:{minute:02}:{second:02}:{frame:02}.{rest:03}"


def check_rate(wanted_hz: float, packed: NDArray[np.float64], *, drop_frame: bool) -> int:
    """A rate that the user names, as timecodes count it; raises ExchangeError where they cannot count so."""
    rate = round(wanted_hz)
    if drop_frame and rate not in DROPPING_HZ:
        rates = ", ".join(f"{rate / 1.001:.2f}" for rate in DROPPING_HZ)
        message = f"Its timecodes drop numbers, as {rates} Hz do, not {wanted_hz:g}: name such a rate or none."
        raise ExchangeError(message)
    most = int(np.floor(packed % _FRAME_PLACES).max())
    if most >= rate:
        message = f"Its timecodes count to frame {most}, so they cannot run at {wanted_hz:g} Hz: leave the rate out."
        raise ExchangeError(message)
    return rate
