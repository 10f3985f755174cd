"""Types of the arrays that the engine computes with."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]


def einsum(subscripts: str, *operands: Floats) -> NDArray[np.float64]:
    """`np.einsum` in float64, with the types that numpy's own lack."""
    return np.asarray(np.einsum(subscripts, *operands), np.float64)  # pyright: ignore[reportUnknownMemberType]
