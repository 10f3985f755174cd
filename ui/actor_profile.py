"""The actor's profile and intensity, inside the Actor panel."""

import bpy

from ..operators import actor_profile, classes, shaping_properties


class AUMOCAP_MT_profiles(bpy.types.Menu):
    """Actors that are known, and what can be done with them."""

    bl_idname = "AUMOCAP_MT_profiles"
    bl_label = "Actor Profiles"

    def draw(self, _context: bpy.types.Context) -> None:
        """Every profile, then saving and files."""
        layout = self.layout
        known = actor_profile.names()
        for name in known:
            layout.operator("aumocap.load_profile", text=name, icon="USER", translate=False).name = name
        if known:
            layout.separator()
        layout.operator("aumocap.save_profile", icon="FILE_TICK")
        if known:
            layout.menu("AUMOCAP_MT_delete_profiles", icon="TRASH")
        layout.separator()
        layout.operator("aumocap.import_profile", icon="IMPORT")
        layout.operator("aumocap.export_profile", icon="EXPORT")


class AUMOCAP_MT_delete_profiles(bpy.types.Menu):
    """The profiles, to delete one."""

    bl_idname = "AUMOCAP_MT_delete_profiles"
    bl_label = "Delete Profile"

    def draw(self, _context: bpy.types.Context) -> None:
        """Every profile."""
        for name in actor_profile.names():
            self.layout.operator("aumocap.delete_profile", text=name, translate=False).name = name


def draw_profile(layout: bpy.types.UILayout, item: bpy.types.PropertyGroup) -> None:
    """The menu of profiles, named after the actor."""
    layout.menu("AUMOCAP_MT_profiles", text=item.actor or "Actor Profile", icon="USER", translate=False)


def draw_intensity(layout: bpy.types.UILayout, item: bpy.types.PropertyGroup) -> None:
    """Intensity and exaggeration by region, and symmetry, folded away."""
    header, body = layout.panel("aumocap_actor_intensity", default_closed=True)
    names = shaping_properties.NAMES
    changed = sum(
        getattr(item.intensity, name) != 1.0 or getattr(item.exaggeration, name) != 0.0 for name in names
    ) + int(item.symmetry > 0.0)
    header.label(text=f"Intensity ({changed} changed)" if changed else "Intensity")
    if body is None:
        return
    split = body.split(factor=0.42)
    split.label(text="Region")
    row = split.row(align=True)
    row.label(text="Strength")
    row.label(text="Exaggerate")
    column = body.column(align=True)
    for name in names:
        split = column.split(factor=0.42)
        split.label(text=item.intensity.bl_rna.properties[name].name)
        row = split.row(align=True)
        row.prop(item.intensity, name, text="", slider=True)
        row.prop(item.exaggeration, name, text="", slider=True)
    body.prop(item, "symmetry", slider=True)
    body.operator("aumocap.reset_intensity", text="Reset", icon="LOOP_BACK")


CLASSES = (AUMOCAP_MT_profiles, AUMOCAP_MT_delete_profiles)

register, unregister = classes.factory(CLASSES)
