"""From folders of labels to a change that something was gained by, or a message that says why there is none."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from au_mocap import DEFAULT_REGRESSOR, channels
from au_mocap.errors import SettingsError
from au_mocap.registry import BUNDLED, Registry
from au_mocap.regressors import open_regressor
from training.appearance.network import Head
from training.finetune import adapter, base, clips, corrected, fit, holding
from training.finetune.holding import Need

_MOST_LISTED: Final = 12
_CHUNK: Final = 512


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be adapted to what.

    Attributes:
        labels: Folders `NAME.annotation`, or corrected tables `NAME.csv` beside their takes.
        base: Name of the regressor that is adapted.
        coder: Whose labels; None for the agreed ones.
        models: Further model folders, whose regressors may have made takes.
        passes: Most passes of the fit, see `fit.learn`.
    """

    labels: tuple[Path, ...]
    base: str = DEFAULT_REGRESSOR
    coder: str | None = None
    models: tuple[Path, ...] = ()
    passes: int = fit.PASSES


@dataclass(frozen=True, slots=True)
class Learnt:
    """What came of it.

    Attributes:
        base: What was adapted.
        source: The same, ready to run.
        clips: The labelled clips.
        split: Which of their frames were learnt from.
        changed: Ids of the channels that changed.
        short: Channels whose labels were too few.
        head: The head with its change.
    """

    base: base.Base
    source: clips.Source
    clips: tuple[clips.Clip, ...]
    split: holding.Split
    changed: tuple[str, ...]
    short: tuple[Need, ...]
    head: adapter.AdaptedHead


def learn(order: Order) -> Learnt:
    """Adapts a head to labels.

    Raises:
        SettingsError: The labels are too few, or nothing can be gained by them; the message says how many it takes.
        AuMocapError: Labels, clip or base cannot be used.
    """
    if len({path.resolve() for path in order.labels}) < len(order.labels):
        message = "Labels are named twice: its frames would be learnt from and held back at once."
        raise SettingsError(message)
    registry = Registry((BUNDLED, *order.models))
    found = base.load(registry, order.base)
    source = clips.Source(registry, open_regressor(registry, order.base, "cpu"), found.stage)
    labelled = tuple(
        corrected.read(path, source) if path.suffix == corrected.SUFFIX else clips.read(path, source, order.coder)
        for path in order.labels
    )
    return learn_from(found, source, labelled, order.passes)


def learn_from(
    found: base.Base, source: clips.Source, labelled: tuple[clips.Clip, ...], passes: int = fit.PASSES
) -> Learnt:
    """As `learn`, from clips that are read already."""
    split = holding.split(labelled)
    weight = np.concatenate([clip.weight for clip in labelled])
    needs = split.needs(weight)
    _say(
        f"{len(split.held)} labelled frames with a face: {split.learnt.sum()} to learn from, {split.held.sum()} held "
        f"back in {'whole clips' if split.by_clip else 'blocks of time'}; {sum(clip.lost for clip in labelled)} without"
    )
    short = tuple(need for need in needs if need.missing)
    if len(short) == len(needs):
        raise _too_little(short)
    for need in short[:_MOST_LISTED]:
        _say(f"{need.channel} stays as it is: {need.missing}")
    wanted = np.isin(channels.PREDICTED_IDS, [need.channel for need in needs if not need.missing])
    change = fit.learn(_examples(found.head, labelled, split, weight).take(split.learnt), wanted, passes)
    if not change.changed.any():
        name = found.entry.name
        message = (
            f"Nothing was gained: '{name}' reads these labels as well as anything that was learnt from them. "
            "Keep it, or label further stretches of time. Nothing was written."
        )
        raise SettingsError(message)
    changed = tuple(np.array(channels.PREDICTED_IDS)[change.changed].tolist())
    head = adapter.AdaptedHead(found.head, torch.from_numpy(change.gain), torch.from_numpy(change.layer))
    return Learnt(found, source, labelled, split, changed, short, head)


def _too_little(short: Sequence[Need]) -> SettingsError:
    """What is missing, of the channels that lack least."""
    order = sorted(short, key=lambda need: (-need.stretches, -need.active))
    listed = "; ".join(f"{need.channel} has {need.missing}" for need in order[:3])
    message = (
        f"There is too little to learn from. A channel needs {holding.FEWEST_FRAMES} labelled frames, "
        f"{holding.FEWEST_ACTIVE} of them above 0.1, in {holding.FEWEST_STRETCHES} stretches of time, and labels that "
        f"differ by {holding.LEAST_RANGE:g}. {listed}. Label more, spread over the clip; nothing was written."
    )
    return SettingsError(message)


def _examples(
    head: Head, labelled: Sequence[clips.Clip], split: holding.Split, weight: NDArray[np.float64]
) -> fit.Examples:
    """What the fit sees of every labelled frame."""
    parts: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = []
    with torch.no_grad():
        for clip in labelled:
            own, neutral = clip.seen, clip.neutral
            rest = _tensors(neutral.landmarks, neutral.weight, neutral.embedding)
            for start in range(0, len(clip.rows), _CHUNK):
                rows = clip.rows[start : start + _CHUNK]
                frames = _tensors(own.landmarks[rows], own.rotation[rows], own.embedding[rows])
                parts.append(adapter.looked(head, frames, rest))
    joined = [torch.cat(tables).numpy().astype(np.float64) for tables in zip(*parts, strict=True)]
    return fit.Examples(joined[0], joined[1], joined[2], split.target, weight, split.block)


def _tensors(
    first: NDArray[np.float32], second: NDArray[np.float32], third: NDArray[np.float32]
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    return torch.from_numpy(first), torch.from_numpy(second), torch.from_numpy(third)


def _say(message: str) -> None:
    sys.stderr.write(message + "\n")
