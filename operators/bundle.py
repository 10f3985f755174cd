"""What this copy of the extension brings along, and what to do where it does not fit the Blender it is in.

Blender itself refuses a zip for another platform or Python. What it does not see is a folder that was copied by hand, a
checkout, or a library that this machine cannot load: that shows when a package is imported.
"""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ..au_mocap.errors import ModelError

ROOT: Final = Path(__file__).resolve().parent.parent
_SYSTEMS: Final = {"darwin": "macos"}
_MACHINES: Final = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64"}
_ABI3: Final = "abi3"


def this_platform() -> str:
    """This machine as Blender's manifests name it, such as `linux-x64`."""
    import platform

    system, machine = platform.system().lower(), platform.machine().lower()
    return f"{_SYSTEMS.get(system, system)}-{_MACHINES.get(machine, machine)}"


@contextmanager
def needed() -> Generator[None]:
    """Says what to do where an import inside the block fails: around everything that loads the engine.

    Raises:
        ModelError: A package that the extension brings along cannot be used.
    """
    try:
        yield
    except ImportError as error:
        raise ModelError(explain(error)) from error


def explain(error: ImportError, root: Path = ROOT) -> str:
    """Say why a bundled package cannot be used here, and what to do.

    Args:
        error: What importing it raised.
        root: The extension's folder.
    """
    package = (error.name or "one").partition(".")[0]
    platforms, wheels = _bundled(root)
    here, python = this_platform(), f"{sys.version_info.major}.{sys.version_info.minor}"
    if not wheels:
        return f"This copy of AU Mocap brings no packages, and {package} is missing: install the zip for {here}."
    if here not in platforms:
        return (
            f"This copy of AU Mocap is for {', '.join(platforms)} and cannot work on {here}: "
            f"remove it in the preferences and install the zip for {here}."
        )
    pythons = _pythons(wheels)
    if python not in pythons:
        return (
            f"This copy of AU Mocap fits Blenders with Python {', '.join(pythons)}, and this one has {python}: "
            "use Blender 4.2, 4.5, 5.0 or 5.2, or a copy of AU Mocap for this Blender."
        )
    reason = str(error).strip().partition("\n")[0][:200]
    return (
        f"{package}, which came with AU Mocap, cannot be loaded: {reason}. "
        "Remove AU Mocap in the preferences, restart Blender, and install it again."
    )


def _bundled(root: Path) -> tuple[list[str], list[str]]:
    """Platforms and wheel names of the manifest; empty where there is none to read."""
    import tomllib

    try:
        manifest = tomllib.loads((root / "blender_manifest.toml").read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError):
        return [], []
    # A zip for one platform says so in a table that the build adds.
    built = manifest.get("build", {}).get("generated", manifest)
    names = [Path(one).name for one in built.get("wheels", [])]
    return list(built.get("platforms", [])), names


def _pythons(wheels: list[str]) -> list[str]:
    """The Pythons that wheels of one Python each are for, such as `3.11`; abi3 wheels fit any."""
    tags = {parts[2] for parts in (name.split("-") for name in wheels) if len(parts) > 3 and parts[3] != _ABI3}
    numbers = sorted(int(tag[3:]) for tag in tags if tag.startswith("cp3") and tag[3:].isdigit())
    return [f"3.{number}" for number in numbers]
