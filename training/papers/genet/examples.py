"""From films to what the generator and the extractor learn from: aligned pictures, classes and parameters."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from au_mocap import rotations
from au_mocap.landmarks import align
from au_mocap.refiners import aligning, basis
from au_mocap.refiners.basis import Basis
from training.geometry.canonical import twins
from training.geometry.network import CHANNEL_TWIN
from training.papers.data import Cast
from training.papers.genet import masks
from training.synth.film import FRAMES_PER_PERFORMER, NEUTRAL_FRAMES

SIZE_PX: Final = 64
IDENTITIES: Final = 32
_EDITION: Final = 1
_TOGETHER: Final = 20
"""Performers whose examples are kept in one file."""

_TURNED: Final = 1.1  # as far as a head may be turned, in radians, and still be an example


@dataclass(frozen=True, slots=True)
class Examples:
    """N frames of some performers, one row each.

    Attributes:
        pictures: (N, S, S, 3) uint8 BGR, aligned.
        classes: (N, S, S) uint8 numbers in `masks.CLASSES`.
        angles: (N, 3) float32 yaw, pitch, roll in radians of the truly placed landmarks' alignment.
        values: (N, P) float32 truth.
        neutral: (N, 478, 3) float16 the performer's neutral face, aligned.
        performer: (N,) int32 place of the performer in the cast.
        row: (N,) int64 place of the frame in the cast.
    """

    pictures: NDArray[np.uint8]
    classes: NDArray[np.uint8]
    angles: NDArray[np.float32]
    values: NDArray[np.float32]
    neutral: NDArray[np.float16]
    performer: NDArray[np.int32]
    row: NDArray[np.int64]

    def __len__(self) -> int:
        """N."""
        return len(self.row)

    def shown(self, rows: NDArray[np.integer] | slice) -> NDArray[np.float32]:
        """(M, 3, S, S) some pictures, RGB 0..1."""
        return planes(self.pictures[rows])


def planes(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(M, S, S, 3) BGR pictures as networks read them: (M, 3, S, S), RGB, 0..1."""
    return np.ascontiguousarray(pictures[..., ::-1].transpose(0, 3, 1, 2)).astype(np.float32) / np.float32(255.0)


def gather(cast: Cast, folder: Path) -> Examples:
    """All usable frames of a cast; worked out once for some performers at a time, and kept.

    Args:
        cast: Films with truth.
        folder: Where the tables are kept.
    """
    parts = [_kept(cast, people, folder) for people in _groups(cast.performers)]
    return Examples(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in Examples.__slots__})


def _groups(performers: int) -> list[NDArray[np.int64]]:
    return [np.arange(start, min(start + _TOGETHER, performers)) for start in range(0, performers, _TOGETHER)]


def _kept(cast: Cast, people: NDArray[np.int64], folder: Path) -> Examples:
    """Some performers' examples, from the disk where they are kept."""
    shown = cast.frames.values[people[0] * FRAMES_PER_PERFORMER : (people[-1] + 1) * FRAMES_PER_PERFORMER]
    mark = hashlib.sha256(shown.tobytes() + f"{_EDITION} {SIZE_PX} {people[0]}".encode()).hexdigest()[:12]
    path = folder / f"genet-examples-{mark}.npz"
    if path.exists():
        with np.load(path) as kept:
            return Examples(**{name: kept[name] for name in Examples.__slots__})
    made = _made(cast, people)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}.part.npz")
    columns: dict[str, Any] = {name: getattr(made, name) for name in Examples.__slots__}
    np.savez(temporary, **columns)
    temporary.replace(path)
    return made


