"""What is performed: expressions balanced over channels and intensities, and natural ones.

The balance is that of the third paper: every channel is shown equally often at every level of intensity, not at all
among them, alone and in company, so that no channel is rare and none is tied to another. A share of the frames shows
what people really do and say, where channels come together: without it a laugh, say, would be explained by any mixture
that bares the teeth.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from au_mocap.channels import INTENSITY_LETTERS, PREDICTED_IDS, mirrored
from training.synth.limits import EXCLUSIONS, INDEX, columns, enforce
from training.synth.repertoire import ALIKE, VISEMES, gaze, pattern, prepare, viseme

LEVELS: Final = 1 + len(INTENSITY_LETTERS)
"""Not present, and A to E."""

SHARES: Final = {
    "balanced": 0.56,
    "neutral": 0.04,
    "micro": 0.05,
    "natural": 0.15,
    "speech": 0.14,
    "eyes": 0.06,
}
"""Kinds of frames with their shares."""

MICRO: Final = 0.15
"""Greatest value in frames of kind `micro`."""

LEADS: Final = tuple(channel_id for channel_id in PREDICTED_IDS if not channel_id.startswith("look_"))
"""Channels that are dealt out level by level; the gaze is drawn over all directions instead."""

_EYES: Final = (*columns("eye_close"), *columns("lid_raise"))
_SWINGS: Final = ("jaw_slide", "mouth_slide")


def sample(count: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Draws expressions in random order: (count, P) values 0..1 over `channels.PREDICTED_IDS`.

    The kinds of `SHARES` come in their shares even in a small draw.
    """
    bounds = np.cumsum(list(SHARES.values()))
    places = (np.arange(count) + rng.random()) / count * bounds[-1]
    kinds = [list(SHARES)[index] for index in np.searchsorted(bounds[:-1], places, side="right")]
    cells = iter(deal(kinds.count("balanced"), rng))
    rows = np.zeros((count, len(PREDICTED_IDS)), np.float32)
    for index, kind in zip(rng.permutation(count), kinds, strict=True):
        rows[index] = _balanced(*next(cells), rng) if kind == "balanced" else _OTHERS[kind](rng)
    return enforce(rows)


