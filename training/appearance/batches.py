"""From films to what the networks are fed with: the landmark graph's maps, picked at its landmarks."""

import hashlib
import inspect
import os
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from au_mocap import rotations
from au_mocap.landmark_model import LandmarkModel
from au_mocap.landmarks import COUNT, align
from au_mocap.onnx_tracker import MIN_PRESENCE
from au_mocap.registry import Registry
from au_mocap.sessions import open_session
from training.appearance import augment, sampling
from training.geometry.canonical import twins
from training.geometry.network import CHANNEL_TWIN
from training.synth.film import FRAMES_PER_PERFORMER, NEUTRAL_FRAMES, Frames, Tiles

TREATMENTS: Final = 2
"""How many times each performer's pictures are changed and tracked anew. Passes over the cast take turns with them."""

_AHEAD: Final = 4
_TABLES: Final = ("landmarks", "presence", "seen", "values", "shape")


@dataclass(frozen=True, slots=True)
class Batch:
    """Frames of I performers, F = I · FRAMES_PER_PERFORMER, each performer's neutral frames first.

    Attributes:
        seen: (F, L, K) bfloat16, the landmark graph's maps at its landmarks; see `sampling.sample`.
        at: (F, L, 2) float32, where that was.
        landmarks: (F, 478, 3) float32, aligned.
        rotation: (F, 3) float32 yaw, pitch, roll in radians, as the landmarks say.
        values: (F, P) float32 truth.
        shape: (F, 478, 3) float32 the true landmarks, aligned.
        usable: (F,) bool: the landmark graph found a face, and one in a neutral frame of the same performer. Where it
            does not, the engine never asks for values.
        shares: (I, NEUTRAL_FRAMES) float32: how much of each neutral frame makes up the performer's neutral.
    """

    seen: torch.Tensor
    at: torch.Tensor
    landmarks: torch.Tensor
    rotation: torch.Tensor
    values: torch.Tensor
    shape: torch.Tensor
    usable: torch.Tensor
    shares: torch.Tensor

    def of(self, performers: torch.Tensor) -> "Batch":
        """Some of the performers, by their place."""
        frames = (performers[:, None] * FRAMES_PER_PERFORMER + torch.arange(FRAMES_PER_PERFORMER)).flatten()
        rows = {field.name: frames for field in fields(self)} | {"shares": performers}
        return Batch(**{name: getattr(self, name)[chosen] for name, chosen in rows.items()})

    def to(self, device: torch.device) -> "Batch":
        """The same on another device."""
        return Batch(**{field.name: getattr(self, field.name).to(device, non_blocking=True) for field in fields(self)})


