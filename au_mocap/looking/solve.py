"""Which shapes play which channels, judged by their motions alone.

A channel is played by the shape whose motion points the same way at the same landmarks; sizes count little, since
artists exaggerate. Every shape plays one channel, or several that it moves together (both sides, a whole brow), so the
pairing is solved for all of them at once. What a pairing leaves unexplained may be played by further shapes.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..channels import PREDICTED_IDS, mirrored
from .assignment import assign
from .grouping import LEAST_FIT, LEAST_WORTH, Group, columns, groups
from .least_squares import nonnegative
from .measure import Measured
from .motion import ChannelMotion, channel_motion
from .problem import TONGUE, Problem, make

_LEAST_PAIRED_FIT: Final = 0.42
"""Cosine between motions that makes a match where the mirrored shape fits the mirrored channel."""

_TWINS: Final = 0.8
_TWINS_SIZE: Final = 0.5
"""How well each of two mirrored shapes may fit the other side, and how much smaller one of them may be."""

_ELSEWHERE: Final = 0.3
"""What a shape's better fit to another channel takes off its worth for this one."""

_SIZE_SPREAD: Final = 1.6
_MOST_PARTS: Final = 4
_PART_FIT: Final = 0.65
_PART_GAIN: Final = 0.04
"""What a further shape of a channel needs: its cosine with what is left, and its share of the channel's motion."""

_TONGUE_TRAVEL: Final = 0.12
_TONGUE_AHEAD: Final = 0.6
_TONGUE_ALONE: Final = 0.4
"""How far a tongue comes out, in distances between the eyes; the shares of its way that it goes forward, and that the
face may move."""


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


def solve(measured: Measured, known: ChannelMotion | None = None) -> tuple[Played, ...]:
    """Finds out which shapes play which channels.

    Args:
        measured: The shapes' motions.
        known: The channels' motions; None for those that ship with the engine.

    Returns:
        In the order of the vocabulary; a channel may be played by several shapes, or by none.
    """
    if not len(measured.motion):
        return ()
    single = make(measured, known or channel_motion())
    members = columns(single)
    problem = replace(
        single,
        shapes=np.array([single.shapes[list(each)].sum(axis=0) for each in members]).reshape(len(members), -1),
        candidates=np.array([single.candidates[list(each)].all() for each in members], bool),
    )
    pairing = _pair(problem)
    kept = [pair for pair in pairing.pairs if _convinces(problem, pairing, pair)]
    used = {column for _, column in kept}
    found = [each for row, column in kept for each in _played(problem, pairing.groups[row], column, used)]
    played = [replace(each, shape=shape) for each in found for shape in members[each.shape]]
    played += _tongue(measured, set(range(len(single.shapes))) - {each.shape for each in played})
    return tuple(sorted(played, key=lambda each: (PREDICTED_IDS.index(each.channel), each.shape)))


@dataclass(frozen=True, slots=True)
class _Pairing:
    """Groups of channels, (G, K) cosines with the shapes, and the best pairs of both."""

    groups: list[Group]
    fits: NDArray[np.float64]
    pairs: list[tuple[int, int]]


def _pair(problem: Problem) -> _Pairing:
    """Pairs what a character moves together with its shapes, as well as all of them can be."""
    known = groups(problem)
    fits = np.array([problem.fit(group) for group in known]).reshape(len(known), len(problem.shapes))
    elsewhere = np.maximum(fits.max(axis=0, initial=0.0)[None] - fits, 0.0)
    worth = fits * _likely_sizes(problem, known, fits) - _ELSEWHERE * elsewhere
    return _Pairing(known, fits, assign(worth - LEAST_WORTH))


def _likely_sizes(problem: Problem, known: list[Group], fits: NDArray[np.float64]) -> NDArray[np.float64]:
    """(G, K) 0..1: less where a shape is much larger or smaller than a channel, for a character of this liveliness."""
    targets = np.linalg.norm(np.stack([problem.target(group) for group in known]), axis=1)
    sizes = np.linalg.norm(problem.shapes, axis=1)
    ratio = np.log(np.maximum(sizes, 1e-9)[None] / np.maximum(targets, 1e-9)[:, None])
    sure = fits >= np.maximum(LEAST_FIT, fits.max(axis=0, initial=0.0, keepdims=True))
    usual = float(np.sort(ratio[sure])[np.count_nonzero(sure) // 2]) if sure.any() else 0.0
    return np.exp(-0.5 * np.square((ratio - usual) / _SIZE_SPREAD))


def _convinces(problem: Problem, pairing: _Pairing, pair: tuple[int, int]) -> bool:
    """Whether a pairing is a match: by its own fit, or since the mirrored pair is there as well."""
    row, shape = pair
    fits, group = pairing.fits, pairing.groups[row]
    lead = group[0]
    if fits[pair] >= LEAST_FIT:
        return True
    twin = mirrored(lead)
    if fits[pair] < _LEAST_PAIRED_FIT or len(group) > 1 or twin == lead:
        return False
    other = next((each for each in pairing.pairs if pairing.groups[each[0]] == (twin,)), None)
    if other is None or fits[other] < _LEAST_PAIRED_FIT:
        return False
    sizes = np.linalg.norm(problem.shapes[[shape, other[1]]], axis=1)
    crosswise = fits[row, other[1]] < _TWINS * fits[pair] and fits[other[0], shape] < _TWINS * fits[other]
    return bool(crosswise and sizes.min() > _TWINS_SIZE * sizes.max())


def _played(problem: Problem, group: Group, shape: int, used: set[int]) -> list[Played]:
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
    shares = {each: max(0.0, float(problem.target((each,)) @ own / (own @ own))) for each in group}
    weighted = [(each, (share + shares.get(mirrored(each), share)) / 2) for each, share in shares.items()]
    return [Played(each, shape, gain, confidence, len(group)) for each, gain in weighted if gain > 0.0]


def _tongue(measured: Measured, unused: set[int]) -> list[Played]:
    """The shape that brings something out of the mouth and moves little of the face, if there is one."""
    free = np.array(sorted(unused), np.int64)
    inner = measured.inner[free]
    travel = np.linalg.norm(inner, axis=1)
    face = np.linalg.norm(measured.motion[free], axis=2).max(axis=1, initial=0.0)
    forward = -inner[:, 2]
    fits = (forward >= _TONGUE_TRAVEL) & (forward >= _TONGUE_AHEAD * travel) & (face <= _TONGUE_ALONE * travel)
    if not fits.any():
        return []
    best = int(np.argmax(np.where(fits, forward, 0.0)))
    confidence = float(forward[best] / travel[best]) * (1.0 - float(face[best] / travel[best]))
    return [Played(TONGUE, int(free[best]), 1.0, confidence)]
