"""Cubic curves through chosen samples: their values and slopes there, fitted to all samples by least squares.

The sums that a fit needs are kept for every stretch between two knots, so that moving one knot costs only what lies
around it. The equations couple neighbours alone; alternating between even and odd knots solves them in a few turns.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .reduction import Deviation

Array = NDArray[np.float64]

_TURNS: Final = 5
"""Of solving; the values of the round before are the first guess, so few are enough."""

_PRIOR: Final = 1e-3
"""Weight of a sample's own slope against the fit's: it decides where a stretch has too few samples to say."""

_STEEPEST: Final = 3.0
"""A slope is at most this many times what its neighbouring samples show, so that no stretch swings out."""

_BETWEEN: Final = (0.25, 0.5, 0.75)
"""Where it is looked whether a curve swings out, in shares of the way from one sample to the next."""

_SAME: Final = 1e-10


@dataclass(frozen=True, slots=True)
class Knots:
    """What is settled about samples that may become knots, each (K,) bool.

    Attributes:
        pinned: The curve goes through the sample itself.
        flat_left: The curve arrives level.
        flat_right: The curve leaves level.
        corner: The slopes on both sides need not agree; such samples are pinned.
    """

    pinned: NDArray[np.bool_]
    flat_left: NDArray[np.bool_]
    flat_right: NDArray[np.bool_]
    corner: NDArray[np.bool_]


class Spline:
    """A curve that changes its knots again and again.

    Attributes:
        values: (K, D) fitted values; they count at knots.
        left: (K, D) slopes with which the curve arrives there.
        right: (K, D) slopes with which it leaves.
    """

    def __init__(self, times: Array, samples: Array, knots: Knots) -> None:
        """Starts with the samples' own values and slopes: (K,) rising times, (K, D) samples, K at least 2."""
        self._times, self._samples, self._knots = times, samples, knots
        secants = np.diff(samples, axis=0) / np.diff(times)[:, None]
        before, after = np.concatenate([secants[:1], secants]), np.concatenate([secants, secants[-1:]])
        self._limit = _STEEPEST * np.maximum(np.abs(before), np.abs(after))
        self._range = samples.min(axis=0), samples.max(axis=0)
        both = (before + after) / 2.0
        corner = knots.corner[:, None]
        self.values = samples.copy()
        self.left = np.where(knots.flat_left[:, None], 0.0, np.where(corner, before, both))
        self.right = np.where(knots.flat_right[:, None], 0.0, np.where(corner, after, both))
        self._own = self.left.copy(), self.right.copy()
        count, size = samples.shape
        self._stop = np.full(count, -1)  # by a stretch's first sample: where it ended when it was summed
        self._products = np.zeros((count, 4, 4))
        self._sums = np.zeros((count, 4, size))
        self._measured = np.full((count, 4 * size + 1), np.nan)
        self._worst = np.zeros((count, 3))  # error of the inner samples, the sample that has it, error of the first

    def fit(self, edges: NDArray[np.int64]) -> None:
        """Fits values and slopes at the knots, which are rising sample numbers from the first to the last."""
        first, last = edges[:-1], edges[1:]
        self._sum(first, last)
        span = np.square(self._times[last] - self._times[first])[:, None] * _PRIOR
        system = _System(self._products[first], self._sums[first], span, self._own[0][edges], self._own[1][edges])
        state = self.values[edges], self.left[edges], self.right[edges]
        rules = _Rules(
            pinned=self._knots.pinned[edges][:, None],
            flat_left=self._knots.flat_left[edges][:, None],
            flat_right=self._knots.flat_right[edges][:, None],
            corner=self._knots.corner[edges][:, None],
            limit=self._limit[edges],
            low=self._range[0],
            high=self._range[1],
        )
        for _ in range(_TURNS):
            for parity in (0, 1):
                system.turn(state, rules, parity)
        self.values[edges], self.left[edges], self.right[edges] = state

    def pin(self, samples: NDArray[np.int64]) -> None:
        """Lets the curve go through some samples from now on."""
        self._knots.pinned[samples] = True
        self.values[samples] = self._samples[samples]

    def errors(self, edges: NDArray[np.int64], deviation: Deviation) -> Array:
        """(M, 3) of each stretch: the largest error inside, the sample that has it, the error of the first sample."""
        first, last = edges[:-1], edges[1:]
        ends = (self.values[first], self.right[first], self.values[last], self.left[last])
        now = np.concatenate([*ends, last[:, None]], axis=1)
        is_new = ~(np.abs(now - self._measured[first]) <= _SAME).all(axis=1)
        first, last = first[is_new], last[is_new]
        if len(first):
            self._measured[first] = now[is_new]
            inside, stretch, basis = self._basis(first, last)
            lines = np.zeros((len(inside), self._samples.shape[1]))
            for part, end in zip(basis, ends, strict=True):
                lines += part[:, None] * end[is_new][stretch]
            errors = deviation(lines, self._samples[inside])
            starts = np.flatnonzero(np.diff(stretch, prepend=-1))
            at_first = errors[starts]
            errors[starts] = -1.0
            most = np.maximum.reduceat(errors, starts)
            hits = np.flatnonzero(errors == most[stretch])
            where = inside[hits[np.searchsorted(hits, starts)]]
            self._worst[first] = np.stack([most, where, at_first], axis=1)
        return self._worst[edges[:-1]]

    def swings(self, edges: NDArray[np.int64], allowed: float) -> NDArray[np.int64]:
        """Finds where the curve leaves the range of the two samples that it runs between.

        Args:
            edges: The knots.
            allowed: By how much it may.

        Returns:
            Numbers of the samples before such places; none of rotations, whose components mean little alone.
        """
        if self._samples.shape[1] > 1:
            return np.zeros(0, np.int64)
        stretch = np.repeat(np.arange(len(edges) - 1), np.diff(edges))
        first, last = edges[:-1][stretch], edges[1:][stretch]
        length = self._times[last] - self._times[first]
        samples, ends = self._samples[:, 0], (self.values[first], self.right[first], self.values[last], self.left[last])
        low, high = np.minimum(samples[:-1], samples[1:]), np.maximum(samples[:-1], samples[1:])
        swings = np.zeros(len(stretch), np.bool_)
        for share in _BETWEEN:
            times = self._times[:-1] + share * np.diff(self._times)
            basis = _polynomials((times - self._times[first]) / length, length)
            line = sum((part * end[:, 0] for part, end in zip(basis, ends, strict=True)), np.zeros(len(stretch)))
            swings |= (low - line > allowed) | (line - high > allowed)
        return np.flatnonzero(swings)

    def calm(self, samples: NDArray[np.int64]) -> None:
        """Quarters how steep the curve may be at some samples and the ones behind them."""
        self._limit[samples] /= 4.0
        self._limit[samples + 1] /= 4.0

    def _sum(self, first: NDArray[np.int64], last: NDArray[np.int64]) -> None:
        is_new = self._stop[first] != last
        first, last = first[is_new], last[is_new]
        if not len(first):
            return
        self._stop[first] = last
        inside, stretch, basis = self._basis(first, last)
        starts = np.flatnonzero(np.diff(stretch, prepend=-1))
        for row in range(4):
            for column in range(row, 4):
                product = np.add.reduceat(basis[row] * basis[column], starts)
                self._products[first, row, column] = self._products[first, column, row] = product
            self._sums[first, row] = np.add.reduceat(basis[row][:, None] * self._samples[inside], starts)

    def _basis(
        self, first: NDArray[np.int64], last: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], tuple[Array, ...]]:
        """Samples of stretches without their last, the stretch of each, and the four Hermite polynomials there."""
        counts = last - first
        starts = np.cumsum(counts) - counts
        stretch = np.repeat(np.arange(len(first)), counts)
        inside: NDArray[np.int64] = np.arange(int(counts.sum())) + (first - starts)[stretch]
        length = (self._times[last] - self._times[first])[stretch]
        u = (self._times[inside] - self._times[first][stretch]) / length
        return inside, stretch, _polynomials(u, length)


