"""Regressors: from what was seen of a face to Action Unit values.

A regressor is two graphs. The image stage (optional) turns what a frame shows into an embedding, once a frame
(`stages`). The light head turns embedding, aligned landmarks and a neutral into values; it runs again, in milliseconds,
whenever the neutral changes.

Inputs of every head graph, N frames at a time:

    landmarks (N, 478, 3)          aligned (`landmarks.align`), head axes
    rotation (N, 3)                yaw, pitch, roll in radians of the same alignment
    embedding (N, E)               only where there is an image stage
    neutral_landmarks (478, 3)     the actor's neutral, aligned
    neutral_weight (478, 1)        0..1: how far to trust it; the rest comes from the model's own generic neutral
    neutral_embedding (E,)         only where there is an image stage
    earlier_embedding (N, E)       only where the registry entry has a `window_s`: the embeddings that far before each
    later_embedding (N, E)         frame, and after it

What lies before and after goes by the frames' times, and ends where the face is lost (`windows.around`); live nothing
lies after a frame, which stands for it itself.

The output is `values (N, P)`, one column for each channel of the registry entry.
"""

import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from . import channels, rotations, windows
from .arrays import Floats
from .clip_statistics import Pictures
from .crops import Crop, Image
from .errors import ModelError
from .landmark_model import INPUT_PX, OUTPUTS
from .landmarks import COUNT, IPD_M, Aligned, align, canonical_face
from .registry import Registry, RegressorEntry
from .runtimes import AUTOMATIC_THREADS, Session
from .sessions import open_session
from .stages import Stage, open_stage
from .take import Take
from .tracking import TrackedFace

_INPUTS: Final = {"landmarks", "rotation", "neutral_landmarks", "neutral_weight"}
_EMBEDDING_INPUTS: Final = {"embedding", "neutral_embedding"}
_WINDOW_INPUTS: Final = {"earlier_embedding", "later_embedding"}

_BLOCK: Final = 1024
"""Frames that one thread aligns at a time; a multiple of what `landmarks.align` takes at a time."""

_MOST_THREADS: Final = min(4, os.cpu_count() or 1)

_CHUNK: Final = 512
"""Frames that the head sees at a time: few enough for the processor's caches, and bounds memory on long takes."""

_WORKERS: Final = min(os.cpu_count() or 1, 4)
"""Threads that run the head over a whole take; each holds the memory of a chunk."""


@dataclass(frozen=True, slots=True)
class Features:
    """What a head sees of T frames; NaN where no face was found.

    Attributes:
        landmarks: (T, 478, 3) float32, aligned, in head axes.
        rotation: (T, 3) float32 yaw, pitch, roll in radians of the alignment.
        embedding: (T, E) float32.
        time_s: (T,) seconds, increasing; None for frames that have nothing to do with one another.
    """

    landmarks: NDArray[np.float32]
    rotation: NDArray[np.float32]
    embedding: NDArray[np.float32]
    time_s: NDArray[np.float64] | None = None

    @property
    def known(self) -> NDArray[np.bool_]:
        """(T,) which frames are without NaN."""
        return ~np.isnan(self.landmarks).any(axis=(1, 2)) & ~np.isnan(self.embedding).any(axis=1)


@dataclass(frozen=True, slots=True)
class Neutral:
    """The actor's neutral face as a head sees it.

    Attributes:
        landmarks: (478, 3) float32, aligned.
        weight: (478, 1) float32, 0..1: trust against the generic neutral.
        embedding: (E,) float32.
    """

    landmarks: NDArray[np.float32]
    weight: NDArray[np.float32]
    embedding: NDArray[np.float32]


def generic_neutral(embedding_size: int) -> Neutral:
    """The neutral that leaves everything to the model's own."""
    return Neutral(
        landmarks=np.zeros((COUNT, 3), np.float32),
        weight=np.zeros((COUNT, 1), np.float32),
        embedding=np.zeros(embedding_size, np.float32),
    )


def features(take: Take) -> Features:
    """What a take keeps for a head, aligned; of an imported take its values stand in place of an embedding."""
    if take.is_imported:
        angles = rotations.to_angles(rotations.to_matrices(take.head_rotation))
        return Features(
            landmarks=take.landmarks.astype(np.float32),
            rotation=np.nan_to_num(angles).astype(np.float32),
            embedding=channels.complete(take.values, take.channels),
            time_s=take.time_s,
        )

    def aligned(start: int) -> Aligned:
        block = slice(start, start + _BLOCK)
        return align(in_image_axes(take.landmarks[block], take.crop[block, 3]))

    with ThreadPoolExecutor(_MOST_THREADS) as pool:  # numpy works on several cores only this way
        parts = list(pool.map(aligned, range(0, len(take), _BLOCK)))
    whole = Aligned(np.concatenate([part.points for part in parts]), np.concatenate([part.rotations for part in parts]))
    return _features_from(whole, take.embedding, take.time_s)


