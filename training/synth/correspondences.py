"""Where on the performers' mesh the tracker puts its 478 landmarks: found by running the shipped tracker on renders."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from au_mocap.channels import PREDICTED_IDS
from au_mocap.landmarks import COUNT
from training.anny_assets import FACE_PARTS
from training.synth.camera import View, view
from training.synth.performers import HEAD_FROM_MAKEHUMAN, Anatomy, Performer, anatomy, sample
from training.synth.renderer import Renderer, sample_look
from training.synth.tracked import Tracked

FIRST_IRIS: Final = 468
INNER_LIPS: Final = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95)
_PICTURE_PX: Final = 384
_FRONTAL_RAD: Final = np.radians(10.0)
_WEISZFELD_STEPS: Final = 30


@dataclass(frozen=True, slots=True)
class Correspondences:
    """A point on the mesh for each landmark.

    Attributes:
        corners: (478, 3) int32 vertices of a triangle, counted in the performers' topology.
        shares: (478, 3) float32 barycentric coordinates.
        spread_m: (478,) median distance of single observations from the point, on the base figure.
    """

    corners: NDArray[np.int32]
    shares: NDArray[np.float32]
    spread_m: NDArray[np.float32]

    def points(self, vertices: NDArray[np.floating]) -> NDArray[np.float32]:
        """(..., N, 3) vertices to (..., 478, 3) landmark positions."""
        return np.einsum("lkc,lk->lc", vertices[self.corners], self.shares).astype(np.float32)


def load(path: Path) -> Correspondences:
    """Reads what `save` wrote."""
    table = np.load(path)
    return Correspondences(table["corners"], table["shares"], table["spread_m"])


def save(correspondences: Correspondences, path: Path) -> None:
    """Writes a file for `load`."""
    names = ("corners", "shares", "spread_m")
    np.savez(path, **{name: getattr(correspondences, name) for name in names})


def find(count: int, rng: np.random.Generator) -> Correspondences:
    """Renders `count` near-frontal faces, half of them with open mouths, and takes each landmark's median place."""
    parts = anatomy()
    renderer, tracker = Renderer(parts, _PICTURE_PX), Tracked()
    hits = np.full((count, COUNT, 3), np.nan)
    for index in range(count):
        performer = sample(rng)
        values = np.zeros(len(PREDICTED_IDS), np.float32)
        if index % 2:
            values[PREDICTED_IDS.index("jaw_drop")] = rng.uniform(0.35, 0.8)
        hits[index] = _observe(performer, values, renderer, tracker, rng)
    hits[::2, INNER_LIPS] = np.nan  # closed lips do not tell the upper lip from the lower
    return _attach(parts, hits)


def _observe(
    performer: Performer, values: NDArray[np.float32], renderer: Renderer, tracker: Tracked, rng: np.random.Generator
) -> NDArray[np.float64]:
    """(478, 3) places on the base figure (head axes) under one picture's landmarks; NaN where a ray meets nothing."""
    parts = anatomy()
    vertices = performer.pose(values)
    yaw, pitch, roll = rng.uniform(-_FRONTAL_RAD, _FRONTAL_RAD, 3)
    camera = view(performer, (yaw, pitch, roll), _PICTURE_PX, rng)
    seen = tracker.find(renderer.draw(vertices, values, camera, sample_look(performer, rng)))
    if seen is None:
        return np.full((COUNT, 3), np.nan)
    places = np.full((COUNT, 3), np.nan)
    base = base_in_head_axes(parts)
    for chosen, landmarks in (
        (skin_triangles(parts), slice(0, FIRST_IRIS)),
        (eye_triangles(parts), slice(FIRST_IRIS, None)),
    ):
        places[landmarks] = _cast(seen[landmarks, :2], vertices, base, parts.triangles[chosen], camera)
    return places


def base_in_head_axes(parts: Anatomy) -> NDArray[np.float64]:
    """(N, 3) base figure in head axes, any origin."""
    return parts.base * HEAD_FROM_MAKEHUMAN


def skin_triangles(parts: Anatomy) -> NDArray[np.bool_]:
    """(F,) triangles of the skin."""
    return ~np.isin(parts.triangles, np.concatenate([parts.members(group) for group in FACE_PARTS])).any(axis=1)


