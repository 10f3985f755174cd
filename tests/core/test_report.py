"""The report: one picture that can be read at a glance."""

import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from au_mocap import calibration, channels, report
from au_mocap.calibration import Curves
from au_mocap.errors import OutputError
from au_mocap.regressors import Regressor
from au_mocap.take import Take
from tests.core.takes import made_take

pytest.importorskip("matplotlib")


@pytest.fixture(scope="module")
def curves(single_face_take: Take, regressor: Regressor) -> Curves:
    return calibration.curves(single_face_take, calibration.Settings(), regressor)


def picture_of(path: Path) -> np.ndarray:
    image = cv2.imread(str(path))
    assert image is not None
    return image


def still(take: Take) -> Curves:
    """Curves without any action."""
    values = np.where(take.found[:, None], np.zeros((len(take), 58)), np.nan).astype(np.float32)
    rotation, position = take.head_rotation.astype(np.float64), take.head_position.astype(np.float64)
    return Curves(take.time_s, values, rotation, position, calibration.NeutralChoice((), (), 0.0, None))


def test_active_channels_are_paired_and_ordered() -> None:
    values = np.zeros((4, 58), np.float32)
    for channel_id, value in {"jaw_drop": 0.3, "eye_close_R": 0.5, "brow_raise_L": 0.09, "cheek_puff_L": 0.4}.items():
        values[2, channels.INDEX[channel_id]] = value
    values[:, channels.INDEX["cheek_puff"]] = 0.2
    values[1] = np.nan
    assert report.active_channels(values) == [
        ("eye_close_L", "eye_close_R"),
        ("jaw_drop",),
        ("cheek_puff_L", "cheek_puff_R"),
    ]
    assert report.active_channels(np.full((2, 58), np.nan)) == []


def test_report_with_pictures_of_the_video(single_face_take: Take, curves: Curves, tmp_path: Path) -> None:
    report.write(single_face_take, curves, tmp_path / "a.png")
    report.write(replace(single_face_take, meta={}), curves, tmp_path / "bare.png")
    whole, bare = picture_of(tmp_path / "a.png"), picture_of(tmp_path / "bare.png")
    assert whole.shape[1] == bare.shape[1] > 1000
    assert whole.shape[0] > bare.shape[0] + 50
    top = whole[40:140]
    assert np.unique(top.reshape(-1, 3), axis=0).shape[0] > 2000, "no photographs at the top"


def test_video_given_by_hand_is_used(single_face_take: Take, curves: Curves, single_face: Path, tmp_path: Path) -> None:
    forgotten = replace(single_face_take, meta={})
    report.write(forgotten, curves, tmp_path / "a.png", single_face)
    report.write(single_face_take, curves, tmp_path / "b.png")
    assert picture_of(tmp_path / "a.png").shape == picture_of(tmp_path / "b.png").shape


@pytest.mark.parametrize("change", ["gone", "of another size", "too short"])
def test_video_that_does_not_fit_is_left_out(
    change: str, single_face_take: Take, curves: Curves, tmp_path: Path
) -> None:
    meta: dict[str, Any] = dict(single_face_take.meta)
    if change == "gone":
        meta["source"] = {**meta["source"], "path": str(tmp_path / "gone.mp4")}
    elif change == "of another size":
        meta["frame_size"] = [1280, 720]
    else:
        meta["first_frame"] = 500
    report.write(replace(single_face_take, meta=meta), curves, tmp_path / "a.png")
    report.write(replace(single_face_take, meta={}), curves, tmp_path / "bare.png")
    assert picture_of(tmp_path / "a.png").shape == picture_of(tmp_path / "bare.png").shape


def test_pictures_of_a_range_show_its_own_frames(
    single_face_take: Take, single_face: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrays: dict[str, Any] = {
        field.name: getattr(single_face_take, field.name)[50:60]
        for field in fields(Take)
        if isinstance(getattr(single_face_take, field.name), np.ndarray)
    }
    part = replace(single_face_take, **arrays, meta={**single_face_take.meta, "first_frame": 50})
    drawn: list[float] = []
    original = report._draw_thumbnails
    monkeypatch.setattr(
        report,
        "_draw_thumbnails",
        lambda axis, pictures, span: (drawn.extend(time_s for time_s, _ in pictures), original(axis, pictures, span)),
    )
    report.write(part, still(part), tmp_path / "a.png")
    assert drawn == pytest.approx([index / 30 for index in range(50, 60)], abs=1e-3)


def test_folder_of_pictures_at_hand_is_not_taken_for_the_video(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A take that remembers no path must not look into the working folder."""
    cv2.imwrite(str(tmp_path / "frame_0001.png"), np.zeros((36, 64, 3), np.uint8))
    monkeypatch.chdir(tmp_path)
    take = made_take(meta={"source": {}})
    report.write(take, still(take), tmp_path / "a.png")
    (tmp_path / "frame_0001.png").unlink()
    report.write(take, still(take), tmp_path / "b.png")
    assert picture_of(tmp_path / "a.png").shape == picture_of(tmp_path / "b.png").shape


def test_one_frame_and_odd_names(tmp_path: Path) -> None:
    take = made_take(frames=1, faceless=(), meta={"source": {"name": "$\\frac{a$ 演员 %s.mp4"}})
    report.write(take, still(take), tmp_path / "a.png")
    assert picture_of(tmp_path / "a.png").shape[0] > 100


def test_frames_without_a_face_are_shaded(tmp_path: Path) -> None:
    """A second of faceless frames in the middle greys the middle third of the head's plot."""
    take = made_take(frames=90, faceless=tuple(range(30, 60)))
    report.write(take, still(take), tmp_path / "a.png")
    image = picture_of(tmp_path / "a.png")
    grey = np.abs(image.astype(int) - 221).max(axis=2) <= 6
    columns = np.flatnonzero(grey.mean(axis=0) > 0.3)
    left, width = 0.17 * image.shape[1], 0.81 * image.shape[1]
    assert columns.min() == pytest.approx(left + width * 29.5 / 89, abs=8)
    assert columns.max() == pytest.approx(left + width * 59.5 / 89, abs=8)


def test_missing_matplotlib_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(OutputError, match="pip install matplotlib"):
        report.require_matplotlib()


def test_unwritable_place_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        report.write(made_take(), still(made_take()), tmp_path / "file" / "a.png")
