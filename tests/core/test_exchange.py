"""The table that other programs read."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from au_mocap import calibration, channels, exchange
from au_mocap.calibration import Curves, NeutralChoice
from au_mocap.errors import OutputError
from au_mocap.regressors import Regressor
from au_mocap.take import Take
from tests.core.takes import made_take


def curves_of(take: Take) -> Curves:
    """The raw measurements as curves."""
    rotation, position = take.head_rotation.astype(np.float64), take.head_position.astype(np.float64)
    return Curves(take.time_s, take.values, rotation, position, NeutralChoice((), (), 0.0, None))


def written(take: Take, path: Path) -> list[dict[str, str]]:
    exchange.write_csv(take, curves_of(take), path)
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_columns_are_the_contract(tmp_path: Path) -> None:
    written(made_take(), tmp_path / "a.csv")
    header = (tmp_path / "a.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
    head = ["head_qw", "head_qx", "head_qy", "head_qz", "head_tx_m", "head_ty_m", "head_tz_m"]
    assert header == ["frame", "time_s", "found", "confidence", *channels.IDS, *head]


def test_one_row_for_each_frame_with_its_numbers(tmp_path: Path) -> None:
    take = made_take(frames=6, faceless=(2,))
    rows = written(take, tmp_path / "a.csv")
    assert [row["frame"] for row in rows] == ["0", "1", "2", "3", "4", "5"]
    assert [float(row["time_s"]) for row in rows] == pytest.approx(take.time_s.tolist(), abs=1e-6)
    for index in (0, 1, 3, 4, 5):
        assert rows[index]["found"] == "1"
        assert float(rows[index]["confidence"]) == pytest.approx(0.9, abs=1e-5)
        values = [float(rows[index][channel_id]) for channel_id in channels.IDS]
        np.testing.assert_allclose(values, take.values[index], atol=1e-5)
        head = [float(rows[index][f"head_{name}"]) for name in ("qw", "qx", "qy", "qz", "tx_m", "ty_m", "tz_m")]
        np.testing.assert_allclose(head, [*take.head_rotation[index], *take.head_position[index]], atol=1e-5)


def test_frame_without_a_face_has_empty_cells(tmp_path: Path) -> None:
    row = written(made_take(faceless=(2,)), tmp_path / "a.csv")[2]
    assert (row["found"], float(row["confidence"])) == ("0", 0.0)
    assert {row[name] for name in (*channels.IDS, "head_qw", "head_tz_m")} == {""}


def test_frames_are_numbered_as_the_video_does(tmp_path: Path) -> None:
    take = made_take(frames=3, faceless=())
    rows = written(replace(take, meta={**take.meta, "first_frame": 100}), tmp_path / "a.csv")
    assert [row["frame"] for row in rows] == ["100", "101", "102"]


def test_times_keep_a_long_variable_rate_clip_apart(tmp_path: Path) -> None:
    time_s = np.array([3599.9583, 3599.999999, 3600.041667])
    rows = written(made_take(frames=3, faceless=(), time_s=time_s), tmp_path / "a.csv")
    assert [row["time_s"] for row in rows] == ["3599.958300", "3599.999999", "3600.041667"]


def test_table_of_a_real_take(tmp_path: Path, single_face_take: Take, regressor: Regressor) -> None:
    curves = calibration.curves(single_face_take, calibration.Settings(), regressor)
    exchange.write_csv(single_face_take, curves, tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 72
    assert float(rows[-1]["time_s"]) == pytest.approx(71 / 30, abs=1e-3)
    assert all(0.0 <= float(row[channel_id]) <= 1.0 for row in rows for channel_id in channels.IDS)
    assert float(rows[-1]["lip_corner_pull_L"]) == pytest.approx(float(curves.values[-1, 11]), abs=1e-5)


def test_unwritable_place_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        exchange.write_csv(made_take(), curves_of(made_take()), tmp_path / "file" / "a.csv")
