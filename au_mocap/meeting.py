"""Where two edges of a mesh meet when a shape closes them: lids by a blink, lips by a jaw that rises.

Nothing is known of the mesh but its vertices, its edges and how the shape moves it. What the shape moves far is one
side of the opening, what it leaves behind ahead of that is the other; between the two, seen along the way of the
shape, lies the gap.
"""

import itertools
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .arrays import Floats

_MOVES: Final = 0.6
"""Share of the longest way from which on a vertex belongs to the side that moves."""

_STAYS: Final = 0.35
"""Share of the way up to which a vertex belongs to the side that stays."""

_FARTHEST: Final = 2.0
"""Gaps wider than so many times the shape's way are none that it closes."""

_DEEP: Final = 1.2
"""The two sides lie no deeper behind each other than so many times the way: behind them are sockets and throat."""

_CREST: Final = 0.5
"""The edge that moves is looked for within so many ways of the foremost vertex."""

_COLUMNS: Final = 15
_MIDDLE: Final = (0.25, 0.75)
"""Part of the opening's width that is measured: in the corners nothing is far apart."""

_FEWEST: Final = 4
_FRACTIONS: Final = (0.0, 0.25, 0.5, 0.75)


@dataclass(frozen=True, slots=True)
class Points:
    """K places on edges of a mesh: (K, 2) vertices and the (K,) share of the second one."""

    ends: NDArray[np.int64]
    share: NDArray[np.float64]

    def of(self, vertices: Floats) -> NDArray[np.float64]:
        """(K, 3) where they are, or what moves them, for (N, 3) vertices."""
        first, second = (np.asarray(vertices, np.float64)[self.ends[:, end]] for end in (0, 1))
        return first + self.share[:, None] * (second - first)

    def taken(self, rows: NDArray[np.integer[Any]]) -> "Points":
        """Some of them."""
        return Points(self.ends[rows], self.share[rows])


@dataclass(frozen=True, slots=True)
class Opening:
    """Two edges across each other.

    Attributes:
        moving: The edge that the shape moves, K places across the opening.
        staying: The other edge, opposite to each.
        heading: (3,) unit direction in which the shape closes.
    """

    moving: Points
    staying: Points
    heading: NDArray[np.float64]

    def gap(self, vertices: Floats) -> float:
        """Median gap in a pose (N, 3), in its units; negative where the edges have passed each other."""
        return float(np.median((self.staying.of(vertices) - self.moving.of(vertices)) @ self.heading))

    def closing(self, motion: Floats) -> float:
        """By how much a motion (N, 3) of the vertices closes the gap: its median."""
        return float(np.median((self.moving.of(motion) - self.staying.of(motion)) @ self.heading))


def find(
    points: Floats, motion: Floats, edges: NDArray[np.integer[Any]], lateral: Floats | None = None
) -> Opening | None:
    """Finds the opening that a shape closes.

    Args:
        points: (N, 3) vertices of the open pose, any unit.
        motion: (N, 3) what the shape does to them at value 1.
        edges: (E, 2) pairs of vertices: only what hangs together with what moves belongs to the opening.
        lateral: (3,) direction across the opening; None takes the one in which the moving edge is longest.

    Returns:
        None where nothing moves, or there is nothing ahead of what moves.
    """
    points, motion = np.asarray(points, np.float64), np.asarray(motion, np.float64)
    way = np.linalg.norm(motion, axis=1)
    longest = float(way.max(initial=0.0))
    if longest <= 0.0 or not len(edges):
        return None
    skin = _largest_part(edges, way >= _MOVES * longest)
    moves, stays = skin & (way >= _MOVES * longest), skin & (way <= _STAYS * longest)
    heading = motion[moves].mean(axis=0)
    if np.linalg.norm(heading) < 0.5 * _MOVES * longest or not stays.any():
        return None  # the shape opens as much as it closes, or there is nothing to meet
    heading /= np.linalg.norm(heading)
    axes = _axes(points[moves], heading, longest, lateral)
    if axes is None:
        return None
    moving, staying = (_samples(edges, group) for group in (moves, stays))
    pairs = _pair(moving.of(points) @ axes.T, staying.of(points) @ axes.T, longest)
    if len(pairs) < _FEWEST:
        return None
    return Opening(moving.taken(pairs[:, 0]), staying.taken(pairs[:, 1]), heading)


