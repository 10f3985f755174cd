"""Made-up performances, small characters and what their animation says."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import bpy
import numpy as np
from mathutils import Euler, Vector
from numpy.typing import ArrayLike

from training import extension

if TYPE_CHECKING:
    from au_mocap.mapping import Mapping
    from operators.bake_settings import HeadSettings
    from operators.keying import BakeReport


@dataclass(frozen=True)
class Played:
    """What `calibration.Curves` holds, without a take behind it."""

    time_s: np.ndarray
    values: np.ndarray
    head_rotation: np.ndarray
    head_position: np.ndarray


def still(count: int, rate_hz: float = 30.0) -> Played:
    """A neutral face that looks straight ahead."""
    rotation = np.tile([1.0, 0.0, 0.0, 0.0], (count, 1))
    position = np.tile([0.0, 0.0, 0.6], (count, 1))
    return Played(np.arange(count) / rate_hz, np.zeros((count, 58)), rotation, position)


def acting(count: int, rate_hz: float = 30.0, **channels: ArrayLike) -> Played:
    """A still face with some channels set to arrays or numbers."""
    index = extension.module("au_mocap.channels").INDEX
    played = still(count, rate_hz)
    for channel, values in channels.items():
        played.values[:, index[channel]] = values
    return played


def turned(played: Played, angles_deg: ArrayLike) -> Played:
    """The same with the head turned by (T, 3) yaw, pitch and roll in degrees."""
    rotations = extension.module("au_mocap.rotations")
    matrices = rotations.from_angles(np.radians(np.broadcast_to(angles_deg, (len(played.time_s), 3))))
    return replace(played, head_rotation=rotations.continuous(rotations.to_quaternions(matrices)))


def with_gap(played: Played, gap: slice) -> Played:
    """The same with no face in some frames."""
    for array in (played.values, played.head_rotation, played.head_position):
        array[gap] = np.nan
    return played


def face_mesh(name: str, *keys: str) -> bpy.types.Object:
    """A triangle with shape keys."""
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata([(0, 0, 0), (1, 0, 0), (0, 0, 1)], [], [(0, 1, 2)])
    made = bpy.data.objects.new(name, mesh)
    bpy.context.collection.objects.link(made)
    for key in ("Basis", *keys):
        made.shape_key_add(name=key).value = 0.0  # Blender 5.2 adds keys at full strength
    return made


def skeleton(*bones: tuple[str, str, tuple, tuple, float]) -> bpy.types.Object:
    """An armature of bones given as name, parent, head, tail and roll."""
    armature = bpy.data.objects.new("Rig", bpy.data.armatures.new("Rig"))
    bpy.context.collection.objects.link(armature)
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    for name, parent, head, tail, roll in bones:
        bone = armature.data.edit_bones.new(name)
        bone.head, bone.tail, bone.roll = head, tail, roll
        bone.parent = armature.data.edit_bones.get(parent) if parent else None
    bpy.ops.object.mode_set(mode="OBJECT")
    return armature


def bake(
    chosen: bpy.types.Object,
    played: Played,
    rows: "Mapping | None" = None,
    start_frame: float = 1.0,
    **head: float | bool | str,
) -> "BakeReport":
    """Bake through the extension; the ARKit mapping unless told otherwise."""
    keying = extension.module("operators.keying")
    character = extension.module("operators.scene").find_character(chosen)
    how = extension.module("operators.head_tracks").HeadSettings(**head) if head.pop("head_pose", True) else None
    rows = rows or extension.module("au_mocap.mapping").load("arkit")
    return keying.bake(bpy.context.scene, character, played, rows, keying.BakeSettings(start_frame, "take one", how))


def bake_with(
    chosen: bpy.types.Object, played: Played, rows: "Mapping | None" = None, **settings: object
) -> "BakeReport":
    """Bake with fields of `BakeSettings`; the head stays out unless given."""
    keying = extension.module("operators.keying")
    character = extension.module("operators.scene").find_character(chosen)
    rows = rows or extension.module("au_mocap.mapping").load("arkit")
    made = keying.BakeSettings(**{"name": "take one", "head": None, **settings})
    return keying.bake(bpy.context.scene, character, played, rows, made)


def shape_row(channel: str, name: str, **more: object) -> dict:
    """A row of a mapping that drives a shape key."""
    return {"channel": channel, "target": {"kind": "shape_key", "name": name}, **more}


def errors(name: str) -> type[Exception]:
    """A class of `au_mocap.errors`."""
    return getattr(extension.module("au_mocap.errors"), name)


def table(*rows: dict[str, object]) -> "Mapping":
    """A mapping from rows as in a mapping file."""
    document = {"name": "Test", "version": 1, "rows": list(rows)}
    return extension.module("au_mocap.mapping").from_document(document)


def curves_of(owner: bpy.types.ID) -> dict[tuple[str, int], bpy.types.FCurve]:
    """The animation curves that really drive a data-block."""
    data = owner.animation_data
    if data is None or data.action is None:
        return {}
    bag: Any = data.action
    if hasattr(data.action, "slots"):
        bag = data.action.layers[0].strips[0].channelbag(data.action_slot)
    return {} if bag is None else {(curve.data_path, curve.array_index): curve for curve in bag.fcurves}


def strip_curves(owner: bpy.types.ID | None) -> dict[tuple[str, int], bpy.types.FCurve]:
    """The curves of the first NLA strip of a data-block."""
    assert owner is not None
    strip = owner.animation_data.nla_tracks[0].strips[0]
    bag: Any = strip.action
    if hasattr(strip.action, "slots"):
        bag = strip.action.layers[0].strips[0].channelbag(strip.action_slot)
    return {(curve.data_path, curve.array_index): curve for curve in bag.fcurves}


def angle_deg(rig: bpy.types.Object, bone_name: str, frame: int) -> float:
    """By how much a bone is turned in the armature's space, away from its rest."""
    bpy.context.scene.frame_set(frame)
    bone = rig.pose.bones[bone_name]
    turn = bone.matrix.to_3x3() @ bone.bone.matrix_local.to_3x3().inverted()
    return float(np.degrees(turn.normalized().to_quaternion().angle))


def shown(mesh: bpy.types.Object, frame: float, key: str = "jawOpen") -> float:
    """A shape key's value as the scene plays it."""
    bpy.context.scene.frame_set(int(np.floor(frame)), subframe=frame - np.floor(frame))
    return mesh.data.shape_keys.key_blocks[key].value


def head_settings(**settings: Any) -> "HeadSettings":  # noqa: ANN401
    """How neck and head follow."""
    return extension.module("operators.bake_settings").HeadSettings(**settings)


def key_curves(mesh: bpy.types.Object) -> dict[tuple[str, int], bpy.types.FCurve]:
    """The curves that drive a mesh's shape keys."""
    keys = mesh.data.shape_keys
    assert keys is not None
    return curves_of(keys)


def xyz(vector: Vector | Euler) -> tuple[float, float, float]:
    """A vector or Euler rotation as plain numbers."""
    return vector.x, vector.y, vector.z


def key_curve(mesh: bpy.types.Object, key: str) -> bpy.types.FCurve:
    """The curve of one shape key's value."""
    return key_curves(mesh)[f'key_blocks["{key}"].value', 0]


def points(curve: bpy.types.FCurve) -> np.ndarray:
    """(K, 2) frames and values of a curve's keys."""
    flat = np.zeros(2 * len(curve.keyframe_points), np.float32)
    curve.keyframe_points.foreach_get("co", flat)
    return flat.reshape(-1, 2)
