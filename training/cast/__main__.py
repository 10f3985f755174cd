"""One clip on four characters whose faces have nothing in common: `python -m training.cast [VIDEO] [--out FILE]`.

The demo head with ARKit's shape keys, a stylised child with the morphs of MikuMikuDance, an old woman with Character
Creator's keys, and a broad man whose face is Rigify's bones. Each gets the table that the extension offers it, and the
same take. Without VIDEO the rendered clip of the repository is played.
"""

import argparse
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import bpy
import cv2
import numpy as np
from numpy.typing import NDArray

from training import demo, extension, stage
from training.cast import conventions, looks, rigify_head
from training.contact_sheet import Cell, contact_sheet

OUTPUT: Final = Path("cast.png")
SHOT: Final = stage.Shot(width=320, height=320, fov_deg=17.0, distance_m=0.92, samples=12)
_TARGET_BELOW_EYES_M: Final = 0.025


@dataclass(frozen=True, slots=True)
class Player:
    """One of the four.

    Attributes:
        title: What the sheet calls it.
        look: Whose head it is, one of `looks.LOOKS`; empty for the demo head.
        prepare: Gives it the controls of its convention, and returns what the take is baked on.
        preset: The table that it must be offered.
    """

    title: str
    look: str
    prepare: Callable[[Any], bpy.types.Object]
    preset: str


def _rekeyed(recipe: conventions.Recipe) -> Callable[[Any], bpy.types.Object]:
    def prepare(character: Any) -> bpy.types.Object:  # noqa: ANN401 - operators.demo_head.DemoHead
        conventions.rekey(character.head, recipe)
        return character.armature

    return prepare


PLAYERS: Final = (
    Player("ARKit keys", "", lambda character: character.armature, "ARKit 52"),
    Player("MikuMikuDance morphs", "toon", _rekeyed(conventions.MMD), "MikuMikuDance"),
    Player("Character Creator keys", "elder", _rekeyed(conventions.CC4), "Character Creator 4"),
    Player("Rigify bones", "broad", rigify_head.put_on_rigify, "Rigify (Legacy Face)"),
)


def perform(player: Player, take: Path, times_s: NDArray[np.float64], rate_hz: float) -> list[NDArray[np.uint8]]:
    """Bake a take on one of the four and render it: (h, w, 3) BGR at each time.

    Raises:
        RuntimeError: The extension refuses something, or offers another table than the character's own.
    """
    bpy.ops.wm.read_factory_settings(use_empty=True)
    extension.enable()
    scene = bpy.data.scenes[0]
    scene.render.fps, scene.render.fps_base = demo.scene_rate(rate_hz)
    heads = extension.module("operators.demo_head")
    data_file = looks.data_file(player.look) if player.look else heads.DATA
    character = heads.add_demo_head(bpy.context, "Actor", data_file)
    bones = character.armature.data.bones
    eyes = 0.5 * (bones["eye.L"].head_local + bones["eye.R"].head_local)
    rig = player.prepare(character)
    own = scene.aumocap
    own.character = rig
    if rig.aumocap.table_name != player.preset:
        message = f"{player.title}: the extension offers '{rig.aumocap.table_name}', not '{player.preset}'"
        raise RuntimeError(message)
    if not any(row.channel.startswith("look_") for row in rig.aumocap.rows):
        rig.aumocap.use_eye_bones = True
    bpy.ops.aumocap.open_take(filepath=str(take))
    bpy.ops.aumocap.bake()
    stage.set_up(scene, stage.aimed(SHOT, (eyes.x, eyes.y, eyes.z - _TARGET_BELOW_EYES_M)))
    frames = own.bake.start_frame + times_s * (scene.render.fps / scene.render.fps_base)
    return list(stage.render_frames(scene, frames.tolist()))


def moments(take: Any, count: int) -> NDArray[np.int64]:  # noqa: ANN401 - au_mocap.take.Take
    """Frames worth seeing: those whose expressions differ most from one another, in their order."""
    values = np.nan_to_num(take.values)
    chosen = [int(np.argmax(np.linalg.norm(values, axis=1)))]
    while len(chosen) < min(count, int(take.found.sum())):
        apart = np.min([np.linalg.norm(values - values[each], axis=1) for each in chosen], axis=0)
        apart[~take.found] = -1.0
        chosen.append(int(np.argmax(apart)))
    return np.sort(np.array(chosen))


def make_sheet(video: Path, folder: Path, count: int) -> NDArray[np.uint8]:
    """Analyse a clip, play it on everybody, and lay the pictures out: (h, w, 3) BGR."""
    path = folder / "take.take.npz"
    take = demo.extract(demo.Clip(video, "video"), path)
    chosen = moments(take, count)
    crops = extension.module("au_mocap.crops")
    frames = [
        crops.crop_image(frame, crops.Crop(float(x), float(y), 1.25 * float(side), 0.0), SHOT.height)
        for frame, (x, y, side, _) in zip(
            demo.video_frames(video, chosen.tolist()), take.crop[chosen].tolist(), strict=True
        )
    ]
    rate_hz = float(take.meta["source"]["rate_hz"] or 30.0)
    played = []
    for player in PLAYERS:
        sys.stdout.write(f"{player.title} ...\n")
        sys.stdout.flush()
        with stage.quiet():
            played.append(perform(player, path, take.time_s[chosen], rate_hz))
    cells = [
        Cell((frame, *(own[row] for own in played)), f"{take.time_s[index]:.2f} s")
        for row, (index, frame) in enumerate(zip(chosen, frames, strict=True))
    ]
    titles = ", ".join(player.title for player in PLAYERS)
    return contact_sheet("AU Mocap", f"{video.name} on four characters, from the left: {titles}", cells, columns=1)


def main(arguments: list[str] | None = None) -> int:
    """Command line."""
    import tempfile

    parser = argparse.ArgumentParser(prog="training.cast", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("video", nargs="?", type=Path, default=demo.FALLBACK)
    parser.add_argument("--out", type=Path, default=OUTPUT, help="default: cast.png")
    parser.add_argument("--count", type=int, default=6, help="moments to show")
    options = parser.parse_args(arguments)
    with extension.registered(), tempfile.TemporaryDirectory() as folder:
        sheet = make_sheet(options.video, Path(folder), options.count)
        with extension.module("au_mocap.files").replacing(options.out) as temporary:
            temporary.write_bytes(cv2.imencode(".png", sheet)[1].tobytes())
    sys.stdout.write(f"Wrote {options.out}\n")
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # Blender as a module may crash when Python ends
