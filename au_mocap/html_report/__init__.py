"""One HTML file of a take that opens anywhere, offline: curves, pictures, intensities, figures, a comparison.

Needs numpy and OpenCV only. What comes from files is escaped, and the page forbids the browser to load anything.
"""

from pathlib import Path
from typing import Final

from ..files import replacing
from .page import page
from .performance import Performance

__all__ = ["SUFFIX", "Performance", "page", "write"]

SUFFIX: Final = ".html"


def write(shown: Performance, path: Path, video: Path | None = None, against: Performance | None = None) -> list[str]:
    """Writes a report.

    Args:
        shown: The take with its curves.
        path: HTML file to write; replaced only when all is written.
        video: The take's video, where it has moved; None for the path that it remembers. Where it cannot be read the
            report goes without pictures and says so.
        against: Another take of the same clip, to draw over the first and to measure the agreement of both.

    Returns:
        Notes for the user.

    Raises:
        TakeError: The two takes are not of the same frames of one clip.
        OutputError: The file cannot be written.
    """
    text, notes = page(shown, video, against)
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
    return notes
