"""Performers filmed and tracked: for every frame the truth, the true landmarks, and what the shipped tracker saw.

Films are made in shards of a few performers each. A shard depends on nothing but the seed and its number, is written in
one piece, and is not made again while it lies in its folder: an interrupted run goes on where it was stopped, on this
machine or, with the finished shards copied over, on another.
"""

import hashlib
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from au_mocap.crops import Image
from training import packages
from training.synth import capture, correspondences, expressions, performances
from training.synth.camera import View, sample_angles, sample_lens
from training.synth.correspondences import Correspondences
from training.synth.performers import anatomy, sample
from training.synth.renderer import Renderer, sample_look
from training.synth.tracked import Tracked

EDITION: Final = 1
"""Names the films: raise it when a change of the performers, the acting or the camera makes the old frames useless."""

NEUTRAL_FRAMES: Final = 4
ACTING_FRAMES: Final = 20
FRAMES_PER_PERFORMER: Final = NEUTRAL_FRAMES + ACTING_FRAMES
PICTURE_PX: Final = 320
STEP_S: Final = 0.1
"""Time between the frames of a performance."""

CASTS: Final = {"training": 1, "validation": 2, "test": 3}
"""Seeds of the casts: who is learnt from, who progress and amplitude are judged by, who is only ever measured."""

_SHARE_OF_PERFORMANCES: Final = 0.35
_CALM_RAD: Final = np.radians([12.0, 10.0, 8.0])
_JPEG_QUALITY: Final = 95
_SOURCES: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Frames:
    """M tracked frames of several performers, `FRAMES_PER_PERFORMER` each, neutral ones first.

    Attributes:
        values: (M, P) float32 truth over `channels.PREDICTED_IDS`.
        rotation: (M, 3, 3) float32 true head rotation.
        performer: (M,) int32 whose face it is.
        moving: (M,) bool: the acting frames are a performance, `STEP_S` apart, rather than separate expressions.
        true_landmarks: (M, 478, 3) float32 pixels, depth in the same unit.
        landmarks: (M, 478, 3) float32 pixels, the tracker's.
        presence: (M,) float32 the tracker's presence score.
        focal_px: (M,) float32.
        translation: (M, 3) float32 metres.
    """

    values: NDArray[np.float32]
    rotation: NDArray[np.float32]
    performer: NDArray[np.int32]
    moving: NDArray[np.bool_]
    true_landmarks: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    presence: NDArray[np.float32]
    focal_px: NDArray[np.float32]
    translation: NDArray[np.float32]

    def __len__(self) -> int:
        """Number of frames."""
        return len(self.values)

    def take(self, rows: NDArray[Any]) -> "Frames":
        """The frames of a mask or of an index."""
        return Frames(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


@dataclass(slots=True)
class Tiles:
    """The pictures that the landmark graph was shown, as JPEG.

    Attributes:
        raw: All files after one another.
        ends: (M,) where each ends.
    """

    raw: NDArray[np.uint8]
    ends: NDArray[np.int64]

    def __len__(self) -> int:
        """Number of pictures."""
        return len(self.ends)

    def __getitem__(self, index: int) -> Image:
        """Picture `index`: (256, 256, 3) uint8 BGR."""
        start = 0 if index == 0 else self.ends[index - 1]
        return np.asarray(cv2.imdecode(self.raw[start : self.ends[index]], cv2.IMREAD_COLOR), np.uint8)


def true_landmarks(points: NDArray[np.floating], camera: View) -> NDArray[np.float32]:
    """(478, 3) points in head axes as a perfect tracker would see them: pixels, depth scaled like the face's middle."""
    projected = camera.project(points)
    projected[:, 2] = (projected[:, 2] - camera.translation[2]) * camera.focal_px / camera.translation[2]
    return projected.astype(np.float32)


@cache
def _stage() -> tuple[Renderer, Tracked]:
    cv2.setNumThreads(1)
    return Renderer(anatomy(), PICTURE_PX), Tracked()


def film(places: Correspondences, seed: int, shard: int, performers: int) -> tuple[Frames, Tiles]:
    """Films one shard of some performers; the same arguments give the same frames."""
    rng = np.random.default_rng([seed, shard])
    rows: list[tuple[object, ...]] = []
    pictures: list[NDArray[np.uint8]] = []
    for number in range(performers):
        for row, picture in _film_performer(places, shard * performers + number, rng):
            rows.append(row)
            pictures.append(picture)
    columns: list[Any] = [np.array(column, np.float32) for column in zip(*rows, strict=True)]
    columns[2] = columns[2].astype(np.int32)
    columns[3] = columns[3].astype(np.bool_)
    return Frames(*columns), Tiles(np.concatenate(pictures), np.cumsum([len(picture) for picture in pictures]))


def _film_performer(
    places: Correspondences, identity: int, rng: np.random.Generator
) -> Iterator[tuple[tuple[object, ...], NDArray[np.uint8]]]:
    """One performer before one camera, in one light: a row of `Frames` and a picture for every frame."""
    renderer, tracker = _stage()
    performer = sample(rng)
    look, lens, conditions = sample_look(performer, rng), sample_lens(rng), capture.sample(rng)
    moving = rng.random() < _SHARE_OF_PERFORMANCES
    acted, angles = _act(moving, rng)
    cameras = [lens.views(performer, angle[None], PICTURE_PX, rng)[0] for angle in angles[:NEUTRAL_FRAMES]]
    if moving:
        cameras += lens.views(performer, angles[NEUTRAL_FRAMES:], PICTURE_PX, rng)
    else:
        cameras += [lens.view(performer, angle, PICTURE_PX, rng) for angle in angles[NEUTRAL_FRAMES:]]
    for values, camera in zip(acted, cameras, strict=True):
        vertices = performer.pose(values)
        truth = true_landmarks(places.points(vertices), camera)
        picture = capture.apply(renderer.draw(vertices, values, camera, look), conditions, rng)
        seen = tracker.follow(picture, truth, rng)
        tile = cv2.imencode(".jpg", seen.tile, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1]
        yield (
            (
                values,
                camera.rotation,
                identity,
                moving,
                truth,
                seen.landmarks,
                seen.presence,
                camera.focal_px,
                camera.translation,
            ),
            tile.ravel(),
        )


def _act(moving: bool, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """(F, P) values and (F, 3) yaw, pitch, roll in radians: calm neutral frames, then acting."""
    calm = rng.uniform(-1.0, 1.0, (NEUTRAL_FRAMES, 3)) * _CALM_RAD
    if moving:
        acting = performances.sample(ACTING_FRAMES, STEP_S, rng)
        angles = performances.head_path(ACTING_FRAMES, STEP_S, rng)
    else:
        acting = expressions.sample(ACTING_FRAMES, rng)
        angles = np.array([sample_angles(rng) for _ in range(ACTING_FRAMES)])
    neutral = np.zeros((NEUTRAL_FRAMES, acting.shape[1]), np.float32)
    return np.concatenate([neutral, acting]), np.concatenate([calm, angles])


@dataclass(frozen=True, slots=True)
class Call:
    """How much is filmed.

    Attributes:
        shards: Shards of each cast.
        views: Renders that the landmarks' places on the mesh are taken from.
        performers: People in a shard.
    """

    shards: dict[str, int]
    views: int = 300
    performers: int = 20


def film_all(call: Call, folder: Path | None = None) -> tuple[Correspondences, dict[str, list[Path]]]:
    """Films what is not filmed yet, on all cores, with progress on stderr.

    Args:
        call: How much. Nobody is in two casts.
        folder: Where films are kept; None for the cache.

    Returns:
        Places of the landmarks on the mesh, and each cast's shards in order.
    """
    folder = folder or packages.cache_folder() / "training" / f"films-{EDITION}"
    folder.mkdir(parents=True, exist_ok=True)
    _check_sources(folder)
    places = _find_places(call.views, folder / f"places_{call.views}.npz")
    paths = {cast: [folder / cast / f"{shard:04d}.npz" for shard in range(call.shards[cast])] for cast in call.shards}
    wanted = [(cast, shard) for cast, count in call.shards.items() for shard in range(count)]
    missing = [(cast, shard) for cast, shard in wanted if not paths[cast][shard].exists()]
    started = time.perf_counter()
    # A forked worker would share the parent's OpenGL context and thread pools, and hang.
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), spawn, _draw_alone) as pool:
        jobs = [
            pool.submit(_film_to, paths[cast][shard], places, CASTS[cast], shard, call.performers)
            for cast, shard in missing
        ]
        for done, job in enumerate(as_completed(jobs), 1):
            job.result()
            left_s = (time.perf_counter() - started) / done * (len(missing) - done)
            count = len(wanted) - len(missing) + done
            sys.stderr.write(f"filmed {count}/{len(wanted)} shards, {left_s / 60:.0f} min left\n")
    return places, paths


