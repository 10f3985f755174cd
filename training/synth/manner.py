"""How one person performs: each channel's full action fitted to a face and varied as people, and sculptors, differ.

What stays is what the truth means: 1 is the full action, and a channel's strength at its own main region stays within
the range of `_AMPLITUDE` around its typical one. What varies is the direction, the extent, the symmetry
and the company of each action.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from au_mocap.channels import PREDICTED_IDS, mirrored
from training.synth.anatomy import HEAD_FROM_MAKEHUMAN, Anatomy
from training.synth.sculptors import variants

_INDEX: Final = {channel_id: index for index, channel_id in enumerate(PREDICTED_IDS)}
_JAW: Final = tuple(channel_id for channel_id in PREDICTED_IDS if channel_id.startswith("jaw_"))
_JAW_AND_LIPS: Final = [_INDEX[channel_id] for channel_id in (*_JAW, "lips_together")]
_PARTNER: Final = np.array([_INDEX[mirrored(channel_id)] for channel_id in PREDICTED_IDS])

_AMPLITUDE: Final = (0.8, 1.2)
_SPREAD_OF_AMPLITUDE: Final = 0.08
_SPREAD_OF_SIDES: Final = 0.06

_GAIN_LIMIT: Final = 0.3
_SPREAD_OF_GAIN: Final = 0.18
_JAW_SHARE: Final = 0.3
"""The jaw is a bone: its actions vary that much less over the face."""

_TURN_LIMIT_RAD: Final = np.radians(25.0)
_SPREAD_OF_TURN_RAD: Final = np.radians(8.0)

_MAIN: Final = 0.5
"""A channel's main region is the skin (of `tongue_out` the tongue) that moves more than this share of the most."""

_KERNEL_M: Final = 0.028
_ANCHORS: Final = np.array(
    [
        (0.0, 0.018, -0.020),
        (0.0, -0.045, -0.018),
        (0.0, 0.045, -0.038),
        (0.0, 0.068, -0.030),
        (0.0, 0.105, -0.018),
        (0.0, 0.130, 0.030),
        (0.030, -0.030, -0.010),
        (0.030, 0.000, -0.010),
        (0.018, 0.040, -0.020),
        (0.022, 0.070, -0.018),
        (0.025, 0.100, -0.010),
        (0.040, 0.035, -0.005),
        (0.058, -0.015, 0.010),
        (0.055, 0.065, 0.010),
        (0.045, 0.110, 0.020),
        (0.070, 0.030, 0.045),
    ]
)
"""Points on the face's left half, metres in head axes: centres of the smooth fields."""

_COMPANIONS: Final[dict[str, dict[str, float]]] = {
    "eye_close": {"cheek_raise": 0.10, "brow_lower": 0.08},
    "lid_raise": {"brow_raise": 0.12},
    "lid_tighten": {"cheek_raise": 0.25},
    "cheek_raise": {"lid_tighten": 0.25, "lip_corner_pull": 0.08},
    "brow_lower": {"nose_wrinkle": 0.12, "lid_tighten": 0.12},
    "brow_raise": {"inner_brow_raise": 0.30},
    "inner_brow_raise": {"brow_raise": 0.20},
    "nose_wrinkle": {"upper_lip_raise": 0.25, "brow_lower": 0.20, "cheek_raise": 0.15},
    "upper_lip_raise": {"nose_wrinkle": 0.20},
    "lip_corner_pull": {"cheek_raise": 0.25, "dimple": 0.15},
    "dimple": {"lip_stretch": 0.12},
    "lip_corner_depress": {"lip_stretch": 0.15, "chin_raise": 0.12},
    "lip_stretch": {"lip_corner_depress": 0.15, "lower_lip_depress": 0.12},
    "lower_lip_depress": {"lip_stretch": 0.10},
    "chin_raise": {"lip_corner_depress": 0.10},
    "lip_press": {"dimple": 0.10},
    "lip_pucker": {"lip_funnel": 0.20},
    "lip_funnel": {"lip_pucker": 0.25},
    "cheek_puff": {"lip_pucker": 0.10},
    "mouth_slide": {"lip_corner_pull": 0.12},
    "lower_lip_suck": {"chin_raise": 0.12},
}
"""What comes with an action on some faces and not on others, with the largest share of it, by stem."""

