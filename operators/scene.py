"""Characters in the scene: from the object that the user chose to the meshes and bones that a take drives."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import bpy

from ..au_mocap.errors import SettingsError

_PREFIXES: Final = ("def_", "c_", "cc_base_", "j_bip_c_", "j_adj_", "bip01_", "bip001_", "facial_", "org_")
_HEAD_NAMES: Final = ("head", "head_bone", "spine_006", "head_fk", "head_x", "kopf")
_NECK_NAMES: Final = ("neck", "neck_bone", "neck_01", "neck01", "neck_1", "neck1", "necktwist01", "spine_004", "neck_x")
_EYE_NAMES: Final = {
    "l": ("eye_l", "l_eye", "lefteye", "left_eye", "eye_left", "eyeleft", "l_faceeye", "eyeball_l"),
    "r": ("eye_r", "r_eye", "righteye", "right_eye", "eye_right", "eyeright", "r_faceeye", "eyeball_r"),
}


@dataclass(frozen=True, slots=True)
class Character:
    """What a take can drive.

    Attributes:
        armature: The skeleton, where there is one.
        meshes: Meshes with shape keys.
        head: Name of the head bone.
        neck: Name of the neck bone.
        eyes: Names of the left and the right eye bone, the character's own.
    """

    armature: bpy.types.Object | None
    meshes: tuple[bpy.types.Object, ...]
    head: str | None = None
    neck: str | None = None
    eyes: tuple[str | None, str | None] = (None, None)


def find_character(chosen: bpy.types.Object | None) -> Character:
    """The character that an object belongs to.

    Args:
        chosen: Its armature, one of its meshes, or an empty that holds them.

    Raises:
        SettingsError: Nothing is chosen, or there is nothing on it to drive.
    """
    if chosen is None:
        message = "Choose a character: select its armature or its face mesh."
        raise SettingsError(message)
    armature = _armature_of(chosen)
    members = _members(chosen if armature is None else armature)
    meshes = tuple(each for each in members if each.type == "MESH" and each.data.shape_keys is not None)
    if armature is None and not meshes:
        message = f"'{chosen.name}' has no shape keys and no armature: select the character's face mesh or armature."
        raise SettingsError(message)
    names = tuple(bone.name for bone in armature.data.bones) if armature else ()
    held = frozenset(bone.name for bone in armature.pose.bones if bone.constraints) if armature else frozenset[str]()
    return Character(
        armature=armature,
        meshes=meshes,
        head=_find(names, _HEAD_NAMES, held),
        neck=_find(names, _NECK_NAMES, held),
        eyes=(_find(names, _EYE_NAMES["l"], held), _find(names, _EYE_NAMES["r"], held)),
    )


def title(owner: bpy.types.ID) -> str:
    """A data-block's name for people: shape keys go by the name of their mesh."""
    user = owner.user if isinstance(owner, bpy.types.Key) else None
    return owner.name if user is None else user.name


@lru_cache(maxsize=8192)
def plain_name(bone: str) -> str:
    """A bone's name in small letters, without the rig's own prefixes, words joined by `_`."""
    name = re.sub(r"[^a-z0-9]+", "_", bone.rsplit(":", 1)[-1].lower()).strip("_")
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    return name


def _armature_of(chosen: bpy.types.Object) -> bpy.types.Object | None:
    if chosen.type == "ARMATURE":
        return chosen
    if chosen.type == "EMPTY":
        return next((child for child in chosen.children_recursive if child.type == "ARMATURE"), None)
    return chosen.find_armature() or _parent_armature(chosen)


def _parent_armature(chosen: bpy.types.Object) -> bpy.types.Object | None:
    parent = chosen.parent
    while parent is not None and parent.type != "ARMATURE":
        parent = parent.parent
    return parent


def _members(root: bpy.types.Object) -> list[bpy.types.Object]:
    """The object, what hangs below it and, for an armature, what it deforms; by name, so that runs repeat."""
    found = {root, *root.children_recursive}
    if root.type == "ARMATURE":
        found |= {each for each in bpy.data.objects if each.type == "MESH" and each.find_armature() == root}
    return sorted(found, key=lambda each: each.name)


def _find(bones: Iterable[str], wanted: tuple[str, ...], held: Collection[str]) -> str | None:
    """The bone whose name, stripped of the rig's own prefixes and separators, stands first in a list.

    Of several that are stripped to one name (a control and the bones that copy it) the one without constraints.
    """
    plain: dict[str, str] = {}
    for bone in sorted(bones, key=lambda each: each in held):
        plain.setdefault(plain_name(bone), bone)
    return next((plain[name] for name in wanted if name in plain), None)
