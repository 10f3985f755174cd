"""Model folders of the user's own: regressors that were adapted to an actor, beside the bundled ones."""

import contextlib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import bpy

from . import package

if TYPE_CHECKING:
    from ..au_mocap.registry import Registry

Stamp = tuple[tuple[str, int], ...]


def folder() -> Path:
    """Where the user's model folders lie; it need not exist."""
    return Path(bpy.utils.extension_path_user(package.ID, path="models"))


def folders() -> tuple[Path, ...]:
    """The user's model folders."""
    from ..au_mocap.registry import folders_in

    return folders_in(folder())


def stamp() -> Stamp:
    """Something that changes when a model folder comes, goes or is written anew."""
    found: list[tuple[str, int]] = []
    for each in folders():
        with contextlib.suppress(OSError):  # gone in the meantime
            found.append((str(each), (each / "registry.toml").stat().st_mtime_ns))
    return tuple(found)


def has_refiner() -> bool:
    """Whether a model folder of the user's names a refiner, as far as its text tells."""
    return _names_refiner(stamp())


@lru_cache(maxsize=1)
def _names_refiner(found: Stamp) -> bool:
    for each, _ in found:
        with contextlib.suppress(OSError, ValueError):
            if "[[refiner]]" in (Path(each) / "registry.toml").read_text(encoding="utf-8"):
                return True
    return False


def registry() -> "Registry":
    """Every regressor and tracker; a broken folder of the user's hides nothing else."""
    from ..au_mocap.registry import Registry

    return Registry(further=folders())
