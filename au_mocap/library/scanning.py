"""Lists the takes of a folder tree."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..errors import LibraryError
from ..files import is_folder
from ..take import SUFFIX
from . import clips, index, notes
from .entry import Entry
from .folders import File, Walk
from .notes import Notes

_TELL_EVERY: Final = 50


@dataclass(frozen=True, slots=True)
class Listing:
    """What was found in a folder.

    Attributes:
        folder: The folder.
        entries: Its takes in the order of folders and names, those that cannot be read among them.
        problems: Folders that cannot be read, for people.
        complete: Whether all of it was looked at.
    """

    folder: Path
    entries: tuple[Entry, ...]
    problems: tuple[str, ...]
    complete: bool


def scan(folder: Path, cache: Path | None = None, on_progress: Callable[[int], bool] | None = None) -> Listing:
    """Lists the takes of a folder and of those below it.

    Args:
        folder: The folder.
        cache: Where what was read is kept for the next time, such as `cache_folder()`; None keeps nothing.
        on_progress: Told now and then how many takes were read; the scan ends early where it returns False.

    Raises:
        LibraryError: There is no such folder.
    """
    if not is_folder(folder):
        message = f"There is no folder {folder}: choose the folder that your takes are in."
        raise LibraryError(message)
    is_wanted = True

    def told(count: int) -> bool:
        nonlocal is_wanted
        is_wanted = is_wanted and (on_progress is None or on_progress(count))
        return is_wanted

    walk = Walk(folder, lambda: is_wanted)
    takes: list[File] = []
    sidecars: dict[str, File] = {}
    for file in walk.files((SUFFIX, notes.SUFFIX)):
        if file.path.lower().endswith(SUFFIX):
            takes.append(file)
        else:
            sidecars[str(Path(file.path))] = file  # "." in front is left out, as it is in what it is asked for
        if len(takes) % _TELL_EVERY == 0:
            told(0)
    known = index.open_index(folder, cache)
    entries: list[Entry] = []
    for number, file in enumerate(takes):
        if number % _TELL_EVERY == 0 and not told(number):
            break
        entries.append(_entry(folder, file, sidecars, known))
    complete = walk.complete and len(entries) == len(takes)
    if complete:
        known.save()
    return Listing(folder, tuple(entries), tuple(walk.problems), complete)


def entry_of(path: Path, folder: Path | None = None) -> Entry:
    """One take, read anew.

    Args:
        path: The take's file.
        folder: The library that it is shown in; its own folder where there is none.

    Raises:
        LibraryError: There is no such file.
    """
    sidecar = notes.path_of(path)
    try:
        stat = path.stat()
        noted = sidecar.stat() if sidecar.is_file() else None
    except (OSError, ValueError) as error:
        message = f"There is no take {path} any more: look at the folder again."
        raise LibraryError(message) from error
    file = File(str(path), stat.st_size, stat.st_mtime_ns)
    sidecars = {} if noted is None else {str(sidecar): File(str(sidecar), noted.st_size, noted.st_mtime_ns)}
    return _entry(folder or path.parent, file, sidecars, index.Index(None))


def cache_folder() -> Path:
    """Where programs of this user keep what can be made again."""
    named = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return (Path(named) if named else Path.home() / ".cache") / "au-mocap" / "library"


def _entry(folder: Path, file: File, sidecars: dict[str, File], known: index.Index) -> Entry:
    path = Path(file.path)
    key = os.path.relpath(file.path, folder)
    read = known.takes.get(key, file, path)
    sidecar = sidecars.get(str(notes.path_of(path)))
    noted = Notes() if sidecar is None else known.notes.get(key, sidecar, path)
    inside = Path(key).parent.as_posix()
    found = (None, "unknown")
    if not isinstance(read, str):
        found = clips.locate(path, read, noted if isinstance(noted, Notes) else Notes())
    return Entry(
        path=path,
        folder="" if inside == "." else inside,
        size_bytes=file.size_bytes,
        modified_ns=file.modified_ns,
        summary=None if isinstance(read, str) else read,
        problem=read if isinstance(read, str) else "",
        notes=noted if isinstance(noted, Notes) else Notes(),
        notes_problem=noted if isinstance(noted, str) else "",
        clip=found[0],
        clip_state=found[1],
    )
