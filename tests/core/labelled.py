"""Labels of made-up coders."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from au_mocap import channels
from au_mocap.annotation import Annotation, ClipFacts, Labels

RATE_HZ = 25.0
COLUMNS = ("jaw_drop", "lip_corner_pull_L", "lip_corner_pull_R")


def labels(frames: Sequence[int], key: Sequence[bool] | None = None, **values: Sequence[float]) -> Labels:
    """Labels of frames at 25 fps; channels by name, NaN for what is not labelled."""
    table = np.full((len(frames), len(channels.IDS)), np.nan, np.float32)
    for name, column in values.items():
        table[:, channels.INDEX[name]] = column
    marks = np.ones(len(frames), np.bool_) if key is None else np.array(key)
    return Labels(np.array(frames, np.int64), np.array(frames) / RATE_HZ, marks, table)


def annotation(
    coders: Mapping[str, Labels], frames: int = 100, ids: Sequence[str] = COLUMNS, **clip: object
) -> Annotation:
    """An annotation of a clip that is nowhere."""
    facts = {"name": "actor.mp4", "path": "/nowhere/actor.mp4", "size_bytes": 5, "sha256": "00", "rate_hz": RATE_HZ}
    return Annotation(ClipFacts(frames=frames, **{**facts, **clip}), tuple(ids), coders)  # pyright: ignore[reportArgumentType]


def table_of(folder: Path, coder: str = "Anna") -> Path:
    return folder / "coders" / f"{coder}.csv"
