"""The third paper's comparisons: 2D or 3D registration, natural or balanced levels, what is taken away, and pose."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from au_mocap import channels, metrics
from training.outcome import FEAFA
from training.papers import balance
from training.papers.registration_maps import Shown
from training.papers.registration_network import READINGS, Reader, value_of
from training.papers.registration_training import LOOKS, Variant, fit, kept, trunk_of
from training.papers.study import table
from training.papers.system import Order
from training.synth.film import FRAMES_PER_PERFORMER

BINS_DEG: Final = (0.0, 10.0, 20.0, 35.0, 90.0)
"""Limits of the head's turn, to either side, that poses are told apart by."""

_FRONTAL_RAD: Final = np.radians(BINS_DEG[1])
_PEOPLE_AT_ONCE: Final = 8
_WORDS: Final = {True: "balanced", False: "natural"}

_TEXT: Final = """\
{people} performers of the training cast, {tested} of the test cast; the engine's tracker, PyTorch. ICC(3,1), MAE and
F1 of presence (above 0.1) are means over FEAFA's 24 channels. Every network was trained with the same number of draws.

![Registered faces](papers-registered.jpg)

## Registration, levels, and what is taken away

{main}

{effects}

Levels of all AUs together, in per cent of the draws:

{levels}

## Poses

ICC by the turn of the head to either side, nothing taken away; the frames of each range in brackets. *frontal alone*
was trained on turns of at most {frontal:.0f} degrees, as the paper's networks were.

{poses}

## Shortened

{shortened}
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a network said of the test cast.

    Attributes:
        variant: How it was trained.
        values: By reading, (N, 58).
    """

    variant: Variant
    values: dict[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Asked:
    """What it was asked.

    Attributes:
        truth: (N, 58).
        seen: (N,) bool.
        yaw_rad: (N,).
    """

    truth: NDArray[np.float32]
    seen: NDArray[np.bool_]
    yaw_rad: NDArray[np.float64]

    def icc(self, values: NDArray[np.float32], within: tuple[float, float] = (0.0, 180.0)) -> float:
        """Mean over those of FEAFA's 24 channels that the frames show, of turns within degrees; NaN without any."""
        turn = np.degrees(np.abs(self.yaw_rad))
        rows = self.seen & (turn >= within[0]) & (turn < within[1])
        true = self.truth[rows, FEAFA]
        shown = true.std(axis=0) > 0 if len(true) else np.zeros(true.shape[1], np.bool_)
        return float(metrics.icc(values[rows, FEAFA], true)[shown].mean()) if shown.any() else float("nan")

    def frames(self, within: tuple[float, float]) -> int:
        """How many there are of turns within degrees."""
        turn = np.degrees(np.abs(self.yaw_rad))
        return int((self.seen & (turn >= within[0]) & (turn < within[1])).sum())


def study(order: Order) -> str:
    """Trains every combination and compares them on the test cast; Markdown."""
    trunk = trunk_of(order)
    looks = {registration: kept(order, trunk, Variant(registration)) for registration in LOOKS}
    tested = {name: look.shown(order.casts["test"], "test") for name, look in looks.items()}
    learnt = {name: look.shown(order.casts["training"], "training") for name, look in looks.items()}
    told = [f"{name}: {text}" for each in (tested, learnt) for name, (_, text) in each.items() if text]
    tests, lessons = (_alike({name: shown for name, (shown, _) in each.items()}) for each in (tested, learnt))
    variants = [Variant(name, balanced) for name in LOOKS for balanced in (False, True)]
    frontal = [Variant(name, balanced=True, widest_rad=_FRONTAL_RAD) for name in LOOKS]
    answers: list[Answer] = []
    for number, variant in enumerate((*variants, *frontal)):
        left = len(variants) + len(frontal) - number
        reader, shortened = fit(_share(order, left), lessons[variant.registration], variant)
        told += [f"{_title(variant)}: {shortened}"] if shortened else []
        answers.append(Answer(variant, read(reader, tests[variant.registration])))
    truth = tests["3D"].truth
    asked = Asked(channels.complete(truth.values, channels.PREDICTED_IDS), truth.usable, truth.yaw_rad)
    return _TEXT.format(
        people=lessons["3D"].truth.performers,
        tested=truth.performers,
        main=_main(answers[: len(variants)], asked),
        effects=effects(answers[: len(variants)], asked),
        levels=_levels(lessons["3D"], order.seed),
        frontal=BINS_DEG[1],
        poses=_poses(answers, asked),
        shortened="\n".join(f"- {text}." for text in told) or "- Nothing.",
    )


def read(reader: Reader, shown: Shown) -> dict[str, NDArray[np.float32]]:
    """By reading, (N, 58) values of all frames; of those without a face they mean nothing."""
    parts: dict[str, list[NDArray[np.float32]]] = {name: [] for name in READINGS}
    usable = torch.from_numpy(shown.truth.usable)
    reader.cpu().eval()
    step = _PEOPLE_AT_ONCE * FRAMES_PER_PERFORMER
    with torch.no_grad():
        for start in range(0, len(usable), step):
            rows = slice(start, start + step)
            for name, logits in reader.readings(reader(shown.maps[rows].float()), usable[rows]).items():
                parts[name].append(value_of(logits).numpy())
    return {name: channels.complete(np.concatenate(each), channels.PREDICTED_IDS) for name, each in parts.items()}


def effects(answers: Sequence[Answer], asked: Asked) -> str:
    """What each choice brings on average over the others, beside what the paper found."""
    icc = {
        (answer.variant.registration, answer.variant.balanced, name): asked.icc(values)
        for answer in answers
        for name, values in answer.values.items()
    }

    def mean(place: int, choice: object) -> float:
        return float(np.mean([value for key, value in icc.items() if key[place] == choice]))

    return (
        "Averaged over the other choices, ICC changes by "
        f"{mean(0, '3D') - mean(0, '2D'):+.3f} with 3D in place of 2D (the paper: -0.017 on real, +0.031 on "
        f"synthetic pictures), by {mean(1, True) - mean(1, False):+.3f} with balanced in place of natural levels (the "
        "paper, whose real pictures were balanced as well and whose synthetic ones were new: -0.012 in 2D, +0.036 in "
        f"3D), by {mean(2, 'AU0') - mean(2, 'none'):+.3f} with the neutral frame taken away (the paper: -0.004) and by "
        f"{mean(2, 'mean') - mean(2, 'none'):+.3f} with the person's mean taken away (the paper: +0.045)."
    )


def _alike(shown: dict[str, Shown]) -> dict[str, Shown]:
    """The performers that every look has."""
    people = min(each.truth.performers for each in shown.values())
    return {name: each.first(people) for name, each in shown.items()}


def _share(order: Order, left: int) -> Order:
    """An order that ends in time for as many others as are left, itself among them."""
    if order.deadline_s is None:
        return order
    now = time.monotonic()
    return replace(order, deadline_s=now + max(order.deadline_s - now, 0.0) / left)


def _title(variant: Variant) -> str:
    alone = "" if variant.widest_rad is None else ", frontal alone"
    return f"{variant.registration}, {_WORDS[variant.balanced]}{alone}"


def _main(answers: Sequence[Answer], asked: Asked) -> str:
    rows: list[list[str | float]] = []
    for answer in answers:
        for name, values in answer.values.items():
            said, true = values[asked.seen, FEAFA], asked.truth[asked.seen, FEAFA]
            mae, f1 = float(metrics.mae(said, true).mean()), float(np.nanmean(metrics.f1(said, true)))
            rows.append(
                [answer.variant.registration, _WORDS[answer.variant.balanced], name, asked.icc(values), mae, f1]
            )
    return table(("registration", "levels", "taken away", "ICC", "MAE", "F1"), rows)


def _levels(shown: Shown, seed: int) -> str:
    rows: list[list[str | float]] = []
    for balanced in (False, True):
        drawn = Variant(balanced=balanced).draw(shown.truth, np.random.default_rng(seed))
        parts = 100.0 * balance.shares(shown.truth.levels, drawn)
        rows.append([_WORDS[balanced], *(f"{part:.1f}" for part in parts)])
    return table(("levels", *balance.NAMES), rows)


def _poses(answers: Sequence[Answer], asked: Asked) -> str:
    bins = list(pairwise(BINS_DEG))
    rows: list[list[str | float]] = []
    for answer in answers:
        found = [asked.icc(answer.values["none"], within) for within in bins]
        rows.append([_title(answer.variant), *found, float(np.nanmean(found))])
    names = [f"{low:.0f} to {high:.0f}° ({asked.frames((low, high))})" for low, high in bins]
    return table(("network", *names, "mean"), rows)
