"""Everything that is wrong with files: each fails with one line that names the file, and leaves nothing behind."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from au_mocap import channels, cli
from au_mocap import take as takes
from au_mocap.errors import OutputError
from au_mocap.registry import BUNDLED
from tests.core import clips
from tests.core.command_line import ROOT, content_of, environment, rows_of, run
from tests.core.conftest import GAP
from tests.core.takes import made_take


def test_missing_file(tmp_path: Path) -> None:
    run("extract", tmp_path / "gone.mp4").fails("gone.mp4")
    run("extract", tmp_path / "gone.take.npz", "-o", tmp_path / "a.csv").fails("There is no take", "gone.take.npz")
    run("report", tmp_path / "gone.mp4").fails("gone.mp4")
    assert content_of(tmp_path) == {}


def test_directory(tmp_path: Path) -> None:
    folder = tmp_path / "shots"
    folder.mkdir()
    (folder / "notes.txt").write_text("no pictures")
    run("extract", folder).fails(str(folder))
    (folder / "notes.txt").unlink()
    run("extract", folder).fails(str(folder))
    (tmp_path / "odd.take.npz").mkdir()
    run("extract", tmp_path / "odd.take.npz", "-o", tmp_path / "a.csv").fails("is a folder")
    assert content_of(tmp_path) == {}


def test_empty_file(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    run("extract", tmp_path / "empty.mp4").fails("empty.mp4", "0 bytes")
    assert list(content_of(tmp_path)) == ["empty.mp4"]


def test_text_renamed_to_mp4(tmp_path: Path) -> None:
    (tmp_path / "notes.mp4").write_text("These are my notes.\n" * 500)
    run("extract", tmp_path / "notes.mp4").fails("notes.mp4")
    assert list(content_of(tmp_path)) == ["notes.mp4"]


def test_truncated_mp4_is_used_as_far_as_it_goes(single_face: Path, tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole.mp4", tmp_path / "cut.mp4"
    clips.ffmpeg("-i", single_face, "-c", "copy", "-movflags", "+faststart", whole)
    content = whole.read_bytes()
    cut.write_bytes(content[: int(0.6 * len(content))])
    outcome = run("extract", cut)
    assert outcome.code == 0, outcome.stderr
    warnings = [line for line in outcome.stderr.splitlines() if line.startswith("Warning: ")]
    assert len(warnings) == 1
    assert "cut.mp4 was cut off" in warnings[0]
    take = takes.load(tmp_path / "cut.take.npz")
    assert 15 < len(take) < 70
    assert take.found.all()


def test_truncated_mp4_without_its_index(single_face: Path, tmp_path: Path) -> None:
    """The index of most files stands at the end: nothing can be read of these."""
    behind = tmp_path / "behind.mp4"
    clips.ffmpeg("-i", single_face, "-c", "copy", behind)
    content = behind.read_bytes()
    behind.write_bytes(content[: len(content) // 2])
    run("extract", behind).fails("behind.mp4")
    assert list(content_of(tmp_path)) == ["behind.mp4"]


@pytest.mark.parametrize("name", ["voice.mp4", "voice.wav"])
def test_audio_alone(tmp_path: Path, name: str) -> None:
    clips.ffmpeg("-f", "lavfi", "-i", "sine=frequency=440:duration=1", tmp_path / name)
    run("extract", tmp_path / name).fails(name)
    assert list(content_of(tmp_path)) == [name]


def test_one_frame_clip(single_face: Path, tmp_path: Path) -> None:
    clip = tmp_path / "one.mp4"
    clips.ffmpeg("-i", single_face, "-frames:v", "1", "-an", clip)
    outcome = run("extract", clip, "-o", tmp_path / "out")
    assert outcome.code == 0, outcome.stderr
    assert "1/1 frames, 1 faces" in outcome.stderr
    rows = rows_of(tmp_path / "out" / "one.csv")
    assert len(rows) == 1
    assert (float(rows[0]["time_s"]), rows[0]["found"]) == (0.0, "1")
    assert all(rows[0][channel_id] for channel_id in channels.IDS)
    assert run("report", tmp_path / "out" / "one.take.npz").code == 0


def test_folder_with_a_dot_keeps_its_whole_name(single_face: Path, tmp_path: Path) -> None:
    for name in ("shot.010", "shot.020"):
        (tmp_path / name).mkdir()
        clips.ffmpeg("-i", single_face, "-frames:v", "1", tmp_path / name / "frame_0001.png")
    outcome = run("extract", tmp_path / "shot.010", tmp_path / "shot.020", "-o", tmp_path / "out")
    assert outcome.code == 0, outcome.stderr
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {f"shot.0{number}{ending}" for number in (10, 20) for ending in (".csv", ".take.npz")}


def test_names_that_are_too_long(single_face: Path, tmp_path: Path) -> None:
    name = "a" * 300
    run("extract", tmp_path / f"{name}.mp4", "-o", tmp_path / "a.csv").fails("cannot be read")
    run("extract", single_face, "-o", tmp_path / f"{name}.csv").fails("Cannot write")


@pytest.mark.skipif(sys.platform == "win32", reason="no colons in names there")
def test_name_with_a_colon(single_face: Path, tmp_path: Path) -> None:
    shutil.copy(single_face, tmp_path / "12:30.mp4")
    outcome = run("extract", "12:30.mp4", "--frames", "0:1", cwd=tmp_path)
    assert outcome.code == 0, outcome.stderr


def test_table_that_cannot_be_replaced_leaves_the_take(
    single_face: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A spreadsheet that holds the table open, as Windows treats it."""

    def refuse(*_: object) -> None:
        message = "Cannot write single_face.csv (Permission denied): choose another place."
        raise OutputError(message)

    monkeypatch.setattr(cli.exchange, "write_csv", refuse)
    assert cli.main(["extract", str(single_face), "-o", str(tmp_path), "--frames", "0:2"]) == 1
    assert "Permission denied" in capsys.readouterr().err
    assert len(takes.load(tmp_path / "single_face.take.npz")) == 2


