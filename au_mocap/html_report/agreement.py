"""How well two takes of one clip agree."""

from dataclasses import dataclass
from typing import Any, Final, cast

import numpy as np

from .. import channels, metrics
from ..errors import TakeError
from ..take import Take
from .performance import Performance

_SAME_TIME_S: Final = 2e-3


@dataclass(frozen=True, slots=True)
class Agreement:
    """One channel of two takes over the frames that both have.

    Attributes:
        pcc: Pearson's correlation; None where a curve stands still.
        icc: ICC(3,1); None where neither curve moves.
        mae: Mean absolute difference.
    """

    pcc: float | None
    icc: float | None
    mae: float


def check_same_clip(take: Take, other: Take) -> None:
    """Makes sure that two takes show the same frames of the same clip.

    Raises:
        TakeError: They do not; the message says what differs.
    """
    own, theirs = (_source(each) for each in (take, other))
    if own[1] and theirs[1] and own[1] != theirs[1]:
        message = f"The takes are of different clips, {own[0]} and {theirs[0]}: compare takes of the same video."
        raise TakeError(message)
    if len(take) != len(other) or take.first_frame != other.first_frame:
        message = (
            f"The takes cover different frames ({_range(take)} and {_range(other)}): "
            "analyse the same range of the video with both."
        )
        raise TakeError(message)
    if np.abs((take.time_s - take.time_s[0]) - (other.time_s - other.time_s[0])).max() > _SAME_TIME_S:
        message = "The takes' frames lie at different times: compare takes of the same video."
        raise TakeError(message)


def agreement(first: Performance, second: Performance) -> dict[str, Agreement]:
    """Agreement of every channel that regressors predict; empty where no frame has a face in both takes."""
    one, two = (np.asarray(each.curves.values, np.float64) for each in (first, second))
    both = ~(np.isnan(one).any(axis=1) | np.isnan(two).any(axis=1))
    if not both.any():
        return {}
    one, two = one[both], two[both]
    pcc, icc, mae = metrics.pcc(one, two), metrics.icc(one, two), metrics.mae(one, two)
    moves_one, moves_two = np.ptp(one, axis=0) > 0, np.ptp(two, axis=0) > 0
    return {
        channel_id: Agreement(
            float(pcc[column]) if moves_one[column] and moves_two[column] else None,
            float(icc[column]) if moves_one[column] or moves_two[column] else None,
            float(mae[column]),
        )
        for channel_id, column in ((each, channels.INDEX[each]) for each in channels.PREDICTED_IDS)
    }


def _source(take: Take) -> tuple[str, str]:
    """Name and checksum; the checksum of what was analysed where the take was linked with another file since."""
    source: dict[str, Any] = take.meta.get("source", {})
    analysed = source.get("analysed")
    known = cast(dict[str, Any], analysed) if isinstance(analysed, dict) else source
    return str(source.get("name", "?")), str(known.get("sha256") or "")


def _range(take: Take) -> str:
    return f"{take.first_frame} to {take.first_frame + len(take) - 1}"