def _made(cast: Cast, people: NDArray[np.int64]) -> Examples:
    whole = people[:, None] * FRAMES_PER_PERFORMER + np.arange(FRAMES_PER_PERFORMER)
    aligned = align(cast.frames.true_landmarks[whole.ravel()])
    neutral = aligned.points.reshape(len(people), FRAMES_PER_PERFORMER, -1, 3)[:, :NEUTRAL_FRAMES].mean(axis=1)
    angles = np.full((len(cast), 3), np.nan, np.float32)
    angles[whole.ravel()] = rotations.to_angles(aligned.rotations)
    rows = cast.rows(people)
    rows = rows[(np.abs(angles[rows, : basis.POSES]) < _TURNED).all(axis=1)]
    performer = (rows // FRAMES_PER_PERFORMER).astype(np.int32)
    pictures, classes = (
        np.empty((len(rows), SIZE_PX, SIZE_PX, 3), np.uint8),
        np.empty((len(rows), SIZE_PX, SIZE_PX), np.uint8),
    )
    for place, row in enumerate(rows.tolist()):
        pictures[place], classes[place] = _seen(cast, row)
    return Examples(
        pictures=pictures,
        classes=classes,
        angles=angles[rows],
        values=cast.frames.values[rows],
        neutral=neutral[performer - people[0]].astype(np.float16),
        performer=performer,
        row=rows,
    )


def _seen(cast: Cast, row: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The aligned picture of a frame, and its classes."""
    found = cast.landmarks[row]
    shown = aligning.picture(cast.tiles[row], found, SIZE_PX)
    # The same landmarks were found in the picture that the tile was cut from: they say where the true ones lie in it.
    to_tile = _between(cast.frames.landmarks[row, :, :2], found[:, :2])
    to_base = aligning.similarity(found)
    true = _moved(_moved(cast.frames.true_landmarks[row, :, :2], to_tile), to_base)
    return shown, masks.paint(true, SIZE_PX)


def _between(source: NDArray[np.float32], target: NDArray[np.float32]) -> NDArray[np.float64]:
    """(2, 3) similarity that takes points to others, least squares."""
    own, wanted = source.astype(np.float64) @ [1.0, 1j], target.astype(np.float64) @ [1.0, 1j]
    center, aim = own.mean(), wanted.mean()
    spread = max(float((np.abs(own - center) ** 2).sum()), 1e-12)
    turn = complex((np.conj(own - center) * (wanted - aim)).sum() / spread)
    shift = complex(aim - turn * center)
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def _moved(points: NDArray[np.floating], matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    return points @ matrix[:, :2].T + matrix[:, 2]


def basis_of(examples: Examples) -> Basis:
    """The subspace of identities that a cast spans, with rates and priors yet to be found.

    As the paper has it: the singular vectors of the identities' covariance, of which the strongest are kept.
    """
    _, first = np.unique(examples.performer, return_index=True)
    faces = examples.neutral[first].astype(np.float64).reshape(len(first), -1)
    mean = faces.mean(axis=0)
    _, strengths, directions = np.linalg.svd(faces - mean, full_matrices=False)
    count = min(IDENTITIES, max(len(first) - 1, 1))
    deviations = np.maximum(strengths[:count] / np.sqrt(max(len(first) - 1, 1)), 1e-4)
    number = np.ones((), np.float32)
    return Basis(
        mean=mean.reshape(-1, 3).astype(np.float32),
        components=directions[:count].reshape(count, -1, 3).astype(np.float32),
        deviations=deviations.astype(np.float32),
        patches=basis.patches_of(SIZE_PX),
        rates=np.ones(basis.POSES + examples.values.shape[1] + count, np.float32),
        step=number * 0.01,
        anchor=number * 0.1,
        steadiness=number * 0.1,
    )


def identities(examples: Examples, layout: Basis, mirror: bool = False) -> NDArray[np.float32]:
    """(N, K) identity parameters of every frame's performer, or of the performer in a mirror."""
    _, first, place = np.unique(examples.performer, return_index=True, return_inverse=True)
    faces = [examples.neutral[row].astype(np.float32) for row in first]
    own = [layout.identity_of(mirrored(face) if mirror else face) for face in faces]
    return np.stack(own)[place.reshape(-1)]


@dataclass(frozen=True, slots=True)
class Batch:
    """Some frames as the networks read them.

    Attributes:
        pictures: (N, 3, S, S) RGB 0..1.
        classes: (N, S, S) int64.
        parameters: (N, 2 + P + K + A) pose, values, identity, appearance.
    """

    pictures: torch.Tensor
    classes: torch.Tensor
    parameters: torch.Tensor


@dataclass(frozen=True, slots=True)
class Feed:
    """Batches of some examples.

    Attributes:
        examples: What is shown.
        layout: Meaning of the parameters.
        size: Frames in a batch.
        seed: Chooses the order.
    """

    examples: Examples
    layout: Basis
    size: int
    seed: int

    def batches(self, number: int, part: int = 0, parts: int = 1) -> Iterator[Batch]:
        """Every frame once, half of them mirrored, in an order of the pass's own; or one part of that of some."""
        rng = np.random.default_rng([self.seed, number])
        order = np.array_split(rng.permutation(len(self.examples)), parts)[part]
        both = identities(self.examples, self.layout), identities(self.examples, self.layout, mirror=True)
        for start in range(0, len(order), self.size):
            rows = order[start : start + self.size]
            turned = rng.random(len(rows)) < 0.5
            yield self._batch(rows, np.where(turned[:, None], both[1][rows], both[0][rows]), turned)

    def _batch(self, rows: NDArray[np.int64], own: NDArray[np.float32], turned: NDArray[np.bool_]) -> Batch:
        shown, classes = self.examples.shown(rows), self.examples.classes[rows].astype(np.int64)
        values, angles = self.examples.values[rows].copy(), self.examples.angles[rows].copy()
        shown[turned], classes[turned] = shown[turned][..., ::-1], classes[turned][..., ::-1]
        values[turned] = values[turned][:, list(CHANNEL_TWIN)]
        angles[turned, 0] *= -1.0
        parts = (basis.poses_of(angles), values, own, self.layout.appearance_of(shown))
        return Batch(
            torch.from_numpy(shown), torch.from_numpy(classes), torch.from_numpy(np.concatenate(parts, axis=1))
        )


def parameters(examples: Examples, layout: Basis, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """(M, 2 + P + K + A) true parameters of some frames."""
    own = identities(examples, layout)[rows]
    seen = layout.appearance_of(examples.shown(rows))
    return np.concatenate([basis.poses_of(examples.angles[rows]), examples.values[rows], own, seen], axis=1)


def mirrored(face: NDArray[np.float32]) -> NDArray[np.float32]:
    """A face as a mirror shows it, (478, 3) aligned: the left landmarks become the right ones."""
    return face[twins()] * np.array([-1.0, 1.0, 1.0], np.float32)


def disturbed(pictures: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Pictures in another light, softer, greyer: what the extractor must not mind."""
    count = len(pictures)
    gain = torch.from_numpy(rng.uniform(0.6, 1.5, (count, 1, 1, 1)).astype(np.float32))
    tint = torch.from_numpy(rng.uniform(0.85, 1.15, (count, 3, 1, 1)).astype(np.float32))
    result = (pictures * gain * tint).clamp(0.0, 1.0)
    for place in np.flatnonzero(rng.random(count) < 0.5):
        soft = cv2.GaussianBlur(result[place].permute(1, 2, 0).numpy(), (0, 0), float(rng.uniform(0.4, 1.6)))
        result[place] = torch.from_numpy(soft).permute(2, 0, 1)
    return result
