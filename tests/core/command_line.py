"""Runs the command line as people do, as a process, and reads what it left behind."""

import csv
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


class Outcome:
    """What a run of the command line left behind."""

    def __init__(self, code: int, stdout: str, stderr: str) -> None:
        self.code = code
        self.stdout = stdout
        self.stderr = stderr
        assert "Traceback" not in stderr, stderr
        assert "Exception ignored" not in stderr, stderr

    @property
    def error(self) -> str:
        """The one line that says what is wrong."""
        lines = [line for line in self.stderr.splitlines() if line.startswith("Error: ")]
        assert len(lines) == 1, self.stderr
        return lines[0]

    def fails(self, *parts: str, code: int = 1) -> None:
        """Checks that it failed with one line, without progress, that holds all parts."""
        assert self.code == code, self.stderr
        assert self.stderr.count("\n") == 1, self.stderr
        for part in parts:
            assert part in self.error


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def run(*arguments: str | Path, cwd: Path = ROOT, **options: Any) -> Outcome:  # noqa: ANN401
    """Runs `python -m au_mocap`."""
    command = [sys.executable, "-m", "au_mocap", *(str(argument) for argument in arguments)]
    options = {"env": environment(), "timeout": 300, **options}
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, **options)
    return Outcome(done.returncode, done.stdout, done.stderr)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def content_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
