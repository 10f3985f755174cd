"""The 48x48 network of FERA 2015 and its low-rank twin.

The paper fixes kernels, maps, strides, sizes and dropout. It leaves open how contrast is normalised locally: here, as
was usual, the mean of a neighbourhood over all maps is taken away, and what is left divided by its deviation.
"""

from typing import Final

import torch
from torch import nn

SIZE_PX: Final = 48
WIDTH: Final = 3072
"""Neurons of the last hidden layer."""

_MAPS: Final = (64, 64, 128)
_FLAT: Final = _MAPS[2] * 15 * 15
_NEIGHBOURHOOD: Final = 5
_LEAST_VARIANCE: Final = 0.1
_DROPOUT: Final = 0.2


class LocalContrast(nn.Module):
    """All maps less their common mean in the neighbourhood, over their common deviation there."""

    def __init__(self) -> None:
        super().__init__()
        self.around = nn.AvgPool2d(_NEIGHBOURHOOD, 1, _NEIGHBOURHOOD // 2, count_include_pad=False)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(N, C, S, S) to the same."""
        centered = maps - self.around(maps.mean(dim=1, keepdim=True))
        variance = self.around(centered.square().mean(dim=1, keepdim=True))
        return centered * torch.rsqrt(variance + _LEAST_VARIANCE)


class Factors(nn.Module):
    """The large layer as a narrow and a wide one."""

    def __init__(self, rank: int) -> None:
        super().__init__()
        self.narrow = nn.Linear(_FLAT, rank, bias=False)
        self.wide = nn.Linear(rank, WIDTH)

    def forward(self, flat: torch.Tensor) -> torch.Tensor:
        """(N, 28800) to (N, 3072)."""
        return self.wide(self.narrow(flat))


class Network(nn.Module):
    """Pictures divided by their clip's deviation to one neuron for each AU, for occurrence and intensity alike."""

    def __init__(self, outputs: int, rank: int | None = None) -> None:
        """Draws first weights.

        Args:
            outputs: Number of AUs.
            rank: Of the large layer's two factors; None for the layer as the paper has it, 88 million weights.
        """
        super().__init__()
        first, second, third = _MAPS
        self.maps = nn.Sequential(
            nn.Conv2d(1, first, 5),
            nn.ReLU(),
            LocalContrast(),
            nn.MaxPool2d(3, 2, 1),  # 44 to 22
            nn.Conv2d(first, second, 5),
            nn.ReLU(),
            nn.Conv2d(second, third, 4),
            nn.ReLU(),
            nn.Flatten(),
        )
        self.dense = nn.Linear(_FLAT, WIDTH) if rank is None else Factors(rank)
        self.dropped = nn.Sequential(nn.ReLU(), nn.Dropout(_DROPOUT))
        self.last = nn.Linear(WIDTH, outputs)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)
        nn.init.normal_(self.last.weight, std=0.01)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """(N, 1, 48, 48) to (N, outputs) logits: an AU's value is their sigmoid."""
        return self.last(self.dropped(self.dense(self.maps(pictures))))


def factorise(network: Network, rank: int) -> Network:
    """A low-rank twin: the large layer's best approximation by two factors, everything else as it is."""
    twin = Network(network.last.out_features, rank)
    if not isinstance(network.dense, nn.Linear) or not isinstance(twin.dense, Factors):
        message = "only a network whose large layer is whole can be factorised"
        raise TypeError(message)
    twin.maps.load_state_dict(network.maps.state_dict())
    twin.last.load_state_dict(network.last.state_dict())
    with torch.no_grad():
        left, strengths, right = torch.svd_lowrank(network.dense.weight, q=rank, niter=4)
        share = strengths.sqrt()
        twin.dense.narrow.weight.copy_((right * share).T)
        twin.dense.wide.weight.copy_(left * share)
        twin.dense.wide.bias.copy_(network.dense.bias)
    return twin
