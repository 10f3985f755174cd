"""The third paper's estimator: an ImageNet network on a registered face, six levels of intensity for every AU.

As in the paper's VGG-16 the last maps are read place by place, not averaged over the picture: a registered face has
every part of it at one place. Differences from the actor's neutral face or mean face are taken of what the last full
layer says, since the engine chooses a neutral after it has looked at the pictures.
"""

from typing import Final

import torch
from torch import nn

from training.papers.balance import LEVELS
from training.papers.imagenet import EfficientNetLite0, Normalised
from training.papers.system import NeutralHead
from training.synth.film import FRAMES_PER_PERFORMER, NEUTRAL_FRAMES

EMBEDDING: Final = 512
MAPS: Final = 192
"""Maps that the ImageNet network gives of a picture."""

SHRUNK: Final = 32
"""Pixels of the picture to one of the maps': 7x7 of 224x224."""

READINGS: Final = ("none", "AU0", "mean")
"""What is taken away: nothing, the actor's neutral face, the actor's mean face."""

_BLOCKS: Final = 15
"""Blocks of EfficientNet-Lite0 that are used: all but the last, which widens the maps for ImageNet's classes."""

_NARROW: Final = 64
_HIDDEN: Final = 256
_DROPOUT: Final = 0.5


class Trunk(nn.Module):
    """The ImageNet network up to its last maps but one."""

    def __init__(self, backbone: Normalised) -> None:
        super().__init__()
        self.mean, self.scale = nn.Buffer(backbone.mean.clone()), nn.Buffer(backbone.scale.clone())
        network = backbone.network
        if not isinstance(network, EfficientNetLite0):
            message = "registered faces are read by EfficientNet-Lite0"
            raise TypeError(message)
        self._conv_stem, self._bn0 = network._conv_stem, network._bn0
        self._blocks = network._blocks[:_BLOCKS]

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """(N, 3, 224, 224) RGB 0..1 to (N, 192, 7, 7)."""
        maps = nn.functional.relu6(self._bn0(self._conv_stem((pictures - self.mean) * self.scale)))
        for block in self._blocks:
            maps = block(maps)
        return maps


class Reader(nn.Module):
    """Maps to an embedding, and embeddings to levels."""

    def __init__(self, outputs: int, side: int) -> None:
        """Draws first weights.

        Args:
            outputs: Number P of AUs.
            side: Height and width of the maps.
        """
        super().__init__()
        self.full = nn.Sequential(
            nn.Conv2d(MAPS, _NARROW, 1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Dropout(_DROPOUT),
            nn.Linear(_NARROW * side * side, EMBEDDING),
            nn.ReLU(),
        )
        self.alone, self.differing = _levels(outputs), _levels(outputs)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(N, 192, S, S) to (N, 512)."""
        return self.full(maps)

    def readings(self, embedding: torch.Tensor, usable: torch.Tensor) -> dict[str, torch.Tensor]:
        """Levels with each of `READINGS`.

        Args:
            embedding: (K * 24, 512) of K performers, all of their pictures in order.
            usable: (K * 24,) bool: the pictures with a face, which alone are averaged.

        Returns:
            (K * 24, P, 6) logits each.
        """
        clips = embedding.view(-1, FRAMES_PER_PERFORMER, EMBEDDING)
        counted = usable.view(-1, FRAMES_PER_PERFORMER, 1).to(embedding.dtype)
        neutral, mean = _average(clips[:, :NEUTRAL_FRAMES], counted[:, :NEUTRAL_FRAMES]), _average(clips, counted)
        # Whose neutral pictures show no face goes by the mean face, as whoever has no neutral has to.
        neutral = torch.where(counted[:, :NEUTRAL_FRAMES].sum(dim=1, keepdim=True) > 0, neutral, mean)
        taken = {"AU0": neutral, "mean": mean}
        found = {name: self.differing((clips - rest).flatten(0, 1)) for name, rest in taken.items()}
        return {"none": self.alone(embedding), **found}

    def loss(self, embedding: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
        """Cross entropy of the levels, all readings together, each picture as often as it was drawn.

        Args:
            embedding: (K * 24, 512) as for `readings`.
            wanted: (K * 24, P, 2) level, and how often drawn; the level is -1 where a picture shows no face.
        """
        level, drawn = wanted[..., 0].long(), wanted[..., 1]
        found = self.readings(embedding, level[:, 0] >= 0)
        target = level.clamp_min(0).flatten()
        weight = drawn.flatten() / len(READINGS)
        losses = [nn.functional.cross_entropy(each.flatten(0, 1), target, reduction="none") for each in found.values()]
        return (torch.stack(losses).sum(dim=0) * weight).sum() / drawn.sum().clamp_min(1.0)


class Head(NeutralHead):
    """Embeddings to values; between the reading of the face alone and that of differences as the neutral is trusted."""

    def __init__(self, reader: Reader) -> None:
        super().__init__()
        self.alone, self.differing = reader.alone, reader.differing

    def forward(
        self,
        landmarks: torch.Tensor,
        rotation: torch.Tensor,
        embedding: torch.Tensor,
        neutral_landmarks: torch.Tensor,
        neutral_weight: torch.Tensor,
        neutral_embedding: torch.Tensor,
    ) -> torch.Tensor:
        """Inputs as `au_mocap.regressors` describes; (N, P) values."""
        trust = neutral_weight.mean()
        compared = value_of(self.differing(embedding - neutral_embedding[None]))
        values = (1.0 - trust) * value_of(self.alone(embedding)) + trust * compared
        return values + self.unread(landmarks, rotation, neutral_landmarks)


def value_of(logits: torch.Tensor) -> torch.Tensor:
    """The continuous reading of (..., 6) logits: the levels' mean by their probabilities, 0..1."""
    steps = torch.arange(LEVELS, dtype=logits.dtype, device=logits.device) / (LEVELS - 1)
    return (logits.softmax(dim=-1) * steps).sum(dim=-1)


def _levels(outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Dropout(_DROPOUT),
        nn.Linear(EMBEDDING, _HIDDEN),
        nn.ReLU(),
        nn.Dropout(_DROPOUT),
        nn.Linear(_HIDDEN, outputs * LEVELS),
        nn.Unflatten(1, (outputs, LEVELS)),
    )


def _average(clips: torch.Tensor, counted: torch.Tensor) -> torch.Tensor:
    """(K, 1, E) mean of (K, F, E) over the frames that (K, F, 1) counts."""
    return (clips * counted).sum(dim=1, keepdim=True) / counted.sum(dim=1, keepdim=True).clamp_min(1.0)
