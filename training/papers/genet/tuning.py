"""Rates and priors of the fitting: the paper's rates by segmentation, the rest by what helps on the validation cast."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from au_mocap.refiners.basis import POSES, Basis
from au_mocap.refiners.fitting import STEPS
from au_mocap.refiners.refiner import Refiner
from training.papers.genet.extractor import Extractor
from training.papers.genet.generator import Generator
from training.papers.genet.playing import Clip, play
from training.papers.saying import say

_FEWEST: Final = 1.0 / 256.0
"""Share of pixels below which a parameter counts as changing that many: its rate would know no bounds."""

_FIRST_MOVES: Final = (0.003, 0.01, 0.03)
"""Root mean square of what the first step changes, of which the best is chosen."""

_ANCHORS: Final = (0.3, 0.1, 0.03)
_STEADY: Final = (0.3, 0.1, 0.03)


def rates(generator: Generator, extractor: Extractor, layout: Basis, values: int) -> NDArray[np.float32]:
    """(2 + P + K,) learning rates as the paper finds them: the inverse of the share of pixels that change class.

    Starting from the base face, each parameter alone is set to its largest value; pose to a quarter turn of its range.
    """
    base = torch.full((POSES + values + layout.identities + layout.appearances,), 0.5)
    base[POSES : POSES + values] = 0.0
    count = POSES + values + layout.identities
    faces = base.repeat(count + 1, 1)
    for place in range(count):
        faces[place + 1, place] = 1.0
    faces[1 : POSES + 1] = torch.minimum(faces[1 : POSES + 1], torch.tensor(0.75))
    with torch.no_grad():
        classes = torch.cat([extractor(generator(part)).argmax(dim=1) for part in faces.split(16)])
    changed = (classes[1:] != classes[:1]).float().mean(dim=(1, 2)).clamp_min(_FEWEST)
    found = (1.0 / changed).numpy()
    return (found / np.median(found)).astype(np.float32)


def tune(refiner: Refiner, clips: Sequence[Clip], deadline_s: float | None, steps: int = STEPS) -> tuple[Basis, str]:
    """Finds step and priors one after the other, each the best on some clips; with what was found, for people.

    Args:
        refiner: With rates; its basis is replaced on the way.
        clips: Of the validation cast.
        deadline_s: `time.monotonic()` after which nothing further is tried.
        steps: Of each fitting.
    """
    first = _first_move(refiner, clips)
    tried = [
        *(("step", move / first) for move in _FIRST_MOVES),
        *(("anchor", strength) for strength in _ANCHORS),
        *(("steadiness", strength) for strength in _STEADY),
    ]
    best, least = refiner.basis, np.inf
    start = 0.0
    for number, (name, value) in enumerate(tried):
        if number and deadline_s is not None and time.monotonic() > deadline_s:
            return _done(refiner, best), f"{number} of {len(tried)} settings of the fitting were tried: time was up"
        refiner.basis = replace(best, **{name: np.asarray(value, np.float32)})
        played = play(refiner, list(clips), steps)
        start, error = played.error(played.start), played.error(played.refined)
        fitted = float(played.after.mean() / max(played.before.mean(), 1e-12))
        say(f"genet: {name} {value:.3g}: loss {error:.4f} (start {start:.4f}), difference x{fitted:.3f}")
        if error < least:
            best, least = refiner.basis, error
    said = (
        f"On {len(clips)} validation performers the fitting takes FEAFA's loss from {start:.4f} to {least:.4f} with "
        f"step {float(best.step):.3g}, anchor {float(best.anchor):g} and steadiness {float(best.steadiness):g}"
    )
    return _done(refiner, best), said


def _done(refiner: Refiner, best: Basis) -> Basis:
    refiner.basis = best
    return best


def _first_move(refiner: Refiner, clips: Sequence[Clip]) -> float:
    """Root mean square of rates times slopes at the start."""
    moves: list[NDArray[np.float32]] = []
    for clip in clips:
        own = np.tile(refiner.basis.identity_of(clip.rest), (len(clip.shown), 1))
        _, slope = refiner.step(
            np.concatenate([clip.shown.start, own, clip.shown.appearance], axis=1), clip.shown.features
        )
        free = clip.shown.start.shape[1]
        moves.append(slope[:, :free] * refiner.basis.rates[:free])
    return max(float(np.sqrt(np.square(np.concatenate(moves)).mean())), 1e-12)
