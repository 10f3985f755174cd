"""What `make.py test` runs: each checker and each pytest suite as a process of its own, and one summary of them all.

Only the standard library is used: make.py runs this outside every environment.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Final, NamedTuple
from xml.etree import ElementTree

ROOT: Final = Path(__file__).resolve().parent.parent
_NOTHING_SELECTED: Final = 5  # pytest's exit code


_NOT_ABOUT_ARRAYS: Final = (
    "test_actors.py", "test_bad_input.py", "test_batch.py", "test_cast.py", "test_cli.py", "test_cli_convert.py",
    "test_cli_runtime.py", "test_cli_usage.py", "test_evaluation.py", "test_html_report_browser.py",
    "test_import_law.py", "test_library_notes.py", "test_live_calibrating.py", "test_live_recording.py",
    "test_live_session.py", "test_live_sources.py", "test_make.py", "test_packages.py", "test_papers_zip.py",
    "test_release.py", "test_remote.py", "test_report.py", "test_tracker_parity.py", "test_tracking.py",
    "test_video.py",
)  # fmt: skip
"""Processes, threads, files and packages: the same on any numpy. What the tracker computes is seen on another one by
the tests of whole takes.
"""


class Suite(NamedTuple):
    """One pytest process of `test`.

    Attributes:
        title: Its name in the summary.
        environment: Where it runs, a name of `make.py env`.
        folder: What it collects.
        without: Files of the folder that it leaves out.
        beside_next: It runs beside the next one: neither uses more than one core for long, or measures time.
    """

    title: str
    environment: str
    folder: str
    without: tuple[str, ...] = ()
    beside_next: bool = False


SUITES: Final = (
    Suite("tests/core", "main", "tests/core"),
    Suite("tests/core on numpy 2", "numpy2", "tests/core", _NOT_ABOUT_ARRAYS, beside_next=True),
    Suite("tests/release", "main", "tests/release", ("test_start.py",), beside_next=True),
    Suite("tests/training", "train", "tests/training"),
    Suite("tests/blender", "main", "tests/blender"),
    Suite("start-up", "main", "tests/release/test_start.py"),
    Suite("tests/window", "main", "tests/window"),
)


class Outcome(NamedTuple):
    """How one step of `test` went; counts are of tests, or of checks where the step runs none."""

    title: str
    ok: bool
    passed: int = 0
    failed: int = 0
    errors: int = 0
    skipped: int = 0
    seconds: float = 0.0
    selected: bool = True


def split_selection(arguments: list[str], root: Path = ROOT) -> tuple[list[str], list[str]]:
    """Split pytest arguments into paths below tests/ and the rest.

    Returns:
        The paths (with any `::test` behind them) and the other arguments, each in its order.
    """
    paths, others = [], []
    for argument in arguments:
        path = Path(argument.split("::")[0])
        inside = not argument.startswith("-") and (path.exists() or (root / path).exists())
        if inside and (root / "tests") in [*(root / path).resolve().parents, (root / path).resolve()]:
            paths.append(argument)
        else:
            others.append(argument)
    return paths, others


def paths_for(suite: Suite, paths: list[str], root: Path = ROOT) -> list[str]:
    """Return what a suite should collect: its folder, or those of the chosen paths that lie in it."""
    folder = (root / suite.folder).resolve()
    if not paths:
        return [suite.folder]
    chosen = []
    for path in paths:
        place = (root / path.split("::")[0]).resolve()
        if folder == place or folder in place.parents:
            chosen.append(path)
        elif place in folder.parents:
            chosen.append(suite.folder)
    return chosen


def run_check(title: str, command: Sequence[str | Path]) -> Outcome:
    """Run a checker and return its outcome."""
    _headline(title)
    start = time.monotonic()
    code = subprocess.run([str(part) for part in command], check=False, cwd=ROOT).returncode
    return Outcome(title, code == 0, errors=int(code != 0), seconds=time.monotonic() - start)


def begin_check(title: str, command: Sequence[str | Path]) -> Callable[[], Outcome]:
    """Start a checker that runs beside what follows; what it has to say is shown when its outcome is asked for."""
    pool = ThreadPoolExecutor(1)
    done = pool.submit(_captured, [str(part) for part in command])
    pool.shutdown(wait=False)

    def end() -> Outcome:
        code, told, seconds = done.result()
        _headline(title)
        sys.stderr.write(told)
        return Outcome(title, code == 0, errors=int(code != 0), seconds=seconds)

    return end


def _captured(command: list[str]) -> tuple[int, str, float]:
    """Exit code, everything said, and seconds of a command."""
    start = time.monotonic()
    done = subprocess.run(command, check=False, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout.decode(errors="replace"), time.monotonic() - start


def begin_suite(suite: Suite, python: Path, paths: list[str], others: list[str]) -> Callable[[], Outcome]:
    """Start a suite that runs beside what follows; what it has to say is shown when its outcome is asked for."""
    told = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `end`
    pool = ThreadPoolExecutor(1)
    done = pool.submit(run_suite, suite, python, paths, others, told)
    pool.shutdown(wait=False)

    def end() -> Outcome:
        outcome = done.result()
        with told:
            told.seek(0)
            _headline(suite.title)
            sys.stderr.write(told.read().decode(errors="replace"))
        return outcome

    return end


def run_suite(
    suite: Suite, python: Path, paths: list[str], others: list[str], told: IO[bytes] | None = None
) -> Outcome:
    """Run one pytest process and return its outcome; what it says goes into a file, if one is given."""
    if told is None:
        _headline(suite.title)
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        left_out = [f"--ignore={suite.folder}/{name}" for name in suite.without if suite.folder in paths]
        command = [python, "-m", "pytest", *paths, *left_out, *others, "--junitxml", report]
        parts = [str(part) for part in command]
        code = subprocess.run(parts, check=False, cwd=ROOT, stdout=told, stderr=told).returncode
        counts = read_report(report)
    return judge(suite.title, code, counts, time.monotonic() - start)


def judge(title: str, code: int, counts: tuple[int, ...], seconds: float) -> Outcome:
    """Return the outcome of a pytest process from its exit code and its report."""
    if code == _NOTHING_SELECTED:
        return Outcome(title, ok=True, seconds=seconds, selected=False)
    tests, failed, errors, skipped = counts
    if code != 0 and failed + errors == 0:
        errors = 1  # it crashed, was interrupted or refused its arguments
    return Outcome(title, code == 0, tests - failed - errors - skipped, failed, errors, skipped, seconds)


def read_report(path: Path) -> tuple[int, ...]:
    """Return (tests, failures, errors, skipped) of a JUnit file; zeros where pytest wrote none."""
    if not path.exists():
        return 0, 0, 0, 0
    suites = list(ElementTree.parse(path).getroot().iter("testsuite"))
    return tuple(sum(int(one.get(key, 0)) for one in suites) for key in ("tests", "failures", "errors", "skipped"))


def summarise(outcomes: Sequence[Outcome], seconds: float) -> str:
    """Return the closing table; its last line reads like pytest's own, which is what readers of logs look for.

    Args:
        outcomes: Of all steps.
        seconds: What all of it took; less than the steps together, where some ran beside others.
    """
    lines = ["", "Summary"]
    for one in outcomes:
        parts = [
            (one.passed, "passed"),
            (one.failed, "failed"),
            (one.errors, "error" if one.errors == 1 else "errors"),
            (one.skipped, "skipped"),
        ]
        counts = ", ".join(f"{number} {word}" for number, word in parts if number)
        state = "nothing selected" if not one.selected else "ok" if one.ok else "FAILED"
        lines.append(f"  {one.title:<24} {state:<17} {one.seconds:>7.1f} s  {counts}".rstrip())
    totals = [sum(getattr(one, key) for one in outcomes) for key in ("failed", "passed", "skipped", "errors")]
    words = ("failed", "passed", "skipped", "error" if totals[3] == 1 else "errors")
    text = ", ".join(f"{number} {word}" for number, word in zip(totals, words, strict=True) if number)
    text = f" {text or 'no tests ran'} in {seconds:.2f}s "
    return "\n".join([*lines, text.center(100, "=")])


def _headline(title: str) -> None:
    sys.stderr.write(f"\n== {title}\n")
    sys.stderr.flush()