def features_of(landmarks: Floats, embedding: Floats, time_s: Floats | None = None) -> Features:
    """Aligns (T, 478, 3) landmarks that are in image axes (any unit and origin); `time_s` as in `Features`."""
    return _features_from(align(landmarks), embedding, time_s)


def _features_from(aligned: Aligned, embedding: Floats, time_s: Floats | None) -> Features:
    return Features(
        landmarks=aligned.points,
        rotation=rotations.to_angles(aligned.rotations).astype(np.float32),
        embedding=np.asarray(embedding, np.float32),
        time_s=None if time_s is None else np.asarray(time_s, np.float64),
    )


def in_image_axes(landmarks: Floats, roll_rad: Floats) -> NDArray[np.float32]:
    """Turns (T, 478, 3) crop coordinates back by the (T,) roll of their crops; unit and origin stay the crop's."""
    cos, sin = np.cos(roll_rad)[:, None], np.sin(roll_rad)[:, None]
    result = np.array(landmarks, np.float32)
    x, y = result[..., 0].copy(), result[..., 1]
    turned_y = sin * x + cos * y
    result[..., 0] = cos * x - sin * y
    result[..., 1] = turned_y
    return result


class Regressor:
    """A regressor that is ready to run.

    Attributes:
        entry: Its registry entry.
        head: Session of the head graph.
        stage: The image stage, None where there is none.
    """

    def __init__(self, entry: RegressorEntry, head: Session, stage: Stage | None = None) -> None:
        """Wraps sessions; use `open_regressor`."""
        self.entry = entry
        self.head = head
        self.stage = stage

    @property
    def embedding_size(self) -> int:
        """E; 0 where there is no image stage."""
        return self.entry.image.embedding_size if self.entry.image else 0

    @property
    def maps(self) -> tuple[str, ...]:
        """What faces should carry for the image stage; see `tracking.FaceTracker.reset`."""
        return self.stage.maps if self.stage else ()

    @property
    def of_whole_clips(self) -> bool:
        """Whether the image stage wants to know a clip's statistics before it looks at any of its pictures."""
        return bool(self.entry.image and self.entry.image.clip_statistics)

    def reset(self) -> None:
        """Begins another clip or live session: what was learnt of the last one's pictures is forgotten."""
        if self.stage is not None:
            self.stage.reset()

    @property
    def providers(self) -> tuple[str, ...]:
        """What the heavy part really runs on: the image stage, or the head where there is none."""
        return (self.stage.session if self.stage else self.head).providers

    def embed(self, image: Image, face: TrackedFace) -> NDArray[np.float32]:
        """Runs the image stage on one face. Any thread may call it.

        Args:
            image: (H, W, 3) uint8 BGR.
            face: The face that was tracked in it, with or without the `maps`.

        Returns:
            (E,) float32; empty where there is no image stage.

        Raises:
            ModelError: The stage failed, or its answer does not fit the registry entry.
            TrackerError: The image is none, or the face lies nowhere in it.
        """
        if self.stage is None:
            return np.zeros(0, np.float32)
        try:
            return self.stage.embed(image, face)
        except ModelError as error:
            raise _unusable(self.entry.name, error) from error

    def embed_clip(self, pictures: Pictures) -> list[NDArray[np.float32]]:
        """Runs the image stage on a whole clip's pictures; for regressors `of_whole_clips`.

        Args:
            pictures: What `Stage.picture` gave of each frame.

        Returns:
            (E,) float32 of each picture, in order.

        Raises:
            ModelError: There is no image stage, it failed, or its answer does not fit the registry entry.
        """
        if self.stage is None:
            message = "it has no image stage to look at pictures with."
            raise _unusable(self.entry.name, ModelError(message))
        deviation = pictures.deviation
        try:
            return [self.stage.embed_picture(picture, deviation) for picture in pictures]
        except ModelError as error:
            raise _unusable(self.entry.name, error) from error

    def values(self, seen: Features, neutral: Neutral | None = None) -> NDArray[np.float32]:
        """Runs the head.

        Args:
            seen: T frames.
            neutral: The actor's neutral; None for the model's own.

        Returns:
            (T, 58) float32 in the order of `channels.IDS`, 0..1, all rules applied; NaN rows where `seen` has NaN.

        Raises:
            ModelError: The frames are not what this regressor reads, or the head failed, or its output does not fit the
                registry entry.
        """
        neutral = neutral or generic_neutral(self.embedding_size)
        for size in (seen.embedding.shape[1], len(neutral.embedding)):
            if size != self.embedding_size:
                message = (
                    f"Regressor '{self.entry.name}' reads {self.embedding_size} numbers of its image stage, the take "
                    f"holds {size}: it was made with another version. Analyse the video again."
                )
                raise ModelError(message)
        shown = seen.known
        known = np.flatnonzero(shown)
        moments = self._moments(seen, shown)
        predicted = np.full((len(seen.landmarks), len(self.entry.channels)), np.nan, np.float32)

        def run(start: int) -> None:
            rows = known[start : start + _CHUNK]
            beside = {name: seen.embedding[places[rows]] for name, places in moments.items()}
            predicted[rows] = self._run(seen, rows, neutral, beside)

        starts = range(0, len(known), _CHUNK)
        try:
            if len(starts) > 1:  # sessions have one thread each, so that analysis may run them beside each other
                with ThreadPoolExecutor(_WORKERS) as pool:
                    deque(pool.map(run, starts), maxlen=0)
            else:
                for start in starts:
                    run(start)
        except ModelError as error:
            raise _unusable(self.entry.name, error) from error
        return channels.complete(predicted, self.entry.channels)

    def _moments(self, seen: Features, known: NDArray[np.bool_]) -> dict[str, NDArray[np.int64]]:
        """Which frames a head with a window reads beside each of them, by the name of its input."""
        if not self.entry.window_s:
            return {}
        if seen.time_s is None:
            places = np.arange(len(known))
            return {"earlier_embedding": places, "later_embedding": places}
        earlier, later = windows.around(seen.time_s, known, self.entry.window_s)
        return {"earlier_embedding": earlier, "later_embedding": later}

    def _run(
        self, seen: Features, rows: NDArray[np.int64], neutral: Neutral, beside: dict[str, NDArray[np.float32]]
    ) -> NDArray[np.float32]:
        feeds: dict[str, NDArray[Any]] = {
            **beside,
            "landmarks": seen.landmarks[rows],
            "rotation": seen.rotation[rows],
            "neutral_landmarks": neutral.landmarks,
            "neutral_weight": neutral.weight,
        }
        if self.embedding_size:
            feeds |= {"embedding": seen.embedding[rows], "neutral_embedding": neutral.embedding}
        values = self.head.run(feeds)[0]
        if values.shape != (len(rows), len(self.entry.channels)):
            message = (
                f"its head returned {values.shape} for {len(rows)} frames, its registry entry promises "
                f"{len(self.entry.channels)} channels."
            )
            raise ModelError(message)
        if not np.isfinite(values).all():
            message = "its head returned values that are no numbers."
            raise ModelError(message)
        return values


