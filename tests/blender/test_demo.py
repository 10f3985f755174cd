"""The whole demo, from a clip to its four files."""

from pathlib import Path

import bpy
import cv2
import numpy as np
import pytest

from training import demo, extension, packages, rendered_clip

from .playing import key_curves


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the demo leaves behind, with small pictures to be quick."""
    folder = tmp_path_factory.mktemp("demo")
    portrait = demo.PORTRAIT
    demo.PORTRAIT = demo.stage.Shot(96, 96, portrait.fov_deg, portrait.distance_m, samples=2)
    extension.module("operators")
    try:
        demo.run(demo.FALLBACK, folder)
    finally:
        demo.PORTRAIT = portrait
    return folder


def test_leaves_its_four_files(folder: Path) -> None:
    names = {path.name for path in folder.iterdir()}
    assert names == {"take.take.npz", "take.csv", "demo.blend", "contact_sheet.png"}
    sheet = cv2.imread(str(folder / "contact_sheet.png"))
    assert sheet.shape[0] > 4 * 320
    assert len((folder / "take.csv").read_text(encoding="utf-8").splitlines()) == 1 + rendered_clip.FRAMES


def test_the_blend_file_plays_the_performance(folder: Path) -> None:
    bpy.ops.wm.open_mainfile(filepath=str(folder / "demo.blend"))
    scene = bpy.context.scene
    assert (scene.render.fps, scene.frame_start, scene.frame_end) == (30, 1, rendered_clip.FRAMES)
    face = bpy.data.objects["Demo Head Face"]
    assert len(key_curves(face)) == 52
    keys = face.data.shape_keys.key_blocks
    scene.frame_set(1)
    resting = keys["jawOpen"].value
    scene.frame_set(50)
    assert keys["jawOpen"].value > resting + 0.4
    rig = bpy.data.objects["Demo Head"]
    noses = []
    middle = rendered_clip.TURNS_DEG["yaw"][0]
    for frame in (round(1 + middle - rendered_clip.TURN_REACH / 2), round(1 + middle + rendered_clip.TURN_REACH / 2)):
        scene.frame_set(frame)
        turn = rig.pose.bones["head"].matrix.to_3x3() @ rig.data.bones["head"].matrix_local.to_3x3().inverted()
        noses.append((turn.col[1] * -1.0).x)
    # First to the actor's right (image left), then to the left.
    assert noses[0] < -0.35
    assert noses[1] > 0.35


def test_without_a_registry_the_rendered_clip_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(_item: packages.PackageFile) -> Path:
        message = "no network"
        raise packages.PackageError(message)

    monkeypatch.setattr(packages, "fetch", unreachable)
    clip = demo.choose_clip(None)
    assert clip.path == demo.FALLBACK
    assert clip.path.is_file()
    assert "no network" in clip.origin


def test_a_missing_video_ends_with_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    extension.load().unregister()  # `main` registers for itself
    try:
        assert demo.main([str(tmp_path / "none.mp4"), "--out", str(tmp_path)]) == 1
    finally:
        extension.load().register()
    error = capsys.readouterr().err.strip().splitlines()
    assert len(error) == 1
    assert error[0].startswith("Error: ")
    assert not np.array([*tmp_path.glob("*.npz")]).size
