"""A page of the chosen take from Blender, and several actors' takes in the list."""

import shutil
from pathlib import Path

import bpy
import cv2
import numpy as np
import pytest

from tests.blender.clips import ffmpeg
from training import extension

from .conftest import CLIP, Properties


@pytest.fixture
def own(stored_take: Path, tmp_path: Path) -> Properties:
    """The scene's properties, with two takes of one clip in the list, the first chosen."""
    takes = extension.module("operators.take_list")
    for name in ("first", "second"):
        takes.add(bpy.context.scene, Path(shutil.copy(stored_take, tmp_path / f"{name}.take.npz")))
    own = bpy.context.scene.aumocap
    own.active_take = 0
    own.takes[1].neutral = "none"
    return own


def test_page_shows_the_curves_of_the_settings(own: Properties, tmp_path: Path) -> None:
    own.takes[0].smoothing = "strong"
    own.takes[0].channels["jaw_drop"].gain = 1.5
    assert bpy.ops.aumocap.write_report(filepath=str(tmp_path / "page")) == {"FINISHED"}
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<h1>first</h1>" in page
    assert "<dd>strong</dd>" in page
    assert "1 channel adjusted" in page
    assert page.count("data:image/jpeg") > 2


def test_page_compares_two_takes(own: Properties, tmp_path: Path) -> None:
    bpy.ops.aumocap.write_report(filepath=str(tmp_path / "page.html"), against="2")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<h1>first <i>against</i> second</h1>" in page
    assert "Mean of these channels" in page


def test_what_stands_in_the_way_is_told(own: Properties, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RuntimeError, match="choose another place"):
        bpy.ops.aumocap.write_report(filepath=str(tmp_path / "file" / "page.html"))
    own.takes[0].video = str(tmp_path / "gone.mp4")
    bpy.ops.aumocap.write_report(filepath=str(tmp_path / "bare.html"))
    assert "no pictures of the video" in (tmp_path / "bare.html").read_text(encoding="utf-8")
    Path(own.takes[0].filepath).unlink()
    with pytest.raises(RuntimeError, match="There is no take"):
        bpy.ops.aumocap.write_report(filepath=str(tmp_path / "none.html"))
    own.takes.clear()
    with pytest.raises(RuntimeError, match="analyse it first"):
        bpy.ops.aumocap.write_report(filepath=str(tmp_path / "none.html"))
    assert not (tmp_path / "none.html").exists()


def test_everybody_in_the_shot_gets_a_take(tmp_path: Path) -> None:
    two = tmp_path / "two.mp4"
    ffmpeg("-i", CLIP, "-frames:v", "12", "-vf", "fps=10,split[a][b];[b]hflip,hue=h=60[c];[a][c]hstack", two)
    image = cv2.VideoCapture(str(two)).read()[1]
    own = bpy.context.scene.aumocap
    own.capture.filepath, own.capture.regressor, own.capture.all_actors = str(two), "geometry", True
    assert bpy.ops.aumocap.analyse() == {"FINISHED"}
    assert [item.name for item in own.takes] == ["two.actor1", "two.actor2"]
    assert own.active_take == 0
    load = extension.module("au_mocap.take").load
    takes = [load(Path(item.filepath)) for item in own.takes]
    assert [take.meta["actor"]["number"] for take in takes] == [1, 2]
    assert all(len(take) == 12 and take.found.all() and take.meta["partial"] is False for take in takes)
    places = [float(np.median(take.crop[:, 0])) for take in takes]
    assert places[0] < image.shape[1] / 2 < places[1]
    assert bpy.ops.aumocap.analyse() == {"FINISHED"}
    assert [item.name for item in own.takes][2:] == ["two.actor1 2", "two.actor2 2"]
