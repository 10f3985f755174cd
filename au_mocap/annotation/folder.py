"""The folder that holds everybody's labels of one clip."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from reprlib import repr as shortened
from typing import Any, Final, cast

from .. import channels, strict_json
from ..errors import AnnotationError
from ..files import is_file, is_folder
from . import journal
from .labels import Labels
from .names import check_coder
from .table import read_labels, write_labels

SUFFIX: Final = ".annotation"
FORMAT: Final = "au_mocap annotation"
VERSION: Final = 1
DESCRIPTION: Final = "annotation.json"
CODERS: Final = "coders"
AGREED: Final = "agreed.csv"
MOST_CODERS: Final = 100

_MOST_BYTES: Final = 1_000_000
_FIELDS: Final = frozenset({"format", "version", "clip", "take", "channels"})


@dataclass(frozen=True, slots=True)
class ClipFacts:
    """Which recording is labelled.

    Attributes:
        name: Its file name.
        path: Where it was when it was labelled.
        size_bytes: Its size; None for images.
        sha256: Its checksum; None for images.
        frames: How many frames it has.
        rate_hz: Frames per second.
    """

    name: str
    path: str
    size_bytes: int | None
    sha256: str | None
    frames: int
    rate_hz: float


@dataclass(frozen=True, slots=True)
class TakeFacts:
    """The take whose values coders began with; both None where there was none."""

    path: str | None = None
    regressor: str | None = None


@dataclass(frozen=True, slots=True)
class Annotation:
    """Everybody's labels of one clip.

    Attributes:
        clip: The recording.
        channels: Ids of the channels that are labelled, in the order of their columns.
        coders: Labels by coder's name.
        take: What coders began with.
        agreed: The mean of valid values, None where nobody has made it.
    """

    clip: ClipFacts
    channels: tuple[str, ...]
    coders: Mapping[str, Labels]
    take: TakeFacts = TakeFacts()
    agreed: Labels | None = None


def coder_file(folder: Path, coder: str) -> Path:
    """Where a coder's labels are kept; raises AnnotationError where the name cannot be a file's."""
    return folder / CODERS / f"{check_coder(coder)}.csv"


def save(annotation: Annotation, folder: Path) -> None:
    """Writes a folder; files of coders that are not in `annotation` stay.

    Raises:
        AnnotationError: A coder's name cannot be a file's, or labels do not fit clip or channels.
        OutputError: A file cannot be written.
    """
    for coder in annotation.coders:
        check_coder(coder, annotation.coders)
    _check(annotation)
    strict_json.write(_document(annotation), folder / DESCRIPTION)
    for coder, labels in annotation.coders.items():
        save_coder(folder, coder, labels, annotation.channels)
    if annotation.agreed is not None:
        write_labels(annotation.agreed, annotation.channels, folder / AGREED)


def save_coder(folder: Path, coder: str, labels: Labels, channel_ids: tuple[str, ...]) -> None:
    """Writes one coder's labels into a folder that exists, in place of table and journal; raises as `save`."""
    path = coder_file(folder, coder)
    write_labels(labels, channel_ids, path)
    journal.remove(path)


def save_agreed(folder: Path, labels: Labels, channel_ids: tuple[str, ...]) -> None:
    """Writes the agreed labels into a folder that exists; raises as `save`."""
    write_labels(labels, channel_ids, folder / AGREED)


def load(folder: Path) -> Annotation:
    """Reads a folder.

    Raises:
        AnnotationError: It is no such folder, was made by a newer AU Mocap, or a file has another form; the message
            names file, line and column.
    """
    clip, take, channel_ids = _described(folder)
    coders: dict[str, Labels] = {}
    for file in _coder_files(folder):
        coder = check_coder(file.stem, coders)
        stored = read_labels(file, channel_ids, clip.frames) if is_file(file) else Labels.empty()
        coders[coder] = journal.applied(stored, file, channel_ids, clip.frames)
    agreed = folder / AGREED
    return Annotation(
        clip=clip,
        channels=channel_ids,
        coders=coders,
        take=take,
        agreed=read_labels(agreed, channel_ids, clip.frames) if is_file(agreed) else None,
    )


def labels_of(annotation: Annotation, folder: Path, coder: str | None = None) -> Labels:
    """Whose labels count: a coder's; without a name those that are agreed, or the only coder's.

    Raises:
        AnnotationError: There is no such coder, or nothing says whose count.
    """
    names = ", ".join(annotation.coders) or "nobody"
    if coder is not None:
        if coder not in annotation.coders:
            message = f"{folder} holds no labels of '{coder}', only of {names}: name one of them, or leave --coder out."
            raise AnnotationError(message)
        return annotation.coders[coder]
    if annotation.agreed is not None:
        return annotation.agreed
    if len(annotation.coders) == 1:
        return next(iter(annotation.coders.values()))
    message = (
        f"{folder} holds labels of {names} and none that are agreed: choose whose (--coder NAME), or average them "
        "with the command agree --write-agreed."
    )
    raise AnnotationError(message)


