"""Gaps and mirroring as settings, and a calibrator that is asked again and again."""

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from au_mocap import calibration, channels, gaze, repair, rotations, steadying
from au_mocap.calibration import Calibrator, NeutralSettings, Settings
from au_mocap.errors import ModelError, SettingsError
from au_mocap.gaps import MODES, GapMode
from au_mocap.registry import Registry
from au_mocap.regressors import Features, Neutral, Regressor, features, open_regressor
from au_mocap.smoothing import smooth_values
from au_mocap.take import Take, save
from tests.core import clips
from tests.core.command_line import rows_of, run
from tests.core.conftest import GAP, extract
from tests.core.takes import made_take

ARRAYS = ("values", "head_rotation", "head_position")


def same(one: calibration.Curves, other: calibration.Curves, tolerance: float = 0.0) -> None:
    for name in ARRAYS:
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), atol=tolerance, rtol=0, err_msg=name)


@pytest.mark.parametrize("smoothing", ["off", "strong"])
@pytest.mark.parametrize("mode", ["hold", "fade"])
def test_filled_gap_leaves_the_rest_as_it_was(
    returning_take: Take, regressor: Regressor, mode: GapMode, smoothing: str
) -> None:
    left = calibration.curves(returning_take, Settings(smoothing=smoothing), regressor)
    filled = calibration.curves(returning_take, Settings(smoothing=smoothing, gaps=mode), regressor)
    for name in ARRAYS:
        assert np.isfinite(getattr(filled, name)).all()
        np.testing.assert_array_equal(getattr(filled, name)[returning_take.found], getattr(left, name)[left_rows(left)])
    assert filled.values.dtype == np.float32


def left_rows(curves: calibration.Curves) -> np.ndarray:
    return ~np.isnan(curves.values).any(axis=1)


def test_held_values_and_head_are_the_last_ones_seen(returning_take: Take, regressor: Regressor) -> None:
    last = int(np.flatnonzero(returning_take.found & (np.arange(60) < GAP[5]))[-1])
    curves = calibration.curves(returning_take, Settings(gaps="hold"), regressor)
    lost = np.flatnonzero(~returning_take.found)
    for name in ARRAYS:
        array = getattr(curves, name)
        np.testing.assert_array_equal(array[lost], np.repeat(array[last : last + 1], len(lost), axis=0))


