"""Contact: when the actor's lips meet, and when an eye is shut.

A regressor says how far lids and lips have moved, not whether they touch, and a closed mouth that is a little open is
the first thing that people see. Contact is decided from both: from the heights of the openings in the take's own
landmarks, measured against the actor's own closed and open ones, and from the regressor's values. Weights and
thresholds were found on rendered performers whose lips and lids are known to touch (`training.closures`).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from . import channels
from .arrays import Floats
from .smoothing import segments
from .steadying import steady

EASE_S: Final = 0.05
"""Seconds in which a contact comes and goes: a frame or two."""

_LIDS: Final = (
    ((386, 374), (385, 380), (387, 373)),
    ((159, 145), (158, 153), (160, 144)),
)
"""Landmarks of the upper and the lower lid's edge around the middle of the actor's left and right eye."""

_LIPS: Final = ((13, 14), (82, 87), (312, 317))
"""Landmarks of the inner edge of the upper and the lower lip around the middle of the mouth."""

_FEWEST: Final = 10
"""Frames that an actor's own range needs; with fewer, a generic one stands in."""

_OPEN_EYE: Final = 0.14
"""Height of an open eye where the take shows none, in distances between the eyes."""

_SHUT_EYE: Final = 0.2
"""Height at which the tracker sees a shut eye where the take shows none, against that of the open one."""

_MOST_SHUT_EYE: Final = 0.4
_CLOSED_LIPS: Final = (0.015, 0.045)
"""Gap at which the tracker sees closed lips where the take shows none, and the most that is believed."""

_LEAST_SPREAD: Final = 0.01
_NEAR_CLOSED: Final = 0.04
_NEUTRAL_CLOSED: Final = 2.0
"""A neutral's lips are closed where their gap is below so many times the actor's closed one."""


@dataclass(frozen=True, slots=True)
class Contacts:
    """Contact over T frames: 1 where it is, 0 where it is not, easing between.

    Attributes:
        eyes: (T, 2) float64 0..1, the actor's left and right eye; NaN where there is no face.
        lips: (T,) float64 0..1; NaN where there is no face.
        lips_apart: (T,) float64 0..1: how surely the lips do not touch.
    """

    eyes: NDArray[np.float64]
    lips: NDArray[np.float64]
    lips_apart: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Seen:
    """What contact is decided from, T frames.

    Attributes:
        time_s: (T,) strictly increasing seconds.
        landmarks: (T, 478, 3) aligned (`landmarks.align`); NaN where there is no face.
        values: (T, 58) 0..1 before gains and smoothing, columns as `channels.IDS`; NaN where there is no face.
        confidence: (T,) 0..1.
        neutral: (478, 3) aligned landmarks of the actor's neutral that the values are measured from; None for the
            model's own.
    """

    time_s: Floats
    landmarks: Floats
    values: Floats
    confidence: Floats
    neutral: Floats | None = None


def detect(seen: Seen) -> Contacts:
    """Finds the contacts of a take."""
    openness = _openness(seen)
    scores = np.column_stack([_eye_scores(seen, openness), _lips_score(seen)])
    # Shut eyes and pressed lips themselves lower the confidence, so that only what is hardly a face has no say.
    trust = np.minimum(_TRUST * np.asarray(seen.confidence, np.float64), 1.0)
    scores = steady(seen.time_s, scores, trust).astype(np.float64)
    touching = np.column_stack([_touching(score, peak) for score, peak in zip(scores.T, _PEAKS, strict=True)])
    for side in (0, 1):
        _drop_doubtful_winks(touching[:, side], scores[:, 1 - side], openness[:, 1 - side])
    curves = np.column_stack([_eased(seen.time_s, each) for each in touching.T])
    curves[np.isnan(scores)] = np.nan
    return Contacts(curves[:, :2], curves[:, 2], np.clip(-scores[:, 2] / _SURE, 0.0, 1.0))


_PEAKS: Final = (2.8, 2.8, 2.0)
"""What the scores of the left eye, the right eye and the lips reach in a contact, which lasts as long as they are above
0."""

_TRUST: Final = 2.5
_LESS_WELL: Final = 2.0
_WIDE: Final = 0.6
"""Openness from which on an eye that stays open makes the other one's closing a wink."""

_SURE: Final = 3.0
"""Score below 0 from which on it is certain that there is no contact."""


def gaps(points: Floats, pairs: tuple[tuple[int, int], ...]) -> NDArray[np.float64]:
    """(T,) mean height between pairs of (upper, lower) landmarks of (T, 478, 3) aligned faces."""
    upper, lower = (list(each) for each in zip(*pairs, strict=True))
    return np.asarray(points[:, lower, 1] - points[:, upper, 1], np.float64).mean(axis=1)


