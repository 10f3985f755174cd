"""All systems in one table: the same pictures, the same engine, the same figures."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from au_mocap import channels, metrics
from au_mocap.crops import Crop, Image
from au_mocap.landmark_model import INPUT_PX, LandmarkModel
from au_mocap.onnx_tracker import MIN_PRESENCE
from au_mocap.registry import BUNDLED, Registry, RegressorEntry
from au_mocap.regressors import Regressor, features_of, open_regressor
from au_mocap.sessions import open_session
from au_mocap.tracking import TrackedFace
from training import accuracy
from training.outcome import FEAFA
from training.papers.export import NO_NEUTRAL, tuned_f1
from training.synth import film

OWN_DEVIATION: Final = ", each picture's own deviation, no neutral"
ZERO: Final = "constant zero"
_TIMED: Final = 30
_WARM_UP: Final = 5


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; means over FEAFA's 24 channels.

    Attributes:
        name: Regressor and what was changed, such as `feafa, no neutral`.
        icc: ICC(3,1).
        mae: Mean absolute error.
        loss: FEAFA's, equation 3.
        f1: Of presence, above the common threshold.
        f1_tuned: With the thresholds of the registry; None where there are none, or they are of another row.
        jitter: Of performances, what is more than the truth's own; near 0 is steady.
        ms: Median time of one frame on one core, beside tracking; None for a variant.
        size_mb: Of the files; None for a variant.
    """

    name: str
    icc: float
    mae: float
    loss: float
    f1: float
    f1_tuned: float | None
    jitter: float
    ms: float | None
    size_mb: float | None


def names(registry: Registry) -> list[str]:
    """Every regressor, those to compare with last."""
    return [entry.name for entry in sorted(registry.regressors, key=lambda entry: entry.group == "advanced")]


def compare(folders: Sequence[Path], shards: int, wanted: Sequence[str] | None = None) -> list[Row]:
    """Runs regressors on the test cast; films what is not filmed yet.

    Args:
        folders: Model folders beside the bundled one.
        shards: How much of the cast is shown, 480 frames each.
        wanted: Names; None for every regressor.

    Returns:
        For each regressor the rows of `accuracy.perform`, of those that know the clip's deviation one without it, and
        at last constant zero.
    """
    _, paths = film.film_all(film.Call({"test": shards}))
    return measure(Registry((BUNDLED, *folders)), paths["test"], wanted)


def measure(registry: Registry, paths: Sequence[Path], wanted: Sequence[str] | None = None) -> list[Row]:
    """As `compare`, on the films of some shards."""
    frames, tiles = film.load(paths), film.load_tiles(paths)
    truth = channels.complete(frames.values, channels.PREDICTED_IDS)
    shown = Shown(truth, frames.presence > MIN_PRESENCE, frames.moving)
    rows: list[Row] = []
    for name in names(registry) if wanted is None else wanted:
        regressor = open_regressor(registry, name, "cpu", threads=1)
        cost = _ms(regressor, tiles[0]), size_mb(regressor.entry)
        predicted = accuracy.perform([regressor], tiles, frames.moving)
        if regressor.of_whole_clips:
            predicted[name + OWN_DEVIATION] = _alone(regressor, tiles)
        for variant, values in predicted.items():
            limits = regressor.entry.thresholds if variant == name + NO_NEUTRAL else {}
            # Of a paper's system the row as in the paper is the one without a neutral.
            plain = name + NO_NEUTRAL if regressor.entry.group == "advanced" else name
            rows.append(shown.row(variant, values, limits, cost if variant == plain else (None, None)))
    return [*rows, shown.row(ZERO, np.zeros_like(truth), {}, (None, None))]


@dataclass(frozen=True, slots=True)
class Shown:
    """What the regressors were shown.

    Attributes:
        truth: (M, 58).
        seen: (M,) bool: the tracker found a face there.
        moving: (M,) bool: a picture of a performance.
    """

    truth: NDArray[np.float32]
    seen: NDArray[np.bool_]
    moving: NDArray[np.bool_]

    def row(
        self,
        name: str,
        predicted: NDArray[np.float32],
        thresholds: dict[str, float],
        cost: tuple[float | None, float | None],
    ) -> Row:
        """Figures of (M, 58) values."""
        said, true = predicted[self.seen], self.truth[self.seen]
        tuned = float(np.nanmean(tuned_f1(said, true, thresholds)[FEAFA])) if thresholds else None
        return Row(
            name=name,
            icc=float(metrics.icc(said, true)[FEAFA].mean()),
            mae=float(metrics.mae(said, true)[FEAFA].mean()),
            loss=metrics.feafa_loss(said[:, FEAFA], true[:, FEAFA]),
            f1=float(np.nanmean(metrics.f1(said, true)[FEAFA])),
            f1_tuned=tuned,
            jitter=self._jitter(predicted) - self._jitter(self.truth),
            ms=cost[0],
            size_mb=cost[1],
        )

    def _jitter(self, values: NDArray[np.float32]) -> float:
        """Mean over performances; NaN where nobody performed."""
        hidden = np.where(self.seen[:, None], values[:, FEAFA], np.nan)
        performances = [part for part in self._performances(hidden) if len(part) >= metrics.JITTER_WINDOW]
        found = [metrics.jitter(part) for part in performances]
        return float(np.nanmean(found)) if found else float("nan")

    def _performances(self, values: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
        for start in range(0, len(values), film.FRAMES_PER_PERFORMER):
            if self.moving[start]:
                yield values[start + film.NEUTRAL_FRAMES : start + film.FRAMES_PER_PERFORMER]


def size_mb(entry: RegressorEntry) -> float:
    """All files of a regressor in megabytes (10^6 bytes)."""
    return sum((each.folder / each.file).stat().st_size for each in entry.files) / 1e6


def _face(picture: Image, regressor: Regressor, model: LandmarkModel) -> TrackedFace:
    whole = Crop(INPUT_PX / 2, INPUT_PX / 2, float(INPUT_PX), 0.0)
    found = model.run(picture, whole, regressor.maps)
    return TrackedFace(found.landmarks, whole, 1.0, found.maps, found.tile)


def _model() -> LandmarkModel:
    registry = Registry()
    return LandmarkModel(open_session(registry.path(registry.tracker("onnx").files["landmarks"]), "cpu"))


def _ms(regressor: Regressor, picture: Image) -> float:
    """Median time of stage and head on one frame, live as in a pass over a video, tracking left out."""
    face = _face(picture, regressor, _model())
    times: list[float] = []
    for _ in range(_WARM_UP + _TIMED):
        started = time.perf_counter()
        embedding = regressor.embed(picture, face)
        regressor.values(features_of(face.landmarks[None], embedding[None]))
        times.append(time.perf_counter() - started)
    regressor.reset()
    return float(np.median(times[_WARM_UP:])) * 1000.0


def _alone(regressor: Regressor, tiles: film.Tiles) -> NDArray[np.float32]:
    """(M, 58) values where each picture is a clip of its own."""
    model = _model()
    parts: list[NDArray[np.float32]] = []
    for row in range(len(tiles)):
        face = _face(tiles[row], regressor, model)
        embedding = accuracy.embed(regressor, [tiles[row]], [face])
        parts.append(regressor.values(features_of(face.landmarks[None], embedding.astype(np.float16))))
    return np.concatenate(parts)
