"""Eyeballs: rigid spheres that turn around their own centres."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from au_mocap.channels import PREDICTED_IDS
from training.synth.anatomy import Anatomy, sphere

_SPREAD_OF_TURNS: Final = 0.06
_COLUMNS: Final = {
    side: {way: PREDICTED_IDS.index(f"look_{way}_{side}") for way in ("up", "down", "in", "out")} for side in ("L", "R")
}
_OUTWARD: Final = {"L": 1.0, "R": -1.0}
"""Which way along x an eye of that side turns when it looks out."""


@dataclass(frozen=True, slots=True)
class Eyes:
    """A person's eyeballs; rows are the actor's left and right.

    Attributes:
        centres: (2, 3) float32 metres in head axes.
        radii: (2,) float32 metres.
        full_turns_rad: (3,) float32: turn at a full look up, down and sideways.
    """

    centres: NDArray[np.float32]
    radii: NDArray[np.float32]
    full_turns_rad: NDArray[np.float32]

    def rotations(self, values: NDArray[np.floating]) -> NDArray[np.float32]:
        """Turn of each eye when (P,) values 0..1 are performed: (2, 3, 3), out of straight ahead (0, 0, -1).

        The axis lies across the line of sight (Listing's law), so an eye that looks aside and up does not roll.
        """
        up_rad, down_rad, side_rad = self.full_turns_rad
        turns = []
        for side, outward in _OUTWARD.items():
            column = _COLUMNS[side]
            upward = up_rad * values[column["up"]] - down_rad * values[column["down"]]
            leftward = side_rad * outward * (values[column["out"]] - values[column["in"]])
            turns.append(cv2.Rodrigues(np.array([-upward, -leftward, 0.0], np.float64))[0])
        return np.asarray(turns, np.float32)

    def vertices(self, parts: Anatomy, values: NDArray[np.floating]) -> NDArray[np.float32]:
        """(2, E, 3) metres: the eyeballs' vertices when values (P,) are performed."""
        return self.centres[:, None] + self.radii[:, None, None] * np.matmul(
            parts.eye_directions, self.rotations(values).transpose(0, 2, 1)
        )


def own_eyes(parts: Anatomy, neutral: NDArray[np.floating], rng: np.random.Generator) -> Eyes:
    """The eyeballs of a face (N, 3) metres in head axes, and how far they turn."""
    spheres = [sphere(neutral[ids]) for ids in parts.eyeballs]
    turns = parts.look_rad * np.clip(rng.normal(1.0, _SPREAD_OF_TURNS, 3), 0.85, 1.15)
    return Eyes(
        centres=np.array([centre for centre, _ in spheres], np.float32),
        radii=np.array([radius for _, radius in spheres], np.float32),
        full_turns_rad=turns.astype(np.float32),
    )
