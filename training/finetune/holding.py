"""Which labelled frames are learnt from, and which are held back to see whether anything was gained.

Neighbouring frames show nearly the same face: a frame beside one that was learnt from would tell nothing. What is held
back are whole clips where there are several, else blocks of time, with a gap on both sides that nothing is learnt from.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from au_mocap.channels import PREDICTED_IDS, PRESENT_ABOVE
from training.finetune.clips import Clip, targets

FEWEST_FRAMES: Final = 40
FEWEST_ACTIVE: Final = 8
FEWEST_STRETCHES: Final = 4
LEAST_RANGE: Final = 0.3
"""What a channel's labels must offer. One stretch is held back, and with fewer than three others a price cannot be
chosen on what was not fitted. Eight active frames put the standard error of a gain near a tenth, where labels are off
by 0.1 and actions reach a half. Forty in all, since with twenty only half of the people in `study` gained anything, and
those lost as much in another light."""

_PARTS: Final = 4
_SEVERAL_CLIPS: Final = 3
_BLOCKS_IN_A_CLIP: Final = 12
_BLOCK_S: Final = (0.5, 3.0)
_GAP_S: Final = 0.4
_FEWEST_HELD: Final = 2


@dataclass(frozen=True, slots=True)
class Need:
    """What a channel's labels offer.

    Attributes:
        channel: Its id.
        frames: Labelled frames that somebody set.
        active: Those in which it is present (above 0.1).
        stretches: Blocks of time in which it is present.
        held: Frames held back in which it is present.
        span: Highest less lowest label.
    """

    channel: str
    frames: int
    active: int
    stretches: int
    held: int
    span: float

    @property
    def missing(self) -> str:
        """What is too little, in words; empty where the labels suffice."""
        wants = (
            (self.frames, FEWEST_FRAMES, f"{self.frames} of {FEWEST_FRAMES} frames"),
            (self.active, FEWEST_ACTIVE, f"{self.active} of {FEWEST_ACTIVE} frames above {PRESENT_ABOVE:g}"),
            (self.stretches, FEWEST_STRETCHES, f"above it in {self.stretches} of {FEWEST_STRETCHES} stretches of time"),
            (self.span, LEAST_RANGE, f"labels {self.span:.2f} apart at most, {LEAST_RANGE:g} needed"),
        )
        lacking = [words for has, needed, words in wants if has < needed]
        if not lacking and self.held < _FEWEST_HELD:
            lacking = ["never above it in what is held back: label further stretches"]
        return ", ".join(lacking)


@dataclass(frozen=True, slots=True)
class Split:
    """Every labelled frame of all clips, one after the other.

    Attributes:
        clip: (N,) index of the clip.
        block: (N,) number of the block of time, different from clip to clip.
        held: (N,) held back.
        learnt: (N,) learnt from; frames in a gap are neither.
        target: (N, P) see `clips.targets`.
        by_clip: Whether whole clips are held back.
    """

    clip: NDArray[np.int64]
    block: NDArray[np.int64]
    held: NDArray[np.bool_]
    learnt: NDArray[np.bool_]
    target: NDArray[np.float64]
    by_clip: bool

    def needs(self, weight: NDArray[np.float64]) -> list[Need]:
        """What the labels of every labelled channel offer, (N,) weights telling set frames from interpolated ones."""
        found: list[Need] = []
        for channel, channel_id in enumerate(PREDICTED_IDS):
            own = self.target[:, channel]
            known = ~np.isnan(own)
            if not known.any():
                continue
            active = known & (np.nan_to_num(own) > PRESENT_ABOVE)
            set_by_hand = weight >= 1.0
            found.append(
                Need(
                    channel=channel_id,
                    frames=int((known & set_by_hand).sum()),
                    active=int((active & set_by_hand).sum()),
                    stretches=len(np.unique(self.block[active])),
                    held=int((active & self.held).sum()),
                    span=float(np.ptp(own[known])),
                )
            )
        return found


def split(clips: Sequence[Clip]) -> Split:
    """Decides from times and labels alone, before anything is learnt."""
    target = np.concatenate([targets(clip) for clip in clips])
    clip_of = np.concatenate([np.full(len(clip.rows), index) for index, clip in enumerate(clips)])
    time_s = np.concatenate([clip.time_s for clip in clips])
    block, gap_s = np.zeros(len(time_s), np.int64), np.zeros(len(clips))
    for index in range(len(clips)):
        mine = clip_of == index
        length_s = float(np.clip(np.ptp(time_s[mine]) / _BLOCKS_IN_A_CLIP, *_BLOCK_S))
        gap_s[index] = min(_GAP_S, length_s / 2)
        first = block.max() + 1 if index else 0
        block[mine] = first + ((time_s[mine] - time_s[mine].min()) / length_s).astype(np.int64)
    by_clip = len(clips) >= _SEVERAL_CLIPS
    units = clip_of if by_clip else np.unique(block, return_inverse=True)[1]
    held = _held(units, target)
    learnt = ~held
    for index in range(len(clips)):
        mine = clip_of == index
        kept_away = time_s[mine & held]
        if kept_away.size:
            near = np.abs(time_s[mine][:, None] - kept_away).min(axis=1) < gap_s[index]
            learnt[mine] &= ~near
    return Split(clip_of, block, held, learnt, target, by_clip)


def _held(units: NDArray[np.int64], target: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Every fourth unit, beginning where most channels are present both in what is held back and in the rest."""
    active = np.nan_to_num(target) > PRESENT_ABOVE
    parts = min(_PARTS, len(np.unique(units)))
    choices = [units % parts == parts - 1 - start for start in range(parts)]

    def worth(held: NDArray[np.bool_]) -> tuple[int, int]:
        judged = (active[held].sum(axis=0) >= _FEWEST_HELD) & (active[~held].sum(axis=0) >= FEWEST_ACTIVE // 2)
        return int(judged.sum()), -abs(int(held.sum()) * parts - len(held))

    return max(choices, key=worth)
