"""Files of a folder tree: every folder once, whatever links lead to it; what cannot be read is told."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

MOST_PROBLEMS = 20
"""Folders that cannot be read are told one by one up to so many."""


@dataclass(frozen=True, slots=True)
class File:
    """An ordinary file.

    Attributes:
        path: Its path, under the folder that was walked.
        size_bytes: Its size.
        modified_ns: When it was written, nanoseconds since 1970.
    """

    path: str
    size_bytes: int
    modified_ns: int


@dataclass(slots=True)
class Walk:
    """A walk through a folder tree.

    Attributes:
        folder: Where it starts.
        goes_on: Asked before each folder; the walk ends where it says no.
        problems: What could not be read, for people; grows while walking.
        complete: Whether everything was walked.
    """

    folder: Path
    goes_on: Callable[[], bool] = lambda: True
    problems: list[str] = field(default_factory=list[str])
    complete: bool = True

    def files(self, endings: tuple[str, ...] = ()) -> Iterator[File]:
        """Files of the tree in the order of their names, folder by folder, without hidden ones.

        Args:
            endings: Ends of the names that are wanted, in lower case; all of them where empty.
        """
        seen: set[tuple[int, int]] = set()
        waiting = [str(self.folder)]
        while waiting:
            folder = waiting.pop()
            if not self.goes_on():
                self.complete = False
                return
            try:
                stat = os.stat(folder)  # noqa: PTH116 - a Path each would cost more than the walk
                known = (stat.st_dev, stat.st_ino)
                if known in seen and stat.st_ino:  # a link back to it, or a second one
                    continue
                seen.add(known)
                with os.scandir(folder) as listing:
                    inside = sorted(listing, key=lambda each: each.name)
            except OSError as error:
                self._tell(f"{folder} cannot be read ({error.strerror or error})")
                continue
            below: list[str] = []
            for each in inside:
                if each.name.startswith("."):
                    continue
                found = self._look(each, endings, below)
                if found is not None:
                    yield found
            waiting += reversed(below)

    def _look(self, each: "os.DirEntry[str]", endings: tuple[str, ...], below: list[str]) -> File | None:
        """A file that is wanted; a folder is put to those that wait."""
        try:
            if each.is_dir():
                below.append(each.path)
            elif (not endings or each.name.lower().endswith(endings)) and each.is_file():
                stat = each.stat()
                return File(each.path, stat.st_size, stat.st_mtime_ns)
        except OSError as error:
            self._tell(f"{each.path} cannot be looked at ({error.strerror or error})")
        return None

    def _tell(self, problem: str) -> None:
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(problem)
        self.complete = False
