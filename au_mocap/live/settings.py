"""What can be changed while a live session runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .. import calibration, channels, regions, rotations
from ..errors import SettingsError
from ..shaping import Shaping, shape
from .filtering import STRENGTHS, Filtered

HEAD: Final = "head"
PARTS: Final = (*regions.REGIONS, HEAD)
"""What can be muted: the regions of the face, and the head's pose."""

_MIRROR_POSITION: Final = np.array([-1.0, 1.0, 1.0])
_UNBALANCED: Final = np.ones(len(channels.IDS))
_NOWHERE: Final = np.full(4, np.nan), np.full(3, np.nan)


@dataclass(frozen=True, slots=True)
class LiveSettings:
    """What is done to measurements before they are shown; takes are recorded without any of it.

    Attributes:
        smoothing: A strength of `filtering.STRENGTHS`.
        mirror: Swaps the actor's left and right, as `calibration.Settings.mirror` does: the character as a mirror.
        frozen: Holds face and head as they are; pictures, landmarks and raw values go on.
        muted: Those of `PARTS` that rest: values 0, or no head pose.
        gains: As in `calibration.Settings`.
        offsets: As in `calibration.Settings`.
        shaping: The same, but for symmetry: which side is the weaker one, only a whole take can tell.
    """

    smoothing: str = "light"
    mirror: bool = False
    frozen: bool = False
    muted: frozenset[str] = frozenset()
    gains: Mapping[str, float] = field(default_factory=dict[str, float])
    offsets: Mapping[str, float] = field(default_factory=dict[str, float])
    shaping: Shaping = field(default_factory=Shaping)

    def __post_init__(self) -> None:
        """Checks names and ranges; raises SettingsError."""
        if self.smoothing not in STRENGTHS:
            message = f"Unknown smoothing '{self.smoothing}': use {', '.join(STRENGTHS)}."
            raise SettingsError(message)
        unknown = sorted(self.muted - set(PARTS))
        if unknown:
            message = f"Unknown part '{unknown[0]}' to mute: use {', '.join(PARTS)}."
            raise SettingsError(message)
        calibration.Settings(gains=self.gains, offsets=self.offsets)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a character is given.

    Attributes:
        values: (58,) float32, 0..1, columns as `channels.IDS`.
        rotation: (4,) float32 unit quaternion as in a `Take`; NaN where there is no head pose to show.
        position: (3,) float32 metres; NaN as above.
    """

    values: NDArray[np.float32]
    rotation: NDArray[np.float32]
    position: NDArray[np.float32]


def shown(filtered: Filtered, settings: LiveSettings) -> Shown:
    """Applies settings to what the filter gives; where the face has faded to rest, offsets have too."""
    values, rotation, position = filtered.values, filtered.rotation, filtered.position
    if settings.mirror:
        values = values[list(channels.MIRROR)]
        rotation, position = rotations.mirrored(rotation[None])[0], position * _MIRROR_POSITION
    values = values.astype(np.float32)
    for channel_id, gain in settings.gains.items():
        values[channels.INDEX[channel_id]] *= gain
    for channel_id, offset in settings.offsets.items():
        values[channels.INDEX[channel_id]] += offset * filtered.presence
    if not settings.shaping.is_plain:
        values = shape(values[None], settings.shaping, _UNBALANCED)[0].astype(np.float32)
    values = channels.enforce_rules(values[None])[0]
    for part in settings.muted - {HEAD}:
        values[[column for column, name in enumerate(channels.IDS) if regions.REGION_OF[name] == part]] = 0.0
    if HEAD in settings.muted:
        rotation, position = _NOWHERE
    return Shown(values, rotation.astype(np.float32), position.astype(np.float32))
