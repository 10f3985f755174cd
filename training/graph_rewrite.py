"""Rewrites of ONNX graphs that keep their results and make them quick on a CPU, small on disk and the same every time.

A `Graph` is an ONNX graph unpacked into plain Python: nodes in order and constants as arrays. The rewrites change it in
place and are applied one after the other by `convert_tracker`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

OPSET: Final = 17
IR_VERSION: Final = 8

Array = NDArray[Any]


@dataclass(slots=True)
class Node:
    """One operator: its kind, the names it reads and writes, its attributes."""

    kind: str
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(slots=True)
class Graph:
    """An ONNX graph in plain Python.

    Attributes:
        nodes: Operators, every one after those whose results it reads.
        constants: Weights and other fixed arrays by name.
        inputs: Shape of every input by name; a string is a free dimension.
        outputs: Shape of every output by name.
    """

    nodes: list[Node]
    constants: dict[str, Array]
    inputs: dict[str, tuple[int | str, ...]]
    outputs: dict[str, tuple[int | str, ...]]

    def producers(self) -> dict[str, Node]:
        """The node that writes a tensor, by the tensor's name."""
        return {name: node for node in self.nodes for name in node.outputs}

    def consumers(self) -> dict[str, list[Node]]:
        """The nodes that read a tensor, by the tensor's name."""
        result: dict[str, list[Node]] = {}
        for node in self.nodes:
            for name in node.inputs:
                result.setdefault(name, []).append(node)
        return result

    def add_constant(self, name: str, value: Array) -> str:
        """Stores a constant under a name that is not taken yet, and returns that name."""
        if name in self.constants:
            message = f"constant {name} exists"
            raise ValueError(message)
        self.constants[name] = value
        return name

    def rename(self, old: str, new: str) -> None:
        """Gives a tensor another name wherever it appears."""
        for node in self.nodes:
            node.inputs = [new if name == old else name for name in node.inputs]
            node.outputs = [new if name == old else name for name in node.outputs]
        for names in (self.inputs, self.outputs):
            if old in names:
                names[new] = names.pop(old)


def unpack(model: onnx.ModelProto) -> Graph:
    """Turns an ONNX model into a `Graph`."""
    graph = model.graph

    def shape(value: onnx.ValueInfoProto) -> tuple[int | str, ...]:
        dimensions = value.type.tensor_type.shape.dim
        return tuple(dim.dim_param or dim.dim_value for dim in dimensions)

    nodes = [
        Node(
            node.op_type,
            list(node.input),
            list(node.output),
            {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute},
        )
        for node in graph.node
    ]
    constants = {item.name: numpy_helper.to_array(item).copy() for item in graph.initializer}
    inputs = {item.name: shape(item) for item in graph.input}
    outputs = {item.name: shape(item) for item in graph.output}
    return Graph(nodes, constants, inputs, outputs)


def pack(graph: Graph, name: str) -> bytes:
    """Serialises a graph: canonical names, half-float weights where that loses nothing, the same bytes every time."""
    canonical = _canonical(graph)
    casts, initializers = _stored(canonical.constants)
    nodes = [
        helper.make_node(node.kind, node.inputs, node.outputs, **dict(sorted(node.attributes.items())))
        for node in (*casts, *canonical.nodes)
    ]
    float_value = helper.make_tensor_value_info
    proto = helper.make_graph(
        nodes,
        name,
        [float_value(key, TensorProto.FLOAT, shape) for key, shape in canonical.inputs.items()],
        [float_value(key, TensorProto.FLOAT, shape) for key, shape in canonical.outputs.items()],
        initializers,
    )
    model = helper.make_model(proto, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="au_mocap")
    model.ir_version = IR_VERSION
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


def _stored(constants: dict[str, Array]) -> tuple[list[Node], list[TensorProto]]:
    """Constants as they are written: half floats with a Cast behind them where the round trip is exact."""
    casts: list[Node] = []
    initializers: list[TensorProto] = []
    for name, value in constants.items():
        half = value.astype(np.float16) if value.dtype == np.float32 else value
        if half.dtype == np.float16 and value.size > 1 and np.array_equal(half.astype(np.float32), value):
            initializers.append(numpy_helper.from_array(half, f"{name}h"))
            casts.append(Node("Cast", [f"{name}h"], [name], {"to": int(TensorProto.FLOAT)}))
        else:
            initializers.append(numpy_helper.from_array(value, name))
    return casts, initializers


