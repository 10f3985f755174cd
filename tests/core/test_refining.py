"""Refining a take: what the pass adds, what it leaves alone, and what is told when it cannot run."""

import base64
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from au_mocap import calibration, channels, cli, html_report, refining
from au_mocap import take as takes
from au_mocap.calibration import NeutralSettings, Settings
from au_mocap.errors import ModelError, SettingsError, TakeError, VideoError
from au_mocap.html_report import Performance
from au_mocap.html_report.renderings import section
from au_mocap.pipeline import Progress
from au_mocap.regressors import Regressor
from au_mocap.take import Take
from tests.core.refiners import made_refiner
from tests.core.takes import made_take

PLAIN = Settings(neutral=NeutralSettings("none"), smoothing="off", contact=0.0)


@pytest.fixture(scope="module")
def start(single_face_take: Take, regressor: Regressor) -> np.ndarray:
    return refining.start_of(single_face_take, regressor)


@pytest.fixture(scope="module")
def refined(single_face_take: Take, start: np.ndarray) -> refining.Refined:
    return refining.refine(single_face_take, start, made_refiner(step=np.float32(0.05)), refining.Options(steps=3))


def test_every_frame_with_a_face_comes_nearer_to_its_picture(refined: refining.Refined, single_face_take: Take) -> None:
    assert refined.frames == int(single_face_take.found.sum()) == 72
    assert refined.after < refined.before
    take = refined.take
    assert take.refinement is not None
    assert take.refinement.shape == take.values.shape
    assert np.abs(take.refinement).max() > 0.001
    about = take.meta["refined"]
    assert (about["name"], about["steps"], about["frames"], len(about["identity"])) == ("linear", 3, 72, 3)
    assert "partial" not in about
    assert [row["index"] for row in about["renderings"]] == sorted({row["index"] for row in about["renderings"]})


def test_all_else_of_the_take_stays(refined: refining.Refined, single_face_take: Take) -> None:
    for name in ("values", "embedding", "landmarks", "head_rotation", "time_s", "crop"):
        np.testing.assert_array_equal(getattr(refined.take, name), getattr(single_face_take, name))
    assert single_face_take.refinement is None
    assert "refined" not in single_face_take.meta


def test_curves_are_the_heads_values_and_the_refinement(
    refined: refining.Refined, single_face_take: Take, regressor: Regressor, start: np.ndarray
) -> None:
    auto = replace(PLAIN, neutral=NeutralSettings())
    curves = calibration.curves(refined.take, auto, regressor).values
    before = calibration.curves(single_face_take, auto, regressor).values
    assert refined.take.refinement is not None
    changed = np.abs(curves - before).max(axis=1)
    assert (changed > 1e-4).mean() > 0.9
    wanted = channels.enforce_rules(start + refined.take.refinement.astype(np.float32))
    for name in ("brow_lower_L", "nose_wrinkle_L", "jaw_drop"):  # eyes' are held through blinks
        np.testing.assert_allclose(curves[:, channels.INDEX[name]], wanted[:, channels.INDEX[name]], atol=0.02)


def test_refined_take_comes_back_from_its_file(refined: refining.Refined, tmp_path: Path) -> None:
    takes.save(refined.take, tmp_path / "a.take.npz")
    back = takes.load(tmp_path / "a.take.npz")
    assert back.refinement is not None
    assert refined.take.refinement is not None
    np.testing.assert_array_equal(back.refinement, refined.take.refinement)
    assert back.meta["refined"] == refined.take.meta["refined"]
    takes.save(replace(back, refinement=None), tmp_path / "b.take.npz")
    assert takes.load(tmp_path / "b.take.npz").refinement is None


def test_stopped_pass_keeps_what_it_has_and_says_so(single_face_take: Take, start: np.ndarray) -> None:
    seen: list[Progress] = []

    def stop(progress: Progress) -> bool:
        seen.append(progress)
        return False

    found = refining.refine(single_face_take, start, made_refiner(), refining.Options(steps=1), on_progress=stop)
    assert [(each.done, each.total, each.faces) for each in seen] == [(32, 72, 32)]
    assert found.frames == 32
    assert found.take.meta["refined"]["partial"] is True
    assert found.take.refinement is not None
    assert np.abs(found.take.refinement[:32]).max() > 0
    assert np.abs(found.take.refinement[32:]).max() == 0


def test_frames_without_a_face_are_passed_over(returning_take: Take, regressor: Regressor) -> None:
    begin = refining.start_of(returning_take, regressor)
    found = refining.refine(returning_take, begin, made_refiner(), refining.Options(steps=1))
    lost = ~returning_take.found
    assert lost.any()
    assert found.frames == int(returning_take.found.sum())
    assert found.take.refinement is not None
    assert np.abs(found.take.refinement[lost]).max() == 0


