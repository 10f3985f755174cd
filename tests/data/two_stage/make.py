"""Makes the tiny graphs beside this file: regressors with an image stage whose every number can be foretold.

`python tests/data/two_stage/make.py`, in an environment with the `train` extra. Of `two_stage` the embedding is the
crop's mean red, green and blue; the head's two values are red and green, less the neutral's as far as it is trusted.
Of `of_maps` it is the mean of the landmark graph's `map_8` and where that graph saw the outer corners of the eyes,
forehead and chin (x and y of each in the tile, as a share of its side); its head is of the same kind. `of_both` keeps
those places of the tile and of the mirrored tile. `moments` has the image stage of `two_stage`; its two values are the
red a fifth of a second before and after.
"""

import hashlib
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

_FOLDER = Path(__file__).parent
_LANDMARKS = [478, 3]
_SPOTS = [33, 263, 10, 152]


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


def _head(name: str, embedding_size: int) -> str:
    return _write(
        name,
        [
            helper.make_node("ReduceMean", ["neutral_weight"], ["trust"], axes=[0, 1], keepdims=0),
            helper.make_node("Mul", ["neutral_embedding", "trust"], ["rest"]),
            helper.make_node("Sub", ["embedding", "rest"], ["change"]),
            helper.make_node("Slice", ["change", "first", "last", "axis"], ["values"]),
        ],
        {
            "landmarks": ["N", *_LANDMARKS],
            "rotation": ["N", 3],
            "embedding": ["N", embedding_size],
            "neutral_landmarks": _LANDMARKS,
            "neutral_weight": [478, 1],
            "neutral_embedding": [embedding_size],
        },
        {"values": ["N", 2]},
        {"first": np.array([0]), "last": np.array([2]), "axis": np.array([1])},
    )


def _moments_head() -> str:
    numbers = ["N", 3]
    return _write(
        "moments_head",
        [
            helper.make_node("Slice", ["earlier_embedding", "first", "last", "axis"], ["before"]),
            helper.make_node("Slice", ["later_embedding", "first", "last", "axis"], ["after"]),
            helper.make_node("Concat", ["before", "after"], ["values"], axis=1),
        ],
        {
            "landmarks": ["N", *_LANDMARKS],
            "rotation": ["N", 3],
            "embedding": numbers,
            "neutral_landmarks": _LANDMARKS,
            "neutral_weight": [478, 1],
            "neutral_embedding": [3],
            "earlier_embedding": numbers,
            "later_embedding": numbers,
        },
        {"values": ["N", 2]},
        {"first": np.array([0]), "last": np.array([1]), "axis": np.array([1])},
    )


def _maps_stage() -> str:
    return _write(
        "maps",
        [
            helper.make_node("ReduceMean", ["map_8"], ["mean"], axes=[1, 2, 3], keepdims=1),
            helper.make_node("Reshape", ["mean", "one_each"], ["first"]),
            *_places("landmarks", "places"),
            helper.make_node("Concat", ["first", "places"], ["embedding"], axis=1),
        ],
        {"map_8": ["N", 128, 8, 8], "landmarks": ["N", *_LANDMARKS]},
        {"embedding": ["N", 9]},
        {"one_each": np.array([-1, 1]), **_PLACES_CONSTANTS},
    )


def _both_stage() -> str:
    return _write(
        "both",
        [
            *_places("landmarks", "places"),
            *_places("mirrored_landmarks", "mirrored_places"),
            helper.make_node("Concat", ["places", "mirrored_places"], ["embedding"], axis=1),
        ],
        {"landmarks": ["N", *_LANDMARKS], "mirrored_landmarks": ["N", *_LANDMARKS]},
        {"embedding": ["N", 16]},
        _PLACES_CONSTANTS,
    )


_PLACES_CONSTANTS = {
    "all_each": np.array([-1, 8]),
    "chosen": np.array(_SPOTS),
    "from": np.array([0]),
    "to": np.array([2]),
    "last_axis": np.array([2]),
    "scale": np.array(1 / 256, np.float32),
}


def _places(landmarks: str, places: str) -> list:
    return [
        helper.make_node("Gather", [landmarks, "chosen"], [f"{places}_spots"], axis=1),
        helper.make_node("Slice", [f"{places}_spots", "from", "to", "last_axis"], [f"{places}_flat"]),
        helper.make_node("Reshape", [f"{places}_flat", "all_each"], [f"{places}_numbers"]),
        helper.make_node("Mul", [f"{places}_numbers", "scale"], [places]),
    ]


_ENTRY = """
[[regressor]]
name = "{name}"
version = "1"
label = "{label}"
description = "For tests: {description}"
licence = "CC0-1.0"
training_data = "none"
normalisation = "neutral"
channels = ["lip_corner_pull_L", "lip_corner_pull_R"]
image = {{ file = "{file}.onnx", sha256 = "{image}", {form} }}
head = {{ file = "{head_file}.onnx", sha256 = "{head}" }}
{further}"""


def main() -> None:
    """Writes the graphs and the registry."""
    image = _write(
        "image",
        [helper.make_node("ReduceMean", ["crop"], ["embedding"], axes=[2, 3], keepdims=0)],
        {"crop": ["N", 3, 32, 32]},
        {"embedding": ["N", 3]},
        {},
    )
    entries = [
        _ENTRY.format(
            name="two_stage",
            label="Mean colour",
            description="red and green of the crop",
            file="image",
            image=image,
            form='preprocessor = "similarity", size_px = 32, embedding_size = 3',
            head_file="head",
            head=_head("head", 3),
            further="",
        ),
        _ENTRY.format(
            name="of_maps",
            label="Mean of a map",
            description="what the landmark graph saw",
            file="maps",
            image=_maps_stage(),
            form='source = "maps", inputs = ["map_8", "landmarks"], embedding_size = 9',
            head_file="maps_head",
            head=_head("maps_head", 9),
            further="",
        ),
        _ENTRY.format(
            name="moments",
            label="Mean colour before and after",
            description="red of the crop, a fifth of a second before and after",
            file="image",
            image=image,
            form='preprocessor = "similarity", size_px = 32, embedding_size = 3',
            head_file="moments_head",
            head=_moments_head(),
            further="window_s = 0.2\n",
        ),
        _ENTRY.format(
            name="of_both",
            label="Two looks",
            description="where the landmark graph saw the face in the tile and in the mirrored one",
            file="both",
            image=_both_stage(),
            form='source = "maps", inputs = ["landmarks", "mirrored_landmarks"], embedding_size = 16',
            head_file="both_head",
            head=_head("both_head", 16),
            further="",
        ),
    ]
    (_FOLDER / "registry.toml").write_text("version = 1\n" + "".join(entries), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
