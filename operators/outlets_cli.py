"""`blender RIG.blend --command au_mocap export -o OUT.glb`: the button's own way, without a window."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy

from ..au_mocap.errors import SettingsError

if TYPE_CHECKING:
    import argparse

_FORMS = {".glb": "gltf", ".fbx": "fbx"}


def add_parser(commands: Any) -> None:  # noqa: ANN401 - argparse keeps its class to itself
    """Describe the command.

    Args:
        commands: What `add_subparsers` gave.
    """
    export = commands.add_parser("export", help="a baked character as glTF or FBX, read again and compared")
    export.add_argument("-o", "--output", type=Path, metavar="OUT.glb|OUT.fbx", required=True, help="file to write")
    export.add_argument("--character", metavar="OBJECT", help="default: the scene's, or the only one with shape keys")
    export.add_argument("--frames", choices=("animation", "scene"), default="animation", help="default: animation")
    export.add_argument("--from-zero", action="store_true", help="glTF: the first frame is second 0")
    export.add_argument("--keep-anyway", action="store_true", help="keep the file even where it differs from the scene")
    export.add_argument("--overwrite", action="store_true", help="replace the file where it exists")


def run(options: "argparse.Namespace", chosen: bpy.types.Object) -> None:
    """Export a character and say how the file compares.

    Raises:
        AuMocapError: It cannot be exported, or the file differs from the scene.
    """
    from ..au_mocap import files
    from . import outlets_character

    output = options.output.absolute()
    form = _FORMS.get(output.suffix.lower())
    if form is None:
        message = f"{output.name} is neither .glb nor .fbx: name the file to write so (-o OUT.glb)."
        raise SettingsError(message)
    files.check_writable(output, overwrite=options.overwrite)
    wish = outlets_character.Wish(output, form, options.frames, options.from_zero, options.keep_anyway)
    outcome = outlets_character.export(bpy.context, chosen, wish)
    sys.stderr.write(f"{outcome.text}\n")
    sys.stdout.write(f"{outcome.path}\n")
