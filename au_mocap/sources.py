"""The video that a take was made of: whether it is still there and the same, and where it is now."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, cast

from . import image_sequence
from .errors import TakeError, VideoError
from .files import is_file
from .take import Take
from .video import file_sha256

State = Literal["same", "missing", "changed"]

_ANALYSED = "analysed"


def state(take: Take) -> State:
    """Tells whether a take's video, or the one that it was linked with since, is where the take says.

    A file is compared by its size and then by its checksum, for which all of it is read. A folder or pattern of images
    has none: of them it is only known whether there are as many as the take needs.

    Returns:
        `same`, also for an imported take that was never linked with a video; `missing` where it is not there, cannot be
        read, or the take does not say where it is; or `changed`.
    """
    source = _source(take)
    place = source.get("path")
    if take.is_imported and not place:
        return "same"
    if not isinstance(place, str) or not place:
        return "missing"
    try:
        found = _look(Path(place), size_wanted=source.get("size_bytes"))
    except (VideoError, OSError, ValueError):  # ValueError: a path that no system can have
        return "missing"
    return "same" if _fits(source, found, take) else "changed"


def relinked(take: Take, path: Path, *, even_if_changed: bool = False) -> Take:
    """Says where a take's video is now, after it has moved or was exported again.

    Args:
        take: The take, which is not changed.
        path: Its video; for an image sequence the folder, a pattern or one of the images.
        even_if_changed: Accept something else than what was analysed. The source of the new take then holds the size
            and checksum of what it is linked with, and name, size and checksum of what was analysed under `analysed`.
            Linking it with that again takes this away.

    Returns:
        The same measurements; `name`, `path`, `size_bytes` and `sha256` of the source are those of `path`.

    Raises:
        TakeError: There is nothing to read at `path`; or it is not what was analysed, by its checksum, its kind or the
            number of its images, and `even_if_changed` is off.
    """
    try:
        found = _look(path)
        place = path.resolve()
    except (VideoError, OSError, ValueError) as error:
        message = f"There is no video {path} that can be read: choose the take's video."
        raise TakeError(message) from error
    source = _source(take)
    before = source.pop(_ANALYSED, None)
    known = {key: source[key] for key in ("name", "size_bytes", "sha256") if key in source}
    analysed = cast(dict[str, Any], before) if isinstance(before, dict) else known
    changed = not _fits(analysed, found, take)
    if changed and not even_if_changed:
        message = f"{place.name} is not the video that was analysed: choose that one, or analyse this one."
        raise TakeError(message)
    source |= {"name": place.name, "path": str(place), "size_bytes": found.size_bytes, "sha256": found.sha256}
    if changed:
        source[_ANALYSED] = analysed
    return replace(take, meta={**take.meta, "source": source})


@dataclass(frozen=True, slots=True)
class _Found:
    """What is at a path.

    Attributes:
        size_bytes: Size of a file, None for a folder or pattern of images.
        sha256: Its checksum in lower-case hex; empty where its size says enough, None for a folder or pattern.
        images: How many images belong to it, None for a video file.
    """

    size_bytes: int | None
    sha256: str | None
    images: int | None


def _source(take: Take) -> dict[str, Any]:
    """A copy of what the take says of its source."""
    return dict(take.meta.get("source", {}))


def _look(path: Path, size_wanted: object = None) -> _Found:
    """Looks at a path, without reading a file that has another size than the wanted one.

    Raises:
        VideoError: There are no images, or something cannot be read.
        OSError: Something cannot be looked at.
    """
    if path.is_dir() or image_sequence.is_pattern(path):
        return _Found(None, None, len(image_sequence.resolve(path)))
    if not is_file(path):
        message = f"There is no file {path}."
        raise VideoError(message)
    size_bytes = path.stat().st_size
    images = len(image_sequence.resolve(path)) if path.suffix.lower() in image_sequence.SUFFIXES else None
    telling = size_wanted is not None and size_bytes != size_wanted
    return _Found(size_bytes, "" if telling else file_sha256(path), images)


def _fits(recorded: dict[str, Any], found: _Found, take: Take) -> bool:
    """Whether what was found is what was recorded of a source; what was not recorded fits everything."""
    needed = take.first_frame + len(take)
    if found.images is not None and found.images < needed:
        return False
    if "sha256" not in recorded:
        return True
    if found.sha256 is not None and recorded["sha256"] is not None:
        return (found.size_bytes, found.sha256) == (recorded.get("size_bytes"), recorded["sha256"])
    # One of them is a folder or pattern of images, of which there is no checksum.
    by_name = Path(str(recorded.get("name", ""))).suffix.lower() in image_sequence.SUFFIXES
    return found.images is not None and (recorded["sha256"] is None or by_name)