def test_faded_values_reach_rest_while_the_head_holds(returning_take: Take, regressor: Regressor) -> None:
    offsets = {"jaw_drop": 0.5}  # what is added to a channel is not rest either
    curves = calibration.curves(returning_take, Settings(gaps="fade", offsets=offsets), regressor)
    held = calibration.curves(returning_take, Settings(gaps="hold", offsets=offsets), regressor)
    middle = GAP[len(GAP) // 2]
    assert held.values[middle].max() > 0.3
    assert curves.values[middle].max() < 0.1 * held.values[middle].max()
    np.testing.assert_array_equal(curves.head_rotation, held.head_rotation)
    np.testing.assert_array_equal(curves.head_position, held.head_position)
    steps = np.abs(np.diff(curves.values[GAP[0] - 1 : GAP[-1] + 2], axis=0))
    assert steps.max() < 1.5 / 0.3 / 30 * 1.1


def test_rules_hold_in_filled_gaps(returning_take: Take, regressor: Regressor) -> None:
    gains = {"lips_together": 10.0, "cheek_puff_L": 10.0, "lip_corner_pull_R": 10.0}
    for mode in ("hold", "fade"):
        values = calibration.curves(returning_take, Settings(gains=gains, gaps=mode), regressor).values
        named = {channel_id: values[:, column] for channel_id, column in channels.INDEX.items()}
        assert values.min() >= 0.0
        assert values.max() <= 1.0
        assert (named["lips_together"] <= named["jaw_drop"]).all()
        for mean, (left, right) in channels.SIDES_OF.items():
            np.testing.assert_allclose(named[mean], (named[left] + named[right]) / 2, atol=1e-6)


@pytest.mark.parametrize("mode", ["hold", "fade"])
def test_gap_at_the_beginning(regressor: Regressor, mode: GapMode) -> None:
    take = made_take(30, faceless=tuple(range(12)))
    curves = calibration.curves(take, Settings(gaps=mode, smoothing="off"), regressor)
    np.testing.assert_array_equal(curves.values[0], curves.values[12] if mode == "hold" else 0.0)
    np.testing.assert_array_equal(curves.head_rotation[0], curves.head_rotation[12])
    assert np.isfinite(curves.values).all()


@pytest.mark.parametrize("mode", ["leave", "hold", "fade"])
def test_take_without_any_face_stays_empty(regressor: Regressor, mode: GapMode) -> None:
    take = made_take(5, faceless=tuple(range(5)))
    curves = calibration.curves(take, Settings(gaps=mode, mirror=True), regressor)
    for name in ARRAYS:
        assert np.isnan(getattr(curves, name)).all()


def test_mirror_swaps_sides_and_keeps_the_rest(single_face_take: Take, regressor: Regressor) -> None:
    plain = calibration.curves(single_face_take, Settings(), regressor)
    mirrored = calibration.curves(single_face_take, Settings(mirror=True), regressor)
    for channel_id, column in channels.INDEX.items():
        other = channels.INDEX[channels.mirrored(channel_id)]
        np.testing.assert_allclose(mirrored.values[:, column], plain.values[:, other], atol=1e-6)
    np.testing.assert_array_equal(mirrored.head_position, plain.head_position * [-1, 1, 1])
    turned = [rotations.to_angles(rotations.to_matrices(curves.head_rotation)) for curves in (plain, mirrored)]
    np.testing.assert_allclose(turned[1], turned[0] * [-1, 1, -1], atol=1e-12)
    assert mirrored.neutral.upper_frames == plain.neutral.upper_frames


def test_gains_are_those_of_the_channels_that_are_shown(single_face_take: Take, regressor: Regressor) -> None:
    settings = Settings(NeutralSettings("none"), smoothing="off", mirror=True)
    plain = calibration.curves(single_face_take, settings, regressor).values
    changed = replace(settings, gains={"lip_corner_pull_L": 0.5}, offsets={"brow_raise_R": 0.25})
    values = calibration.curves(single_face_take, changed, regressor).values
    smile, brow = channels.INDEX["lip_corner_pull_L"], channels.INDEX["brow_raise_R"]
    np.testing.assert_allclose(values[:, smile], 0.5 * plain[:, smile], atol=1e-6)
    np.testing.assert_allclose(values[:, brow], np.minimum(plain[:, brow] + 0.25, 1.0), atol=1e-6)
    others = [index for index in range(58) if index not in (smile, brow)]
    np.testing.assert_array_equal(values[:, others], plain[:, others])


def test_mirrored_recording_gives_the_actor_back(langer: Path, langer_take: Take, tmp_path: Path) -> None:
    """A clip flipped left to right and mirrored again moves as the clip itself does."""
    regressor = open_regressor(Registry(), "geometry", "cpu")
    clips.ffmpeg("-i", langer, "-vf", "hflip", "-an", "-c:v", "libx264", "-crf", "12", tmp_path / "flipped.mp4")
    flipped = extract(tmp_path / "flipped.mp4", regressor)
    there = calibration.curves(langer_take, Settings(NeutralSettings("none")), regressor)
    back = calibration.curves(flipped, Settings(NeutralSettings("none"), mirror=True), regressor)
    wrong = calibration.curves(flipped, Settings(NeutralSettings("none")), regressor)
    both = langer_take.found & flipped.found

    def error(curves: calibration.Curves) -> float:
        return float(np.abs(curves.values[both] - there.values[both]).mean())

    assert error(back) < 0.06
    assert error(back) < 0.8 * error(wrong)
    angles = [rotations.to_angles(rotations.to_matrices(one.head_rotation[both])) for one in (there, back, wrong)]
    for axis in (0, 2):
        assert np.corrcoef(angles[0][:, axis], angles[1][:, axis])[0, 1] > 0.9
        assert np.corrcoef(angles[0][:, axis], angles[2][:, axis])[0, 1] < -0.9
    assert np.median(np.abs(back.head_position[both, 0] - there.head_position[both, 0])) < 0.01


def test_calibrator_answers_as_if_asked_for_the_first_time(returning_take: Take, regressor: Regressor) -> None:
    """More settings than it keeps, in turn, twice, from results that callers have spoilt."""
    calibrator = Calibrator(returning_take, regressor)
    asked = [Settings(NeutralSettings("frames", (frame,))) for frame in range(6)]
    asked += [Settings(smoothing=strength, gaps=mode) for strength in ("off", "light", "strong") for mode in MODES]
    asked += [Settings(mirror=True), Settings(gains={"jaw_drop": 3.0}), Settings(NeutralSettings("mean"))]
    for settings in (*asked, *asked):
        given = calibrator.curves(settings)
        same(given, calibration.curves(returning_take, settings, regressor))
        for name in ARRAYS:
            getattr(given, name)[:] = 7.0


@pytest.mark.parametrize("smoothing", ["off", "light", "strong"])
@pytest.mark.parametrize("mode", ["auto", "none"])
def test_gains_are_applied_to_what_was_held_and_smoothed(
    langer_take: Take, regressor: Regressor, smoothing: str, mode: calibration.NeutralMode
) -> None:
    """However strongly a channel is to answer, the same of it counts as flicker."""
    random = np.random.default_rng(4)
    take = replace(langer_take, confidence=random.uniform(0.0, 1.0, len(langer_take)).astype(np.float32))
    sided = channels.PREDICTED_IDS
    gains = dict(zip(sided, random.uniform(0.0, 10.0, len(sided)).tolist(), strict=True))
    offsets = dict(zip(sided, random.uniform(-1.0, 1.0, len(sided)).tolist(), strict=True))
    settings = Settings(NeutralSettings(mode), gains, offsets, smoothing, contact=0.0)
    given = calibration.curves(take, settings, regressor)

    def row(by_id: dict[str, float], default: float) -> np.ndarray:
        return np.array([by_id.get(channel_id, default) for channel_id in channels.IDS])

    values = regressor.values(features(take), given.neutral.neutral)
    steadied = steadying.steady(take.time_s, values, take.confidence)
    assert np.abs(steadied - values).max() > 0.1, "nothing was held"
    faults = repair.find(take.time_s, take.head_rotation, take.head_position, take.confidence)
    held = gaze.hold_through_blinks(take.time_s, repair.bridge(take.time_s, steadied, faults.any_of_both))
    smoothed = smooth_values(take.time_s, held, smoothing)
    wanted = channels.enforce_rules((smoothed * row(gains, 1.0) + row(offsets, 0.0)).astype(np.float32))
    wanted[faults.dropouts] = np.nan
    np.testing.assert_allclose(given.values, wanted, atol=1e-5)


class Counting(Regressor):
    """A regressor that counts how often its head runs over a take."""

    runs = 0

    def values(self, seen: Features, neutral: Neutral | None = None) -> np.ndarray:
        self.runs += 1
        return super().values(seen, neutral)


def test_only_a_new_neutral_runs_the_head(single_face_take: Take, regressor: Regressor) -> None:
    counting = Counting(regressor.entry, regressor.head)
    calibrator = Calibrator(single_face_take, counting)
    for smoothing in ("off", "light", "medium", "strong"):
        for mode in MODES:
            calibrator.curves(Settings(smoothing=smoothing, gaps=mode, gains={"jaw_drop": 2.0}, mirror=True))
    assert counting.runs == 1
    calibrator.curves(Settings(NeutralSettings("frames", (5, 3))))
    calibrator.curves(Settings(NeutralSettings("frames", (3, 5, 3))))
    calibrator.curves(Settings())
    assert counting.runs == 2


def test_wrong_settings_leave_a_calibrator_usable(returning_take: Take, regressor: Regressor) -> None:
    calibrator = Calibrator(returning_take, regressor)
    for _ in range(2):
        with pytest.raises(SettingsError, match="No face was found in neutral frame"):
            calibrator.curves(Settings(NeutralSettings("frames", (GAP[7],))))
    same(calibrator.curves(Settings()), calibration.curves(returning_take, Settings(), regressor))


def test_calibrator_refuses_another_regressors_take(single_face_take: Take) -> None:
    with pytest.raises(ModelError, match="made with regressor geometry"):
        Calibrator(single_face_take, open_regressor(Registry(), "fast", "cpu"))


def test_take_is_not_changed(returning_take: Take, regressor: Regressor) -> None:
    before = {field.name: np.array(getattr(returning_take, field.name)) for field in fields(Take)}
    Calibrator(returning_take, regressor).curves(Settings(gaps="fade", mirror=True))
    for name, array in before.items():
        np.testing.assert_array_equal(array, np.array(getattr(returning_take, name)))


def test_command_line_fills_and_mirrors(returning_take: Take, tmp_path: Path) -> None:
    save(returning_take, tmp_path / "a.take.npz")
    tables = {}
    for name, options in {"plain": (), "hold": ("--gaps", "hold"), "both": ("--gaps", "fade", "--mirror")}.items():
        path = tmp_path / f"{name}.csv"
        outcome = run("extract", tmp_path / "a.take.npz", "-o", path, *options)
        assert outcome.code == 0, outcome.stderr
        tables[name] = rows_of(path)
    lost = GAP[7]
    assert [tables[name][lost]["found"] for name in tables] == ["0", "0", "0"]
    assert tables["plain"][lost]["lip_corner_pull_L"] == tables["plain"][lost]["head_qw"] == ""
    assert tables["hold"][lost]["lip_corner_pull_L"] == tables["hold"][GAP[0] - 1]["lip_corner_pull_L"]
    assert float(tables["both"][lost]["lip_corner_pull_L"]) < 0.1
    plain, mirrored = tables["plain"][5], tables["both"][5]
    assert mirrored["lip_corner_pull_L"] == plain["lip_corner_pull_R"]
    assert float(mirrored["head_qy"]) == -float(plain["head_qy"])
    assert float(mirrored["head_tx_m"]) == -float(plain["head_tx_m"])


def test_command_line_explains_both(tmp_path: Path) -> None:
    text = " ".join(run("extract", "--help").stdout.split())
    assert "--gaps {leave,hold,fade}" in text
    assert "--mirror swap the actor's left and right" in text
    outcome = run("extract", tmp_path / "a.mp4", "--gaps", "bridge")
    assert outcome.code == 2
    assert "invalid choice: 'bridge'" in outcome.error
