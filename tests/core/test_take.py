"""Takes on disk: nothing lost, nothing half-written, and plain words for files that are no takes."""

import io
import json
import os
import pickle
import subprocess
import sys
import zipfile
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from au_mocap import take as takes
from au_mocap.errors import OutputError, TakeError
from au_mocap.files import check_writable, replacing
from au_mocap.take import Take
from tests.core.takes import made_take


def assert_same(one: Take, other: Take) -> None:
    for field in fields(Take):
        a, b = getattr(one, field.name), getattr(other, field.name)
        if isinstance(a, np.ndarray):
            assert a.dtype == b.dtype, field.name
            np.testing.assert_array_equal(a, b, err_msg=field.name)
        else:
            assert a == b, field.name


def stored_with(path: Path, **changes: object) -> Path:
    """A take file in which some arrays are others, or (None) missing."""
    takes.save(made_take(), path)
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files}
    arrays = {name: array for name, array in {**arrays, **changes}.items() if array is not None}
    with path.open("wb") as file:
        np.savez_compressed(file, **arrays)
    return path


def test_round_trip_loses_nothing(tmp_path: Path) -> None:
    take = made_take(embedding_size=16, meta={"source": {"name": "Schauspielerin ü.mov"}, "first_frame": 7, "n": None})
    takes.save(take, tmp_path / "a.take.npz")
    loaded = takes.load(tmp_path / "a.take.npz")
    assert_same(take, loaded)
    assert loaded.meta == take.meta
    takes.save(loaded, tmp_path / "b.take.npz")
    assert_same(loaded, takes.load(tmp_path / "b.take.npz"))
    assert loaded.first_frame == 7


def test_round_trip_of_a_real_take(tmp_path: Path, single_face_take: Take) -> None:
    takes.save(single_face_take, tmp_path / "a.take.npz")
    assert_same(single_face_take, takes.load(tmp_path / "a.take.npz"))


def test_version_is_in_the_file(tmp_path: Path) -> None:
    takes.save(made_take(), tmp_path / "a.take.npz")
    with np.load(tmp_path / "a.take.npz", allow_pickle=False) as archive:
        assert json.loads(str(archive["meta"]))["version"] == takes.VERSION


def test_real_take_fits_in_6_kb_a_frame(tmp_path: Path, single_face_take: Take) -> None:
    path = tmp_path / "a.take.npz"
    takes.save(single_face_take, path)
    assert path.stat().st_size <= 6 * 1024 * len(single_face_take)


def test_widest_take_fits_in_6_kb_a_frame(tmp_path: Path) -> None:
    path = tmp_path / "a.take.npz"
    takes.save(made_take(frames=200, faceless=(), embedding_size=512), path)  # noise: nothing for zip to find
    assert path.stat().st_size <= 6 * 1024 * 200


def test_missing_folder_is_made(tmp_path: Path) -> None:
    takes.save(made_take(), tmp_path / "new" / "deep" / "a.take.npz")
    assert takes.load(tmp_path / "new" / "deep" / "a.take.npz").found.sum() == 5


def test_failed_save_keeps_the_earlier_take(tmp_path: Path) -> None:
    path = tmp_path / "a.take.npz"
    takes.save(made_take(), path)
    before = path.read_bytes()
    unsayable = made_take(meta={"settings": object()})
    with pytest.raises(TypeError):
        takes.save(unsayable, path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="limits the size of files, which Windows cannot")
def test_full_disk_keeps_the_earlier_take(tmp_path: Path) -> None:
    path = tmp_path / "a.take.npz"
    takes.save(made_take(), path)
    before = path.read_bytes()
    code = (
        "import resource, sys; from pathlib import Path; from au_mocap import take; from au_mocap.errors import *\n"
        "from tests.core.takes import made_take\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try: take.save(made_take(), Path(sys.argv[1]))\n"
        "except OutputError as error: print(error)\n"
    )
    run = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
    assert run.stderr == ""
    assert run.stdout.startswith(f"Cannot write {path} (File too large)")
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


class Interruption(BaseException):
    """As KeyboardInterrupt, which pytest would take for its own."""


def interrupted_write(path: Path) -> None:
    with replacing(path) as temporary:
        temporary.write_text("half")
        raise Interruption


def test_interrupted_write_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("earlier")
    with pytest.raises(Interruption):
        interrupted_write(path)
    assert path.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [path]


def test_result_takes_its_place_in_one_step(tmp_path: Path) -> None:
    """The earlier file is never written into: another name of it keeps its content."""
    path, other = tmp_path / "a.csv", tmp_path / "b.csv"
    path.write_text("earlier")
    other.hardlink_to(path)
    with replacing(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "earlier"
    assert (path.read_text(), other.read_text()) == ("new", "earlier")


def test_temporary_file_lies_beside_with_the_same_suffix(tmp_path: Path) -> None:
    with replacing(tmp_path / "a.png") as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".png"
        assert not temporary.exists()
        temporary.write_text("x")
    assert (tmp_path / "a.png").read_text() == "x"


def test_unwritable_place_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "a.take.npz", tmp_path / ("n" * 300) / "a.take.npz"):
        with pytest.raises(OutputError, match="choose another place"):
            takes.save(made_take(), path)
        with pytest.raises(OutputError, match="choose another place"):
            check_writable(path, overwrite=True)


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="this user may write everywhere")
def test_folder_without_permission_is_an_output_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OutputError, match="Permission denied"):
            check_writable(tmp_path / "a.take.npz", overwrite=False)
    finally:
        tmp_path.chmod(0o700)


