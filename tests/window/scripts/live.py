"""Live preview in a real window: a clip as the camera, the overlay, keys, a take, undo, an editor that closes, Esc."""

import importlib
import time
from pathlib import Path
from typing import Any

import bpy
import driver


def _module(name: str) -> Any:  # noqa: ANN401 - a module of the installed extension
    return importlib.import_module(f"{driver.EXTENSION}.operators.{name}")


def _keys() -> Any:  # noqa: ANN401
    return bpy.data.objects["Demo Head Face"].data.shape_keys.key_blocks


def _values() -> list[float]:
    return [key.value for key in _keys()]


def _middle(numbers: Any, share: float) -> float:  # noqa: ANN401
    ordered = sorted(numbers)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def _running(frames: int) -> Any:  # noqa: ANN401
    """A condition: so many further frames were shown, or it has ended."""
    live = _module("live")
    run = live.current()
    first = run.frame.index if run is not None and run.frame is not None else -1

    def is_so() -> bool:
        run = live.current()
        return run is None or (run.frame is not None and run.frame.index >= first + frames)

    return is_so


def steps() -> driver.Steps:
    driver.install(next(driver.FOLDER.glob("*.zip")))
    clip = next(path for path in driver.FOLDER.iterdir() if path.suffix in {".mp4", ".mov"})
    driver.empty_scene()
    scene: Any = bpy.context.scene
    scene.render.fps = 30
    own = scene.aumocap
    with driver.viewport():
        bpy.ops.aumocap.add_demo_head()
    own.character = bpy.data.objects["Demo Head"]
    driver.look_at(bpy.data.objects["Demo Head Face"])
    own.live.source, own.live.video = "file", str(clip)
    with driver.alone("live"):
        yield from _lived(scene, own)


def _lived(scene: Any, own: Any) -> driver.Steps:  # noqa: ANN401
    drawn_s = _timed_overlay()
    yield from driver.open_tab()
    driver.screenshot("off")
    before = _values()
    began = time.perf_counter()
    with driver.viewport():
        driver.record("started", bpy.ops.aumocap.live() == {"FINISHED"})
    driver.record("start_s", time.perf_counter() - began)
    yield _running(60), 60.0
    driver.record("problem", _module("live").problem())
    driver.screenshot("dark")
    yield _running(60), 60.0
    run = _module("live").current()
    driver.record("tick_s", [_middle(run.tick_s, share) for share in (0.5, 0.99)])
    driver.record("lag_s", [_middle(run.lag_s, share) for share in (0.5, 0.99)])
    overlays_s = [each for each in drawn_s if each > 2e-4]  # editors without an overlay take less
    driver.record("draw_s", [_middle(overlays_s, share) for share in (0.5, 0.99)])
    driver.record("frames_per_s", run.session.statistics.frames_per_s)
    driver.record("moving", max(abs(a - b) for a, b in zip(_values(), before, strict=True)))
    yield from _looks(own)
    yield from _calibrated()
    yield from _recorded(scene, own)
    yield from _closed_and_undone()
    yield from _escaped(before)


def _timed_overlay() -> list[float]:
    """How long each drawing of the overlay takes."""
    overlay = importlib.import_module(f"{driver.EXTENSION}.ui.overlay")
    inner, spent = overlay._draw, list[float]()

    def timed() -> None:
        began = time.perf_counter()
        inner()
        spent.append(time.perf_counter() - began)

    overlay.unregister()
    overlay._draw = timed
    overlay.register()
    return spent


def _looks(own: Any) -> driver.Steps:  # noqa: ANN401
    """Light theme, larger interface, mirror image, an image editor."""
    view = bpy.context.preferences.view
    view.ui_scale = 1.4
    yield _running(5)
    driver.screenshot("large")
    view.ui_scale = 1.0
    paths = [Path(folder) / "Blender_Light.xml" for folder in bpy.utils.preset_paths("interface_theme")]
    light = next((path for path in paths if path.is_file()), None)
    driver.record("light", light is not None)
    if light is not None:
        bpy.ops.script.execute_preset(filepath=str(light), menu_idname="USERPREF_MT_interface_theme_presets")
    own.live.mirror = True
    yield _running(10)
    driver.screenshot("light")
    own.live.mirror = False
    own.live.overlay = "IMAGE_EDITOR"
    area = driver.area("DOPESHEET_EDITOR")
    area.type = "IMAGE_EDITOR"
    yield _running(5)
    driver.screenshot("low_editor")
    area.type = "DOPESHEET_EDITOR"
    area = driver.area()
    area.type = "IMAGE_EDITOR"
    yield _running(5)
    driver.screenshot("image_editor")
    area.type = "VIEW_3D"
    own.live.overlay = "OFF"
    yield _running(5)
    driver.screenshot("no_overlay")
    own.live.overlay = "VIEW_3D"


