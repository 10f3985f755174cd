"""Tracks for neck and head from a take's head poses."""

from dataclasses import dataclass
from typing import Any, Final

import bpy
import numpy as np

from ..au_mocap import rotations
from ..au_mocap.arrays import Floats
from ..au_mocap.errors import SettingsError
from . import actions, body, bones, face_mesh, head_pose, places, turning
from .bake_settings import HeadSettings
from .facing import facing_of
from .plan import HEAD, METRE, Plan, bone_path, plan_location, plan_rotation
from .scene import Character

ACTORS_EYES_M: Final = 0.063
"""Distance between the actor's eyes that a take's positions are measured by."""


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
        SettingsError: A demanded bone does not exist, or other animation below is mixed beyond what can be followed.
    """
    head = _bone(character, settings.head_bone or character.head, settings.head_bone)
    neck = _bone(character, settings.neck_bone or character.neck, settings.neck_bone)
    armature = character.armature
    if armature is None or head is None:
        plan.skip("no head bone: the head's turn is left out")
        return
    axes = plan.once(("facing", settings.facing), lambda: facing_of(character, settings.facing).axes)
    turns = head_pose.to_armature(poses.rotation, axes)
    names = plan.once(("neck", head.name), lambda: [bone.name for bone in neck_bones(head, neck)])
    chain = [*(armature.pose.bones[name] for name in names), head]
    if neck is not None and not names and (holder := plan.once(("holder", neck.name), lambda: bones.holder(neck))):
        plan.note(f"'{neck.name}' is held by {holder}, so the head turns alone")
    if settings.rotation:
        locals_ = head_pose.chain(turns, [bones.resting_axes(bone) for bone in chain], settings.neck_share)
        for bone, local in zip(chain, locals_, strict=True):
            plan_rotation(plan, armature, bone, _over_body(plan, armature, bone, local, settings), HEAD)
    if settings.position:
        units = plan.once(("units",), lambda: units_a_metre(character, poses.unit_m, settings))
        moved = units * head_pose.to_armature_offset(poses.position_m, axes)
        if settings.rotation:
            # What turning the bones already moves must not move twice.
            moved = moved - head_pose.swing(turns, settings.neck_share, _pivots(character, chain))
        _plan_position(plan, armature, (chain[0], METRE / units), moved, settings)


def neck_bones(head: bpy.types.PoseBone, neck: bpy.types.PoseBone | None) -> list[bpy.types.PoseBone]:
    """The bones that share the neck's part, from below: the neck's and what bends with it up to the head.

    None where the head does not turn with the neck, or something else holds the neck.
    """
    above: list[bpy.types.PoseBone] = []
    bone = head
    while bone != neck:
        if not bone.bone.use_inherit_rotation or (bone != head and bones.holder(bone)) or bone.parent is None:
            return []
        bone = bone.parent
        above.append(bone)
    if neck is None or neck == head or bones.holder(neck):
        return []
    return [each for each in reversed(above) if each == neck or each.bone.use_deform]


def units_a_metre(character: Character, unit_m: float, settings: HeadSettings) -> float:
    """How far the head moves in the armature's units where the actor's moved a metre."""
    if settings.moves == "size":
        eyes = _eyes(character)
        apart = float(np.linalg.norm(eyes[0] - eyes[1])) if len(eyes) == 2 else face_mesh.eye_distance(character)
        if apart > 0.0:
            return apart / ACTORS_EYES_M
    armature = character.armature
    scale = sum(places.world_of(armature).to_scale()[:]) / 3.0 if armature is not None else 1.0
    return 1.0 / max(unit_m * scale, 1e-9)


def _over_body(
    plan: Plan, armature: bpy.types.Object, bone: bpy.types.PoseBone, local: Floats, settings: HeadSettings
) -> Floats:
    """A bone's turns (T, 4) on top of what other animation turns it by."""
    if settings.over_body == "replace":
        return local
    below = body.turns(armature, bone, _active_bag(plan, armature), plan.frames)
    if below is None:
        return local
    plan.starts[bone_path(bone, turning.leaf(bone))] = below.start
    plan.note(f"'{bone.name}' is animated already: the performance was put on top")
    turned = rotations.to_matrices(below.quaternions) @ rotations.to_matrices(local)
    return rotations.continuous(rotations.to_quaternions(turned))


def _active_bag(plan: Plan, armature: bpy.types.Object) -> Any:  # noqa: ANN401
    """What plays above the rig's strips now, or will after a bake into a chosen Action."""
    if plan.settings.destination == "active":
        return plan.place.existing(armature)
    return actions.active_bag(armature)


def _bone(character: Character, name: str | None, demanded: str) -> bpy.types.PoseBone | None:
    bone = character.armature.pose.bones.get(name) if character.armature and name else None
    if bone is None and demanded:
        message = f"The character has no bone '{demanded}': choose another one, or none."
        raise SettingsError(message)
    return bone


def _eyes(character: Character) -> list[Floats]:
    """Places of the eye bones at rest, in the armature."""
    found = [character.armature.data.bones.get(name or "") for name in character.eyes] if character.armature else []
    return [np.array(bone.head_local[:]) for bone in found if bone is not None]


def _pivots(character: Character, chain: list[bpy.types.PoseBone]) -> Floats:
    """Resting places (N, 3) of the pivots of the neck's bones and the head, and the point between the eyes."""
    eyes, head = _eyes(character), chain[-1].bone
    between = np.mean(eyes if len(eyes) == 2 else [head.head_local[:], head.tail_local[:]], axis=0)
    return np.array([*(bone.bone.head_local[:] for bone in chain), between])


def _plan_position(
    plan: Plan,
    armature: bpy.types.Object,
    lowest: tuple[bpy.types.PoseBone, float],
    offset: Floats,
    settings: HeadSettings,
) -> None:
    """Offsets (T, 3) in the armature's axes, for the nearest bone upwards of the lowest that is free to move.

    The lowest comes with how much one unit counts where the tolerance is 1.
    """
    bone, weight = lowest
    while not bones.can_move(bone) and bone.parent is not None:
        bone = bone.parent
    if not bones.can_move(bone):
        plan.skip(f"{armature.name}: no bone below the head is free to move, so it only turns")
        return
    local = offset @ bones.location_axes(bone)
    path = bone_path(bone, "location")
    if settings.over_body == "add":
        below = body.sampled(armature, path, _active_bag(plan, armature), plan.frames)
        local = local if below is None else local + below
    plan_location(plan, armature, (bone, weight), local, HEAD)
