"""`docs/papers.md`: the comparison as people read it, with what each paper reports on its own data."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from training.papers.comparison import Row
from training.papers.places import page_of
from training.papers.system import Product, Studied, System

_HEADER: Final = """\
# The papers' systems

Made by `python make.py bench papers`; edits are overwritten. Every system saw the same {frames} pictures of the
synthetic test cast ({performers} performers whom none of them was trained or tuned on) through this engine. ICC(3,1),
MAE, FEAFA's loss (equation 3) and F1 of presence are means over FEAFA's 24 channels, F1 at the common threshold of 0.1
and at thresholds tuned on the validation cast. Jitter is that of moving performances less the truth's own. Milliseconds
are those of image stage and head on one processor core, tracking not counted; size is that of the files.

Rows without further words subtract the actor's own neutral; *no neutral* is what the papers do, except for the third,
whose *person mean* is the other variant. MediaPipe's scores are the row `mediapipe`.

| system | ICC | MAE | loss | F1 at 0.1 | F1 tuned | jitter | ms | MB |
|---|---|---|---|---|---|---|---|---|
"""


def text(rows: Sequence[Row], systems: Sequence[System | Product], frames: int, performers: int) -> str:
    """The page.

    Args:
        rows: Of the table.
        systems: Whose papers are cited; those without a row are named as not trained.
        frames: Pictures that were shown.
        performers: How many people they show.
    """
    lines = [_line(row) for row in rows]
    known = {row.name.partition(",")[0] for row in rows}
    parts = [_HEADER.format(frames=frames, performers=performers) + "\n".join(lines)]
    missing = [system.name for system in systems if system.name not in known and not isinstance(system, Product)]
    if missing:
        trained = " ".join(missing)
        parts.append(f"Not trained yet, so without a row: {', '.join(missing)} (`make.py train papers {trained}`).")
    if pages := [f"[{system.name}]({page_of(system.name)})" for system in systems if isinstance(system, Studied)]:
        parts.append(f"Comparisons within one paper (`make.py train papers NAME --study`): {', '.join(pages)}.")
    parts.append("## What the papers report on their own data")
    parts.append("These figures are of other pictures, other people and other scales, and cannot be compared directly.")
    parts += [f"### `{system.name}`\n\n{_sentence(system.words.reported)}" for system in systems]
    return "\n\n".join(parts) + "\n"


def write(path: Path, content: str) -> None:
    """Writes the page."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8", newline="\n")


def _sentence(words: str) -> str:
    return words if words.endswith(".") else f"{words}."


def _line(row: Row) -> str:
    cells = (
        f"`{row.name.partition(',')[0]}`{row.name[len(row.name.partition(',')[0]) :]}",
        *(f"{value:.3f}" for value in (row.icc, row.mae, row.loss, row.f1)),
        *("" if value is None else f"{value:.3f}" for value in (row.f1_tuned, row.jitter)),
        *("" if value is None else f"{value:.1f}" for value in (row.ms, row.size_mb)),
    )
    return f"| {' | '.join(cells)} |"
