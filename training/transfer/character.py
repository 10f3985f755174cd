"""A head in Blender: loading it, finding its shapes, and posing it.

The character faces -Y with +Z up, as Blender's glTF importer leaves what obeys the format; its left is +X.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

from training import packages, stage
from training.transfer import shapes
from training.transfer.heads import HeadModel

GAZE_DEG: Final = {"Up": 11.3, "Down": 17.3, "In": 24.8, "Out": 22.6}
"""How far a full look turns the eyes of the training head, which defines it. For heads whose eyes are bones."""

_LEAST_TRAVEL_M: Final = 0.0005
"""A morph that moves no vertex further is a placeholder."""

_SIDES: Final = ("Left", "Right")
_FLESH: Final = (0.42, 0.11, 0.10, 1.0)
_TEETH: Final = (0.80, 0.76, 0.66, 1.0)


class HeadError(Exception):
    """A head's file is not what its description says."""


@dataclass(frozen=True)
class Character:
    """A head that is ready to be posed.

    Attributes:
        model: Its description.
        held: ARKit shapes that it can show.
        ipd_m: Distance between its eyes' centres.
        origin_m: (3,) world point between the eyes.
    """

    model: HeadModel
    held: frozenset[str]
    ipd_m: float
    origin_m: NDArray[np.float64]
    _keys: Mapping[str, tuple[bpy.types.ShapeKey, ...]]
    _eyes: tuple[bpy.types.PoseBone, bpy.types.PoseBone]

    def pose(self, row: NDArray[np.float32]) -> None:
        """Shows a (P,) expression of `channels.PREDICTED_IDS` (from `shapes.showable`)."""
        weights = shapes.weights(row)
        for shape, keys in self._keys.items():
            for key in keys:
                key.value = weights[shape]
        if self.model.turns_eyes:
            for side, bone in zip(_SIDES, self._eyes, strict=True):
                _turn(bone, *_gaze_deg(weights, side))

    def world_from_head(self) -> NDArray[np.float64]:
        """(3, 3) rotation from head axes (x to the actor's left, y down, z into the head) to Blender's world."""
        return stage.CAMERA_FROM_WORLD.T


def load(model: HeadModel) -> Character:
    """Reads a head into an empty scene.

    Raises:
        PackageError: The file cannot be fetched.
        HeadError: It lacks what its description names.
    """
    bpy.ops.wm.read_factory_settings(use_empty=True)
    with stage.quiet():
        bpy.ops.import_scene.gltf(filepath=str(packages.fetch(model.file)))
    for placed in list(bpy.data.objects):
        if placed.name in model.dropped or _is_aid(placed):
            bpy.data.objects.remove(placed)
    for name in model.masked:
        _colour_mouth(bpy.data.materials[name])
    armature = next((placed for placed in bpy.data.objects if placed.type == "ARMATURE"), None)
    if armature is None or armature.pose is None or not set(model.eye_bones) <= set(armature.pose.bones.keys()):
        message = f"{model.name} has no armature with bones {', '.join(model.eye_bones)}: correct its description."
        raise HeadError(message)
    left, right = (armature.pose.bones[name] for name in model.eye_bones)
    centres = [np.array(armature.matrix_world @ bone.head) for bone in (left, right)]
    if centres[0][0] <= centres[1][0]:
        message = f"The left eye of {model.name} is not on its left: its bones or its facing are named wrongly."
        raise HeadError(message)
    keys = _keys()
    eyes_held = {shape for shape in shapes.CHANNELS_OF if shape.startswith("eyeLook")} if model.turns_eyes else set()
    return Character(
        model=model,
        held=frozenset(keys) | eyes_held,
        ipd_m=float(np.linalg.norm(centres[0] - centres[1])),
        origin_m=np.mean(centres, axis=0),
        _keys=keys,
        _eyes=(left, right),
    )


def _is_aid(placed: bpy.types.Object) -> bool:
    """Whether an object is the sphere that the importer draws bones with."""
    return any(collection.name == "glTF_not_exported" for collection in placed.users_collection)


def _colour_mouth(material: bpy.types.Material) -> None:
    """Puts colours of flesh and teeth where a material's vertex colours say which is which."""
    assert material.node_tree is not None
    nodes, links = material.node_tree.nodes, material.node_tree.links
    mask = next(node for node in nodes if node.type == "VERTEX_COLOR")
    surface = next(node for node in nodes if node.type == "BSDF_PRINCIPLED")
    ramp = nodes.new("ShaderNodeValToRGB")
    for element, colour in zip(ramp.color_ramp.elements, (_FLESH, _TEETH), strict=True):
        element.color = colour
    links.new(mask.outputs["Color"], ramp.inputs["Fac"])
    links.new(ramp.outputs["Color"], surface.inputs["Base Color"])


def _keys() -> dict[str, tuple[bpy.types.ShapeKey, ...]]:
    """Shape keys of all meshes by ARKit shape; those that move nothing are left out."""
    found: dict[str, list[bpy.types.ShapeKey]] = {}
    for placed in bpy.data.objects:
        mesh = placed.data
        if not isinstance(mesh, bpy.types.Mesh) or mesh.shape_keys is None:
            continue
        rest = _points(mesh.shape_keys.key_blocks[0])
        scale = placed.matrix_world.median_scale
        for key in mesh.shape_keys.key_blocks[1:]:
            shape = shapes.arkit_name(key.name)
            travel_m = np.linalg.norm(_points(key) - rest, axis=1).max() * scale
            if shape is not None and travel_m > _LEAST_TRAVEL_M:
                found.setdefault(shape, []).append(key)
    return {shape: tuple(keys) for shape, keys in found.items()}


def _points(key: bpy.types.ShapeKey) -> NDArray[np.float32]:
    points = np.empty(3 * len(key.data), np.float32)
    key.data.foreach_get("co", points)
    return points.reshape(-1, 3)


def _gaze_deg(weights: Mapping[str, float], side: str) -> tuple[float, float]:
    """An eye's angles: to the actor's left and up."""
    turn = {way: degrees * weights[f"eyeLook{way}{side}"] for way, degrees in GAZE_DEG.items()}
    outward = turn["Out"] - turn["In"]
    return outward if side == "Left" else -outward, turn["Up"] - turn["Down"]


def _turn(bone: bpy.types.PoseBone, left_deg: float, up_deg: float) -> None:
    """Turns a bone about its joint, first up about the world's X, then left about its Z."""
    rest = bone.bone.matrix_local
    turned = Matrix.Rotation(np.radians(left_deg), 3, "Z") @ Matrix.Rotation(np.radians(-up_deg), 3, "X")
    place = Matrix.Translation(rest.translation)
    bone.matrix = place @ turned.to_4x4() @ place.inverted() @ rest
