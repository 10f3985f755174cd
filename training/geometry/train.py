"""Training loop and amplitude of the `geometry` head."""

import sys
import time
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from au_mocap import landmarks
from training.geometry.canonical import twins
from training.geometry.examples import statistics
from training.geometry.network import Examples, GeometryHead, batch
from training.outcome import Outcome, amplitude

_BATCH: Final = 512
_LEARNING_RATE: Final = 1.5e-3
_WEIGHT_DECAY: Final = 0.1
_RARE_VARIANCE: Final = 0.01


def train(training: Examples, validation: Examples, epochs: int, seed: int) -> GeometryHead:
    """Fits the head; keeps the weights that do best on the validation performers."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    twin = torch.from_numpy(twins())
    head = GeometryHead(statistics(training))
    torch.nn.init.zeros_(head.direct.weight)  # with so many inputs, random weights would begin far from every truth
    count = len(training.usable)
    steps = max(1, epochs * -(-count // _BATCH))
    optimizer = torch.optim.AdamW(head.parameters(), _LEARNING_RATE, weight_decay=_WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _LEARNING_RATE, steps, pct_start=0.1)
    # Balanced over channels: each counts by how much it varies, so that rare ones are not drowned.
    balance = 1.0 / (training.values.var(0) + _RARE_VARIANCE)
    balance = balance / balance.mean()
    best = (-1.0, head.state_dict())
    started = time.perf_counter()
    for epoch in range(epochs):
        head.train()
        for picked in torch.randperm(count, generator=generator).split(_BATCH):
            inputs, truth = batch(training, training.usable[picked], twin, generator)
            loss = ((head(*inputs) - truth).square() * balance).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        score = evaluate(head, validation).feafa_icc
        if score > best[0]:
            best = (score, {name: value.clone() for name, value in head.state_dict().items()})
        _say(f"epoch {epoch + 1}/{epochs}: validation ICC {score:.3f}, {time.perf_counter() - started:.0f} s")
    head.load_state_dict(best[1])
    return head.eval()


def evaluate(head: GeometryHead, examples: Examples, trust: float = 1.0) -> Outcome:
    """Predictions with each performer's own neutral (trust 1) or the generic one (trust 0)."""
    head.eval()
    rows = examples.usable
    neutral = examples.neutrals.mean(1)[examples.owner[rows]]
    weight = torch.full((len(neutral), landmarks.COUNT, 1), trust)
    with torch.no_grad():
        predicted = head(examples.landmarks[rows], examples.rotation[rows], neutral, weight).clamp(0.0, 1.0)
    return Outcome(predicted.numpy(), examples.values[rows].numpy())


def restore_amplitude(head: GeometryHead, validation: Examples) -> NDArray[np.float64]:
    """Scales each output by `outcome.amplitude`; (P,) gains that were applied."""
    gains = amplitude(evaluate(head, validation))
    scale = torch.from_numpy(gains.astype(np.float32))
    with torch.no_grad():
        head.values.weight *= scale[:, None]
        head.values.bias *= scale
        head.direct.weight *= scale[:, None]
    return gains


def _say(message: str) -> None:
    sys.stderr.write(message + "\n")
