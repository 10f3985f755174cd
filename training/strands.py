"""Hair as thin ribbons: brows and lashes that ride on the skin, and a short haircut.

A strand is a line of points; a ribbon gives it width. Metres, MakeHuman's axes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from training.anny_assets import Assets
from training.mesh_parts import Binding, Colour, Floats, Ints, Part, bind, smooth_step, unit

LASH_COLOUR: Final = np.array([0.030, 0.022, 0.018])

_HAIRS: Final = 11_000


@dataclass(frozen=True, slots=True)
class Skin:
    """The resting skin that strands grow on, with its shapes.

    Attributes:
        vertices: (n, 3) metres.
        quads: (F, 4).
        normals: (n, 3) unit.
        deltas: Shape name to (n, 3) metres.
    """

    vertices: Floats
    quads: Ints
    normals: Floats
    deltas: Mapping[str, Floats]


def ribbons(lines: Floats, width_m: Floats, sideways: Floats) -> tuple[Floats, Ints]:
    """Flat ribbons along strands.

    Args:
        lines: (S, K, 3) points from root to tip.
        width_m: (K,) width at each point.
        sideways: (S, 3) unit direction of the width.

    Returns:
        Vertices (S*K*2, 3) and quads (S*(K-1), 4).
    """
    strands, points = lines.shape[:2]
    half = 0.5 * width_m[None, :, None] * sideways[:, None, :]
    vertices = np.stack([lines - half, lines + half], axis=2).reshape(-1, 3)
    start = (np.arange(strands)[:, None] * points + np.arange(points - 1)) * 2
    quads = np.stack([start, start + 1, start + 3, start + 2], axis=2).reshape(-1, 4)
    return vertices, quads.astype(np.int32)


def riding(skin: Skin, binding: Binding, vertices: Floats, each: int) -> dict[str, Floats]:
    """Shapes of strands that ride on the skin, turning with it.

    Args:
        skin: The skin.
        binding: One foot point for each strand.
        vertices: (S * each, 3) metres, vertices of the strands, `each` per strand.
        each: Vertices in a strand.
    """
    feet, frames = binding.feet(skin.vertices), binding.frames(skin.vertices)
    local = np.einsum("sba,skb->ska", frames, vertices.reshape(len(feet), each, 3) - feet[:, None])
    shapes = {}
    for name, delta in skin.deltas.items():
        if not np.abs(delta[binding.quads]).max() > 1e-6:
            continue
        moved = skin.vertices + delta
        placed = binding.feet(moved)[:, None] + np.einsum("sab,skb->ska", binding.frames(moved), local)
        shapes[name] = placed.reshape(-1, 3) - vertices
    return shapes


def brow(skin: Skin, eye: Floats, side: float, material: int, colour: Colour) -> Part:
    """One eyebrow of ribbons that lie on the skin.

    Args:
        skin: The skin.
        eye: (3,) metres, centre of the eye on that side.
        side: 1 the character's left, -1 the right.
        material: Index of the hair's material.
        colour: sRGB 0..1.
    """
    random = np.random.default_rng(11)
    count = 300
    along = random.beta(1.15, 1.05, count)
    thickness = np.interp(along, [0.0, 0.12, 0.5, 0.8, 1.0], [2.9, 3.5, 3.1, 2.1, 0.8]) * 1e-3
    across = random.uniform(-1.0, 1.0, count)
    x, y = _brow_line(along)
    flat = np.stack([eye[0] + side * x, eye[1] + y + across * thickness], axis=1)
    roots, normals = _on_front(skin, flat)
    lean = np.interp(along, [0.0, 0.15, 0.5, 1.0], [68.0, 44.0, 16.0, -10.0]) - 12.0 * across
    lean = np.radians(lean + random.normal(0.0, 7.0, count))
    growth = np.stack([side * np.cos(lean), np.sin(lean), np.zeros(count)], axis=1)
    growth = unit(growth - (growth * normals).sum(1, keepdims=True) * normals)
    length = np.interp(along, [0.0, 0.5, 1.0], [5.2, 6.6, 4.6]) * random.uniform(0.75, 1.1, count) * 1e-3
    steps = np.linspace(0.0, 1.0, 3)[None, :, None]
    rise = np.array([-0.0002, 0.0007, 0.0004])[None, :, None]
    lines = roots[:, None] + steps * length[:, None, None] * growth[:, None] + rise * normals[:, None]
    vertices, quads = ribbons(lines, np.array([0.00034, 0.00032, 0.00006]), unit(np.cross(normals, growth)))
    return Part(
        vertices,
        quads,
        np.full(len(quads), material, np.int32),
        _shades(np.array(colour), count, 6, random),
        {"head": np.ones(len(vertices))},
        riding(skin, bind(roots, skin.vertices, skin.quads), vertices, 6),
    )


def _brow_line(along: Floats) -> tuple[Floats, Floats]:
    """Middle line of a brow from its inner end: metres outwards and upwards from the eye's centre."""
    x = np.interp(along, [0.0, 1.0], [-0.0195, 0.0270])
    y = np.interp(along, [0.0, 0.3, 0.62, 0.8, 1.0], [0.0178, 0.0201, 0.0219, 0.0211, 0.0168])
    return x, y


