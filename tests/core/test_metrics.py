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
