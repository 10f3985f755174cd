"""Folders of labels: what is written is read again, and what others make of them is refused with a reason."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from au_mocap import annotation, channels
from au_mocap.annotation import ClipFacts, Labels, TakeFacts, names
from au_mocap.annotation.editing import Editing
from au_mocap.annotation.journal import Journal
from au_mocap.errors import AnnotationError, OutputError
from tests.core import labelled
from tests.core.labelled import COLUMNS, table_of

NAN = np.nan


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One coder, two frames."""
    folder = tmp_path / "actor.annotation"
    labels = labelled.labels([3, 7], [True, False], jaw_drop=[0.25, 0.5], lip_corner_pull_L=[NAN, 1.0])
    annotation.save(labelled.annotation({"Anna": labels}), folder)
    return folder


def refused(folder: Path, *parts: str) -> None:
    """Checks that loading fails with one line that holds all parts."""
    with pytest.raises(AnnotationError) as raised:
        annotation.load(folder)
    message = str(raised.value)
    assert "\n" not in message
    for part in parts:
        assert part in message


def same(a: Labels, b: Labels) -> bool:
    return all(
        np.array_equal(getattr(a, name), getattr(b, name), equal_nan=name == "values")
        for name in ("frames", "time_s", "key", "values")
    )


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    values = annotation.rounded(random.uniform(size=(40, 58)))
    values[random.uniform(size=values.shape) < 0.5] = NAN
    anna = Labels(np.arange(40) * 2, np.arange(40) / 25, random.uniform(size=40) < 0.5, values).without_empty()
    bo = labelled.labels([0], jaw_drop=[0.0])
    stored = labelled.annotation({"Anna Ö": anna, "Bo": bo}, ids=channels.IDS, name="ä, b.mp4", sha256=None)
    stored = annotation.Annotation(stored.clip, stored.channels, stored.coders, TakeFacts("/a.take.npz", "full"), anna)
    folder = tmp_path / "deep" / "a.annotation"
    annotation.save(stored, folder)
    found = annotation.load(folder)
    assert (found.clip, found.take, found.channels) == (stored.clip, stored.take, channels.IDS)
    assert isinstance(found.clip, ClipFacts)
    assert list(found.coders) == ["Anna Ö", "Bo"]
    assert same(found.coders["Anna Ö"], anna)
    assert same(found.coders["Bo"], bo)
    assert found.agreed is not None
    assert same(found.agreed, anna)


def test_the_form_is_the_one_that_is_described(folder: Path) -> None:
    assert table_of(folder).read_text(encoding="utf-8").splitlines() == [
        "frame,time_s,key,jaw_drop,lip_corner_pull_L,lip_corner_pull_R",
        "3,0.120000,1,0.25,,",
        "7,0.280000,0,0.50,1.00,",
    ]
    document = json.loads((folder / "annotation.json").read_text(encoding="utf-8"))
    assert document["format"] == "au_mocap annotation"
    assert document["version"] == 1
    assert document["channels"] == list(COLUMNS)
    assert set(document["clip"]) == {"name", "path", "size_bytes", "sha256", "frames", "rate_hz"}


