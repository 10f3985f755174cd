"""The network of the `geometry` regressor, and what it is fed with in training."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from au_mocap.channels import PREDICTED_IDS, mirrored
from au_mocap.landmarks import COUNT

COORDINATES: Final = COUNT * 3
FURTHEST: Final = 6.0
"""Standard deviations beyond which a landmark's way from the neutral is a mistake of the tracker."""

CHANNEL_TWIN: Final = tuple(PREDICTED_IDS.index(mirrored(channel_id)) for channel_id in PREDICTED_IDS)


@dataclass(frozen=True, slots=True)
class Statistics:
    """Scales of the training data, part of the exported graph.

    Attributes:
        neutral: (478, 3) the generic neutral: mean of the training performers' tracked neutrals.
        delta_scale: (478, 3) standard deviation of a landmark's way from the neutral.
        neutral_scale: (478, 3) standard deviation of the neutrals.
    """

    neutral: NDArray[np.float32]
    delta_scale: NDArray[np.float32]
    neutral_scale: NDArray[np.float32]


class GeometryHead(nn.Module):
    """Landmarks, head rotation and a neutral to values; the inputs are those of `au_mocap.regressors`."""

    generic: torch.Tensor
    delta_scale: torch.Tensor
    neutral_scale: torch.Tensor

    def __init__(self, statistics: Statistics, width: int = 320) -> None:
        super().__init__()
        self.register_buffer("generic", torch.from_numpy(statistics.neutral))
        self.register_buffer("delta_scale", torch.from_numpy(statistics.delta_scale))
        self.register_buffer("neutral_scale", torch.from_numpy(statistics.neutral_scale))
        self.delta = nn.Linear(COORDINATES, width)
        self.identity = nn.Linear(COORDINATES, width // 4)
        self.body = nn.Sequential(
            nn.Linear(width + width // 4 + 4, width),
            nn.GELU(),
            nn.Dropout(0.1),
            nn.Linear(width, width // 2),
            nn.GELU(),
        )
        self.values = nn.Linear(width // 2, len(PREDICTED_IDS))
        self.direct = nn.Linear(COORDINATES, len(PREDICTED_IDS), bias=False)

    def forward(
        self,
        landmarks: torch.Tensor,
        rotation: torch.Tensor,
        neutral_landmarks: torch.Tensor,
        neutral_weight: torch.Tensor,
    ) -> torch.Tensor:
        """(N, 478, 3), (N, 3), (N or 1, 478, 3), (N or 1, 478, 1) to (N, P), not yet clipped."""
        neutral = neutral_weight * neutral_landmarks + (1.0 - neutral_weight) * self.generic
        delta = ((landmarks - neutral) / self.delta_scale).flatten(1).clamp(-FURTHEST, FURTHEST)
        identity = ((neutral - self.generic) / self.neutral_scale).flatten(1)
        # One neutral may serve all frames: added, it spreads over them (an `expand` would fix N when exported).
        each_frame = torch.zeros_like(rotation[:, :1])
        trust = neutral_weight.mean(dim=(1, 2))[:, None] + each_frame
        identity = nn.functional.gelu(self.identity(identity)) + each_frame
        hidden = torch.cat([nn.functional.gelu(self.delta(delta)), identity, rotation, trust], dim=1)
        return self.values(self.body(hidden)) + self.direct(delta)


class ExportedHead(nn.Module):
    """The head with the engine's shapes and clipped values."""

    def __init__(self, head: GeometryHead) -> None:
        super().__init__()
        self.head = head

    def forward(
        self,
        landmarks: torch.Tensor,
        rotation: torch.Tensor,
        neutral_landmarks: torch.Tensor,
        neutral_weight: torch.Tensor,
    ) -> torch.Tensor:
        """As `au_mocap.regressors` describes: one neutral for all frames."""
        values = self.head(landmarks, rotation, neutral_landmarks[None], neutral_weight[None])
        return values.clamp(0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Examples:
    """Training examples.

    Attributes:
        landmarks: (M, 478, 3) float32 aligned.
        rotation: (M, 3) float32 yaw, pitch, roll in radians.
        values: (M, P) float32 truth.
        neutrals: (I, K, 478, 3) float32 aligned neutrals of each performer, each the mean of some calm frames.
        owner: (M,) which performer.
        usable: (U,) rows to learn and to measure from: the tracker saw the face, and the performer's neutral.
    """

    landmarks: torch.Tensor
    rotation: torch.Tensor
    values: torch.Tensor
    neutrals: torch.Tensor
    owner: torch.Tensor
    usable: torch.Tensor


def batch(
    examples: Examples, rows: torch.Tensor, twin: torch.Tensor, generator: torch.Generator
) -> tuple[tuple[torch.Tensor, ...], torch.Tensor]:
    """Draws inputs and truth: one of the performer's neutrals, random trust in it, half of the rows mirrored."""
    landmarks, rotation, values = examples.landmarks[rows], examples.rotation[rows], examples.values[rows]
    choice = torch.randint(examples.neutrals.shape[1], (len(rows),), generator=generator)
    neutral = examples.neutrals[examples.owner[rows], choice]
    kind = torch.rand(len(rows), 1, 1, generator=generator)
    partial = torch.rand(len(rows), 1, 1, generator=generator)
    weight = torch.where(kind < 0.55, torch.ones(()), torch.where(kind < 0.8, torch.zeros(()), partial))
    weight = weight.expand(-1, COUNT, 1)
    flip = torch.rand(len(rows), generator=generator) < 0.5
    landmarks, neutral = mirror(landmarks, flip, twin), mirror(neutral, flip, twin)
    rotation = torch.where(flip[:, None], rotation * torch.tensor([-1.0, 1.0, -1.0]), rotation)
    values = torch.where(flip[:, None], values[:, list(CHANNEL_TWIN)], values)
    return (landmarks, rotation, neutral, weight), values


def mirror(landmarks: torch.Tensor, flip: torch.Tensor, twin: torch.Tensor) -> torch.Tensor:
    """Mirrors the (N, 478, 3) faces that `flip` marks."""
    flipped = landmarks[:, twin] * torch.tensor([-1.0, 1.0, 1.0])
    return torch.where(flip[:, None, None], flipped, landmarks)
