"""Where the camera stands and how the head is held."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from au_mocap import rotations

MAX_YAW_RAD: Final = float(np.radians(45.0))
MAX_PITCH_RAD: Final = float(np.radians(25.0))
MAX_ROLL_RAD: Final = float(np.radians(25.0))

DISTANCE_M: Final = (0.28, 2.5)
"""From a phone held close, which makes noses big, to a tele lens across a room."""

FACE_SHARE: Final = (0.28, 0.6)
"""Distance from brow to chin of a face seen from the front, against the picture's height."""

_HEADROOM: Final = (0.0, 0.35)
_SHARE_CUT: Final = 0.025
_DEEPEST_CUT: Final = 0.1
_MARGIN: Final = 0.015
_ROOM: Final = 1.0 - 2.0 * _MARGIN
_FRAMING_STEPS: Final = 3
_SWAY_M: Final = 0.02
_BROW: Final = -0.36
_CHIN_DEPTH: Final = 0.25
_CHIN: Final = 1.75
_CHEEK: Final = np.array([1.05, 0.55, 0.35])
_NECK: Final = np.array([0.0, 1.3, 1.45])
"""Places in units of the distance between the eyes: the brows' height; how deep the chin reaches; its height where a
mesh has none; a cheek; the joint that heads turn about."""


class Filmed(Protocol):
    """What a camera has to know of a performer."""

    @property
    def neutral(self) -> NDArray[np.float32]:
        """(N, 3) metres in head axes."""
        ...

    @property
    def ipd_m(self) -> float:
        """Distance between the eyes' centres."""
        ...


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


def outline(performer: Filmed) -> NDArray[np.float64]:
    """(4, 3) brow, chin, left and right cheek of a neutral face, metres in head axes."""
    ipd_m, face = performer.ipd_m, performer.neutral
    front = face[(np.abs(face[:, 0]) < 0.1 * ipd_m) & (face[:, 2] < _CHIN_DEPTH * ipd_m) & (face[:, 1] < 3.0 * ipd_m)]
    chin = front[np.argmax(front[:, 1])] if len(front) else np.array([0.0, _CHIN * ipd_m, 0.0])
    brow = np.array([0.0, _BROW, -0.4]) * ipd_m
    return np.stack([brow, chin, _CHEEK * ipd_m, _CHEEK * [-1.0, 1.0, 1.0] * ipd_m]).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Lens:
    """Where a clip is filmed from, and how large.

    Attributes:
        distance_m: From the camera to the point between the eyes.
        face_share: Distance from brow to chin of a face seen from the front, against the picture's height.
    """

    distance_m: float
    face_share: float

    def view(
        self,
        performer: Filmed,
        angles_rad: Sequence[float] | NDArray[np.floating],
        size_px: int,
        rng: np.random.Generator,
    ) -> View:
        """A single picture: `views` of one frame that may be cut. `angles_rad` holds yaw, pitch and roll."""
        return self.views(performer, np.array([angles_rad]), size_px, rng, may_cut=True)[0]

    def views(
        self,
        performer: Filmed,
        angles_rad: NDArray[np.floating],
        size_px: int,
        rng: np.random.Generator,
        may_cut: bool = False,
    ) -> list[View]:
        """A camera that stands still before a head that turns about its neck.

        The outline of the face stays within the picture, unless the head moves more than a camera this close can
        hold.

        Args:
            performer: Who is filmed.
            angles_rad: (T, 3) yaw, pitch and roll of each frame.
            size_px: Side of the square picture.
            rng: Chooses where in the picture the face is, and how the body sways.
            may_cut: A small share is taken from a little aside and cuts the face at the edge.
        """
        turns, points = rotations.from_angles(angles_rad), outline(performer)
        neck = _NECK * performer.ipd_m
        sway_m = rng.uniform(-0.5, 0.5, 3) * _SWAY_M * np.linspace(-0.5, 0.5, len(turns))[:, None]
        sway_m = sway_m if len(turns) > 1 else np.zeros((1, 3))
        eyes = sway_m - turns @ neck + turns.mean(axis=0) @ neck + [0.0, 0.0, self.distance_m]
        least = FACE_SHARE[0] * self.distance_m / float(np.linalg.norm(points[1] - points[0]))
        focal = least * self.face_share / FACE_SHARE[0]

        eyes = _framed(eyes, turns, points, focal, np.zeros(2))
        low, high = _extent(eyes, turns, points, focal)
        focal = max(min(focal, focal * _ROOM / float((high - low).max())), least)
        eyes = _framed(eyes, turns, points, focal, np.zeros(2))
        low, high = _extent(eyes, turns, points, focal)
        eyes = _framed(eyes, turns, points, focal, _aside(np.maximum(_ROOM - (high - low), 0.0) / 2, rng, may_cut))
        return [View(turn, eye, focal * size_px, size_px) for turn, eye in zip(turns, eyes, strict=True)]


def sample_lens(rng: np.random.Generator) -> Lens:
    """A distance from a phone's to a tele lens's, and a size of the face."""
    share = FACE_SHARE[0] + (FACE_SHARE[1] - FACE_SHARE[0]) * rng.beta(1.4, 2.8)
    return Lens(float(np.exp(rng.uniform(*np.log(DISTANCE_M)))), float(share))


def view(
    performer: Filmed, angles_rad: Sequence[float] | NDArray[np.floating], size_px: int, rng: np.random.Generator
) -> View:
    """A single picture through a lens of its own; see `Lens.view`."""
    return sample_lens(rng).view(performer, angles_rad, size_px, rng)


def _framed(
    eyes: NDArray[np.float64],
    turns: NDArray[np.float64],
    points: NDArray[np.float64],
    focal: float,
    middle: NDArray[np.float64],
) -> NDArray[np.float64]:
    """(T, 3) places between the eyes, moved sideways until the outline's middle is where it should be."""
    for _ in range(_FRAMING_STEPS):  # perspective makes one step inexact
        low, high = _extent(eyes, turns, points, focal)
        shift = (middle - (low + high) / 2) * eyes[:, 2].mean() / focal
        eyes = eyes + np.append(shift, 0.0)
    return eyes


def _extent(
    eyes: NDArray[np.float64], turns: NDArray[np.float64], points: NDArray[np.float64], focal: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Smallest and greatest x and y of the outline over all frames, in picture sides from the middle."""
    camera = np.einsum("tij,pj->tpi", turns, points) + eyes[:, None]
    xy = camera[..., :2] / camera[..., 2:] * focal
    return xy.min(axis=(0, 1)), xy.max(axis=(0, 1))


def _aside(slack: NDArray[np.float64], rng: np.random.Generator, may_cut: bool) -> NDArray[np.float64]:
    """(2,) where the face's middle is put, in picture sides: within the slack, or for a cut a little beyond it."""
    place = np.clip(rng.normal(_HEADROOM, 0.35), -0.9, 0.9) * slack
    if may_cut and rng.random() < _SHARE_CUT:
        axis = rng.integers(2)
        place[axis] = rng.choice([-1.0, 1.0]) * (slack[axis] + _MARGIN + rng.uniform(0.2, 1.0) * _DEEPEST_CUT)
    return place


def sample_angles(rng: np.random.Generator) -> tuple[float, float, float]:
    """Yaw, pitch and roll in radians: half of them near frontal, the others over the whole range."""
    share = 0.3 if rng.random() < 0.5 else 1.0
    yaw, pitch, roll = rng.uniform(-1.0, 1.0, 3) * share * np.array([MAX_YAW_RAD, MAX_PITCH_RAD, MAX_ROLL_RAD])
    return float(yaw), float(pitch), float(roll)
