"""Measuring regressors: clips with labels in, pairs of prediction and truth out."""

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from . import channels, pipeline, pose, scores
from . import take as takes
from .calibration import Curves, Settings, curves
from .datasets import Clip, DatasetError, Labels, open_clip, within
from .datasets.targets import channel
from .errors import TakeError
from .pipeline import Progress
from .regressors import Regressor
from .scores import Pair
from .take import Take
from .tracking import FaceTracker
from .video import Video

_CHECKSUMS: Final = "regressor_sha256"


class ClipWarning(UserWarning):
    """Something about a recording was put right while it was read."""


@dataclass(frozen=True, slots=True)
class Setup:
    """How clips are analysed.

    Attributes:
        tracker: Finds the face.
        regressor: What is measured.
        settings: Neutral and smoothing, as for tables.
        takes: Folder that keeps the takes, so that a later run need not make them again; None keeps none.
        fov_deg: Vertical field of view of the cameras in degrees.
    """

    tracker: FaceTracker
    regressor: Regressor
    settings: Settings
    takes: Path | None = None
    fov_deg: float = pose.DEFAULT_FOV_DEG


def predict(clip: Clip, setup: Setup, on_progress: Callable[[Progress], object] | None = None) -> Pair:
    """Analyses a clip as `extract` does, or loads the take of an earlier run, and looks up its labelled frames.

    Args:
        clip: The clip.
        setup: How to analyse it.
        on_progress: Called after every analysed frame.

    Raises:
        VideoError: The clip cannot be decoded.
        DatasetError: Its labels run on behind its end.
        TakeError: There is no face in it.
        OutputError: The take cannot be kept.
    """
    take = take_of(clip, setup, on_progress)
    if not take.found.any():
        message = f"No face was found in {clip.name}."
        raise TakeError(message)
    labels = within(clip.labels, len(take), clip.name)
    result = curves(take, setup.settings, setup.regressor)
    return scores.pair(clip.name, clip.subject, labels, result.values[labels.frames])


def take_of(clip: Clip, setup: Setup, on_progress: Callable[[Progress], object] | None = None) -> Take:
    """The take of a whole clip; see `predict`."""
    kept = None if setup.takes is None else setup.takes / f"{clip.name}.{setup.regressor.entry.name}{takes.SUFFIX}"
    with open_clip(clip) as video:
        meta = pipeline.describe(video, setup.tracker, setup.regressor, pipeline.Extraction(fov_deg=setup.fov_deg))
        meta[_CHECKSUMS] = [file.sha256 for file in setup.regressor.entry.files]  # tells retrained graphs apart
        earlier = None if kept is None else _earlier(kept, video, meta)
        if earlier is not None:
            return earlier
        take = _analysed(video, setup, meta, on_progress)
        for message in video.warnings:
            warnings.warn(f"{clip.name}: {message}", ClipWarning, stacklevel=2)
    if kept is not None:
        takes.save(take, kept)
    return take


def _analysed(
    video: Video, setup: Setup, meta: dict[str, Any], on_progress: Callable[[Progress], object] | None
) -> Take:
    started = time.perf_counter()
    builder = pipeline.TakeBuilder(pose.Camera(video.info.size_px, setup.fov_deg), setup.regressor)
    for result in pipeline.analyse(video, setup.tracker, setup.regressor):
        builder.add(result)
        if on_progress is not None:
            elapsed_s = time.perf_counter() - started
            on_progress(Progress(len(builder), video.info.frame_count, builder.faces, elapsed_s))
    return builder.build(meta)


def _earlier(kept: Path, video: Video, meta: dict[str, Any]) -> Take | None:
    """The take of an earlier run, if it was made of the same recording with the same tools."""
    if not kept.is_file():
        return None
    try:
        take = takes.load(kept)
    except TakeError:
        return None
    of_images = video.info.kind == "sequence"
    if of_images and len(take) != video.info.frame_count:
        return None
    kind = ("name", "rate_hz") if of_images else ("name", "size_bytes", "sha256")
    same_source = all(take.meta.get("source", {}).get(key) == meta["source"][key] for key in kind)
    same_tools = all(take.meta.get(key) == meta[key] for key in ("tracker", "regressor", "settings", _CHECKSUMS))
    return take if same_source and same_tools else None


def table_of(take: Take, values: Curves) -> Labels:
    """A take's curves as a table by frame number."""
    targets = tuple(channel(channel_id) for channel_id in channels.IDS)
    return Labels(targets, take.first_frame + np.arange(len(take)), values.values)


def compare(name: str, predicted: Labels, truth: Labels) -> Pair:
    """Pairs a table of predictions with one of labels by the numbers of their frames.

    Args:
        name: What the prediction is called.
        predicted: Channels as targets; NaN where no face was found.
        truth: The labels. Frames and channels that the prediction lacks are left out.

    Raises:
        DatasetError: They share no frame or no channel.
    """
    columns = {target.name: k for k, target in enumerate(predicted.targets)}
    shared = [k for k, target in enumerate(truth.targets) if set(target.channels) <= set(columns)]
    frames, rows, truth_rows = np.intersect1d(predicted.frames, truth.frames, return_indices=True)
    if not shared or not len(frames):
        message = f"{name} and the labels share no {'frame number' if shared else 'channel'}: do they belong together?"
        raise DatasetError(message)
    values = np.full((len(frames), len(channels.IDS)), np.nan)
    for channel_id, column in columns.items():
        values[:, channels.INDEX[channel_id]] = predicted.values[rows, column]
    labels = Labels(tuple(truth.targets[k] for k in shared), frames, truth.values[truth_rows][:, shared])
    return scores.pair(name, name, labels, values)
