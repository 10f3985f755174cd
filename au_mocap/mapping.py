"""From channels to a character's controls: the editable AU-to-blendshape table.

A mapping is a list of rows, each `clamp(gain * x ** gamma + offset, min, max)` of one channel sent to one target.
Rows on one target add. Files are JSON in the form that `au_mocap/mappings/` shows; unknown fields are errors, so that
a misspelt one is never ignored.
"""

import math
from collections.abc import Mapping as MappingType
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from reprlib import repr as shortened
from typing import Any, Final, Literal, cast

import numpy as np
from numpy.typing import NDArray

from . import channels, strict_json
from .arrays import Floats
from .errors import MappingError
from .files import is_file

VERSION: Final = 1
BUNDLED: Final = Path(__file__).parent / "mappings"
MAX_ROWS: Final = 10_000
MAX_BYTES: Final = 8_000_000
"""Larger files are not read; `MAX_ROWS` rows with all their fields fit."""

MAX_TEXT: Final = 1024
_SHOWN: Final = 5

_PATH_MARKS: Final = frozenset("/\\:\0")
"""Characters that make a text a path somewhere; a name has none."""

BonePath = Literal["location", "rotation", "scale"]
_BONE_PATHS: Final[dict[str, BonePath]] = {"location": "location", "rotation": "rotation", "scale": "scale"}
_AXES: Final = ("x", "y", "z")


@dataclass(frozen=True, slots=True)
class ShapeKeyTarget:
    """A shape key by name, on one object or (None) on every mesh of the character that has it."""

    name: str
    object: str | None = None


@dataclass(frozen=True, slots=True)
class BoneTarget:
    """One axis of a bone, in its own rest frame: metres, radians, or a change of scale that is added to 1."""

    bone: str
    path: BonePath
    axis: Literal["x", "y", "z"]


@dataclass(frozen=True, slots=True)
class PropertyTarget:
    """A numeric property by data path, on one object or (None) on the character's armature."""

    data_path: str
    object: str | None = None
    index: int | None = None


Target = ShapeKeyTarget | BoneTarget | PropertyTarget


@dataclass(frozen=True, slots=True)
class Row:
    """One channel sent to one target: `clamp(gain * x ** gamma + offset, min, max)`.

    Attributes:
        channel: Channel id.
        target: Where the value goes.
        gain: Factor.
        gamma: Exponent, above 0; 1 is linear, below 1 lifts small values.
        offset: Added after gain.
        min: Lower clamp.
        max: Upper clamp.
        enabled: Whether the row counts.
    """

    channel: str
    target: Target
    gain: float = 1.0
    gamma: float = 1.0
    offset: float = 0.0
    min: float = 0.0
    max: float = 1.0
    enabled: bool = True

    def __post_init__(self) -> None:
        """Checks the row; raises MappingError saying what is wrong."""
        if self.channel not in channels.INDEX:
            message = f"Unknown channel '{self.channel}': use an id from the channel table."
            raise MappingError(message)
        numbers = (self.gain, self.gamma, self.offset, self.min, self.max)
        if not all(math.isfinite(number) for number in numbers):
            message = f"Row for '{self.channel}': gain, gamma, offset, min and max must be finite numbers."
            raise MappingError(message)
        if self.gamma <= 0:
            message = f"Row for '{self.channel}': gamma must be above 0."
            raise MappingError(message)
        if self.min > self.max:
            message = f"Row for '{self.channel}': min {self.min} is above max {self.max}."
            raise MappingError(message)

    def apply(self, curve: Floats) -> NDArray[np.float64]:
        """The row's contribution over time; NaN stays NaN."""
        return np.clip(self.gain * np.power(curve.astype(np.float64), self.gamma) + self.offset, self.min, self.max)


