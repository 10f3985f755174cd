"""Openings of the face as rings of vertices: lids around an eye, lips around the mouth.

MakeHuman's mesh runs in closed, concentric rings around the eyes and the mouth, and vertex k of one ring lies beside
vertex k of the next. So what has to happen at the edge of a lid or a lip (to meet the other one, say) can be said for
one ring and handed to its neighbours with a weight for each ring.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

_VALENCE: Final = 4
"""Quads around a vertex where the mesh is regular; a ring walks straight on there."""


@dataclass(frozen=True, slots=True)
class Opening:
    """An eye's or the mouth's opening in the mesh.

    Attributes:
        rings: (R, K) int64 vertices, from deep inside to far outside.
        edge: Which ring is the visible edge of the lids, or where the lips touch.
        upper: (U,) int64 places in a ring, from one corner to the other, corners excluded: upper lid or lip.
        lower: (L,) the same for the lower one, in the same direction.
        lower_at_upper: (U, K) float32: the lower edge, interpolated where the upper edge's vertices are.
        upper_at_lower: (L, K) float32: the upper edge, interpolated where the lower edge's vertices are.
        spread: (R,) float32 0..1: how much of a correction at the edge each ring follows.
    """

    rings: NDArray[np.int64]
    edge: int
    upper: NDArray[np.int64]
    lower: NDArray[np.int64]
    lower_at_upper: NDArray[np.float32]
    upper_at_lower: NDArray[np.float32]
    spread: NDArray[np.float32]

    @property
    def edge_ids(self) -> NDArray[np.int64]:
        """(K,) vertices of the edge."""
        return self.rings[self.edge]

    def mirrored(self, mirror: NDArray[np.int64]) -> "Opening":
        """The same opening on the other side of the face, given each vertex's mirror image (N,)."""
        return Opening(
            mirror[self.rings],
            self.edge,
            self.upper,
            self.lower,
            self.lower_at_upper,
            self.upper_at_lower,
            self.spread,
        )


@dataclass(frozen=True, slots=True)
class Seed:
    """Where an opening's edge is found.

    Attributes:
        start: A vertex of the edge, in the upper lid or lip.
        along: Its neighbour on the edge.
        outward: Its neighbour on the next ring towards the open skin.
        inside: Rings to take inside the edge.
        outside: Rings to take outside.
        reach_m: Metres from the edge at which a correction has faded to nothing.
    """

    start: int
    along: int
    outward: int
    inside: int
    outside: int
    reach_m: float


def opening(quads: NDArray[np.integer], points: NDArray[np.floating], seed: Seed) -> Opening:
    """Finds an opening in the base figure.

    Args:
        quads: (F, 4) the mesh.
        points: (N, 3) metres, the base figure; x across the face.
        seed: Where to begin, in the mesh's own vertices.

    Raises:
        ValueError: The mesh is not made of closed rings there.
    """
    mesh = _Neighbours(quads)
    edge = mesh.loop(seed.start, seed.along)
    inward = next(iter(mesh.neighbours[seed.start] - {edge[1], edge[-1], seed.outward}))
    inner = mesh.rings(edge, inward, seed.inside)
    rings = np.array([*inner[::-1], edge, *mesh.rings(edge, seed.outward, seed.outside)], np.int64)
    upper, lower, corners = _sides(points[edge, 0])
    distance = np.linalg.norm(points[rings] - points[edge], axis=2).mean(axis=1) / seed.reach_m
    fade = np.clip(distance, 0.0, 1.0)
    return Opening(
        rings=rings,
        edge=len(inner),
        upper=upper,
        lower=lower,
        lower_at_upper=_interpolation(points[edge, 0], upper, lower, corners),
        upper_at_lower=_interpolation(points[edge, 0], lower, upper, corners),
        spread=(1.0 - fade * fade * (3.0 - 2.0 * fade)).astype(np.float32),
    )


