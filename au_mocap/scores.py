"""Figures of a regressor over many clips: pairs of prediction and truth in, one score a target out."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from . import channels, metrics
from .arrays import Floats
from .datasets import Labels, Target

MEASURES: Final = ("icc", "pcc", "mae", "mse", "f1", "jitter")


@dataclass(frozen=True, slots=True)
class Pair:
    """Prediction and truth of one clip's labelled frames.

    Attributes:
        clip: The clip's name.
        subject: Who is seen.
        targets: The K things that were coded.
        frames: (N,) places in the clip.
        predicted: (N, K) 0..1, NaN where no face was found.
        truth: (N, K) 0..1, NaN where not coded.
    """

    clip: str
    subject: str
    targets: tuple[Target, ...]
    frames: NDArray[np.int64]
    predicted: NDArray[np.float64]
    truth: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scores:
    """How well K targets were met.

    Attributes:
        targets: The targets.
        counts: (K,) frames that were compared.
        figures: (K,) by measure (`MEASURES`); NaN where a measure says nothing: ICC and PCC where the truth stands
            still, F1 where it is never present, all but F1 and jitter where a target is not graded.
        found: Share of the labelled frames in which there was a face; the others are not compared.
        feafa_loss: FEAFA's loss, None unless all of its 24 were labelled.
        feafa_loss_of_zero: The loss of predicting zero throughout on the same frames.
    """

    targets: tuple[Target, ...]
    counts: NDArray[np.int64]
    figures: Mapping[str, NDArray[np.float64]]
    found: float
    feafa_loss: float | None
    feafa_loss_of_zero: float | None

    def mean(self, measure: str, among: Container[str] | None = None) -> float:
        """Mean of a measure over the targets that have it; NaN where none has.

        Args:
            measure: One of `MEASURES`.
            among: Names of the targets to look at; None for all.
        """
        chosen = [among is None or target.name in among for target in self.targets]
        figures = self.figures[measure][chosen]
        figures = figures[~np.isnan(figures)]
        return float(figures.mean()) if figures.size else float("nan")


def pair(clip: str, subject: str, labels: Labels, values: Floats) -> Pair:
    """Takes what a (N, 58) table of all channels says of a clip's N labelled frames."""
    predicted = np.stack([target.of(values) for target in labels.targets], axis=1)
    return Pair(clip, subject, labels.targets, labels.frames, predicted, labels.values.astype(np.float64))


def of_zero(pairs: Sequence[Pair]) -> list[Pair]:
    """The baseline: zero for everything, in every frame."""
    return [Pair(one.clip, one.subject, one.targets, one.frames, np.zeros_like(one.truth), one.truth) for one in pairs]


def score(pairs: Sequence[Pair]) -> Scores:
    """Scores all frames of all clips together.

    Args:
        pairs: At least one; clips need not have the same targets.
    """
    targets = tuple(dict.fromkeys(target for one in pairs for target in one.targets))
    predicted = np.concatenate([_spread(one, one.predicted, targets) for one in pairs])
    truth = np.concatenate([_spread(one, one.truth, targets) for one in pairs])
    seen = np.concatenate([~np.isnan(one.predicted).any(axis=1) for one in pairs])
    compared = ~np.isnan(truth) & seen[:, None]
    columns = [_figures(predicted[rows, k], truth[rows, k], targets[k]) for k, rows in enumerate(compared.T)]
    figures = {name: np.array([column[name] for column in columns]) for name in MEASURES if name != "jitter"}
    figures["jitter"] = _jitter(pairs, targets)
    loss, loss_of_zero = _feafa_loss(predicted, truth, targets, compared)
    return Scores(
        targets=targets,
        counts=compared.sum(axis=0),
        figures=figures,
        found=float(seen.mean()),
        feafa_loss=loss,
        feafa_loss_of_zero=loss_of_zero,
    )


def _spread(one: Pair, table: NDArray[np.float64], targets: tuple[Target, ...]) -> NDArray[np.float64]:
    """(N, K) of all clips' targets; NaN for those that this clip lacks."""
    spread = np.full((len(table), len(targets)), np.nan)
    spread[:, [targets.index(target) for target in one.targets]] = table
    return spread


def _figures(predicted: NDArray[np.float64], truth: NDArray[np.float64], target: Target) -> dict[str, float]:
    """The measures of one target's compared frames."""
    if not truth.size:
        return dict.fromkeys(MEASURES, np.nan)
    columns = predicted[:, None], truth[:, None]
    moves = target.graded and np.ptp(truth) > 0
    return {
        "icc": float(metrics.icc(*columns)[0]) if moves else np.nan,
        "pcc": float(metrics.pcc(*columns)[0]) if moves else np.nan,
        "mae": float(metrics.mae(*columns)[0]) if target.graded else np.nan,
        "mse": float(metrics.mse(*columns)[0]) if target.graded else np.nan,
        "f1": float(metrics.f1(*columns)[0]),
    }


def _jitter(pairs: Sequence[Pair], targets: tuple[Target, ...]) -> NDArray[np.float64]:
    """Jitter of the prediction; windows reach over neither clips, gaps between labels nor frames without a face."""
    stretches: list[NDArray[np.float64]] = []
    for one in pairs:
        table = _spread(one, one.predicted, targets)
        gaps = [*(np.flatnonzero(np.diff(one.frames) != 1) + 1), len(table)]
        stretches.append(np.insert(table, gaps, np.nan, axis=0))  # no window reaches over a row of NaN
    return metrics.jitter(np.concatenate(stretches))


def _feafa_loss(
    predicted: NDArray[np.float64],
    truth: NDArray[np.float64],
    targets: tuple[Target, ...],
    compared: NDArray[np.bool_],
) -> tuple[float | None, float | None]:
    place = {target.name: k for k, target in enumerate(targets)}
    columns = [place[channel_id] for channel_id in channels.FEAFA_IDS if channel_id in place]
    rows = compared[:, columns].all(axis=1)
    if len(columns) < len(channels.FEAFA_IDS) or not rows.any():
        return None, None
    wanted = truth[rows][:, columns]
    return metrics.feafa_loss(predicted[rows][:, columns], wanted), metrics.feafa_loss(np.zeros_like(wanted), wanted)