def _coder_files(folder: Path) -> list[Path]:
    """Every coder's table; of one who has only just begun there may be no more than its journal."""
    try:
        each = list((folder / CODERS).iterdir()) if is_folder(folder / CODERS) else []
    except OSError as error:
        message = f"{folder / CODERS} cannot be read ({error.strerror}): check that you may read it."
        raise AnnotationError(message) from error
    found = sorted({file.with_suffix(".csv") for file in each if file.suffix in (".csv", journal.SUFFIX)})
    found = [file for file in found if not file.name.startswith(".")]  # being written, or a system's own
    if len(found) > MOST_CODERS:
        message = f"{folder / CODERS} holds {len(found)} tables: at most {MOST_CODERS} coders are read."
        raise AnnotationError(message)
    return found


def _check(annotation: Annotation) -> None:
    """Raises AnnotationError for labels behind the clip's end; `write_labels` checks the channels."""
    for who, labels in {**annotation.coders, AGREED: annotation.agreed}.items():
        if labels is not None and len(labels) and labels.frames[-1] >= annotation.clip.frames:
            message = (
                f"{who} labels frame {labels.frames[-1]}, but {annotation.clip.name} ends with frame "
                f"{annotation.clip.frames - 1}: do these labels belong to this clip?"
            )
            raise AnnotationError(message)


def _document(annotation: Annotation) -> dict[str, Any]:
    clip, take = annotation.clip, annotation.take
    return {
        "format": FORMAT,
        "version": VERSION,
        "clip": {
            "name": clip.name,
            "path": clip.path,
            "size_bytes": clip.size_bytes,
            "sha256": clip.sha256,
            "frames": clip.frames,
            "rate_hz": clip.rate_hz,
        },
        "take": {"path": take.path, "regressor": take.regressor},
        "channels": list(annotation.channels),
    }


def _described(folder: Path) -> tuple[ClipFacts, TakeFacts, tuple[str, ...]]:
    path = folder / DESCRIPTION
    if not is_file(path):
        message = f"{folder} is no folder of labels: it holds no {DESCRIPTION}. Name a folder NAME{SUFFIX}."
        raise AnnotationError(message)
    try:
        document = strict_json.read(path, _MOST_BYTES)
    except strict_json.JsonError as error:
        message = f"{path} cannot be used: {error}."
        raise AnnotationError(message) from error
    except OSError as error:
        message = f"{path} cannot be read ({error.strerror or error}): check that you may read it."
        raise AnnotationError(message) from error
    return _parts(_Reader(path, "it"), document)


def _parts(reader: "_Reader", document: object) -> tuple[ClipFacts, TakeFacts, tuple[str, ...]]:
    fields = reader.object(document)
    if fields.get("format") != FORMAT:
        reader.refuse(f"format is {shortened(fields.get('format'))}, not '{FORMAT}'")
    version = reader.number(fields, "version")
    if version != VERSION:
        reader.refuse(f"its version is {version:g}, this AU Mocap reads version {VERSION}: update to open it")
    if unknown := sorted(set(fields) - _FIELDS):
        reader.refuse(f"it has unknown fields {', '.join(map(shortened, unknown[:4]))}")
    clip = reader.object(fields.get("clip"), "clip")
    facts = ClipFacts(
        name=reader.text(clip, "name") or "",
        path=reader.text(clip, "path") or "",
        size_bytes=None if clip.get("size_bytes") is None else int(reader.number(clip, "size_bytes")),
        sha256=reader.text(clip, "sha256"),
        frames=int(reader.number(clip, "frames")),
        rate_hz=reader.number(clip, "rate_hz"),
    )
    if not 1 <= facts.frames < 1e8 or not 0 < facts.rate_hz < 1e6:
        reader.refuse("'clip' needs frames of 1 or more, and rate_hz, its frames a second")
    take = reader.object(fields.get("take") or {}, "take")
    return facts, TakeFacts(reader.text(take, "path"), reader.text(take, "regressor")), reader.channels(fields)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Takes fields out of JSON and says what is wrong with them."""

    path: Path
    what: str

    def refuse(self, problem: str) -> None:
        message = f"{self.path} cannot be used: {problem}."
        raise AnnotationError(message)

    def object(self, value: object, name: str = "") -> dict[str, Any]:
        if not isinstance(value, dict):
            self.refuse(f"'{name}' must be an object" if name else "it must hold an object")
        return cast(dict[str, Any], value)

    def number(self, fields: dict[str, Any], name: str) -> float:
        value = fields.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e18:
            self.refuse(f"'{name}' must be a number, not {shortened(value)}")
        return float(cast(float, value))

    def text(self, fields: dict[str, Any], name: str) -> str | None:
        value = fields.get(name)
        if value is not None and not isinstance(value, str):
            self.refuse(f"'{name}' must be a text, not {shortened(value)}")
        return value

    def channels(self, fields: dict[str, Any]) -> tuple[str, ...]:
        value = fields.get("channels")
        if not isinstance(value, list) or not value:
            self.refuse("'channels' must list the channels that are labelled")
        ids = cast(list[Any], value)
        unknown = [shortened(each) for each in ids if not isinstance(each, str) or each not in channels.INDEX]
        if unknown:
            self.refuse(f"{', '.join(unknown[:4])} is no channel: use ids of the channel table")
        if len(set(ids)) < len(ids):
            self.refuse("'channels' names a channel twice")
        return tuple(ids)
