"""How far coders agree, which of their values are obviously wrong, and the mean of the valid ones.

FEAFA's coders worked apart, their values were validated to eliminate obviously wrong ones, and the valid ones averaged
(section 3.3). The paper gives no figure for what is obviously wrong. Here a value is, where it lies farther from the
coders' median than three robust deviations of that channel, at least `LEAST_DISTANCE` and at most `MOST_DISTANCE`;
where two alone have labelled, where they differ by 1.4 times that, since both err.
Where so many fall away that only one coder is left, nobody can tell who is right: the cell stays empty until the coders
settle it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .. import channels
from ..errors import AnnotationError
from .folder import Annotation
from .labels import Labels, rounded

LEAST_DISTANCE: Final = 0.2
"""The fifth of the scale that a FACS letter covers: coders who differ by less are of one mind."""

MOST_DISTANCE: Final = 0.5
_DEVIATIONS: Final = 3.0
_DIFFERENCE_TO_DEVIATION: Final = 1.4826 / np.sqrt(2.0)
"""The deviation of normally distributed errors, as a share of the median difference between two of them."""

_STILL: Final = 1e-12
_SAME_TIME_FRAMES: Final = 0.5


@dataclass(frozen=True, slots=True)
class Outlier:
    """A value that is obviously wrong.

    Attributes:
        coder: Whose it is.
        frame: Where.
        channel: The channel's id.
        value: What was labelled.
        median: The coders' median there.
        is_contested: Whether too few agree to tell who is right, so that the agreed cell stays empty.
    """

    coder: str
    frame: int
    channel: str
    value: float
    median: float
    is_contested: bool


@dataclass(frozen=True, slots=True)
class ChannelAgreement:
    """How far coders agree on one channel.

    Attributes:
        channel: Its id.
        coders: How many label it.
        frames: Frames that all of these label.
        icc: ICC(3,1) over those frames; NaN where nothing moves, or there are fewer than two coders or frames.
        mae: Mean absolute difference between two coders over those frames; NaN without any.
        outliers: Values that are obviously wrong.
    """

    channel: str
    coders: int
    frames: int
    icc: float
    mae: float
    outliers: int


@dataclass(frozen=True, slots=True)
class PairAgreement:
    """How far two coders agree: the mean over channels of ICC(3,1), NaN where none moves, and of their differences."""

    coders: tuple[str, str]
    frames: int
    icc: float
    mae: float


@dataclass(frozen=True, slots=True)
class Agreement:
    """What comparing coders says.

    Attributes:
        coders: Their names.
        by_channel: One entry for each channel that two coders label.
        by_pair: One entry for every two coders.
        outliers: Values that are obviously wrong, by frame.
        agreed: The mean of valid values.
    """

    coders: tuple[str, ...]
    by_channel: tuple[ChannelAgreement, ...]
    by_pair: tuple[PairAgreement, ...]
    outliers: tuple[Outlier, ...]
    agreed: Labels

    @property
    def icc(self) -> float:
        """Mean ICC of the channels that have one, NaN where none has."""
        return _mean([each.icc for each in self.by_channel])

    @property
    def mae(self) -> float:
        """Mean difference of the channels, NaN where there are none."""
        return _mean([each.mae for each in self.by_channel])


@dataclass(frozen=True, slots=True)
class _Table:
    """All coders' labels by frame.

    Attributes:
        coders: K names.
        frames: (F,) frames that anybody labels.
        time_s: (F,) their times.
        key: (F,) whether anybody set them by hand.
        values: (K, F, 58) NaN where not labelled.
    """

    coders: tuple[str, ...]
    frames: NDArray[np.int64]
    time_s: NDArray[np.float64]
    key: NDArray[np.bool_]
    values: NDArray[np.float64]


def compare(annotation: Annotation, coders: Sequence[str] = ()) -> Agreement:
    """Compares coders of a clip.

    Args:
        annotation: Everybody's labels.
        coders: Whom to compare; empty for everybody who has labelled something.

    Raises:
        AnnotationError: A coder is unknown, nobody has labelled anything, or coders labelled different clips.
    """
    unknown = [coder for coder in coders if coder not in annotation.coders]
    if unknown:
        known = ", ".join(annotation.coders) or "nobody"
        message = f"There is no coder '{unknown[0]}' in this folder: it has {known}."
        raise AnnotationError(message)
    chosen = {coder: annotation.coders[coder] for coder in coders or annotation.coders}
    chosen = {coder: labels for coder, labels in chosen.items() if len(labels)}
    if not chosen:
        message = "Nobody has labelled a frame yet: label some first, then compare."
        raise AnnotationError(message)
    table = _table(chosen, annotation.clip.rate_hz)
    wrong, contested, medians = _validated(table.values)
    agreed = _averaged(table, np.where(wrong | contested[None], np.nan, table.values))
    return Agreement(
        coders=table.coders,
        by_channel=_by_channel(table.values, wrong),
        by_pair=tuple(_pair(table, pair) for pair in combinations(range(len(table.coders)), 2)),
        outliers=_outliers(table, wrong, contested, medians),
        agreed=agreed,
    )


def icc_of(ratings: NDArray[np.float64]) -> float:
    """ICC(3,1) of any number of fixed raters (Shrout and Fleiss); for two it is `metrics.icc`.

    Args:
        ratings: (raters, N) without NaN.

    Returns:
        -1 / (raters - 1) to 1; NaN where there are fewer than two raters or frames, or nothing varies.
    """
    raters, count = ratings.shape
    if raters < 2 or count < 2:
        return float("nan")
    of_frame, of_rater, overall = ratings.mean(axis=0), ratings.mean(axis=1, keepdims=True), ratings.mean()
    between = raters * ((of_frame - overall) ** 2).sum() / (count - 1)
    error = ((ratings - of_frame - of_rater + overall) ** 2).sum() / ((count - 1) * (raters - 1))
    total = between + (raters - 1) * error
    return float((between - error) / total) if total > _STILL else float("nan")


def _table(coders: Mapping[str, Labels], rate_hz: float) -> _Table:
    frames = np.unique(np.concatenate([labels.frames for labels in coders.values()]))
    time_s = np.full(len(frames), np.nan)
    key = np.zeros(len(frames), np.bool_)
    values = np.full((len(coders), len(frames), len(channels.IDS)), np.nan)
    for number, (coder, labels) in enumerate(coders.items()):
        places = np.searchsorted(frames, labels.frames)
        known = time_s[places]
        apart = np.abs(known - labels.time_s) * rate_hz > _SAME_TIME_FRAMES
        if apart.any():
            first = int(np.flatnonzero(apart)[0])
            message = (
                f"Coder '{coder}' has frame {labels.frames[first]} at {labels.time_s[first]:.3f} s, the others at "
                f"{known[first]:.3f} s: they labelled clips of different length or frame rate. Label the same file."
            )
            raise AnnotationError(message)
        time_s[places] = np.where(np.isnan(known), labels.time_s, known)
        key[places] |= labels.key
        values[number, places] = labels.values
    if (np.diff(time_s) <= 0).any():
        message = "The coders' times contradict each other: they labelled different clips. Label the same file."
        raise AnnotationError(message)
    return _Table(tuple(coders), frames, time_s, key, values)


def _validated(
    values: NDArray[np.float64],
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.float64]]:
    """Which values are obviously wrong (K, F, C), which cells nobody can settle, and the coders' medians (F, C)."""
    counts = (~np.isnan(values)).sum(axis=0)
    medians = _median(values)
    # Two values lie equally far from their median, which is halfway between them.
    distances = np.abs(values - medians) * np.where(counts == 2, np.sqrt(2.0), 1.0)
    limits = np.clip(_DEVIATIONS * _deviations(values), LEAST_DISTANCE, MOST_DISTANCE)
    wrong = np.nan_to_num(distances) > limits + 1e-6
    contested = wrong.any(axis=0) & (counts - wrong.sum(axis=0) < 2)
    return wrong, contested, medians


