"""Following a face: real clips, and shots of real faces whose paths are known."""

import math
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from au_mocap.crops import Image, crop_image, readable, to_crop
from au_mocap.detector import tiles
from au_mocap.errors import ModelError, TrackerError
from au_mocap.landmark_model import INPUT_PX, LEFT_EYE_OUTER, RIGHT_EYE_OUTER
from au_mocap.onnx_tracker import OnnxTracker
from au_mocap.registry import BUNDLED, Registry
from au_mocap.tracking import TrackedFace, open_tracker, track_frames
from au_mocap.video import VideoFrame, open_video
from tests.core.shots import Path2D, heads, shot, straight

NOSE_TIP = 4
MOUTH_RIGHT, MOUTH_LEFT = 61, 291

Heads = dict[str, list[Image]]


@pytest.fixture(scope="module")
def opened() -> OnnxTracker:
    tracker = open_tracker("onnx", Registry(), device="cpu")
    assert isinstance(tracker, OnnxTracker)
    return tracker


@pytest.fixture
def tracker(opened: OnnxTracker) -> OnnxTracker:
    opened.reset()
    return opened


@pytest.fixture(scope="module")
def people(opened: OnnxTracker, single_face: Path, langer: Path, webcam_a: Path) -> Heads:
    """Pictures of three people's heads."""
    clips = {"woman": single_face, "actress": langer, "man": webcam_a}
    return {name: heads(clip, opened.detector, 72) for name, clip in clips.items()}


def follow(tracker: OnnxTracker, frames: Iterable[VideoFrame], workers: int = 1) -> list[TrackedFace | None]:
    return [face for _, face in track_frames(frames, tracker, workers)]


def follow_clip(tracker: OnnxTracker, clip: Path, workers: int = 1) -> list[TrackedFace | None]:
    with open_video(clip) as video:
        return follow(tracker, video.frames(), workers)


def first_frame(clip: Path) -> Image:
    with open_video(clip) as video:
        return next(iter(video.frames())).image


def distances(faces: Sequence[TrackedFace | None], path: Path2D) -> np.ndarray:
    """How far the landmarks' centre is from a head's, in widths of its face; NaN where nothing was found."""
    centers = np.array([face.landmarks[:, :2].mean(axis=0) if face else (np.nan, np.nan) for face in faces])
    return np.hypot(centers[:, 0] - path.x, centers[:, 1] - path.y) / path.face_px


def found(faces: Sequence[TrackedFace | None]) -> np.ndarray:
    return np.array([face is not None for face in faces])


class TestLandmarks:
    def test_left_and_right_are_the_actors(self, tracker: OnnxTracker, single_face: Path) -> None:
        face = tracker.track(first_frame(single_face), 0.0)
        assert face is not None
        assert face.landmarks.shape == (478, 3)
        assert face.landmarks.dtype == np.float32
        assert face.landmarks[RIGHT_EYE_OUTER, 0] < face.landmarks[LEFT_EYE_OUTER, 0]
        assert face.landmarks[MOUTH_RIGHT, 0] < face.landmarks[MOUTH_LEFT, 0]

    def test_depth_is_smaller_nearer_to_the_camera(self, tracker: OnnxTracker, single_face: Path) -> None:
        face = tracker.track(first_frame(single_face), 0.0)
        assert face is not None
        assert face.landmarks[NOSE_TIP, 2] < face.landmarks[[RIGHT_EYE_OUTER, LEFT_EYE_OUTER], 2].min()

    def test_a_mirrored_image_gives_mirrored_landmarks(self, tracker: OnnxTracker, single_face: Path) -> None:
        image = first_frame(single_face)
        face = tracker.track(image, 0.0)
        tracker.reset()
        mirrored = tracker.track(np.ascontiguousarray(image[:, ::-1]), 0.0)
        assert face is not None
        assert mirrored is not None
        size_px = face.crop.side_px / 1.5
        for own, other in [(RIGHT_EYE_OUTER, LEFT_EYE_OUTER), (MOUTH_RIGHT, MOUTH_LEFT), (NOSE_TIP, NOSE_TIP)]:
            x, y = face.landmarks[own, :2]
            mirrored_x, mirrored_y = mirrored.landmarks[other, :2]
            assert math.hypot(image.shape[1] - x - mirrored_x, y - mirrored_y) < 0.03 * size_px

    def test_the_crop_holds_the_landmarks(self, tracker: OnnxTracker, webcam_a: Path) -> None:
        face = tracker.track(first_frame(webcam_a), 0.0)
        assert face is not None
        inside = to_crop(face.landmarks, face.crop)
        assert np.abs(inside[:, :2]).max() < 0.5
        eyes = inside[[RIGHT_EYE_OUTER, LEFT_EYE_OUTER], 1]
        assert eyes[0] == pytest.approx(eyes[1], abs=1e-4)

    def test_several_at_once_equal_one_at_a_time(self, tracker: OnnxTracker, single_face: Path) -> None:
        face = tracker.track(first_frame(single_face), 0.0)
        assert face is not None
        tiles_ = np.stack(
            [
                crop_image(first_frame(single_face), replace(face.crop, roll_rad=roll), INPUT_PX)
                for roll in (-0.2, 0.0, 0.3)
            ]
        )
        together = tracker.model.run_tiles(tiles_)
        assert together["map_16"].shape == (3, 128, 16, 16)
        assert together["map_8"].shape == (3, 128, 8, 8)
        for index, tile in enumerate(tiles_):
            alone = tracker.model.run_tiles(tile[None])
            for name, values in alone.items():
                np.testing.assert_allclose(together[name][index], values[0], rtol=1e-4, atol=1e-3, err_msg=name)


