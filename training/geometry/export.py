"""From the trained head to `models/`: ONNX file, registry entry, model card."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from au_mocap import channels, metrics
from au_mocap.landmarks import COUNT
from training import graph_rewrite, onnx_export, registry_entry
from training.geometry.network import ExportedHead, GeometryHead
from training.outcome import FEAFA, Outcome

VERSION: Final = "1"
FILE: Final = "geometry.onnx"
CARD: Final = "GEOMETRY.md"


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured on performers that nobody trained or chose on.

    Attributes:
        own: With each performer's own neutral.
        generic: With the model's generic neutral.
        performers: How many people.
        trained_on: Frames in the training split.
    """

    own: Outcome
    generic: Outcome
    performers: int
    trained_on: int


def export(head: GeometryHead, path: Path) -> float:
    """Writes the head as ONNX with half-float weights; the largest difference from PyTorch on random faces.

    Raises:
        ValueError: They differ by more than `onnx_export.TOLERANCE`; nothing was written.
    """
    generator = torch.Generator().manual_seed(0)
    inputs = {
        "landmarks": head.generic + 0.05 * torch.randn(7, COUNT, 3, generator=generator),
        "rotation": 0.3 * torch.randn(7, 3, generator=generator),
        "neutral_landmarks": head.generic + 0.05 * torch.randn(COUNT, 3, generator=generator),
        "neutral_weight": torch.rand(COUNT, 1, generator=generator),
    }
    return onnx_export.export(ExportedHead(head).eval(), inputs, "values", {"landmarks", "rotation"}, path)


def register(path: Path, measured: Measured) -> None:
    """Puts the entry into the registry beside `path`, in the place of an earlier one."""
    icc, pcc, mae = (score[FEAFA].mean() for score in _scores(measured.own))
    entry = f"""[[regressor]]
name = "geometry"
version = "{VERSION}"
label = "Geometry (landmarks alone)"
description = "Fast baseline: AU values from the tracked landmarks, without looking at the skin"
licence = "GPL-3.0-or-later"
training_data = "Synthetic performers ({measured.trained_on} frames), rendered and tracked; no pictures of real people"
normalisation = "neutral"
channels = [{", ".join(f'"{channel_id}"' for channel_id in channels.PREDICTED_IDS)}]
head = {{ file = "{path.name}", sha256 = "{hashlib.sha256(path.read_bytes()).hexdigest()}" }}
accuracy = {{ icc_feafa24 = {icc:.3f}, mae_feafa24 = {mae:.4f}, pcc_feafa24 = {pcc:.3f} }}
"""
    registry_entry.put(path.parent / "registry.toml", "regressor", "geometry", entry)


def _scores(outcome: Outcome) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """ICC(3,1), PCC and MAE of each of the 58 channels, the derived ones included."""
    predicted, truth = outcome.tables()
    return metrics.icc(predicted, truth), metrics.pcc(predicted, truth), metrics.mae(predicted, truth)


def write_card(path: Path, measured: Measured) -> None:
    """Writes the model card with the figures of this very run."""
    icc, pcc, mae = _scores(measured.own)
    without, _, _ = _scores(measured.generic)
    rows = "\n".join(
        f"| {channel.label} | {icc[index]:.2f} | {pcc[index]:.2f} | {mae[index]:.3f} | {without[index]:.2f} |"
        for index, channel in enumerate(channels.CHANNELS)
    )
    text = _CARD.format(
        file=FILE,
        version=VERSION,
        megabytes=(path.parent / FILE).stat().st_size / 1e6,
        opset=graph_rewrite.OPSET,
        trained_on=measured.trained_on,
        performers=measured.performers,
        icc=icc[FEAFA].mean(),
        pcc=pcc[FEAFA].mean(),
        mae=mae[FEAFA].mean(),
        without=without[FEAFA].mean(),
        rows=rows,
    )
    path.write_text(text, encoding="utf-8", newline="\n")


_CARD: Final = """\
# Model card: `geometry`

AU values from the 478 tracked landmarks alone. The fast baseline: it sees the shape of the face, not its skin, and the
tracker hardly moves its landmarks for several actions (cheek puff, jaw thrust, lower lip), so those channels stay weak.

- **File**: `{file}`, version {version}, {megabytes:.1f} MB, half-float weights, ONNX opset {opset}.
- **Licence**: GPL-3.0-or-later.
- **Inputs and outputs**: those of every head, see `au_mocap/regressors.py`.
- **Training data**: {trained_on} pictures of synthetic performers made from MakeHuman's CC0 figure and face units,
  drawn at random over age, sex, ethnicity, weight and every shape slider; expressions balanced over channels and
  intensities; head turns up to 45° yaw, 25° pitch and roll; fields of view from 18° to 70°. Every picture was tracked
  by the tracker that ships, so its noise and its systematic errors are in the data. No picture of a real person.
- **Neutral**: subtracted inside the graph. With trust below 1 the generic neutral (mean of the training performers)
  fills in.
- **Amplitude**: outputs are scaled on the validation performers so that a channel spreads as far as the truth, where it
  is recognised well enough (correlation above 0.25).
- **Made by** `python make.py train geometry`, fixed seed.

## Accuracy on held-out performers

{performers} performers that were used neither for training nor for choosing anything, tracked in pictures like those of
the training. Mean over FEAFA's 24 channels: **ICC(3,1) {icc:.3f}**, PCC {pcc:.3f}, MAE {mae:.4f}; with the generic
neutral ICC(3,1) {without:.3f}. These are renders: real faces were looked at, not measured.

| channel | ICC(3,1) | PCC | MAE | ICC(3,1), generic neutral |
|---|---|---|---|---|
{rows}
"""