@dataclass(frozen=True, slots=True)
class Mapping:
    """A named table of rows.

    Raises:
        MappingError: Enabled rows use a symmetric channel together with one of its sides, which would count it twice.
    """

    name: str
    rows: tuple[Row, ...]

    def __post_init__(self) -> None:
        """Refuses tables that use a symmetric channel and its sides at once."""
        used = {row.channel for row in self.rows if row.enabled}
        for mean_id, sides in channels.SIDES_OF.items():
            if mean_id in used and used & set(sides):
                message = (
                    f"Mapping '{self.name}' uses '{mean_id}' and its sides {' and '.join(sides)} at once: "
                    "keep either the mean or the sides."
                )
                raise MappingError(message)


def evaluate(mapping: Mapping, channel_ids: Sequence[str], curves: Floats) -> dict[Target, NDArray[np.float64]]:
    """Turns channel curves into target curves.

    Args:
        mapping: The table.
        channel_ids: Ids of the columns of `curves`.
        curves: (T, C) values 0..1; NaN where there is no face.

    Returns:
        For each target of an enabled row whose channel is present, its (T,) curve, in the table's order.

    Raises:
        SettingsError: `channel_ids` holds an unknown id.
    """
    columns = channels.positions(tuple(channel_ids))
    sums: dict[Target, NDArray[np.float64]] = {}
    for row in mapping.rows:
        if row.enabled and row.channel in columns:
            contribution = row.apply(curves[:, columns[row.channel]])
            sums[row.target] = sums[row.target] + contribution if row.target in sums else contribution
    return sums


def names(folders: Sequence[Path] = (BUNDLED,)) -> tuple[str, ...]:
    """Names of the mappings in some folders, for menus."""
    return tuple(sorted({path.stem for folder in folders for path in folder.glob("*.json")}))


def load(name_or_path: str | Path, folders: Sequence[Path] = (BUNDLED,)) -> Mapping:
    """Reads a mapping.

    Args:
        name_or_path: The name of one in `folders`, which leads nowhere else; or a path: a `Path`, or a text that ends
            in `.json`.
        folders: Where named mappings are looked for, in this order.

    Raises:
        MappingError: It does not exist or is malformed; the message says where.
    """
    path = _find(name_or_path, folders)
    try:
        if path is None:
            raise FileNotFoundError
        document = strict_json.read(path, MAX_BYTES)
    except OSError as error:
        known = ", ".join(names(folders))
        message = f"No mapping '{name_or_path}': name one of {known}, or a readable file NAME.json."
        raise MappingError(message) from error
    except strict_json.JsonError as error:
        message = f"{path}: {error}. Choose another file, or export the mapping again."
        raise MappingError(message) from error
    try:
        return from_document(document)
    except MappingError as error:
        message = f"{path}: {error}"
        raise MappingError(message) from error


def _find(name_or_path: str | Path, folders: Sequence[Path]) -> Path | None:
    """The file of a mapping; None for a name that is in none of the folders, or is none."""
    if isinstance(name_or_path, Path):
        return name_or_path
    if not set(name_or_path) & _PATH_MARKS:
        for folder in folders:
            if is_file(folder / f"{name_or_path}.json"):
                return folder / f"{name_or_path}.json"
    return Path(name_or_path) if name_or_path.lower().endswith(".json") else None


def save(mapping: Mapping, path: Path) -> None:
    """Writes a mapping as JSON; raises OutputError where that fails."""
    strict_json.write(to_document(mapping), path)


def to_document(mapping: Mapping) -> dict[str, Any]:
    """The mapping as JSON-compatible data; optional fields at their defaults are left out of targets."""
    rows = [{**asdict(row), "target": _target_document(row.target)} for row in mapping.rows]
    return {"name": mapping.name, "version": VERSION, "rows": rows}


def from_document(document: object) -> Mapping:
    """Reads JSON-compatible data; raises MappingError naming the row and the field."""
    table = _object(document, "the file", {"name", "version", "rows"})
    version = table.get("version")
    if isinstance(version, bool) or version != VERSION:
        message = f"version is {shortened(version)}, this AU Mocap reads version {VERSION}."
        raise MappingError(message)
    rows = table.get("rows")
    name = _text(table.get("name"), "'name'")
    if not isinstance(rows, list):
        message = "'rows' must be a list."
        raise MappingError(message)
    listed = cast(list[object], rows)
    if len(listed) > MAX_ROWS:
        message = f"{len(listed)} rows are too many (at most {MAX_ROWS})."
        raise MappingError(message)
    return Mapping(name, tuple(_row(row, number) for number, row in enumerate(listed, 1)))


