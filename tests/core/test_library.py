"""Folders of takes are listed: what is in them, quickly, whatever else lies there."""

import json
import os
import shutil
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from au_mocap.errors import LibraryError, TakeError
from au_mocap.library import index, scanning, summary
from au_mocap.take import load, save
from tests.core.library_folders import entries, put, shoot
from tests.core.takes import made_take


def test_a_summary_says_what_the_take_holds(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"not looked into")
    path = put(tmp_path, "one", clip, first_frame=7, partial=True)
    known, take = summary.read(path), load(path)
    assert (known.frames, known.first_frame, known.partial) == (len(take), 7, True)
    assert known.faces == pytest.approx(take.found.mean())
    assert known.duration_s == pytest.approx(len(take) / 25.0)
    assert (known.clip, known.clip_bytes, known.regressor) == ("clip.mp4", 15, "geometry")
    assert known.clip_sha256 == take.meta["source"]["sha256"]


def test_without_a_rate_the_times_tell_the_length(tmp_path: Path) -> None:
    take = made_take(meta={"source": {"name": "recording.csv"}, "regressor": {"name": "imported", "version": "1"}})
    save(take, tmp_path / "one.take.npz")
    assert summary.read(tmp_path / "one.take.npz").duration_s == pytest.approx(take.time_s[-1] - take.time_s[0])


def test_a_tree_is_listed_in_order(tmp_path: Path) -> None:
    listing = scanning.scan(shoot(tmp_path))
    assert [(each.folder, each.name) for each in listing.entries] == [
        ("", "opening"),
        ("day 2", "opening"),
        ("day 2", "untold"),
        ("day 2", "é moji 😀"),
    ]
    assert listing.complete
    assert not listing.problems
    assert [each.notes.actor for each in listing.entries] == ["Änna", "Bo", "", "anna"]


def test_only_what_changed_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, cache = shoot(tmp_path / "takes"), tmp_path / "cache"
    first = scanning.scan(folder, cache)
    read: list[str] = []
    real = summary.read
    fresh = index.Index(None).takes

    def counted(path: Path) -> summary.Summary:
        read.append(path.name)
        return real(path)

    monkeypatch.setattr(index.summary, "read", counted)
    assert fresh.read is real
    assert scanning.scan(folder, cache) == first
    assert read == []
    put(folder, "opening", partial=True)
    again = entries(folder, cache)
    assert read == ["opening.take.npz"]
    assert again["opening"].summary is not None
    assert again["opening"].summary.partial
    (folder / "day 2" / "untold.take.npz").unlink()
    assert len(entries(folder, cache)) == 3
    assert len(json.loads(next(cache.iterdir()).read_text())["takes"]) == 3


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"version": 99}', '{"version": 1, "takes": {"opening.take.npz": 3}}']
)
def test_a_damaged_index_is_made_anew(tmp_path: Path, content: str) -> None:
    folder, cache = shoot(tmp_path / "takes"), tmp_path / "cache"
    first = scanning.scan(folder, cache)
    kept = next(cache.iterdir())
    right = json.loads(kept.read_text())
    kept.write_text(content)
    assert scanning.scan(folder, cache) == first
    assert json.loads(kept.read_text()) == right
    row = right["takes"]["opening.take.npz"]
    kept.write_text(json.dumps({**right, "takes": {"opening.take.npz": [*row[:2], {"frames": "many"}]}}))
    assert scanning.scan(folder, cache) == first


def test_a_cache_that_cannot_be_written_costs_only_time(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file, no folder")
    assert len(scanning.scan(shoot(tmp_path / "takes"), tmp_path / "cache").entries) == 4


def damaged(folder: Path) -> dict[str, str]:
    """Files that are no takes, and what is told of each."""
    whole = put(folder, "whole").read_bytes()
    (folder / "cut.take.npz").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.take.npz").write_bytes(b"")
    (folder / "foreign.take.npz").write_bytes(b"PK\x05\x06 an archive of something else")
    np.savez(folder / "arrays.npz", a=np.zeros(3))
    (folder / "arrays.npz").rename(folder / "arrays.take.npz")
    newer = json.dumps({"version": 99})
    np.savez(folder / "newer.npz", meta=np.array(newer), found=np.ones(2, bool))
    (folder / "newer.npz").rename(folder / "newer.take.npz")
    np.savez(folder / "nested.npz", meta=np.array("[" * 100_000), found=np.ones(2, bool))
    (folder / "nested.npz").rename(folder / "nested.take.npz")
    return {
        "cut": "damaged",
        "empty": "damaged",
        "foreign": "damaged",
        "arrays": "no description",
        "newer": "newer AU Mocap",
        "nested": "cannot be read",
    }


def test_files_that_are_no_takes_are_told_and_stop_nothing(tmp_path: Path) -> None:
    problems = damaged(tmp_path)
    found = entries(tmp_path, tmp_path / "cache")
    again = entries(tmp_path, tmp_path / "cache")
    assert found == again
    assert found["whole"].problem == ""
    for name, words in problems.items():
        assert words in found[name].problem, name
        assert found[name].summary is None
        with pytest.raises(TakeError):
            load(tmp_path / f"{name}.take.npz")


def header(shape: str, kind: str) -> bytes:
    text = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}}}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


