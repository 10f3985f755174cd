"""A character whose face is bones: one of the cast on a rig that Blender's own Rigify generates.

The metarig's face is laid over the landmarks that match by looking finds, as an artist would lay it by hand; the skin
is weighted by bone heat, what sits on it follows.
"""

from collections.abc import Mapping
from typing import Any, Final

import bpy
import numpy as np
from mathutils import Vector
from numpy.typing import NDArray

from training import extension
from training.mesh_parts import Floats, smooth_step

LEFT: Final[Mapping[str, tuple[int, int]]] = {
    "nose": (168, 197),
    "nose.001": (197, 4),
    "nose.002": (4, 1),
    "nose.003": (1, 2),
    "nose.004": (2, 164),
    "lip.T.L": (0, 269),
    "lip.T.L.001": (269, 291),
    "lip.B.L": (17, 405),
    "lip.B.L.001": (405, 291),
    "chin": (152, 200),
    "chin.001": (200, 18),
    "brow.B.L": (276, 283),
    "brow.B.L.001": (283, 282),
    "brow.B.L.002": (282, 295),
    "brow.B.L.003": (295, 285),
    "lid.T.L": (263, 388),
    "lid.T.L.001": (388, 386),
    "lid.T.L.002": (386, 384),
    "lid.T.L.003": (384, 362),
    "lid.B.L": (362, 381),
    "lid.B.L.001": (381, 374),
    "lid.B.L.002": (374, 390),
    "lid.B.L.003": (390, 263),
    "forehead.L": (337, 336),
    "forehead.L.001": (333, 334),
    "forehead.L.002": (301, 300),
    "temple.L": (251, 454),
    "jaw.L": (454, 288),
    "jaw.L.001": (288, 378),
    "chin.L": (378, 291),
    "cheek.B.L": (291, 427),
    "cheek.B.L.001": (427, 447),
    "brow.T.L": (447, 300),
    "brow.T.L.001": (300, 334),
    "brow.T.L.002": (334, 336),
    "brow.T.L.003": (336, 9),
    "cheek.T.L": (447, 330),
    "cheek.T.L.001": (330, 351),
    "nose.L": (351, 294),
    "nose.L.001": (294, 4),
}
"""Bones of Rigify's face on the left and in the middle, with the landmarks at their heads and tails."""

_MIDDLE: Final = frozenset((0, 1, 2, 4, 9, 17, 18, 152, 164, 168, 197, 200))
_FOREHEAD_TOP: Final = 10
_SCALP_M: Final = (-0.025, 0.0)
"""From here to here, above the top of the forehead, the skin passes over to the skull: brows do not move the scalp."""

_EARS: Final = ("", ".001", ".002", ".003", ".004")
_MOUTH: Final = ("teeth.T", "teeth.B", "tongue", "tongue.001", "tongue.002")
_EYE_M: Final = (0.0, -0.024, 0.0)
_JAW_JOINT_M: Final = (0.0, 0.055, 0.004)
"""The jaw's bone starts so far behind and above the chin's lower end."""

_SKULL: Final = "DEF-spine.006"
_FOLLOWING: Final = {"Teeth": _SKULL, "Gums": _SKULL, "Tongue": "DEF-jaw"}
_EYES: Final = ("Sclera", "Iris", "Pupil")
_STATIC: Final = "root"

Ends = dict[str, tuple[Floats, Floats]]


def put_on_rigify(character: Any) -> bpy.types.Object:  # noqa: ANN401 - operators.demo_head.DemoHead
    """Take a character's shape keys and armature away and give it a generated Rigify rig.

    Args:
        character: As `operators.demo_head.add_demo_head` makes it, at the origin.

    Returns:
        The rig.

    Raises:
        TrackerError: Its face is not seen.
    """
    import addon_utils  # there once Blender is

    addon_utils.enable("rigify", default_set=True)
    landmarks = _landmarks(character.armature)
    own = {bone.name: (_array(bone.head_local), _array(bone.tail_local)) for bone in character.armature.data.bones}
    bpy.ops.object.armature_human_metarig_add()
    metarig = _active()
    _lay(metarig, _ends(metarig, landmarks, own))
    bpy.ops.pose.rigify_generate()
    rig = _active()
    bpy.data.objects.remove(metarig)
    for side in "LR":
        rig.data.bones[f"ORG-eye.{side}"].use_deform = True
    rig.data.bones[_STATIC].use_deform = True
    _weigh(character.head, rig, float(landmarks[_FOREHEAD_TOP, 2]))
    _rehang(character.hair, rig, _SKULL)
    bpy.data.objects.remove(character.armature)
    return rig


