"""Rest: what is only noise does not move the character.

How wide noise is, each channel says itself: by how far a measurement lies off the line through its neighbours, which
slow movement hardly adds to and quick movement is kept out of.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats

_MEMORY_S: Final = 2.0
_OUTLIER: Final = 3.0
_SPREAD: Final = math.sqrt(6.0)
"""Standard deviation of `a - 2 b + c` for three numbers of deviation 1."""
_MEAN_OF_SIZE: Final = math.sqrt(2.0 / math.pi)
"""Mean size of normal noise of deviation 1."""
_LEAST: Final = 1e-4
_FIRST: Final = 0.1
"""Part of the widest band that is taken for noise before any was seen."""


class Deadband:
    """Follows rows of numbers, save for what stays within their noise.

    Attributes:
        noise: (C,) standard deviation of each column's noise, as far as it is known.
    """

    def __init__(self, widest: float) -> None:
        """Begins without a past.

        Args:
            widest: Half of the widest band, in the unit of the rows.
        """
        self._widest = widest
        self._recent: list[NDArray[np.float64]] = []
        self._out: NDArray[np.float64] | None = None
        self.noise = np.zeros(0)

    def step(
        self, elapsed_s: float, measured: Floats, filtered: NDArray[np.float64], width: float
    ) -> NDArray[np.float64]:
        """Takes in the next row and gives what is to be shown of it.

        Args:
            elapsed_s: Seconds since the last one.
            measured: (C,) before filtering; tells the noise.
            filtered: (C,) after filtering.
            width: Half of the band in standard deviations of the noise.
        """
        if self._out is None:
            self._out = filtered.copy()
        off = filtered - self._out
        self._out = self._out + self.share(elapsed_s, measured, off, width) * off
        return self._out.copy()

    def share(self, elapsed_s: float, measured: Floats, off: Floats, width: float) -> NDArray[np.float64]:
        """How much of the way to go, 0..1: little well inside the band, all from its edge on.

        Args:
            elapsed_s: Seconds since the last row.
            measured: (C,) before filtering.
            off: (C,) how far the filtered row is from what is shown.
            width: Half of the band in standard deviations of the noise.
        """
        self._learn(elapsed_s, np.asarray(measured, np.float64))
        band = np.clip(width * self.noise, _LEAST, self._widest)
        place = np.clip(np.abs(off) / band, 0.0, 1.0)
        return place * place * (3.0 - 2.0 * place)

    def _learn(self, elapsed_s: float, measured: NDArray[np.float64]) -> None:
        if not len(self.noise):
            self.noise = np.full_like(measured, _FIRST * self._widest)
        self._recent = [*self._recent[-2:], measured]
        if len(self._recent) < 3:
            return
        first, second, third = self._recent
        size = np.abs(first - 2.0 * second + third) / (_SPREAD * _MEAN_OF_SIZE)
        # A blink is no noise: what is far above it counts only so far, and the widest band bounds it anyway.
        size = np.minimum(size, np.maximum(_OUTLIER * self.noise, 10.0 * _LEAST))
        self.noise = self.noise + -math.expm1(-max(elapsed_s, 0.0) / _MEMORY_S) * (size - self.noise)
