"""What is photographed and how: every frame follows from the head's name and the frame's number alone.

So a run that was stopped goes on where it stood, and more frames can be added to what is there.
"""

import zlib
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from au_mocap import rotations
from au_mocap.channels import PREDICTED_IDS
from training.synth import expressions
from training.transfer import shapes

NEUTRAL_FRAMES: Final = 6
"""The first frames of every head: nothing is shown, nearly frontal."""

SIZE_PX: Final = 320

_BLOCK: Final = 100
"""Expressions that are drawn at once: the draw balances channels and kinds among them."""

_MAX_TURN_DEG: Final = np.array([35.0, 20.0, 15.0])
_NEUTRAL_TURN_DEG: Final = 3.0
_HALF_DOWN_FACE: Final = 0.55
"""How far below the eyes the picture's centre lies, in distances between the eyes."""


@dataclass(frozen=True, slots=True)
class View:
    """A camera before a head, in OpenCV axes: `x_cam = R x_head + t`, the head's origin between the eyes.

    Attributes:
        rotation: (3, 3) float64.
        translation: (3,) float64 metres.
        focal_px: Focal length in pixels of the square picture; the principal point is its centre.
    """

    rotation: NDArray[np.float64]
    translation: NDArray[np.float64]
    focal_px: float


@dataclass(frozen=True, slots=True)
class Lamp:
    """An area light, seen from the head in the camera's axes.

    Attributes:
        direction: (3,) unit vector from the head to the light.
        watts: Its power at one metre.
        size_m: Side of the square.
        colour: (3,) linear RGB.
    """

    direction: NDArray[np.float64]
    watts: float
    size_m: float
    colour: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture.

    Attributes:
        index: Its number.
        values: (P,) float32 over `channels.PREDICTED_IDS`, as the head can show them.
        view: The camera.
        lamps: Three lights; one may be dark.
        ambient: (3,) linear RGB of light from all sides.
        exposure_ev: Exposure in stops.
        backdrop: (4, 3) sRGB 0..1 colours of the corners behind the head: two upper, two lower.
    """

    index: int
    values: NDArray[np.float32]
    view: View
    lamps: tuple[Lamp, ...]
    ambient: NDArray[np.float64]
    exposure_ev: float
    backdrop: NDArray[np.float64]


def frames(name: str, held: Collection[str], ipd_m: float, count: int) -> list[Frame]:
    """Plans the frames of a head.

    Args:
        name: The head's name.
        held: Its ARKit shapes.
        ipd_m: Distance between its eyes.
        count: How many frames.
    """
    values = shapes.showable(_expressions(name, count), held)
    return [_frame(name, index, row, ipd_m) for index, row in enumerate(values)]


def _expressions(name: str, count: int) -> NDArray[np.float32]:
    drawn = [np.zeros((NEUTRAL_FRAMES, len(PREDICTED_IDS)), np.float32)]
    for block in range(-(-max(count - NEUTRAL_FRAMES, 0) // _BLOCK)):
        drawn.append(expressions.sample(_BLOCK, _rng(name, "expressions", block)))
    return np.concatenate(drawn)[:count]


def _rng(name: str, purpose: str, number: int) -> np.random.Generator:
    return np.random.default_rng([zlib.crc32(name.encode()), zlib.crc32(purpose.encode()), number])


def _frame(name: str, index: int, values: NDArray[np.float32], ipd_m: float) -> Frame:
    rng = _rng(name, "frame", index)
    return Frame(
        index=index,
        values=values,
        view=_view(rng, ipd_m, frontal=index < NEUTRAL_FRAMES),
        lamps=_lamps(rng),
        ambient=rng.uniform(0.02, 0.25) * _tint(rng, 0.12),
        exposure_ev=float(rng.uniform(-0.4, 0.4)),
        backdrop=_backdrop(rng),
    )


def _backdrop(rng: np.random.Generator) -> NDArray[np.float64]:
    """Corners of one brightness, more or less, and rarely of a strong colour."""
    brightness = rng.uniform(0.05, 0.9) + rng.normal(0.0, 0.1, (4, 1))
    return np.clip(brightness + rng.normal(0.0, 0.06, (4, 3)), 0.0, 1.0)


def _view(rng: np.random.Generator, ipd_m: float, *, frontal: bool) -> View:
    """The face from brow to chin (1.75 distances between the eyes) fills 33 to 54 % of the picture."""
    turn = rng.uniform(-1.0, 1.0, 3) * (_NEUTRAL_TURN_DEG if frontal else _MAX_TURN_DEG)
    focal_px = 0.5 * SIZE_PX / np.tan(np.radians(0.5 * rng.uniform(20.0, 50.0)))
    distance_m = focal_px * 1.75 * ipd_m / (rng.uniform(0.33, 0.54) * SIZE_PX)
    rotation = rotations.from_angles(np.radians(turn)[None])[0]
    middle = rotation @ np.array([0.0, _HALF_DOWN_FACE * ipd_m, 0.0])
    shift = rng.uniform(-0.04, 0.04, 2) * SIZE_PX * distance_m / focal_px
    return View(rotation, np.array([*shift, distance_m]) - middle, float(focal_px))


def _lamps(rng: np.random.Generator) -> tuple[Lamp, ...]:
    """A key, a weaker fill from the other side, and more often than not a rim from behind."""
    side = rng.choice([-1.0, 1.0])
    key_watts = np.exp(rng.uniform(np.log(7.0), np.log(20.0)))
    return (
        _lamp(rng, side * rng.uniform(5.0, 65.0), rng.uniform(-5.0, 55.0), key_watts),
        _lamp(rng, -side * rng.uniform(20.0, 80.0), rng.uniform(-20.0, 35.0), key_watts * rng.uniform(0.1, 0.7)),
        _lamp(rng, -side * rng.uniform(110.0, 165.0), rng.uniform(0.0, 50.0), max(0.0, rng.uniform(-10.0, 20.0))),
    )


def _lamp(rng: np.random.Generator, azimuth_deg: float, elevation_deg: float, watts: float) -> Lamp:
    azimuth, elevation = np.radians([azimuth_deg, elevation_deg])
    towards = [np.sin(azimuth) * np.cos(elevation), -np.sin(elevation), -np.cos(azimuth) * np.cos(elevation)]
    return Lamp(np.array(towards), float(watts), float(rng.uniform(0.15, 1.0)), _tint(rng, 0.1))


def _tint(rng: np.random.Generator, strength: float) -> NDArray[np.float64]:
    """A warm, neutral or cool white of brightness 1."""
    warmth = rng.normal(0.0, strength)
    return np.clip([1.0 + warmth, 1.0, 1.0 - warmth], 0.3, 1.7)
