"""From trained networks to `models/`: two ONNX files, a registry entry and a model card for each."""

import copy
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

from au_mocap import channels, metrics
from au_mocap.landmark_model import INPUT_PX, MIRRORED, OUTPUTS
from au_mocap.landmarks import COUNT
from training import graph_rewrite, onnx_export, registry_entry
from training.appearance import card
from training.appearance.network import ExportedHead, ExportedStage, Model
from training.appearance.second_look import Fusion
from training.appearance.train import REAL_LIDS
from training.outcome import FEAFA, Outcome

VERSION: Final = "3"
_EXAMPLES: Final = 7


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured on a cast that nobody trained or chose on.

    Attributes:
        own: With each performer's own neutral.
        generic: With the model's generic neutral.
        trained_on: Frames of the training cast.
        performers: People of the test cast.
    """

    own: Outcome
    generic: Outcome
    trained_on: int
    performers: int


def files(name: str) -> tuple[str, str, str]:
    """File names of a regressor's stage, head and card."""
    return f"{name}_stage.onnx", f"{name}_head.onnx", f"{name.upper()}.md"


def export(model: Model, folder: Path, fusion: Fusion | None = None) -> float:
    """Writes stage and head; returns the larger difference between onnxruntime and PyTorch on random inputs.

    The model itself is changed to what is stored: normalisation folded into the layers before it, half-float weights.

    Raises:
        ValueError: They differ by more than `onnx_export.TOLERANCE`.
    """
    design, head = model.design, model.head
    generator = torch.Generator().manual_seed(0)

    def noise(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator)

    model.stage = fused(model.stage.eval())
    looked_at = {"landmarks": INPUT_PX * torch.rand(_EXAMPLES, COUNT, 3, generator=generator)}
    looked_at |= {name: noise(_EXAMPLES, *OUTPUTS[name]) for name in design.maps}
    if fusion is not None:
        mirrored = INPUT_PX * torch.rand(_EXAMPLES, COUNT, 3, generator=generator)
        looked_at[f"{MIRRORED}landmarks"] = mirrored
        looked_at |= {f"{MIRRORED}{name}": noise(_EXAMPLES, *OUTPUTS[name]) for name in design.maps}
    stage_file, head_file, _ = files(design.name)
    stage = ExportedStage(model, fusion).eval()
    of_stage = onnx_export.export(stage, looked_at, "embedding", set(looked_at), folder / stage_file)
    inputs = {
        "landmarks": head.generic + 0.05 * noise(_EXAMPLES, COUNT, 3),
        "rotation": 0.3 * noise(_EXAMPLES, 3),
        "embedding": noise(_EXAMPLES, design.embedding),
        "neutral_landmarks": head.generic + 0.05 * noise(COUNT, 3),
        "neutral_weight": torch.rand(COUNT, 1, generator=generator),
        "neutral_embedding": noise(design.embedding),
    }
    frames = {"landmarks", "rotation", "embedding"}
    of_head = onnx_export.export(ExportedHead(head).eval(), inputs, "values", frames, folder / head_file)
    return max(of_stage, of_head)


def fused(module: nn.Module) -> nn.Module:
    """A copy in which every normalisation that follows a layer is folded into it."""
    module = copy.deepcopy(module)
    for part in module.modules():
        if not isinstance(part, nn.Sequential):
            continue
        for index in range(len(part) - 1):
            layer, normalisation = part[index], part[index + 1]
            if isinstance(layer, nn.Conv2d) and isinstance(normalisation, nn.BatchNorm2d):
                part[index], part[index + 1] = fuse_conv_bn_eval(layer, normalisation), nn.Identity()
            elif isinstance(layer, nn.Linear) and isinstance(normalisation, nn.BatchNorm1d):
                part[index], part[index + 1] = fuse_linear_bn_eval(layer, normalisation), nn.Identity()
    return module


def register(model: Model, folder: Path, measured: Measured) -> None:
    """Puts the entry into the folder's registry, in the place of an earlier one, and writes the card."""
    design = model.design
    stage, head, card_file = files(design.name)
    predicted, truth = measured.own.tables()
    icc, pcc, mae = (
        float(metric(predicted, truth)[FEAFA].mean()) for metric in (metrics.icc, metrics.pcc, metrics.mae)
    )
    words = card.WORDS[design.name]
    read = ("landmarks", *design.maps)
    read += tuple(f"{MIRRORED}{name}" for name in read) if design.second_look else ()
    inputs = ", ".join(f'"{name}"' for name in read)
    ids = ", ".join(f'"{channel_id}"' for channel_id in channels.PREDICTED_IDS)
    entry = f"""[[regressor]]
name = "{design.name}"
version = "{VERSION}"
label = "{words.label}"
description = "{words.description}"
licence = "GPL-3.0-or-later"
training_data = "Synthetic performers ({measured.trained_on} frames), rendered and tracked; no pictures of real people"
normalisation = "neutral"
channels = [{ids}]
image = {{ file = "{stage}", sha256 = "{_sha256(folder / stage)}", source = "maps", inputs = [{inputs}], \
embedding_size = {design.embedding} }}
head = {{ file = "{head}", sha256 = "{_sha256(folder / head)}" }}
accuracy = {{ icc_feafa24 = {icc:.3f}, mae_feafa24 = {mae:.4f}, pcc_feafa24 = {pcc:.3f} }}
"""
    registry_entry.put(folder / "registry.toml", "regressor", design.name, entry)
    facts = card.Facts(
        name=design.name,
        version=VERSION,
        opset=graph_rewrite.OPSET,
        files={name: (folder / name).stat().st_size for name in (stage, head)},
        trained_on=measured.trained_on,
        performers=measured.performers,
        maps=design.maps,
        second_look=design.second_look,
        embedding=design.embedding,
        lids=REAL_LIDS,
    )
    card.write(folder / card_file, facts, measured.own, measured.generic)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
