"""AUNet's layers: features of a frame, what moved in them, and the values that both tell.

The image stage ends where the paper's temporal difference module begins: with features that still have a place. A take
keeps them of every frame, so that the head can compare any frame with those before and after it.
"""

from dataclasses import dataclass
from typing import Final

import torch
from torch import nn

from au_mocap.channels import PREDICTED_IDS
from training.papers.aunet_features import CHANNELS, OFFSETS, Basic
from training.papers.system import NeutralHead, subtract

SIDE: Final = 8
"""Cells along a side of what a take keeps."""

DEPTH: Final = 8
"""Numbers in each of them."""

EMBEDDING: Final = DEPTH * SIDE * SIDE

_NARROW: Final = 64
_WIDE: Final = 96
_READ: Final = 128
_LAST: Final = 32
_HIDDEN: Final = 256
_MOTION: Final = 32


@dataclass(frozen=True, slots=True)
class Variant:
    """One of the paper's Table VI.

    Attributes:
        name: For files and tables.
        paper: What the paper calls it.
        labels: The label VAE regularises it.
        motion: It has the temporal difference module.
    """

    name: str
    paper: str
    labels: bool
    motion: bool


VARIANTS: Final = (
    Variant("base", "AU-FAN", labels=False, motion=False),
    Variant("vae", "AU-VAE", labels=True, motion=False),
    Variant("tdn", "AU-TDN", labels=False, motion=True),
    Variant("both", "AUNet", labels=True, motion=True),
)


class Block(nn.Module):
    """The multi-scale residual block of face alignment networks (the paper's figure 5)."""

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        half, quarter = outside // 2, outside // 4
        self.first = _scale(inside, half)
        self.second = _scale(half, quarter)
        self.third = _scale(quarter, outside - half - quarter)
        same = inside == outside
        self.shortcut = (
            nn.Identity() if same else nn.Sequential(nn.BatchNorm2d(inside), nn.ReLU(), _point(inside, outside))
        )

    def forward(self, seen: torch.Tensor) -> torch.Tensor:
        """(N, inside, S, S) to (N, outside, S, S)."""
        first = self.first(seen)
        second = self.second(first)
        return torch.cat([first, second, self.third(second)], dim=1) + self.shortcut(seen)


class Motion(nn.Module):
    """The temporal difference module: how features differ from those before and after, in coarse cells."""

    def __init__(self) -> None:
        super().__init__()
        self.inward = _point(2 * DEPTH, _MOTION)
        self.block = Block(_MOTION, _MOTION)
        self.outward = _point(_MOTION, DEPTH)
        nn.init.zeros_(self.outward.weight)  # it begins as if nothing moved

    def forward(self, now: torch.Tensor, earlier: torch.Tensor, later: torch.Tensor) -> torch.Tensor:
        """(N, DEPTH, SIDE, SIDE) each; the features with what moved added."""
        changes = nn.functional.avg_pool2d(torch.cat([now - earlier, now - later], dim=1), 2)
        moved = self.outward(self.block(self.inward(changes)))
        return now + nn.functional.interpolate(moved, scale_factor=2.0, mode="nearest")


class Stage(nn.Module):
    """Basic features to what a take keeps of a frame."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.BatchNorm2d(CHANNELS),
            _point(CHANNELS, _NARROW),
            Block(_NARROW, _NARROW),
            nn.MaxPool2d(2),
            Block(_NARROW, _WIDE),
            nn.BatchNorm2d(_WIDE),
            nn.ReLU(),
            _point(_WIDE, DEPTH),
        )

    def forward(self, basic: torch.Tensor) -> torch.Tensor:
        """(N, CHANNELS, GRID, GRID) to (N, EMBEDDING)."""
        return self.layers(basic).flatten(1)


class Head(nn.Module):
    """What takes keep of a frame, and of those before and after, to logits."""

    def __init__(self, motion: bool) -> None:
        super().__init__()
        self.motion = Motion() if motion else None
        self.layers = nn.Sequential(
            _point(DEPTH, _NARROW),
            Block(_NARROW, _READ),
            nn.MaxPool2d(2),
            nn.BatchNorm2d(_READ),
            nn.ReLU(),
            _point(_READ, _LAST),
            nn.Flatten(),
            nn.Dropout(0.1),
            nn.Linear(_LAST * (SIDE // 2) ** 2, _HIDDEN),
            nn.ReLU(),
            nn.Linear(_HIDDEN, len(PREDICTED_IDS)),
        )

    def forward(self, now: torch.Tensor, earlier: torch.Tensor, later: torch.Tensor) -> torch.Tensor:
        """(N, EMBEDDING) each to (N, P)."""
        placed = [each.unflatten(1, (DEPTH, SIDE, SIDE)) for each in (now, earlier, later)]
        return self.layers(placed[0] if self.motion is None else self.motion(*placed))


class Network(nn.Module):
    """Stage and head of a variant."""

    def __init__(self, variant: Variant) -> None:
        super().__init__()
        self.stage = Stage()
        self.head = Head(variant.motion)

    def forward(self, basic: torch.Tensor, earlier: torch.Tensor, later: torch.Tensor) -> torch.Tensor:
        """(N, CHANNELS, GRID, GRID) of N frames, and (N,) which of them lie before and after each, to (N, P) logits."""
        kept = self.stage(basic)
        return self.head(kept, kept[earlier], kept[later])


class ExportedStage(nn.Module):
    """The stage with the engine's inputs: landmarks in pixels of the tile, then maps."""

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self.basic = Basic()
        self.stage = stage

    def forward(self, landmarks: torch.Tensor, *maps: torch.Tensor) -> torch.Tensor:
        """(N, 478, 3) and (N, C, S, S) each, in the order of `OFFSETS`, to (N, EMBEDDING)."""
        return self.stage(self.basic(landmarks, dict(zip(OFFSETS, maps, strict=True))))


class ExportedHead(NeutralHead):
    """The head with the engine's inputs, and values in place of logits; a neutral face does not move."""

    gains: torch.Tensor

    def __init__(self, head: Head, gains: torch.Tensor) -> None:
        super().__init__()
        self.head = head
        self.register_buffer("gains", gains)

    def forward(
        self,
        landmarks: torch.Tensor,
        rotation: torch.Tensor,
        embedding: torch.Tensor,
        neutral_landmarks: torch.Tensor,
        neutral_weight: torch.Tensor,
        neutral_embedding: torch.Tensor,
        earlier_embedding: torch.Tensor,
        later_embedding: torch.Tensor,
    ) -> torch.Tensor:
        """Inputs as `au_mocap.regressors` describes, to (N, P); the neutral is taken away as in `SubtractedHead`."""
        unread = self.unread(landmarks, rotation, neutral_landmarks)
        still = neutral_embedding[None]
        rest = neutral_weight.mean() * self.values(still, still, still)
        return (subtract(self.values(embedding, earlier_embedding, later_embedding), rest) + unread).clamp(0.0, 1.0)

    def values(self, now: torch.Tensor, earlier: torch.Tensor, later: torch.Tensor) -> torch.Tensor:
        """As `Head`, 0..1, each channel times its gain."""
        return (torch.sigmoid(self.head(now, earlier, later)) * self.gains).clamp(0.0, 1.0)


def _scale(inside: int, outside: int) -> nn.Sequential:
    return nn.Sequential(nn.BatchNorm2d(inside), nn.ReLU(), nn.Conv2d(inside, outside, 3, padding=1, bias=False))


def _point(inside: int, outside: int) -> nn.Conv2d:
    return nn.Conv2d(inside, outside, 1, bias=False)
