"""Names by which rigs call our channels: ARKit's, this project's own, FACS's and FEAFA's, in any spelling.

Names are compared squashed: small letters and digits without separators. Sided names are listed with their side written
in every common way, so a name that says a side the action does not have, or lacks one that it has, is simply not there.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

from . import channels
from .channels import Channel

EXACT: Final = 1.0
"""Confidence of ARKit's own names and this project's ids."""
SAME_WORDS: Final = 0.9
"""Confidence of the same in another spelling."""
SAME_ACTION: Final = 0.8
"""Confidence of FACS's and FEAFA's names."""

_FURTHER: Final = {
    "eye_close": ("eyes closed", "eye closed", "blink", "eye blinking"),
    "lid_raise": ("upper lid raiser",),
    "brow_lower": ("brow lowerer",),
    "brow_raise": ("outer brow raiser",),
    "inner_brow_raise": ("inner brow raiser",),
    "jaw_slide": ("jaw sideways",),
    "lip_corner_pull": ("lip corner puller", "smile"),
    "lip_stretch": ("lip stretcher",),
    "lip_pucker": ("lip puckerer",),
    "lip_funnel": ("lip funneler",),
    "lip_press": ("lip pressor", "lip presser"),
    "lip_corner_depress": ("lip corner depressor",),
    "lower_lip_depress": ("lower lip depressor",),
    "upper_lip_raise": ("upper lip raiser",),
    "cheek_raise": ("cheek raiser",),
    "cheek_puff": ("cheeks puff",),
    "nose_wrinkle": ("nose wrinkler",),
    "lid_tighten": ("lid tightener",),
    "dimple": ("dimpler",),
    "chin_raise": ("chin raiser",),
    "tongue_out": ("tongue show",),
    "lips_together": ("mouth closed",),
}
"""FACS's and FEAFA's names of actions where they differ from the labels, without sides."""

_SIDES: Final = {"L": "left", "R": "right"}
_SIDE_LETTERS: Final = {"l": "left", "r": "right"}
_SHAPE_SIDE: Final = re.compile(r"(Left|Right)$")
_WORD: Final = re.compile(r"[A-Z]+(?![^\W\dA-Z_])|[A-Z]?[^\W\dA-Z_]+|\d+")
_LEADING_ZEROS: Final = re.compile(r"(feafa|au|ad)0+(?=\d)")
_SIDED: Final = re.compile(r"[lr]\Z|left|right|.*(left|right)\Z")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a name stands for.

    Attributes:
        channels: One channel id, or the two sides of a shape that moves both and has no channel of its own.
        confidence: 0..1.
    """

    channels: tuple[str, ...]
    confidence: float


def words(name: str) -> list[tuple[int, str]]:
    """Where the words of a name start, with the words in small letters.

    Words are runs of letters, cut where a capital begins a new one, and runs of digits.
    """
    return [(found.start(), found[0].lower()) for found in _WORD.finditer(name)]


def squash(name: str) -> str:
    """A name in small letters and digits alone.

    L and R in front or behind become words, where they are words of their own: `NoseWrinkle_R` is a side, FACS's
    `NoseWrinkler` is none. A dash stays between numbers, or `AU6.3` would read as AU63.
    """
    rests = endings(name, len(name))
    return rests[0][1] if rests else ""


def endings(name: str, most: int) -> list[tuple[int, str]]:
    """Where the last words of a name start, at most so many, each with the squashed name from there on.

    The longest comes first: the whole name, unless it has more words.
    """
    found: list[tuple[int, str]] = []
    rest = ""
    for start, word in reversed(words(name)[-most:]):
        side = _SIDE_LETTERS.get(word, word)
        dash = "-" if rest[:1].isdigit() and word[-1].isdigit() else ""
        squashed = side + dash + rest
        found.append((start, _LEADING_ZEROS.sub(r"\1", squashed) if "0" in squashed else squashed))
        rest = word + dash + rest if rest else side
    return found[::-1]


