"""A refiner on films of performers with exact values, through the engine's own code: start, refined, truth."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from au_mocap import DEFAULT_REGRESSOR, channels, metrics
from au_mocap.crops import Crop, Image
from au_mocap.landmark_model import INPUT_PX, LandmarkModel
from au_mocap.landmarks import align
from au_mocap.refiners.basis import POSES, poses_of
from au_mocap.refiners.fitting import STEPS, Shown, fit_frames, fit_identity
from au_mocap.refiners.refiner import Refiner
from au_mocap.registry import Registry
from au_mocap.regressors import open_regressor
from au_mocap.rotations import to_angles
from au_mocap.sessions import open_session
from training import accuracy
from training.outcome import FEAFA
from training.papers.data import Cast
from training.synth.film import FRAMES_PER_PERFORMER, NEUTRAL_FRAMES, Tiles

Alteration = Callable[[Image], Image]
_WHOLE: Final = Crop(INPUT_PX / 2, INPUT_PX / 2, float(INPUT_PX), 0.0)


@dataclass(frozen=True, slots=True)
class Clip:
    """One performer, ready to be fitted.

    Attributes:
        shown: The usable frames, where to start from included.
        start: (N, 58) what the regressor says, the performer's own neutral taken off.
        truth: (N, 58).
        resting: (N,) bool: a neutral frame, for the identity.
        rest: (478, 3) mean of their aligned landmarks.
        moving: Whether the others are a performance.
        pictures: (N, 3, S, S) as the refiner sees them.
    """

    shown: Shown
    start: NDArray[np.float32]
    truth: NDArray[np.float32]
    resting: NDArray[np.bool_]
    rest: NDArray[np.float32]
    moving: bool
    pictures: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Played:
    """What came of some clips, one after the other.

    Attributes:
        start: (M, 58) values to start from.
        refined: (M, 58) values that were found.
        truth: (M, 58).
        clip: (M,) number of the clip; performances have those of 0 and above.
        before: (M,) loss at the start.
        after: (M,) loss of what was found.
    """

    start: NDArray[np.float32]
    refined: NDArray[np.float32]
    truth: NDArray[np.float32]
    clip: NDArray[np.int64]
    before: NDArray[np.float32]
    after: NDArray[np.float32]

    def error(self, values: NDArray[np.float32]) -> float:
        """FEAFA's loss (equation 3) of a table over the 24 AUs."""
        return metrics.feafa_loss(values[:, FEAFA], self.truth[:, FEAFA])


def clips(refiner: Refiner, cast: Cast, performers: NDArray[np.integer], alter: Alteration | None = None) -> list[Clip]:
    """Some performers as the engine sees them, each picture altered before anything looks at it.

    Performers without a usable neutral frame are left out.
    """
    registry = Registry()
    regressor = open_regressor(registry, DEFAULT_REGRESSOR, "cpu")
    model = LandmarkModel(open_session(registry.path(registry.tracker("onnx").files["landmarks"]), "cpu"))
    found: list[Clip] = []
    for performer in performers.tolist():
        first = performer * FRAMES_PER_PERFORMER
        rows = cast.rows(np.array([performer]))
        if not len(rows) or rows[0] >= first + NEUTRAL_FRAMES:
            continue
        tiles = _tiles(cast, first, alter)
        said = accuracy.perform([regressor], tiles)[regressor.entry.name][rows - first]
        landmarks = np.stack([model.run(tiles[row], _WHOLE).landmarks for row in rows - first])
        truth = channels.complete(cast.frames.values[rows], channels.PREDICTED_IDS)
        pictures = np.stack([refiner.picture(tiles[row], seen) for row, seen in zip(rows - first, landmarks)])  # noqa: B905
        found.append(_clip(refiner, (pictures, landmarks, said, truth), rows - first, bool(cast.frames.moving[first])))
    return found


def _clip(refiner: Refiner, tables: tuple[NDArray[np.float32], ...], places: NDArray[np.int64], moving: bool) -> Clip:
    pictures, landmarks, said, truth = tables
    aligned = align(landmarks)
    resting = places < NEUTRAL_FRAMES
    follows = np.zeros(len(places), bool)
    follows[1:] = moving & (places[1:] == places[:-1] + 1) & (places[1:] > NEUTRAL_FRAMES)
    shown = Shown(
        pose=poses_of(to_angles(aligned.rotations)),
        values=said[:, refiner.columns],
        appearance=refiner.basis.appearance_of(pictures),
        features=refiner.features(pictures),
        tied=follows,
    )
    return Clip(shown, said, truth, resting, aligned.points[resting].mean(axis=0), moving, pictures)


def identity(refiner: Refiner, clip: Clip, steps: int = STEPS) -> NDArray[np.float32]:
    """(K,) of a clip's performer, from the neutral frames."""
    calm = clip.resting
    rows = Shown(
        pose=clip.shown.pose[calm],
        values=clip.shown.values[calm],
        appearance=clip.shown.appearance[calm],
        features=clip.shown.features[calm],
        tied=clip.shown.tied[calm],
    )
    return fit_identity(refiner, rows, refiner.basis.identity_of(clip.rest), steps)


def play(refiner: Refiner, found: list[Clip], steps: int = STEPS) -> Played:
    """Refines some clips."""
    tables: list[tuple[NDArray[np.float32], ...]] = []
    numbers: list[NDArray[np.int64]] = []
    for number, clip in enumerate(found):
        fitted = fit_frames(refiner, clip.shown, identity(refiner, clip, steps), steps)
        refined = channels.complete(fitted.parameters[:, POSES:], refiner.entry.channels)
        tables.append((clip.start, refined, clip.truth, fitted.before, fitted.after))
        numbers.append(np.where(clip.resting | (not clip.moving), -1, number))
    start, refined, truth, before, after = (np.concatenate(columns) for columns in zip(*tables, strict=True))
    return Played(start, refined, truth, np.concatenate(numbers), before, after)


def _tiles(cast: Cast, first: int, alter: Alteration | None) -> Tiles:
    """The pictures of the performer whose first frame is `first`."""
    shown = [cast.tiles[row] for row in range(first, first + FRAMES_PER_PERFORMER)]
    coded = [cv2.imencode(".png", picture if alter is None else alter(picture))[1].ravel() for picture in shown]
    return Tiles(np.concatenate(coded), np.cumsum([len(each) for each in coded]))
