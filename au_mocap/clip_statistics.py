"""What is known of a whole clip's pictures of a face: how far their pixels deviate.

Of a video it is known at the end of the pass, so its pictures wait until then. Live there is the past only: the
estimate runs along, exact over the first half minute, and forgets slowly after that, since light changes.
"""

import threading
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .arrays import Floats

REMEMBERED: Final = 900
"""Pictures that a running estimate counts fully: half a minute of most cameras."""

_LEAST: Final = 1 / 255
"""Deviation of pictures that show nothing, so that they can be divided by it."""

_LEVELS: Final = 255.0


class Deviation:
    """Standard deviation of all pixel values of the pictures seen so far. Any thread may add to it.

    Attributes:
        pictures: How many were added.
    """

    def __init__(self, remembered: int | None = None) -> None:
        """Starts with nothing.

        Args:
            remembered: Pictures after which older ones begin to be forgotten; None to remember all alike.
        """
        self.pictures = 0
        self._remembered = remembered
        self._mean = 0.0
        self._mean_square = 0.0
        self._lock = threading.Lock()

    def add(self, picture: Floats) -> float:
        """Takes in a picture of any shape, 0..1; returns `value` with it."""
        values = np.asarray(picture, np.float64)
        mean, mean_square = float(values.mean()), float(np.square(values).mean())
        with self._lock:
            self.pictures += 1
            share = 1.0 / min(self.pictures, self._remembered or self.pictures)
            self._mean += share * (mean - self._mean)
            self._mean_square += share * (mean_square - self._mean_square)
            return self._value()

    @property
    def value(self) -> float:
        """The deviation, never 0; that of a picture which shows nothing before there is any."""
        with self._lock:
            return self._value()

    def _value(self) -> float:
        return max(self._mean_square - self._mean**2, _LEAST**2) ** 0.5


class Pictures:
    """A clip's pictures of the face, kept as bytes until their deviation is known."""

    def __init__(self) -> None:
        """Starts with none."""
        self._deviation = Deviation()
        self._kept: list[NDArray[np.uint8]] = []

    def __len__(self) -> int:
        """Pictures so far."""
        return len(self._kept)

    def add(self, picture: NDArray[np.float32]) -> None:
        """Keeps a (C, S, S) picture, 0..1 in 255 steps as preprocessors give it."""
        self._deviation.add(picture)
        self._kept.append(np.rint(picture * _LEVELS).astype(np.uint8))

    @property
    def deviation(self) -> float:
        """Of all of them."""
        return self._deviation.value

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        """The pictures in order, as they were added."""
        for picture in self._kept:
            yield picture.astype(np.float32) * np.float32(1 / _LEVELS)
