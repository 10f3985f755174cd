"""A character as a glTF or FBX file: looked at before, exported, and read again. Imported at first use: needs numpy."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import bpy
import numpy as np

from ..au_mocap import files
from ..au_mocap.errors import OutputError, SettingsError
from . import live, outlets_check, outlets_files, outlets_reader, outlets_verify, preview
from .outlets_check import Span
from .outlets_files import Form

_SCALED: Final = 1e-4


@dataclass(frozen=True, slots=True)
class Wish:
    """What to export, and how.

    Attributes:
        path: The file, which is replaced where it exists.
        form: Its format.
        span: Which frames.
        from_zero: The first frame is second 0 of the file, else frame 0 is (glTF only).
        keep_anyway: Keep the file, too, where it differs from the scene.
    """

    path: Path
    form: Form
    span: Span = "animation"
    from_zero: bool = False
    keep_anyway: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an export did.

    Attributes:
        path: The file.
        frames: First and last scene frame.
        verdict: How the file compares with the scene.
        lost: What of the character is not in the file, one line each.
        notes: What else the user should know, one line each.
    """

    path: Path
    frames: tuple[int, int]
    verdict: outlets_verify.Verdict
    lost: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def text(self) -> str:
        """One line for the user."""
        text = f"{self.path.name}: frames {self.frames[0]} to {self.frames[1]}; {self.verdict.text}"
        for name, lines in (("lost", self.lost), ("note", self.notes)):
            text += f"; {name}: {'; '.join(lines[:5])}" if lines else ""
        return text + "."


def export(context: bpy.types.Context, chosen: bpy.types.Object | None, wish: Wish) -> Outcome:
    """Export a character as the scene plays it; the scene, selection and frame are as before afterwards.

    Args:
        context: Its scene and view layer count.
        chosen: The character.
        wish: What to export, and how.

    Raises:
        SettingsError: There is nothing to export, or nothing to do it with.
        OutputError: The file cannot be written, or differs from the scene; no file was written or replaced.
    """
    stage, layer = context.scene, context.view_layer
    if live.current() is not None:
        message = "Stop the live preview first: what it shows is not what the character plays."
        raise SettingsError(message)
    preview.make_way(stage)
    path = wish.path
    if path.suffix.lower() != outlets_files.SUFFIXES[wish.form]:
        path = path.with_name(f"{path.name}{outlets_files.SUFFIXES[wish.form]}")
    outlets_files.check(wish.form)
    files.check_writable(path, overwrite=True)
    cast = outlets_check.look(stage, layer, chosen, wish.span)
    frames = np.arange(cast.first, cast.last + 1, dtype=np.float64)
    rate_hz = stage.render.fps / stage.render.fps_base
    begin = cast.first if wish.from_zero and wish.form == "gltf" else 0
    notes = list(cast.notes)
    if wish.from_zero and wish.form == "fbx":
        notes.append("FBX keeps the scene's time: its start is stored in the file")
    skinned = {each.find_armature() for each in cast.objects}
    bare = [each.name for each in cast.objects if each.type == "ARMATURE" and each not in skinned]
    with files.replacing(path) as temporary:
        with outlets_files.shown(stage, layer, cast.objects, wish.form):
            aside = _misread(cast.objects) if wish.form == "gltf" else []
            wanted = outlets_reader.sample(stage, cast.objects, frames.tolist(), bare)
            stage.frame_start, stage.frame_end = cast.first, cast.last
            outlets_files.write(wish.form, temporary, from_zero=wish.from_zero)
        times_s = ((frames - begin) / rate_hz).tolist()
        reading = outlets_verify.Reading(temporary, wish.form, times_s, max(round(rate_hz), 1), bare)
        found, meshes = outlets_verify.read_back(reading)
        for name in aside:
            wanted.pop(("place", name, ""), None)
            notes.append(f"the place of '{name}' was not compared: Blender's importer errs where a bone is scaled")
        verdict = outlets_verify.compare(wanted, found, meshes, frames, stage.unit_settings.scale_length)
        if not verdict.moving and not wish.keep_anyway:
            message = f"Nothing of the character moves from frame {cast.first} to {cast.last}: check its animation."
            raise SettingsError(message)
        if not verdict.holds and not wish.keep_anyway:
            message = (
                f"The file does not show what the scene shows, so it was not kept (Keep Anyway does): {verdict.text}."
            )
            raise OutputError(message)
    lost = (*cast.lost, *(f"{each}, which does not move" for each in verdict.at_rest))
    return Outcome(path, (cast.first, cast.last), verdict, lost, tuple(notes))


def _misread(objects: Iterable[bpy.types.Object]) -> list[str]:
    """Objects that Blender's glTF importer puts in a wrong place, though the file has the right one.

    It moves what hangs on a bone by the bone's length, and leaves the armature's scale out.
    """
    return [
        each.name
        for each in objects
        if each.parent is not None
        and each.parent_type == "BONE"
        and any(abs(part - 1.0) > _SCALED for part in each.parent.matrix_world.to_scale())
    ]
