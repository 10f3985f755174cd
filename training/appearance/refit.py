"""The last step: with the stages as they are, heads are fitted on large batches, and second looks are made use of.

Together with a stage, a head can only be trained on few performers at a time and at a small rate. On embeddings that
are kept, it is a matter of minutes.
"""

import sys
from collections.abc import Mapping
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from au_mocap.landmarks import COUNT
from training.appearance.looks import Glance, Looks
from training.appearance.network import Model
from training.appearance.second_look import Fusion
from training.appearance.train import balance_of, draw_trust, errors, read
from training.outcome import Outcome

MOST_PERFORMERS: Final = 4000
"""Of the training cast: more would only take longer, a fifth of them raised the validation ICC as much."""

_PASSES: Final = 6
_PERFORMERS_PER_BATCH: Final = 16
_HEAD_RATE: Final = 1e-4
_FUSION_RATE: Final = 1e-3
_WEIGHT_DECAY: Final = 0.05
_WEIGHT_OF_SHAPE: Final = 0.5
_LONGEST_STEP: Final = 1.0
_FEWEST_STEPS: Final = 40


def refit(models: Mapping[str, Model], training: Looks, validation: Looks, seed: int) -> dict[str, Fusion]:
    """Fits heads anew, in place.

    Args:
        models: Trained; their stages stay as they are.
        training: What the stages say of performers to learn from.
        validation: Of those that progress is shown on.
        seed: Chooses order and neutrals.

    Returns:
        For each model whose design takes a second look, what makes one embedding of two.
    """
    torch.manual_seed(seed)
    fusions = {name: Fusion(model.design.embedding) for name, model in models.items() if model.design.second_look}
    for name, model in models.items():
        _fit(model, fusions.get(name), training, validation, seed)
    return fusions


def evaluate(
    models: Mapping[str, Model], fusions: Mapping[str, Fusion], looks: Looks, trust: float = 1.0
) -> dict[str, Outcome]:
    """Predictions where the landmark graph saw a face, with own neutrals (trust 1) or the generic one (0)."""
    return {name: _outcome(model, fusions.get(name), looks, trust) for name, model in models.items()}


def _fit(model: Model, fusion: Fusion | None, training: Looks, validation: Looks, seed: int) -> None:
    name, head = model.design.name, model.head
    groups = [{"params": list(head.parameters()), "lr": _HEAD_RATE}]
    if fusion is not None:
        groups.append({"params": list(fusion.parameters()), "lr": _FUSION_RATE})
    optimizer = torch.optim.AdamW(groups, weight_decay=_WEIGHT_DECAY)
    steps = max(_PASSES * -(-training.performers // _PERFORMERS_PER_BATCH), _FEWEST_STEPS)
    rates = [float(group["lr"]) for group in groups]  # type: ignore[arg-type]
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rates, steps, pct_start=0.1)
    balance = balance_of(torch.from_numpy(training.values))
    rng, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    for number in range(_PASSES):
        total = 0.0
        batches = _batches(training.performers, rng)
        for performers in batches:
            head.train()
            seen = training.glance(name, performers, bool(rng.random() < 0.5), rng)
            embedding = _embedding(seen, fusion.train() if fusion is not None else None)
            shape = head.correct(seen.batch.landmarks, embedding)
            predicted = read(head, seen.batch, shape, embedding, draw_trust(len(performers), generator))
            error, error_of_shape = errors(head, seen.batch, shape, predicted, balance)
            optimizer.zero_grad()
            (error + _WEIGHT_OF_SHAPE * error_of_shape).backward()
            torch.nn.utils.clip_grad_norm_([one for group in groups for one in group["params"]], _LONGEST_STEP)
            optimizer.step()
            schedule.step()
            total += float(error.detach())
        icc = _outcome(model, fusion, validation, 1.0).feafa_icc
        sys.stderr.write(f"{name}: refit {number + 1}/{_PASSES}: loss {total / len(batches):.4f} ICC {icc:.3f}\n")


def _batches(performers: int, rng: np.random.Generator | None = None) -> list[NDArray[np.integer]]:
    order = np.arange(performers) if rng is None else rng.permutation(performers)
    return [order[start : start + _PERFORMERS_PER_BATCH] for start in range(0, performers, _PERFORMERS_PER_BATCH)]


def _embedding(seen: Glance, fusion: Fusion | None) -> torch.Tensor:
    return seen.own if fusion is None else fusion(seen.own, seen.other, seen.apart)


def _outcome(model: Model, fusion: Fusion | None, looks: Looks, trust: float) -> Outcome:
    head = model.head.eval()
    if fusion is not None:
        fusion.eval()
    predicted: list[NDArray[np.float32]] = []
    truth: list[NDArray[np.float32]] = []
    with torch.no_grad():
        for performers in _batches(looks.performers):
            seen = looks.glance(model.design.name, performers)
            embedding = _embedding(seen, fusion)
            weight = torch.full((len(performers), COUNT, 1), trust)
            values = read(head, seen.batch, head.correct(seen.batch.landmarks, embedding), embedding, weight)
            predicted.append(values.clamp(0.0, 1.0)[seen.batch.usable].numpy())
            truth.append(seen.batch.values[seen.batch.usable].numpy())
    return Outcome(np.concatenate(predicted), np.concatenate(truth))