def _openness(seen: Seen) -> NDArray[np.float64]:
    """(T, 2) height of each eye's opening: 0 where the actor's is shut, 1 where it is open."""
    result = np.full((len(seen.time_s), 2), np.nan)
    for side, pairs in enumerate(_LIDS):
        height, closing = gaps(seen.landmarks, pairs), _pair(seen, "eye_close")[:, side]
        known = ~np.isnan(height) & ~np.isnan(closing)
        opened, shut = _range_of_eye(height[known], closing[known])
        result[:, side] = (height - shut) / (opened - shut)
    return result


def _eye_scores(seen: Seen, openness: NDArray[np.float64]) -> NDArray[np.float64]:
    """(T, 2) above 0 where an eye is shut."""
    # The tracker lets one eye follow the other a little, so that a wink is seen less shut than a blink.
    winking = np.maximum(np.clip(openness[:, ::-1], 0.0, 1.0) - openness, 0.0)
    closing, down = _pair(seen, "eye_close"), _pair(seen, "look_down")
    own = 1.35 - 15.4 * np.minimum(openness, 0.6) + 6.95 * closing - 4.3 * down + 10.6 * winking
    # Where one eye is surely shut, the other, which often is seen less well, needs less to be believed.
    together = own.mean(axis=1, keepdims=True) - _LESS_WELL
    return np.where(openness < 0.5, np.maximum(own, together), own)


def _pair(seen: Seen, stem: str) -> NDArray[np.float64]:
    """(T, 2) values of a channel on the left and on the right."""
    return np.asarray(seen.values[:, [channels.INDEX[f"{stem}_{side}"] for side in "LR"]], np.float64)


def _drop_doubtful_winks(touching: NDArray[np.bool_], other_score: Floats, other_openness: Floats) -> None:
    """Takes back, in place, stretches in which the other eye is neither shut nor open: both look down, or narrow."""
    for start, stop in segments(touching):
        lowered = np.median(other_openness[start:stop]) < _WIDE
        if lowered and other_score[start:stop].max() < _LESS_WELL:
            touching[start:stop] = False


def _range_of_eye(height: NDArray[np.float64], closing: NDArray[np.float64]) -> tuple[float, float]:
    """Heights of the actor's own open and shut eye."""
    wide = height[closing < 0.5]
    opened = float(np.quantile(wide, 0.8)) if len(wide) >= _FEWEST else _OPEN_EYE
    low = height[(height < 0.55 * opened) & (closing > 0.6)]
    shut = float(np.median(low)) if len(low) >= 3 else _SHUT_EYE * opened
    return opened, float(np.clip(shut, 0.0, _MOST_SHUT_EYE * opened))


def _lips_score(seen: Seen) -> NDArray[np.float64]:
    """(T,) above 0 where the lips touch."""
    gap = gaps(seen.landmarks, _LIPS)
    closed = _closed_lips(gap[~np.isnan(gap)])
    wide = (gap - closed) / (closed + _LEAST_SPREAD)
    dropped, together, depressed, raised, funnel = (
        seen.values[:, channels.INDEX[name]]
        for name in ("jaw_drop", "lips_together", "lower_lip_depress", "upper_lip_raise", "lip_funnel")
    )
    # Values are measured from the neutral: where its lips are parted, a jaw that is not dropped says nothing.
    parted = 0.0
    if seen.neutral is not None:
        parted = float(gaps(np.asarray(seen.neutral)[None], _LIPS)[0]) > _NEUTRAL_CLOSED * closed + _LEAST_SPREAD
    hanging = 0.0 if parted else np.maximum(dropped - together, 0.0)
    return 5.81 - 2.53 * np.minimum(wide, 3.0) - 34.8 * hanging - 47.3 * depressed - 12.3 * raised - 18.3 * funnel


def _closed_lips(gap: NDArray[np.float64]) -> float:
    """The gap that the tracker sees where the actor's lips touch."""
    usual, most = _CLOSED_LIPS
    if len(gap) < _FEWEST:
        return usual
    lowest = float(np.quantile(gap, 0.05))
    closed = float(np.median(gap[gap <= lowest + _NEAR_CLOSED]))
    return closed if closed <= most else usual


def _touching(score: NDArray[np.float64], peak: float) -> NDArray[np.bool_]:
    """(T,) stretches of scores above 0 that reach the peak."""
    result = score > 0.0
    for start, stop in segments(result):
        result[start:stop] = score[start:stop].max() >= peak
    return result


def _eased(time_s: Floats, touching: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(T,) 1 at frames of contact, running out smoothly within `EASE_S` of them."""
    times, places = np.asarray(time_s, np.float64), np.flatnonzero(touching)
    if not len(places):
        return np.zeros(len(times))
    after = np.searchsorted(places, np.arange(len(times)))
    nearest = [times[places[np.clip(after - step, 0, len(places) - 1)]] for step in (0, 1)]
    share = np.clip(1.0 - np.minimum(*(np.abs(times - each) for each in nearest)) / EASE_S, 0.0, 1.0)
    return share * share * (3.0 - 2.0 * share)
