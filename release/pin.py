"""Writes `wheels.toml`: `python -m release.pin`, after a version in pyproject.toml changed.

The registry is asked for each package, platform and Python, at the versions of pyproject.toml; what arrives goes into
the cache, and its name and checksum into the list. The CUDA variant has no wheel for macOS.
"""

from __future__ import annotations

import json
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from training.packages import file_sha256

from . import ReleaseError, wheels
from .wheels import Wheel

ROOT: Final = Path(__file__).resolve().parent.parent
TAGS: Final = {
    "linux-x64": ("manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"),
    "windows-x64": ("win_amd64",),
    "macos-arm64": ("macosx_14_0_arm64", "macosx_13_0_arm64", "macosx_12_0_arm64", "macosx_11_0_arm64"),
}
"""What wheels may say they need. Blender 4.2 and 5.0 run on glibc 2.28; onnxruntime's newest wheels need macOS 14."""

_HEAD: Final = """\
# The wheels that zips bundle, as PyPI has them. Written by `python -m release.pin`; versions come from pyproject.toml.
"""


def find(package: str, version: str, platform: str, python: str) -> Wheel:
    """Fetch one wheel into the cache and return its entry.

    Raises:
        ReleaseError: The registry has none.
    """
    wheels.folder().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=wheels.folder(), prefix="pin-") as name:
        for abi in (f"cp{python.replace('.', '')}", "abi3"):
            tags = (python, abi, TAGS[platform])
            done = wheels.pip_download(Path(sys.executable), f"{package}=={version}", tags, Path(name))
            if found := list(Path(name).glob("*.whl")):
                place = found[0].replace(wheels.folder() / found[0].name)
                return Wheel(package, place.name, file_sha256(place), platform, (python,))
    msg = f"the registry has no {package} {version} for {platform} and Python {python}: {done.stderr.strip()[-300:]}"
    raise ReleaseError(msg)


def find_all(pinned: dict[str, str]) -> Iterator[Wheel]:
    """Yield every wheel once, with all the Pythons it serves."""
    for package in (*wheels.ENGINE, "onnxruntime-gpu"):
        version = pinned[package.removesuffix("-gpu")]
        for platform in wheels.PLATFORMS:
            if package.endswith("-gpu") and platform.startswith("macos"):
                continue
            found = [find(package, version, platform, python) for python in wheels.PYTHONS]
            for file in dict.fromkeys(one.file for one in found):
                same = [one for one in found if one.file == file]
                pythons = tuple(python for one in same for python in one.pythons)
                yield Wheel(package, file, same[0].sha256, platform, pythons)


def entry(wheel: Wheel) -> str:
    """A wheel as a table of TOML."""
    lines = [f"{key} = {json.dumps(getattr(wheel, key))}" for key in ("package", "platform", "file", "sha256")]
    return "\n".join(["", "[[wheel]]", *lines, f"pythons = {json.dumps(list(wheel.pythons))}", ""])


def main() -> int:
    """Write the list; 1 where the registry lacks a wheel."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pinned = dict(one.split("==", 1) for one in project["dependencies"] if "==" in one)
    try:
        found = list(find_all(pinned))
    except ReleaseError as error:
        sys.stderr.write(f"release.pin: {error}\n")
        return 1
    wheels.LIST.write_text(_HEAD + "".join(entry(one) for one in found), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
