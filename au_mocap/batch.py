"""Many jobs one after the other: one that fails does not stop the others, and the end tells of all of them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeVar

from .errors import AuMocapError, LibraryError, TakeError
from .files import is_folder
from .library import summary
from .library.folders import Walk
from .take import SUFFIX

State = Literal["done", "skipped", "failed", "cancelled"]

VIDEO_SUFFIXES: Final = (
    ".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".mts", ".m2ts", ".ts", ".wmv", ".ogv", ".mxf",
)  # fmt: skip

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Result:
    """How one job ended.

    Attributes:
        name: What it was about.
        state: `done`; `skipped`, since it had been done before; `failed`; or `cancelled` before it began or ended.
        detail: What was made, or what went wrong.
    """

    name: str
    state: State
    detail: str = ""


def each(
    items: Iterable[_T],
    name_of: Callable[[_T], str],
    work: Callable[[_T], str],
    goes_on: Callable[[], bool] = lambda: True,
) -> Iterator[Result]:
    """Works through a list.

    Args:
        items: The list.
        name_of: What a job is called.
        work: Does one and says what was made; an AuMocapError fails this job alone.
        goes_on: Asked before each job; once it says no, the others are cancelled.

    Yields:
        A result for each, as soon as it is there.
    """
    for item in items:
        if not goes_on():
            yield Result(name_of(item), "cancelled")
            continue
        try:
            detail = work(item)
        except AuMocapError as error:
            yield Result(name_of(item), "failed", str(error))
        else:
            yield Result(name_of(item), "done", detail)


def headline(results: Iterable[Result]) -> str:
    """One line: how many were done, failed, skipped and cancelled."""
    states = [result.state for result in results]
    order: tuple[State, ...] = ("done", "failed", "skipped", "cancelled")
    told = [f"{states.count(state)} {state}" for state in order if state in states]
    return f"{', '.join(told) or 'Nothing to do'}."


def report(title: str, results: Iterable[Result]) -> str:
    """All of it as text, a line for each job, failures first."""
    known = list(results)
    order: tuple[State, ...] = ("failed", "cancelled", "done", "skipped")
    ranked = sorted(known, key=lambda result: order.index(result.state))
    lines = (f"{one.state:9}  {one.name}{f': {one.detail}' if one.detail else ''}" for one in ranked)
    return "\n".join([title, headline(known), "", *lines, ""])


def videos_of(folder: Path, goes_on: Callable[[], bool] = lambda: True) -> list[Path]:
    """Videos of a folder and of those below it, by the endings of their names.

    Raises:
        LibraryError: There is no such folder.
    """
    if not is_folder(folder):
        message = f"There is no folder {folder}: choose one that holds videos."
        raise LibraryError(message)
    return [Path(file.path) for file in Walk(folder, goes_on).files(VIDEO_SUFFIXES)]


def outputs_for(videos: Iterable[Path], folder: Path) -> dict[Path, Path]:
    """A take's file for each video in one folder; videos of one name get the names of their folders in front."""
    known = list(videos)
    stems = [video.stem.casefold() for video in known]
    outputs: dict[Path, Path] = {}
    taken: set[str] = set()
    for video, stem in zip(known, stems, strict=True):
        wanted = video.stem if stems.count(stem) == 1 else f"{video.parent.name} {video.stem}".strip()
        name, number = wanted, 1
        while name.casefold() in taken:
            number += 1
            name = f"{wanted} {number}"
        taken.add(name.casefold())
        outputs[video] = folder / f"{name}{SUFFIX}"
    return outputs


def is_done(output: Path, video: Path, regressor: str) -> bool:
    """Whether a take of a video is there, whole, and by that regressor."""
    try:
        known = summary.read(output)
        size_bytes = video.stat().st_size
    except (TakeError, OSError):
        return False
    same = known.clip == video.name and known.clip_bytes in (None, size_bytes)
    return same and not known.partial and known.regressor == regressor
