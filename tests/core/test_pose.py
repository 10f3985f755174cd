"""Head pose: exact on a face whose projection is computed, and mirrored where the picture is."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from au_mocap import pose, rotations
from au_mocap.errors import SettingsError
from au_mocap.landmarks import IPD_M, LEFT_EYE_CORNERS, RIGHT_EYE_CORNERS, canonical_face
from au_mocap.pose import Camera
from au_mocap.registry import Registry
from au_mocap.tracking import open_tracker, track_frames
from au_mocap.video import VideoFrame, open_video

CAMERA = Camera((1280, 720), 50.0)


def projected(
    angles_rad: np.ndarray, position_m: np.ndarray, camera: Camera, face: np.ndarray | None = None
) -> np.ndarray:
    """A face, by default the canonical one, as a pinhole camera sees it; depth is relative, in pixels."""
    points = canonical_face().points if face is None else face
    turned = np.einsum("tij,nj->tni", rotations.from_angles(angles_rad), points)
    placed = turned + position_m[:, None]
    image = placed[..., :2] / placed[..., 2:] * camera.focal_px + np.array(camera.size_px) / 2
    depth = turned[..., 2:] / position_m[:, None, 2:] * camera.focal_px
    return np.concatenate([image, depth], axis=-1)


def poses_of(count: int = 200) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(8)
    limits = np.radians([40, 25, 25])
    return random.uniform(-limits, limits, (count, 3)), random.uniform([-0.3, -0.15, 0.4], [0.3, 0.15, 1.5], (count, 3))


def errors_deg(matrices: np.ndarray, angles_rad: np.ndarray) -> np.ndarray:
    difference = matrices.transpose(0, 2, 1) @ rotations.from_angles(angles_rad)
    trace = np.trace(difference, axis1=1, axis2=2)
    return np.degrees(np.arccos(np.clip((trace - 1) / 2, -1, 1)))


def test_computed_projection_is_recovered() -> None:
    """Also off the optical axis, where the head is seen from the side without being turned."""
    angles, positions = poses_of()
    matrices, found_m = pose.fit(projected(angles, positions, CAMERA), CAMERA)
    assert errors_deg(matrices, angles).max() < 0.1
    np.testing.assert_allclose(found_m, positions, atol=1e-3)


def test_correction_leaves_the_canonical_face_nearly_alone() -> None:
    """What is learnt from other faces acts on this one only as far as perspective makes it look like them."""
    angles, positions = poses_of()
    found = pose.estimate(projected(angles, positions, CAMERA), CAMERA)
    assert errors_deg(rotations.to_matrices(found.rotation), angles).mean() < 3.0
    np.testing.assert_allclose(found.position, positions, atol=1e-3)
    np.testing.assert_allclose(np.linalg.norm(found.rotation, axis=1), 1.0)


def test_noise_of_a_tracker_moves_it_little() -> None:
    angles, positions = poses_of()
    noise = np.random.default_rng(9).normal(scale=0.5, size=(len(angles), 478, 3))
    matrices, found_m = pose.fit(projected(angles, positions, CAMERA) + noise, CAMERA)
    assert errors_deg(matrices, angles).mean() < 0.5
    assert np.abs(found_m[:, 2] / positions[:, 2] - 1).mean() < 0.01


def test_jaw_that_drops_turns_the_head_little() -> None:
    angles, positions = poses_of(50)
    face = canonical_face().points.copy()
    lower = face[:, 1] > 0.07
    face[lower] += np.array([0.0, 0.02, 0.005])
    matrices, _ = pose.fit(projected(angles, positions, CAMERA, face), CAMERA)
    assert errors_deg(matrices, angles).mean() < 2.0


def test_empty_frames_stay_empty_and_alone() -> None:
    angles, positions = poses_of(5)
    seen = projected(angles, positions, CAMERA)
    holed = seen.copy()
    holed[2] = np.nan
    found, whole = pose.estimate(holed, CAMERA), pose.estimate(seen, CAMERA)
    assert np.isnan(found.rotation[2]).all()
    assert np.isnan(found.position[2]).all()
    np.testing.assert_allclose(found.position[[0, 1, 3, 4]], whole.position[[0, 1, 3, 4]])
    assert np.isnan(pose.estimate(np.full((2, 478, 3), np.nan), CAMERA).rotation).all()


def test_canonical_face_is_in_metres_between_the_eyes() -> None:
    face = canonical_face()
    right, left = (face.points[list(corners)].mean(axis=0) for corners in (RIGHT_EYE_CORNERS, LEFT_EYE_CORNERS))
    np.testing.assert_allclose((left + right) / 2, [0, 0, -0.012], atol=0.006)  # the corners lie before the eyes
    assert np.linalg.norm(left - right) == pytest.approx(IPD_M, rel=0.1)
    assert left[0] > 0.02 > -0.02 > right[0], "x runs to the actor's left"
    assert face.points[152, 1] > 0.06, "the chin is below"
    assert face.points[1, 2] < -0.01, "the nose points at the camera"
    assert face.weights.min() >= 0.0
    assert face.weights.max() <= 1.0


def test_field_of_view_gives_the_focal_length() -> None:
    assert Camera((640, 480), 90.0).focal_px == pytest.approx(240.0)
    for fov_deg in (0.5, 171.0, float("nan")):
        with pytest.raises(SettingsError, match="field of view"):
            Camera((640, 480), fov_deg)


def frames_of(clip: Path, *, mirrored: bool) -> Iterator[VideoFrame]:
    """Every fourth frame of the second half, in which the head nods, turns and tilts."""
    with open_video(clip) as video:
        for frame in video.frames(236):
            if frame.index % 4 == 0:
                image = np.asarray(cv2.flip(frame.image, 1), np.uint8) if mirrored else frame.image
                yield replace(frame, image=image)


def angles_deg(clip: Path, *, mirrored: bool) -> np.ndarray:
    """(T, 3) yaw, pitch, roll as the tracker and the pose find them."""
    tracker = open_tracker("onnx", Registry(), "cpu")
    faces = [face for _, face in track_frames(frames_of(clip, mirrored=mirrored), tracker)]
    landmarks = np.stack([face.landmarks for face in faces if face is not None])
    assert len(landmarks) == len(faces)
    rotation = pose.estimate(landmarks, Camera((640, 360))).rotation
    return np.degrees(rotations.to_angles(rotations.to_matrices(rotation)))


def test_mirrored_clip_turns_and_tilts_the_other_way(langer: Path) -> None:
    plain, mirrored = angles_deg(langer, mirrored=False), angles_deg(langer, mirrored=True)
    assert np.ptp(plain, axis=0).min() > 8.0, "the head no longer moves in this clip"
    np.testing.assert_allclose(mirrored * [-1, 1, -1], plain, atol=6.0)
    assert np.abs(mirrored * [-1, 1, -1] - plain).mean() < 1.5
