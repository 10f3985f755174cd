"""Where a curve turns or touches its limits: the moments that an animator looks for, and that stay keys."""

import numpy as np
from numpy.typing import NDArray


def turning_points(values: NDArray[np.float64], prominence: float) -> NDArray[np.int64]:
    """Local extremes between which the curve rises or falls by more than a prominence.

    Args:
        values: (K,) finite samples.
        prominence: Smaller ups and downs are passed over.

    Returns:
        Rising indices, highs and lows in turn; on a plateau its first sample. The ends are not among them.
    """
    steps = np.flatnonzero(np.diff(values) != 0.0)
    if len(steps) < 2:
        return np.zeros(0, np.int64)
    rises = np.diff(values)[steps] > 0.0
    candidates = steps[:-1][rises[:-1] != rises[1:]] + 1
    found: list[int] = []
    best, high, low = -1, float(values[0]), float(values[0])
    direction = 0  # of the movement that led to `best`, once it is known
    for index, value in zip((*candidates.tolist(), len(values) - 1), values[[*candidates, -1]].tolist(), strict=True):
        if direction == 0:
            if value - low > prominence or high - value > prominence:
                direction, best = (1, index) if value - low > prominence else (-1, index)
                high = low = value
            else:
                high, low = max(high, value), min(low, value)
            continue
        extreme = high if direction > 0 else low
        if (value - extreme) * direction > 0.0:
            best, high, low = index, value, value
        elif (extreme - value) * direction > prominence:
            found.append(best)
            direction, best, high, low = -direction, index, value, value
    return np.array(found, np.int64)


def touches(values: NDArray[np.float64], tolerance: float) -> NDArray[np.bool_]:
    """Where a curve arrives at its lowest or highest value and where it leaves it again.

    Args:
        values: (K,) finite samples.
        tolerance: Departures no larger than this do not end a stay.

    Returns:
        (K,) True at the first and the last sample of every stay at the lowest or the highest value.
    """
    result = np.zeros(len(values), np.bool_)
    if not len(values) or np.ptp(values) <= tolerance:
        return result
    for limit in (values.min(), values.max()):
        reached = np.flatnonzero(values == limit)
        away = np.abs(values - limit) > tolerance
        departures = np.cumsum(away)
        ends = np.flatnonzero(np.diff(departures[reached]) > 0)
        result[reached[np.concatenate([[0], ends + 1])]] = True
        result[reached[np.append(ends, len(reached) - 1)]] = True
    return result
