"""An imported take behaves as an analysed one: neutral, gains, smoothing, gaps, mirror, storing."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from au_mocap import calibration, channels, sources
from au_mocap import take as takes
from au_mocap.calibration import NeutralSettings, Settings
from au_mocap.errors import ModelError, SettingsError, TakeError
from au_mocap.exchange import Recording, to_take
from au_mocap.imported import ImportedValues
from au_mocap.regressors import Regressor
from au_mocap.take import Take
from tests.core.exchanged import turns
from tests.core.takes import made_take

RAW = Settings(NeutralSettings("none"), smoothing="off")
REST = {"lip_corner_pull_L": 0.2, "brow_lower_R": 0.1, "jaw_drop": 0.05}


def acted(**changes: np.ndarray) -> Take:
    """Ten seconds at 30 Hz: at rest with a little on some channels, then a smile, then lost, then a frown."""
    count = 300
    told = ("lip_corner_pull_L", "lip_corner_pull_R", "brow_lower_L", "brow_lower_R", "jaw_drop", "lips_together")
    values = np.zeros((count, len(told)), np.float32)
    for channel_id, rest in REST.items():
        values[:, told.index(channel_id)] = rest
    values[100:150, told.index("lip_corner_pull_L")] = 1.0
    values[220:260, told.index("brow_lower_R")] = 0.55
    found = np.ones(count, np.bool_)
    found[170:180] = False
    recording = Recording(np.arange(count) / 30, told, values, found=found, rotation=turns(count))
    return to_take(replace(recording, **changes), Path("acted.csv"), "table").take


def curves(take: Take, settings: Settings = RAW) -> calibration.Curves:
    return calibration.curves(take, settings, ImportedValues())


def of(result: calibration.Curves, channel_id: str) -> np.ndarray:
    return result.values[:, channels.INDEX[channel_id]]


def test_without_a_neutral_values_stay_as_they_were() -> None:
    take = acted()
    result = curves(take)
    assert of(result, "lip_corner_pull_L")[[0, 120]] == pytest.approx([0.2, 1.0])
    assert of(result, "tongue_out")[[0, 120]].tolist() == [0.0, 0.0]
    assert np.isnan(result.values[170:180]).all()
    np.testing.assert_allclose(result.head_rotation[:100], take.head_rotation[:100], atol=1e-6)
    assert np.isnan(result.head_position).all()


def test_rest_becomes_nothing_and_full_stays_full() -> None:
    result = curves(acted(), Settings(NeutralSettings("frames", (5, 6, 7)), smoothing="off"))
    assert of(result, "lip_corner_pull_L")[[0, 50, 120]] == pytest.approx([0.0, 0.0, 1.0], abs=1e-6)
    assert of(result, "brow_lower_R")[[0, 230]] == pytest.approx([0.0, 0.5], abs=1e-6)
    assert result.neutral.upper_frames == (5, 6, 7)


def test_automatic_neutral_finds_rest_in_each_half_of_the_face() -> None:
    result = curves(acted(), Settings(smoothing="off"))
    assert not set(result.neutral.lower_frames) & set(range(100, 150))
    assert not set(result.neutral.upper_frames) & set(range(220, 260))
    trust = result.neutral.confidence
    assert 0.6 < trust <= 1.0
    known_rest = trust * 0.2
    assert 0.0 <= of(result, "lip_corner_pull_L")[0] <= (0.2 - known_rest) / (1.0 - known_rest) + 1e-6
    assert of(result, "lip_corner_pull_L")[120] == pytest.approx(1.0)


def test_mean_neutral_takes_the_mean_off() -> None:
    take = acted()
    mean = float(np.nanmean(take.values[:, take.channels.index("jaw_drop")]))
    result = curves(take, Settings(NeutralSettings("mean"), smoothing="off"))
    assert of(result, "jaw_drop")[0] == pytest.approx((0.05 - mean) / (1.0 - mean), abs=1e-6)


def test_a_large_rest_stretches_no_further_than_twofold() -> None:
    take = acted()
    values = take.values.copy()
    values[:, take.channels.index("jaw_drop")] = 0.9
    values[10, take.channels.index("jaw_drop")] = 1.0
    result = curves(replace(take, values=values), Settings(NeutralSettings("frames", (0,)), smoothing="off"))
    assert of(result, "jaw_drop")[10] == pytest.approx(0.2, abs=1e-6)


def test_gains_offsets_mirror_and_gaps() -> None:
    take = acted()
    settings = replace(RAW, gains={"jaw_drop": 2.0}, offsets={"lip_funnel": 0.1}, mirror=True, gaps="hold")
    result = curves(take, settings)
    assert of(result, "jaw_drop")[0] == pytest.approx(0.1)
    assert of(result, "lip_funnel")[0] == pytest.approx(0.1)
    assert of(result, "lip_corner_pull_R")[[0, 120]] == pytest.approx([0.2, 1.0])
    assert of(result, "lip_corner_pull_R")[175] == pytest.approx(0.2)
    np.testing.assert_allclose(result.head_rotation[0], take.head_rotation[0] * [1, 1, -1, -1], atol=1e-6)


def test_smoothing_softens_a_step() -> None:
    smooth = of(curves(acted(), replace(RAW, smoothing="strong")), "lip_corner_pull_L")
    assert 0.3 < smooth[100] < 0.99
    assert smooth[125] == pytest.approx(1.0, abs=1e-3)


def test_a_neutral_frame_without_a_face_is_refused() -> None:
    with pytest.raises(SettingsError, match="No face was found in neutral frame 172"):
        curves(acted(), Settings(NeutralSettings("frames", (172,))))


def test_doubtful_frames_are_held() -> None:
    confidence = np.ones(300)
    confidence[110:120] = 0.0
    take = acted(confidence=confidence)
    values = take.values.copy()
    values[110:120] = 0.9
    assert of(curves(replace(take, values=values)), "jaw_drop")[115] == pytest.approx(0.05)


def test_stored_and_loaded(tmp_path: Path) -> None:
    take = acted()
    path = tmp_path / "a.take.npz"
    takes.save(take, path)
    back = takes.load(path)
    assert back.is_imported
    assert back.channels == take.channels
    np.testing.assert_array_equal(back.values, take.values)
    assert back.meta["regressor"] == {"name": "imported", "version": "1"}
    assert back.meta["imported"]["format"] == "table"
    assert path.stat().st_size < 300 * 100
    assert sources.state(back) == "same"


def test_a_take_with_some_landmarks_is_still_refused() -> None:
    with pytest.raises(TakeError, match="landmarks"):
        replace(acted(), landmarks=np.zeros((300, 5, 3), np.float16))


def test_makers_do_not_fit_each_others_takes(regressor: Regressor) -> None:
    with pytest.raises(ModelError):
        calibration.Calibrator(acted(), regressor)
    with pytest.raises(ModelError):
        calibration.Calibrator(made_take(), ImportedValues())
