"""Making zips: the list of wheels, what ships, what is refused. The zips themselves are made in tests/release."""

import hashlib
import os
import re
import sys
import tomllib
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from release import MakeError, ReleaseError, build, pin, sizes, staging, wheels
from release.build import Order
from release.wheels import Wheel

ROOT = Path(__file__).resolve().parents[2]
PYTHON = Path(sys.executable)
FILE = "clips-1.0-cp311-cp311-win_amd64.whl"


# The list of wheels ---------------------------------------------------------------------------------------------------


def test_the_list_serves_every_platform_and_python() -> None:
    listed = wheels.load()
    for platform in wheels.PLATFORMS:
        for python in wheels.PYTHONS:
            chosen = wheels.choose(listed, wheels.ENGINE, [platform], [python])
            assert [one.package for one in chosen] == list(wheels.ENGINE)
            assert all(one.platform == platform for one in chosen)
    for platform in build.CUDA_PLATFORMS:
        assert len(wheels.choose(listed, wheels.CUDA_ENGINE, [platform], ["3.13"])) == 2
    assert not [one for one in listed if one.file.startswith("numpy")], "numpy is Blender's own"


def test_the_list_follows_pyproject() -> None:
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    wheels.check_versions(wheels.load(), dependencies)
    newer = [one.replace("onnxruntime==1", "onnxruntime==2") for one in dependencies]
    with pytest.raises(ReleaseError, match=r"pyproject\.toml pins 2.*release\.pin"):
        wheels.check_versions(wheels.load(), newer)


def test_one_wheel_for_all_pythons_is_taken_once() -> None:
    chosen = wheels.choose(wheels.load(), wheels.ENGINE, ["linux-x64"], wheels.PYTHONS)
    assert len(chosen) == len(wheels.PYTHONS) + 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[[wheel]\n",
        "wheel = 3\n",
        '[[wheel]]\npackage = "a"\n',
        pin.entry(Wheel("clips", FILE, "0" * 64, "amiga", ("3.11",))),
        pin.entry(Wheel("clips", FILE, "0" * 64, "windows-x64", ("2.7",))),
        pin.entry(Wheel("clips", FILE, "short", "windows-x64", ("3.11",))),
        pin.entry(Wheel("clips", "clips.tar.gz", "0" * 64, "windows-x64", ("3.11",))),
    ],
)
def test_a_damaged_list_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "wheels.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ReleaseError, match=re.escape(str(path))):
        wheels.load(path)
    with pytest.raises(ReleaseError, match="not a list of wheels"):
        wheels.load(tmp_path / "nowhere.toml")


def test_entries_are_read_as_they_were_written(tmp_path: Path) -> None:
    wheel = Wheel("clips", FILE, "0" * 64, "windows-x64", ("3.11", "3.13"))
    (tmp_path / "wheels.toml").write_text(pin.entry(wheel), encoding="utf-8")
    assert wheels.load(tmp_path / "wheels.toml") == (wheel,)


def test_a_wheel_that_is_not_listed_is_named() -> None:
    with pytest.raises(ReleaseError, match=r"lists no onnxruntime-gpu for macos-arm64 and Python 3\.11"):
        wheels.choose(wheels.load(), wheels.CUDA_ENGINE, ["macos-arm64"], ["3.11"])


# Fetching -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Wheel:
    """A wheel for another platform on an index of its own: a folder that pip looks into, and nowhere else."""
    index = tmp_path / "index"
    index.mkdir()
    with zipfile.ZipFile(index / FILE, "w") as archive:
        archive.writestr("clips-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: clips\nVersion: 1.0\n")
        archive.writestr("clips-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: cp311-cp311-win_amd64\n")
        archive.writestr("clips-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("AU_MOCAP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    sha256 = hashlib.sha256((index / FILE).read_bytes()).hexdigest()
    return Wheel("clips", FILE, sha256, "windows-x64", ("3.11",))


def test_a_wheel_for_another_platform_is_fetched_once(wheel: Wheel, monkeypatch: pytest.MonkeyPatch) -> None:
    place = wheels.fetch(wheel, PYTHON)
    assert place == wheels.folder() / FILE
    monkeypatch.setenv("PIP_FIND_LINKS", "/nowhere")
    assert wheels.fetch(wheel, PYTHON) == place
    place.write_bytes(b"half of it")
    with pytest.raises(ReleaseError, match=f"could not fetch {FILE}.*Check the network"):
        wheels.fetch(wheel, PYTHON)


def test_a_damaged_wheel_is_fetched_again(wheel: Wheel) -> None:
    place = wheels.fetch(wheel, PYTHON)
    place.write_bytes(b"half of it")
    assert wheels.file_sha256(wheels.fetch(wheel, PYTHON)) == wheel.sha256


def test_a_replaced_wheel_is_refused_and_not_kept(wheel: Wheel) -> None:
    with pytest.raises(ReleaseError, match="altered or replaced"):
        wheels.fetch(replace(wheel, sha256="0" * 64), PYTHON)
    assert not [path for path in wheels.folder().rglob("*") if path.is_file()]


# What ships -----------------------------------------------------------------------------------------------------------


def test_the_manifest_passes() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    staging.check_manifest(staging.read_manifest(ROOT), project["version"], staging.engine_version(ROOT))


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"version": "9.9.9"}, r"version 9\.9\.9 in blender_manifest\.toml, pyproject\.toml says 0"),
        ({"tags": ["Animation", "Faces"]}, "no tag 'Faces'"),
        ({"permissions": {"files": "x" * 65}}, "the permission 'files'"),
        ({"permissions": {"files": "Read videos."}}, "no full stop"),
        ({"permissions": {"files": ""}}, "1 to 64"),
        ({"permissions": {"network": "Fetch models"}}, "nothing may leave the machine"),
        ({"wheels": ["./wheels/a.whl"]}, "wheels are added by the build"),
    ],
)
def test_a_manifest_that_the_platform_would_refuse(changed: dict[str, object], told: str) -> None:
    manifest = staging.read_manifest(ROOT) | {"version": "0.1.0"} | changed
    with pytest.raises(ReleaseError, match=told):
        staging.check_manifest(manifest, "0.1.0", "0.1.0")


