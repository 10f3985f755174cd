"""Which shapes play which channels, judged by their motions alone.

A channel is played by the shape whose motion points the same way at the same landmarks; sizes count little, since
artists exaggerate. Every shape plays one channel, or several that it moves together (both sides, a whole brow), so the
pairing is solved for all of them at once. What a pairing leaves unexplained may be played by further shapes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats
from ..channels import PREDICTED_IDS, mirrored
from .assignment import assign
from .measure import Measured
from .motion import ChannelMotion, channel_motion
from .places import FIRST_IRIS

LEAST_MOTION: Final = 0.01
"""A shape that moves no landmark further, in distances between the eyes, is none of the face's."""

_TONGUE: Final = "tongue_out"
_LOOK: Final = "look_"
_LEAST_LOOK: Final = 0.02
"""Motion of an iris below which nothing looks anywhere."""

_RIGID: Final = 0.9
"""Share of a motion that a turn, a shift and a change of size explain: more is a motion of the whole head."""

_LEAST_FIT: Final = 0.6
_LEAST_PAIRED_FIT: Final = 0.42
"""Cosine between motions that makes a match; the lower one where the mirrored shape fits the mirrored channel."""

_TWINS: Final = 0.8
_WORTH: Final = 0.4
_ELSEWHERE: Final = 0.3
"""What a shape's better fit to another channel takes off its worth for this one."""

_BUNDLED: Final = 1.15
"""How much better a shape must fit several channels than any one of them to be taken for all of them."""

_SIZE_SPREAD: Final = 1.6
_MOST_PARTS: Final = 4
_PART_FIT: Final = 0.6
_PART_GAIN: Final = 0.1
_TONGUE_TRAVEL: Final = 0.12
_TONGUE_ALONE: Final = 0.4


@dataclass(frozen=True, slots=True)
class Played:
    """A channel that a shape plays.

    Attributes:
        channel: Channel id.
        shape: Number of the shape.
        gain: Weight of the shape at the full action, above 0, that comes nearest to the channel's mean motion.
        confidence: 0..1: how well all shapes of the channel together fit its motion.
        shared: How many channels the shape plays.
    """

    channel: str
    shape: int
    gain: float
    confidence: float
    shared: int = 1


