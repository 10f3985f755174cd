"""The stage's camera is the one it says it is, in OpenCV's terms."""

from pathlib import Path

import bpy
import cv2
import numpy as np
import pytest
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Vector

from training import contact_sheet, demo, stage

SHOT = stage.Shot(
    width=120, height=90, fov_deg=40.0, distance_m=0.6, target_m=(0.1, 0.2, 1.5), samples=1, denoise=False
)


def test_projection_agrees_with_blenders_camera() -> None:
    scene = bpy.data.scenes[0]
    stage.set_up(scene, SHOT)
    bpy.context.view_layer.update()
    for point in ((0.1, 0.2, 1.5), (0.2, 0.1, 1.6), (0.0, 0.5, 1.4)):
        assert scene.camera is not None
        seen = world_to_camera_view(scene, scene.camera, Vector(point))
        x, y, z = SHOT.to_camera(point)
        u, v = SHOT.focal_px * x / z + 60.0, SHOT.focal_px * y / z + 45.0
        assert (u, v) == pytest.approx((seen.x * 120, (1 - seen.y) * 90), abs=1e-3)
        assert z == pytest.approx(seen.z, abs=1e-5)


def test_renders_pictures_and_a_clip_of_the_right_length(tmp_path: Path) -> None:
    scene = bpy.data.scenes[0]
    stage.set_up(scene, SHOT)
    bpy.ops.mesh.primitive_cube_add(size=0.05, location=SHOT.target_m)
    cube = bpy.context.object
    cube.keyframe_insert("location", frame=1)
    cube.location.x += 0.12
    cube.keyframe_insert("location", frame=5)
    clip = tmp_path / "cube.mp4"
    assert stage.write_video(clip, stage.render_frames(scene, [1, 2.5, 5]), 25.0) == 3
    video = cv2.VideoCapture(str(clip))
    frames = [video.read()[1] for _ in range(3)]
    assert frames[0].shape == (90, 120, 3)
    assert video.get(cv2.CAP_PROP_FPS) == 25.0
    # The cube moves to the character's left, which the camera sees on the right.
    change = np.abs(frames[2].astype(int) - frames[0].astype(int)).sum(axis=2)
    assert change[:, 70:].max() > 60
    assert not video.read()[0]


@pytest.mark.parametrize(
    ("rate_hz", "expected"), [(24000 / 1001, 23.976), (30.0, 30.0), (29.97, 29.97), (59.94, 59.94), (12.5, 12.5)]
)
def test_scene_rates(rate_hz: float, expected: float) -> None:
    fps, fps_base = demo.scene_rate(rate_hz)
    assert isinstance(fps, int)
    assert fps / fps_base == pytest.approx(expected, abs=0.001)


def test_contact_sheet_lays_out_pairs_of_any_size() -> None:
    wide, tall = np.full((360, 640, 3), 30, np.uint8), np.full((640, 360, 3), 60, np.uint8)
    head = np.full((320, 320, 3), 200, np.uint8)
    pairs = [contact_sheet.Cell((frame, head), f"{i}.00 s") for i, frame in enumerate((wide, tall, wide))]
    sheet = contact_sheet.contact_sheet("Title", "clip.mp4", pairs)
    assert sheet.dtype == np.uint8
    cell = round(640 * 320 / 360) + 320
    assert sheet.shape[1] == 2 * cell + 60
    assert (sheet == 200).all(axis=2).sum() == 3 * 320 * 320
