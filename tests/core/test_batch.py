"""Lists of jobs go on past those that fail; the takes command lists, notes and relinks."""

import json
from pathlib import Path

import pytest

from au_mocap import batch, cli
from au_mocap.errors import LibraryError, TakeError
from au_mocap.library import notes
from tests.core.command_line import content_of
from tests.core.library_folders import put, shoot


def test_one_that_fails_stops_no_other() -> None:
    def work(item: int) -> str:
        if item == 2:
            message = "Two is no take."
            raise TakeError(message)
        return f"made {item}"

    results = list(batch.each([1, 2, 3], str, work))
    assert [result.state for result in results] == ["done", "failed", "done"]
    assert batch.headline(results) == "2 done, 1 failed."
    assert batch.report("Bake", results).splitlines()[3] == "failed     2: Two is no take."


def test_a_stop_cancels_what_is_left() -> None:
    done: list[str] = []
    results = list(batch.each("abc", str, lambda item: done.append(item) or "", lambda: not done))
    assert [result.state for result in results] == ["done", "cancelled", "cancelled"]
    assert done == ["a"]
    assert batch.headline([]) == "Nothing to do."


def test_bugs_are_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        list(batch.each([0], str, lambda item: str(1 / item)))


def test_videos_of_a_folder_get_takes_of_their_own(tmp_path: Path) -> None:
    for name in ("a.MP4", "x/shot.mov", "y/shot.mp4", "y/notes.txt", ".hidden/b.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"v")
    videos = batch.videos_of(tmp_path)
    outputs = batch.outputs_for(videos, tmp_path / "takes")
    assert [path.name for path in outputs.values()] == ["a.take.npz", "x shot.take.npz", "y shot.take.npz"]
    with pytest.raises(LibraryError):
        batch.videos_of(tmp_path / "nowhere")


def test_what_is_done_is_known_by_clip_and_regressor(tmp_path: Path) -> None:
    clip = tmp_path / "a.mp4"
    clip.write_bytes(b"picture")
    take = put(tmp_path, "a", clip)
    assert batch.is_done(take, clip, "geometry")
    assert not batch.is_done(take, clip, "standard")
    assert not batch.is_done(tmp_path / "b.take.npz", clip, "geometry")
    put(tmp_path, "a", clip, partial=True)
    assert not batch.is_done(take, clip, "geometry")
    put(tmp_path, "a", clip)
    clip.write_bytes(b"another picture")
    assert not batch.is_done(take, clip, "geometry")


def takes(*arguments: str | Path) -> int:
    return cli.main(["takes", *map(str, arguments)])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return shoot(tmp_path / "takes")


def stored(folder: Path) -> dict[str, bytes]:
    return {name: content for name, content in content_of(folder).items() if name.endswith(".npz")}


def test_takes_are_listed_and_noted_on_the_command_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert takes(folder, "actor:anna") == 0
    listed = capsys.readouterr().out
    assert "é moji 😀" in listed
    assert listed.endswith("2 takes\n")
    before = stored(folder)
    assert takes("--json", "--tag", "keep", "--untag", "smile", folder, "--", "-frown") == 0
    found = json.loads(capsys.readouterr().out)
    assert [each["tags"] for each in found] == [["hero take", "keep"], ["keep"], ["keep"]]
    assert stored(folder) == before
    assert takes(folder / "opening.take.npz", "--actor", "", "--note", "again") == 0
    assert notes.load(folder / "opening.take.npz") == notes.Notes("", ("hero take", "keep"), "again")


def test_what_goes_wrong_on_the_command_line_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert takes(folder / "nowhere") == 1
    assert "There is no folder" in capsys.readouterr().err
    (folder / "opening.take.json").write_text('{"version": 7}')
    assert takes(folder, "opening", "--tag", "x") == 1
    assert "newer AU Mocap" in capsys.readouterr().err
    assert notes.load(folder / "day 2" / "opening.take.npz").tags == ("smile", "x")
    assert takes(folder, "--tag", "a,b") == 1
    assert "no commas" in capsys.readouterr().err


def test_videos_are_found_again_on_the_command_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip = folder.parent / "a.mp4"
    clip.write_bytes(b"picture")
    put(folder, "a", clip)
    (folder.parent / "store").mkdir()
    clip.rename(folder.parent / "store" / "b.mp4")
    assert takes(folder, "is:missing", "--relink", folder.parent / "store") == 0
    told = capsys.readouterr()
    assert "1 of 1 videos found." in told.err
    assert "found" in told.out


def test_videos_that_are_done_are_skipped(
    single_face: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = tmp_path / single_face.name
    clip.write_bytes(single_face.read_bytes())
    arguments = ["extract", str(clip), "--regressor", "geometry", "--frames", "0:3", "--skip-done", "--device", "cpu"]
    assert cli.main(arguments) == 0
    assert "Wrote" in capsys.readouterr().err
    take = tmp_path / f"{clip.stem}.take.npz"
    written = take.stat().st_mtime_ns
    assert cli.main(arguments) == 0
    assert "Skipped" in capsys.readouterr().err
    assert take.stat().st_mtime_ns == written
