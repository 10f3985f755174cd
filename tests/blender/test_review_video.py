"""The video keeps in step with the take, and what is drawn over it lies where the face is."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy
import numpy as np
import pytest

from training import extension

from .clips import ffmpeg
from .conftest import CLIP, Properties

if TYPE_CHECKING:
    from au_mocap.take import Take
    from operators.review_finding import Review


@pytest.fixture
def own(stored_take: Path) -> Properties:
    """A take of the clip's first 30 frames, at 30 a second, in a scene of 60; the clip lies behind the camera."""
    scene: Any = bpy.context.scene
    scene.render.fps = 60
    extension.module("operators.take_list").add(scene, stored_take)
    assert bpy.ops.aumocap.set_up_scene(kind="camera") == {"FINISHED"}
    return scene.aumocap


def user() -> bpy.types.ImageUser:
    return bpy.context.scene.camera.data.background_images[0].image_user


def shown() -> int:
    """Number of the picture, from 1, that Blender shows now."""
    scene, own = bpy.context.scene, user()
    return min(max(scene.frame_current - own.frame_start + 1, 1), own.frame_duration) + own.frame_offset


@pytest.mark.parametrize(
    ("fps", "base", "start", "timing", "speed", "pictures"),
    [
        (30, 1.0, 1.0, "seconds", 1.0, {1: 1, 2: 2, 30: 30, 100: 100, 150: 150, 400: 150, -20: 1}),
        (60, 1.0, 1.0, "seconds", 1.0, {1: 1, 2: 2, 3: 2, 21: 11, 61: 31, 201: 101}),
        (24, 1.0, 11.0, "seconds", 1.0, {11: 1, 19: 11, 27: 21, 5: 1}),
        (24, 1.001, 1.0, "seconds", 2.0, {1: 1, 2: 4, 13: 31}),
        (60, 1.0, 1.0, "frames", 1.0, {1: 1, 21: 21, 61: 61}),
        (60, 1.0, 1.0, "frames", 0.5, {1: 1, 21: 11, 61: 31}),
    ],
)
def test_the_picture_is_that_of_the_takes_time(
    own: Properties, fps: int, base: float, start: float, timing: str, speed: float, pictures: dict[int, int]
) -> None:
    scene: Any = bpy.context.scene
    scene.render.fps, scene.render.fps_base = fps, base
    own.bake.start_frame, own.bake.timing, own.bake.speed = start, timing, speed
    bpy.ops.aumocap.set_up_scene(kind="camera")
    for frame, picture in pictures.items():
        scene.frame_set(frame)
        assert shown() == picture, frame


def test_a_take_that_starts_within_its_clip(own: Properties, stored_take: Path, tmp_path: Path) -> None:
    take = extension.module("au_mocap.take")
    stored = take.load(stored_take)
    arrays = {name: getattr(stored, name) for name in stored.__slots__ if name not in ("channels", "meta")}
    part = {name: array[10:] for name, array in arrays.items() if array is not None}
    take.save(replace(stored, **part, meta={**stored.meta, "first_frame": 10}), tmp_path / "part.take.npz")
    extension.module("operators.take_list").add(bpy.context.scene, tmp_path / "part.take.npz")
    for frame, picture in ((21, 11), (41, 21), (1, 1)):
        bpy.context.scene.frame_set(frame)
        assert shown() == picture
    own.bake.timing = "frames"
    bpy.context.scene.frame_set(11)
    assert shown() == 11


def test_switched_off_the_film_runs_by_itself(own: Properties) -> None:
    review: Any = bpy.context.scene.aumocap_review  # pyright: ignore[reportAttributeAccessIssue]
    bpy.context.scene.frame_set(61)
    assert user().frame_offset == -30
    review.in_step = False
    assert user().frame_offset == 0
    bpy.context.scene.frame_set(81)
    assert user().frame_offset == 0
    review.in_step = True
    assert shown() == 41
    assert own.active_take == 0


def test_while_the_clip_is_labelled_each_frame_shows_the_next_picture(own: Properties, tmp_path: Path) -> None:
    """Labels belong to the clip's frames, one for each of the timeline, whatever a bake makes of its rate."""
    scene: Any = bpy.context.scene
    labels = scene.aumocap_annotation
    labels.coder, labels.folder = "Anna", str(tmp_path)
    own.bake.start_frame = 11.0
    scene.frame_set(31)
    before = shown()
    assert bpy.ops.aumocap.annotate() == {"FINISHED"}
    annotate = extension.module("operators.annotate")
    assert shown() == 21 == annotate.clip_frame(scene) + 1 != before
    scene.frame_set(44)
    assert shown() == 34
    reviewed = extension.module("operators.review_state").update(scene)
    np.testing.assert_allclose(reviewed.frames[[0, 29]], [11.0, 40.0])
    assert bpy.ops.aumocap.annotate_close() == {"FINISHED"}
    scene.frame_set(31)
    assert shown() == before
    assert extension.module("operators.review_state").current(scene) is None


def test_other_films_and_missing_takes_are_left_alone(own: Properties, tmp_path: Path) -> None:
    own.takes[0].filepath = str(tmp_path / "gone.take.npz")
    before = user().frame_offset
    bpy.context.scene.frame_set(61)
    assert user().frame_offset == before
    own.takes[0].video = str(tmp_path / "other.mp4")
    bpy.context.scene.frame_set(81)
    assert user().frame_offset == before
    own.takes.clear()
    bpy.context.scene.frame_set(101)
    assert user().frame_offset == before


