"""Files that belong together are written together."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def all_or_nothing(paths: Sequence[Path]) -> Iterator[None]:
    """Puts files back as they were when the block fails: a new canonical face must not meet an old network."""
    before = {path: path.read_bytes() if path.exists() else None for path in paths}
    try:
        yield
    except BaseException:
        for path, raw in before.items():
            if raw is None:
                path.unlink(missing_ok=True)
            else:
                path.write_bytes(raw)
        raise
