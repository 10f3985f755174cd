"""A training loop for all systems: passes over minibatches, a checkpoint after each, and an end in time."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from torch import nn

from training.papers.saying import say

DEVICE: Final = torch.device("cuda" if torch.cuda.is_available() else "cpu")
_LONGEST_STEP: Final = 5.0

Batch = tuple[torch.Tensor, torch.Tensor]
"""Pictures or features (N, ...), and targets (N, P)."""


@dataclass(frozen=True, slots=True)
class Course:
    """How long something is trained, and how fast.

    Attributes:
        epochs: Passes over the training pictures.
        rate: Learning rate of the first pass; it falls along a cosine.
        deadline_s: `time.monotonic()` after which no further pass begins, but for the first; None for all of them.
    """

    epochs: int
    rate: float
    deadline_s: float | None = None

    def goes_on(self, done: int) -> bool:
        """Whether another pass should begin after some."""
        in_time = self.deadline_s is None or time.monotonic() < self.deadline_s
        return done < self.epochs and (in_time or not done)

    def rate_of(self, done: int) -> float:
        """Learning rate of the pass after some."""
        return self.rate * 0.5 * (1.0 + math.cos(math.pi * done / self.epochs))


class Fitting:
    """A network in training; taken up where its checkpoint left off.

    Attributes:
        network: What is trained.
        done: Passes so far.
    """

    def __init__(
        self,
        network: nn.Module,
        optimizer: torch.optim.Optimizer,
        loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
        checkpoint: Path,
    ) -> None:
        """Puts the parts together.

        Args:
            network: What is trained.
            optimizer: Over its parameters.
            loss: Answers and targets, both (N, P), to one number.
            checkpoint: File that is written after each pass, and read now where it is there.
        """
        self.network = network
        self.done = 0
        self._optimizer, self._loss, self._checkpoint = optimizer, loss, checkpoint
        if checkpoint.exists():
            kept: dict[str, Any] = torch.load(checkpoint, map_location=DEVICE, weights_only=True)
            network.load_state_dict(kept["network"])
            optimizer.load_state_dict(kept["optimizer"])
            self.done = int(kept["done"])
            say(f"{checkpoint.stem}: taken up after pass {self.done}")

    def run(self, course: Course, batches: Callable[[int], Iterator[Batch]]) -> str:
        """Trains on.

        Args:
            course: How long.
            batches: Gives the batches of a pass, by its number from 0.

        Returns:
            What was shortened, for people; empty where nothing was.
        """
        self.network.to(DEVICE)
        started = time.perf_counter()
        while course.goes_on(self.done):
            loss = self._pass(course.rate_of(self.done), batches(self.done))
            self.done += 1
            self._keep()
            minutes = (time.perf_counter() - started) / 60
            say(f"{self._checkpoint.stem}: pass {self.done}/{course.epochs}, loss {loss:.4f}, {minutes:.1f} min")
        self.network.cpu().eval()
        missing = self.done < course.epochs
        return f"{self.done} of {course.epochs} passes were trained, then the time was up" if missing else ""

    def _pass(self, rate: float, batches: Iterator[Batch]) -> float:
        """Mean loss of one pass."""
        self.network.train()
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        total, count = 0.0, 0
        for shown, wanted in batches:
            error = self._loss(self.network(shown.to(DEVICE)), wanted.to(DEVICE))
            self._optimizer.zero_grad()
            error.backward()
            nn.utils.clip_grad_norm_(self.network.parameters(), _LONGEST_STEP)
            self._optimizer.step()
            total, count = total + float(error.detach()), count + 1
        return total / max(count, 1)

    def _keep(self) -> None:
        self._checkpoint.parent.mkdir(parents=True, exist_ok=True)
        state = {
            "done": self.done,
            "network": self.network.state_dict(),
            "optimizer": self._optimizer.state_dict(),
        }
        temporary = self._checkpoint.with_suffix(".part")
        torch.save(state, temporary)
        temporary.replace(self._checkpoint)
