"""Bad usage: exit code 2 and one line. Most run in this process, because nothing but arguments is looked at."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from au_mocap import cli
from tests.core.command_line import run


def usage(capsys: pytest.CaptureFixture[str], arguments: Sequence[str | Path]) -> str:
    """The line that a wrong call gives."""
    try:
        code = cli.main([str(argument) for argument in arguments])
    except SystemExit as stop:
        code = stop.code
    captured = capsys.readouterr()
    assert code == 2, captured.err
    assert captured.out == ""
    assert captured.err.count("\n") == 1, captured.err
    assert captured.err.startswith("Error: ")
    return captured.err


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ("", "COMMAND"),
        ("extarct a.mp4", "extarct"),
        ("extract", "VIDEO"),
        ("extract a.mp4 --outptu b.csv", "--outptu"),
        ("extract a.mp4 --frames 5", "no frame range"),
        ("extract a.mp4 --frames 9:4", "no frame range"),
        ("extract a.mp4 --frames a:b", "no frame range"),
        ("extract a.mp4 --fov wide", "no field of view"),
        ("extract a.mp4 --fov 180", "1 to 170"),
        ("extract a.mp4 --fov nan", "no field of view"),
        ("extract a.mp4 --smooth mild", "mild"),
        ("extract a.mp4 --device tpu", "tpu"),
        ("extract a.mp4 --tracker dlib", "dlib"),
        ("extract a.mp4 --neutral smile", "auto, none, mean"),
        ("extract a.mp4 --neutral 5-", "auto, none, mean"),
        ("extract a.mp4 --neutral 1,,2", "auto, none, mean"),
        ("extract a.mp4 --neutral 20-10", "lower number first"),
        ("extract a.mp4 --neutral 0-99999999999", "too many"),
        ("extract a.mp4 -o a.txt", "NAME.take.npz, NAME.csv or a folder"),
        ("extract a.mp4 -o a.npz", "NAME.take.npz"),
        ("extract a.mp4 b.mp4 -o a.csv", "name a folder"),
        ("extract a/x.mp4 b/x.mp4 -o out", "share a name"),
        ("extract a.take.npz", "-o NAME.csv"),
        ("extract a.take.npz -o b.take.npz", "NAME.csv or a folder"),
        ("extract a.take.npz -o a.csv --frames 1:2 --fov 40", "--frames, --fov needs the video"),
        ("report a.mp4 -o a.jpg", "NAME.png"),
        ("report a.take.npz --against b.mp4", "NAME.take.npz"),
        ("report a.take.npz --against b.take.npz -o a.png", "NAME.html"),
        ("report", "TAKE_OR_VIDEO"),
    ],
)
def test_bad_usage_is_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: str, problem: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert problem in usage(capsys, arguments.split())
    assert list(tmp_path.iterdir()) == []


def test_bad_usage_as_a_process() -> None:
    run("extract").fails("VIDEO", "--help", code=2)


def test_take_of_another_regressor(capsys: pytest.CaptureFixture[str], stored: Path, tmp_path: Path) -> None:
    line = usage(capsys, ["extract", stored, "-o", tmp_path / "a.csv", "--regressor", "appearance"])
    assert "was made with 'geometry'" in line


def test_settings_that_a_take_does_not_keep_are_pointed_out(
    capsys: pytest.CaptureFixture[str], single_face: Path, tmp_path: Path
) -> None:
    arguments = ["extract", single_face, "-o", tmp_path / "a.take.npz", "--frames", "0:2", "--smooth", "strong"]
    assert cli.main([str(argument) for argument in arguments]) == 0
    assert "Note: a take keeps what was measured" in capsys.readouterr().err


def test_video_of_a_report_that_is_gone(stored: Path, tmp_path: Path) -> None:
    run("report", stored, "-o", tmp_path / "a.png", "--video", tmp_path / "gone.mp4").fails("gone.mp4")
    assert list(tmp_path.iterdir()) == []