_DAMPED: Final[dict[tuple[str, str], float]] = {
    ("lip_corner_pull", "jaw_drop"): 0.3,
    ("lip_stretch", "jaw_drop"): 0.3,
    ("lip_stretch", "lip_corner_pull"): 0.4,
    ("dimple", "lip_corner_pull"): 0.4,
    ("lip_press", "lip_corner_pull"): 0.3,
    ("lip_corner_pull", "lip_pucker"): 0.4,
    ("lip_pucker", "lip_corner_pull"): 0.4,
    ("lip_funnel", "lip_pucker"): 0.5,
    ("lip_funnel", "lip_corner_pull"): 0.3,
    ("upper_lip_shrug", "upper_lip_raise"): 0.5,
    ("upper_lip_raise", "lip_corner_pull"): 0.2,
    ("upper_lip_raise", "nose_wrinkle"): 0.2,
    ("lower_lip_depress", "jaw_drop"): 0.3,
    ("upper_lip_raise", "jaw_drop"): 0.2,
    ("inner_brow_raise", "brow_raise"): 0.2,
    ("lid_tighten", "cheek_raise"): 0.3,
    ("nose_wrinkle", "brow_lower"): 0.2,
}
"""How much a full second action can hold the first one back, by stem: they use the same skin."""


@dataclass(frozen=True, slots=True)
class _Fields:
    """Smooth fields over the base figure.

    Attributes:
        weights: (N, A) float32: share of each anchor at each vertex, summing to 1; anchors come in mirrored pairs.
        partner: (A,) int64: each anchor's mirror image.
        solve: (N, A * 3) float32: turns a face (3, N) into the linear maps (3, A * 3) from the base figure
            near the anchors.
    """

    weights: NDArray[np.float32]
    partner: NDArray[np.int64]
    solve: NDArray[np.float32]


@cache
def _fields(parts: Anatomy) -> _Fields:
    mirrored_too = _ANCHORS[_ANCHORS[:, 0] > 0] * [-1.0, 1.0, 1.0]
    anchors = np.concatenate([_ANCHORS, mirrored_too])
    paired = np.flatnonzero(_ANCHORS[:, 0] > 0)
    partner = np.arange(len(anchors))
    partner[paired] = len(_ANCHORS) + np.arange(len(paired))
    partner[len(_ANCHORS) :] = paired
    points = _base(parts)
    distance2 = ((points[:, None] - anchors[None]) ** 2).sum(axis=2)
    weights = np.exp(-0.5 * (distance2 - distance2.min(axis=1, keepdims=True)) / _KERNEL_M**2)
    near = np.exp(-0.5 * distance2 / _KERNEL_M**2)
    solve = []
    for column in near.T:
        share = column / column.sum()
        offset = points - share @ points
        # Centring the face is not needed: the weighted offsets sum to zero.
        scatter = (offset * share[:, None]).T @ offset
        solve.append(offset * share[:, None] @ np.linalg.inv(scatter))
    return _Fields(
        weights=(weights / weights.sum(axis=1, keepdims=True)).astype(np.float32),
        partner=partner,
        solve=np.concatenate(solve, axis=1).astype(np.float32),
    )


def _base(parts: Anatomy) -> NDArray[np.float64]:
    """(N, 3) metres in head axes: the base figure with its origin between the eyes."""
    points = parts.base * HEAD_FROM_MAKEHUMAN
    return points - points[parts.eyeballs.ravel()].mean(axis=0)


def fitted(parts: Anatomy, neutral: NDArray[np.float32]) -> NDArray[np.float32]:
    """The base figure's actions on another face: (P, N, 3) metres.

    Each displacement is mapped as the base figure's surroundings are mapped to the face's: a wide mouth smiles widely.

    Args:
        parts: The mesh.
        neutral: (N, 3) metres in head axes.
    """
    return _mapped(parts.deltas, _stretch(parts, neutral))


