"""Draws a surface without a graphics card: a z-buffer in numpy, as seen from far away (no perspective)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats
from ..crops import Image
from .surface import Surface

_BACKGROUND: Final = 110
_FRAGMENTS: Final = 4_000_000
"""Pixels of triangles' boxes that are looked at at once."""

_OPAQUE: Final = 100
"""Alpha, of 255, below which a texture shows what is behind it."""

_AMBIENT: Final = 0.45
_LIGHT: Final = np.array([-0.25, -0.45, -0.85]) / np.linalg.norm([-0.25, -0.45, -0.85])
"""Towards the lamp, in the picture's axes: over the viewer's left shoulder."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a picture is taken from.

    Attributes:
        axes: (3, 3) float64 rows of unit length: the directions in space that are right, down and away in the picture.
        centre: (3,) float64: what is in the picture's middle.
        reach: Half the picture's width in the surface's unit.
        size_px: Side of the square picture.
    """

    axes: NDArray[np.float64]
    centre: NDArray[np.float64]
    reach: float
    size_px: int

    def project(self, points: Floats) -> NDArray[np.float64]:
        """(N, 3) points to (N, 3): x and y in pixels, depth in the same unit."""
        seen = (np.asarray(points, np.float64) - self.centre) @ self.axes.T * (self.size_px / 2 / self.reach)
        seen[:, :2] += self.size_px / 2
        return seen


@dataclass(frozen=True, slots=True)
class Picture:
    """What was drawn.

    Attributes:
        image: (S, S, 3) uint8 BGR.
        triangle: (S, S) int64: which triangle each pixel shows, -1 for none.
        shares: (S, S, 3) float32 barycentric coordinates of the pixel's middle in that triangle.
    """

    image: Image
    triangle: NDArray[np.int64]
    shares: NDArray[np.float32]


def draw(surface: Surface, frame: Frame, normal: Floats) -> Picture:
    """Draws a surface with (V, 3) normals; both sides of triangles are shown."""
    size = frame.size_px
    seen = frame.project(surface.points)
    triangle, shares, depth = (
        np.full(size * size, -1, np.int64),
        np.zeros((size * size, 3), np.float32),
        np.full(size * size, np.inf),
    )
    for fragments in _fragments(seen[surface.triangles], size):
        pixel, which, weight, far = _opaque(surface, fragments)
        order = np.flatnonzero(far < depth[pixel])
        order = order[np.argsort(-far[order].astype(np.float32))]  # the nearest is written last and stays
        depth[pixel[order]], triangle[pixel[order]] = far[order], which[order]
        shares[pixel[order]] = weight[order]
    image = np.full((size * size, 3), _BACKGROUND, np.uint8)
    shown = np.flatnonzero(triangle >= 0)
    image[shown] = _shaded(surface, triangle[shown], shares[shown], np.asarray(normal) @ frame.axes.T)
    return Picture(image.reshape(size, size, 3), triangle.reshape(size, size), shares.reshape(size, size, 3))


_Fragments = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32], NDArray[np.float64]]


