"""What each channel does to a face: the mean motion of the 478 landmarks at the full action.

`channel_motion.npz` is made by `training.channel_motion` from many performers of every age, sex and ethnicity.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..channels import PREDICTED_IDS

FILE: Final = Path(__file__).parent / "channel_motion.npz"
STEP: Final = 1e-4
"""Motions are stored as whole multiples of this, in distances between the eyes."""


@dataclass(frozen=True, slots=True)
class ChannelMotion:
    """Full actions.

    Attributes:
        ids: P ids of `channels.PREDICTED_IDS`.
        motion: (P, 478, 3) float64: displacement of each landmark in head axes (x to the actor's left, y down, z into
            the head), in distances between the eyes' centres.
    """

    ids: tuple[str, ...]
    motion: NDArray[np.float64]


@cache
def channel_motion() -> ChannelMotion:
    """Reads the motions that ship with the engine."""
    return read(FILE)


def read(path: Path) -> ChannelMotion:
    """Reads what `write` wrote."""
    with np.load(path, allow_pickle=False) as table:
        ids = tuple(str(each) for each in table["channels"])
        return ChannelMotion(ids, np.asarray(table["steps"], np.float64) * STEP)


def write(motion: NDArray[np.float64], path: Path) -> None:
    """Writes (P, 478, 3) motions of `channels.PREDICTED_IDS`."""
    np.savez_compressed(path, channels=np.array(PREDICTED_IDS), steps=np.round(motion / STEP).astype(np.int16))
