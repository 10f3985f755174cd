"""A character's table: filled from presets, files and names, and saved for other characters."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

import bpy

from ..au_mocap.errors import AuMocapError, MappingError
from . import package, refresh, scene

if TYPE_CHECKING:
    from ..au_mocap.mapping import Mapping
    from .character_properties import AUMOCAP_PG_character


_FRESH_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Members:
    """What a character has, by name, for panels.

    Attributes:
        shape_keys: Of all its meshes, without those at rest, in their order.
        bones: Of its armature.
        properties: Data paths of the numbers among the custom properties of its armature and of that one's bones.
        meshes: Meshes with shape keys.
        head: Head bone that was found by its name.
        neck: The same for the neck.
        eyes: The same for the left and the right eye.
    """

    shape_keys: tuple[str, ...] = ()
    bones: tuple[str, ...] = ()
    properties: tuple[str, ...] = ()
    meshes: tuple[str, ...] = ()
    head: str | None = None
    neck: str | None = None
    eyes: tuple[str | None, str | None] = (None, None)

    @property
    def summary(self) -> str:
        """One line for the panel."""
        where = f" on {len(self.meshes)} meshes" if len(self.meshes) > 1 else ""
        head = f", head bone '{self.head}'" if self.head else ""
        return f"{len(self.shape_keys)} shape keys{where}{head}"


class _Cache:
    """A panel is drawn many times a second, a scene may hold thousands of objects.

    Quoted, like in every module that imports bpy: `typing` keeps classes between brackets, they keep their module, that
    keeps bpy, and Blender as a module then hangs when Python ends.
    """

    key: ClassVar[tuple[str, int]] = ("", 0)
    until_s: ClassVar[float] = 0.0
    members: "ClassVar[Members]" = Members()


def members_for_drawing(chosen: bpy.types.Object) -> Members:
    """`members`, at most half a second old."""
    key = (chosen.name, chosen.session_uid)
    now_s = time.monotonic()
    if key != _Cache.key or now_s > _Cache.until_s:
        _Cache.key, _Cache.until_s, _Cache.members = key, now_s + _FRESH_S, members(chosen)
    return _Cache.members


def members(chosen: bpy.types.Object) -> Members:
    """What a character has; nothing where the object is no character."""
    try:
        found = scene.find_character(chosen)
    except AuMocapError:
        return Members()
    keys: dict[str, None] = {}
    for mesh in found.meshes:
        shapes = mesh.data.shape_keys
        keys |= dict.fromkeys(key.name for key in shapes.key_blocks if key != shapes.reference_key)
    bones = tuple(bone.name for bone in found.armature.data.bones) if found.armature else ()
    return Members(
        shape_keys=tuple(keys),
        bones=bones,
        properties=_properties(found.armature) if found.armature else (),
        meshes=tuple(mesh.name for mesh in found.meshes),
        head=found.head,
        neck=found.neck,
        eyes=found.eyes,
    )


def _properties(armature: bpy.types.Object) -> tuple[str, ...]:
    holders = [("", armature), *((f'pose.bones["{_escaped(bone.name)}"]', bone) for bone in armature.pose.bones)]
    return tuple(
        f'{path}["{_escaped(name)}"]'
        for path, holder in holders
        for name, value in holder.items()
        if isinstance(value, Real) and not isinstance(value, bool)
    )


def _escaped(name: str) -> str:
    return bpy.utils.escape_identifier(name)


def armature_of(chosen: bpy.types.Object) -> bpy.types.Object | None:
    """The armature of a character, if any."""
    try:
        return scene.find_character(chosen).armature
    except AuMocapError:
        return None


def widest_keys(chosen: bpy.types.Object, object_name: str) -> bpy.types.Key | None:
    """The shape keys to choose a row's target from: of the named object, or of the mesh that has the most."""
    try:
        meshes = scene.find_character(chosen).meshes
    except AuMocapError:
        return None
    named = [mesh for mesh in meshes if mesh.name == object_name] or list(meshes)
    best = max(named, key=lambda mesh: len(mesh.data.shape_keys.key_blocks), default=None)
    return best.data.shape_keys if best else None


def preset_folders() -> tuple[Path, ...]:
    """Where presets lie: the user's own first, then the bundled ones."""
    from ..au_mocap.mapping import BUNDLED

    return _own_folder(), BUNDLED


def _own_folder() -> Path:
    try:
        return package.user_folder("mappings")
    except OSError as error:
        message = f"The folder of your presets cannot be made ({error.strerror}): export the table to a file instead."
        raise MappingError(message) from error


def own_preset(name: str) -> Path:
    """File of a preset of the user's own.

    Raises:
        MappingError: The name cannot be a file's.
    """
    file = package.file_name(name, "preset", MappingError)
    return _own_folder() / file


def preset_names() -> tuple[str, ...]:
    """Names for the presets menu."""
    from ..au_mocap.mapping import names

    return names(preset_folders())


def own_preset_names() -> tuple[str, ...]:
    """Names of the user's own presets."""
    from ..au_mocap.mapping import names

    return names((_own_folder(),))


def fill(character: "AUMOCAP_PG_character", table: "Mapping", confidences: Sequence[float] | None = None) -> None:
    """Put a mapping in the place of a character's table.

    Args:
        character: Whose table.
        table: The mapping.
        confidences: How sure each row is, 0..1; without them, or where it is -1, the row counts as set by hand.

    Raises:
        MappingError: The table comes from a linked file and cannot be replaced; it stays as it was.
    """
    from . import rows

    if any(_is_inherited(character, index) for index in range(len(character.rows))):
        message = "This character's table lies in its library file: change it there, or switch rows off here."
        raise MappingError(message)
    with refresh.held():
        character.rows.clear()
        for source, sure in zip(table.rows, confidences or [-1.0] * len(table.rows), strict=True):
            rows.fill_row(character.rows.add(), source, sure)
        character.active_row = 0
        character.table_name = table.name


def _is_inherited(character: "AUMOCAP_PG_character", index: int) -> bool:
    """Whether a row of a library override is the library's own: Blender would silently bring it back."""
    override = character.id_data.override_library
    if override is None or override.reference is None:
        return False
    return index < len(override.reference.aumocap.rows)


def offer(chosen: bpy.types.Object | None) -> None:
    """Give a character without a table what its names suggest, a preset or single rows; nothing where none fits."""
    from . import presets

    if chosen is None or len(chosen.aumocap.rows) or not chosen.is_editable:
        return
    try:
        found = presets.matched(chosen)
        if found.mapping.rows:
            fill(chosen.aumocap, found.mapping, found.confidences)
    except AuMocapError:
        return  # an offer only: the panel's own buttons say what is wrong


def unused_channels(character: "AUMOCAP_PG_character") -> tuple[str, ...]:
    """Channels that the actor has and no row of the table uses, neither themselves nor through their mean or sides."""
    from ..au_mocap.channels import PREDICTED_IDS, SIDES_OF

    used = {row.channel for row in character.rows if row.enabled}
    through = {side for mean, sides in SIDES_OF.items() if mean in used for side in sides}
    return tuple(channel_id for channel_id in PREDICTED_IDS if channel_id not in used | through)
