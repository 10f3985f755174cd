"""Before and after: what the engine says of the frames that were held back."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from au_mocap import channels, metrics
from au_mocap.neutral import NeutralSettings, choose_neutral
from au_mocap.regressors import Features, Regressor
from training.finetune.clips import Clip

_LEAST_GAIN: Final = 0.01
_ICC_LEEWAY: Final = 0.01


@dataclass(frozen=True, slots=True)
class Score:
    """One channel on the frames that were held back.

    Attributes:
        channel: Its id.
        frames: How many of them are labelled.
        mae: Mean absolute error before and after.
        icc: ICC(3,1) before and after.
    """

    channel: str
    frames: int
    mae: tuple[float, float]
    icc: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether something was gained.

    Attributes:
        scores: The channels that changed and are labelled where it was held back.
        others: Largest change of a predicted channel that nothing was learnt for, over all frames of all clips.
        at_rest: Largest change of any channel of the actors' neutral faces.
    """

    scores: tuple[Score, ...]
    others: float
    at_rest: float

    def mean(self, name: str) -> tuple[float, float]:
        """Mean of `mae` or `icc` over channels, before and after."""
        table = np.array([getattr(score, name) for score in self.scores])
        before, after = table.mean(axis=0)
        return float(before), float(after)

    @property
    def improved(self) -> bool:
        """Whether the error fell, and agreement did not fall with it."""
        if not self.scores:
            return False
        mae, icc = self.mean("mae"), self.mean("icc")
        return mae[1] < mae[0] * (1.0 - _LEAST_GAIN) and icc[1] > icc[0] - _ICC_LEEWAY


def judge(
    base: Regressor, tuned: Regressor, clips: Sequence[Clip], held: NDArray[np.bool_], changed: Sequence[str]
) -> Verdict:
    """Runs both regressors as the engine does, each with the neutral that it finds itself; nothing is smoothed.

    Args:
        base: Before.
        tuned: After, opened from the files that are to be kept.
        clips: The labelled clips.
        held: (N,) which of their labelled frames, one clip after the other, were held back.
        changed: Ids of the predicted channels that something was learnt for.
    """
    before, after = ([curves(regressor, clip) for clip in clips] for regressor in (base, tuned))
    labels = np.concatenate([clip.labels for clip in clips])[held]
    pair = [
        np.concatenate([own[clip.rows] for own, clip in zip(tables, clips, strict=True)]) for tables in (before, after)
    ]
    scores = [
        _score(channel_id, labels[:, column], [table[held][:, column] for table in pair])
        for column, channel_id in enumerate(channels.IDS)
        if channel_id in changed or set(channels.SIDES_OF.get(channel_id, ("",))) <= set(changed)
    ]
    return Verdict(tuple(score for score in scores if score is not None), *_elsewhere(base, tuned, clips, changed))


def _elsewhere(base: Regressor, tuned: Regressor, clips: Sequence[Clip], changed: Sequence[str]) -> tuple[float, float]:
    """Largest change of predicted channels that nothing was learnt for, and of any channel of a face at rest."""
    bound = {"lips_together"} if "jaw_drop" in changed else set[str]()  # never exceeds the jaw's drop
    kept = [channels.INDEX[each] for each in channels.PREDICTED_IDS if each not in {*changed, *bound}]
    others, at_rest = 0.0, 0.0
    for clip in clips:
        off = np.abs(tuned.values(clip.seen, clip.neutral) - base.values(clip.seen, clip.neutral))
        others = max(others, float(np.nanmax(off[:, kept], initial=0.0)))
        still = Features(clip.neutral.landmarks[None], np.zeros((1, 3), np.float32), clip.neutral.embedding[None])
        off = np.abs(tuned.values(still, clip.neutral) - base.values(still, clip.neutral))
        at_rest = max(at_rest, float(off.max()))
    return others, at_rest


def curves(regressor: Regressor, clip: Clip) -> NDArray[np.float32]:
    """(T, 58) values of all frames, with the neutral that the regressor's own values lead to."""
    own = replace(clip.take, values=regressor.values(clip.seen))
    return regressor.values(clip.seen, choose_neutral(own, clip.seen, NeutralSettings()).neutral)


def _score(channel_id: str, labels: NDArray[np.float32], pair: list[NDArray[np.float32]]) -> Score | None:
    known = ~np.isnan(labels)
    if not known.any():
        return None
    truth = labels[known, None]
    mae = [float(metrics.mae(values[known, None], truth)[0]) for values in pair]
    icc = [float(metrics.icc(values[known, None], truth)[0]) for values in pair]
    return Score(channel_id, int(known.sum()), (mae[0], mae[1]), (icc[0], icc[1]))