@dataclass(frozen=True, slots=True)
class _Problem:
    """Everything as plain vectors.

    Attributes:
        channels: (P, N) motions of the channels at the measured landmarks; irises alone for those of the gaze.
        shapes: (K, N) motions of the shapes.
        irises: (N,) bool: which entries belong to the irises.
        candidates: (K,) bool: shapes that may play anything.
    """

    ids: tuple[str, ...]
    channels: NDArray[np.float64]
    shapes: NDArray[np.float64]
    irises: NDArray[np.bool_]
    candidates: NDArray[np.bool_]

    def fit(self, group: Sequence[str], left: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """(K,) cosine of each shape with channels played together, or with what is left of them; 0 for what cannot."""
        target, gaze = self.target(group) if left is None else left, group[0].startswith(_LOOK)
        shapes = self.seen(group)
        size = np.linalg.norm(shapes, axis=1) * np.linalg.norm(target)
        cosine = shapes @ target / np.where(size > 0.0, size, np.inf)
        moving = np.abs(shapes).max(axis=1, initial=0.0) >= (_LEAST_LOOK if gaze else 0.0)
        return np.where(self.candidates & moving, cosine, 0.0)

    def seen(self, group: Sequence[str]) -> NDArray[np.float64]:
        """(K, N) the shapes' motions as far as they count for channels: of the gaze only the irises."""
        return np.where(self.irises, self.shapes, 0.0) if group[0].startswith(_LOOK) else self.shapes

    def target(self, group: Sequence[str]) -> NDArray[np.float64]:
        """(N,) the motion of channels played together."""
        return np.sum([self.channels[self.ids.index(channel_id)] for channel_id in group], axis=0)


def solve(measured: Measured, known: ChannelMotion | None = None) -> tuple[Played, ...]:
    """Finds out which shapes play which channels.

    Args:
        measured: The shapes' motions.
        known: The channels' motions; None for those that ship with the engine.

    Returns:
        In the order of the vocabulary; a channel may be played by several shapes, or by none.
    """
    problem = _problem(measured, known or channel_motion())
    groups = _groups(problem)
    fits = np.array([problem.fit(group) for group in groups]).reshape(len(groups), len(measured.motion))
    elsewhere = np.maximum(fits.max(axis=0, initial=0.0)[None] - fits, 0.0)
    pairs = assign(fits * _likely_sizes(problem, groups, fits) - _ELSEWHERE * elsewhere - _WORTH)
    kept = [(row, shape) for row, shape in pairs if _convinces(problem, groups, fits, pairs, (row, shape))]
    used = {shape for _, shape in kept}
    found: list[Played] = []
    for row, shape in kept:
        found += _played(problem, groups[row], shape, used)
    free = np.array([shape for shape in range(len(measured.motion)) if shape not in used], np.int64)
    found += _tongue(measured, free)
    return tuple(sorted(found, key=lambda each: (PREDICTED_IDS.index(each.channel), each.shape)))


def _problem(measured: Measured, known: ChannelMotion) -> _Problem:
    here = measured.landmarks
    irises = np.repeat(here >= FIRST_IRIS, 3)
    motion = known.motion[:, here].reshape(len(known.ids), -1).copy()
    looks = np.array([each.startswith(_LOOK) for each in known.ids])
    motion[looks] = np.where(irises, motion[looks], 0.0)
    furthest = np.linalg.norm(measured.motion, axis=2).max(axis=1, initial=0.0)
    candidates = (furthest >= LEAST_MOTION) & (_rigid_share(measured) < _RIGID)
    return _Problem(known.ids, motion, measured.motion.reshape(len(furthest), -1), irises, candidates)


def _rigid_share(measured: Measured) -> NDArray[np.float64]:
    """(K,) share of each motion's energy that moving the whole head explains."""
    points = measured.neutral - measured.neutral.mean(axis=0)
    turns = [np.cross(axis, points) for axis in np.eye(3)]
    shifts = [np.broadcast_to(axis, points.shape) for axis in np.eye(3)]
    basis, _ = np.linalg.qr(np.stack([each.ravel() for each in (*turns, *shifts, points)], axis=1))
    flat = measured.motion.reshape(len(measured.motion), -1)
    energy = np.square(flat).sum(axis=1)
    return np.square(flat @ basis).sum(axis=1) / np.where(energy > 0.0, energy, np.inf)


def _groups(problem: _Problem) -> list[tuple[str, ...]]:
    """Channels that one shape plays each: single ones, but for those that this character only moves together."""
    visible = [each for each in problem.ids if np.abs(problem.target((each,))).max(initial=0.0) > LEAST_MOTION / 2]
    singles = [(each,) for each in visible if each != _TONGUE]
    alone = np.array([problem.fit(group) for group in singles]).reshape(len(singles), len(problem.shapes))
    together = [group for group in _bundles() if all((each,) in singles for each in group)]
    bundled = np.array([problem.fit(group) for group in together]).reshape(len(together), len(problem.shapes))
    pairs = assign(alone - _WORTH)
    owned = {singles[row][0] for row, shape in pairs if _own(alone, bundled, row, shape)}
    best_alone = np.zeros(len(problem.shapes))
    for row, shape in pairs:
        best_alone[shape] = alone[row, shape]
    active: list[tuple[str, ...]] = []
    for row in np.argsort(-(bundled.max(axis=1, initial=0.0))):
        shape = int(bundled[row].argmax())
        group = together[row]
        is_taken = owned & set(group) or {each for other in active for each in other} & set(group)
        fits = bundled[row, shape] >= max(_LEAST_FIT, _BUNDLED * best_alone[shape])
        if fits and not is_taken and bundled[row, shape] >= bundled[:, shape].max():
            active.append(group)
    taken = {each for group in active for each in group}
    return [*active, *(group for group in singles if group[0] not in taken)]


def _own(alone: NDArray[np.float64], bundled: NDArray[np.float64], row: int, shape: int) -> bool:
    """Whether a shape that could play a channel is not rather one for several channels."""
    fit = alone[row, shape]
    return bool(fit >= _LEAST_FIT and fit * _BUNDLED > bundled[:, shape].max(initial=0.0))


def _bundles() -> list[tuple[str, ...]]:
    """Channels that characters often have one shape for."""
    found: list[tuple[str, ...]] = []
    for left in (each for each in PREDICTED_IDS if each.endswith("_L")):
        if not left.startswith(("jaw", "mouth", _LOOK)):
            found.append((left, mirrored(left)))
    for stems in (("inner_brow_raise", "brow_raise"), ("cheek_raise", "lid_tighten")):
        sides = [tuple(f"{stem}_{side}" for stem in stems) for side in "LR"]
        found += [*sides, sides[0] + sides[1]]
    found.append(("upper_lip_suck", "lower_lip_suck"))
    found += [("look_up_L", "look_up_R"), ("look_down_L", "look_down_R")]
    return [*found, ("look_out_L", "look_in_R"), ("look_in_L", "look_out_R")]


def _likely_sizes(
    problem: _Problem, groups: list[tuple[str, ...]], fits: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(G, K) 0..1: less where a shape is much larger or smaller than a channel, for a character of this liveliness."""
    targets = np.linalg.norm([problem.target(group) for group in groups], axis=1)
    sizes = np.linalg.norm(problem.shapes, axis=1)
    ratio = np.log(np.maximum(sizes, 1e-9)[None] / np.maximum(targets, 1e-9)[:, None])
    sure = fits >= np.maximum(_LEAST_FIT, fits.max(axis=0, initial=0.0, keepdims=True))
    usual = float(np.median(ratio[sure])) if sure.any() else 0.0
    return np.exp(-0.5 * np.square((ratio - usual) / _SIZE_SPREAD))


def _convinces(
    problem: _Problem,
    groups: list[tuple[str, ...]],
    fits: NDArray[np.float64],
    pairs: list[tuple[int, int]],
    pair: tuple[int, int],
) -> bool:
    """Whether a pairing is a match: by its own fit, or since the mirrored pair is there as well."""
    row, shape = pair
    if fits[pair] >= _LEAST_FIT:
        return True
    if fits[pair] < _LEAST_PAIRED_FIT or len(groups[row]) > 1:
        return False
    twin = mirrored(groups[row][0])
    other = next((each for each in pairs if groups[each[0]] == (twin,)), None)
    if other is None or twin == groups[row][0] or fits[other] < _LEAST_PAIRED_FIT:
        return False
    sizes = np.linalg.norm(problem.shapes[[shape, other[1]]], axis=1)
    crosswise = fits[row, other[1]] < _TWINS * fits[pair] and fits[other[0], shape] < _TWINS * fits[other]
    return crosswise and bool(sizes.min() > _TWINS**3 * sizes.max())


def _played(problem: _Problem, group: tuple[str, ...], shape: int, used: set[int]) -> list[Played]:
    """A match with its gains; what it leaves over is given to shapes that play nothing else."""
    target, shapes = problem.target(group), problem.seen(group)
    chosen, gains, left = [shape], nonnegative(shapes[[shape]].T, target), target
    energy = float(target @ target)
    while True:
        left = target - gains @ shapes[chosen]
        if len(group) > 1 or len(chosen) == _MOST_PARTS:
            break
        cosine = problem.fit(group, left)
        cosine[list(used)] = 0.0
        part = int(cosine.argmax())
        if cosine[part] < _PART_FIT or cosine[part] ** 2 * float(left @ left) < _PART_GAIN * energy:
            break
        chosen.append(part)
        used.add(part)
        gains = nonnegative(shapes[chosen].T, target)
    confidence = float(np.sqrt(max(0.0, 1.0 - float(left @ left) / energy)))
    if len(group) == 1:
        weighted = zip(chosen, gains, strict=True)
        return [Played(group[0], each, float(gain), confidence) for each, gain in weighted if gain > 0.0]
    own = shapes[shape]
    shares = [max(0.0, float(problem.target((each,)) @ own / (own @ own))) for each in group]
    weighted = zip(group, shares, strict=True)
    return [Played(each, shape, gain, confidence, len(group)) for each, gain in weighted if gain > 0.0]


def _tongue(measured: Measured, free: NDArray[np.int64]) -> list[Played]:
    """The shape that brings something out of the mouth and moves little of the face, if there is one."""
    inner = measured.inner[free]
    travel = np.linalg.norm(inner, axis=1)
    face = np.linalg.norm(measured.motion[free], axis=2).max(axis=1, initial=0.0)
    forward = -inner[:, 2]
    fits = (forward >= _TONGUE_TRAVEL) & (forward >= 0.6 * travel) & (face <= _TONGUE_ALONE * travel)
    if not fits.any():
        return []
    best = int(np.argmax(np.where(fits, forward, 0.0)))
    confidence = float(forward[best] / travel[best]) * (1.0 - float(face[best] / travel[best]))
    return [Played(_TONGUE, int(free[best]), 1.0, confidence)]


def nonnegative(design: Floats, target: Floats) -> NDArray[np.float64]:
    """The least-squares solution (k,) of `design @ x = target` with no x below 0 (Lawson and Hanson's method).

    Args:
        design: (N, k).
        target: (N,).
    """
    design, target = np.asarray(design, np.float64), np.asarray(target, np.float64)
    solution, free = np.zeros(design.shape[1]), np.zeros(design.shape[1], bool)
    tolerance = 1e-10 * max(1.0, float(np.abs(design.T @ target).max(initial=0.0)))
    for _ in range(3 * design.shape[1]):
        gradient = np.where(free, -np.inf, design.T @ (target - design @ solution))
        if free.all() or gradient.max() <= tolerance:
            break
        free[int(gradient.argmax())] = True
        while True:
            trial = np.zeros_like(solution)
            trial[free], *_ = np.linalg.lstsq(design[:, free], target, rcond=None)
            below = free & (trial <= 0.0)
            if not below.any():
                break
            step = float((solution[below] / np.maximum(solution[below] - trial[below], 1e-300)).min())
            solution = solution + step * (trial - solution)
            free &= solution > 1e-12
            solution[~free] = 0.0
        solution = trial
    return solution
