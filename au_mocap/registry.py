"""The model registry: from a name to verified files.

`models/registry.toml` lists what is bundled; folders that users add hold a `registry.toml` of the same form. Nothing here
loads a network, and nothing downloads.
"""

import hashlib
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from .errors import ModelError

BUNDLED: Final = Path(__file__).resolve().parents[1] / "models"
_VERSION: Final = 1


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
    """A face tracker: its graphs by role (`detector`, `landmarks`, `blendshapes`)."""

    name: str
    version: str
    label: str
    licence: str
    source: str
    files: dict[str, ModelFile]


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
        image: Graph run once a frame on a crop, None for landmarks only.
        head: Graph from embedding, landmarks and neutral to values.
        accuracy: Measured figures as `{"metric": value}`.
    """

    name: str
    version: str
    label: str
    description: str
    licence: str
    training_data: str
    normalisation: str
    channels: tuple[str, ...]
    image: ModelFile | None
    head: ModelFile
    accuracy: dict[str, float]


class Registry:
    """All trackers and regressors of one or more model folders; earlier folders win over later ones."""

    def __init__(self, folders: Sequence[Path] = (BUNDLED,)) -> None:
        """Reads `registry.toml` of every folder.

        A broken entry does not hide the others: it is kept in `problems` and raised when it is asked for.

        Raises:
            ModelError: A folder has no readable registry.
        """
        self._trackers: dict[str, TrackerEntry] = {}
        self._regressors: dict[str, RegressorEntry] = {}
        self.problems: dict[str, str] = {}
        for folder in folders:
            self._read(folder.resolve())

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
            msg = f"Model file {path} cannot be read ({error.strerror}). Reinstall AU Mocap."
            raise ModelError(msg) from error
        if digest != model_file.sha256:
            msg = (
                f"Model file {path} is damaged: its sha256 is {digest[:12]}…, expected {model_file.sha256[:12]}…. "
                "Reinstall AU Mocap or restore the file."
            )
            raise ModelError(msg)
        return path

    def _read(self, folder: Path) -> None:
        path = folder / "registry.toml"
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            msg = f"{path} cannot be read ({error.strerror}). A model folder needs a registry.toml."
            raise ModelError(msg) from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            msg = f"{path} is not valid TOML: {error}. Mend it or remove the folder."
            raise ModelError(msg) from error
        if table.get("version") != _VERSION:
            msg = f"{path} has version {table.get('version')}, this AU Mocap reads version {_VERSION}."
            raise ModelError(msg)
        for row in table.get("tracker", []):
            self._add(row, path, self._trackers, _tracker_entry)
        for row in table.get("regressor", []):
            self._add(row, path, self._regressors, _regressor_entry)

    def _add(self, row: dict[str, Any], path: Path, entries: dict[str, Any], make: Any) -> None:  # noqa: ANN401
        name = str(row.get("name", "unnamed"))
        try:
            entries.setdefault(name, make(row, path.parent))
        except (KeyError, TypeError, ValueError) as error:
            self.problems[name] = f"Entry '{name}' in {path} is incomplete: {error}."


def _pick(kind: str, name: str, entries: dict[str, Any], problems: dict[str, str]) -> Any:  # noqa: ANN401
    if name in entries:
        return entries[name]
    if name in problems:
        raise ModelError(problems[name])
    msg = f"There is no {kind} '{name}'. Choose one of: {', '.join(entries) or 'none installed'}."
    raise ModelError(msg)


def _model_file(row: dict[str, str], folder: Path) -> ModelFile:
    file = row["file"]
    if Path(file).is_absolute() or ".." in Path(file).parts:
        msg = f"file '{file}' must lie inside the model folder"
        raise ValueError(msg)
    return ModelFile(folder, file, row["sha256"].lower())


def _tracker_entry(row: dict[str, Any], folder: Path) -> TrackerEntry:
    return TrackerEntry(
        name=row["name"],
        version=row["version"],
        label=row["label"],
        licence=row["licence"],
        source=row["source"],
        files={role: _model_file(file, folder) for role, file in row["files"].items()},
    )


def _regressor_entry(row: dict[str, Any], folder: Path) -> RegressorEntry:
    return RegressorEntry(
        name=row["name"],
        version=row["version"],
        label=row["label"],
        description=row["description"],
        licence=row["licence"],
        training_data=row["training_data"],
        normalisation=row["normalisation"],
        channels=tuple(row["channels"]),
        image=_model_file(row["image"], folder) if "image" in row else None,
        head=_model_file(row["head"], folder),
        accuracy={key: float(value) for key, value in row.get("accuracy", {}).items()},
    )


@lru_cache(maxsize=64)
def _sha256(path: Path, _modified_ns: int, _size: int) -> str:
    """Checksum of a file, computed again only when the file has changed."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
