"""Agreement figures, against values computed by hand."""

from collections.abc import Sequence

import numpy as np
import pytest

from au_mocap import metrics


def columns(*pairs: tuple[Sequence[float], Sequence[float]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([pair[0] for pair in pairs]).T, np.array([pair[1] for pair in pairs]).T


def test_icc_by_hand() -> None:
    """Ratings (1, 2), (2, 4), (3, 3), (4, 5), grand mean 3.

    Between frames: means 1.5, 3, 3, 4.5; BMS = 2 (2.25 + 0 + 0 + 2.25) / 3 = 3. Raters: means 2.5 and 3.5. Residuals
    x - frame - rater + 3: (0, 0), (-0.5, 0.5), (0.5, -0.5), (0, 0), squares sum to 1; EMS = 1/3.
    ICC(3,1) = (3 - 1/3) / (3 + 1/3) = 0.8.
    """
    assert metrics.icc(*columns(([1, 2, 3, 4], [2, 4, 3, 5]))) == pytest.approx([0.8])


def test_icc_of_shrout_and_fleiss() -> None:
    """Judges 1 and 3 of Shrout and Fleiss' table 2 (6 targets): sums give BMS 7.3500, EMS 1.1500."""
    judge_1, judge_3 = [9, 6, 8, 7, 10, 6], [5, 3, 6, 2, 6, 4]
    between = 2 * np.var((np.array(judge_1) + judge_3) / 2, ddof=1)
    error = np.var(np.array(judge_1) - judge_3, ddof=1) / 2
    assert metrics.icc(*columns((judge_1, judge_3))) == pytest.approx([(between - error) / (between + error)])


def test_icc_forgives_an_offset_but_not_a_gain() -> None:
    truth = [0.0, 0.2, 0.4, 0.6]
    same, offset, half, against = metrics.icc(
        *columns(
            (truth, truth),
            ([value + 0.3 for value in truth], truth),
            ([value / 2 for value in truth], truth),
            ([-value for value in truth], truth),
        )
    )
    assert (same, offset, against) == pytest.approx((1.0, 1.0, -1.0))
    assert half == pytest.approx(0.8)  # 2 a b / (a^2 + b^2) with a = 1/2, b = 1


def test_pcc_by_hand() -> None:
    """Deviations (-1, 0, 1) and (-1, 1, 0): 1 / sqrt(2 * 2) = 0.5."""
    assert metrics.pcc(*columns(([1, 2, 3], [0, 2, 1]), ([1, 2, 3], [30, 20, 10]))) == pytest.approx([0.5, -1.0])


def test_mae_and_mse_by_hand() -> None:
    predicted, truth = columns(([0.1, 0.5, 0.9], [0.2, 0.5, 0.5]), ([1, 1, 1], [0, 0, 0]))
    assert metrics.mae(predicted, truth) == pytest.approx([0.5 / 3, 1.0])
    assert metrics.mse(predicted, truth) == pytest.approx([0.17 / 3, 1.0])


@pytest.mark.parametrize("level", [0.0, 0.1, 0.3, 1 / 3, 0.7])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_still_columns_agree_by_zero_whatever_the_rounding(level: float, kind: type) -> None:
    still = np.full((37, 1), level, kind)
    moving = np.random.default_rng(1).uniform(size=(37, 1)).astype(kind)
    assert metrics.icc(still, np.full_like(still, 0.9)) == 0.0
    assert metrics.pcc(still, moving) == 0.0
    assert metrics.pcc(moving, still) == 0.0
    assert metrics.icc(still, moving) == pytest.approx(0.0)


def test_one_frame_is_no_agreement() -> None:
    one = np.array([[0.5, 0.2]])
    assert metrics.icc(one, one).tolist() == [0.0, 0.0]
    assert metrics.pcc(one, one).tolist() == [0.0, 0.0]


def test_single_precision_is_summed_in_double() -> None:
    random = np.random.default_rng(2)
    truth = random.uniform(size=(200_000, 1))
    predicted = truth + random.normal(scale=0.1, size=truth.shape)
    for metric in (metrics.icc, metrics.pcc, metrics.mae, metrics.mse):
        np.testing.assert_allclose(
            metric(predicted.astype(np.float32), truth.astype(np.float32)), metric(predicted, truth), rtol=1e-6
        )


def test_feafa_loss_by_hand() -> None:
    """Errors (0.1, 0, 0.2) and (0, 0.3, 0): squared norms 0.05 and 0.09, mean 0.07."""
    predicted = np.array([[0.6, 0.2, 0.0], [0.0, 0.9, 1.0]])
    truth = np.array([[0.5, 0.2, 0.2], [0.0, 0.6, 1.0]])
    assert metrics.feafa_loss(predicted, truth) == pytest.approx(0.07)
    assert metrics.feafa_loss(np.zeros((2, 3)), truth) == pytest.approx((0.33 + 1.36) / 2)


def test_f1_by_hand() -> None:
    """Present above 0.1: 2 hits, 1 false alarm, 1 miss; F1 = 2 * 2 / (2 * 2 + 1 + 1) = 2/3."""
    predicted, truth = columns(([0.5, 0.9, 0.11, 0.1, 0.0], [0.2, 1.0, 0.1, 0.3, 0.0]))
    assert metrics.f1(predicted, truth) == pytest.approx([2 / 3])


def test_f1_at_another_threshold() -> None:
    """Above 0.4: 1 hit, no false alarm, 2 misses; 2 / (2 + 0 + 2) = 0.5."""
    assert metrics.f1(*columns(([0.5, 0.4, 0.3], [0.5, 0.9, 0.9])), above=0.4) == pytest.approx([0.5])


def test_f1_where_there_is_nothing_to_find_or_nothing_is_found() -> None:
    never, always = [0.0, 0.1, 0.05], [0.9, 0.9, 0.9]
    scores = metrics.f1(*columns((never, never), (always, never), (never, always), (always, always)))
    np.testing.assert_array_equal(scores, [np.nan, np.nan, 0.0, 1.0])


def test_jitter_by_hand() -> None:
    """Windows of 5: (0, 0, 0, 0, 1) has variance 0.2 - 0.04 = 0.16; (0, 0, 0, 1, 1) has 0.4 - 0.16 = 0.24."""
    values = np.array([[0, 0, 0, 0, 1, 1], [0.3] * 6]).T
    assert metrics.jitter(values) == pytest.approx([(0.4 + np.sqrt(0.24)) / 2, 0.0])
    assert metrics.jitter(values, window=2) == pytest.approx([0.5 / 5, 0.0])


def test_jitter_leaves_out_windows_without_a_face() -> None:
    values = np.array([[0, 0, 0, 0, 1, np.nan, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]]).T
    assert metrics.jitter(values) == pytest.approx([0.4 / 3])  # one window before the gap, two still ones after it
    assert np.isnan(metrics.jitter(values[3:7])).all()
    assert np.isnan(metrics.jitter(values[2:8])).all()


BLINKS = (metrics.Blink(10, 12, 14), metrics.Blink(30, 31, 33), metrics.Blink(50, 52, 55))


def blinking(**spans: tuple[int, int, float]) -> np.ndarray:
    """80 frames at 0.05 with spans (first, last, value)."""
    values = np.full(80, 0.05)
    for first, last, value in spans.values():
        values[first : last + 1] = value
    return values


def test_blink_recall_by_hand() -> None:
    """Two of three reach 0.8, one of them 2 frames after its end; the third reaches it 3 frames after."""
    values = blinking(a=(11, 13, 0.9), b=(35, 35, 0.8), c=(58, 58, 1.0))
    assert metrics.blink_recall(values, BLINKS) == pytest.approx(2 / 3)
    assert metrics.blink_recall(values, BLINKS, peak=0.85) == pytest.approx(1 / 3)
    assert metrics.blink_recall(values, BLINKS, margin=3) == 1.0
    values[8:17] = np.nan  # no face
    assert metrics.blink_recall(values, BLINKS) == pytest.approx(1 / 3)


def test_false_blinks_by_hand() -> None:
    """Outside the intervals widened by 3 (7-17, 27-36, 47-58): the stretches at 0-1 and 40-41, and that at 70.

    The one that begins in a blink and lasts beyond it is not counted, nor one that does not exceed 0.5.
    """
    values = blinking(a=(0, 1, 0.6), b=(12, 22, 0.9), c=(40, 41, 0.7), d=(44, 45, 0.5), e=(70, 70, 1.0))
    assert metrics.false_blinks(values, BLINKS) == pytest.approx(3 / 3)
    values[40] = np.nan
    assert metrics.false_blinks(values, BLINKS) == pytest.approx(3 / 3)
    assert metrics.false_blinks(blinking(), BLINKS) == 0.0


def test_median_between_blinks_by_hand() -> None:
    """Outside the intervals widened by 5 (5-19, 25-38, 45-60) lie 0-4, 20-24, 39-44, 61-79: 35 frames."""
    values = blinking(a=(5, 19, 1.0), b=(25, 38, 1.0), c=(45, 60, 1.0), d=(61, 79, 0.2))
    assert metrics.median_between_blinks(values, BLINKS) == pytest.approx(0.2)  # 19 of 35
    values[64:80] = np.nan
    assert metrics.median_between_blinks(values, BLINKS) == pytest.approx(0.05)
    assert np.isnan(metrics.median_between_blinks(values[5:20], [metrics.Blink(5, 6, 9)]))


def test_no_listed_blinks_give_no_share() -> None:
    values = blinking(a=(3, 4, 1.0))
    assert np.isnan(metrics.blink_recall(values, []))
    assert np.isnan(metrics.false_blinks(values, []))
    assert metrics.median_between_blinks(values, []) == pytest.approx(0.05)
