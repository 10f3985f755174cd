"""Writing files so that nothing half-written ever takes the place of an earlier result."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import OutputError


def check_writable(path: Path, *, overwrite: bool) -> None:
    """Makes sure, before any work is done, that `path` can be written.

    Raises:
        OutputError: It exists and `overwrite` is off, is a folder, or its folder cannot be made or written to.
    """
    if path.is_dir():
        msg = f"{path} is a folder: name a file."
        raise OutputError(msg)
    if path.exists() and not overwrite:
        msg = f"{path} already exists: choose another name or allow overwriting (--overwrite)."
        raise OutputError(msg)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        msg = f"Cannot write to {path.parent} ({error.strerror}): choose another place."
        raise OutputError(msg) from error


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
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
        msg = f"Cannot write {path} ({error.strerror or error}): choose another place."
        raise OutputError(msg) from error
    finally:
        temporary.unlink(missing_ok=True)
