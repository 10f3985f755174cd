"""Training of AUNet and its variants, all on the same pictures at once: looking at them is what takes the time."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from au_mocap.channels import PRESENT_ABOVE
from training.outcome import Outcome
from training.papers.aunet_data import Batch, Clips
from training.papers.aunet_labels import LabelVae, label_vae
from training.papers.aunet_network import Network, Variant
from training.papers.data import Cast
from training.papers.fitting import DEVICE, Course
from training.papers.saying import say
from training.papers.system import Order

RATE: Final = 1e-3
ROUND: Final = 160
"""Performers between two checkpoints."""

_DECAY: Final = 0.01
_SHARE_OF_LABELS: Final = 1.0
_LONGEST_STEP: Final = 5.0
_RAREST: Final = 0.01
_HALF: Final = torch.bfloat16


class Trainee:
    """A variant in training; taken up where its checkpoint left off.

    Attributes:
        variant: Which.
        network: Its layers.
        done: Rounds so far.
    """

    def __init__(self, variant: Variant, order: Order) -> None:
        """Begins, or reads the checkpoint."""
        torch.manual_seed(order.seed)
        self.variant = variant
        self.network = Network(variant).to(DEVICE)
        self.done = 0
        self._optimizer = torch.optim.AdamW(self.network.parameters(), RATE, weight_decay=_DECAY)
        self._checkpoint = order.checkpoints / f"aunet-{variant.name}.pt"
        if self._checkpoint.exists():
            kept: dict[str, Any] = torch.load(self._checkpoint, map_location=DEVICE, weights_only=True)
            self.network.load_state_dict(kept["network"])
            self._optimizer.load_state_dict(kept["optimizer"])
            self.done = int(kept["done"])
            say(f"{self._checkpoint.stem}: taken up after round {self.done}")

    def step(self, batch: Batch, rate: float, losses: "Losses") -> float:
        """One step; returns the classification loss."""
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self.network.train()
        logits = look(self.network, batch)[batch.usable]
        error = losses.classification(logits, batch.values[batch.usable])
        whole = error
        if self.variant.labels:
            shown = batch.performed & batch.usable
            predicted = torch.sigmoid(logits[shown[batch.usable]])
            if len(predicted):
                whole = error + _SHARE_OF_LABELS * losses.labels.distance(predicted, batch.values[shown])
        self._optimizer.zero_grad()
        whole.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), _LONGEST_STEP)
        self._optimizer.step()
        return float(error.detach())

    def keep(self) -> None:
        """Writes the checkpoint of another round."""
        self.done += 1
        self._checkpoint.parent.mkdir(parents=True, exist_ok=True)
        state = {
            "done": self.done,
            "network": self.network.state_dict(),
            "optimizer": self._optimizer.state_dict(),
        }
        temporary = self._checkpoint.with_suffix(".part")
        torch.save(state, temporary)
        temporary.replace(self._checkpoint)


@dataclass(frozen=True, slots=True)
class Losses:
    """What is made small.

    Attributes:
        weights: (P,) the rarer an AU, the larger; their sum is 1.
        labels: The label VAE.
    """

    weights: torch.Tensor
    labels: LabelVae

    def classification(self, logits: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        """The paper's equation 1 for values between 0 and 1: (N, P) each to one number."""
        each = nn.functional.binary_cross_entropy_with_logits(logits, values, reduction="none")
        return (each * self.weights).sum(dim=1).mean()


def balance(values: NDArray[np.float32]) -> torch.Tensor:
    """(P,) weights by how often (M, P) values show each AU."""
    often = np.maximum((values > PRESENT_ABOVE).mean(axis=0), _RAREST)
    return torch.from_numpy((1.0 / often / (1.0 / often).sum()).astype(np.float32))


def rounds(order: Order) -> int:
    """Rounds of a whole training."""
    return order.epochs * -(-order.casts["training"].performers // ROUND)


def fit(variants: Sequence[Variant], order: Order) -> tuple[dict[str, Network], str]:
    """Trains variants together, each from where it was left.

    Returns:
        The networks by the variants' names, in evaluation mode; what was shortened, empty where nothing was.
    """
    cast = order.casts["training"]
    course = Course(rounds(order), RATE, order.deadline_s)
    trainees = [Trainee(variant, order) for variant in variants]
    if any(course.goes_on(trainee.done) for trainee in trainees):
        labels = label_vae(cast.performers, order.seed, order.checkpoints / "aunet-labels.pt")
        losses = Losses(balance(cast.frames.values).to(DEVICE), labels)
        clips = Clips(cast, order.seed)
        started = time.perf_counter()
        while course.goes_on(min(trainee.done for trainee in trainees)):
            number = min(trainee.done for trainee in trainees)
            behind = [trainee for trainee in trainees if trainee.done == number]
            found = _round(behind, clips, number, (course.rate_of(number), losses))
            for trainee in behind:
                trainee.keep()
            told = ", ".join(f"{name} {loss:.4f}" for name, loss in found.items())
            minutes = (time.perf_counter() - started) / 60
            say(f"aunet: round {number + 1}/{course.epochs}, loss {told}, {minutes:.1f} min")
    least = min(trainee.done for trainee in trainees)
    missing = f"{least} of {course.epochs} rounds of {ROUND} performers were trained, then the time was up"
    networks = {trainee.variant.name: trainee.network.eval() for trainee in trainees}
    return networks, missing if least < course.epochs else ""


def _round(behind: list[Trainee], clips: Clips, number: int, how: tuple[float, Losses]) -> dict[str, float]:
    totals = {trainee.variant.name: 0.0 for trainee in behind}
    count = 0
    for batch in clips.treated(number, ROUND):
        if not batch.usable.any():
            continue
        batch = batch.to(DEVICE)
        for trainee in behind:
            totals[trainee.variant.name] += trainee.step(batch, *how)
        count += 1
    return {name: total / max(count, 1) for name, total in totals.items()}


def look(network: Network, batch: Batch) -> torch.Tensor:
    """(F, P) float32 logits."""
    with torch.autocast(DEVICE.type, _HALF):
        basic = batch.basic.contiguous(memory_format=torch.channels_last)
        return network(basic, batch.earlier, batch.later).float()


@dataclass(frozen=True, slots=True)
class Judged:
    """What a variant said of a cast's usable pictures.

    Attributes:
        outcome: (M, P) values and truth.
        performed: (M,) bool: of performances.
        performer: (M,) whose picture it is.
    """

    outcome: Outcome
    performed: NDArray[np.bool_]
    performer: NDArray[np.int64]


def judge(networks: dict[str, Network], cast: Cast) -> dict[str, Judged]:
    """Runs networks on a cast as it was filmed, by their names."""
    said: dict[str, list[NDArray[np.float32]]] = {name: [] for name in networks}
    truth: list[NDArray[np.float32]] = []
    usable: list[NDArray[np.bool_]] = []
    performed: list[NDArray[np.bool_]] = []
    with torch.no_grad():
        for plain in Clips(cast).plain():
            batch = plain.to(DEVICE)
            for name, network in networks.items():
                said[name].append(torch.sigmoid(look(network, batch)).cpu().numpy())
            truth.append(plain.values.numpy())
            usable.append(plain.usable.numpy())
            performed.append(plain.performed.numpy())
    seen = np.concatenate(usable)
    known, acted = np.concatenate(truth)[seen], np.concatenate(performed)[seen]
    people = np.repeat(np.arange(cast.performers), len(seen) // cast.performers)[seen]
    return {name: Judged(Outcome(np.concatenate(parts)[seen], known), acted, people) for name, parts in said.items()}
