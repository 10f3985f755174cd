"""Six levels of intensity, and samples that show each of them equally often.

The third paper labels an AU as not present or A to E, and draws the same number of pictures for each level of each
AU: of common levels some, of rare ones the same pictures again and again. Networks of one AU each could be shown each
their own sample. Here one network reads all AUs, so each picture says for each AU how often it was drawn; where that is
not at all, the picture says nothing of that AU.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from au_mocap.channels import INTENSITY_LETTERS

LEVELS: Final = 1 + len(INTENSITY_LETTERS)
"""Not present, and A to E."""

NAMES: Final = ("not present", *INTENSITY_LETTERS)


def level_of(values: NDArray[np.floating]) -> NDArray[np.int64]:
    """The level nearest to values 0..1, in the same shape; not present below 0.1, where the vocabulary has it too."""
    return np.clip(np.rint(np.asarray(values, np.float64) * (LEVELS - 1)), 0, LEVELS - 1).astype(np.int64)


def balanced(levels: NDArray[np.int64], usable: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.float32]:
    """Draws pictures so that each level of each AU has the same share; altogether as many as there are.

    A level of which there are enough pictures gives each at most once. One that nobody shows goes without.

    Args:
        levels: (N, P) 0..5.
        usable: (N,) or (N, P) bool: which pictures may be drawn.
        rng: Chooses them.

    Returns:
        (N, P) how often each picture was drawn for each AU.
    """
    allowed = np.broadcast_to(usable if usable.ndim == 2 else usable[:, None], levels.shape)
    drawn = np.zeros(levels.shape, np.float32)
    for column in range(levels.shape[1]):
        groups = [np.flatnonzero(allowed[:, column] & (levels[:, column] == level)) for level in range(LEVELS)]
        shown = [group for group in groups if len(group)]
        total = sum(len(group) for group in shown)
        for number, group in enumerate(shown):
            count = total * (number + 1) // len(shown) - total * number // len(shown)
            whole, rest = divmod(count, len(group))
            drawn[group, column] += whole
            drawn[rng.choice(group, rest, replace=False), column] += 1
    return drawn


def shares(levels: NDArray[np.int64], drawn: NDArray[np.floating]) -> NDArray[np.float64]:
    """(6,) share of each level among (N, P) draws, all AUs together; zeros where nothing was drawn."""
    found = np.bincount(levels.ravel(), weights=np.asarray(drawn, np.float64).ravel(), minlength=LEVELS)
    return found / max(float(found.sum()), 1e-9)
