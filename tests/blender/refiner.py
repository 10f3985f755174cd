"""A folder with a refiner whose rendering is a linear map: three small graphs and a basis, made in code."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from training import extension

SIZE_PX = 8
NAME = "linear"


def write_refiner(folder: Path) -> Path:
    """Writes the folder; skips the test where graphs cannot be made."""
    onnx = pytest.importorskip("onnx", reason="writes the refiner's graphs")
    helper, kinds = onnx.helper, onnx.TensorProto
    ids = extension.module("au_mocap.channels").PREDICTED_IDS
    basis = extension.module("au_mocap.refiners.basis")
    tables = _basis(basis, len(ids))
    inputs = basis.POSES + len(ids) + tables.identities + tables.appearances
    pixels = 3 * SIZE_PX * SIZE_PX
    way = np.linalg.qr(np.random.default_rng(5).normal(size=(pixels, inputs)))[0].T.astype(np.float32)
    constants = {
        "half": np.array([0.5], np.float32),
        "way": way,
        "back": np.ascontiguousarray(way.T),
        "whole": np.array([-1, 3, SIZE_PX, SIZE_PX]),
        "flat": np.array([-1, pixels]),
        "axis": np.array([1]),
    }
    parameters, image = ("parameters", ["N", inputs]), ("features", ["N", 3, SIZE_PX, SIZE_PX])
    drawing = [("Sub", "parameters half", "c"), ("MatMul", "c way", "d"), ("Add", "d half", "drawn")]
    stepping = [
        *(("Reshape", "features flat", "aim"), ("Sub", "drawn aim", "off"), ("Mul", "off off", "square")),
        *(("ReduceSum", "square axis", "sum"), ("Mul", "sum half", "loss"), ("MatMul", "off back", "tilt")),
        ("Concat", "loss tilt", "slope"),
    ]
    graphs: dict[str, tuple[list[tuple[str, str, str]], list[Any], str]] = {
        "features": ([("Identity", "picture", "features")], [("picture", image[1])], "features"),
        "render": ([*drawing, ("Reshape", "drawn whole", "picture")], [parameters], "picture"),
        "step": ([*drawing, *stepping], [parameters, image], "slope"),
    }
    folder.mkdir(parents=True)
    for name, (nodes, wanted, output) in graphs.items():
        read = {each for _, names, _ in nodes for each in names.split()}
        graph = helper.make_graph(
            [helper.make_node(kind, names.split(), [to], **_options(kind)) for kind, names, to in nodes],
            name,
            [helper.make_tensor_value_info(each, kinds.FLOAT, shape) for each, shape in wanted],
            [helper.make_tensor_value_info(output, kinds.FLOAT, None)],
            [onnx.numpy_helper.from_array(table, each) for each, table in constants.items() if each in read],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        (folder / f"{name}.onnx").write_bytes(model.SerializeToString())
    basis.save(tables, folder / "basis.npz")
    (folder / "registry.toml").write_text(_registry(folder, ids), encoding="utf-8")
    return folder


def _options(kind: str) -> dict[str, int]:
    return {"Concat": {"axis": 1}, "ReduceSum": {"keepdims": 1}}.get(kind, {})


def _basis(basis: Any, count: int) -> Any:  # noqa: ANN401
    face = extension.module("au_mocap.landmarks").canonical_face().points / 0.063
    number = np.zeros((), np.float32)
    return basis.Basis(
        mean=face.astype(np.float32),
        components=np.zeros((1, 478, 3), np.float32) + 0.02,
        deviations=np.ones(1, np.float32),
        patches=basis.patches_of(SIZE_PX),
        rates=np.ones(basis.POSES + count + 1, np.float32),
        step=number + 0.1,
        anchor=number + 0.1,
        steadiness=number + 0.1,
    )


def _registry(folder: Path, ids: tuple[str, ...]) -> str:
    def entry(key: str, file: str) -> str:
        return f'{key} = {{ file = "{file}", sha256 = "{hashlib.sha256((folder / file).read_bytes()).hexdigest()}" }}'

    texts = [f'{key} = "Test"' for key in ("version", "label", "description", "licence", "training_data")]
    files = [entry(key, f"{key}.onnx") for key in ("features", "step", "render")]
    listed = ", ".join(f'"{each}"' for each in ids)
    lines = [f'name = "{NAME}"', *texts, f"channels = [{listed}]", f"size_px = {SIZE_PX}", *files]
    return "\n".join(["version = 1", "[[refiner]]", *lines, entry("basis", "basis.npz"), ""])
