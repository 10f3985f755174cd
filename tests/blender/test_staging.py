"""The clip is shown behind the camera in step with the timeline; what cannot be shown is refused."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy
import pytest
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Vector

from training import extension

from .clips import ffmpeg, write_clip
from .playing import errors, face_mesh

if TYPE_CHECKING:
    from operators.demo_head import DemoHead
    from operators.staging import Stage


def set_up(path: Path | str, start_frame: float = 1.0, kind: str = "camera") -> "Stage":
    return extension.module("operators.staging").set_up(bpy.context, path, start_frame, kind)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clips") / "actor.mp4", rate_hz=24.0)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("images")
    ffmpeg("-f", "lavfi", "-i", "testsrc=d=1:r=10:s=160x120", "-start_number", "101", folder / "shot_%04d.png")
    return folder


def test_active_camera_shows_the_clip_in_step(clip: Path) -> None:
    bpy.ops.object.camera_add()
    camera = bpy.context.scene.camera = bpy.context.active_object
    stage = set_up(clip, 12.4)
    assert stage.camera == camera
    (background,) = camera.data.background_images
    assert camera.data.show_background_images
    assert (background.source, background.image) == ("IMAGE", stage.image)
    assert stage.image.source == "MOVIE"
    user = background.image_user
    assert (user.frame_start, user.frame_duration, user.frame_offset) == (12, 48, 0)
    assert user.use_auto_refresh
    assert stage.hint == ""


def test_second_call_moves_what_is_there(clip: Path) -> None:
    first = set_up(clip, 1.0)
    again = set_up(clip, 30.0)
    assert first.camera == again.camera
    (background,) = again.camera.data.background_images
    assert background.image_user.frame_start == 30
    assert len(bpy.data.images) == 1
    assert len(bpy.data.cameras) == 1


def test_other_backgrounds_stay(clip: Path) -> None:
    camera = set_up(clip).camera
    by_hand = camera.data.background_images.new()
    by_hand.image = bpy.data.images.new("by hand", 8, 8)
    set_up(clip)
    assert len(camera.data.background_images) == 2
    assert by_hand.image.name == "by hand"


def test_new_camera_looks_at_the_character(demo_head: "DemoHead", clip: Path) -> None:
    bpy.context.view_layer.objects.active = demo_head.head
    camera = set_up(clip).camera
    assert bpy.context.scene.camera == camera
    bpy.context.view_layer.update()
    scene: Any = bpy.context.scene
    assert camera is not None
    for corner in demo_head.head.bound_box:
        seen = world_to_camera_view(scene, camera, demo_head.head.matrix_world @ Vector(corner))
        assert 0.0 < seen.x < 1.0
        assert 0.0 < seen.y < 1.0
        assert seen.z > camera.data.clip_start


def test_image_sequence_behind_the_camera(images: Path) -> None:
    stage = set_up(images, 5.0)
    user = stage.camera.data.background_images[0].image_user
    assert stage.image.source == "SEQUENCE"
    assert (user.frame_start, user.frame_duration, user.frame_offset) == (5, 10, 100)


def test_rates_that_differ_are_told(clip: Path) -> None:
    scene = bpy.context.scene
    scene.render.fps = 30
    hint = set_up(clip).hint
    assert "The scene plays 30 frames per second, the video has 24" in hint
    staging = extension.module("operators.staging")
    scene.render.fps, scene.render.fps_base = 24, 1.001
    assert staging.frame_rate_hint(scene, 24000 / 1001) == ""
    assert staging.frame_rate_hint(scene, 24.0) != ""
    scene.render.fps, scene.render.fps_base = 30, 1.0
    assert staging.frame_rate_hint(scene, 30000 / 1001) != ""


@pytest.mark.parametrize("kind", ["camera", "image_editor"])
def test_missing_and_damaged_clips_touch_nothing(tmp_path: Path, kind: str) -> None:
    junk = tmp_path / "junk.mp4"
    junk.write_bytes(b"no video at all")
    for path in (junk, tmp_path / "missing.mp4", tmp_path):
        with pytest.raises(errors("AuMocapError")):
            set_up(path, 1.0, kind)
    assert len(bpy.data.images) == 0
    assert len(bpy.data.cameras) == 0
    assert bpy.context.scene.camera is None


def test_image_editor_needs_a_window(clip: Path) -> None:
    face_mesh("Face", "jawOpen")
    with pytest.raises(errors("SettingsError"), match="needs Blender's window"):
        set_up(clip, 1.0, "image_editor")
    assert len(bpy.data.images) == 0


def test_unknown_kind_is_refused(clip: Path) -> None:
    with pytest.raises(errors("SettingsError"), match="Unknown place 'wall'"):
        set_up(clip, 1.0, "wall")
