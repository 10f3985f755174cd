"""Blender's own exporters, with the settings that carry shape keys and bones as they are played."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal

import bpy

from ..au_mocap.errors import OutputError, SettingsError

Form = Literal["gltf", "fbx"]

SUFFIXES: Final[dict[Form, str]] = {"gltf": ".glb", "fbx": ".fbx"}
_ADD_ONS: Final[dict[Form, str]] = {"gltf": "glTF 2.0 format", "fbx": "FBX format"}

# Everything sampled at every frame, nothing simplified, no modifier applied: that would drop the shape keys.
_GLTF: Final[dict[str, Any]] = {
    "export_format": "GLB",
    "use_selection": True,
    "export_apply": False,
    "export_animations": True,
    "export_animation_mode": "SCENE",
    "export_anim_scene_split_object": False,
    "export_frame_range": True,
    "export_frame_step": 1,
    "export_force_sampling": True,
    "export_optimize_animation_size": False,
    "export_optimize_animation_keep_anim_armature": True,
    "export_optimize_animation_keep_anim_object": False,
    "export_bake_animation": False,
    "export_current_frame": False,
    "export_rest_position_armature": True,
    "export_def_bones": False,
    "export_morph": True,
    "export_morph_normal": True,
    "export_morph_animation": True,
    "export_morph_reset_sk_data": True,
    "export_skins": True,
    "export_all_influences": True,
    "export_extras": True,
    "will_save_settings": False,
}
_FBX: Final[dict[str, Any]] = {
    "use_selection": True,
    "object_types": {"ARMATURE", "MESH", "EMPTY"},
    "use_mesh_modifiers": False,
    "add_leaf_bones": False,
    "use_custom_props": True,
    "path_mode": "COPY",
    "embed_textures": True,
    "bake_anim": True,
    "bake_anim_use_all_bones": True,
    "bake_anim_use_nla_strips": False,
    "bake_anim_use_all_actions": False,
    "bake_anim_force_startend_keying": True,
    "bake_anim_step": 1.0,
    "bake_anim_simplify_factor": 0.0,
}


def check(form: Form) -> None:
    """Make sure that an exporter and its importer are there; raises SettingsError that says which add-on is off."""
    if form not in dir(bpy.ops.export_scene) or form not in dir(bpy.ops.import_scene):
        message = (
            f"Blender's add-on '{_ADD_ONS[form]}' is off or missing: switch it on in Edit > Preferences > Add-ons, "
            "then export again."
        )
        raise SettingsError(message)


def write(form: Form, path: Path, *, from_zero: bool) -> None:
    """Export what is selected, over the scene's frames.

    Args:
        form: The format.
        path: The file; its name ends as the format's files do.
        from_zero: The first frame is second 0 (glTF only; FBX has a start of its own).

    Raises:
        OutputError: The exporter failed, with its reason.
    """
    operator = getattr(bpy.ops.export_scene, form)
    wanted = _GLTF | {"export_anim_slide_to_zero": from_zero} if form == "gltf" else _FBX
    known = operator.get_rna_type().properties.keys()  # some settings come and go with Blender's versions
    try:
        operator(filepath=str(path), **{name: value for name, value in wanted.items() if name in known})
    except RuntimeError as error:
        reason = str(error).strip().rpartition("\n")[2]
        message = f"Blender's exporter has failed ({reason}): nothing was written."
        raise OutputError(message) from error
    if not path.is_file():
        message = "Blender's exporter wrote nothing: look into its console for the reason."
        raise OutputError(message)


@contextmanager
def shown(
    stage: bpy.types.Scene, layer: bpy.types.ViewLayer, objects: Sequence[bpy.types.Object], form: Form
) -> Generator[None]:
    """Select objects alone, whatever hides them; when the block ends, everything is as before."""
    before = [(each, each.select_get(view_layer=layer)) for each in layer.objects]
    hidden = [(each, each.hide_get(view_layer=layer), each.hide_viewport, each.hide_select) for each in objects]
    active, base = layer.objects.active, stage.render.fps_base
    frames = stage.frame_start, stage.frame_end, stage.frame_current, stage.frame_subframe
    try:
        for each, _, is_off, is_fixed in hidden:
            if is_off or is_fixed:
                each.hide_viewport = each.hide_select = False
        for each in objects:
            each.hide_set(False, view_layer=layer)
        for each, _ in before:
            each.select_set(each in objects, view_layer=layer)
        layer.objects.active = objects[0]
        if form == "gltf":
            # Blender's glTF add-on multiplies by the base where it should divide: with 29.97 frames a second its
            # times would be 0.2 % too short.
            stage.render.fps_base = 1.0 / base
        yield
    finally:
        stage.render.fps_base = base
        stage.frame_start, stage.frame_end = frames[:2]
        for each, is_selected in before:
            each.select_set(is_selected, view_layer=layer)
        layer.objects.active = active
        for each, is_hidden, is_off, is_fixed in hidden:
            each.hide_set(is_hidden, view_layer=layer)
            if is_off or is_fixed:
                each.hide_viewport, each.hide_select = is_off, is_fixed
        stage.frame_set(frames[2], subframe=frames[3])
