"""Coders' names, which are the names of their files on every system, and text that spreadsheets take for formulas."""

import unicodedata
from collections.abc import Iterable
from typing import Final

from ..errors import AnnotationError

LONGEST: Final = 60
_FORBIDDEN: Final = frozenset('\\/:*?"<>|')
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_DEVICES: Final = frozenset({"con", "prn", "aux", "nul"} | {f"{port}{n}" for port in ("com", "lpt") for n in range(10)})
"""Names that Windows keeps for itself, with any ending."""


def check_coder(name: str, others: Iterable[str] = ()) -> str:
    """A coder's name as it is kept: without blanks at its ends, in one spelling of its letters.

    Args:
        name: What a person typed.
        others: Names that are taken.

    Raises:
        AnnotationError: It cannot be the name of a file everywhere, would be a formula in a spreadsheet, or differs
            from another coder's in capitals alone.
    """
    kept = unicodedata.normalize("NFC", name.strip())
    if not kept:
        message = "Enter the coder's name first: each coder's labels are kept apart by it."
        raise AnnotationError(message)
    if len(kept) > LONGEST or len(kept.encode("utf-8", "replace")) > 3 * LONGEST:
        message = f"The coder's name '{kept[:20]}…' is too long: use at most {LONGEST} letters."
        raise AnnotationError(message)
    unfit = kept[0] in (".", "'", *_FORMULA) or kept[-1] == "." or kept.partition(".")[0].lower().strip() in _DEVICES
    if unfit or any(letter in _FORBIDDEN or not letter.isprintable() for letter in kept):
        message = (
            f"'{kept}' cannot be a coder's name: begin with a letter or digit, and use letters, digits and spaces."
        )
        raise AnnotationError(message)
    for other in others:
        if other != kept and other.casefold() == kept.casefold():
            message = f"The coders '{other}' and '{kept}' would share a file on some systems: use one of these names."
            raise AnnotationError(message)
    return kept


def harmless(text: str) -> str:
    """Text for a cell of a table: one that begins like a formula gets an apostrophe in front."""
    return f"'{text}" if text.startswith(_FORMULA) else text
