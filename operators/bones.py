"""What a rig does to a bone beside its keys: constraints, locks, parents."""

from typing import Final

import bpy
import numpy as np
from numpy.typing import NDArray

_AIMING: Final = ("DAMPED_TRACK", "TRACK_TO", "LOCKED_TRACK")
_HOLDING: Final = (*_AIMING, "IK", "SPLINE_IK", "STRETCH_TO", "FOLLOW_PATH", "SHRINKWRAP", "ACTION")
_COPYING: Final = ("COPY_ROTATION", "COPY_TRANSFORMS")
_DEEPEST: Final = 32


def constraints(bone: bpy.types.PoseBone) -> list[bpy.types.Constraint]:
    """Those that do something."""
    return [each for each in bone.constraints if each.enabled and each.is_valid and each.influence > 0.0]


def holder(bone: bpy.types.PoseBone) -> str:
    """Name of what turns a bone whatever its own rotation is; empty where its keys count.

    Constraints that add to the bone's own turn, or give it another parent, do not hold it.
    """
    for each in constraints(bone):
        if each.type in _HOLDING or (each.type in _COPYING and getattr(each, "mix_mode", "REPLACE") == "REPLACE"):
            return f"the constraint '{each.name}'"
    solver = next((each for each in bone.id_data.pose.bones if _chain_reaches(each, bone)), None)
    return f"the IK chain of '{solver.name}'" if solver is not None else ""


def _chain_reaches(solver: bpy.types.PoseBone, bone: bpy.types.PoseBone) -> bool:
    """Whether an IK constraint of one bone turns another one (Blender's own mark outlives a muted constraint)."""
    for each in (each for each in constraints(solver) if each.type in ("IK", "SPLINE_IK")):
        link = solver if getattr(each, "use_tail", True) else solver.parent
        length = each.chain_count or _DEEPEST
        while link is not None and length > 0:
            if link == bone:
                return True
            link, length = link.parent, length - 1
    return False


def limits(bone: bpy.types.PoseBone) -> bool:
    """Whether a constraint limits a bone's rotation."""
    return any(each.type == "LIMIT_ROTATION" for each in constraints(bone))


def aimed_at(bone: bpy.types.PoseBone) -> bpy.types.PoseBone | None:
    """The bone of the same armature that a constraint turns a bone towards, if any."""
    for each in constraints(bone):
        if each.type in _AIMING and each.target == bone.id_data:
            return bone.id_data.pose.bones.get(each.subtarget)
    return None


def follows(bone: bpy.types.PoseBone | None, head: bpy.types.PoseBone, depth: int = 0) -> bool:
    """Whether a bone goes where the head goes: as its descendant, or by a constraint of a bone above it."""
    while bone is not None and depth < _DEEPEST:
        if bone == head:
            return True
        for each in constraints(bone):
            targets = [each, *getattr(each, "targets", ())]  # an Armature constraint has several
            names = [target.subtarget for target in targets if getattr(target, "subtarget", "")]
            found = [head.id_data.pose.bones.get(name) for name in names]
            if any(other is not None and other != bone and follows(other, head, depth + 1) for other in found):
                return True
        bone, depth = bone.parent, depth + 1
    return False


def resting_axes(bone: bpy.types.PoseBone) -> NDArray[np.float64]:
    """A bone's resting axes in the armature, as columns: (3, 3)."""
    return np.array([tuple(row[:]) for row in bone.bone.matrix_local.to_3x3()])


def location_axes(bone: bpy.types.PoseBone) -> NDArray[np.float64]:
    """The axes along which a bone's location moves it at rest, in the armature, as columns: (3, 3)."""
    if bone.bone.use_local_location or bone.parent is None:
        return resting_axes(bone)
    return resting_axes(bone.parent)  # found by trial, whatever the option's description says


def can_move(bone: bpy.types.PoseBone) -> bool:
    """Whether a bone's location does anything and may be changed."""
    return not (bone.bone.use_connect and bone.parent is not None) and not all(bone.lock_location)
