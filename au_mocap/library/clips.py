"""Where a take's video is: where its notes say, where it was analysed, or beside the take."""

from pathlib import Path
from typing import Any, Literal, cast

from ..errors import LibraryError
from . import notes as all_notes
from .notes import Notes
from .summary import Summary

ClipState = Literal["found", "missing", "changed", "unknown"]


def locate(take: Path, summary: Summary, notes: Notes) -> tuple[Path | None, ClipState]:
    """Where a take's video is, by a look at names and sizes.

    Args:
        take: The take.
        summary: What it holds.
        notes: What is noted about it.

    Returns:
        The path, None where nothing says where to look; and `found`, `missing`, `changed` where a file of another size
        lies there, or `unknown` without a path.
    """
    places = [Path(text) for text in (notes.video, summary.clip_path) if text]
    if summary.clip and summary.clip_bytes is not None:
        places.append(take.parent / Path(summary.clip).name)
    changed = None
    for place in places:
        state = _look(place, summary.clip_bytes)
        if state == "found":
            return place, state
        changed = place if state == "changed" and changed is None else changed
    if changed is not None:
        return changed, "changed"
    return (places[0], "missing") if places else (None, "unknown")


def of_take(take: Path, meta: dict[str, Any]) -> str:
    """Path of the video of a take that is open already, empty where nothing says where it is.

    Args:
        take: The take's file.
        meta: Its description.

    Returns:
        The first that is there of the places that `locate` looks at; the first of them where none is.
    """
    source: object = meta.get("source", {})
    known = cast(dict[str, object], source) if isinstance(source, dict) else {}
    path, name, size = (known.get(key) for key in ("path", "name", "size_bytes"))
    try:
        noted = all_notes.load(take).video
    except LibraryError:
        noted = ""  # the library shows what is wrong with them
    size_bytes = size if isinstance(size, int) else None
    told = [text for text in (noted, path) if isinstance(text, str) and text]
    is_one_file = isinstance(name, str) and name and size_bytes is not None
    beside = [str(take.parent / Path(name).name)] if is_one_file else []  # pyright: ignore[reportArgumentType]
    found = (text for text in (*told, *beside) if _look(Path(text), size_bytes) == "found")
    return next(found, told[0] if told else "")


def _look(place: Path, size_bytes: int | None) -> ClipState:
    try:
        stat = place.stat()
        is_there = place.is_dir() if size_bytes is None else place.is_file()
    except (OSError, ValueError):  # ValueError: a path that no system can have
        return "missing"
    if size_bytes is None:
        return "found" if is_there or place.is_file() else "missing"
    return "found" if is_there and stat.st_size == size_bytes else "changed"
