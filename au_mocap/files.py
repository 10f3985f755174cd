"""Writing files so that nothing half-written ever takes the place of an earlier result."""

import contextlib
import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from .errors import OutputError


def check_writable(path: Path, *, overwrite: bool) -> None:
    """Makes sure, before any work is done, that `path` can be written. Leaves nothing behind, not even its folder.

    Raises:
        OutputError: It exists and `overwrite` is off, is a folder, or its folder cannot be made or written to.
    """
    try:
        if path.is_dir():
            message = f"{path} is a folder: name a file."
            raise OutputError(message)
        if path.exists() and not overwrite:
            message = f"{path} already exists: choose another name or allow overwriting (--overwrite)."
            raise OutputError(message)
        folder = next((parent for parent in path.absolute().parents if parent.exists()), None)
        if folder is None:  # a drive that is not there
            message = f"Cannot write {path}: there is no {path.absolute().anchor}, choose another place."
            raise OutputError(message)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        message = f"Cannot write {path} ({error.strerror}): choose another place."
        raise OutputError(message) from error


def is_folder(path: Path) -> bool:
    """Whether a folder of that name exists, as far as one may look; never raises."""
    try:
        return path.is_dir()
    except OSError:  # its parent is closed to the user, or the name is too long
        return False


def is_file(path: Path) -> bool:
    """Whether an ordinary file of that name exists, as far as one may look; never raises."""
    try:
        return path.is_file()
    except (OSError, ValueError):  # as above; ValueError for a name that no system can have
        return False


def free_path(path: Path, ending: str) -> Path:
    """The same name, with a number from the second on, that no file has.

    Args:
        path: The name that is wanted.
        ending: What stands behind the number, such as `.take.npz`.
    """
    free, number = path, 1
    while free.exists():
        number += 1
        free = path.with_name(f"{path.name.removesuffix(ending)} {number}{ending}")
    return free


@contextmanager
def replacing(path: Path) -> Generator[Path]:
    """Gives a temporary path beside `path` that takes its place when the block ends well, and vanishes otherwise.

    The temporary name keeps the suffix, for writers that choose the format by it.

    Raises:
        OutputError: The operating system refuses to write, with its reason.
    """
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        temporary.replace(path)
    except OSError as error:
        message = f"Cannot write {path} ({error.strerror or error}): choose another place."
        raise OutputError(message) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()