def test_what_cannot_be_refined_is_told(
    single_face_take: Take, start: np.ndarray, refined: refining.Refined, returning_clip: Path, tmp_path: Path
) -> None:
    refiner = made_refiner()
    with pytest.raises(TakeError, match="refined already"):
        refining.refine(refined.take, start, refiner)
    imported = made_take(landmarks=np.zeros((6, 0, 3), np.float16))
    with pytest.raises(TakeError, match="Another program measured this take"):
        refining.refine(imported, imported.values, refiner)
    with pytest.raises(TakeError, match="does not say where its video lies"):
        refining.refine(made_take(), made_take().values, refiner)
    with pytest.raises(TakeError, match="No frame of the take shows a face"):
        refining.refine(single_face_take, np.full_like(start, np.nan), refiner)
    with pytest.raises(SettingsError, match="1 to 1000 steps"):
        refining.refine(single_face_take, start, refiner, refining.Options(steps=0))
    with pytest.raises(VideoError, match="ends before the take does"):
        refining.refine(single_face_take, start, refiner, refining.Options(returning_clip, 1))
    other = replace(single_face_take, meta={**single_face_take.meta, "frame_size": [100, 50]})
    with pytest.raises(VideoError, match="not the video that was analysed"):
        refining.refine(other, start, refiner)
    with pytest.raises(VideoError):
        refining.refine(single_face_take, start, refiner, refining.Options(tmp_path / "missing.mp4"))
    with pytest.raises(ModelError, match="no numbers"):
        refining.refine(single_face_take, start, made_refiner(broken=True), refining.Options(steps=1))


def test_refinement_of_another_length_is_damage(refined: refining.Refined) -> None:
    with pytest.raises(TakeError, match="refinement is"):
        replace(refined.take, refinement=np.zeros((3, 58), np.float16))


def call(*arguments: str | Path) -> int:
    try:
        return cli.main([str(argument) for argument in arguments])
    except SystemExit as stop:
        return int(stop.code or 0)


def test_command_tells_what_does_not_fit(stored: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def said(*arguments: str | Path, code: int = 1) -> str:
        assert call("refine", *arguments) == code
        return capsys.readouterr().err

    assert "is no take" in said(tmp_path / "video.mp4")
    assert "There is no take" in said(tmp_path / "missing.take.npz")
    assert "cannot take the place" in said(stored, "-o", stored, "--overwrite")
    assert "A refined take is a take" in said(stored, "-o", tmp_path / "a.csv")
    assert "No refiner is installed" in said(stored, "-o", tmp_path / "a.take.npz")
    (tmp_path / "there.take.npz").write_text("mine")
    assert "already exists" in said(stored, "-o", tmp_path / "there.take.npz")
    assert "no whole number from 1 to 1000" in said(stored, "--steps", "0", code=2)
    assert "cannot be read" in said(stored, "-o", tmp_path / "a.take.npz", "--models", tmp_path)
    assert not (tmp_path / "a.take.npz").exists()


def page_of(take: Take, regressor: Regressor) -> str:
    curves = calibration.curves(take, PLAIN, regressor)
    return html_report.page(Performance("actor", take, curves, PLAIN))[0]


def test_report_shows_renderings_beside_the_video(refined: refining.Refined, regressor: Regressor) -> None:
    text = page_of(refined.take, regressor)
    count = len(refined.take.meta["refined"]["renderings"])
    assert text.count('alt="the rendering at ') == text.count('alt="the video at ') == count > 0
    assert "linear 1, 3 steps, 72 frames" in text


def test_report_passes_over_what_is_no_rendering(single_face_take: Take) -> None:
    def coded(side: int) -> str:
        return base64.b64encode(cv2.imencode(".jpg", np.zeros((side, side, 3), np.uint8))[1].tobytes()).decode()

    rows: list[Any] = [
        {"index": 3, "jpeg": coded(8)},
        {"index": 99999, "jpeg": coded(8)},
        {"index": True, "jpeg": coded(8)},
        {"index": 4, "jpeg": '"><script>'},
        {"index": 5, "jpeg": base64.b64encode(b"no picture").decode()},
        {"index": 6, "jpeg": coded(2000)},
        {"index": 7, "jpeg": "A" * 900_000},
        {"index": 8},
        "nonsense",
    ]
    for renderings, count in ((rows, 1), ("text", 0), ([], 0)):
        about = {"name": "<b>x", "renderings": renderings}
        take = replace(single_face_take, meta={**single_face_take.meta, "refined": about})
        assert section(take, None).count('alt="the rendering at ') == count
        assert "<script>" not in section(take, None)
    assert section(replace(single_face_take, meta={**single_face_take.meta, "refined": "yes"}), None) == ""
