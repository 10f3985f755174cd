"""How much translations look like renders of the same values: Fréchet distances, with two others beside as a scale."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from training.papers.frechet import Eye, distance
from training.papers.translator.album import Album
from training.papers.translator.settings import TranslatorError
from training.papers.translator.translator import Translator

MOST: Final = 2000
"""Pictures in a set at most: more than there are features, so that the covariances are whole."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """Distances of features; all sets are of one size.

    Attributes:
        translated: From translations of one half of the people to renders of the other half, whose values they show.
        sources: From what was translated, neutral faces, to the same renders.
        halves: From renders of the one half of the people to those of the other.
        pictures: In each set.
    """

    translated: float
    sources: float
    halves: float
    pictures: int


def measure(translator: Translator, eye: Eye, album: Album, seed: int) -> Likeness:
    """Measures on people whom the translator never saw.

    Args:
        translator: Who translates.
        eye: Whose features are compared.
        album: The people; neutral pictures among them are the sources.
        seed: Divides the people.

    Raises:
        TranslatorError: A half of the people has too few pictures, or no neutral one.
    """
    rng = np.random.default_rng(seed)
    first = np.isin(album.person, rng.permutation(album.people)[::2])
    neutral = np.flatnonzero(first & album.neutral)
    count = min(int(first.sum()), int((~first).sum()), MOST)
    if count < 2 or not len(neutral):
        message = "Likeness is measured on two halves of the people, one with neutral faces: film more (--measure)."
        raise TranslatorError(message)
    one, other = (rng.choice(np.flatnonzero(half), count, replace=False) for half in (first, ~first))
    # Everybody is a source as often as anybody else, but for what is left over.
    sources = rng.permutation(np.resize(rng.permutation(neutral), count))
    goal = eye.features(album.pictures[other])
    made = translator.translate(album.pictures[sources], album.values[other])
    return Likeness(
        translated=distance(eye.features(made), goal),
        sources=distance(eye.features(album.pictures[sources]), goal),
        halves=distance(eye.features(album.pictures[one]), goal),
        pictures=count,
    )