def test_one_picture(multi_face_image: Path, tmp_path: Path) -> None:
    """A single image is a clip of one frame."""
    outcome = run("extract", multi_face_image, "-o", tmp_path / "a.csv")
    assert outcome.code == 0, outcome.stderr
    assert rows_of(tmp_path / "a.csv")[0]["found"] == "1"


def test_no_face_at_all(no_face: Path, tmp_path: Path) -> None:
    outcome = run("extract", no_face, "-o", tmp_path / "new" / "a.take.npz")
    assert outcome.code == 1
    assert outcome.error.startswith("Error: No face was found in no_face.mp4: nothing was written.")
    assert list(tmp_path.iterdir()) == []


def test_face_that_leaves_and_returns(returning_clip: Path, tmp_path: Path) -> None:
    outcome = run("extract", returning_clip, "-o", tmp_path)
    assert outcome.code == 0, outcome.stderr
    assert "Warning" not in outcome.stderr
    rows = rows_of(tmp_path / "returning.csv")
    assert len(rows) == 60
    for index, row in enumerate(rows):
        cells = [row[name] for name in (*channels.IDS, "head_qw", "head_tx_m")]
        if index in GAP:
            assert (row["found"], float(row["confidence"])) == ("0", 0.0)
            assert set(cells) == {""}
        elif index not in range(GAP.stop, GAP.stop + 3):
            assert row["found"] == "1"
            assert all(cells)


def test_face_in_a_few_frames_alone_is_warned_about(single_face: Path, no_face: Path, tmp_path: Path) -> None:
    clip = tmp_path / "few.mp4"
    scale = "scale=640:360,setsar=1,fps=30,format=yuv420p"
    joined = f"[0:v]{scale},trim=end_frame=3[a];[1:v]{scale},trim=end_frame=40[b];[a][b]concat=n=2:v=1"
    clips.ffmpeg("-i", single_face, "-i", no_face, "-filter_complex", joined, "-an", clip)
    outcome = run("extract", clip)
    assert outcome.code == 0, outcome.stderr
    assert "Warning: a face was found in only 3 of 43 frames of few.mp4" in outcome.stderr
    assert takes.load(tmp_path / "few.take.npz").found.tolist() == [True] * 3 + [False] * 40


def test_unwritable_output(single_face: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept")
    for name in ("a.take.npz", "a.csv", "deeper/a.csv"):
        run("extract", single_face, "-o", tmp_path / "file" / name).fails("Cannot write", "choose another place")
    run("report", single_face, "-o", tmp_path / "file" / "a.png").fails("Cannot write")
    assert content_of(tmp_path) == {"file": b"kept"}


@pytest.mark.skipif(sys.platform == "win32", reason="limits the size of files, which Windows cannot")
def test_disk_that_fills_up_keeps_the_earlier_result(stored: Path, single_face: Path, tmp_path: Path) -> None:
    import resource

    def fill() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))

    (tmp_path / "a.take.npz").write_bytes(b"earlier")
    (tmp_path / "a.csv").write_bytes(b"earlier")
    outcome = run("extract", single_face, "-o", tmp_path / "a.take.npz", "--overwrite", preexec_fn=fill)
    assert outcome.code == 1
    assert f"Cannot write {tmp_path / 'a.take.npz'} (File too large)" in outcome.error
    outcome = run("extract", stored, "-o", tmp_path / "a.csv", "--overwrite", preexec_fn=fill)
    assert outcome.code == 1
    assert "File too large" in outcome.error
    assert content_of(tmp_path) == {"a.take.npz": b"earlier", "a.csv": b"earlier"}


