"""Regressors: from what was seen of a face to Action Unit values.

A regressor is two graphs. The image stage (optional) turns a crop into an embedding, once a frame. The light head
turns embedding, aligned landmarks and a neutral into values; it runs again, in milliseconds, whenever the neutral
changes.

Inputs of every head graph, N frames at a time:

    landmarks (N, 478, 3)          aligned (`landmarks.align`), head axes
    rotation (N, 3)                yaw, pitch, roll in radians of the same alignment
    embedding (N, E)               only where there is an image stage
    neutral_landmarks (478, 3)     the actor's neutral, aligned
    neutral_weight (478, 1)        0..1: how far to trust it; the rest comes from the model's own generic neutral
    neutral_embedding (E,)         only where there is an image stage

The output is `values (N, P)`, one column for each channel of the registry entry.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from . import channels, rotations
from .arrays import Floats
from .crops import PREPROCESSORS, Crop
from .errors import ModelError
from .landmarks import COUNT, align
from .registry import Registry, RegressorEntry
from .sessions import Session, open_session
from .take import Take

DEFAULT_REGRESSOR: Final = "geometry"

_INPUTS: Final = {"landmarks", "rotation", "neutral_landmarks", "neutral_weight"}
_EMBEDDING_INPUTS: Final = {"embedding", "neutral_embedding"}

_CHUNK: Final = 2048
"""Frames that the head sees at a time: bounds memory on long takes."""


@dataclass(frozen=True, slots=True)
class Features:
    """What a head sees of T frames; NaN where no face was found.

    Attributes:
        landmarks: (T, 478, 3) float32, aligned, in head axes.
        rotation: (T, 3) float32 yaw, pitch, roll in radians of the alignment.
        embedding: (T, E) float32.
    """

    landmarks: NDArray[np.float32]
    rotation: NDArray[np.float32]
    embedding: NDArray[np.float32]


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
    """What a take keeps for a head, aligned."""
    return features_of(in_image_axes(take.landmarks, take.crop[:, 3]), take.embedding)


def features_of(landmarks: Floats, embedding: Floats) -> Features:
    """Aligns (T, 478, 3) landmarks that are in image axes (any unit and origin)."""
    aligned = align(landmarks)
    return Features(
        landmarks=aligned.points,
        rotation=rotations.to_angles(aligned.rotations).astype(np.float32),
        embedding=np.asarray(embedding, np.float32),
    )


def in_image_axes(landmarks: Floats, roll_rad: Floats) -> NDArray[np.float32]:
    """Turns (T, 478, 3) crop coordinates back by the (T,) roll of their crops; unit and origin stay the crop's."""
    cos, sin = np.cos(roll_rad)[:, None], np.sin(roll_rad)[:, None]
    x, y, z = np.moveaxis(np.asarray(landmarks, np.float32), -1, 0)
    return np.stack([cos * x - sin * y, sin * x + cos * y, z], axis=-1).astype(np.float32)


class Regressor:
    """A regressor that is ready to run.

    Attributes:
        entry: Its registry entry.
        head: Session of the head graph.
        image: Session of the image stage, None where there is none.
    """

    def __init__(self, entry: RegressorEntry, head: Session, image: Session | None = None) -> None:
        """Wraps sessions; use `open_regressor`."""
        self.entry = entry
        self.head = head
        self.image = image

    @property
    def embedding_size(self) -> int:
        """E; 0 where there is no image stage."""
        return self.entry.image.embedding_size if self.entry.image else 0

    @property
    def providers(self) -> tuple[str, ...]:
        """What the heavy part really runs on: the image stage, or the head where there is none."""
        return (self.image or self.head).providers

    def embed(self, image: NDArray[np.uint8], crop: Crop) -> NDArray[np.float32]:
        """Runs the image stage on one face.

        Args:
            image: (H, W, 3) uint8 BGR.
            crop: The tracked face's crop.

        Returns:
            (E,) float32; empty where there is no image stage.

        Raises:
            ModelError: The embedding does not fit the registry entry.
        """
        stage = self.entry.image
        if stage is None or self.image is None:
            return np.zeros(0, np.float32)
        fed = PREPROCESSORS[stage.preprocessor](image, crop, stage.size_px)[None]
        embedding = self.image.run({self.image.input_names[0]: fed})[0]
        if embedding.shape != (1, stage.embedding_size) or not np.isfinite(embedding).all():
            message = (
                f"The image stage of regressor '{self.entry.name}' returned {embedding.shape}, its registry entry "
                f"promises {stage.embedding_size} finite numbers: reinstall it."
            )
            raise ModelError(message)
        return embedding[0]

    def values(self, seen: Features, neutral: Neutral | None = None) -> NDArray[np.float32]:
        """Runs the head.

        Args:
            seen: T frames.
            neutral: The actor's neutral; None for the model's own.

        Returns:
            (T, 58) float32 in the order of `channels.IDS`, 0..1, all rules applied; NaN rows where `seen` has NaN.

        Raises:
            ModelError: The head's output does not fit its registry entry.
        """
        neutral = neutral or generic_neutral(self.embedding_size)
        known = np.flatnonzero(~np.isnan(seen.landmarks).any(axis=(1, 2)))
        predicted = np.full((len(seen.landmarks), len(self.entry.channels)), np.nan, np.float32)
        for start in range(0, len(known), _CHUNK):
            rows = known[start : start + _CHUNK]
            predicted[rows] = self._run(seen, rows, neutral)
        return channels.complete(predicted, self.entry.channels)

    def _run(self, seen: Features, rows: NDArray[np.int64], neutral: Neutral) -> NDArray[np.float32]:
        feeds: dict[str, NDArray[Any]] = {
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
                f"Regressor '{self.entry.name}' returned {values.shape}, its registry entry promises "
                f"{len(self.entry.channels)} channels: reinstall it."
            )
            raise ModelError(message)
        if not np.isfinite(values).all():
            message = f"Regressor '{self.entry.name}' returned values that are no numbers: reinstall it."
            raise ModelError(message)
        return values


def open_regressor(registry: Registry, name: str, device: str = "auto") -> Regressor:
    """Loads a regressor by name.

    Raises:
        ModelError: Unknown name, or a damaged or missing file, or graphs that do not fit the head's contract.
    """
    entry = registry.regressor(name)
    head = open_session(registry.path(entry.head), device)
    wanted = _INPUTS | (_EMBEDDING_INPUTS if entry.image else set[str]())
    different = sorted(set(head.input_names) ^ wanted)
    if different:
        message = (
            f"Regressor '{name}' does not fit this AU Mocap (its head's inputs differ: {', '.join(different)}): "
            "update AU Mocap or the regressor."
        )
        raise ModelError(message)
    if entry.image is None:
        return Regressor(entry, head)
    if entry.image.preprocessor not in PREPROCESSORS:
        message = (
            f"Regressor '{name}' does not fit this AU Mocap (its preprocessor '{entry.image.preprocessor}' is none of "
            f"{', '.join(PREPROCESSORS)}): update AU Mocap or the regressor."
        )
        raise ModelError(message)
    return Regressor(entry, head, open_session(registry.path(entry.image.file), device))