class TestClips:
    def test_hands_over_the_face_do_not_lose_it(self, tracker: OnnxTracker, langer: Path) -> None:
        faces = follow_clip(tracker, langer)
        assert len(faces) == 472
        assert found(faces).all()
        for before, after in pairwise(faces):
            assert before is not None
            assert after is not None
            assert 0.9 < before.crop.side_px / after.crop.side_px < 1.1

    def test_a_face_that_leaves_is_gone(self, tracker: OnnxTracker, face_noface: Path) -> None:
        seen = found(follow_clip(tracker, face_noface))
        assert seen[:72].all()
        assert not seen[73:].any()  # what follows is lettering before clouds

    def test_a_face_that_arrives_is_found(self, tracker: OnnxTracker, noface_face: Path) -> None:
        seen = found(follow_clip(tracker, noface_face))
        assert not seen[:95].any()
        assert seen[97:168].all()

    def test_nothing_is_found_where_there_is_no_face(self, tracker: OnnxTracker, no_face: Path) -> None:
        assert not found(follow_clip(tracker, no_face)).any()

    def test_everybody_in_a_group_is_seen(self, tracker: OnnxTracker, multi_face_image: Path) -> None:
        image = readable(cv2.imread(str(multi_face_image)))
        detections = tracker.detector.detect_small(image)
        assert len(detections) == 5
        face = tracker.track(image, 0.0)
        assert face is not None
        assert face.confidence > 0.9


class TestAhead:
    """Several frames in work at once."""

    def test_results_are_the_same_every_time(self, tracker: OnnxTracker, single_face: Path) -> None:
        first = follow_clip(tracker, single_face, workers=2)
        for _ in range(2):
            tracker.reset()
            for before, again in zip(first, follow_clip(tracker, single_face, workers=2), strict=True):
                assert before is not None
                assert again is not None
                np.testing.assert_array_equal(before.landmarks, again.landmarks)
                assert before.crop == again.crop
                assert before.confidence == again.confidence

    def test_landmarks_hardly_differ_from_one_at_a_time(
        self, tracker: OnnxTracker, single_face: Path, langer: Path
    ) -> None:
        for clip, limit_px in ((single_face, 0.15), (langer, 0.5)):
            tracker.reset()
            one = follow_clip(tracker, clip, workers=1)
            tracker.reset()
            two = follow_clip(tracker, clip, workers=2)
            shifts = [
                float(np.linalg.norm(a.landmarks[:, :2] - b.landmarks[:, :2], axis=1).mean())
                for a, b in zip(one, two, strict=True)
                if a is not None and b is not None
            ]
            assert len(shifts) == len(one)
            assert np.median(shifts) <= limit_px

    def test_gaps_are_the_same(self, tracker: OnnxTracker, face_noface: Path) -> None:
        one = found(follow_clip(tracker, face_noface, workers=1))
        tracker.reset()
        np.testing.assert_array_equal(found(follow_clip(tracker, face_noface, workers=3)), one)

    def test_an_abandoned_run_leaves_no_thread_behind(self, tracker: OnnxTracker, single_face: Path) -> None:
        with open_video(single_face) as video:
            run = track_frames(video.frames(), tracker, 2)
            frame, face = next(iter(run))
            run.close()  # type: ignore[attr-defined]
        assert frame.index == 0
        assert face is not None
        tracker.reset()
        assert found(follow_clip(tracker, single_face)).all()