class Films:
    """Filmed performers, ready to be shown again and again.

    What the landmark graph sees in a performer's pictures is worked out once for each treatment and then kept on disk:
    running it takes longer than a step of the training.

    Attributes:
        performers: How many.
        frames: How many pictures of them all.
    """

    def __init__(self, frames: Frames, tiles: Tiles, performers: NDArray[np.integer], folder: Path) -> None:
        """Wraps the frames of some performers.

        Args:
            frames: All frames of all shards, in order.
            tiles: Their pictures.
            performers: Which performers to show, by their place in `frames`.
            folder: Where what was seen is kept.
        """
        self._tiles = tiles
        self._performers = performers
        self._values = frames.values
        self._shape = align(frames.true_landmarks).points
        self._tracked = frames.landmarks
        self._presence = frames.presence
        self._twin = twins()
        self._cast = folder.name
        self._folder = folder / f"seen-{_fingerprint()}"
        self._folder.mkdir(parents=True, exist_ok=True)
        self.performers = len(performers)
        self.frames = self.performers * FRAMES_PER_PERFORMER

    def batches(self, count: int, turn: int | None, seed: int = 0) -> Iterator[Batch]:
        """Every performer once, `count` in a batch; prepared by threads while the caller trains.

        Args:
            count: Performers in a batch.
            turn: Number of the pass, from 0: chooses treatments, order and neutrals; None shows the plain pictures in
                order.
            seed: Chooses with it.
        """
        order = np.arange(self.performers)
        if turn is not None:
            order = np.random.default_rng([seed, turn]).permutation(order)
        groups = [order[start : start + count] for start in range(0, len(order), count)]
        waiting: deque[Future[Batch]] = deque()
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for group in groups:
                waiting.append(pool.submit(self._batch, group, turn, seed))
                if len(waiting) > _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    def tracked(self) -> Batch:
        """Every performer in one batch, as they were tracked when they were filmed; what was seen is left out."""
        nothing = np.zeros((len(self._values), 0, 0), np.float16)
        tables = {
            "landmarks": self._tracked,
            "presence": self._presence[:, None],
            "seen": nothing,
            "values": self._values,
            "shape": self._shape,
        }
        rows = (self._performers[:, None] * FRAMES_PER_PERFORMER + np.arange(FRAMES_PER_PERFORMER)).ravel()
        return join({name: table[rows] for name, table in tables.items()}, None)

    def _batch(self, group: NDArray[np.integer], turn: int | None, seed: int) -> Batch:
        shown = [self.shown(int(performer), turn, seed) for performer in group]
        rng = None if turn is None else np.random.default_rng([seed, turn, *group])
        return join({name: np.concatenate([table[name] for table in shown]) for name in _TABLES}, rng)

    def name_of(self, place: int) -> str:
        """Tells a performer from all others of the cast, and the cast from others."""
        return f"{self._cast}_{int(self._performers[place]):05d}"

    def mirrored(self, place: int, turn: int | None, seed: int = 0) -> dict[str, NDArray[Any]]:
        """One performer's tables as of `shown`, of the mirrored pictures; nothing is kept."""
        performer, treatment = int(self._performers[place]), _treatment(turn)
        rng = np.random.default_rng([seed, performer, treatment]) if treatment else None
        return self._show(performer, rng, mirrored=True)

    def shown(self, place: int, turn: int | None, seed: int = 0) -> dict[str, NDArray[Any]]:
        """One performer's `landmarks`, `presence`, `seen`, `values` and `shape`, from the disk where they are kept."""
        performer, treatment = int(self._performers[place]), _treatment(turn)
        path = self._folder / f"{performer:05d}_{seed}_{treatment}.npz"
        if path.exists():
            with np.load(path) as kept:
                return dict(kept)
        tables = self._show(performer, np.random.default_rng([seed, performer, treatment]) if treatment else None)
        temporary = path.with_suffix(".part.npz")
        np.savez(temporary, **tables)
        temporary.replace(path)
        return tables

    def _show(
        self, performer: int, rng: np.random.Generator | None, *, mirrored: bool = False
    ) -> dict[str, NDArray[Any]]:
        """Treats one performer's pictures, tracks them, and picks what is looked at."""
        rows = performer * FRAMES_PER_PERFORMER + np.arange(FRAMES_PER_PERFORMER)
        treatment = augment.NONE if rng is None else augment.sample(rng)
        outputs: dict[str, list[NDArray[Any]]] = {name: [] for name in ("landmarks", "presence", "seen")}
        for row in rows:
            tile = self._tiles[row] if rng is None else augment.apply(self._tiles[row], treatment, rng)
            tile = tile[:, ::-1] if mirrored else tile
            found = _landmark_model().run_tiles(tile[None], ("landmarks", "presence", *sampling.LOOKS))
            at = sampling.places(torch.from_numpy(found["landmarks"]))
            maps = {name: torch.from_numpy(found[name]) for name in sampling.LOOKS}
            outputs["landmarks"].append(found["landmarks"])
            outputs["presence"].append(found["presence"])
            outputs["seen"].append(sampling.sample(at, maps).half().numpy())
        values, shape = self._values[rows], self._shape[rows]
        if treatment.flipped != mirrored:
            values = values[:, CHANNEL_TWIN]
            shape = shape[:, self._twin] * np.array([-1.0, 1.0, 1.0], np.float32)
        tables = {name: np.concatenate(parts) for name, parts in outputs.items()}
        return {**tables, "values": values, "shape": shape}


def _treatment(turn: int | None) -> int:
    """Number of the treatment that a pass sees; 0 for none."""
    return 0 if turn is None else 1 + turn % TREATMENTS


def join(tables: dict[str, NDArray[Any]], rng: np.random.Generator | None) -> Batch:
    """A batch from `_TABLES`, each (F, ...); neutral frames are mixed evenly, or at random with an `rng`."""
    aligned = align(tables["landmarks"])
    found = (tables["presence"][:, 0] > MIN_PRESENCE).reshape(-1, FRAMES_PER_PERFORMER)
    calm = found[:, :NEUTRAL_FRAMES]
    shares = np.ones(calm.shape) if rng is None else rng.dirichlet(np.full(NEUTRAL_FRAMES, 0.7), len(calm))
    shares = shares * calm + 1e-9
    return Batch(
        seen=torch.from_numpy(tables["seen"]).bfloat16(),
        at=sampling.places(torch.from_numpy(tables["landmarks"])),
        landmarks=torch.from_numpy(aligned.points),
        rotation=torch.from_numpy(rotations.to_angles(aligned.rotations).astype(np.float32)),
        values=torch.from_numpy(tables["values"]),
        shape=torch.from_numpy(tables["shape"].reshape(-1, COUNT, 3)),
        usable=torch.from_numpy((found & calm.any(axis=1, keepdims=True)).ravel()),
        shares=torch.from_numpy((shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)),
    )


_local = threading.local()


def _landmark_model() -> LandmarkModel:
    """The bundled landmark graph, one session for each thread."""
    if not hasattr(_local, "model"):
        registry = Registry()
        _local.model = LandmarkModel(open_session(registry.path(registry.tracker("onnx").files["landmarks"]), "cpu"))
    return _local.model


def _fingerprint() -> str:
    """Changes with whatever changes what is seen: the landmark graph, the treatments, the places looked at."""
    registry = Registry()
    digest = hashlib.sha256(registry.tracker("onnx").files["landmarks"].sha256.encode())
    for module in (augment, sampling):
        digest.update(inspect.getsource(module).encode())
    return digest.hexdigest()[:8]