def test_image_sequences_count_as_their_files_do(own: Properties, tmp_path: Path) -> None:
    ffmpeg("-i", CLIP, "-frames:v", "30", "-vf", "scale=32:-1", "-start_number", "101", tmp_path / "shot_%04d.png")
    own.takes[0].video = str(tmp_path)
    own.bake.start_frame = 5.0
    bpy.context.scene.camera.data.background_images.clear()
    assert bpy.ops.aumocap.set_up_scene(kind="camera") == {"FINISHED"}
    for frame, number in ((5, 101), (25, 111), (63, 130), (200, 130)):
        bpy.context.scene.frame_set(frame)
        assert shown() == number


def test_a_clip_of_varying_rate_is_asked_for_times() -> None:
    """Blender spaces the four pictures of such a clip evenly over its 2 s: its second one begins at 0.5 s."""
    clock = extension.module("operators.review_clock").Clock(np.array([0.0, 0.1, 0.2, 1.6]), 0, 2.0)
    frames = 1.0 + 10.0 * clock.time_s
    assert [clock.picture(frames, frame, 4) for frame in (1.0, 3.0, 6.0, 11.0, 17.0)] == [0, 0, 1, 2, 3]


def review(stored_take: Path, start: float = 1.0, step: float = 2.0) -> "Review":
    finding = extension.module("operators.review_finding")
    take = extension.module("au_mocap.take").load(stored_take)
    return finding.Review(take, start + step * np.arange(len(take)), ())


def test_the_frame_at_hand_is_the_nearest(stored_take: Path) -> None:
    known = review(stored_take)
    assert [known.index_at(frame) for frame in (1.0, 1.9, 2.1, 59.0, 60.0)] == [0, 0, 1, 29, 29]
    assert [known.index_at(frame) for frame in (-0.5, 60.5)] == [None, None]


def px(take: "Take", share: np.ndarray) -> np.ndarray:
    size = np.array(take.meta["frame_size"])
    return np.column_stack([share[:, 0], 1.0 - share[:, 1]]) * size - 0.5


def test_points_crop_and_axes_lie_on_the_face(stored_take: Path) -> None:
    look, crops = extension.module("operators.review_look"), extension.module("au_mocap.crops")
    take = extension.module("au_mocap.take").load(stored_take)
    marks, corners = px(take, look.points(take, 5)), px(take, look.crop(take, 5))
    inside = crops.to_crop(marks.astype(np.float32), crops.Crop(*map(float, take.crop[5])))
    np.testing.assert_allclose(inside, take.landmarks[5, :, :2], atol=1e-3)
    np.testing.assert_allclose(corners.mean(axis=0), take.crop[5, :2], atol=0.05)
    np.testing.assert_allclose(np.linalg.norm(corners[1] - corners[0]), take.crop[5, 2], rtol=1e-3)
    middle, left, up, _ = px(take, look.axes(take, 5))
    eyes = [marks[[33, 133]].mean(axis=0), marks[[263, 362]].mean(axis=0)]
    np.testing.assert_allclose(middle, np.mean(eyes, axis=0), atol=0.1 * take.crop[5, 2])
    assert (left - middle) @ (eyes[1] - eyes[0]) > 0.9 * np.linalg.norm(left - middle) * np.linalg.norm(
        eyes[1] - eyes[0]
    )
    assert up[1] < middle[1]
    lines = look.contours(take, 5)
    assert lines.shape[1] == 2
    assert len(lines) % 2 == 0
    assert set(map(tuple, lines.tolist())) <= set(map(tuple, look.points(take, 5).tolist()))


def test_without_a_face_nothing_is_drawn(stored_take: Path) -> None:
    look = extension.module("operators.review_look")
    take = extension.module("au_mocap.take").load(stored_take)
    take.found[5] = False
    take.head_rotation[5] = np.nan
    for drawn in (look.points, look.contours, look.crop, look.axes):
        assert drawn(take, 5).shape == (0, 2)
    for size in (None, [0, 480], ["a", 3], [480]):
        odd = replace(take, meta={**take.meta, "frame_size": size})
        assert look.axes(odd, 6).shape == look.points(odd, 6).shape == (0, 2)


def test_columns_show_the_worst_in_them(stored_take: Path) -> None:
    look, known = extension.module("operators.review_look"), review(stored_take, step=1.0)  # frames 1 to 30
    known.take.confidence[:] = 0.9
    known.take.confidence[17] = 0.3
    known.take.found[4] = False
    wide = look.columns(known, -10.0, 50.0, 6)
    np.testing.assert_array_equal(wide.inside, [False, True, True, True, True, False])
    np.testing.assert_array_equal(wide.lost, [False, True, False, False, False, False])
    np.testing.assert_allclose(wide.confidence, [0.0, 0.0, 0.3, 0.9, 0.9, 0.0], atol=1e-6)
    near = look.columns(known, 4.5, 5.5, 10)
    assert near.lost.all()
    assert not look.columns(known, 5.6, 6.4, 3).lost.any()
    assert look.columns(known, 100.0, 200.0, 5).inside.sum() == 0


def test_hatching_stays_in_its_box() -> None:
    look = extension.module("operators.review_look")
    ends = look.hatching(10.0, 33.0, 12.0, 5.0)
    assert len(ends) >= 8
    assert (ends.min(axis=0) >= (10.0, 0.0)).all()
    assert (ends.max(axis=0) <= (33.0, 12.0)).all()
    np.testing.assert_allclose(*(ends[1::2] - ends[::2]).T, atol=1e-5)
