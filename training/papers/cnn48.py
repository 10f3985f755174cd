"""FERA 2015's 48x48 network: `cnn48` as the paper has it, `cnn48_lite` with its large layer in two factors."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import nn

from au_mocap.channels import PREDICTED_IDS
from training.geometry.network import CHANNEL_TWIN
from training.papers.cnn48_network import SIZE_PX, Network, factorise
from training.papers.data import Cast, Look
from training.papers.fitting import Batch, Course, Fitting
from training.papers.saying import say
from training.papers.system import Order, System, Trained, Words

LOOK: Final = Look("level_eyes_grey", SIZE_PX)
RANK: Final = 128
_BATCH: Final = 100
_RATE: Final = 0.01
_MOMENTUM: Final = 0.9
_LEVELS: Final = 255.0

_WORDS: Final = Words(
    label="48x48 network (FERA 2015)",
    description="One small grey picture, contrast normalised over the clip: for comparison",
    paper=(
        "the FERA 2015 entry with one deep network for occurrence and intensity (sections IV.A to IV.C of its text)"
    ),
    structure=(
        "Grey crop of 48x48 pixels with the eyes level and at a fixed distance; pixel values over their deviation in "
        "the whole clip; 5x5x64, local contrast normalisation, 3x3 max-pooling with stride 2, 5x5x64, 4x4x128, 3072 "
        "neurons with dropout 0.2, ReLU throughout; one neuron for each AU, trained for occurrence and intensity at "
        "once by negative log-likelihood; stochastic gradient descent with momentum, batches of 100; mirrored copies; "
        "thresholds of presence tuned for F1 on the validation cast alone"
    ),
    departures=(
        "BP4D and SEMAINE cannot be passed on: trained on this project's synthetic performers, whose 54 channels take "
        "the place of 11 and 6 AUs. The values are exact, so each neuron's likelihood is that of a value between 0 and "
        "1 instead of one for occurrence or intensity. A clip is a performer's 24 pictures. Mirrored copies are drawn "
        "by chance, half of each pass, instead of doubling it. The learning rate, which the paper does not give, "
        "falls along a cosine from 0.01, momentum 0.9. The paper's last network was trained on its validation part as "
        "well; this one is not"
    ),
    reported=(
        "F1 0.522 on BP4D's and 0.341 on SEMAINE's test part; intensity on BP4D: ICC 0.613 and MSE 1.18 (fully "
        "automatic), on its scale of 0 to 5. Normalising over the clip gave 0.051 of F1, tuned thresholds 0.113"
    ),
)


class Cnn48:
    """The network as it stands in the paper: 88 million weights in one layer."""

    name = "cnn48"
    words = _WORDS

    def train(self, order: Order) -> Trained:
        """Trains from random weights."""
        torch.manual_seed(order.seed)
        network = Network(len(PREDICTED_IDS))
        shortened = _fit(network, order, self.name)
        return _trained(self, network, order, (shortened,))


class Cnn48Lite:
    """Its low-rank factorisation: a twentieth of the size."""

    name = "cnn48_lite"
    words = replace(
        _WORDS,
        label="48x48 network, light (FERA 2015)",
        description="One small grey picture, contrast normalised over the clip, light enough to ship: for comparison",
        departures=f"The layer of 88 million weights is the product of two factors of rank {RANK}. {_WORDS.departures}",
    )

    def train(self, order: Order) -> Trained:
        """Trains from the exact network's weights where that was trained on the same films, else from random ones."""
        torch.manual_seed(order.seed)
        exact = _checkpoint(order, Cnn48.name)
        if exact.exists():
            whole = Network(len(PREDICTED_IDS))
            whole.load_state_dict(torch.load(exact, map_location="cpu", weights_only=True)["network"])
            network, began = factorise(whole, RANK), "began as the factorised exact network"
        else:
            network, began = Network(len(PREDICTED_IDS), RANK), "was trained in two factors from random weights"
        say(f"{self.name} {began}")
        shortened = _fit(network, order, self.name)
        return _trained(self, network, order, (f"It {began}", shortened))


class _Values(nn.Module):
    """Logits to values."""

    def forward(self, logits: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(logits)


def _trained(system: System, network: Network, order: Order, shortened: tuple[str, ...]) -> Trained:
    return Trained(
        name=system.name,
        look=LOOK,
        clip_statistics="deviation",
        stage=network,
        head=_Values(),
        embedding=len(PREDICTED_IDS),
        channels=PREDICTED_IDS,
        words=system.words,
        trained_on=int(order.casts["training"].usable.sum()),
        shortened=tuple(filter(None, shortened)),
    )


def _checkpoint(order: Order, name: str) -> Path:
    return order.checkpoints / f"{name}.pt"


def _fit(network: Network, order: Order, name: str) -> str:
    optimizer = torch.optim.SGD(network.parameters(), _RATE, momentum=_MOMENTUM)
    fitting = Fitting(network, optimizer, likelihood, _checkpoint(order, name))
    course = Course(order.epochs, _RATE, order.deadline_s)
    if not course.goes_on(fitting.done):
        network.eval()
        return ""
    examples = Examples(order.casts["training"], order.seed)
    return fitting.run(course, examples.batches)


def likelihood(logits: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """Negative log-likelihood of values between 0 and 1, summed over AUs, averaged over pictures."""
    return nn.functional.binary_cross_entropy_with_logits(logits, values, reduction="none").sum(dim=1).mean()


class Examples:
    """A cast's pictures over their clip's deviation, every one mirrored by chance."""

    def __init__(self, cast: Cast, seed: int) -> None:
        """Cuts out all pictures."""
        pictures = cast.pictures(LOOK)
        self._rows = cast.rows(np.arange(cast.performers))
        self._pictures = torch.from_numpy(pictures)
        self._deviation = torch.from_numpy(cast.deviations(pictures))
        self._values = torch.from_numpy(cast.frames.values)
        self._seed = seed

    def batches(self, number: int) -> Iterator[Batch]:
        """Every usable picture once, in an order of the pass's own."""
        rng = np.random.default_rng([self._seed, number])
        order = rng.permutation(self._rows)
        for start in range(0, len(order), _BATCH):
            rows = torch.from_numpy(order[start : start + _BATCH])
            turned = torch.from_numpy(rng.random(len(rows)) < 0.5)
            shown = self._pictures[rows].float() / _LEVELS / self._deviation[rows, None, None, None]
            values = self._values[rows]
            shown = torch.where(turned[:, None, None, None], shown.flip(-1), shown)
            yield shown, torch.where(turned[:, None], values[:, list(CHANNEL_TWIN)], values)
