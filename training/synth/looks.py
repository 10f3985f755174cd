"""How performers look: paint, folds, eyes, mouth, clothes, light and what stands behind, drawn once for a clip."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from training.anny_assets import Phenotype
from training.synth import backgrounds, lighting, outfits, skin_paint
from training.synth.lighting import Light
from training.synth.outfits import Worn
from training.synth.performers import Performer
from training.synth.skin_paint import Color
from training.synth.skins import Skin
from training.synth.wear import head_scale
from training.synth.wrinkles import FOLDS, groups

_IRISES: Final = np.array(
    [
        [0.09, 0.042, 0.018],
        [0.045, 0.02, 0.01],
        [0.018, 0.010, 0.007],
        [0.085, 0.12, 0.17],
        [0.06, 0.075, 0.035],
        [0.12, 0.135, 0.14],
        [0.11, 0.07, 0.025],
    ]
)
"""Brown, dark brown, black, blue, green, grey, amber."""

_IRIS_WEIGHTS: Final = (0.24, 0.26, 0.2, 0.12, 0.06, 0.06, 0.06)


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """Everything about pictures of a performer that stays through a clip. Two looks are never equal.

    Attributes:
        neutral: (N, 3) float32 metres in head axes: whose look it is.
        scale: (3,) how many times larger than the base figure's the head is.
        paint: Values of the shader that paints the skin's atlas.
        skin: MakeHuman skin that is mixed in.
        shade: Values of the shaders that draw.
        crease_seed: Draws the person's folds.
        crease_depths: (K,) full depths of the groups of folds, 1 being common.
        crease_resting: (K,) share of them that a resting face shows.
        light: The light, in camera axes.
        worn: What is worn, and what stands before the face.
        background: (H, W, 3) uint8 BGR, stretched over the picture.
        torso_share: How far the shoulders follow the head's turns, 0..1.
        torso_turn_rad: How far they are turned away of their own.
    """

    neutral: NDArray[np.float32]
    scale: NDArray[np.float32]
    paint: dict[str, Any]
    skin: Skin
    shade: dict[str, Any]
    crease_seed: int
    crease_depths: NDArray[np.float32]
    crease_resting: NDArray[np.float32]
    light: Light
    worn: tuple[Worn, ...]
    background: NDArray[np.uint8]
    torso_share: float
    torso_turn_rad: float


def sample_look(performer: Performer, rng: np.random.Generator) -> Look:
    """Draws the look of a performer for a clip.

    Raises:
        PackageError: A piece of the wardrobe must be fetched and cannot be.
    """
    who, neutral = performer.phenotype, performer.neutral
    tone, hair, skin = skin_paint.tone(who, rng), skin_paint.hair_color(who, rng), skin_paint.skin(who, rng)
    outfit, scale = outfits.sample(who, hair, rng), head_scale(neutral)
    before = outfits.before_the_face(neutral, float(scale.mean()), tone, hair, skin, rng)
    amounts = (outfit.brows, outfit.stubble)
    paint = skin_paint.paint(who, tone, skin, rng)
    paint |= skin_paint.painted_hair(who, hair, tone, amounts, rng, scalp=outfit.scalp)
    depths, resting = _folds(who, rng)
    return Look(
        neutral=neutral,
        scale=scale,
        paint=paint,
        skin=skin,
        shade=_surface(rng) | _clothes(rng) | _mouth(tone, rng) | _eyes(rng),
        crease_seed=int(rng.integers(2**31)),
        crease_depths=depths,
        crease_resting=resting,
        light=lighting.sample(float(tone.mean()), rng),
        worn=outfit.worn + before,
        background=backgrounds.sample(rng),
        torso_share=float(rng.uniform(0.1, 0.6)),
        torso_turn_rad=float(rng.normal(0.0, 0.3)),
    )


def _folds(who: Phenotype, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Depths of a person's folds and what of them age has made permanent."""
    age = float(np.clip((who.age - 0.3) / 0.6, 0.0, 1.0))
    person = (0.65 + 0.75 * age) * np.exp(rng.normal(0.0, 0.3))
    by_name = {name: np.exp(rng.normal(0.0, 0.35)) for name in FOLDS}
    permanent = {name: age * np.exp(rng.normal(0.0, 0.5)) for name in FOLDS}
    depths = [person * by_name[name] * rng.normal(1.0, 0.08) for name, _ in groups()]
    resting = [FOLDS[name].age_share * permanent[name] for name, _ in groups()]
    return np.clip(depths, 0.15, 2.4).astype(np.float32), np.clip(resting, 0.0, 0.75).astype(np.float32)


