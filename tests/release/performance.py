"""Run by a Blender as a module: installs a zip, or does the main job with an installed one, and prints what it found.

`performance.py install ZIP`, then `performance.py perform CLIP FOLDER`, with the same user folder.
"""

import importlib
import json
import os
import sys
import time
from pathlib import Path

import bpy  # makes Blender's own modules importable

# isort: split
import addon_utils

EXTENSION = "bl_ext.user_default.au_mocap"
FRAMES = 45


def module(name: str):  # noqa: ANN201 - a module of the extension, unknown to type checkers
    return importlib.import_module(f"{EXTENSION}.{name}")


def install(archive: str) -> dict[str, object]:
    before = time.perf_counter()
    done = bpy.ops.extensions.package_install_files(filepath=archive, repo="user_default", enable_on_install=True)
    seconds = time.perf_counter() - before
    found: dict[str, object] = {"done": done == {"FINISHED"}, "enabled": EXTENSION in sys.modules, "seconds": seconds}
    if EXTENSION in sys.modules:
        addon_utils.disable(EXTENSION)
    return found


def perform(clip: str, folder: str) -> dict[str, object]:
    """A clip in, keys on the demo head out."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    addon_utils.enable(EXTENSION)
    assert bpy.ops.aumocap.add_demo_head() == {"FINISHED"}
    analyse(Path(clip), Path(folder))
    bpy.context.scene.aumocap.character = bpy.data.objects["Demo Head"]
    assert bpy.ops.aumocap.bake() == {"FINISHED"}
    found = {
        "origins": {name: origin(name) for name in ("cv2", "onnxruntime", "numpy")},
        "moving": moving_keys(),
        "turns": turns(),
        "blender": bpy.app.version_string,
    }
    addon_utils.disable(EXTENSION)
    return found


def analyse(clip: Path, folder: Path) -> None:
    """The first frames of a clip to a take in the scene's list."""
    own = bpy.context.scene.aumocap
    own.capture.filepath = str(clip)
    own.capture.use_range, own.capture.last = True, FRAMES - 1
    assert bpy.ops.aumocap.analyse() == {"FINISHED"}
    assert Path(own.takes[0].filepath).is_relative_to(folder), "stored in the user's own folder"


def moving_keys() -> dict[str, float]:
    """How far each shape key of the demo head moves between frames, where it does."""
    keys = bpy.data.objects["Demo Head Face"].data.shape_keys.key_blocks
    seen: dict[str, list[float]] = {key.name: [] for key in keys}
    for frame in range(1, 37):
        bpy.context.scene.frame_set(frame)
        for key in keys:
            seen[key.name].append(key.value)
    spans = {name: max(values) - min(values) for name, values in seen.items()}
    return {name: span for name, span in spans.items() if span > 0.05}


def turns() -> bool:
    """Whether the head bone is keyed."""
    armature = bpy.data.objects["Demo Head"]
    angles = []
    for frame in (1, 36):
        bpy.context.scene.frame_set(frame)
        angles.append(tuple(armature.pose.bones["head"].matrix.to_quaternion()[:]))
    return angles[0] != angles[1]


def origin(name: str) -> str:
    return str(importlib.import_module(name).__file__)


if __name__ == "__main__":
    job = {"install": install, "perform": perform}[sys.argv[1]]
    sys.stdout.write(f"\nFOUND {json.dumps(job(*sys.argv[2:]))}\n")
    sys.stdout.flush()
    # Blender 4.2 as a module crashes at the end once a property with a callback was registered; the program does not.
    os._exit(0)