def _find_places(views: int, path: Path) -> Correspondences:
    if not path.exists():
        sys.stderr.write("looking for the landmarks' places on the mesh\n")
        correspondences.save(correspondences.find(views, np.random.default_rng(0)), path)
    return correspondences.load(path)


def _check_sources(folder: Path) -> None:
    """Says so when frames were filmed by other code than this: they are used all the same (see `EDITION`)."""
    digest = hashlib.sha256()
    for path in sorted([*_SOURCES.glob("*.py"), *_SOURCES.glob("glsl/*")]):
        digest.update(path.read_bytes())
    note = folder / "sources.json"
    if not note.exists():
        note.write_text(json.dumps({"sha256": digest.hexdigest()}), encoding="utf-8")
    elif json.loads(note.read_text(encoding="utf-8"))["sha256"] != digest.hexdigest():
        sys.stderr.write(f"training/synth has changed since {folder} was begun; delete that folder to film anew.\n")


def _draw_alone() -> None:
    """Keeps a worker's software renderer (llvmpipe) to its own core: a worker for each core already fills them all."""
    os.environ.setdefault("LP_NUM_THREADS", "1")


def _film_to(path: Path, places: Correspondences, seed: int, shard: int, performers: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    frames, tiles = film(places, seed, shard, performers)
    temporary = path.with_suffix(".part.npz")
    columns = {field.name: getattr(frames, field.name) for field in fields(Frames)}
    np.savez(temporary, tiles=tiles.raw, tile_ends=tiles.ends, **columns)
    temporary.replace(path)


def load(paths: Sequence[Path]) -> Frames:
    """Joins shards."""
    tables = [np.load(path) for path in paths]
    return Frames(**{field.name: np.concatenate([table[field.name] for table in tables]) for field in fields(Frames)})


def load_tiles(paths: Sequence[Path]) -> Tiles:
    """Joins the pictures of shards."""
    tables = [np.load(path) for path in paths]
    ends = [table["tile_ends"] for table in tables]
    starts = np.cumsum([0, *(own[-1] for own in ends[:-1])])
    return Tiles(
        np.concatenate([table["tiles"] for table in tables]),
        np.concatenate([own + start for own, start in zip(ends, starts, strict=True)]),
    )
