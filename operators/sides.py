"""Names of the left and the right: which bone, shape key or group of a character mirrors which."""

import re
from collections.abc import Collection, Iterator
from typing import Final

_WORD: Final = re.compile(r"left", re.IGNORECASE)
_LETTER: Final = re.compile(r"(?:(?<=[^A-Za-z])|^)[lL](?=[^A-Za-z]|$)")


def mirrored(name: str) -> Iterator[str]:
    """Names that the right side of something on the left may have; none for what is not on the left."""
    if "l" not in name and "L" not in name:
        return
    for match in _WORD.finditer(name):
        yield name[: match.start()] + _cased(match.group(), "right") + name[match.end() :]
    for match in _LETTER.finditer(name):
        yield name[: match.start()] + ("r" if match.group() == "l" else "R") + name[match.end() :]


def pairs(names: Collection[str]) -> list[tuple[str, str]]:
    """Left and right names that mirror each other, in the order of the left ones."""
    known = frozenset(names)
    found = ((name, next((other for other in mirrored(name) if other in known), None)) for name in names)
    return [(left, right) for left, right in found if right is not None]


def _cased(model: str, word: str) -> str:
    if model.isupper():
        return word.upper()
    return word.capitalize() if model[0].isupper() else word