class TestIdentity:
    @pytest.mark.parametrize(
        ("target", "other", "workers"), [("woman", "man", 1), ("man", "actress", 2), ("actress", "woman", 2)]
    )
    @pytest.mark.parametrize("in_front", [True, False], ids=["in front", "behind"])
    def test_crossing(
        self, tracker: OnnxTracker, people: Heads, target: str, other: str, in_front: bool, workers: int
    ) -> None:
        own, others = straight((220, 270), (740, 270), 80, 110.0), straight((740, 270), (220, 270), 80, 100.0)
        pair = [(people[target], own), (people[other], others)]
        faces = follow(tracker, shot(pair[::-1] if in_front else pair), workers)
        off = distances(faces, own)
        apart = np.abs(own.x - others.x) > 150  # the heads no longer touch
        assert (off[apart] < 0.3).all()
        if in_front:
            assert (off < 0.5).all()
        else:
            hidden = np.abs(own.x - others.x) < 40
            assert not found(faces)[hidden].any()
            assert np.count_nonzero(off > 0.5) <= 3  # while one face covers half of the other

    def test_crossing_of_small_faces(self, tracker: OnnxTracker, people: Heads) -> None:
        own, others = straight((700, 540), (1220, 540), 80, 80.0), straight((1220, 540), (700, 540), 80, 72.0)
        faces = follow(tracker, shot([(people["man"], own), (people["actress"], others)], (1920, 1080)), 2)
        assert (distances(faces, own)[np.abs(own.x - others.x) > 120] < 0.3).all()

    def test_the_largest_face_of_the_first_frame_is_followed_even_when_another_grows(
        self, tracker: OnnxTracker, people: Heads
    ) -> None:
        own, others = straight((250, 270), (300, 270), 75, 120.0), straight((700, 270), (640, 270), 75, 90.0)
        grown = Path2D(others.x, others.y, np.linspace(90, 200, 75), others.visible)
        for order in ([0, 1], [1, 0]):
            tracker.reset()
            pair = [(people["woman"], own), (people["man"], grown)]
            faces = follow(tracker, shot([pair[index] for index in order]))
            assert (distances(faces, own) < 0.3).all()

    def test_nobody_takes_the_place_of_an_actor_who_leaves(self, tracker: OnnxTracker, people: Heads) -> None:
        own, others = straight((250, 270), (250, 270), 150, 120.0), straight((700, 270), (650, 270), 150, 100.0)
        away = np.ones(150, np.bool_)
        away[40:115] = False
        own = Path2D(own.x + 60 * (np.arange(150) >= 115), own.y, own.face_px, away)
        faces = follow(tracker, shot([(people["man"], own), (people["woman"], others)]))
        assert (distances(faces, own)[away] < 0.3).all()
        assert not found(faces)[~away].any()

    def test_a_new_look_is_accepted_once_it_lasts(self, tracker: OnnxTracker, people: Heads) -> None:
        path = straight((400, 270), (440, 270), 100, 130.0)
        tinted = list(shot([(people["woman"], path)]))
        for frame in tinted[30:]:
            frame.image[:] = np.clip(frame.image * np.array([1.9, 0.9, 0.55]), 0, 255).astype(np.uint8)
        assert (distances(follow(tracker, tinted), path) < 0.3).all()


class TestSize:
    @pytest.mark.parametrize("face_px", [60, 80, 120, 300])
    def test_faces_of_all_sizes_are_found_in_full_hd(self, tracker: OnnxTracker, people: Heads, face_px: int) -> None:
        path = straight((400, 400), (1450, 650), 12, float(face_px))
        for name in ("woman", "man"):
            tracker.reset()
            assert (distances(follow(tracker, shot([(people[name], path)], (1920, 1080))), path) < 0.3).all()

    @pytest.mark.parametrize(("height", "width"), [(1080, 1920), (1920, 1080), (2160, 3840), (300, 4000), (500, 700)])
    def test_every_small_face_lies_whole_in_a_tile(self, height: int, width: int) -> None:
        regions = tiles(height, width)
        assert regions
        assert len(regions) <= 80
        size = 0.39 * regions[0].side_px
        for x in np.linspace(size / 2, width - size / 2, 23):
            for y in np.linspace(size / 2, height - size / 2, 17):
                assert any(
                    abs(x - tile.center_x_px) + size / 2 <= tile.side_px / 2 + 1e-6
                    and abs(y - tile.center_y_px) + size / 2 <= tile.side_px / 2 + 1e-6
                    for tile in regions
                )

    def test_a_small_image_needs_no_tiles(self) -> None:
        assert tiles(200, 250) == []

    def test_long_stretches_without_a_face_are_not_tiled_on_every_frame(self, tracker: OnnxTracker) -> None:
        runs = 0
        looked = tracker.detector.detect_small

        def counted(image: Image) -> list:
            nonlocal runs
            runs += 1
            return looked(image)

        tracker.detector.detect_small = counted  # type: ignore[method-assign]
        try:
            for index in range(50):
                assert tracker.track(np.full((540, 960, 3), 90, np.uint8), index / 25) is None
        finally:
            del tracker.detector.detect_small
        assert 3 <= runs <= 5


