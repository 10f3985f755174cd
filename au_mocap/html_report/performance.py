"""One take as a report shows it, and the facts that belong above its curves."""

import math
from dataclasses import dataclass
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from ..calibration import Curves, Settings
from ..edits import Edits
from ..smoothing import segments
from ..take import Take
from . import markup

_NEUTRALS: Final = {
    "auto": "found automatically",
    "frames": "chosen frames",
    "none": "the regressor's own",
    "mean": "mean of all frames",
    "given": "from the actor's profile",
}
_GAPS: Final = {"leave": "left empty", "hold": "last expression held", "fade": "fading to rest"}
_NAMED_FRAMES: Final = 4
"""More stretches of neutral frames than this are counted instead."""


@dataclass(frozen=True, slots=True)
class Performance:
    """A take with its curves.

    Attributes:
        name: What the user calls it.
        take: The take.
        curves: Its curves, one row for each of its frames.
        settings: What made them.
    """

    name: str
    take: Take
    curves: Curves
    settings: Settings

    @property
    def clip(self) -> str:
        """Name of the video, as far as the take knows it."""
        return str(self.take.meta.get("source", {}).get("name") or self.name)

    @property
    def maker(self) -> str:
        """Name and version of the regressor."""
        made = self.take.meta.get("regressor", {})
        return f"{made.get('name', 'unknown')} {made.get('version', '')}".strip()

    @property
    def span_s(self) -> tuple[float, float]:
        """First and last time, a millisecond apart where there is one frame."""
        first, last = float(self.curves.time_s[0]), float(self.curves.time_s[-1])
        return first, max(last, first + 1e-3)


def facts(shown: Performance) -> list[tuple[str, str]]:
    """What was measured and how it was treated: terms and plain, unescaped text."""
    settings, take = shown.settings, shown.take
    adjusted = {*settings.gains, *settings.offsets}
    listed = [
        ("Clip", _clip(shown)),
        ("Length", f"{markup.clock(shown.span_s[1] - shown.span_s[0])}, {_count(len(take), 'frame')}"),
        ("Face found", _found(take)),
        ("Confidence", _confidence(take)),
        ("Regressor", shown.maker),
        *([("Refined by", told)] if (told := _refined(take)) else []),
        ("Tracker", _named(take.meta.get("tracker", {}))),
        ("Analysed by", str(take.meta.get("made_by") or "another program")),
        ("Neutral", _neutral(shown)),
        ("Smoothing", settings.smoothing),
        ("While no face is seen", _GAPS[settings.gaps]),
        ("Left and right", "swapped, for mirrored video" if settings.mirror else "as filmed"),
        ("Contacts of lids and lips", markup.share(settings.contact)),
    ]
    if adjusted:
        listed.append(("Ranges", f"{_count(len(adjusted), 'channel')} adjusted"))
    if not settings.shaping.is_plain:
        listed.append(("Intensity", "shaped by region"))
    if not settings.edits.is_empty:
        listed.append(("By hand", _edits(settings.edits)))
    actor = take.meta.get("actor")
    if isinstance(actor, dict):
        known = cast(dict[str, Any], actor)
        listed.append(("Actor", f"{known.get('number', '?')} of {known.get('of', '?')} in the shot"))
    if take.meta.get("partial"):
        listed.append(("Partial", "analysis was stopped before the end"))
    return listed


def _refined(take: Take) -> str:
    """Who refined a take, in how many steps; empty where nobody did."""
    about: object = take.meta.get("refined")
    if not isinstance(about, dict):
        return ""
    known = cast(dict[str, Any], about)
    partial = ", stopped before the end" if known.get("partial") else ""
    return f"{_named(known)}, {known.get('steps', '?')} steps, {known.get('frames', '?')} frames{partial}"


def _edits(edits: Edits) -> str:
    """What is the artist's word and not measured."""
    parts = [f"{_count(len(edits.fixes), 'value')} fixed"] if edits.fixes else []
    parts += [f"{_count(len(edits.overrides), 'stretch', 'stretches')} drawn"] if edits.overrides else []
    return f"{', '.join(parts)} in {_count(len(edits.channel_ids), 'channel')}"


def gaps_of(found: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Stretches of frames without a face: first frame and the one after the last."""
    return segments(~found)


def _clip(shown: Performance) -> str:
    parts = [shown.clip]
    size = shown.take.meta.get("frame_size")
    if isinstance(size, list) and len(size) == 2:  # pyright: ignore[reportUnknownArgumentType] - any JSON
        parts.append(f"{size[0]} x {size[1]}")
    rate_hz = shown.take.meta.get("source", {}).get("rate_hz")
    if isinstance(rate_hz, int | float) and math.isfinite(rate_hz):
        parts.append(f"{rate_hz:.4g} fps")
    return ", ".join(parts)


def _found(take: Take) -> str:
    gaps = gaps_of(take.found)
    text = markup.share(float(take.found.mean()))
    if not gaps:
        return text
    ends_s = np.append(take.time_s, take.time_s[-1] + _step_s(take))
    longest_s = max(ends_s[stop] - ends_s[first] for first, stop in gaps)
    return f"{text}; {_count(len(gaps), 'gap')}, the longest {longest_s:.1f} s"


def _step_s(take: Take) -> float:
    return float(np.median(np.diff(take.time_s))) if len(take) > 1 else 0.0


def _confidence(take: Take) -> str:
    seen = take.confidence[take.found]
    return f"{float(seen.mean()):.2f} in the mean, {float(seen.min()):.2f} at the lowest" if seen.size else "no face"


def _neutral(shown: Performance) -> str:
    mode, choice = shown.settings.neutral.mode, shown.curves.neutral
    text = _NEUTRALS[mode]
    if mode in ("none", "given"):
        return text
    frames = sorted({*choice.upper_frames, *choice.lower_frames})
    named = "" if mode == "mean" or not frames else f", {_stretches(frames)}"
    return f"{text}{named}; confidence {choice.confidence:.2f}"


def _stretches(frames: list[int]) -> str:
    numbers = np.array(frames)
    parts = np.split(numbers, np.flatnonzero(np.diff(numbers) != 1) + 1)
    if len(parts) > _NAMED_FRAMES:
        return f"{_count(len(frames), 'frame')} between {frames[0]} and {frames[-1]}"
    return "frames " + ", ".join(f"{part[0]}-{part[-1]}" if len(part) > 1 else f"{part[0]}" for part in parts)


def _named(made: dict[str, object]) -> str:
    return f"{made.get('name', 'unknown')} {made.get('version', '')}".strip()


def _count(number: int, noun: str, many: str = "") -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {many or noun + 's'}"
