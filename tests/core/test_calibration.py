"""From a take to curves: which neutral is found, what the settings do, and what is refused."""

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from au_mocap import calibration, channels, gaze
from au_mocap.calibration import NeutralSettings, Settings
from au_mocap.errors import SettingsError
from au_mocap.landmarks import align
from au_mocap.regressors import Regressor, features, generic_neutral
from au_mocap.take import Take
from tests.core.conftest import GAP

OFF = Settings(smoothing="off", neutral=NeutralSettings("none"), contact=0.0)
RIGHT_LIDS, RIGHT_CORNERS = (159, 145), (33, 133)


def part(take: Take, rows: slice) -> Take:
    """Some frames of a take as a take of their own."""
    arrays = {field.name: getattr(take, field.name) for field in fields(Take)}
    cut: dict[str, Any] = {name: array[rows] for name, array in arrays.items() if isinstance(array, np.ndarray)}
    return replace(take, **cut)


def mean_of(curves: calibration.Curves, channel_id: str, rows: slice = slice(None)) -> float:
    return float(np.nanmean(curves.values[rows, channels.INDEX[channel_id]]))


def neutral(mode: calibration.NeutralMode, frames: Sequence[int] = ()) -> Settings:
    return Settings(neutral=NeutralSettings(mode, tuple(frames)))


def eye_opening(take: Take) -> np.ndarray:
    """(T,) height of the actor's right eye over its width, by landmarks alone."""
    points = align(take.landmarks.astype(np.float32)).points
    height, width = (points[:, a] - points[:, b] for a, b in (RIGHT_LIDS, RIGHT_CORNERS))
    return np.linalg.norm(height, axis=1) / np.linalg.norm(width, axis=1)


def test_automatic_neutral_of_a_smiling_clip_is_its_calm_beginning(
    single_face_take: Take, regressor: Regressor
) -> None:
    curves = calibration.curves(single_face_take, Settings(), regressor)
    assert max(curves.neutral.upper_frames + curves.neutral.lower_frames) < 25
    assert curves.neutral.confidence > 0.4
    assert mean_of(curves, "lip_corner_pull_L", slice(0, 12)) < 0.1
    assert mean_of(curves, "lip_corner_pull_L", slice(-20, None)) > 0.4


def test_automatic_neutral_never_takes_closed_eyes(langer_take: Take, regressor: Regressor) -> None:
    """The clip begins with closed eyes and calm features, which a search for little motion alone would choose."""
    opening = eye_opening(langer_take)
    assert np.median(opening[:100]) < 0.15, "the clip no longer begins with closed eyes"
    choice = calibration.curves(langer_take, Settings(), regressor).neutral
    assert opening[list(choice.upper_frames)].min() > 0.22
    assert min(choice.upper_frames) > 120
    assert choice.confidence > 0.3


def test_closed_eyes_stay_closed_and_open_ones_open(langer_take: Take, regressor: Regressor) -> None:
    curves = calibration.curves(langer_take, Settings(), regressor)
    closed = eye_opening(langer_take) < 0.12
    wide = eye_opening(langer_take) > 0.33
    eyes = curves.values[:, channels.INDEX["eye_close_R"]]
    assert np.median(eyes[closed]) > 0.6
    assert np.median(eyes[wide]) < 0.15


@pytest.mark.parametrize(
    ("clip", "rows", "channel_id"),
    [
        ("single_face_take", slice(40, 72), "lip_corner_pull_L"),  # smiles throughout
        ("langer_take", slice(400, 472), "lip_corner_pull_L"),  # laughs throughout
        ("langer_take", slice(0, 130), "eye_close_L"),  # eyes closed throughout
    ],
)
def test_clip_without_a_neutral_frame(
    clip: str, rows: slice, channel_id: str, regressor: Regressor, request: pytest.FixtureRequest
) -> None:
    whole: Take = request.getfixturevalue(clip)
    lacking = calibration.curves(part(whole, rows), Settings(), regressor)
    generic = calibration.curves(part(whole, rows), neutral("none"), regressor)
    mean = calibration.curves(part(whole, rows), replace(neutral("mean"), contact=0.0), regressor)
    assert lacking.neutral.confidence < 0.5 * calibration.curves(whole, Settings(), regressor).neutral.confidence
    assert mean_of(lacking, channel_id) > 0.6 * mean_of(generic, channel_id) > 0.25, "the expression collapsed"
    assert mean_of(mean, channel_id) < 0.3 * mean_of(generic, channel_id), "this clip does hold a neutral frame"


