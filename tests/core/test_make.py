"""make.py and tests/suites.py: arguments, environments, which tests run, and what is said at the end."""

import importlib.util
import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from release import build, interpreters
from tests import suites
from tests.suites import Outcome, Suite
from tests.window import chroots

ROOT = Path(__file__).parents[2]
DEPENDENCIES = {
    "dependencies": ["numpy>=1.26"],
    "optional-dependencies": {
        "blender": ["bpy==4.5"],
        "test": ["pytest==9"],
        "dev": ["ruff==1"],
        "train": ["torch==2"],
    },
}


@pytest.fixture(scope="module")
def make() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make", ROOT / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run_make(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(ROOT / "make.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


# Arguments ------------------------------------------------------------------------------------------------------------


def test_help_names_every_command() -> None:
    done = run_make("--help")
    assert done.returncode == 0
    assert all(f"  {name} " in done.stdout for name in ("demo", "test", "build", "bench", "train", "env"))


@pytest.mark.parametrize(
    "arguments", [[], ["nonsense"], ["build", "--fast"], ["train"], ["train", "nonsense"], ["env", "nonsense"]]
)
def test_bad_usage_exits_with_2(arguments: list[str]) -> None:
    done = run_make(*arguments)
    assert done.returncode == 2
    assert "usage:" in done.stderr
    assert "Traceback" not in done.stderr


