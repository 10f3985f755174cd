"""Benchmarks: `python make.py bench [NAME...] [--json FILE]`.

A bench is a module of this package with a function at its top level

    def rows() -> Iterator[Row]: ...

Its name is the module's; the first line of its docstring is shown while it runs. Modules without `rows` are helpers.
Modules are imported only when they run, so a bench may import bpy, and a helper may be a script for another
environment.

    from . import Row, at_least, at_most, skipped

    def rows() -> Iterator[Row]:
        yield at_least("frames_per_second", 312.0, "frames/s", 200.0)   # a figure with a target
        yield at_most("peak_memory", 640.0, "MB", 1000.0)
        yield Row("start_up", 1.3, "s")                                  # a figure without one
        yield skipped("ratio_to_peer", "the mediapipe package cannot be installed here")

Comparisons with a peer are ratios measured in one run, since absolute times drift with the machine. Peak memory and
start-up are measured in a process of their own, or the benches before would spoil them.

The JSON file holds a list of `{"bench", "key", "value", "unit", "target", "ok"}`: `value` is null where a figure was
skipped, `target` reads ">= 200" or is null, `ok` is null where there is no target or no value.
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One measured figure.

    Attributes:
        key: What was measured, a name that stays the same from run to run.
        value: The figure, None where it was skipped.
        unit: Its unit; empty for a ratio or a count.
        target: What is asked for, such as ">= 200"; None for information.
        ok: Whether the target was met; None where there is none or no figure.
        note: Why it was skipped, or what else the reader should know; printed, not written to JSON.
    """

    key: str
    value: float | None
    unit: str = ""
    target: str | None = None
    ok: bool | None = None
    note: str = ""


def at_least(key: str, value: float, unit: str, limit: float, note: str = "") -> Row:
    """Return a figure that should not be below a limit."""
    return Row(key, value, unit, f">= {limit:g}", math.isfinite(value) and value >= limit, note)


def at_most(key: str, value: float, unit: str, limit: float, note: str = "") -> Row:
    """Return a figure that should not be above a limit."""
    return Row(key, value, unit, f"<= {limit:g}", math.isfinite(value) and value <= limit, note)


def skipped(key: str, reason: str) -> Row:
    """Return a row that says why there is no figure."""
    return Row(key, None, note=f"skipped: {reason}")
