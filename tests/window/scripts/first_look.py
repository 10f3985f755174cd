"""Installs the zip, opens the tab, adds the demo head, and animates it from a clip: with what the zip brings alone."""

import time

import bpy
import driver
import performance


def steps() -> driver.Steps:
    archive = next(driver.FOLDER.glob("*.zip"))
    before = time.perf_counter()
    driver.install(archive)
    driver.record("install_s", time.perf_counter() - before)
    driver.record("blender", bpy.app.version_string)
    driver.empty_scene()
    yield from driver.open_tab()
    driver.record("tab", driver.region().active_panel_category)
    driver.screenshot("empty")
    yield from add_head()
    before = time.perf_counter()
    bpy.context.scene.aumocap.character = bpy.data.objects["Demo Head"]
    performance.analyse(next(driver.FOLDER.glob("*.mp4")), driver.FOLDER)
    driver.record("analysis_s", time.perf_counter() - before)
    yield
    with driver.viewport():
        assert bpy.ops.aumocap.bake() == {"FINISHED"}
    driver.record("moving", performance.moving_keys())
    bpy.context.scene.frame_set(25)
    yield 0.2
    driver.screenshot("moved")
    driver.record("origins", {name: performance.origin(name) for name in ("cv2", "onnxruntime", "numpy")})


def add_head() -> driver.Steps:
    with driver.viewport():
        assert bpy.ops.aumocap.add_demo_head() == {"FINISHED"}
    armature, face = bpy.context.view_layer.objects.active, bpy.data.objects["Demo Head Face"]
    driver.record("active", armature.name)
    driver.look_at(face)
    yield 0.5
    keys = face.data.shape_keys.key_blocks
    driver.record("shape_keys", len(keys))
    driver.record("moved_keys", [key.name for key in keys if key.value != 0.0])
    driver.screenshot("head")
