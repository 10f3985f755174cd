"""Finds the videos of takes again after they have moved: by size, name and checksum. The takes are not touched."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from .. import image_sequence
from ..errors import AuMocapError, LibraryError, VideoError
from ..files import is_file, is_folder
from ..video import file_sha256
from . import notes
from .entry import Entry
from .folders import Walk
from .summary import Summary

_TELL_EVERY: Final = 200


@dataclass(slots=True)
class Relinked:
    """What a search for videos found.

    Attributes:
        found: Video by take.
        missing: Takes whose video is nowhere there.
        problems: What could not be read or written, for people.
        complete: Whether all was searched.
    """

    found: dict[Path, Path] = field(default_factory=dict[Path, Path])
    missing: list[Path] = field(default_factory=list[Path])
    problems: list[str] = field(default_factory=list[str])
    complete: bool = True

    def summary(self) -> str:
        """One line for people."""
        text = f"{len(self.found)} of {len(self.found) + len(self.missing)} videos found"
        return "; ".join([text, *self.problems[:3]]) + "."


def find(entries: Iterable[Entry], folders: Sequence[Path], goes_on: Callable[[], bool] = lambda: True) -> Relinked:
    """Looks for the videos of takes in folder trees.

    A file is a take's video where size and checksum are those that were analysed, whatever its name is now; files of
    the same name are tried first. A folder of images is one by its name and by holding enough of them.

    Args:
        entries: Takes whose video is sought.
        folders: Where to look.
        goes_on: Asked now and then; the search ends where it says no.

    Raises:
        LibraryError: One of the folders does not exist.
    """
    for folder in folders:
        if not is_folder(folder):
            message = f"There is no folder {folder}: choose one that holds videos."
            raise LibraryError(message)
    result = Relinked()
    wanted = [(entry.path, entry.summary) for entry in entries if entry.summary is not None]
    sizes = {summary.clip_bytes for _, summary in wanted if summary.clip_bytes is not None}
    by_size: dict[int, list[Path]] = {}
    inside: dict[str, dict[Path, None]] = {}
    for folder in folders:
        walk = Walk(folder, goes_on)
        for file in walk.files():
            path = Path(file.path)
            if file.size_bytes in sizes:
                by_size.setdefault(file.size_bytes, []).append(path)
            if path.suffix.lower() in image_sequence.SUFFIXES:
                inside.setdefault(path.parent.name, {})[path.parent] = None
        result.problems += walk.problems
        result.complete = result.complete and walk.complete
    checksums: dict[Path, str] = {}
    for path, summary in wanted:
        if not goes_on():
            result.complete = False
            break
        video = _match(summary, by_size, inside, checksums)
        if video is None:
            result.missing.append(path)
        else:
            result.found[path] = video
    return result


def note(result: Relinked) -> None:
    """Writes down beside each take where its video is; what cannot be written joins the result's problems."""
    for take, video in list(result.found.items()):
        try:
            notes.edit(take, video=str(video.absolute()))
        except AuMocapError as error:
            result.problems.append(f"{take.name}: {error}")
            del result.found[take]
            result.missing.append(take)


def link(entry: Entry, video: Path) -> None:
    """Writes down beside one take where its video is.

    Raises:
        LibraryError: The file is not the video that was analysed, the take does not say which that was, or its notes
            cannot be read.
        OutputError: The notes cannot be written.
    """
    summary = entry.summary
    if summary is None:
        raise LibraryError(entry.problem or f"{entry.path} cannot be read.")
    if not is_file(video) and not is_folder(video):
        message = f"There is no video {video}: choose the take's video."
        raise LibraryError(message)
    if not _is_video_of(summary, video, {}):
        message = f"{video.name} is not the video that '{entry.name}' was made of ({summary.clip or 'not known'})."
        raise LibraryError(message)
    notes.edit(entry.path, video=str(video.absolute()))


def _match(
    summary: Summary, by_size: dict[int, list[Path]], inside: dict[str, dict[Path, None]], checksums: dict[Path, str]
) -> Path | None:
    if summary.clip_bytes is None:
        candidates = list(inside.get(summary.clip, {})) if summary.clip else []
    else:
        same_size = by_size.get(summary.clip_bytes, [])
        candidates = sorted(same_size, key=lambda path: path.name != summary.clip)
    return next((path for path in candidates if _is_video_of(summary, path, checksums)), None)


def _is_video_of(summary: Summary, path: Path, checksums: dict[Path, str]) -> bool:
    """Whether a file or a folder of images is what was analysed; checksums are remembered."""
    try:
        if path.is_dir():
            needed = summary.first_frame + summary.frames
            return summary.clip_bytes is None and len(image_sequence.resolve(path)) >= needed
        if summary.clip_bytes is None or not summary.clip_sha256 or path.stat().st_size != summary.clip_bytes:
            return False
        if path not in checksums:
            checksums[path] = file_sha256(path)
    except (VideoError, OSError):  # it went away, or may not be read
        return False
    return checksums[path] == summary.clip_sha256