def _canonical(graph: Graph) -> Graph:
    """The same graph with only what its outputs need, nodes and names in an order that the structure alone decides."""
    order = _needed(graph)
    names: dict[str, str] = {name: name for name in (*graph.inputs, *graph.outputs)}
    constants: dict[str, Array] = {}
    known: dict[tuple[str, tuple[int, ...], bytes], str] = {}
    nodes: list[Node] = []
    for node in order:
        for name in node.inputs:
            if name in graph.constants and name not in names:
                value = graph.constants[name]
                key = (value.dtype.str, value.shape, value.tobytes())
                if key not in known:
                    known[key] = f"w{len(known)}"
                    constants[known[key]] = value
                names[name] = known[key]
        for name in node.outputs:
            names.setdefault(name, f"t{len(nodes)}")
        inputs = [names[name] if name else "" for name in node.inputs]
        nodes.append(Node(node.kind, inputs, [names[name] for name in node.outputs], node.attributes))
    return Graph(nodes, constants, graph.inputs, graph.outputs)


def _needed(graph: Graph) -> list[Node]:
    """Nodes that the outputs depend on, depth first from the first output to the last."""
    producers = graph.producers()
    order: list[Node] = []
    seen: set[int] = set()
    stack: list[tuple[Node, bool]] = [(producers[name], False) for name in reversed(list(graph.outputs))]
    while stack:
        node, inputs_done = stack.pop()
        if inputs_done:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            stack.append((node, True))
            stack.extend((producers[name], False) for name in reversed(node.inputs) if name in producers)
    return order


def take_channels_first(graph: Graph) -> None:
    """Drops the transpose at the single image input, so that the graph reads (N, 3, H, W) instead of (N, H, W, 3).

    Raises:
        ValueError: The graph does not begin with that transpose.
    """
    ((name, shape),) = graph.inputs.items()
    node = next(node for node in graph.nodes if name in node.inputs)
    if node.kind != "Transpose" or list(node.attributes["perm"]) != [0, 3, 1, 2]:
        message = f"graph begins with {node.kind}"
        raise ValueError(message)
    graph.nodes.remove(node)
    graph.rename(node.outputs[0], name)
    graph.inputs = {name: ("N", shape[3], shape[1], shape[2])}


def reshape_output(graph: Graph, name: str, shape: tuple[int, ...]) -> None:
    """Makes the Reshape behind an output give (N, *shape), N being whatever was fed.

    Raises:
        ValueError: The output is not a Reshape's.
    """
    node = graph.producers()[name]
    if node.kind != "Reshape":
        message = f"{name} comes from {node.kind}"
        raise ValueError(message)
    node.inputs[1] = graph.add_constant(f"{name}_shape", np.array([0, *shape], np.int64))
    graph.outputs[name] = ("N", *shape)


def free_batch(graph: Graph) -> None:
    """Lets every Reshape whose target begins with 1 keep the batch dimension instead."""
    for index, node in enumerate(graph.nodes):
        if node.kind == "Reshape" and int(graph.constants[node.inputs[1]][0]) == 1:
            target = graph.constants[node.inputs[1]].copy()
            target[0] = 0
            node.inputs[1] = graph.add_constant(f"batch_{index}", target)


def pad_channels_by_convolution(graph: Graph) -> None:
    """Replaces every Pad that appends empty channels by a 1x1 convolution that copies the others.

    onnxruntime's CPU provider keeps tensors in blocks of channels between convolutions; a Pad makes it unpack them.

    Raises:
        ValueError: A Pad does something else, or what it pads has no convolution before it to tell its channels.
    """
    for index, node in enumerate(graph.nodes):
        if node.kind != "Pad":
            continue
        pads = graph.constants[node.inputs[1]].tolist()
        appended = pads[5]
        if len(pads) != 8 or appended <= 0 or any(pads[:5]) or any(pads[6:]):
            message = f"Pad by {pads} is not an appending of channels"
            raise ValueError(message)
        channels = _channels(graph, node.inputs[0])
        weight = np.eye(channels + appended, channels, dtype=np.float32)[:, :, None, None]
        name = graph.add_constant(f"append_{index}", weight)
        graph.nodes[index] = Node("Conv", [node.inputs[0], name], node.outputs, {"kernel_shape": [1, 1]})


def _channels(graph: Graph, name: str) -> int:
    """How many channels a tensor has, by the convolution that it comes from."""
    node = graph.producers().get(name)
    while node is not None and node.kind != "Conv":
        node = graph.producers().get(node.inputs[0])
    if node is None:
        message = f"{name} does not come from a convolution"
        raise ValueError(message)
    return graph.constants[node.inputs[1]].shape[0]


def operator_counts(graph: Graph) -> dict[str, int]:
    """How often every kind of operator appears."""
    return dict(Counter(node.kind for node in graph.nodes))
