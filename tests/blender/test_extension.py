"""The extension registers, unregisters, builds into a clean zip and runs from it."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import bpy
import pytest

from training import extension

INSTALL = """
import sys, bpy
zip_path, take_path = sys.argv[1:]
# A Blender that has numpy and nothing else.
sys.modules["onnxruntime"] = sys.modules["cv2"] = None
bpy.ops.extensions.package_install_files(filepath=zip_path, repo="user_default", enable_on_install=True)
bpy.ops.wm.read_factory_settings(use_empty=True)
import addon_utils
addon_utils.enable("bl_ext.user_default.au_mocap")
assert bpy.ops.aumocap.add_demo_head() == {"FINISHED"}
assert len(bpy.data.objects["Demo Head Face"].data.shape_keys.key_blocks) == 53
own = bpy.context.scene.aumocap
own.character = bpy.data.objects["Demo Head"]
own.capture.filepath = take_path  # no video, but that is never reached
bpy.ops.aumocap.open_take(filepath=take_path)
for operator in (bpy.ops.aumocap.analyse, bpy.ops.aumocap.bake, bpy.ops.aumocap.check_devices):
    try:
        operator()
    except RuntimeError as error:
        assert "This copy of AU Mocap brings no packages" in str(error), error
    else:
        raise AssertionError("worked without a runtime")
addon_utils.disable("bl_ext.user_default.au_mocap")
print("INSTALLED")
"""


def handlers() -> dict[str, int]:
    return {
        name: len(getattr(bpy.app.handlers, name))
        for name in dir(bpy.app.handlers)
        if isinstance(getattr(bpy.app.handlers, name), list)
    }


def menu_entries() -> int:
    return len(bpy.types.VIEW3D_MT_mesh_add._dyn_ui_initialize())


def test_registers_twice_and_leaves_nothing_behind(registered_extension: ModuleType) -> None:
    before = handlers(), menu_entries()
    registered_extension.unregister()
    assert not hasattr(bpy.types, "AUMOCAP_OT_bake")
    assert not hasattr(bpy.types, "AUMOCAP_PT_bake")
    assert menu_entries() == before[1] - 1
    registered_extension.register()
    registered_extension.unregister()
    registered_extension.register()
    assert (handlers(), menu_entries()) == before
    assert hasattr(bpy.types, "AUMOCAP_PT_bake")


@pytest.mark.parametrize(
    ("operator", "wanted"),
    [
        ("bake_range", {"first", "last"}),
        ("delete_take", {"delete_file"}),
        ("neutral_from_timeline", {"source"}),
        ("save_preset", {"name", "overwrite"}),
        ("set_up_scene", {"kind"}),
    ],
)
def test_operator_properties_survive_registration(operator: str, wanted: set[str]) -> None:
    assert wanted <= set(getattr(bpy.ops.aumocap, operator).get_rna_type().properties.keys())


def test_every_property_and_operator_has_a_tooltip() -> None:
    groups = [bpy.types.Scene, bpy.types.Object]
    owners = [group.bl_rna.properties["aumocap"].fixed_type for group in groups]
    operators = [getattr(bpy.ops.aumocap, name).get_rna_type() for name in dir(bpy.ops.aumocap)]
    described = {"aumocap.neutral_from_timeline", "aumocap.reset_channels", "aumocap.set_up_scene"}  # by a method
    for operator in operators:
        assert operator.description or operator.identifier.lower().replace("_ot_", ".") in described, operator
    while owners:
        owner = owners.pop()
        for each in owner.properties:
            if each.identifier in ("rna_type", "name"):
                continue
            if each.type in ("POINTER", "COLLECTION") and each.fixed_type.identifier.startswith("AUMOCAP"):
                owners.append(each.fixed_type)
            else:
                assert each.description, f"{owner.identifier}.{each.identifier}"


ENDS = """
import sys
sys.path.insert(0, sys.argv[1])
import bpy
from training import extension
with extension.registered():
    for name in sys.argv[2].split():
        extension.module(name)
"""


def test_blender_ends_whatever_was_imported() -> None:
    """A reference that outlives its module makes Blender as a module hang when Python ends."""
    files = [*(extension.ROOT / "operators").glob("*.py"), *(extension.ROOT / "ui").glob("*.py")]
    names = " ".join(f"{file.parent.name}.{file.stem}" for file in files if file.stem != "__init__")
    command = [sys.executable, "-c", ENDS, str(extension.ROOT), names]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


def test_importing_the_root_needs_no_blender() -> None:
    code = "import sys; sys.modules['bpy'] = None; import importlib.util as u;"
    code += f"s = u.spec_from_file_location('x', {str(extension.ROOT / '__init__.py')!r});"
    code += "m = u.module_from_spec(s); s.loader.exec_module(m); print(m.register.__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "register", done.stderr


@pytest.fixture(scope="module")
def built_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tool = Path(bpy.utils.resource_path("LOCAL")) / "scripts" / "addons_core" / "bl_pkg" / "cli" / "blender_ext.py"
    folder = tmp_path_factory.mktemp("dist")
    made = folder / "au_mocap.zip"
    root = str(extension.ROOT)
    for command in (["validate", root], ["build", "--source-dir", root, "--output-filepath", str(made)]):
        done = subprocess.run([sys.executable, str(tool), *command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    return made


def test_the_zip_holds_what_runs_and_no_more(built_zip: Path) -> None:
    names = zipfile.ZipFile(built_zip).namelist()
    tops = {name.split("/")[0] for name in names}
    rooms = {"au_mocap", "operators", "ui", "models", "__init__.py", "blender_manifest.toml", "LICENSE"}
    assert rooms <= tops
    assert tops - rooms <= {"README.md", "THIRD_PARTY.md"}
    assert "models/demo_head.npz" in names
    assert "au_mocap/mappings/arkit.json" in names
    assert not [name for name in names if "__pycache__" in name or name.endswith((".toml~", "ruff.toml"))]


def test_the_zip_installs_and_runs(built_zip: Path, stored_take: Path, tmp_path: Path) -> None:
    script = tmp_path / "install.py"
    script.write_text(INSTALL, encoding="utf-8")
    environment = {**os.environ, "BLENDER_USER_RESOURCES": str(tmp_path / "blender")}
    environment.pop("PYTHONPATH", None)
    done = subprocess.run(
        [sys.executable, str(script), str(built_zip), str(stored_take)],
        capture_output=True, text=True, check=False, env=environment, cwd=tmp_path, timeout=120,
    )  # fmt: skip
    assert "INSTALLED" in done.stdout, done.stdout + done.stderr
