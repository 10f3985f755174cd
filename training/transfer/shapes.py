"""Between the project's channels and the ARKit shapes of a head, by name.

A head may lack shapes, and spells them its own way (`eyeBlinkLeft`, `eyeBlink_L`, `tongue_out`). ARKit has no sides
for some shapes that have sided channels here: both sides then get their mean, because nothing else can be shown.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from au_mocap.channels import CHANNELS, PREDICTED_IDS, SIDES_OF, complete, positions
from training.synth import limits

_SIDE: Final = re.compile(r"_([LR])$")
_SIDE_NAMES: Final = {"L": "Left", "R": "Right"}


def _table() -> dict[str, tuple[str, ...]]:
    shapes: dict[str, list[str]] = {}
    for channel in CHANNELS:
        if channel.id not in SIDES_OF:
            shapes.setdefault(channel.arkit_shape.partition(", ")[0], []).append(channel.id)
    return {shape: tuple(ids) for shape, ids in shapes.items()}


CHANNELS_OF: Final = _table()
"""ARKit shape to the predicted channels that it shows: one, or the two sides that ARKit does not tell apart."""

_PLAIN: Final = {shape.lower(): shape for shape in CHANNELS_OF}
_COLUMN: Final = positions(PREDICTED_IDS)


def arkit_name(morph: str) -> str | None:
    """The ARKit shape that a head's morph is, None where it is none of them (a viseme, a body corrective)."""
    name = _SIDE.sub(lambda match: _SIDE_NAMES[match[1]], morph.rpartition(".")[2])
    return _PLAIN.get(name.replace("_", "").lower())


def channels_of(shapes: Iterable[str]) -> tuple[str, ...]:
    """Channels that a head with these ARKit shapes can show, in the order of the vocabulary.

    A mean of two sides counts where both of them can be shown.
    """
    shown = {channel_id for shape in shapes for channel_id in CHANNELS_OF[shape]}
    shown |= {mean_id for mean_id, sides in SIDES_OF.items() if shown.issuperset(sides)}
    return tuple(channel.id for channel in CHANNELS if channel.id in shown)


def showable(values: NDArray[np.floating], held: Collection[str]) -> NDArray[np.float32]:
    """What a head can show of expressions.

    Args:
        values: (T, P) 0..1 over `channels.PREDICTED_IDS`.
        held: ARKit shapes of the head.

    Returns:
        (T, P) float32: 0 where the head has no shape, both sides alike where it has one for both, and still nothing
        that one face cannot do at once.
    """
    kept = np.array(values, np.float32)
    lacking = set(PREDICTED_IDS) - set(channels_of(held))
    kept[:, [_COLUMN[channel_id] for channel_id in sorted(lacking)]] = 0.0
    return _sides_alike(limits.enforce(_sides_alike(kept)))


def _sides_alike(values: NDArray[np.float32]) -> NDArray[np.float32]:
    alike = values.copy()
    for ids in CHANNELS_OF.values():
        columns = [_COLUMN[channel_id] for channel_id in ids]
        alike[:, columns] = values[:, columns].mean(axis=1, keepdims=True)
    return alike


def weights(row: NDArray[np.floating]) -> Mapping[str, float]:
    """Weight of each ARKit shape in a (P,) expression of `channels.PREDICTED_IDS` whose sides are alike."""
    return {
        shape: float(np.mean([row[_COLUMN[channel_id]] for channel_id in ids])) for shape, ids in CHANNELS_OF.items()
    }


def truth(values: NDArray[np.floating]) -> NDArray[np.float32]:
    """(T, P) expressions as the whole vocabulary: (T, 58)."""
    return complete(values, PREDICTED_IDS)
