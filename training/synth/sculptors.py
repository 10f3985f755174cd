"""A second opinion on what each channel looks like: MakeHuman's older expression units beside the ARKit face units.

Networks that only ever saw one sculptor's smile learn that sculptor. Where an expression unit, or one half of it, shows
the same action, performers mix a share of it into the channel.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from au_mocap.channels import PREDICTED_IDS
from training.synth.anatomy import Anatomy

_GROUPS: Final = ("african", "asian", "caucasian")
"""The units exist for three groups and hardly differ between them: their mean is taken."""

_MOST: Final = 0.6
_STRAY: Final = 0.7
"""How far a mixture may lead away from the ARKit unit, against the unit's own length."""


@dataclass(frozen=True, slots=True)
class _Source:
    """A unit that shows a channel: "{side}" in its name stands for left or right; `part` is what is taken of it."""

    unit: str
    part: Literal["", "lower", "upper"] = ""


_SOURCES: Final[dict[str, tuple[_Source, ...]]] = {
    "eye_close": (_Source("eye-{side}-closure"),),
    "lid_raise": (_Source("eye-{side}-opened-up"),),
    "lid_tighten": (_Source("eye-{side}-slit"),),
    "brow_lower": (_Source("eyebrows-{side}-down"),),
    "brow_raise": (_Source("eyebrows-{side}-extern-up"), _Source("eyebrows-{side}-up")),
    "inner_brow_raise": (_Source("eyebrows-{side}-inner-up"), _Source("eyebrows-{side}-up")),
    "nose_wrinkle": (_Source("nose-{side}-elevation"),),
    "lip_corner_pull": (_Source("mouth-corner-puller"), _Source("mouth-compression"), _Source("mouth-retraction")),
    "dimple": (_Source("mouth-retraction"), _Source("mouth-corner-puller")),
    "lip_press": (_Source("mouth-compression"),),
    "lip_corner_depress": (_Source("mouth-depression"),),
    "lip_stretch": (_Source("neck-platysma"), _Source("mouth-depression")),
    "lower_lip_depress": (_Source("mouth-depression-retraction", "lower"), _Source("mouth-part-later", "lower")),
    "upper_lip_raise": (_Source("mouth-elevation"), _Source("mouth-part-later", "upper")),
    "upper_lip_shrug": (_Source("mouth-parling"), _Source("mouth-elevation")),
    "chin_raise": (_Source("mouth-eversion"),),
    "lip_pucker": (_Source("mouth-pursing"),),
    "lip_funnel": (_Source("mouth-protusion"),),
    "jaw_drop": (_Source("mouth-open"),),
}
"""Correspondences by stem: found by cosine similarity and by eye."""


@dataclass(frozen=True, slots=True)
class Variant:
    """Another sculptor's version of a channel.

    Attributes:
        delta: (N, 3) float32 metres in head axes, as strong along the ARKit delta as that delta is itself.
        most: Largest share of it in a mixture.
    """

    delta: NDArray[np.float32]
    most: float


@cache
def variants(parts: Anatomy) -> dict[str, tuple[Variant, ...]]:
    """Other versions of each channel that has any."""
    return {
        channel_id: tuple(_variant(parts, channel_id, source) for source in _SOURCES[stem])
        for channel_id in PREDICTED_IDS
        if (stem := channel_id.removesuffix("_L").removesuffix("_R")) in _SOURCES
    }


def _variant(parts: Anatomy, channel_id: str, source: _Source) -> Variant:
    side = channel_id[-1] if channel_id.endswith(("_L", "_R")) else ""
    name = source.unit.format(side={"L": "left", "R": "right"}.get(side, ""))
    delta = np.mean([parts.unit(f"{group}/{name}") for group in _GROUPS], axis=0)
    if side and name == source.unit:
        delta = delta * parts.half(side)[:, None]
    if source.part:
        with_jaw = _follows_jaw(parts)
        delta = delta * (with_jaw if source.part == "lower" else 1.0 - with_jaw)[:, None]
    delta[parts.eyeballs.ravel()] = 0.0
    own = parts.deltas[PREDICTED_IDS.index(channel_id)].astype(np.float64)
    along = (own * delta).sum() / (own**2).sum()
    delta /= along
    astray = np.sqrt((delta**2).sum() / (own**2).sum() - 1.0)
    return Variant(delta.astype(np.float32), float(min(_MOST, _STRAY / astray)))


def _follows_jaw(parts: Anatomy) -> NDArray[np.float64]:
    """(N,) 0 where skin stays with the skull, 1 where it goes with the jaw as the lower lip does."""
    drop = np.linalg.norm(parts.deltas[PREDICTED_IDS.index("jaw_drop")], axis=1)
    lip = drop[parts.lips.edge_ids[parts.lips.lower]].max()
    return np.clip(drop / (0.8 * lip), 0.0, 1.0).astype(np.float64)
