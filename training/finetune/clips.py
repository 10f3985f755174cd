"""Labelled clips: which frames carry labels, and what the base's image stage saw in them."""

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from au_mocap import annotation, channels, pipeline
from au_mocap import take as takes
from au_mocap.annotation import Annotation
from au_mocap.errors import AnnotationError, ModelError, TakeError
from au_mocap.files import is_file
from au_mocap.meter import Meter
from au_mocap.neutral import NeutralSettings, choose_neutral
from au_mocap.registry import ImageStage, Registry
from au_mocap.regressors import Features, Neutral, Regressor, features, generic_neutral
from au_mocap.take import Take
from au_mocap.tracking import open_tracker
from au_mocap.video import file_sha256

_WEIGHT_BETWEEN_KEYS: Final = 0.3
"""How much a frame counts whose labels were interpolated between two that somebody set."""


@dataclass(frozen=True, slots=True)
class Source:
    """What clips are read with.

    Attributes:
        registry: Where regressors are looked up that made takes.
        regressor: The base, ready to run.
        stage: The base's image stage.
    """

    registry: Registry
    regressor: Regressor
    stage: ImageStage


@dataclass(frozen=True, slots=True)
class Clip:
    """One labelled clip; N of its T frames carry labels and show a face.

    Attributes:
        name: The folder of labels, for messages and the card.
        take: What was measured, with the base's values.
        seen: The take's features.
        neutral: The actor's neutral as the base finds it.
        rows: (N,) indices into the take.
        labels: (N, 58) 0..1, NaN where not labelled.
        weight: (N,) 1 where somebody set the labels, less where they were interpolated.
        lost: Labelled frames that are left out, since no face was found in them.
    """

    name: str
    take: Take
    seen: Features
    neutral: Neutral
    rows: NDArray[np.int64]
    labels: NDArray[np.float32]
    weight: NDArray[np.float64]
    lost: int

    @property
    def time_s(self) -> NDArray[np.float64]:
        """(N,) seconds of the labelled frames."""
        return self.take.time_s[self.rows]


def read(folder: Path, source: Source, coder: str | None = None) -> Clip:
    """Reads one folder of labels. Where no take fits the base, the clip is analysed, with progress on stderr.

    Args:
        folder: `NAME.annotation`.
        source: The base, and where takes' regressors are looked up.
        coder: Whose labels; None for the agreed ones, or those of the only coder.

    Raises:
        AnnotationError: The folder cannot be read, does not say whose labels count, or labels no frame with a face.
        VideoError: The clip has to be analysed and cannot be read.
        TakeError: The clip is another one than was labelled.
    """
    described = annotation.load(folder)
    labels = annotation.labels_of(described, folder, coder).without_empty()
    if not len(labels):
        message = f"{folder} holds no labels yet: label some frames first."
        raise AnnotationError(message)
    take = _take(described, folder, source)
    seen = features(take)
    take = replace(take, values=source.regressor.values(seen), channels=channels.IDS)
    rows = labels.frames - take.first_frame
    inside = (rows >= 0) & (rows < len(take))
    inside[inside] = (take.found & seen.known)[rows[inside]]
    if not inside.any():
        message = f"{folder}: no face was found in any of the {len(labels)} labelled frames. Label frames with a face."
        raise AnnotationError(message)
    keys = labels.key if labels.key.any() else np.ones(len(labels), np.bool_)
    return Clip(
        name=folder.name.removesuffix(annotation.SUFFIX),
        take=take,
        seen=seen,
        neutral=choose_neutral(take, seen, NeutralSettings()).neutral or generic_neutral(seen.embedding.shape[1]),
        rows=rows[inside],
        labels=labels.values[inside],
        weight=np.where(keys[inside], 1.0, _WEIGHT_BETWEEN_KEYS),
        lost=int((~inside).sum()),
    )


def targets(clip: Clip) -> NDArray[np.float64]:
    """(N, P) what the head should say over `channels.PREDICTED_IDS`; NaN where nothing is labelled.

    A label of a mean without its sides is one of both: they keep their difference and move together.
    """
    base = clip.take.values[clip.rows]
    table = clip.labels.astype(np.float64)
    for mean_id, sides in channels.SIDES_OF.items():
        mean, pair = channels.INDEX[mean_id], [channels.INDEX[side] for side in sides]
        alone = ~np.isnan(table[:, mean]) & np.isnan(table[:, pair]).all(axis=1)
        moved = base[:, pair] + (table[:, mean] - base[:, mean])[:, None]
        table[:, pair] = np.where(alone[:, None], np.clip(moved, 0.0, 1.0), table[:, pair])
    return table[:, [channels.INDEX[channel_id] for channel_id in channels.PREDICTED_IDS]]


def _take(described: Annotation, folder: Path, source: Source) -> Take:
    """The take that was labelled where it fits the base, else the clip analysed."""
    for path in _places(described.take.path, folder, described.clip.name.rpartition(".")[0] + takes.SUFFIX):
        try:
            take = takes.load(path)
        except TakeError as error:
            _say(f"Warning: {error}")
            continue
        if _fits(take, described, source):
            return take
    return _analysed(described, folder, source)


def _places(path: str | None, folder: Path, name: str) -> list[Path]:
    """Where a file may lie: where it was, and beside the folder of labels, which may have moved with it."""
    beside = folder.resolve().parent
    named = [Path(path), beside / path, beside / Path(path).name] if path else []
    return [each for each in dict.fromkeys([*named, beside / name]) if is_file(each)]


def _fits(take: Take, described: Annotation, source: Source) -> bool:
    """Whether a take is of that clip, and its embedding what the base's stage gives."""
    of_clip = take.meta.get("source", {}).get("sha256")
    other = of_clip and described.clip.sha256 and of_clip != described.clip.sha256
    return not other and is_of_stage(take, source)


def is_of_stage(take: Take, source: Source) -> bool:
    """Whether a take holds what the base's image stage gives."""
    made_by = take.meta.get("regressor", {})
    if take.is_imported:
        return False
    try:
        entry = source.registry.regressor(str(made_by.get("name")))
    except ModelError:
        return False
    same = entry.image is not None and entry.image.file.sha256 == source.stage.file.sha256
    return same and entry.version == made_by.get("version") and take.embedding.shape[1] == source.stage.embedding_size


def _analysed(described: Annotation, folder: Path, source: Source) -> Take:
    clip = described.clip
    found = _places(clip.path, folder, clip.name)
    name = source.regressor.entry.name
    if not found:
        message = (
            f"{folder}: there is no take made with '{name}', and the clip {clip.path or clip.name} is not there "
            f"either. Put {clip.name} beside the folder of labels."
        )
        raise TakeError(message)
    if clip.sha256 and file_sha256(found[0]) != clip.sha256:
        message = f"{found[0]} is not the clip that was labelled: its checksum differs. Put the same file there."
        raise TakeError(message)
    _say(f"{folder.name}: no take made with '{name}', so {clip.name} is analysed")
    meter = Meter(clip.name)
    try:
        tracker = open_tracker("onnx", source.registry, "cpu")
        take, warnings = pipeline.extract(found[0], tracker, source.regressor, on_progress=meter)
    finally:
        meter.finish()
    for warning in warnings:
        _say(f"Warning: {warning}")
    return take


def _say(message: str) -> None:
    sys.stderr.write(message + "\n")
