"""From what was solved to the rows of a table."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from ..channels import PREDICTED_IDS
from ..mapping import Mapping, Row, ShapeKeyTarget
from .solve import Played


@dataclass(frozen=True, slots=True)
class Seen:
    """A table made by looking.

    Attributes:
        mapping: Its rows.
        confidence: 0..1 for each row: how well the shapes of its channel fit that channel's motion.
        unmatched: Channels without a row.
    """

    mapping: Mapping
    confidence: tuple[float, ...]
    unmatched: tuple[str, ...]


def to_table(played: Sequence[Played], names: Sequence[str], name: str, own_strength: bool = True) -> Seen:
    """Makes a table of matches.

    Args:
        played: From `solve.solve`.
        names: The shapes' names.
        name: The table's name.
        own_strength: A full action is the shape at full strength, however the artist sculpted it; otherwise as much of
            it as comes nearest to the actor's motion.
    """
    gains = _own_gains(played) if own_strength else [each.gain for each in played]
    rows = tuple(
        Row(each.channel, ShapeKeyTarget(names[each.shape]), gain=round(gain, 3))
        for each, gain in zip(played, gains, strict=True)
    )
    matched = {row.channel for row in rows}
    return Seen(
        mapping=Mapping(name, rows),
        confidence=tuple(round(min(max(each.confidence, 0.0), 1.0), 3) for each in played),
        unmatched=tuple(channel_id for channel_id in PREDICTED_IDS if channel_id not in matched),
    )


def _own_gains(played: Sequence[Played]) -> list[float]:
    """Gains by which the strongest shape of a channel, or the sum of all channels of a shape, comes to 1."""
    strongest: defaultdict[str, float] = defaultdict(float)
    sums: defaultdict[int, float] = defaultdict(float)
    for each in played:
        strongest[each.channel] = max(strongest[each.channel], each.gain)
        sums[each.shape] += each.gain
    return [each.gain / (sums[each.shape] if each.shared > 1 else strongest[each.channel]) for each in played]
