"""How the third paper's estimator is trained: on maps of a frozen ImageNet network, then, where asked for, with it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from training.papers import balance
from training.papers.data import Look
from training.papers.fitting import Batch, Course, Fitting
from training.papers.imagenet import BACKBONES, open_backbone
from training.papers.registration_maps import Kept, Shown, Truth
from training.papers.registration_network import Reader, Trunk
from training.papers.system import Order
from training.synth.film import FRAMES_PER_PERFORMER

NAME: Final = "registered"
LOOKS: Final = {"3D": "frontal", "2D": "template"}
"""The paper's two registrations, and the preprocessors that make them."""

BACKBONE: Final = "efficientnet_lite0"
_RATE: Final = 5e-4
_DECAY: Final = 1e-4
_FREE_RATE: Final = 5e-5
_TOGETHER: Final = 5
_FREE_TOGETHER: Final = 2
"""Performers in a batch, 24 pictures each."""

_LEVELS: Final = 255.0


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to train.

    Attributes:
        registration: A key of `LOOKS`.
        balanced: Levels equally often, or as often as the films show them.
        widest_rad: Turns of the head beyond this are not learnt from; None learns from all.
    """

    registration: str = "3D"
    balanced: bool = True
    widest_rad: float | None = None

    @property
    def look(self) -> Look:
        """What the network is shown."""
        return Look(LOOKS[self.registration], BACKBONES[BACKBONE].size_px)

    @property
    def mark(self) -> str:
        """Names its checkpoint."""
        seen = "" if self.widest_rad is None else f"-{np.degrees(self.widest_rad):.0f}deg"
        return f"{NAME}-{LOOKS[self.registration]}-{'balanced' if self.balanced else 'natural'}{seen}"

    def draw(self, truth: Truth, rng: np.random.Generator) -> NDArray[np.float32]:
        """(N, P) how often each frame is shown for each AU in one pass."""
        seen = truth.usable & (self.widest_rad is None or np.abs(truth.yaw_rad) <= (self.widest_rad or 0.0))
        if self.balanced:
            return balance.balanced(truth.levels, seen, rng)
        return np.repeat(seen[:, None], truth.values.shape[1], axis=1).astype(np.float32)


def trunk_of(order: Order) -> Trunk:
    """The ImageNet network, with its weights."""
    return Trunk(open_backbone(BACKBONES[BACKBONE], order.weights)).eval()


def kept(order: Order, trunk: Trunk, variant: Variant) -> Kept:
    """Maps of what a variant is shown; other orders with the same films find them again."""
    source = "registry" if order.weights is None else order.weights.stem
    return Kept(order.checkpoints.parent / f"{NAME}-{source}", trunk, variant.look, order.deadline_s)


def fit(order: Order, shown: Shown, variant: Variant) -> tuple[Reader, str]:
    """Trains a reader of maps; what was shortened is said."""
    torch.manual_seed(order.seed)
    reader = Reader(shown.truth.values.shape[1], shown.maps.shape[-1])
    optimizer = torch.optim.Adam(reader.parameters(), _RATE, weight_decay=_DECAY)
    fitting = Fitting(reader, optimizer, reader.loss, order.checkpoints / f"{variant.mark}.pt")
    course = Course(order.epochs, _RATE, order.deadline_s)

    def batches(number: int) -> Iterator[Batch]:
        for rows, wanted in _drawn(order, shown.truth, variant, number, _TOGETHER):
            yield shown.maps[rows].float(), wanted

    return reader, fitting.run(course, batches)


def freed(order: Order, trunk: Trunk, reader: Reader, variant: Variant) -> str:
    """Trains the ImageNet network too; what was not done of that."""
    if not order.finetune:
        return "The ImageNet network was left frozen: ask for passes with --finetune to train it too"
    whole = nn.Sequential(trunk, reader)
    cast = order.casts["training"]
    truth = Truth.of(cast, cast.performers)
    optimizer = torch.optim.Adam(whole.parameters(), _FREE_RATE)
    fitting = Fitting(whole, optimizer, reader.loss, order.checkpoints / f"{variant.mark}-freed.pt")

    def batches(number: int) -> Iterator[Batch]:
        for rows, wanted in _drawn(order, truth, variant, number, _FREE_TOGETHER):
            yield torch.from_numpy(cast.pictures(variant.look, rows.numpy())).float() / _LEVELS, wanted

    return fitting.run(Course(order.finetune, _FREE_RATE, order.deadline_s), batches)


def _drawn(
    order: Order, truth: Truth, variant: Variant, number: int, together: int
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Rows of some whole performers at a time, with (N, P, 2) levels and how often they were drawn, for one pass."""
    rng = np.random.default_rng([order.seed, number])
    drawn = variant.draw(truth, rng)
    levels = np.where(truth.usable[:, None], truth.levels, -1)
    wanted = torch.from_numpy(np.stack([levels, drawn], axis=-1).astype(np.float32))
    people = rng.permutation(truth.performers)
    for start in range(0, len(people), together):
        chosen = people[start : start + together, None] * FRAMES_PER_PERFORMER + np.arange(FRAMES_PER_PERFORMER)
        rows = torch.from_numpy(chosen.ravel())
        yield rows, wanted[rows]
