"""Makes the zips: one for each platform, or with CUDA one for each platform and Python."""

from __future__ import annotations

import subprocess
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from . import ReleaseError, say, sizes, staging, wheels
from .wheels import Wheel

CUDA_NEEDS: Final = "CUDA 12 and cuDNN 9"
"""What the libraries in onnxruntime-gpu 1.24.4 link: libcudart.so.12, libcublas.so.12, libcudnn.so.9."""

_TOOL: Final = "site-packages/bpy/*/scripts/addons_core/bl_pkg/cli/blender_ext.py"

CUDA_PLATFORMS: Final = ("linux-x64", "windows-x64")


@dataclass(frozen=True, slots=True)
class Order:
    """What to build.

    Attributes:
        root: The repository.
        dist: Folder for the zips.
        python: A Python that has pip and runs Blender's tool.
        cuda: Whether onnxruntime-gpu takes the place of onnxruntime.
        platforms: Blender's names of platforms; empty for all.
        pythons: Versions such as "3.11"; empty for all.
    """

    root: Path
    dist: Path
    python: Path
    cuda: bool = False
    platforms: tuple[str, ...] = ()
    pythons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """One run of Blender's tool: wheels for some platforms, split into one zip each.

    Attributes:
        suffix: What the zips' names say before the platform; empty for the plain ones.
        platforms: The platforms.
        wheels: All their wheels.
    """

    suffix: str
    platforms: tuple[str, ...]
    wheels: tuple[Wheel, ...]


def build(order: Order) -> list[Path]:
    """Make the zips, check them, print what takes their space.

    Returns:
        The zips; older ones of the same name are replaced.

    Raises:
        ReleaseError: Something is missing or not as it should be; no zip is left half made.
    """
    project = tomllib.loads((order.root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    manifest = staging.read_manifest(order.root)
    staging.check_manifest(manifest, project["version"], staging.engine_version(order.root))
    listed = wheels.load()
    wheels.check_versions(listed, project["dependencies"])
    order.dist.mkdir(parents=True, exist_ok=True)
    made: list[Path] = []
    with tempfile.TemporaryDirectory(prefix=".build-", dir=order.dist) as name:
        plain = _plain(order, Path(name))
        for part in parts(order, listed):
            made += _build_part(order, part, plain, f"{manifest['id']}-{project['version']}{part.suffix}")
    if order.cuda:
        say(
            f"These zips run on the graphics card where {CUDA_NEEDS} are installed, and on the processor elsewhere. "
            "They are large: hand them out as files, to install from disk. Each fits the Blenders of one Python: "
            "3.11 (4.2 to 5.0), 3.13 (5.1, 5.2) or 3.14 (5.2 as Linux distributions build it)."
        )
    return made


def parts(order: Order, listed: Sequence[Wheel]) -> Iterator[Part]:
    """Yield the runs of Blender's tool that an order needs.

    Raises:
        ReleaseError: There is no such platform or Python, or the list lacks a wheel.
    """
    known = CUDA_PLATFORMS if order.cuda else wheels.PLATFORMS
    platforms, pythons = order.platforms or known, order.pythons or wheels.PYTHONS
    for given, allowed in ((platforms, known), (pythons, wheels.PYTHONS)):
        if unknown := [one for one in given if one not in allowed]:
            what = "with CUDA" if order.cuda else "here"
            msg = f"{unknown[0]} is not built {what}: choose from {', '.join(allowed)}"
            raise ReleaseError(msg)
    if not order.cuda:
        yield Part("", platforms, wheels.choose(listed, wheels.ENGINE, platforms, pythons))
        return
    major = CUDA_NEEDS.split()[1]
    for python in pythons:
        suffix = f"-cuda{major}-py{python.replace('.', '')}"
        yield Part(suffix, platforms, wheels.choose(listed, wheels.CUDA_ENGINE, platforms, (python,)))


def _plain(order: Order, folder: Path) -> Path:
    """Make the zip without wheels: Blender's tool decides by the manifest what ships."""
    plain = folder / "plain.zip"
    _tool(order, "validate", str(order.root))
    _tool(order, "build", "--source-dir", str(order.root), "--output-filepath", str(plain))
    return plain


def _build_part(order: Order, part: Part, plain: Path, stem: str) -> list[Path]:
    fetched = []
    for wheel in part.wheels:
        if not (wheels.folder() / wheel.file).is_file():
            say(f"fetching {wheel.file}")
        fetched.append(wheels.fetch(wheel, order.python))
    made = []
    with tempfile.TemporaryDirectory(prefix="stage-", dir=plain.parent) as name:
        source, built = Path(name) / "source", Path(name) / "built"
        source.mkdir()
        built.mkdir()
        staging.stage(plain, source, fetched, part.platforms)
        _tool(order, "build", "--source-dir", str(source), "--output-filepath", str(built / f"{stem}.zip"),
              "--split-platforms")  # fmt: skip
        for platform in part.platforms:
            archive = built / f"{stem}-{platform.replace('-', '_')}.zip"
            _tool(order, "validate", str(archive))
            if not order.cuda:
                sizes.check(archive)
            made.append(archive.replace(order.dist / archive.name))
            print(sizes.report(made[-1]), flush=True)
    return made


def _tool(order: Order, *arguments: str) -> None:
    """Run Blender's extension tool, quiet where it is content.

    Raises:
        ReleaseError: It is missing, or refuses; its reason is in the message.
    """
    home = order.python.parent.parent
    places = [path for packages in ("lib/python*", "Lib") for path in home.glob(f"{packages}/{_TOOL}")]
    if not places:
        msg = f"Blender's extension tool is missing beside {order.python}: delete that environment and run this again"
        raise ReleaseError(msg)
    command = [str(order.python), str(places[0]), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode != 0:
        reason = " / ".join((done.stdout + done.stderr).strip().splitlines()[-4:])
        msg = f"Blender's extension tool refused to {arguments[0]}: {reason}"
        raise ReleaseError(msg)
