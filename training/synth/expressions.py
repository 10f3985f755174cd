"""What is performed: expressions balanced over channels and intensities.

The balance is the third paper's: every channel appears at every intensity, alone and in combination, so that no channel
is rare and none is tied to another.
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
    if kind >= 0.06:  # the rest stays neutral but for gaze and blinks
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
