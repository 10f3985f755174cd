"""Text that goes into a page: nothing that a name holds can become markup, a script or a spreadsheet's formula."""

import html
import unicodedata
from typing import Final

_FORMULA: Final = ("=", "+", "-", "@")
"""What makes a spreadsheet take a cell that was pasted into it for a formula."""

_UNSHOWN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
"""Unicode's controls, among them those that turn the direction of writing, and what is no letter at all."""

_MISSING: Final = "\N{REPLACEMENT CHARACTER}"


def text(value: object) -> str:
    """A name from a file or a take as the text of an element or a quoted attribute.

    Markup is escaped and unshown characters are replaced. A leading sign of a formula gets an apostrophe before it, as
    spreadsheets do themselves.
    """
    shown = "".join(_MISSING if unicodedata.category(letter) in _UNSHOWN else letter for letter in str(value))
    return html.escape(f"'{shown}" if shown.lstrip().startswith(_FORMULA) else shown, quote=True)


def clock(time_s: float, digits: int = 1) -> str:
    """Seconds as `m:ss.s`, or `h:mm:ss.s` from an hour on."""
    sign = "-" if time_s < 0 else ""
    ticks = round(abs(time_s) * 10**digits)
    whole, part = divmod(ticks, 10**digits)
    minutes, seconds = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    head = f"{hours}:{minutes:02}" if hours else f"{minutes}"
    tail = f".{part:0{digits}}" if digits else ""
    return f"{sign}{head}:{seconds:02}{tail}"


def share(value: float) -> str:
    """A share 0..1 in per cent."""
    percent = 100.0 * value
    return f"{percent:.1f} %" if 0.0 < percent < 99.95 else f"{percent:.0f} %"
