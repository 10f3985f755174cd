"""What the renderer knows of the base mesh: which triangle is what, where it is painted, where lids and lips part."""

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from training.synth.anatomy import HEAD_FROM_MAKEHUMAN, Anatomy, anatomy

ATLAS_CENTER_M: Final = np.array([0.0, 0.645, 0.03])
"""Point in the base figure's axes from where the atlas is seen, in every direction: low, so that the neck is too."""

_ATLAS_BEND: Final = 1.5
"""Angle in radians from straight ahead beyond which the atlas is pressed together: what is behind needs little room."""

TORSO_LOW_M: Final = 0.10
"""Height in the base mesh at which the chest ends; pictures never reach farther down."""

_ARMS_M: Final = 0.4
_NECK_TURNS_M: Final = (0.6155, 0.560)
"""Heights in the base mesh between which the neck passes from the head's rotation to the shoulders'."""


@dataclass(frozen=True)
class Layout:
    """The base mesh's head with a chest below it. N counts the topology's vertices, M the chest's own further ones.

    Attributes:
        rest: (N + M, 3) float32 base figure, metres, MakeHuman's axes.
        quads: (Q, 4) int32 all surfaces, for normals.
        skin: (F, 3) int32 triangles of the head's skin.
        body: (F, 3) int32 triangles of neck and chest.
        inside: (F, 3) int32 triangles of mouth, teeth, tongue and eye sockets.
        eyes: (F, 3) int32 triangles of the eyes.
        lashes: (F, 3) int32 triangles of the base mesh's own lashes: plain sheets.
        atlas: (N + M, 2) float32 place in the atlas, 0..1, x to the actor's left, y up.
        atlas_x: (N + M, 3) float32 how the atlas's first coordinate grows along head axes, a metre.
        atlas_y: The same of the second.
        inner_openness: (N + M,) float32 how much light reaches what is inside an open mouth, 0..1: little behind teeth.
        kind: (N + M,) float32 what is inside: 0 lining, 1 teeth, 2 tongue, 3 eye socket.
        torso_share: (N + M,) float32 how far a vertex follows the shoulders rather than the head, 0..1.
        near: (M,) int64 vertex of the topology whose displacement a chest vertex shares.
        near_share: (M,) float32 how much of it.
        lid_loops: Vertices of the edges of the left and the right eye's lids.
        lip_loop: Vertices along which the lips touch.
        eye_members: Vertices of the left and the right eye.
    """

    rest: NDArray[np.float32]
    quads: NDArray[np.int32]
    skin: NDArray[np.int32]
    body: NDArray[np.int32]
    inside: NDArray[np.int32]
    eyes: NDArray[np.int32]
    lashes: NDArray[np.int32]
    atlas: NDArray[np.float32]
    atlas_x: NDArray[np.float32]
    atlas_y: NDArray[np.float32]
    inner_openness: NDArray[np.float32]
    kind: NDArray[np.float32]
    torso_share: NDArray[np.float32]
    near: NDArray[np.int64]
    near_share: NDArray[np.float32]
    lid_loops: tuple[NDArray[np.int64], NDArray[np.int64]]
    lip_loop: NDArray[np.int64]
    eye_members: tuple[NDArray[np.int64], NDArray[np.int64]]

    @property
    def count(self) -> int:
        """N: vertices of the topology."""
        return len(self.rest) - len(self.near)

    def with_chest(self, vertices: NDArray[np.float32]) -> NDArray[np.float32]:
        """A performer's (N, 3) head with the chest that fits its neck: (N + M, 3) metres in head axes."""
        base = self.rest * HEAD_FROM_MAKEHUMAN.astype(np.float32)
        rim = np.unique(self.near)
        ours, theirs = base[rim], vertices[rim]
        center, at = ours.mean(axis=0), theirs.mean(axis=0)
        scale = np.linalg.norm(theirs - at) / np.linalg.norm(ours - center)
        chest = (base[self.count :] - center) * scale + at
        rest_of_rim = vertices[self.near] - ((base[self.near] - center) * scale + at)
        return np.concatenate([vertices, chest + self.near_share[:, None] * rest_of_rim]).astype(np.float32)


