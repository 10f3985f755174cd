"""Imports run ui -> operators -> au_mocap and never back; the extension's root imports nothing by itself."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ENGINE = sorted((ROOT / "au_mocap").rglob("*.py"))
BLENDER = {"bpy", "bpy_extras", "bmesh", "mathutils", "gpu", "blf", "aud", "addon_utils", "bl_ext"}
ROOMS = {"operators", "ui", "training", "tests"}
WHEELS = {"numpy", "cv2", "onnxruntime"}
ON_DEMAND = {"report.py": {"matplotlib"}, "mediapipe_tracker.py": {"mediapipe"}}
"""Packages that a module imports inside the functions that need them."""


def imported(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Top-level names of absolute imports, and `.` with the number of dots for relative ones."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name.split(".")[0], 0) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").split(".")[0], node.level


def test_the_engine_is_looked_at() -> None:
    assert {"cli.py", "pipeline.py", "take.py"} <= {path.name for path in ENGINE}


@pytest.mark.parametrize("path", ENGINE, ids=lambda path: path.name)
def test_engine_imports_itself_and_its_wheels_alone(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    depth = len(path.relative_to(ROOT / "au_mocap").parts)
    for name, level in imported(tree):
        assert name not in BLENDER | ROOMS
        assert level <= depth, "leaves the engine"
        if level == 0:
            assert name in WHEELS | sys.stdlib_module_names | ON_DEMAND.get(path.name, set())
    at_once = [node for node in tree.body if not isinstance(node, ast.FunctionDef | ast.ClassDef)]
    outside = {name for node in at_once for name, level in imported(node) if level == 0}
    assert not outside & ON_DEMAND.get(path.name, set()), "imported before it is needed"


def test_root_imports_nothing_at_module_level() -> None:
    tree = ast.parse((ROOT / "__init__.py").read_text(encoding="utf-8"))
    for node in tree.body:
        functions = isinstance(node, ast.FunctionDef)
        docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        assert functions or docstring, f"line {node.lineno}"
    assert {node.name for node in tree.body if isinstance(node, ast.FunctionDef)} == {"register", "unregister"}


@pytest.mark.parametrize("room", ["operators", "ui"])
def test_rooms_look_downwards_alone(room: str) -> None:
    """Operators never import the panels; neither imports what is not shipped."""
    above = {"operators": {"ui"}, "ui": set[str]()}[room]
    for path in sorted((ROOT / room).rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for name, _ in imported(tree):
            assert name not in above | {"training", "tests"}, path.name
            assert name != "au_mocap" or all(level > 0 for other, level in imported(tree) if other == name), path.name


def test_whole_engine_loads_without_blender() -> None:
    """In a process of its own, in which Blender's modules cannot be imported."""
    code = (
        "import sys, importlib, pkgutil\n"
        f"for name in {sorted(BLENDER)!r}: sys.modules[name] = None\n"
        "import au_mocap\n"
        "for module in pkgutil.iter_modules(au_mocap.__path__):\n"
        "    if module.name != '__main__': importlib.import_module('au_mocap.' + module.name)\n"
        "late = {'matplotlib', 'mediapipe', 'torch'} & set(sys.modules)\n"
        "assert not late, late\n"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
