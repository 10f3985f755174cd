"""Expressions that move: onset, apex and offset at natural speeds, speech, blinks, glances, and the head.

A performance is a stretch cut out of an endless one: actions may already be under way when it starts. As among still
expressions, most actions are single channels at balanced levels, and the rest come together as people show them.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from au_mocap.channels import PREDICTED_IDS
from training.synth import repertoire
from training.synth.camera import MAX_PITCH_RAD, MAX_ROLL_RAD, MAX_YAW_RAD, sample_angles
from training.synth.expressions import LEADS, act, deal, draw_level, follow_with_lids
from training.synth.limits import EXCLUSIONS, INDEX, columns, enforce

ONSET_S: Final = (0.1, 0.7)
APEX_S: Final = (0.2, 2.0)
OFFSET_S: Final = (0.2, 1.2)
VISEMES_PER_S: Final = (3.0, 6.0)
BLINK_CLOSING_S: Final = (0.06, 0.12)
BLINK_CLOSED_S: Final = (0.0, 0.06)
BLINK_OPENING_S: Final = (0.12, 0.25)
SACCADE_S: Final = (0.025, 0.07)
FIXATION_S: Final = (0.25, 2.0)
MOST_HEAD_SPEED_RAD_S: Final = float(np.radians(200.0))

_ACTIONS_PER_S: Final = 1.3
_SHARE_PATTERNS: Final = 0.3
_RISE: Final = 0.6
"""Exponent that raises the apexes: the way there and back passes through the lower levels anyway."""

_BLINKS_PER_S: Final = (0.15, 0.6)
_LONGEST_ACTION_S: Final = ONSET_S[1] + APEX_S[1] + OFFSET_S[1]
_PEAK_OF_MINIMUM_JERK: Final = 1.875
_HEAD_LIMITS_RAD: Final = np.array([MAX_YAW_RAD, MAX_PITCH_RAD, MAX_ROLL_RAD])
_HEAD_TURNS_RAD: Final = np.radians([14.0, 8.0, 6.0])
_HEAD_SWAY_RAD: Final = np.radians(1.2)


def minimum_jerk(share: NDArray[np.floating]) -> NDArray[np.floating]:
    """The smooth step of a natural movement: time shares (clipped to 0..1) to shares of the way."""
    x = np.clip(share, 0.0, 1.0)
    return x**3 * (10.0 - 15.0 * x + 6.0 * x**2)


def envelope(
    times_s: NDArray[np.floating], start_s: float, onset_s: float, apex_s: float, offset_s: float
) -> NDArray[np.floating]:
    """(T,) 0..1: rises from `start_s` on for `onset_s`, stays for `apex_s`, falls for `offset_s`."""
    falling_s = start_s + onset_s + apex_s
    return minimum_jerk((times_s - start_s) / onset_s) - minimum_jerk((times_s - falling_s) / offset_s)


def between_keys(
    times_s: NDArray[np.floating], keys_s: NDArray[np.floating], values: NDArray[np.floating]
) -> NDArray[np.floating]:
    """(T, C) smooth movement through (K, C) values at the times (K,), resting for a moment in each."""
    after = np.clip(np.searchsorted(keys_s, times_s, side="right"), 1, len(keys_s) - 1)
    share = (times_s - keys_s[after - 1]) / (keys_s[after] - keys_s[after - 1])
    weight = minimum_jerk(share)[:, None]
    return values[after - 1] * (1.0 - weight) + values[after] * weight


def sample(frames: int, step_s: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Draws a performance of at least one frame: (frames, P) values 0..1 over `PREDICTED_IDS`, each `step_s`."""
    times_s = np.arange(frames) * step_s
    calm = rng.random() < 0.15
    rows = _actions(times_s, 0.25 * _ACTIONS_PER_S if calm else _ACTIONS_PER_S, rng)
    if rng.random() < 0.4:
        rows = np.maximum(rows, _speech(times_s, rng))
    rows = np.maximum(rows, _micro_movements(times_s, rng))
    looks = _gaze(times_s, rng)
    looks[:, columns("eye_close")] *= np.maximum(1.0 - 4.0 * rows[:, columns("lid_raise")], 0.0)  # staring lids stay up
    rows = np.maximum(rows, looks)
    _blink(rows, times_s, rng)
    return enforce(rows)


