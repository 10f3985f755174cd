"""The networks: a stage that tells from the landmark graph's maps what the landmarks miss, and a head that compares.

From a face's true landmarks its values follow almost exactly; from the tracker's they do not. The stage therefore looks
at the maps around each landmark and sums up in an embedding what it sees there; the head corrects the landmarks by it,
takes the corrected neutral away, and reads the values from what is left.
"""

from dataclasses import dataclass
from typing import Final

import torch
from torch import nn

from au_mocap.channels import PREDICTED_IDS
from au_mocap.landmarks import COUNT
from training.appearance import sampling
from training.geometry.network import COORDINATES, FURTHEST


@dataclass(frozen=True, slots=True)
class Design:
    """What a regressor is made of.

    Attributes:
        name: In the registry.
        maps: What the stage reads, fine to coarse.
        each: Numbers that the stage makes of what it sees at each landmark.
        middle: Width of the stage where they come together.
        embedding: Length of the embedding.
        width: Width of the head.
    """

    name: str
    maps: tuple[str, ...]
    each: int
    middle: int
    embedding: int
    width: int


ACCURATE: Final = Design("accurate", ("map_64", "map_32", "map_16"), each=32, middle=640, embedding=320, width=384)
FAST: Final = Design("fast", ("map_32", "map_16"), each=12, middle=256, embedding=160, width=256)


@dataclass(frozen=True, slots=True)
class Statistics:
    """Scales of the training data, part of the exported graphs.

    Attributes:
        generic: (478, 3) the generic neutral: mean of the performers' true neutrals.
        delta_scale: (478, 3) standard deviation of a true landmark's way from the neutral.
        neutral_scale: (478, 3) standard deviation of the true neutrals.
        usual_miss: (478, 3) mean of what the tracker misses, true less tracked landmarks.
        miss_scale: (478, 3) its standard deviation.
        seen_mean: (L, K) mean of what `sampling.sample` gives at each landmark.
        seen_scale: (K,) standard deviation around it.
    """

    generic: torch.Tensor
    delta_scale: torch.Tensor
    neutral_scale: torch.Tensor
    usual_miss: torch.Tensor
    miss_scale: torch.Tensor
    seen_mean: torch.Tensor
    seen_scale: torch.Tensor


