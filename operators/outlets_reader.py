"""What characters do, frame by frame; run by itself in a second Blender it reads that from a file.

    python outlets_reader.py JOB.json               (Blender as a module)
    blender -b --python outlets_reader.py -- JOB.json

A second Blender, not this one: an import renames what has its names already, sets frame rates, and leaves actions,
materials and pictures of which nobody could say afterwards whether they had been there. It starts with Blender's own
settings, so what the user's add-ons change does not count. Nothing of the extension is imported there.
"""

import json
import os
import sys
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

Samples = dict[tuple[str, str, str], NDArray[np.float64]]
"""By kind, object and shape key or bone (empty for the object itself), (T, n) rows: `key` the value; `turn` a unit
quaternion in the world, away from rest for bones; `place` in the world; `stretch` how unevenly a bone or one above it
is scaled."""

TYPES: Final = ("ARMATURE", "MESH", "EMPTY")


def sample(
    stage: bpy.types.Scene, objects: Iterable[bpy.types.Object], frames: Sequence[float], bare: Collection[str] = ()
) -> Samples:
    """What objects do, drivers, constraints and strips included; the scene stays at the last frame.

    Args:
        stage: The scene, which must be the one on show.
        objects: Armatures, meshes and empties.
        frames: (T,) scene frames.
        bare: Names of armatures that deform no mesh: their turns are not counted from rest, since FBX has a rest pose
            for what is skinned alone.
    """
    rows: dict[tuple[str, str, str], list[Any]] = {}
    chosen = list(objects)
    for frame in frames:
        whole = int(np.floor(frame))
        stage.frame_set(whole, subframe=float(frame - whole))
        graph = bpy.context.evaluated_depsgraph_get()
        for each in chosen:
            _look(rows, each, each.evaluated_get(graph), each.name in bare)
    return {name: np.array(values, np.float64) for name, values in rows.items()}


def _look(
    rows: dict[tuple[str, str, str], list[Any]], own: bpy.types.Object, seen: bpy.types.Object, is_bare: bool
) -> None:
    def add(part: str, matrix: Matrix, rest: Matrix | None = None) -> None:
        turn = matrix.to_quaternion()
        if rest is not None:
            turn = turn @ rest.to_quaternion().inverted()
        rows.setdefault(("turn", own.name, part), []).append(tuple(turn))
        rows.setdefault(("place", own.name, part), []).append(tuple(matrix.translation))

    world = seen.matrix_world
    if own.type == "MESH" and own.data.shape_keys is not None:
        for key in list(seen.data.shape_keys.key_blocks)[1:]:
            rows.setdefault(("key", own.name, key.name), []).append((key.value,))
    if own.type == "ARMATURE":
        stretched: dict[str, float] = {}
        for bone in seen.pose.bones:  # parents come first
            above = stretched[bone.parent.name] if bone.parent else 0.0
            stretched[bone.name] = max(above, _unevenness(bone.matrix))
            rows.setdefault(("stretch", own.name, bone.name), []).append((stretched[bone.name],))
            add(bone.name, world @ bone.matrix, None if is_bare else world @ bone.bone.matrix_local)
    if own.find_armature() is None:  # what is skinned has no place of its own in either format
        add("", world)


def _unevenness(matrix: Matrix) -> float:
    """By how much a matrix stretches one axis more than another: 0 where it scales all alike."""
    sizes = [abs(size) for size in matrix.to_scale()]
    return max(sizes) / max(min(sizes), 1e-9) - 1.0


def _read(job: dict[str, Any]) -> None:
    """Import a file into an empty scene and store what it does at the job's times."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    imports: Any = bpy.ops.import_scene  # its type stubs know no get_rna_type
    stage: Any = bpy.context.scene
    # With a base of 1 every importer turns seconds into frames alike.
    stage.render.fps, stage.render.fps_base = job["fps"], 1.0
    if job["form"] == "gltf":
        known = imports.gltf.get_rna_type().properties.keys()
        bpy.ops.import_scene.gltf(
            filepath=job["path"], **({"disable_bone_shape": True} if "disable_bone_shape" in known else {})
        )
    else:
        bpy.ops.import_scene.fbx(filepath=job["path"], anim_offset=0.0)
    objects = [each for each in stage.objects if each.type in TYPES]
    found = sample(stage, objects, [time_s * stage.render.fps for time_s in job["times_s"]], job["bare"])
    meshes = {each.name: each.data.name for each in objects if each.type == "MESH"}
    names = [list(name) for name in found]
    arrays = {str(number): values for number, values in enumerate(found.values())}
    with Path(job["output"]).open("wb") as file:
        np.savez(file, names=np.array(json.dumps({"names": names, "meshes": meshes})), **arrays)  # type: ignore[arg-type]


if __name__ == "__main__":
    code = 1
    try:
        _read(json.loads(Path(sys.argv[-1]).read_text(encoding="utf-8")))
        code = 0
    except Exception:  # noqa: BLE001 - told to whoever has started this, by its text and its code
        import traceback

        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # Blender as a module may hang when Python ends in good order