def _on_front(skin: Skin, flat: Floats) -> tuple[Floats, Floats]:
    """Foremost skin points at given x, y: (m, 3) points and (m, 3) normals."""
    triangles = np.concatenate([skin.quads[:, [0, 1, 2]], skin.quads[:, [0, 2, 3]]])
    corners = skin.vertices[triangles]
    a, b, c = (corners[:, k, :2] for k in range(3))
    area = np.cross(b - a, c - a)
    points, normals = np.zeros((len(flat), 3)), np.zeros((len(flat), 3))
    for i, at in enumerate(flat):
        u = np.cross(b - at, c - at) / area
        v = np.cross(c - at, a - at) / area
        shares = np.stack([u, v, 1.0 - u - v], axis=1)
        hit = np.flatnonzero((shares > -1e-9).all(axis=1) & (area > 0.0))
        depth = (shares[hit] * corners[hit, :, 2]).sum(axis=1)
        best = hit[np.argmax(depth)]
        points[i] = shares[best] @ corners[best]
        normals[i] = shares[best] @ skin.normals[triangles[best]]
    return points, unit(normals)


def lashes(assets: Assets, shape: Floats, skin: Skin, card: str, material: int) -> Part:
    """One row of lashes, grown from the lid along MakeHuman's lash card.

    Args:
        assets: MakeHuman's data.
        shape: (N, 3) the morphed figure.
        skin: The skin.
        card: "l-eyelashes-2" (upper) and so on, without "helper-".
        material: Index of the lashes' material.
    """
    random = np.random.default_rng(13)
    upper = card.endswith("2")
    rows = _card_rows(assets, shape, f"helper-{card}")
    inner, outer = shape[rows[0]], shape[rows[-1]]
    count = 64 if upper else 40
    t = np.clip(np.linspace(0.02, 0.98, count) + random.normal(0.0, 0.006, count), 0.0, 1.0)
    root, tip = _along(inner, t), _along(outer, np.clip(t + random.normal(0, 0.012, count), 0, 1))
    reach = (0.62 if upper else 0.42) * random.uniform(0.75, 1.1, count)[:, None]
    out = reach * (tip - root) + np.array([0.0, 0.0, 0.0012])
    lift = np.array([0.0, 1.0, 0.0]) * (0.0022 if upper else -0.0006)
    s = np.linspace(0.0, 1.0, 4)[None, :, None]
    lines = root[:, None] + s * out[:, None] + (s**2 - 0.35 * s) * lift
    vertices, quads = ribbons(lines, np.array([0.00034, 0.00030, 0.00020, 0.00005]), unit(_along_direction(inner, t)))
    feet = bind(root, skin.vertices, skin.quads)
    eye = assets.joint(f"helper-{card[0]}-eye", shape)
    offsets = vertices.reshape(count, -1, 3) - root[:, None]
    shapes = {}
    for name, delta in skin.deltas.items():
        foot = np.einsum("mk,mkc->mc", feet.corner_weights, delta[feet.quads])
        if np.abs(foot).max() > 1e-6:
            # A closing lid rolls its edge under; the lashes stay outside.
            out = unit(root + foot - eye)
            foot = foot + 0.0016 * smooth_step(np.linalg.norm(foot, axis=1), 0.004, 0.012)[:, None] * out
            turned = np.einsum("sab,skb->ska", _turns(root - eye, root + foot - eye), offsets)
            shapes[name] = (foot[:, None] + turned - offsets).reshape(-1, 3)
    return Part(
        vertices,
        quads,
        np.full(len(quads), material, np.int32),
        np.tile(LASH_COLOUR, (len(vertices), 1)),
        {"head": np.ones(len(vertices))},
        shapes,
    )


def lash_roots(assets: Assets, shape: Floats, card: str) -> Floats:
    """Points (k, 3) along the edge of a lid, where the lashes of a card grow; `card` as in `lashes`."""
    line = shape[_card_rows(assets, shape, f"helper-{card}")[0]]
    return _along(line, np.linspace(0.0, 1.0, 60))


def _turns(start: Floats, end: Floats) -> Floats:
    """The least rotations (m, 3, 3) that bring directions to others, as a lid carries its lashes around the eye."""
    a, b = unit(start), unit(end)
    cross = np.cross(a, b)
    skew = np.zeros((len(a), 3, 3))
    skew[:, 0, 1], skew[:, 0, 2], skew[:, 1, 2] = -cross[:, 2], cross[:, 1], -cross[:, 0]
    skew -= np.swapaxes(skew, 1, 2)
    return np.eye(3) + skew + skew @ skew / (1.0 + (a * b).sum(axis=1))[:, None, None]


