"""Progress for people who wait at a terminal."""

import sys
import time
from typing import Final

from .pipeline import Progress

_REDRAW_EVERY_S: Final = 0.25
_LOG_EVERY_S: Final = 5.0


class Meter:
    """Shows progress on stderr: one line that is redrawn in a terminal, a line now and then elsewhere."""

    def __init__(self, name: str) -> None:
        """Starts a meter for one video."""
        self._name = name
        self._redraws = sys.stderr.isatty()
        self._shown_s = time.perf_counter()
        self._last: Progress | None = None
        self._width = 0

    def __call__(self, progress: Progress) -> bool:
        """Takes note of progress; True, because nothing is to be stopped."""
        self._last = progress
        now_s = time.perf_counter()
        if now_s - self._shown_s >= (_REDRAW_EVERY_S if self._redraws else _LOG_EVERY_S):
            self._shown_s = now_s
            self._show(progress, end="" if self._redraws else "\n")
        return True

    def finish(self) -> None:
        """Shows where the pass ended, and ends the line."""
        if self._last is not None:
            self._show(self._last, end="\n")
            self._last = None

    def _show(self, progress: Progress, end: str) -> None:
        total = f"/{progress.total}" if progress.total else ""
        text = (
            f"{self._name}: {progress.done}{total} frames, {progress.faces} faces, {progress.frames_per_s:.0f} frames/s"
        )
        start = "\r" if self._redraws else ""
        sys.stderr.write(start + text.ljust(self._width) + end)
        sys.stderr.flush()
        self._width = len(text) if self._redraws else 0
