"""From what a system trained to a folder of models: two ONNX files, a registry entry and a card with its figures."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from au_mocap import channels, metrics
from au_mocap.landmarks import COUNT
from au_mocap.registry import BUNDLED, Registry
from au_mocap.regressors import Regressor, open_regressor
from training import accuracy, onnx_export, registry_entry
from training.outcome import FEAFA
from training.papers import card
from training.papers.data import Cast
from training.papers.system import NeutralHead, SubtractedHead, Trained

VERSION: Final = "1"
NO_NEUTRAL: Final = ", no neutral"
_EXAMPLES: Final = 3
_PAIRS: Final = (
    ("_conv_stem", "_bn0"),
    ("_conv_head", "_bn1"),
    ("_expand_conv", "_bn0"),
    ("_depthwise_conv", "_bn1"),
    ("_project_conv", "_bn2"),
    ("conv", "bn"),
)
_GRID: Final = np.arange(0.02, 0.92, 0.02)
_FEWEST_PRESENT: Final = 20


@dataclass(frozen=True, slots=True)
class Measured:
    """What the engine's own code found, with the exported files.

    Attributes:
        thresholds: By channel id, the value above which presence has the best F1 on the validation cast.
        icc: Mean ICC(3,1) over FEAFA's 24 on the test cast, without a neutral.
        mae: Mean absolute error likewise.
        f1: Mean F1 likewise, with the thresholds.
        difference: Largest difference between onnxruntime and PyTorch.
    """

    thresholds: dict[str, float]
    icc: float
    mae: float
    f1: float
    difference: float


def files(name: str) -> tuple[str, str, str]:
    """File names of a regressor's stage, head and card."""
    return f"{name}_stage.onnx", f"{name}_head.onnx", f"{name.upper()}.md"


def fuse(module: nn.Module) -> nn.Module:
    """Folds normalisations into the convolutions before them, in place, where they carry the usual names."""
    for part in module.modules():
        for layer, normalisation in _PAIRS:
            before, after = getattr(part, layer, None), getattr(part, normalisation, None)
            if isinstance(before, nn.Conv2d) and isinstance(after, nn.BatchNorm2d):
                setattr(part, layer, fuse_conv_bn_eval(before, after))
                setattr(part, normalisation, nn.Identity())
    return module


def publish(trained: Trained, out: Path, validation: Cast, test: Cast) -> Measured:
    """Writes everything into a folder of models, in the place of an earlier regressor of the same name.

    Raises:
        ValueError: onnxruntime and PyTorch differ by more than `onnx_export.TOLERANCE`.
    """
    difference = _write_graphs(trained, out)
    nothing = Measured({}, 0.0, 0.0, 0.0, difference)
    _register(trained, out, nothing, test)
    regressor = open_regressor(Registry((out, BUNDLED)), trained.name, "cpu")
    thresholds = tune(*_performed(regressor, validation))
    predicted, truth = _performed(regressor, test)
    measured = Measured(
        thresholds={name: value for name, value in thresholds.items() if name in trained.channels},
        icc=float(metrics.icc(predicted, truth)[FEAFA].mean()),
        mae=float(metrics.mae(predicted, truth)[FEAFA].mean()),
        f1=float(np.nanmean(tuned_f1(predicted, truth, thresholds)[FEAFA])),
        difference=difference,
    )
    _register(trained, out, measured, test)
    return measured


def tune(predicted: NDArray[np.float32], truth: NDArray[np.float32]) -> dict[str, float]:
    """By channel id, the value above which calling an AU present gives the best F1.

    Args:
        predicted: (M, 58) of the validation cast, and of no other.
        truth: (M, 58).
    """
    scores = np.stack([metrics.f1((predicted > above).astype(np.float32), truth) for above in _GRID])
    often = (truth > channels.PRESENT_ABOVE).sum(axis=0) >= _FEWEST_PRESENT
    return {
        channel_id: round(float(_GRID[int(np.argmax(scores[:, column]))]), 2)
        for column, channel_id in enumerate(channels.IDS)
        if often[column] and scores[:, column].max() > 0.0
    }


