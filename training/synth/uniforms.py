"""What a frame tells the shaders: the camera, the light, how eyes and mouth stand."""

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from training.synth.camera import View
from training.synth.layout import Layout
from training.synth.looks import Look

_PIVOT_M: Final = np.array([0.0, 0.063, 0.095])
"""From the point between the eyes to where the neck turns, head axes, on a head of the base figure's size."""


def camera(view: View, look: Look) -> dict[str, Any]:
    """Where head and shoulders are before the camera: the neck bends between them."""
    turned, _ = cv2.Rodrigues(cv2.Rodrigues(view.rotation)[0] * look.torso_share)
    torso = cv2.Rodrigues(np.array([0.0, look.torso_turn_rad, 0.0]))[0] @ turned
    pivot = _PIVOT_M * float(np.mean(look.scale))
    reach = float(view.translation[2])
    return {
        "rotation": view.rotation.T.astype(np.float32).tobytes(),  # OpenGL stores columns
        "translation": tuple(view.translation),
        "torso_rotation": torso.T.astype(np.float32).tobytes(),
        "torso_translation": tuple(view.rotation @ pivot + view.translation - torso @ pivot),
        "focal": view.focal_px / (view.size_px / 2),
        "depth_range": (0.3 * reach, 2.5 * reach),
    }


def light(look: Look) -> dict[str, Any]:
    """Lamps and surroundings, in camera axes."""
    return {
        "light_direction": [tuple(direction) for direction in look.light.directions.tolist()],
        "light_color": [tuple(color) for color in look.light.colors.tolist()],
        "ambient": [tuple(term) for term in look.light.ambient.tolist()],
    }


def eyes(plan: Layout, vertices: NDArray[np.float32]) -> dict[str, Any]:
    """Where the eyes are, how they are turned, and the lids' edges as parabolas."""
    centers, turns, uppers, lowers = [], [], [], []
    for members, loop in zip(plan.eye_members, plan.lid_loops, strict=True):
        now, base = vertices[members].astype(np.float64), plan.rest[members].astype(np.float64)
        center = now.mean(axis=0)
        left, _, right = np.linalg.svd((base - base.mean(axis=0)).T @ (now - center))
        # From head axes to the eye's own: both are right-handed, so the best rotation needs no mirroring.
        turn = left @ np.diag([1.0, 1.0, np.linalg.det(left @ right)]) @ right
        rim = vertices[loop] - center
        rim = rim / np.linalg.norm(rim, axis=1, keepdims=True)
        azimuth, height = np.arctan2(rim[:, 0], -rim[:, 2]), np.arcsin(np.clip(-rim[:, 1], -1.0, 1.0))
        centers.append(tuple(center))
        turns.append(turn.T.astype(np.float32))
        rest = plan.rest[loop]
        corner_line = np.interp(rest[:, 0], *_corner_line(rest))
        for edges, chosen in ((uppers, rest[:, 1] >= corner_line), (lowers, rest[:, 1] <= corner_line)):
            c, b, a = np.polyfit(azimuth[chosen], height[chosen], 2)
            edges.append((float(a), float(b), float(c), 0.0))
    return {
        "eye_center": centers,
        "eye_turn": np.concatenate([turn.ravel() for turn in turns]).tobytes(),
        "lid_upper": uppers,
        "lid_lower": lowers,
    }


def _corner_line(rest: NDArray[np.float32]) -> tuple[list[float], list[float]]:
    """The line between an eye's corners in the base figure: x and y of its ends, x rising."""
    ends = rest[[rest[:, 0].argmin(), rest[:, 0].argmax()]]
    return ends[:, 0].tolist(), ends[:, 1].tolist()


def mouth(plan: Layout, vertices: NDArray[np.float32]) -> dict[str, Any]:
    """Middle of the mouth's opening and its area."""
    loop = vertices[plan.lip_loop]
    rest = plan.rest[plan.lip_loop]
    center = loop.mean(axis=0)
    around = loop[np.argsort(np.arctan2(rest[:, 1] - rest[:, 1].mean(), rest[:, 0] - rest[:, 0].mean()))]
    x, y = around[:, 0], around[:, 1]
    area = 0.5 * abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))))
    return {"mouth": (*center.tolist(), 0.0), "opening": area + 2e-5}