class TestConfidence:
    def test_it_falls_as_the_face_leaves_the_frame(self, tracker: OnnxTracker, people: Heads) -> None:
        path = straight((480, 270), (980, 270), 60, 160.0)
        faces = follow(tracker, shot([(people["woman"], path)]))
        shown = [face.confidence for face in faces if face is not None]
        assert shown[0] > 0.95
        assert min(shown) < 0.8
        assert all(0 <= value <= 1 for value in shown)


class TestBadInput:
    @pytest.mark.parametrize("shape", [(1, 1, 3), (1, 3000, 3), (3000, 2, 3), (64, 4000, 3), (7, 7)])
    def test_odd_images_hold_no_face(self, tracker: OnnxTracker, shape: tuple[int, ...]) -> None:
        assert tracker.track(np.full(shape, 128, np.uint8), 0.0) is None

    def test_grey_video_is_tracked(self, tracker: OnnxTracker, single_face: Path) -> None:
        grey = cv2.cvtColor(first_frame(single_face), cv2.COLOR_BGR2GRAY)
        for index in range(3):
            assert tracker.track(grey, index / 25) is not None

    def test_no_image_at_all(self, tracker: OnnxTracker) -> None:
        with pytest.raises(TrackerError, match="8-bit image"):
            tracker.track(np.zeros((10, 10, 3)), 0.0)

    def test_a_damaged_graph_is_named(self, tmp_path: Path) -> None:
        for path in (*BUNDLED.glob("face_*.onnx"), BUNDLED / "registry.toml"):
            (tmp_path / path.name).write_bytes(path.read_bytes())
        damaged = tmp_path / "face_landmarks.onnx"
        damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
        with pytest.raises(ModelError, match=r"face_landmarks\.onnx is damaged"):
            open_tracker("onnx", Registry((tmp_path,)), device="cpu")

    def test_an_unknown_tracker_is_refused(self) -> None:
        with pytest.raises(TrackerError, match="no tracker 'openface'"):
            open_tracker("openface", Registry())

    def test_the_mediapipe_tracker_says_what_it_needs(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("AU_MOCAP_FACE_LANDMARKER", raising=False)
        with pytest.raises(TrackerError, match=r"face_landmarker\.task.*AU_MOCAP_FACE_LANDMARKER"):
            open_tracker("mediapipe", Registry())
        with pytest.raises(TrackerError, match=r"missing\.task is not a file"):
            open_tracker("mediapipe", Registry(), bundle=tmp_path / "missing.task")

    def test_the_mediapipe_tracker_says_how_to_install_the_package(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "mediapipe", None)
        bundle = tmp_path / "face_landmarker.task"
        bundle.write_bytes(b"")
        with pytest.raises(TrackerError, match=r"pip install mediapipe"):
            open_tracker("mediapipe", Registry(), bundle=bundle)


class Still:
    """A tracker with nothing but what the seam asks for."""

    name = "still"
    version = "1"

    def __init__(self) -> None:
        self.times_s: list[float] = []

    def track(self, image: Image, time_s: float) -> TrackedFace | None:
        assert image.shape == (4, 4, 3)
        self.times_s.append(time_s)
        return None

    def reset(self, maps: Sequence[str] = ()) -> None:
        assert not maps
        self.times_s.clear()


def test_any_tracker_is_driven_frame_by_frame() -> None:
    still = Still()
    frames = [VideoFrame(index, index / 10, np.zeros((4, 4, 3), np.uint8)) for index in range(3)]
    assert list(track_frames(frames, still, 2)) == [(frame, None) for frame in frames]
    assert still.times_s == [0.0, 0.1, 0.2]
