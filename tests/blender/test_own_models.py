"""Regressors of the user's own: found beside the bundled ones, used by analysis and by what opens takes."""

import shutil
from pathlib import Path

import bpy
import numpy as np
import pytest

from training import extension

from .conftest import CLIP, Properties


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the user's model folders lie, for one test."""
    folder = tmp_path / "models"
    monkeypatch.setattr(extension.module("operators.models"), "folder", lambda: folder)
    return folder


def add_own(place: Path, name: str) -> Path:
    """The bundled geometry regressor under another name, in a folder of its own."""
    bundled = extension.module("au_mocap.registry").BUNDLED
    folder = place / name
    folder.mkdir(parents=True)
    shutil.copy(bundled / "geometry.onnx", folder)
    text = (bundled / "registry.toml").read_text(encoding="utf-8")
    start = text.index('[[regressor]]\nname = "geometry"')
    entry = text[start : text.index("[[regressor]]", start + 1)].replace('"geometry"', f'"{name}"', 1)
    (folder / "registry.toml").write_text(f"version = 1\n\n{entry}", encoding="utf-8")
    return folder


def names() -> set[str]:
    return {item[0] for item in extension.module("operators.choices").regressors()}


def test_own_folders_come_and_go_without_a_restart(place: Path) -> None:
    before = names()
    assert "accurate" in before
    folder = add_own(place, "ann")
    assert names() == {*before, "ann"}
    (place / "broken").mkdir()
    (place / "broken" / "registry.toml").write_text("no toml", encoding="utf-8")
    assert names() == {*before, "ann"}
    shutil.rmtree(folder)
    assert names() == before


def test_a_take_is_made_and_opened_with_an_own_regressor(place: Path) -> None:
    own: Properties = bpy.context.scene.aumocap
    folder = add_own(place, "ann")
    own.capture.filepath = str(CLIP)
    own.capture.use_range, own.capture.first, own.capture.last = True, 20, 24
    own.capture.regressor = "ann"
    assert bpy.ops.aumocap.analyse() == {"FINISHED"}
    path = Path(own.takes[-1].filepath)
    take = extension.module("au_mocap.take").load(path)
    assert take.meta["regressor"]["name"] == "ann"
    loaded = extension.module("operators.loaded")
    settings = extension.module("au_mocap.calibration").Settings()
    assert np.isfinite(loaded.calibrator(path).curves(settings).values).all()
    loaded.forget()
    shutil.rmtree(folder)
    with pytest.raises(extension.module("au_mocap.errors").ModelError, match="There is no regressor 'ann'"):
        loaded.calibrator(path)


def test_a_folder_is_tried_and_copied(place: Path, tmp_path: Path) -> None:
    chosen = add_own(tmp_path / "elsewhere", "ann")
    (chosen / "ann.md").write_text("# Card", encoding="utf-8")
    (chosen / "labels.zip").write_bytes(b"private")
    assert bpy.ops.aumocap.add_model(directory=f"{chosen}/") == {"FINISHED"}
    assert "ann" in names()
    assert sorted(path.name for path in (place / "ann").iterdir()) == ["ann.md", "geometry.onnx", "registry.toml"]
    (chosen / "ann.md").write_text("# Newer card", encoding="utf-8")
    assert bpy.ops.aumocap.add_model(directory=str(chosen)) == {"FINISHED"}
    assert (place / "ann" / "ann.md").read_text(encoding="utf-8") == "# Newer card"
    assert [path.name for path in place.iterdir()] == ["ann"]


def test_a_folder_that_does_not_work_is_told_and_not_copied(place: Path, tmp_path: Path) -> None:
    for name, spoil, message in (
        ("none", lambda folder: (folder / "registry.toml").unlink(), "needs a registry.toml"),
        ("empty", lambda folder: (folder / "registry.toml").write_text("version = 1\n"), "names no regressor"),
        ("damaged", lambda folder: (folder / "geometry.onnx").write_bytes(b"cut"), "is damaged"),
        ("fast", lambda _folder: None, "is a regressor of AU Mocap itself"),
    ):
        chosen = add_own(tmp_path / "elsewhere", name)
        spoil(chosen)
        with pytest.raises(RuntimeError, match=message):
            bpy.ops.aumocap.add_model(directory=str(chosen))
    with pytest.raises(RuntimeError, match="Choose the folder"):
        bpy.ops.aumocap.add_model(directory="")
    inside = add_own(place, "ann")
    with pytest.raises(RuntimeError, match="looks already"):
        bpy.ops.aumocap.add_model(directory=str(inside))
    assert [path.name for path in place.iterdir()] == ["ann"]
