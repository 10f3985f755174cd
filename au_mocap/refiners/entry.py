"""What a registry says of refiners: `[[refiner]]` beside `[[regressor]]`, read as strictly."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from .. import channels
from ..errors import ModelError
from ..registry import ModelFile, Registry

_TEXTS: Final = ("name", "version", "label", "description", "licence", "training_data")
_FILES: Final = ("features", "step", "render", "basis")
_OTHERS: Final = ("channels", "size_px", "accuracy")
_SMALLEST_PX: Final = 4
_LARGEST_PX: Final = 256


@dataclass(frozen=True, slots=True)
class RefinerEntry:
    """A refiner: its graphs, its basis, and what it was made from.

    Attributes:
        name: Identifier for settings and command line.
        version: Changes whenever the files do.
        label: Name for people.
        description: One sentence for a tooltip.
        licence: SPDX expression.
        training_data: What it was trained on.
        channels: Ids of the values among its parameters; without means of two sides.
        size_px: Side of its pictures.
        features: Graph from `picture (N, 3, S, S)` to `features`, what is compared.
        step: Graph from `parameters (N, D)` and `features` to `slope (N, 1 + D)`: loss and its gradient.
        render: Graph from `parameters (N, D)` to `picture (N, 3, S, S)`.
        basis: Tables (`basis.Basis`).
        accuracy: Measured figures as `{"metric": value}`.
    """

    name: str
    version: str
    label: str
    description: str
    licence: str
    training_data: str
    channels: tuple[str, ...]
    size_px: int
    features: ModelFile
    step: ModelFile
    render: ModelFile
    basis: ModelFile
    accuracy: dict[str, float]

    @property
    def files(self) -> tuple[ModelFile, ...]:
        """Everything that must be there for it to run."""
        return self.features, self.step, self.render, self.basis


def refiners(registry: Registry) -> tuple[RefinerEntry, ...]:
    """Every usable refiner of a registry's folders, earlier folders first; broken ones are in `registry.problems`.

    Raises:
        ModelError: A registry's `refiner` is no list of tables.
    """
    return tuple(registry.further("refiner", _entry).values())


def refiner_entry(registry: Registry, name: str | None = None) -> RefinerEntry:
    """The refiner of that name, or the first; ModelError names the choices where there is none."""
    known = registry.further("refiner", _entry)
    if name is None and not known:
        message = "No refiner is installed: name a model folder that holds one (--models DIR), or add it in Blender."
        raise ModelError(next(iter(registry.problems.values()), message))
    return registry.pick("refiner", name or next(iter(known)), known)


def _entry(row: dict[str, Any], folder: Path) -> RefinerEntry:
    if unknown := sorted(set(row) - {*_TEXTS, *_FILES, *_OTHERS}):
        message = f"a refiner has no {', '.join(unknown)}"
        raise ValueError(message)
    texts = {key: _text(row, key) for key in _TEXTS}
    files = {key: _file(row[key], folder) for key in _FILES}
    size_px: object = row["size_px"]
    if isinstance(size_px, bool) or not isinstance(size_px, int) or not _SMALLEST_PX <= size_px <= _LARGEST_PX:
        message = f"'size_px' must be a whole number from {_SMALLEST_PX} to {_LARGEST_PX}"
        raise ValueError(message)
    accuracy = {str(key): float(value) for key, value in row.get("accuracy", {}).items()}
    return RefinerEntry(
        name=texts["name"],
        version=texts["version"],
        label=texts["label"],
        description=texts["description"],
        licence=texts["licence"],
        training_data=texts["training_data"],
        channels=_ids(row["channels"]),
        size_px=size_px,
        features=files["features"],
        step=files["step"],
        render=files["render"],
        basis=files["basis"],
        accuracy=accuracy,
    )


def _text(row: dict[str, Any], key: str) -> str:
    if not isinstance(row[key], str) or not row[key]:
        message = f"'{key}' must be a text"
        raise TypeError(message)
    return row[key]


def _file(row: object, folder: Path) -> ModelFile:
    table = cast(dict[str, Any], row) if isinstance(row, dict) else {}
    if set(table) != {"file", "sha256"}:
        message = "a file of a refiner has file and sha256, and nothing else"
        raise ValueError(message)
    file = _text(table, "file")
    if Path(file).is_absolute() or ".." in Path(file).parts:
        message = f"file '{file}' must lie inside the model folder"
        raise ValueError(message)
    return ModelFile(folder, file, _text(table, "sha256").lower())


def _ids(row: object) -> tuple[str, ...]:
    ids = tuple(map(str, cast(list[object], row))) if isinstance(row, list) else ()
    wrong = [each for each in ids if each not in channels.PREDICTED_IDS or ids.count(each) > 1]
    if wrong or not ids:
        message = f"channels must be different ids that are no means of two sides, not {', '.join(wrong) or 'none'}"
        raise ValueError(message)
    return ids
