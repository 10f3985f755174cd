"""Where this copy of the extension does not fit the Blender it is in, the user is told what to do."""

import sys
from pathlib import Path

import pytest

from training import extension

bundle = extension.module("operators.bundle")
HERE = f"cp{sys.version_info.major}{sys.version_info.minor}"
MISSING = ModuleNotFoundError("No module named 'onnxruntime'", name="onnxruntime")


def manifest(folder: Path, platforms: list[str], *wheels: str) -> Path:
    names = ", ".join(f'"./wheels/{name}"' for name in wheels)
    # As the build writes it: everything at the top, and below what this one zip holds.
    text = 'platforms = ["linux-x64", "windows-x64"]\nwheels = ["./wheels/all-1-cp39-cp39-any.whl"]\n'
    text += f"[build.generated]\nplatforms = {platforms!r}\nwheels = [{names}]\n"
    (folder / "blender_manifest.toml").write_text(text.replace("'", '"'), encoding="utf-8")
    return folder


def test_a_checkout_brings_nothing() -> None:
    told = bundle.explain(MISSING)
    assert told.startswith("This copy of AU Mocap brings no packages, and onnxruntime is missing: install the zip for ")
    assert bundle.this_platform() in told


def test_a_copy_for_another_platform_is_told(tmp_path: Path) -> None:
    root = manifest(tmp_path, ["amiga-68k"], f"onnxruntime-1-{HERE}-{HERE}-any.whl")
    told = bundle.explain(MISSING, root)
    assert told.startswith(f"This copy of AU Mocap is for amiga-68k and cannot work on {bundle.this_platform()}")


def test_a_copy_for_other_pythons_is_told(tmp_path: Path) -> None:
    wheels = ["onnxruntime-1-cp313-cp313-any.whl", "onnxruntime-1-cp39-cp39-any.whl", "opencv-1-cp37-abi3-any.whl"]
    told = bundle.explain(MISSING, manifest(tmp_path, [bundle.this_platform()], *wheels))
    assert "fits Blenders with Python 3.9, 3.13, and this one has 3." in told
    assert "4.2, 4.5, 5.0 or 5.2" in told


def test_a_library_that_does_not_load_is_named_with_its_reason(tmp_path: Path) -> None:
    root = manifest(tmp_path, [bundle.this_platform()], f"onnxruntime-1-{HERE}-{HERE}-any.whl")
    error = ImportError("libstdc++.so.6: version not found\nfurther lines", name="onnxruntime.capi._pybind_state")
    told = bundle.explain(error, root)
    assert told.startswith(
        "onnxruntime, which came with AU Mocap, cannot be loaded: libstdc++.so.6: version not found."
    )
    assert "further" not in told


@pytest.mark.parametrize("text", [None, "platforms = [", ""])
def test_a_missing_or_damaged_manifest_is_no_traceback(text: str | None, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "blender_manifest.toml").write_text(text, encoding="utf-8")
    assert "install the zip" in bundle.explain(ImportError("broken"), tmp_path)
