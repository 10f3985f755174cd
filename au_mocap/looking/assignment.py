"""The best pairing of two lists, each entry used once (the Hungarian method)."""

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats


def assign(value: Floats) -> list[tuple[int, int]]:
    """Pairs rows with columns so that the sum of their values is greatest.

    Args:
        value: (R, C) worth of each pair; pairs of value 0 or less are left out.

    Returns:
        (row, column) pairs by row.
    """
    worth = np.maximum(np.nan_to_num(np.asarray(value, np.float64)), 0.0)
    if not worth.size:
        return []
    turned = worth.shape[0] > worth.shape[1]
    cost = -(worth.T if turned else worth)
    rows = _columns_of_rows(cost)
    pairs = [(int(column), row) if turned else (row, int(column)) for row, column in enumerate(rows)]
    return sorted(pair for pair in pairs if worth[pair] > 0.0)


def _columns_of_rows(cost: NDArray[np.float64]) -> NDArray[np.int64]:
    """(R,) the column of each row in the cheapest pairing of all rows; R is at most C."""
    count, width = cost.shape
    row_price, column_price = np.zeros(count + 1), np.zeros(width + 1)
    owner = np.zeros(width + 1, np.int64)  # rows are counted from 1 here: 0 is nobody
    for row in range(1, count + 1):
        owner[0], column = row, 0
        least = np.full(width + 1, np.inf)
        before = np.zeros(width + 1, np.int64)
        used = np.zeros(width + 1, bool)
        while owner[column]:
            used[column] = True
            current = owner[column]
            reduced = cost[current - 1] - row_price[current] - column_price[1:]
            better = ~used[1:] & (reduced < least[1:])
            least[1:][better] = reduced[better]
            before[1:][better] = column
            following = int(np.argmin(np.where(used[1:], np.inf, least[1:]))) + 1
            step = least[following]
            row_price[owner[used]] += step
            column_price[used] -= step
            least[1:][~used[1:]] -= step
            column = following
        while column:
            previous = int(before[column])
            owner[column] = owner[previous]
            column = previous
    found = np.zeros(count, np.int64)
    taken = np.flatnonzero(owner[1:])
    found[owner[1:][taken] - 1] = taken
    return found
