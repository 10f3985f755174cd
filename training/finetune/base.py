"""The head of a bundled regressor, from its ONNX file back into PyTorch."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import numpy_helper

from au_mocap.errors import ModelError
from au_mocap.landmarks import COUNT
from au_mocap.registry import ImageStage, Registry, RegressorEntry
from training.appearance.network import Design, ExportedHead, Head, Statistics
from training.onnx_export import TOLERANCE

_ORDER: Final = (
    "usual_miss",
    "missed.weight",
    "missed.bias",
    "miss_scale",
    "generic",
    "neutral_scale",
    "delta_scale",
    "delta.weight",
    "delta.bias",
    "generic_embedding",
    "seen.weight",
    "seen.bias",
    "identity.weight",
    "identity.bias",
    "body.0.weight",
    "body.0.bias",
    "body.3.weight",
    "body.3.bias",
    "values.weight",
    "values.bias",
    "direct.weight",
)
"""Weights in the order in which the head uses them, which is that of the file."""

_EXAMPLES: Final = 5


@dataclass(frozen=True, slots=True)
class Base:
    """What is adapted.

    Attributes:
        entry: Its registry entry.
        stage: The entry's image stage.
        head: Its head with the file's weights, in evaluation mode.
    """

    entry: RegressorEntry
    stage: ImageStage
    head: Head


def load(registry: Registry, name: str) -> Base:
    """Reads a regressor's head.

    Raises:
        ModelError: There is no such regressor, its file is damaged, or its head is of another make.
    """
    entry = registry.regressor(name)
    path = registry.path(entry.head)
    arrays = [numpy_helper.to_array(one) for one in onnx.load(path).graph.initializer]
    if entry.image is None or len(arrays) != len(_ORDER):
        raise _foreign(name)
    weights = {key: torch.from_numpy(array.astype(np.float32)) for key, array in zip(_ORDER, arrays, strict=True)}
    weights["delta_scale"] = weights["delta_scale"].sqrt()  # the file keeps its square
    weights["direct.weight"] = weights["direct.weight"].T
    head = Head(_design(name, weights), _no_statistics())
    try:
        head.load_state_dict(weights)
    except RuntimeError as error:
        raise _foreign(name) from error
    head.eval().requires_grad_(False)
    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    given = examples(head)
    stored = session.run(None, {key: tensor.numpy() for key, tensor in given.items()})[0]
    with torch.no_grad():
        rebuilt = ExportedHead(head)(*given.values()).numpy()
    if stored.shape != rebuilt.shape or not np.abs(stored - rebuilt).max() < TOLERANCE:
        raise _foreign(name)
    return Base(entry, entry.image, head)


def examples(head: Head) -> dict[str, torch.Tensor]:
    """Made-up faces for a head, by the names of its inputs: to compare one form of it with another."""
    generator = torch.Generator().manual_seed(0)

    def noise(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator)

    size = head.generic_embedding.numel()
    return {
        "landmarks": head.generic + 0.05 * noise(_EXAMPLES, COUNT, 3),
        "rotation": 0.3 * noise(_EXAMPLES, 3),
        "embedding": noise(_EXAMPLES, size),
        "neutral_landmarks": head.generic + 0.05 * noise(COUNT, 3),
        "neutral_weight": torch.rand(COUNT, 1, generator=generator),
        "neutral_embedding": noise(size),
    }


def _design(name: str, weights: dict[str, torch.Tensor]) -> Design:
    """What the shapes of the weights say of the head; the stage's part stays empty."""
    seen = weights["seen.weight"]
    width, embedding = seen.shape if seen.dim() == 2 else (0, 0)
    return Design(name, (), each=0, middle=0, embedding=embedding, width=width)


def _no_statistics() -> Statistics:
    """Scales that the file's own take the place of."""
    face, nothing = torch.ones(COUNT, 3), torch.zeros(0)
    return Statistics(face, face, face, face, face, nothing, nothing)


def _foreign(name: str) -> ModelError:
    message = (
        f"The head of '{name}' cannot be adapted: it is not of the make of 'accurate' and 'fast'. Give one of those as "
        "--base; to adapt further what was adapted before, give its base and all labels together."
    )
    return ModelError(message)