def head_path(frames: int, step_s: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """A head that turns, nods and rests: (frames, 3) yaw, pitch, roll in radians, `step_s` seconds apart.

    Angles follow `au_mocap.rotations`; they stay within `camera`'s limits and below `MOST_HEAD_SPEED_RAD_S`.
    """
    times_s = np.arange(frames) * step_s
    most = _HEAD_LIMITS_RAD - _HEAD_SWAY_RAD
    liveliness = rng.uniform(0.0, 1.0) ** 2 * 1.5
    home = np.clip(sample_angles(rng), -most, most)
    keys_s, poses = [-rng.uniform(0.0, 1.0)], [home]
    while keys_s[-1] <= times_s[-1]:
        if rng.random() < 0.08:
            home = np.clip(sample_angles(rng), -most, most)
        pose = np.clip(home + rng.normal(0.0, 1.0, 3) * _HEAD_TURNS_RAD * liveliness, -most, most)
        if rng.random() < 0.3:
            pose = poses[-1]  # rest
        shortest_s = _PEAK_OF_MINIMUM_JERK * np.abs(pose - poses[-1]).max() / (0.9 * MOST_HEAD_SPEED_RAD_S)
        keys_s.append(keys_s[-1] + max(shortest_s, rng.uniform(0.25, 1.6)))
        poses.append(pose)
    path = between_keys(times_s, np.array(keys_s), np.array(poses))
    rates_hz, phases = rng.uniform(0.2, 1.5, (2, 3)), rng.uniform(0.0, 2.0 * np.pi, (2, 3))
    waves = np.sin(2.0 * np.pi * rates_hz * times_s[:, None, None] + phases)
    return path + waves.mean(axis=1) * _HEAD_SWAY_RAD * rng.uniform(0.0, 1.0)


def _drawn(bounds_s: tuple[float, float], rng: np.random.Generator) -> float:
    """A duration between bounds, short ones as likely as long ones in proportion."""
    return float(np.exp(rng.uniform(*np.log(bounds_s))))


def _actions(times_s: NDArray[np.floating], per_s: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """(T, P) overlapping actions, each with its own onset, apex and offset."""
    rows = np.zeros((len(times_s), len(PREDICTED_IDS)), np.float32)
    span_s = times_s[-1] + _LONGEST_ACTION_S
    starts_s = rng.uniform(0.0, span_s, rng.poisson(per_s * span_s)) - _LONGEST_ACTION_S
    cells = iter(deal(len(starts_s), rng))
    for start_s in starts_s:
        target = _target(*next(cells), rng)
        durations_s = _drawn(ONSET_S, rng), _drawn(APEX_S, rng), _drawn(OFFSET_S, rng)
        course = envelope(times_s, start_s, *durations_s).astype(np.float32)
        busy = (rows[course > 0] > 0).any(axis=0)
        target[(EXCLUSIONS & busy).any(axis=1)] = 0.0  # what is under way goes on undisturbed
        rows = np.maximum(rows, target * course[:, None])
    return rows


def _target(lead: str, level: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """(P,) what an action reaches at its apex: a natural pattern, a channel at a level, or what resembles it."""
    if rng.random() < _SHARE_PATTERNS:
        return repertoire.pattern(rng)
    row = np.zeros(len(PREDICTED_IDS), np.float32)
    if level:
        act(row, lead, draw_level(level, rng) ** _RISE, rng)
    else:
        act(row, str(rng.choice(repertoire.ALIKE[lead] or LEADS)), rng.random(), rng)
    return row


def _speech(times_s: NDArray[np.floating], rng: np.random.Generator) -> NDArray[np.float32]:
    """(T, P) mouths of phrases with pauses."""
    rate, articulation = rng.uniform(*VISEMES_PER_S), rng.uniform(0.5, 1.2)
    names = [name for name in repertoire.VISEMES if name != "rest"]
    keys_s, mouths = [-rng.uniform(0.0, 2.0)], [np.zeros(len(PREDICTED_IDS), np.float32)]
    left = int(rng.integers(3, 20))
    while keys_s[-1] <= times_s[-1]:
        left -= 1
        if left == 0:
            mouths.append(np.zeros_like(mouths[0]))
            keys_s.append(keys_s[-1] + rng.uniform(0.15, 0.4))
            mouths.append(mouths[-1])  # a pause
            keys_s.append(keys_s[-1] + rng.uniform(0.2, 1.5))
            left = int(rng.integers(3, 20))
        else:
            mouths.append(repertoire.viseme(str(rng.choice(names)), rng, articulation * rng.uniform(0.8, 1.2)))
            keys_s.append(keys_s[-1] + np.clip(rng.normal(1.0, 0.15), 0.7, 1.4) / rate)
    return between_keys(times_s, np.array(keys_s), np.array(mouths)).astype(np.float32)


def _micro_movements(times_s: NDArray[np.floating], rng: np.random.Generator) -> NDArray[np.float32]:
    """(T, P) traces that come and go in a few channels."""
    rows = np.zeros((len(times_s), len(PREDICTED_IDS)), np.float32)
    keys_s = np.cumsum(rng.uniform(0.3, 1.2, 2 + int(times_s[-1] / 0.3))) - 1.0
    for channel_id in rng.choice(LEADS, rng.integers(0, 7), replace=False):
        heights = np.maximum(rng.normal(0.0, 0.04, (len(keys_s), 1)), 0.0)
        trace = np.zeros(len(PREDICTED_IDS), np.float32)
        act(trace, str(channel_id), 1.0, rng)
        rows = np.maximum(rows, between_keys(times_s, keys_s, heights * (trace > 0).astype(np.float32)))
    return rows.astype(np.float32)


def _gaze(times_s: NDArray[np.floating], rng: np.random.Generator) -> NDArray[np.float32]:
    """(T, P) fixations with quick jumps between them, or a slow pursuit; lids follow in most performances."""
    spread, pursuit = rng.uniform(0.05, 0.5), rng.random() < 0.15
    home = np.clip(rng.normal(0.0, 0.3, 2), -1.0, 1.0)
    keys_s, directions = [-2.0], [home]
    while keys_s[-1] <= times_s[-1]:
        fixated_s = keys_s[-1] + _drawn(FIXATION_S, rng) * (not pursuit)
        direction = np.clip(home + rng.normal(0.0, spread, 2), -1.0, 1.0)
        reach = min(float(np.linalg.norm(direction - directions[-1])), 1.0)
        moving_s = rng.uniform(0.4, 1.5) if pursuit else SACCADE_S[0] + reach * (SACCADE_S[1] - SACCADE_S[0])
        if not pursuit:
            keys_s.append(fixated_s)
            directions.append(directions[-1])
        keys_s.append(fixated_s + moving_s)
        directions.append(direction)
    convergence = rng.uniform(0.0, 0.1)
    track = between_keys(times_s, np.array(keys_s), np.array(directions))
    rows = np.stack([repertoire.gaze(float(to_left), float(up), convergence) for to_left, up in track])
    return follow_with_lids(rows, rng.uniform(0.2, 0.5)) if rng.random() < 0.6 else rows


def _blink(rows: NDArray[np.float32], times_s: NDArray[np.floating], rng: np.random.Generator) -> None:
    """Adds blinks in place: mostly full ones, now and then partial ones, doubles and winks."""
    start_s, per_s = -1.0, rng.uniform(*_BLINKS_PER_S)
    while (start_s := start_s + rng.exponential(1.0 / per_s)) <= times_s[-1]:
        durations_s = _drawn(BLINK_CLOSING_S, rng), rng.uniform(*BLINK_CLOSED_S), _drawn(BLINK_OPENING_S, rng)
        depth = 1.0 if rng.random() < 0.8 else rng.uniform(0.3, 0.95)
        closed = depth * envelope(times_s, start_s, *durations_s)
        sides = ("L", "R") if rng.random() < 0.94 else (str(rng.choice(["L", "R"])),)
        for side in sides:
            lid, wide = INDEX[f"eye_close_{side}"], INDEX[f"lid_raise_{side}"]
            rows[:, lid] = np.maximum(rows[:, lid], closed * np.clip(rng.normal(1.0, 0.02), 0.0, 1.0))
            rows[:, wide] *= np.maximum(1.0 - 2.0 * closed, 0.0)  # a raised lid gives way to the blink
        start_s += sum(durations_s)
