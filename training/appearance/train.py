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

from au_mocap.channels import PREDICTED_IDS
from au_mocap.landmarks import COUNT
from training.appearance.batches import Batch, Films
from training.appearance.network import Design, Head, Model, Statistics
from training.outcome import Outcome, amplitude
from training.synth.film import FRAMES_PER_PERFORMER, NEUTRAL_FRAMES

DEVICE: Final = torch.device("cuda" if torch.cuda.is_available() else "cpu")
PERFORMERS_PER_BATCH: Final = 4
_LEARNING_RATE: Final = 1e-3
_WEIGHT_DECAY: Final = 0.05
_HEAD_LEARNING_RATE: Final = 1e-4  # what the head was taught would be lost at the stage's rate
_TEACHING_RATE: Final = 1.5e-3
_TEACHING_DECAY: Final = 0.1
_TEACHING_PASSES: Final = 5
_PERFORMERS_PER_LESSON: Final = 20
_RARE_VARIANCE: Final = 0.01
_WEIGHT_OF_SHAPE: Final = 0.5
_SHARE_OF_PLACE: Final = 0.3
_LONGEST_STEP: Final = 1.0
_FEWEST_STEPS: Final = 40  # fewer cannot be divided into a rise and a fall
_SMALLEST_SCALE: Final = 1e-3
_FURTHEST_MISS: Final = 5.0

REAL_LIDS: Final = 1.25
"""Gain of closing eyes, beside what the validation cast gives: real blinks read lower than rendered ones.

With it the weakest full blink of two real clips (single_face, langer) just reads 1. The webcam clips were in view when
it was chosen over a smaller one, so their blinks are no independent test of it.
"""


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
            seed: Chooses first weights, order and neutrals.
            folder: Where a checkpoint is kept after each pass.
        """
        torch.manual_seed(seed)
        self._training, self._validation, self._epochs, self._seed = training, validation, epochs, seed
        self._checkpoint = folder / "checkpoint.pt"
        self._statistics, balance = _statistics(validation)
        self._balance = balance.to(DEVICE)
        steps = epochs * -(-training.performers // PERFORMERS_PER_BATCH)
        self._trainees = {design.name: _trainee(design, self._statistics, steps) for design in designs}
        self._done = 0
        self._take_up()

    def run(self) -> dict[str, Model]:
        """Trains to the end.

        Returns:
            The models by name, ready to be used.
        """
        started = time.perf_counter()
        if not self._done:
            self._teach_heads()
        while self._done < self._epochs:
            losses = self._pass(self._done)
            self._done += 1
            self._keep()
            scores = {name: outcome.feafa_icc for name, outcome in self.evaluate(self._validation).items()}
            report = ", ".join(f"{name} loss {losses[name]:.4f} ICC {scores[name]:.3f}" for name in scores)
            _say(f"epoch {self._done}/{self._epochs}: {report}, {(time.perf_counter() - started) / 60:.1f} min")
        return {name: trainee.model.cpu().eval() for name, trainee in self._trainees.items()}

    def _teach_heads(self) -> None:
        """The heads learn to read true landmarks, and any mixture with tracked ones, before there is a stage.

        Values follow from true landmarks so surely that a head that knows how tells the stage what to look for. Both
        from nothing at once, each would wait for the other.
        """
        cast = self._training.tracked()
        generator = torch.Generator().manual_seed(self._seed)
        for trainee in self._trainees.values():
            head = trainee.model.head.train()
            groups = [
                group
                for _ in range(_TEACHING_PASSES)
                for group in torch.randperm(len(cast.shares), generator=generator).split(_PERFORMERS_PER_LESSON)
            ]
            optimizer = torch.optim.AdamW(head.parameters(), _TEACHING_RATE, weight_decay=_TEACHING_DECAY)
            steps = max(len(groups), _FEWEST_STEPS)
            schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _TEACHING_RATE, steps, pct_start=0.1)
            for group in groups:
                batch = cast.of(group).to(DEVICE)
                trust = draw_trust(len(group), generator).to(DEVICE)
                mixed = torch.rand(len(group), generator=generator).to(DEVICE)
                share = mixed.repeat_interleave(FRAMES_PER_PERFORMER)[:, None, None]
                nothing = torch.zeros(len(batch.values), head.generic_embedding.numel(), device=DEVICE)
                shape = torch.lerp(head.correct(batch.landmarks, nothing).detach(), batch.shape, share)
                predicted = read(head, batch, shape, nothing, trust)
                error = ((predicted - batch.values).square() * self._balance)[batch.usable].mean()
                optimizer.zero_grad()
                error.backward()
                optimizer.step()
                schedule.step()
            _say(f"{trainee.model.design.name}: the head reads landmarks, loss {float(error.detach()):.3f}")

    def evaluate(self, films: Films) -> dict[str, Outcome]:
        """Predictions on the plain pictures, where the landmark graph saw a face, with each performer's own neutral."""
        models = {name: trainee.model.eval() for name, trainee in self._trainees.items()}
        predicted: dict[str, list[NDArray[np.float32]]] = {name: [] for name in models}
        truth: list[NDArray[np.float32]] = []
        with torch.no_grad():
            for plain in films.batches(PERFORMERS_PER_BATCH, None):
                batch = plain.to(DEVICE)
                trust = torch.ones(len(batch.shares), COUNT, 1, device=DEVICE)
                for name, model in models.items():
                    values = predict(model, batch, trust)
                    predicted[name].append(values.clamp(0.0, 1.0)[batch.usable].cpu().numpy())
                truth.append(plain.values[plain.usable].numpy())
        return {name: Outcome(np.concatenate(tables), np.concatenate(truth)) for name, tables in predicted.items()}

    def _pass(self, epoch: int) -> dict[str, float]:
        totals = dict.fromkeys(self._trainees, 0.0)
        generator = torch.Generator().manual_seed(1000 * self._seed + epoch)
        for trainee in self._trainees.values():
            trainee.model.train()
        count = 0
        for batch in self._training.batches(PERFORMERS_PER_BATCH, epoch, self._seed):
            batch = batch.to(DEVICE)
            trust = draw_trust(len(batch.shares), generator).to(DEVICE)
            for name, trainee in self._trainees.items():
                totals[name] += self._step(trainee, batch, trust)
            count += 1
        return {name: total / count for name, total in totals.items()}

    def _step(self, trainee: Trainee, batch: Batch, trust: torch.Tensor) -> float:
        """One step; returns the share of the values' variance that is left unexplained, balanced over channels."""
        model = trainee.model
        with torch.autocast(DEVICE.type, torch.bfloat16):
            embedding = model.embed(batch.seen, batch.at)
        shape = model.head.correct(batch.landmarks, embedding)
        with torch.autocast(DEVICE.type, torch.bfloat16):
            predicted = read(model.head, batch, shape, embedding, trust)
        error, error_of_shape = errors(model.head, batch, shape, predicted.float(), self._balance)
        trainee.optimizer.zero_grad()
        (error + _WEIGHT_OF_SHAPE * error_of_shape).backward()
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


