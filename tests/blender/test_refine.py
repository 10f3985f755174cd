"""Refining the chosen take from Blender, with a refiner among the user's model folders."""

import shutil
from pathlib import Path

import bpy
import numpy as np
import pytest

from tests.blender.refiner import NAME, write_refiner
from training import extension

from .conftest import Properties


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the user's model folders lie, for one test."""
    folder = tmp_path / "models"
    monkeypatch.setattr(extension.module("operators.models"), "folder", lambda: folder)
    return folder


@pytest.fixture
def own(stored_take: Path, tmp_path: Path) -> Properties:
    """The scene's properties, with a take in the list."""
    path = Path(shutil.copy(stored_take, tmp_path / "first.take.npz"))
    extension.module("operators.take_list").add(bpy.context.scene, path)
    return bpy.context.scene.aumocap


def test_the_panel_is_there_where_a_refiner_is(place: Path) -> None:
    panel = bpy.types.AUMOCAP_PT_refine
    assert not panel.poll(bpy.context)
    (place / "broken").mkdir(parents=True)
    (place / "broken" / "registry.toml").write_bytes(b"\xff")
    assert not panel.poll(bpy.context)
    write_refiner(place / "mine")
    assert panel.poll(bpy.context)


def test_refined_take_joins_the_list(own: Properties, place: Path, tmp_path: Path) -> None:
    write_refiner(place / "mine")
    before = (tmp_path / "first.take.npz").read_bytes()
    assert bpy.ops.aumocap.refine(steps=2) == {"FINISHED"}
    assert [item.name for item in own.takes] == ["first", "first.refined"]
    assert own.active_take == 1
    assert (tmp_path / "first.take.npz").read_bytes() == before
    loaded, settings = extension.module("operators.loaded"), extension.module("operators.settings")
    first, refined = (
        loaded.calibrator(settings.path_of(item)).curves(settings.of_take(item)).values for item in own.takes
    )
    assert np.nanmax(np.abs(refined - first)) > 0.001
    about = loaded.take(settings.path_of(own.takes[1])).meta["refined"]
    assert (about["name"], about["steps"], about["frames"]) == (NAME, 2, 30)
    own.active_take = 0
    assert bpy.ops.aumocap.refine(steps=1) == {"FINISHED"}
    assert Path(own.takes[2].filepath).name == "first.refined 2.take.npz"


def test_pass_in_a_thread_can_be_stopped_and_keeps_what_it_has(own: Properties, place: Path) -> None:
    write_refiner(place / "mine")
    refine, refinement = extension.module("operators.refine"), extension.module("operators.refinement")
    work = refinement.Refinement(refine._order(bpy.context, 3))
    work.stop()
    work.start()
    work.join(60.0)
    assert not work.running
    assert work.error == ""
    assert "of 30 frames fitted" in work.told
    assert work.progress.done == 30  # the whole take is one block: it was begun, so it was ended
    assert work.order.output.is_file()


def test_what_stands_in_the_way_is_told(own: Properties, place: Path, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="No refiner is installed"):
        bpy.ops.aumocap.refine()
    write_refiner(place / "mine")
    (place / "mine" / "step.onnx").write_bytes(b"cut")
    with pytest.raises(RuntimeError, match="is damaged"):
        bpy.ops.aumocap.refine()
    shutil.rmtree(place)
    write_refiner(place / "mine")
    own.takes[0].video = str(tmp_path / "gone.mp4")
    with pytest.raises(RuntimeError, match=r"gone\.mp4"):
        bpy.ops.aumocap.refine(steps=1)
    assert len(own.takes) == 1
    assert extension.module("operators.refine").current() is None
    own.takes.clear()
    with pytest.raises(RuntimeError, match="analyse it first"):
        bpy.ops.aumocap.refine()


def test_folder_with_a_refiner_alone_can_be_added(place: Path, tmp_path: Path) -> None:
    folder = write_refiner(tmp_path / "made")
    assert bpy.ops.aumocap.add_model(directory=str(folder)) == {"FINISHED"}
    assert (place / "made" / "basis.npz").is_file()
    (folder / "basis.npz").write_bytes(b"cut")
    with pytest.raises(RuntimeError, match="is damaged"):
        bpy.ops.aumocap.add_model(directory=str(folder))
