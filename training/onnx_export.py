"""From a PyTorch module to a small ONNX file with half-float weights, checked against the module."""

import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn

from training import graph_rewrite

TOLERANCE: Final = 1e-3


def export(module: nn.Module, inputs: dict[str, torch.Tensor], output: str, frames: set[str], path: Path) -> float:
    """Writes a module as ONNX.

    The module's numbers are rounded to half floats first, in place, so that what was measured afterwards is what is
    stored.

    Args:
        module: In evaluation mode.
        inputs: An example of each input by name, in order.
        output: Name of the output.
        frames: The inputs whose first axis counts frames, as the output's does.
        path: The file.

    Returns:
        Largest difference between onnxruntime and PyTorch on the examples.

    Raises:
        ValueError: It is above `TOLERANCE`; nothing was written.
    """
    for parameter in (*module.parameters(), *module.buffers()):
        if parameter.is_floating_point():
            parameter.data = parameter.data.half().float()
    raw = graph_rewrite.pack(graph_rewrite.unpack(_traced(module, inputs, output, frames)), path.stem)
    session: Any = onnxruntime.InferenceSession(raw, providers=["CPUExecutionProvider"])
    fed = {name: tensor.numpy() for name, tensor in inputs.items()}
    with torch.no_grad():
        expected = module(*inputs.values()).numpy()
    difference = float(np.abs(session.run(None, fed)[0] - expected).max())
    if difference > TOLERANCE:
        message = f"onnxruntime differs from PyTorch by {difference:.2g} in {path.name}"
        raise ValueError(message)
    path.write_bytes(raw)
    return difference


def _traced(module: nn.Module, inputs: dict[str, torch.Tensor], output: str, frames: set[str]) -> onnx.ModelProto:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "traced.onnx"
        torch.onnx.export(
            module,
            tuple(inputs.values()),
            str(path),
            input_names=list(inputs),
            output_names=[output],
            dynamic_axes={name: {0: "N"} for name in (*sorted(frames), output)},
            opset_version=graph_rewrite.OPSET,
            dynamo=False,
        )
        return onnx.load(path)
