"""Apple's 52 face shapes and the channels.

Each channel names its shape in `channels.csv`. Two shapes have no sides, browInnerUp and cheekPuff: both halves of the
face take the whole shape's weight, since that is what the weight moves. The way back is the mean of both halves: of all
weights of the whole shape it comes nearest to two different halves, and it is how a mean channel derives from its
sides. Left and right are the actor's own in both.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .. import channels
from ..arrays import Floats

SHAPE_OF: Final[Mapping[str, str]] = {
    channel.id: channel.arkit_shape.partition(",")[0]
    for channel in channels.CHANNELS
    if channel.id in channels.PREDICTED_IDS
}
"""The shape of each channel that is not a mean of sides."""

SHAPES: Final = tuple(dict.fromkeys(SHAPE_OF.values()))
"""The 52 shapes, in the order of the channels."""

CHANNELS_OF: Final[Mapping[str, tuple[str, ...]]] = {
    shape: tuple(channel_id for channel_id, own in SHAPE_OF.items() if own == shape) for shape in SHAPES
}

_BY_KEY: Final = {shape.lower(): shape for shape in SHAPES}


def shape_of(name: str) -> str | None:
    """The shape that a program means by a name: any case, sides as `Left`/`Right` or `_L`/`_R`; None for no shape."""
    key = name.strip().lower()
    if key.endswith(("_l", "_r")):
        key = key[:-2] + ("left" if key.endswith("l") else "right")
    return _BY_KEY.get(key)


def to_channels(shapes: Sequence[str], weights: NDArray[np.float32]) -> tuple[tuple[str, ...], NDArray[np.float32]]:
    """Arranges weights as channels.

    Args:
        shapes: K different shapes.
        weights: (T, K) of them.

    Returns:
        The C channels that these shapes tell, and (T, C) their values.
    """
    told = tuple(channel_id for channel_id in channels.PREDICTED_IDS if SHAPE_OF[channel_id] in shapes)
    return told, weights[:, [shapes.index(SHAPE_OF[channel_id]) for channel_id in told]]


def to_shapes(values: Floats, shapes: Sequence[str] = SHAPES) -> NDArray[np.float64]:
    """Arranges (T, 58) curves as (T, K) weights of the named shapes; NaN rows stay NaN."""
    columns = [
        np.mean([values[:, channels.INDEX[channel_id]] for channel_id in CHANNELS_OF[shape]], axis=0, dtype=np.float64)
        for shape in shapes
    ]
    return np.stack(columns, axis=1)
