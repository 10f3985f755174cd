"""Which heads are shown: where their files come from, and what must be known of them besides shapes."""

from dataclasses import dataclass
from typing import Final

from training import packages


@dataclass(frozen=True, slots=True)
class HeadModel:
    """A head by another maker.

    Attributes:
        name: Folder of its pictures.
        file: The glTF file.
        terms: Maker and licence.
        eye_bones: Bones of the actor's left and right eye, with their joint in the eye's centre.
        turns_eyes: Whether the gaze must be made by turning those bones, since no shape moves the eyes.
        dropped: Objects that are outside every picture.
        masked: Materials whose vertex colours are black on flesh and white on teeth, instead of their colours.
    """

    name: str
    file: packages.PackageFile
    terms: str
    eye_bones: tuple[str, str]
    turns_eyes: bool = False
    dropped: tuple[str, ...] = ()
    masked: tuple[str, ...] = ()


HEADS: Final = (
    HeadModel(
        name="humgen",
        file=packages.TRANSFER_HUMGEN,
        terms="a figure made with Human Generator, published in pura-digital-human, which is under MIT",
        eye_bones=("eyeball.L", "eyeball.R"),
        turns_eyes=True,
        dropped=("HG_Skinny_Jeans_Female.001",),
        masked=("DefaultMaterial", "DefaultMaterial.001"),
    ),
    HeadModel(
        name="readyplayer",
        file=packages.TRANSFER_READYPLAYER,
        terms="a Ready Player Me avatar from react-tts-lipsync; its makers allow non-commercial use with credit",
        eye_bones=("LeftEye", "RightEye"),
        dropped=("Wolf3D_Outfit_Bottom", "Wolf3D_Outfit_Footwear"),
    ),
)
BY_NAME: Final = {head.name: head for head in HEADS}
