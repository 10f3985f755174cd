"""From tracked frames to what the network trains on."""

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from au_mocap import rotations
from au_mocap.landmarks import align
from training.geometry.dataset import ACTING_FRAMES, NEUTRAL_FRAMES, Frames
from training.geometry.network import Examples, Statistics

_FRAMES: Final = NEUTRAL_FRAMES + ACTING_FRAMES
_NEUTRALS: Final = 8
_SMALLEST_SCALE: Final = 1e-3


def prepare(frames: Frames, rng: np.random.Generator) -> Examples:
    """Aligns the tracker's landmarks and draws neutrals: random means of each performer's calm frames."""
    aligned = align(frames.landmarks)
    faces = aligned.points.reshape(-1, _FRAMES, *aligned.points.shape[1:])
    shares = rng.dirichlet(np.full(NEUTRAL_FRAMES, 0.7), (len(faces), _NEUTRALS)).astype(np.float32)
    neutrals = np.einsum("ikn,inlc->iklc", shares, faces[:, :NEUTRAL_FRAMES])
    owner = np.repeat(np.arange(len(faces)), _FRAMES)
    return Examples(
        landmarks=torch.from_numpy(aligned.points),
        rotation=torch.from_numpy(rotations.to_angles(aligned.rotations).astype(np.float32)),
        values=torch.from_numpy(frames.values),
        neutrals=torch.from_numpy(neutrals),
        owner=torch.from_numpy(owner),
    )


def statistics(examples: Examples) -> Statistics:
    """Scales of a training set."""
    neutral = examples.neutrals.mean(1)
    delta = examples.landmarks - neutral[examples.owner]
    return Statistics(
        neutral=_array(neutral.mean(0)),
        delta_scale=np.maximum(_array(delta.std(0)), _SMALLEST_SCALE),
        neutral_scale=np.maximum(_array(neutral.std(0)), _SMALLEST_SCALE),
    )


def _array(tensor: torch.Tensor) -> NDArray[np.float32]:
    return tensor.numpy().astype(np.float32)


def split(frames: Frames, shares: tuple[float, float]) -> tuple[Frames, Frames, Frames]:
    """Parts frames into train, validation and test by performer: nobody is in two of them.

    Args:
        frames: All frames.
        shares: What validation and test get.
    """
    last = int(frames.performer.max()) + 1
    first_test = round(last * (1 - shares[1]))
    first_validation = round(last * (1 - shares[0] - shares[1]))
    parts = (
        frames.performer < first_validation,
        (frames.performer >= first_validation) & (frames.performer < first_test),
        frames.performer >= first_test,
    )
    train, validation, test = (
        Frames(**{name: getattr(frames, name)[part] for name in Frames.__slots__}) for part in parts
    )
    return train, validation, test
