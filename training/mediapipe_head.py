"""Makes the regressor `mediapipe`: MediaPipe's own 52 scores, arranged as this project's channels.

`python make.py train mediapipe` (or `python -m training.mediapipe_head [--out FOLDER]`) writes the head's graph and its
entry in the registry. Nothing is trained: the image stage is MediaPipe's blendshape graph as it stands, the head picks
for each channel the ARKit shape that the channel table names and takes out the actor's neutral as far as it is trusted.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path
from typing import Final

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from au_mocap import blendshapes, channels
from au_mocap.landmarks import COUNT
from au_mocap.registry import BUNDLED, Registry

from . import registry_entry
from .graph_rewrite import IR_VERSION, OPSET

NAME: Final = "mediapipe"
VERSION: Final = "1"
FILE: Final = "mediapipe_scores.onnx"

_FOREHEAD: Final = 10
_CHIN: Final = 152
_LEAST_RANGE: Final = 0.2
"""Above a neutral of 0.8 hardly anything of a score's range is left: it is not stretched further than fivefold."""

_ENTRY: Final = """[[regressor]]
name = "{name}"
version = "{version}"
label = "MediaPipe scores"
description = "MediaPipe's own 52 scores, for comparison: quick, but several actions hardly move them"
licence = "Apache-2.0"
training_data = "Google's, not published: the blendshape graph of MediaPipe's Face Landmarker (sha256 {graph})"
normalisation = "neutral"
channels = [{channels}]
image = {{ file = "{image}", sha256 = "{graph}", source = "landmarks", embedding_size = {size} }}
head = {{ file = "{file}", sha256 = "{head}" }}
"""


def score_of(channel: channels.Channel) -> str | None:
    """The score that stands for a channel; a shape that ARKit does not split serves both sides. None without one."""
    name = channel.arkit_shape.partition(",")[0]
    return name if name in blendshapes.SCORES else None


def sources() -> dict[str, int]:
    """For every channel that a score stands for, by id: the score's place in the embedding."""
    found = {channel.id: score_of(channel) for channel in channels.CHANNELS if channel.id in channels.PREDICTED_IDS}
    return {channel_id: blendshapes.SCORES.index(name) for channel_id, name in found.items() if name is not None}


def build() -> bytes:
    """Builds the head.

    With score s, its neutral n and the neutral's weight w: `(s - w·n) / max(1 - w·n, 0.2)`, clipped to 0..1. The upper
    face goes by the weight at the forehead, the rest by that at the chin: a neutral is chosen for each on its own.
    """
    places = sources()
    upper = [blendshapes.SCORES[place].startswith(("brow", "eye", "cheekSquint")) for place in places.values()]
    constants = {
        "scores": np.array(list(places.values()), np.int64),
        "spots": np.where(upper, _FOREHEAD, _CHIN).astype(np.int64),
        "one": np.array(1.0, np.float32),
        "zero": np.array(0.0, np.float32),
        "least_range": np.array(_LEAST_RANGE, np.float32),
        "flat": np.array([COUNT], np.int64),
    }
    nodes = [
        helper.make_node("Gather", ["embedding", "scores"], ["seen"], axis=1),
        helper.make_node("Gather", ["neutral_embedding", "scores"], ["measured_rest"], axis=0),
        helper.make_node("Reshape", ["neutral_weight", "flat"], ["weights"]),
        helper.make_node("Gather", ["weights", "spots"], ["trust"], axis=0),
        helper.make_node("Mul", ["measured_rest", "trust"], ["rest"]),
        helper.make_node("Sub", ["one", "rest"], ["whole_range"]),
        helper.make_node("Max", ["whole_range", "least_range"], ["range"]),
        helper.make_node("Sub", ["seen", "rest"], ["change"]),
        helper.make_node("Div", ["change", "range"], ["share"]),
        helper.make_node("Clip", ["share", "zero", "one"], ["values"]),
    ]
    size = len(blendshapes.SCORES)
    inputs = {
        "landmarks": ["N", COUNT, 3],
        "rotation": ["N", 3],
        "embedding": ["N", size],
        "neutral_landmarks": [COUNT, 3],
        "neutral_weight": [COUNT, 1],
        "neutral_embedding": [size],
    }
    graph = helper.make_graph(
        nodes,
        "mediapipe_scores",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info("values", TensorProto.FLOAT, ["N", len(places)])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="au_mocap")
    model.ir_version = IR_VERSION
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


def write(out: Path) -> None:
    """Writes the graph and its registry entry into a folder; accuracy that was measured before stays in the entry."""
    out.mkdir(parents=True, exist_ok=True)
    head = build()
    (out / FILE).write_bytes(head)
    graph = Registry().tracker("onnx").files["blendshapes"]
    entry = _ENTRY.format(
        name=NAME,
        version=VERSION,
        graph=graph.sha256,
        channels=", ".join(f'"{channel_id}"' for channel_id in sources()),
        image=graph.file,
        size=len(blendshapes.SCORES),
        file=FILE,
        head=hashlib.sha256(head).hexdigest(),
    )
    registry_entry.put(out / "registry.toml", "regressor", NAME, entry + _accuracy(out))


def _accuracy(out: Path) -> str:
    """The line of figures in the entry that is there already, empty where there is none."""
    if not (out / "registry.toml").exists():
        return ""
    known = [entry.accuracy for entry in Registry((out,)).regressors if entry.name == NAME]
    figures = ", ".join(f"{key} = {value}" for key, value in known[0].items()) if known else ""
    return f"accuracy = {{ {figures} }}\n" if figures else ""


def main() -> int:
    """Reads the command line and writes."""
    parser = argparse.ArgumentParser(description="Make the regressor of MediaPipe's own scores.")
    parser.add_argument("--out", type=Path, default=BUNDLED, help="folder to write to (default: models/)")
    arguments = parser.parse_args()
    out: Path = arguments.out
    write(out)
    sys.stdout.write(f"{out / FILE}: {len(sources())} channels from {len(blendshapes.SCORES)} scores\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
