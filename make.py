#!/usr/bin/env python3
"""The one door for people: environments, demo, tests, benchmarks, training and the extension's zip.

    python make.py demo [VIDEO] [--out DIR]     a clip in, a keyed head out
    python make.py test [pytest arguments]      lint, types and all tests
    python make.py build [--cuda | --papers]    the installable extension, or the papers' large models, into dist/
    python make.py bench [NAME...] [--json F]   benchmarks
    python make.py train NAME [--smoke]         rebuild a file of models/
    python make.py env [NAME]                   make an environment, print its Python

Only the standard library is used. What is installed stands in pyproject.toml. The text of this file parses on older
Pythons so that it can say which one is wanted.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from release import MakeError, say
from release.interpreters import find_python, version_of

ROOT = Path(__file__).resolve().parent
WANTED = (3, 11)  # what bpy 4.5 needs
STAMP = "au_mocap_environment.json"
WINDOW = "window"  # Blenders with a window, in the cache folder: no environment of Python's
DONE, FAILED, USAGE = 0, 1, 2


class Environment(NamedTuple):
    """One environment beside this file.

    Attributes:
        folder: Its name below the root.
        extras: Lists of pyproject.toml that go into it.
        engine: Whether the engine's own dependencies go in too.
        resolve: Whether pip follows dependencies; where not, the lists are complete by themselves.
        holds: What it is for, said while it is made.
    """

    folder: str
    extras: tuple[str, ...]
    engine: bool
    resolve: bool
    holds: str


ENVIRONMENTS = {
    "main": Environment(".venv", ("blender", "test", "dev"), True, True, "the engine, Blender as a module, tests"),
    "train": Environment(".venv", ("blender", "test", "dev", "train"), True, True, "the same and PyTorch"),
    "blender42": Environment(".venv-blender42", ("blender42",), False, True, "Blender 4.2 as a module, alone"),
    "blender45": Environment(".venv-blender45", ("blender45",), False, True, "Blender 4.5 as a module, alone"),
    "blender50": Environment(".venv-blender50", ("blender50",), False, True, "Blender 5.0 as a module, alone"),
    "numpy2": Environment(".venv-numpy2", ("test", "numpy2"), True, True, "the engine on numpy 2"),
    "mediapipe": Environment(".venv-mediapipe", ("mediapipe",), False, False, "the mediapipe package"),
    "convert": Environment(".venv-convert", ("convert",), False, True, "TensorFlow, to convert graphs"),
}

# What `train NAME` runs, and where.
TRAINING = {
    "accurate": ("train", "training.appearance"),  # and `fast`, in one go
    "finetune": ("train", "training.finetune"),  # a user's own regressor, anywhere but in models/
    "geometry": ("train", "training.geometry"),
    "head": ("main", "training.demo_head"),
    "looking": ("train", "training.channel_motion"),  # au_mocap/looking/channel_motion.npz
    "mediapipe": ("train", "training.mediapipe_head"),
    "papers": ("train", "training.papers"),  # into the cache folder: see docs/papers.md
    "tracker": ("convert", "training.convert_tracker"),
}


# Environments ---------------------------------------------------------------------------------------------------------


def run_again_on(python: str, arguments: list[str]) -> int:
    """Run this file on another interpreter and return its exit code."""
    say(f"using {python}")
    return subprocess.run([str(python), str(Path(__file__).resolve()), *arguments], check=False).returncode


def python_in(folder: Path) -> Path:
    """Return the path of the interpreter inside an environment."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def read_project(root: Path = ROOT) -> dict[str, Any]:
    """Return the [project] table of pyproject.toml."""
    import tomllib  # Python 3.11

    with (root / "pyproject.toml").open("rb") as stream:
        return tomllib.load(stream)["project"]


def requirements(project: dict[str, Any], extras: Iterable[str], engine: bool) -> list[str]:
    """Return the sorted requirement strings of some extras, with the engine's own where wanted."""
    lists = [project["dependencies"]] if engine else []
    lists += [project["optional-dependencies"][extra] for extra in extras]
    return sorted({requirement for one in lists for requirement in one})


