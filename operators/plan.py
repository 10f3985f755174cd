"""What a bake will write, found and checked without touching the scene."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

import bpy
import numpy as np

from ..au_mocap import channels, mapping, rotations
from ..au_mocap.arrays import Floats
from .actions import Track
from .scene import Character

FACE: Final = "Face"
HEAD: Final = "Head"
BONES: Final = "Bones"
PROPERTIES: Final = "Properties"
GAZE: Final = "Gaze"


@dataclass(slots=True)
class Plan:
    """Tracks by data-block.

    Attributes:
        frames: (T,) scene frames of the performance.
        tracks: What to write.
        rotation_modes: Modes that bones must have for their tracks to count.
        skipped: What cannot be written and why, one line each.
    """

    frames: Floats
    tracks: dict[bpy.types.ID, list[Track]] = field(default_factory=dict)
    rotation_modes: dict[bpy.types.PoseBone, str] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)

    def add(self, owner: bpy.types.ID, path: tuple[str, int], group: str, values: Floats) -> None:
        """Plan keys where the values are known."""
        if any((track.data_path, track.index) == path for track in self.tracks.get(owner, ())):
            self.skip(f"{owner.name}: {path[0]} is driven twice")
            return
        if _is_driven(owner, *path):
            self.skip(f"{owner.name}: {path[0]} has a driver")
            return
        if _is_linked(owner):
            self.skip(f"{owner.name}: it or its Action is linked from another file, make it local first")
            return
        known = np.isfinite(values)
        if not known.any():
            return
        keys = Track(*path, group, self.frames[known].astype(np.float32), values[known].astype(np.float32))
        self.tracks.setdefault(owner, []).append(keys)

    def skip(self, reason: str) -> None:
        """Note what is left out, once."""
        if reason not in self.skipped:
            self.skipped.append(reason)


def is_gaze(row: mapping.Row) -> bool:
    """Whether a row carries the direction of the eyes."""
    return row.channel.startswith("look_")


def plan_targets(plan: Plan, character: Character, table: mapping.Mapping, values: Floats) -> None:
    """Plan tracks for what a mapping drives.

    Args:
        plan: Where they are added; what does not exist on the character is noted there.
        character: What to drive.
        table: Which channel drives what.
        values: (T, 58) curves, columns as `channels.IDS`; NaN where there is no face.
    """
    by_face = {row.target for row in table.rows if row.enabled and not is_gaze(row)}
    bone_rows: dict[mapping.BoneTarget, Floats] = {}
    for target, curve in mapping.evaluate(table, channels.IDS, values).items():
        if isinstance(target, mapping.BoneTarget):
            bone_rows[target] = curve
        elif isinstance(target, mapping.ShapeKeyTarget):
            _plan_shape_key(plan, character, target, FACE if target in by_face else GAZE, curve)
        else:
            _plan_property(plan, character, target, PROPERTIES if target in by_face else GAZE, curve)
    _plan_bones(
        plan, character, bone_rows, {target.bone for target in by_face if isinstance(target, mapping.BoneTarget)}
    )


def _plan_shape_key(
    plan: Plan, character: Character, target: mapping.ShapeKeyTarget, group: str, values: Floats
) -> None:
    shapes = [mesh.data.shape_keys for mesh in character.meshes if target.object in (None, mesh.name)]
    owners = dict.fromkeys(each for each in shapes if each is not None and target.name in each.key_blocks)
    if not owners:
        plan.skip(f"no shape key '{target.name}'" + (f" on '{target.object}'" if target.object else ""))
    for owner in owners:
        key = owner.key_blocks[target.name]
        path = f'key_blocks["{bpy.utils.escape_identifier(target.name)}"].value'
        plan.add(owner, (path, 0), group, np.clip(values, key.slider_min, key.slider_max))


def _plan_property(
    plan: Plan, character: Character, target: mapping.PropertyTarget, group: str, values: Floats
) -> None:
    owner = bpy.data.objects.get(target.object) if target.object else character.armature
    where = f"'{target.data_path}'" + (f"[{target.index}]" if target.index is not None else "")
    if owner is None:
        plan.skip(f"no object '{target.object}' for {where}" if target.object else f"no armature for {where}")
        return
    try:
        value = owner.path_resolve(target.data_path)
        number = value if target.index is None else value[target.index]
    except (ValueError, TypeError, KeyError, IndexError):
        plan.skip(f"no property {where} on '{owner.name}'")
        return
    if isinstance(number, bool) or not isinstance(number, int | float):
        plan.skip(f"{where} on '{owner.name}' is not a single number")
        return
    plan.add(owner, (target.data_path, target.index or 0), group, values)


def _plan_bones(
    plan: Plan, character: Character, rows: Mapping[mapping.BoneTarget, Floats], of_the_face: Collection[str]
) -> None:
    groups: dict[tuple[str, str], dict[str, Floats]] = {}
    for target, values in rows.items():
        groups.setdefault((target.bone, target.path), {})[target.axis] = values
    armature = character.armature
    for (bone_name, path), axes in groups.items():
        bone = armature.pose.bones.get(bone_name) if armature else None
        group = BONES if bone_name in of_the_face else GAZE
        if armature is None or bone is None:
            plan.skip(f"no bone '{bone_name}'")
        elif path == "rotation":
            plan_rotation(plan, armature, bone, _quaternions(axes), group)
        else:
            for axis, values in axes.items():
                added = 1.0 if path == "scale" else 0.0
                plan.add(armature, (bone_path(bone, path), "xyz".index(axis)), group, added + values)


def _quaternions(axes: Mapping[str, Floats]) -> Floats:
    """Rotations about a bone's own axes in radians, x first, then y, then z, as (T, 4)."""
    turned = np.eye(3)
    for axis, unit in zip("xyz", np.eye(3), strict=True):
        if axis in axes:
            turned = rotations.from_vectors(axes[axis][:, None] * unit) @ turned
    return rotations.continuous(rotations.to_quaternions(turned))


def plan_rotation(
    plan: Plan, armature: bpy.types.Object, bone: bpy.types.PoseBone, quaternions: Floats, group: str
) -> None:
    """Plan a bone's local rotation: (T, 4) quaternions in its rest frame."""
    others = [(leaf, index) for leaf in ("rotation_euler", "rotation_axis_angle") for index in range(4)]
    if any(_is_driven(armature, bone_path(bone, leaf), index) for leaf, index in others):
        # In another mode its drivers would have no say.
        plan.skip(f"{armature.name}: the rotation of '{bone.name}' has a driver")
        return
    plan.rotation_modes[bone] = "QUATERNION"
    for index in range(4):
        plan.add(armature, (bone_path(bone, "rotation_quaternion"), index), group, quaternions[:, index])


def bone_path(bone: bpy.types.PoseBone, leaf: str) -> str:
    """Data path of a bone's property, from the armature object."""
    return f'pose.bones["{bpy.utils.escape_identifier(bone.name)}"].{leaf}'


def resting_axes(bone: bpy.types.PoseBone) -> Floats:
    """A bone's resting axes in the armature, as columns: (3, 3)."""
    return np.array([tuple(row[:]) for row in bone.bone.matrix_local.to_3x3()])


def _is_linked(owner: bpy.types.ID) -> bool:
    action = owner.animation_data.action if owner.animation_data else None
    return owner.library is not None or (action is not None and action.library is not None)


def _is_driven(owner: bpy.types.ID, data_path: str, index: int) -> bool:
    data = owner.animation_data
    return data is not None and any(
        driver.data_path == data_path and driver.array_index == index for driver in data.drivers
    )