def says_side(text: str) -> bool:
    """Whether one of the words is a side, or ends with one."""
    return any(_SIDED.match(word) for _, word in words(text))


@cache
def exact_names() -> dict[str, tuple[str, ...]]:
    """Channel ids by ARKit's names and by their own."""
    names: dict[str, tuple[str, ...]] = {channel_id: (channel_id,) for channel_id in channels.IDS}
    for channel in channels.CHANNELS:
        shape, half = _shape(channel)
        if half:
            stem = _stem(channel)
            names[shape] = (stem,) if stem in channels.INDEX else (f"{stem}_L", f"{stem}_R")
        elif shape:
            names[shape] = (channel.id,)
    return names


@cache
def squashed_names() -> dict[str, Meaning]:
    """Meanings by squashed names; names that several channels share, such as AU28, are left out."""
    found: defaultdict[str, dict[tuple[str, ...], float]] = defaultdict(dict)

    def add(name: str, ids: tuple[str, ...], confidence: float) -> None:
        known = found[squash(name)]
        known[ids] = max(confidence, known.get(ids, 0.0))

    for name, ids in exact_names().items():
        add(name, ids, SAME_WORDS)
    for channel in channels.CHANNELS:
        for base, confidence in _bases(channel):
            for spelling in _with_side(squash(base), channel):
                add(spelling, (channel.id,), confidence)
        for code in ("feafa", "feafaau") if channel.feafa else ():
            add(f"{code}{channel.feafa}", (channel.id,), SAME_ACTION)
    return {name: Meaning(*next(iter(known.items()))) for name, known in found.items() if len(known) == 1}


@cache
def actions() -> frozenset[str]:
    """Squashed names of actions of two words or more, without their sides."""
    bases = (base for channel in channels.CHANNELS for base, _ in _bases(channel))
    return frozenset(squash(base) for base in bases if len(words(base)) > 1)


@cache
def codes() -> dict[str, frozenset[str]]:
    """Channel ids by squashed FACS and FEAFA codes, whatever their side."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for channel in channels.CHANNELS:
        for code in _facs_codes(channel):
            found[squash(code)].add(channel.id)
        for code in ("feafa", "feafaau") if channel.feafa else ():
            found[f"{code}{channel.feafa}"].add(channel.id)
    return {code: frozenset(ids) for code, ids in found.items()}


def _bases(channel: Channel) -> Iterator[tuple[str, float]]:
    """Names of a channel's action without its side, and how sure they are."""
    stem = _stem(channel)
    yield stem, SAME_WORDS
    shape, _ = _shape(channel)
    if shape:
        yield _SHAPE_SIDE.sub("", shape) if channel.side else shape, SAME_WORDS
    elif channel.id in channels.SIDES_OF:  # a rig may have one shape for both sides where ARKit has two
        left = channels.CHANNELS[channels.INDEX[channels.SIDES_OF[channel.id][0]]]
        yield _SHAPE_SIDE.sub("", _shape(left)[0]), SAME_WORDS
    yield channel.label.partition(",")[0], SAME_ACTION
    for name in (*_FURTHER.get(stem, ()), *_facs_codes(channel)):
        yield name, SAME_ACTION


def _with_side(base: str, channel: Channel) -> Iterator[str]:
    if not channel.side:
        yield base
    else:
        yield base + _SIDES[channel.side]
        yield _SIDES[channel.side] + base


def _stem(channel: Channel) -> str:
    return channel.id.removesuffix(f"_{channel.side}") if channel.side else channel.id


def _shape(channel: Channel) -> tuple[str, bool]:
    """The channel's ARKit shape, empty where it has none, and whether it is half of that."""
    if channel.id in channels.SIDES_OF:
        return "", False
    shape, half, _ = channel.arkit_shape.partition(", ")
    return shape, bool(half)


def _facs_codes(channel: Channel) -> list[str]:
    """`AU43/45` as AU43 and AU45."""
    kind, numbers = channel.facs[:2], channel.facs[2:]
    return [f"{kind}{number}" for number in numbers.split("/") if number]
