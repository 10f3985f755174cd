"""Whether translations teach: six levels of each AU read from frozen features, learnt from renders or translations."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from au_mocap import channels, metrics
from training.papers.balance import LEVELS, level_of
from training.papers.fitting import DEVICE
from training.papers.frechet import Eye
from training.papers.registration_network import value_of
from training.papers.translator import resampling
from training.papers.translator.album import Album
from training.papers.translator.translator import Translator

_DROPOUT: Final = 0.5
_RATE: Final = 4e-3
_DECAY: Final = 1e-2
_STEPS: Final = 100
_BATCH: Final = 128


@dataclass(frozen=True, slots=True)
class Rows:
    """Features of some pictures, and one AU's level in each.

    Attributes:
        features: (N, D) float32.
        levels: (N,) 0..5.
    """

    features: NDArray[np.float32]
    levels: NDArray[np.int64]

    def with_more(self, other: "Rows") -> "Rows":
        """These and others."""
        return Rows(np.concatenate([self.features, other.features]), np.concatenate([self.levels, other.levels]))


@dataclass(frozen=True, slots=True)
class Findings:
    """ICC(3,1) of each of FEAFA's AUs on renders of people whom nobody learnt from.

    Attributes:
        real: (24,) learnt from renders, every level as frequent.
        translated: (24,) learnt from translations alone, likewise.
        both: (24,) learnt from both sets together.
        obeyed: (24,) what the first estimator reads from translations, against the values that they were to show.
        unchanged: (24,) what it reads from their sources, against the same.
        each: Pictures of a level of an AU.
    """

    real: NDArray[np.float64]
    translated: NDArray[np.float64]
    both: NDArray[np.float64]
    obeyed: NDArray[np.float64]
    unchanged: NDArray[np.float64]
    each: int


class Head:
    """One AU's level as a choice of six, from features; its reading is the mean of what the levels stand for."""

    def __init__(self, rows: Rows, seed: int) -> None:
        """Learns from rows, which are of two levels or more."""
        torch.manual_seed(seed)
        self._middle = torch.from_numpy(rows.features.mean(axis=0)).to(DEVICE)
        self._spread = torch.from_numpy(rows.features.std(axis=0) + 1e-3).to(DEVICE)
        self._last = nn.Linear(rows.features.shape[1], LEVELS).to(DEVICE)
        nn.init.zeros_(self._last.weight)
        self._fit(self._even(rows.features), torch.from_numpy(rows.levels).to(DEVICE), seed)

    def _even(self, features: NDArray[np.float32]) -> torch.Tensor:
        return (torch.from_numpy(features).to(DEVICE) - self._middle) / self._spread

    def _fit(self, features: torch.Tensor, wanted: torch.Tensor, seed: int) -> None:
        optimizer = torch.optim.AdamW(self._last.parameters(), _RATE, weight_decay=_DECAY)
        course = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, _STEPS)
        rng = np.random.default_rng(seed)
        for _ in range(_STEPS):
            rows = torch.from_numpy(rng.integers(0, len(wanted), min(_BATCH, len(wanted)))).to(DEVICE)
            said = self._last(nn.functional.dropout(features[rows], _DROPOUT))
            optimizer.zero_grad()
            nn.functional.cross_entropy(said, wanted[rows]).backward()
            optimizer.step()
            course.step()

    def read(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N,) 0..1 of (N, D) features."""
        with torch.no_grad():
            return value_of(self._last(self._even(features))).cpu().numpy()


def study(translator: Translator, eye: Eye, albums: tuple[Album, Album], each: int, seed: int) -> Findings:
    """Trains and compares the estimators.

    Args:
        translator: Made by people of the first album, or by others.
        eye: Whose features are read.
        albums: Whom the estimators learn from, and whom they are measured on.
        each: Pictures of a level of an AU.
        seed: Chooses pictures and first weights.
    """
    learnt, measured = albums
    known, truth = (level_of(resampling.feafa(learnt.values)), resampling.feafa(measured.values))
    seen, shown = eye.features(learnt.pictures), eye.features(measured.pictures)
    found = np.zeros((5, truth.shape[1]))
    for column in range(truth.shape[1]):
        rng = np.random.default_rng([seed, column])
        of_au = known[:, column]
        rows = resampling.real(of_au, each, rng)
        renders = Rows(seen[rows], of_au[rows])
        chosen = resampling.pairs(of_au, each, rng)
        made = Rows(eye.features(resampling.translated(translator, learnt, chosen)), chosen.levels)
        heads = [Head(table, seed) for table in (renders, made, renders.with_more(made))]
        wanted = resampling.feafa(learnt.values[chosen.targets])[:, column]
        found[:3, column] = [_icc(head.read(shown), truth[:, column]) for head in heads]
        found[3:, column] = [
            _icc(heads[0].read(features), wanted) for features in (made.features, seen[chosen.sources])
        ]
    return Findings(*found, each=each)


def _icc(said: NDArray[np.float32], truth: NDArray[np.float32]) -> float:
    return float(metrics.icc(said[:, None], truth[:, None])[0])


def table(findings: Findings) -> str:
    """The comparison in Markdown, an AU a line."""
    columns = (findings.real, findings.translated, findings.both, findings.obeyed, findings.unchanged)
    lines = [
        "| AU | renders | translations | both | reading of translations | of their sources |",
        "|---|---|---|---|---|---|",
    ]
    rows = [*zip(channels.FEAFA_IDS, np.stack(columns, axis=1), strict=True)]
    rows.append(("**mean**", np.stack(columns).mean(axis=1)))
    lines += [f"| {name} | {' | '.join(f'{value:.3f}' for value in row)} |" for name, row in rows]
    return "\n".join(lines)