@cache
def layout() -> Layout:
    """The layout of `anatomy()` (once in a process)."""
    parts = anatomy()
    assets, topology = parts.assets, parts.topology
    ids, quads = _with_torso(parts)
    rest = assets.vertices[ids]
    count = len(topology.vertex_ids)
    regions = _regions(parts)
    skin, neck, mouth, socket = (regions[name] for name in ("skin", "neck", "mouth", "socket"))
    teeth, tongue, eyes, lashes = (regions[name] for name in ("teeth", "tongue", "eyes", "lashes"))
    own = topology.quads
    kind = np.zeros(len(ids), np.float32)
    kind[own[teeth]] = 1.0
    kind[own[tongue]] = 2.0
    kind[own[socket]] = 3.0
    behind = (kind == 1.0) & _behind_teeth(rest)
    kind[behind] = 0.0
    far = quads[len(own) :]
    near, near_share = _neighbours(rest, count, far)
    height = np.clip((_NECK_TURNS_M[0] - rest[:, 1]) / (_NECK_TURNS_M[0] - _NECK_TURNS_M[1]), 0.0, 1.0)
    of_neck = np.zeros(len(ids), bool)
    of_neck[np.unique(np.concatenate([own[neck], far]))] = True
    step = 1e-4
    growth = np.stack(
        [(atlas_of(rest + step * axis) - atlas_of(rest - step * axis)) / (2 * step) for axis in np.eye(3)], 1
    )
    growth = (growth * HEAD_FROM_MAKEHUMAN[:, None]).astype(np.float32)
    margins = np.intersect1d(own[socket], own[skin])
    return Layout(
        rest=rest.astype(np.float32),
        quads=quads,
        skin=_triangles(own[skin]),
        body=_triangles(np.concatenate([own[neck], far])),
        inside=_triangles(own[mouth | teeth | tongue | socket]),
        eyes=_triangles(own[eyes]),
        lashes=_triangles(own[lashes]),
        atlas=atlas_of(rest).astype(np.float32),
        atlas_x=growth[..., 0],
        atlas_y=growth[..., 1],
        inner_openness=np.where(behind, 0.3, 0.85).astype(np.float32),
        kind=kind,
        torso_share=np.where(of_neck, height * height * (3.0 - 2.0 * height), 0.0).astype(np.float32),
        near=near,
        near_share=near_share,
        lid_loops=(margins[rest[margins, 0] > 0], margins[rest[margins, 0] < 0]),
        lip_loop=np.intersect1d(own[mouth], own[skin]),
        eye_members=(parts.members("helper-l-eye"), parts.members("helper-r-eye")),
    )


def atlas_of(points: NDArray[np.floating]) -> NDArray[np.float64]:
    """Place in the atlas, 0..1, of (n, 3) points of the base figure: (n, 2)."""
    directions = points - ATLAS_CENTER_M
    directions = directions / np.maximum(np.linalg.norm(directions, axis=1, keepdims=True), 1e-9)
    angle = np.arccos(np.clip(directions[:, 2:], -1.0, 1.0))
    outward = directions[:, :2] / np.maximum(np.sin(angle), 1e-6)
    return outward * _pressed(angle) / _pressed(np.pi) * 0.5 + 0.5


def _pressed(angle: "NDArray[np.floating] | float") -> "NDArray[np.float64] | float":
    return angle / np.sqrt(1.0 + (angle / _ATLAS_BEND) ** 2)