def _stretch(parts: Anatomy, neutral: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, 3, 3) linear map from the base figure to a face around each vertex."""
    fields = _fields(parts)
    maps = (neutral.T @ fields.solve).reshape(3, -1, 3).transpose(1, 0, 2)
    return (fields.weights @ maps.reshape(-1, 9)).reshape(-1, 3, 3)


def _mapped(deltas: NDArray[np.float32], stretch: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.matmul(stretch, deltas.transpose(1, 2, 0)).transpose(2, 0, 1)


def own_deltas(parts: Anatomy, neutral: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """The full action of each channel as one person performs it.

    Args:
        parts: The mesh.
        neutral: (N, 3) metres in head axes.
        rng: Chooses the manner.

    Returns:
        (P, N, 3) float32 metres.
    """
    stretch = _stretch(parts, neutral)
    plain = _mapped(parts.deltas, stretch)
    styled = _with_companions(_with_variants(parts, rng), rng)
    styled = np.matmul(styled, _turns(rng).transpose(0, 2, 1))
    styled = _mapped(styled, stretch) * _gains(parts, rng)[..., None]
    amplitudes = _amplitudes(rng)[:, None, None]
    styled *= amplitudes / _strengths(parts, plain, styled)[:, None, None]
    _move_oral(parts, plain, styled, amplitudes)
    return np.ascontiguousarray(styled, np.float32)


def own_damping(rng: np.random.Generator) -> NDArray[np.float32]:
    """(P, P): by what share a full action of the column's channel holds the row's back, on one person's face.

    Heads with plain sums of shapes lie within the range: some people's entries are near zero.
    """
    stems = _stems()
    damping = np.zeros((len(PREDICTED_IDS), len(PREDICTED_IDS)), np.float32)
    strictness = rng.uniform(0.0, 1.0)
    for (held, holding), most in _DAMPED.items():
        for channel_id in stems[held]:
            others = _on_side(stems[holding], channel_id)
            for other in others:
                damping[_INDEX[channel_id], _INDEX[other]] = strictness * most / len(others)
    return damping


def _on_side(members: list[str], channel_id: str) -> list[str]:
    """Those of a stem's channels that lie on the side of another channel: all where either has no side."""
    side = channel_id[-2:]
    return [each for each in members if each.endswith(side)] if side in ("_L", "_R") and len(members) > 1 else members


def _move_oral(
    parts: Anatomy, plain: NDArray[np.float32], styled: NDArray[np.float32], amplitudes: NDArray[np.float32]
) -> None:
    """Gives teeth and tongue actions without smooth fields, which would bend them, in place.

    Where the jaw acts they get one linear map, the one that turns the base figure's chin and lower lip into this
    person's, so that they stay behind the skin.
    """
    styled[:, parts.oral] = amplitudes * plain[:, parts.oral]
    shell = _chin(parts)
    for channel_id in _JAW:
        index = _INDEX[channel_id]
        raw, own = parts.deltas[index].astype(np.float64), styled[index, shell].astype(np.float64)
        scatter = raw[shell].T @ raw[shell]
        ridge = 0.05 * np.trace(scatter) * np.eye(3)
        overall = (own * raw[shell]).sum() / np.trace(scatter)
        linear = np.linalg.solve(scatter + ridge, raw[shell].T @ own + overall * ridge)
        styled[index, parts.oral] = raw[parts.oral] @ linear


@cache
def _chin(parts: Anatomy) -> NDArray[np.int64]:
    """Skin that goes with the jaw in front of the lower teeth."""
    drop = np.linalg.norm(parts.deltas[_INDEX["jaw_drop"]], axis=1)
    skin = np.zeros(len(drop), bool)
    skin[parts.members("body")] = True
    points = _base(parts)
    front = (np.abs(points[:, 0]) < 0.03) & (points[:, 2] < points[parts.oral, 2].min() + 0.02)
    return np.flatnonzero(skin & front & (drop > 0.6 * drop[skin].max()))


def _with_variants(parts: Anatomy, rng: np.random.Generator) -> NDArray[np.float32]:
    deltas = parts.deltas.copy()
    table = variants(parts)
    for members in _stems().values():
        options = len(table.get(members[0], ()))
        if not options:
            continue
        choice, share = int(rng.integers(options)), rng.uniform(0.0, 1.0)
        for channel_id in members:
            variant = table[channel_id][choice]
            own = np.clip(share + rng.normal(0.0, 0.08), 0.0, 1.0) * variant.most
            index = _INDEX[channel_id]
            deltas[index] += np.float32(own) * (variant.delta - deltas[index])
    return deltas


