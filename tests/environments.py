"""The project's other environments, for tests and benches that compare with what lives there."""

import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
_LAST_WORDS: Final = 300


class MissingEnvironmentError(Exception):
    """An environment cannot be made here; the message is the end of what make.py said."""


def python_of(name: str) -> Path:
    """Make an environment where it is not there yet, and return its Python.

    Raises:
        MissingEnvironmentError: That failed, for want of a registry for example.
    """
    command = [sys.executable, str(ROOT / "make.py"), "env", name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise MissingEnvironmentError(done.stderr.strip()[-_LAST_WORDS:])
    return Path(done.stdout.strip().splitlines()[-1])
