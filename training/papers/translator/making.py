"""From films to a translator in a folder: training, figures, card and sheet."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from training.all_or_nothing import all_or_nothing
from training.papers.frechet import Eye
from training.papers.saying import say
from training.papers.system import Order
from training.papers.translator import album, card, estimator, grid, likeness
from training.papers.translator.course import Course, Training
from training.papers.translator.settings import Settings
from training.papers.translator.translator import FILE, Translator

CARD: Final = "TRANSLATOR.md"
_PEOPLE: Final = 6


@dataclass(frozen=True, slots=True)
class Commission:
    """What is made, and how thoroughly it is measured.

    Attributes:
        settings: Of the network.
        sheet: File of the picture grid.
        each: Pictures of a level of an AU that the estimators learn from.
        most: Pictures at most that the estimators choose renders and sources from.
    """

    settings: Settings
    sheet: Path
    each: int = 50
    most: int = 4000


def make(order: Order, commission: Commission, out: Path) -> None:
    """Trains a translator, measures it and writes `translator.pt`, its card and the sheet."""
    settings = commission.settings
    learnt = album.of(order.casts["training"], settings.look)
    started = time.perf_counter()
    training = Training(settings, order.seed, order.checkpoints / f"translator-{_mark(settings)}.pt")
    steps = max(order.epochs * len(learnt) // settings.batch, 1)
    shortened = training.run(learnt, Course(steps, order.seed, order.deadline_s))
    minutes = (time.perf_counter() - started) / 60
    translator = Translator(settings, training.generator)
    judged = album.of(order.casts["validation"], settings.look)
    strangers = album.joined((judged, album.of(order.casts["test"], settings.look)))
    eye = Eye()
    like = likeness.measure(translator, eye, strangers, order.seed)
    say(f"translator: Fréchet distance {like.translated:.2f}, sources {like.sources:.2f}, halves {like.halves:.2f}")
    chosen = learnt.of(np.arange(min(len(learnt), commission.most)))
    findings = estimator.study(translator, eye, (chosen, judged), commission.each, order.seed)
    say(f"translator: ICC from renders {findings.real.mean():.3f}, both {findings.both.mean():.3f}")
    facts = card.Facts(
        settings=settings,
        steps=training.done,
        trained_on=len(learnt),
        people=len(learnt.people),
        minutes=minutes,
        likeness=like,
        findings=findings,
        notes=tuple(filter(None, (shortened,))),
    )
    with all_or_nothing([out / FILE, out / CARD, commission.sheet]):
        translator.save(out / FILE)
        card.write(out / CARD, facts)
        grid.write(commission.sheet, grid.sheet(translator, judged, _PEOPLE))


def _mark(settings: Settings) -> str:
    """What tells checkpoints of different networks apart."""
    look = settings.look
    return f"{look.preprocessor}-{look.size_px}px-{settings.width}-{settings.blocks}"
