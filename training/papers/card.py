"""Model cards of the papers' systems."""

import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from training.graph_rewrite import OPSET
from training.papers.system import Trained

_WIDTH: Final = 120
_MEGABYTE: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Facts:
    """Figures of a card.

    Attributes:
        version: Of the regressor.
        files: Bytes of each file.
        performers: People of the test cast.
        icc: Mean ICC(3,1) over FEAFA's 24.
        mae: Mean absolute error over them.
        f1: Mean F1 over them, with the tuned thresholds.
        difference: Largest difference between onnxruntime and PyTorch.
    """

    version: str
    files: dict[str, int]
    performers: int
    icc: float
    mae: float
    f1: float
    difference: float


def write(path: Path, trained: Trained, facts: Facts) -> None:
    """Writes a card as Markdown."""
    words = trained.words
    notes = "\n".join(f"- {note}." for note in trained.shortened)
    text = _CARD.format(
        name=trained.name,
        paper=words.paper,
        files=", ".join(f"`{name}` ({_size(size)})" for name, size in facts.files.items()),
        version=facts.version,
        opset=OPSET,
        licence=words.licence,
        beside=trained.beside,
        preprocessor=trained.look.preprocessor,
        size=trained.look.size_px,
        embedding=trained.embedding,
        channels=len(trained.channels),
        trained_on=trained.trained_on,
        neutral=words.neutral,
        structure=words.structure,
        departures=words.departures,
        reported=words.reported,
        performers=facts.performers,
        icc=facts.icc,
        mae=facts.mae,
        f1=facts.f1,
        difference=facts.difference,
        notes=notes or "- Nothing was shortened.",
    )
    lines = [_wrapped(line) for line in text.splitlines()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= _MEGABYTE else f"{count / 1e3:.1f} kB"


def _wrapped(line: str) -> str:
    """A line of any length as lines of at most 120 characters, indented below a list's dash."""
    return textwrap.fill(line, _WIDTH, subsequent_indent="  " if line.startswith("- ") else "", break_long_words=False)


_CARD: Final = """\
# Model card: `{name}`

After {paper}. It is there to be compared with; for work choose one of the standard regressors.

- **Files**: {files}; version {version}, half-float weights, ONNX opset {opset}; onnxruntime and PyTorch differ by {difference:.1g} at most.
- **Licence**: {licence}.
- **Input**: `{preprocessor}` at {size} px. A take keeps {embedding} numbers of each frame; {channels} channels.
- **Training data**: {trained_on} pictures of synthetic performers{beside}. No picture of a real person shows an Action Unit.
- **Neutral**: {neutral}.
- **Made by** `python make.py train papers {name}`, fixed seed.

## As in the paper

{structure}.

## Not as in the paper

{departures}.

## Accuracy

On {performers} performers of the test cast, used neither for training nor for choosing anything, without a neutral, means over FEAFA's 24 channels: **ICC(3,1) {icc:.3f}**, MAE {mae:.4f}, F1 of presence {f1:.3f} with thresholds that were tuned on the validation cast.

The paper's own figures are of other data and cannot be compared directly. {reported}.

## This training

{notes}
"""  # noqa: E501 - wrapped when written
