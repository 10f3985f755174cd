"""What may happen to a picture once more in training: a flip, other colours, something in front of the face."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from au_mocap.crops import Image

_SHARE_COVERED: Final = 0.12
_SHARE_SOFT: Final = 0.15
_SHARE_GREY: Final = 0.08


@dataclass(frozen=True, slots=True)
class Treatment:
    """How one performer's pictures are changed: all of them alike, as one camera would.

    Attributes:
        flipped: Left and right are exchanged.
        gain: (3,) factor of each colour.
        gamma: Exponent of the tone curve.
        grey: The colours are taken out.
    """

    flipped: bool
    gain: tuple[float, float, float]
    gamma: float
    grey: bool


NONE: Final = Treatment(flipped=False, gain=(1.0, 1.0, 1.0), gamma=1.0, grey=False)


def sample(rng: np.random.Generator) -> Treatment:
    """Draws a treatment for one performer."""
    common = rng.uniform(0.75, 1.25)
    blue, green, red = (common * rng.uniform(0.88, 1.12, 3)).tolist()
    return Treatment(
        flipped=bool(rng.random() < 0.5),
        gain=(blue, green, red),
        gamma=float(np.exp(rng.normal(0.0, 0.18))),
        grey=bool(rng.random() < _SHARE_GREY),
    )


def apply(tile: Image, treatment: Treatment, rng: np.random.Generator) -> Image:
    """Changes one (S, S, 3) uint8 BGR picture: the performer's treatment, and what this frame alone has."""
    levels = np.arange(256) / 255.0
    curves = [np.clip(gain * levels**treatment.gamma, 0.0, 1.0) * 255.0 for gain in treatment.gain]
    changed = cv2.LUT(tile, np.stack(curves, axis=1).astype(np.uint8)[None])
    if treatment.grey:
        changed = cv2.cvtColor(cv2.cvtColor(changed, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    if rng.random() < _SHARE_SOFT:
        changed = cv2.GaussianBlur(changed, (0, 0), rng.uniform(0.4, 1.6))
    if rng.random() < _SHARE_COVERED:
        changed = _cover(np.ascontiguousarray(changed, np.uint8), rng)
    return np.ascontiguousarray(changed[:, ::-1] if treatment.flipped else changed)  # type: ignore[return-value]


def _cover(tile: Image, rng: np.random.Generator) -> Image:
    """Puts a turned ellipse or rectangle of one colour over a part of the picture."""
    size = tile.shape[0]
    center = rng.uniform(0.1, 0.9, 2) * size
    extent = rng.uniform(0.05, 0.3, 2) * size
    color = rng.uniform(0, 255, 3).tolist()
    turn = rng.uniform(0.0, 180.0)
    if rng.random() < 0.5:
        cv2.ellipse(tile, (tuple(center), tuple(extent), turn), color, -1, cv2.LINE_AA)
    else:
        corners = cv2.boxPoints((tuple(center), tuple(extent), turn)).astype(np.int32)
        cv2.fillConvexPoly(tile, corners, color, cv2.LINE_AA)
    return tile
