"""The networks: an image stage over the landmark graph's maps, and a head over embedding, landmarks and a neutral."""

from dataclasses import dataclass
from typing import Final

import torch
from torch import nn

from au_mocap.channels import PREDICTED_IDS
from training.geometry.network import COORDINATES, FURTHEST, Statistics

SIZES: Final = {"map_32": (32, 32), "map_16": (128, 16), "map_8": (128, 8)}
"""Channels and side of the landmark graph's maps."""


@dataclass(frozen=True, slots=True)
class Design:
    """What a regressor is made of.

    Attributes:
        name: In the registry.
        maps: What the stage reads, fine to coarse.
        widths: Channels that the stage has after each map has joined in, at half the map's side.
        blocks: Residual blocks at each of these places.
        embedding: Length of the embedding.
        width: Width of the head.
    """

    name: str
    maps: tuple[str, ...]
    widths: tuple[int, ...]
    blocks: tuple[int, ...]
    embedding: int
    width: int


ACCURATE: Final = Design(
    name="accurate",
    maps=("map_32", "map_16", "map_8"),
    widths=(96, 128, 192),
    blocks=(2, 2, 1),
    embedding=320,
    width=384,
)
FAST: Final = Design(
    name="fast",
    maps=("map_16", "map_8"),
    widths=(96, 160),
    blocks=(1, 1),
    embedding=192,
    width=256,
)


class Residual(nn.Module):
    """Two 3x3 convolutions around which the input is led."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = _convolution(width, width)
        self.second = nn.Sequential(nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, S, S) to the same."""
        return nn.functional.relu(x + self.second(self.first(x)))


def _convolution(before: int, after: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU(inplace=True)
    )


class Stage(nn.Module):
    """Maps to an embedding: going from fine to coarse, each map joins in at its own size."""

    def __init__(self, design: Design) -> None:
        super().__init__()
        self.maps = design.maps
        self.enter = nn.ModuleDict({name: nn.BatchNorm2d(SIZES[name][0]) for name in design.maps})
        self.levels = nn.ModuleList()
        carried = 0
        for name, after, blocks in zip(design.maps, design.widths, design.blocks, strict=True):
            channels = carried + SIZES[name][0]
            self.levels.append(
                nn.Sequential(_convolution(channels, after, 2), *(Residual(after) for _ in range(blocks)))
            )
            carried = after
        self.flatten = nn.Sequential(
            nn.Flatten(), nn.Linear(carried * 16, design.embedding, bias=False), nn.BatchNorm1d(design.embedding)
        )

    def forward(self, *maps: torch.Tensor) -> torch.Tensor:
        """Maps in the design's order, each (N, C, S, S), to (N, E): every number with a spread near 1."""
        x = None
        for name, level, given in zip(self.maps, self.levels, maps, strict=True):
            entered = self.enter[name](given)
            x = level(entered if x is None else torch.cat([x, entered], dim=1))
        return self.flatten(x)


class Head(nn.Module):
    """Embedding, landmarks, rotation and a neutral to values; the inputs are those of `au_mocap.regressors`."""

    generic: torch.Tensor
    delta_scale: torch.Tensor
    neutral_scale: torch.Tensor

    def __init__(self, design: Design, statistics: Statistics) -> None:
        super().__init__()
        size, width = design.embedding, design.width
        self.register_buffer("generic", torch.from_numpy(statistics.neutral))
        self.register_buffer("delta_scale", torch.from_numpy(statistics.delta_scale))
        self.register_buffer("neutral_scale", torch.from_numpy(statistics.neutral_scale))
        self.generic_embedding = nn.Parameter(torch.zeros(size))
        self.delta = nn.Linear(COORDINATES, width)
        self.seen = nn.Linear(size, width)
        self.identity = nn.Linear(COORDINATES + size, width // 4)
        self.body = nn.Sequential(
            nn.Linear(2 * width + width // 4 + size + 4, width),
            nn.GELU(),
            nn.Dropout(0.1),
            nn.Linear(width, width),
            nn.GELU(),
        )
        self.values = nn.Linear(width, len(PREDICTED_IDS))
        self.direct = nn.Linear(COORDINATES + size, len(PREDICTED_IDS), bias=False)
        nn.init.zeros_(self.direct.weight)  # with so many inputs, random weights would begin far from every truth
        nn.init.normal_(self.values.weight, std=0.01)

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
        trust = neutral_weight.mean(dim=(1, 2))[:, None]
        neutral = neutral_weight * neutral_landmarks + (1.0 - neutral_weight) * self.generic
        rest = trust * neutral_embedding + (1.0 - trust) * self.generic_embedding
        moved = ((landmarks - neutral) / self.delta_scale).flatten(1).clamp(-FURTHEST, FURTHEST)
        changed = embedding - rest
        person = torch.cat([((neutral - self.generic) / self.neutral_scale).flatten(1), rest], dim=1)
        # One neutral may serve all frames: added, it spreads over them (an `expand` would fix N when exported).
        each_frame = torch.zeros_like(rotation[:, :1])
        hidden = [
            nn.functional.gelu(self.delta(moved)),
            nn.functional.gelu(self.seen(changed)),
            nn.functional.gelu(self.identity(person)) + each_frame,
            embedding,
            rotation,
            trust + each_frame,
        ]
        return self.values(self.body(torch.cat(hidden, dim=1))) + self.direct(torch.cat([moved, changed], dim=1))


class Model(nn.Module):
    """Stage and head, and what only training needs: the tracker's error, told from the embedding alone.

    From the true landmarks the values follow almost exactly; what a picture must add to the tracked ones is what the
    tracker misses.
    """

    def __init__(self, design: Design, statistics: Statistics) -> None:
        super().__init__()
        self.design = design
        self.stage = Stage(design)
        self.head = Head(design, statistics)
        self.missed = nn.Linear(design.embedding, COORDINATES)

    def embed(self, maps: dict[str, torch.Tensor]) -> torch.Tensor:
        """Maps by name to (N, E) float32."""
        fed = [maps[name].float().contiguous(memory_format=torch.channels_last) for name in self.design.maps]
        return self.stage(*fed).float()


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
