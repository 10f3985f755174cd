"""What performers wear, and what comes between their faces and the camera."""

import functools
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from training.anny_assets import Phenotype
from training.synth import props
from training.synth.props import Prop
from training.synth.skin_paint import Color
from training.synth.skins import Skin
from training.synth.wardrobe import under_hat, wardrobe
from training.synth.wear import Wear

_SHARE_HATS: Final = 0.05
_SHARE_GLASSES: Final = 0.17
_SHARE_STRANDS: Final = 0.03
_SHARE_HANDS: Final = 0.02
_SHARE_THINGS: Final = 0.015

# Share of the face between brows and chin that they hide: long2 0.8, bob01 0.6, bob02 0.35, short03 0.22, Braid01 0.13.
_HAIR_WEIGHTS: Final = {
    "long2_alpha7": 0.05,
    "bob01": 0.08,
    "bob02": 0.15,
    "short03": 0.25,
    "Braid01": 0.4,
    "junglebookhair": 0.6,
    "curly": 0.5,
    "curly2": 0.4,
    "minoan": 0.3,
    "Harvey_Hawk1": 0.2,
    "blondwithheadband": 0.25,
    "southernbelleringlets": 0.3,
    "afro01": 0.6,
    "short01": 2.0,
    "short02": 2.0,
    "short04": 2.5,
}
"""How often hairstyles are chosen where it is not once: those that hang over the face, or are odd, more seldom."""

_SHORT: Final = ("short", "afro", "Harvey")
_MALE_SHARE_LONG: Final = 0.25
"""How much more seldom men wear hair that is not short."""

_UNTEXTURED: Final = 0.004
"""Mean lightness below which a texture is black and has no lightness to take over."""


@dataclass(frozen=True, slots=True, eq=False)
class Worn:
    """A piece as it is shown.

    Attributes:
        wear: The piece, or what stands before the face.
        uniforms: Values of the shaders `wear` and `glass`.
        blended: Whether it lets through what lies behind, as glass does.
    """

    wear: Wear | Prop
    uniforms: dict[str, Any]
    blended: bool = False


@dataclass(frozen=True, slots=True)
class Outfit:
    """What is worn, and what is painted because of it or instead of it.

    Attributes:
        worn: The pieces.
        brows: How dense brows are painted.
        stubble: How dense a beard is painted.
        scalp: Whether hair is painted on the scalp.
    """

    worn: tuple[Worn, ...]
    brows: float
    stubble: float
    scalp: bool


def sample(who: Phenotype, hair: Color, rng: np.random.Generator) -> Outfit:
    """Dresses a person with hair of a colour."""
    closet = wardrobe()
    male, worn = bool(rng.random() < who.sex), []
    bald = rng.random() < (0.22 if male else 0.05)
    hat = closet.hats[int(rng.integers(len(closet.hats)))] if rng.random() < _SHARE_HATS else None
    if hat:
        worn.append(Worn(hat, _cloth(rng)))
    if not bald:
        style = closet.hair.named(_hairstyle(closet.hair.names, rng, male=male))
        worn.append(_hairpiece(_pressed(style.name, hat.name) if hat else style, hair, rng))
    brow_mesh = rng.random() < 0.4
    if brow_mesh:
        brows = closet.brows[int(rng.integers(len(closet.brows)))]
        worn.append(_hairpiece(brows, hair * rng.uniform(0.4, 1.3), rng, alpha=rng.uniform(0.7, 1.6)))
    if rng.random() < (0.4 if male else 0.75):
        lashes, color = closet.lashes[int(rng.integers(len(closet.lashes)))], np.full(3, rng.uniform(0.004, 0.03))
        worn.append(_hairpiece(lashes, color, rng, alpha=rng.uniform(0.3, 0.7 if male else 1.2)))
    bearded = male and rng.random() < 0.22
    if bearded:
        beard = closet.beards[int(rng.integers(len(closet.beards)))]
        worn.append(_hairpiece(beard, hair * rng.uniform(0.5, 1.1), rng))
    if rng.random() < _SHARE_GLASSES:
        worn.append(_spectacles(closet.glasses[int(rng.integers(len(closet.glasses)))], rng))
    shaved = male and rng.random() < 0.55
    return Outfit(
        worn=tuple(worn),
        brows=0.0 if brow_mesh else float(rng.uniform(0.55, 1.2)),
        stubble=float(rng.uniform(0.3, 1.1) if bearded else rng.uniform(0.05, 1.0) * shaved),
        scalp=not bald or bool(rng.random() < 0.5),
    )


