"""Tracks for eye bones from the gaze channels of a performance."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..au_mocap import channels, rotations
from ..au_mocap.arrays import Floats
from ..au_mocap.errors import SettingsError
from . import head_pose
from .bake_settings import EyeSettings
from .plan import GAZE, Plan, plan_rotation, resting_axes
from .scene import Character

# How far an eye turns when a gaze channel is 1. People turn the head rather than the eyes beyond this, and most rigs'
# lids still follow here; downwards the eye goes further than upwards, where the brow stops it.
SIDEWAYS_RAD: Final = np.radians(35.0)
UP_RAD: Final = np.radians(25.0)
DOWN_RAD: Final = np.radians(30.0)


def plan_eyes(plan: Plan, character: Character, values: Floats, settings: EyeSettings) -> bool:
    """Plan the turns of the eye bones.

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
    found = False
    for side, demanded, own in zip("LR", (settings.left, settings.right), character.eyes, strict=True):
        bone = armature.pose.bones.get(demanded or own or "") if armature else None
        if bone is None and demanded:
            message = f"The character has no bone '{demanded}': choose another eye bone, or none."
            raise SettingsError(message)
        if armature is None or bone is None:
            plan.skip(f"no {'left' if side == 'L' else 'right'} eye bone")
            continue
        found = True
        turns = head_pose.to_armature(rotations.to_quaternions(gaze_turns(values, side)))
        plan_rotation(plan, armature, bone, head_pose.in_rest_frame(turns, resting_axes(bone)), GAZE)
    return found


def gaze_turns(values: Floats, side: str) -> NDArray[np.float64]:
    """An eye's turn in the head: (T, 3, 3) rotations of the head pose contract, NaN where there is no face.

    Args:
        values: (T, 58) curves, columns as `channels.IDS`.
        side: `L` or `R`, the actor's own.
    """
    up, down, inwards, outwards = (
        np.asarray(values[:, channels.INDEX[f"look_{way}_{side}"]], np.float64) for way in ("up", "down", "in", "out")
    )
    # The left eye looks inwards to the actor's right, which is positive, and the right eye outwards.
    to_the_right = inwards - outwards if side == "L" else outwards - inwards
    pitch = down * DOWN_RAD - up * UP_RAD
    return rotations.from_angles(np.stack([SIDEWAYS_RAD * to_the_right, pitch, np.zeros_like(pitch)], axis=1))
