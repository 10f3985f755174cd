"""A character's meshes at rest as one surface in the world, and what each shape key does to it. Reads; changes nothing.

Meshes are read as they are modelled: armatures deform nothing at rest, subdivision moves nothing far. Of modifiers only
Mirror counts, since half a face is none.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

from ..au_mocap.errors import SettingsError
from ..au_mocap.looking.surface import Surface, joined
from . import looking_colours
from .scene import Character

_AXES = 3
_TRACE = 0.1
"""Share of a shape's largest displacement below which a point counts as resting."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A character at rest.

    Attributes:
        surface: All its visible meshes in world space.
        names: Its shape keys, each name once, without those at rest.
    """

    surface: Surface
    names: tuple[str, ...]
    _parts: "tuple[_Part, ...]"

    def shapes(self) -> Iterator[NDArray[np.float64]]:
        """Displacement (V, 3) of the surface by each of `names` at full strength, one after the other."""
        for name in self.names:
            yield np.concatenate([part.displacement(name) for part in self._parts])

    def moves(self) -> NDArray[np.int64]:
        """(V,) how many shape keys move each point of the surface by more than a trace."""
        counts = np.zeros(len(self.surface.points), np.int64)
        for shape in self.shapes():
            squared = np.square(shape).sum(axis=1)
            counts += squared > _TRACE**2 * squared.max(initial=0.0)
        return counts


@dataclass(frozen=True, slots=True)
class _Part:
    """One mesh: its points in the world, and the way there."""

    mesh: bpy.types.Mesh
    groups: dict[str, int]
    turns: "tuple[NDArray[np.float64], ...]"
    surface: Surface
    weights: "dict[int, NDArray[np.float64]]" = field(default_factory=dict)

    def _held_back_by(self, group: int) -> NDArray[np.float64]:
        """(V,) weights of a vertex group, read once."""
        if group not in self.weights:
            self.weights[group] = _weights(self.mesh, group)
        return self.weights[group]

    def displacement(self, name: str) -> NDArray[np.float64]:
        """(V, 3) in the world, zero where the mesh has no such key."""
        keys = self.mesh.shape_keys
        key = keys.key_blocks.get(name) if keys is not None and keys.use_relative else None
        if key is None or keys is None or key == keys.reference_key:
            return np.zeros_like(self.surface.points)
        moved = _coordinates(key.data) - _coordinates(key.relative_key.data)
        if key.vertex_group in self.groups:
            moved *= self._held_back_by(self.groups[key.vertex_group])[:, None]
        return np.concatenate([moved @ turn.T for turn in self.turns])


def read(character: Character) -> Figure:
    """Gathers a character's meshes; hidden ones are left out, unless all that have shape keys are hidden.

    Raises:
        SettingsError: None of its meshes has a relative shape key.
    """
    with_keys = [each for each in character.meshes if each.data.shape_keys.use_relative]
    names = dict.fromkeys(
        key.name
        for each in with_keys
        for key in each.data.shape_keys.key_blocks
        if key != each.data.shape_keys.reference_key
    )
    if not names:
        message = "This character has no shape keys to look at: only shape keys can be matched by looking."
        raise SettingsError(message)
    meshes = _meshes(character)
    shown = [each for each in meshes if each.visible_get()]
    if not any(each in with_keys for each in shown):
        shown = [*(each for each in shown if each not in with_keys), *with_keys]
    parts = tuple(_part(each) for each in shown if len(each.data.polygons))
    if not parts:
        message = "The meshes of this character have no faces: nothing can be seen of it."
        raise SettingsError(message)
    return Figure(joined([part.surface for part in parts]), tuple(names), parts)


def _meshes(character: Character) -> list[bpy.types.Object]:
    """Everything of a character that may be seen, by name: eyes, teeth and hair often have no shape keys."""
    rig = character.armature
    roots = character.meshes if rig is None else (rig,)
    found = {child for root in roots for child in (root, *root.children_recursive)} | set(character.meshes)
    if rig is not None:
        found |= {each for each in bpy.data.objects if each.type == "MESH" and each.find_armature() == rig}
    return sorted((each for each in found if each.type == "MESH"), key=lambda each: each.name)


def _part(placed: bpy.types.Object) -> _Part:
    mesh = placed.data
    assert isinstance(mesh, bpy.types.Mesh)
    keys = mesh.shape_keys
    local = _coordinates(mesh.vertices if keys is None else keys.reference_key.data)
    look = looking_colours.read(placed)
    world = _resting_matrix(placed)
    turn, place = np.array(world.to_3x3()), np.array(world.translation)
    reflections = _reflections(placed)
    turns = tuple(turn @ reflection for reflection in reflections)
    movable = np.full(len(look.triangles), keys is not None and len(keys.key_blocks) > 1)
    copies = [
        Surface(local @ each.T + place, look.triangles, movable, look.colours, look.texture, look.uv) for each in turns
    ]
    together = joined(copies)
    surface = Surface(
        together.points, together.triangles, together.movable, together.colours, together.texture, together.uv,
        look.textures,
    )  # fmt: skip
    return _Part(mesh, {group.name: group.index for group in placed.vertex_groups}, turns, surface)


def _reflections(placed: bpy.types.Object) -> list[NDArray[np.float64]]:
    """What Mirror modifiers about the object's own origin make of it: itself first, then its images."""
    found = [np.eye(_AXES)]
    for modifier in placed.modifiers:
        if modifier.type != "MIRROR" or not modifier.show_viewport or modifier.mirror_object is not None:
            continue
        for axis in (axis for axis in range(_AXES) if modifier.use_axis[axis]):
            image = np.eye(_AXES)
            image[axis, axis] = -1.0
            found += [image @ each for each in found]
    return found


def _resting_matrix(placed: bpy.types.Object) -> Matrix:
    """Where an object is while the bone that it hangs on, if any, is at rest."""
    rig = placed.parent
    if rig is None or rig.type != "ARMATURE" or placed.parent_type != "BONE":
        return placed.matrix_world.copy()
    bone = rig.data.bones.get(placed.parent_bone)
    if bone is None:
        return placed.matrix_world.copy()
    tail = Matrix.Translation((0.0, bone.length, 0.0))
    return rig.matrix_world @ bone.matrix_local @ tail @ placed.matrix_parent_inverse @ placed.matrix_basis


def _coordinates(points: "bpy.types.bpy_prop_collection") -> NDArray[np.float64]:
    flat = np.empty(_AXES * len(points), np.float32)
    points.foreach_get("co", flat)
    return np.nan_to_num(flat, posinf=0.0, neginf=0.0).reshape(-1, _AXES).astype(np.float64)


def _weights(mesh: bpy.types.Mesh, group: int) -> NDArray[np.float64]:
    """(V,) weights of a vertex group, which holds a shape key back."""
    weights = np.zeros(len(mesh.vertices))
    for vertex in mesh.vertices:
        for each in vertex.groups:
            if each.group == group:
                weights[vertex.index] = each.weight
    return weights
