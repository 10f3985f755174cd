"""Where skin meets skin or an eyeball: lids that close and clear the eye, lips that touch and do not cross.

Sums of displacements know nothing of contact. What is here runs on a face's vertices after the sum, in place. It sees
only rings of vertices (`rings`), so it costs a fraction of the sum itself.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from training.synth.anatomy import Anatomy
from training.synth.eyes import Eyes
from training.synth.rings import Opening

LID_CLEARANCE_M: Final = 0.0006
"""How far lids stay off the eyeball where the resting face leaves them that far off."""

LEAST_CLEARANCE_M: Final = 0.0004
"""How far the edge of a resting lid is put off the eyeball where a face's shape has sunk it deeper."""

LIP_OVERLAP_M: Final = 0.0004
"""How far the edges of touching lips run past each other, so that no light shows between them."""


@dataclass(frozen=True, slots=True)
class LidContact:
    """How a person's lids close; rows are the actor's left and right.

    Attributes:
        closing: (2, K, 3) float32 metres: what a full `eye_close` does to the edges of the lids.
        rise: (2,) float32 0..1: where closed lids meet: 0 at the lower lid, 1 at the upper.
        floors_m: (2, R, K) float32: least distance of the lids' rings from the eyeball's centre.
    """

    closing: NDArray[np.float32]
    rise: NDArray[np.float32]
    floors_m: NDArray[np.float32]

    def meet(self, parts: Anatomy, vertices: NDArray[np.float32], closures: NDArray[np.floating]) -> None:
        """Puts the edges of the lids as far together as the eyes are closed, whatever else moves them.

        Args:
            parts: The mesh.
            vertices: (N, 3) metres: sum of all displacements, with `closures` times `closing` in it; changed in place.
            closures: (2,) 0..1.
        """
        lids = parts.lids[0]
        closures = np.asarray(closures, np.float32)[:, None, None]
        edges = np.stack([lid.edge_ids for lid in parts.lids])
        edge = vertices[edges]
        aim = edge - closures * self.closing  # the eyes as they would be without closing
        _part_crossed(lids, aim, overlap_m=0.0)
        upper = aim[:, lids.upper]
        lower_there = lids.lower_at_upper @ aim
        line = aim.copy()
        line[:, lids.upper] = lower_there + self.rise[:, None, None] * (upper - lower_there)
        lower = aim[:, lids.lower]
        aim[:, lids.lower] = lower + closures * (lids.upper_at_lower @ line - lower)
        aim[:, lids.upper] = upper + closures * (line[:, lids.upper] - upper)
        correction = aim - edge
        for lid, lashes, shift in zip(parts.lids, parts.lashes, correction, strict=True):
            vertices[lid.rings] += lid.spread[:, None, None] * shift
            vertices[lashes] += parts.lashes_from_edge @ shift

    def clear(self, parts: Anatomy, vertices: NDArray[np.float32], eyes: Eyes) -> None:
        """Moves lids that cut into an eyeball straight outwards, in place: vertices (N, 3) metres."""
        for lid, centre, floor in zip(parts.lids, eyes.centres, self.floors_m, strict=True):
            offset = vertices[lid.rings] - centre
            distance = np.sqrt(np.einsum("rkc,rkc->rk", offset, offset))
            lack = np.maximum(floor - distance, 0.0) / distance
            vertices[lid.rings] += offset * lack[..., None]


def rest_lids(parts: Anatomy, neutral: NDArray[np.float32], eyes: Eyes) -> NDArray[np.float32]:
    """Frees the edges of a resting face's lids from the eyeballs, in place, and returns `LidContact.floors_m`."""
    floors = []
    for lid, centre, radius in zip(parts.lids, eyes.centres, eyes.radii, strict=True):
        offset = neutral[lid.rings] - centre
        distance = np.linalg.norm(offset, axis=2)
        depth = radius + LEAST_CLEARANCE_M - distance[lid.edge :]
        shift = np.maximum(depth, 0.0)
        neutral[lid.rings[lid.edge :]] += offset[lid.edge :] * (shift / distance[lid.edge :])[..., None]
        distance[lid.edge :] += shift
        floors.append(np.minimum(distance, radius + LID_CLEARANCE_M))
    return np.stack(floors).astype(np.float32)


def lip_gap(lips: Opening, vertices: NDArray[np.floating]) -> NDArray[np.floating]:
    """(U,) metres from the upper lip's edge down to the lower lip's; negative where they cross."""
    edge = vertices[lips.edge_ids]
    return lips.lower_at_upper @ edge[:, 1] - edge[lips.upper, 1]


def set_lip_gap(lips: Opening, vertices: NDArray[np.float32], gap_m: NDArray[np.floating]) -> None:
    """Moves both lips by the same amount, in place, so that (U,) gaps are left between their edges."""
    edge = vertices[lips.edge_ids]
    half = 0.5 * gap_m.astype(np.float32)
    aim = edge[:, 1].copy()
    middle = 0.5 * (edge[lips.upper, 1] + lips.lower_at_upper @ edge[:, 1])
    aim[lips.upper] = middle + half
    lower = lips.upper_at_lower @ aim
    aim[lips.upper] = middle - half
    aim[lips.lower] = lower
    correction = aim - edge[:, 1]
    vertices[lips.rings, 1] += lips.spread[:, None] * correction


def part_lips(lips: Opening, vertices: NDArray[np.float32]) -> None:
    """Moves lips that cross back to where they touch, in place."""
    edge = vertices[lips.edge_ids]
    aim = edge[None].copy()
    if _part_crossed(lips, aim, overlap_m=1.01 * LIP_OVERLAP_M):
        vertices[lips.rings] += lips.spread[:, None, None] * (aim[0] - edge)


def _part_crossed(opening: Opening, edges: NDArray[np.float32], overlap_m: float) -> bool:
    """Moves edges (n, K, 3) that cross further than is allowed back by half each, in place; says whether any did."""
    height = edges[..., 1]
    above = np.maximum(height[:, opening.upper] - height @ opening.lower_at_upper.T - overlap_m, 0.0)
    below = np.maximum(height @ opening.upper_at_lower.T - height[:, opening.lower] - overlap_m, 0.0)
    crossed = bool(above.any() or below.any())
    if crossed:
        edges[:, opening.upper, 1] -= 0.5 * above
        edges[:, opening.lower, 1] += 0.5 * below
    return crossed