def test_arguments_reach_their_module(make: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[tuple[str, str, list[str]]] = []
    monkeypatch.setattr(make, "make_environment", lambda name: name)
    monkeypatch.setattr(make, "run_module", lambda *call: ran.append(call) or 0)
    monkeypatch.setattr(make, "WANTED", sys.version_info[:2])
    for line in (["demo"], ["demo", "a.mp4", "--out", "x"], ["bench", "decode", "--json", "b.json"], ["bench"]):
        assert make.main(line) == 0
    assert make.main(["train", "geometry", "--smoke", "--seed", "3"]) == 0
    assert make.main(["train", "tracker"]) == 0
    assert make.main(["train", "papers", "cnn48_lite", "feafa", "--hours", "2"]) == 0
    assert ran == [
        ("main", "training.demo", []),
        ("main", "training.demo", ["a.mp4", "--out", "x"]),
        ("train", "tests.bench", ["decode", "--json", "b.json"]),
        ("train", "tests.bench", []),
        ("train", "training.geometry", ["--smoke", "--seed", "3"]),
        ("convert", "training.convert_tracker", []),
        ("train", "training.papers", ["cnn48_lite", "feafa", "--hours", "2"]),
    ]


def test_what_to_build_reaches_the_build(make: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    ordered: list[build.Order] = []
    monkeypatch.setattr(make, "make_environment", lambda name: Path(name))
    monkeypatch.setattr(build, "build", lambda order: ordered.append(order) or [])
    monkeypatch.setattr(make, "WANTED", sys.version_info[:2])
    assert make.main(["build"]) == 0
    assert make.main(["build", "--cuda", "--platform", "linux-x64", "--python", "3.11", "--python", "3.13"]) == 0
    assert ordered == [
        build.Order(ROOT, ROOT / "dist", Path("main")),
        build.Order(ROOT, ROOT / "dist", Path("main"), cuda=True, platforms=("linux-x64",), pythons=("3.11", "3.13")),
    ]


def test_what_stops_a_build_is_one_line(
    make: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(make, "make_environment", lambda name: Path(name))
    monkeypatch.setattr(make, "WANTED", sys.version_info[:2])
    assert make.main(["build", "--platform", "amiga"]) == 1
    assert capsys.readouterr().err.startswith("make.py: ")


def test_the_folders_of_the_window_tests_are_printed(
    make: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(release: chroots.Release) -> Path:
        message = f"no space for {release.suite}"
        raise chroots.ChrootError(message)

    monkeypatch.setattr(make, "WANTED", sys.version_info[:2])
    monkeypatch.setattr(chroots, "make", lambda release: Path("/cache") / release.suite)
    assert make.main(["env", "window"]) == 0
    assert capsys.readouterr().out.split() == [str(Path("/cache/trixie")), str(Path("/cache/sid"))]
    monkeypatch.setattr(chroots, "make", fail)
    assert make.main(["env", "window"]) == 1
    assert capsys.readouterr().err == "make.py: no space for trixie\n"


def test_errors_are_one_line_and_exit_with_1(
    make: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(name: str) -> Path:
        message = f"no space for {name}"
        raise make.MakeError(message)

    monkeypatch.setattr(make, "make_environment", fail)
    monkeypatch.setattr(make, "WANTED", sys.version_info[:2])
    assert make.main(["env"]) == 1
    assert capsys.readouterr().err == "make.py: no space for main\n"


# Python versions ------------------------------------------------------------------------------------------------------


def test_another_python_hands_over(make: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(make, "WANTED", (3, 99))
    monkeypatch.setattr(make, "find_python", lambda _: "/opt/python3.99")
    monkeypatch.setattr(make, "run_again_on", lambda *call: ran.append(call) or 0)
    assert make.main(["env", "numpy2"]) == 0
    assert ran == [("/opt/python3.99", ["env", "numpy2"])]


def test_without_a_fitting_python_it_says_what_to_install(
    make: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(make, "WANTED", (3, 99))
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert make.main(["env"]) == 2
    assert "install uv" in capsys.readouterr().err


def test_uv_is_asked_to_fetch_python(make: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def run(command: list[str], **_: object) -> "subprocess.CompletedProcess[str]":
        asked.append(command[2])
        found = asked.count("find") == 2
        return subprocess.CompletedProcess(command, int(command[2] == "find" and not found), "/uv/python\n" * found, "")

    monkeypatch.setattr(shutil, "which", lambda name: "/bin/uv" if name == "uv" else None)
    monkeypatch.setattr(interpreters, "version_of", lambda python: make.WANTED if python == "/uv/python" else None)
    monkeypatch.setattr(subprocess, "run", run)
    assert interpreters.find_python(make.WANTED) == "/uv/python"
    assert asked == ["find", "install", "find"]


def test_the_windows_launcher_is_asked(make: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: list[str], **_: object) -> "subprocess.CompletedProcess[str]":
        assert command[:2] == ["/windows/py", "-3.11"]
        return subprocess.CompletedProcess(command, 0, "/python311/python\n", "")

    monkeypatch.setattr(shutil, "which", lambda name: "/windows/py" if name == "py" else None)
    monkeypatch.setattr(
        interpreters, "version_of", lambda python: make.WANTED if python == "/python311/python" else None
    )
    monkeypatch.setattr(subprocess, "run", run)
    assert interpreters.find_python(make.WANTED) == "/python311/python"


@pytest.mark.parametrize("name", ["make.py", "release/__init__.py", "release/interpreters.py"])
def test_it_parses_on_older_pythons(name: str) -> None:
    import ast

    ast.parse((ROOT / name).read_text(encoding="utf-8"), feature_version=(3, 8))


# Environments ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A root whose pyproject.toml needs what exists nowhere."""
    write_project(tmp_path, DEPENDENCIES)
    return tmp_path


def write_project(root: Path, dependencies: dict[str, object]) -> None:
    lines = [
        "[project]",
        f"dependencies = {json.dumps(dependencies['dependencies'])}",
        "[project.optional-dependencies]",
    ]
    extras = dependencies["optional-dependencies"]
    assert isinstance(extras, dict)
    lines += [f"{name} = {json.dumps(wanted)}" for name, wanted in extras.items()]
    (root / "pyproject.toml").write_text("\n".join(lines), encoding="utf-8")


@pytest.fixture
def installed(make: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What was installed, instead of installing it; the interpreter is a file that only exists."""
    calls: list[list[str]] = []

    def create(folder: Path) -> None:
        python = make.python_in(folder)
        python.parent.mkdir(parents=True, exist_ok=True)
        python.touch()

    monkeypatch.setattr(make, "create_environment", create)
    monkeypatch.setattr(make, "install", lambda python, wanted, environment: calls.append(wanted))
    return calls


def test_an_environment_is_filled_once(make: ModuleType, project: Path, installed: list[list[str]]) -> None:
    python = make.make_environment("main", project)
    assert python == make.python_in(project / ".venv")
    assert make.make_environment("main", project) == python
    assert installed == [["bpy==4.5", "numpy>=1.26", "pytest==9", "ruff==1"]]


def test_changed_requirements_are_installed(make: ModuleType, project: Path, installed: list[list[str]]) -> None:
    make.make_environment("main", project)
    changed = json.loads(json.dumps(DEPENDENCIES).replace("pytest==9", "pytest==10"))
    write_project(project, changed)
    make.make_environment("main", project)
    assert installed[1:] == [["bpy==4.5", "numpy>=1.26", "pytest==10", "ruff==1"]]


def test_an_extra_is_added_and_stays(make: ModuleType, project: Path, installed: list[list[str]]) -> None:
    make.make_environment("main", project)
    make.make_environment("train", project)
    assert installed[1:] == [["bpy==4.5", "numpy>=1.26", "pytest==9", "ruff==1", "torch==2"]]
    make.make_environment("main", project)
    make.make_environment("train", project)
    assert len(installed) == 2


@pytest.mark.parametrize("damage", ["interrupted", "no_python", "garbled"])
def test_a_half_made_environment_is_repaired(
    make: ModuleType, project: Path, installed: list[list[str]], damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.make_environment("main", project)
    stamp = project / ".venv" / make.STAMP
    if damage == "no_python":
        make.python_in(project / ".venv").unlink()
    elif damage == "garbled":
        stamp.write_text("{")
    else:
        write_project(project, json.loads(json.dumps(DEPENDENCIES).replace("ruff==1", "ruff==2")))
        with monkeypatch.context() as patch:

            def interrupt(*_: object) -> None:
                raise KeyboardInterrupt

            patch.setattr(make, "install", interrupt)
            with pytest.raises(KeyboardInterrupt):
                make.make_environment("main", project)
        write_project(project, DEPENDENCIES)
    before = len(installed)
    make.make_environment("main", project)
    make.make_environment("main", project)
    assert len(installed) == before + 1


def test_a_real_environment_is_made_and_repaired(
    make: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With nothing to install: venv and pip really run."""
    nothing = {
        "dependencies": [],
        "optional-dependencies": {extra: [] for extra in DEPENDENCIES["optional-dependencies"]},
    }
    write_project(tmp_path, nothing)
    monkeypatch.setattr(make, "WANTED", sys.version_info[:2])
    monkeypatch.setattr(make, "install", lambda *_: None)
    python = make.make_environment("main", tmp_path)
    assert make.version_of(python) == sys.version_info[:2]
    python.unlink()
    assert make.make_environment("main", tmp_path) == python
    assert make.version_of(python) == sys.version_info[:2]


def test_a_failing_pip_leaves_no_stamp(make: ModuleType, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: list[str], **_: object) -> "subprocess.CompletedProcess[str]":
        return subprocess.CompletedProcess(command, 1, "", "")

    monkeypatch.setattr(make, "create_environment", lambda folder: folder.mkdir())
    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(make.MakeError, match="Check the network"):
        make.make_environment("main", project)
    assert not (project / ".venv" / make.STAMP).exists()


def test_every_environment_has_its_lists(make: ModuleType) -> None:
    with (ROOT / "pyproject.toml").open("rb") as stream:
        project = tomllib.load(stream)["project"]
    for environment in make.ENVIRONMENTS.values():
        wanted = make.requirements(project, environment.extras, environment.engine)
        assert wanted
        assert all("==" in one or ("<" in one and ">=" in one) for one in wanted), "not pinned"
    for name, _ in make.TRAINING.values():
        assert name in make.ENVIRONMENTS


# Tests ----------------------------------------------------------------------------------------------------------------


def test_paths_are_told_from_other_arguments() -> None:
    given = ["-k", "video", "tests/core/test_make.py::test_x", "-x", "make.py", str(ROOT / "tests" / "core")]
    paths, others = suites.split_selection(given)
    assert paths == ["tests/core/test_make.py::test_x", str(ROOT / "tests" / "core")]
    assert others == ["-k", "video", "-x", "make.py"]


def test_paths_go_to_the_suites_they_lie_in() -> None:
    core, blender = Suite("core", "main", "tests/core"), Suite("blender", "main", "tests/blender")
    assert suites.paths_for(core, []) == ["tests/core"]
    assert suites.paths_for(core, ["tests"]) == ["tests/core"]
    assert suites.paths_for(core, ["tests/core"]) == ["tests/core"]
    assert suites.paths_for(core, ["tests/core/test_make.py::test_x"]) == ["tests/core/test_make.py::test_x"]
    assert suites.paths_for(blender, ["tests/core/test_make.py"]) == []


def test_a_real_suite_is_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A pytest process of its own: passes, failures, errors and skips arrive in the outcome."""
    source = (
        "import pytest\n"
        "def test_good(): pass\n"
        "def test_bad(): assert False\n"
        "def test_skip(): pytest.skip('later')\n"
        "@pytest.fixture\n"
        "def broken(): raise RuntimeError\n"
        "def test_error(broken): pass\n"
    )
    path = tmp_path / "test_sample.py"
    path.write_text(source)
    suite = Suite("sample", "main", "tests/core")
    options = ["-p", "no:cacheprovider", f"--rootdir={tmp_path}"]
    outcome = suites.run_suite(suite, Path(sys.executable), [str(path)], options)
    assert (outcome.passed, outcome.failed, outcome.errors, outcome.skipped) == (1, 1, 1, 1)
    assert not outcome.ok
    assert outcome.selected
    nothing = suites.run_suite(suite, Path(sys.executable), [str(path)], [*options, "-k", "nonsense"])
    assert nothing.ok
    assert not nothing.selected
    end = suites.begin_suite(suite, Path(sys.executable), [str(path)], options)
    capsys.readouterr()
    assert end()[:6] == outcome[:6]
    told = capsys.readouterr().err
    assert told.startswith("\n== sample\n")
    assert "1 failed, 1 passed, 1 skipped, 1 error" in told


def test_a_crash_is_an_error() -> None:
    outcome = suites.judge("core", -11, (0, 0, 0, 0), 1.0)
    assert (outcome.ok, outcome.errors) == (False, 1)


@pytest.mark.parametrize(("code", "words"), [(0, "fine"), (3, "wrong here")])
def test_a_check_beside_others_speaks_when_asked(capfd: pytest.CaptureFixture[str], code: int, words: str) -> None:
    end = suites.begin_check("types", [sys.executable, "-c", f"print({words!r}); raise SystemExit({code})"])
    assert words not in capfd.readouterr().err
    outcome = end()
    told = capfd.readouterr().err
    assert told.index("== types") < told.index(words)
    assert (outcome.ok, outcome.errors) == (code == 0, int(code != 0))
    assert outcome.seconds > 0.0


@pytest.mark.parametrize(
    ("outcomes", "last"),
    [
        (
            [Outcome("lint", True), Outcome("core", True, passed=9, skipped=2, seconds=4.5)],
            "9 passed, 2 skipped in 1.50s",
        ),
        ([Outcome("lint", False, errors=1), Outcome("core", True, passed=9)], "9 passed, 1 error in 1.50s"),
        ([Outcome("core", False, 8, 1), Outcome("two", False, 0, 0, 2)], "1 failed, 8 passed, 2 errors in 1.50s"),
    ],
)
def test_the_last_line_reads_like_pytests(outcomes: list[Outcome], last: str) -> None:
    line = suites.summarise(outcomes, 1.5).splitlines()[-1]
    assert line.strip("= ") == last
    assert line.startswith("===")
    assert line.endswith("===")


def test_a_selection_that_finds_nothing_anywhere_fails(
    make: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(make, "make_environment", lambda name: Path(name))
    monkeypatch.setattr(make, "WANTED", sys.version_info[:2])
    monkeypatch.setattr(suites, "run_check", lambda title, command: Outcome(title, ok=True))
    monkeypatch.setattr(suites, "begin_check", lambda title, command: lambda: Outcome(title, ok=True))
    found = {"tests/core": 3}

    def run_suite(suite: Suite, python: Path, paths: list[str], others: list[str], told: object = None) -> Outcome:
        return Outcome(suite.title, ok=True, passed=found.get(suite.title, 0), selected=suite.title in found)

    monkeypatch.setattr(suites, "run_suite", run_suite)
    assert make.main(["test", "-k", "video"]) == 0
    assert "3 passed" in capsys.readouterr().out.splitlines()[-1]
    found.clear()
    assert make.main(["test", "-k", "nonsense"]) == 1
    assert "1 error" in capsys.readouterr().out.splitlines()[-1]
