"""Where objects stand, also those that no view layer evaluates."""

import bpy
from mathutils import Matrix


def world_of(thing: bpy.types.Object) -> Matrix:
    """An object's matrix in the world; of one in an excluded collection, whose own is not kept up, from its parents."""
    layer = bpy.context.view_layer
    if layer is not None and thing.name in layer.objects and layer.objects[thing.name] == thing:
        return thing.matrix_world
    parent = thing.parent
    if parent is None:
        return thing.matrix_basis
    above = world_of(parent)
    bone = parent.pose.bones.get(thing.parent_bone) if parent.pose is not None and thing.parent_type == "BONE" else None
    if bone is not None:
        above = above @ bone.matrix @ Matrix.Translation((0.0, bone.length, 0.0))
    return above @ thing.matrix_parent_inverse @ thing.matrix_basis