def _largest_part(edges: NDArray[np.integer[Any]], moves: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(N,) the part of the mesh that holds most of what moves; lashes, eyeballs and teeth are parts of their own."""
    label = np.arange(len(moves))
    while True:
        lowest = label.copy()
        np.minimum.at(lowest, edges[:, 0], label[edges[:, 1]])
        np.minimum.at(lowest, edges[:, 1], label[edges[:, 0]])
        lowest = lowest[lowest]
        if (lowest == label).all():
            return label == np.bincount(label[moves]).argmax()
        label = lowest


def _axes(
    moving: NDArray[np.float64], heading: NDArray[np.float64], longest: float, lateral: Floats | None
) -> NDArray[np.float64] | None:
    """(3, 3) rows: across the opening, along the shape's way, and depth."""
    if lateral is None:
        ahead = moving @ heading
        crest = moving[ahead >= ahead.max() - _CREST * longest]
        flat = crest - crest.mean(axis=0)
        flat = np.asarray(flat - (flat @ heading)[:, None] * heading, np.float64)
        _, _, directions = np.linalg.svd(flat, full_matrices=False)
        across = np.asarray(directions[0], np.float64)
    else:
        across = np.asarray(lateral, np.float64)
    across = np.asarray(across - (across @ heading) * heading, np.float64)
    length = float(np.linalg.norm(across))
    if length < 1e-6:
        return None
    across = across / length
    return np.stack([across, heading, np.cross(across, heading)])


def _samples(edges: NDArray[np.integer[Any]], group: NDArray[np.bool_]) -> Points:
    """Places along all edges inside a group: vertices alone would be too sparse on coarse meshes."""
    inside = edges[group[edges].all(axis=1)].astype(np.int64)
    single = np.flatnonzero(group)
    ends = np.concatenate([np.stack([single, single], axis=1), *(inside for _ in _FRACTIONS[1:])])
    share = np.concatenate([np.zeros(len(single)), *(np.full(len(inside), each) for each in _FRACTIONS[1:])])
    return Points(ends, share)


def _pair(moving: NDArray[np.float64], staying: NDArray[np.float64], longest: float) -> NDArray[np.int64]:
    """(K, 2) indices of opposite places, one pair for each column across the opening.

    Args:
        moving: (M, 3) places of the side that moves: across, ahead, deep.
        staying: (S, 3) of the side that stays.
        longest: The shape's way.
    """
    crest = moving[:, 1] >= moving[:, 1].max() - _CREST * longest
    width = np.sort(moving[crest, 0])
    first, last = (float(width[int(share * (len(width) - 1))]) for share in _MIDDLE)
    borders = [first + (last - first) * number / _COLUMNS for number in range(_COLUMNS + 1)]
    pairs: list[tuple[int, int]] = []
    for low, high in itertools.pairwise(borders):
        column = np.flatnonzero((moving[:, 0] >= low) & (moving[:, 0] <= high))
        if not len(column):
            continue
        front = column[moving[column, 1].argmax()]
        ahead, deep = staying[:, 1] - moving[front, 1], np.abs(staying[:, 2] - moving[front, 2])
        near = (staying[:, 0] >= low) & (staying[:, 0] <= high) & (deep <= _DEEP * longest)
        opposite = np.flatnonzero(near & (ahead > 0.0) & (ahead <= _FARTHEST * longest))
        if len(opposite):
            # Depth counts as well: behind the edge lie the socket's and the mouth's own walls.
            pairs.append((int(front), int(opposite[(ahead + deep)[opposite].argmin()])))
    return np.array(pairs, np.int64).reshape(-1, 2)
