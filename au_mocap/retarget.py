"""Fitting curves and rows to what a character's face can do, so that what closes on the actor closes on it."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from . import channels
from .arrays import Floats
from .mapping import Row

PRESSED: Final = 0.05
"""Lids are brought together by this share of the shape more than the first touch, so that no slit is left."""

PRESSED_LIPS: Final = 0.02
"""The same for lips, as a share of the way that the jaw opens them."""

_OVERSHOOT: Final = 0.8
"""Lids that meet from here on may pass each other as far as the sculptor let them: that looks like pressed lids."""

_SLIT: Final = 1.03
_BELIEVED: Final = (0.4, 1.8)
"""Fits beyond this are no lids that fail to meet, but something else."""

_MISFIT: Final = 0.05
"""Share of the jaw's way by which lips may miss each other before their row is fitted."""


@dataclass(frozen=True, slots=True)
class Lips:
    """How a character's mouth opens and closes, in any unit of length.

    Attributes:
        gap: Between the resting lips; negative where they overlap.
        opening: What the target of `jaw_drop` adds to it at value 1.
        closing: What the target of `lips_together` takes off it at value 1.
    """

    gap: float
    opening: float
    closing: float

    @property
    def parted(self) -> float:
        """How far the resting lips are from being pressed together, in jaw drops; 0 where they touch."""
        share = self.gap / self.opening + PRESSED_LIPS
        return share if share > _MISFIT else 0.0


def without_lips(values: Floats) -> NDArray[np.float32]:
    """Curves for a character that cannot bring its lips together over a dropped jaw: the jaw itself rises instead.

    Args:
        values: (T, 58) columns as `channels.IDS`; NaN where there is no face.

    Returns:
        (T, 58) float32: `jaw_drop` less `lips_together`, which is how far the lips part, and no `lips_together`.
    """
    result = np.array(values, np.float32)
    jaw, together = channels.INDEX["jaw_drop"], channels.INDEX["lips_together"]
    result[:, jaw] = np.maximum(result[:, jaw] - result[:, together], 0.0)
    result[:, together] *= 0.0  # NaN stays
    return result


def meets_at(gap: float, closing: float) -> float | None:
    """The value of a shape at which the edges of an opening are pressed together.

    Args:
        gap: Of the resting face.
        closing: How much of it the shape closes at value 1, in the same unit.

    Returns:
        None where that cannot be believed: nothing closes, or the shape is not made for it.
    """
    if closing <= 0.0:
        return None
    value = gap / closing + PRESSED
    return value if _BELIEVED[0] <= value <= _BELIEVED[1] else None


def fit_lids(row: Row, value: float) -> Row:
    """A row of `eye_close` that reaches the value at which the lids meet, unless it meets them well enough already."""
    reached = float(row.apply(np.ones(1))[0])
    if reached <= 0.0 or _OVERSHOOT * reached <= value <= _SLIT * reached:
        return row
    factor = value / reached
    return replace(row, gain=factor * row.gain, offset=factor * row.offset, max=max(row.max, value))


def fit_lips(together: Row, jaw: Row, measured: Lips) -> Row:
    """A row of `lips_together` that closes the lips however far the row of `jaw_drop` opens them.

    A mouth that rests open is closed by an offset: the actor's lips touch at rest.
    """
    opened = measured.opening * float(jaw.apply(np.ones(1))[0])
    reached = measured.closing * float(together.apply(np.ones(1))[0])
    if measured.closing <= 0.0 or reached <= 0.0:
        return together
    gain, offset = together.gain, together.offset
    if abs(opened - reached) > _MISFIT * measured.opening:
        gain = together.gain * opened / reached
    if measured.parted:
        offset = measured.parted * measured.opening / measured.closing
    if (gain, offset) == (together.gain, together.offset):
        return together
    return replace(together, gain=gain, offset=offset, max=max(together.max, gain + offset))