def test_no_neutral_gives_what_the_take_holds(single_face_take: Take, regressor: Regressor) -> None:
    curves = calibration.curves(single_face_take, OFF, regressor)
    held = gaze.hold_through_blinks(single_face_take.time_s, single_face_take.values)
    np.testing.assert_allclose(curves.values, held, atol=1e-5)
    assert (held != single_face_take.values).any(), "the actor blinks in this clip"
    assert curves.neutral == calibration.NeutralChoice((), (), 0.0, None)


def test_chosen_frames_are_the_neutral(single_face_take: Take, regressor: Regressor) -> None:
    curves = calibration.curves(single_face_take, neutral("frames", [60, 61, 60]), regressor)
    assert curves.neutral.upper_frames == curves.neutral.lower_frames == (60, 61)
    assert curves.neutral.confidence == 1.0
    assert mean_of(curves, "lip_corner_pull_L", slice(58, 64)) < 0.1
    given = curves.neutral.neutral
    assert given is not None
    seen = features(single_face_take).landmarks
    np.testing.assert_allclose(given.landmarks, (seen[60] + seen[61]) / 2, atol=1e-5)
    np.testing.assert_array_equal(given.weight, 1.0)


def test_mean_is_of_all_frames_with_a_face(returning_take: Take, regressor: Regressor) -> None:
    choice = calibration.curves(returning_take, neutral("mean"), regressor).neutral
    assert choice.upper_frames == tuple(np.flatnonzero(returning_take.found).tolist())
    assert choice.neutral is not None
    np.testing.assert_allclose(
        choice.neutral.landmarks, np.nanmean(features(returning_take).landmarks, axis=0), atol=1e-4
    )


def test_frames_are_numbered_as_the_video_does(single_face_take: Take, regressor: Regressor) -> None:
    later = replace(part(single_face_take, slice(30, 60)), meta={**single_face_take.meta, "first_frame": 30})
    curves = calibration.curves(later, neutral("frames", [55]), regressor)
    assert curves.neutral.upper_frames == (55,)
    assert mean_of(curves, "lip_corner_pull_L", slice(24, 27)) < 0.1
    assert min(calibration.curves(later, Settings(), regressor).neutral.upper_frames) >= 30
    with pytest.raises(SettingsError, match=r"frame 60 lies outside the take: it has frames 30 to 59\."):
        calibration.curves(later, neutral("frames", [31, 60]), regressor)
    with pytest.raises(SettingsError, match="frame 5 lies outside"):
        calibration.curves(later, neutral("frames", [5]), regressor)


