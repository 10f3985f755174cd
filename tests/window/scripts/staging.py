"""Shows a clip beside the viewport and behind the camera, at its start and later."""

import importlib

import bpy
import driver


def _areas() -> list[list]:
    return [[area.type, area.width] for area in driver.window().screen.areas]


def steps() -> driver.Steps:
    driver.install(next(driver.FOLDER.glob("*.zip")))
    clip = next(driver.FOLDER.glob("*.mp4"))
    staging = importlib.import_module(f"{driver.EXTENSION}.operators.staging")
    errors = importlib.import_module(f"{driver.EXTENSION}.au_mocap.errors")
    driver.empty_scene()
    scene = bpy.context.scene
    scene.render.fps = 30
    driver.record("before", _areas())
    shown = []
    for start_frame in (1.0, 11.0):
        with driver.viewport():
            stage = staging.set_up(bpy.context, clip, start_frame, "image_editor")
        shown.append(stage.area)
    driver.record("reused", shown[0] == shown[1])
    driver.record("hint", stage.hint)
    driver.record("after", _areas())
    user = stage.area.spaces.active.image_user
    driver.record("user", [user.frame_start, user.frame_duration, user.use_auto_refresh])
    place = [stage.area.x, stage.area.y, stage.area.width, stage.area.height]
    driver.record("place", place)
    for frame in (11, 60):
        scene.frame_set(frame)
        yield 0.5
        driver.record(f"shows_{frame}", user.frame_current)
        driver.screenshot(f"editor_{frame}")
    with driver.viewport():
        staging.set_up(bpy.context, clip, 1.0, "camera")
        bpy.ops.view3d.view_camera()
    for frame in (1, 60):
        scene.frame_set(frame)
        yield 0.5
        driver.screenshot(f"camera_{frame}")
    with driver.viewport():
        bpy.ops.screen.screen_full_area()
    yield 0.5
    try:
        with bpy.context.temp_override(window=driver.window()):
            staging.set_up(bpy.context, clip, 1.0, "image_editor")
    except errors.SettingsError as error:
        driver.record("full", str(error))
