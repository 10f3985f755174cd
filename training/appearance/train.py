"""Training loop of the appearance networks, with checkpoints, and the amplitude of what they say."""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from au_mocap.landmarks import COUNT
from training.appearance.batches import Batch, Films
from training.appearance.network import Design, Model
from training.geometry.network import Statistics
from training.outcome import Outcome, amplitude
from training.synth.film import FRAMES_PER_PERFORMER, NEUTRAL_FRAMES

DEVICE: Final = torch.device("cuda" if torch.cuda.is_available() else "cpu")
PERFORMERS_PER_BATCH: Final = 4
_LEARNING_RATE: Final = 7e-4
_WEIGHT_DECAY: Final = 0.05
_RARE_VARIANCE: Final = 0.01
_WEIGHT_OF_MISSED: Final = 0.1
_LONGEST_STEP: Final = 1.0
_FEWEST_STEPS: Final = 40  # fewer cannot be divided into a rise and a fall


@dataclass(slots=True)
class Trainee:
    """A model with what drives it."""

    model: Model
    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler


class Training:
    """Several designs trained at once on the same batches: running the landmark graph is what takes the time."""

    def __init__(
        self, designs: Sequence[Design], training: Films, validation: Films, epochs: int, seed: int, folder: Path
    ) -> None:
        """Starts, or takes up where `folder` left off.

        Args:
            designs: What to train.
            training: Performers to learn from.
            validation: Performers that progress is shown on.
            epochs: Passes over `training`.
            seed: Chooses first weights, order and changes of the pictures.
            folder: Where a checkpoint is kept after each pass.
        """
        torch.manual_seed(seed)
        self._training, self._validation, self._epochs, self._seed = training, validation, epochs, seed
        self._checkpoint = folder / "checkpoint.pt"
        statistics, *scales = _statistics(validation)
        self._balance, self._usual_miss, self._miss_scale = (table.to(DEVICE) for table in scales)
        steps = epochs * -(-training.performers // PERFORMERS_PER_BATCH)
        self._trainees = {design.name: _trainee(design, statistics, steps) for design in designs}
        self._done = 0
        self._take_up()

    def run(self) -> dict[str, Model]:
        """Trains to the end.

        Returns:
            The models by name, ready to be used.
        """
        started = time.perf_counter()
        while self._done < self._epochs:
            losses = self._pass(self._done)
            self._done += 1
            self._keep()
            scores = {name: outcome.feafa_icc for name, outcome in self.evaluate(self._validation).items()}
            report = ", ".join(f"{name} loss {losses[name]:.4f} ICC {scores[name]:.3f}" for name in scores)
            _say(f"epoch {self._done}/{self._epochs}: {report}, {(time.perf_counter() - started) / 60:.1f} min")
        return {name: trainee.model.cpu().eval() for name, trainee in self._trainees.items()}

    def evaluate(self, films: Films, trust: float = 1.0) -> dict[str, Outcome]:
        """Predictions on the plain pictures, with each performer's own neutral (trust 1) or the generic one (0)."""
        return evaluate({name: trainee.model for name, trainee in self._trainees.items()}, films, trust)

    def _pass(self, epoch: int) -> dict[str, float]:
        totals = dict.fromkeys(self._trainees, 0.0)
        generator = torch.Generator().manual_seed(1000 * self._seed + epoch)
        for trainee in self._trainees.values():
            trainee.model.train()
        count = 0
        for batch in self._training.batches(PERFORMERS_PER_BATCH, 1000 * self._seed + epoch + 1):
            batch = batch.to(DEVICE)
            trust = _draw_trust(len(batch.shares), generator).to(DEVICE)
            for name, trainee in self._trainees.items():
                totals[name] += self._step(trainee, batch, trust)
            count += 1
        return {name: total / count for name, total in totals.items()}

    def _step(self, trainee: Trainee, batch: Batch, trust: torch.Tensor) -> float:
        model = trainee.model
        with torch.autocast(DEVICE.type, torch.bfloat16):
            embedding = model.embed(batch.maps)
        predicted = predict(model, batch, embedding, trust)
        error = ((predicted - batch.values).square() * self._balance)[batch.seen].mean()
        missed = (batch.shape - batch.landmarks - self._usual_miss) / self._miss_scale
        error_of_shape = (model.missed(embedding).view(-1, COUNT, 3) - missed).square()[batch.seen].mean()
        trainee.optimizer.zero_grad()
        (error + _WEIGHT_OF_MISSED * error_of_shape).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), _LONGEST_STEP)
        trainee.optimizer.step()
        trainee.schedule.step()
        return float(error.detach())

    def _keep(self) -> None:
        self._checkpoint.parent.mkdir(parents=True, exist_ok=True)
        state = {
            name: (trainee.model.state_dict(), trainee.optimizer.state_dict(), trainee.schedule.state_dict())
            for name, trainee in self._trainees.items()
        }
        temporary = self._checkpoint.with_suffix(".part")
        torch.save({"done": self._done, "epochs": self._epochs, "state": state}, temporary)
        temporary.replace(self._checkpoint)

    def _take_up(self) -> None:
        if not self._checkpoint.exists():
            return
        kept: dict[str, Any] = torch.load(self._checkpoint, map_location=DEVICE, weights_only=True)
        if kept["epochs"] != self._epochs or set(kept["state"]) != set(self._trainees):
            _say(f"{self._checkpoint} belongs to another plan and is not used")
            return
        for name, (model, optimizer, schedule) in kept["state"].items():
            trainee = self._trainees[name]
            trainee.model.load_state_dict(model)
            trainee.optimizer.load_state_dict(optimizer)
            trainee.schedule.load_state_dict(schedule)
        self._done = kept["done"]
        _say(f"taken up after epoch {self._done}")


