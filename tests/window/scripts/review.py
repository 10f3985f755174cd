"""Reviews a take with a gap and a spike beside its video, then puts the window back as it was."""

import dataclasses
import importlib
from pathlib import Path
from typing import Any

import bpy
import driver


def _module(name: str) -> Any:  # noqa: ANN401 - a module of the installed extension
    return importlib.import_module(f"{driver.EXTENSION}.{name}")


def _areas() -> list[str]:
    return sorted(area.type for area in driver.window().screen.areas)


def _spoiled(path: str) -> Path:
    """The take without a face in some frames, hardly to be seen in others."""
    take = _module("au_mocap.take")
    stored = take.load(Path(path))
    arrays = {name: getattr(stored, name).copy() for name in ("found", "confidence", "values", "crop", "landmarks")}
    arrays.update({name: getattr(stored, name).copy() for name in ("head_rotation", "head_position", "embedding")})
    lost = slice(30, 42)
    for name, array in arrays.items():
        array[lost] = False if name == "found" else 0.0 if name == "confidence" else float("nan")
    arrays["confidence"][50:57] = 0.25
    arrays["confidence"][57:70] *= 0.7
    made = Path(path).with_name("spoiled.take.npz")
    take.save(dataclasses.replace(stored, **arrays), made)
    return made


def steps() -> driver.Steps:
    driver.install(next(driver.FOLDER.glob("*.zip")))
    driver.empty_scene()
    with driver.viewport():
        bpy.ops.aumocap.add_demo_head()
    scene: Any = bpy.context.scene
    own, review = scene.aumocap, scene.aumocap_review
    scene.render.fps, scene.frame_end = 60, 170
    own.character = bpy.data.objects["Demo Head"]
    own.capture.filepath = str(next(driver.FOLDER.glob("*.mp4")))
    own.capture.regressor, own.capture.use_range, own.capture.first, own.capture.last = "geometry", True, 10, 89
    with driver.viewport():
        bpy.ops.aumocap.analyse()
    bpy.ops.aumocap.open_take(filepath=str(_spoiled(own.takes[0].filepath)))
    own.bake.start_frame = -9.0  # the clip's frame 10 is the scene's frame 11
    driver.look_at(bpy.data.objects["Demo Head Face"])
    driver.record("before", _areas())
    with driver.viewport():
        bpy.ops.aumocap.preview()
        bpy.ops.aumocap.review_layout()
    driver.record("during", _areas())
    review.show_landmarks = review.show_crop = review.show_axes = True
    state, strip = _module("operators.review_state"), _module("ui.review_strip")
    yield lambda: state.current(scene) is not None
    driver.record("problems", [[line.kind, line.frame] for line in state.listed().problems])
    with driver.viewport():
        bpy.ops.aumocap.go_to_problem(direction="next")
    user = driver.area("IMAGE_EDITOR").spaces.active.image_user
    low = driver.region("WINDOW", "DOPESHEET_EDITOR")
    driver.record("timeline", [low.x, low.y, low.width, low.height])
    driver.record("gap", [scene.frame_current, user.frame_start, user.frame_offset])
    yield 0.2
    driver.screenshot("gap")
    with driver.alone("review"):
        yield from driver.open_tab()
        driver.click(*driver.in_sidebar(60, 12))
        scene.frame_set(131)
        yield 0.2
        driver.record("later", [user.frame_offset, user.frame_current])
        driver.screenshot("later")
        made = strip.made()
        for frame in (132, 133):
            scene.frame_set(frame)
            with bpy.context.temp_override(window=driver.window()):
                bpy.ops.wm.redraw_timer(type="DRAW_WIN_SWAP", iterations=1)
        driver.record("made", [made, strip.made() - made])
        driver.click(*driver.in_sidebar(150, 45))  # the layout's button
        yield lambda: not _module("operators.review_layout").is_on(driver.window())
    driver.record("after", [_areas(), review.show_strip])
    with driver.viewport():
        bpy.ops.aumocap.set_up_scene(kind="camera")
        bpy.ops.view3d.view_camera()
    yield 0.2
    driver.screenshot("camera")
    review.show_strip = True
    state.listed().active = 1  # as a click on its line does
    driver.record("chosen", scene.frame_current)
    driver.area("PROPERTIES").type = "GRAPH_EDITOR"
    driver.area().type = "DOPESHEET_EDITOR"
    yield 0.2
    driver.screenshot("editors")
    bpy.ops.preferences.addon_disable(module=driver.EXTENSION)
    yield 0.3
