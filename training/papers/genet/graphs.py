"""The three graphs of a refiner, as modules that can be exported: features, one step of the fitting, a rendering.

The step is forwards and backwards in one graph: what was rendered, its loss against the features of the film's picture
(equation 6), and the gradient of that loss. The alternative, differences of a rendering and one more for every
parameter, costs as many renderings as there are parameters; `study` measures both.
"""

import torch
from torch import nn

from training.papers.genet.extractor import Extractor
from training.papers.genet.generator import Generator


class Features(nn.Module):
    """Pictures to what the fitting compares."""

    def __init__(self, extractor: Extractor) -> None:
        super().__init__()
        self.extractor = extractor

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        """(N, 3, S, S) RGB 0..1 to (N, F, S / 4, S / 4)."""
        return self.extractor.describe(picture)


class Render(nn.Module):
    """Parameters to pictures."""

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, parameters: torch.Tensor) -> torch.Tensor:
        """(N, 2 + P + K + A) 0..1 to (N, 3, S, S) RGB 0..1."""
        return self.generator(parameters)


class Step(nn.Module):
    """Parameters and the features of the film's pictures to the gradient of the loss, with the loss itself."""

    def __init__(self, generator: Generator, extractor: Extractor) -> None:
        super().__init__()
        self.generator, self.extractor = generator, extractor

    def forward(self, parameters: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
        """(N, 2 + P + K + A) and (N, F, T, T) to (N, 1 + 2 + P + K + A): each frame's loss, then its gradient."""
        pictures, drawn = self.generator.run(parameters)
        found, seen = self.extractor.run(pictures)
        count = features.shape[1] * features.shape[2] * features.shape[3]
        difference = found - features
        loss = difference.abs().flatten(1).sum(dim=1, keepdim=True) / count
        slope = self.generator.back(self.extractor.back(torch.sign(difference) / count, seen), drawn)
        return torch.cat([loss, slope], dim=1)
