"""The feature extractor: a network that tells the parts of a face, and what its maps say where the parts are."""

from itertools import pairwise
from typing import Final

import torch
from torch import nn
from torch.nn import functional

from training.papers.genet.layers import Kept, Look, Residual, Stem
from training.papers.genet.masks import CLASSES

SHRINKING: Final = 4
"""Sides of the picture in sides of the maps."""

_STEM: Final = 24
_WIDTHS: Final = (32, 32, 48, 48)

ATTENTION: Final[tuple[tuple[str, ...], ...]] = (
    ("eyes",),
    ("brows",),
    ("upper_lip", "lower_lip", "inner_mouth"),
    ("skin", "nose", "brows", "eyes", "upper_lip", "lower_lip", "inner_mouth"),
)
"""Whose probability each of the four maps is weighed with, first layer first."""

WEIGHTS: Final = (1.0, 1.0, 1.0, 0.5)
PARTS: Final = 4.0
"""Weights of the four maps in the loss (the paper's beta), and of the classes' probabilities themselves."""


class Extractor(nn.Module):
    """A residual network whose first stage halves the maps and whose others keep them, and a 1x1 convolution."""

    attention: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.stem = Stem(3, _STEM, 2)
        inputs, stages = _STEM, list[nn.Module]()
        for number, width in enumerate(_WIDTHS):
            stages.append(Residual(inputs, width, 2 if number == 0 else 1))
            inputs = width
        self.stages = nn.ModuleList(stages)
        self.last = Look(inputs, len(CLASSES), 1)
        table = [[float(name in group) for name in CLASSES] for group in ATTENTION]
        self.register_buffer("attention", torch.tensor(table), persistent=False)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """(N, 3, S, S) RGB 0..1 to (N, classes, S, S) logits."""
        maps = self.stem(2.0 * pictures - 1.0)
        for stage in self.stages:
            maps = stage(maps)
        return functional.interpolate(self.last(maps), scale_factor=SHRINKING, mode="bilinear")

    @property
    def features(self) -> int:
        """Numbers for each place of the maps."""
        return sum(_WIDTHS) + len(CLASSES)

    def describe(self, pictures: torch.Tensor) -> torch.Tensor:
        """What the fitting compares (equation 5): (N, 3, S, S) pictures to (N, features, S / 4, S / 4)."""
        return self.run(pictures)[0]

    def run(self, pictures: torch.Tensor) -> tuple[torch.Tensor, list[Kept]]:
        """As `describe`, with what `back` needs; normalisations must have been folded in or be in evaluation mode."""
        maps, own = self.stem.run(2.0 * pictures - 1.0)
        kept, seen = [own], list[torch.Tensor]()
        for stage in self._stages():
            maps, own = stage.run(maps)
            kept.append(own)
            seen.append(maps)
        parts = torch.softmax(self.last(maps), dim=1)
        masks = torch.einsum("gc,nchw->nghw", self.attention, parts)
        kept.append((parts, masks, *seen))
        weighed = [
            weight * masks[:, place, None] * maps
            for place, (weight, maps) in enumerate(zip(WEIGHTS, seen, strict=True))
        ]
        return torch.cat([*weighed, PARTS * parts], dim=1), kept

    def back(self, slope: torch.Tensor, kept: list[Kept]) -> torch.Tensor:
        """Gradient of the features to that of the pictures (N, 3, S, S)."""
        parts, masks, *seen = kept[-1]
        ends = [sum(_WIDTHS[:place]) for place in range(len(_WIDTHS) + 1)]
        slopes = [slope[:, first:last] for first, last in pairwise([*ends, self.features])]
        of_masks = torch.stack(
            [weight * (own * maps).sum(dim=1) for weight, own, maps in zip(WEIGHTS, slopes[:-1], seen, strict=True)],
            dim=1,
        )
        of_parts = PARTS * slopes[-1] + torch.einsum("gc,nghw->nchw", self.attention, of_masks)
        of_logits = parts * (of_parts - (of_parts * parts).sum(dim=1, keepdim=True))
        behind = self.last.back(of_logits, ())
        for place in reversed(range(len(_WIDTHS))):
            behind = behind + WEIGHTS[place] * masks[:, place, None] * slopes[place]
            behind = self._stages()[place].back(behind, kept[place + 1])
        return 2.0 * self.stem.back(behind, kept[0])

    def _stages(self) -> list[Residual]:
        return list(self.stages)  # type: ignore[arg-type]