@pytest.mark.parametrize(
    ("member", "head"),
    [("meta.npy", header("()", "<U900000000")), ("found.npy", header("(90000000000,)", "|b1"))],
    ids=["description", "frames"],
)
def test_an_archive_that_unpacks_to_gigabytes_is_refused_unread(tmp_path: Path, member: str, head: bytes) -> None:
    path = tmp_path / "bomb.take.npz"
    save(made_take(), path)
    with zipfile.ZipFile(path) as whole:
        members = {name: whole.read(name) for name in whole.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, head + bytes(30_000_000) if name == member else content)
    assert "damaged" in entries(tmp_path)["bomb"].problem


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    folder = shoot(tmp_path / "takes")
    try:
        (folder / "day 2" / "back").symlink_to(folder, target_is_directory=True)
        (folder / "again").symlink_to(folder / "day 2", target_is_directory=True)
        (folder / "gone.take.npz").symlink_to(tmp_path / "nowhere")
    except OSError:
        pytest.skip("links are not to be had here")
    assert len(scanning.scan(folder).entries) == 4


@pytest.mark.skipif(sys.platform == "win32" or not hasattr(os, "geteuid"), reason="needs POSIX permissions")
def test_a_folder_that_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = shoot(tmp_path / "takes")
    closed = folder / "day 2"
    closed.chmod(0)
    if os.access(closed, os.R_OK):  # root may read everything: the system says no in its place
        real = os.scandir

        def refuse(path: str) -> object:
            if path == str(closed):
                raise PermissionError(13, "Permission denied", path)
            return real(path)

        monkeypatch.setattr(os, "scandir", refuse)
    try:
        listing = scanning.scan(folder)
    finally:
        closed.chmod(0o755)
    assert [each.name for each in listing.entries] == ["opening"]
    assert "day 2 cannot be read (Permission denied)" in listing.problems[0]
    assert not listing.complete


@pytest.mark.parametrize("name", ["nowhere", "x" * 300])
def test_a_folder_that_is_not_there_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(LibraryError, match="There is no folder"):
        scanning.scan(tmp_path / name)
    with pytest.raises(LibraryError, match="no take"):
        scanning.entry_of(tmp_path / f"{name}.take.npz")


def test_a_scan_can_be_stopped(tmp_path: Path) -> None:
    listing = scanning.scan(shoot(tmp_path / "takes"), tmp_path / "cache", lambda _count: False)
    assert listing.entries == ()
    assert not listing.complete
    assert not (tmp_path / "cache").exists()


def test_a_name_that_is_no_text_is_listed(tmp_path: Path) -> None:
    path = put(tmp_path, "plain")
    odd = os.fsencode(tmp_path) + b"/\xff\xfe.take.npz"
    try:
        os.rename(path, odd)  # noqa: PTH104 - a Path cannot say this
    except OSError:
        pytest.skip("this system has no such names")
    first, again = (scanning.scan(tmp_path, tmp_path / "cache").entries for _ in range(2))
    assert first == again
    assert first[0].summary is not None


def test_two_thousand_takes_are_read_by_their_description_alone(tmp_path: Path) -> None:
    """What is counted is bytes, not seconds: a take of ten minutes costs what one of a second does."""
    path = put(tmp_path, "one")
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:  # a take whose large arrays are damaged is still listed
        for name, content in members.items():
            archive.writestr(name, b"broken" if name in ("landmarks.npy", "values.npy", "embedding.npy") else content)
    for number in range(20):
        shutil.copyfile(path, tmp_path / f"copy {number}.take.npz")
    assert all(each.summary is not None for each in entries(tmp_path).values())
