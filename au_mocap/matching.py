"""Which of a character's shape keys plays which channel, told by their names.

Known are the names of `naming`, also behind what exporters put before them: `Head.jawOpen`, `A25_Jaw_Open`,
`AU26_JawDrop`. A side is never guessed: a name that says left or right fits that side's channel alone, a name that says
neither fits no sided channel.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from . import channels, naming
from .mapping import Mapping, Row, ShapeKeyTarget
from .naming import Meaning, squash

_PREFIX_COST: Final = 0.1
_LONGEST: Final = 256
"""Characters of a name that is read."""
_MOST_WORDS: Final = 8
_SHARED_BY: Final = 3
"""Actions that must be found behind an unknown prefix before it is believed to be one."""

_KNOWN_PREFIXES: Final = frozenset(
    ("arkit", "blendshape", "blendshapes", "bs", "ctrlexpressions", "expression", "expressions", "face", "facial",
     "head", "key", "mesh", "morph", "shape", "shapekey")
)  # fmt: skip
_NAMESPACE: Final = re.compile(r"[.:|/]\Z")
_INDEX: Final = re.compile(r"(?!au|ad)[a-z]{0,3}\d{1,3}")


@dataclass(frozen=True, slots=True)
class Match:
    """A shape key that plays a channel.

    Attributes:
        channel: Channel id.
        name: The shape key's name as it was given.
        confidence: 0..1: 1 for ARKit's own names and this project's ids, less for other spellings, for names of FACS
            and FEAFA, and where a prefix had to be taken off.
    """

    channel: str
    name: str
    confidence: float


def match(names: Sequence[str]) -> tuple[Match, ...]:
    """Finds out which names play which channels.

    Where an action has a name for each of its sides, these are taken and one for both is left out; otherwise the one
    for both is taken. ARKit's `browInnerUp`, which moves both sides and has no channel of its own, plays both.

    Args:
        names: Names of a character's shape keys, in any number and any form.

    Returns:
        At most one match for each channel, the surest and among equals the first, in the order of the vocabulary; never
        a symmetric channel together with one of its sides.
    """
    best: dict[str, tuple[str, Meaning]] = {}
    for name, meaning in _understood(dict.fromkeys(names)):
        place = meaning.channels[0] if len(meaning.channels) == 1 else _stem(meaning.channels[0])
        if place not in best or meaning.confidence > best[place][1].confidence:
            best[place] = name, meaning
    for stem in {_stem(channel.id) for channel in channels.CHANNELS if channel.side}:
        sides = (f"{stem}_L", f"{stem}_R")
        superfluous = (stem,) if all(side in best for side in sides) else sides if stem in best else ()
        for place in superfluous:
            best.pop(place, None)
    found = {
        channel_id: Match(channel_id, name, meaning.confidence)
        for name, meaning in best.values()
        for channel_id in meaning.channels
    }
    return tuple(found[channel_id] for channel_id in channels.IDS if channel_id in found)


def to_mapping(matches: Sequence[Match], name: str) -> Mapping:
    """Makes a mapping of matches, a row for each; where one shape plays both sides, each has half of it.

    Raises:
        MappingError: They use a symmetric channel together with one of its sides, or a channel that does not exist.
    """
    played = {(one.channel, one.name) for one in matches}

    def gain(one: Match) -> float:
        other = channels.mirrored(one.channel)
        return 0.5 if other != one.channel and (other, one.name) in played else 1.0

    return Mapping(name, tuple(Row(one.channel, ShapeKeyTarget(one.name), gain=gain(one)) for one in matches))


def _stem(channel_id: str) -> str:
    return channel_id.removesuffix("_L").removesuffix("_R")


def _understood(names: Iterable[str]) -> Iterator[tuple[str, Meaning]]:
    """Names that mean something, in their order but for those behind an unknown prefix, which come last."""
    behind: defaultdict[str, list[tuple[str, Meaning]]] = defaultdict(list)
    for name in names:
        exact = naming.exact_names().get(name)
        prefix, meaning = ("", Meaning(exact, naming.EXACT)) if exact else _read(name)
        if meaning and prefix:
            behind[prefix].append((name, meaning))
        elif meaning:
            yield name, meaning
    for found in behind.values():
        if len({meaning.channels for _, meaning in found}) >= _SHARED_BY:
            yield from found


def _read(name: str) -> tuple[str, Meaning | None]:
    """What a name means, without its first words if need be, of which as few as possible go.

    Returns:
        The squashed prefix, empty where there is none or where it surely is one, and the meaning of the rest.
    """
    for start, rest in naming.endings(name, _MOST_WORDS) if len(name) <= _LONGEST else ():
        known = naming.squashed_names().get(rest)
        if known is None:
            continue
        prefix = name[:start]
        if not naming.words(prefix):
            return "", known
        if _may_precede(prefix, known):
            squashed = squash(prefix)
            less_sure = Meaning(known.channels, round(known.confidence - _PREFIX_COST, 2))
            return "" if _is_prefix(prefix, squashed) else squashed, less_sure
    return "", None


def _is_prefix(prefix: str, squashed: str) -> bool:
    """Whether a prefix shows by itself that it is one."""
    if _NAMESPACE.search(prefix) or _INDEX.fullmatch(squashed):
        return True
    return squashed in naming.codes() or squashed in _KNOWN_PREFIXES


def _may_precede(prefix: str, meaning: Meaning) -> bool:
    """Whether a prefix contradicts what follows: by another side, or as part of a combination of actions."""
    squashed = squash(prefix)
    if squashed in naming.codes():
        return set(meaning.channels) <= naming.codes()[squashed]
    if naming.says_side(prefix):
        return False
    endings = (ending for _, ending in naming.endings(prefix, _MOST_WORDS))
    return not any(ending in naming.actions() or ending in naming.squashed_names() for ending in endings)