def test_an_engine_of_another_version_is_told(tmp_path: Path) -> None:
    (tmp_path / "au_mocap").mkdir()
    (tmp_path / "au_mocap" / "__init__.py").write_text('__version__ = "0.0.9"\n', encoding="utf-8")
    found = staging.engine_version(tmp_path)
    manifest = staging.read_manifest(ROOT) | {"version": "0.1.0"}
    with pytest.raises(ReleaseError, match=r"0\.0\.9 in au_mocap/__init__\.py"):
        staging.check_manifest(manifest, "0.1.0", found)


def test_a_missing_manifest_is_told(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="restore it"):
        staging.read_manifest(tmp_path)


def test_the_completed_manifest_says_the_rest_unchanged() -> None:
    text = (ROOT / staging.MANIFEST).read_text(encoding="utf-8")
    completed = tomllib.loads(staging.completed(text, ["a.whl", "b.whl"], ["linux-x64"]))
    assert completed.pop("wheels") == ["./wheels/a.whl", "./wheels/b.whl"]
    assert completed.pop("platforms") == ["linux-x64"]
    before = tomllib.loads(text)
    del before["platforms"]
    assert completed == before


@pytest.mark.parametrize("text", ["", 'id = "a"\n', 'platforms = ["linux-x64"]\n', "[build]\n"])
def test_a_manifest_without_room_for_wheels_is_refused(text: str) -> None:
    with pytest.raises(ReleaseError, match="platforms"):
        staging.completed(text, ["a.whl"], ["linux-x64"])


GOOD = ["__init__.py", "au_mocap/take.py", "models/LICENSE-APACHE-2.0.txt", "LICENSE", "THIRD_PARTY.md"]


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ([*GOOD, "tests/test_a.py"], "would hold tests"),
        ([*GOOD, "training/demo.py", "notes.txt"], "notes.txt, training"),
        ([*GOOD, "au_mocap/__pycache__/take.pyc"], "__pycache__"),
        ([*GOOD, "models/mine.take.npz"], "mine.take.npz"),
        ([name for name in GOOD if name != "LICENSE"], "would lack LICENSE"),
        ([name for name in GOOD if "APACHE" not in name], "would lack models/LICENSE"),
    ],
)
def test_what_does_not_belong_into_a_zip_is_told(names: list[str], told: str) -> None:
    staging.check_content(GOOD)
    with pytest.raises(ReleaseError, match=told):
        staging.check_content(names)


def test_sizes_are_told_by_part_and_limited(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("wheels/clips-1.0-cp311-cp311-win_amd64.whl", bytes(3_000_000))
        archive.writestr("models/a.onnx", bytes(1_000_000))
        archive.writestr("models/b.onnx", bytes(1_000_000))
        archive.writestr("ui/a.py", bytes(500_000))
    assert sizes.shares(path) == [("clips-1.0-cp311", 3.0), ("models", 2.0), ("code and texts", 0.5)]
    assert "3.0 MB  clips-1.0-cp311" in sizes.report(path)
    sizes.check(path, limit_mb=6.0)
    with pytest.raises(ReleaseError, match=r"5\.5 MB, more than 5.*clips-1\.0-cp311 with 3\.0 MB"):
        sizes.check(path, limit_mb=5.0)


# Orders ---------------------------------------------------------------------------------------------------------------


def test_one_run_serves_all_platforms_and_cuda_needs_one_for_each_python() -> None:
    plain = list(build.parts(Order(ROOT, ROOT, PYTHON), wheels.load()))
    assert [(one.suffix, len(one.platforms), len(one.wheels)) for one in plain] == [("", 3, 12)]
    cuda = list(build.parts(Order(ROOT, ROOT, PYTHON, cuda=True), wheels.load()))
    assert [one.suffix for one in cuda] == ["-cuda12-py311", "-cuda12-py313", "-cuda12-py314"]
    assert all(one.platforms == build.CUDA_PLATFORMS and len(one.wheels) == 4 for one in cuda)
    assert {wheel.package for one in cuda for wheel in one.wheels} == {"onnxruntime-gpu", "opencv-python-headless"}


@pytest.mark.parametrize(
    ("order", "told"),
    [
        (Order(ROOT, ROOT, PYTHON, platforms=("amiga",)), "amiga is not built here: choose from linux-x64"),
        (Order(ROOT, ROOT, PYTHON, pythons=("2.7",)), r"2\.7 is not built here: choose from 3\.11"),
        (Order(ROOT, ROOT, PYTHON, cuda=True, platforms=("macos-arm64",)), "macos-arm64 is not built with CUDA"),
    ],
)
def test_unknown_platforms_are_told(order: Order, told: str) -> None:
    with pytest.raises(ReleaseError, match=told):
        list(build.parts(order, wheels.load()))


def test_a_missing_tool_is_told(tmp_path: Path) -> None:
    python = tmp_path / "bin" / "python"
    with pytest.raises(MakeError, match="extension tool is missing"):
        build.build(Order(ROOT, tmp_path / "dist", python))
    assert not list((tmp_path / "dist").iterdir()), "nothing is left half made"
