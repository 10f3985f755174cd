"""What takes the space in a zip, and what is too much."""

from __future__ import annotations

import zipfile
from collections import Counter
from pathlib import Path
from typing import Final

from . import ReleaseError

LIMIT_MB: Final = 150.0
_MB: Final = 1e6


def size_mb(archive: Path) -> float:
    """The size of a file in megabytes (10^6 bytes)."""
    return archive.stat().st_size / _MB


def shares(archive: Path) -> list[tuple[str, float]]:
    """Return (part, megabytes in the zip), the largest first: each wheel, the models together, the rest together."""
    found: Counter[str] = Counter()
    with zipfile.ZipFile(archive) as opened:
        for info in opened.infolist():
            parts = info.filename.split("/")
            if parts[0] == "wheels":
                found["-".join(parts[-1].split("-")[:3])] += info.compress_size
            else:
                found["models" if parts[0] == "models" else "code and texts"] += info.compress_size
    return [(part, size / _MB) for part, size in found.most_common()]


def report(archive: Path) -> str:
    """A zip's name and size on one line, what takes the space on the lines below."""
    lines = [f"{archive} ({size_mb(archive):.1f} MB)"]
    lines += [f"    {size:7.1f} MB  {part}" for part, size in shares(archive)]
    return "\n".join(lines)


def check(archive: Path, limit_mb: float = LIMIT_MB) -> None:
    """Refuse a zip that is too large.

    Raises:
        ReleaseError: It is above the limit; the message says what takes the space.
    """
    if size_mb(archive) > limit_mb:
        part, size = shares(archive)[0]
        msg = (
            f"{archive.name} has {size_mb(archive):.1f} MB, more than {limit_mb:.0f}: bundle fewer or smaller files; "
            f"the largest share is {part} with {size:.1f} MB"
        )
        raise ReleaseError(msg)
