"""When the frames of a table were: from a column of seconds, of milliseconds or of frame numbers, or from a rate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..errors import ExchangeError
from .sheet import Sheet

DEFAULT_HZ: Final = 30.0
MOST_HZ: Final = 1000.0
_UNITS_S: Final = ((1e6, 1e-9), (1e3, 1e-6), (1.0, 1e-3))
"""Least steps between frames, and the seconds in the unit that they tell."""


def check_rate(rate_hz: float | None) -> None:
    """Makes sure that a rate can be; raises ExchangeError."""
    if rate_hz is not None and not 0.1 <= rate_hz <= MOST_HZ:
        message = f"{rate_hz:g} is no frame rate: name 0.1 to {MOST_HZ:g} Hz."
        raise ExchangeError(message)


@dataclass(frozen=True, slots=True)
class Clock:
    """Where a table says when its frames were.

    Attributes:
        columns: The column of times or frame numbers; empty where there is none.
        unit_s: Seconds in a unit of that column; 0 for frame numbers, -1 where its steps must tell.
    """

    columns: tuple[int, ...]
    unit_s: float

    def seconds(
        self, cells: NDArray[np.float64], rate_hz: float | None, default_hz: float = DEFAULT_HZ
    ) -> tuple[NDArray[np.float64], list[str]]:
        """Times in seconds, and notes.

        Args:
            cells: (T, 1) of the column, or (T, 0).
            rate_hz: What the user says; only asked where there are no times.
            default_hz: Taken where the user says nothing.
        """
        check_rate(rate_hz)
        if self.unit_s > 0.0:
            return cells[:, 0] * self.unit_s, []
        if self.unit_s < 0.0:
            # No recording has a second between its frames, so steps of one and more are milliseconds; those of a
            # thousand and more are microseconds, and so on.
            step = float(np.nanmedian(np.diff(cells[:, 0]))) if len(cells) > 1 else 0.0
            unit_s = next((unit for least, unit in _UNITS_S if step >= least), 1.0)
            return cells[:, 0] * unit_s, []
        notes = [] if rate_hz else [f"no times in the file: {default_hz:g} frames a second taken"]
        frame = cells[:, 0] - cells[0, 0] if self.columns else np.arange(len(cells), dtype=np.float64)
        return frame / (rate_hz or default_hz), notes


def clock_of(sheet: Sheet, seconds: Mapping[str, float], frames: Sequence[str], either: Sequence[str] = ()) -> Clock:
    """Looks for a table's times.

    Args:
        sheet: The table.
        seconds: Names of columns of times, with the seconds in their unit.
        frames: Names of columns of frame numbers.
        either: Names of columns whose unit must be told by their steps.
    """
    for name, unit_s in (*seconds.items(), *((name, -1.0) for name in either), *((name, 0.0) for name in frames)):
        column = sheet.find(name)
        if column is not None:
            return Clock((column,), unit_s)
    return Clock((), 0.0)