def _active() -> bpy.types.Object:
    """What the last operator made."""
    made = bpy.context.object
    assert made is not None
    return made


def _landmarks(armature: bpy.types.Object) -> Floats:
    """(478, 3) metres on the character's surface, by the extension's own match by looking."""
    character = extension.module("operators.scene").find_character(armature)
    figure = extension.module("operators.looking_mesh").read(character)
    places = extension.module("operators.looking_match").face_of(figure, [])
    found = np.empty((478, 3))
    found[places.landmarks] = places.points(figure.surface.points)
    return found


def _ends(metarig: bpy.types.Object, landmarks: Floats, own: Ends) -> Ends:
    """Heads and tails of the metarig's bones on this face."""
    was = {bone.name: (_array(bone.head_local), _array(bone.tail_local)) for bone in metarig.data.bones}
    ends: Ends = {}
    for name, numbers in LEFT.items():
        for side, mirror in (("L", (1.0, 1.0, 1.0)), ("R", (-1.0, 1.0, 1.0))):
            head, tail = (landmarks[n] * ((0.0, 1.0, 1.0) if n in _MIDDLE else mirror) for n in numbers)
            ends[name.replace(".L", f".{side}")] = head, tail
    chin = ends["chin"][0]
    ends["jaw"] = chin + _JAW_JOINT_M, chin
    for side in "LR":
        eye = own[f"eye.{side}"][0]
        ends[f"eye.{side}"] = eye, eye + _EYE_M
        beside = ends[f"temple.{side}"][1] - was[f"temple.{side}"][1]
        ends |= {f"ear.{side}{part}": _moved(was[f"ear.{side}{part}"], beside) for part in _EARS}
    mouth = 0.5 * (landmarks[13] + landmarks[14]) * (0.0, 1.0, 1.0)
    inwards = mouth - 0.5 * (was["lip.T.L"][0] + was["lip.B.L"][0])
    ends |= {name: _moved(was[name], inwards) for name in _MOUTH}
    (neck, head), top = own["neck"], own["head"][1]
    ends["spine.004"], ends["spine.005"] = (neck, 0.5 * (neck + head)), (0.5 * (neck + head), head)
    ends["spine.006"], ends["face"] = (head, top), (head, 0.5 * (head + top))
    return ends


def _moved(ends: tuple[Floats, Floats], by: Floats) -> tuple[Floats, Floats]:
    return ends[0] + by, ends[1] + by


def _lay(metarig: bpy.types.Object, ends: Ends) -> None:
    """Keep head and neck of a human metarig, and move their bones."""
    metarig.pose.bones["spine.004"].rigify_parameters.connect_chain = False  # the spine below goes
    bpy.ops.object.mode_set(mode="EDIT")
    bones = metarig.data.edit_bones
    for bone in list(bones):
        if bone.name not in ends:
            bones.remove(bone)
    for name, (head, tail) in ends.items():
        bones[name].head, bones[name].tail = Vector(head.tolist()), Vector(tail.tolist())
    bpy.ops.object.mode_set(mode="OBJECT")


