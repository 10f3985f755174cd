"""Installs the zip, opens the tab, adds the demo head."""

import importlib
import time

import bpy
import driver


def _origin(name: str) -> str:
    return str(importlib.import_module(name).__file__)


def steps() -> driver.Steps:
    archive = next(driver.FOLDER.glob("*.zip"))
    before = time.perf_counter()
    driver.install(archive)
    driver.record("install_s", time.perf_counter() - before)
    driver.record("blender", bpy.app.version_string)
    driver.empty_scene()
    yield from driver.open_tab()
    driver.screenshot("empty")
    with driver.viewport():
        assert bpy.ops.aumocap.add_demo_head() == {"FINISHED"}
    driver.record("active", bpy.context.view_layer.objects.active.name)
    driver.look_at(bpy.data.objects["Demo Head Face"])
    yield 0.5
    driver.record("tab", driver.region().active_panel_category)
    driver.record("wheels", [_origin(name) for name in ("onnxruntime", "cv2", "numpy")])
    keys = bpy.data.objects["Demo Head Face"].data.shape_keys.key_blocks
    driver.record("shape_keys", len(keys))
    driver.record("moved_keys", [key.name for key in keys if key.value != 0.0])
    driver.screenshot("head")
