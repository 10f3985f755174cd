"""The main job as an artist does it: install, demo head, video, Analyse, Bake; then Esc, undo, a file that closes."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import bpy
import driver


class Spent:
    """Seconds that the extension took at most in one tick of the window, and how many there were."""

    def __init__(self) -> None:
        self.longest_s, self.calls = 0.0, 0

    @contextmanager
    def tick(self) -> Generator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            self.longest_s = max(self.longest_s, time.perf_counter() - began)
            self.calls += 1


def _watch(operator: Any, panel: Any) -> tuple[Spent, Spent]:  # noqa: ANN401 - classes of the extension
    """Time the operator and the panel. Blender counts their arguments, so these stand there one by one."""
    modal, draw = Spent(), Spent()
    inner_modal, inner_draw = operator.modal, panel.draw

    def timed_modal(self: Any, context: Any, event: Any) -> Any:  # noqa: ANN401
        with modal.tick():
            return inner_modal(self, context, event)

    def timed_draw(self: Any, context: Any) -> None:  # noqa: ANN401
        with draw.tick():
            inner_draw(self, context)

    operator.modal, panel.draw = timed_modal, timed_draw
    return modal, draw


def steps() -> driver.Steps:
    archive = next(driver.FOLDER.glob("*.zip"))
    clip = next(path for path in driver.FOLDER.iterdir() if path.suffix in {".mp4", ".mov"})
    began = time.perf_counter()
    driver.install(archive)
    driver.record("install_s", time.perf_counter() - began)
    driver.empty_scene()
    scene: Any = bpy.context.scene
    own = scene.aumocap
    scene.render.fps = 30
    yield from driver.open_tab()
    with driver.viewport():
        bpy.ops.aumocap.add_demo_head()
    own.character = bpy.data.objects["Demo Head"]
    driver.look_at(bpy.data.objects["Demo Head Face"])
    own.capture.filepath = str(clip)
    yield lambda: _module("video_look").shown(own.capture.filepath)
    yield 0.3
    driver.screenshot("video")
    analyse = _module("analyse")
    modal, draw = _watch(analyse.AUMOCAP_OT_analyse, bpy.types.AUMOCAP_PT_capture)
    with driver.viewport():
        bpy.ops.aumocap.analyse("INVOKE_DEFAULT")

    def halfway() -> bool:
        running = analyse.current()
        return running is None or (running.progress is not None and running.progress.done * 3 >= running.progress.total)

    yield halfway, 60.0
    driver.record("running_at_halfway", analyse.current() is not None)
    driver.screenshot("analysing")
    yield (lambda: analyse.current() is None), 120.0
    driver.record("tick_s", [modal.longest_s, draw.longest_s])
    driver.record("ticks", [modal.calls, draw.calls])
    driver.record("takes", [[item.name, item.detail, item.partial] for item in own.takes])
    driver.record("frames_per_s", analyse.last().frames / analyse.last().seconds)
    with driver.viewport():
        driver.record("baked", bpy.ops.aumocap.bake() == {"FINISHED"})
    driver.record("main_job_s", time.perf_counter() - began)
    yield from _smile(scene)
    yield from _escape(own, analyse)
    yield from _undone(own)


def _smile(scene: bpy.types.Scene) -> driver.Steps:
    """The posed head where the actor smiles most."""
    keys: Any = bpy.data.objects["Demo Head Face"].data.shape_keys
    curves = _curves(keys)
    driver.record("curves", len(curves))
    points = [(each.co.x, each.co.y) for each in curves['key_blocks["mouthSmileLeft"].value'].keyframe_points]
    frame, value = max(points, key=lambda point: point[1])
    scene.frame_set(round(frame))
    driver.record("smile", [value, keys.key_blocks["mouthSmileLeft"].value])
    yield 0.5
    driver.screenshot("smile")
    for shown in ("capture", "actor", "character", "bake"):
        with driver.alone(shown):
            yield from driver.open_tab()
            driver.screenshot(shown)
    yield from driver.open_tab()


def _escape(own: Any, analyse: Any) -> driver.Steps:  # noqa: ANN401
    """Esc in the viewport ends the pass and keeps what is done."""
    driver.point(300, 400)
    with driver.viewport():
        bpy.ops.aumocap.analyse("INVOKE_DEFAULT")
    yield lambda: analyse.current() is None or (analyse.current().progress and analyse.current().progress.done > 10)
    driver.press("Escape")
    yield lambda: analyse.current() is None
    item = own.takes[len(own.takes) - 1]
    driver.record("escaped", [item.partial, item.detail])


def _undone(own: Any) -> driver.Steps:  # noqa: ANN401
    """Undo while a preview is on, then the file is closed under it."""
    own.active_take = 0
    with driver.viewport():
        bpy.ops.aumocap.preview()
        bpy.ops.ed.undo_push(message="before")
        bpy.context.scene.aumocap.takes[0].mirror = True
        bpy.ops.ed.undo_push(message="mirror")
        bpy.ops.ed.undo()
    yield 0.3
    driver.record("mirror_after_undo", bpy.context.scene.aumocap.takes[0].mirror)
    driver.record("preview_after_undo", _module("preview").is_on(bpy.context.scene))
    bpy.ops.wm.read_homefile(use_empty=True)
    yield 0.3
    driver.record("preview_after_closing", _module("preview").is_on(bpy.context.scene))


def _module(name: str) -> Any:  # noqa: ANN401 - a module of the installed extension
    import importlib

    return importlib.import_module(f"{driver.EXTENSION}.operators.{name}")


def _curves(keys: bpy.types.Key) -> dict[str, bpy.types.FCurve]:
    data = keys.animation_data
    bag = data.action
    if hasattr(bag, "slots"):
        bag = bag.layers[0].strips[0].channelbag(data.action_slot)
    return {curve.data_path: curve for curve in bag.fcurves}