def _stem(channel_id: str) -> str:
    return channel_id.removesuffix("_L").removesuffix("_R")


def _stems() -> dict[str, list[str]]:
    """Channels by stem: one, or left and right."""
    stems: dict[str, list[str]] = {}
    for channel_id in PREDICTED_IDS:
        stems.setdefault(_stem(channel_id), []).append(channel_id)
    return stems


def _with_companions(deltas: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    stems = _stems()
    mixed = deltas.copy()
    for stem, companions in _COMPANIONS.items():
        for companion, most in companions.items():
            share = np.float32(rng.uniform(-0.4, 1.0) * most)
            for channel_id in stems[stem]:
                others = _on_side(stems[companion], channel_id)
                for other in others:
                    mixed[_INDEX[channel_id]] += share / len(others) * deltas[_INDEX[other]]
    return mixed


def _turns(rng: np.random.Generator) -> NDArray[np.float32]:
    """(P, 3, 3) slight rotations of the displacements, nearly mirrored between sides."""
    vectors = rng.normal(0.0, _SPREAD_OF_TURN_RAD, (len(PREDICTED_IDS), 3))
    first = np.arange(len(PREDICTED_IDS)) < _PARTNER
    own = rng.normal(0.0, 0.3 * _SPREAD_OF_TURN_RAD, vectors.shape)
    vectors[_PARTNER[first]] = vectors[first] * [1.0, -1.0, -1.0] + own[first]
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors *= np.minimum(1.0, _TURN_LIMIT_RAD / lengths)
    vectors[_JAW_AND_LIPS] *= _JAW_SHARE
    return np.stack([cv2.Rodrigues(vector)[0] for vector in vectors]).astype(np.float32)


def _gains(parts: Anatomy, rng: np.random.Generator) -> NDArray[np.float32]:
    """(P, N) smooth factors around 1."""
    fields = _fields(parts)
    steps = rng.normal(0.0, _SPREAD_OF_GAIN, (len(PREDICTED_IDS), len(fields.partner)))
    first = np.flatnonzero(np.arange(len(PREDICTED_IDS)) < _PARTNER)
    own = rng.normal(0.0, 0.4 * _SPREAD_OF_GAIN, (len(first), len(fields.partner)))
    steps[_PARTNER[first]] = steps[first][:, fields.partner] + own
    steps[_JAW_AND_LIPS] *= _JAW_SHARE
    steps = np.clip(steps, -_GAIN_LIMIT, _GAIN_LIMIT).astype(np.float32)
    return 1.0 + steps @ fields.weights.T


def _amplitudes(rng: np.random.Generator) -> NDArray[np.float32]:
    """(P,) strength of each full action against the base figure's, nearly the same on both sides."""
    amplitudes = rng.normal(1.0, _SPREAD_OF_AMPLITUDE, len(PREDICTED_IDS))
    first = np.arange(len(PREDICTED_IDS)) < _PARTNER
    amplitudes[_PARTNER[first]] = amplitudes[first]
    amplitudes *= rng.normal(1.0, _SPREAD_OF_SIDES, len(PREDICTED_IDS))
    return np.clip(amplitudes, *_AMPLITUDE).astype(np.float32)


def _strengths(parts: Anatomy, plain: NDArray[np.float32], styled: NDArray[np.float32]) -> NDArray[np.float32]:
    """(P,) how strong a version is along the plain one in each channel's main region."""
    return np.array(
        [
            (own[ids] * other[ids]).sum() / (own[ids] ** 2).sum()
            for own, other, ids in zip(plain, styled, _main_regions(parts), strict=True)
        ],
        np.float32,
    )


@cache
def _main_regions(parts: Anatomy) -> tuple[NDArray[np.int64], ...]:
    sizes = np.linalg.norm(parts.deltas, axis=2)
    skin = np.array([channel_id != "tongue_out" for channel_id in PREDICTED_IDS])
    sizes[np.ix_(skin, parts.oral)] = 0.0
    return tuple(np.flatnonzero(size > _MAIN * size.max()) for size in sizes)