def _weigh(face: bpy.types.Object, rig: bpy.types.Object, forehead_m: float) -> None:
    """Weights of the rig's deforming bones for a head of many materials; its shape keys go.

    Args:
        face: The head.
        rig: The rig.
        forehead_m: Height of the forehead's top.
    """
    chest = _weights(face, "chest")
    kinds = _kinds(face)
    face.shape_key_clear()
    face.vertex_groups.clear()
    groups, skin_weights, skin = _heat(face, rig, kinds == "Skin")
    weights = np.zeros((len(kinds), len(groups)))
    scalp = smooth_step(_positions(face)[skin, 2], *(forehead_m + part for part in _SCALP_M))[:, None]
    skin_weights = (1.0 - scalp) * skin_weights
    skin_weights[:, groups.index(_SKULL)] += scalp[:, 0]
    weights[skin] = skin_weights
    riding = np.flatnonzero(np.isin(kinds, ("Lashes", "Brows")))
    weights[riding] = skin_weights[_nearest(_positions(face)[riding], _positions(face)[skin])]
    weights *= 1.0 - chest[:, None]
    for index, name in enumerate(groups):
        _set_group(face, name, weights[:, index])
    _set_group(face, _STATIC, np.where(np.isin(kinds, ("Skin", "Shirt")), chest, 0.0))
    left = _positions(face)[:, 0] > 0.0
    for kind, bone in _FOLLOWING.items():
        _set_group(face, bone, (kinds == kind).astype(float))
    for side, is_there in (("L", left), ("R", ~left)):
        _set_group(face, f"ORG-eye.{side}", (np.isin(kinds, _EYES) & is_there).astype(float))
    _rehang(face, rig)


def _heat(
    face: bpy.types.Object, rig: bpy.types.Object, chosen: NDArray[np.bool_]
) -> tuple[list[str], Floats, NDArray[np.int64]]:
    """Bone heat on a part of a mesh: names of the bones, (n, B) weights, and the part's (n,) vertices."""
    vertices = np.flatnonzero(chosen)
    place = np.full(len(chosen), -1)
    place[vertices] = np.arange(len(vertices))
    polygons = [[int(place[v]) for v in polygon.vertices] for polygon in face.data.polygons]
    mesh = bpy.data.meshes.new("Skin")
    mesh.from_pydata(_positions(face)[vertices].tolist(), [], [each for each in polygons if min(each) >= 0])
    skin = bpy.data.objects.new("Skin", mesh)
    bpy.context.collection.objects.link(skin)
    for each in bpy.context.selected_objects:
        each.select_set(False)
    skin.select_set(True)
    rig.select_set(True)
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.parent_set(type="ARMATURE_AUTO")
    names = [group.name for group in skin.vertex_groups]
    weights = np.zeros((len(vertices), len(names)))
    for vertex in mesh.vertices:
        for each in vertex.groups:
            weights[vertex.index, each.group] = each.weight
    bpy.data.objects.remove(skin)
    return names, weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-9), vertices


def _kinds(face: bpy.types.Object) -> NDArray[np.str_]:
    """(V,) the last word of each vertex's material."""
    names = [material.name.rpartition(" ")[2] for material in face.data.materials]
    kinds = np.full(len(face.data.vertices), "", dtype="<U8")
    for polygon in face.data.polygons:
        kinds[list(polygon.vertices)] = names[polygon.material_index]
    return kinds


def _weights(mesh: bpy.types.Object, group: str) -> Floats:
    index = mesh.vertex_groups[group].index
    found = np.zeros(len(mesh.data.vertices))
    for vertex in mesh.data.vertices:
        found[vertex.index] = sum(each.weight for each in vertex.groups if each.group == index)
    return found


def _set_group(mesh: bpy.types.Object, name: str, weights: Floats) -> None:
    group = mesh.vertex_groups.get(name) or mesh.vertex_groups.new(name=name)
    for vertex in np.flatnonzero(weights > 1e-4):
        group.add([int(vertex)], float(weights[vertex]), "REPLACE")


def _rehang(mesh: bpy.types.Object, rig: bpy.types.Object, bone: str = "") -> None:
    """Let a mesh be deformed by the rig, all of it by one bone if one is named."""
    if bone:
        mesh.vertex_groups.clear()
        _set_group(mesh, bone, np.ones(len(mesh.data.vertices)))
    mesh.parent = rig
    next(modifier for modifier in mesh.modifiers if modifier.type == "ARMATURE").object = rig


def _nearest(points: Floats, others: Floats) -> NDArray[np.int64]:
    return np.array([np.square(others - point).sum(axis=1).argmin() for point in points])


def _positions(mesh: bpy.types.Object) -> Floats:
    flat = np.empty(3 * len(mesh.data.vertices), np.float32)
    mesh.data.vertices.foreach_get("co", flat)
    return flat.reshape(-1, 3).astype(np.float64)


def _array(vector: Vector) -> Floats:
    return np.array(vector)
