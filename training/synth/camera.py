"""Where the camera stands and how the head is held."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from au_mocap import rotations
from training.synth.performers import Performer

MAX_YAW_RAD: Final = np.radians(45.0)
MAX_PITCH_RAD: Final = np.radians(25.0)
MAX_ROLL_RAD: Final = np.radians(25.0)


@dataclass(frozen=True, slots=True)
class View:
    """A pinhole camera and the head before it, in OpenCV axes.

    Attributes:
        rotation: (3, 3) float64, `x_cam = R x_head + t`.
        translation: (3,) float64 metres.
        focal_px: Focal length in pixels.
        size_px: Width and height of the square picture.
    """

    rotation: NDArray[np.float64]
    translation: NDArray[np.float64]
    focal_px: float
    size_px: int

    def project(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """(N, 3) points in head axes to (N, 3): x and y in pixels, z the depth in metres."""
        camera = points @ self.rotation.T + self.translation
        xy = camera[:, :2] / camera[:, 2:] * self.focal_px + self.size_px / 2
        return np.concatenate([xy, camera[:, 2:]], axis=1, dtype=np.float64)


def view(performer: Performer, angles_rad: tuple[float, float, float], size_px: int, rng: np.random.Generator) -> View:
    """A camera of random focal length that sees the whole face.

    Args:
        performer: Who is filmed.
        angles_rad: Yaw, pitch, roll.
        size_px: Side of the picture.
        rng: Chooses field of view, framing and distance.
    """
    fov_rad = np.radians(rng.uniform(18.0, 70.0))
    focal_px = size_px / 2 / np.tan(fov_rad / 2)
    face_share = rng.uniform(0.38, 0.6)  # distance from brow to chin against the picture's height
    height_m = 0.11 * performer.ipd_m / 0.063
    distance_m = focal_px * height_m / (face_share * size_px)
    offset = rng.uniform(-0.06, 0.06, 2) * distance_m * size_px / focal_px
    center = np.array([offset[0], offset[1] - 0.35 * height_m, distance_m])
    return View(rotations.from_angles(np.array([angles_rad]))[0], center, float(focal_px), size_px)


def sample_angles(rng: np.random.Generator) -> tuple[float, float, float]:
    """Yaw, pitch and roll in radians: half of them near frontal, the others over the whole range."""
    share = 0.3 if rng.random() < 0.5 else 1.0
    yaw, pitch, roll = rng.uniform(-1.0, 1.0, 3) * share * np.array([MAX_YAW_RAD, MAX_PITCH_RAD, MAX_ROLL_RAD])
    return float(yaw), float(pitch), float(roll)