def _deviations(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(C,) how much coders (K, F, C) usually err, by their differences; 0 where nobody can be compared."""
    pairs = [np.abs(values[one] - values[other]) for one, other in combinations(range(len(values)), 2)]
    if not pairs:
        return np.zeros(values.shape[2])
    return _DIFFERENCE_TO_DEVIATION * np.nan_to_num(_median(np.concatenate(pairs)))


def _median(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Median over the first axis of what is known; NaN where nothing is."""
    ordered = np.sort(values, axis=0)  # NaN comes last
    counts = (~np.isnan(values)).sum(axis=0)
    low = np.take_along_axis(ordered, np.maximum((counts - 1) // 2, 0)[None], axis=0)[0]
    high = np.take_along_axis(ordered, np.minimum(counts // 2, len(values) - 1)[None], axis=0)[0]
    return np.where(counts > 0, (low + high) / 2.0, np.nan)


def _averaged(table: _Table, valid: NDArray[np.float64]) -> Labels:
    counts = (~np.isnan(valid)).sum(axis=0)
    means = np.where(counts > 0, np.nansum(valid, axis=0) / np.maximum(counts, 1), np.nan)
    return Labels(table.frames, table.time_s, table.key, rounded(means)).without_empty()


def _by_channel(values: NDArray[np.float64], wrong: NDArray[np.bool_]) -> tuple[ChannelAgreement, ...]:
    found: list[ChannelAgreement] = []
    for column, channel_id in enumerate(channels.IDS):
        of_channel = values[:, :, column]
        of_channel = of_channel[~np.isnan(of_channel).all(axis=1)]
        if len(of_channel) < 2:
            continue
        shared = of_channel[:, ~np.isnan(of_channel).any(axis=0)]
        outliers = int(wrong[:, :, column].sum())
        differences = [float(np.abs(a - b).mean()) for a, b in combinations(shared, 2) if len(a)]
        count = shared.shape[1]
        found.append(ChannelAgreement(channel_id, len(of_channel), count, icc_of(shared), _mean(differences), outliers))
    return tuple(found)


def _pair(table: _Table, pair: tuple[int, int]) -> PairAgreement:
    two = table.values[list(pair)]
    shared = ~np.isnan(two).any(axis=0)
    columns = np.flatnonzero(shared.any(axis=0))
    parts = [two[:, shared[:, column], column] for column in columns]
    icc = _mean([icc_of(part) for part in parts])
    mae = _mean([float(np.abs(part[0] - part[1]).mean()) for part in parts])
    return PairAgreement((table.coders[pair[0]], table.coders[pair[1]]), int(shared.any(axis=1).sum()), icc, mae)


def _outliers(
    table: _Table, wrong: NDArray[np.bool_], contested: NDArray[np.bool_], medians: NDArray[np.float64]
) -> tuple[Outlier, ...]:
    places: list[tuple[int, int, int]] = np.argwhere(wrong.transpose(1, 2, 0)).tolist()
    return tuple(
        Outlier(
            coder=table.coders[coder],
            frame=int(table.frames[place]),
            channel=channels.IDS[column],
            value=float(table.values[coder, place, column]),
            median=float(medians[place, column]),
            is_contested=bool(contested[place, column]),
        )
        for place, column, coder in places
    )


def _mean(figures: Sequence[float]) -> float:
    """Mean of the figures that say something; NaN where none does."""
    known = [figure for figure in figures if figure == figure]
    return sum(known) / len(known) if known else float("nan")
