"""A second look: the landmark graph also sees the mirrored picture, and both looks become one embedding.

The graph errs in other ways there, because nothing in it is the same left and right. What both say together is worth
more than either, and far more than a second network on the same maps.
"""

from typing import Final

import torch
from torch import nn

from training.appearance import sampling
from training.geometry.canonical import twins

_WIDTH: Final = 384
_FAR: Final = 16.0
"""Brings distances between two looks at a landmark, in halves of the tile, near 1."""


class Fusion(nn.Module):
    """The plain look's embedding, moved by what the mirrored look says; at first not at all."""

    def __init__(self, embedding: int) -> None:
        super().__init__()
        self.other = nn.Linear(embedding, embedding, bias=False)
        last = nn.Linear(_WIDTH, embedding)
        self.together = nn.Sequential(
            nn.Linear(2 * embedding + 2 * len(sampling.PLACES), _WIDTH), nn.GELU(), nn.Dropout(0.1), last
        )
        for table in (self.other.weight, last.weight, last.bias):
            nn.init.zeros_(table)

    def forward(self, own: torch.Tensor, other: torch.Tensor, apart: torch.Tensor) -> torch.Tensor:
        """Embeddings (N, E) of the plain and the mirrored tile, and (N, 2L) from `apart`, to (N, E)."""
        return own + self.other(other) + self.together(torch.cat([own, other, apart], dim=1))


def apart(landmarks: torch.Tensor, mirrored: torch.Tensor) -> torch.Tensor:
    """How far the two looks place the same landmarks from each other.

    Args:
        landmarks: (N, 478, 3) pixels of the tile.
        mirrored: (N, 478, 3) pixels of the mirrored tile, as the graph gave them there.

    Returns:
        (N, 2L) for `sampling.PLACES`, x and y of each.
    """
    turned = mirrored[:, twins().tolist()] * torch.tensor([-1.0, 1.0, 1.0])
    between = sampling.places(turned) + torch.tensor([2.0, 0.0]) - sampling.places(landmarks)
    return _FAR * between.flatten(1)
