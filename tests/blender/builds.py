"""Characters built every way that rigs are found in: axes, rolls, scales, objects turned and mirrored."""

from dataclasses import dataclass, field

import bpy
import numpy as np
from mathutils import Matrix, Vector

from training import extension

from .playing import skeleton, xyz

YAW_PITCH_ROLL = (25.0, -15.0, 12.0)
BODY = {
    "hips": ("", (0, 0, 0.9), (0, 0, 1.1)),
    "neck": ("hips", (0, 0.01, 1.45), (0, 0.0, 1.55)),
    "head": ("neck", (0, 0.0, 1.55), (0, 0, 1.75)),
    "eye.L": ("head", (0.03, -0.08, 1.62), (0.03, -0.11, 1.62)),
    "eye.R": ("head", (-0.03, -0.08, 1.62), (-0.03, -0.11, 1.62)),
    "foot.L": ("hips", (0.1, 0.02, 0.08), (0.1, -0.1, 0.02)),
    "foot.R": ("hips", (-0.1, 0.02, 0.08), (-0.1, -0.1, 0.02)),
    "toe.L": ("foot.L", (0.1, -0.1, 0.02), (0.1, -0.18, 0.02)),
    "toe.R": ("foot.R", (-0.1, -0.1, 0.02), (-0.1, -0.18, 0.02)),
}


@dataclass(frozen=True)
class Build:
    """How a character that faces -Y with its head along +Z was built.

    Attributes:
        turned: Rotation of its bones in the armature object.
        placed: Matrix of the armature object.
        rolls: Rolls of its neck and head bones.
        tip: Where the head bone points, before it is turned.
        bones: Which bones there are.
    """

    turned: Matrix = field(default_factory=lambda: Matrix.Identity(3))
    placed: Matrix = field(default_factory=lambda: Matrix.Identity(4))
    rolls: tuple[float, float] = (0.0, 0.0)
    tip: tuple[float, float, float] = (0, 0, 1)
    bones: tuple[str, ...] = tuple(BODY)


def about(axis: str, degrees: float, size: int = 3) -> Matrix:
    return Matrix.Rotation(np.radians(degrees), size, axis)


Y_UP = about("X", -90.0)
FBX = Matrix.Rotation(np.radians(90.0), 4, "X") @ Matrix.Scale(0.01, 4)
HEAD_AND_NECK = ("neck", "head")
BUILDS = {
    "as in Blender": Build(),
    "armature turned and moved": Build(placed=Matrix.Translation((3, 1, -2)) @ about("Z", 77, 4) @ about("X", 20, 4)),
    "rolls": Build(rolls=(0.7, -2.1)),
    "head bone points backwards": Build(tip=(0, 1, 0.2), rolls=(0.2, 1.0)),
    "head bone points to the side": Build(tip=(1, 0.1, 0), rolls=(-1.0, 0.4)),
    "faces +Y": Build(turned=about("Z", 180.0)),
    "faces +X": Build(turned=about("Z", 90.0), rolls=(0.3, 0.3)),
    "faces between the axes": Build(turned=about("Z", 37.0)),
    "Y up": Build(turned=Y_UP),
    "imported: Y up, X turned by 90, scale 0.01": Build(turned=Y_UP, placed=FBX),
    "Z up in a small object": Build(placed=Matrix.Scale(0.01, 4)),
    "mirrored": Build(placed=Matrix.Diagonal((-1, 1, 1, 1))),
    "X up": Build(turned=about("Y", 90.0)),
    "upside down object": Build(placed=about("X", 180, 4)),
    "Y up, neck and head alone": Build(turned=Y_UP, bones=HEAD_AND_NECK),
    "eyes alone tell": Build(turned=about("Z", 180.0), bones=("neck", "head", "eye.L", "eye.R")),
    "feet alone tell": Build(
        turned=about("Z", -90.0), bones=("hips", "neck", "head", "foot.L", "foot.R", "toe.L", "toe.R")
    ),
}


def person(build: Build) -> bpy.types.Object:
    bones = []
    for name in build.bones:
        parent, head, tail = BODY[name]
        if name == "head":
            tail = xyz(Vector(head) + 0.2 * Vector(build.tip).normalized())
        roll = {"neck": build.rolls[0], "head": build.rolls[1]}.get(name, 0.0)
        ends = (xyz(build.turned @ Vector(end)) for end in (head, tail))
        bones.append((name, parent if parent in build.bones else "", *ends, roll))
    rig = skeleton(*bones)
    rig.matrix_world = build.placed
    bpy.context.view_layer.update()
    return rig


def evaluated_turn(rig: bpy.types.Object, name: str = "head", frame: int = 1) -> Matrix:
    """How the evaluated bone is turned in the world, away from its rest."""
    bpy.context.scene.frame_set(frame)
    seen = rig.evaluated_get(bpy.context.evaluated_depsgraph_get())
    world = seen.matrix_world.to_3x3()
    bone = seen.pose.bones[name]
    return world @ bone.matrix.to_3x3() @ bone.bone.matrix_local.to_3x3().inverted() @ world.inverted()


def degrees_between(one: Vector, other: Vector) -> float:
    return float(np.degrees(np.arctan2(one.cross(other).length, one.dot(other))))


def wanted_turn(build: Build) -> Matrix:
    """The actor's turn in the world of a character: yaw to its own right, pitch up, roll to its own left shoulder."""
    rotations, head_pose = extension.module("au_mocap.rotations"), extension.module("operators.head_pose")
    contract = head_pose.ARMATURE_FROM_CAMERA
    turn = contract @ rotations.from_angles(np.radians([YAW_PITCH_ROLL]))[0] @ contract.T
    frame = build.placed.to_3x3() @ build.turned
    return frame @ Matrix(turn.tolist()) @ frame.inverted()
