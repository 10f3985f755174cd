"""Which presets fit a character, and how.

A preset's names are found on it as they are, in other spellings or behind a prefix that they share. Sides are safe: a
name that says left or right is found only where the same side is said, in whatever spelling.
"""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from . import channels, matching, naming
from .mapping import BoneTarget, Mapping, PropertyTarget, Row, ShapeKeyTarget, Target

FITS: Final = 0.45
"""Share of a preset's targets that a character must have for the preset to fit: vowels and blinks of VRM will do."""

BY_NAME: Final = "Matched by Name"
"""What a table is called that was put together from names."""

UNKNOWN: Final = -1.0
"""Confidence of a row whose target was not found, or not looked for."""

_BEHIND_PREFIX: Final = 0.8
"""Confidence of a preset's name behind a prefix."""
_SHARED_BY: Final = 3
"""A preset's names that must stand behind the same unknown prefix."""
_LONGEST: Final = 256
_MOST_WORDS: Final = 8


@dataclass(frozen=True, slots=True)
class Controls:
    """What a character can be driven by.

    Attributes:
        shape_keys: Names, in their order.
        bones: Names of the bones of its armature.
        properties: Data paths of the custom properties of its armature object and of that object's bones.
    """

    shape_keys: tuple[str, ...] = ()
    bones: frozenset[str] = frozenset()
    properties: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Fitted:
    """A mapping with the names of a character.

    Attributes:
        mapping: Its rows; where a name was found in another spelling, the character's own stands in the row.
        confidences: One for each row: 0..1, or `UNKNOWN` where the character has no such target.
    """

    mapping: Mapping
    confidences: tuple[float, ...]

    @property
    def share(self) -> float:
        """0..1: how many of the targets of rows in use the character has."""
        pairs = zip(self.mapping.rows, self.confidences, strict=True)
        there = {row.target: sure > UNKNOWN for row, sure in pairs if row.enabled}
        return sum(there.values()) / len(there) if there else 0.0

    @property
    def covered(self) -> frozenset[str]:
        """Channels of the actor that move something, a mean as its two sides."""
        return frozenset(
            side
            for row, sure in zip(self.mapping.rows, self.confidences, strict=True)
            if row.enabled and sure > UNKNOWN
            for side in _sides(row.channel)
        )

    def found(self) -> "Fitted":
        """The same without the rows whose target the character lacks."""
        kept = [pair for pair in zip(self.mapping.rows, self.confidences, strict=True) if pair[1] > UNKNOWN]
        return Fitted(replace(self.mapping, rows=tuple(row for row, _ in kept)), tuple(sure for _, sure in kept))


def fit(table: Mapping, controls: Controls) -> Fitted:
    """Looks for a mapping's targets on a character.

    Shape keys are found in other spellings and behind a prefix; bones and properties only as they are written. What
    names an object of its own is left as it is.

    Args:
        table: A mapping, usually a preset.
        controls: What the character has.

    Returns:
        All rows of the mapping, in their order.
    """
    keys = (row.target for row in table.rows if isinstance(row.target, ShapeKeyTarget) and row.target.object is None)
    wanted = dict.fromkeys(key.name for key in keys)
    names = _find(tuple(wanted), controls.shape_keys)
    fitted = [_fit_row(row, names, controls) for row in table.rows]
    return Fitted(replace(table, rows=tuple(row for row, _ in fitted)), tuple(sure for _, sure in fitted))


def by_name(tables: Sequence[Mapping], controls: Controls, used: Collection[str] = ()) -> Fitted:
    """The table that a character's names suggest, put together from presets that fit and from names of single actions.

    The preset that covers most channels comes first; others and `matching.match` add channels that are still free.

    Args:
        tables: Presets.
        controls: What the character has.
        used: Channel ids that are not to be used again, neither themselves nor as their mean or sides.

    Returns:
        Rows whose targets exist, named after the preset where one preset gives them all; no rows where nothing fits.
    """
    fitting = [each for each in (fit(table, controls) for table in tables) if each.share >= FITS]
    candidates = sorted(fitting, key=_worth, reverse=True)
    matches = matching.match(controls.shape_keys)
    by_words = Fitted(matching.to_mapping(matches, BY_NAME), tuple(_confidences_of(matches)))
    place = sum(len(each.covered) >= len(by_words.covered) for each in candidates)
    candidates.insert(place, by_words)

    taken = {side for channel_id in used for side in _sides(channel_id)}
    targets: set[Target] = set()
    rows: list[Row] = []
    confidences: list[float] = []
    givers: list[str] = []
    for candidate in candidates:
        added = _free_rows(candidate, taken, targets)
        if added:
            rows += [row for row, _ in added]
            confidences += [sure for _, sure in added]
            givers.append(candidate.mapping.name)
        taken |= {side for row, _ in added for side in _sides(row.channel)}
        targets |= {row.target for row, _ in added}
    name = givers[0] if len(givers) == 1 else BY_NAME
    return Fitted(Mapping(name, tuple(rows)), tuple(confidences))