def open_regressor(registry: Registry, name: str, device: str = "auto", threads: int = AUTOMATIC_THREADS) -> Regressor:
    """Loads a regressor by name and tries it on a made-up face.

    Args:
        registry: Where it is looked up.
        name: Its name there.
        device: `auto`, `cpu` or `cuda`.
        threads: Threads inside one operator, 0 for automatic; see `sessions.open_session`.

    Raises:
        ModelError: Unknown name, or a damaged or missing file, or graphs that do not keep to the contract or to what
            the entry promises; the message names the entry.
        SettingsError: Unknown device, or a number of threads that cannot be.
    """
    entry = registry.regressor(name)
    try:
        head = open_session(registry.path(entry.head), device, threads)
        _check_inputs(entry, head)
        stage = open_stage(entry.image, registry, device, threads) if entry.image else None
        regressor = Regressor(entry, head, stage)
    except ModelError as error:
        raise _unusable(name, error) from error
    _try(regressor)
    return regressor


def _check_inputs(entry: RegressorEntry, head: Session) -> None:
    wanted = _INPUTS | (_EMBEDDING_INPUTS if entry.image else set[str]())
    wanted |= _WINDOW_INPUTS if entry.window_s else set[str]()
    different = sorted(set(head.input_names) ^ wanted)
    if different:
        message = (
            f"it does not fit this AU Mocap (its head's inputs differ: {', '.join(different)}). "
            "Update AU Mocap or the regressor."
        )
        raise ModelError(message)


def _try(regressor: Regressor) -> None:
    """Runs both graphs once on the canonical face, so that what does not fit is told before any video is read."""
    side = float(INPUT_PX)
    points = (canonical_face().points / IPD_M * side / 4 + [side / 2, side / 2, 0.0]).astype(np.float32)
    maps = {name: np.zeros((1, *OUTPUTS[name]), np.float32) for name in regressor.maps}
    face = TrackedFace(points, Crop(side / 2, side / 2, side, 0.0), 1.0, maps)
    embedding = regressor.embed(np.zeros((INPUT_PX, INPUT_PX, 3), np.uint8), face)
    regressor.values(features_of(points[None], embedding[None]))
    regressor.reset()


def _unusable(name: str, error: ModelError) -> ModelError:
    message = f"Regressor '{name}' cannot be used: {error}"
    return ModelError(message)
