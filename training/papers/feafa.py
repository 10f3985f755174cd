"""FEAFA's baseline: what an ImageNet network says of the face, read by two layers as 24 values at once."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from au_mocap import channels, metrics
from training.papers.data import Cast, Look
from training.papers.fitting import DEVICE, Batch, Course, Fitting
from training.papers.imagenet import BACKBONES, CLASSES, Backbone, WeightsError, open_backbone
from training.papers.saying import say
from training.papers.system import Order, Trained, Words

HIDDEN: Final = 512
_DROPOUT: Final = (0.4, 0.3)
_BATCH: Final = 128
_RATE: Final = 1e-3
_FINE_BATCH: Final = 32
_FINE_RATE: Final = 1e-4
_LEVELS: Final = 255.0
_FEATURES_AT_ONCE: Final = 24
_SETTLING: Final = 96
_PROTOCOL_PERFORMERS: Final = 80

_WORDS: Final = Words(
    label="FEAFA baseline",
    description="Features of an ImageNet network, read as FEAFA's 24 AUs at once: for comparison",
    paper="FEAFA's baseline system (sections 4 and 5 of its text)",
    structure=(
        "Crop from the distance of the pupils; the last 1000-vector of a network trained for ImageNet; 1000, 512 and "
        "24 neurons with ReLU after the first two layers and dropout of 0.4 and 0.3 there; one squared error over all "
        "24 AUs together (equation 3); first the new layers alone, then, where asked for, the whole network; five "
        "folds that share no person; the comparison of pretrained with first weights"
    ),
    departures=(
        "FEAFA's pictures are given to licence holders only: trained on this project's synthetic performers. The Caffe "
        "weights of AlexNet, VGG-16 and GoogLeNet are in no package registry: the features come from {}. The landmarks "
        "are those of this project's tracker instead of dlib's, the pupils its irises. Adam takes the place of the "
        "paper's gradient descent, whose rates it does not give. AUs that the paper does not split by side are given "
        "to both sides"
    ),
    reported=(
        "Squared error over all 24 AUs, five folds of its own data: AlexNet 0.364, VGG-16 0.289, GoogLeNet 0.314 "
        "pretrained; 0.454, 0.398 and 0.412 not pretrained"
    ),
    licence="GPL-3.0-or-later AND Apache-2.0",  # the ImageNet weights are Apache-2.0
)


class Regression(nn.Module):
    """The paper's layers from 1000 features to 24 values."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Sequential(nn.ReLU(), nn.Dropout(_DROPOUT[0]), nn.Linear(CLASSES, HIDDEN), nn.ReLU())
        self.dropped = nn.Dropout(_DROPOUT[1])
        self.last = nn.Linear(HIDDEN, len(channels.FEAFA_IDS))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """(N, 1000) to (N, 24)."""
        return self.last(self.dropped(self.hidden(features)))


class _Head(nn.Module):
    """Hidden neurons to values, both sides alike where FEAFA has but one AU for them."""

    def __init__(self, last: nn.Linear) -> None:
        super().__init__()
        self.last = nn.Linear(HIDDEN, len(COLUMNS))
        with torch.no_grad():
            self.last.weight.copy_(last.weight[list(COLUMNS)])
            self.last.bias.copy_(last.bias[list(COLUMNS)])

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        return self.last(hidden).clamp(0.0, 1.0)


def _expanded() -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Ids that the regressor predicts, and the AU of FEAFA that each is taken from."""
    pairs = [
        (side, number)
        for number, channel_id in enumerate(channels.FEAFA_IDS)
        for side in channels.SIDES_OF.get(channel_id, (channel_id,))
    ]
    return tuple(channel_id for channel_id, _ in pairs), tuple(number for _, number in pairs)


IDS, COLUMNS = _expanded()


def loss(predicted: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """The paper's: squared norm of the error over all AUs, averaged over pictures."""
    return (predicted - truth).square().sum(dim=1).mean()


