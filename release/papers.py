"""The extra zip: models of the papers' systems that are too large for the extension.

It is a folder of models like any other: who unpacks it hands it in with `--models`, or puts it where the extension
looks for models of the user's own. Nothing in it is fetched from anywhere.
"""

from __future__ import annotations

import re
import tempfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any, Final

from training.packages import file_sha256
from training.papers.places import folder

from . import ReleaseError, say, sizes

LARGE_MB: Final = 40.0
INSIDE: Final = "au_mocap_papers"
"""The folder that the zip unpacks to."""

_MB: Final = 1e6
_ENTRY: Final = re.compile(r"^\[\[regressor\]\]\n.*?(?=^\[\[|\Z)", re.MULTILINE | re.DOTALL)

__all__ = ["INSIDE", "LARGE_MB", "build", "folder"]


def build(root: Path, models: Path, dist: Path) -> Path:
    """Make the zip and print what takes its space.

    Args:
        root: The repository.
        models: Folder of models that `make.py train papers` filled.
        dist: Where the zip goes; an older one of the same version is replaced.

    Returns:
        The zip.

    Raises:
        ReleaseError: There is no such folder, nothing in it is large, or a file is missing or damaged.
    """
    chosen = {name: text for name, text in _entries(models) if _size_mb(models, text) > LARGE_MB}
    if not chosen:
        msg = f"{models} holds no regressor above {LARGE_MB:.0f} MB: run make.py train papers cnn48, or name a folder"
        raise ReleaseError(msg)
    version = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    dist.mkdir(parents=True, exist_ok=True)
    archive = dist / f"au_mocap-papers-{version}.zip"
    with tempfile.TemporaryDirectory(prefix=".build-", dir=dist) as name:
        part = Path(name) / archive.name
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as opened:
            opened.writestr(f"{INSIDE}/registry.toml", "version = 1\n\n" + "\n".join(chosen.values()))
            opened.write(root / "LICENSE", f"{INSIDE}/LICENSE")
            for entry, text in chosen.items():
                for path in (*_checked(models, text), models / f"{entry.upper()}.md"):
                    opened.write(path, f"{INSIDE}/{path.name}")
        part.replace(archive)
    print(f"{archive} ({sizes.size_mb(archive):.1f} MB): {', '.join(chosen)}", flush=True)
    say(f"To use it, unpack it and hand the folder {INSIDE} to --models, or put it into the extension's models folder.")
    return archive


def _entries(models: Path) -> list[tuple[str, str]]:
    """Name and text of every regressor."""
    path = models / "registry.toml"
    try:
        text = path.read_text(encoding="utf-8")
        table = tomllib.loads(text)
    except OSError as error:
        msg = f"{path} cannot be read ({error.strerror}): run make.py train papers first, or name another folder"
        raise ReleaseError(msg) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        msg = f"{path} is not valid TOML ({error}): train the models again"
        raise ReleaseError(msg) from error
    names = [str(row["name"]) for row in table.get("regressor", [])]
    return list(zip(names, (f"{match.group().strip()}\n" for match in _ENTRY.finditer(text)), strict=True))


def _files(text: str) -> list[dict[str, Any]]:
    (row,) = tomllib.loads(text)["regressor"]
    return [row[part] for part in ("image", "head") if part in row]


def _size_mb(models: Path, text: str) -> float:
    paths = [models / one["file"] for one in _files(text)]
    return sum(path.stat().st_size for path in paths if path.is_file()) / _MB


def _checked(models: Path, text: str) -> list[Path]:
    """The files of an entry, found whole."""
    paths: list[Path] = []
    for one in _files(text):
        path = models / one["file"]
        if not path.is_file() or file_sha256(path) != one["sha256"]:
            msg = f"{path} is missing or not what its registry says: train it again with make.py train papers"
            raise ReleaseError(msg)
        paths.append(path)
    return paths