def _regions(parts: Anatomy) -> dict[str, NDArray[np.bool_]]:
    """(Q,) quads of the topology by region. MakeHuman's texture keeps neck, mouth and eye sockets on islands apart."""
    uv = parts.assets.uv[parts.assets.quad_uv[parts.topology.quad_ids]].mean(axis=1)
    body = _all_in(parts, "body")
    socket = body & (uv[:, 0] < 0.16) & (uv[:, 1] > 0.5) & (uv[:, 1] < 0.66)
    mouth = body & (uv[:, 0] > 0.75) & (uv[:, 1] < 0.14)
    neck = body & (uv[:, 0] > 0.2) & (uv[:, 0] < 0.56) & (uv[:, 1] > 0.8)
    teeth = _all_in(parts, "helper-upper-teeth") | _all_in(parts, "helper-lower-teeth")
    tongue = _all_in(parts, "helper-tongue")
    eyes = _all_in(parts, "helper-l-eye") | _all_in(parts, "helper-r-eye")
    return {
        "skin": body & ~socket & ~mouth & ~neck,
        "neck": neck,
        "mouth": mouth,
        "socket": socket,
        "teeth": teeth,
        "tongue": tongue,
        "eyes": eyes,
        "lashes": ~(body | teeth | tongue | eyes),
    }


def _behind_teeth(points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which places of the base figure lie on the tongue's side of its rows of teeth: two arches about one middle."""
    sideways, forward = np.abs(points[:, 0]), points[:, 2] - 0.105
    arch = 0.046 - 0.0103 * np.arctan2(sideways, forward)
    return np.hypot(sideways, forward) < 0.8 * arch


def _all_in(parts: Anatomy, group: str) -> NDArray[np.bool_]:
    """(Q,) quads of the topology that belong to a group."""
    member = np.zeros(len(parts.topology.vertex_ids), bool)
    member[parts.members(group)] = True
    return member[parts.topology.quads].all(axis=1)


def _with_torso(parts: Anatomy) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Base vertex ids, the topology's first, and quads counted in them, the topology's first."""
    assets, topology = parts.assets, parts.topology
    mask = np.zeros(len(assets.vertices), bool)
    body = assets.groups["body"]
    mask[body] = (assets.vertices[body, 1] > TORSO_LOW_M) & (np.abs(assets.vertices[body, 0]) < _ARMS_M)
    whole = assets.part(mask)
    added = np.setdiff1d(whole.quad_ids, topology.quad_ids)
    corners = assets.quads[added]
    ids = np.concatenate([topology.vertex_ids, np.setdiff1d(corners, topology.vertex_ids)])
    place = np.full(len(assets.vertices), -1, np.int32)
    place[ids] = np.arange(len(ids), dtype=np.int32)
    return ids, np.concatenate([topology.quads, place[corners]])


def _neighbours(
    rest: NDArray[np.float64], count: int, far: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    rim = np.unique(far[far < count])
    distance = np.linalg.norm(rest[count:, None] - rest[rim][None], axis=2)
    return rim[distance.argmin(axis=1)].astype(np.int64), np.exp(-((distance.min(axis=1) / 0.05) ** 2)).astype(
        np.float32
    )


def _triangles(quads: NDArray[np.int32]) -> NDArray[np.int32]:
    return np.ascontiguousarray(np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]))


def expanded_uv() -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.int32]]:
    """MakeHuman's own texture coordinates of the skin, which are not one to a vertex.

    Returns:
        (K,) vertices of the layout, (K, 2) float32 their coordinates (v up), (F, 3) int32 triangles counted in K.
    """
    parts = anatomy()
    regions = _regions(parts)
    outer = regions["skin"] | regions["neck"]
    corners = np.stack([parts.topology.quads[outer], parts.assets.quad_uv[parts.topology.quad_ids[outer]]], axis=2)
    unique, inverse = np.unique(corners.reshape(-1, 2), axis=0, return_inverse=True)
    quads = inverse.reshape(-1, 4).astype(np.int32)
    return unique[:, 0].astype(np.int64), parts.assets.uv[unique[:, 1]].astype(np.float32), _triangles(quads)