def test_tables_of_spreadsheets_are_read(folder: Path) -> None:
    """A mark in front, other line ends, other order of rows and columns, further decimals, rows that say nothing."""
    text = "\ufeffkey,frame,time_s,lip_corner_pull_R,jaw_drop,lip_corner_pull_L\r\n1,7,.28,, 0.123,1\r\n,,,,,\r\n"
    table_of(folder).write_text(text + "0,3,0.12,0,,\r\n1,9,0.5,,,\r\n", encoding="utf-8", newline="")
    labels = annotation.load(folder).coders["Anna"]
    wanted = labelled.labels(
        [3, 7], [False, True], jaw_drop=[NAN, 0.12], lip_corner_pull_L=[NAN, 1], lip_corner_pull_R=[0, NAN]
    )
    assert same(labels, wanted)


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("", ("line 1", "lacks", "frame")),
        ("frame,time_s,jaw_drop,lip_corner_pull_L,lip_corner_pull_R\n", ("lacks", "'key'", "put it back")),
        ("frame,time_s,key,jaw_drop\n", ("lacks", "lip_corner_pull_L")),
        ("frame,time_s,key,jaw_drop,lip_corner_pull_L,lip_corner_pull_R,mood\n", ("'mood'", "annotation.json")),
        ("frame,time_s,key,jaw_drop,jaw_drop,lip_corner_pull_L,lip_corner_pull_R\n", ("twice", "jaw_drop")),
        ("frame;time_s;key;jaw_drop;lip_corner_pull_L;lip_corner_pull_R\n", ("commas",)),
        ("{}1,0.04,1,0,25,,\n", ("line 2", "7 cells for 6", "point")),
        ('{}1,0.04,1,"0,25",,\n', ("line 2", "column jaw_drop", "point")),
        ("{}1,0.04,1,1.2,,\n", ("line 2", "column jaw_drop", "0.00 to 1.00")),
        ("{}1,0.04,1,-0.01,,\n", ("line 2", "column jaw_drop")),
        ("{}1,0.04,1,,nan,\n", ("column lip_corner_pull_L", "'nan'")),
        ("{}1,0.04,1,=1+1,,\n", ("'=1+1'",)),
        ("{}1,0.04,1,0_1,,\n", ("'0_1'",)),
        ("{}1.5,0.04,1,0,,\n", ("column frame", "whole number")),
        ("{}-1,0.04,1,0,,\n", ("column frame",)),
        ("{}x,0.04,1,0,,\n", ("column frame", "'x'")),
        ("{}1e99,0.04,1,0,,\n", ("column frame",)),
        ("{}100,4,1,0,,\n", ("frame 100", "behind the end", "last is 99")),
        ("{}1,inf,1,0,,\n", ("column time_s",)),
        ("{}1,0.04,2,0,,\n", ("column key", "1 where")),
        ("{}1,0.04,1,0,,\n2,0.08,1,0,,\n1,0.04,1,0,,\n", ("line 4", "frame 1 stands in line 2")),
        ("{}1,0.04,1,0,,\n2,0.04,1,0,,\n", ("line 3", "frame 2", "not later")),
        ("{}1,0.04,1\n", ("line 2", "3 cells")),
        ('{}1,0.04,1,"0,,\n', ("line 2",)),
    ],
)
def test_a_table_with_a_fault_names_file_line_and_column(folder: Path, content: str, parts: tuple[str, ...]) -> None:
    heading = "frame,time_s,key,jaw_drop,lip_corner_pull_L,lip_corner_pull_R\n"
    table_of(folder).write_text(content.replace("{}", heading), encoding="utf-8")
    refused(folder, "Anna.csv", *parts)


def test_what_is_no_text_is_refused(folder: Path) -> None:
    table_of(folder).write_bytes(b"frame,time_s\xff\xfe")
    refused(folder, "Anna.csv", "UTF-8")


def test_a_million_rows_are_refused_at_once(folder: Path) -> None:
    heading = "frame,time_s,key,jaw_drop,lip_corner_pull_L,lip_corner_pull_R\n"
    table_of(folder).write_text(heading + "1,0.04,1,0.5,,\n" * 1_000_000, encoding="utf-8")
    started = time.process_time()
    refused(folder, "Anna.csv", "1,000,001 lines", "200,000")
    assert time.process_time() - started < 20.0


def changed(**fields: object) -> Callable[[dict], dict]:
    return lambda document: {**document, **fields}


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (changed(format="other"), "format is 'other'"),
        (changed(version=2), "update"),
        (changed(version=True), "'version' must be a number"),
        (changed(mood=1), "'mood'"),
        (changed(clip=[]), "'clip' must be an object"),
        (changed(clip={"name": "a", "path": "b", "frames": 0, "rate_hz": 25}), "frames of 1 or more"),
        (changed(clip={"name": "a", "path": "b", "frames": "9", "rate_hz": 25}), "'frames' must be a number"),
        (changed(clip={"name": 1, "frames": 9, "rate_hz": 25}), "'name' must be a text"),
        (changed(channels=[]), "'channels' must list"),
        (changed(channels=["jaw"]), "'jaw' is no channel"),
        (changed(channels=["jaw_drop", "jaw_drop"]), "twice"),
        (lambda _document: [], "must hold an object"),
    ],
)
def test_a_description_with_a_fault_is_told(folder: Path, change: Callable, part: str) -> None:
    path = folder / "annotation.json"
    path.write_text(json.dumps(change(json.loads(path.read_text(encoding="utf-8")))), encoding="utf-8")
    refused(folder, "annotation.json", part)


def test_what_is_no_folder_of_labels_is_refused(folder: Path) -> None:
    refused(folder / "coders", "no folder of labels", "NAME.annotation")
    (folder / "annotation.json").write_text('{"format": 1, "format": 2}', encoding="utf-8")
    refused(folder, "annotation.json", "twice")


