"""Labels of symmetric actions and of their sides, kept in line while a coder moves one of them."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .. import channels
from .labels import rounded

_MEAN_OF: Final = {
    channels.INDEX[side]: channels.INDEX[mean_id] for mean_id, sides in channels.SIDES_OF.items() for side in sides
}
_SIDES: Final = {
    channels.INDEX[mean_id]: (channels.INDEX[left], channels.INDEX[right])
    for mean_id, (left, right) in channels.SIDES_OF.items()
}


def with_value(values: NDArray[np.float32], columns: Sequence[int], value: float) -> NDArray[np.float32]:
    """A frame's labels after a coder has set some channels.

    A symmetric channel takes its sides along where they are labelled. A side makes the symmetric channel their mean;
    the other side, if it is not labelled, keeps what the symmetric channel said of both.

    Args:
        values: (58,) NaN where not labelled.
        columns: Places of the channels in `channels.IDS`.
        value: 0..1, rounded to two decimals.
    """
    changed = values.copy()
    set_to = rounded(np.array([value]))[0]
    for column in columns:
        before = changed.copy()
        changed[column] = set_to
        if column in _SIDES:
            sides = list(_SIDES[column])
            if not np.isnan(before[sides]).all():
                changed[sides] = set_to
        elif column in _MEAN_OF:
            mean = _MEAN_OF[column]
            sides = list(_SIDES[mean])
            changed[sides] = np.where(np.isnan(changed[sides]), before[mean], changed[sides])
            if not np.isnan(changed[sides]).any():
                changed[mean] = rounded(changed[sides].mean(keepdims=True))[0]
    return changed


def completed(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Labels as a face to show: sides follow their symmetric channel where they have no labels, the rest is at rest.

    Args:
        values: (N, 58) NaN where not labelled.

    Returns:
        (N, 58) without NaN, under the vocabulary's rules.
    """
    filled = values.copy()
    for mean, sides in _SIDES.items():
        for side in sides:
            filled[:, side] = np.where(np.isnan(filled[:, side]), filled[:, mean], filled[:, side])
    return channels.enforce_rules(np.nan_to_num(filled, nan=0.0))


def with_means(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, 58) labels in which a symmetric channel without a label is the mean of its sides, where both have one."""
    filled = values.copy()
    for mean, sides in _SIDES.items():
        of_sides = rounded(values[:, list(sides)].mean(axis=1))
        filled[:, mean] = np.where(np.isnan(filled[:, mean]), of_sides, filled[:, mean])
    return filled
