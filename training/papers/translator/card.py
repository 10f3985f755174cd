"""The translator's model card."""

import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from training.papers.translator import album, estimator
from training.papers.translator.estimator import Findings
from training.papers.translator.likeness import Likeness
from training.papers.translator.settings import Settings, Weights

_WIDTH: Final = 120
_COUNTS: Final = 0.01
_CHANGED: Final = (
    " The expression loss weighs {own.expression:g} in place of {paper.expression:g} and the idiosyncratic loss "
    "{own.idiosyncratic:g} in place of {paper.idiosyncratic:g}: in so short a training the critic's reading is fooled "
    "by specks before it has learnt to read, and the person's own pictures teach faster."
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a card says.

    Attributes:
        settings: Of the network.
        steps: Of the generator that were trained.
        trained_on: Pictures that it learnt from.
        people: Performers whom they show.
        minutes: Of training in this run.
        likeness: To renders.
        findings: Of the estimators.
        notes: What was shortened; a sentence each, without the full stop.
    """

    settings: Settings
    steps: int
    trained_on: int
    people: int
    minutes: float
    likeness: Likeness
    findings: Findings
    notes: tuple[str, ...] = ()


def write(path: Path, facts: Facts) -> None:
    """Writes it as Markdown."""
    settings, weights, findings = facts.settings, facts.settings.weights, facts.findings
    means = {
        name: float(getattr(findings, name).mean()) for name in ("real", "translated", "both", "obeyed", "unchanged")
    }
    text = _CARD.format(
        preprocessor=settings.look.preprocessor,
        size=settings.look.size_px,
        width=settings.width,
        blocks=settings.blocks,
        critic_steps=settings.critic_steps,
        batch=settings.batch,
        weights=weights,
        changed="" if weights == Weights() else _CHANGED.format(paper=Weights(), own=weights),
        steps=facts.steps,
        trained_on=facts.trained_on,
        people=facts.people,
        minutes=facts.minutes,
        turned=album.TURNED_DEGREES,
        alike=album.ALIKE_DEGREES,
        likeness=facts.likeness,
        each=findings.each,
        means=means,
        verdict=_verdict(means),
        notes="\n".join(f"- {note}." for note in facts.notes) or "- Nothing was shortened.",
    )
    lines = [
        textwrap.fill(line, _WIDTH, subsequent_indent="  " if line.startswith("- ") else "", break_long_words=False)
        for line in text.splitlines()
    ]
    whole = "\n".join(lines) + f"\n\n{estimator.table(findings)}\n"
    path.write_text(whole, encoding="utf-8", newline="\n")


def _verdict(means: dict[str, float]) -> str:
    """In words, with a hundredth as the least that counts."""
    gain, alone = means["both"] - means["real"], means["translated"] - means["real"]
    helped = "improve" if gain > _COUNTS else "harm" if gain < -_COUNTS else "do not change"
    replaced = "teach more than" if alone > _COUNTS else "teach less than" if alone < -_COUNTS else "teach as much as"
    return (
        f"Translations {helped} this estimator beside renders ({gain:+.3f}), and alone {replaced} renders "
        f"({alone:+.3f})"
    )


_CARD: Final = """\
# Model card: translator

The expression generator of the paper on 3D registration and balanced synthetic expressions (its section 3.2): a face, shown with other Action Units. It makes training pictures; nothing of the extension uses it.

- **File**: `translator.pt`: settings and weights, read by `open_translator` of `training.papers.translator.translator`.
- **Licence**: GPL-3.0-or-later.
- **Pictures**: `{preprocessor}` at {size} px, heads turned less than {turned:.0f} degrees. The values of all 54 channels say what is to be shown.
- **Training data**: {trained_on} pictures of {people} synthetic performers. No picture of a real person.
- **Made by** `python make.py train papers translator`, fixed seed: {steps} steps of {batch} pictures, {critic_steps} of the critic for each of the generator; {minutes:.0f} minutes in the last run.

## As in the paper

A generator after GANimation, without its losses on the mask, that is shown a picture and the wanted values and paints a share of the pixels anew; a critic that scores places of a picture and reads the values shown; the adversarial loss with a penalty on the critic's slope (equation 1), the expression loss on renders for the critic and on translations for the generator (2), the identity loss by translating there and back (3), the idiosyncratic loss against the same person's own picture (4); weights {weights.adversarial:g}, {weights.expression:g}, {weights.identity:g} and {weights.idiosyncratic:g}, and {weights.penalty:g} for the penalty. Training sets with as many pictures of each of six levels of an AU, translated from faces that do not show it; an estimator of six levels for each AU.

## Not as in the paper

FERA 2017 is given to licence holders only: synthetic performers with exact values take its place, and all 54 channels that of 7 AUs. Pictures are {size} px instead of 224; the generator has {width} maps in its first layer and {blocks} residual blocks. Values enter at each normalisation rather than as further planes of the picture, which a normalisation would take out again, and two planes tell each pixel where it lies. Targets of other people have noise of 0.1 as in GANimation's implementation; pictures of the same person count for the idiosyncratic loss where the heads are turned alike within {alike:.0f} degrees.{changed} The estimator reads frozen features of EfficientNet-Lite0 with one layer an AU in place of a VGG-16 trained throughout.

## How much translations look like renders

Fréchet distances of EfficientNet-Lite0's features, {likeness.pictures} pictures in each set, of people whom the translator never saw. **Not FID**: that takes Inception's features, and no published figure can stand beside these.

- Translations of neutral faces to renders of other people with the same values: **{likeness.translated:.2f}**.
- The neutral faces themselves to those renders: {likeness.sources:.2f}.
- Renders of one half of the people to those of the other, the least that can be expected: {likeness.halves:.2f}.

The paper reports FIDs of 4.88 with and 5.94 without the idiosyncratic loss, on its own data and by other features.

## Whether translations improve the estimator

ICC(3,1) on renders of the validation cast, heads turned less than {turned:.0f} degrees, mean over FEAFA's 24 AUs; {each} pictures of each level of each AU: learnt from renders {means[real]:.3f}, from translations alone {means[translated]:.3f}, from both together {means[both]:.3f}. {verdict}. The paper reports 0.489 from its real pictures and 0.525 from translations, on its own data.

What the estimator that learnt from renders reads from translations agrees with what they were to show by {means[obeyed]:.3f}; by {means[unchanged]:.3f} if it reads their sources.

## This training

{notes}

## Each AU
"""  # noqa: E501 - wrapped when written