def _calibrated() -> driver.Steps:
    live = _module("live")
    with driver.viewport():
        bpy.ops.aumocap.calibrate_live()
    yield 1.0
    driver.screenshot("countdown")
    session = live.current().session
    yield lambda: session.calibration.state in ("done", "refused"), 30.0
    driver.record("calibration", session.calibration.state)


def _recorded(scene: Any, own: Any) -> driver.Steps:  # noqa: ANN401
    """The scene plays along, and Blender's auto-keying writes keys."""
    live = _module("live")
    own.live.countdown_s, own.live.play_scene, own.live.keep_video = 1, True, True
    scene.frame_start, scene.frame_end = 1, 500
    scene.frame_set(11)
    scene.sync_mode = "NONE"
    scene.tool_settings.use_keyframe_insert_auto = True
    with driver.viewport():
        bpy.ops.aumocap.record_live()
    yield lambda: live.current().session.recording is not None and live.current().session.recording > 40, 60.0
    driver.record("playing", [driver.window().screen.is_animation_playing, scene.sync_mode])
    driver.screenshot("recording")
    with driver.viewport():
        bpy.ops.aumocap.record_live()
    scene.tool_settings.use_keyframe_insert_auto = False
    yield (lambda: len(own.takes) == 1 or live.problem()), 60.0
    driver.record("after_recording", [driver.window().screen.is_animation_playing, scene.sync_mode, live.problem()])
    driver.record("takes", [[item.name, item.detail, Path(item.video).is_file()] for item in own.takes])
    driver.record("bake_start", own.bake.start_frame)
    keys = bpy.data.objects["Demo Head Face"].data.shape_keys
    bag: Any = keys.animation_data.action
    if hasattr(bag, "slots"):
        bag = bag.layers[0].strips[0].channelbag(keys.animation_data.action_slot)
    curve = next(each for each in bag.fcurves if "jawOpen" in each.data_path)
    driver.record("keys", [len(bag.fcurves), curve.group.name, [point.co.x for point in curve.keyframe_points]])


def _closed_and_undone() -> driver.Steps:
    """The editor with the overlay closes; undo brings back a step in which the face was posed."""
    live = _module("live")
    area = driver.area("OUTLINER")
    area.type = "VIEW_3D"
    yield _running(5)
    with bpy.context.temp_override(window=driver.window(), area=area):
        bpy.ops.screen.area_close()
    yield _running(5)
    driver.record("after_closing", [live.current() is not None, live.problem()])
    with driver.viewport():
        bpy.ops.ed.undo_push(message="one")
        bpy.context.scene.frame_end = 300
        bpy.ops.ed.undo_push(message="two")
        bpy.ops.ed.undo()
    yield _running(5)
    driver.record("after_undo", [live.current() is not None, live.problem(), bpy.context.scene.frame_end])


def _escaped(before: list[float]) -> driver.Steps:
    """Esc in the viewport; then undo to a step that was stored while the face was posed."""
    live = _module("live")
    for object_ in bpy.data.objects:  # keys would have their say otherwise
        if object_.type == "MESH" and object_.data.shape_keys is not None:
            object_.data.shape_keys.animation_data_clear()
        object_.animation_data_clear()
    with driver.viewport():
        bpy.ops.ed.undo_push(message="posed")
        bpy.context.scene.frame_end = 200
        bpy.ops.ed.undo_push(message="posed too")
    driver.point(300, 400)
    yield 0.2
    inner = live.stop

    def timed() -> None:
        began = time.perf_counter()
        inner()
        driver.record("stopped_s", time.perf_counter() - began)

    live.stop = timed
    driver.press("Escape")
    yield lambda: live.current() is None
    live.stop = inner
    driver.record("left", max(abs(a - b) for a, b in zip(_values(), before, strict=True)))
    with driver.viewport():
        bpy.ops.ed.undo()
        bpy.ops.ed.undo()  # the end of a preview that has written keys is a step of its own
    yield 0.3
    driver.record("frame_end", bpy.context.scene.frame_end)
    driver.record("left_by_undo", max(abs(a - b) for a, b in zip(_values(), before, strict=True)))
    driver.screenshot("end")