@pytest.mark.parametrize(
    "name", ["", "  ", "a/b", "..", ".a", "a.", "CON", "com1.x", "=1+1", "@x", "-x", "a\nb", "a" * 61, "'a"]
)
def test_names_that_cannot_be_a_file_or_would_be_a_formula(name: str, tmp_path: Path) -> None:
    with pytest.raises(AnnotationError):
        annotation.check_coder(name)
    with pytest.raises(AnnotationError):
        annotation.save(labelled.annotation({name: Labels.empty()}), tmp_path / "a.annotation")
    assert not list(tmp_path.iterdir())


def test_names_are_kept_in_one_spelling() -> None:
    assert annotation.check_coder(" Zoe\u0308 2 ") == "Zo\u00eb 2"
    with pytest.raises(AnnotationError, match="share a file"):
        annotation.check_coder("ANNA", ["Anna"])
    assert names.harmless("=a") == "'=a"


def test_labels_that_fit_neither_clip_nor_columns_are_not_written(tmp_path: Path) -> None:
    late = labelled.annotation({"Anna": labelled.labels([100], jaw_drop=[0.5])})
    with pytest.raises(AnnotationError, match=r"Anna labels frame 100, but actor\.mp4 ends with frame 99"):
        annotation.save(late, tmp_path / "a.annotation")
    other = labelled.annotation({"Anna": labelled.labels([1], chin_raise=[0.5])})
    with pytest.raises(AnnotationError, match="chin_raise have no column in"):
        annotation.save(other, tmp_path / "a.annotation")


def test_labels_out_of_range_or_order_cannot_be_made() -> None:
    with pytest.raises(AnnotationError, match=r"0\.\.1"):
        labelled.labels([1], jaw_drop=[1.01])
    with pytest.raises(AnnotationError, match="increase"):
        labelled.labels([2, 2], jaw_drop=[0, 0])


# The journal --------------------------------------------------------------------------------------------------------


def test_changes_that_only_the_journal_holds_are_read(folder: Path) -> None:
    """As after a crash: a value changed, a frame added, another taken away, and a last line that was cut off."""
    editing = Editing(annotation.load(folder).coders["Anna"], np.arange(100) / 25)
    journal = Journal(table_of(folder), COLUMNS)
    jaw = channels.INDEX["jaw_drop"]
    for change in (editing.set_value(3, [jaw], 0.9), editing.set_value(5, [jaw], 0.6), editing.clear([7])):
        journal.add(change, [editing.time_s[frame] for frame in change])
    with table_of(folder).with_suffix(".journal").open("a", encoding="utf-8") as file:
        file.write("9,0.36,1,0.")
    found = annotation.load(folder).coders["Anna"]
    assert same(found, labelled.labels([3, 5], jaw_drop=[0.9, 0.6]))
    annotation.save_coder(folder, "Anna", found, COLUMNS)
    assert not table_of(folder).with_suffix(".journal").exists()
    assert same(annotation.load(folder).coders["Anna"], found)


def test_a_coder_who_has_only_begun_is_there(folder: Path) -> None:
    editing = Editing(Labels.empty(), np.arange(100) / 25)
    Journal(table_of(folder, "Bo"), COLUMNS).add(editing.set_value(1, [channels.INDEX["jaw_drop"]], 0.5), [0.04])
    assert annotation.load(folder).coders["Bo"].frames.tolist() == [1]


def test_a_damaged_journal_is_told(folder: Path) -> None:
    table_of(folder).with_suffix(".journal").write_text("frame,time_s\n1,2\n", encoding="utf-8")
    refused(folder, "Anna.journal", "line 1")


def test_a_change_that_is_written_in_part_spoils_none_after_it(folder: Path) -> None:
    """As on a full disk: files may grow by ten bytes more."""
    resource = pytest.importorskip("resource", reason="this system has no limit for files")
    editing, path = Editing(Labels.empty(), np.arange(100) / 25), table_of(folder, "Bo").with_suffix(".journal")
    journal, jaw = Journal(table_of(folder, "Bo"), COLUMNS), channels.INDEX["jaw_drop"]
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    for frame in (1, 2, 3):
        size = path.stat().st_size if path.exists() else 0
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, limits[1]))
        try:
            with pytest.raises(OutputError, match="not on the disk"):
                journal.add(editing.set_value(frame, [jaw], 0.9), [frame / 25])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        journal.add(editing.set_value(frame, [jaw], 0.5), [frame / 25])
    assert same(annotation.load(folder).coders["Bo"], labelled.labels([1, 2, 3], jaw_drop=[0.5, 0.5, 0.5]))


def test_a_clip_whose_name_holds_bytes_that_are_no_letters(folder: Path) -> None:
    stored = annotation.load(folder)
    named = replace(stored, clip=replace(stored.clip, path="/clips/\udcff.mp4"))
    annotation.save(named, folder)
    assert annotation.load(folder).clip == named.clip
