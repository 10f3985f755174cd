"""The generator and its critic, after GANimation, which the third paper builds upon.

Pictures are RGB from -1 to 1, and values those of `channels.PREDICTED_IDS`, 0..1.
"""

import math
from typing import Final

import torch
from torch import nn

from au_mocap.channels import PREDICTED_IDS
from training.papers.translator.settings import Settings

_SLOPE: Final = 0.01
_PLACES: Final = 2
_COLOURS: Final = 3
_LOUDER: Final = 5.0
"""Brings values, most of which are near 0 most of the time, to a deviation near 1: else they are learnt last of all."""

_WIDEST: Final = 4
"""Halvings of the side after which the critic's layers grow no wider."""


class Told(nn.Module):
    """Maps brought to mean 0 and deviation 1 in each picture, then scaled and shifted as the wanted values say."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.even = nn.InstanceNorm2d(width)
        self.said = nn.Linear(len(PREDICTED_IDS), 2 * width)

    def forward(self, maps: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        """(N, C, S, S) and (N, P) to (N, C, S, S)."""
        scale, shift = self.said(_LOUDER * values)[..., None, None].chunk(2, dim=1)
        return self.even(maps) * (1.0 + scale) + shift


class _Layer(nn.Module):
    """A convolution, told what to show."""

    def __init__(self, convolution: nn.Module, width: int) -> None:
        super().__init__()
        self.convolution, self.told = convolution, Told(width)

    def forward(self, maps: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.told(self.convolution(maps), values))


class _Residual(nn.Module):
    """What two told convolutions add to the maps."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = _Layer(nn.Conv2d(width, width, 3, padding=1, bias=False), width)
        self.second, self.told = nn.Conv2d(width, width, 3, padding=1, bias=False), Told(width)

    def forward(self, maps: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        return maps + self.told(self.second(self.first(maps, values)), values)


class Generator(nn.Module):
    """One picture and the values it should show, to a colour for each pixel and how much of it is painted over."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        width = settings.width
        self.layers = nn.ModuleList(
            [
                _Layer(nn.Conv2d(_COLOURS + _PLACES, width, 7, padding=3, bias=False), width),
                _Layer(nn.Conv2d(width, 2 * width, 4, 2, 1, bias=False), 2 * width),
                _Layer(nn.Conv2d(2 * width, 4 * width, 4, 2, 1, bias=False), 4 * width),
                *(_Residual(4 * width) for _ in range(settings.blocks)),
                _Layer(nn.ConvTranspose2d(4 * width, 2 * width, 4, 2, 1, bias=False), 2 * width),
                _Layer(nn.ConvTranspose2d(2 * width, width, 4, 2, 1, bias=False), width),
            ]
        )
        self.last = nn.Conv2d(width, _COLOURS + 1, 7, padding=3)

    def painted(self, pictures: torch.Tensor, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(N, 3, S, S) new colours -1..1 and (N, 1, S, S) share of the source that is kept, 0..1."""
        maps = torch.cat([pictures, _places(pictures)], dim=1)
        for layer in self.layers:
            maps = layer(maps, values)
        colour, kept = self.last(maps).split([_COLOURS, 1], dim=1)
        return torch.tanh(colour), torch.sigmoid(kept)

    def forward(self, pictures: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        """(N, 3, S, S) sources and (N, P) wanted values to (N, 3, S, S)."""
        colour, kept = self.painted(pictures, values)
        return kept * pictures + (1.0 - kept) * colour


def _places(pictures: torch.Tensor) -> torch.Tensor:
    """(N, 2, S, S) how far to the right and how far down each pixel lies, -1..1: faces are where they always are."""
    count, size = pictures.shape[0], pictures.shape[-1]
    line = torch.linspace(-1.0, 1.0, size, device=pictures.device, dtype=pictures.dtype)
    return torch.stack(torch.meshgrid(line, line, indexing="xy")).expand(count, -1, -1, -1)


class Critic(nn.Module):
    """A picture to how much it looks like a render, place by place, and to the values that it shows."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        inputs, layers = _COLOURS, list[nn.Module]()
        for number in range(int(math.log2(settings.look.size_px)) - 1):
            width = settings.critic_width * 2 ** min(number, _WIDEST)
            layers += [nn.Conv2d(inputs, width, 4, 2, 1), nn.LeakyReLU(_SLOPE)]
            inputs = width
        self.maps = nn.Sequential(*layers)
        self.looks = nn.Conv2d(inputs, 1, 3, padding=1, bias=False)
        self.shows = nn.Conv2d(inputs, len(PREDICTED_IDS), 2, bias=False)

    def forward(self, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(N, 3, S, S) to (N,) scores, the mean over places, and (N, P) values."""
        maps = self.maps(pictures)
        return self.looks(maps).mean(dim=(1, 2, 3)), self.shows(maps).flatten(1)
