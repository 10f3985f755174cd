"""What one face can do at once: which actions exclude or hinder each other, and what the lips need.

The rules are continuous, so that a performance that keeps them in every frame does not jump, and they treat both sides
alike.
"""

from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

from au_mocap.channels import PREDICTED_IDS

INDEX: Final = {channel_id: index for index, channel_id in enumerate(PREDICTED_IDS)}
"""Column of each predicted channel."""

TONGUE_GAP: Final = 0.15
"""How far the lips must stand apart, in units of `jaw_drop` less `lips_together`, for the tongue to come out fully."""

_SEALING: Final = 5.0
"""How quickly puffing or pressing closes the lips: from a fifth of the action on they are sealed."""

_EXCLUSIVE: Final = (
    ("eye_close", "lid_raise"),
    ("look_in", "look_out"),
    ("look_up", "look_down"),
    ("jaw_slide_L", "jaw_slide_R"),
    ("mouth_slide_L", "mouth_slide_R"),
    ("lip_corner_pull", "lip_corner_depress"),
    ("lip_pucker", "lip_corner_pull"),
    ("lip_pucker", "lip_stretch"),
    ("lip_pucker", "upper_lip_suck"),
    ("lip_pucker", "lower_lip_suck"),
    ("lip_funnel", "upper_lip_suck"),
    ("lip_funnel", "lower_lip_suck"),
    ("lip_funnel", "lip_press"),
    ("upper_lip_suck", "upper_lip_raise"),
    ("lower_lip_suck", "lower_lip_depress"),
    ("lip_press", "lower_lip_depress"),
    ("tongue_out", "lip_press"),
    ("tongue_out", "upper_lip_suck"),
    ("tongue_out", "lower_lip_suck"),
    ("tongue_out", "cheek_puff"),
)
"""Actions that exclude each other; where both have sides, on the same side."""

_EXCLUSIVE_ACROSS: Final = (
    ("cheek_puff", "upper_lip_raise"),
    ("cheek_puff", "lower_lip_depress"),
)
"""Actions that exclude each other whatever their sides: lips that part anywhere let the air out."""

_HINDERED: Final = (
    ("brow_lower", "brow_raise", 1.3),
    ("lid_tighten", "lid_raise", 1.3),
    ("lip_pucker", "lip_funnel", 1.5),
    ("jaw_drop", "upper_lip_suck", 1.2),
    ("jaw_drop", "lower_lip_suck", 1.2),
    ("jaw_drop", "chin_raise", 1.3),
)
"""Actions that work against each other, and the most that they reach together."""


def columns(stem: str) -> list[int]:
    """Columns of a channel named with its side or without: one column, or those of both sides."""
    return [INDEX[stem]] if stem in INDEX else [INDEX[f"{stem}_L"], INDEX[f"{stem}_R"]]


def _opponents() -> tuple[tuple[list[int], list[int]], ...]:
    pairs: list[tuple[list[int], list[int]]] = []
    for first, second in _EXCLUSIVE:
        a, b = columns(first), columns(second)
        pairs += [([left], [right]) for left, right in zip(a, b, strict=True)] if len(a) == len(b) == 2 else [(a, b)]
    return (*pairs, *((columns(first), columns(second)) for first, second in _EXCLUSIVE_ACROSS))


_OPPONENTS: Final = _opponents()


def _exclusions() -> NDArray[np.bool_]:
    table = np.zeros((len(PREDICTED_IDS), len(PREDICTED_IDS)), np.bool_)
    for first, second in _OPPONENTS:
        for a, b in product(first, second):
            table[a, b] = table[b, a] = True
    return table


EXCLUSIONS: Final = _exclusions()
"""(P, P) bool: which channels are never above zero together."""

_TOGETHER: Final = INDEX["lips_together"]
_JAW: Final = INDEX["jaw_drop"]
_TONGUE: Final = INDEX["tongue_out"]
_SEALED_BY: Final = columns("cheek_puff") + columns("lip_press")


def enforce(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """What remains of (..., P) values when one face performs them; also clips to 0..1.

    Of two opponents the stronger keeps what it has more; actions that hinder each other give way in equal parts; lips
    that press or hold air are closed; the tongue comes out only between parted lips; `lips_together` never exceeds
    `jaw_drop`.
    """
    values = np.clip(values, 0.0, 1.0)
    for first, second in _OPPONENTS:
        a = values[..., first].max(axis=-1, keepdims=True)
        b = values[..., second].max(axis=-1, keepdims=True)
        values[..., first] = np.maximum(values[..., first] - b, 0.0)
        values[..., second] = np.maximum(values[..., second] - a, 0.0)
    for first, second, most in _HINDERED:
        a, b = columns(first), columns(second)
        excess = np.maximum(values[..., a] + values[..., b] - most, 0.0)
        values[..., a] -= excess / 2
        values[..., b] -= excess / 2
    jaw = values[..., _JAW]
    widest_gap = np.maximum(1.0 - _SEALING * values[..., _SEALED_BY].max(axis=-1), 0.0)
    together = np.clip(values[..., _TOGETHER], jaw - widest_gap, jaw)
    values[..., _TOGETHER] = together
    values[..., _TONGUE] = np.minimum(values[..., _TONGUE], (jaw - together) / TONGUE_GAP)
    return values