class Feafa:
    """The baseline with a network of one's choice."""

    name = "feafa"
    words = _WORDS

    def train(self, order: Order) -> Trained:
        """Trains the new layers on the features of a frozen network, then, where asked for, everything together."""
        if order.backbone not in BACKBONES:
            message = f"There is no network '{order.backbone}': choose from {', '.join(BACKBONES)}."
            raise WeightsError(message)
        backbone = BACKBONES[order.backbone]
        frozen = open_backbone(backbone, order.weights)
        training = order.casts["training"]
        known = Known(order, backbone, frozen, "pretrained")
        rows, missing = known.features(training, "training", training.performers)
        told = [_protocol(order, backbone, known)] if order.folds else []
        torch.manual_seed(order.seed)
        layers, shortened = _fit(order, rows, f"{self.name}-{backbone.name}")
        told += filter(None, [missing, shortened, _freed(order, frozen, layers, backbone)])
        return Trained(
            name=self.name,
            look=Look("pupils", backbone.size_px),
            clip_statistics="",
            stage=nn.Sequential(frozen, layers.hidden).eval(),
            head=_Head(layers.last),
            embedding=HIDDEN,
            channels=IDS,
            words=replace(self.words, departures=self.words.departures.format(backbone.label)),
            trained_on=len(rows.values),
            beside=f"; features of {backbone.label}, trained on ImageNet",
            shortened=tuple(told),
        )


@dataclass(frozen=True, slots=True)
class Rows:
    """Features and truth of some frames.

    Attributes:
        features: (N, 1000) float32.
        values: (N, 24) float32.
        performer: (N,) place of each frame's performer in the cast.
    """

    features: torch.Tensor
    values: torch.Tensor
    performer: NDArray[np.int64]

    @property
    def people(self) -> int:
        """How many performers there are."""
        return int(self.performer.max()) + 1

    def of(self, chosen: NDArray[np.bool_]) -> "Rows":
        """Some of the frames."""
        mask = torch.from_numpy(chosen)
        return Rows(self.features[mask], self.values[mask], self.performer[chosen])

    def batches(self, seed: int, number: int) -> Iterator[Batch]:
        """Every frame once, in an order of the pass's own."""
        order = np.random.default_rng([seed, number]).permutation(len(self.values))
        for rows in torch.from_numpy(order).split(_BATCH):
            yield self.features[rows], self.values[rows]


class Known:
    """Features of a frozen network, worked out once for each performer and kept on disk."""

    def __init__(self, order: Order, backbone: Backbone, network: nn.Module, kind: str) -> None:
        """Names the folder that they are kept in.

        Args:
            order: What was asked for.
            backbone: Which network.
            network: The network itself, in evaluation mode.
            kind: Distinguishes weights.
        """
        source = order.weights.stem if order.weights is not None else "registry"
        self._folder = order.checkpoints.parent / f"features-{backbone.name}-{source}-{kind}"
        self._look = Look("pupils", backbone.size_px)
        self._network = network
        self._deadline_s = order.deadline_s

    def features(self, cast: Cast, name: str, performers: int) -> tuple[Rows, str]:
        """Features of a cast's first performers, and what was left out since the time was up."""
        known: list[NDArray[np.float16]] = []
        chosen: list[NDArray[np.int64]] = []
        for performer in range(performers):
            path = self._folder / name / f"{performer:05d}.npy"
            if known and not path.exists() and self._is_late():
                break
            rows = cast.rows(np.array([performer]))
            known.append(self._of(cast, rows, path))
            chosen.append(rows)
        rows = np.concatenate(chosen)
        truth = channels.complete(cast.frames.values[rows], channels.PREDICTED_IDS)[:, : len(channels.FEAFA_IDS)]
        people = np.repeat(np.arange(len(chosen)), [len(each) for each in chosen])
        found = Rows(torch.from_numpy(np.concatenate(known)).float(), torch.from_numpy(truth), people)
        missing = len(chosen) < performers
        return found, f"features of {len(chosen)} of {performers} performers: the time was up" if missing else ""

    def _is_late(self) -> bool:
        return self._deadline_s is not None and time.monotonic() >= self._deadline_s

    def _of(self, cast: Cast, rows: NDArray[np.int64], path: Path) -> NDArray[np.float16]:
        if path.exists():
            return np.load(path)
        if not len(rows):
            return np.zeros((0, CLASSES), np.float16)
        shown = torch.from_numpy(cast.pictures(self._look, rows)).to(DEVICE).float() / _LEVELS
        with torch.no_grad():
            features = torch.cat([self._network.to(DEVICE)(part) for part in shown.split(_FEATURES_AT_ONCE)])
        table = features.cpu().numpy().astype(np.float16)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".part.npy")
        np.save(temporary, table)
        temporary.replace(path)
        return table


