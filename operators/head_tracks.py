"""Tracks for neck and head from a take's head poses."""

from dataclasses import dataclass

import bpy
import numpy as np

from ..au_mocap.arrays import Floats
from ..au_mocap.errors import SettingsError
from . import head_pose
from .bake_settings import HeadSettings
from .plan import HEAD, METRE, Plan, bone_path, plan_rotation, resting_axes
from .scene import Character


@dataclass(frozen=True, slots=True)
class HeadPoses:
    """What the actor's head did.

    Attributes:
        rotation: (T, 4) quaternions of the head pose contract.
        position_m: (T, 3) metres of the same.
        unit_m: Metres in a unit of the scene.
    """

    rotation: Floats
    position_m: Floats
    unit_m: float


def plan_head(plan: Plan, character: Character, poses: HeadPoses, settings: HeadSettings) -> None:
    """Plan the turns (and moves) of neck and head.

    Args:
        plan: Where they are added; without a head bone that is noted there.
        character: What to drive.
        poses: What the actor's head did.
        settings: Which bones follow, and how.

    Raises:
        SettingsError: A demanded bone does not exist.
    """
    head = _bone(character, settings.head_bone or character.head, settings.head_bone)
    neck = _bone(character, settings.neck_bone or character.neck, settings.neck_bone)
    armature = character.armature
    if armature is None or head is None:
        plan.skip("no head bone: the head's turn is left out")
        return
    turns = head_pose.to_armature(poses.rotation)
    if neck is not None and not _inherits(head, neck):
        neck = None
    if settings.rotation:
        _plan_turns(plan, (armature, neck, head), turns, settings.neck_share)
    if settings.position:
        moved = head_pose.to_armature_offset(poses.position_m) / max(poses.unit_m * _scale(armature), 1e-9)
        if settings.rotation:
            # What turning the bones already moves must not move twice.
            pivots = _pivots(character, neck or head, head)
            moved = moved - head_pose.swing(turns, settings.neck_share if neck else 0.0, pivots)
        _plan_position(plan, armature, neck or head, moved, METRE * poses.unit_m * _scale(armature))


def _plan_turns(
    plan: Plan,
    bones: tuple[bpy.types.Object, bpy.types.PoseBone | None, bpy.types.PoseBone],
    turns: Floats,
    neck_share: float,
) -> None:
    armature, neck, head = bones
    head_rest = resting_axes(head)
    if neck is None:
        plan_rotation(plan, armature, head, head_pose.in_rest_frame(turns, head_rest), HEAD)
        return
    split = head_pose.neck_and_head(turns, resting_axes(neck), head_rest, neck_share)
    plan_rotation(plan, armature, neck, split.neck, HEAD)
    plan_rotation(plan, armature, head, split.head, HEAD)


def _scale(armature: bpy.types.Object) -> float:
    return sum(armature.matrix_world.to_scale()[:]) / 3.0


def _bone(character: Character, name: str | None, demanded: str) -> bpy.types.PoseBone | None:
    bone = character.armature.pose.bones.get(name) if character.armature and name else None
    if bone is None and demanded:
        message = f"The character has no bone '{demanded}': choose another one, or none."
        raise SettingsError(message)
    return bone


def _inherits(head: bpy.types.PoseBone, neck: bpy.types.PoseBone) -> bool:
    """Whether turning the neck turns the head."""
    bone = head
    while bone is not None and bone != neck and bone.bone.use_inherit_rotation:
        bone = bone.parent
    return bone == neck and bone != head


def _pivots(character: Character, neck: bpy.types.PoseBone, head: bpy.types.PoseBone) -> Floats:
    """Resting places (3, 3) of the neck's and the head's pivot and the point between the eyes, in the armature."""
    bones = [character.armature.data.bones.get(name or "") for name in character.eyes] if character.armature else []
    eyes = [bone.head_local[:] for bone in bones if bone is not None]
    between = np.mean(eyes if len(eyes) == 2 else [head.bone.head_local[:], head.bone.tail_local[:]], axis=0)
    return np.array([neck.bone.head_local[:], head.bone.head_local[:], between])


def _plan_position(
    plan: Plan, armature: bpy.types.Object, bone: bpy.types.PoseBone, offset: Floats, weight: float
) -> None:
    """Offsets (T, 3) in the armature's axes, for the nearest bone from `bone` upwards that is free to move."""
    while bone.bone.use_connect and bone.parent is not None:
        bone = bone.parent
    local = offset @ resting_axes(bone)
    for index in range(3):
        plan.add(armature, (bone_path(bone, "location"), index), HEAD, local[:, index], weight)
