"""States of a rig in which keys would go wrong, or would not show."""

from collections.abc import Iterator

import bpy

from ..au_mocap.errors import SettingsError
from .scene import Character


def check(character: Character) -> None:
    """Makes sure that a character can be read and keyed.

    Raises:
        SettingsError: Its armature is being edited: its bones are not what they will be.
    """
    armature = character.armature
    if armature is not None and armature.mode == "EDIT":
        message = f"'{armature.name}' is in Edit Mode: leave it (Tab), then try again."
        raise SettingsError(message)


def notes(character: Character, keyed: "set[tuple[bpy.types.ID, str]]") -> Iterator[str]:
    """What keeps keys from showing, or lets them show elsewhere, one line each.

    Args:
        character: What was baked on.
        keyed: Data-blocks and data paths that got keys.
    """
    armature = character.armature
    if armature is not None and armature.data.pose_position == "REST" and any(owner == armature for owner, _ in keyed):
        yield f"'{armature.name}' is shown in its rest position: switch to Pose Position in its armature's settings"
    seen: set[bpy.types.Key] = set()
    for mesh in character.meshes:
        keys = mesh.data.shape_keys
        paths = {path for owner, path in keyed if owner == keys}
        if not paths:
            continue
        if mesh.show_only_shape_key:
            yield f"'{mesh.name}' shows only its active shape key: switch off the pin beside its shape keys"
        if keys in seen:
            continue
        seen.add(keys)
        yield from _notes_of_keys(character, mesh, keys, paths)


def _notes_of_keys(character: Character, mesh: bpy.types.Object, keys: bpy.types.Key, paths: set[str]) -> Iterator[str]:
    if not keys.use_relative:
        yield f"the shape keys of '{mesh.name}' are absolute: switch on Relative, or their values do nothing"
    muted = [key.name for key in keys.key_blocks if key.mute and f"{key.path_from_id()}.value" in paths]
    if muted:
        yield f"muted on '{mesh.name}', so keyed but not to be seen: {', '.join(muted)}"
    others = [each.name for each in bpy.data.objects if each.data == mesh.data and each not in character.meshes]
    if others:
        yield f"'{mesh.name}' shares its mesh with {', '.join(sorted(others))}: they move alike"
