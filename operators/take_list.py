"""The scene's list of takes and the files behind it."""

from pathlib import Path
from typing import TYPE_CHECKING

import bpy

from ..au_mocap import files
from ..au_mocap.errors import AuMocapError, TakeError

if TYPE_CHECKING:
    from ..au_mocap.take import Take
    from .capture_properties import AUMOCAP_PG_take

_SUFFIX = ".take.npz"


def free_path(folder: Path, video: Path) -> Path:
    """A file name that no take has yet: the video's name, with a number from the second take on."""
    return files.free_path(folder / f"{video.stem or video.name or 'take'}{_SUFFIX}", _SUFFIX)


def add(stage: bpy.types.Scene, path: Path, smoothing: str = "light") -> "AUMOCAP_PG_take":
    """Put a take file at the end of the list and choose it.

    Args:
        stage: The scene.
        path: The file.
        smoothing: What the take starts with.

    Raises:
        TakeError: The file is no take, or its name is none that Blender can keep.
    """
    from ..au_mocap import channels
    from . import library_state, loaded, refresh

    if not kept(str(path)):
        message = f"Blender cannot keep the name {str(path).encode(errors='replace').decode()}: rename the file."
        raise TakeError(message)
    take = loaded.take(path)
    own = stage.aumocap
    if not own.is_property_set("format"):
        own.format = own.format  # Blender stores what was set, not a default
    with refresh.held():
        item = own.takes.add()
        item.name = free_name(stage, path.name.removesuffix(_SUFFIX))
        item.filepath = str(path)
        item.smoothing = smoothing
        describe(item, take)
        for channel_id in channels.PREDICTED_IDS:
            item.channels.add().name = channel_id
        item.neutral_first = item.neutral_last = take.first_frame
        own.active_take = len(own.takes) - 1
    refresh.scene(stage)
    library_state.heard_of(path)
    return item


def describe(item: "AUMOCAP_PG_take", take: "Take") -> None:
    """Note what the list shows of a take."""
    from ..au_mocap.library import clips

    item.video = kept(clips.of_take(Path(bpy.path.abspath(item.filepath)), take.meta))
    item.partial = bool(take.meta.get("partial", False))
    regressor = take.meta.get("regressor", {}).get("name", "?")
    item.detail = f"{len(take)} frames, face in {100 * take.found.mean():.0f} %, {regressor}"


def kept(name: str) -> str:
    """A file's name where Blender can keep it, else nothing: on some systems names hold bytes that are no letters."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return ""
    return name


def free_name(stage: bpy.types.Scene, wanted: str) -> str:
    """A name that no take of the scene has."""
    taken = {item.name for item in stage.aumocap.takes}
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted} {number}"
    return name


def find_missing(stage: bpy.types.Scene, folder: Path) -> list[Path]:
    """Takes of the scene's chosen video that lie in a folder and are in no list, oldest first."""
    from ..au_mocap.take import load

    video = stage.aumocap.capture.filepath
    wanted = Path(bpy.path.abspath(video)).name if video else None
    listed = {Path(bpy.path.abspath(item.filepath)).resolve() for item in stage.aumocap.takes}
    found: list[Path] = []
    for path in sorted(folder.glob(f"*{_SUFFIX}"), key=lambda each: each.stat().st_mtime):
        if path.resolve() in listed:
            continue
        try:
            source = load(path).meta.get("source", {})
        except AuMocapError:
            continue  # damaged, or of a newer version: not for this list
        if wanted is None or source.get("name") == wanted:
            found.append(path)
    return found
