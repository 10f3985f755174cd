"""The editable table: its arithmetic, its file, and files that mean harm or hold mistakes."""

import json
import math
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from au_mocap import channels, mapping
from au_mocap.errors import MappingError, OutputError, SettingsError
from au_mocap.mapping import BoneTarget, Mapping, PropertyTarget, Row, ShapeKeyTarget

SMILE = ShapeKeyTarget("mouthSmileLeft")


def one_channel(row: Row, *values: float) -> list[float]:
    curves = mapping.evaluate(Mapping("m", (row,)), (row.channel,), np.array(values)[:, None])
    return curves[row.target].tolist()


def document(**changes: object) -> dict[str, Any]:
    """A mapping of one row as it stands in a file; `row__x` and `target__x` change the row and its target."""
    target: dict[str, Any] = {"kind": "shape_key", "name": "jawOpen"}
    row: dict[str, Any] = {"channel": "jaw_drop", "target": target}
    whole: dict[str, Any] = {"name": "mine", "version": 1, "rows": [row]}
    for key, value in changes.items():
        place, _, field = key.rpartition("__")
        {"": whole, "row": row, "target": target}[place][field] = value
    return whole


@pytest.mark.parametrize(
    ("settings", "value", "result"),
    [
        ({}, 0.3, 0.3),
        ({"gain": 2.0}, 0.3, 0.6),
        ({"gain": 2.0}, 0.8, 1.0),
        ({"gain": 2.0, "max": 3.0}, 0.8, 1.6),
        ({"gamma": 2.0}, 0.5, 0.25),
        ({"gamma": 0.5}, 0.25, 0.5),
        ({"gain": 0.5, "gamma": 2.0, "offset": 0.1}, 0.6, 0.28),
        ({"gain": -1.0, "offset": 1.0}, 0.3, 0.7),
        ({"gain": -1.0, "min": -1.0}, 0.3, -0.3),
        ({"gain": -1.0}, 0.3, 0.0),
        ({"offset": -0.2}, 0.1, 0.0),
        ({"min": 0.2}, 0.0, 0.2),
        ({"gain": 0.35, "max": 1.0}, 1.0, 0.35),
        ({"gamma": 3.0}, 0.0, 0.0),
    ],
)
def test_row_computes_its_equation(settings: dict[str, Any], value: float, result: float) -> None:
    assert one_channel(Row("jaw_drop", SMILE, **settings), value) == [pytest.approx(result)]


def test_faceless_frames_stay_empty() -> None:
    first, second = one_channel(Row("jaw_drop", SMILE, offset=0.5, min=0.2), math.nan, 0.1)
    assert math.isnan(first)
    assert second == pytest.approx(0.6)


def test_rows_on_one_target_add_in_the_order_of_the_table() -> None:
    chin = BoneTarget("jaw", "rotation", "x")
    rows = (Row("jaw_drop", chin, gain=0.4), Row("jaw_thrust", SMILE), Row("chin_raise", chin, gain=-0.2, min=-1.0))
    curves = mapping.evaluate(
        Mapping("m", rows), ("chin_raise", "jaw_drop", "jaw_thrust"), np.array([[0.5, 1.0, 0.1], [0.0, 0.5, 0.2]])
    )
    assert list(curves) == [chin, SMILE]
    np.testing.assert_allclose(curves[chin], [0.3, 0.2])
    np.testing.assert_allclose(curves[SMILE], [0.1, 0.2])


def test_sum_is_left_to_the_slider() -> None:
    rows = (Row("jaw_drop", SMILE), Row("jaw_thrust", SMILE))
    curves = mapping.evaluate(Mapping("m", rows), ("jaw_drop", "jaw_thrust"), np.array([[0.9, 0.8]]))
    np.testing.assert_allclose(curves[SMILE], [1.7])


def test_disabled_rows_and_absent_channels_are_left_out() -> None:
    rows = (Row("jaw_drop", SMILE, enabled=False), Row("jaw_thrust", ShapeKeyTarget("other")), Row("chin_raise", SMILE))
    curves = mapping.evaluate(Mapping("m", rows), ("jaw_drop", "chin_raise"), np.array([[0.9, 0.2]]))
    assert list(curves) == [SMILE]
    np.testing.assert_allclose(curves[SMILE], [0.2])


def test_same_name_on_two_objects_is_two_targets() -> None:
    rows = tuple(Row("jaw_drop", ShapeKeyTarget("jawOpen", mesh)) for mesh in ("Head", "Beard", None))
    assert len(mapping.evaluate(Mapping("m", rows), ("jaw_drop",), np.array([[0.5]]))) == 3


def test_unknown_columns_are_refused() -> None:
    with pytest.raises(SettingsError, match="jaw_dorp"):
        mapping.evaluate(Mapping("m", ()), ("jaw_dorp",), np.zeros((1, 1)))


