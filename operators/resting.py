"""How a character's lids and lips meet, measured on its meshes. Imported at first use: it needs the engine."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar, cast

import bpy
import numpy as np
from numpy.typing import NDArray

from ..au_mocap import mapping, meeting, retarget
from ..au_mocap.mapping import Row, ShapeKeyTarget
from .scene import Character

_EYES: Final = {"eye_close_L": "Left lids", "eye_close_R": "Right lids", "eye_close": "Lids"}
_JAW: Final = "jaw_drop"
_TOGETHER: Final = "lips_together"
_KEPT: Final = 16

_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class Fit:
    """A table that brings a character's lids and lips together.

    Attributes:
        table: The table, some rows changed.
        notes: What was found, one line each.
    """

    table: mapping.Mapping
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Face:
    """A mesh at rest.

    Attributes:
        rest: (N, 3) vertices.
        edges: (E, 2) pairs of them.
        motions: (N, 3) what keys do to the vertices, by name.
        lateral: (3,) from one eye to the other, where the table closes them by keys of their own.
    """

    rest: NDArray[np.float64]
    edges: NDArray[np.int32]
    motions: dict[str, NDArray[np.float64]]
    lateral: NDArray[np.float64] | None


_FOUND: Final["OrderedDict[bytes, object]"] = OrderedDict()
"""What was measured last, by all that it was measured from: bakes and panels ask again and again."""


def fit(character: Character, table: mapping.Mapping) -> Fit:
    """Fits a table's closing rows to a character; nothing in the scene is changed."""
    rows = [row for row in table.rows if row.enabled]
    eyes = [row for row in rows if row.channel in _EYES]
    jaws = [row for row in rows if row.channel == _JAW]
    lips = [row for row in rows if row.channel == _TOGETHER]
    changed: dict[Row, Row] = {}
    notes: list[str] = []
    if eyes or jaws:
        notes += _fit_eyes(character, rows, eyes, changed)
        notes += _fit_lips(character, rows, (jaws, lips), changed)
    return Fit(replace(table, rows=tuple(changed.get(row, row) for row in table.rows)), tuple(dict.fromkeys(notes)))


def closes_lips(character: Character, table: mapping.Mapping) -> bool:
    """Whether a table can bring this character's lips together over a dropped jaw."""
    return any(row.enabled and row.channel == _TOGETHER and _exists(character, row) for row in table.rows)


def _exists(character: Character, row: Row) -> bool:
    if isinstance(row.target, ShapeKeyTarget):
        return _mesh_of(character, row) is not None
    if isinstance(row.target, mapping.BoneTarget):
        return character.armature is not None and row.target.bone in character.armature.pose.bones
    return True


def _fit_eyes(character: Character, rows: Sequence[Row], eyes: Sequence[Row], changed: dict[Row, Row]) -> list[str]:
    notes: list[str] = []
    for row in eyes:
        if not isinstance(row.target, ShapeKeyTarget):
            notes.append(f"{_EYES[row.channel]} are no shape key: left as they are")
            continue
        value = _lids_meet_at(character, rows, row)
        if value is None:
            continue
        notes.append(f"{_EYES[row.channel]} meet at {value:.2f}")
        changed[row] = retarget.fit_lids(row, value)
        mesh = _mesh_of(character, row)
        most = mesh.data.shape_keys.key_blocks[row.target.name].slider_max if mesh is not None else 1.0
        if changed[row] is not row and value > most + 1e-3:
            notes.append(f"'{row.target.name}' ends at {most:g}: raise the key's Range Max to let the lids meet")
    return notes


def _lids_meet_at(character: Character, rows: Sequence[Row], row: Row) -> float | None:
    mesh = _mesh_of(character, row)
    if mesh is None or not isinstance(row.target, ShapeKeyTarget):
        return None
    face = _face(mesh, rows, (row,))
    name = row.target.name

    def measure() -> float | None:
        motion = face.motions[name]
        opening = meeting.find(face.rest, motion, face.edges, face.lateral)
        return None if opening is None else retarget.meets_at(opening.gap(face.rest), opening.closing(motion))

    return _measured(face, measure)


