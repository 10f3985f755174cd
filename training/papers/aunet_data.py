"""Films as AUNet reads them: basic features of every picture, and which pictures lie a moment before and after."""

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from au_mocap import windows
from au_mocap.landmark_model import LandmarkModel
from au_mocap.onnx_tracker import MIN_PRESENCE
from au_mocap.registry import Registry
from au_mocap.sessions import open_session
from training import accuracy
from training.appearance import augment
from training.geometry.network import CHANNEL_TWIN
from training.papers.aunet_features import OFFSETS, Basic
from training.papers.data import Cast
from training.synth.film import FRAMES_PER_PERFORMER, NEUTRAL_FRAMES

WINDOW_S: Final = 0.4
"""The paper's interval of ten frames, at BP4D's 25 a second."""

_SHARE_LIVE: Final = 0.25
"""Performers that are shown as a camera shows them, with nothing after each frame."""

_PERFORMERS_PER_BATCH: Final = 4
_AHEAD: Final = 3


@dataclass(frozen=True, slots=True)
class Batch:
    """F pictures of some performers.

    Attributes:
        basic: (F, CHANNELS, GRID, GRID) bfloat16.
        earlier: (F,) place of the picture `WINDOW_S` before each.
        later: (F,) likewise after.
        values: (F, P) float32 truth.
        usable: (F,) bool: the landmark graph sees a face.
        performed: (F,) bool: acted in a performance.
    """

    basic: torch.Tensor
    earlier: torch.Tensor
    later: torch.Tensor
    values: torch.Tensor
    usable: torch.Tensor
    performed: torch.Tensor

    def to(self, device: torch.device) -> "Batch":
        """The same on another device."""
        return Batch(**{field.name: getattr(self, field.name).to(device) for field in fields(self)})


class Clips:
    """A cast's pictures, looked at by the landmark graph whenever they are shown.

    Attributes:
        performers: How many.
    """

    def __init__(self, cast: Cast, seed: int = 0) -> None:
        """Wraps a cast; `seed` chooses order and treatments."""
        registry = Registry()
        graph = registry.path(registry.tracker("onnx").files["landmarks"])
        self.performers = cast.performers
        self._cast = cast
        self._seed = seed
        self._model = LandmarkModel(open_session(graph, "cpu", threads=1))
        self._basic = Basic()

    def plain(self) -> Iterator[Batch]:
        """Every performer in order, as filmed."""
        return self._prepared(np.arange(self.performers), None)

    def treated(self, number: int, count: int) -> Iterator[Batch]:
        """A round of training: the performers whose turn it is, their pictures changed as `augment` does.

        Args:
            number: Of the round, from 0; rounds that follow one another go through the cast without repeating anybody.
            count: Performers of a round.
        """
        rounds = -(-self.performers // count)
        order = np.random.default_rng([self._seed, number // rounds]).permutation(self.performers)
        return self._prepared(order[number % rounds * count :][:count], number)

    def _prepared(self, performers: NDArray[np.integer], number: int | None) -> Iterator[Batch]:
        """Batches in order, made by threads while the caller trains."""
        groups = np.split(performers, range(_PERFORMERS_PER_BATCH, len(performers), _PERFORMERS_PER_BATCH))
        waiting: deque[Future[Batch]] = deque()
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for group in groups:
                waiting.append(pool.submit(self._batch, group, number))
                if len(waiting) > _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    def _batch(self, group: NDArray[np.integer], number: int | None) -> Batch:
        shown = [self._show(int(performer), number) for performer in group]
        starts = np.arange(len(shown)) * FRAMES_PER_PERFORMER
        return Batch(
            basic=torch.cat([each.basic for each in shown]),
            earlier=torch.cat([each.earlier + int(start) for each, start in zip(shown, starts, strict=True)]),
            later=torch.cat([each.later + int(start) for each, start in zip(shown, starts, strict=True)]),
            values=torch.cat([each.values for each in shown]),
            usable=torch.cat([each.usable for each in shown]),
            performed=torch.cat([each.performed for each in shown]),
        )

    def _show(self, performer: int, number: int | None) -> Batch:
        """One performer."""
        rows = performer * FRAMES_PER_PERFORMER + np.arange(FRAMES_PER_PERFORMER)
        rng = None if number is None else np.random.default_rng([self._seed, performer, number])
        treatment = augment.NONE if rng is None else augment.sample(rng)
        basic: list[torch.Tensor] = []
        presence: list[float] = []
        for row in rows:
            tile = self._cast.tiles[row]
            found = self._model.run_tiles(
                (tile if rng is None else augment.apply(tile, treatment, rng))[None],
                ("landmarks", "presence", *OFFSETS),
            )
            maps = {name: torch.from_numpy(found[name]) for name in OFFSETS}
            basic.append(self._basic(torch.from_numpy(found["landmarks"]), maps).bfloat16())
            presence.append(float(found["presence"].flat[0]))
        usable = np.array(presence) > MIN_PRESENCE
        moving = bool(self._cast.frames.moving[rows[0]])
        earlier, later = windows.around(accuracy.times_s(moving), usable, WINDOW_S)
        if rng is not None and rng.random() < _SHARE_LIVE:
            later = np.arange(FRAMES_PER_PERFORMER)
        values = self._cast.frames.values[rows]
        return Batch(
            basic=torch.cat(basic),
            earlier=torch.from_numpy(earlier),
            later=torch.from_numpy(later),
            values=torch.from_numpy(values[:, CHANNEL_TWIN] if treatment.flipped else values),
            usable=torch.from_numpy(usable),
            performed=torch.from_numpy(moving & (np.arange(FRAMES_PER_PERFORMER) >= NEUTRAL_FRAMES)),
        )
