"""Finds a Python of the wanted version. Like make.py, this parses on older Pythons."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from . import MakeError, say


def version_of(python: str | Path) -> tuple[int, ...] | None:
    """Return (major, minor) of an interpreter, or None where it does not run."""
    code = "import sys; print(*sys.version_info[:2])"
    try:
        done = subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return tuple(int(part) for part in done.stdout.split()) if done.returncode == 0 else None


def printed(command: list[str]) -> str:
    """Return what a command prints, stripped; empty where it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def find_python(wanted: tuple[int, int]) -> str:
    """Return a Python of this machine with that version, fetched by uv if need be.

    Raises:
        MakeError: There is none, and no uv to fetch one.
    """
    version = "{}.{}".format(*wanted)
    for name in (f"python{version}", "python"):
        found = shutil.which(name)
        if found and version_of(found) == wanted:
            return found
    launcher = shutil.which("py")
    if launcher:  # Windows: what python.org's installer put there is known to its launcher, and seldom on the PATH
        found = printed([launcher, f"-{version}", "-c", "import sys; print(sys.executable)"])
        if found and version_of(found) == wanted:
            return found
    reason = "no uv here"
    uv = shutil.which("uv")
    if uv:
        for step in (["find", "--system"], ["install"], ["find", "--system"]):
            say(f"uv python {step[0]} {version}")
            command = [uv, "python", *step, "--no-config", version]
            done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
            found = done.stdout.strip()
            if step[0] == "find" and done.returncode == 0 and version_of(found) == wanted:
                return found
            if step[0] == "install" and done.returncode != 0:
                reason = "uv could not: " + (done.stderr.strip().splitlines() or ["no reason given"])[-1].strip()
    this = "{}.{}".format(*sys.version_info[:2])
    msg = (
        f"AU Mocap is built with Python {version} (this is {this}; {reason}). Install it from "
        "https://www.python.org/downloads/ or install uv (https://docs.astral.sh/uv/), which fetches it by itself; "
        "then run this again."
    )
    raise MakeError(msg)
