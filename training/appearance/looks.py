"""What trained stages say of a cast's pictures, as they are and mirrored: what the heads are fitted to at last."""

import hashlib
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from training.appearance import sampling, second_look
from training.appearance.batches import Batch, Films, join
from training.appearance.network import Model
from training.synth.film import FRAMES_PER_PERFORMER

TABLES = ("landmarks", "presence", "values", "shape")


@dataclass(frozen=True, slots=True)
class Glance:
    """F frames of some performers, each seen twice.

    Attributes:
        batch: All that a head reads but embeddings; `seen` and `at` are empty.
        own: (F, E) float32 the stage's embedding of the tile.
        other: (F, E) of the mirrored tile.
        apart: (F, 2L) as `second_look.apart` has it.
    """

    batch: Batch
    own: torch.Tensor
    other: torch.Tensor
    apart: torch.Tensor


class Looks:
    """Both looks at I performers.

    Attributes:
        performers: I.
        frames: How many pictures of them all.
        values: (F, P) float32 truth of the pictures as they were shown.
    """

    def __init__(self, tables: Mapping[str, NDArray[Any]]) -> None:
        """Wraps tables (2, F, ...), the plain look first: `TABLES`, and each model's embeddings by its name."""
        self._tables = tables
        self.values: NDArray[np.float32] = tables["values"][0]
        self.frames = len(self.values)
        self.performers = self.frames // FRAMES_PER_PERFORMER

    def glance(
        self, name: str, performers: NDArray[np.integer], turned: bool = False, rng: np.random.Generator | None = None
    ) -> Glance:
        """Some performers, as one model's stage sees them.

        Args:
            name: The model.
            performers: Their places.
            turned: The mirrored look is taken for the plain one, with its own truth, and the other way round.
            rng: Mixes neutral frames at random; evenly without.
        """
        rows = (performers[:, None] * FRAMES_PER_PERFORMER + np.arange(FRAMES_PER_PERFORMER)).ravel()
        side = int(turned)
        tables = {key: self._tables[key][side, rows] for key in TABLES}
        tables["seen"] = np.zeros((len(rows), 0, 0), np.float16)
        both = [torch.from_numpy(self._tables["landmarks"][each, rows]) for each in (side, 1 - side)]
        own, other = (torch.from_numpy(self._tables[name][each, rows]).float() for each in (side, 1 - side))
        return Glance(join(tables, rng), own, other, second_look.apart(*both))


def look(models: Mapping[str, Model], films: Films, turn: int | None, seed: int, most: int, folder: Path) -> Looks:
    """Looks at performers twice; each is kept on disk once done.

    Args:
        models: Whose stages look.
        films: The cast.
        turn: Which treatment of the pictures; None for the plain ones.
        seed: Of the treatments.
        most: At most so many performers.
        folder: Where what is done is kept; files of other stages in there are left alone.
    """
    mark = _mark(models)

    def one(place: int) -> dict[str, NDArray[Any]]:
        path = folder / f"looks-{mark}" / f"{films.name_of(place)}_{turn}_{seed}.npz"
        if path.exists():
            with np.load(path) as kept:
                return dict(kept)
        tables = _both(models, films, place, turn, seed)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".part.npz")
        np.savez(temporary, **tables)  # type: ignore[arg-type]
        temporary.replace(path)
        return tables

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        parts = list(pool.map(one, range(min(films.performers, most))))
    return Looks({key: np.concatenate([part[key] for part in parts], axis=1) for key in parts[0]})


def _both(
    models: Mapping[str, Model], films: Films, place: int, turn: int | None, seed: int
) -> dict[str, NDArray[Any]]:
    """One performer's tables (2, FRAMES_PER_PERFORMER, ...)."""
    sides = (films.shown(place, turn, seed), films.mirrored(place, turn, seed))
    tables: dict[str, NDArray[Any]] = {key: np.stack([side[key] for side in sides]) for key in TABLES}
    for name, model in models.items():
        with torch.no_grad():
            tables[name] = np.stack([_embed(model, side) for side in sides])
    return tables


def _embed(model: Model, tables: Mapping[str, NDArray[Any]]) -> NDArray[np.float16]:
    seen = torch.from_numpy(tables["seen"]).float()
    return model.embed(seen, sampling.places(torch.from_numpy(tables["landmarks"]))).numpy().astype(np.float16)


def _mark(models: Mapping[str, Model]) -> str:
    """Of these stages' weights."""
    digest = hashlib.sha256()
    for model in models.values():
        for table in model.stage.state_dict().values():
            digest.update(table.cpu().numpy().tobytes())
    return digest.hexdigest()[:8]
