"""Putting a model folder among the user's own, once it is known to work."""

import shutil
import tempfile
from pathlib import Path
from typing import Final

from .errors import ModelError, OutputError
from .refiners.entry import RefinerEntry, refiners
from .refiners.refiner import open_refiner
from .registry import Registry, RegressorEntry
from .regressors import open_regressor

REGISTRY: Final = "registry.toml"


def install(source: Path, place: Path) -> tuple[str, ...]:
    """Copies a model folder into a place that is searched, replacing an earlier one of the same folder name.

    Only what the registry names is copied, with the cards beside it. Every regressor and refiner is opened first.

    Args:
        source: Folder with a `registry.toml`.
        place: Where the user's model folders lie; made where it is missing.

    Returns:
        Names of the regressors and refiners.

    Raises:
        ModelError: The folder holds none of either, one that does not work here, or one by the name of a bundled one.
        OutputError: It cannot be copied.
    """
    source = source.resolve()
    entries = _working(source)
    target = place / source.name
    if not source.name or target.resolve() == source:
        message = f"{source} cannot be added: it is a whole drive, or lies where AU Mocap looks already."
        raise OutputError(message)
    wanted = {REGISTRY, *(each.file for entry in entries for each in entry.files)}
    try:
        wanted |= {path.name for path in source.glob("*.md")}
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place, prefix=".") as temporary:
            made = Path(temporary) / source.name
            for name in sorted(wanted):
                (made / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source / name, made / name)
            if target.exists():
                target.rename(Path(temporary) / "earlier")
            made.rename(target)
    except OSError as error:
        message = (
            f"{source.name} cannot be copied to {place} ({error.strerror or error}): see to the disk and try again."
        )
        raise OutputError(message) from error
    return tuple(entry.name for entry in entries)


def _working(source: Path) -> tuple[RegressorEntry | RefinerEntry, ...]:
    """The regressors and refiners of a folder, each opened once."""
    own = Registry((source,))
    further = refiners(own)
    if own.problems:
        raise ModelError(next(iter(own.problems.values())))
    if not own.regressors and not further:
        message = f"{source / REGISTRY} names no regressor and no refiner: choose a folder that holds one."
        raise ModelError(message)
    bundled = {entry.name for entry in Registry().regressors}
    taken = [entry.name for entry in own.regressors if entry.name in bundled]
    if taken:
        message = f"'{taken[0]}' is a regressor of AU Mocap itself: give this one another name in its registry.toml."
        raise ModelError(message)
    both = Registry(further=(source,))  # a stage may need the bundled landmark graph
    for entry in own.regressors:
        open_regressor(both, entry.name, "cpu")
    for entry in further:
        open_refiner(both, entry.name, "cpu")
    return (*own.regressors, *further)
