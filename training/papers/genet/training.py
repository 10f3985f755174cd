"""Training of the two networks: the extractor on classes, then the generator by content and perceptual loss."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from au_mocap.refiners.basis import Basis
from training.papers.fitting import DEVICE, Batch, Course, Fitting
from training.papers.genet import examples
from training.papers.genet.examples import SIZE_PX, Examples, Feed, disturbed
from training.papers.genet.extractor import Extractor
from training.papers.genet.generator import Generator
from training.papers.genet.masks import CLASSES
from training.papers.imagenet import BACKBONES, EfficientNetLite0, Normalised, open_backbone
from training.papers.system import Order

EXTRACTOR_BATCH: Final = 32
GENERATOR_BATCH: Final = 32
_RATES: Final = (2e-3, 2e-3)
_STEPS_IN_PART: Final = 16
"""Batches between two checkpoints: a run that has little time at once still comes on."""

_EXTRACTORS: Final = 0.2
_GENERATORS: Final = 0.8
"""Shares of the time that is left when each begins; what the generator leaves is for rates and figures."""

_PERCEPTUAL: Final = 0.1
"""The paper's lambda."""

_PARTS: Final = 0.2
"""Weight of the loss of the parts of the face."""

_BLOCKS: Final = (0, 2, 4)
"""Blocks of the ImageNet network whose maps are compared: 16, 24 and 40 maps at a half, a quarter and an eighth."""

_WEIGHT_OF: Final = {"background": 0.2, "skin": 1.0, "nose": 1.0}
_WEIGHT: Final = 4.0
"""Weights of the classes in the content loss: brows, lids and lips are few pixels, and what actions show in."""


def train_extractor(order: Order, shown: Examples, layout: Basis, path: Path) -> tuple[Extractor, str]:
    """Trains the extractor; with what was shortened."""
    torch.manual_seed(order.seed)
    network = Extractor()
    optimizer = torch.optim.Adam(network.parameters(), _RATES[0])
    often = torch.from_numpy(np.bincount(shown.classes[::7].ravel(), minlength=len(CLASSES)).astype(np.float32))
    weights = (often / often.sum()).clamp_min(1e-4).rsqrt()
    fitting = Fitting(network, optimizer, nn.CrossEntropyLoss(weights / weights.mean()), path)
    feed = Feed(shown, layout, EXTRACTOR_BATCH, order.seed)

    def batches(number: int) -> Iterator[Batch]:
        rng = np.random.default_rng([order.seed, number, 1])
        for batch in _part(feed, number):
            yield disturbed(batch.pictures, rng), batch.classes

    # It has learnt what it can long before the generator, which gets most of the time.
    order = replace(order, epochs=-(-order.epochs // 2), deadline_s=_share(order, _EXTRACTORS))
    said = fitting.run(_course(order, feed, _RATES[0]), batches)
    return network, f"of the extractor {said}" if said else ""


def train_generator(
    order: Order, shown: Examples, layout: Basis, path: Path, extractor: Extractor
) -> tuple[Generator, str]:
    """Trains the generator, with what the trained extractor sees of its pictures; with what was shortened."""
    torch.manual_seed(order.seed)
    feed = Feed(shown, layout, GENERATOR_BATCH, order.seed)
    inputs = next(feed.batches(0, 0, 1)).parameters.shape[1]
    network = Generator(inputs, SIZE_PX)
    optimizer = torch.optim.Adam(network.parameters(), _RATES[1], betas=(0.5, 0.99))
    fitting = Fitting(network, optimizer, likeness(order, extractor), path)

    def batches(number: int) -> Iterator[Batch]:
        for batch in _part(feed, number):
            yield batch.parameters, torch.cat([batch.pictures, batch.classes[:, None].float()], dim=1)

    order = replace(order, deadline_s=_share(order, _GENERATORS))
    said = fitting.run(_course(order, feed, _RATES[1]), batches)
    return network, f"of the generator {said}" if said else ""


def likeness(order: Order, extractor: Extractor) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    """Content loss (equation 2, weighed by class), perceptual loss (equation 3), and that of the parts of the face.

    The last is the cross-entropy of what the extractor makes of the rendering: brows, lids and lips are to be where the
    performer's are, before their colours are right.

    Returns:
        From (N, 3, S, S) pictures, and (N, 4, S, S) wanted ones with their classes in the last map, to one number.
    """
    extractor = extractor.to(DEVICE).eval().requires_grad_(False)
    compared = Compared(open_backbone(BACKBONES["efficientnet_lite0"], order.weights)).to(DEVICE)

    def loss(pictures: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
        target, classes = wanted[:, :3], wanted[:, 3].long()
        weights = _weights(classes)
        content = ((pictures - target).abs() * weights).mean() / weights.mean()
        parts = functional.cross_entropy(extractor(pictures), classes)
        return content + _PERCEPTUAL * compared(pictures, target) + _PARTS * parts

    return loss


class Compared(nn.Module):
    """Distance of pictures as a frozen ImageNet network sees them, the mean over some of its blocks."""

    def __init__(self, network: Normalised) -> None:
        super().__init__()
        self.network = network.eval().requires_grad_(False)

    def forward(self, pictures: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
        """(N, 3, S, S) twice to one number."""
        with torch.no_grad():
            targets = self._maps(wanted)
        pairs = zip(self._maps(pictures), targets, strict=True)
        # Each block counts alike, whatever the size of its numbers.
        return torch.stack([(own - target).square().mean() / target.square().mean() for own, target in pairs]).mean()

    def _maps(self, pictures: torch.Tensor) -> list[torch.Tensor]:
        inner = self.network.network
        if not isinstance(inner, EfficientNetLite0):
            message = "the perceptual loss reads an EfficientNet-Lite0"
            raise TypeError(message)
        maps = functional.relu6(inner._bn0(inner._conv_stem((pictures - self.network.mean) * self.network.scale)))
        seen: list[torch.Tensor] = []
        for block in list(inner._blocks)[: max(_BLOCKS) + 1]:
            maps = block(maps)
            seen.append(maps)
        return [seen[number] for number in _BLOCKS]


def _share(order: Order, share: float) -> float | None:
    """The deadline of a part of the work that gets some of the time that is left."""
    return order.deadline_s and time.monotonic() + share * (order.deadline_s - time.monotonic())


def _weights(classes: torch.Tensor) -> torch.Tensor:
    """(N, 1, S, S) weights of pixels by class."""
    table = torch.tensor([_WEIGHT_OF.get(name, _WEIGHT) for name in CLASSES])
    return table.to(classes.device)[classes][:, None]


def parts_of(feed: Feed) -> int:
    """Parts, each with a checkpoint, that one pass over the training cast is done in."""
    return max(-(-len(feed.examples) // (feed.size * _STEPS_IN_PART)), 1)


def _course(order: Order, feed: Feed, rate: float) -> Course:
    return Course(order.epochs * parts_of(feed), rate, order.deadline_s)


def _part(feed: Feed, number: int) -> Iterator[examples.Batch]:
    """The batches of one part of a pass."""
    parts = parts_of(feed)
    return feed.batches(number // parts, number % parts, parts)
