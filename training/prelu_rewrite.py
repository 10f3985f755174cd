"""PRelu written with convolutions, which onnxruntime's CPU provider runs several times faster.

With a slope per channel, `prelu(x) = a·x + (1 - a)·relu(x)`. Where a <= 1 that is one depthwise 1x1 convolution with a
fused Relu, `relu((1 - a)·x)`, added inside a second one, `a·x`: two passes over memory and no layout change. Where a >
1 the second term would be negative and could not pass through the Relu, so such a channel is stored with its sign
turned and every layer that reads it turns its weights. The result is the same to rounding.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from .graph_rewrite import Array, Graph, Node

_NARROW: Final = 8


@dataclass(slots=True)
class _Signs:
    """Which channels of a tensor are stored with their sign turned: +1 or -1 per channel, absent means all +1."""

    of: dict[str, Array] = field(default_factory=dict[str, Array])

    def get(self, name: str, channels: int) -> Array:
        """Signs of a tensor's channels."""
        return self.of.get(name, np.ones(channels, np.float32))


def double_narrow_prelu(graph: Graph) -> None:
    """Replaces PRelu between a convolution and a depthwise one by nothing but a Relu, where there are few channels.

    `prelu(x) = relu(x) - a·relu(-x)`: the convolution before it gives x and -x, the depthwise one after it takes -a
    into its weights, and the dense one after that adds the two. The provider works in blocks of 16 channels anyway, so
    with up to 8 channels the doubling is free.
    """
    _own_weights(graph)
    consumers, producers = graph.consumers(), graph.producers()
    for node in [node for node in graph.nodes if node.kind == "PRelu"]:
        before = producers[node.inputs[0]]
        after = _only_reader(consumers, node)
        last = _only_reader(consumers, after) if after else None
        slope = graph.constants[node.inputs[1]].reshape(-1, 1, 1, 1).astype(np.float32)
        fits = slope.size <= _NARROW and _group(before) == 1 and _only_reader(consumers, before) is node
        if after is None or last is None or not fits or _group(after) != slope.size or _group(last) != 1:
            continue
        for name in before.inputs[1:]:
            graph.constants[name] = np.concatenate([graph.constants[name], -graph.constants[name]])
        weight = graph.constants[after.inputs[1]]
        graph.constants[after.inputs[1]] = np.concatenate([weight, -slope * weight])
        for name in after.inputs[2:]:
            graph.constants[name] = np.concatenate([graph.constants[name], np.zeros_like(graph.constants[name])])
        after.attributes["group"] = 2 * slope.size
        graph.constants[last.inputs[1]] = np.concatenate([graph.constants[last.inputs[1]]] * 2, axis=1)
        node.kind, node.inputs = "Relu", node.inputs[:1]


def _only_reader(consumers: dict[str, list[Node]], node: Node) -> Node | None:
    readers = consumers.get(node.outputs[0], [])
    return readers[0] if len(readers) == 1 else None


def _group(node: Node) -> int:
    """How many groups a convolution has; 0 for other operators."""
    return int(node.attributes.get("group", 1)) if node.kind == "Conv" else 0


def replace_prelu(graph: Graph) -> None:
    """Replaces every PRelu with a slope per channel.

    Outputs of the graph, and tensors that anything but a convolution or an addition reads, keep their true sign.

    Raises:
        ValueError: A tensor with turned signs reaches an operator that cannot take it.
    """
    _own_weights(graph)
    signs = _Signs()
    consumers = graph.consumers()
    producers = graph.producers()
    nodes: list[Node] = []
    for index, node in enumerate(graph.nodes):
        if node.kind == "PRelu":
            readers = {reader.kind for reader in consumers.get(node.outputs[0], [])}
            free = readers <= {"Conv", "Add"} and node.outputs[0] not in graph.outputs
            nodes += _prelu(graph, node, f"prelu{index}", signs, free)
            continue
        if node.kind == "Conv":
            _turn_inputs(graph, node, signs)
        elif node.kind == "Add":
            _turn_addend(graph, node, signs, producers)
        elif any(name in signs.of for name in node.inputs):
            message = f"{node.kind} reads channels with turned signs"
            raise ValueError(message)
        nodes.append(node)
    graph.nodes = nodes


def _prelu(graph: Graph, node: Node, name: str, signs: _Signs, free: bool) -> list[Node]:
    slope = graph.constants[node.inputs[1]].reshape(-1).astype(np.float32)
    source, result = node.inputs[0], node.outputs[0]
    stored = signs.get(source, slope.size)
    gain = np.float32(1) - slope
    if free or bool((gain >= 0).all()):
        turned = np.where(gain < 0, np.float32(-1), np.float32(1))
        if bool((turned < 0).any()):
            signs.of[result] = turned
        first, second = stored * np.abs(gain), turned * stored * slope
        return [
            _scale(graph, f"{name}_up", source, f"{name}_scaled", first),
            Node("Relu", [f"{name}_scaled"], [f"{name}_positive"]),
            _scale(graph, f"{name}_all", source, f"{name}_linear", second),
            Node("Add", [f"{name}_linear", f"{name}_positive"], [result]),
        ]
    return [
        _scale(graph, f"{name}_sign", source, f"{name}_scaled", stored),
        Node("Relu", [f"{name}_scaled"], [f"{name}_rectified"]),
        _scale(graph, f"{name}_up", f"{name}_rectified", f"{name}_positive", gain),
        _scale(graph, f"{name}_all", source, f"{name}_linear", stored * slope),
        Node("Add", [f"{name}_linear", f"{name}_positive"], [result]),
    ]


def _scale(graph: Graph, weight: str, source: str, result: str, factors: Array) -> Node:
    """A depthwise 1x1 convolution: one factor per channel."""
    name = graph.add_constant(weight, factors.astype(np.float32).reshape(-1, 1, 1, 1))
    return Node("Conv", [source, name], [result], {"group": factors.size, "kernel_shape": [1, 1]})


def _own_weights(graph: Graph) -> None:
    """Gives every convolution weights and biases of its own, so that turning one leaves the others alone."""
    for index, node in enumerate(graph.nodes):
        if node.kind == "Conv":
            for slot, name in enumerate(node.inputs[1:], 1):
                own = f"conv{index}_{slot}"
                node.inputs[slot] = (
                    own if own in graph.constants else graph.add_constant(own, graph.constants[name].copy())
                )


def _turn_inputs(graph: Graph, node: Node, signs: _Signs) -> None:
    """Turns a convolution's weights where it reads turned channels."""
    if node.inputs[0] not in signs.of:
        return
    weight = graph.constants[node.inputs[1]]
    turned = signs.of[node.inputs[0]]
    axis = (1, -1, 1, 1) if int(node.attributes.get("group", 1)) == 1 else (-1, 1, 1, 1)
    graph.constants[node.inputs[1]] = weight * turned.reshape(axis)


def _turn_addend(graph: Graph, node: Node, signs: _Signs, producers: dict[str, Node]) -> None:
    """Turns the convolution that is added to a tensor with turned channels; the sum stays turned."""
    turned = [name for name in node.inputs if name in signs.of]
    if not turned:
        return
    (other,) = [name for name in node.inputs if name not in signs.of]
    producer = producers[other]
    if producer.kind != "Conv":
        message = f"{producer.kind} is added to channels with turned signs"
        raise ValueError(message)
    sign = signs.of[turned[0]]
    weight, *bias = producer.inputs[1:]
    graph.constants[weight] = graph.constants[weight] * sign.reshape(-1, 1, 1, 1)
    for name in bias:
        graph.constants[name] = graph.constants[name] * sign
    signs.of[node.outputs[0]] = sign