@pytest.mark.parametrize("mean", channels.SIDES_OF)
def test_mean_and_side_at_once_are_refused(mean: str) -> None:
    left, right = channels.SIDES_OF[mean]
    for side in (left, right):
        rows = (Row(mean, SMILE), Row(side, ShapeKeyTarget("b")))
        with pytest.raises(MappingError, match=f"'{mean}' and its sides"):
            Mapping("m", rows)
        assert Mapping("m", (rows[0], replace(rows[1], enabled=False))).rows[0].channel == mean
    assert len(Mapping("m", (Row(left, SMILE), Row(right, SMILE))).rows) == 2


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"channel": "smile"}, "Unknown channel 'smile'"),
        ({"gamma": 0.0}, "gamma must be above 0"),
        ({"gamma": -1.0}, "gamma must be above 0"),
        ({"min": 0.5, "max": 0.4}, "min 0.5 is above max 0.4"),
        ({"gain": math.nan}, "finite"),
        ({"offset": math.inf}, "finite"),
    ],
)
def test_impossible_rows_are_refused(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(MappingError, match=problem):
        Row(**{"channel": "jaw_drop", "target": SMILE, **settings})


def test_round_trip(tmp_path: Path) -> None:
    rows = (
        Row("jaw_drop", BoneTarget("jaw", "rotation", "x"), gain=0.35, gamma=1.5, offset=0.1, min=-1.0, max=2.0),
        Row("look_in_L", PropertyTarget('["eye"]', "Rig", 2), enabled=False),
        Row("look_out_L", PropertyTarget("location", None, 0)),
        Row("lip_pucker", ShapeKeyTarget("Kußmund", "Kopf")),
        Row("lip_funnel", ShapeKeyTarget("Funnel")),
    )
    table = Mapping("Jürgens Rig", rows)
    mapping.save(table, tmp_path / "mine.json")
    assert mapping.load(tmp_path / "mine.json") == table
    assert "Kußmund" in (tmp_path / "mine.json").read_text(encoding="utf-8")


def test_optional_fields_have_defaults() -> None:
    assert mapping.from_document(document()).rows == (Row("jaw_drop", ShapeKeyTarget("jawOpen")),)


def test_empty_table_is_a_table() -> None:
    assert mapping.from_document(document(rows=[])) == Mapping("mine", ())


def test_file_with_a_mark_of_a_windows_editor(tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text(json.dumps(document()), encoding="utf-8-sig")
    assert mapping.load(tmp_path / "mine.json").name == "mine"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"nmae": "x"}, "the file has unknown field 'nmae'"),
        ({"row__gian": 2.0}, "row 1 has unknown field 'gian'"),
        ({"target__objct": "Head"}, "row 1: target has unknown field 'objct'"),
        ({"target__path": "rotation"}, "unknown field 'path'"),
        ({"version": 2}, "version is 2, this AU Mocap reads version 1"),
        ({"version": "1"}, "version is '1'"),
        ({"version": True}, "version is True"),
        ({"version": {"a": ["b" * 10_000] * 100}}, "version is {'a': "),
        ({"a" * 100_000: 1}, "unknown field 'aaaaaaaaaaaa"),
        ({"name": "a" * 1025}, "'name' is longer than 1024 characters"),
        ({"name": "\ud800"}, "'name' holds a character that no name can have"),
        ({"target__name": "jaw\0Open"}, "target 'name' holds a character that no name can have"),
        ({"row__channel": "\udfff"}, "row 1: 'channel' holds a character"),
        ({"name": ""}, "'name' must be a text"),
        ({"name": 3}, "'name' must be a text"),
        ({"rows": {}}, "'rows' must be a list"),
        ({"rows": ["jaw_drop"]}, "row 1 must be an object"),
        ({"rows": [document()["rows"][0]] * (mapping.MAX_ROWS + 1)}, "too many"),
        ({"row__channel": "jaw_dorp"}, "row 1: Unknown channel 'jaw_dorp'"),
        ({"row__channel": None}, "'channel' must be a text"),
        ({"row__enabled": 1}, "'enabled' must be true or false"),
        ({"row__gain": "2"}, "row 1: 'gain' must be a number"),
        ({"row__gain": True}, "row 1: 'gain' must be a number"),
        ({"row__gain": math.nan}, "NaN is not a finite number"),
        ({"row__max": math.inf}, "Infinity is not a finite number"),
        ({"row__min": -math.inf}, "-Infinity is not a finite number"),
        ({"target__object": math.nan}, "NaN is not a finite number"),
        ({"row__gain": 10**400}, "too large"),
        ({"row__gamma": 0}, "gamma must be above 0"),
        ({"row__target": None}, "row 1: target must be an object"),
        ({"row__target": {}}, "row 1: target kind None is none of shape_key, bone, property"),
        ({"target__kind": ["bone"]}, "target kind"),
        ({"target__name": ""}, "target 'name' must be a text"),
        ({"target__object": 3}, "target 'object' must be a text"),
        ({"row__target": {"kind": "bone", "bone": "jaw", "path": "rotation", "axis": "w"}}, "axis x, y or z"),
        ({"row__target": {"kind": "bone", "bone": "jaw", "path": "spin", "axis": "x"}}, "path location, rotation"),
        ({"row__target": {"kind": "bone", "bone": "jaw", "path": "scale"}}, "target 'axis' must be a text"),
        ({"row__target": {"kind": "property", "data_path": "x", "index": -1}}, "whole number from 0"),
        ({"row__target": {"kind": "property", "data_path": "x", "index": 1.5}}, "whole number from 0"),
        ({"row__target": {"kind": "property", "data_path": "x", "index": True}}, "whole number from 0"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, changes: dict[str, Any], problem: str) -> None:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(document(**changes)))
    with pytest.raises(MappingError, match=problem) as caught:
        mapping.load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert str(caught.value).count("row 1") <= 1
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"mapping"',
        b"\xff\xfe\x00",
        b"[" * 200_000,
        b'{"name": "x", "version": 1, "rows": ' + b"[" * 200_000,
        b'{"name": "x", "version": 1, "rows": [{"channel": "jaw_drop", "gain": ' + b"9" * 10_000 + b"}]}",
    ],
)
def test_hostile_file_is_a_mapping_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "mine.json").write_bytes(content)
    with pytest.raises(MappingError, match=r"mine\.json"):
        mapping.load(tmp_path / "mine.json")


