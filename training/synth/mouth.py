"""Lips that meet on every face, and teeth that stay behind its skin."""

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from au_mocap.channels import PREDICTED_IDS
from training.synth import contact
from training.synth.anatomy import Anatomy

_INDEX: Final = {channel_id: index for index, channel_id in enumerate(PREDICTED_IDS)}

_SHARE_PARTED: Final = 0.12
_MOST_PARTED_M: Final = 0.003

_SEALED: Final = (
    "chin_raise",
    "jaw_thrust",
    "jaw_slide_L",
    "jaw_slide_R",
    "lip_corner_pull_L",
    "lip_corner_pull_R",
    "lip_corner_depress_L",
    "lip_corner_depress_R",
    "dimple_L",
    "dimple_R",
    "lip_stretch_L",
    "lip_stretch_R",
    "lip_pucker",
    "mouth_slide_L",
    "mouth_slide_R",
    "cheek_puff_L",
    "cheek_puff_R",
)
"""Actions that do not part lips by themselves: `_SEAL` of the gap they would open is taken back."""

_CLOSING: Final = ("upper_lip_suck", "lower_lip_suck", "lip_press_L", "lip_press_R")
"""The same, and lips that rest parted come together, too."""

_SEAL: Final = (0.85, 1.0)
_LIP_RINGS: Final = 6
"""Rings of vertices from the edge of the lips to where the chin's skin begins."""

_SETTLING_STEPS: Final = 12

_TONGUE_DOWN_M: Final = (0.0, 0.007)
_TONGUE_BACK_M: Final = (0.0, 0.012)

_TONGUE_OUT_M: Final = (0.006, 0.018)
"""How far a tongue comes out before the lips, at least, over a jaw dropped by `_JAW_FOR_TONGUE`."""

_JAW_FOR_TONGUE: Final = 0.35

_TOOTH_DEPTH_M: Final = 0.002
"""How far teeth stay behind the skin."""


def rest_lips(parts: Anatomy, neutral: NDArray[np.float32], rng: np.random.Generator) -> float:
    """Lets the lips of a face (N, 3) meet, in place, but for a few people's.

    Returns:
        The gap in metres between resting lips in the middle of the mouth: mostly 0.
    """
    parted_m = float(rng.uniform(0.0, _MOST_PARTED_M)) if rng.random() < _SHARE_PARTED else 0.0
    across = parts.base[parts.lips.edge_ids, 0]
    bow = 1.0 - (across[parts.lips.upper] / across.max()) ** 2
    contact.set_lip_gap(parts.lips, neutral, parted_m * bow - contact.LIP_OVERLAP_M)
    for _ in range(_SETTLING_STEPS):  # the two edges have different vertices, so each step leaves a little
        contact.part_lips(parts.lips, neutral)
    return parted_m


def join_lips(
    parts: Anatomy, neutral: NDArray[np.float32], deltas: NDArray[np.float32], rng: np.random.Generator
) -> None:
    """Makes `lips_together` close this face's dropped jaw, and keeps lips joined in actions that do not part them.

    Args:
        parts: The mesh.
        neutral: (N, 3) metres.
        deltas: (P, N, 3) metres, changed in place.
        rng: Chooses how well the lips stay joined.
    """
    lips = parts.lips
    closed_m = np.full(len(lips.upper), -contact.LIP_OVERLAP_M)
    jaw, together = _INDEX["jaw_drop"], _INDEX["lips_together"]
    closed = neutral + deltas[jaw] + deltas[together]
    contact.set_lip_gap(lips, closed, closed_m)
    deltas[together] = closed - neutral - deltas[jaw]
    rest_m = contact.lip_gap(lips, neutral)
    for channel_id in (*_SEALED, *_CLOSING):
        goal_m = closed_m if channel_id in _CLOSING else rest_m
        acted = neutral + deltas[_INDEX[channel_id]]
        gap_m = contact.lip_gap(lips, acted)
        contact.set_lip_gap(lips, acted, gap_m - rng.uniform(*_SEAL) * np.maximum(gap_m - goal_m, 0.0))
        deltas[_INDEX[channel_id]] = acted - neutral


def rest_tongue(
    parts: Anatomy, neutral: NDArray[np.float32], deltas: NDArray[np.float32], rng: np.random.Generator
) -> None:
    """Places the tongue in a dropped jaw and out of the mouth, on each person otherwise: `deltas` in place.

    MakeHuman's tongue fills an open mouth; most people's lies behind the lower teeth and leaves the throat dark. And
    `tongue_out` must bring it out, however deep it lies.

    Args:
        parts: The mesh.
        neutral: (N, 3) metres.
        deltas: (P, N, 3) metres.
        rng: Chooses how deep it rests and how far it comes out.
    """
    jaw, out = deltas[_INDEX["jaw_drop"]], deltas[_INDEX["tongue_out"]]
    tongue = parts.members("helper-tongue")
    jaw[tongue] += np.array([0.0, rng.uniform(*_TONGUE_DOWN_M), rng.uniform(*_TONGUE_BACK_M)], np.float32)
    ajar = neutral + np.float32(_JAW_FOR_TONGUE) * jaw
    front = ajar[parts.lips.rings[parts.lips.edge :], 2].min() - rng.uniform(*_TONGUE_OUT_M)
    tip = tongue[np.argmin(out[tongue, 2])]
    out[tongue] *= max(1.0, (front - ajar[tip, 2]) / out[tip, 2])


def keep_teeth_inside(parts: Anatomy, neutral: NDArray[np.float32], deltas: NDArray[np.float32]) -> None:
    """Draws lower teeth that would come out of the chin back into it when the jaw drops: `deltas` in place.

    Dropped jaws are narrow on some faces, and teeth that follow stiffly are not.
    """
    shell = _shell(parts)
    teeth = parts.members("helper-lower-teeth")
    jaw, together = deltas[_INDEX["jaw_drop"]], deltas[_INDEX["lips_together"]]
    for drop, closed in ((0.5, 0.5), (1.0, 0.0), (1.0, 1.0)):
        posed = neutral + np.float32(drop) * jaw + np.float32(closed) * together
        skin, normals = posed[shell.ids], shell.normals(posed)
        offset = posed[teeth][:, None] - skin[None]
        nearest = np.argmin(np.einsum("tsc,tsc->ts", offset, offset), axis=1)
        normal = normals[nearest]
        outside = np.einsum("tc,tc->t", offset[np.arange(len(teeth)), nearest], normal) + _TOOTH_DEPTH_M
        jaw[teeth] -= (np.maximum(outside, 0.0) / drop)[:, None] * normal


@dataclass(frozen=True, slots=True)
class _Shell:
    """Skin in front of the lower teeth.

    Attributes:
        ids: (S,) vertices.
        triangles: (T, 3) vertices of the triangles around them, counted in the whole mesh.
        corners: (T, 3) places of those vertices in `ids`; S for what is not among them.
    """

    ids: NDArray[np.int64]
    triangles: NDArray[np.int32]
    corners: NDArray[np.int64]

    def normals(self, vertices: NDArray[np.float32]) -> NDArray[np.float32]:
        """(S, 3) unit normals that point out of the skin."""
        a, b, c = (vertices[self.triangles[:, corner]] for corner in range(3))
        faces = np.cross(b - a, c - a)
        sums = np.zeros((len(self.ids) + 1, 3), np.float32)
        for corner in range(3):
            np.add.at(sums, self.corners[:, corner], faces)
        return sums[:-1] / np.maximum(np.linalg.norm(sums[:-1], axis=1, keepdims=True), 1e-12)


@cache
def _shell(parts: Anatomy) -> _Shell:
    teeth = parts.base[parts.members("helper-lower-teeth")]
    low = teeth.min(axis=0) - np.array([0.015, 0.030, 0.015])
    high = teeth.max(axis=0) + np.array([0.015, 0.005, 0.030])
    within = ((parts.base > low) & (parts.base < high)).all(axis=1) & parts.outer_skin
    within[parts.lips.rings[: parts.lips.edge + _LIP_RINGS]] = False  # lips curl in: behind them is not inside
    ids = np.flatnonzero(within)
    triangles = parts.triangles[within[parts.triangles].any(axis=1)]
    place = np.full(len(parts.base), len(ids))
    place[ids] = np.arange(len(ids))
    return _Shell(ids, triangles, place[triangles])
