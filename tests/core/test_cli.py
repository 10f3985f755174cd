"""The command line as people use it: as a process, on real clips."""

import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from au_mocap import __version__
from au_mocap import take as takes
from au_mocap.registry import Registry
from au_mocap.take import Take
from tests.core.command_line import Outcome, content_of, environment, rows_of, run


def test_extract_writes_the_take_beside_the_video(single_face: Path, single_face_take: Take, tmp_path: Path) -> None:
    video = Path(shutil.copy(single_face, tmp_path / "an actor.v2.mp4"))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    outcome = run("extract", video, "--regressor", "geometry", "--device", "cpu", cwd=elsewhere)
    assert (outcome.code, outcome.stdout) == (0, "")
    path = tmp_path / "an actor.v2.take.npz"
    assert outcome.stderr.splitlines()[-1] == f"Wrote {path}"
    assert "72/72 frames, 72 faces" in outcome.stderr
    take = takes.load(path)
    np.testing.assert_allclose(take.values, single_face_take.values, atol=1e-5)
    assert sorted(content_of(tmp_path)) == ["an actor.v2.mp4", "an actor.v2.take.npz"]


def test_extract_to_a_folder_writes_take_and_table(single_face: Path, tmp_path: Path) -> None:
    outcome = run("extract", single_face, "-o", tmp_path / "new", "--frames", "10:14", "--smooth", "off")
    assert outcome.code == 0, outcome.stderr
    assert sorted(content_of(tmp_path)) == ["new/single_face.csv", "new/single_face.take.npz"]
    assert [row["frame"] for row in rows_of(tmp_path / "new" / "single_face.csv")] == ["10", "11", "12", "13"]
    assert "Neutral found with confidence" in outcome.stderr


def test_extract_several_videos(single_face: Path, face_noface: Path, tmp_path: Path) -> None:
    """One that fails does not keep the others from being done."""
    broken = tmp_path / "broken.mp4"
    broken.write_text("no video")
    out = tmp_path / "out"
    outcome = run("extract", single_face, broken, face_noface, "-o", out, "--frames", "0:3")
    assert outcome.code == 1
    assert outcome.error.startswith("Error: broken.mp4: ")
    assert outcome.stderr.splitlines()[-1] == "1 of 3 inputs failed."
    names = ["face_noface.csv", "face_noface.take.npz", "single_face.csv", "single_face.take.npz"]
    assert sorted(content_of(out)) == names


def test_take_is_exported_with_other_settings_in_no_time(stored: Path, tmp_path: Path) -> None:
    tables = {}
    for neutral in ("auto", "none", "60-62"):
        path = tmp_path / f"{neutral}.csv"
        outcome = run("extract", stored, "-o", path, "--neutral", neutral)
        assert outcome.code == 0, outcome.stderr
        tables[neutral] = [float(row["lip_corner_pull_L"]) for row in rows_of(path)]
    assert np.mean(tables["auto"][-20:]) > 0.3
    assert np.mean(tables["60-62"][58:64]) < 0.15
    assert tables["none"] != tables["auto"]
    before = stored.read_bytes()
    assert run("extract", stored, "-o", tmp_path / "folder").code == 0
    assert sorted(content_of(tmp_path / "folder")) == ["actor.csv"]
    assert stored.read_bytes() == before


def test_report_of_a_take_and_of_a_video(stored: Path, single_face: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    copy = Path(shutil.copy(stored, tmp_path))
    outcome = run("report", copy, "--against", stored)
    assert outcome.code == 0, outcome.stderr
    page = (tmp_path / "actor.report.html").read_text(encoding="utf-8")
    assert "Mean of these channels" in page
    assert page.count("data:image/jpeg") > 2
    assert run("report", copy, "-o", tmp_path / "actor.png").code == 0
    image = cv2.imread(str(tmp_path / "actor.png"))
    assert image is not None
    assert image.shape[1] > 1000
    outcome = run("report", single_face, "-o", tmp_path / "video.png", "--frames", "0:5")
    assert outcome.code == 0, outcome.stderr
    assert cv2.imread(str(tmp_path / "video.png")) is not None
    run("report", copy).fails("already exists", "--overwrite")
    assert run("report", copy, "--overwrite").code == 0


def test_models_lists_what_there_is(tmp_path: Path) -> None:
    (tmp_path / "registry.toml").write_text("version = 1\n[[regressor]]\nname = 'half'\n", encoding="utf-8")
    outcome = run("models", "--models", tmp_path)
    assert (outcome.code, outcome.stderr) == (0, "")
    assert "geometry 1" in outcome.stdout
    assert "onnx 2" in outcome.stdout
    registry = Registry()
    assert outcome.stdout.count("Ready.") == len(registry.regressors) + len(registry.trackers)
    assert "Broken: Entry 'half'" in outcome.stdout
    assert "CPUExecutionProvider" in outcome.stdout


def test_listing_whose_reader_goes_away() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "au_mocap", "models"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    stderr = process.stderr.read().decode()
    process.stderr.close()
    process.wait(60)
    assert "Traceback" not in stderr
    assert "Exception" not in stderr


def test_python_without_what_is_needed_says_where_to_find_one() -> None:
    code = "import runpy, sys; sys.modules['onnxruntime'] = None; runpy.run_module('au_mocap', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment())
    Outcome(done.returncode, done.stdout, done.stderr).fails("has no onnxruntime", "make.py env")


def test_version_and_help() -> None:
    assert run("--version").stdout == f"AU Mocap {__version__}\n"
    for command in ((), ("extract",), ("report",), ("models",)):
        outcome = run(*command, "--help")
        assert (outcome.code, outcome.stderr) == (0, "")
        assert "usage: python -m au_mocap" in outcome.stdout
