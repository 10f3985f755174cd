"""The wheels that zips bundle: chosen by platform and Python, fetched unmodified with pip, checked, kept in a cache.

`wheels.toml` beside this file is the list; `release.pin` writes it. A wheel's name says everything that pip needs to
find it again, so the list holds names and checksums alone.
"""

from __future__ import annotations

import subprocess
import tempfile
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from training.packages import cache_folder, file_sha256

from . import ReleaseError

LIST: Final = Path(__file__).with_name("wheels.toml")
PLATFORMS: Final = ("linux-x64", "windows-x64", "macos-arm64")
PYTHONS: Final = ("3.11", "3.13", "3.14")
"""Blender 4.2 to 5.0; 5.1 and 5.2 from blender.org; Linux distributions' 5.2."""

ENGINE: Final = ("onnxruntime", "opencv-python-headless")
CUDA_ENGINE: Final = ("onnxruntime-gpu", "opencv-python-headless")
_NAME_PARTS: Final = 5
_ERROR_LINES: Final = 3


@dataclass(frozen=True, slots=True)
class Wheel:
    """One file on the registry.

    Attributes:
        package: The package's name on PyPI.
        file: File name, which carries version, Python, ABI and platforms.
        sha256: Checksum, lower-case hex.
        platform: Blender's name of the platform it runs on.
        pythons: The Pythons of `PYTHONS` that it serves; an abi3 wheel serves all.
    """

    package: str
    file: str
    sha256: str
    platform: str
    pythons: tuple[str, ...]

    @property
    def version(self) -> str:
        """The package's version."""
        return self.file.split("-")[1]


def folder() -> Path:
    """The folder that keeps fetched wheels; it may not exist yet."""
    return cache_folder() / "wheels"


def load(path: Path = LIST) -> tuple[Wheel, ...]:
    """Read the list of wheels.

    Raises:
        ReleaseError: It is missing, is not TOML, or an entry is incomplete or names no wheel.
    """
    try:
        entries: list[dict[str, Any]] = tomllib.loads(path.read_text(encoding="utf-8"))["wheel"]
        wheels = tuple(
            Wheel(one["package"], one["file"], one["sha256"], one["platform"], tuple(one["pythons"])) for one in entries
        )
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        msg = f"{path} is not a list of wheels ({error}): restore it, or write it anew with `python -m release.pin`"
        raise ReleaseError(msg) from error
    for wheel in wheels:
        known = wheel.platform in PLATFORMS and set(wheel.pythons) <= set(PYTHONS) and len(wheel.sha256) == 64
        if not known or not wheel.file.endswith(".whl") or len(wheel.file.split("-")) != _NAME_PARTS:
            msg = f"{path} has an entry that is no wheel for a supported platform: {wheel.file}; correct it"
            raise ReleaseError(msg)
    return wheels


def choose(
    wheels: Iterable[Wheel], packages: Sequence[str], platforms: Sequence[str], pythons: Sequence[str]
) -> tuple[Wheel, ...]:
    """Return the wheels that give each package to each of the platforms and Pythons.

    Raises:
        ReleaseError: The list lacks one.
    """
    every = tuple(wheels)
    chosen: list[Wheel] = []
    for platform in platforms:
        for package in packages:
            for python in pythons:
                fitting = [
                    one for one in every if (one.package, one.platform) == (package, platform) and python in one.pythons
                ]
                if not fitting:
                    msg = (
                        f"{LIST.name} lists no {package} for {platform} and Python {python}: "
                        "add it with `python -m release.pin`, or leave that platform or Python out"
                    )
                    raise ReleaseError(msg)
                chosen += [one for one in fitting if one not in chosen]
    return tuple(chosen)


def check_versions(wheels: Iterable[Wheel], requirements: Iterable[str]) -> None:
    """Compare the list with the versions that pyproject.toml pins; the CUDA variant follows onnxruntime's.

    Raises:
        ReleaseError: They differ.
    """
    pinned = dict(one.split("==", 1) for one in requirements if "==" in one)
    for wheel in wheels:
        wanted = pinned.get(wheel.package.removesuffix("-gpu"))
        if wheel.version != wanted:
            msg = (
                f"{LIST.name} lists {wheel.package} {wheel.version}, pyproject.toml pins {wanted}: "
                "write the list anew with `python -m release.pin`"
            )
            raise ReleaseError(msg)


def fetch(wheel: Wheel, python: Path) -> Path:
    """Return a wheel on this machine, from the cache or from the registry that pip is configured to use.

    Args:
        wheel: Which one.
        python: A Python that has pip.

    Raises:
        ReleaseError: The registry cannot be reached, lacks the wheel, or serves another file under its name.
    """
    place = folder() / wheel.file
    if place.is_file() and file_sha256(place) == wheel.sha256:
        return place
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix="download-") as name:
        done = download(python, wheel, Path(name))
        part = Path(name) / wheel.file
        if not part.is_file():
            lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
            reason = " / ".join(lines[-_ERROR_LINES:]) or f"it holds no {wheel.file}"
            msg = (
                f"could not fetch {wheel.file}: {reason}. Check the network connection and pip's index settings; a "
                f"wheel fetched once stays in {folder()}"
            )
            raise ReleaseError(msg)
        found = file_sha256(part)
        if found != wheel.sha256:
            msg = (
                f"{wheel.file} from the registry has sha256 {found}, expected {wheel.sha256}: the file was altered or "
                "replaced; check which registry pip is configured to use"
            )
            raise ReleaseError(msg)
        part.replace(place)
    return place


def download(python: Path, wheel: Wheel, target: Path) -> subprocess.CompletedProcess[str]:
    """Let pip fetch what a wheel's name says into a folder, whatever this machine's own platform is."""
    _, version, _, abi, platforms = wheel.file.removesuffix(".whl").split("-")
    return pip_download(python, f"{wheel.package}=={version}", (wheel.pythons[0], abi, platforms.split(".")), target)


def pip_download(
    python: Path, requirement: str, tags: tuple[str, str, Sequence[str]], target: Path
) -> subprocess.CompletedProcess[str]:
    """Run `pip download` for one package and (Python version, ABI, platform tags), in a folder of its own."""
    version, abi, platforms = tags
    command = [str(python), "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--no-deps", "--only-binary=:all:", "--implementation", "cp", "--python-version", version]
    command += ["--abi", abi, *(part for tag in platforms for part in ("--platform", tag)), "--dest", str(target)]
    # Away from any project folder, whose settings pip might otherwise read.
    return subprocess.run(
        [*command, requirement], capture_output=True, text=True, errors="replace", check=False, cwd=target
    )
