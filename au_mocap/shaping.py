"""Taste, after measurement: how strongly each region of the face acts, and how alike its two sides are.

Symmetry balances amplitudes over a whole take and does not average: a side that answers more weakly throughout is
lifted, and what one side does alone stays alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from . import channels
from .arrays import Floats
from .errors import SettingsError
from .regions import REGION_OF, REGIONS

MAX_INTENSITY: Final = 3.0
MAX_EXAGGERATION: Final = 2.0

_ONE_WAY: Final = ("jaw_slide", "mouth_slide", "look_up", "look_down", "look_in", "look_out")
"""Their two sides are directions that exclude each other, or one movement of both eyes, and no halves of a face."""

_PAIRS: Final = tuple(
    (channels.INDEX[left], channels.INDEX[channels.mirrored(left)])
    for left in channels.PREDICTED_IDS
    if left.endswith("_L") and left.removesuffix("_L") not in _ONE_WAY
)
_ACTS: Final = 0.1
"""What both sides must reach at once before their amplitudes can be compared."""

_MOST_BALANCE: Final = 2.0


@dataclass(frozen=True, slots=True)
class Shaping:
    """What an artist adds to what was measured; the defaults change nothing.

    Attributes:
        intensity: Factor by region of `regions.REGIONS`, 0..3; regions left out have 1.
        exaggeration: -2..2 by region, 0 where left out: doublings of what is small, while rest and the full action stay
            where they are; below 0 what is small gets smaller.
        symmetry: 0..1, how far the weaker side of the face is lifted to the other's amplitude.
    """

    intensity: Mapping[str, float] = field(default_factory=dict[str, float])
    exaggeration: Mapping[str, float] = field(default_factory=dict[str, float])
    symmetry: float = 0.0

    def __post_init__(self) -> None:
        """Checks names and ranges; raises SettingsError."""
        unknown = sorted({*self.intensity, *self.exaggeration} - set(REGIONS))
        if unknown:
            message = f"Unknown regions {', '.join(unknown)}: use {', '.join(REGIONS)}."
            raise SettingsError(message)
        for what, given, low, high in (
            ("intensity", self.intensity, 0.0, MAX_INTENSITY),
            ("exaggeration", self.exaggeration, -MAX_EXAGGERATION, MAX_EXAGGERATION),
            ("symmetry", {"both sides": self.symmetry}, 0.0, 1.0),
        ):
            wrong = [name for name, value in given.items() if not low <= value <= high]
            if wrong:
                message = f"The {what} of {', '.join(wrong)} is out of range: use {low:g} to {high:g}."
                raise SettingsError(message)

    @property
    def is_plain(self) -> bool:
        """Whether it changes nothing."""
        return (
            not self.symmetry
            and all(value == 1.0 for value in self.intensity.values())
            and not any(self.exaggeration.values())
        )


def shape(values: Floats, shaping: Shaping, balance: Floats | None = None) -> NDArray[np.float64]:
    """Applies intensity, exaggeration and symmetry.

    Args:
        values: (T, 58) curves, columns as `channels.IDS`, possibly beyond 0..1; NaN where there is no face.
        shaping: What to do.
        balance: (58,) factors from `side_balance`, for single frames of something longer; found in the values if None.

    Returns:
        (T, 58), exaggerated columns within 0..1, others as they come; the vocabulary's rules are still to be applied.
    """
    result = np.array(values, np.float64)
    if shaping.symmetry:
        factors = side_balance(result) if balance is None else np.asarray(balance, np.float64)
        result *= factors**shaping.symmetry
    result *= _columns(shaping.intensity, 1.0)
    for region, amount in shaping.exaggeration.items():
        if amount:
            chosen = _columns({region: 1.0}, 0.0) > 0.0
            result[:, chosen] = exaggerated(result[:, chosen], amount)
    return result


def exaggerated(values: Floats, amount: float) -> NDArray[np.float64]:
    """Bends values so that small ones grow by 2 to the power of `amount`, while 0 and 1 stay.

    Unlike a power, the bend has a finite slope at rest, so that flicker there never grows by more than small values do.
    What lies outside 0..1 is cut off.
    """
    strength = 2.0**amount
    limited = np.clip(np.asarray(values, np.float64), 0.0, 1.0)
    return strength * limited / (1.0 + (strength - 1.0) * limited)


def side_balance(values: Floats) -> NDArray[np.float64]:
    """Finds by how much each weaker side lags behind the other over a take.

    Amplitudes are compared where both sides act at once, so that a wink or a one-sided smile says nothing.

    Args:
        values: (T, 58) curves; NaN where there is no face.

    Returns:
        (58,) factors, 1..2: 1 for stronger sides, for channels without sides, and for those that never act together.
    """
    factors = np.ones(len(channels.IDS))
    table = np.clip(np.asarray(values, np.float64), 0.0, 1.0)
    table = table[~np.isnan(table).any(axis=1)]
    for pair in _PAIRS:
        both = table[:, pair]
        together = both.min(axis=1)
        together = np.where(together >= _ACTS, together, 0.0)
        if not together.any():
            continue
        amplitudes = together @ both
        weaker = int(amplitudes[1] < amplitudes[0])
        factors[pair[weaker]] = min(amplitudes[1 - weaker] / amplitudes[weaker], _MOST_BALANCE)
    return factors


def _columns(by_region: Mapping[str, float], default: float) -> NDArray[np.float64]:
    return np.array([by_region.get(REGION_OF[channel_id], default) for channel_id in channels.IDS])