def _card_rows(assets: Assets, shape: Floats, group: str) -> list[Ints]:
    """The lash card as rows of base mesh vertices, the row on the lid first."""
    card = assets.part(np.isin(np.arange(len(shape)), assets.groups[group]))
    points = shape[card.vertex_ids]
    edges = np.unique(np.sort(np.concatenate([card.quads[:, [k, (k + 1) % 4]] for k in range(4)]), axis=1), axis=0)
    neighbours = {i: set(edges[edges[:, 0] == i, 1]) | set(edges[edges[:, 1] == i, 0]) for i in range(len(points))}
    row = _long_side(neighbours)
    rows, seen = [row], set(row)
    while len(seen) < len(points):
        row = [next(iter(neighbours[i] - seen)) for i in row]
        rows.append(row)
        seen |= set(row)
    eye = assets.joint(f"helper-{group.split('-')[1]}-eye", shape)
    first, last = (np.linalg.norm(points[row] - eye, axis=1).mean() for row in (rows[0], rows[-1]))
    ordered = rows if first < last else rows[::-1]
    return [card.vertex_ids[row] for row in ordered]


def _long_side(neighbours: Mapping[int, set[int]]) -> list[int]:
    """The longer boundary of a grid, walked from one corner to the next."""
    corner = next(i for i, near in neighbours.items() if len(near) == 2)
    sides = []
    for first in neighbours[corner]:
        walk = [corner, first]
        while len(neighbours[walk[-1]]) != 2:
            walk.append(next(n for n in neighbours[walk[-1]] if n not in walk and len(neighbours[n]) < 4))
        sides.append(walk)
    return max(sides, key=len)


def _along(line: Floats, t: Floats) -> Floats:
    """Points at shares 0..1 of a line's length."""
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    return np.stack([np.interp(t * length[-1], length, line[:, axis]) for axis in range(3)], axis=1)


def _along_direction(line: Floats, t: Floats) -> Floats:
    return _along(line, np.clip(t + 0.02, 0, 1)) - _along(line, np.clip(t - 0.02, 0, 1))


def haircut(skin: Skin, scalp: Floats, centre: Floats, material: int, colour: Colour) -> Part:
    """Short hair, swept up and back at the front.

    Args:
        skin: The skin.
        scalp: (n,) 0..1, how densely hair grows at each skin vertex.
        centre: (3,) metres, the middle of the skull.
        material: Index of the hair's material.
        colour: sRGB 0..1.
    """
    random = np.random.default_rng(17)
    roots, normals = _scatter(skin, scalp, _HAIRS, random)
    height = (roots - centre)[:, 1]
    front = smooth_step((roots - centre)[:, 2], 0.015, 0.065) * smooth_step(height, 0.015, 0.04)
    top = smooth_step(height, 0.03, 0.09)
    whorl = centre + np.array([0.012, 0.085, -0.065])
    away = roots - whorl
    fallen = unit(away + np.array([0.0, -0.06, 0.0]))
    swept = np.array([0.25, 0.55, -0.75])
    growth = (1.0 - front)[:, None] * fallen + front[:, None] * swept
    growth = growth + random.normal(0.0, 0.16, growth.shape)
    growth = unit(growth - (growth * normals).sum(1, keepdims=True) * normals)
    length = (0.009 + 0.017 * top + 0.012 * front) * random.uniform(0.75, 1.15, _HAIRS)
    stand = 0.28 + 0.20 * top + 0.35 * front
    s = np.linspace(0.0, 1.0, 4)[None, :, None]
    lines = roots[:, None] + length[:, None, None] * (
        s * growth[:, None] + (stand[:, None, None] * (1.25 * s - 0.75 * s**2)) * normals[:, None]
    )
    vertices, quads = ribbons(lines, np.array([0.0011, 0.0012, 0.0010, 0.0002]), unit(np.cross(normals, growth)))
    return Part(
        vertices,
        quads,
        np.full(len(quads), material, np.int32),
        _shades(np.array(colour), _HAIRS, 8, random),
        {"head": np.ones(len(vertices))},
    )


def _scatter(skin: Skin, density: Floats, count: int, random: np.random.Generator) -> tuple[Floats, Floats]:
    corners = skin.vertices[skin.quads]
    area = 0.5 * np.linalg.norm(np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1]), axis=1)
    weight = area * density[skin.quads].mean(axis=1)
    chosen = random.choice(len(weight), count, p=weight / weight.sum())
    u, v = random.uniform(0.0, 1.0, (2, count))
    shares = np.stack([(1 - u) * (1 - v), u * (1 - v), u * v, (1 - u) * v], axis=1)
    roots = np.einsum("mk,mkc->mc", shares, skin.vertices[skin.quads[chosen]])
    return roots, unit(np.einsum("mk,mkc->mc", shares, skin.normals[skin.quads[chosen]]))


def _shades(colour: Floats, strands: int, each: int, random: np.random.Generator) -> NDArray[np.float64]:
    """One shade for each strand: (strands * each, 3)."""
    shade = random.uniform(0.65, 1.35, (strands, 1)) * colour
    return np.repeat(np.clip(shade, 0.0, 1.0), each, axis=0)