def _polynomials(u: Array, length: Array) -> tuple[Array, ...]:
    """What value and slope at both ends of stretches contribute at shares of their lengths."""
    rest = 1.0 - u
    rising = u * u * (3.0 - 2.0 * u)
    return 1.0 - rising, u * rest * rest * length, rising, -u * u * rest * length


@dataclass(frozen=True, slots=True)
class _Rules:
    """What knots may not do, each (N, 1) or (N, D), or (D,) for the range of values."""

    pinned: NDArray[np.bool_]
    flat_left: NDArray[np.bool_]
    flat_right: NDArray[np.bool_]
    corner: NDArray[np.bool_]
    limit: Array
    low: Array
    high: Array


class _System:
    """The equations of all knots: of each its own value and slope, given those of its neighbours."""

    def __init__(self, products: Array, sums: Array, prior: Array, own_left: Array, own_right: Array) -> None:
        nothing, none = np.zeros((1, 4, 4)), np.zeros((1, *sums.shape[1:]))
        zero = np.zeros((1, 1))
        self._back = np.concatenate([nothing, products])[..., None]  # the stretch before each knot
        self._ahead = np.concatenate([products, nothing])[..., None]
        self._sums_back, self._sums_ahead = np.concatenate([none, sums]), np.concatenate([sums, none])
        self._prior_back, self._prior_ahead = np.concatenate([zero, prior]), np.concatenate([prior, zero])
        self._sums_back[:, 3] += self._prior_back * own_left
        self._sums_ahead[:, 1] += self._prior_ahead * own_right

    def turn(self, state: tuple[Array, Array, Array], rules: _Rules, parity: int) -> None:
        """Solves every second knot with the others as they are."""
        values, left, right = state
        own = slice(parity, None, 2)
        back, ahead = self._back[own], self._ahead[own]
        value_before, slope_before = _shifted(values, -1)[own], _shifted(right, -1)[own]
        value_after, slope_after = _shifted(values, 1)[own], _shifted(left, 1)[own]
        arriving = (
            self._sums_back[own, 2:] - back[:, 2:, 0] * value_before[:, None] - back[:, 2:, 1] * slope_before[:, None]
        )
        leaving = (
            self._sums_ahead[own, :2] - ahead[:, :2, 2] * value_after[:, None] - ahead[:, :2, 3] * slope_after[:, None]
        )
        steep_back, steep_ahead = back[:, 3, 3] + self._prior_back[own], ahead[:, 1, 1] + self._prior_ahead[own]
        wanted_value, wanted_slope = arriving[:, 0] + leaving[:, 0], arriving[:, 1] + leaving[:, 1]
        level, mixed, steep = back[:, 2, 2] + ahead[:, 0, 0], back[:, 2, 3] + ahead[:, 0, 1], steep_back + steep_ahead
        determinant = level * steep - mixed * mixed
        free = (wanted_value * steep - wanted_slope * mixed) / np.where(determinant > 0.0, determinant, np.inf)
        held = rules.pinned[own] | (determinant <= 0.0)
        values[own] = np.where(held, values[own], np.clip(free, rules.low, rules.high))
        smooth = (wanted_slope - mixed * values[own]) / steep
        corner, limit = rules.corner[own], rules.limit[own]
        at_left = np.where(corner, _ratio(arriving[:, 1] - back[:, 3, 2] * values[own], steep_back), smooth)
        at_right = np.where(corner, _ratio(leaving[:, 1] - ahead[:, 1, 0] * values[own], steep_ahead), smooth)
        left[own] = np.where(rules.flat_left[own], 0.0, np.clip(at_left, -limit, limit))
        right[own] = np.where(rules.flat_right[own], 0.0, np.clip(at_right, -limit, limit))


def _shifted(rows: Array, step: int) -> Array:
    """Each knot's neighbour before (-1) or after (1); the ends have none, which is 0."""
    result = np.zeros_like(rows)
    if step < 0:
        result[1:] = rows[:-1]
    else:
        result[:-1] = rows[1:]
    return result


def _ratio(over: Array, under: Array) -> Array:
    return np.divide(over, under, out=np.zeros_like(over), where=under > 0.0)