def predict(model: Model, batch: Batch, embedding: torch.Tensor, trust: torch.Tensor) -> torch.Tensor:
    """(F, P) values, each performer measured against the neutral that the batch's shares make.

    Args:
        model: Whose head is asked.
        batch: The frames.
        embedding: (F, E) of the frames.
        trust: (I, 478, 1) trust in each performer's neutral.
    """
    shape = (len(batch.shares), FRAMES_PER_PERFORMER, -1)
    calm = batch.shares[:, :, None]
    landmarks = (batch.landmarks.view(*shape)[:, :NEUTRAL_FRAMES] * calm).sum(1).view(-1, COUNT, 3)
    rest = (embedding.view(*shape)[:, :NEUTRAL_FRAMES] * calm).sum(1)
    neutrals = (table.repeat_interleave(FRAMES_PER_PERFORMER, 0) for table in (landmarks, trust, rest))
    return model.head(batch.landmarks, batch.rotation, embedding, *neutrals)


def evaluate(models: dict[str, Model], films: Films, trust: float = 1.0) -> dict[str, Outcome]:
    """Predictions of several models on the plain pictures of some performers, where the landmark graph saw a face."""
    predicted: dict[str, list[NDArray[np.float32]]] = {name: [] for name in models}
    truth: list[NDArray[np.float32]] = []
    for model in models.values():
        model.eval()
    with torch.no_grad():
        for plain in films.batches(PERFORMERS_PER_BATCH, None):
            batch = plain.to(next(iter(models.values())).missed.weight.device)
            weight = torch.full((len(batch.shares), COUNT, 1), trust, device=batch.shares.device)
            for name, model in models.items():
                values = predict(model, batch, model.embed(batch.maps), weight)
                predicted[name].append(values.clamp(0.0, 1.0)[batch.seen].cpu().numpy())
            truth.append(plain.values[plain.seen].numpy())
    return {name: Outcome(np.concatenate(tables), np.concatenate(truth)) for name, tables in predicted.items()}


def restore_amplitude(model: Model, validation: Outcome) -> NDArray[np.float64]:
    """Scales each output by `outcome.amplitude`; (P,) gains that were applied."""
    gains = amplitude(validation)
    scale = torch.from_numpy(gains.astype(np.float32))
    with torch.no_grad():
        for layer in (model.head.values, model.head.direct):
            layer.weight *= scale[:, None]
        model.head.values.bias *= scale
    return gains


def _trainee(design: Design, statistics: Statistics, steps: int) -> Trainee:
    model = Model(design, statistics).to(DEVICE)
    model.stage = model.stage.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    optimizer = torch.optim.AdamW(model.parameters(), _LEARNING_RATE, weight_decay=_WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _LEARNING_RATE, max(steps, _FEWEST_STEPS), pct_start=0.1)
    return Trainee(model, optimizer, schedule)


def _statistics(films: Films) -> tuple[Statistics, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Scales of the landmarks, (P,) weight of each channel, (478, 3) mean and spread of what the tracker misses."""
    batches = list(films.batches(PERFORMERS_PER_BATCH, None))
    landmarks, shape, values, seen = (
        torch.cat([getattr(batch, name) for batch in batches]) for name in ("landmarks", "shape", "values", "seen")
    )
    faces = landmarks.view(-1, FRAMES_PER_PERFORMER, COUNT, 3)
    neutral = faces[:, :NEUTRAL_FRAMES].mean(1)
    least = torch.tensor(1e-3)
    statistics = Statistics(
        neutral=neutral.mean(0).numpy(),
        delta_scale=torch.maximum((faces - neutral[:, None]).flatten(0, 1)[seen].std(0), least).numpy(),
        neutral_scale=torch.maximum(neutral.std(0), least).numpy(),
    )
    # Balanced over channels: each counts by how much it varies, so that rare ones are not drowned.
    balance = 1.0 / (values.var(0) + _RARE_VARIANCE)
    missed = (shape - landmarks)[seen]
    return statistics, balance / balance.mean(), missed.mean(0), torch.maximum(missed.std(0), least)


def _draw_trust(count: int, generator: torch.Generator) -> torch.Tensor:
    """(count, 478, 1): full trust for most performers, none for some, a part for the others."""
    kind = torch.rand(count, 1, 1, generator=generator)
    part = torch.rand(count, 1, 1, generator=generator)
    trust = torch.where(kind < 0.7, torch.ones(()), torch.where(kind < 0.85, torch.zeros(()), part))
    return trust.expand(-1, COUNT, 1)


def _say(message: str) -> None:
    sys.stderr.write(message + "\n")
