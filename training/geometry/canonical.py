"""The canonical face: the performers' mean neutral at the landmarks, and how far each landmark can be relied on."""

from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from au_mocap.landmarks import COUNT, IPD_M, align_to, canonical_face
from training.synth import performers
from training.synth.correspondences import Correspondences
from training.synth.film import Frames

_PERFORMERS: Final = 400
_ROUNDS: Final = 4


def mean_face(correspondences: Correspondences, rng: np.random.Generator) -> NDArray[np.float64]:
    """(478, 3) metres in head axes: mean of neutral faces whose eyes' centres are brought to 63 mm apart."""
    total = np.zeros((COUNT, 3))
    for _ in range(_PERFORMERS):
        performer = performers.sample(rng)
        total += correspondences.points(performer.neutral) * (IPD_M / performer.ipd_m)
    mean = total / _PERFORMERS
    return (mean + _mirrored(mean)) / 2


def reliability(face: NDArray[np.float64], frames: Frames) -> NDArray[np.float64]:
    """(478,) weights 0..1: from the variance of the tracked landmarks about the face, for whatever reason."""
    weights = np.ones(COUNT)
    for _ in range(_ROUNDS):
        aligned = align_to(frames.landmarks, face, weights).points
        variance = np.square(aligned - face).sum(axis=2).mean(axis=0)
        weights = variance.min() / variance
        weights = (weights + weights[mirror_landmarks(face)]) / 2
    return np.sqrt(weights / weights.max())  # the root keeps more landmarks in play: their errors are not independent


def mirror_landmarks(face: NDArray[np.float64]) -> NDArray[np.int64]:
    """(478,) index of each landmark's twin on the other side, by position on a nearly symmetric face."""
    flipped = face * [-1.0, 1.0, 1.0]
    distance = np.linalg.norm(face[:, None] - flipped[None], axis=2)
    # Upper and lower inner lip nearly touch on a neutral face, so twins are sought greedily and pairwise.
    twin = np.full(COUNT, -1)
    for flat in np.argsort(distance, axis=None):
        a, b = divmod(int(flat), COUNT)
        if twin[a] < 0 and twin[b] < 0:
            twin[a], twin[b] = b, a
    return twin


@cache
def twins() -> NDArray[np.int64]:
    """(478,) index of each landmark's twin, by the canonical face that ships."""
    return mirror_landmarks(canonical_face().points)


def _mirrored(face: NDArray[np.float64]) -> NDArray[np.float64]:
    return face[mirror_landmarks(face)] * [-1.0, 1.0, 1.0]


def write(face: NDArray[np.float64], weights: NDArray[np.float64], path: Path) -> None:
    """Writes the table that `au_mocap.landmarks` reads."""
    rows = np.concatenate([face, weights[:, None]], axis=1)
    np.savetxt(path, rows, fmt="%.5f", delimiter=",", header="x_m,y_m,z_m,weight", comments="")
