"""The fold "Head and Eyes" of the Character panel: which bones follow, which way they face, what lies below."""

import bpy

from ..operators import found_facing, table

_FIELD = 0.4
"""Share of a row that Blender gives to a property's name."""


def draw(layout: bpy.types.UILayout, context: bpy.types.Context, members: table.Members) -> None:
    """The fold, for a character that has bones.

    Args:
        layout: Where to draw.
        context: Holds the scene's character.
        members: What that character has.
    """
    chosen = context.scene.aumocap.character
    armature = table.armature_of(chosen)
    if armature is None:
        return
    header, body = layout.panel("aumocap_bones", default_closed=True)
    header.label(text="Head and Eyes")
    if body is None:
        return
    own = chosen.aumocap
    body.use_property_split = True
    body.use_property_decorate = False
    column = body.column()
    for name, found in (("head_bone", members.head), ("neck_bone", members.neck)):
        _draw_bone(column, own, armature, (name, found))
    column = body.column()
    column.prop(own, "neck_share")
    column.prop(own, "facing")
    if own.facing == "auto":
        _draw_hint(column, found_facing.for_drawing(chosen))
    column.prop(own, "over_body")
    if context.scene.aumocap.bake.use_position:
        column.prop(own, "moves")
    body.prop(own, "use_eye_bones")
    if own.use_eye_bones:
        column = body.column()
        for name, found in zip(("eye_left", "eye_right"), members.eyes, strict=True):
            _draw_bone(column, own, armature, (name, found))
        column.prop_search(own, "eye_target", armature.data, "bones", icon="BONE_DATA")


def _draw_bone(
    layout: bpy.types.UILayout,
    own: bpy.types.PropertyGroup,
    armature: bpy.types.Object,
    named: tuple[str, str | None],
) -> None:
    """A bone's field; below it, where it is empty, what is found by itself: property name and bone."""
    name, found = named
    layout.prop_search(own, name, armature.data, "bones", icon="BONE_DATA")
    if not getattr(own, name):
        _draw_hint(layout, f"Found: {found}" if found else "None found by its name")


def _draw_hint(layout: bpy.types.UILayout, hint: str) -> None:
    """Lines below a field, where the field is."""
    split = layout.split(factor=_FIELD)
    split.label()
    column = split.column(align=True)
    column.scale_y = 0.8
    for line in hint.splitlines():
        column.label(text=line, translate=False)
