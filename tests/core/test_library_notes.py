"""Actor, tags and notes lie beside a take, and takes are found by them."""

import json
from pathlib import Path

import pytest

from au_mocap.errors import LibraryError, OutputError
from au_mocap.library import notes, query, scanning
from au_mocap.library.notes import Notes
from tests.core.library_folders import entries, put, shoot


def test_notes_are_kept_beside_the_take_which_stays_as_it_is(tmp_path: Path) -> None:
    take = put(tmp_path, "opening")
    before = take.read_bytes()
    notes.edit(take, actor=" Änna ", add_tags=["Smile", " smile", "", "hero take"], note="two\nlines")
    notes.edit(take, remove_tags=["HERO TAKE"], add_tags=["good"])
    assert notes.load(take) == Notes("Änna", ("Smile", "good"), "two\nlines")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["opening.take.json", "opening.take.npz"]
    assert take.read_bytes() == before


def test_nothing_noted_leaves_no_file(tmp_path: Path) -> None:
    take = put(tmp_path, "opening")
    notes.edit(take, remove_tags=["never there"])
    assert not notes.path_of(take).exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "cannot be used"),
        (b"[]", "holds no notes"),
        (b'{"version": 1, "actor": "a", "actor": "b"}', "twice"),
        (b'{"version": 2, "actor": "a"}', "newer AU Mocap"),
        (b'{"version": true}', "version is True"),
        (b'{"actor": "a"}', "version is None"),
        (b'{"version": 1, "colour": "red"}', "unknown fields 'colour'"),
        (b'{"version": 1, "actor": 3}', "must be texts"),
        (b'{"version": 1, "tags": "smile"}', "must be texts"),
        (b'{"version": 1, "tags": ["smile", 3]}', "must be texts"),
        (b'{"version": 1, "tags": ["a,b"]}', "is no tag"),
        (b'{"version": 1, "actor": "a\\nb"}', "one line"),
        (b'{"version": 1, "notes": "\xff"}', "UTF-8"),
        (b'{"version": 1, "notes": NaN}', "NaN"),
        (b'{"version": 1, "notes": "' + b"x" * 1_100_000 + b'"}', "larger than"),
    ],
)
def test_notes_that_cannot_be_read_are_told_and_never_replaced(tmp_path: Path, content: bytes, words: str) -> None:
    take = put(tmp_path, "opening")
    sidecar = notes.path_of(take)
    sidecar.write_bytes(content)
    with pytest.raises(LibraryError, match=r"opening\.take\.json") as caught:
        notes.load(take)
    assert words in str(caught.value)
    with pytest.raises(LibraryError):
        notes.edit(take, actor="Bo")
    assert sidecar.read_bytes() == content
    entry = entries(tmp_path)["opening"]
    assert entry.summary is not None, "the take itself is whole"
    assert words in entry.notes_problem
    assert entry.notes == Notes()


@pytest.mark.parametrize(
    "values", [{"actor": "x" * 201}, {"actor": "a\tb"}, {"add_tags": ["x" * 61]}, {"add_tags": ["a,b"]},
               {"add_tags": [str(number) for number in range(101)]}, {"note": "x" * 20_001}, {"video": "a\nb"}],
)  # fmt: skip
def test_what_cannot_be_noted_is_refused(tmp_path: Path, values: dict) -> None:
    take = put(tmp_path, "opening")
    with pytest.raises(LibraryError):
        notes.edit(take, **values)
    assert not notes.path_of(take).exists()


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    take = put(tmp_path, "opening")
    notes.path_of(take).mkdir()
    with pytest.raises(OutputError, match="Cannot write"):
        notes.edit(take, actor="Bo")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", 4),
        ("   ", 4),
        ("opening", 2),
        ("OPENING smile", 2),
        ("actor:anna", 2),
        ("actor:ÄNNA tag:smile", 1),
        ("anna -frown", 1),
        ("-actor:anna", 2),
        ("tag:smi", 2),
        ('tag:"hero take"', 1),
        ('"light leak', 1),
        ("note:leak", 1),
        ("e moji", 1),
        ("😀", 1),
        ("name:2/", 0),
        ("folder:day", 3),
        ("clip:actor.mp4", 4),
        ("regressor:geometry", 4),
        ("-regressor:geometry", 0),
        ("is:broken", 0),
        ("-is:broken", 4),
        ("tag:", 4),
        ("-", 4),
        ("what:ever", 0),
        ("nobody", 0),
    ],
)
def test_words_find_takes(tmp_path: Path, text: str, found: int) -> None:
    listed = scanning.scan(shoot(tmp_path)).entries
    assert len(query.search(listed, text)) == found


def test_states_are_found(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"picture")
    put(tmp_path, "gone", clip)
    put(tmp_path, "half", partial=True)
    clip.unlink()
    (tmp_path / "bad.take.npz").write_bytes(b"")
    listed = scanning.scan(tmp_path).entries
    for text, name in (("is:missing", "gone"), ("is:partial", "half"), ("is:broken", "bad")):
        assert [each.name for each in query.search(listed, text)] == [name]


def test_what_is_written_is_json_that_people_can_read(tmp_path: Path) -> None:
    take = put(tmp_path, "opening")
    notes.edit(take, actor="Änna")
    text = notes.path_of(take).read_text(encoding="utf-8")
    assert '"actor": "Änna"' in text
    assert json.loads(text)["version"] == notes.VERSION


def test_a_video_whose_name_holds_bytes_that_are_no_letters_is_noted(tmp_path: Path) -> None:
    take = put(tmp_path, "opening")
    notes.edit(take, video="/clips/\udcff.mp4")
    assert notes.load(take).video == "/clips/\udcff.mp4"


def test_notes_are_found_however_the_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notes.edit(put(tmp_path / "shots", "opening"), actor="Bo")
    monkeypatch.chdir(tmp_path)
    for folder in (".", "shots", "./shots/", "shots/../shots", tmp_path):
        (entry,) = scanning.scan(Path(folder)).entries
        assert entry.notes.actor == "Bo", folder
