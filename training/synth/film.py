"""Performers filmed and tracked: for every frame the truth, the true landmarks, and what the shipped tracker saw."""

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from training.geometry.correspondences import Correspondences
from training.synth import expressions
from training.synth.camera import View, sample_angles, view
from training.synth.performers import anatomy, sample
from training.synth.renderer import Renderer, degrade, sample_look
from training.synth.tracked import Tracked

PERFORMERS_PER_SHARD: Final = 20
NEUTRAL_FRAMES: Final = 4
ACTING_FRAMES: Final = 20
PICTURE_PX: Final = 320
_CALM_RAD: Final = np.radians([12.0, 10.0, 8.0])


@dataclass(frozen=True, slots=True)
class Frames:
    """M tracked frames of several performers.

    Attributes:
        values: (M, P) float32 truth over `channels.PREDICTED_IDS`.
        rotation: (M, 3, 3) float32 true head rotation.
        performer: (M,) int32 whose face it is.
        true_landmarks: (M, 478, 3) float32 pixels, depth in the same unit.
        landmarks: (M, 478, 3) float32 pixels, the tracker's.
        presence: (M,) float32 the tracker's presence score.
        focal_px: (M,) float32.
        translation: (M, 3) float32 metres.
    """

    values: NDArray[np.float32]
    rotation: NDArray[np.float32]
    performer: NDArray[np.int32]
    true_landmarks: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    presence: NDArray[np.float32]
    focal_px: NDArray[np.float32]
    translation: NDArray[np.float32]

    def __len__(self) -> int:
        """Number of frames."""
        return len(self.values)


def true_landmarks(points: NDArray[np.floating], camera: View) -> NDArray[np.float32]:
    """(478, 3) points in head axes as a perfect tracker would see them: pixels, depth scaled like the face's middle."""
    projected = camera.project(points)
    projected[:, 2] = (projected[:, 2] - camera.translation[2]) * camera.focal_px / camera.translation[2]
    return projected.astype(np.float32)


@cache
def _stage() -> tuple[Renderer, Tracked]:
    return Renderer(anatomy(), PICTURE_PX), Tracked()


def film(correspondences: Correspondences, seed: int, shard: int) -> Frames:
    """Films one shard of performers; the same seed and shard give the same frames."""
    rng = np.random.default_rng([seed, shard])
    renderer, tracker = _stage()
    rows: list[tuple[object, ...]] = []
    for number in range(PERFORMERS_PER_SHARD):
        performer, look = sample(rng), sample_look(PICTURE_PX, rng)
        acting = expressions.sample(ACTING_FRAMES, rng)
        values = np.concatenate([np.zeros((NEUTRAL_FRAMES, acting.shape[1]), np.float32), acting])
        for index, row in enumerate(values):
            calm = index < NEUTRAL_FRAMES
            angles = rng.uniform(-1, 1, 3) * _CALM_RAD if calm else np.array(sample_angles(rng))
            camera = view(performer, (angles[0], angles[1], angles[2]), PICTURE_PX, rng)
            vertices = performer.pose(row)
            truth = true_landmarks(correspondences.points(vertices), camera)
            picture = degrade(renderer.draw(vertices, camera, look), rng)
            seen = tracker.follow(picture, truth, rng)
            identity = shard * PERFORMERS_PER_SHARD + number
            rows.append(
                (
                    row,
                    camera.rotation,
                    identity,
                    truth,
                    seen.landmarks,
                    seen.presence,
                    camera.focal_px,
                    camera.translation,
                )
            )
    columns: list[Any] = [np.array(column, np.float32) for column in zip(*rows, strict=True)]
    columns[2] = columns[2].astype(np.int32)
    return Frames(*columns)


def film_all(correspondences: Correspondences, seed: int, shards: int, folder: Path) -> Iterator[Path]:
    """Films what is not yet in `folder`, on all cores, and yields each shard's file in order."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"shard_{shard:04d}.npz" for shard in range(shards)]
    # A forked worker would share the parent's OpenGL context and thread pools, and hang.
    with ProcessPoolExecutor(os.cpu_count(), mp_context=multiprocessing.get_context("spawn")) as pool:
        jobs = [
            pool.submit(_film_to, correspondences, seed, shard, path) if not path.exists() else None
            for shard, path in enumerate(paths)
        ]
        for job, path in zip(jobs, paths, strict=True):
            if job is not None:
                job.result()
            yield path


def _film_to(correspondences: Correspondences, seed: int, shard: int, path: Path) -> None:
    frames = film(correspondences, seed, shard)
    temporary = path.with_suffix(".part.npz")
    np.savez(temporary, **{name: getattr(frames, name) for name in Frames.__slots__})
    temporary.replace(path)


def load(paths: list[Path]) -> Frames:
    """Joins shards."""
    tables = [np.load(path) for path in paths]
    return Frames(**{name: np.concatenate([table[name] for table in tables]) for name in Frames.__slots__})
