"""Layers that run forwards and, by hand, backwards.

onnxruntime has no automatic differentiation, and PyTorch exports none. Each layer here therefore says itself what the
gradient before it is, given the one behind it, in operations that ONNX has: `graphs` strings them together. Training
uses `forward` and PyTorch's own gradients, which the tests compare with these.
"""

from typing import Protocol

import torch
from torch import nn
from torch.nn import functional

Kept = tuple[torch.Tensor, ...]
"""What a layer has to remember of its way forwards."""


class Layer(Protocol):
    """A layer that can be run backwards."""

    def run(self, maps: torch.Tensor) -> tuple[torch.Tensor, Kept]:
        """(N, C, S, S) to (N, D, T, T), and what is to be remembered."""
        ...

    def back(self, slope: torch.Tensor, kept: Kept) -> torch.Tensor:
        """Gradient of the output to that of the input."""
        ...


class Spread(nn.ConvTranspose2d):
    """A transposed convolution."""

    def run(self, maps: torch.Tensor) -> tuple[torch.Tensor, Kept]:
        """See `Layer`."""
        return self(maps), ()

    def back(self, slope: torch.Tensor, _kept: Kept) -> torch.Tensor:
        """See `Layer`."""
        return functional.conv2d(slope, self.weight, None, self.stride, self.padding)  # type: ignore[arg-type]


class Look(nn.Conv2d):
    """A convolution whose output has its input's side over its step."""

    def run(self, maps: torch.Tensor) -> tuple[torch.Tensor, Kept]:
        """See `Layer`."""
        return self(maps), ()

    def back(self, slope: torch.Tensor, _kept: Kept) -> torch.Tensor:
        """See `Layer`."""
        step, padding = self.stride[0], int(self.padding[0])
        missing = step + 2 * padding - self.kernel_size[0]  # rows that no kernel ended in
        return functional.conv_transpose2d(slope, self.weight, None, step, padding, missing)


class Normal(nn.Module):
    """Instance normalisation with a gain and an offset for each map."""

    def __init__(self, maps: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(1, maps, 1, 1))
        self.offset = nn.Parameter(torch.zeros(1, maps, 1, 1))

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(N, C, S, S) to the same."""
        return self.run(maps)[0]

    def run(self, maps: torch.Tensor) -> tuple[torch.Tensor, Kept]:
        """See `Layer`."""
        centered = maps - maps.mean(dim=(2, 3), keepdim=True)
        scale = torch.rsqrt(centered.square().mean(dim=(2, 3), keepdim=True) + 1e-5)
        plain = centered * scale
        return plain * self.gain + self.offset, (plain, scale)

    def back(self, slope: torch.Tensor, kept: Kept) -> torch.Tensor:
        """See `Layer`."""
        plain, scale = kept
        own = slope * self.gain
        along = (own * plain).mean(dim=(2, 3), keepdim=True)
        return (own - own.mean(dim=(2, 3), keepdim=True) - plain * along) * scale


class Rectified(nn.Module):
    """ReLU."""

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(N, C, S, S) to the same."""
        return functional.relu(maps)

    def run(self, maps: torch.Tensor) -> tuple[torch.Tensor, Kept]:
        """See `Layer`."""
        result = functional.relu(maps)
        return result, (result,)

    def back(self, slope: torch.Tensor, kept: Kept) -> torch.Tensor:
        """See `Layer`."""
        return slope * (kept[0] > 0).to(slope.dtype)


class Squashed(nn.Module):
    """The logistic function: colours between 0 and 1."""

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(N, C, S, S) to the same."""
        return torch.sigmoid(maps)

    def run(self, maps: torch.Tensor) -> tuple[torch.Tensor, Kept]:
        """See `Layer`."""
        result = torch.sigmoid(maps)
        return result, (result,)

    def back(self, slope: torch.Tensor, kept: Kept) -> torch.Tensor:
        """See `Layer`."""
        return slope * kept[0] * (1.0 - kept[0])


class Scaled(nn.Module):
    """A convolution with batch normalisation, which `export.fuse` folds into it once training is over."""

    def __init__(self, inputs: int, outputs: int, kernel: int, step: int = 1) -> None:
        super().__init__()
        self.conv = Look(inputs, outputs, kernel, step, (kernel - 1) // 2, bias=False)
        self.bn: nn.Module = nn.BatchNorm2d(outputs)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(N, inputs, S, S) to (N, outputs, S / step, S / step)."""
        return self.bn(self.conv(maps))

    def back(self, slope: torch.Tensor) -> torch.Tensor:
        """Gradient of the output to that of the input, once the normalisation is folded in."""
        return self.conv.back(slope, ())


class Stem(nn.Module):
    """The first convolution of a network, with ReLU."""

    def __init__(self, inputs: int, outputs: int, step: int) -> None:
        super().__init__()
        self.first = Scaled(inputs, outputs, 3, step)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(N, inputs, S, S) to (N, outputs, S / step, S / step)."""
        return functional.relu(self.first(maps))

    def run(self, maps: torch.Tensor) -> tuple[torch.Tensor, Kept]:
        """See `Layer`."""
        result = self(maps)
        return result, (result,)

    def back(self, slope: torch.Tensor, kept: Kept) -> torch.Tensor:
        """See `Layer`."""
        return self.first.back(slope * (kept[0] > 0).to(slope.dtype))


class Residual(nn.Module):
    """Two convolutions whose result is added to what came in, as in a residual network."""

    def __init__(self, inputs: int, outputs: int, step: int) -> None:
        super().__init__()
        self.first, self.second = Scaled(inputs, outputs, 3, step), Scaled(outputs, outputs, 3)
        self.skip = None if step == 1 and inputs == outputs else Scaled(inputs, outputs, step, step)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(N, inputs, S, S) to (N, outputs, S / step, S / step)."""
        return self.run(maps)[0]

    def run(self, maps: torch.Tensor) -> tuple[torch.Tensor, Kept]:
        """See `Layer`."""
        inside = functional.relu(self.first(maps))
        beside = maps if self.skip is None else self.skip(maps)
        result = functional.relu(self.second(inside) + beside)
        return result, (inside, result)

    def back(self, slope: torch.Tensor, kept: Kept) -> torch.Tensor:
        """See `Layer`."""
        inside, result = kept
        slope = slope * (result > 0).to(slope.dtype)
        deep = self.second.back(slope) * (inside > 0).to(slope.dtype)
        return self.first.back(deep) + (slope if self.skip is None else self.skip.back(slope))