def test_unknown_name_lists_the_choices(tmp_path: Path) -> None:
    for wrong in ("arkti", "", tmp_path, "../arkit"):
        with pytest.raises(MappingError, match="arkit"):
            mapping.load(wrong)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b'{"name": "J\xfcrgen", "version": 1, "rows": []}', "not UTF-8"),
        ('{"name": "x", "version": 1, "rows": []}'.encode("utf-16"), "not UTF-8"),
        (b'{"name": "x", "version": 1, "rows": [], "name": "y"}', "field 'name' is there twice"),
        (b'{"name": "x", "version": 1, "rows": [{"gain": 1, "gain": 2}]}', "'gain' is there twice"),
        (b'{"name": "x", "version": 1, "rows": [{"channel": "jaw_drop", "gain": 1e999, "target":'
         b' {"kind": "shape_key", "name": "a"}}]}', "finite"),
        (b"[" * 1_000_000 + b"]" * 1_000_000, "nested too deeply"),
        (b'{"a":' * 1_000_000 + b"1" + b"}" * 1_000_000, "nested too deeply"),
    ],
)  # fmt: skip
def test_unclear_file_is_refused(tmp_path: Path, content: bytes, problem: str) -> None:
    (tmp_path / "mine.json").write_bytes(content)
    with pytest.raises(MappingError, match=problem) as caught:
        mapping.load(tmp_path / "mine.json")
    assert str(caught.value).startswith(f"{tmp_path / 'mine.json'}: ")


def test_large_file_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(document()) + " " * mapping.MAX_BYTES)
    with pytest.raises(MappingError, match="larger than 8 MB"):
        mapping.load(path)
    with path.open("r+b") as file:
        file.truncate(mapping.MAX_BYTES)
    assert mapping.load(path).name == "mine"
    with path.open("r+b") as file:
        file.truncate(50_000_000_000)  # a hole, which takes no room on the disk
    started = time.process_time()
    with pytest.raises(MappingError, match="larger than 8 MB"):
        mapping.load(path)
    assert time.process_time() - started < 1.0


def test_fullest_table_that_is_allowed_fits(tmp_path: Path) -> None:
    target = PropertyTarget('pose.bones["a bone with a long name"]["a property with one"]', "An object's name", 3)
    row = Row("lip_corner_depress_R", target, -1.2345678901234567, 0.1234567890123456, -0.1, -1000.5, 1000.5, False)
    mapping.save(Mapping("m", (row,) * mapping.MAX_ROWS), tmp_path / "full.json")
    assert (tmp_path / "full.json").stat().st_size < mapping.MAX_BYTES / 1.5
    assert len(mapping.load(tmp_path / "full.json").rows) == mapping.MAX_ROWS


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(MappingError, match="No mapping"):
        mapping.load(tmp_path / "pipe.json")
    with pytest.raises(MappingError, match="No mapping"):
        mapping.load("pipe", (tmp_path,))


