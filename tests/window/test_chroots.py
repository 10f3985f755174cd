"""What the window environments need, and what is said where something is missing."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.window import chroots
from tests.window.chroots import ChrootError


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AU_MOCAP_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("sources.list", "# deb http://old.example/debian x main\ndeb http://near.example/debian bookworm main\n"),
        ("sources.list.d/debian.sources", "Types: deb\nURIs: http://near.example/debian/\nSuites: bookworm\n"),
        ("sources.list.d/a.list", "deb [signed-by=/k.gpg] http://near.example/debian bookworm main\n"),
    ],
)
def test_the_mirror_is_apts_own(name: str, text: str, tmp_path: Path) -> None:
    other = tmp_path / "sources.list.d" / "0-other.list"
    other.parent.mkdir()
    other.write_text("deb https://packages.example/apt stable main\n", encoding="utf-8")
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert chroots.mirror_of(tmp_path) == "http://near.example/debian"


def test_without_a_mirror_it_says_what_to_add(tmp_path: Path) -> None:
    with pytest.raises(ChrootError, match="add one to apt's sources"):
        chroots.mirror_of(tmp_path)


def test_without_root_it_says_so(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(ChrootError, match="needs root"):
        chroots.make(chroots.RELEASES["5.2"])


def test_elsewhere_than_on_linux_it_says_so(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(ChrootError, match="needs Linux"):
        chroots.make(chroots.RELEASES["5.2"])


def test_without_apt_it_says_so(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "apt-get" else f"/bin/{name}")
    with pytest.raises(ChrootError, match="needs apt-get"):
        chroots.make(chroots.RELEASES["5.2"])


def test_a_full_disk_is_told_before_anything_is_made(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    monkeypatch.setattr(chroots, "check_machine", lambda: None)
    monkeypatch.setattr(chroots, "_SPACE_BYTES", 10**18)
    with pytest.raises(ChrootError, match="make room"):
        chroots.make(chroots.RELEASES["5.2"])
    assert not chroots.folder_of(chroots.RELEASES["5.2"]).exists()


@pytest.mark.parametrize("stamp", [None, "{", json.dumps({"suite": "sid", "packages": ["blender"]})])
def test_what_is_half_made_or_older_is_not_complete(stamp: str | None, cache: Path) -> None:
    release = chroots.RELEASES["5.2"]
    folder = chroots.folder_of(release)
    folder.mkdir(parents=True)
    if stamp is not None:
        (folder / "au_mocap_window.json").write_text(stamp, encoding="utf-8")
    assert not chroots.is_complete(release)


@pytest.mark.skipif(shutil.which("apt-get") is None or os.name == "nt", reason="needs a Debian machine")
def test_a_mirror_that_cannot_be_reached_is_told(monkeypatch: pytest.MonkeyPatch, cache: Path, tmp_path: Path) -> None:
    """Here debootstrap really runs and fails; the next run begins anew."""
    if shutil.which("debootstrap") is None or os.geteuid() != 0:
        pytest.skip("needs debootstrap and root")
    monkeypatch.setattr(chroots, "mirror_of", lambda: "http://127.0.0.1:9/debian")
    monkeypatch.setattr(chroots, "_SPACE_BYTES", 0)  # a machine short of room fails for that instead
    monkeypatch.setenv("no_proxy", "127.0.0.1")  # and a proxy would be asked in the mirror's place
    with pytest.raises(ChrootError, match=r"it failed .*Check the network"):
        chroots.make(chroots.RELEASES["5.2"])
    assert not chroots.is_complete(chroots.RELEASES["5.2"])
