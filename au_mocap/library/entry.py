"""One take in a library."""

from dataclasses import dataclass, field
from pathlib import Path

from ..take import SUFFIX
from .clips import ClipState
from .notes import Notes
from .summary import Summary


@dataclass(frozen=True, slots=True)
class Entry:
    """One take of a folder, or a file that should be one.

    Attributes:
        path: The file.
        folder: Its folder inside the library, empty for the library's own; with slashes on every system.
        size_bytes: Its size.
        modified_ns: When it was written, nanoseconds since 1970.
        summary: What it holds; None where it cannot be read.
        problem: Why it cannot be read; empty where it can.
        notes: What people noted about it; nothing where that cannot be read.
        notes_problem: Why the notes cannot be read; empty where they can.
        clip: Where its video is, None where that is not known.
        clip_state: Whether it is there.
    """

    path: Path
    folder: str
    size_bytes: int
    modified_ns: int
    summary: Summary | None = None
    problem: str = ""
    notes: Notes = field(default_factory=Notes)
    notes_problem: str = ""
    clip: Path | None = None
    clip_state: ClipState = "unknown"

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self.path.name.removesuffix(SUFFIX)

    @property
    def clip_name(self) -> str:
        """Name of the video that was analysed, empty where that is not known."""
        return self.summary.clip if self.summary is not None else ""

    @property
    def regressor(self) -> str:
        """Name of the regressor, empty where that is not known."""
        return self.summary.regressor if self.summary is not None else ""