_ROW_FIELDS: Final = {field.name for field in fields(Row)}
_TARGET_FIELDS: Final[dict[str, tuple[set[str], set[str]]]] = {
    "shape_key": ({"name"}, {"object"}),
    "bone": ({"bone", "path", "axis"}, set()),
    "property": ({"data_path"}, {"object", "index"}),
}


def _row(document: object, number: int) -> Row:
    where = f"row {number}"
    row = _object(document, where, _ROW_FIELDS)
    channel, enabled = _text(row.get("channel"), f"{where}: 'channel'"), row.get("enabled", True)
    if not isinstance(enabled, bool):
        message = f"{where}: 'enabled' must be true or false."
        raise MappingError(message)
    numbers: dict[str, float] = {}
    for key in ("gain", "gamma", "offset", "min", "max"):
        if key in row:
            numbers[key] = _number(row[key], f"{where}: '{key}'")
    try:
        return Row(channel=channel, target=_target(row.get("target")), enabled=enabled, **numbers)
    except MappingError as error:
        message = f"{where}: {error}"
        raise MappingError(message) from error


def _target(document: object) -> Target:
    kind = _object(document, "target", None).get("kind")
    if not isinstance(kind, str) or kind not in _TARGET_FIELDS:
        message = f"target kind {shortened(kind)} is none of {', '.join(_TARGET_FIELDS)}."
        raise MappingError(message)
    required, optional = _TARGET_FIELDS[kind]
    target = _object(document, "target", required | optional | {"kind"})
    for key in sorted(required | (optional & {"object"})):
        if key in required or target.get(key) is not None:
            _text(target.get(key), f"target '{key}'")
    if kind == "shape_key":
        return ShapeKeyTarget(target["name"], target.get("object"))
    if kind == "bone":
        if target["path"] not in _BONE_PATHS or target["axis"] not in _AXES:
            message = "a bone target needs path location, rotation or scale and axis x, y or z."
            raise MappingError(message)
        return BoneTarget(target["bone"], _BONE_PATHS[target["path"]], target["axis"])
    index = target.get("index")
    if index is not None and (isinstance(index, bool) or not isinstance(index, int) or index < 0):
        message = "target 'index' must be a whole number from 0."
        raise MappingError(message)
    return PropertyTarget(target["data_path"], target.get("object"), index)


def _object(document: object, where: str, allowed: set[str] | None) -> dict[str, Any]:
    if not isinstance(document, dict):
        message = f"{where} must be an object."
        raise MappingError(message)
    table = cast(dict[str, Any], document)
    unknown = sorted(set(table) - allowed) if allowed is not None else []
    if unknown:
        message = f"{where} has unknown field {', '.join(map(shortened, unknown[:_SHOWN]))}."
        raise MappingError(message)
    return table


def _text(value: object, where: str) -> str:
    if not isinstance(value, str) or not value:
        message = f"{where} must be a text."
        raise MappingError(message)
    if len(value) > MAX_TEXT:
        message = f"{where} is longer than {MAX_TEXT} characters."
        raise MappingError(message)
    if any(character == "\0" or "\ud800" <= character <= "\udfff" for character in value):
        message = f"{where} holds a character that no name can have."  # Blender could not take it, nor a file keep it
        raise MappingError(message)
    return value


def _number(value: object, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        message = f"{where} must be a number."
        raise MappingError(message)
    try:
        return float(value)
    except OverflowError as error:
        message = f"{where} is too large."
        raise MappingError(message) from error


def _target_document(target: Target) -> dict[str, Any]:
    kinds: MappingType[type, str] = {ShapeKeyTarget: "shape_key", BoneTarget: "bone", PropertyTarget: "property"}
    return {"kind": kinds[type(target)], **{key: value for key, value in asdict(target).items() if value is not None}}
