"""Makes the two tiny graphs beside this file: a regressor with an image stage whose every number can be foretold.

`python tests/data/two_stage/make.py`, in an environment with the `train` extra. The embedding is the crop's mean red,
green and blue; the head's two values are red and green, less the neutral's as far as it is trusted.
"""

import hashlib
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

_FOLDER = Path(__file__).parent
_LANDMARKS = [478, 3]


def _write(name: str, nodes: list, inputs: dict, outputs: dict, constants: dict) -> str:
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info(key, TensorProto.FLOAT, shape) for key, shape in inputs.items()],
        [helper.make_tensor_value_info(key, TensorProto.FLOAT, shape) for key, shape in outputs.items()],
        [numpy_helper.from_array(value, key) for key, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="au_mocap")
    model.ir_version = 8
    onnx.checker.check_model(model)
    raw = model.SerializeToString(deterministic=True)
    (_FOLDER / f"{name}.onnx").write_bytes(raw)
    return hashlib.sha256(raw).hexdigest()


def main() -> None:
    """Writes both graphs and the registry."""
    image = _write(
        "image",
        [helper.make_node("ReduceMean", ["crop"], ["embedding"], axes=[2, 3], keepdims=0)],
        {"crop": ["N", 3, 32, 32]},
        {"embedding": ["N", 3]},
        {},
    )
    head = _write(
        "head",
        [
            helper.make_node("ReduceMean", ["neutral_weight"], ["trust"], axes=[0, 1], keepdims=0),
            helper.make_node("Mul", ["neutral_embedding", "trust"], ["rest"]),
            helper.make_node("Sub", ["embedding", "rest"], ["change"]),
            helper.make_node("Slice", ["change", "first", "last", "axis"], ["values"]),
        ],
        {
            "landmarks": ["N", *_LANDMARKS],
            "rotation": ["N", 3],
            "embedding": ["N", 3],
            "neutral_landmarks": _LANDMARKS,
            "neutral_weight": [478, 1],
            "neutral_embedding": [3],
        },
        {"values": ["N", 2]},
        {"first": np.array([0]), "last": np.array([2]), "axis": np.array([1])},
    )
    (_FOLDER / "registry.toml").write_text(
        f"""version = 1

[[regressor]]
name = "two_stage"
version = "1"
label = "Mean colour"
description = "For tests: red and green of the crop"
licence = "CC0-1.0"
training_data = "none"
normalisation = "neutral"
channels = ["lip_corner_pull_L", "lip_corner_pull_R"]
image = {{ file = "image.onnx", sha256 = "{image}", preprocessor = "similarity", size_px = 32, embedding_size = 3 }}
head = {{ file = "head.onnx", sha256 = "{head}" }}
""",
        encoding="utf-8",
        newline="\n",
    )


if __name__ == "__main__":
    main()
