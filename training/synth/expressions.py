"""What is performed: expressions balanced over channels and intensities, and natural ones.

The balance is the third paper's: every channel appears at every intensity, alone and in combination, so that no
channel is rare and none is tied to another. A share of the frames shows what people really do, where channels come
together: without it a laugh, say, would be explained by any mixture that bares the teeth.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from au_mocap.channels import PREDICTED_IDS, mirrored

INDEX: Final = {channel_id: index for index, channel_id in enumerate(PREDICTED_IDS)}

_EXCLUSIVE: Final = (
    ("eye_close_L", "lid_raise_L"),
    ("eye_close_R", "lid_raise_R"),
    ("jaw_slide_L", "jaw_slide_R"),
    ("mouth_slide_L", "mouth_slide_R"),
    ("brow_lower_L", "brow_raise_L"),
    ("brow_lower_R", "brow_raise_R"),
    ("lip_pucker", "lip_corner_pull_L"),
    ("lip_pucker", "lip_corner_pull_R"),
    ("lip_pucker", "lip_stretch_L"),
    ("lip_pucker", "lip_stretch_R"),
    ("lip_funnel", "upper_lip_suck"),
    ("lip_funnel", "lower_lip_suck"),
    ("lip_funnel", "lip_press_L"),
    ("lip_funnel", "lip_press_R"),
    ("lip_pucker", "upper_lip_suck"),
    ("lip_pucker", "lower_lip_suck"),
    ("upper_lip_suck", "upper_lip_raise_L"),
    ("upper_lip_suck", "upper_lip_raise_R"),
    ("lower_lip_suck", "lower_lip_depress_L"),
    ("lower_lip_suck", "lower_lip_depress_R"),
    ("lip_corner_pull_L", "lip_corner_depress_L"),
    ("lip_corner_pull_R", "lip_corner_depress_R"),
    ("cheek_puff_L", "jaw_drop"),
    ("cheek_puff_R", "jaw_drop"),
    ("cheek_puff_L", "tongue_out"),
    ("cheek_puff_R", "tongue_out"),
)
"""Pairs that one face cannot do at once; the weaker one is dropped."""

_NATURAL: Final[tuple[dict[str, tuple[float, float]], ...]] = (
    {  # smile
        "lip_corner_pull": (0.3, 1.0),
        "cheek_raise": (0.2, 1.0),
        "lid_tighten": (0.0, 0.5),
        "upper_lip_raise": (0.0, 0.4),
        "dimple": (0.0, 0.3),
        "jaw_drop": (0.0, 0.2),
    },
    {  # laugh
        "lip_corner_pull": (0.5, 1.0),
        "cheek_raise": (0.3, 1.0),
        "eye_close": (0.0, 0.6),
        "upper_lip_raise": (0.1, 0.6),
        "lower_lip_depress": (0.0, 0.4),
        "lip_stretch": (0.0, 0.4),
        "jaw_drop": (0.1, 0.8),
    },
    {  # sorrow
        "inner_brow_raise": (0.3, 1.0),
        "brow_lower": (0.0, 0.7),
        "lip_corner_depress": (0.2, 1.0),
        "chin_raise": (0.0, 0.8),
        "eye_close": (0.0, 1.0),
        "cheek_raise": (0.0, 0.6),
    },
    {  # anger
        "brow_lower": (0.4, 1.0),
        "lid_tighten": (0.2, 0.8),
        "lip_press": (0.0, 0.8),
        "nose_wrinkle": (0.0, 0.5),
        "upper_lip_raise": (0.0, 0.5),
    },
    {  # surprise
        "brow_raise": (0.4, 1.0),
        "inner_brow_raise": (0.4, 1.0),
        "lid_raise": (0.3, 1.0),
        "jaw_drop": (0.1, 0.9),
    },
    {  # disgust
        "nose_wrinkle": (0.4, 1.0),
        "upper_lip_raise": (0.3, 1.0),
        "brow_lower": (0.2, 0.7),
        "lid_tighten": (0.0, 0.6),
        "chin_raise": (0.0, 0.5),
    },
    {  # fear
        "inner_brow_raise": (0.3, 1.0),
        "brow_lower": (0.2, 0.6),
        "lid_raise": (0.3, 1.0),
        "lip_stretch": (0.3, 1.0),
        "jaw_drop": (0.0, 0.6),
    },
    {  # speech
        "jaw_drop": (0.0, 0.5),
        "lip_funnel": (0.0, 0.6),
        "lip_pucker": (0.0, 0.5),
        "lower_lip_depress": (0.0, 0.5),
        "upper_lip_raise": (0.0, 0.3),
        "lip_stretch": (0.0, 0.3),
        "lips_together": (0.0, 0.5),
    },
)
"""Channels (both sides where they have sides) with their ranges, in what people show and say."""

_SHARE_NATURAL: Final = 0.3

_GAZE: Final = tuple(channel_id for channel_id in PREDICTED_IDS if channel_id.startswith("look_"))
_OTHERS: Final = tuple(channel_id for channel_id in PREDICTED_IDS if channel_id not in _GAZE)


def sample(count: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Draws expressions: (count, P) values 0..1 over `channels.PREDICTED_IDS`."""
    values = np.zeros((count, len(PREDICTED_IDS)), np.float32)
    leads = rng.permutation(np.arange(count) % len(_OTHERS))
    for row, lead in zip(values, leads, strict=True):
        _fill(row, _OTHERS[lead], rng)
    return values


