"""Real Blenders for the window tests: a Debian of its own for each, made by debootstrap in the cache folder.

Only what Debian packages is used, so nothing is built and nothing is installed into the machine but debootstrap itself.
Making one needs Linux, root and apt. A folder that was left half made is made anew; a complete one is used at once.

Only the standard library is used: make.py runs this outside every environment (`make.py env window`).
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from release import MakeError, say
from training.packages import cache_folder

PLACE: Final = "mnt/au_mocap"
"""Where a run's own folder appears inside."""

_STAMP: Final = "au_mocap_window.json"
_SPACE_BYTES: Final = 3_000_000_000
_PACKAGES: Final = (
    "blender", "xvfb", "xauth", "libgl1-mesa-dri", "libegl1", "libgl1", "libgles2", "python3-numpy", "python3-requests",
    "xdotool", "imagemagick",
)  # fmt: skip
_APT: Final = 'APT::Install-Recommends "false";\nAcquire::Languages "none";\nAcquire::Check-Valid-Until "false";\n'
_ERROR_LINES: Final = 3


class ChrootError(MakeError):
    """The environment cannot be made here; the message says why, and what would help."""


class Release(NamedTuple):
    """One Debian with the Blender that it packages.

    Attributes:
        suite: Debian's name of it, which is also the folder's.
        blender: How the version of its Blender begins.
        further: Packages that it needs beside the common ones.
    """

    suite: str
    blender: str
    further: tuple[str, ...] = ()


RELEASES: Final = {
    "4.3": Release("trixie", "4.3"),
    "5.2": Release("sid", "5.2", ("python3-cattr",)),
}
"""By the version of Blender, which is what tests name."""


def folder_of(release: Release) -> Path:
    """The root folder of a release; it may not exist yet."""
    return cache_folder() / "window" / release.suite


def is_complete(release: Release) -> bool:
    """Whether a release can be used as it is."""
    try:
        return json.loads((folder_of(release) / _STAMP).read_text(encoding="utf-8")) == _wanted(release)
    except (OSError, ValueError):
        return False


def make(release: Release) -> Path:
    """Make a release where it is not complete, and return its root folder.

    Raises:
        ChrootError: It cannot be made here.
    """
    folder = folder_of(release)
    check_machine()
    if is_complete(release):
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _lock(folder.parent / f"{release.suite}.lock"):
        if is_complete(release):  # somebody else was making it
            return folder
        if shutil.disk_usage(folder.parent).free < _SPACE_BYTES:
            msg = f"less than {_SPACE_BYTES / 1e9:.0f} GB are free for {folder}: make room, or set AU_MOCAP_CACHE"
            raise ChrootError(msg)
        _bootstrap(release, folder)
        _install(release, folder)
        (folder / _STAMP).write_text(json.dumps(_wanted(release)), encoding="utf-8")
    return folder


def check_machine() -> None:
    """Say at once where this cannot work.

    Raises:
        ChrootError: No Linux, no root, or a tool is missing.
    """
    reason = ""
    if not sys.platform.startswith("linux"):
        reason = "it needs Linux"
    elif os.geteuid() != 0:
        reason = "it needs root (debootstrap and chroot): run it as root or in a container"
    else:
        missing = [tool for tool in ("apt-get", "dpkg", "unshare", "chroot") if shutil.which(tool) is None]
        if missing:
            reason = f"it needs {', '.join(missing)}: use a Debian or Ubuntu machine or container"
    if reason:
        msg = f"no window environment here: {reason}"
        raise ChrootError(msg)


def enter(folder: Path, script: str) -> list[str]:
    """Return the command that runs shell commands in namespaces of their own, with the file systems a chroot needs.

    The mounts exist for that process alone: they are gone with it, however it ends, and so are its children. The script
    finds the root folder as $1.
    """
    mounts = 'mount -t proc proc "$1/proc"; mount --rbind /dev "$1/dev"; mount -t sysfs -o ro sysfs "$1/sys"; '
    command = ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child=SIGKILL"]
    return [*command, "sh", "-ec", mounts + script, "sh", str(folder)]


def mirror_of(sources: Path = Path("/etc/apt")) -> str:
    """Return the Debian mirror that apt uses here.

    Raises:
        ChrootError: apt's sources name none.
    """
    files = [sources / "sources.list", *sorted(sources.glob("sources.list.d/*"))]
    for file in files:
        if not file.is_file() or file.suffix not in (".list", ".sources"):
            continue
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
            found = re.search(r"https?://\S+/debian/?(?=\s|$)", line)
            if found and not line.lstrip().startswith("#"):
                return found.group().rstrip("/")
    msg = f"no Debian mirror in {sources}: add one to apt's sources (http://deb.debian.org/debian)"
    raise ChrootError(msg)


def _wanted(release: Release) -> dict[str, object]:
    return {"suite": release.suite, "packages": [*_PACKAGES, *release.further]}


def _bootstrap(release: Release, folder: Path) -> None:
    """The base system; kept where an earlier run completed it."""
    done = folder / "au_mocap_base"
    if done.exists():
        return
    if shutil.which("debootstrap") is None and _fails(["apt-get", "install", "-y", "debootstrap"]):
        _run(["apt-get", "update"], "fetching apt's lists")
        _run(["apt-get", "install", "-y", "debootstrap"], "installing debootstrap")
    shutil.rmtree(folder, ignore_errors=True)
    command = ["debootstrap", "--variant=minbase", release.suite, str(folder), mirror_of()]
    scripts = Path("/usr/share/debootstrap/scripts")
    if not (scripts / release.suite).exists():
        command.append(str(scripts / "sid"))  # a suite that is younger than the tool
    _run(command, f"making Debian {release.suite} in {folder}; this takes minutes")
    done.touch()


def _install(release: Release, folder: Path) -> None:
    """Blender, an X server, and what clicks and looks."""
    (folder / "etc/apt/apt.conf.d/99au-mocap").write_text(_APT, encoding="utf-8")
    policy = folder / "usr/sbin/policy-rc.d"  # no service starts in there
    policy.write_text("#!/bin/sh\nexit 101\n", encoding="utf-8")
    policy.chmod(0o755)
    resolver = Path("/etc/resolv.conf")
    if resolver.exists():
        shutil.copyfile(resolver, folder / "etc/resolv.conf")
    (folder / PLACE).mkdir(parents=True, exist_ok=True)
    packages = " ".join([*_PACKAGES, *release.further])
    update = 'chroot "$1" apt-get update; '
    install = f'chroot "$1" env DEBIAN_FRONTEND=noninteractive apt-get install -y {packages}; chroot "$1" apt-get clean'
    _run(enter(folder, update + install), f"installing Blender and an X server into {release.suite}")
    found = subprocess.run(
        enter(folder, 'chroot "$1" blender --version'), capture_output=True, text=True, errors="replace", check=False
    ).stdout
    if not found.startswith(f"Blender {release.blender}"):
        msg = f"{release.suite} holds {found[:40]!r} instead of Blender {release.blender}: name the new one in RELEASES"
        raise ChrootError(msg)


def _fails(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode != 0


def _run(command: list[str], doing: str) -> None:
    """Run a step quietly; its last lines go into the error."""
    say(doing)
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False
    )
    if done.returncode != 0:
        reason = " / ".join(done.stdout.strip().splitlines()[-_ERROR_LINES:])
        msg = f"{doing}: it failed ({reason}). Check the network and apt's sources, then run this again"
        raise ChrootError(msg)


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
    """One at a time; the system lets go of it when the process ends."""
    import fcntl  # Windows has none

    with path.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield
