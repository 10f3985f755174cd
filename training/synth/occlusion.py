"""How open to its surroundings each spot of a head is."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from training.synth import shaders

_DIRECTIONS: Final = 96
_MAP_PX: Final = 160
_REACH_M: Final = 0.19
_BIAS: Final = 0.012


def openness(
    context: Any,  # noqa: ANN401 - moderngl has no types
    vertices: NDArray[np.float32],
    normals: NDArray[np.float32],
    triangles: NDArray[np.int32],
) -> NDArray[np.float32]:
    """Share of the directions before each vertex, weighted by the cosine, in which nothing stands in the way.

    Args:
        context: A moderngl context.
        vertices: (N, 3) metres.
        normals: (N, 3) unit normals that point outward.
        triangles: (F, 3) what stands in the way, seen from both sides.

    Returns:
        (N,) float32 0..1.
    """
    program = context.program(shaders.source("depth.vert"), shaders.source("depth.frag"))
    array = context.vertex_array(
        program, [(context.buffer(vertices.tobytes()), "3f", "position")], context.buffer(triangles.tobytes())
    )
    depth = context.depth_texture((_MAP_PX, _MAP_PX))
    target = context.framebuffer(depth_attachment=depth)
    open_weight = np.zeros(len(vertices))
    weight = np.full(len(vertices), 1e-6)
    center = vertices.mean(axis=0)
    for direction in _spread(_DIRECTIONS):
        matrix = seen_along(direction, center, _REACH_M)
        program["matrix"].write(matrix.T.astype(np.float32).tobytes())
        target.use()
        target.clear(depth=1.0)
        array.render()
        nearest = np.frombuffer(depth.read(), np.float32).reshape(_MAP_PX, _MAP_PX)
        place = vertices @ matrix[:3, :3].T + matrix[:3, 3]
        pixel = np.clip(((place[:, :2] * 0.5 + 0.5) * _MAP_PX).astype(int), 0, _MAP_PX - 1)
        seen = place[:, 2] * 0.5 + 0.5 < nearest[pixel[:, 1], pixel[:, 0]] + _BIAS
        facing = np.maximum(normals @ direction, 0.0)
        weight += facing
        open_weight += facing * seen
    for each in (array, target, depth, program):
        each.release()
    return (open_weight / weight).astype(np.float32)


def seen_along(direction: NDArray[np.floating], center: NDArray[np.floating], reach_m: float) -> NDArray[np.float64]:
    """(4, 4) parallel projection of what lies within `reach_m` of a centre, seen from where `direction` points to."""
    side = np.cross(direction, [0.0, 1.0, 0.0] if abs(direction[1]) < 0.9 else [1.0, 0.0, 0.0])
    side /= np.linalg.norm(side)
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack([side, np.cross(side, direction), -np.asarray(direction)]) / reach_m
    matrix[:3, 3] = -matrix[:3, :3] @ center
    return matrix


def _spread(count: int) -> NDArray[np.float64]:
    """(count, 3) unit vectors evenly over the sphere (Fibonacci's spiral)."""
    at = np.arange(count) + 0.5
    height = 1.0 - 2.0 * at / count
    turn = at * np.pi * (1.0 + np.sqrt(5.0))
    radius = np.sqrt(1.0 - height**2)
    return np.column_stack([np.cos(turn) * radius, height, np.sin(turn) * radius])
