"""Takes whose values another program measured: what stands where a regressor stands for an analysed take.

There is no face to measure again, so a neutral is taken off the values themselves. What a channel shows at rest becomes
0, and its full action stays 1: `(x - rest) / (1 - rest)`.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from . import channels
from .regressors import Features, Neutral, Regressor

NAME: Final = "imported"
VERSION: Final = "1"

_MOST_REST: Final = 0.5
"""A rest beyond this stretches its channel no further: what is left of its range would be noise made large."""


class ImportedValues:
    """Gives the values that a take was imported with."""

    @property
    def identity(self) -> dict[str, str]:
        """What a take's meta data says under `regressor`."""
        return {"name": NAME, "version": VERSION}

    @property
    def embedding_size(self) -> int:
        """Numbers of each frame that a neutral is taken off."""
        return len(channels.IDS)

    def values(self, seen: Features, neutral: Neutral | None = None) -> NDArray[np.float32]:
        """Takes the neutral off.

        Args:
            seen: T frames, their values in place of an embedding (`regressors.features`).
            neutral: The values at rest in the same place; None takes nothing off.

        Returns:
            (T, 58) float32 in the order of `channels.IDS`, 0..1, all rules applied; NaN rows where `seen` has NaN.
        """
        values = seen.embedding
        if neutral is not None:
            rest = neutral.embedding
            values = (values - rest) / (1.0 - np.minimum(rest, _MOST_REST))
        return channels.enforce_rules(values.astype(np.float32))


Maker = Regressor | ImportedValues
"""What the values of a take come from."""


def identity_of(maker: Maker) -> dict[str, Any]:
    """Name and version as a take's meta data holds them under `regressor`."""
    if isinstance(maker, ImportedValues):
        return dict(maker.identity)
    return {"name": maker.entry.name, "version": maker.entry.version}
