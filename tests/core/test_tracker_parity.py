"""The bundled tracker against the mediapipe package in IMAGE mode, on real clips.

The package lives in an environment of its own and is run as a subprocess; where it cannot be installed, the tests skip.
"""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from au_mocap import blendshapes, channels
from au_mocap.crops import Image
from au_mocap.landmark_model import LandmarkResult, crop_around
from au_mocap.onnx_tracker import OnnxTracker
from au_mocap.registry import Registry
from au_mocap.regressors import features_of, open_regressor
from au_mocap.sessions import open_session
from au_mocap.tracking import TrackedFace, open_tracker
from au_mocap.video import open_video
from tests.environments import ROOT, MissingEnvironmentError, python_of
from training import packages

Reference = Callable[[Path, int], tuple[list[Image], dict[str, np.ndarray]]]


@pytest.fixture(scope="module")
def mediapipe_python() -> Path:
    try:
        return python_of("mediapipe")
    except MissingEnvironmentError as error:
        pytest.skip(f"The mediapipe package cannot be installed here: {error}")


@pytest.fixture(scope="module")
def bundle() -> Path:
    try:
        return packages.fetch(packages.FACE_LANDMARKER_TASK)
    except packages.PackageError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def reference(mediapipe_python: Path, bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Reference:
    """Every so-manyth frame of a clip, and what the mediapipe package finds in each on its own."""

    def compute(clip: Path, step: int) -> tuple[list[Image], dict[str, np.ndarray]]:
        with open_video(clip) as video:
            images = [frame.image for frame in video.frames() if frame.index % step == 0]
        folder = tmp_path_factory.mktemp("reference")
        np.savez(folder / "frames.npz", images=np.stack(images))
        script = ROOT / "tests" / "mediapipe_reference.py"
        command = [mediapipe_python, script, bundle, folder / "frames.npz", folder / "out.npz"]
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        with np.load(folder / "out.npz") as results:
            return images, dict(results)

    return compute


@pytest.fixture(scope="module")
def tracker() -> OnnxTracker:
    tracker = open_tracker("onnx", Registry(), device="cpu")
    assert isinstance(tracker, OnnxTracker)
    return tracker


def detect_and_measure(tracker: OnnxTracker, image: Image) -> LandmarkResult | None:
    """One image on its own: detector, crop, landmarks."""
    detections = tracker.detector.detect(image)
    return tracker.model.run(image, detections[0].crop()) if detections else None


@pytest.mark.parametrize(("clip", "step"), [("single_face", 1), ("langer", 4), ("face_noface", 3), ("webcam_a", 20)])
def test_landmarks_agree_with_the_package(
    reference: Reference, tracker: OnnxTracker, clip: str, step: int, request: pytest.FixtureRequest
) -> None:
    images, expected = reference(request.getfixturevalue(clip), step)
    worst: list[float] = []
    for image, theirs in zip(images, expected["landmarks"], strict=True):
        ours = detect_and_measure(tracker, image)
        assert (ours is None) == bool(np.isnan(theirs).any())
        if ours is not None:
            worst.append(float(np.linalg.norm(ours.landmarks[:, :2] - theirs[:, :2], axis=1).max()))
    assert len(worst) > 20
    assert np.median(worst) <= 0.2
    assert max(worst) <= 1.0


def test_blendshapes_agree_with_the_package(reference: Reference, tracker: OnnxTracker, langer: Path) -> None:
    registry = Registry()
    session = open_session(registry.path(registry.tracker("onnx").files["blendshapes"]), "cpu")
    images, expected = reference(langer, 24)
    for image, landmarks, theirs in zip(images, expected["landmarks"], expected["blendshapes"], strict=True):
        (scores,) = session.run({"points": blendshapes.points_of(landmarks)})
        np.testing.assert_allclose(scores, theirs, atol=1e-3)
        ours = detect_and_measure(tracker, image)
        assert ours is not None
        (scores,) = session.run({"points": blendshapes.points_of(ours.landmarks)})
        np.testing.assert_allclose(scores, theirs, atol=0.02)


def test_the_regressor_of_the_scores_gives_the_packages(reference: Reference, single_face: Path) -> None:
    """The whole way through the registry, fed with the package's own landmarks."""
    regressor = open_regressor(Registry(), "mediapipe", "cpu")
    images, expected = reference(single_face, 6)
    names = expected["names"].tolist()
    for image, landmarks, theirs in zip(images, expected["landmarks"], expected["blendshapes"], strict=True):
        embedding = regressor.embed(image, TrackedFace(landmarks, crop_around(landmarks), 1.0))
        np.testing.assert_allclose(embedding, theirs, atol=1e-2)
        values = regressor.values(features_of(landmarks[None], embedding[None]))[0]
        for channel_id, score in (
            ("eye_close_L", "eyeBlinkLeft"),
            ("jaw_drop", "jawOpen"),
            ("dimple_R", "mouthDimpleRight"),
        ):
            assert values[channels.INDEX[channel_id]] == pytest.approx(theirs[names.index(score)], abs=1e-2)
    assert tuple(names) == blendshapes.SCORES


def test_the_mediapipe_tracker_runs_behind_the_same_seam(
    mediapipe_python: Path, bundle: Path, single_face: Path, tracker: OnnxTracker
) -> None:
    script = (
        "import json, sys\n"
        "from pathlib import Path\n"
        "from au_mocap.mediapipe_tracker import MediapipeTracker\n"
        "from au_mocap.video import open_video\n"
        "tracker = MediapipeTracker(Path(sys.argv[1]))\n"
        "for turn in range(2):\n"
        "    tracker.reset()\n"
        "    with open_video(Path(sys.argv[2])) as video:\n"
        "        faces = [tracker.track(frame.image, frame.time_s) for frame in video.frames()]\n"
        "print(json.dumps([face.landmarks.tolist() for face in faces]))\n"
    )
    done = subprocess.run(
        [str(mediapipe_python), "-c", script, str(bundle), str(single_face)],
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    theirs = np.array(json.loads(done.stdout.splitlines()[-1]))
    with open_video(single_face) as video:
        ours = np.stack([tracker.track(frame.image, frame.time_s).landmarks for frame in video.frames()])
    assert theirs.shape == (72, 478, 3)
    assert np.median(np.linalg.norm(theirs[..., :2] - ours[..., :2], axis=-1)) < 1.5
