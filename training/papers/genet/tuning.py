"""Rates and priors of the fitting: the paper's rates by segmentation, the rest by what helps on the validation cast."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from au_mocap.refiners.basis import POSES, Basis
from au_mocap.refiners.fitting import STEPS
from au_mocap.refiners.refiner import Refiner
from training.papers.genet.extractor import Extractor
from training.papers.genet.generator import Generator
from training.papers.genet.playing import Clip, Played, play
from training.papers.saying import say

_FEWEST: Final = 1.0 / 512.0
"""Share of pixels below which the classes tell nothing of a parameter."""

_FIRST_MOVES: Final = (0.003, 0.01, 0.03)
"""Root mean square of what the first step changes, of which the best is chosen."""

_LEAST_MOVE: Final = 1e-6
_ANCHORS: Final = (0.3, 0.1, 0.03)
_STEADY: Final = (0.1, 0.03, 0.0)


def rates(generator: Generator, extractor: Extractor, layout: Basis, values: int) -> NDArray[np.float32]:
    """(2 + P + K,) learning rates as the paper finds them: the inverse of the share of pixels that change class.

    Starting from the base face, each parameter alone is set to its largest value, pose halfway to it. A parameter that
    changes hardly any pixel gets 0: the paper's rule would move it by leaps that nothing in the picture bears out.
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
    changed = (classes[1:] != classes[:1]).float().mean(dim=(1, 2)).numpy()
    found = np.where(changed >= _FEWEST, 1.0 / np.maximum(changed, _FEWEST), 0.0)
    used = found[found > 0]
    return (found / (np.median(used) if len(used) else 1.0)).astype(np.float32)


@dataclass(slots=True)
class Search:
    """Settings of the fitting, one after the other, each the best on some clips.

    Attributes:
        refiner: With rates; its basis is replaced on the way.
        clips: Of the validation cast.
        steps: Of each fitting.
        tried: How many settings were.
        start: FEAFA's loss (equation 3) before fitting.
        least: The least after it.
        best: What gave that; None before anything was tried.
    """

    refiner: Refiner
    clips: Sequence[Clip]
    steps: int
    tried: int = 0
    start: float = float("nan")
    least: float = float("inf")
    best: Played | None = None

    def attempt(self, **changes: NDArray[np.floating]) -> None:
        """Plays the clips with some tables of the basis changed, and keeps them where the loss falls."""
        before = self.refiner.basis
        self.refiner.basis = replace(before, **{key: table.astype(np.float32) for key, table in changes.items()})
        played = play(self.refiner, list(self.clips), self.steps)
        self.tried += 1
        self.start, loss = played.error(played.start), played.error(played.refined)
        left = float(played.after.mean() / max(float(played.before.mean()), 1e-12))
        told = ", ".join(f"{key} {float(table):.3g}" for key, table in changes.items() if not table.ndim)
        say(f"genet: {told or 'fewer AUs'}: loss {loss:.4f} (start {self.start:.4f}), difference x{left:.3f}")
        if loss < self.least:
            self.best, self.least = played, loss
        else:
            self.refiner.basis = before

    def drop(self) -> None:
        """Sets the rates of AUs that the best fitting so far made worse to 0, and tries that."""
        if self.best is None:
            return
        columns = self.refiner.columns
        errors = [np.square(values - self.best.truth)[:, columns].mean(axis=0) for values in _both(self.best)]
        kept = np.ones(len(self.refiner.basis.rates), np.float32)
        kept[POSES : POSES + len(columns)] = errors[1] < errors[0]
        self.attempt(rates=self.refiner.basis.rates * kept)


def _both(played: Played) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    return played.start, played.refined


def tune(refiner: Refiner, clips: Sequence[Clip], deadline_s: float | None, steps: int = STEPS) -> tuple[Basis, str]:
    """Finds step, AUs and priors; with what was found, for people.

    Args:
        refiner: With rates; its basis is replaced.
        clips: Of the validation cast.
        deadline_s: `time.monotonic()` after which nothing further is tried.
        steps: Of each fitting.
    """
    first = _first_move(refiner, clips)
    search = Search(refiner, clips, steps)
    attempts: list[Callable[[], None]] = [
        *(partial(search.attempt, step=np.asarray(move / first)) for move in _FIRST_MOVES),
        search.drop,
        *(partial(search.attempt, anchor=np.asarray(strength)) for strength in _ANCHORS),
        *(partial(search.attempt, steadiness=np.asarray(strength)) for strength in _STEADY),
    ]
    for attempt in attempts:
        if search.tried and deadline_s is not None and time.monotonic() > deadline_s:
            break
        attempt()
    best = refiner.basis
    fitted = int((best.rates[POSES : POSES + len(refiner.columns)] > 0).sum())
    late = (
        "" if search.tried == len(attempts) else f"; {search.tried} of {len(attempts)} settings were tried: time was up"
    )
    return best, (
        f"On {len(clips)} validation performers the fitting takes FEAFA's loss from {search.start:.4f} to "
        f"{search.least:.4f} with step {float(best.step):.3g}, anchor {float(best.anchor):g} and steadiness "
        f"{float(best.steadiness):g}; {fitted} of {len(refiner.columns)} AUs are fitted{late}"
    )


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
    return max(float(np.sqrt(np.square(np.concatenate(moves)).mean())), _LEAST_MOVE)