def _fill(row: NDArray[np.float32], lead: str, rng: np.random.Generator) -> None:
    kind = rng.random()
    if rng.random() < _SHARE_NATURAL:
        _act_naturally(row, rng)
    elif kind >= 0.06:  # the rest stays neutral but for gaze and blinks
        _act(row, lead, rng.random(), rng)
        company = 0 if kind < 0.3 else int(rng.integers(1, 6))
        for channel_id in rng.choice(_OTHERS, company, replace=False):
            _act(row, str(channel_id), rng.random() * rng.uniform(0.3, 1.0), rng)
    if rng.random() < 0.25:
        closure = rng.random()
        row[INDEX["eye_close_L"]] = row[INDEX["eye_close_R"]] = closure
    if rng.random() < 0.5:
        _look(row, rng)
    apply_anatomy(row)


def _act(row: NDArray[np.float32], channel_id: str, value: float, rng: np.random.Generator) -> None:
    """Performs a channel: on its own side, or on both with nearly equal strength."""
    row[INDEX[channel_id]] = value
    other = mirrored(channel_id)
    if other != channel_id and not channel_id.startswith(("jaw_slide", "mouth_slide")) and rng.random() < 0.55:
        row[INDEX[other]] = np.clip(value * rng.normal(1.0, 0.12), 0.0, 1.0)
    if channel_id == "tongue_out":
        row[INDEX["jaw_drop"]] = max(row[INDEX["jaw_drop"]], rng.uniform(0.25, 0.8))
    if channel_id == "lips_together":
        row[INDEX["jaw_drop"]] = max(row[INDEX["jaw_drop"]], value)


def _act_naturally(row: NDArray[np.float32], rng: np.random.Generator) -> None:
    """Performs a natural expression, nearly the same on both sides, at a strength between a trace and full."""
    strength = rng.uniform(0.2, 1.0)
    for stem, (low, high) in _NATURAL[rng.integers(len(_NATURAL))].items():
        value = strength * rng.uniform(low, high)
        for channel_id in (stem,) if stem in INDEX else (f"{stem}_L", f"{stem}_R"):
            row[INDEX[channel_id]] = np.clip(value * rng.normal(1.0, 0.08), 0.0, 1.0)


def _look(row: NDArray[np.float32], rng: np.random.Generator) -> None:
    """Both eyes look the same way, with a little convergence."""
    to_left, up = rng.uniform(-1.0, 1.0, 2)
    convergence = rng.uniform(0.0, 0.1)
    for side, outward in (("L", to_left - convergence), ("R", -to_left - convergence)):
        row[INDEX[f"look_out_{side}"]] = np.clip(outward, 0.0, 1.0)
        row[INDEX[f"look_in_{side}"]] = np.clip(-outward, 0.0, 1.0)
        row[INDEX[f"look_up_{side}"]] = max(up, 0.0)
        row[INDEX[f"look_down_{side}"]] = max(-up, 0.0)


def apply_anatomy(row: NDArray[np.float32]) -> None:
    """Removes in place what one face cannot do at once, and holds lips together at or below the jaw's drop."""
    for first, second in _EXCLUSIVE:
        a, b = INDEX[first], INDEX[second]
        if row[a] > 0 and row[b] > 0:
            row[b if row[a] >= row[b] else a] = 0.0
    together, jaw = INDEX["lips_together"], INDEX["jaw_drop"]
    row[together] = min(row[together], row[jaw])
    if row[INDEX["tongue_out"]] > 0 and row[jaw] < 0.2:
        row[jaw] = 0.2
        row[together] = 0.0
