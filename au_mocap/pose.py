"""Head rotation and metric position from landmarks.

`x_cam = R x_head + t` in OpenCV camera axes (x right, y down, z forward). The canonical face is fitted to the
landmarks' image positions by perspective (Gauss-Newton over all frames at once), so the rotation is relative to the
optical axis and not to the ray to the face. The landmarks' own depth, which the tracker estimates, enters with a
small weight: it keeps the sign of small turns right where perspective says little.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from . import rotations
from .arrays import Floats, einsum
from .errors import SettingsError
from .landmarks import IPD_M, align, align_to, canonical_face

MIN_FOV_DEG: Final = 1.0
MAX_FOV_DEG: Final = 170.0
DEFAULT_FOV_DEG: Final = 63.0
"""Vertical field of view that is assumed where nothing is known of the camera."""

DEPTH_WEIGHT: Final = 0.5
"""Weight of the tracker's relative depth against image positions."""

CORRECTION_FILE: Final = Path(__file__).parent / "pose_correction.csv"

_ITERATIONS: Final = 5
_MIN_WEIGHT: Final = 0.25
_OUTLIER: Final = 2.5
_FRAMES_FOR_SHAPE: Final = 500


@dataclass(frozen=True, slots=True)
class Camera:
    """A pinhole camera with square pixels and a centred optical axis.

    Attributes:
        size_px: Width and height of the picture.
        fov_deg: Vertical field of view in degrees, between 1 and 170.
    """

    size_px: tuple[int, int]
    fov_deg: float = DEFAULT_FOV_DEG

    def __post_init__(self) -> None:
        """Checks the field of view; raises SettingsError."""
        if not MIN_FOV_DEG <= self.fov_deg <= MAX_FOV_DEG:
            message = (
                f"A field of view of {self.fov_deg:g}° is not possible: use {MIN_FOV_DEG:g} to {MAX_FOV_DEG:g} degrees."
            )
            raise SettingsError(message)

    @property
    def focal_px(self) -> float:
        """Focal length in pixels."""
        return self.size_px[1] / 2 / float(np.tan(np.radians(self.fov_deg) / 2))


@dataclass(frozen=True, slots=True)
class HeadPoses:
    """Where the head was.

    Attributes:
        rotation: (T, 4) float64 unit quaternions w, x, y, z with continuous sign.
        position: (T, 3) float64 metres, the point between the eyes.
    """

    rotation: NDArray[np.float64]
    position: NDArray[np.float64]


def estimate(landmarks_px: Floats, camera: Camera) -> HeadPoses:
    """Estimates the head pose of one actor in every frame.

    Args:
        landmarks_px: (T, 478, 3) in image pixels: x right, y down, z away from the camera in the same unit, any origin
            in depth. NaN rows give NaN.
        camera: The camera that filmed.
    """
    return corrected(fit_poses(landmarks_px, camera), align(landmarks_px).points)


def fit_poses(landmarks_px: Floats, camera: Camera) -> HeadPoses:
    """As `estimate`, for any part of a take: what `corrected` does for the whole is still to be done."""
    landmarks = np.asarray(landmarks_px, np.float64)
    rotation = np.full((len(landmarks), 4), np.nan)
    position = np.full((len(landmarks), 3), np.nan)
    known = ~np.isnan(landmarks).any(axis=(1, 2))
    if known.any():
        matrices, position[known] = fit(landmarks[known], camera)
        rotation[known] = rotations.to_quaternions(matrices)
    return HeadPoses(rotations.continuous(rotation), position)


