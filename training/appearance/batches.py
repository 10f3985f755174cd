"""From films to what the networks are fed with: the landmark graph run on every picture, changed a little each time."""

import os
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from au_mocap import rotations
from au_mocap.landmark_model import LandmarkModel
from au_mocap.landmarks import COUNT, align, canonical_face
from au_mocap.onnx_tracker import MIN_PRESENCE
from au_mocap.registry import Registry
from au_mocap.sessions import open_session
from training.appearance import augment
from training.appearance.network import SIZES
from training.geometry.canonical import mirror_landmarks
from training.geometry.network import CHANNEL_TWIN
from training.synth.film import FRAMES_PER_PERFORMER, NEUTRAL_FRAMES, Frames, Tiles

MAPS: Final = tuple(SIZES)
_AHEAD: Final = 3


@dataclass(frozen=True, slots=True)
class Batch:
    """Frames of I performers, F = I · FRAMES_PER_PERFORMER, each performer's neutral frames first.

    Attributes:
        maps: Maps of the landmark graph by name, each (F, ...) float16.
        landmarks: (F, 478, 3) float32, aligned.
        rotation: (F, 3) float32 yaw, pitch, roll in radians, as the landmarks say.
        values: (F, P) float32 truth.
        shape: (F, 478, 3) float32 the true landmarks, aligned.
        seen: (F,) bool: the landmark graph found a face. Where it does not, the engine never asks for values.
        shares: (I, NEUTRAL_FRAMES) float32: how much of each neutral frame makes up the performer's neutral.
    """

    maps: dict[str, torch.Tensor]
    landmarks: torch.Tensor
    rotation: torch.Tensor
    values: torch.Tensor
    shape: torch.Tensor
    seen: torch.Tensor
    shares: torch.Tensor

    def to(self, device: torch.device) -> "Batch":
        """The same on another device."""
        tables = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "maps"}
        moved = {name: table.to(device, non_blocking=True) for name, table in tables.items()}
        return Batch(maps={name: table.to(device, non_blocking=True) for name, table in self.maps.items()}, **moved)


class Films:
    """Filmed performers, ready to be shown again and again.

    Attributes:
        performers: How many.
        frames: How many pictures of them all.
    """

    def __init__(self, frames: Frames, tiles: Tiles, performers: NDArray[np.integer]) -> None:
        """Wraps the frames of some performers.

        Args:
            frames: All frames of all shards, in order.
            tiles: Their pictures.
            performers: Which performers to show, by their place in `frames`.
        """
        self._tiles = tiles
        self._first = performers * FRAMES_PER_PERFORMER
        self._values = frames.values
        self._shape = align(frames.true_landmarks).points
        self._twin = mirror_landmarks(canonical_face().points)
        self.performers = len(performers)
        self.frames = self.performers * FRAMES_PER_PERFORMER

    def batches(self, count: int, seed: int | None) -> Iterator[Batch]:
        """Every performer once, `count` in a batch; prepared by threads while the caller trains.

        Args:
            count: Performers in a batch.
            seed: Chooses order and changes; None shows the plain pictures in order.
        """
        order = np.arange(self.performers)
        if seed is not None:
            order = np.random.default_rng(seed).permutation(order)
        groups = [order[start : start + count] for start in range(0, len(order), count)]
        waiting: deque[Future[Batch]] = deque()
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for group in groups:
                waiting.append(pool.submit(self._batch, group, seed))
                if len(waiting) > _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    def _batch(self, group: NDArray[np.integer], seed: int | None) -> Batch:
        shown = [self._show(int(performer), seed) for performer in group]
        landmarks, presence = (
            np.concatenate([outputs[name] for outputs, *_ in shown]) for name in ("landmarks", "presence")
        )
        aligned = align(landmarks)
        values, shape, shares = (np.stack(column) for column in list(zip(*shown, strict=True))[1:])
        return Batch(
            maps={name: torch.from_numpy(np.concatenate([outputs[name] for outputs, *_ in shown])) for name in MAPS},
            landmarks=torch.from_numpy(aligned.points),
            rotation=torch.from_numpy(rotations.to_angles(aligned.rotations).astype(np.float32)),
            values=torch.from_numpy(values.reshape(-1, values.shape[-1])),
            shape=torch.from_numpy(shape.reshape(-1, COUNT, 3)),
            seen=torch.from_numpy(presence[:, 0] > MIN_PRESENCE),
            shares=torch.from_numpy(shares.astype(np.float32)),
        )

    def _show(
        self, performer: int, seed: int | None
    ) -> tuple[dict[str, NDArray[Any]], NDArray[Any], NDArray[Any], NDArray[Any]]:
        """One performer: outputs of the landmark graph, values, true shape, and the neutral frames' shares."""
        rows = self._first[performer] + np.arange(FRAMES_PER_PERFORMER)
        rng = np.random.default_rng([seed or 0, performer])
        treatment = augment.NONE if seed is None else augment.sample(rng)
        outputs: dict[str, list[NDArray[Any]]] = {name: [] for name in ("landmarks", "presence", *MAPS)}
        for row in rows:
            tile = self._tiles[row] if seed is None else augment.apply(self._tiles[row], treatment, rng)
            for name, table in _landmark_model().run_tiles(tile[None], tuple(outputs)).items():
                outputs[name].append(table.astype(np.float16) if name in MAPS else table)
        values, shape = self._values[rows], self._shape[rows]
        if treatment.flipped:
            values = values[:, CHANNEL_TWIN]
            shape = shape[:, self._twin] * np.array([-1.0, 1.0, 1.0], np.float32)
        even = np.full(NEUTRAL_FRAMES, 1.0 / NEUTRAL_FRAMES)
        shares = even if seed is None else rng.dirichlet(np.full(NEUTRAL_FRAMES, 0.7))
        return {name: np.concatenate(tables) for name, tables in outputs.items()}, values, shape, shares


_local = threading.local()


def _landmark_model() -> LandmarkModel:
    """The bundled landmark graph, one session for each thread."""
    if not hasattr(_local, "model"):
        registry = Registry()
        _local.model = LandmarkModel(open_session(registry.path(registry.tracker("onnx").files["landmarks"]), "cpu"))
    return _local.model
