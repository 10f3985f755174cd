"""Searching takes: words that must all occur, words for one field (`actor:anna tag:smile`), and `-word` to exclude."""

import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from .entry import Entry

_FIELDS: Final[dict[str, Callable[[Entry], Iterable[str]]]] = {
    "name": lambda entry: (entry.name, entry.folder),
    "actor": lambda entry: (entry.notes.actor,),
    "tag": lambda entry: entry.notes.tags,
    "note": lambda entry: (entry.notes.notes,),
    "clip": lambda entry: (entry.clip_name,),
    "regressor": lambda entry: (entry.regressor,),
}
_OTHER_NAMES: Final = {"tags": "tag", "notes": "note", "video": "clip", "folder": "name"}
_STATES: Final[dict[str, Callable[[Entry], bool]]] = {
    "broken": lambda entry: bool(entry.problem or entry.notes_problem),
    "missing": lambda entry: entry.clip_state in ("missing", "changed"),
    "partial": lambda entry: entry.summary is not None and entry.summary.partial,
}
_STATE: Final = "is"


@dataclass(frozen=True, slots=True)
class Term:
    """One word of a search.

    Attributes:
        field: The field that it must occur in, empty for any; `is` for a state (broken, missing, partial).
        word: The word as `folded` leaves it.
        excluded: Whether takes with it are left out instead.
    """

    field: str
    word: str
    excluded: bool

    def fits(self, entry: Entry) -> bool:
        """Whether a take stays."""
        return self._occurs(entry) is not self.excluded

    def _occurs(self, entry: Entry) -> bool:
        if self.field == _STATE:
            return any(is_so(entry) for state, is_so in _STATES.items() if state.startswith(self.word))
        wanted = [_FIELDS[self.field]] if self.field else _FIELDS.values()
        return any(self.word in folded(text) for texts in wanted for text in texts(entry))


def parse(text: str) -> tuple[Term, ...]:
    """Reads a search. Anything is one: what is half written searches for what is there.

    Args:
        text: Words, `field:word` for name, actor, tag, note, clip or regressor, `is:broken`, `is:missing` or
            `is:partial`; with `-` in front takes that have it are left out; quotes hold words together.
    """
    terms = (_term(token) for token in _tokens(text))
    return tuple(term for term in terms if term.word)


def search(entries: Iterable[Entry], text: str) -> list[Entry]:
    """Takes that fit a search, in their order."""
    terms = parse(text)
    return [entry for entry in entries if all(term.fits(entry) for term in terms)]


@lru_cache(maxsize=65536)
def folded(text: str) -> str:
    """Text for comparing: neither case nor accents, nor how a system stores them, matter."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def _tokens(text: str) -> list[str]:
    """Words, with those in quotes held together; a quote that is not closed reaches to the end."""
    tokens: list[str] = []
    current, quoted = "", False
    for letter in text:
        if letter == '"':
            quoted = not quoted
        elif letter.isspace() and not quoted:
            tokens.append(current)
            current = ""
        else:
            current += letter
    return [token for token in [*tokens, current] if token]


def _term(token: str) -> Term:
    excluded = token.startswith("-")
    body = token[1:] if excluded else token
    field, colon, word = body.partition(":")
    field = _OTHER_NAMES.get(field.casefold(), field.casefold())
    if colon and (field in _FIELDS or field == _STATE):
        return Term(field, folded(word), excluded)
    return Term("", folded(body), excluded)