def _worth(fitted: Fitted) -> tuple[int, float, float]:
    found = [sure for sure in fitted.confidences if sure > UNKNOWN]
    return len(fitted.covered), fitted.share, sum(found) / max(len(found), 1)


def _confidences_of(matches: Iterable[matching.Match]) -> Iterable[float]:
    return (one.confidence for one in matches)


def _free_rows(candidate: Fitted, taken: set[str], targets: set[Target]) -> list[tuple[Row, float]]:
    """Rows of channels and targets that nothing uses yet, without targets that they could only hold back."""
    free = [
        (row, sure)
        for row, sure in zip(candidate.mapping.rows, candidate.confidences, strict=True)
        if sure > UNKNOWN and row.target not in targets and not taken.intersection(_sides(row.channel))
    ]
    raised = {row.target for row, _ in free if row.max > 0.0 or not isinstance(row.target, ShapeKeyTarget)}
    return [(row, sure) for row, sure in free if row.target in raised]


def _sides(channel_id: str) -> tuple[str, ...]:
    return channels.SIDES_OF.get(channel_id, (channel_id,))


def _fit_row(row: Row, names: dict[str, tuple[str, float]], controls: Controls) -> tuple[Row, float]:
    target = row.target
    if isinstance(target, BoneTarget):
        return row, naming.EXACT if target.bone in controls.bones else UNKNOWN
    if isinstance(target, PropertyTarget):
        known = target.object is not None or target.data_path in controls.properties
        return row, naming.EXACT if known else UNKNOWN
    if target.object is not None:
        return row, naming.EXACT if target.name in controls.shape_keys else UNKNOWN
    if target.name not in names:
        return row, UNKNOWN
    name, sure = names[target.name]
    return (row if name == target.name else replace(row, target=ShapeKeyTarget(name))), sure


def _find(wanted: Sequence[str], names: Sequence[str]) -> dict[str, tuple[str, float]]:
    """The character's name of each wanted one that it has, and how sure that is."""
    there = set(names)
    found = {name: (name, naming.EXACT) for name in wanted if name in there}
    if len(found) == len(wanted):
        return found
    spelled = _spellings([name for name in wanted if name not in found])
    taken = set(found)
    groups: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for name in names:
        prefix, meant = ("", None) if name in taken else _read(name, spelled)
        if meant is not None:
            groups[prefix].setdefault(meant, name)
    found |= {meant: (name, naming.SAME_WORDS) for meant, name in groups.pop("", {}).items()}
    nothing: dict[str, str] = {}
    behind = max(groups.values(), key=len, default=nothing)
    if len(behind) >= max(_SHARED_BY, len(found) + 1):  # a rig has its names behind a prefix, or it has not
        return {meant: (name, _BEHIND_PREFIX) for meant, name in behind.items()}
    return found


def _spellings(wanted: Iterable[str]) -> dict[str, str]:
    """Names by their squashed form; those that are only told apart by spelling are left out."""
    squashed = [(naming.squash(_folded(name)), name) for name in wanted]
    counts = Counter(form for form, _ in squashed)
    return {form: name for form, name in squashed if form and counts[form] == 1}


def _read(name: str, spelled: dict[str, str]) -> tuple[str, str | None]:
    """The squashed prefix of a name and the wanted name behind it, None where it holds none."""
    if len(name) > _LONGEST:
        return "", None
    folded = _folded(name)
    for start, rest in naming.endings(folded, _MOST_WORDS):
        if rest in spelled:
            prefix = folded[:start]
            squashed = naming.squash(prefix)
            if squashed and (naming.says_side(prefix) or _is_action(prefix, spelled)):
                return "", None
            return squashed, spelled[rest]
    return "", None


def _is_action(prefix: str, spelled: dict[str, str]) -> bool:
    """Whether a prefix names an action itself: the whole is a corrective of several actions."""
    endings = {ending for _, ending in naming.endings(prefix, _MOST_WORDS)}
    return any(form in endings for form in spelled if len(form) > 2) or not endings.isdisjoint(naming.squashed_names())


def _folded(name: str) -> str:
    """Half-width and full-width letters of Japanese names as the usual ones; Latin names as they are."""
    if any("\u3040" <= letter <= "\u30ff" or "\uff61" <= letter <= "\uff9f" for letter in name):
        return unicodedata.normalize("NFKC", name)
    return name
