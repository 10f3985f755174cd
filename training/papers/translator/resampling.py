"""Training sets in which every intensity of an AU is as frequent (section 4.2.2): of renders, and of translations."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from au_mocap import channels
from training.papers.translator.album import Album
from training.papers.translator.settings import TranslatorError
from training.papers.translator.translator import Translator


@dataclass(frozen=True, slots=True)
class Pairs:
    """Sources and what they are to show, for one AU.

    Attributes:
        sources: (N,) rows of pictures that do not show the AU.
        targets: (N,) rows whose values are to be shown.
        levels: (N,) 0..5 of the AU in the targets, as `balance.level_of` has them.
    """

    sources: NDArray[np.int64]
    targets: NDArray[np.int64]
    levels: NDArray[np.int64]


def feafa(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, 24) FEAFA's channels of (N, P) values."""
    return channels.complete(values, channels.PREDICTED_IDS)[:, : len(channels.FEAFA_IDS)]


def real(known: NDArray[np.int64], each: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Rows with as many of each level: frequent levels lose some, rare ones are there more than once.

    Args:
        known: (K,) levels of one AU.
        each: Rows of a level; levels that nobody shows are left out.
        rng: Chooses.
    """
    chosen: list[NDArray[np.int64]] = []
    for level in np.unique(known):
        rows = np.flatnonzero(known == level)
        chosen.append(rng.choice(rows, each, replace=len(rows) < each))
    return np.concatenate(chosen)


def pairs(known: NDArray[np.int64], each: int, rng: np.random.Generator) -> Pairs:
    """As `real`, of pictures still to be made: each level's values are given to sources without the AU.

    The paper starts from such sources since a generator adds wrinkles and bulges better than it takes them away.

    Raises:
        TranslatorError: Everybody shows the AU.
    """
    without = np.flatnonzero(known == 0)
    if not len(without):
        message = "Every picture shows the AU that is to be added: give pictures of neutral faces, too."
        raise TranslatorError(message)
    targets = real(known, each, rng)
    return Pairs(rng.choice(without, len(targets)), targets, known[targets])


def translated(translator: Translator, album: Album, chosen: Pairs) -> NDArray[np.uint8]:
    """(N, 3, S, S) the pictures of some pairs of an album."""
    return translator.translate(album.pictures[chosen.sources], album.values[chosen.targets])
