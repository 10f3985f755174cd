"""Pieces of a character's mesh, and the small geometry that they are made with.

All positions are metres in MakeHuman's axes: x to the character's left, y up, z out of the face.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]
Colour = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of mesh with everything that travels with its vertices.

    Attributes:
        vertices: (n, 3) metres.
        faces: (F, 4) vertex indices, counter-clockwise seen from outside; the last is -1 in a triangle.
        materials: (F,) index of each face's material.
        colours: (n, 3) sRGB 0..1.
        weights: Bone name to (n,) weight 0..1.
        deltas: Shape name to (n, 3) displacement in metres at weight 1; what is missing does not move.
    """

    vertices: Floats
    faces: Ints
    materials: Ints
    colours: Floats
    weights: Mapping[str, Floats] = field(default_factory=dict)
    deltas: Mapping[str, Floats] = field(default_factory=dict)


def join(parts: Sequence[Part]) -> Part:
    """One part made of several, in their order."""
    starts = np.cumsum([0, *(len(part.vertices) for part in parts)])
    faces = [np.where(part.faces < 0, -1, part.faces + start) for part, start in zip(parts, starts, strict=False)]
    return Part(
        vertices=np.concatenate([part.vertices for part in parts]),
        faces=np.concatenate(faces).astype(np.int32),
        materials=np.concatenate([part.materials for part in parts]),
        colours=np.concatenate([part.colours for part in parts]),
        weights=_joined([part.weights for part in parts], parts, ()),
        deltas=_joined([part.deltas for part in parts], parts, (3,)),
    )


def _joined(maps: Sequence[Mapping[str, Floats]], parts: Sequence[Part], shape: tuple[int, ...]) -> dict[str, Floats]:
    names = dict.fromkeys(name for each in maps for name in each)
    empty = [np.zeros((len(part.vertices), *shape)) for part in parts]
    return {
        name: np.concatenate([each.get(name, zero) for each, zero in zip(maps, empty, strict=True)]) for name in names
    }


def vertex_normals(vertices: Floats, quads: Ints) -> Floats:
    """Area-weighted unit normals: (n, 3)."""
    corners = vertices[quads]
    across = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
    normals = np.zeros_like(vertices)
    for corner in range(4):
        np.add.at(normals, quads[:, corner], across)
    return unit(normals)


def unit(vectors: Floats) -> Floats:
    """Vectors scaled to length 1 along the last axis; zero stays zero."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 1e-12)


def smooth_step(value: Floats, low: float | Floats, high: float | Floats) -> Floats:
    """0 below `low`, 1 above `high`, smooth between; `low` may be the greater one."""
    t = np.clip((value - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


@dataclass(frozen=True, slots=True)
class Binding:
    """Points fastened to quads of a surface, each in the frame of its quad.

    Attributes:
        quads: (m, 4) corners of the quad that each point rides on.
        corner_weights: (m, 4) bilinear weights of the foot point.
    """

    quads: Ints
    corner_weights: Floats

    def feet(self, vertices: Floats) -> Floats:
        """(m, 3) foot points on a deformed surface (n, 3)."""
        return np.einsum("mk,mkc->mc", self.corner_weights, vertices[self.quads])

    def frames(self, vertices: Floats) -> Floats:
        """(m, 3, 3) orthonormal frames; the columns are along the quad, across it and its normal."""
        corners = vertices[self.quads]
        along = unit(corners[:, 1] + corners[:, 2] - corners[:, 0] - corners[:, 3])
        normal = unit(np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1]))
        across = unit(np.cross(normal, along))
        return np.stack([np.cross(across, normal), across, normal], axis=2)


def bind(points: Floats, vertices: Floats, quads: Ints) -> Binding:
    """Fasten points (m, 3) to the nearest quads of a surface."""
    centres = vertices[quads].mean(axis=1)
    nearest = np.array([np.argmin(((centres - point) ** 2).sum(axis=1)) for point in points], int)
    corners = vertices[quads[nearest]]
    along = 0.5 * (corners[:, 1] + corners[:, 2] - corners[:, 0] - corners[:, 3])
    across = 0.5 * (corners[:, 2] + corners[:, 3] - corners[:, 0] - corners[:, 1])
    offset = points - corners.mean(axis=1)
    u = np.clip(0.5 + (offset * along).sum(1) / (along**2).sum(1), 0.0, 1.0)
    v = np.clip(0.5 + (offset * across).sum(1) / (across**2).sum(1), 0.0, 1.0)
    weights = np.stack([(1 - u) * (1 - v), u * (1 - v), u * v, (1 - u) * v], axis=1)
    return Binding(quads[nearest].astype(np.int32), weights)