def _fragments(corners: NDArray[np.float64], size: int) -> Iterator[_Fragments]:
    """Pixels that (F, 3, 3) projected triangles cover: pixel, triangle, shares, depth; a few triangles at a time."""
    known = np.nan_to_num(corners[..., :2], nan=-1.0)
    low = np.clip(np.floor(known.min(axis=1) - 0.5), 0, size).astype(np.int64)
    high = np.clip(np.ceil(known.max(axis=1) + 0.5), 0, size).astype(np.int64)
    extent = np.maximum(high - low, 0)
    counts = extent[:, 0] * extent[:, 1]
    used = np.flatnonzero((counts > 0) & np.isfinite(corners).all(axis=(1, 2)))
    plane = _planes(corners[used])
    used, plane = used[np.isfinite(plane).all(axis=(1, 2))], plane[np.isfinite(plane).all(axis=(1, 2))]
    batch = np.cumsum(counts[used]) // _FRAGMENTS
    for number in range(int(batch[-1]) + 1 if len(batch) else 0):
        rows = np.flatnonzero(batch == number)
        chosen = used[rows]
        many = counts[chosen]
        row = np.repeat(np.arange(len(rows), dtype=np.int32), many)
        place = np.arange(len(row), dtype=np.int64) - np.repeat(np.cumsum(many) - many, many)
        down, across = np.divmod(place, extent[chosen, 0][row])
        x, y = across + low[chosen, 0][row], down + low[chosen, 1][row]
        weight = [each[:, 0][row] + each[:, 1][row] * x + each[:, 2][row] * y for each in plane[rows].swapaxes(0, 1)]
        inside = np.flatnonzero((weight[0] >= 0.0) & (weight[1] >= 0.0) & (weight[0] + weight[1] <= 1.0))
        first, second, which = weight[0][inside], weight[1][inside], chosen[row[inside]]
        shares = np.stack([first, second, 1.0 - first - second], axis=1)
        depth = (shares * corners[which, :, 2]).sum(axis=1)
        yield (y * size + x)[inside], which, shares.astype(np.float32), depth


def _planes(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 2, 3): a + b x + c y is the share of a triangle's first and second corner at a pixel's middle.

    Not finite where a triangle is seen from its edge.
    """
    (ax, ay), (bx, by), (cx, cy) = (corners[:, corner, :2].T for corner in range(3))
    area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    with np.errstate(divide="ignore", invalid="ignore"):
        rows = [
            np.stack([bx * cy - by * cx, by - cy, cx - bx], axis=1) / area[:, None],
            np.stack([cx * ay - cy * ax, cy - ay, ax - cx], axis=1) / area[:, None],
        ]
        plane = np.stack(rows, axis=1)
        plane[..., 0] += 0.5 * (plane[..., 1] + plane[..., 2])  # pixels are counted by their corners
    return plane


def _opaque(surface: Surface, fragments: _Fragments) -> _Fragments:
    """Fragments without those where a texture is see-through, as between the hairs of a card."""
    pixel, which, weight, far = fragments
    kept = np.ones(len(pixel), bool)
    for number, texture in enumerate(surface.textures):
        own = np.flatnonzero(surface.texture[which] == number)
        place = (surface.uv[which[own]] * weight[own][..., None]).sum(axis=1)
        kept[own] = _texels(texture, place)[:, 3] >= _OPAQUE
    return pixel[kept], which[kept], weight[kept], far[kept]


def _texels(texture: Image, place: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    """(n, 4) pixels of a repeating texture at (n, 2) coordinates."""
    height, width = texture.shape[:2]
    x = np.floor((place[:, 0] % 1.0) * width).astype(np.int64).clip(0, width - 1)
    y = np.floor((1.0 - place[:, 1] % 1.0) * height).astype(np.int64).clip(0, height - 1)
    return texture[y, x]


def _shaded(
    surface: Surface, triangle: NDArray[np.int64], shares: NDArray[np.float32], normal: NDArray[np.float64]
) -> NDArray[np.uint8]:
    """(n, 3) colours of pixels, lit from the front; `normal` is in the picture's axes."""
    corners = surface.triangles[triangle]
    colour = (surface.colours[triangle] * shares[..., None]).sum(axis=1)
    place = (surface.uv[triangle] * shares[..., None]).sum(axis=1)
    for number, texture in enumerate(surface.textures):
        own = np.flatnonzero(surface.texture[triangle] == number)
        colour[own] *= _texels(texture, place[own])[:, :3] / 255.0
    facing = (normal[corners] * shares[..., None]).sum(axis=1)
    facing *= np.where(facing[:, 2:] > 0.0, -1.0, 1.0)  # a back is lit as its front would be
    light = _AMBIENT + (1.0 - _AMBIENT) * np.clip(facing @ _LIGHT, 0.0, 1.0)
    return np.clip(colour * light[:, None], 0.0, 255.0).astype(np.uint8)