def test_output_that_exists_is_refused_without_overwrite(single_face: Path, tmp_path: Path) -> None:
    for name in ("single_face.take.npz", "single_face.csv"):
        (tmp_path / name).write_bytes(b"earlier")
        run("extract", single_face, "-o", tmp_path / name).fails(name, "already exists", "--overwrite")
    run("extract", single_face, "-o", tmp_path).fails("already exists")
    assert set(content_of(tmp_path).values()) == {b"earlier"}
    outcome = run("extract", single_face, "-o", tmp_path, "--overwrite", "--frames", "0:2")
    assert outcome.code == 0, outcome.stderr
    assert len(takes.load(tmp_path / "single_face.take.npz")) == 2
    assert len(rows_of(tmp_path / "single_face.csv")) == 2


def test_failed_overwrite_keeps_the_earlier_result(no_face: Path, tmp_path: Path) -> None:
    (tmp_path / "a.take.npz").write_bytes(b"earlier")
    assert run("extract", no_face, "-o", tmp_path / "a.take.npz", "--overwrite", "--frames", "0:5").code == 1
    assert content_of(tmp_path) == {"a.take.npz": b"earlier"}


@pytest.mark.skipif(sys.platform == "win32", reason="needs a terminal of its own")
def test_interrupted_run_leaves_no_half_file(webcam_a: Path, tmp_path: Path) -> None:
    """Ctrl-C while frames are analysed, as a terminal sends it."""
    import pty

    (tmp_path / "a.take.npz").write_bytes(b"earlier")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "au_mocap", "extract", str(webcam_a), "-o", str(tmp_path / "a.take.npz"), "--overwrite"],
        stdout=theirs,
        stderr=theirs,
        env=environment(),
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    os.close(theirs)
    shown = b""
    until = time.monotonic() + 120
    while b" frames, " not in shown and time.monotonic() < until:
        shown += os.read(ours, 4096)
    process.send_signal(signal.SIGINT)
    code = process.wait(60)
    while True:
        try:
            chunk = os.read(ours, 4096)
        except OSError:  # the terminal's other end is closed
            break
        if not chunk:
            break
        shown += chunk
    os.close(ours)
    text = shown.decode()
    assert code == 1, text
    assert "Traceback" not in text
    assert text.splitlines()[-1] == "Interrupted: nothing more was written."
    assert "1337/1337" not in text
    assert content_of(tmp_path) == {"a.take.npz": b"earlier"}


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the engine and its models, to be damaged."""
    folder = tmp_path_factory.mktemp("installation")
    shutil.copytree(ROOT / "au_mocap", folder / "au_mocap", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(BUNDLED, folder / "models", ignore=shutil.ignore_patterns("demo_head*", "*.md"))
    return folder


@pytest.mark.parametrize(
    "name", ["accurate_head.onnx", "accurate_stage.onnx", "face_landmarks.onnx", "face_detector.onnx"]
)
def test_corrupted_model_file_is_named(installation: Path, single_face: Path, tmp_path: Path, name: str) -> None:
    model = installation / "models" / name
    content = model.read_bytes()
    damaged = bytearray(content)
    damaged[len(damaged) // 2] ^= 1
    try:
        options: dict[str, Any] = {"cwd": installation, "env": {**environment(), "PYTHONPATH": str(installation)}}
        model.write_bytes(damaged)
        run("extract", single_face, "-o", tmp_path / "a.csv", **options).fails(name, "damaged", "sha256", "Reinstall")
        assert "damaged" in run("models", **options).stdout
        model.unlink()
        run("extract", single_face, "-o", tmp_path / "a.csv", **options).fails(name, "cannot be read", "Reinstall")
    finally:
        model.write_bytes(content)
    assert list(tmp_path.iterdir()) == []


def test_foreign_and_newer_takes(stored: Path, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.take.npz"
    np.savez(tmp_path / "foreign.take", weights=np.zeros(3))
    assert foreign.exists()
    run("extract", foreign, "-o", tmp_path / "a.csv").fails("foreign.take.npz is not a take")
    foreign.write_bytes(stored.read_bytes()[:5000])
    run("report", foreign).fails("foreign.take.npz is not a take, or is damaged")
    assert list(content_of(tmp_path)) == ["foreign.take.npz"]


def test_neutral_frames_that_do_not_fit(stored: Path, tmp_path: Path) -> None:
    run("extract", stored, "-o", tmp_path / "a.csv", "--neutral", "70-75").fails("frame 72", "frames 0 to 71")
    takes.save(made_take(faceless=(2,)), tmp_path / "made.take.npz")
    run("extract", tmp_path / "made.take.npz", "-o", tmp_path / "a.csv", "--neutral", "1-3").fails("frame 2")
    assert list(content_of(tmp_path)) == ["made.take.npz"]


def test_folder_without_models(single_face: Path, tmp_path: Path) -> None:
    run("extract", single_face, "--models", tmp_path, "-o", tmp_path / "a.csv").fails("registry.toml")
    run("models", "--models", tmp_path / "gone").fails("gone")