def corrected(poses: HeadPoses, aligned: Floats) -> HeadPoses:
    """Takes out the turn that an actor's own face shape feigns, the same in all frames.

    Args:
        poses: Of T frames, from `fit_poses`.
        aligned: (T, 478, 3) aligned landmarks of the same frames (`landmarks.align`); NaN where there is no face.
    """
    known = np.flatnonzero(~np.isnan(aligned).any(axis=(1, 2)))
    if not len(known):
        return poses
    sampled = known[:: max(1, len(known) // _FRAMES_FOR_SHAPE)]
    turn = rotations.from_vectors(einsum("lij,lj->i", _correction(), departure(aligned[sampled]))[None])
    matrices = rotations.to_matrices(poses.rotation) @ turn
    rotation = np.full_like(poses.rotation, np.nan)
    rotation[known] = rotations.to_quaternions(matrices[known])
    return HeadPoses(rotations.continuous(rotation), poses.position)


def departure(aligned: Floats) -> NDArray[np.float64]:
    """(478, 3): how an actor's face differs from the canonical one, in distances between the eyes.

    The median over (T, 478, 3) aligned landmarks: the person remains, expressions do not.
    """
    return np.median(np.asarray(aligned, np.float64), axis=0) - canonical_face().points / IPD_M


@cache
def _correction() -> NDArray[np.float64]:
    """(478, 3, 3) radians: turn about each head axis by each coordinate of a landmark's departure.

    A face that differs from the canonical one looks turned: a receding forehead reads as looking up. How much was
    learnt from performers of every shape (`training.geometry.pose_correction`).
    """
    return np.loadtxt(CORRECTION_FILE, delimiter=",", skiprows=1).reshape(-1, 3, 3)


def fit(landmarks: Floats, camera: Camera) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fits the canonical face by perspective, without the correction for the face's own shape.

    Args:
        landmarks: (T, 478, 3) image pixels as for `estimate`, no NaN.
        camera: The camera that filmed.

    Returns:
        (T, 3, 3) rotations and (T, 3) positions in metres.
    """
    face = canonical_face()
    landmarks = np.asarray(landmarks, np.float64)
    used = face.weights > _MIN_WEIGHT
    model, weights = face.points[used], face.weights[used] / face.weights[used].sum()
    width, height = camera.size_px
    chosen = landmarks[:, used]
    centered = (chosen[..., :2] - [width / 2, height / 2]) / camera.focal_px
    seen = np.ascontiguousarray(centered.transpose(0, 2, 1))
    depth = _centred(chosen[..., 2] / camera.focal_px, weights)
    rotation, translation = _initial(chosen, seen, model, weights)
    robust = np.broadcast_to(weights, depth.shape)
    for _ in range(_ITERATIONS):
        residual, jacobian = _linearised((seen, depth), model, weights, rotation, translation)
        flat = jacobian.reshape(len(jacobian), 6, -1)
        weighted = (jacobian * robust[:, None, None, :]).reshape(flat.shape)
        normal, gradient = weighted @ flat.transpose(0, 2, 1), weighted @ residual.reshape(len(residual), -1, 1)
        step = -np.linalg.solve(normal + 1e-12 * np.eye(6), gradient)[..., 0]
        rotation = rotations.from_vectors(step[:, :3]) @ rotation
        translation = translation + step[:, 3:] * translation[:, 2:]
        robust = _reweighted(residual, weights)
    return rotation, translation


def _initial(
    landmarks: NDArray[np.float64], seen: NDArray[np.float64], model: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rotation of the best similarity in 3D; translation from the size and the centre of the (T, 2, N) picture."""
    rotation = align_to(landmarks, model, weights).rotations
    turned = (rotation @ model.T)[:, :2]
    turned_center, seen_center = turned @ weights, seen @ weights
    turned_spread = ((turned - turned_center[..., None]) ** 2 @ weights).sum(axis=1)
    seen_spread = ((seen - seen_center[..., None]) ** 2 @ weights).sum(axis=1)
    distance = np.sqrt(turned_spread / np.maximum(seen_spread, 1e-12))
    xy = seen_center * distance[:, None] - turned_center
    return rotation, np.concatenate([xy, distance[:, None]], axis=1)


def _linearised(
    observed: tuple[NDArray[np.float64], NDArray[np.float64]],
    model: NDArray[np.float64],
    weights: NDArray[np.float64],
    rotation: NDArray[np.float64],
    translation: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Residuals (T, 3, N) and their derivatives (T, 6, 3, N) by a turn about the camera's axes and a relative shift.

    The landmarks come last, so that every step runs along memory.

    Args:
        observed: Places (T, 2, N) in focal lengths and centred depths (T, N).
        model: (N, 3) metres.
        weights: (N,) of sum 1.
        rotation: (T, 3, 3).
        translation: (T, 3) metres.
    """
    seen, depth = observed
    turned = rotation @ model.T
    rx, ry, rz = np.moveaxis(turned, 1, 0)
    far = translation[:, 2:]
    nearness = 1.0 / (rz + far)
    u, v = (rx + translation[:, :1]) * nearness, (ry + translation[:, 1:2]) * nearness
    own_depth = _centred(rz / far, weights)
    residual = np.stack([u - seen[:, 0], v - seen[:, 1], DEPTH_WEIGHT * (own_depth - depth)], axis=1)
    jacobian = np.zeros((len(rotation), 6, *residual.shape[1:]))
    # A small turn w moves a point by w x r: d(x, y, z) = (wy rz - wz ry, wz rx - wx rz, wx ry - wy rx).
    jacobian[:, 0, 0] = -u * ry * nearness
    jacobian[:, 1, 0] = (rz + u * rx) * nearness
    jacobian[:, 2, 0] = -ry * nearness
    jacobian[:, 0, 1] = -(rz + v * ry) * nearness
    jacobian[:, 1, 1] = v * rx * nearness
    jacobian[:, 2, 1] = rx * nearness
    relative = far * nearness
    jacobian[:, 3, 0] = relative
    jacobian[:, 5, 0] = -u * relative
    jacobian[:, 4, 1] = relative
    jacobian[:, 5, 1] = -v * relative
    jacobian[:, 0, 2] = DEPTH_WEIGHT * _centred(ry, weights) / far
    jacobian[:, 1, 2] = -DEPTH_WEIGHT * _centred(rx, weights) / far
    jacobian[:, 5, 2] = -DEPTH_WEIGHT * own_depth
    return residual, jacobian


def _centred(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """(T, N) values less their weighted mean."""
    return values - values @ weights[:, None]


def _reweighted(residual: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Lowers the weight of landmarks that fit badly (Cauchy), such as cheeks pushed up by a laugh."""
    size = np.hypot(residual[:, 0], residual[:, 1])
    typical = _OUTLIER * np.maximum(np.median(size, axis=1, keepdims=True), 1e-9)
    return weights / (1.0 + (size / typical) ** 2)