def before_the_face(
    neutral: NDArray[np.float32], scale: float, tone: Color, hair: Color, skin: Skin, rng: np.random.Generator
) -> tuple[Worn, ...]:
    """Strands of hair, a hand or a thing, in few clips.

    Args:
        neutral: (N, 3) metres in head axes: the face.
        scale: How many times larger than the base figure's the head is.
        tone: The skin's colour.
        hair: The hair's colour.
        skin: The skin that hands are painted with.
        rng: Chooses.
    """
    kind = rng.random()
    if kind < _SHARE_STRANDS:
        piece, color = props.strands(neutral, rng), hair
    elif kind < _SHARE_STRANDS + _SHARE_HANDS:
        piece, color = props.hand(neutral, scale, skin, rng), tone
    elif kind < _SHARE_STRANDS + _SHARE_HANDS + _SHARE_THINGS:
        piece, color = props.thing(neutral, rng), rng.uniform(0.01, 0.5) * rng.uniform(0.5, 1.0, 3)
    else:
        return ()
    finish = (rng.uniform(0.05, 0.5), rng.uniform(8.0, 40.0), 0.05, 0.8)
    return (Worn(piece, _uniforms(color, (0.0, 1.0, 1.0), finish, 1.0 / piece.luminance)),)


def _uniforms(
    color: Color,
    shape: tuple[float, float, float],
    finish: tuple[float, float, float, float],
    relative: float,
    glass: float = 0.0,
) -> dict[str, Any]:
    """What `worn.glsl` and its users say about these."""
    return {"tint": tuple(color), "wear_shape": shape, "wear_finish": finish, "relative": relative, "glass": glass}


@functools.lru_cache(maxsize=64)
def _pressed(hair: str, hat: str) -> Wear:
    """A hairstyle under a hat, by their names."""
    closet = wardrobe()
    return under_hat(closet.hair.named(hair), closet.hats.named(hat))


def _hairstyle(names: tuple[str, ...], rng: np.random.Generator, *, male: bool) -> str:
    weights = np.array([_HAIR_WEIGHTS.get(name.removesuffix("-mirrored"), 1.0) for name in names])
    if male:
        weights *= [1.0 if name.startswith(_SHORT) else _MALE_SHARE_LONG for name in names]
    return str(rng.choice(names, p=weights / weights.sum()))


def _hairpiece(wear: Wear, color: Color, rng: np.random.Generator, alpha: float = 1.3) -> Worn:
    on_the_head = wear.kind == "hair"
    own = rng.uniform(0.0, 0.5) if on_the_head and rng.random() < 0.5 else 0.0
    contrast = 0.0 if wear.luminance < _UNTEXTURED else rng.uniform(0.4, 1.0)
    gloss = rng.uniform(0.05, 0.6) if on_the_head else 0.05
    finish = (gloss, rng.uniform(8.0, 40.0), 0.08, 0.8)
    return Worn(wear, _uniforms(color, (own, contrast, alpha), finish, 1.0 / max(wear.luminance, 1e-3)))


def _cloth(rng: np.random.Generator) -> dict[str, Any]:
    color = rng.uniform(0.02, 0.6) * rng.uniform(0.5, 1.2, 3)
    return _uniforms(color, (rng.random(), 0.5, 1.5), (0.05, 8.0, 0.1, 0.9), 5.0)


def _spectacles(wear: Wear, rng: np.random.Generator) -> Worn:
    mirroring = rng.choice([0.15, rng.uniform(0.2, 1.2)])
    values = _uniforms(np.full(3, 0.2), (1.0, 0.0, 1.0), (0.6, 60.0, 0.0, 1.0), 1.0, mirroring)
    return Worn(wear, values, blended=True)