def test_names_never_leave_their_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "mappings"
    for place in (tmp_path, folder / "deeper"):
        mapping.save(Mapping("outside", ()), place / "outside.json")
        (place / "outside").write_bytes((place / "outside.json").read_bytes())
    monkeypatch.chdir(tmp_path)
    tricks = (
        "../outside",
        "..\\outside",
        "deeper/outside",
        "outside",
        str(tmp_path / "outside"),
        "./outside",
        "a/../../outside",
    )
    for name in (
        *tricks,
        "..",
        ".",
        "/",
        "~/outside",
        "C:outside",
        "outside\0",
        "outside\0.json",
        "x" * 5000,
        "x" * 5000 + ".json",
    ):
        with pytest.raises(MappingError, match="No mapping"):
            mapping.load(name, (folder,))
    for path in (tmp_path / "outside", tmp_path / "outside.json", str(tmp_path / "outside.json"), "./outside.json"):
        assert mapping.load(path, (folder,)).name == "outside", "a path that is named outright"


def test_name_may_look_like_a_file(tmp_path: Path) -> None:
    mapping.save(Mapping("dotted", ()), tmp_path / "rig.v2.json")
    mapping.save(Mapping("twice", ()), tmp_path / "rig.json.json")
    assert mapping.load("rig.v2", (tmp_path,)).name == "dotted"
    assert mapping.load("rig.json", (tmp_path,)).name == "twice"


def test_own_folder_is_searched(tmp_path: Path) -> None:
    mapping.save(Mapping("mine", ()), tmp_path / "mine.json")
    folders = (mapping.BUNDLED, tmp_path)
    assert mapping.load("mine", folders).name == "mine"
    assert mapping.names(folders) == tuple(sorted((*mapping.names(), "mine")))


def test_unwritable_place_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        mapping.save(Mapping("mine", ()), tmp_path / "file" / "mine.json")


ARKIT_TEXT = """
eyeBlinkLeft eyeLookDownLeft eyeLookInLeft eyeLookOutLeft eyeLookUpLeft eyeSquintLeft eyeWideLeft
eyeBlinkRight eyeLookDownRight eyeLookInRight eyeLookOutRight eyeLookUpRight eyeSquintRight eyeWideRight
jawForward jawLeft jawRight jawOpen mouthClose mouthFunnel mouthPucker mouthLeft mouthRight
mouthSmileLeft mouthSmileRight mouthFrownLeft mouthFrownRight mouthDimpleLeft mouthDimpleRight
mouthStretchLeft mouthStretchRight mouthRollLower mouthRollUpper mouthShrugLower mouthShrugUpper
mouthPressLeft mouthPressRight mouthLowerDownLeft mouthLowerDownRight mouthUpperUpLeft mouthUpperUpRight
browDownLeft browDownRight browInnerUp browOuterUpLeft browOuterUpRight cheekPuff cheekSquintLeft cheekSquintRight
noseSneerLeft noseSneerRight tongueOut
"""
ARKIT_SHAPES = set(ARKIT_TEXT.split())
"""The 52 blend shapes of ARKit's ARFaceAnchor.BlendShapeLocation, as Apple names them."""


def test_arkit_table_reaches_every_shape_once_or_by_two_halves() -> None:
    assert len(ARKIT_SHAPES) == 52
    rows = mapping.load("arkit").rows
    reached: dict[str, list[str]] = {}
    for row in rows:
        assert isinstance(row.target, ShapeKeyTarget)
        assert row.target.object is None
        reached.setdefault(row.target.name, []).append(row.channel)
    assert set(reached) == ARKIT_SHAPES
    halves = {name: used for name, used in reached.items() if len(used) != 1}
    assert halves == {
        "browInnerUp": ["inner_brow_raise_L", "inner_brow_raise_R"],
        "cheekPuff": ["cheek_puff_L", "cheek_puff_R"],
    }


def test_arkit_table_says_what_the_vocabulary_says() -> None:
    rows = {row.channel: row for row in mapping.load("arkit").rows}
    assert set(rows) == set(channels.PREDICTED_IDS)
    for channel_id, row in rows.items():
        described = channels.CHANNELS[channels.INDEX[channel_id]].arkit_shape
        shape, _, half = described.partition(", ")
        assert isinstance(row.target, ShapeKeyTarget)
        assert row.target.name == shape
        assert row.gain == (0.5 if half else 1.0)
        assert (row.gamma, row.offset, row.min, row.max, row.enabled) == (1.0, 0.0, 0.0, 1.0, True)


def test_arkit_table_plays_a_whole_face() -> None:
    curves = mapping.evaluate(mapping.load("arkit"), channels.IDS, np.ones((3, 58)))
    assert len(curves) == 52
    for curve in curves.values():
        np.testing.assert_allclose(curve, 1.0)
