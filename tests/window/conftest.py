"""The zip as users get it, built once, and real Blender windows to install it in."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.window import chroots, window

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def built_zip() -> Path:
    """The zip for this platform, made by `make.py build`."""
    command = [sys.executable, str(ROOT / "make.py"), "build", "--platform", "linux-x64"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "could not fetch" in done.stderr:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.splitlines()[0].rpartition(" (")[0])


@pytest.fixture(params=sorted(chroots.RELEASES))
def blender(request: pytest.FixtureRequest) -> str:
    """The version of a Blender with a window; skipped where there is none."""
    try:
        chroots.make(chroots.RELEASES[request.param])
    except chroots.ChrootError as error:
        pytest.skip(str(error))
    return request.param


__all__ = ["blender", "built_zip", "window"]
