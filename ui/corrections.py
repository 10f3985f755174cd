"""What comes after a bake, inside the Bake panel."""

import bpy


def draw(layout: bpy.types.UILayout) -> None:
    """The layer for corrections, and the way back to rest; folded away."""
    header, body = layout.panel("aumocap_bake_corrections", default_closed=True)
    header.label(text="Corrections")
    if body is None:
        return
    body.operator("aumocap.add_corrections", icon="NLA")
    body.operator("aumocap.rest_pose", icon="ARMATURE_DATA")
