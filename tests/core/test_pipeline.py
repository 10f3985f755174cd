"""One pass over a video, driven as the command line and Blender drive it."""

import json
import threading
from collections.abc import Callable
from dataclasses import fields, replace
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from au_mocap import channels, crops, pipeline
from au_mocap.errors import SettingsError, TakeError, VideoError
from au_mocap.pipeline import Extraction, Progress, Range, TakeBuilder
from au_mocap.pose import Camera
from au_mocap.registry import Registry
from au_mocap.regressors import Regressor
from au_mocap.take import Take
from au_mocap.tracking import FaceTracker, open_tracker
from au_mocap.video import open_video
from tests.core.conftest import GAP


@pytest.fixture(scope="module")
def tracker() -> FaceTracker:
    return open_tracker("onnx", Registry(), "cpu")


def recorder(seen: list[Progress], stop_at: int | None = None) -> Callable[[Progress], bool]:
    def record(progress: Progress) -> bool:
        seen.append(replace(progress))
        return progress.done != stop_at

    return record


def test_take_describes_every_frame_of_the_video(single_face_take: Take) -> None:
    assert len(single_face_take) == 72
    np.testing.assert_allclose(single_face_take.time_s, np.arange(72) / 30, atol=1e-3)
    assert single_face_take.found.all()
    assert single_face_take.confidence.min() > 0.5
    assert single_face_take.channels == channels.IDS
    for field in fields(Take):
        array = getattr(single_face_take, field.name)
        if isinstance(array, np.ndarray) and array.dtype.kind == "f":
            assert np.isfinite(array).all(), field.name


def test_take_remembers_where_it_comes_from(single_face_take: Take, single_face: Path) -> None:
    meta = single_face_take.meta
    source = meta["source"]
    assert (source["name"], source["size_bytes"]) == ("single_face.mp4", single_face.stat().st_size)
    assert source["sha256"] == "95ee1a41bfd0f50a2f9d3384eeb11dfe7601db3a173f24825d5146369216f571"
    assert source["rate_hz"] == pytest.approx(30)
    assert meta["frame_size"] == [640, 360]
    assert meta["first_frame"] == 0
    assert (meta["tracker"]["name"], meta["regressor"]["name"]) == ("onnx", "geometry")
    assert meta["settings"]["fov_deg"] == 63.0
    assert json.loads(json.dumps(meta)) == meta


def test_landmarks_and_crop_give_back_image_positions(single_face_take: Take) -> None:
    """The eyes' centres, from what the take keeps, lie a plausible distance apart near the crop's centre."""
    x, y, side, roll = single_face_take.crop[0]
    image = crops.to_image(single_face_take.landmarks[0].astype(np.float32), crops.Crop(x, y, side, roll))
    right, left = image[[33, 133]].mean(axis=0), image[[263, 362]].mean(axis=0)
    assert right[0] < left[0], "the actor's right eye is to the image's left"
    assert 0.15 < (left[0] - right[0]) / side < 0.5
    assert abs((left[0] + right[0]) / 2 - x) < 0.25 * side


def test_results_come_frame_by_frame(tracker: FaceTracker, regressor: Regressor, single_face: Path) -> None:
    with open_video(single_face) as video:
        results = list(pipeline.analyse(video, tracker, regressor, Range(3, 9)))
    assert [result.index for result in results] == [3, 4, 5, 6, 7, 8]
    assert [result.time_s for result in results] == pytest.approx([index / 30 for index in range(3, 9)], abs=1e-3)
    assert all(result.face is not None for result in results)


def test_progress_is_told_for_every_frame(tracker: FaceTracker, regressor: Regressor, single_face: Path) -> None:
    seen: list[Progress] = []
    pipeline.extract(single_face, tracker, regressor, Extraction(Range(60)), recorder(seen))
    assert [progress.done for progress in seen] == list(range(1, 13))
    assert {progress.total for progress in seen} == {12}
    assert seen[-1].faces == 12
    assert all(later.elapsed_s >= earlier.elapsed_s for earlier, later in pairwise(seen))
    assert seen[-1].frames_per_s == pytest.approx(12 / seen[-1].elapsed_s)


def test_stopping_keeps_what_was_analysed(
    tracker: FaceTracker, regressor: Regressor, single_face: Path, single_face_take: Take
) -> None:
    seen: list[Progress] = []
    take, _ = pipeline.extract(single_face, tracker, regressor, on_progress=recorder(seen, stop_at=10))
    assert len(take) == len(seen) == 10
    for name in ("time_s", "found", "landmarks", "crop"):
        np.testing.assert_array_equal(getattr(take, name), getattr(single_face_take, name)[:10], err_msg=name)
    np.testing.assert_allclose(take.values, single_face_take.values[:10], atol=1e-5)


def test_stopping_ends_the_threads(tracker: FaceTracker, regressor: Regressor, langer: Path) -> None:
    before = threading.active_count()
    with open_video(langer) as video:
        results = pipeline.analyse(video, tracker, regressor)
        next(results)
        assert threading.active_count() > before
        results.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before


