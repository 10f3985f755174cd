"""When lids and lips touch: found from landmarks and values, relative to the actor's own ranges."""

from dataclasses import replace

import numpy as np
import pytest

from au_mocap import calibration, channels, contact
from au_mocap.contact import Seen, detect
from au_mocap.datasets import read_blinks
from au_mocap.landmarks import IPD_M, canonical_face
from au_mocap.regressors import Regressor, features
from au_mocap.smoothing import segments
from au_mocap.take import Take
from training.extension import ROOT

RATE_HZ = 30.0
SPEAK = 0.12
"""Gap of speaking lips, in distances between the eyes."""


def seen(eyes: np.ndarray, lips: np.ndarray, size: float = 1.0) -> Seen:
    """A face whose lids and lips are as far apart as (T,) shares of open say, with values to match.

    `size` makes all openings of the actor larger or smaller than usual.
    """
    count = len(eyes)
    points = np.repeat(canonical_face().points[None] / IPD_M, count, axis=0).astype(np.float32)
    values = np.zeros((count, len(channels.IDS)), np.float32)
    for side, pairs in zip("LR", contact._LIDS, strict=True):
        for upper, lower in pairs:
            middle = points[:, [upper, lower], 1].mean(axis=1)
            half = 0.5 * size * (0.02 + 0.12 * eyes)
            points[:, upper, 1], points[:, lower, 1] = middle - half, middle + half
        values[:, channels.INDEX[f"eye_close_{side}"]] = 1.0 - eyes
    for upper, lower in contact._LIPS:
        middle = points[:, [upper, lower], 1].mean(axis=1)
        half = 0.5 * size * (0.01 + SPEAK * lips)
        points[:, upper, 1], points[:, lower, 1] = middle - half, middle + half
    values[:, channels.INDEX["jaw_drop"]] = 0.3
    values[:, channels.INDEX["lips_together"]] = 0.3 * (1.0 - lips)
    return Seen(np.arange(count) / RATE_HZ, points, values, np.ones(count))


def pulses(count: int, *at: int, frames: int = 2) -> np.ndarray:
    """(T,) 1, but 0 for some frames from each place on."""
    curve = np.ones(count)
    for place in at:
        curve[place : place + frames] = 0.0
    return curve


def stretches(curve: np.ndarray) -> list[tuple[int, int]]:
    return segments(curve > 0.99)


@pytest.mark.parametrize("size", [0.7, 1.0, 1.4])
def test_short_closures_are_found_whatever_the_actors_own_openings(size: float) -> None:
    found = detect(seen(pulses(90, 20, 60), pulses(90, 10, 40, 80), size))
    assert [stretches(found.eyes[:, side]) for side in (0, 1)] == [[(20, 22), (60, 62)]] * 2
    assert stretches(found.lips) == [(10, 12), (40, 42), (80, 82)]


def test_a_contact_comes_and_goes_within_two_frames() -> None:
    lips = detect(seen(np.ones(60), pulses(60, 30))).lips
    np.testing.assert_array_equal(lips[30:32], 1.0)
    assert 0.0 < lips[29] < 0.5
    assert lips[32] == pytest.approx(lips[29])
    assert not lips[:28].any()
    assert not lips[34:].any()


def test_half_closed_is_no_contact() -> None:
    found = detect(seen(np.where(pulses(90, 30, frames=10) > 0, 1.0, 0.5), np.full(90, 0.7)))
    assert not found.eyes.any()
    assert not found.lips.any()
    assert found.lips_apart.min() == 1.0


def test_eyes_close_one_at_a_time() -> None:
    both = seen(np.ones(60), np.ones(60))
    shut = seen(pulses(60, 30, frames=4), np.ones(60))
    points, values = both.landmarks.copy(), both.values.copy()
    right = [index for pair in contact._LIDS[1] for index in pair]
    points[:, right] = shut.landmarks[:, right]
    column = channels.INDEX["eye_close_R"]
    values[:, column] = shut.values[:, column]
    found = detect(replace(both, landmarks=points, values=values))
    assert not found.eyes[:, 0].any()
    assert stretches(found.eyes[:, 1]) == [(30, 34)]


def test_frames_without_a_face_stay_empty_and_doubtful_ones_have_no_say() -> None:
    face = seen(np.ones(60), pulses(60, 30))
    points, values, confidence = face.landmarks.copy(), face.values.copy(), np.ones(60)
    points[10:13], values[10:13], confidence[10:13], confidence[28:35] = np.nan, np.nan, 0.0, 0.05
    found = detect(replace(face, landmarks=points, values=values, confidence=confidence))
    assert np.isnan(found.lips[10:13]).all()
    assert np.isnan(found.eyes[10:13]).all()
    assert not np.nan_to_num(found.lips).any(), "what a hidden face seems to do is no contact"


@pytest.mark.parametrize("frames", [1, 4])
def test_a_take_too_short_for_the_actors_own_range_uses_a_usual_one(frames: int) -> None:
    assert stretches(detect(seen(np.zeros(frames), np.zeros(frames))).lips) == [(0, frames)]
    assert not detect(seen(np.ones(frames), np.ones(frames))).lips.any()


def test_a_take_without_any_face() -> None:
    face = seen(np.ones(5), np.ones(5))
    lost = replace(face, landmarks=np.full_like(face.landmarks, np.nan), values=np.full_like(face.values, np.nan))
    assert np.isnan(detect(lost).eyes).all()


def test_a_mouth_that_never_closes_has_no_contact() -> None:
    assert not detect(seen(np.ones(60), np.full(60, 0.8))).lips.any()


def test_lips_that_rest_parted_are_told_from_closed_ones() -> None:
    """The values are measured from a neutral with parted lips, so that the jaw seems closed all the time."""
    face = seen(np.ones(90), np.where(pulses(90, 30, 60, frames=8) > 0, 0.5, 0.0))
    values = face.values.copy()
    values[:, [channels.INDEX["jaw_drop"], channels.INDEX["lips_together"]]] = 0.0
    found = detect(replace(face, values=values, neutral=face.landmarks[0]))
    assert stretches(found.lips) == [(30, 38), (60, 68)]


def test_blinks_of_a_real_clip(langer_take: Take, regressor: Regressor) -> None:
    """Every blink that was seen to be full is found, and nothing that was not listed."""
    curves = calibration.curves(langer_take, calibration.Settings(smoothing="off", contact=0.0), regressor)
    assert curves.neutral.neutral is not None
    found = detect(
        Seen(
            langer_take.time_s,
            features(langer_take).landmarks,
            curves.values,
            langer_take.confidence,
            curves.neutral.neutral.landmarks,
        )
    )
    listed = read_blinks(ROOT / "tests" / "data" / "blinks.csv")["langer"]
    both = found.eyes.min(axis=1) > 0.99
    for blink in listed:
        assert both[blink.start - 2 : blink.end + 3].any() or not blink.full, blink
    outside = np.ones(len(both), bool)
    for blink in listed:
        outside[max(blink.start - 16, 0) : blink.end + 4] = False  # the clip begins with the eyes half shut
    assert not (both & outside).any()
