"""From trained networks to a refiner in a folder of models: three graphs, a basis, a registry entry and a card."""

import hashlib
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch

from au_mocap.channels import PREDICTED_IDS
from au_mocap.refiners import basis as tables
from au_mocap.refiners.basis import Basis
from training import onnx_export, registry_entry
from training.graph_rewrite import OPSET
from training.papers.export import fuse
from training.papers.genet.examples import SIZE_PX
from training.papers.genet.extractor import Extractor
from training.papers.genet.generator import Generator
from training.papers.genet.graphs import Features, Render, Step
from training.papers.system import Words

VERSION: Final = "1"
_EXAMPLES: Final = 3
_WIDTH: Final = 120


@dataclass(frozen=True, slots=True)
class Networks:
    """What training made: both networks, and the layout of their parameters."""

    generator: Generator
    extractor: Extractor
    layout: Basis


@dataclass(frozen=True, slots=True)
class Facts:
    """What the card and the registry say of a refiner.

    Attributes:
        words: For people.
        trained_on: Pictures.
        performers: People of the test cast that it was measured on.
        figures: Measured figures by name, as in the registry.
        notes: A sentence each, without the full stop.
    """

    words: Words
    trained_on: int
    performers: int
    figures: dict[str, float]
    notes: tuple[str, ...]


def files(name: str) -> dict[str, str]:
    """File names of a refiner by what they are."""
    graphs = {kind: f"{name}_{kind}.onnx" for kind in ("features", "step", "render")}
    return {**graphs, "basis": f"{name}_basis.npz", "card": f"{name.upper()}.md"}


def write_graphs(networks: Networks, name: str, out: Path) -> float:
    """Writes the graphs; returns the largest difference between onnxruntime and PyTorch.

    Raises:
        ValueError: It is above `onnx_export.TOLERANCE`.
    """
    named = files(name)
    generator, extractor = networks.generator.cpu().eval(), networks.extractor.cpu().eval()
    fuse(extractor)
    draw = torch.Generator().manual_seed(0)
    inputs = tables.POSES + len(PREDICTED_IDS) + networks.layout.identities + networks.layout.appearances
    picture = torch.rand(_EXAMPLES, 3, SIZE_PX, SIZE_PX, generator=draw)
    parameters = torch.rand(_EXAMPLES, inputs, generator=draw)
    differences = [
        onnx_export.export(Features(extractor), {"picture": picture}, "features", {"picture"}, out / named["features"]),
        onnx_export.export(
            Render(generator), {"parameters": parameters}, "picture", {"parameters"}, out / named["render"]
        ),
    ]
    with torch.no_grad():
        seen = extractor.describe(picture)
    both = {"parameters": parameters, "features": seen}
    differences.append(onnx_export.export(Step(generator, extractor), both, "slope", set(both), out / named["step"]))
    return max(differences)


def write_basis(layout: Basis, name: str, out: Path) -> None:
    """Writes the tables beside the graphs."""
    tables.save(layout, out / files(name)["basis"])


def register(facts: Facts, name: str, out: Path) -> None:
    """Writes the registry entry, in the place of an earlier one of the same name."""
    named, words = files(name), facts.words
    lines = [
        "[[refiner]]",
        f'name = "{name}"',
        f'version = "{VERSION}"',
        f'label = "{words.label}"',
        f'description = "{words.description}"',
        f'licence = "{words.licence}"',
        'training_data = "Synthetic performers, rendered and tracked; no pictures of real people"',
        f"channels = [{', '.join(map(_quoted, PREDICTED_IDS))}]",
        f"size_px = {SIZE_PX}",
    ]
    for kind in ("features", "step", "render", "basis"):
        digest = hashlib.sha256((out / named[kind]).read_bytes()).hexdigest()
        lines.append(f'{kind} = {{ file = "{named[kind]}", sha256 = "{digest}" }}')
    figures = ", ".join(f"{key} = {value:.4f}" for key, value in facts.figures.items())
    lines.append(f"accuracy = {{ {figures} }}")
    registry_entry.put(out / "registry.toml", "refiner", name, "\n".join(lines) + "\n")


def _quoted(text: str) -> str:
    return f'"{text}"'


def write_card(facts: Facts, name: str, out: Path, difference: float) -> None:
    """Writes the model card as Markdown."""
    named, words = files(name), facts.words
    sizes = ", ".join(
        f"`{named[kind]}` ({(out / named[kind]).stat().st_size / 1e6:.1f} MB)"
        for kind in ("features", "step", "render", "basis")
    )
    text = _CARD.format(
        name=name,
        paper=words.paper,
        files=sizes,
        version=VERSION,
        opset=OPSET,
        difference=difference,
        licence=words.licence,
        size=SIZE_PX,
        channels=len(PREDICTED_IDS),
        trained_on=facts.trained_on,
        structure=words.structure,
        departures=words.departures,
        reported=words.reported,
        performers=facts.performers,
        figures="; ".join(f"{key.replace('_', ' ')} {value:.4f}" for key, value in facts.figures.items()),
        notes="\n".join(f"- {note}." for note in facts.notes) or "- Nothing was shortened.",
    )
    lines = [
        textwrap.fill(line, _WIDTH, subsequent_indent="  " * line.startswith("- "), break_long_words=False)
        for line in text.splitlines()
    ]
    (out / named["card"]).write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


_CARD: Final = """\
# Model card: `{name}`

After {paper}. It refines takes that another regressor made: `python -m au_mocap refine TAKE --models FOLDER`.

- **Files**: {files}; version {version}, half-float weights, ONNX opset {opset}; onnxruntime and PyTorch differ by {difference:.1g} at most.
- **Licence**: {licence}.
- **Input**: the face at {size} px, brought to a base face by five points; pose, {channels} channels, identity and colours are its parameters.
- **Training data**: {trained_on} pictures of synthetic performers. No picture of a real person shows an Action Unit.
- **Made by** `python make.py train papers {name}`, fixed seed.

## As in the paper

{structure}.

## Not as in the paper

{departures}.

## Accuracy

On {performers} performers of the test cast, used neither for training nor for choosing anything, start and refined, over FEAFA's 24 channels: {figures}.

The paper's own figures are of other data and cannot be compared directly. {reported}.

## This training

{notes}
"""  # noqa: E501 - wrapped when written