def test_same_video_gives_the_same_take(
    tracker: FaceTracker, regressor: Regressor, single_face: Path, single_face_take: Take
) -> None:
    """Also with a tracker that has just seen another video."""
    with open_video(single_face) as video:
        list(pipeline.analyse(video, tracker, regressor, Range(40, 50)))
    again, _ = pipeline.extract(single_face, tracker, regressor)
    for field in fields(Take):
        np.testing.assert_array_equal(
            np.array(getattr(again, field.name)), np.array(getattr(single_face_take, field.name)), err_msg=field.name
        )


def test_range_keeps_times_and_numbers_of_the_video(
    tracker: FaceTracker, regressor: Regressor, single_face: Path, single_face_take: Take
) -> None:
    take, _ = pipeline.extract(single_face, tracker, regressor, Extraction(Range(50, 60)))
    assert (len(take), take.first_frame) == (10, 50)
    assert (take.meta["settings"]["start"], take.meta["settings"]["stop"]) == (50, 60)
    np.testing.assert_array_equal(take.time_s, single_face_take.time_s[50:60])
    assert np.abs(take.values - single_face_take.values[50:60]).mean() < 0.05


def test_range_behind_the_end(tracker: FaceTracker, regressor: Regressor, single_face: Path) -> None:
    with pytest.raises(VideoError, match="72 frames: a range from 100 lies behind its end"):
        pipeline.extract(single_face, tracker, regressor, Extraction(Range(100)))


def test_lost_face_is_a_gap_and_nothing_is_invented(returning_take: Take, single_face_take: Take) -> None:
    lost = ~returning_take.found
    assert lost[GAP.start : GAP.stop].all()
    around = np.flatnonzero(lost[: GAP.start]).tolist() + np.flatnonzero(lost[GAP.stop + 3 :]).tolist()
    assert around == [], "frames with a face were lost"
    for name in ("values", "head_rotation", "head_position", "crop", "landmarks"):
        array = getattr(returning_take, name)
        assert np.isnan(array[lost]).all(), name
        assert np.isfinite(array[~lost]).all(), name
    assert (returning_take.confidence[lost] == 0).all()
    assert (returning_take.confidence[~lost] > 0.5).all()
    np.testing.assert_allclose(np.diff(returning_take.time_s), 1 / 30, atol=1e-3)


def test_face_that_returns_is_measured_as_before(returning_take: Take, single_face_take: Take) -> None:
    seen = np.flatnonzero(returning_take.found)
    moved_px = np.linalg.norm(returning_take.crop[seen, :2] - single_face_take.crop[seen, :2], axis=1)
    assert moved_px.max() < 3.0
    assert np.abs(returning_take.values[seen] - single_face_take.values[seen]).mean() < 0.02


def test_head_pose_has_no_seam_between_batches(langer_take: Take) -> None:
    """Poses are fitted some frames at a time; the sign of the quaternion runs through."""
    assert len(langer_take) > 10 * pipeline._POSE_BATCH
    products = np.sum(langer_take.head_rotation[1:] * langer_take.head_rotation[:-1], axis=1)
    assert products.min() > 0.99
    np.testing.assert_allclose(np.linalg.norm(langer_take.head_rotation, axis=1), 1.0, atol=1e-5)
    assert langer_take.head_rotation[0, 0] > 0.9


def test_narrower_lens_puts_the_head_farther_away(
    tracker: FaceTracker, regressor: Regressor, single_face: Path
) -> None:
    near, far = (
        pipeline.extract(single_face, tracker, regressor, Extraction(Range(0, 4), fov_deg=fov))[0] for fov in (63, 30)
    )
    expected = np.tan(np.radians(63 / 2)) / np.tan(np.radians(30 / 2))
    np.testing.assert_allclose(far.head_position[:, 2] / near.head_position[:, 2], expected, rtol=0.05)
    assert 0.2 < near.head_position[0, 2] < 2.0


def test_impossible_field_of_view(tracker: FaceTracker, regressor: Regressor, single_face: Path) -> None:
    for fov_deg in (0.0, 180.0, float("nan")):
        with pytest.raises(SettingsError, match="field of view"):
            pipeline.extract(single_face, tracker, regressor, Extraction(fov_deg=fov_deg))


def test_image_sequence(tracker: FaceTracker, regressor: Regressor, single_face: Path, tmp_path: Path) -> None:
    with open_video(single_face) as video:
        for frame in video.frames(0, 3):
            cv2.imwrite(str(tmp_path / f"frame_{frame.index + 1001:04d}.png"), frame.image)
    take, warnings = pipeline.extract(tmp_path / "frame_%04d.png", tracker, regressor)
    assert warnings == []
    assert take.found.tolist() == [True] * 3
    assert take.meta["source"]["name"] == "frame_%04d.png"
    assert take.meta["source"]["sha256"] is None


def test_nothing_analysed_is_an_error(regressor: Regressor) -> None:
    with pytest.raises(TakeError, match="Nothing was analysed"):
        TakeBuilder(Camera((640, 360)), regressor).build({})