def test_frames_outside_or_faceless_are_refused(returning_take: Take, regressor: Regressor) -> None:
    gap = GAP[len(GAP) // 2]
    with pytest.raises(SettingsError, match=f"No face was found in neutral frame {gap}"):
        calibration.curves(returning_take, neutral("frames", [3, gap]), regressor)
    with pytest.raises(SettingsError, match="frame 60 lies outside the take: it has frames 0 to 59"):
        calibration.curves(returning_take, neutral("frames", [60]), regressor)
    with pytest.raises(SettingsError, match="frame -1 lies outside"):
        calibration.curves(returning_take, neutral("frames", [-1]), regressor)


def test_gap_stays_a_gap_and_touches_nothing_around_it(returning_take: Take, regressor: Regressor) -> None:
    for smoothing in ("off", "strong"):
        curves = calibration.curves(returning_take, Settings(smoothing=smoothing), regressor)
        for array in (curves.values, curves.head_rotation, curves.head_position):
            np.testing.assert_array_equal(np.isnan(array).any(axis=1), ~returning_take.found)
            np.testing.assert_array_equal(np.isnan(array).all(axis=1), ~returning_take.found)


def test_take_without_any_face(returning_take: Take, regressor: Regressor) -> None:
    empty = part(returning_take, slice(GAP[3], GAP[9]))
    for mode in ("auto", "none", "mean"):
        curves = calibration.curves(empty, neutral(mode), regressor)
        assert np.isnan(curves.values).all()
        assert curves.neutral.confidence == 0.0
        assert curves.neutral.neutral is None


@pytest.mark.parametrize("frames", [1, 2, 4])
def test_shortest_takes(single_face_take: Take, regressor: Regressor, frames: int) -> None:
    curves = calibration.curves(part(single_face_take, slice(0, frames)), Settings(), regressor)
    assert curves.values.shape == (frames, 58)
    assert np.isfinite(curves.values).all()
    assert curves.neutral.upper_frames == tuple(range(frames))


def test_take_is_not_changed(single_face_take: Take, regressor: Regressor) -> None:
    before = {field.name: np.array(getattr(single_face_take, field.name)) for field in fields(Take)}
    calibration.curves(single_face_take, Settings(gains={"jaw_drop": 2.0}, smoothing="strong"), regressor)
    for name, array in before.items():
        np.testing.assert_array_equal(array, np.array(getattr(single_face_take, name)))


def test_gains_and_offsets_act_on_their_channel_alone(single_face_take: Take, regressor: Regressor) -> None:
    plain = calibration.curves(single_face_take, OFF, regressor).values
    settings = replace(OFF, gains={"lip_corner_pull_L": 0.5}, offsets={"brow_raise_R": 0.25})
    changed = calibration.curves(single_face_take, settings, regressor).values
    smile, brow = channels.INDEX["lip_corner_pull_L"], channels.INDEX["brow_raise_R"]
    np.testing.assert_allclose(changed[:, smile], 0.5 * plain[:, smile], atol=1e-6)
    np.testing.assert_allclose(changed[:, brow], np.minimum(plain[:, brow] + 0.25, 1.0), atol=1e-6)
    others = [index for index in range(58) if index not in (smile, brow)]
    np.testing.assert_array_equal(changed[:, others], plain[:, others])


def test_rules_hold_after_gains_and_smoothing(single_face_take: Take, regressor: Regressor) -> None:
    gains = {"lips_together": 10.0, "cheek_puff_L": 10.0, "lip_corner_pull_R": 10.0}
    curves = calibration.curves(single_face_take, Settings(gains=gains, smoothing="strong"), regressor)
    values = {channel_id: curves.values[:, column] for channel_id, column in channels.INDEX.items()}
    assert curves.values.min() >= 0.0
    assert curves.values.max() <= 1.0
    assert (values["lips_together"] <= values["jaw_drop"]).all()
    for mean, (left, right) in channels.SIDES_OF.items():
        np.testing.assert_allclose(values[mean], (values[left] + values[right]) / 2, atol=1e-6)


def test_smoothing_calms_the_curves_without_moving_them(single_face_take: Take, regressor: Regressor) -> None:
    def unrest(strength: str) -> float:
        values = calibration.curves(single_face_take, replace(OFF, smoothing=strength), regressor).values
        return float(np.abs(np.diff(values, n=2, axis=0)).sum())

    unrests = [unrest(strength) for strength in ("off", "light", "medium", "strong")]
    assert unrests == sorted(unrests, reverse=True)
    assert unrests[1] < 0.7 * unrests[0]


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"smoothing": "mild"}, "Unknown smoothing 'mild'"),
        ({"gains": {"jaw_dorp": 1.0}}, "jaw_dorp"),
        ({"gains": {"jaw_drop": -0.1}}, "out of range for jaw_drop"),
        ({"gains": {"jaw_drop": 10.5}}, "out of range for jaw_drop"),
        ({"gains": {"jaw_drop": float("nan")}}, "out of range for jaw_drop"),
        ({"offsets": {"jaw_drop": 1.5}}, "out of range for jaw_drop"),
        ({"gains": {"cheek_puff": 2.0}}, "set those of its sides"),
        ({"gaps": "bridge"}, "Unknown treatment of gaps 'bridge'"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(SettingsError, match=problem):
        Settings(**settings)


def test_impossible_neutral_is_refused() -> None:
    with pytest.raises(SettingsError, match="at least one frame"):
        NeutralSettings("frames")
    with pytest.raises(SettingsError, match="Unknown neutral 'smile'"):
        NeutralSettings("smile")  # type: ignore[arg-type]


def test_generic_neutral_is_trusted_nowhere() -> None:
    given = generic_neutral(7)
    assert not given.weight.any()
    assert given.embedding.shape == (7,)
