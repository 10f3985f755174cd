"""Action Unit codes as files hold them (one table a unit, by frame), brought together as rows of targets."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from . import targets
from .clips import DatasetError

Codes = Mapping[int, Mapping[int, float]]
"""Values 0..1 by AU number and frame, NaN where not coded."""


def rows_of(
    intensities: Codes, occurrences: Codes, origin: Path
) -> tuple[tuple[targets.Target, ...], dict[int, NDArray[np.float32]]]:
    """Arranges a clip's codes; where an AU has intensities, its occurrence is not looked at.

    Args:
        intensities: Graded codes.
        occurrences: Codes that are 0 or 1.
        origin: Where they come from, for messages.

    Returns:
        K targets, and (K,) values by frame with NaN where nothing was coded.

    Raises:
        DatasetError: None of the AUs has a channel.
    """
    frames = sorted({frame for codes in (intensities, occurrences) for table in codes.values() for frame in table})
    columns = targets.action_units(_columns(intensities, frames), graded=True)
    graded = {target.name for target in columns}
    present = targets.action_units(_columns(occurrences, frames), graded=False)
    columns |= {
        target: codes for target, codes in present.items() if target.name not in graded and not np.isnan(codes).all()
    }
    if not columns:
        message = f"{origin} codes none of the Action Units that there are channels for."
        raise DatasetError(message)
    arrays: list[NDArray[np.float32]] = list(columns.values())
    return tuple(columns), dict(zip(frames, np.stack(arrays, axis=1), strict=True))


def _columns(codes: Codes, frames: list[int]) -> dict[int, NDArray[np.float32]]:
    return {
        number: np.array([table.get(frame, np.nan) for frame in frames], np.float32) for number, table in codes.items()
    }
