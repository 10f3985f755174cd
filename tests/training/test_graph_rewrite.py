"""The rewrites behind the bundled graphs, on a small graph of the same build."""

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime as ort
import pytest

if TYPE_CHECKING:
    from onnx import ModelProto

onnx = pytest.importorskip("onnx", reason="onnx is not installed: `python make.py env train` installs it")

from training import convert_tracker, graph_rewrite, prelu_rewrite, registry_entry  # noqa: E402 - they need onnx


def small_graph(seed: int = 0) -> "ModelProto":
    """A stem, a residual block, a depthwise convolution and pooling, with PRelu slopes on both sides of 1."""
    random = np.random.default_rng(seed)
    constants = []

    def constant(name: str, *shape: int) -> str:
        low, high = (-2.0, 3.0) if name.startswith("slope") else (-0.5, 0.5)
        value = random.uniform(low, high, shape).astype(np.float16).astype(np.float32)
        constants.append(onnx.numpy_helper.from_array(value, name))
        return name

    def numbers(name: str, values: list[int]) -> str:
        constants.append(onnx.numpy_helper.from_array(np.array(values, np.int64), name))
        return name

    node = onnx.helper.make_node
    nodes = [
        node("Transpose", ["image"], ["planes"], perm=[0, 3, 1, 2]),
        node("Conv", ["planes", constant("w0", 8, 3, 3, 3), constant("b0", 8)], ["c0"], pads=[1, 1, 1, 1]),
        node("PRelu", ["c0", constant("slope0", 1, 8, 1, 1)], ["p0"]),
        node("Conv", ["p0", constant("w1", 8, 1, 3, 3), "b0"], ["c1"], pads=[1, 1, 1, 1], group=8),
        node("Conv", ["c1", constant("w2", 8, 8, 1, 1), constant("b2", 8)], ["c2"]),
        node("Add", ["p0", "c2"], ["sum"]),
        node("PRelu", ["sum", constant("slope1", 1, 8, 1, 1)], ["p1"]),
        node("MaxPool", ["p1"], ["pooled"], kernel_shape=[2, 2], strides=[2, 2]),
        node("Pad", ["pooled", numbers("pads", [0, 0, 0, 0, 0, 4, 0, 0])], ["padded"]),
        node("Conv", ["pooled", constant("w4", 8, 8, 1, 1), constant("b4", 8)], ["c4"]),
        node("PRelu", ["c4", constant("slope4", 1, 8, 1, 1)], ["p4"]),
        node("Conv", ["p4", constant("w5", 8, 1, 3, 3), constant("b5", 8)], ["c5"], pads=[1, 1, 1, 1], group=8),
        node("Conv", ["c5", constant("w6", 12, 8, 1, 1), constant("b6", 12)], ["c6"]),
        node("Add", ["padded", "c6"], ["wide"]),
        node("Conv", ["wide", constant("w3", 4, 12, 1, 1), constant("b3", 4)], ["c3"]),
        node("PRelu", ["c3", constant("slope2", 1, 4, 1, 1)], ["result"]),
        node("Relu", ["c3"], ["unused"]),
    ]
    value = onnx.helper.make_tensor_value_info
    float32 = onnx.TensorProto.FLOAT
    graph = onnx.helper.make_graph(
        nodes,
        "small",
        [value("image", float32, ("N", 16, 16, 3))],
        [value("result", float32, ("N", 4, 8, 8))],
        constants,
    )
    return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)


def run(model: bytes, image: np.ndarray) -> list[np.ndarray]:
    session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
    return [np.asarray(output) for output in session.run(None, {"image": image})]


@pytest.mark.parametrize("seed", range(4))
def test_the_rewritten_graph_gives_the_same_results(seed: int) -> None:
    model = small_graph(seed)
    graph = graph_rewrite.unpack(model)
    graph_rewrite.take_channels_first(graph)
    graph_rewrite.pad_channels_by_convolution(graph)
    prelu_rewrite.double_narrow_prelu(graph)
    assert graph_rewrite.operator_counts(graph)["PRelu"] == 3  # of four, one stands alone between its convolutions
    prelu_rewrite.replace_prelu(graph)
    assert "Pad" not in graph_rewrite.operator_counts(graph)
    assert "PRelu" not in graph_rewrite.operator_counts(graph)
    image = np.random.default_rng(9).uniform(-1, 1, (2, 16, 16, 3)).astype(np.float32)
    (expected,) = run(model.SerializeToString(), image)
    (result,) = run(graph_rewrite.pack(graph, "small"), np.ascontiguousarray(image.transpose(0, 3, 1, 2)))
    np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-4)


def test_the_same_graph_gives_the_same_bytes_whatever_its_names() -> None:
    graph, renamed = graph_rewrite.unpack(small_graph()), graph_rewrite.unpack(small_graph())
    renamed.rename("c2", "another")
    renamed.constants = dict(reversed(renamed.constants.items()))
    assert graph_rewrite.pack(graph, "small") == graph_rewrite.pack(renamed, "small")


def test_weights_are_stored_as_half_floats_where_nothing_is_lost() -> None:
    graph = graph_rewrite.unpack(small_graph())
    graph.constants["b3"] = np.array([0.1, 0.2, 0.3, 0.4], np.float32)
    stored = onnx.load_from_string(graph_rewrite.pack(graph, "small")).graph
    types = {tuple(item.dims): item.data_type for item in stored.initializer}
    assert types[(8, 3, 3, 3)] == onnx.TensorProto.FLOAT16
    assert types[(4,)] == onnx.TensorProto.FLOAT
    assert not any(node.output[0] == "unused" for node in stored.node)


def test_a_tensor_that_is_also_an_output_keeps_its_sign() -> None:
    graph = graph_rewrite.unpack(small_graph())
    graph.outputs["p0"] = ("N", 8, 16, 16)
    before = graph_rewrite.pack(graph, "small")
    prelu_rewrite.replace_prelu(graph)
    after = graph_rewrite.pack(graph, "small")
    image = np.random.default_rng(9).uniform(-1, 1, (2, 16, 16, 3)).astype(np.float32)
    for one, other in zip(run(before, image), run(after, image), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)


def test_the_registry_keeps_its_other_entries(tmp_path: Path) -> None:
    registry = tmp_path / "registry.toml"
    checksums = {"detector": "a" * 64, "landmarks": "b" * 64, "blendshapes": "c" * 64}
    registry_entry.put(registry, "tracker", "onnx", convert_tracker.entry(checksums))
    alone = registry.read_text(encoding="utf-8")
    other = '\n[[regressor]]\nname = "other"\nversion = "1"\n'
    registry.write_text(alone + other, encoding="utf-8")
    registry_entry.put(registry, "tracker", "onnx", convert_tracker.entry(checksums | {"detector": "d" * 64}))
    text = registry.read_text(encoding="utf-8")
    assert text == alone.replace("a" * 64, "d" * 64) + other
    assert [row["name"] for row in tomllib.loads(text)["tracker"]] == ["onnx"]
