"""What coders labelled, in terms of our channels.

FEAFA's numbers are channels themselves. FACS Action Units have no side in most data sets, so each is compared with the
mean of our channels that carry its number in the channel table: AU12 with the mean of both lip corners.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .. import channels
from ..arrays import Floats


@dataclass(frozen=True, slots=True)
class Target:
    """One thing that was coded.

    Attributes:
        name: Channel id, or Action Unit such as `AU12`.
        channels: The channels whose mean stands for it.
        graded: Whether values lie anywhere in 0..1; False where only absent (0) and present (1) were told apart.
    """

    name: str
    channels: tuple[str, ...]
    graded: bool = True

    def of(self, values: Floats) -> NDArray[np.float64]:
        """(T,) what a (T, 58) table of all channels says of it."""
        columns = [channels.INDEX[channel_id] for channel_id in self.channels]
        return np.asarray(values[:, columns].mean(axis=1, dtype=np.float64))


def channel(channel_id: str) -> Target:
    """A channel as its own target."""
    return Target(channel_id, (channel_id,))


FEAFA: Final = tuple(channel(channel_id) for channel_id in channels.FEAFA_IDS)
"""FEAFA's 24 in their order."""


def _facs_groups() -> dict[str, tuple[str, ...]]:
    """Predicted channels by their FACS entry; descriptors such as AD30, whose sides exclude each other, are no mean."""
    groups: dict[str, tuple[str, ...]] = {}
    for row in channels.CHANNELS:
        if row.facs.startswith("AU") and row.id in channels.PREDICTED_IDS:
            groups[row.facs] = (*groups.get(row.facs, ()), row.id)
    return groups


_GROUPS: Final = _facs_groups()
_NAMES: Final = {int(number): name for name in _GROUPS for number in re.findall(r"\d+", name)}


def is_known(number: int) -> bool:
    """Whether an Action Unit has channels."""
    return number in _NAMES


def action_units(codes: Mapping[int, NDArray[np.float32]], *, graded: bool) -> dict[Target, NDArray[np.float32]]:
    """Arranges codes by AU number as targets.

    AUs that we have no channel for (AU25: lips part) are left out; those that share channels (AU26 and AU27: the jaw
    drops, less or more) count by the higher one.

    Args:
        codes: (N,) values 0..1 by AU number, NaN where not coded.
        graded: Whether they are intensities.

    Returns:
        (N,) values by target, in the order of AU numbers.
    """
    found: dict[Target, NDArray[np.float32]] = {}
    for number in sorted(codes):
        if number not in _NAMES:
            continue
        name = _NAMES[number]
        target = Target(name, _GROUPS[name], graded)
        found[target] = np.fmax(found[target], codes[number]) if target in found else codes[number]
    return found
