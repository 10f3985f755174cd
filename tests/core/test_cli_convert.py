"""`python -m au_mocap convert`: what it makes of its arguments, and what it leaves behind."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from au_mocap import channels, cli, exchange
from au_mocap import take as takes
from tests.core.command_line import content_of, rows_of, run
from tests.core.exchanged import codes, curve, llf, performance


def call(*arguments: str | Path) -> int:
    try:
        return cli.main([str(argument) for argument in arguments])
    except SystemExit as stop:
        return int(stop.code or 0)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return llf(tmp_path / "slate.csv", codes(200, 60), JawOpen=0.5, MouthSmileLeft=0.25)


def test_a_recording_becomes_a_take_beside_it(recording: Path) -> None:
    outcome = run("convert", recording)
    assert outcome.code == 0
    assert outcome.stderr == f"Wrote {recording.parent / 'slate.take.npz'}\n"
    take = takes.load(recording.parent / "slate.take.npz")
    assert len(take) == 200
    assert curve(take, "jaw_drop") == pytest.approx([0.5] * 200)


def test_a_recording_becomes_a_file_of_another_program(recording: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "a.txt"
    assert call("convert", recording, "-o", out, "--to", "face-cap") == 0
    assert exchange.detect(out).name == "face-cap"
    assert curve(exchange.read(out).take, "lip_corner_pull_L") == pytest.approx([0.25] * 200)


@pytest.mark.parametrize(("name", "form"), [("a.csv", "table"), ("a.json", "json")])
def test_endings_choose_our_own_formats(recording: Path, tmp_path: Path, name: str, form: str) -> None:
    assert call("convert", recording, "-o", tmp_path / name) == 0
    assert exchange.detect(tmp_path / name).name == form


def test_a_take_becomes_a_table_beside_it(recording: Path, tmp_path: Path) -> None:
    assert call("convert", recording) == 0
    assert call("convert", tmp_path / "slate.take.npz", "--to", "openface", "-o", tmp_path / "of.csv") == 0
    assert float(rows_of(tmp_path / "of.csv")[0]["AU26_r"]) == pytest.approx(2.5)
    recording.unlink()
    assert call("convert", tmp_path / "slate.take.npz") == 0
    assert float(rows_of(tmp_path / "slate.csv")[0]["jaw_drop"]) == pytest.approx(0.5)


def test_an_analysed_take_is_calibrated_as_extract_does(stored: Path, tmp_path: Path) -> None:
    assert call("extract", stored, "-o", tmp_path / "a.csv") == 0
    assert call("convert", stored, "-o", tmp_path / "b.csv") == 0
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    assert call("convert", stored, "--to", "live-link-face", "-o", tmp_path / "llf.csv") == 0
    back = exchange.read(tmp_path / "llf.csv").take
    wanted = [float(row["lip_corner_pull_L"]) for row in rows_of(tmp_path / "a.csv")]
    assert curve(back, "lip_corner_pull_L") == pytest.approx(wanted, abs=2e-5)


def test_settings_act_on_a_recording_when_they_are_asked_for(recording: Path, tmp_path: Path) -> None:
    assert call("convert", recording, "-o", tmp_path / "a.csv", "--neutral", "0-9", "--mirror") == 0
    row = rows_of(tmp_path / "a.csv")[0]
    assert (float(row["jaw_drop"]), float(row["lip_corner_pull_R"])) == (0.0, 0.0)
    assert call("convert", recording, "-o", tmp_path / "b.csv", "--mirror") == 0
    assert float(rows_of(tmp_path / "b.csv")[0]["lip_corner_pull_R"]) == pytest.approx(0.25)


def test_extract_makes_tables_of_imported_takes_too(recording: Path, tmp_path: Path) -> None:
    assert call("convert", recording) == 0
    take = tmp_path / "slate.take.npz"
    assert call("extract", take, "-o", tmp_path / "a.csv", "--neutral", "none", "--smooth", "off") == 0
    assert float(rows_of(tmp_path / "a.csv")[7]["jaw_drop"]) == pytest.approx(0.5)


def test_eval_measures_imported_takes(recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("convert", recording) == 0
    (tmp_path / "truth.csv").write_text("frame,jaw_drop\n0,0.5\n1,0.4\n")
    assert call("eval", tmp_path / "slate.take.npz", tmp_path / "truth.csv", "--neutral", "none") == 0
    told = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("imported"))
    assert told.split()[3] == "0.050"  # mean absolute error


def test_rate_and_from(tmp_path: Path) -> None:
    take, curves = performance(frames=26)
    exchange.write(take, curves, tmp_path / "a.txt", "ifacialmocap", 50.0)
    assert call("convert", tmp_path / "a.txt", "--from", "ifacialmocap", "--rate", "50", "-o", tmp_path / "b.csv") == 0
    rows = rows_of(tmp_path / "b.csv")
    assert float(rows[-1]["time_s"]) == pytest.approx(1.0)
    jaw = channels.INDEX["jaw_drop"]
    np.testing.assert_allclose([float(row["jaw_drop"]) for row in rows[::2]], curves.values[:, jaw], atol=2e-5)


def test_notes_are_told(recording: Path, tmp_path: Path) -> None:
    text = recording.read_text().replace("MouthSmileRight", "Other")
    recording.write_text(text)
    outcome = run("convert", recording)
    assert "Note: 1 shape is missing (mouthSmileRight): its channels stay at rest" in outcome.stderr


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["convert"], "IN"),
        (["convert", "IN", "--rate", "fast"], "no frame rate"),
        (["convert", "IN", "--rate", "nan"], "no frame rate"),
        (["convert", "IN", "--rate", "0"], "no frame rate"),
        (["convert", "IN", "--from", "bvh"], "bvh"),
        (["convert", "IN", "--to", "bvh"], "bvh"),
        (["convert", "IN", "-o", "OUT.xyz"], "--to"),
        (["convert", "IN", "-o", "OUT.take.npz", "--to", "json"], "leave --to json out"),
        (["convert", "IN", "--neutral", "auto"], "act on other outputs"),
        (["convert", "IN", "--to", "live-link-face"], "its own result"),
        (["convert", "TAKE", "-o", "OUT.take.npz"], "a take already"),
        (["convert", "TAKE", "-o", "OUT.csv", "--from", "json"], "leave --from out"),
    ],
)
def test_bad_usage(
    recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: Sequence[str], part: str
) -> None:
    names = {"IN": str(recording), "TAKE": str(tmp_path / "a.take.npz")}
    before = content_of(tmp_path)
    wanted = [names.get(one, one.replace("OUT", str(tmp_path / "out"))) for one in arguments]
    assert call(*wanted) == 2
    error = capsys.readouterr().err
    assert error.startswith("Error: ")
    assert error.count("\n") == 1
    assert part in error
    assert content_of(tmp_path) == before


@pytest.mark.parametrize("arguments", [[], ["-o", "OUT.csv"], ["-o", "OUT.csv", "--to", "openface"]])
def test_what_cannot_be_read_writes_nothing(recording: Path, tmp_path: Path, arguments: list[str]) -> None:
    recording.write_text(recording.read_text() + "10:00:00:00,61,x\n1\n")
    before = content_of(tmp_path)
    outcome = run("convert", recording, *(one.replace("OUT", str(tmp_path / "out")) for one in arguments))
    outcome.fails("slate.csv", "line 202")
    assert content_of(tmp_path) == before


def test_existing_files_stay(recording: Path, tmp_path: Path) -> None:
    (tmp_path / "slate.take.npz").write_text("precious")
    run("convert", recording).fails("--overwrite")
    assert (tmp_path / "slate.take.npz").read_text() == "precious"
    assert call("convert", recording, "--overwrite") == 0
    assert takes.load(tmp_path / "slate.take.npz").is_imported


def test_a_rate_that_no_timecode_has(recording: Path, tmp_path: Path) -> None:
    arguments = ("-o", tmp_path / "a.csv", "--to", "live-link-face", "--rate", "59.94")
    assert call("convert", recording) == 0
    run("convert", tmp_path / "slate.take.npz", *arguments).fails("whole frames")
    assert not (tmp_path / "a.csv").exists()
