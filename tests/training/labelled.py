"""Labelled clips for the tests of fine-tuning: the rendered performance, played several times."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from au_mocap import annotation, channels
from au_mocap import take as takes
from au_mocap.annotation import Annotation, ClipFacts, Labels, TakeFacts
from au_mocap.take import Take

CLIP = Path(__file__).parents[1] / "data" / "rendered_performance.mp4"
RATE_HZ = 30.0
FRAMES = 96
"""Behind these, only the head turns."""


def truth() -> NDArray[np.float32]:
    """(96, 58) what is played in the clip."""
    rows = np.genfromtxt(CLIP.with_suffix(".csv"), delimiter=",", names=True)
    return np.stack([rows[channel_id] for channel_id in channels.IDS], axis=1).astype(np.float32)[:FRAMES]


def repeated(take: Take, times: int) -> Take:
    """A take played several times in a row, a little differently each time, as an actor would."""
    rng = np.random.default_rng(0)

    def again(table: NDArray, noise: float = 0.0) -> NDArray:
        whole = np.concatenate([table] * times)
        return whole if not noise else (whole + rng.normal(0.0, noise, whole.shape)).astype(table.dtype)

    count = times * len(take)
    return replace(
        take,
        **{name: again(getattr(take, name)) for name in ("found", "confidence", "values", "crop")},
        **{name: again(getattr(take, name)) for name in ("head_rotation", "head_position")},
        time_s=np.arange(count) / RATE_HZ,
        landmarks=again(take.landmarks, 0.0005),
        embedding=again(take.embedding, 0.05),
    )


def write(folder: Path, take: Take | None, values: NDArray[np.float32], every: int = 1, coder: str = "Ann") -> Path:
    """A folder of labels beside the take that was labelled; NaN is not labelled.

    Args:
        folder: `NAME.annotation`.
        take: Saved beside it; None for labels of the clip alone.
        values: (T, 58) labels of all frames.
        every: Only every so manieth frame is labelled.
        coder: Whose labels they are.
    """
    frames = np.arange(0, len(values), every)
    path = folder.with_name(folder.name.replace(annotation.SUFFIX, takes.SUFFIX))
    if take is not None:
        takes.save(take, path)
    labels = Labels(frames, frames / RATE_HZ, np.ones(len(frames), np.bool_), annotation.rounded(values[frames]))
    annotation.save(
        Annotation(
            clip=ClipFacts(CLIP.name, str(CLIP), CLIP.stat().st_size, None, len(values), RATE_HZ),
            channels=tuple(channels.IDS),
            coders={coder: labels},
            take=TakeFacts(None if take is None else str(path), "accurate"),
        ),
        folder,
    )
    return folder
