"""Drop-frame timecodes as apps, editors and accidents write them, at 29.97 and 59.94 frames a second."""

from pathlib import Path

import numpy as np
import pytest

from au_mocap import exchange
from au_mocap.errors import ExchangeError
from tests.core.exchanged import codes, curve, llf, llf_row, write_table

REAL_HZ = {30: 30 / 1.001, 60: 60 / 1.001}


def dropping(rate: int, first_minute: int, first_second: int, count: int) -> list[str]:
    """Timecodes by counting on, as SMPTE ST 12-1 has it: 2 (4 at 60) numbers fewer in each minute but every tenth."""
    made: list[str] = []
    minute, second, frame = first_minute, first_second, 0
    while len(made) < count:
        made.append(f"10:{minute:02}:{second:02};{frame:02}.000")
        frame += 1
        if frame == rate:
            frame, second = 0, second + 1
        if second == 60:
            second, minute = 0, minute + 1
            frame = 0 if minute % 10 == 0 else rate // 15
    return made


@pytest.mark.parametrize("rate", [30, 60])
@pytest.mark.parametrize("minute", [0, 9])
def test_counting_on_over_the_minute_is_even(rate: int, minute: int, tmp_path: Path) -> None:
    got = exchange.read(llf(tmp_path / "a.csv", dropping(rate, minute, 58, 5 * rate), JawOpen=0.5))
    np.testing.assert_allclose(np.diff(got.take.time_s), 1.0 / REAL_HZ[rate], atol=1e-9)
    assert got.notes == ()
    assert got.take.meta["imported"]["timecode_hz"] == pytest.approx(REAL_HZ[rate])


def test_ten_minutes_keep_to_the_clock(tmp_path: Path) -> None:
    """Every 60th frame of ten minutes at 59.94: 35,964 frames last 600.0 s less a millisecond or two."""
    every = dropping(60, 0, 0, 35_965)[::60]
    got = exchange.read(llf(tmp_path / "a.csv", every, JawOpen=0.5), rate_hz=59.94)
    assert got.take.time_s[-1] == pytest.approx(600.0 * (len(every) - 1) * 60 / 35_964, abs=0.01)


@pytest.mark.parametrize("rate", [30, 60])
def test_a_recording_too_short_to_tell_its_rate_says_so(rate: int, tmp_path: Path) -> None:
    """Twenty frames look alike at both rates: never a silent guess of half the speed."""
    path = llf(tmp_path / "a.csv", dropping(rate, 3, 30, 20), JawOpen=0.5)
    got = exchange.read(path)
    assert any("too short to tell the rate" in note for note in got.notes)
    named = exchange.read(path, rate_hz=REAL_HZ[rate])
    np.testing.assert_allclose(np.diff(named.take.time_s), 1.0 / REAL_HZ[rate], atol=1e-9)
    assert named.notes == ()


@pytest.mark.parametrize("rate_hz", [50.0, 48.0, 100.0])
def test_a_rate_that_drops_no_numbers_is_refused(rate_hz: float, tmp_path: Path) -> None:
    path = llf(tmp_path / "a.csv", dropping(30, 0, 58, 90), JawOpen=0.5)
    with pytest.raises(ExchangeError, match=rf"a\.csv: Its timecodes drop numbers.*not {rate_hz:g}"):
        exchange.read(path, rate_hz=rate_hz)


@pytest.mark.parametrize("place", [0, 40, 89])
def test_one_timecode_without_a_semicolon_makes_no_gap(place: int, tmp_path: Path) -> None:
    mixed = dropping(30, 0, 58, 90)
    mixed[place] = mixed[place].replace(";", ":")
    got = exchange.read(llf(tmp_path / "a.csv", mixed, JawOpen=0.5))
    np.testing.assert_allclose(np.diff(got.take.time_s), 1.001 / 30, atol=1e-9)
    assert any("semicolon" in note for note in got.notes)


def test_a_semicolon_alone_drops_nothing(tmp_path: Path) -> None:
    """Some programs write the sign and count every number: told, and no time is lost or gained but one frame."""
    wrong = [f"{code[:8]};{code[9:]}" for code in codes(30 * 70, 30)]
    got = exchange.read(llf(tmp_path / "a.csv", wrong, JawOpen=0.5))
    np.testing.assert_allclose(np.diff(got.take.time_s), 1.001 / 30, atol=1e-9)
    assert any("jumps at row 1801" in note for note in got.notes)


def test_half_frames_of_a_slower_clock(tmp_path: Path) -> None:
    """60 rows a second whose timecode counts 29.97: the fraction behind the point tells them apart."""
    halves = [code.replace(".000", part) for code in dropping(30, 0, 58, 90) for part in (".000", ".500")]
    got = exchange.read(llf(tmp_path / "a.csv", halves, JawOpen=0.5))
    np.testing.assert_allclose(np.diff(got.take.time_s), 1.001 / 60, atol=1e-9)
    assert got.notes == ()


@pytest.mark.parametrize("name", ["Zeitcode", "Code temporel", "=Timecode", "<b>Timecode</b>"])
def test_a_translated_timecode_is_asked_for(name: str, tmp_path: Path) -> None:
    rows = [{name: code, **{key: value for key, value in llf_row(code).items() if key != "Timecode"}} for code in "ab"]
    path = write_table(tmp_path / "a.csv", rows)
    with pytest.raises(ExchangeError, match="needs a column Timecode"):
        exchange.read(path, "live-link-face")


@pytest.mark.parametrize("cell", ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "<script>", "0x1F", "1e", "0,5,5"])
def test_formulas_and_scripts_are_no_numbers(cell: str, tmp_path: Path) -> None:
    path = llf(tmp_path / "a.csv", codes(3, 60), JawOpen=cell)
    with pytest.raises(ExchangeError, match=r"line 2, column 'jawopen': .* is no number"):
        exchange.read(path)


def test_sides_change_with_their_names_alone(tmp_path: Path) -> None:
    """Columns in reverse order, capitals, and `_L` for `Left`: the values follow their names."""
    rows = [llf_row(code, MouthSmileLeft=0.25, MouthSmileRight=0.75) for code in codes(200, 60)]
    renamed = [
        {key.upper().replace("LEFT", "_L") if key.endswith("Left") else key.lower(): row[key] for key in reversed(row)}
        for row in rows
    ]
    take = exchange.read(write_table(tmp_path / "a.csv", renamed)).take
    assert curve(take, "lip_corner_pull_L") == pytest.approx([0.25] * 200)
    assert curve(take, "lip_corner_pull_R") == pytest.approx([0.75] * 200)
