"""Generates the rigs of Rigify's human: `python rigify_maker.py FOLDER` writes one file for each kind of face.

In a process of its own, since Blender as a module hangs at its end once Rigify's modules were imported.
"""

import os
import sys
from pathlib import Path
from typing import Any

import bpy

MISSING = 3


def main(folder: Path) -> int:
    """0 done, `MISSING` where this Blender has no Rigify."""
    import addon_utils  # there once Blender is

    for kind in ("rigify_legacy", "rigify"):
        bpy.ops.wm.read_factory_settings(use_empty=True)
        if addon_utils.enable("rigify", default_set=True) is None:
            return MISSING
        bpy.ops.object.armature_human_metarig_add()
        metarig: Any = bpy.context.object
        if kind == "rigify":
            bpy.ops.pose.rigify_upgrade_face()
        bpy.ops.pose.rigify_generate()
        metarig.data.rigify_target_rig.name = "rig"
        bpy.data.objects.remove(metarig)
        bpy.ops.wm.save_as_mainfile(filepath=str(folder / f"{kind}.blend"))
    return 0


if __name__ == "__main__":
    code = main(Path(sys.argv[1]))
    sys.stdout.flush()
    os._exit(code)
