"""The generator: from pose, values, identity and appearance to a picture of the face."""

import math
from typing import Final

import torch
from torch import nn

from training.papers.genet.layers import Kept, Layer, Normal, Rectified, Spread, Squashed

_LAYERS: Final = 8
_WIDTHS: Final = (256, 192, 128, 96, 48, 24, 16)
"""Maps after each transposed convolution but the last, which gives the three colours."""

_FIRST_WEIGHTS: Final = 0.02


class Generator(nn.Module):
    """Eight transposed convolutions, instance normalisation and ReLU after each but the last.

    As many of them double the side as the picture needs; the others, at the end, keep it.
    """

    def __init__(self, inputs: int, size_px: int) -> None:
        """Draws first weights.

        Args:
            inputs: Parameters of a picture.
            size_px: Side of the picture, a power of 2 from 4 to 256.
        """
        super().__init__()
        doublings = round(math.log2(size_px))
        if 2**doublings != size_px or not 2 <= doublings <= _LAYERS:
            message = f"a generator of {_LAYERS} layers makes pictures of 4 to 256 pixels, a power of 2, not {size_px}"
            raise ValueError(message)
        layers: list[nn.Module] = []
        for number, width in enumerate((*_WIDTHS, 3)):
            doubles = number < doublings
            last = number == _LAYERS - 1
            layers.append(Spread(inputs, width, *((4, 2, 1) if doubles else (3, 1, 1)), bias=last))
            layers += [Squashed()] if last else [Normal(width), Rectified()]
            inputs = width
        self.layers = nn.Sequential(*layers)
        for layer in self.layers:
            if isinstance(layer, Spread):
                nn.init.normal_(layer.weight, std=_FIRST_WEIGHTS)

    def forward(self, parameters: torch.Tensor) -> torch.Tensor:
        """(N, inputs) 0..1 to (N, 3, S, S) RGB 0..1."""
        return self.layers(_centred(parameters))

    def run(self, parameters: torch.Tensor) -> tuple[torch.Tensor, list[Kept]]:
        """As `forward`, with what `back` needs."""
        maps, kept = _centred(parameters), list[Kept]()
        for layer in self._each():
            maps, own = layer.run(maps)
            kept.append(own)
        return maps, kept

    def back(self, slope: torch.Tensor, kept: list[Kept]) -> torch.Tensor:
        """Gradient of the pictures (N, 3, S, S) to that of the parameters (N, inputs)."""
        for layer, own in zip(reversed(self._each()), reversed(kept), strict=True):
            slope = layer.back(slope, own)
        return 2.0 * slope.flatten(1)

    def _each(self) -> list[Layer]:
        return list(self.layers)  # type: ignore[arg-type]


def _centred(parameters: torch.Tensor) -> torch.Tensor:
    return (2.0 * parameters - 1.0)[:, :, None, None]
