"""Which samples become keys: all of them, few with straight lines between, or few with handles."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..au_mocap import bezier, reduction
from .bake_settings import BakeSettings


@dataclass(frozen=True, slots=True)
class Reduced:
    """Keys of one value or of a rotation's four components.

    Attributes:
        frames: (K,) rising scene frames.
        values: (K, D).
        slopes: (K, D, 2) per frame, on the left and on the right of each key; None for straight lines.
    """

    frames: NDArray[np.float32]
    values: NDArray[np.float32]
    slopes: NDArray[np.float32] | None


def reduce(
    frames: NDArray[np.float32],
    samples: NDArray[np.float32],
    gaps: NDArray[np.bool_],
    settings: BakeSettings,
    weight: float = 1.0,
) -> Reduced:
    """Choose keys.

    Args:
        frames: (K,) rising scene frames.
        samples: (K, 1) a value, or (K, 4) the quaternions of a rotation.
        gaps: (K - 1,) whether something unknown lies between two samples: such stretches become straight lines.
        settings: The tolerance, and whether keys have handles.
        weight: How much one unit of a value counts where the tolerance is 1.
    """
    is_rotation = samples.shape[1] > 1
    if settings.tolerance == 0.0 or not settings.handles:
        kept = (
            reduction.keep_rotations(frames, samples, settings.tolerance)
            if is_rotation
            else reduction.keep(frames, samples[:, 0] * weight, settings.tolerance)
        )
        return Reduced(frames[kept], samples[kept], None)
    parts: list[Reduced] = []
    for stretch in np.split(np.arange(len(frames)), np.flatnonzero(gaps) + 1):
        at, known = frames[stretch], samples[stretch]
        if is_rotation:
            keys = bezier.fit_rotations(at, known, settings.tolerance)
            values, slopes = keys.values, np.stack([keys.left, keys.right], axis=2)
        else:
            keys = bezier.fit(at, known[:, 0] * weight, settings.tolerance)
            values = keys.values[:, None] / weight
            slopes = np.stack([keys.left, keys.right], axis=1)[:, None] / weight
        parts.append(Reduced(at[keys.kept], values.astype(np.float32), slopes.astype(np.float32)))
    return _joined(parts)


def _joined(parts: list[Reduced]) -> Reduced:
    frames, values, slopes = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("frames", "values", "slopes")
    )
    ends = np.cumsum([len(part.frames) for part in parts[:-1]], dtype=int)
    across = (values[ends] - values[ends - 1]) / (frames[ends] - frames[ends - 1])[:, None]
    slopes[ends - 1, :, 1] = across
    slopes[ends, :, 0] = across
    return Reduced(frames, values, slopes)
