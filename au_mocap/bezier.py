"""Few keys with fitted handles: cubic curves through chosen samples that stay near all others.

Turning points and touches of the curve's limits are keys in any case, exactly where they were measured and with level
handles. Between them a least-squares curve decides, and where it errs too much it gets one more key.

Between two keys the curve is a cubic Hermite. As a Bezier in an animation program its handles lie a third of the way to
the next key, so that time runs evenly along it and the program draws what was fitted here.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from . import turning
from .arrays import Floats
from .hermite import Knots, Spline
from .reduction import Deviation, angle, check, distance

_OWN_SHARE: Final = 0.98
"""Of the tolerance; the rest is for programs that store keys and handles as 32-bit numbers."""

_PROMINENCE: Final = 3.0
"""Turning points that stand out by more than so many tolerances stay."""

_SWING: Final = 2.0
"""So many tolerances may a curve leave the range of two neighbouring samples between them."""

_THINNED: Final = 3
"""Every third key is tried without, then every other third."""

_NOISE: Final = 0.5
"""A curve of which more samples than this share are keys is hardly worth thinning."""

_ROUNDS_BEFORE_HALVING: Final = 24


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys with handles.

    Attributes:
        kept: (N,) the samples that they stand on.
        values: (N,) or (N, D) their values.
        left: Slopes with which the curve arrives at them, of the same shape, per unit of time.
        right: Slopes with which it leaves them.
    """

    kept: NDArray[np.int64]
    values: NDArray[np.float64]
    left: NDArray[np.float64]
    right: NDArray[np.float64]


def fit(frames: Floats, values: Floats, tolerance: float) -> Keys:
    """Fits keys with handles to a curve.

    Args:
        frames: (K,) rising points in time, in any unit.
        values: (K,) samples, all finite.
        tolerance: Largest allowed error at any sample, in the samples' unit; 0 keeps all samples.

    Returns:
        The keys; the first and the last sample always are some.

    Raises:
        SettingsError: As for `reduction.keep`.
    """
    samples = np.asarray(values, np.float64)[:, None]
    keys = _fit(frames, samples, tolerance, lambda lines, wanted: distance(lines[:, 0], wanted[:, 0]))
    return Keys(keys.kept, keys.values[:, 0], keys.left[:, 0], keys.right[:, 0])


def fit_rotations(frames: Floats, quaternions: Floats, tolerance_rad: float) -> Keys:
    """Fits keys with handles to a rotation, the same frames for all four components.

    Args:
        frames: (K,) rising points in time, in any unit.
        quaternions: (K, 4) unit quaternions of continuous sign, all finite.
        tolerance_rad: Largest allowed angle at any sample; 0 keeps all samples.

    Raises:
        SettingsError: As for `reduction.keep`.
    """
    return _fit(frames, np.asarray(quaternions, np.float64), tolerance_rad, angle)


def evaluate(frames: Floats, keys: Keys, at: Floats) -> NDArray[np.float64]:
    """What keys at (N,) frames say at (K,) other frames, which lie between the first and the last."""
    times, wanted = np.asarray(frames, np.float64), np.asarray(at, np.float64)
    if len(times) < 2:
        return np.repeat(keys.values, len(wanted), axis=0)
    before = np.clip(np.searchsorted(times, wanted, side="right") - 1, 0, len(times) - 2)
    length = times[before + 1] - times[before]
    sides = (-1,) + (1,) * (keys.values.ndim - 1)
    u, length = ((wanted - times[before]) / length).reshape(sides), length.reshape(sides)
    rising = u * u * (3.0 - 2.0 * u)
    line = keys.values[before] * (1.0 - rising) + keys.values[before + 1] * rising
    return line + length * u * (1.0 - u) * ((1.0 - u) * keys.right[before] - u * keys.left[before + 1])


def _fit(frames: Floats, samples: NDArray[np.float64], tolerance: float, deviation: Deviation) -> Keys:
    times = np.asarray(frames, np.float64)
    check(times, samples, tolerance)
    count = len(times)
    if count < 2:
        flat = np.zeros_like(samples)
        return Keys(np.arange(count), samples.copy(), flat, flat.copy())
    knots = _settled(samples, tolerance)
    if tolerance == 0.0:
        knots.pinned[:] = True
    needed = knots.pinned.copy()
    fitting = _Fitting(Spline(times, samples, knots), _OWN_SHARE * tolerance, deviation)
    best = fitting.keys(fitting.refined(needed.copy()))
    for turn in range(_THINNED):
        before = np.zeros(count, np.bool_)
        before[best.kept] = True
        free = np.flatnonzero(before & ~needed)
        if not len(free) or len(best.kept) > _NOISE * count:
            break
        fewer = before.copy()
        fewer[free[turn::_THINNED]] = False
        edges = fitting.refined(fewer, before)
        if len(edges) < len(best.kept):
            best = fitting.keys(edges)
    return best


def _settled(samples: NDArray[np.float64], tolerance: float) -> Knots:
    """What is known before anything is fitted. Of rotations only the ends: their components turn on their own."""
    count = len(samples)
    pinned, flat_left, flat_right, corner = np.zeros((4, count), np.bool_)
    pinned[[0, -1]] = True
    if samples.shape[1] == 1:
        values = samples[:, 0]
        still = np.diff(values) == 0.0
        turns = np.zeros(count, np.bool_)
        turns[turning.turning_points(values, _PROMINENCE * tolerance)] = True
        touches = turning.touches(values, tolerance)
        pinned |= turns | touches
        flat_left |= turns | (touches & np.insert(still, 0, False))
        flat_right |= turns | (touches & np.append(still, False))
        corner |= touches & ~turns
    return Knots(pinned, flat_left, flat_right, corner)


@dataclass(frozen=True, slots=True)
class _Fitting:
    """A curve, how much it may err, and by what measure."""

    spline: Spline
    tolerance: float
    deviation: Deviation

    def keys(self, edges: NDArray[np.int64]) -> Keys:
        return Keys(edges, self.spline.values[edges], self.spline.left[edges], self.spline.right[edges])

    def refined(self, kept: NDArray[np.bool_], candidates: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
        """Add knots until no sample errs too much.

        Args:
            kept: (K,) the knots to begin with; altered.
            candidates: (K,) samples to try first.

        Returns:
            The knots.
        """
        rounds = 0
        while True:
            edges = np.flatnonzero(kept)
            self.spline.fit(edges)
            errors = self.spline.errors(edges, self.deviation)
            inside, ends = errors[:, 0] > self.tolerance, errors[:, 2] > self.tolerance
            if not (inside.any() or ends.any()):
                swings = self.spline.swings(edges, _SWING * self.tolerance)
                if not len(swings):
                    return edges
                self.spline.calm(swings[kept[swings] & kept[swings + 1]])
                kept[swings] = kept[swings + 1] = True
                continue
            self.spline.pin(edges[:-1][ends & ~inside])
            first, last = edges[:-1][inside], edges[1:][inside]
            new = errors[inside, 1].astype(np.int64)
            if candidates is not None:
                waiting = np.append(np.flatnonzero(candidates & ~kept), len(kept))
                following = waiting[np.searchsorted(waiting, first)]
                new = np.where(following < last, following, new)
            kept[new] = True
            rounds += 1
            if rounds > _ROUNDS_BEFORE_HALVING:
                kept[(first + last) // 2] = True
