"""What this extension is called inside Blender, and where it may write."""

from pathlib import Path
from typing import Final

import bpy

from ..au_mocap.errors import AuMocapError

ID: Final = __package__.rpartition(".")[0]
"""Name of the extension's root package, `bl_ext.user_default.au_mocap` for one that was installed from disk."""


def user_folder(name: str) -> Path:
    """A folder that belongs to the extension and outlives its updates, made where it is missing.

    Raises:
        OSError: It cannot be made.
    """
    return Path(bpy.utils.extension_path_user(ID, path=name, create=True))


def file_name(name: str, what: str, error: type[AuMocapError]) -> str:
    """The JSON file of something of the user's own that goes by a name.

    Args:
        name: What the user called it.
        what: What it is, for the message.
        error: Raised where the name cannot be a file's.
    """
    kept = name.strip()
    if not kept or kept.startswith(".") or any(letter in '\\/:*?"<>|' or ord(letter) < 32 for letter in kept):
        message = f"'{name}' cannot be the name of a {what}: use letters, digits, spaces and dashes."
        raise error(message)
    return f"{kept}.json"