def tuned_f1(
    predicted: NDArray[np.float32], truth: NDArray[np.float32], thresholds: dict[str, float]
) -> NDArray[np.float64]:
    """(58,) F1 of presence, each channel above its own threshold; a symmetric one above the mean of its sides'."""
    above = [
        np.mean([thresholds.get(each, channels.PRESENT_ABOVE) for each in channels.SIDES_OF.get(name, (name,))])
        for name in channels.IDS
    ]
    return metrics.f1((predicted > np.array(above, np.float32)).astype(np.float32), truth)


def _performed(regressor: Regressor, cast: Cast) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(M, 58) values and truth of a cast's usable frames, without a neutral, as the papers have it."""
    predicted = accuracy.perform([regressor], cast.tiles)[regressor.entry.name + NO_NEUTRAL]
    truth = channels.complete(cast.frames.values, channels.PREDICTED_IDS)
    return predicted[cast.usable], truth[cast.usable]


def _write_graphs(trained: Trained, out: Path) -> float:
    stage_file, head_file, _ = files(trained.name)
    generator = torch.Generator().manual_seed(0)
    depth = 1 if trained.look.preprocessor.endswith("grey") else 3
    picture = torch.rand(_EXAMPLES, depth, trained.look.size_px, trained.look.size_px, generator=generator)
    stage = fuse(trained.stage.cpu().eval())
    of_stage = onnx_export.export(stage, {"picture": picture}, "embedding", {"picture"}, out / stage_file)
    with torch.no_grad():
        seen = stage(picture)
    inputs = {
        "landmarks": torch.rand(_EXAMPLES, COUNT, 3, generator=generator),
        "rotation": torch.rand(_EXAMPLES, 3, generator=generator),
        "embedding": seen,
        "neutral_landmarks": torch.rand(COUNT, 3, generator=generator),
        "neutral_weight": torch.rand(COUNT, 1, generator=generator),
        "neutral_embedding": seen.mean(dim=0),
    }
    own = trained.head.cpu()
    head = (own if isinstance(own, NeutralHead) else SubtractedHead(own)).eval()
    frames = {"landmarks", "rotation", "embedding"}
    return max(of_stage, onnx_export.export(head, inputs, "values", frames, out / head_file))


def _register(trained: Trained, out: Path, measured: Measured, test: Cast) -> None:
    stage, head, card_file = files(trained.name)
    words = trained.words
    ids = ", ".join(f'"{channel_id}"' for channel_id in trained.channels)
    clip = f', clip_statistics = "{trained.clip_statistics}"' if trained.clip_statistics else ""
    limits = ", ".join(f"{name} = {value}" for name, value in measured.thresholds.items())
    entry = f"""[[regressor]]
name = "{trained.name}"
version = "{VERSION}"
label = "{words.label}"
description = "{words.description}"
licence = "{words.licence}"
training_data = "Synthetic performers, rendered and tracked; no pictures of real people{trained.beside}"
normalisation = "neutral"
group = "advanced"
channels = [{ids}]
image = {{ file = "{stage}", sha256 = "{_sha256(out / stage)}", preprocessor = "{trained.look.preprocessor}", \
size_px = {trained.look.size_px}, embedding_size = {trained.embedding}{clip} }}
head = {{ file = "{head}", sha256 = "{_sha256(out / head)}" }}
accuracy = {{ icc_feafa24 = {measured.icc:.3f}, mae_feafa24 = {measured.mae:.4f}, f1_feafa24 = {measured.f1:.3f} }}
thresholds = {{ {limits} }}
"""
    registry_entry.put(out / "registry.toml", "regressor", trained.name, entry)
    facts = card.Facts(
        version=VERSION,
        files={name: (out / name).stat().st_size for name in (stage, head)},
        performers=test.performers,
        icc=measured.icc,
        mae=measured.mae,
        f1=measured.f1,
        difference=measured.difference,
    )
    card.write(out / card_file, replace(trained, stage=nn.Identity(), head=nn.Identity()), facts)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