def read_stamp(folder: Path) -> dict[str, Any]:
    """Return what an environment was last completed with; empty where it never was."""
    try:
        stamp = json.loads((folder / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def wanted_stamp(environment: Environment, project: dict[str, Any], stamp: dict[str, Any]) -> dict[str, Any]:
    """Return what the environment should hold: what is asked for now, and the extras that it was given before."""
    known = project["optional-dependencies"]
    extras = sorted(set(environment.extras) | {extra for extra in stamp.get("extras", ()) if extra in known})
    return {
        "python": f"{WANTED[0]}.{WANTED[1]}",
        "extras": extras,
        "requirements": requirements(project, extras, environment.engine),
    }


def make_environment(name: str, root: Path = ROOT) -> Path:
    """Make or update an environment where its requirements changed, and return its Python.

    The stamp is taken away before anything is changed and written when all went well, so an interrupted run is repaired
    by the next.

    Raises:
        MakeError: The environment cannot be made; the message says what to do.
    """
    environment = ENVIRONMENTS[name]
    folder = root / environment.folder
    python = python_in(folder)
    stamp = read_stamp(folder)
    wanted = wanted_stamp(environment, read_project(root), stamp)
    if stamp == wanted and python.exists():
        return python
    say(f"making {environment.folder} ({environment.holds}); the first time takes some minutes")
    (folder / STAMP).unlink(missing_ok=True)
    create_environment(folder)
    install(python, wanted["requirements"], environment)
    (folder / STAMP).write_text(json.dumps(wanted, indent=1) + "\n", encoding="utf-8")
    return python


def create_environment(folder: Path) -> None:
    """Make an empty environment, or keep a sound one."""
    python = python_in(folder)
    if version_of(python) == WANTED and runs([python, "-m", "pip", "--version"]):
        return
    done = subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=False)
    if done.returncode != 0 or not runs([python, "-m", "pip", "--version"]):
        msg = (
            f"could not make {folder}: Python's venv module failed. On Debian and Ubuntu install python3.11-venv; "
            "elsewhere reinstall Python 3.11 with pip included, or free some disk space."
        )
        raise MakeError(msg)


def install(python: Path, wanted: list[str], environment: Environment) -> None:
    """Install requirements with pip and the user's own pip settings."""
    command = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-input"]
    if not environment.resolve:
        command.append("--no-deps")
    # On stderr, since the path that `env` prints is all that belongs on stdout.
    if subprocess.run([*command, *wanted], check=False, stdout=sys.stderr).returncode != 0:
        msg = (
            f"pip could not fill {environment.folder} (see above). Check the network connection, the free disk space "
            "and pip's index settings, then run this again: it goes on where it stopped."
        )
        raise MakeError(msg)


def runs(command: Sequence[str | Path]) -> bool:
    """Return whether a command ends well, without showing what it prints."""
    try:
        return subprocess.run([str(part) for part in command], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def run_module(python: Path, module: str, arguments: list[str]) -> int:
    """Run `python -m module` in the caller's working folder, so that relative paths mean what the user typed."""
    search = os.pathsep.join(part for part in (str(ROOT), os.environ.get("PYTHONPATH", "")) if part)
    # -P keeps the caller's folder off the module search path: a stray file there must not stand in for ours.
    command = [str(python), "-P", "-m", module, *arguments]
    done = subprocess.run(command, check=False, env=dict(os.environ, PYTHONPATH=search))
    return done.returncode if done.returncode in (DONE, FAILED, USAGE) else FAILED


def command_test(_options: argparse.Namespace, arguments: list[str]) -> int:
    """Lint, types and all tests, each a process of its own, whatever the others say."""
    from tests import suites  # parses on the wanted Python only

    python = make_environment("main")
    started = time.monotonic()
    outcomes = [
        suites.run_check("ruff check", [python, "-m", "ruff", "check", "."]),
        suites.run_check("ruff format", [python, "-m", "ruff", "format", "--check", "."]),
        suites.run_check("codespell", [python, "-m", "codespell_lib", "."]),
    ]
    # Types take over a minute on one core, which the first suite leaves idle now and then.
    types = suites.begin_check("pyright", [python, "-m", "pyright", "--pythonpath", python])
    selection, others = suites.split_selection(arguments)
    ran, beside = [], []
    for suite in suites.SUITES:
        paths = suites.paths_for(suite, selection)
        if not paths:
            ran.append(suites.Outcome(suite.title, ok=True, selected=False))
            continue
        parts = suite, make_environment(suite.environment), paths, others
        if suite.beside_next:
            beside.append(suites.begin_suite(*parts))
            continue
        ran.append(suites.run_suite(*parts))
        ran += [end() for end in beside]
        beside = []
    ran += [end() for end in beside]
    outcomes.append(types())
    if not any(one.selected for one in ran):
        ran.append(suites.Outcome("pytest", ok=False, errors=1))
    print(suites.summarise([*outcomes, *ran], time.monotonic() - started), flush=True)
    return DONE if all(one.ok for one in (*outcomes, *ran)) else FAILED


# The other commands ---------------------------------------------------------------------------------------------------


def command_env(options: argparse.Namespace, _arguments: list[str]) -> int:
    """Make an environment and print its Python, or the folders of the window tests' Blenders."""
    if options.name != WINDOW:
        print(make_environment(options.name))
        return DONE
    from tests.window import chroots  # parses on the wanted Python only

    for release in chroots.RELEASES.values():
        print(chroots.make(release))
    return DONE


def command_demo(options: argparse.Namespace, _arguments: list[str]) -> int:
    """Run the demo."""
    arguments = [options.video] if options.video else []
    arguments += ["--out", options.out] if options.out else []
    return run_module(make_environment("main"), "training.demo", arguments)


def command_bench(options: argparse.Namespace, _arguments: list[str]) -> int:
    """Run benchmarks."""
    arguments = [*options.names, *(["--json", options.json] if options.json else [])]
    return run_module(make_environment("train"), "tests.bench", arguments)


def command_train(options: argparse.Namespace, arguments: list[str]) -> int:
    """Rebuild one file of models/."""
    environment, module = TRAINING[options.name]
    return run_module(make_environment(environment), module, arguments)


def command_build(options: argparse.Namespace, _arguments: list[str]) -> int:
    """Make the extension's zips in dist/ and check them, or the zip of the papers' large models."""
    from release import build, papers  # parse on the wanted Python only

    if options.papers:
        papers.build(ROOT, Path(options.models) if options.models else papers.folder(), ROOT / "dist")
        return DONE

    order = build.Order(
        ROOT,
        ROOT / "dist",
        make_environment("main"),
        options.cuda,
        tuple(options.platform or ()),
        tuple(options.python or ()),
    )
    build.build(order)
    return DONE


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="make.py", description="The one door of AU Mocap: environments, demo, tests, benchmarks, training, zip."
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    demo = commands.add_parser("demo", help="a clip in, a keyed head out: demo.blend, take, table, contact sheet")
    demo.add_argument("video", nargs="?", help="the actor's video; without it a sample clip is fetched")
    demo.add_argument("--out", metavar="DIR", help="folder for the results")
    demo.set_defaults(run=command_demo)

    test = commands.add_parser(
        "test",
        help="lint, types and all tests",
        description="Lint, types and all tests. Further arguments go to pytest: make.py test -k video, "
        "make.py test tests/core/test_video.py -x",
    )
    test.set_defaults(run=command_test, passes_on=True)

    build = commands.add_parser("build", help="the installable extension, into dist/: one zip for each platform")
    build.add_argument("--cuda", action="store_true", help="with NVIDIA's CUDA: a large zip for each Python")
    build.add_argument("--papers", action="store_true", help="only the extra zip of the papers' models over 40 MB")
    build.add_argument("--models", metavar="DIR", help="with --papers: where they were trained to")
    build.add_argument("--platform", action="append", metavar="NAME", help="linux-x64, windows-x64 or macos-arm64 only")
    build.add_argument("--python", action="append", metavar="VERSION", help="wheels for 3.11, 3.13 or 3.14 only")
    build.set_defaults(run=command_build)

    bench = commands.add_parser("bench", help="benchmarks as a table")
    bench.add_argument("names", nargs="*", metavar="NAME", help="which ones; all without a name")
    bench.add_argument("--json", metavar="FILE", help="write the figures to FILE too")
    bench.set_defaults(run=command_bench)

    train = commands.add_parser(
        "train", help="rebuild a file of models/", description="Further arguments, such as --smoke, go to the training."
    )
    train.add_argument("name", choices=sorted(TRAINING), metavar="NAME", help=", ".join(sorted(TRAINING)))
    train.set_defaults(run=command_train, passes_on=True)

    env = commands.add_parser("env", help="make an environment and print its Python")
    names = sorted([*ENVIRONMENTS, WINDOW])
    env.add_argument("name", nargs="?", default="main", choices=names, metavar="NAME", help=", ".join(names))
    env.set_defaults(run=command_env)
    return parser


def main(arguments: list[str]) -> int:
    """Run one command and return the exit code: 0 done, 1 failed, 2 bad usage or no fitting Python."""
    parser = make_parser()
    options, others = parser.parse_known_args(arguments)
    if others and not getattr(options, "passes_on", False):
        parser.error(f"unknown arguments: {' '.join(others)}")
    if sys.version_info[:2] != WANTED:
        try:
            return run_again_on(find_python(WANTED), arguments)
        except MakeError as error:
            say(f"make.py: {error}")
            return USAGE
        except KeyboardInterrupt:
            say("make.py: interrupted")
            return FAILED
    try:
        return options.run(options, others)
    except MakeError as error:
        say(f"make.py: {error}")
        return FAILED
    except KeyboardInterrupt:
        say("make.py: interrupted")
        return FAILED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
