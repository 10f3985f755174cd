"""Faces that are hidden, blurred, tiny or cut off: confidence falls, and curves hold instead of jumping."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from au_mocap import calibration, pipeline
from au_mocap.calibration import NeutralSettings, Settings
from au_mocap.crops import Crop, Image, crop_image
from au_mocap.errors import TrackerError
from au_mocap.onnx_tracker import OnnxTracker
from au_mocap.registry import Registry
from au_mocap.regressors import open_regressor
from au_mocap.take import Take
from au_mocap.tracking import TrackedFace, open_tracker
from au_mocap.video import open_video
from tests.core import clips

SKIN_BGR = (120, 140, 190)
HIDDEN = range(20, 32)
"""Frames of `hidden_clip` in which a hand covers most of the face."""


@pytest.fixture
def tracker() -> OnnxTracker:
    opened = open_tracker("onnx", Registry(), "cpu")
    assert isinstance(opened, OnnxTracker)
    return opened


@pytest.fixture(scope="module")
def images(single_face: Path) -> list[Image]:
    with open_video(single_face) as video:
        return [frame.image for frame in video.frames(0, 60)]


def box(face: TrackedFace) -> tuple[np.ndarray, np.ndarray]:
    """Lower corner and size of the landmarks' bounding box."""
    points = face.landmarks[:, :2]
    return points.min(axis=0), points.max(axis=0) - points.min(axis=0)


def covered(image: Image, face: TrackedFace, share: float = 1.0) -> Image:
    """The picture with a skin-coloured shape over the middle of the face, about as large as a hand."""
    low, size = box(face)
    center, axes = low + size * (0.5, 0.6), size * (0.33, 0.5) * share
    hidden = image.copy()
    cv2.ellipse(hidden, center.astype(int).tolist(), axes.astype(int).tolist(), 25, 0, 360, SKIN_BGR, -1)
    return hidden


def confidence(tracker: OnnxTracker, image: Image, change: Callable[[Image, TrackedFace], Image]) -> float:
    """Mean confidence over some frames after a clear face turned into something worse; 0 where it is lost."""
    tracker.reset()
    for index in range(3):
        face = tracker.track(image, index / 30)
    assert face is not None
    assert face.confidence > 0.95
    worse = change(image, face)
    faces = [tracker.track(worse, index / 30) for index in range(3, 8)]
    return float(np.mean([face.confidence if face else 0.0 for face in faces]))


def test_confidence_falls_with_blur(tracker: OnnxTracker, images: list[Image]) -> None:
    blurred = [
        confidence(tracker, images[0], lambda image, _, sigma=sigma: cv2.GaussianBlur(image, (0, 0), sigma))  # type: ignore[misc]
        for sigma in (4, 6, 8, 12)
    ]
    assert blurred == sorted(blurred, reverse=True)
    assert blurred[0] > 0.9
    assert blurred[2] < 0.5
    assert blurred[3] == 0


def test_confidence_falls_with_what_hides_the_face(tracker: OnnxTracker, images: list[Image]) -> None:
    shown = [
        confidence(tracker, images[0], lambda image, face, share=share: covered(image, face, share))  # type: ignore[misc]
        for share in (0.2, 0.6, 1.0, 1.4)
    ]
    assert shown[0] > 0.9
    assert shown[1] > shown[2] > shown[3]
    assert shown[2] < 0.35


def test_confidence_falls_as_the_frame_cuts_the_face(tracker: OnnxTracker, images: list[Image]) -> None:
    low, size = box(tracked(tracker, images[0]))
    bottoms = (low[1] + size[1] * np.array([1.0, 0.75, 0.5])).astype(int)
    shown = []
    for bottom in bottoms:
        tracker.reset()
        face = tracker.track(np.ascontiguousarray(images[0][:bottom]), 0.0)
        shown.append(face.confidence if face else 0.0)
    assert shown[0] > 0.9
    assert shown[1] < 0.75
    assert shown[2] < 0.25


def test_confidence_falls_with_too_few_pixels(tracker: OnnxTracker, images: list[Image]) -> None:
    shown = []
    for size_px in (96, 48, 32):
        tile = crop_image(images[0], tracked(tracker, images[0]).crop, size_px)
        frame = np.full((144, 144, 3), 90, np.uint8)
        start = 72 - size_px // 2
        frame[start : start + size_px, start : start + size_px] = tile
        tracker.reset()
        face = tracker.track(frame, 0.0)
        shown.append(face.confidence if face else 0.0)
    assert shown[0] > 0.9
    assert shown[1] < 0.85
    assert shown[2] < 0.6


def tracked(tracker: OnnxTracker, image: Image) -> TrackedFace:
    tracker.reset()
    face = tracker.track(image, 0.0)
    assert face is not None
    return face


@pytest.fixture(scope="module")
def hidden_clip(images: list[Image], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """640x360, 30 fps, 60 frames, neutral to smile; in those of `HIDDEN` a hand flies over the face."""
    tracker = open_tracker("onnx", Registry(), "cpu")
    frames = []
    for index, image in enumerate(images):
        face = tracker.track(image, index / 30)
        assert face is not None
        moved = replace(face, landmarks=face.landmarks + np.float32(4.0 * np.sin(index)))
        frames.append(covered(image, moved) if index in HIDDEN else image)
    path = tmp_path_factory.mktemp("clips") / "hidden.mp4"
    source = ("-f", "rawvideo", "-pix_fmt", "bgr24", "-s", "640x360", "-r", "30", "-i", "-")
    raw = b"".join(frame.tobytes() for frame in frames)
    clips.ffmpeg(*source, "-c:v", "libx264", "-crf", "12", "-pix_fmt", "yuv420p", path, stdin=raw)
    return path


@pytest.mark.parametrize("name", ["accurate", "fast", "geometry", "mediapipe"])
def test_curves_hold_behind_a_hand(hidden_clip: Path, name: str) -> None:
    regressor = open_regressor(Registry(), name, "cpu")
    take, _ = pipeline.extract(hidden_clip, open_tracker("onnx", Registry(), "cpu"), regressor)
    around = slice(HIDDEN.start - 3, HIDDEN.stop + 4)
    middle = slice(HIDDEN.start + 1, HIDDEN.stop - 1)
    assert take.found.all()
    assert take.confidence[middle].max() < 0.4
    assert np.delete(take.confidence, np.arange(around.start, around.stop)).min() > 0.8

    def steps(shown: Take) -> np.ndarray:
        settings = Settings(NeutralSettings("frames", (0, 1, 2, 3)), smoothing="off")
        return np.abs(np.diff(calibration.curves(shown, settings, regressor).values[around], axis=0)).max(axis=1)

    believed = replace(take, confidence=np.ones_like(take.confidence))
    assert steps(take).max() < 0.6 * steps(believed).max()
    assert steps(take)[4:-4].max() < 0.15


def test_a_crop_without_size_or_place_is_an_error() -> None:
    image = np.zeros((20, 30, 3), np.uint8)
    for crop in (
        Crop(5, 5, 0, 0),
        Crop(5, 5, -1, 0),
        Crop(np.nan, 5, 9, 0),
        Crop(5, 5, np.inf, 0),
        Crop(5, 5, 9, np.nan),
    ):
        with pytest.raises(TrackerError, match="nothing to see"):
            crop_image(image, crop, 8)
