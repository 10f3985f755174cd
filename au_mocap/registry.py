"""The model registry: from a name to verified files.

`models/registry.toml` lists what is bundled; folders that users add hold a `registry.toml` of the same form. Nothing
here loads a network, and nothing downloads.
"""

import hashlib
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal, TypeVar, cast, get_args

from . import channels, windows
from .errors import ModelError
from .files import is_file, is_folder

StageSource = Literal["crop", "maps", "landmarks"]
ClipStatistics = Literal["", "deviation"]
Group = Literal["standard", "advanced"]

BUNDLED: Final = Path(__file__).resolve().parents[1] / "models"
_VERSION: Final = 1
_STAGE_KEYS: Final[dict[StageSource, tuple[str, ...]]] = {
    "crop": ("preprocessor", "size_px", "clip_statistics"),
    "maps": ("inputs",),
    "landmarks": (),
}

TRACKER_ROLES: Final = ("detector", "landmarks", "blendshapes")


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file that belongs to a registry entry.

    Attributes:
        folder: Where the registry that names it lies.
        file: Its name inside the folder.
        sha256: Checksum that `Registry.path` demands.
    """

    folder: Path
    file: str
    sha256: str


@dataclass(frozen=True, slots=True)
class TrackerEntry:
    """A face tracker: its graphs by role, one for each of `TRACKER_ROLES`."""

    name: str
    version: str
    label: str
    licence: str
    source: str
    files: dict[str, ModelFile]


@dataclass(frozen=True, slots=True)
class ImageStage:
    """A graph that is run once a frame and whose first output is the embedding.

    Attributes:
        file: The graph.
        source: What it reads. `crop`: a picture of the face, its only input. `maps`: what the landmark graph gave for
            the same frame, one input for each of `inputs`, of the same names. `landmarks`: where the landmarks of
            `blendshapes.POINTS` are in the image, its only input.
        embedding_size: Length of the embedding.
        preprocessor: For `crop`: a name of `preprocessors.PREPROCESSORS`.
        size_px: For `crop`: side of the picture.
        clip_statistics: For `crop`: `deviation` where pixel values are divided by their standard deviation over the
            whole clip, a running estimate when live; empty where the picture is read as it is.
        inputs: For `maps`: names of `landmark_model.LOOKS`.
    """

    file: ModelFile
    source: StageSource
    embedding_size: int
    preprocessor: str = ""
    size_px: int = 0
    inputs: tuple[str, ...] = ()
    clip_statistics: ClipStatistics = ""


@dataclass(frozen=True, slots=True)
class RegressorEntry:
    """A regressor: an optional image graph, a head graph, and what it was made from.

    Attributes:
        name: Identifier for settings and command line.
        version: Changes whenever the files do.
        label: Name for people.
        description: One sentence for a tooltip.
        licence: SPDX expression.
        training_data: What it was trained on.
        normalisation: What it subtracts by default: `none`, `neutral` or `mean`.
        channels: Ids of the head's output columns.
        image: What is run once a frame, None where the head reads nothing but landmarks.
        head: Graph from embedding, landmarks and neutral to values.
        accuracy: Measured figures as `{"metric": value}`.
        group: `standard`, or `advanced` for those that are there to be compared with.
        thresholds: By channel id, the value above which an AU counts as present; others go by the common one.
        window_s: Seconds before and after a frame at which the head reads embeddings too; 0 for none.
    """

    name: str
    version: str
    label: str
    description: str
    licence: str
    training_data: str
    normalisation: str
    channels: tuple[str, ...]
    image: ImageStage | None
    head: ModelFile
    accuracy: dict[str, float]
    group: Group = "standard"
    thresholds: dict[str, float] = field(default_factory=dict[str, float])
    window_s: float = 0.0

    @property
    def files(self) -> tuple[ModelFile, ...]:
        """Everything that must be there for it to run."""
        return (self.head,) if self.image is None else (self.image.file, self.head)


_Entry = TypeVar("_Entry")


class Registry:
    """All trackers and regressors of one or more model folders; earlier folders win over later ones."""

    def __init__(self, folders: Sequence[Path] = (BUNDLED,), further: Sequence[Path] = ()) -> None:
        """Reads `registry.toml` of every folder.

        A broken entry does not hide the others: it is kept in `problems` and raised when it is asked for.

        Args:
            folders: Model folders that must be readable.
            further: The user's own, of which a broken one hides nothing else: it is kept in `problems` by its name.

        Raises:
            ModelError: A folder has no readable registry.
        """
        self._trackers: dict[str, TrackerEntry] = {}
        self._regressors: dict[str, RegressorEntry] = {}
        self._tables: list[tuple[dict[str, Any], Path]] = []
        self.problems: dict[str, str] = {}
        for folder in folders:
            self._read(folder.resolve())
        for folder in further:
            try:
                self._read(folder.resolve())
            except ModelError as error:
                self.problems[folder.name] = str(error)

    @property
    def regressors(self) -> tuple[RegressorEntry, ...]:
        """Every usable regressor, in the order of the registries."""
        return tuple(self._regressors.values())

    @property
    def trackers(self) -> tuple[TrackerEntry, ...]:
        """Every usable tracker, in the order of the registries."""
        return tuple(self._trackers.values())

    def tracker(self, name: str) -> TrackerEntry:
        """The tracker of that name; ModelError names the choices where there is none."""
        return _pick("tracker", name, self._trackers, self.problems)

    def regressor(self, name: str) -> RegressorEntry:
        """The regressor of that name; ModelError names the choices where there is none."""
        return _pick("regressor", name, self._regressors, self.problems)

    def path(self, model_file: ModelFile) -> Path:
        """Where a model file lies, after its checksum was found right.

        Raises:
            ModelError: The file is missing or damaged; the message names it.
        """
        path = model_file.folder / model_file.file
        try:
            stat = path.stat()
            digest = _sha256(path, stat.st_mtime_ns, stat.st_size)
        except OSError as error:
            message = f"Model file {path} cannot be read ({error.strerror}). {_cure(model_file)}"
            raise ModelError(message) from error
        if digest != model_file.sha256:
            message = (
                f"Model file {path} is damaged: its sha256 is {digest[:12]}…, expected {model_file.sha256[:12]}…. "
                f"{_cure(model_file)}"
            )
            raise ModelError(message)
        return path

    def _read(self, folder: Path) -> None:
        path = folder / "registry.toml"
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            message = f"{path} cannot be read ({error.strerror}). A model folder needs a registry.toml."
            raise ModelError(message) from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            message = f"{path} is not valid TOML: {error}. Mend it or remove the folder."
            raise ModelError(message) from error
        if table.get("version") != _VERSION:
            message = f"{path} has version {table.get('version')}, this AU Mocap reads version {_VERSION}."
            raise ModelError(message)
        self._keep(self._trackers, _entries(table, "tracker", path, _tracker_entry))
        self._keep(self._regressors, _entries(table, "regressor", path, _regressor_entry))
        self._tables.append((table, path))

    def further(self, kind: str, make: Callable[[dict[str, Any], Path], _Entry]) -> dict[str, _Entry]:
        """Entries of another kind by name, read by whoever knows it; broken ones are kept in `problems`.

        Args:
            kind: Name of its tables.
            make: Row and folder to an entry; raises KeyError, TypeError or ValueError where something is wrong.
        """
        kept: dict[str, _Entry] = {}
        for table, path in self._tables:
            self._keep(kept, _entries(table, kind, path, make))
        return kept

    def pick(self, kind: str, name: str, entries: dict[str, _Entry]) -> _Entry:
        """One of some entries; ModelError names the choices where there is none."""
        return _pick(kind, name, entries, self.problems)

    def _keep(self, kept: dict[str, _Entry], entries: Iterator[tuple[str, _Entry | str]]) -> None:
        for name, entry in entries:
            if isinstance(entry, str):
                self.problems[name] = entry
            else:
                kept.setdefault(name, entry)


def folders_in(folder: Path) -> tuple[Path, ...]:
    """The model folders that a user has put together in one place: itself and those directly inside it.

    Args:
        folder: The place; empty where it is missing or cannot be read.
    """
    try:
        inside = sorted(each for each in folder.iterdir() if is_folder(each))
    except OSError:
        return ()
    return tuple(each for each in (folder, *inside) if is_file(each / "registry.toml"))


def _cure(model_file: ModelFile) -> str:
    if model_file.folder == BUNDLED:
        return "Reinstall AU Mocap."
    return "Restore the file, or take its entry out of the registry.toml beside it."


def _entries(
    table: dict[str, Any], kind: str, path: Path, make: Callable[[dict[str, Any], Path], _Entry]
) -> Iterator[tuple[str, _Entry | str]]:
    """Names with entries, or with what is wrong with them."""
    rows = table.get(kind, [])
    if not isinstance(rows, list):
        message = f"{path} is no registry: write each {kind} under [[{kind}]]."
        raise ModelError(message)
    for number, row in enumerate(cast(list[object], rows), 1):
        known = cast(dict[str, Any], row) if isinstance(row, dict) else {}
        name = str(known.get("name", f"{kind} {number}"))
        try:
            yield name, make(known, path.parent)
        except KeyError as error:
            yield name, f"Entry '{name}' in {path} has no {error}: add it or remove the entry."
        except (AttributeError, TypeError, ValueError) as error:
            yield name, f"Entry '{name}' in {path} is malformed ({error}): mend or remove it."


def _pick(kind: str, name: str, entries: dict[str, _Entry], problems: dict[str, str]) -> _Entry:
    if name in entries:
        return entries[name]
    if name in problems:
        raise ModelError(problems[name])
    message = f"There is no {kind} '{name}'. Choose one of: {', '.join(entries) or 'none installed'}."
    raise ModelError(message)


def _text(row: dict[str, Any], key: str) -> str:
    if not isinstance(row[key], str) or not row[key]:
        message = f"'{key}' must be a text"
        raise TypeError(message)
    return row[key]


def _model_file(row: dict[str, Any], folder: Path) -> ModelFile:
    file = _text(row, "file")
    if Path(file).is_absolute() or ".." in Path(file).parts:
        message = f"file '{file}' must lie inside the model folder"
        raise ValueError(message)
    return ModelFile(folder, file, _text(row, "sha256").lower())


def _image_stage(row: dict[str, Any], folder: Path) -> ImageStage:
    source = row.get("source", "crop")
    if source not in get_args(StageSource):
        message = f"'source' must be one of {', '.join(get_args(StageSource))}, not {source}"
        raise ValueError(message)
    known = {"file", "sha256", "source", "embedding_size", *_STAGE_KEYS[source]}
    if unknown := sorted(set(row) - known):
        message = f"an image stage of source '{source}' has no {', '.join(unknown)}"
        raise ValueError(message)
    return ImageStage(
        file=_model_file(row, folder),
        source=source,
        embedding_size=_count(row, "embedding_size", 4096),
        preprocessor=_text(row, "preprocessor") if source == "crop" else "",
        size_px=_count(row, "size_px", 4096) if source == "crop" else 0,
        inputs=_names(row, "inputs") if source == "maps" else (),
        clip_statistics=cast(ClipStatistics, _choice(row, "clip_statistics", get_args(ClipStatistics))),
    )


def _choice(row: dict[str, Any], key: str, choices: tuple[str, ...]) -> str:
    """One of some words; the first of them where the row has none."""
    value = row.get(key, choices[0])
    if value not in choices:
        message = f"'{key}' must be one of {', '.join(filter(None, choices))}, not {value}"
        raise ValueError(message)
    return str(value)


def _thresholds(row: dict[str, Any], ids: tuple[str, ...]) -> dict[str, float]:
    known: dict[str, Any] = row.get("thresholds", {})
    for channel_id, value in known.items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if channel_id not in ids or not number or not 0 <= value < 1:
            message = f"'thresholds' gives channels of its own a number from 0 to below 1, not '{channel_id}' {value}"
            raise ValueError(message)
    return {channel_id: float(value) for channel_id, value in known.items()}


def _names(row: dict[str, Any], key: str) -> tuple[str, ...]:
    names: object = row[key]
    known = cast(list[object], names) if isinstance(names, list) else []
    if not known or len(set(map(str, known))) < len(known) or not all(isinstance(name, str) and name for name in known):
        message = f"'{key}' must be a list of different names"
        raise ValueError(message)
    return tuple(map(str, known))


def _count(row: dict[str, Any], key: str, most: int) -> int:
    if isinstance(row[key], bool) or not isinstance(row[key], int) or not 1 <= row[key] <= most:
        message = f"'{key}' must be a whole number from 1 to {most}"
        raise ValueError(message)
    return row[key]


def _channels(ids: list[object]) -> tuple[str, ...]:
    known = tuple(str(channel_id) for channel_id in ids)
    wrong = [channel_id for channel_id in known if channel_id not in channels.INDEX or known.count(channel_id) > 1]
    if wrong or not known:
        message = f"channels must be different ids of the channel table, not {', '.join(wrong) or 'none'}"
        raise ValueError(message)
    return known


def _tracker_entry(row: dict[str, Any], folder: Path) -> TrackerEntry:
    return TrackerEntry(
        name=_text(row, "name"),
        version=_text(row, "version"),
        label=_text(row, "label"),
        licence=_text(row, "licence"),
        source=_text(row, "source"),
        files={role: _model_file(row["files"][role], folder) for role in TRACKER_ROLES},
    )


def _regressor_entry(row: dict[str, Any], folder: Path) -> RegressorEntry:
    ids = _channels(row["channels"])
    return RegressorEntry(
        name=_text(row, "name"),
        version=_text(row, "version"),
        label=_text(row, "label"),
        description=_text(row, "description"),
        licence=_text(row, "licence"),
        training_data=_text(row, "training_data"),
        normalisation=_text(row, "normalisation"),
        channels=ids,
        image=_image_stage(row["image"], folder) if "image" in row else None,
        head=_model_file(row["head"], folder),
        accuracy={key: float(value) for key, value in row.get("accuracy", {}).items()},
        group=cast(Group, _choice(row, "group", get_args(Group))),
        thresholds=_thresholds(row, ids),
        window_s=windows.length_s(row),
    )


@lru_cache(maxsize=64)
def _sha256(path: Path, _modified_ns: int, _size: int) -> str:
    """Checksum of a file, computed again only when the file has changed."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