def _surface(rng: np.random.Generator) -> dict[str, Any]:
    """How skin takes the light."""
    red = rng.uniform(0.1, 0.45)
    return {
        "crease_depth": rng.uniform(0.0010, 0.0020),
        "crease_shade": rng.uniform(0.15, 0.5),
        "wrap": (red, red * rng.uniform(0.4, 0.9), red * rng.uniform(0.3, 0.7)),
        "occlusion": rng.uniform(0.7, 1.0),
        "power": float(np.exp(rng.uniform(np.log(10.0), np.log(50.0)))),
    }


def _clothes(rng: np.random.Generator) -> dict[str, Any]:
    colors = [
        rng.choice([0.04, 0.2, 0.6])
        * rng.uniform(0.3, 1.2)
        * np.clip(rng.normal(1.0, rng.choice([0.05, 0.4]), 3), 0.05, 2.0)
        for _ in range(3)
    ]
    hem = rng.uniform(0.004, 0.016) if rng.random() < 0.5 else 0.0
    deep = rng.uniform(0.0, 0.07) if rng.random() < 0.5 else 0.0
    pattern = rng.choice(5, p=[0.55, 0.15, 0.1, 0.08, 0.12])
    return {
        "cloth": [tuple(color) for color in colors],
        "neckline": (rng.uniform(0.53, 0.56) - deep, rng.uniform(0.575, 0.592), rng.uniform(0.588, 0.605), hem),
        "weave": (float(pattern), rng.uniform(120.0, 900.0), rng.uniform(-0.8, 0.8), rng.uniform(0.2, 1.0)),
    }


def _mouth(tone: Color, rng: np.random.Generator) -> dict[str, Any]:
    gum = np.array([0.32, 0.09, 0.08]) * rng.uniform(0.6, 1.2) * (0.55 + 0.75 * tone[0])
    tooth = np.array([0.66, 0.62, 0.52]) * rng.uniform(0.6, 1.05)
    return {
        "gum": tuple(gum),
        "tooth": tuple(tooth * np.array([1.0, 1.0, rng.uniform(0.8, 1.15)])),
        "tongue": tuple(np.array([0.42, 0.14, 0.13]) * rng.uniform(0.6, 1.1)),
        "gaps": rng.uniform(0.45, 1.0),
    }


def _eyes(rng: np.random.Generator) -> dict[str, Any]:
    outer = _IRISES[rng.choice(len(_IRISES), p=_IRIS_WEIGHTS)] * np.exp(rng.normal(0.0, 0.25))
    inner = outer * rng.uniform(0.7, 1.4) + rng.choice([0.0, 0.03]) * np.array([1.0, 0.6, 0.2])
    size, pupil = rng.uniform(0.43, 0.52), rng.uniform(0.13, 0.27)
    white = rng.uniform(0.36, 0.6) * np.array([1.0, rng.uniform(0.93, 1.0), rng.uniform(0.84, 1.0)])
    sharp = rng.uniform(0.93, 0.985)
    return {
        "iris": [tuple(outer), tuple(inner)],
        "sclera": tuple(white),
        "eye_shape": (size, pupil, pupil + rng.uniform(0.05, 0.2), rng.uniform(0.03, 0.16)),
        "vein": rng.random(),
        "glint": rng.uniform(0.3, 1.6),
        "lid_shade": (rng.uniform(0.5, 0.95), rng.uniform(0.15, 0.5), sharp, sharp + rng.uniform(0.004, 0.014)),
    }
