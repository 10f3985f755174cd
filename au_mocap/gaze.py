"""Gaze while the eyes are shut: a tracker that sees no iris answers with something, and the eyes would dart about."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from . import channels
from .arrays import Floats
from .smoothing import segments

SHUT: Final = 0.6
"""A lid that closes further than this hides the iris at least for a moment."""
OPEN: Final = 0.4
"""Around such a moment the gaze counts again where the lid is no further closed than this."""

_WAYS: Final = ("up", "down", "in", "out")


def hold_through_blinks(time_s: Floats, values: Floats) -> NDArray[np.float32]:
    """Replaces the gaze of shut eyes, each eye by its own lid, by straight lines from before to after.

    Where an eye is shut at the beginning or the end of a stretch with a face, the nearest gaze is held; a stretch in
    which it never opens stays as it is.

    Args:
        time_s: (T,) strictly increasing seconds.
        values: (T, 58) values, columns as `channels.IDS`; NaN rows where there is no face.

    Returns:
        (T, 58) float32, NaN in the same rows; all but the channels `look_*` are unchanged.
    """
    result = np.array(values, np.float32)
    times_s = np.asarray(time_s, np.float64)
    for start, stop in segments(~np.isnan(result).any(axis=1)):
        part = result[start:stop]
        for side in "LR":
            shut = _shut(part[:, channels.INDEX[f"eye_close_{side}"]])
            if not shut.any() or shut.all():
                continue
            for way in _WAYS:
                curve = part[:, channels.INDEX[f"look_{way}_{side}"]]
                curve[shut] = np.interp(times_s[start:stop][shut], times_s[start:stop][~shut], curve[~shut])
    return result


def _shut(lid: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(T,) whether the lid is on its way into, in, or out of a blink."""
    result = np.zeros(len(lid), np.bool_)
    for start, stop in segments(lid > OPEN):
        result[start:stop] = lid[start:stop].max() > SHUT
    return result
