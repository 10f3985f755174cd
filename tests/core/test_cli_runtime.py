"""The command line on an onnxruntime in a folder."""

from pathlib import Path

import numpy as np
import pytest

from au_mocap import cli, sessions
from au_mocap import take as takes
from tests.core import runtimes
from tests.core.command_line import run

CLIP = Path(__file__).parents[1] / "data" / "rendered_performance.mp4"


def test_extract_gives_the_same_take(tmp_path: Path) -> None:
    folder = runtimes.real(tmp_path / "onnxruntime of mine")
    options = (CLIP, "--device", "cpu", "--frames", "0:20")
    assert run("extract", *options, "-o", tmp_path / "here.take.npz").code == 0
    outcome = run("extract", *options, "-o", tmp_path / "there.take.npz", "--runtime", folder)
    assert (outcome.code, outcome.stdout) == (0, ""), outcome.stderr
    assert "Warning" not in outcome.stderr
    here, there = takes.load(tmp_path / "here.take.npz"), takes.load(tmp_path / "there.take.npz")
    for name in ("values", "landmarks", "embedding", "head_rotation"):
        np.testing.assert_array_equal(getattr(there, name), getattr(here, name), err_msg=name)


def test_models_lists_devices_with_reasons(tmp_path: Path) -> None:
    listing = run("models")
    assert (listing.code, listing.stderr) == (0, "")
    assert "Devices of the installed onnxruntime (" in listing.stdout
    assert "CPU, CPUExecutionProvider: Works." in listing.stdout
    assert listing.stdout.count("Not here: ") + listing.stdout.count("Works.") == 4
    listing = run("models", "--runtime", runtimes.real(tmp_path))
    assert f"Devices of the onnxruntime in {tmp_path} (" in listing.stdout
    assert "CPU, CPUExecutionProvider: Works." in listing.stdout


def test_models_with_a_runtime_that_does_not_load_lists_all_the_same(tmp_path: Path) -> None:
    listing = run("models", "--runtime", runtimes.made_up(tmp_path, base="raise ImportError('no such library')"))
    assert (listing.code, listing.stderr) == (0, "")
    assert "Ready." not in listing.stdout
    assert "ImportError: no such library" in listing.stdout
    assert "Works." not in listing.stdout


@pytest.mark.parametrize("command", ["extract", "report", "eval", "models"])
def test_folder_without_a_runtime(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inputs = {"extract": [CLIP], "report": [CLIP], "eval": [CLIP, CLIP.with_suffix(".csv")], "models": []}[command]
    arguments = [command, *inputs, "--runtime", tmp_path]
    assert cli.main([str(argument) for argument in arguments]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.startswith(f"Error: There is no onnxruntime in {tmp_path}. Install one there")
    assert list(tmp_path.iterdir()) == []


def test_runtime_that_does_not_load_fails_in_one_line(tmp_path: Path) -> None:
    folder = runtimes.made_up(tmp_path, base="raise ImportError('no such library')")
    outcome = run("extract", CLIP, "-o", tmp_path / "a.csv", "--runtime", folder)
    outcome.fails("cannot be loaded: ImportError: no such library", "pip install --target")
    assert not (tmp_path / "a.csv").exists()


def test_fallback_is_warned_about(tmp_path: Path) -> None:
    outcome = run(
        *("extract", CLIP, "-o", tmp_path / "a.csv", "--frames", "0:2"),
        *("--device", "cuda", "--runtime", runtimes.real(tmp_path / "runtime")),
    )
    if "CUDAExecutionProvider" in sessions.available_providers():
        pytest.skip("the installed onnxruntime has CUDA")
    assert outcome.code == 0
    assert f"CUDAExecutionProvider is not part of the onnxruntime in {tmp_path / 'runtime'}" in outcome.stderr


def test_choice_ends_with_the_command(tmp_path: Path) -> None:
    folder = runtimes.real(tmp_path / "runtime")
    arguments = ["extract", CLIP, "-o", tmp_path / "a.csv", "--frames", "0:2", "--runtime", folder]
    assert cli.main([str(argument) for argument in arguments]) == 0
    assert sessions.runtime().name == "the installed onnxruntime"


def test_threads_are_a_small_number(capsys: pytest.CaptureFixture[str]) -> None:
    for wrong in ("-1", "65", "many", "1.5"):
        with pytest.raises(SystemExit):
            cli.main(["extract", "a.mp4", f"--threads={wrong}"])
        assert f"'{wrong}' is no number of threads: write 1 to 64" in capsys.readouterr().err
