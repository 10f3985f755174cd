"""Learning a change from few labels: as close to the base as the labels allow, and no further than they bear out.

For each channel a gain and weights on the head's last layer are fitted by ridge regression to what the base missed:
least squares with a price on every step away from the base. The problem is convex, so there is one answer and no order
of frames or luck in it. How dear a step is, is chosen on blocks of time that the fit did not see; a channel for which
even the best price brings nothing there keeps the base.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from au_mocap import metrics

PASSES: Final = 8
"""Times that frames whose answer is clipped are looked for and left out."""

_GAIN_SPREADS: Final = (0.15, 0.6)
_LAYER_SPREADS: Final = (0.0, 0.05, 0.15)
_LEAST_PROFIT: Final = 0.05
"""Share of what is missed, on blocks that were not fitted, that a change must save to be kept. Spreads and share were
chosen on rendered performers: freer ones gained no more on the same clip and lost on another."""

_FOLDS: Final = 4
_NOTHING: Final = 1e-6
_PRESENT: Final = 0.1


@dataclass(frozen=True, slots=True)
class Examples:
    """N labelled frames as the fit sees them.

    Attributes:
        base: (N, P) the base's values before they are clipped.
        away: (N, P) the same less those of the face at rest.
        thought: (N, W) what the last layer reads, less that of the face at rest.
        target: (N, P) labels, NaN where there is none.
        weight: (N,) how much each frame counts, up to 1.
        block: (N,) number of the block of time that each frame lies in.
    """

    base: NDArray[np.float64]
    away: NDArray[np.float64]
    thought: NDArray[np.float64]
    target: NDArray[np.float64]
    weight: NDArray[np.float64]
    block: NDArray[np.int64]

    def take(self, rows: NDArray[np.bool_]) -> "Examples":
        """Some of the frames."""
        return Examples(
            self.base[rows], self.away[rows], self.thought[rows], self.target[rows], self.weight[rows], self.block[rows]
        )


@dataclass(frozen=True, slots=True)
class Change:
    """What was learnt.

    Attributes:
        gain: (P,) added to each channel's factor 1.
        layer: (P, W) weights of the last layer's numbers.
        profit: (P,) share of the squared error saved on blocks that were not fitted; 0 where the base is kept.
    """

    gain: NDArray[np.float64]
    layer: NDArray[np.float64]
    profit: NDArray[np.float64]

    @property
    def changed(self) -> NDArray[np.bool_]:
        """(P,) the channels that are not the base's any more."""
        return self.profit > 0.0


@dataclass(frozen=True, slots=True)
class _Price:
    """How far one may go from the base: spreads that a gain, and a weight of the last layer, are thought to have."""

    gain: float
    layer: float


@dataclass(frozen=True, slots=True)
class _Column:
    """One channel's examples: (n, 1 + W) what the change works on, the base, the labels, weights, blocks."""

    inputs: NDArray[np.float64]
    base: NDArray[np.float64]
    target: NDArray[np.float64]
    weight: NDArray[np.float64]
    block: NDArray[np.int64]

    def take(self, rows: NDArray[np.bool_]) -> "_Column":
        return _Column(self.inputs[rows], self.base[rows], self.target[rows], self.weight[rows], self.block[rows])


def learn(examples: Examples, wanted: NDArray[np.bool_], passes: int = PASSES) -> Change:
    """Fits the change.

    Args:
        examples: Labelled frames to learn from.
        wanted: (P,) channels that may change.
        passes: Times that clipped frames are looked for.
    """
    count, width = examples.target.shape[1], examples.thought.shape[1]
    change = Change(np.zeros(count), np.zeros((count, width)), np.zeros(count))
    scale = float(np.sqrt(np.square(examples.thought).sum(axis=1).mean())) or 1.0
    for channel in np.flatnonzero(wanted):
        known = ~np.isnan(examples.target[:, channel])
        column = _Column(
            np.column_stack([examples.away[known, channel], examples.thought[known] / scale]),
            examples.base[known, channel],
            examples.target[known, channel],
            examples.weight[known],
            examples.block[known],
        )
        price, profit = _best_price(column, passes)
        if price is None:
            continue
        weights = _fit(column, price, passes)
        change.gain[channel], change.layer[channel] = weights[0], weights[1:] / scale
        change.profit[channel] = profit
    return change


def _best_price(column: _Column, passes: int) -> tuple[_Price | None, float]:
    """The price that does best on blocks that were left out; None where the base does as well."""
    groups = _groups(column)
    if len(groups) < 2:
        return None, 0.0
    before = _misses(column, column.base)
    best, least = None, 1.0 - _LEAST_PROFIT
    for layer in _LAYER_SPREADS:
        for gain in _GAIN_SPREADS:
            price = _Price(gain, layer)
            predicted = np.empty_like(column.base)
            for group in groups:
                out = np.isin(column.block, group)
                weights = _fit(column.take(~out), price, passes)
                predicted[out] = column.base[out] + column.inputs[out] @ weights
            shares = _misses(column, predicted) / before
            if shares.max() <= 1.0 and shares.mean() < least:
                best, least = price, float(shares.mean())
    return best, 1.0 - least if best else 0.0


def _groups(column: _Column) -> list[NDArray[np.int64]]:
    """Blocks dealt into at most `_FOLDS` groups, those in which the channel acts evenly among them."""
    blocks = np.unique(column.block)
    acted = np.array([column.target[column.block == block].max() for block in blocks])
    dealt = blocks[np.argsort(-acted, kind="stable")]
    active = int((acted > _PRESENT).sum())
    return [dealt[start::_FOLDS] for start in range(min(_FOLDS, active))] if active >= 2 else []


def _misses(column: _Column, predicted: NDArray[np.float64]) -> NDArray[np.float64]:
    """What clipped values miss: (2,) weighted mean squared error, and what ICC(3,1) lacks of 1.

    Least squares alone would make uncertain channels timid, which looks worse on a face than an error does.
    """
    clipped = np.clip(predicted, 0.0, 1.0)
    missed = float((column.weight * (clipped - column.target) ** 2).sum() / column.weight.sum())
    agreed = float(metrics.icc(clipped[:, None], column.target[:, None])[0])
    return np.maximum([missed, 1.0 - agreed], _NOTHING)


def _fit(column: _Column, price: _Price, passes: int) -> NDArray[np.float64]:
    """(1 + W,) weights. A frame whose value lies beyond 0 or 1, where its label stands, is right and pulls nowhere."""
    spread = np.full(column.inputs.shape[1], price.layer)
    spread[0] = price.gain
    scaled = column.inputs * spread
    root = np.sqrt(column.weight)
    missed = column.target - column.base
    predicted, weights = column.base, np.zeros(column.inputs.shape[1])
    before = None
    for _ in range(passes):
        pulls = ~(((column.target <= 0.0) & (predicted < 0.0)) | ((column.target >= 1.0) & (predicted > 1.0)))
        if not pulls.any() or (before is not None and np.array_equal(pulls, before)):
            break
        rows, before = scaled[pulls] * root[pulls, None], pulls
        # As many unknowns as frames rather than as weights: there are fewer of them.
        dual = np.linalg.solve(rows @ rows.T + np.eye(len(rows)) * _NOISE, root[pulls] * missed[pulls])
        weights = spread * (rows.T @ dual)
        predicted = column.base + column.inputs @ weights
    return weights


_NOISE: Final = 1.0
"""Sum of squared errors that is worth one spread. Labels of one block are alike: they count for less than their number,
so this is more than one label's error."""
