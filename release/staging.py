"""The folder that a zip is made from: what ships, the wheels, and the manifest completed with their names.

Nothing is added to the repository: the manifest there says everything but the wheels, and is valid without them. What
ships is decided by the manifest's own `paths_exclude_pattern`, applied by Blender's tool, and held against `SHIPPED`.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tomllib
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from . import ReleaseError

MANIFEST: Final = "blender_manifest.toml"
SHIPPED: Final = frozenset(
    {"__init__.py", "au_mocap", "operators", "ui", "models", MANIFEST, "README.md", "LICENSE", "THIRD_PARTY.md"}
)
LICENCES: Final = ("LICENSE", "THIRD_PARTY.md", "models/LICENSE-APACHE-2.0.txt")
_TAGS: Final = frozenset({
    "3D View", "Add Curve", "Add Mesh", "Animation", "Bake", "Camera", "Compositing", "Development", "Game Engine",
    "Geometry Nodes", "Grease Pencil", "Import-Export", "Lighting", "Material", "Mesh", "Modeling", "Node", "Object",
    "Paint", "Physics", "Pipeline", "Render", "Rigging", "Scene", "Sculpt", "Sequencer", "System", "Text Editor",
    "Tracking", "User Interface", "UV",
})  # fmt: skip
_REASON_LENGTH: Final = 64


def read_manifest(root: Path) -> dict[str, Any]:
    """Return the repository's manifest.

    Raises:
        ReleaseError: It is missing or no TOML.
    """
    try:
        return tomllib.loads((root / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        msg = f"{root / MANIFEST} cannot be read ({error}): restore it"
        raise ReleaseError(msg) from error


def check_manifest(manifest: dict[str, Any], version: str, engine_version: str) -> None:
    """Check what Blender's extension platform asks for and its tool does not check, and that versions agree.

    Args:
        manifest: The repository's manifest.
        version: The version in pyproject.toml, the one that counts.
        engine_version: The version that the engine reports.

    Raises:
        ReleaseError: What is wrong, and where to put it right.
    """
    problems = [f"version {found} in {place}, pyproject.toml says {version}" for place, found in (
        (MANIFEST, manifest.get("version")), ("au_mocap/__init__.py", engine_version),
    ) if found != version]  # fmt: skip
    problems += [f"the platform knows no tag '{tag}'" for tag in manifest.get("tags", []) if tag not in _TAGS]
    for name, reason in manifest.get("permissions", {}).items():
        if not reason or len(reason) > _REASON_LENGTH or reason.rstrip().endswith((".", "!", "?")):
            problems.append(f"the reason for the permission '{name}' needs 1 to 64 characters and no full stop")
    if "network" in manifest.get("permissions", {}):
        problems.append("nothing may leave the machine, so no permission 'network'")
    if "wheels" in manifest:
        problems.append("wheels are added by the build and do not belong in the repository")
    if problems:
        msg = f"correct {MANIFEST}: {'; '.join(problems)}"
        raise ReleaseError(msg)


def engine_version(root: Path) -> str:
    """Return what `au_mocap/__init__.py` says, without importing the engine; empty where it says nothing."""
    text = (root / "au_mocap" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "([^"]+)"', text, re.MULTILINE)
    return found.group(1) if found else ""


def completed(text: str, wheels: Sequence[str], platforms: Sequence[str]) -> str:
    """Return a manifest's text with the names of wheels, and for these platforms alone.

    Raises:
        ReleaseError: The text has no table and no list of platforms to work on.
    """
    names = "".join(f'  "./wheels/{name}",\n' for name in wheels)
    text, changed = re.subn(
        r"^platforms = \[.*?\]$", f"platforms = {json.dumps(list(platforms))}", text, flags=re.MULTILINE | re.DOTALL
    )
    table = re.search(r"^\[", text, re.MULTILINE)
    if changed != 1 or table is None:
        msg = f"{MANIFEST} needs one line `platforms = [...]` before its tables: restore it"
        raise ReleaseError(msg)
    return f"{text[: table.start()]}wheels = [\n{names}]\n\n{text[table.start() :]}"


def stage(plain: Path, folder: Path, wheels: Sequence[Path], platforms: Sequence[str]) -> None:
    """Fill a folder from a zip without wheels.

    Args:
        plain: What Blender's tool made of the repository as it is.
        folder: Where to; it should be empty.
        wheels: Wheels to bundle.
        platforms: What the manifest shall list.

    Raises:
        ReleaseError: The zip holds what should not ship, or lacks a licence.
    """
    with zipfile.ZipFile(plain) as archive:
        check_content(archive.namelist())
        archive.extractall(folder)
    manifest = folder / MANIFEST
    text = manifest.read_text(encoding="utf-8")
    manifest.write_text(completed(text, [one.name for one in wheels], platforms), encoding="utf-8")
    (folder / "wheels").mkdir()
    for wheel in wheels:
        _link(wheel, folder / "wheels" / wheel.name)


def check_content(names: Sequence[str]) -> None:
    """Refuse a zip with what does not belong there, or without the licences.

    Raises:
        ReleaseError: Which files, and what to do.
    """
    foreign = sorted({name.split("/")[0] for name in names} - SHIPPED)
    left_behind = sorted(name for name in names if "__pycache__" in name or name.endswith((".pyc", ".take.npz")))
    if foreign or left_behind:
        listed = ", ".join([*foreign, *left_behind][:5])
        msg = f"the zip would hold {listed}: move that away, or name it in paths_exclude_pattern of {MANIFEST}"
        raise ReleaseError(msg)
    missing = [name for name in LICENCES if name not in names]
    if missing:
        msg = f"the zip would lack {', '.join(missing)}: restore it"
        raise ReleaseError(msg)


def _link(source: Path, target: Path) -> None:
    """Link where the file system can, since wheels are large; copy where it cannot."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
