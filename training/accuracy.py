"""How accurate the shipped regressors are on the test cast: the engine's own code on pictures with exact values."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from au_mocap import channels, metrics
from au_mocap.clip_statistics import Pictures
from au_mocap.crops import Crop, Image
from au_mocap.landmark_model import INPUT_PX, LandmarkModel
from au_mocap.onnx_tracker import MIN_PRESENCE
from au_mocap.registry import Registry
from au_mocap.regressors import Features, Neutral, Regressor, features_of, generic_neutral, open_regressor
from au_mocap.sessions import open_session
from au_mocap.tracking import TrackedFace
from training.outcome import FEAFA
from training.synth import film

ZERO: Final = "zero"
SHARDS: Final = 12
_APART_S: Final = 60.0
"""Time between pictures that do not follow one another."""

_WHOLE: Final = Crop(INPUT_PX / 2, INPUT_PX / 2, float(INPUT_PX), 0.0)


@dataclass(frozen=True, slots=True)
class Table:
    """One row of the comparison: what was predicted for every picture, against the truth.

    Attributes:
        name: Regressor and neutral, such as `accurate` or `mediapipe, no neutral`.
        predicted: (M, 58) 0..1.
        truth: (M, 58).
    """

    name: str
    predicted: NDArray[np.float32]
    truth: NDArray[np.float32]

    @property
    def icc(self) -> NDArray[np.float64]:
        """(58,) ICC(3,1) of each channel."""
        return metrics.icc(self.predicted, self.truth)

    @property
    def feafa_icc(self) -> float:
        """Mean ICC(3,1) over FEAFA's 24."""
        return float(self.icc[FEAFA].mean())

    @property
    def loss_ratio(self) -> float:
        """FEAFA loss, as a share of what predicting zero would give."""
        predicted, truth = self.predicted[:, FEAFA], self.truth[:, FEAFA]
        return float(metrics.feafa_loss(predicted, truth) / metrics.feafa_loss(np.zeros_like(truth), truth))


def compare(regressors: Sequence[str], shards: int = SHARDS, cast: str = "test") -> list[Table]:
    """Runs regressors on the test cast, each performer with the mean of the own neutral frames as neutral.

    Each is also run with the third paper's person mean in its place and without any. Films what is not filmed yet.

    Args:
        regressors: Names in the bundled registry.
        shards: How much of the cast is shown, 480 frames each.
        cast: Whose films.

    Returns:
        Three tables for each regressor, and at last one for constant zero.
    """
    _, paths = film.film_all(film.Call({cast: shards}))
    frames, tiles = film.load(paths[cast]), film.load_tiles(paths[cast])
    registry = Registry()
    truth = channels.complete(frames.values, channels.PREDICTED_IDS)
    predicted = perform([open_regressor(registry, name, "cpu") for name in regressors], tiles, frames.moving)
    seen = frames.presence > MIN_PRESENCE  # elsewhere the engine says that there is no face, and gives no values
    tables = [Table(name, table[seen], truth[seen]) for name, table in predicted.items()]
    return [*tables, Table(ZERO, np.zeros_like(truth[seen]), truth[seen])]


def times_s(moving: bool) -> NDArray[np.float64]:
    """(F,) when a performer's pictures were taken, as a take would say: neutral ones and separate expressions apart.

    Args:
        moving: The acting pictures are a performance.
    """
    acting = film.STEP_S if moving else _APART_S
    steps = np.repeat([_APART_S, acting], [film.NEUTRAL_FRAMES + 1, film.ACTING_FRAMES - 1])
    return np.cumsum(steps)


def perform(
    regressors: Sequence[Regressor], tiles: film.Tiles, moving: NDArray[np.bool_] | None = None
) -> dict[str, NDArray[np.float32]]:
    """What regressors say of all pictures of some performers, through the engine.

    Args:
        regressors: Ready to run.
        tiles: (M,) pictures, `film.FRAMES_PER_PERFORMER` of each performer, neutral ones first.
        moving: (M,) as `film.Frames` has it; None where nobody performs, for regressors that do not ask.

    Returns:
        (M, 58) values for each regressor's name: alone (with the performer's own neutral), with ", person mean" and
        with ", no neutral".
    """
    registry = Registry()
    model = LandmarkModel(open_session(registry.path(registry.tracker("onnx").files["landmarks"]), "cpu"))
    predicted: dict[str, list[NDArray[np.float32]]] = {}
    for start in range(0, len(tiles), film.FRAMES_PER_PERFORMER):
        pictures = [tiles[row] for row in range(start, start + film.FRAMES_PER_PERFORMER)]
        acting = moving is not None and bool(moving[start])
        for name, values in _perform(pictures, regressors, model, times_s(acting)):
            predicted.setdefault(name, []).append(values)
    return {name: np.concatenate(parts) for name, parts in predicted.items()}


def embed(regressor: Regressor, pictures: Sequence[Image], faces: Sequence[TrackedFace]) -> NDArray[np.float32]:
    """(F, E) what an image stage says of one clip."""
    if not regressor.of_whole_clips or regressor.stage is None:
        return np.stack([regressor.embed(picture, face) for picture, face in zip(pictures, faces, strict=True)])
    clip = Pictures()
    for picture, face in zip(pictures, faces, strict=True):
        clip.add(regressor.stage.picture(picture, face))
    return np.stack(regressor.embed_clip(clip))


def _perform(
    pictures: list[Image], regressors: Sequence[Regressor], model: LandmarkModel, taken_s: NDArray[np.float64]
) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """One performer: name of the row and (F, 58) values, for every regressor."""
    maps = tuple(dict.fromkeys(name for regressor in regressors for name in regressor.maps))
    found = [model.run(picture, _WHOLE, maps) for picture in pictures]
    faces = [TrackedFace(result.landmarks, _WHOLE, 1.0, result.maps, result.tile) for result in found]
    landmarks = np.stack([face.landmarks for face in faces])
    for regressor in regressors:
        embedding = embed(regressor, pictures, faces)
        seen = features_of(landmarks, embedding.astype(np.float16), taken_s)  # half floats, as in a take
        for suffix, neutral in (
            ("", _mean(seen, slice(0, film.NEUTRAL_FRAMES))),
            (", person mean", _mean(seen, slice(None))),
            (", no neutral", generic_neutral(regressor.embedding_size)),
        ):
            yield regressor.entry.name + suffix, regressor.values(seen, neutral)


def _mean(seen: Features, frames: slice) -> Neutral:
    """A neutral from some frames, fully trusted."""
    return Neutral(
        landmarks=seen.landmarks[frames].mean(axis=0),
        weight=np.ones((seen.landmarks.shape[1], 1), np.float32),
        embedding=seen.embedding[frames].mean(axis=0),
    )
