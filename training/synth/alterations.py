"""Changes to what is worn: the mirror image, and hair that fits under a hat."""

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from training.synth.anatomy import HEAD_FROM_MAKEHUMAN, anatomy
from training.synth.wear import Wear, skull_vertices

MIRRORED: Final = "-mirrored"
"""What the name of a mirror image ends in."""

_MIRROR: Final = np.array([-1.0, 1.0, 1.0], np.float32)
_NEAR: Final = float(np.cos(np.radians(9.0)))
_GAP_M: Final = 0.004
_LEAST_M: Final = 0.001


def mirrored(wear: Wear) -> Wear:
    """The same thing with its left on the right; its texture is shared."""
    return replace(
        wear,
        name=wear.name + MIRRORED,
        triangles=np.ascontiguousarray(wear.triangles[:, ::-1]),
        anchors=anatomy().mirror[wear.anchors].astype(np.int32),
        offsets=wear.offsets * _MIRROR,
    )


def under_hat(hair: Wear, hat: Wear) -> Wear:
    """Hair pressed onto the head wherever a hat sits over it, and left alone below the brim.

    Seen from the middle of the skull, hair that lies behind the hat or reaches through it is drawn in to just inside.
    """
    base = (anatomy().base * HEAD_FROM_MAKEHUMAN).astype(np.float32)
    skull = base[skull_vertices()]
    top = skull[:, 1].min()
    centre = np.array([0.0, top + 0.45 * np.ptp(skull[:, 0]), np.median(skull[:, 2])], np.float32)
    points = _on_base(hair, base)
    lid = _on_base(hat, base)
    lid = np.concatenate([lid, lid[hat.triangles].mean(axis=1)])
    direction, radius = _polar(points - centre)
    inside = _inner_radius(direction, *_polar(lid - centre)) - _GAP_M
    drawn_in = np.minimum(radius, np.maximum(inside, _LEAST_M))
    moved = direction * (drawn_in - radius)[:, None]
    return replace(hair, name=f"{hair.name}-under-{hat.name}", offsets=(hair.offsets + moved).astype(np.float32))


def _on_base(wear: Wear, base: NDArray[np.float32]) -> NDArray[np.float32]:
    return wear.worn_by(base, (1.0, 1.0, 1.0))


def _polar(points: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    radius = np.linalg.norm(points, axis=1)
    return points / np.maximum(radius, 1e-9)[:, None], radius


def _inner_radius(
    directions: NDArray[np.float32], hat_directions: NDArray[np.float32], hat_radii: NDArray[np.float32]
) -> NDArray[np.float32]:
    """(V,) distance of the hat's innermost part in each direction (V, 3); infinite where the hat is not."""
    near = directions @ hat_directions.T > _NEAR
    return np.where(near, hat_radii[None], np.float32(np.inf)).min(axis=1)
