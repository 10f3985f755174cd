"""Holding values where the face is hardly to be seen."""

import numpy as np

from au_mocap.steadying import CLEAR, HIDDEN, steady


def times(count: int) -> np.ndarray:
    return np.arange(count) / 30


def table(*rows: float) -> np.ndarray:
    return np.array(rows, np.float32)[:, None]


def test_clear_frames_keep_their_values() -> None:
    values = np.random.default_rng(0).random((20, 3)).astype(np.float32)
    for confidence in (np.ones(20), np.full(20, CLEAR)):
        np.testing.assert_array_equal(steady(times(20), values, confidence), values)


def test_hidden_frames_run_from_the_clear_one_before_to_the_one_after() -> None:
    confidence = np.where((np.arange(41) >= 12) & (np.arange(41) < 28), 0.0, 1.0)
    values = np.where(np.arange(41) < 20, 0.2, 0.8)[:, None].astype(np.float32)
    values[15] = 1.0
    steadied = steady(times(41), values, confidence)[:, 0]
    np.testing.assert_array_equal(steadied[:9], values[:9, 0])
    np.testing.assert_array_equal(steadied[31:], values[31:, 0])
    steps = np.diff(steadied)
    assert steps.min() >= 0
    assert steps.max() < 0.05


def test_true_times_count_not_frames() -> None:
    time_s = np.array([0.0, 1.0, 4.0, 5.0])
    steadied = steady(time_s, table(0.0, 0.9, 0.9, 1.0), np.array([1.0, 0.0, 0.0, 1.0]))
    np.testing.assert_allclose(steadied[:, 0], [0.0, 0.2, 0.8, 1.0], atol=1e-6)


def test_the_last_clear_value_is_held_at_the_ends() -> None:
    confidence = np.where((np.arange(30) >= 8) & (np.arange(30) < 20), 1.0, 0.05)
    values = np.where(confidence == 1.0, 0.4, 0.9)[:, None].astype(np.float32)
    np.testing.assert_allclose(steady(times(30), values, confidence), 0.4, atol=1e-6)


def test_doubtful_frames_are_mixed_by_their_confidence() -> None:
    half = (CLEAR + HIDDEN) / 2
    steadied = steady(np.arange(3.0), table(0.0, 1.0, 0.0), np.array([1.0, half, 1.0]))
    np.testing.assert_allclose(steadied[:, 0], [0.0, 0.5, 0.0], atol=1e-6)


def test_a_moment_that_seems_clear_is_no_clearer_than_what_surrounds_it() -> None:
    confidence = np.zeros(40)
    confidence[:10] = confidence[30:] = confidence[20] = 1.0
    values = np.where(confidence == 1.0, 0.0, 0.5)[:, None].astype(np.float32)
    values[20] = 1.0
    assert np.abs(steady(times(40), values, confidence)).max() < 1e-6


def test_frames_without_a_face_stay_and_nothing_reaches_across_them() -> None:
    values = table(*[0.1] * 10, *[np.nan] * 3, *[0.9] * 10)
    confidence = np.concatenate([np.ones(10), np.zeros(3), np.zeros(10)])
    steadied = steady(times(23), values, confidence)
    assert np.isnan(steadied[10:13]).all()
    np.testing.assert_array_equal(steadied[13:], values[13:])  # no clear frame on this side: left as it is
    assert not np.isnan(np.delete(steadied, [10, 11, 12], axis=0)).any()


def test_nothing_at_all() -> None:
    assert steady(np.zeros(0), np.zeros((0, 3)), np.zeros(0)).shape == (0, 3)
    lost = np.full((4, 2), np.nan)
    assert np.isnan(steady(times(4), lost, np.zeros(4))).all()