def test_check_leaves_nothing_behind(tmp_path: Path) -> None:
    check_writable(tmp_path / "new" / "a.csv", overwrite=False)
    assert list(tmp_path.iterdir()) == []


def test_check_refuses_folders_and_existing_files(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("earlier")
    with pytest.raises(OutputError, match=r"already exists.*--overwrite"):
        check_writable(path, overwrite=False)
    check_writable(path, overwrite=True)
    assert path.read_text() == "earlier"
    with pytest.raises(OutputError, match="is a folder"):
        check_writable(tmp_path, overwrite=True)


def test_missing_take(tmp_path: Path) -> None:
    with pytest.raises(TakeError, match="There is no take"):
        takes.load(tmp_path / "none.take.npz")
    with pytest.raises(TakeError, match="is a folder"):
        takes.load(tmp_path)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.9, 0.999])
def test_truncated_take(tmp_path: Path, share: float) -> None:
    path = tmp_path / "a.take.npz"
    takes.save(made_take(), path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(TakeError, match=r"a\.take\.npz is not a take, or is damaged"):
        takes.load(path)


def test_damaged_take_is_an_error_or_the_same_take(tmp_path: Path) -> None:
    """Bytes changed anywhere never pass unnoticed and never raise anything but a TakeError."""
    path = tmp_path / "a.take.npz"
    take = made_take(frames=2, faceless=())
    takes.save(take, path)
    content = path.read_bytes()
    random = np.random.default_rng(3)
    refused = 0
    for _ in range(400):
        damaged = bytearray(content)
        for place in random.integers(len(content), size=random.integers(1, 4)):
            damaged[place] ^= int(random.integers(1, 256))
        path.write_bytes(damaged)
        try:
            loaded = takes.load(path)
        except TakeError:
            refused += 1
        else:
            assert_same(take, loaded)
    assert refused > 300


def foreign_files() -> dict[str, bytes]:
    array, archive, document = io.BytesIO(), io.BytesIO(), io.BytesIO()
    np.save(array, np.arange(5))
    np.savez(archive, weights=np.arange(5))
    with zipfile.ZipFile(document, "w") as file:
        file.writestr("word/document.xml", "<w/>")
    return {
        "text": b"frame,time_s\n",
        "array": array.getvalue(),
        "archive of other arrays": archive.getvalue(),
        "document": document.getvalue(),
        "pickle": pickle.dumps({"time_s": [0.0]}),
        "array with an archive behind it": array.getvalue() + document.getvalue(),
    }


@pytest.mark.parametrize("kind", foreign_files())
def test_foreign_file(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.take.npz"
    path.write_bytes(foreign_files()[kind])
    with pytest.raises(TakeError, match=r"a\.take\.npz is not a take"):
        takes.load(path)


class Trap:
    """Betrays that it was unpickled."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, (os.environ["AU_MOCAP_TRAP"],)


def test_pickled_content_is_never_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AU_MOCAP_TRAP", str(tmp_path / "sprung"))
    array = np.array([Trap()], dtype=object)
    for name in ("landmarks", "channels", "meta"):
        path = stored_with(tmp_path / "a.take.npz", **{name: array})
        with pytest.raises(TakeError):
            takes.load(path)
    path.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(TakeError):
        takes.load(path)
    assert not (tmp_path / "sprung").exists()


def meta_json(**changes: object) -> np.ndarray:
    return np.array(json.dumps({"version": 1, **changes}))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"meta": meta_json(version=2)}, "made by a newer AU Mocap .take version 2."),
        ({"meta": meta_json(version=2), "landmarks": None}, "made by a newer AU Mocap"),
        ({"meta": np.array("{")}, "description cannot be read"),
        ({"meta": np.array("[1]")}, "description cannot be read"),
        ({"meta": np.array("{}")}, "description cannot be read"),
        ({"meta": np.array("[" * 100_000)}, "description cannot be read"),
        ({"meta": meta_json(regressor="geometry")}, "description has another form"),
        ({"meta": meta_json(first_frame="a")}, "description has another form"),
        ({"meta": None}, "no description"),
        ({"landmarks": None, "crop": None}, "it has no crop, landmarks"),
        ({"found": np.ones(5, bool)}, "found is .5,., expected .6,."),
        ({"time_s": np.float64(1.0)}, "damaged"),
        ({"time_s": np.zeros(6)}, "times do not increase"),
        ({"time_s": np.array([0, 1, np.nan, 3, 4, 5])}, "times do not increase"),
        ({"time_s": np.array(["a"] * 6)}, "wrong type"),
        ({"values": np.zeros((6, 3), np.float32)}, "values is .6, 3., expected .6, 58."),
        ({"embedding": np.float16(1.0)}, "embedding is"),
        ({"channels": np.array("jaw_drop")}, "wrong type"),
    ],
)
def test_take_with_wrong_content(tmp_path: Path, changes: dict[str, Any], problem: str) -> None:
    path = stored_with(tmp_path / "a.take.npz", **changes)
    with pytest.raises(TakeError, match=rf"a\.take\.npz.*{problem}"):
        takes.load(path)


def test_take_of_no_frames_is_refused() -> None:
    with pytest.raises(TakeError, match="no frames"):
        made_take(frames=0, faceless=())


def test_inconsistent_take_is_refused() -> None:
    with pytest.raises(TakeError, match="confidence"):
        replace(made_take(), confidence=np.zeros(3, np.float32))
