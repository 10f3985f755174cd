"""What a performer's skin is painted with: the uniforms of the shader `paint.frag`."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from training.anny_assets import Phenotype
from training.synth.skins import Skin
from training.synth.wardrobe import wardrobe

Color = NDArray[np.float64]
"""(3,) linear RGB."""

_FAIR: Final = np.array([0.66, 0.42, 0.32])
_DARK: Final = np.array([0.085, 0.040, 0.024])
_SHARE_ANY_TONE: Final = 0.3
_SHARE_ANY_SKIN: Final = 0.3

_HAIR: Final = np.array(
    [
        [0.009, 0.007, 0.006],
        [0.022, 0.013, 0.008],
        [0.06, 0.033, 0.017],
        [0.13, 0.075, 0.036],
        [0.34, 0.22, 0.11],
        [0.16, 0.05, 0.018],
    ]
)
"""Black, dark brown, brown, light brown, blond, red."""

_HAIR_OF_MOST: Final = np.array([0.6, 0.35, 0.1, 0.05, 0.03, 0.02])
_HAIR_OF_EUROPEANS: Final = np.array([0.25, 0.35, 0.3, 0.25, 0.2, 0.08])


def tone(who: Phenotype, rng: np.random.Generator) -> Color:
    """Albedo of the cheek: one that is likely for the person, or any."""
    share = _ethnicity(who)
    likely = 0.78 * share["african"] + 0.22 * share["asian"] + 0.1 * share["caucasian"]
    dark = rng.random() if rng.random() < _SHARE_ANY_TONE else np.clip(likely + rng.normal(0.0, 0.12), 0.0, 1.0)
    between = np.exp((1.0 - dark) * np.log(_FAIR) + dark * np.log(_DARK))
    warmth = rng.normal(0.0, 0.05)
    varied = np.exp(rng.normal(0.0, 0.1)) * np.array([1.0 + warmth, 1.0, 1.0 - warmth]) * rng.normal(1.0, 0.02, 3)
    return np.clip(between * varied, 0.015, 0.8)


def hair_color(who: Phenotype, rng: np.random.Generator) -> Color:
    """Colour of hair: black to blond and red, grey with age, seldom dyed."""
    european = _ethnicity(who)["caucasian"]
    weights = european * _HAIR_OF_EUROPEANS + (1.0 - european) * _HAIR_OF_MOST
    color = _HAIR[rng.choice(len(_HAIR), p=weights / weights.sum())] * np.exp(rng.normal(0.0, 0.3))
    if rng.random() < np.clip(1.6 * (who.age - 0.55), 0.02, 0.85):
        grey = rng.uniform(0.15, 0.6) * np.array([1.0, 0.98, 0.94])
        color = color + rng.random() * (grey - color)
    if rng.random() < 0.03:
        color = rng.uniform(0.01, 0.4, 3)
    return color * rng.normal(1.0, 0.04, 3)


def skin(who: Phenotype, rng: np.random.Generator) -> Skin:
    """A painted skin: one made for such a person, or any."""
    rack = wardrobe().skins
    if rng.random() < _SHARE_ANY_SKIN:
        return rack[int(rng.integers(len(rack)))]
    age = "old" if who.age > 0.78 else "middleage" if who.age > 0.58 else "young"
    sex = "male" if who.sex > 0.5 else "female"
    share = _ethnicity(who)
    ethnicity = max(share, key=lambda name: share[name])
    names = [name for name in rack.names if name.rstrip("2") == f"{age}_{ethnicity}_{sex}"]
    return rack.named(str(rng.choice(names or list(rack.names))))


def paint(who: Phenotype, cheek: Color, base: Skin, rng: np.random.Generator) -> dict[str, Any]:
    """Everything but hair.

    Args:
        who: Whose skin.
        cheek: Its tone.
        base: The painted skin to be mixed in.
        rng: Chooses.
    """
    mixed = np.clip(rng.uniform(-0.2, 1.2), 0.0, 1.0)
    return {
        "skin": tuple(cheek),
        "skin_own": tuple(np.maximum(base.tone, 0.01)),
        "grading": (rng.uniform(0.5, 1.4), mixed, rng.uniform(0.3, 1.0)),
        "offset": tuple(rng.uniform(0.0, 3.0, 3)),
        "oil": (0.55 * rng.beta(1.2, 3.0), rng.uniform(0.1, 0.9), rng.choice([0.0, 0.25])),
        **_blemishes(who, rng),
        **_lips(cheek, rng),
        **_make_up(who, cheek, rng),
    }


def painted_hair(
    who: Phenotype,
    hair: Color,
    cheek: Color,
    amounts: tuple[float, float],
    rng: np.random.Generator,
    *,
    scalp: bool,
) -> dict[str, Any]:
    """Brows, beard shadow and short hair on the scalp.

    Args:
        who: Whose hair.
        hair: Its colour.
        cheek: The skin's tone.
        amounts: How dense brows and beard are painted, 0..1 and a little more.
        rng: Chooses.
        scalp: Whether the scalp is painted.
    """
    thick = rng.uniform(0.0014, 0.0036) + 0.0022 * who.sex * rng.random()
    kept = rng.random(3) < [0.75, 0.85, 0.9]
    return {
        "brow": tuple(np.minimum(hair * rng.uniform(0.35, 1.1), 0.5 * cheek)),
        "brow_shape": (rng.uniform(0.7435, 0.7505), rng.uniform(0.0, 0.0045), rng.uniform(0.0185, 0.0235), thick),
        "brow_hair": (rng.uniform(0.2, 1.0), rng.uniform(0.6, 1.3), amounts[0]),
        "stubble": amounts[1],
        "beard_shape": tuple(np.where(kept, 1.0, rng.uniform(0.0, 0.6, 3))),
        "beard_color": tuple(np.minimum(hair * rng.uniform(0.5, 1.2) + 0.1 * cheek, 0.9 * cheek)),
        "hair": tuple(hair * rng.uniform(0.6, 1.0)),
        "hairline": (rng.uniform(0.785, 0.815) if scalp else 0.0, rng.uniform(0.003, 0.02)),
    }


def _ethnicity(who: Phenotype) -> dict[str, float]:
    """Shares that sum to 1."""
    total = max(sum(who.ethnicity.values()), 1e-9)
    return {name: who.ethnicity.get(name, 0.0) / total for name in ("african", "asian", "caucasian")}


def _blemishes(who: Phenotype, rng: np.random.Generator) -> dict[str, Any]:
    spots = np.zeros((10, 4))
    count = int(rng.integers(0, 5))
    low, high = np.array([-0.06, 0.62, 0.0005, 0.2]), np.array([0.06, 0.80, 0.0016, 0.85])
    spots[:count] = rng.uniform(low, high, (count, 4))
    pimples = rng.uniform(0.1, 0.4) if rng.random() < 0.12 else 0.0
    freckles = rng.uniform(0.15, 0.5) if rng.random() < 0.18 else 0.0
    return {
        "zones": tuple(rng.normal([0.55, 0.55, 0.5, 0.25], 0.3)),
        "rings": (rng.uniform(-0.05, 0.25), rng.uniform(0.0, 0.3) + 0.15 * who.age, rng.normal(0.03, 0.08)),
        "blotch": (rng.uniform(0.02, 0.16), rng.uniform(0.0, 0.16), pimples),
        "freckle": (freckles, rng.uniform(0.3, 0.45), rng.uniform(0.0, 0.5)),
        "spots": [tuple(spot) for spot in spots.tolist()],
    }


def _lips(cheek: Color, rng: np.random.Generator) -> dict[str, Any]:
    if rng.random() < 0.18:
        color = rng.uniform(0.08, 0.6) * np.array([1.0, rng.uniform(0.05, 0.55), rng.uniform(0.08, 0.6)])
        if rng.random() < 0.05:
            color = rng.uniform(0.01, 0.5, 3)
        return {"lip": tuple(color), "lip_make": (rng.uniform(1.0, 1.6), rng.random())}
    color = cheek * np.array([rng.uniform(0.75, 1.0), rng.uniform(0.45, 0.8), rng.uniform(0.45, 0.85)])
    return {"lip": tuple(color), "lip_make": (rng.uniform(0.3, 1.1), 0.0)}


def _make_up(who: Phenotype, cheek: Color, rng: np.random.Generator) -> dict[str, Any]:
    wears = rng.random() < 0.08 + 0.37 * (1.0 - who.sex)
    shadow = rng.uniform(0.01, 0.5, 3) if rng.random() < 0.4 else cheek * rng.uniform(0.2, 0.8)
    liner = rng.uniform(0.3, 1.0) if wears and rng.random() < 0.6 else rng.uniform(0.1, 0.5)
    amounts = rng.uniform(0.0, [0.7, 0.5]) * wears * (rng.random(2) < 0.6)
    below = rng.choice([0.25, rng.uniform(0.25, 1.0)])
    return {
        "shadow_color": tuple(shadow),
        "blush_color": tuple(rng.uniform([0.4, 0.1, 0.1], [0.9, 0.35, 0.35])),
        "make_up": (amounts[0], liner, amounts[1], below),
    }
