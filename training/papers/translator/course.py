"""Training of a translator: steps of the critic and of the generator, a checkpoint now and then, and an end in time."""

import pickle
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from training.papers.fitting import DEVICE
from training.papers.saying import say
from training.papers.translator import losses
from training.papers.translator.album import Album, Batch
from training.papers.translator.network import Critic, Generator
from training.papers.translator.settings import Settings, TranslatorError

_BETAS: Final = (0.5, 0.999)
_KEPT_EVERY: Final = 100
_STEADY: Final = 2 / 3
"""Share of the steps before the learning rate falls."""


@dataclass(frozen=True, slots=True)
class Course:
    """How long a translator is trained.

    Attributes:
        steps: Of the generator.
        seed: Chooses first weights and pictures.
        deadline_s: `time.monotonic()` after which no further step begins; None for all of them.
    """

    steps: int
    seed: int
    deadline_s: float | None = None

    def goes_on(self, done: int) -> bool:
        """Whether another step should be made after some."""
        return done < self.steps and (self.deadline_s is None or time.monotonic() < self.deadline_s)

    def share(self, done: int) -> float:
        """Share of the first learning rate for the step after some."""
        return min(1.0, (self.steps - done) / max(self.steps * (1.0 - _STEADY), 1.0))


class Training:
    """A generator and its critic; taken up where their checkpoint left off.

    Attributes:
        settings: What is trained.
        generator: The translator.
        critic: Whom it has to convince.
        done: Steps of the generator so far.
    """

    def __init__(self, settings: Settings, seed: int, checkpoint: Path) -> None:
        """Draws first weights, or reads those of a checkpoint.

        Args:
            settings: What is trained.
            seed: Of the first weights.
            checkpoint: Written now and then, and read now where it is there.

        Raises:
            TranslatorError: The checkpoint cannot be read, or is another network's.
        """
        torch.manual_seed(seed)
        self.settings = settings
        self.generator, self.critic = Generator(settings).to(DEVICE), Critic(settings).to(DEVICE)
        self.done = 0
        self._optimizers = [
            torch.optim.Adam(network.parameters(), settings.rate, _BETAS) for network in (self.generator, self.critic)
        ]
        self._checkpoint = checkpoint
        if checkpoint.exists():
            self._take_up()
            say(f"{checkpoint.stem}: taken up after step {self.done}")

    def run(self, album: Album, course: Course) -> str:
        """Trains on.

        Args:
            album: Whom it learns from.
            course: How long.

        Returns:
            What was shortened, for people; empty where nothing was.
        """
        started, told = time.perf_counter(), dict[str, float]()
        while course.goes_on(self.done):
            for optimizer in self._optimizers:
                optimizer.param_groups[0]["lr"] = self.settings.rate * course.share(self.done)
            rng = np.random.default_rng([course.seed, self.done])
            for _ in range(self.settings.critic_steps):
                told |= self._criticise(album.batch(self.settings.batch, rng).to(DEVICE))
            told |= self._translate(album.batch(self.settings.batch, rng).to(DEVICE))
            self.done += 1
            if self.done % _KEPT_EVERY == 0:
                self._keep()
                minutes = (time.perf_counter() - started) / 60
                numbers = ", ".join(f"{name} {value:.3f}" for name, value in told.items())
                say(f"{self._checkpoint.stem}: step {self.done}/{course.steps}, {numbers}, {minutes:.1f} min")
        if told:
            self._keep()
        missing = self.done < course.steps
        return f"{self.done} of {course.steps} steps were trained, then the time was up" if missing else ""

    def _criticise(self, batch: Batch) -> dict[str, float]:
        """A step of the critic: it tells renders from translations, and reads values from renders."""
        weights = self.settings.weights
        with torch.no_grad():
            made = self.generator(batch.source, batch.wanted)
        real, read = self.critic(batch.source)
        apart = losses.difference(real, self.critic(made)[0])
        steep = losses.penalty(self.critic, batch.source, made, batch.shares)
        misread = losses.expression(read, batch.shown)
        self._step(1, weights.adversarial * (apart + weights.penalty * steep) + weights.expression * misread)
        return {"apart": float(apart.detach()), "steep": float(steep.detach()), "misread": float(misread.detach())}

    def _translate(self, batch: Batch) -> dict[str, float]:
        """A step of the generator: all four losses, as far as they reach it."""
        weights = self.settings.weights
        made = self.generator(batch.source, batch.wanted)
        scores, read = self.critic(made)
        missed = losses.expression(read, batch.wanted)
        lost = losses.identity(self.generator(made, batch.shown), batch.source)
        foreign = losses.idiosyncratic(made, batch.own, batch.same)
        self._step(
            0,
            weights.adversarial * -scores.mean()
            + weights.expression * missed
            + weights.identity * lost
            + weights.idiosyncratic * foreign,
        )
        return {"missed": float(missed.detach()), "lost": float(lost.detach()), "foreign": float(foreign.detach())}

    def _step(self, which: int, loss: torch.Tensor) -> None:
        optimizer = self._optimizers[which]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    def _parts(self) -> dict[str, Any]:
        return {
            "generator": self.generator,
            "critic": self.critic,
            "generator_optimizer": self._optimizers[0],
            "critic_optimizer": self._optimizers[1],
        }

    def _keep(self) -> None:
        self._checkpoint.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._checkpoint.with_suffix(".part")
        torch.save({"done": self.done} | {name: part.state_dict() for name, part in self._parts().items()}, temporary)
        temporary.replace(self._checkpoint)

    def _take_up(self) -> None:
        try:
            kept: dict[str, Any] = torch.load(self._checkpoint, map_location=DEVICE, weights_only=True)
            for name, part in self._parts().items():
                part.load_state_dict(kept[name])
            self.done = int(kept["done"])
        except (OSError, RuntimeError, KeyError, ValueError, EOFError, pickle.UnpicklingError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            message = f"{self._checkpoint} cannot be taken up ({reason}): delete it to begin anew."
            raise TranslatorError(message) from error
