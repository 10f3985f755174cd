"""From tracked frames to what the network trains on."""

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from au_mocap import rotations
from au_mocap.landmarks import align
from au_mocap.onnx_tracker import MIN_PRESENCE
from training.geometry.network import Examples, Statistics
from training.synth.film import FRAMES_PER_PERFORMER, NEUTRAL_FRAMES, Frames

_NEUTRALS: Final = 8
_SMALLEST_SCALE: Final = 1e-3


def prepare(frames: Frames, rng: np.random.Generator) -> Examples:
    """Aligns the tracker's landmarks and draws neutrals: random means of each performer's calm frames."""
    aligned = align(frames.landmarks)
    faces = aligned.points.reshape(-1, FRAMES_PER_PERFORMER, *aligned.points.shape[1:])
    shares = rng.dirichlet(np.full(NEUTRAL_FRAMES, 0.7), (len(faces), _NEUTRALS)).astype(np.float32)
    neutrals = np.einsum("ikn,inlc->iklc", shares, faces[:, :NEUTRAL_FRAMES])
    owner = np.repeat(np.arange(len(faces)), FRAMES_PER_PERFORMER)
    return Examples(
        landmarks=torch.from_numpy(aligned.points),
        rotation=torch.from_numpy(rotations.to_angles(aligned.rotations).astype(np.float32)),
        values=torch.from_numpy(frames.values),
        neutrals=torch.from_numpy(neutrals),
        owner=torch.from_numpy(owner),
        usable=torch.from_numpy(np.flatnonzero(_usable(frames))),
    )


def _usable(frames: Frames) -> NDArray[np.bool_]:
    """(M,) frames in which the tracker saw a face, of performers whose neutral frames it saw too."""
    seen = (frames.presence > MIN_PRESENCE).reshape(-1, FRAMES_PER_PERFORMER)
    return (seen & seen[:, :NEUTRAL_FRAMES].all(axis=1, keepdims=True)).ravel()


def statistics(examples: Examples) -> Statistics:
    """Scales of a training set."""
    neutral = examples.neutrals.mean(1)
    delta = (examples.landmarks - neutral[examples.owner])[examples.usable]
    return Statistics(
        neutral=_array(neutral.mean(0)),
        delta_scale=np.maximum(_array(delta.std(0)), _SMALLEST_SCALE),
        neutral_scale=np.maximum(_array(neutral.std(0)), _SMALLEST_SCALE),
    )


def _array(tensor: torch.Tensor) -> NDArray[np.float32]:
    return tensor.numpy().astype(np.float32)
