"""What other programs, spreadsheets and accidents make of files: put right and told, or refused with a reason."""

import csv
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from au_mocap import exchange, strict_json
from au_mocap.errors import ExchangeError
from au_mocap.exchange import json_data, live_link_face, timecode
from tests.core.exchanged import codes, curve, lines, llf, llf_row, performance, read, write_table
from tests.core.test_exchange_formats import IFACIALMOCAP, openface_row

JAW = {"JawOpen": 0.5}


def refused(path: Path, *parts: str, **options: object) -> None:
    """Checks that reading fails with one short line that names the file and holds all parts."""
    with pytest.raises(ExchangeError) as raised:
        exchange.read(path, **options)  # pyright: ignore[reportArgumentType]
    message = str(raised.value)
    assert "\n" not in message
    assert path.name in message
    for part in parts:
        assert part in message


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "empty"),
        (b" \r\n\n", "empty"),
        (b"\x00\x01\x02" * 100, "none of the formats"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9, "none of the formats"),
        (b"hello\nworld\n", "none of the formats"),
        (b"frame,x,y\n1,2,3\n", "none of the formats"),
        (b"[1, 2", "none of the formats"),
        (b'{"a": 1}', "none of the formats"),
    ],
)
def test_files_that_are_nothing_of_the_kind(content: bytes, part: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    refused(path, part)


@pytest.mark.parametrize("form", exchange.NAMES)
@pytest.mark.parametrize(
    "content", [b"\x00\x01" * 999, b"a,b\n1,2\n", b"hello\n", b"{}", b"[]", b"\xff\xfe\x00\xd8" * 9]
)
def test_a_format_that_a_file_is_not(form: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    refused(path, name=form)


def test_places_that_hold_no_file(tmp_path: Path) -> None:
    refused(tmp_path / "nowhere.csv", "no file")
    (tmp_path / "folder.csv").mkdir()
    refused(tmp_path / "folder.csv", "no file")
    refused(tmp_path / ("x" * 5000 + ".csv"))


# Tables as spreadsheets save them.


def spreadsheet(path: Path, delimiter: str, decimal: str, encoding: str = "utf-8") -> Path:
    rows = [
        llf_row(code, JawOpen=f"{0.25 * (at + 1):.2f}".replace(".", decimal)) for at, code in enumerate(codes(3, 60))
    ]
    return write_table(path, rows, delimiter, encoding)


@pytest.mark.parametrize(
    ("delimiter", "decimal", "encoding"),
    [
        (";", ",", "utf-8"),
        (";", ".", "utf-8"),
        ("\t", ",", "utf-8"),
        (",", ",", "utf-8"),  # quoted numbers with a comma
        (",", ".", "utf-8-sig"),
        (";", ",", "utf-8-sig"),
        ("\t", ".", "utf-16"),
    ],
)
def test_tables_as_spreadsheets_save_them(delimiter: str, decimal: str, encoding: str, tmp_path: Path) -> None:
    take = read(spreadsheet(tmp_path / "a.csv", delimiter, decimal, encoding), rate_hz=60.0).take
    assert curve(take, "jaw_drop") == pytest.approx([0.25, 0.5, 0.75])
    np.testing.assert_allclose(take.time_s, np.arange(3) / 60, atol=1e-9)


def test_decimal_commas_between_commas_are_told(tmp_path: Path) -> None:
    path = spreadsheet(tmp_path / "a.csv", ",", ".")
    names, *rows = path.read_text().splitlines()
    broken = [row[:11] + row[11:].replace("0.", "0,") for row in rows]
    path.write_text("\n".join([names, *broken]))
    refused(path, "line 2", "decimal points")


def test_a_line_for_spreadsheets_and_empty_lines(tmp_path: Path) -> None:
    path = spreadsheet(tmp_path / "a.csv", ";", ".")
    content = path.read_text().splitlines()
    path.write_text("sep=;\n" + "\n\n".join(content) + "\n;;;\n")
    assert curve(read(path).take, "jaw_drop") == pytest.approx([0.25, 0.5, 0.75])


def test_columns_in_any_order_with_others_between(tmp_path: Path) -> None:
    rows = [llf_row(code, JawOpen=0.4, MouthSmileLeft=0.3) for code in codes(4, 60)]
    shuffled = [dict(reversed(list({**row, "Comment": "=1+1", "": "x"}.items()))) for row in rows]
    take = read(write_table(tmp_path / "a.csv", shuffled)).take
    assert curve(take, "jaw_drop") == pytest.approx([0.4] * 4)
    assert curve(take, "lip_corner_pull_L") == pytest.approx([0.3] * 4)
    assert curve(take, "lip_corner_pull_R") == pytest.approx([0.0] * 4)


def test_missing_columns_are_told_and_rest(tmp_path: Path) -> None:
    rows = [llf_row(code, JawOpen=0.4) for code in codes(3, 60)]
    for row in rows:
        del row["MouthSmileLeft"], row["HeadRoll"]
    got = read(write_table(tmp_path / "a.csv", rows))
    assert any("mouthSmileLeft" in note for note in got.notes)
    assert "lip_corner_pull_L" not in got.take.channels
    assert curve(got.take, "lip_corner_pull_L").tolist() == [0.0] * 3
    assert np.isnan(got.take.head_rotation).all()


def test_a_column_twice_is_refused(tmp_path: Path) -> None:
    path = llf(tmp_path / "a.csv", codes(2, 60))
    path.write_text(path.read_text().replace("MouthSmileRight", "mouthsmileleft"))
    refused(path, "mouthsmileleft", "2 times")


def test_a_table_without_timecode(tmp_path: Path) -> None:
    path = llf(tmp_path / "a.csv", codes(2, 60))
    path.write_text(path.read_text().replace("Timecode", "Clock"))
    refused(path, "Timecode", name="live-link-face")


def test_words_in_place_of_numbers_are_refused_with_their_place(tmp_path: Path) -> None:
    rows = [llf_row(code, JawOpen="wide open\x1b[31m" if at == 2 else 0.1) for at, code in enumerate(codes(4, 60))]
    with pytest.raises(ExchangeError, match="line 4, column 'jawopen'") as raised:
        read(write_table(tmp_path / "a.csv", rows))
    assert "\x1b" not in str(raised.value)


def test_short_rows(tmp_path: Path) -> None:
    path = llf(tmp_path / "a.csv", codes(4, 60), **JAW)
    content = path.read_text().splitlines()
    path.write_text("\n".join([*content[:-1], content[-1][:40]]))
    got = read(path)
    assert len(got.take) == 3
    assert any("cut off" in note for note in got.notes)
    path.write_text("\n".join([*content[:2], content[2][:40], *content[3:]]))
    refused(path, "line 3", "fewer cells")


@pytest.mark.parametrize("cell", ["nan", "-nan(ind)", "", "inf", "-inf", "NULL", "1.#QNAN", "1e999"])
def test_cells_that_are_no_number_make_a_frame_without_a_face(cell: str, tmp_path: Path) -> None:
    rows = [llf_row(code, JawOpen=cell if at == 1 else 0.1) for at, code in enumerate(codes(3, 60))]
    got = read(write_table(tmp_path / "a.csv", rows))
    assert got.take.found.tolist() == [True, False, True]
    assert np.isnan(got.take.values[1]).all()
    assert any("no number" in note for note in got.notes)


def test_a_recording_without_any_face(tmp_path: Path) -> None:
    path = write_table(tmp_path / "a.csv", [llf_row(code, BlendShapeCount=0) for code in codes(3, 60)])
    refused(path, "no frame with a face")


def test_rows_without_shapes_may_end_early(tmp_path: Path) -> None:
    path = llf(tmp_path / "a.csv", codes(3, 60), **JAW)
    content = path.read_text().splitlines()
    path.write_text("\n".join([*content[:2], content[2].split(",")[0] + ",0", content[3]]))
    assert read(path).take.found.tolist() == [True, False, True]


def test_values_beyond_the_range(tmp_path: Path) -> None:
    got = read(llf(tmp_path / "a.csv", codes(3, 60), JawOpen=1.2, MouthFunnel=-0.1))
    assert curve(got.take, "jaw_drop") == pytest.approx([1.0] * 3)
    assert curve(got.take, "lip_funnel") == pytest.approx([0.0] * 3)
    assert any("clipped" in note for note in got.notes)
    refused(llf(tmp_path / "b.csv", codes(3, 60), JawOpen=87), "percent", "jaw_drop")


# Time.


def times(path: Path, **options: object) -> tuple[np.ndarray, str]:
    got = exchange.read(path, **options)  # pyright: ignore[reportArgumentType]
    return got.take.time_s, "; ".join(got.notes)


@pytest.mark.parametrize(("rate", "step"), [(60, 1), (60, 2), (30, 1), (25, 1), (24, 1), (50, 1)])
def test_rate_of_a_timecode_is_told_by_how_far_it_counts(rate: int, step: int, tmp_path: Path) -> None:
    time_s, notes = times(llf(tmp_path / "a.csv", codes(5 * rate // step, rate, step=step)))
    np.testing.assert_allclose(time_s, np.arange(5 * rate // step) * step / rate, atol=1e-9)
    assert notes == ""


def test_a_short_timecode_leaves_its_rate_open(tmp_path: Path) -> None:
    path = llf(tmp_path / "a.csv", ["10:00:00:03.000", "10:00:00:06.000"])
    time_s, notes = times(path)
    assert time_s[1] == pytest.approx(0.1)
    assert "30 Hz" in notes
    time_s, notes = times(path, rate_hz=24.0)
    assert (time_s[1], notes) == (pytest.approx(0.125), "")


def test_a_rate_that_a_timecode_cannot_have(tmp_path: Path) -> None:
    path = llf(tmp_path / "a.csv", codes(200, 60))
    refused(path, "59", "leave the rate out", rate_hz=30.0)
    refused(path, "frame rate", rate_hz=float("nan"))
    refused(path, "frame rate", rate_hz=0.0)


def test_a_rate_beside_the_clock(tmp_path: Path) -> None:
    """29.97 without dropped numbers: a second of timecode lasts 1.001 s."""
    time_s, _ = times(llf(tmp_path / "a.csv", codes(91, 30)), rate_hz=30 / 1.001)
    assert time_s[-1] == pytest.approx(90 * 1.001 / 30)


def drop_codes(first: int, count: int) -> list[str]:
    """Drop-frame timecodes at 29.97 by counting on, skipping 0 and 1 of each minute but every tenth."""
    made: list[str] = []
    minute, second, frame = first, 59, 0
    while len(made) < count:
        made.append(f"10:{minute:02}:{second:02};{frame:02}")
        frame += 1
        if frame == 30:
            frame, second = 0, second + 1
        if second == 60:
            second, minute = 0, minute + 1
            frame = 0 if minute % 10 == 0 else 2
    return made


@pytest.mark.parametrize("minute", [0, 9])
def test_drop_frame_has_no_gap_at_the_minute(minute: int, tmp_path: Path) -> None:
    time_s, notes = times(llf(tmp_path / "a.csv", drop_codes(minute, 90)))
    np.testing.assert_allclose(np.diff(time_s), 1.001 / 30, atol=1e-9)
    assert notes == ""


def test_drop_frame_keeps_to_the_clock() -> None:
    hour = timecode.seconds(np.array([timecode.parse("01:00:00;00")]), 30, drop_frame=True)
    assert hour[0] == pytest.approx(3600.0, abs=0.01)
    assert timecode.seconds(np.array([timecode.parse("01:00:00;00")]), 60, drop_frame=True)[0] == pytest.approx(
        3600.0, abs=0.01
    )


def test_gaps_of_a_timecode_stay_gaps(tmp_path: Path) -> None:
    path = llf(tmp_path / "a.csv", [*codes(200, 60), *codes(100, 60, start_s=36_010)])
    time_s, notes = times(path)
    assert time_s[200] == pytest.approx(10.0)
    assert "gap" in notes


@pytest.mark.parametrize("later", [35_000, 50_000])
def test_jumps_of_a_clock_are_closed(later: int, tmp_path: Path) -> None:
    path = llf(tmp_path / "a.csv", [*codes(200, 60), *codes(100, 60, start_s=later)])
    time_s, notes = times(path)
    np.testing.assert_allclose(np.diff(time_s), 1 / 60, atol=1e-9)
    assert "jumps at row 201" in notes


def test_midnight_is_passed(tmp_path: Path) -> None:
    path = llf(tmp_path / "a.csv", [*codes(120, 60, start_s=86_398), *codes(120, 60, start_s=0)])
    time_s, notes = times(path)
    np.testing.assert_allclose(np.diff(time_s), 1 / 60, atol=1e-9)
    assert notes == ""


def test_rows_of_one_timecode_are_spread(tmp_path: Path) -> None:
    path = llf(tmp_path / "a.csv", [code for code in codes(120, 30) for _ in range(2)])
    time_s, notes = times(path)
    np.testing.assert_allclose(np.diff(time_s), 1 / 60, atol=1e-9)
    assert "repeat" in notes


@pytest.mark.parametrize("code", ["12:61:00:00", "now", "1.5", "=cmd()", "12:00:00", "-1:00:00:00", "aa:bb:cc:dd"])
def test_timecodes_that_are_none(code: str, tmp_path: Path) -> None:
    refused(llf(tmp_path / "a.csv", ["10:00:00:00", code]), "line 3", "timecode")


def test_a_row_without_timecode(tmp_path: Path) -> None:
    refused(llf(tmp_path / "a.csv", ["10:00:00:00", ""]), "row 2")


def test_times_that_run_back_or_stand_still(tmp_path: Path) -> None:
    stamps = [0.0, 0.04, 0.04, 0.08]
    rows = [{**openface_row(1), " timestamp": stamp} for stamp in stamps]
    got = read(write_table(tmp_path / "a.csv", rows))
    np.testing.assert_allclose(got.take.time_s, [0.0, 0.04, 0.08])
    assert any("left out" in note for note in got.notes)
    rows = [{**openface_row(1), " timestamp": stamp} for stamp in (0.0, 0.04, 0.02)]
    refused(write_table(tmp_path / "b.csv", rows), "runs back", "frame 3")
    rows = [{**openface_row(1), " timestamp": stamp} for stamp in (0.0, "nan", 0.02)]
    refused(write_table(tmp_path / "c.csv", rows), "frame 2", "no time")


def test_openface_of_pictures_has_no_intensities(tmp_path: Path) -> None:
    rows = [{"frame": 1, "timestamp": 0, "AU12_c": 1}]
    refused(write_table(tmp_path / "a.csv", rows), "-aus")


# Texts and JSON.


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("eyeBlink_L-0|jawOpen|", "no weight"),
        ("eyeBlink_L-0|jawOpen-wide|", "no weight"),
        ("eyeBlink_L-0|=head#1,2|", "head"),
        ("eyeBlink_L-0|=head#1,5,2,5,3,5,0,1,0,1,0,1|", "decimal points"),
        ("eyeBlink_L-0|=head#a,b,c|", "head"),
        ("<script>alert(1)</script>", "no weight"),
    ],
)
def test_broken_lines_of_ifacialmocap(line: str, part: str, tmp_path: Path) -> None:
    refused(lines(tmp_path / "a.txt", IFACIALMOCAP, line), "line 2", part)


def test_ifacialmocap_without_tracking(tmp_path: Path) -> None:
    take = read(lines(tmp_path / "a.txt", f"trackingStatus-0|{IFACIALMOCAP}", f"trackingStatus-1|{IFACIALMOCAP}")).take
    assert take.found.tolist() == [False, True]


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (["bs,jawOpen", "k,0,0,0,0,0,0,0,0,0,0,0,0.5", "k,x,0,0,0,0,0,0,0,0,0,0,0.5"], "line 3"),
        (["bs,jawOpen", "k,0,0,0,0,0,0,0,0,0,0,0,0,5", "k,33,0,0,0,0,0,0,0,0,0,0,0,5"], "decimal points"),
        (["bs,jawOpen", "k,0,1"], "needs 12 numbers"),
        (["bs,nothing,known", "k,0,0,0,0,0,0,0,0,0,0,0,1,2"], "none of ARKit's"),
        (["bs,jawOpen"], "no keys"),
    ],
)
def test_broken_face_cap(content: list[str], part: str, tmp_path: Path) -> None:
    refused(lines(tmp_path / "a.txt", *content), part)


def test_face_cap_that_was_cut_off(tmp_path: Path) -> None:
    got = read(lines(tmp_path / "a.txt", "bs,jawOpen", "k,0,0,0,0,0,0,0,0,0,0,0,0.5", "k,33,0,0"))
    assert len(got.take) == 1
    assert any("cut off" in note for note in got.notes)


OWN = '"format": "au_mocap.curves"'


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (f'{{{OWN}, "version": 2}}', "newer"),
        (f'{{{OWN}, "version": 1}}', "channels"),
        (f'{{{OWN}, "version": 1, "channels": ["jaw"]}}', "channels"),
        (f'{{{OWN}, "version": 1, "channels": ["jaw_drop"], "time_s": [0], "values": [[0, 1]]}}', "values"),
        (f'{{{OWN}, "version": 1, "channels": ["jaw_drop"], "time_s": [0], "values": "all"}}', "values"),
        (f'{{{OWN}, "version": 1, "channels": ["jaw_drop"], "time_s": [0]}}', "no values"),
        (f'{{{OWN}, "version": 1, "channels": ["jaw_drop"], "time_s": [], "values": []}}', "no frames"),
        (f'{{{OWN}, "version": 1, "channels": ["jaw_drop"], "time_s": ["x"], "values": [[1]]}}', "no time"),
        (f'{{{OWN}, "version": 1, "channels": ["jaw_drop"], "time_s": [0], "values": [[NaN]]}}', "NaN"),
        (f'{{{OWN}, "version": 1, "channels": ["jaw_drop"], "time_s": [0], "values": [[0.1]], "found": []}}', "found"),
        (f'{{{OWN}, "version": 1, "channels": [', "JSON"),
        ('{"faceBlendshapes": []}', "no blendshapes"),
        (
            '[{"faceBlendshapes": [{"categories": [{"categoryName": "jawOpen", "score": "x"}]}]}]',
            "no frame with a face",
        ),
        ('[{"faceBlendshapes": 5}]', "no blendshapes"),
        ('{"frames": {"faceBlendshapes": 5}}', "no results"),
    ],
)
def test_broken_json(text: str, part: str, tmp_path: Path) -> None:
    refused(lines(tmp_path / "a.json", text), part)


def test_json_that_is_too_large_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    take, curves = performance(frames=20)
    exchange.write(take, curves, tmp_path / "a.json", "json")
    monkeypatch.setattr(json_data, "MOST_BYTES", 1000)
    refused(tmp_path / "a.json", "larger than")
    assert strict_json.read(tmp_path / "a.json", 10**6)


# What people's programs do with text.


@pytest.mark.parametrize("form", exchange.NAMES)
def test_nothing_that_a_spreadsheet_would_run_is_written(form: str, tmp_path: Path) -> None:
    """Formulas and scripts in a file's texts, names and columns reach no file that is written."""
    evil = "=HYPERLINK(0)"
    rows = [{**llf_row(code, **JAW), evil: "=cmd|' /C calc'!A0", "@SUM": "<script>"} for code in codes(4, 60)]
    path = write_table(tmp_path / f"{evil}.csv", rows)
    take = read(path).take
    _, curves = performance(frames=4)
    out = tmp_path / "out.csv"
    exchange.write(take, curves, out, form)
    text = out.read_text()
    assert "cmd" not in text
    assert "<script>" not in text
    if text[0] in "[{":
        return
    for row in csv.reader(text.splitlines()):
        for cell in row:
            number = cell.lstrip("+-").replace(".", "").isdigit()
            assert number or not cell.startswith(("=", "+", "-", "@")) or cell.startswith("=head#") or "|" in cell


def test_a_million_rows(tmp_path: Path) -> None:
    """A tenth of them here: in seconds, and in memory that their numbers need a few times over."""
    resource = pytest.importorskip("resource", reason="Windows tells memory otherwise")
    count = 100_000
    row = ",".join(f"{0.01 * place:.10f}" for place in range(61))
    path = tmp_path / "long.csv"
    with path.open("w") as file:
        file.write(",".join(live_link_face.COLUMNS) + "\n")
        file.writelines(f"{code},61,{row}\n" for code in codes(count, 60))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    take = read(path).take
    spent_s = time.process_time() - started
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * (1 if sys.platform == "darwin" else 1024)
    assert len(take) == count
    assert take.time_s[-1] == pytest.approx((count - 1) / 60)
    assert spent_s < 20.0
    assert grown < 8 * take.values.nbytes


def test_readers_give_all_or_nothing(tmp_path: Path) -> None:
    """A file that breaks off in the middle leaves no take behind: the error comes before anything is made."""
    path = llf(tmp_path / "a.csv", [*codes(300, 60), "broken"], **JAW)
    refused(path, "line 302")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.csv"]


@pytest.mark.parametrize("form", exchange.NAMES)
def test_a_take_without_a_face_is_not_written(form: str, tmp_path: Path) -> None:
    take, curves = performance(frames=3, faceless=(0, 1, 2))
    with pytest.raises(ExchangeError, match="no frame with a face"):
        exchange.write(take, curves, tmp_path / "a", form)
    assert list(tmp_path.iterdir()) == []


def test_a_time_gone_astray_does_not_fill_the_disk(tmp_path: Path) -> None:
    take, curves = performance(frames=3)
    curves.time_s[2] = 1e9
    with pytest.raises(ExchangeError, match="277778 hours"):
        exchange.write(take, curves, tmp_path / "a.txt", "ifacialmocap")
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_confidence_is_no_doubt(tmp_path: Path) -> None:
    rows = [{"time_s": at, "confidence": "", "jaw_drop": 0.3} for at in (0.0, 0.1)]
    assert read(write_table(tmp_path / "a.csv", rows)).take.confidence.tolist() == [1.0, 1.0]


READERS: tuple[Callable[..., object], ...] = tuple(each.read for each in exchange.FORMATS)


@pytest.mark.parametrize("reader", READERS)
def test_no_reader_takes_fright_at_noise(reader: Callable[..., object], tmp_path: Path) -> None:
    """Bytes of every kind end in an error for the user, never in another."""
    random = np.random.default_rng(5)
    path = tmp_path / "noise"
    for length in (1, 10, 1000, 50_000):
        path.write_bytes(bytes(random.integers(0, 256, length, dtype=np.uint8)))
        with pytest.raises(ExchangeError):
            reader(path, None)
        path.write_bytes(bytes(random.integers(32, 127, length, dtype=np.uint8)))
        with pytest.raises(ExchangeError):
            reader(path, None)