class Stage(nn.Module):
    """What is seen at each landmark, read by weights of its own, summed up in an embedding."""

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(self, design: Design, statistics: Statistics) -> None:
        super().__init__()
        count = len(sampling.PLACES)
        mine = sampling.columns(design.maps)
        self.register_buffer("mean", statistics.seen_mean[:, mine].clone())
        self.register_buffer("scale", statistics.seen_scale[mine].clone())
        self.each = nn.Parameter(torch.randn(count, len(mine), design.each) / len(mine) ** 0.5)
        self.bias = nn.Parameter(torch.zeros(count, 1, design.each))
        self.placed = nn.Linear(2 * count, design.middle // 4)
        self.together = nn.Sequential(
            nn.Dropout(0.1),
            nn.Linear(count * design.each + design.middle // 4, design.middle),
            nn.GELU(),
            nn.Linear(design.middle, design.embedding, bias=False),
            nn.BatchNorm1d(design.embedding),
        )

    def weights(self) -> tuple[torch.Tensor, torch.Tensor]:
        """(L, K, each) weights and (L, 1, each) biases for what was seen as it comes, neither centred nor scaled."""
        weights = self.each / self.scale[:, None]
        return weights, self.bias - self.mean[:, None] @ weights

    def forward(self, seen: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
        """(N, L, K) from `sampling.sample` and (N, L, 2) places to (N, E): every number with a spread near 1."""
        weights, bias = self.weights()
        return self.sum_up(seen.transpose(0, 1) @ weights.to(seen.dtype) + bias.to(seen.dtype), at)

    def sum_up(self, read: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
        """(L, N, each) numbers of the landmarks and (N, L, 2) places to (N, E)."""
        centered = (at - at.mean(dim=1, keepdim=True)).flatten(1)
        placed = nn.functional.gelu(self.placed(4.0 * centered))
        return self.together(torch.cat([nn.functional.gelu(read).transpose(0, 1).flatten(1), placed], dim=1))


@dataclass(frozen=True, slots=True)
class Comparison:
    """N frames against a neutral.

    Attributes:
        moved: (N, 1434) way of every landmark's coordinates from the neutral, in their usual spreads.
        difference: (N, E) embedding less the neutral's.
        person: (N or 1, 1434) the neutral against the generic one.
        rotation: (N, 3) yaw, pitch, roll in radians.
        trust: (N or 1, 1) trust in the neutral.
    """

    moved: torch.Tensor
    difference: torch.Tensor
    person: torch.Tensor
    rotation: torch.Tensor
    trust: torch.Tensor


class Head(nn.Module):
    """Embedding, landmarks, rotation and a neutral to values; the inputs are those of `au_mocap.regressors`."""

    generic: torch.Tensor
    delta_scale: torch.Tensor
    neutral_scale: torch.Tensor
    usual_miss: torch.Tensor
    miss_scale: torch.Tensor

    def __init__(self, design: Design, statistics: Statistics) -> None:
        super().__init__()
        size, width = design.embedding, design.width
        for name in ("generic", "delta_scale", "neutral_scale", "usual_miss", "miss_scale"):
            self.register_buffer(name, getattr(statistics, name).clone())
        self.missed = nn.Linear(size, COORDINATES)
        self.generic_embedding = nn.Parameter(torch.zeros(size))
        self.delta = nn.Linear(COORDINATES, width)
        self.seen = nn.Linear(size, width)
        self.identity = nn.Linear(COORDINATES, width // 4)
        self.body = nn.Sequential(
            nn.Linear(2 * width + width // 4 + 4, width),
            nn.GELU(),
            nn.Dropout(0.1),
            nn.Linear(width, width // 2),
            nn.GELU(),
        )
        self.values = nn.Linear(width // 2, len(PREDICTED_IDS))
        self.direct = nn.Linear(COORDINATES, len(PREDICTED_IDS), bias=False)
        # The head begins as one that reads true landmarks alone: no miss is told, nothing is taken from the embedding.
        for layer in (self.missed, self.seen):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        nn.init.zeros_(self.direct.weight)  # with so many inputs, random weights would begin far from every truth
        nn.init.normal_(self.values.weight, std=0.01)

    def correct(self, landmarks: torch.Tensor, embedding: torch.Tensor) -> torch.Tensor:
        """(N, 478, 3) tracked landmarks to where the landmarks are."""
        missed = self.missed(embedding).unflatten(-1, (COUNT, 3))
        return landmarks + self.usual_miss + missed * self.miss_scale

    def forward(
        self,
        landmarks: torch.Tensor,
        rotation: torch.Tensor,
        embedding: torch.Tensor,
        neutral_landmarks: torch.Tensor,
        neutral_weight: torch.Tensor,
        neutral_embedding: torch.Tensor,
    ) -> torch.Tensor:
        """Frames (N, ...) and neutrals (N or 1, ...) to (N, P), not yet clipped."""
        return self.read(
            self.correct(landmarks, embedding),
            rotation,
            embedding,
            self.correct(neutral_landmarks, neutral_embedding),
            neutral_weight,
            neutral_embedding,
        )

    def read(
        self,
        shape: torch.Tensor,
        rotation: torch.Tensor,
        embedding: torch.Tensor,
        neutral_shape: torch.Tensor,
        neutral_weight: torch.Tensor,
        neutral_embedding: torch.Tensor,
    ) -> torch.Tensor:
        """As `forward`, from landmarks that are already corrected."""
        seen = self.compare(shape, rotation, embedding, neutral_shape, neutral_weight, neutral_embedding)
        return self.values(self.think(seen)) + self.direct(seen.moved)

    def compare(
        self,
        shape: torch.Tensor,
        rotation: torch.Tensor,
        embedding: torch.Tensor,
        neutral_shape: torch.Tensor,
        neutral_weight: torch.Tensor,
        neutral_embedding: torch.Tensor,
    ) -> "Comparison":
        """What is left of the frames when the neutral is taken away."""
        trust = neutral_weight.mean(dim=(1, 2))[:, None]
        neutral = neutral_weight * neutral_shape + (1.0 - neutral_weight) * self.generic
        rest = trust * neutral_embedding + (1.0 - trust) * self.generic_embedding
        # Against a neutral that is not the person's own, landmarks differ by as much as people do.
        spread = torch.sqrt(self.delta_scale.square() + ((1.0 - neutral_weight) * self.neutral_scale).square())
        moved = ((shape - neutral) / spread).flatten(1).clamp(-FURTHEST, FURTHEST)
        person = ((neutral - self.generic) / self.neutral_scale).flatten(1).clamp(-FURTHEST, FURTHEST)
        return Comparison(moved, embedding - rest, person, rotation, trust)

    def think(self, seen: "Comparison") -> torch.Tensor:
        """(N, width / 2): what the values are read from, beside the way that the landmarks moved."""
        # One neutral may serve all frames: added, it spreads over them (an `expand` would fix N when exported).
        each_frame = torch.zeros_like(seen.rotation[:, :1])
        hidden = [
            nn.functional.gelu(self.delta(seen.moved)),
            self.seen(seen.difference),
            nn.functional.gelu(self.identity(seen.person)) + each_frame,
            seen.rotation,
            seen.trust + each_frame,
        ]
        return self.body(torch.cat(hidden, dim=1))


class Model(nn.Module):
    """Stage and head of a design."""

    def __init__(self, design: Design, statistics: Statistics) -> None:
        super().__init__()
        self.design = design
        self.mine = sampling.columns(design.maps)
        self.stage = Stage(design, statistics)
        self.head = Head(design, statistics)

    def embed(self, seen: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
        """(N, L, K) samples of all maps and (N, L, 2) places to (N, E) float32."""
        first = self.mine[0]
        return self.stage(seen[:, :, first : first + len(self.mine)], at).float()


class ExportedStage(nn.Module):
    """The stage with the engine's inputs: landmarks in pixels of the tile, and maps in the design's order."""

    weights: torch.Tensor
    bias: torch.Tensor

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.maps = model.design.maps
        self.stage = model.stage
        weights, bias = model.stage.weights()
        self.register_buffer("weights", weights.detach())
        self.register_buffer("bias", bias.detach())

    def forward(self, landmarks: torch.Tensor, *maps: torch.Tensor) -> torch.Tensor:
        """(N, 478, 3) and (N, C, S, S) each to (N, E)."""
        at = sampling.places(landmarks)
        seen = sampling.sample(at, dict(zip(self.maps, maps, strict=True)))
        return self.stage.sum_up(seen.transpose(0, 1) @ self.weights + self.bias, at)


class ExportedHead(nn.Module):
    """The head with the engine's shapes and clipped values."""

    def __init__(self, head: Head) -> None:
        super().__init__()
        self.head = head

    def forward(
        self,
        landmarks: torch.Tensor,
        rotation: torch.Tensor,
        embedding: torch.Tensor,
        neutral_landmarks: torch.Tensor,
        neutral_weight: torch.Tensor,
        neutral_embedding: torch.Tensor,
    ) -> torch.Tensor:
        """As `au_mocap.regressors` describes: one neutral for all frames."""
        values = self.head(
            landmarks, rotation, embedding, neutral_landmarks[None], neutral_weight[None], neutral_embedding[None]
        )
        return values.clamp(0.0, 1.0)
