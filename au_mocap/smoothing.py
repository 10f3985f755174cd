"""Zero-phase smoothing of curves over true time, each region of the face in its own manner.

Every curve is fitted twice (`local_fit`): quickly, which keeps blinks and the lips of speech, and calmly, which leaves
no flicker on a face at rest. Where the two differ by more than noise the face moves, and the quick one counts. Both are
symmetric in time, and so is what decides between them, so nothing is delayed. Gaps are never bridged.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from . import regions, rotations
from .arrays import Floats
from .errors import SettingsError
from .local_fit import Fit
from .regions import Region

SIGMA_S: Final = {"off": 0.0, "light": 0.035, "medium": 0.07, "strong": 0.14}
"""Standard deviation of the Gaussian weights in seconds by strength, before a region makes its own of it."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How a region is smoothed, against the strength's `SIGMA_S`.

    Attributes:
        quick: Factor of the fit that counts in motion.
        calm: Factor of the fit that counts at rest.
        longest_s: The quick fit is never wider than this, however strong the smoothing.
        noise: Difference between the two fits, in units of the values, at which both count alike.
    """

    quick: float
    calm: float
    longest_s: float
    noise: float


_SHARP: Final = Manner(quick=0.5, calm=2.0, longest_s=0.06, noise=0.06)
_SOFT: Final = Manner(quick=1.0, calm=2.0, longest_s=0.12, noise=0.06)
MANNERS: Final[dict[Region, Manner]] = {
    "brows": _SOFT,
    "lids": Manner(quick=0.5, calm=2.0, longest_s=0.04, noise=0.06),
    "gaze": Manner(quick=0.6, calm=1.5, longest_s=0.05, noise=0.06),
    "nose_cheeks": _SOFT,
    "lips": _SHARP,
    "jaw": _SHARP,
    "tongue": _SHARP,
}
_HEAD: Final = Manner(quick=0.9, calm=1.7, longest_s=0.12, noise=0.004)
"""Noise is half a degree, as a component of a quaternion, and 4 mm."""


def check(strength: str) -> None:
    """Makes sure that a strength is one of `SIGMA_S`; raises SettingsError."""
    if strength not in SIGMA_S:
        message = f"Unknown smoothing '{strength}': use {', '.join(SIGMA_S)}."
        raise SettingsError(message)


def smooth(time_s: Floats, curves: Floats, strength: str) -> NDArray[np.float64]:
    """Smooths curves of any kind, all of them alike and as the strength says.

    Args:
        time_s: (T,) strictly increasing seconds.
        curves: (T, C); rows that hold a NaN are gaps and stay NaN, and what lies beyond a gap has no influence.
        strength: One of `SIGMA_S`.

    Returns:
        (T, C) float64.

    Raises:
        SettingsError: Unknown strength.
    """
    check(strength)
    result = np.array(curves, np.float64)
    sigma_s = SIGMA_S[strength]
    if sigma_s > 0.0:
        for start, stop in segments(~np.isnan(result).any(axis=1)):
            result[start:stop] = Fit(_seconds(time_s, start, stop), sigma_s)(result[start:stop])
    return result


def smooth_values(time_s: Floats, values: Floats, strength: str) -> NDArray[np.float64]:
    """As `smooth`, for (T, 58) curves in the order of `channels.IDS`: each region in its own of the `MANNERS`."""
    check(strength)
    result = np.array(values, np.float64)
    if SIGMA_S[strength] > 0.0:
        for start, stop in segments(~np.isnan(result).any(axis=1)):
            table, fits = result[start:stop], cache(partial(Fit, _seconds(time_s, start, stop)))
            for manner in dict.fromkeys(MANNERS.values()):
                own = np.concatenate([regions.columns(region) for region in MANNERS if MANNERS[region] == manner])
                table[:, own] = _adapted(fits, table[:, own], strength, manner)
    return result


def smooth_rotations(time_s: Floats, quaternions: Floats, strength: str) -> NDArray[np.float64]:
    """As `smooth`, for the head's (T, 4) unit quaternions; the result is of unit length with continuous sign."""
    smoothed = _adapted_where_known(time_s, rotations.continuous(quaternions), strength, _HEAD)
    return smoothed / np.linalg.norm(smoothed, axis=1, keepdims=True)


def smooth_positions(time_s: Floats, positions: Floats, strength: str) -> NDArray[np.float64]:
    """As `smooth`, for the head's (T, 3) positions in metres."""
    return _adapted_where_known(time_s, positions, strength, _HEAD)


def segments(valid: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Runs of True as (start, stop) index pairs."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], valid, [False]])))
    return [(int(start), int(stop)) for start, stop in zip(edges[::2], edges[1::2], strict=True)]


def _adapted_where_known(time_s: Floats, rows: Floats, strength: str, manner: Manner) -> NDArray[np.float64]:
    check(strength)
    result = np.array(rows, np.float64)
    if SIGMA_S[strength] > 0.0:
        for start, stop in segments(~np.isnan(result).any(axis=1)):
            fits = cache(partial(Fit, _seconds(time_s, start, stop)))
            result[start:stop] = _adapted(fits, result[start:stop], strength, manner)
    return result


def _adapted(
    fits: Callable[[float], Fit], values: NDArray[np.float64], strength: str, manner: Manner
) -> NDArray[np.float64]:
    """(T, C) between a calm and a quick fit, by how far the two are apart around each frame.

    Args:
        fits: The fit of a width in seconds at the values' times.
        values: (T, C) without NaN.
        strength: One of `SIGMA_S` above 0.
        manner: What is quick, calm and noise.
    """
    sigma_s = SIGMA_S[strength]
    quick = fits(min(manner.quick * sigma_s, manner.longest_s))
    calm = fits(manner.calm * sigma_s)(values)
    apart = quick(values) - calm
    squared = apart**2
    around = np.maximum(quick(squared), squared)
    return calm + apart * (around / (around + manner.noise**2))


def _seconds(time_s: Floats, start: int, stop: int) -> NDArray[np.float64]:
    return np.asarray(time_s[start:stop], np.float64)