def predict(model: Model, batch: Batch, trust: torch.Tensor) -> torch.Tensor:
    """(F, P) values, each performer measured against the neutral that the batch's shares make.

    Args:
        model: Whose answer is wanted.
        batch: The frames.
        trust: (I, 478, 1) trust in each performer's neutral.
    """
    embedding = model.embed(batch.seen.float(), batch.at)
    return read(model.head, batch, model.head.correct(batch.landmarks, embedding), embedding, trust)


def read(head: Head, batch: Batch, shape: torch.Tensor, embedding: torch.Tensor, trust: torch.Tensor) -> torch.Tensor:
    """(F, P) values of corrected landmarks (F, 478, 3) and embeddings (F, E)."""
    neutral, rest = (_neutral(table, batch.shares) for table in (shape, embedding))
    return head.read(shape, batch.rotation, embedding, neutral, trust.repeat_interleave(FRAMES_PER_PERFORMER, 0), rest)


def _neutral(table: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
    """(F, ...) of all frames to the mean of the neutral frames, the same for all frames of a performer."""
    calm = table.view(len(shares), FRAMES_PER_PERFORMER, *table.shape[1:])[:, :NEUTRAL_FRAMES]
    weights = shares.view(*shares.shape, *(1,) * (table.dim() - 1))
    return (calm * weights).sum(1).repeat_interleave(FRAMES_PER_PERFORMER, 0)


def restore_amplitude(model: Model, validation: Outcome) -> NDArray[np.float64]:
    """Scales each output by `outcome.amplitude`, lids by `REAL_LIDS` too; (P,) gains that were applied."""
    gains = amplitude(validation)
    gains[[PREDICTED_IDS.index(f"eye_close_{side}") for side in "LR"]] *= REAL_LIDS
    scale = torch.from_numpy(gains.astype(np.float32))
    with torch.no_grad():
        for layer in (model.head.values, model.head.direct):
            layer.weight *= scale[:, None]
        model.head.values.bias *= scale
    return gains


def _trainee(design: Design, statistics: Statistics, steps: int) -> Trainee:
    model = Model(design, statistics).to(DEVICE)
    new = [*model.stage.parameters(), *model.head.missed.parameters()]
    kept = {id(parameter) for parameter in new}
    taught = [parameter for parameter in model.head.parameters() if id(parameter) not in kept]
    rates = [_LEARNING_RATE, _HEAD_LEARNING_RATE]
    groups = [{"params": group, "lr": rate} for group, rate in zip((new, taught), rates, strict=True)]
    optimizer = torch.optim.AdamW(groups, weight_decay=_WEIGHT_DECAY, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rates, max(steps, _FEWEST_STEPS), pct_start=0.1)
    return Trainee(model, optimizer, schedule)


def _statistics(films: Films) -> tuple[Statistics, torch.Tensor]:
    """Scales of what the networks read, and (P,) weight of each channel."""
    batches = list(films.batches(PERFORMERS_PER_BATCH, None))
    landmarks, shape, values, usable = (
        torch.cat([getattr(batch, name) for batch in batches]) for name in ("landmarks", "shape", "values", "usable")
    )
    faces = shape.view(-1, FRAMES_PER_PERFORMER, COUNT, 3)
    neutral = faces[:, :NEUTRAL_FRAMES].mean(1)
    missed = (shape - landmarks)[usable]
    seen = torch.cat([batch.seen for batch in batches])[usable]
    seen_mean = seen.float().mean(0)
    statistics = Statistics(
        generic=neutral.mean(0),
        delta_scale=(faces - neutral[:, None]).flatten(0, 1)[usable].std(0).clamp_min(_SMALLEST_SCALE),
        neutral_scale=neutral.std(0).clamp_min(_SMALLEST_SCALE),
        usual_miss=missed.mean(0),
        miss_scale=missed.std(0).clamp_min(_SMALLEST_SCALE),
        seen_mean=seen_mean,
        seen_scale=(seen - seen_mean).square().mean((0, 1)).sqrt().clamp_min(_SMALLEST_SCALE),
    )
    return statistics, balance_of(values[usable])


def balance_of(values: torch.Tensor) -> torch.Tensor:
    """(P,) weight of each channel of (M, P) values, by how much it varies, so that rare ones are not drowned."""
    return 1.0 / (values.var(0) + _RARE_VARIANCE)


def errors(
    head: Head, batch: Batch, shape: torch.Tensor, predicted: torch.Tensor, balance: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """How far off predictions (F, P) and corrected landmarks (F, 478, 3) are.

    Returns:
        Share of the values' variance that is left unexplained, balanced over channels; the same of the landmarks.
    """
    usable = batch.usable
    error = ((predicted - batch.values).square() * balance)[usable].mean()
    off = ((shape - batch.shape) / head.miss_scale).clamp(-_FURTHEST_MISS, _FURTHEST_MISS)
    # Where a landmark is off in all of a person's frames, the neutral takes it away.
    moved_off = off - _neutral(off, batch.shares)
    place, movement = (table[usable].square().mean() for table in (off, moved_off))
    return error, _SHARE_OF_PLACE * place + (1.0 - _SHARE_OF_PLACE) * movement


def draw_trust(count: int, generator: torch.Generator) -> torch.Tensor:
    """(count, 478, 1): full trust for most performers, none for some, a part for the others."""
    kind = torch.rand(count, 1, 1, generator=generator)
    part = torch.rand(count, 1, 1, generator=generator)
    trust = torch.where(kind < 0.7, torch.ones(()), torch.where(kind < 0.85, torch.zeros(()), part))
    return trust.expand(-1, COUNT, 1)


def _say(message: str) -> None:
    sys.stderr.write(message + "\n")
