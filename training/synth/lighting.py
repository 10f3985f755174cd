"""Light on a set: lamps, what the surroundings send, and an exposure that suits the skin."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

_TERMS: Final = 9
_TO_CAMERA: Final = np.array([0.0, 0.0, -1.0])


@dataclass(frozen=True, slots=True)
class Light:
    """Light in camera axes (x right, y down, z forward), linear.

    Attributes:
        directions: (3, 3) unit vectors to the lamps.
        colors: (3, 3) RGB of the lamps.
        ambient: (9, 3) light from around on a surface with normal n: coefficients of 1, x, y, z, xy, xz, yz, xx, yy.
        shadow: How dark the first lamp's shadows are, 0..1; 0 draws none.
    """

    directions: NDArray[np.float32]
    colors: NDArray[np.float32]
    ambient: NDArray[np.float32]
    shadow: float


def sample(albedo: float, rng: np.random.Generator) -> Light:
    """Draws light and exposes for a skin.

    Args:
        albedo: Mean linear albedo of the skin 0..1.
        rng: Chooses.
    """
    directions, colors = _lamps(rng)
    ambient = _surroundings(rng)
    front = _received(directions, colors, ambient, _TO_CAMERA)
    sides = [
        _received(directions, colors, ambient, np.array([x, y, -0.7]) / np.hypot(0.7, 0.714))
        for x, y in ((0.7, 0.14), (-0.7, 0.14), (0.0, 0.714), (0.0, -0.714))
    ]
    # A camera exposes for what it sees: a dark skin comes out darker than a fair one, but not as much as it is.
    wanted = 0.52 * (albedo / 0.35) ** 0.45 * np.exp(rng.normal(0.0, 0.34))
    gain = wanted / (albedo * (0.5 * front + 0.5 * np.max(sides)))
    shadow = float(rng.uniform(0.4, 1.0)) if rng.random() < 0.45 else 0.0
    return Light(directions, (gain * colors).astype(np.float32), (gain * ambient).astype(np.float32), shadow)


def _lamps(rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    kind = rng.choice(
        ["key", "side", "above", "window", "back", "screen", "flat"], p=[0.34, 0.14, 0.16, 0.12, 0.06, 0.08, 0.1]
    )
    turn, height = {
        "key": (rng.uniform(-0.9, 0.9), rng.uniform(-0.1, 0.9)),
        "side": (rng.choice([-1, 1]) * rng.uniform(0.9, 1.7), rng.uniform(-0.3, 0.6)),
        "above": (rng.uniform(-0.8, 0.8), rng.uniform(0.8, 1.4)),
        "window": (rng.choice([-1, 1]) * rng.uniform(0.4, 1.3), rng.uniform(0.0, 0.5)),
        "back": (rng.choice([-1, 1]) * rng.uniform(1.9, 2.9), rng.uniform(-0.1, 0.8)),
        "screen": (rng.uniform(-0.4, 0.4), rng.uniform(-0.7, -0.1)),
        "flat": (rng.uniform(-0.3, 0.3), rng.uniform(-0.1, 0.4)),
    }[str(kind)]
    directions = np.stack(
        [
            _toward(turn, height),
            _toward(rng.uniform(-2.2, 2.2), rng.uniform(-0.4, 1.2)),
            _toward(rng.uniform(-3.0, 3.0), rng.uniform(-0.6, 1.2)),
        ]
    )
    strengths = np.array(
        [rng.uniform(0.5, 1.6), rng.choice([0.0, 0.6]) * rng.random(), rng.choice([0.0, 0.9]) * rng.random()]
    )
    return directions.astype(np.float32), (strengths[:, None] * np.stack([_tint(rng) for _ in range(3)])).astype(
        np.float32
    )


def _toward(turn: float, height: float) -> NDArray[np.float64]:
    """A direction `turn` radians to the right of the camera's place and `height` above."""
    return np.array([np.sin(turn) * np.cos(height), -np.sin(height), -np.cos(turn) * np.cos(height)])


def _tint(rng: np.random.Generator) -> NDArray[np.float64]:
    """Colour of a lamp or a wall: near white, warmer or cooler, seldom strongly coloured."""
    warmth = rng.normal(0.0, 0.16)
    tint = np.array([1.0 + warmth, 1.0, 1.0 - warmth]) * rng.normal(1.0, 0.03, 3)
    if rng.random() < 0.04:
        tint *= rng.uniform(0.4, 1.2, 3)
    return np.clip(tint, 0.15, 2.0)


def _surroundings(rng: np.random.Generator) -> NDArray[np.float32]:
    """Walls, sky, floor: a few broad lights from random directions, each as it falls on a matt surface."""
    ambient = np.zeros((_TERMS, 3))
    ambient[0] = rng.uniform(0.05, 0.3) * _tint(rng)
    for index in range(int(rng.integers(2, 6))):
        direction = rng.normal(0.0, 1.0, 3) + np.array([0.0, -0.6 if index == 0 else 0.0, -0.3])
        x, y, z = direction / np.linalg.norm(direction)
        # The clamped cosine to second order: 1/4 + 1/2 c + 5/32 (3 c² - 1), with zz = 1 - xx - yy.
        second = 15.0 / 32.0
        lobe = np.array([
            0.25 - 5.0 / 32.0 + second * z * z, 0.5 * x, 0.5 * y, 0.5 * z,
            2 * second * x * y, 2 * second * x * z, 2 * second * y * z,
            second * (x * x - z * z), second * (y * y - z * z),
        ])  # fmt: skip
        ambient += rng.uniform(0.05, 0.6) * lobe[:, None] * _tint(rng)
    return ambient.astype(np.float32)


def _received(
    directions: NDArray[np.floating],
    colors: NDArray[np.floating],
    ambient: NDArray[np.floating],
    n: NDArray[np.floating],
) -> float:
    """Mean light on a surface that faces n."""
    x, y, z = n
    terms = np.array([1.0, x, y, z, x * y, x * z, y * z, x * x, y * y])
    return float(np.mean(np.maximum(terms @ ambient, 0.02) + np.maximum(directions @ n, 0.0) @ colors))