def reachable(quads: NDArray[np.integer], start: int, borders: Sequence[NDArray[np.integer]]) -> NDArray[np.bool_]:
    """(N,) vertices that a walk along the mesh from `start` reaches without crossing borders, which are included."""
    neighbours = _Neighbours(quads).neighbours
    reached = np.zeros(len(neighbours), bool)
    for border in borders:
        reached[border] = True
    waiting = [start]
    while waiting:
        vertex = waiting.pop()
        if not reached[vertex]:
            reached[vertex] = True
            waiting.extend(neighbours[vertex])
    return reached


def _sides(x: NDArray[np.floating]) -> tuple[NDArray[np.int64], NDArray[np.int64], tuple[int, int]]:
    """Places of upper and lower edge, corners excluded, each in rising x; and the corners (low x, high x).

    The ring's first vertex belongs to the upper edge.
    """
    low, high = int(np.argmin(x)), int(np.argmax(x))
    first, last = min(low, high), max(low, high)
    upper = np.concatenate([np.arange(last + 1, len(x)), np.arange(first)])
    lower = np.arange(first + 1, last)
    return upper[np.argsort(x[upper])], lower[np.argsort(x[lower])], (low, high)


def _interpolation(
    x: NDArray[np.floating], at: NDArray[np.int64], of: NDArray[np.int64], corners: tuple[int, int]
) -> NDArray[np.float32]:
    """(len(at), K) weights that read the edge `of`, corners included, at the x of the places `at`."""
    line = np.array([corners[0], *of, corners[1]])
    weights = np.zeros((len(at), len(x)), np.float32)
    for column, place in enumerate(line):
        weights[:, place] = np.interp(x[at], x[line], np.eye(len(line))[column])
    return weights


class _Neighbours:
    """Who lies beside whom in a mesh of quads."""

    def __init__(self, quads: NDArray[np.integer]) -> None:
        self.quads: list[list[int]] = quads.tolist()
        count = int(quads.max()) + 1
        self.neighbours: list[set[int]] = [set() for _ in range(count)]
        self.quads_of: list[list[int]] = [[] for _ in range(count)]
        for index, quad in enumerate(self.quads):
            for corner, vertex in enumerate(quad):
                self.neighbours[vertex] |= {quad[corner - 1], quad[(corner + 1) % 4]}
                self.quads_of[vertex].append(index)

    def loop(self, start: int, along: int) -> list[int]:
        """The closed ring that begins with an edge and goes straight on at each vertex."""
        ring = [start, along]
        while len(self.neighbours[ring[-1]]) == _VALENCE:
            beside = {v for quad in self.quads_of[ring[-1]] if ring[-2] in self.quads[quad] for v in self.quads[quad]}
            (ahead,) = self.neighbours[ring[-1]] - beside
            if ahead == start:
                return ring
            ring.append(ahead)
        message = f"No closed ring of quads passes vertices {start} and {along}."
        raise ValueError(message)

    def rings(self, edge: list[int], beside: int, count: int) -> list[list[int]]:
        """The next rings, the first of them through `beside`, each ordered like the edge."""
        found: list[list[int]] = []
        ring = edge
        for _ in range(count):
            following = self._next(ring, beside)
            found.append(following)
            onward = self.neighbours[following[0]] - {following[1], following[-1], ring[0]}
            ring, beside = following, next(iter(onward), -1)
        return found

    def _next(self, ring: list[int], beside: int) -> list[int]:
        following = [beside]
        for here, there in zip(ring, [*ring[1:], ring[0]], strict=True):
            shared = [quad for quad in self.quads_of[here] if {there, following[-1]} <= set(self.quads[quad])]
            if not shared:
                message = f"The rings end at vertices {here} and {there}."
                raise ValueError(message)
            (opposite,) = set(self.quads[shared[0]]) - {here, there, following[-1]}
            following.append(opposite)
        return following[:-1]