def _fit(order: Order, rows: Rows, name: str) -> tuple[Regression, str]:
    layers = Regression()
    optimizer = torch.optim.Adam(layers.parameters(), _RATE)
    fitting = Fitting(layers, optimizer, loss, order.checkpoints / f"{name}.pt")
    course = Course(order.epochs, _RATE, order.deadline_s)
    return layers, fitting.run(course, lambda number: rows.batches(order.seed, number))


def _freed(order: Order, network: nn.Module, layers: Regression, backbone: Backbone) -> str:
    """Trains the whole network on; what was not done of that."""
    if not order.finetune:
        return "The ImageNet network was left frozen: ask for passes with --finetune to train it too"
    whole = nn.Sequential(network, layers)
    optimizer = torch.optim.Adam(whole.parameters(), _FINE_RATE)
    fitting = Fitting(whole, optimizer, loss, order.checkpoints / f"feafa-{backbone.name}-freed.pt")
    cast, look = order.casts["training"], Look("pupils", backbone.size_px)
    usable = cast.rows(np.arange(cast.performers))
    truth = channels.complete(cast.frames.values, channels.PREDICTED_IDS)[:, : len(channels.FEAFA_IDS)]

    def batches(number: int) -> Iterator[Batch]:
        shuffled = np.random.default_rng([order.seed, number]).permutation(usable)
        for start in range(0, len(shuffled), _FINE_BATCH):
            rows = shuffled[start : start + _FINE_BATCH]
            yield torch.from_numpy(cast.pictures(look, rows)).float() / _LEVELS, torch.from_numpy(truth[rows])

    return fitting.run(Course(order.finetune, _FINE_RATE, order.deadline_s), batches)


def _protocol(order: Order, backbone: Backbone, known: Known) -> str:
    """Five folds that share nobody, with the trained ImageNet network and with the same one untrained."""
    cast = order.casts["training"]
    people = min(cast.performers, _PROTOCOL_PERFORMERS)
    if people < order.folds:
        return f"The protocol of {order.folds} folds was left out: it needs as many performers"
    torch.manual_seed(order.seed)
    first = open_backbone(backbone, pretrained=False)
    _settle(first, cast, Look("pupils", backbone.size_px))
    untrained = Known(order, backbone, first, "untrained")
    found = {
        "pretrained": known.features(cast, "training", people)[0],
        "not pretrained": untrained.features(cast, "training", people)[0],
    }
    people = min(rows.people for rows in found.values())
    if people < order.folds:
        return f"The protocol of {order.folds} folds was left out: the time was up"
    told: list[str] = []
    for label, rows in found.items():
        losses, iccs = _folds(order, rows.of(rows.performer < people), label)
        told.append(f"{label} {np.mean(losses):.3f} (ICC {np.mean(iccs):.3f})")
        say(f"feafa, {order.folds} folds, {told[-1]}")
    truth = found["pretrained"].of(found["pretrained"].performer < people).values
    zero = float(truth.square().sum(dim=1).mean())
    return (
        f"{order.folds} folds of {people} training performers, frozen features of {backbone.label}, squared error over "
        f"all 24 AUs: {', '.join(told)}; constant zero {zero:.3f}"
    )


def _folds(order: Order, rows: Rows, label: str) -> tuple[list[float], list[float]]:
    """Loss and mean ICC of each fold, by layers that saw nobody in it."""
    losses: list[float] = []
    iccs: list[float] = []
    for fold in range(order.folds):
        torch.manual_seed(order.seed)
        outside = rows.performer % order.folds == fold
        layers, _ = _fit(order, rows.of(~outside), f"feafa-fold{fold}-{label.replace(' ', '_')}")
        with torch.no_grad():
            said = layers(rows.of(outside).features).clamp(0.0, 1.0).numpy()
        truth = rows.of(outside).values.numpy()
        losses.append(metrics.feafa_loss(said, truth))
        iccs.append(float(metrics.icc(said, truth).mean()))
    return losses, iccs


def _settle(network: nn.Module, cast: Cast, look: Look) -> None:
    """Gives an untrained network's normalisations the statistics of some pictures: without, its features vanish."""
    rows = cast.rows(np.arange(cast.performers))[:: max(cast.performers // 4, 1)][:_SETTLING]
    for part in network.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.momentum = None
    with torch.no_grad():
        network.train()(torch.from_numpy(cast.pictures(look, rows)).float() / _LEVELS)
    network.eval()
