"""A character whose names stand behind a prefix: its table with confidences, wide and narrow, and the presets menu."""

import importlib
import json

import bpy
import driver


def steps() -> driver.Steps:
    driver.install(next(driver.FOLDER.glob("*.zip")))
    driver.record("blender", bpy.app.version_string)
    driver.empty_scene()
    yield from driver.open_tab()
    driver.screenshot("empty")
    face = character(json.loads((driver.FOLDER / "cc4.json").read_text(encoding="utf-8"))["names"])
    bpy.context.scene.aumocap.character = face
    table = face.aumocap
    driver.record("title", table.table_name)
    driver.record("confidences", sorted({round(row.confidence, 2) for row in table.rows}))
    yield 0.5
    driver.screenshot("narrow")
    importlib.import_module(f"{driver.EXTENSION}.ui.text")._WIDE_PX = 200  # the screen has no room for a wide sidebar
    yield 0.5
    driver.screenshot("wide")
    driver.point(500, 450)
    yield 0.3
    with driver.viewport():
        bpy.ops.wm.call_menu(name="AUMOCAP_MT_presets")
    yield 1.0
    driver.screenshot("menu")
    driver.press("Escape")
    yield 0.3


def character(names: list[str]) -> bpy.types.Object:
    """A triangle with shape keys behind a prefix."""
    mesh = bpy.data.meshes.new("Face")
    mesh.from_pydata([(0, 0, 0), (1, 0, 0), (0, 0, 1)], [], [(0, 1, 2)])
    face = bpy.data.objects.new("Face", mesh)
    bpy.context.collection.objects.link(face)
    for name in ("Basis", *(f"Head_{name}" for name in names)):
        face.shape_key_add(name=name).value = 0.0
    return face