def eye_triangles(parts: Anatomy) -> NDArray[np.bool_]:
    """(F,) triangles of the eyeballs."""
    eyes = np.concatenate([parts.members("helper-l-eye"), parts.members("helper-r-eye")])
    return np.isin(parts.triangles, eyes).all(axis=1)


def _cast(
    xy_px: NDArray[np.floating],
    vertices: NDArray[np.float32],
    base: NDArray[np.float64],
    triangles: NDArray[np.int32],
    camera: View,
) -> NDArray[np.float64]:
    """Nearest front-facing triangle under each pixel position, as a place on the base figure."""
    projected = camera.project(vertices)
    a, b, c = (projected[triangles[:, corner]] for corner in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    front = area < -1e-6  # counter-clockwise from outside is clockwise in a picture whose y points down
    a, b, c, area, facing = a[front], b[front], c[front], area[front], triangles[front]
    places = np.full((len(xy_px), 3), np.nan)
    for index, (x, y) in enumerate(xy_px):
        u = ((b[:, 0] - x) * (c[:, 1] - y) - (b[:, 1] - y) * (c[:, 0] - x)) / area
        v = ((c[:, 0] - x) * (a[:, 1] - y) - (c[:, 1] - y) * (a[:, 0] - x)) / area
        w = 1.0 - u - v
        inside = np.flatnonzero((u >= 0) & (v >= 0) & (w >= 0))
        if len(inside):
            shares = np.stack([u[inside], v[inside], w[inside]], axis=1)
            depth = (shares * np.stack([a[inside, 2], b[inside, 2], c[inside, 2]], axis=1)).sum(axis=1)
            nearest = int(np.argmin(depth))
            places[index] = shares[nearest] @ base[facing[inside[nearest]]]
    return places


def _attach(parts: Anatomy, hits: NDArray[np.float64]) -> Correspondences:
    base = base_in_head_axes(parts)
    medians = np.stack([_geometric_median(places[~np.isnan(places).any(axis=1)]) for places in np.moveaxis(hits, 1, 0)])
    corners = np.empty((len(medians), 3), np.int32)
    shares = np.empty((len(medians), 3), np.float32)
    skin, eyes = parts.triangles[skin_triangles(parts)], parts.triangles[eye_triangles(parts)]
    for index, place in enumerate(medians):
        corners[index], shares[index] = _closest(place, base, skin if index < FIRST_IRIS else eyes)
    spread = np.nanmedian(np.linalg.norm(hits - medians, axis=2), axis=0)
    return Correspondences(corners, shares, spread.astype(np.float32))


def _geometric_median(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weiszfeld's method: rays that slipped past an edge do not matter."""
    center = np.median(points, axis=0)
    for _ in range(_WEISZFELD_STEPS):
        weight = 1.0 / np.maximum(np.linalg.norm(points - center, axis=1), 1e-6)
        center = (points * weight[:, None]).sum(axis=0) / weight.sum()
    return center


def _closest(
    place: NDArray[np.float64], base: NDArray[np.float64], triangles: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """The triangle whose surface comes nearest to a place, with barycentric coordinates of the nearest point."""
    centers = base[triangles].mean(axis=1)
    near = triangles[np.argsort(np.linalg.norm(centers - place, axis=1))[:24]]
    best = (np.inf, near[0], np.array([1.0, 0.0, 0.0]))
    for corners in near:
        shares = _clamped_barycentric(place, base[corners])
        distance = float(np.linalg.norm(shares @ base[corners] - place))
        if distance < best[0]:
            best = (distance, corners, shares)
    return best[1], best[2]


def _clamped_barycentric(place: NDArray[np.float64], corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Barycentric coordinates of the projection onto a triangle, pushed inside where it falls beside it."""
    edges = np.stack([corners[1] - corners[0], corners[2] - corners[0]], axis=1)
    vw, *_ = np.linalg.lstsq(edges, place - corners[0], rcond=None)
    shares = np.clip(np.array([1.0 - vw.sum(), vw[0], vw[1]]), 0.0, 1.0)
    return shares / shares.sum()
