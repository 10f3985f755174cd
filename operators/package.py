"""What this extension is called inside Blender, and where it may write."""

from pathlib import Path
from typing import Final

import bpy

ID: Final = __package__.rpartition(".")[0]
"""Name of the extension's root package, `bl_ext.user_default.au_mocap` for one that was installed from disk."""


def user_folder(name: str) -> Path:
    """A folder that belongs to the extension and outlives its updates, made where it is missing.

    Raises:
        OSError: It cannot be made.
    """
    return Path(bpy.utils.extension_path_user(ID, path=name, create=True))
