"""Small takes made in code, for tests of what happens after analysis."""

from typing import Any

import numpy as np

from au_mocap import channels
from au_mocap.take import Take


def made_take(frames: int = 6, faceless: tuple[int, ...] = (2,), embedding_size: int = 0, **changes: object) -> Take:
    """A take of random but fixed numbers at 25 fps, in which some frames have no face."""
    random = np.random.default_rng(7)
    found = ~np.isin(np.arange(frames), faceless)
    quaternions = random.normal(size=(frames, 4))

    def seen(array: np.ndarray, kind: type) -> np.ndarray:
        array = array.astype(kind)
        array[~found] = np.nan
        return array

    arrays: dict[str, Any] = {
        "time_s": np.arange(frames) / 25,
        "found": found,
        "confidence": (found * 0.9).astype(np.float32),
        "values": seen(random.uniform(size=(frames, len(channels.IDS))), np.float32),
        "channels": channels.IDS,
        "head_rotation": seen(quaternions / np.linalg.norm(quaternions, axis=1, keepdims=True), np.float32),
        "head_position": seen(random.normal(size=(frames, 3)), np.float32),
        "crop": seen(random.uniform(10, 200, (frames, 4)), np.float32),
        "landmarks": seen(random.uniform(-0.5, 0.5, (frames, 478, 3)), np.float16),
        "embedding": seen(random.normal(size=(frames, embedding_size)), np.float16),
        "meta": {"source": {"name": "actor.mp4", "rate_hz": 25.0}, "first_frame": 0},
    }
    return Take(**{**arrays, **changes})
