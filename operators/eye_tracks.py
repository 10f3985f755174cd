"""Tracks for eye bones, or for the bones that they look at, from the gaze channels of a performance."""

from dataclasses import dataclass
from functools import partial
from typing import Final

import bpy
import numpy as np
from numpy.typing import NDArray

from ..au_mocap import channels, rotations
from ..au_mocap.arrays import Floats
from ..au_mocap.errors import SettingsError
from . import bones, head_pose
from .bake_settings import EyeSettings
from .facing import facing_of
from .plan import GAZE, Plan, plan_location, plan_rotation
from .scene import Character

# How far an eye turns when a gaze channel is 1. People turn the head rather than the eyes beyond this, and most rigs'
# lids still follow here; downwards the eye goes further than upwards, where the brow stops it.
SIDEWAYS_RAD: Final = np.radians(35.0)
UP_RAD: Final = np.radians(25.0)
DOWN_RAD: Final = np.radians(30.0)

_NAMES: Final = {"L": "left", "R": "right"}


@dataclass(frozen=True, slots=True)
class _Aim:
    """An eye that looks at a bone.

    Attributes:
        side: `L` or `R`.
        target: Name of the bone that it looks at.
        pivot: (3,) the eye's place at rest, in the armature.
    """

    side: str
    target: str
    pivot: NDArray[np.float64]


def plan_eyes(plan: Plan, character: Character, values: Floats, settings: EyeSettings) -> bool:
    """Plan the turns of the eye bones, or the moves of what they look at.

    Args:
        plan: Where they are added; a missing eye is noted there.
        character: What to drive.
        values: (T, 58) curves, columns as `channels.IDS`; NaN where there is no face.
        settings: Which bones.

    Returns:
        Whether at least one eye bone exists.

    Raises:
        SettingsError: A demanded bone does not exist.
    """
    armature = character.armature
    demanded = dict(zip("LR", (settings.left, settings.right), strict=True))
    own = dict(zip("LR", character.eyes, strict=True))
    target = _demanded(armature, settings.target)
    eyes = {side: _demanded(armature, demanded[side]) or _bone(armature, own[side]) for side in "LR"}
    aims: list[_Aim] = []
    axes = plan.once(("facing", settings.facing), lambda: facing_of(character, settings.facing).axes)
    for side, bone in eyes.items():
        if armature is None or bone is None:
            plan.skip(f"no {_NAMES[side]} eye bone")
            continue
        aim = plan.once(("aim", side, bone.name, settings.target), partial(_aim, side, bone, target))
        if aim is not None:
            aims.append(aim)
        else:
            turns = head_pose.to_armature(rotations.to_quaternions(gaze_turns(values, side)), axes)
            plan_rotation(plan, armature, bone, head_pose.in_rest_frame(turns, bones.resting_axes(bone)), GAZE)
    if armature is not None and aims:
        head = _bone(armature, plan.settings.head.head_bone or character.head) if plan.settings.head else None
        _plan_aims(plan, armature, aims, _Gaze(values, axes, head))
    return any(bone is not None for bone in eyes.values())


def gaze_turns(values: Floats, sides: str) -> NDArray[np.float64]:
    """An eye's turn in the head: (T, 3, 3) rotations of the head pose contract, NaN where there is no face.

    Args:
        values: (T, 58) curves, columns as `channels.IDS`.
        sides: `L` or `R`, the actor's own; `LR` for what both eyes look at together.
    """
    return rotations.from_angles(np.mean([_gaze_angles(values, side) for side in sides], axis=0))


def _gaze_angles(values: Floats, side: str) -> NDArray[np.float64]:
    """(T, 3) yaw, pitch and roll in radians."""
    up, down, inwards, outwards = (
        np.asarray(values[:, channels.INDEX[f"look_{way}_{side}"]], np.float64) for way in ("up", "down", "in", "out")
    )
    # The left eye looks inwards to the actor's right, which is positive, and the right eye outwards.
    to_the_right = inwards - outwards if side == "L" else outwards - inwards
    pitch = down * DOWN_RAD - up * UP_RAD
    return np.stack([SIDEWAYS_RAD * to_the_right, pitch, np.zeros_like(pitch)], axis=1)


def _aim(side: str, bone: bpy.types.PoseBone, target: bpy.types.PoseBone | None) -> _Aim | None:
    """What an eye looks at: the demanded bone, the one that its constraint names, or itself where it is a target."""
    pivot = np.array(bone.bone.head_local[:])
    if target is not None:
        return _Aim(side, target.name, pivot)
    looking = next((each for each in bone.id_data.pose.bones if bones.aimed_at(each) == bone), None)
    if looking is not None:
        return _Aim(side, bone.name, np.array(looking.bone.head_local[:]))
    aimed = bones.aimed_at(bone)
    return _Aim(side, aimed.name, pivot) if aimed is not None else None


@dataclass(frozen=True, slots=True)
class _Gaze:
    """Where eyes look.

    Attributes:
        values: (T, 58) curves.
        axes: (3, 3) of `facing.Facing`.
        head: The head bone, where the head turns in the same bake.
    """

    values: Floats
    axes: Floats
    head: bpy.types.PoseBone | None


def _plan_aims(plan: Plan, armature: bpy.types.Object, aims: list[_Aim], gaze: _Gaze) -> None:
    for name in dict.fromkeys(aim.target for aim in aims):
        target = armature.pose.bones[name]
        looking = [aim for aim in aims if aim.target == name]
        if gaze.head is not None and not plan.once(("follows", name), partial(bones.follows, target, gaze.head)):
            plan.skip(
                f"{armature.name}: the eyes' target '{target.name}' does not go where the head goes: make it a child "
                "of the head bone, or bake the gaze without the head"
            )
            continue
        if not bones.can_move(target) or plan.once(("holder", name), partial(bones.holder, target)):
            plan.skip(f"{armature.name}: the eyes' target '{target.name}' cannot be moved")
            continue
        turns = head_pose.to_armature(
            rotations.to_quaternions(gaze_turns(gaze.values, "".join(aim.side for aim in looking))), gaze.axes
        )
        away = np.array(target.bone.head_local[:]) - np.mean([aim.pivot for aim in looking], axis=0)
        local = (turns @ away - away) @ bones.location_axes(target)
        # A tolerance in radians is as far as the target moves for it.
        plan_location(plan, armature, (target, 1.0 / max(float(np.linalg.norm(away)), 1e-9)), local, GAZE)


def _bone(armature: bpy.types.Object | None, name: str | None) -> bpy.types.PoseBone | None:
    return armature.pose.bones.get(name) if armature is not None and name else None


def _demanded(armature: bpy.types.Object | None, name: str) -> bpy.types.PoseBone | None:
    """A bone that must exist, None where none is wanted."""
    bone = _bone(armature, name)
    if bone is None and name:
        message = f"The character has no bone '{name}': choose another eye bone, or none."
        raise SettingsError(message)
    return bone