def _fit_lips(
    character: Character, rows: Sequence[Row], both: tuple[Sequence[Row], Sequence[Row]], changed: dict[Row, Row]
) -> list[str]:
    jaws, lips = both
    if len(jaws) != 1 or not isinstance(jaws[0].target, ShapeKeyTarget):
        return ["The jaw is no shape key: the lips are left as they are"] if jaws else []
    jaw, together = jaws[0], lips[0] if len(lips) == 1 else None
    measured = _lips(character, rows, jaw, together)
    if measured is None:
        return []
    parted = measured.parted
    rest = f"Lips rest parted by {parted:.2f} of a jaw drop" if parted else "Lips touch at rest"
    if together is None or measured.closing <= 0.0:
        return [rest, "Nothing closes the lips over a dropped jaw: the jaw rises instead"]
    changed[together] = retarget.fit_lips(together, jaw, measured)
    return [rest]


def _lips(character: Character, rows: Sequence[Row], jaw: Row, together: Row | None) -> retarget.Lips | None:
    mesh = _mesh_of(character, jaw)
    if mesh is None:
        return None
    closer = together if together is not None and _mesh_of(character, together) is mesh else None
    face = _face(mesh, rows, (jaw,) if closer is None else (jaw, closer))
    names = [row.target.name for row in (jaw, closer) if row is not None and isinstance(row.target, ShapeKeyTarget)]

    def measure() -> retarget.Lips | None:
        drop = face.motions[names[0]]
        opening = meeting.find(face.rest + drop, -drop, face.edges, face.lateral)
        if opening is None or opening.closing(drop) >= 0.0:
            return None
        closing = opening.closing(face.motions[names[1]]) if len(names) > 1 else 0.0
        return retarget.Lips(opening.gap(face.rest), -opening.closing(drop), closing)

    return _measured(face, measure)


def _mesh_of(character: Character, row: Row) -> bpy.types.Object | None:
    """The mesh on which a row's key moves most vertices: lashes and teeth often have the same keys."""
    target = row.target
    if not isinstance(target, ShapeKeyTarget):
        return None
    owners = [
        mesh
        for mesh in character.meshes
        if target.object in (None, mesh.name) and target.name in mesh.data.shape_keys.key_blocks
    ]
    return max(owners, key=lambda mesh: len(mesh.data.vertices), default=None)


def _face(mesh: bpy.types.Object, rows: Sequence[Row], wanted: Sequence[Row]) -> _Face:
    """The mesh as it rests: with those keys that the table does not drive as they are set."""
    shapes = mesh.data.shape_keys
    driven = {row.target.name for row in rows if isinstance(row.target, ShapeKeyTarget)}
    rest = _places(shapes.reference_key)
    for key in shapes.key_blocks:
        if key.name not in driven and key != shapes.reference_key and key.value and not key.mute:
            rest = rest + key.value * (_places(key) - _places(key.relative_key))
    edges = np.empty(2 * len(mesh.data.edges), np.int32)
    mesh.data.edges.foreach_get("vertices", edges)
    keys = [shapes.key_blocks[row.target.name] for row in wanted if isinstance(row.target, ShapeKeyTarget)]
    motions = {key.name: _places(key) - _places(key.relative_key) for key in keys}
    return _Face(rest, edges.reshape(-1, 2), motions, _lateral(shapes, rest, rows))


def _lateral(shapes: bpy.types.Key, rest: NDArray[np.float64], rows: Sequence[Row]) -> NDArray[np.float64] | None:
    """The way from the right eye to the left one, from what the keys that close them move."""
    centres: dict[str, NDArray[np.float64]] = {}
    for row in rows:
        if row.channel not in ("eye_close_L", "eye_close_R") or not isinstance(row.target, ShapeKeyTarget):
            continue
        key = shapes.key_blocks.get(row.target.name)
        if key is not None:
            moved = np.linalg.norm(_places(key) - _places(key.relative_key), axis=1)
            if moved.any():
                centres[row.channel] = moved @ rest / moved.sum()
    if len(centres) < 2:
        return None
    apart = centres["eye_close_L"] - centres["eye_close_R"]
    return apart if np.linalg.norm(apart) > 0.0 else None


def _places(key: bpy.types.ShapeKey) -> NDArray[np.float64]:
    flat = np.empty(3 * len(key.data), np.float32)
    key.data.foreach_get("co", flat)
    return flat.reshape(-1, 3).astype(np.float64)


def _measured(face: _Face, measure: Callable[[], _Found]) -> _Found:
    """What was measured on the very same face before, or is now."""
    digest = hashlib.blake2b()
    for array in (face.rest, face.edges, face.lateral, *face.motions.values()):
        if array is None:
            continue
        digest.update(np.ascontiguousarray(array).tobytes())
    key = digest.digest()
    if key not in _FOUND:
        _FOUND[key] = measure()
        if len(_FOUND) > _KEPT:
            _FOUND.popitem(last=False)
    return cast(_Found, _FOUND[key])
