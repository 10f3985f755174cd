"""Eye directions as angles, and the look channels.

Angles follow the head pose contract in head axes: yaw is positive to the actor's right, pitch negative upwards.
"""

import math
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from .. import channels
from ..arrays import Floats

SIDEWAYS_RAD: Final = math.radians(35.0)
UP_RAD: Final = math.radians(25.0)
DOWN_RAD: Final = math.radians(30.0)
"""How far an eye turns when its look channel is 1, the same as when eye bones are baked."""

WAYS: Final = ("up", "down", "in", "out")

EyeSide = Literal["L", "R"]


def angles_of(values: Floats, side: EyeSide) -> NDArray[np.float64]:
    """(T, 2) yaw and pitch in radians of one eye from (T, 58) curves."""
    up, down, inwards, outwards = (
        np.asarray(values[:, channels.INDEX[f"look_{way}_{side}"]], np.float64) for way in WAYS
    )
    # The left eye looks inwards to the actor's right, which is positive, and the right eye outwards.
    to_the_right = inwards - outwards if side == "L" else outwards - inwards
    return np.stack([SIDEWAYS_RAD * to_the_right, DOWN_RAD * down - UP_RAD * up], axis=1)


def channels_of(angles_rad: Floats, side: EyeSide) -> NDArray[np.float64]:
    """(T, 4) look channels of one eye in the order of `WAYS` from its (T, 2) yaw and pitch; not above 1."""
    yaw, pitch = angles_rad[:, 0] / SIDEWAYS_RAD, angles_rad[:, 1]
    inwards = yaw if side == "L" else -yaw
    ways = np.stack([-pitch / UP_RAD, pitch / DOWN_RAD, inwards, -inwards], axis=1)
    return np.clip(ways, 0.0, 1.0).astype(np.float64)


def directions_of(angles_rad: Floats) -> NDArray[np.float64]:
    """(T, 3) unit vectors out of the eye, in head axes, from (T, 2) yaw and pitch."""
    yaw, pitch = angles_rad[:, 0], angles_rad[:, 1]
    vectors = np.stack([-np.sin(yaw) * np.cos(pitch), np.sin(pitch), -np.cos(yaw) * np.cos(pitch)], axis=1)
    return vectors.astype(np.float64)


def angles_towards(directions: Floats) -> NDArray[np.float64]:
    """(T, 2) yaw and pitch in radians from (T, 3) vectors of any length in head axes."""
    x, y, z = np.moveaxis(np.asarray(directions, np.float64), -1, 0)
    return np.stack([np.arctan2(-x, -z), np.arctan2(y, np.hypot(x, z))], axis=1)
