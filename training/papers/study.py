"""A paper's own comparisons, as a page beside `docs/papers.md`: for systems that have any.

A system takes part by having a method `study` (`system.Studied`); nothing else is asked of it. What it trains for its
comparisons it keeps among its checkpoints, so that an interrupted study goes on where it was stopped.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from training.papers.places import page_of
from training.papers.saying import say
from training.papers.system import Order, Studied
from training.papers.table import write

PAGES: Final = Path(__file__).resolve().parents[2] / "docs"

_PAGE: Final = """\
# `{name}`: the paper's comparisons

Made by `python make.py train papers {name} --study`; edits are overwritten. {label}, after {paper}.

{section}
"""


def make(system: Studied, order: Order, folder: Path) -> Path:
    """Makes a system's comparisons and writes their page into a folder.

    Raises:
        RuntimeError: Something is missing; the message says what to do.
    """
    section = system.study(order).strip()
    words = system.words
    page = folder / page_of(system.name)
    write(page, _PAGE.format(name=system.name, label=words.label, paper=words.paper, section=section))
    say(f"{system.name}: comparisons are in {page}")
    return page


def table(header: Sequence[str], rows: Sequence[Sequence[str | float]]) -> str:
    """A Markdown table; numbers with three decimals.

    Args:
        header: Of the columns.
        rows: As many cells each.
    """
    cells = [[cell if isinstance(cell, str) else f"{cell:.3f}" for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in (header, ["---"] * len(header), *cells))
