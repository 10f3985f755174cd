"""Runs a script in a real Blender window and hands back what it saw and measured.

    from tests.window import window

    result = window.run("5.2", Path("scripts/panel.py"), files=[zip_path, clip])
    assert result.code == 0, result.log
    assert result.json["frames"] == 60
    result.screenshot("panel")                        # path of a PNG
    window.command("5.2", [["--command", "extension", "list"]]).code   # without a window

The script runs inside Blender and defines `steps()`, a generator; see `driver.py` for what it can call. Its files are
in `driver.FOLDER`. The window has 1600 x 900 pixels, drawn by the processor; the run has no network at all, so whatever
works here works offline.
"""

import json
import os
import re
import select
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from . import chroots

INSIDE: Final = Path("/") / chroots.PLACE
"""Where Blender sees the run's folder; scripts call it `driver.FOLDER`."""

SIZE_PX: Final = (1600, 900)
TIMED_OUT: Final = 124
_FAREWELL_S: Final = 20.0
_DRIVER: Final = Path(__file__).with_name("driver.py")
_START: Final = f"""\
import sys
sys.path.insert(0, "/{chroots.PLACE}")
import driver
import script
driver.play(script.steps())
"""
_BLENDER: Final = (
    "blender --factory-startup -noaudio --window-geometry 0 0 {width} {height} --python-exit-code 3 "
    "--python /{place}/start.py"
)
_PROBLEM: Final = re.compile(
    r"Traceback|Error\b|Exception\b|Segmentation fault|unknown operator|operator missing|not found$|Writing: .*crash"
)
_HARMLESS: Final = re.compile(r"ALSA|AL lib|dbus|libdecor|XDG_RUNTIME_DIR|xkbcommon|EGL_BAD|GHOST")


class WindowError(Exception):
    """No window can be had here; the message says why. Tests skip with it."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came out of a run.

    Attributes:
        folder: The run's folder, with screenshots and whatever the script wrote into `driver.FOLDER`.
        log: All that Blender printed.
        json: What the script recorded; where a step failed, its traceback is under "error".
        code: Blender's exit code: 0, 3 where a step failed, 124 where time ran out.
        seconds: How long it took.
    """

    folder: Path
    log: str
    json: dict[str, Any]
    code: int
    seconds: float

    @property
    def problems(self) -> list[str]:
        """Lines of the log that speak of errors."""
        return [line for line in self.log.splitlines() if _PROBLEM.search(line) and not _HARMLESS.search(line)]

    def screenshot(self, name: str) -> Path:
        """Path of a screenshot that the script took."""
        return self.folder / f"{name}.png"


def run(release: str, script: Path, timeout_s: float = 120.0, files: Sequence[Path] = (), keep: bool = False) -> Result:
    """Run a script in a fresh Blender with an empty user folder.

    Args:
        release: Version of Blender, a key of `chroots.RELEASES`.
        script: Python file that defines `steps()`.
        timeout_s: When to give up; whatever still runs then is killed.
        files: Files that the script needs; they appear in `driver.FOLDER` under their own names.
        keep: Whether those files and Blender's user folder stay in the result's folder; they are large.

    Raises:
        WindowError: There is no such Blender here.
    """
    root, folder = _prepare(release, files)
    (folder / "start.py").write_text(_START, encoding="utf-8")
    shutil.copyfile(_DRIVER, folder / "driver.py")
    shutil.copyfile(script, folder / "script.py")
    width, height = SIZE_PX
    blender = _BLENDER.format(width=width, height=height, place=chroots.PLACE)
    line = f'xvfb-run -a -s "-screen 0 {width}x{height}x24" {blender}'
    return _result(_command(root, folder, line), folder, timeout_s, files, keep)


def command(
    release: str,
    calls: Sequence[Sequence[str]],
    timeout_s: float = 120.0,
    files: Sequence[Path] = (),
    keep: bool = False,
) -> Result:
    """Run Blender on the command line, without a window, one call after the other with one user folder.

    The first call that fails is the last one, and its exit code is the result's.

    Args:
        release: Version of Blender, a key of `chroots.RELEASES`.
        calls: Blender's arguments for each call, such as `["--command", "extension", "list"]`.
        timeout_s: When to give up on all of them.
        files: Files that they need, found in `INSIDE`, which is also the working folder.
        keep: Whether those files and Blender's user folder stay in the result's folder.

    Raises:
        WindowError: There is no such Blender here.
    """
    root, folder = _prepare(release, files)
    lines = "; ".join([f"cd {INSIDE}", *(shlex.join(["blender", *call]) for call in calls)])
    return _result(_command(root, folder, f"sh -ec {shlex.quote(lines)}"), folder, timeout_s, files, keep)


def _prepare(release: str, files: Sequence[Path]) -> tuple[Path, Path]:
    """The Blender's root folder, and a run's own folder with its files."""
    try:
        root = chroots.make(chroots.RELEASES[release])
    except chroots.ChrootError as error:
        raise WindowError(str(error)) from error
    folder = Path(tempfile.mkdtemp(prefix=f"au-mocap-window-{release}-"))
    for file in files:
        shutil.copyfile(file, folder / file.name)  # a script may alter what it was given
    return root, folder


def _result(command: list[str], folder: Path, timeout_s: float, files: Sequence[Path], keep: bool) -> Result:
    start = time.monotonic()
    code = _wait_for(command, folder / "log.txt", timeout_s)
    seconds = time.monotonic() - start
    if not keep:
        _tidy(folder, files)
    log = (folder / "log.txt").read_text(encoding="utf-8", errors="replace")
    return Result(folder, log, _recorded(folder), code, seconds)


def _wait_for(command: list[str], log: Path, timeout_s: float) -> int:
    """Run a command in namespaces of its own until nothing in there is left, and return its exit code."""
    ended, alive = os.pipe()  # whatever runs inside inherits the writing end: the reading end tells when all are gone
    with log.open("wb") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=subprocess.STDOUT, pass_fds=[alive])
    os.close(alive)
    try:
        return process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        return TIMED_OUT
    finally:
        process.kill()  # takes all that runs inside with it, and the mounts
        process.wait()
        select.select([ended], [], [], _FAREWELL_S)
        os.close(ended)


def _command(root: Path, folder: Path, line: str) -> list[str]:
    """The command that runs a shell line inside, in namespaces of its own and without any network."""
    variables = {
        "PATH": "/usr/bin:/bin",
        "HOME": f"{INSIDE}/home",
        "XDG_RUNTIME_DIR": "/tmp",
        "LANG": "C.UTF-8",
        "LIBGL_ALWAYS_SOFTWARE": "1",
        "BLENDER_USER_RESOURCES": f"{INSIDE}/user",
    }
    assigned = " ".join(f"{key}={value}" for key, value in variables.items())
    mounts = f'mount -t tmpfs tmpfs "$1/tmp"; mount --bind "$2" "$1{INSIDE}"; mkdir -p "$2/home" "$2/user"; '
    # The shell stays, as process 1: Xvfb tells its parent that it is ready unless that is process 1.
    command = chroots.enter(root, f'{mounts} chroot "$1" env -i {assigned} {line}; exit 0')
    return [command[0], "--net", *command[1:], str(folder)]


def _tidy(folder: Path, files: Sequence[Path]) -> None:
    for file in files:
        (folder / file.name).unlink(missing_ok=True)
    for name in ("user", "home"):
        shutil.rmtree(folder / name, ignore_errors=True)


def _recorded(folder: Path) -> dict[str, Any]:
    try:
        return json.loads((folder / "measured.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
