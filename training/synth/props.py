"""What comes between a face and the camera: strands of hair, a hand, a microphone, a cup."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from training.synth.skins import Skin
from training.synth.wardrobe import wardrobe

_STRAND_POINTS: Final = 14
_TEXTURE_PX: Final = 64


@dataclass(frozen=True, slots=True, eq=False)
class Prop:
    """A thing that keeps its place before a head; drawn like a `Wear`.

    Attributes:
        name: What it is; props of one name have one texture.
        triangles: (F, 3) int32, counter-clockwise seen from outside in MakeHuman's axes.
        uv: (V, 2) float32, v downwards.
        vertices: (V, 3) float32 metres in head axes.
        texture: (h, w, 4) uint8 RGBA, sRGB.
        luminance: Mean linear luminance 0..1 of the texture.
    """

    name: str
    triangles: NDArray[np.int32]
    uv: NDArray[np.float32]
    vertices: NDArray[np.float32]
    texture: NDArray[np.uint8]
    luminance: float
    kind: str = field(default="prop")

    @property
    def moves(self) -> bool:
        """It does not follow the face."""
        return False

    def worn_by(
        self,
        vertices: NDArray[np.float32],  # noqa: ARG002 - a wear's signature
        neutral_scale: NDArray[np.floating] | Sequence[float],  # noqa: ARG002
    ) -> NDArray[np.float32]:
        """(V, 3) where it is, whatever the face does."""
        return self.vertices


def strands(neutral: NDArray[np.float32], rng: np.random.Generator) -> Prop:
    """A lock of hair that falls from the hairline across brow, eye or cheek."""
    count = int(rng.integers(2, 9))
    start = np.array([rng.uniform(-0.045, 0.045), -0.065])
    end = np.array([rng.uniform(-0.055, 0.055), rng.uniform(-0.01, 0.07)])
    front = neutral[neutral[:, 2] < 0.03]
    vertices, triangles, uv = [], [], []
    for _ in range(count):
        ways = np.stack([start + rng.normal(0, 0.008, 2), (start + end) / 2 + rng.normal(0, 0.014, 2),
                         end + rng.normal(0, 0.011, 2)])  # fmt: skip
        at = np.linspace(0.0, 1.0, _STRAND_POINTS)[:, None]
        line = (1 - at) ** 2 * ways[0] + 2 * at * (1 - at) * ways[1] + at**2 * ways[2]
        width = rng.uniform(0.0008, 0.004) * np.sqrt(1.0 - 0.9 * at)
        along = np.gradient(line, axis=0)
        across = np.stack([-along[:, 1], along[:, 0]], axis=1)
        across /= np.linalg.norm(across, axis=1, keepdims=True) + 1e-9
        depth = _in_front(front, line, 0.012) - rng.uniform(0.002, 0.007)
        depth = np.minimum.accumulate(depth[::-1])[::-1] * 0.5 + depth * 0.5
        first = 2 * _STRAND_POINTS * len(vertices)
        sides = [np.column_stack([line + sign * width * across / 2, depth]) for sign in (-1.0, 1.0)]
        vertices.append(np.stack(sides, axis=1).reshape(-1, 3))
        uv.append(
            np.stack([np.column_stack([np.full(len(at), side), at]) for side in (0.0, 1.0)], axis=1).reshape(-1, 2)
        )
        row = np.arange(_STRAND_POINTS - 1)[:, None] * 2 + first
        triangles += [row + np.array([0, 2, 1]), row + np.array([1, 2, 3])]
    texture = np.full((_TEXTURE_PX, _TEXTURE_PX, 4), 255, np.uint8)
    hairs = np.random.default_rng(0).uniform(60, 255, (1, _TEXTURE_PX, 1))
    texture[..., :3] = hairs
    texture[..., 3] = np.clip(np.random.default_rng(1).uniform(-60, 400, (1, _TEXTURE_PX)), 0, 255)
    return Prop("strands", np.concatenate(triangles).astype(np.int32), np.concatenate(uv).astype(np.float32),
                np.concatenate(vertices).astype(np.float32), texture, 0.35)  # fmt: skip


def hand(neutral: NDArray[np.float32], scale: float, skin: Skin, rng: np.random.Generator) -> Prop:
    """A hand on part of the face: the chin, the mouth, a cheek, an eye, the brow."""
    rack = wardrobe().hands
    made = rack[int(rng.integers(len(rack)))]
    places = ((0.0, 0.105), (0.0, 0.07), (0.05, 0.05), (-0.05, 0.05), (0.035, 0.0), (-0.035, 0.0), (0.0, -0.04))
    center = np.array(places[rng.integers(len(places))]) + rng.normal(0.0, 0.015, 2)
    turn = cv2.Rodrigues(np.array([rng.normal(0, 0.25), rng.normal(0, 0.25), 0.0]))[0]
    turn = turn @ cv2.Rodrigues(np.array([0.0, 0.0, -np.sign(center[0]) * abs(rng.normal(0.5, 0.5))]))[0]
    placed = made.vertices * scale * rng.uniform(0.85, 1.0) @ turn.T
    depth = _in_front(neutral, center[None], 0.055)[0] - placed[:, 2].max() - rng.uniform(0.0, 0.01)
    pixels = np.concatenate([skin.texture, np.full((*skin.texture.shape[:2], 1), 255, np.uint8)], axis=2)
    placed += np.array([*center, depth])
    return Prop(
        f"hand on {skin.name}", made.triangles, made.uv, placed.astype(np.float32), pixels, float(skin.tone.mean())
    )


def thing(neutral: NDArray[np.float32], rng: np.random.Generator) -> Prop:
    """A microphone, a cup, or something like a telephone, before the lower face."""
    kind = rng.choice(["microphone", "cup", "box"])
    if kind == "microphone":
        radius = np.array([0.001, 0.015, 0.022, 0.024, 0.022, 0.014, 0.011, 0.010]) * rng.uniform(0.7, 1.3)
        height = np.array([0.0, 0.003, 0.012, 0.025, 0.038, 0.048, 0.06, 0.22])
        vertices, triangles, uv = _turned(radius, height, 20)
    elif kind == "cup":
        wide = rng.uniform(0.028, 0.045)
        radius = np.array([0.92, 1.0, 0.97, 0.85, 0.01]) * wide
        vertices, triangles, uv = _turned(radius, np.array([0.0, 0.001, 0.03, 0.1, 0.101]), 20)
    else:
        vertices, triangles, uv = _turned(np.full(2, 0.045), np.array([0.0, 0.14]), 4)
        vertices = vertices * [1.0, 1.0, 0.15]
    tilt = cv2.Rodrigues(np.array([rng.normal(-0.5, 0.3), 0.0, rng.normal(0.0, 0.5)]))[0]
    vertices = vertices @ tilt.T
    center = np.array([rng.normal(0.0, 0.03), rng.uniform(0.05, 0.1)])
    depth = _in_front(neutral, center[None], 0.04)[0] - max(vertices[:30, 2].max(), 0.01) - rng.uniform(0.0, 0.03)
    texture = np.full((8, 8, 4), 255, np.uint8)
    texture[..., :3] = rng.integers(60, 256, (8, 8, 1))
    vertices += np.array([*center, depth])
    return Prop(str(kind), triangles, uv, vertices.astype(np.float32), texture, 0.4)


def _in_front(points: NDArray[np.floating], at: NDArray[np.floating], within_m: float) -> NDArray[np.float64]:
    """(n,) depth (z) of what lies foremost within a distance of each of (n, 2) places seen from the front."""
    apart = np.linalg.norm(points[None, :, :2] - at[:, None], axis=2)
    depth = np.where(apart < within_m, points[None, :, 2], np.inf).min(axis=1)
    nearest = points[apart.argmin(axis=1), 2]
    return np.where(np.isfinite(depth), depth, nearest)


def _turned(
    radius: NDArray[np.floating], height: NDArray[np.floating], sides: int
) -> tuple[NDArray[np.float64], NDArray[np.int32], NDArray[np.float32]]:
    """A solid of revolution about y: vertices, triangles, uv."""
    around = np.arange(sides) * 2.0 * np.pi / sides + np.pi / 4
    rows = len(radius)
    vertices = np.stack([
        radius[:, None] * np.cos(around), np.repeat(height[:, None], sides, axis=1), radius[:, None] * np.sin(around)
    ], axis=2).reshape(-1, 3)  # fmt: skip
    row, side = np.mgrid[0 : rows - 1, 0:sides].reshape(2, -1)
    a, b = row * sides + side, row * sides + (side + 1) % sides
    triangles = np.concatenate([np.stack([a, b, a + sides], 1), np.stack([b, b + sides, a + sides], 1)])
    uv = np.stack([np.tile(np.arange(sides) / sides, rows), np.repeat(np.linspace(0, 1, rows), sides)], axis=1)
    return vertices, triangles.astype(np.int32), uv.astype(np.float32)