def deal(count: int, rng: np.random.Generator) -> list[tuple[str, int]]:
    """Deals `count` pairs of channel and level (0 not present, 1..5 for A..E): all of them before any comes again.

    Channels that no other side brings along are dealt twice.
    """
    turns = [channel_id for channel_id in LEADS for _ in range(1 if _partner(channel_id) else 2)]
    cells = [(channel_id, level) for channel_id in turns for level in range(LEVELS)]
    order = np.concatenate([rng.permutation(len(cells)) for _ in range(-(-count // len(cells)))] or [np.arange(0)])
    return [cells[index] for index in order[:count]]


def draw_level(level: int, rng: np.random.Generator) -> float:
    """A value within a level A..E (1..5), uniform."""
    return float(level - rng.random()) / (LEVELS - 1)


def act(row: NDArray[np.float32], channel_id: str, value: float, rng: np.random.Generator) -> None:
    """Adds an action to a (P,) row: one-sided, on both sides with nearly equal strength, or each side on its own."""
    row[INDEX[channel_id]] = value
    other = _partner(channel_id)
    manner = rng.random()
    if other and manner > 0.35 and not _clashes(row, other):
        row[INDEX[other]] = _reflected(value + rng.normal(0.0, 0.06)) if manner < 0.8 else rng.random()
    prepare(row, channel_id, rng)


def _partner(channel_id: str) -> str:
    """The same action on the other side; empty where there is none, or where it would undo this one."""
    other = mirrored(channel_id)
    return "" if other == channel_id or channel_id.startswith(_SWINGS) else other


def _balanced(lead: str, level: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """A channel at a level, alone or in company; at level 0 what resembles it, without it."""
    row = np.zeros(len(PREDICTED_IDS), np.float32)
    alike = ALIKE[lead] or LEADS
    if level == 0:
        for channel_id in rng.choice(alike, rng.integers(1, 4)):
            _join(row, str(channel_id), rng, without=lead)
        row[INDEX[lead]] = 0.0
    else:
        act(row, lead, draw_level(level, rng), rng)
    alone = rng.random() < 0.3
    if not alone:
        if rng.random() < 0.4:
            _join(row, str(rng.choice(alike)), rng, without=lead)
        for channel_id in rng.choice(LEADS, rng.integers(1, 7), replace=False):
            _join(row, str(channel_id), rng, without=lead)
        if rng.random() < 0.1:
            _blink(row, rng)
    if rng.random() < (0.2 if alone else 0.55):
        np.maximum(row, _any_gaze(rng), out=row)
    return row


def _join(row: NDArray[np.float32], channel_id: str, rng: np.random.Generator, without: str = "") -> None:
    """Adds an action at any level, unless it is there already, is unwanted, or cannot be done with the others."""
    if channel_id == without or row[INDEX[channel_id]] > 0 or _clashes(row, channel_id):
        return
    with_it = row.copy()
    act(with_it, channel_id, rng.random(), rng)
    if not without or with_it[INDEX[without]] == row[INDEX[without]]:
        row[:] = with_it


def _clashes(row: NDArray[np.float32], channel_id: str) -> bool:
    return bool((row[EXCLUSIONS[INDEX[channel_id]]] > 0).any())


def _neutral(rng: np.random.Generator) -> NDArray[np.float32]:
    """Nothing; at times with a glance."""
    return _natural_gaze(rng, 0.3) if rng.random() < 0.3 else np.zeros(len(PREDICTED_IDS), np.float32)


def _micro(rng: np.random.Generator) -> NDArray[np.float32]:
    """Traces of a few actions."""
    row = np.zeros(len(PREDICTED_IDS), np.float32)
    for channel_id in rng.choice(LEADS, rng.integers(1, 9), replace=False):
        if not _clashes(row, str(channel_id)):
            act(row, str(channel_id), rng.random(), rng)
    return row * np.float32(MICRO)


def _natural(rng: np.random.Generator) -> NDArray[np.float32]:
    """An expression as people show it, with the gaze and at times a blink."""
    row = pattern(rng)
    return _with_eyes(row, rng)


def _speech(rng: np.random.Generator) -> NDArray[np.float32]:
    """A mouth between two sounds, at times with an expression."""
    first, second = (viseme(str(name), rng, rng.uniform(0.5, 1.2)) for name in rng.choice(list(VISEMES), 2))
    share = rng.beta(0.5, 0.5)
    row = first * np.float32(1.0 - share) + second * np.float32(share)
    if rng.random() < 0.35:
        row = np.maximum(row, pattern(rng) * np.float32(rng.uniform(0.2, 0.8)))
    return _with_eyes(row, rng)


def _eyes(rng: np.random.Generator) -> NDArray[np.float32]:
    """Blinks at all phases, winks and looks in all directions, with nothing else."""
    row = _any_gaze(rng) if rng.random() < 0.7 else np.zeros(len(PREDICTED_IDS), np.float32)
    kind = rng.random()
    if kind < 0.6:
        _blink(row, rng)
    elif kind < 0.8:
        row[rng.choice(columns("eye_close"))] = rng.random()
    return row


def _with_eyes(row: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """A natural row with a natural gaze and, at times, a blink."""
    if not row[[INDEX["look_down_L"], INDEX["look_up_L"]]].any():
        row = np.maximum(row, _natural_gaze(rng, rng.uniform(0.1, 0.5)))
    if rng.random() < 0.12:
        _blink(row, rng)
    return row


def _blink(row: NDArray[np.float32], rng: np.random.Generator) -> None:
    """Both eyes at any phase of a blink, unless the row does something else with its lids."""
    if not row[list(_EYES)].any():
        row[columns("eye_close")] = np.clip(rng.random() + rng.normal(0.0, 0.03, 2), 0.0, 1.0)


def _any_gaze(rng: np.random.Generator) -> NDArray[np.float32]:
    """Both eyes in any direction, each as likely, with a little convergence, rarely a squint."""
    squint = rng.uniform(0.0, 0.8) if rng.random() < 0.06 else rng.uniform(0.0, 0.1)
    return gaze(rng.uniform(-1.0, 1.0), rng.uniform(-1.0, 1.0), squint)


def _natural_gaze(rng: np.random.Generator, spread: float) -> NDArray[np.float32]:
    """A look near straight ahead with lids that follow it: lowered with a look down, a little raised with one up."""
    to_left, up = np.clip(rng.normal(0.0, spread, 2), -1.0, 1.0)
    row = gaze(float(to_left), float(up), rng.uniform(0.0, 0.08))
    return follow_with_lids(row, rng.uniform(0.2, 0.5))


def follow_with_lids(rows: NDArray[np.float32], gain: float) -> NDArray[np.float32]:
    """(..., P) rows of a gaze, with the upper lids following it down by `gain` and up by a third of that."""
    for side in "LR":
        down, up = rows[..., INDEX[f"look_down_{side}"]], rows[..., INDEX[f"look_up_{side}"]]
        rows[..., INDEX[f"eye_close_{side}"]] = gain * down
        rows[..., INDEX[f"lid_raise_{side}"]] = gain / 3 * up
    return rows


def _reflected(value: float) -> float:
    """Folds a value that left 0..1 back, so that none pile up at the ends."""
    return float(1.0 - abs(1.0 - abs(value)))


_OTHERS: Final = {"neutral": _neutral, "micro": _micro, "natural": _natural, "speech": _speech, "eyes": _eyes}
