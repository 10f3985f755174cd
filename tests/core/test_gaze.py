"""Eyes do not dart about behind closed lids."""

import numpy as np
import pytest

from au_mocap import channels
from au_mocap.gaze import hold_through_blinks

TIMES = np.arange(20) / 30.0


def performance(lids: dict[str, np.ndarray], **looks: np.ndarray) -> np.ndarray:
    """(20, 58) values with lids by side and gaze by channel."""
    values = np.zeros((20, 58), np.float32)
    for side, lid in lids.items():
        values[:, channels.INDEX[f"eye_close_{side}"]] = lid
    for name, curve in looks.items():
        values[:, channels.INDEX[name]] = curve
    return values


def blink(first: int, last: int) -> np.ndarray:
    """A lid that is shut over some frames and half way beside them."""
    lid = np.zeros(20)
    lid[first - 1 : last + 2] = 0.5
    lid[first : last + 1] = 0.95
    return lid


def test_a_line_from_before_to_after() -> None:
    look = np.where(np.arange(20) < 8, 0.2, 0.6)
    look[6:12] = [0.9, 0.0, 1.0, 0.3, 0.8, 0.1]
    found = hold_through_blinks(TIMES, performance({"L": blink(7, 10)}, look_up_L=look))
    curve = found[:, channels.INDEX["look_up_L"]]
    np.testing.assert_allclose(curve[:6], 0.2)
    np.testing.assert_allclose(curve[5:13], np.linspace(0.2, 0.6, 8), atol=1e-6)
    np.testing.assert_allclose(curve[12:], 0.6)


def test_each_eye_by_its_own_lid_and_nothing_else_changes() -> None:
    noise = np.random.default_rng(0).random(20)
    values = performance({"L": blink(7, 10)}, look_in_L=noise, look_in_R=noise, jaw_drop=noise)
    found = hold_through_blinks(TIMES, values)
    changed = {channels.IDS[column] for column in np.flatnonzero((found != values).any(axis=0))}
    assert changed == {"look_in_L"}
    assert values[8, channels.INDEX["look_in_L"]] == np.float32(noise[8]), "the input is left alone"


def test_half_closed_lids_hide_nothing() -> None:
    noise = np.random.default_rng(0).random(20)
    values = performance({"L": np.full(20, 0.55), "R": np.full(20, 0.55)}, look_down_L=noise, look_down_R=noise)
    np.testing.assert_array_equal(hold_through_blinks(TIMES, values), values)


@pytest.mark.parametrize(("first", "last", "held"), [(1, 4, 0.7), (16, 18, 0.7)])
def test_shut_at_an_end_holds_the_nearest(first: int, last: int, held: float) -> None:
    lid = blink(first, last)
    look = np.where(lid > 0.4, 0.1, 0.7)
    curve = hold_through_blinks(TIMES, performance({"R": lid}, look_out_R=look))[:, channels.INDEX["look_out_R"]]
    np.testing.assert_allclose(curve, held)


def test_shut_all_the_time_stays_as_it_is() -> None:
    values = performance({"L": np.ones(20)}, look_up_L=np.linspace(0, 1, 20))
    np.testing.assert_array_equal(hold_through_blinks(TIMES, values), values)


def test_a_gap_is_no_neighbour() -> None:
    look = np.where(np.arange(20) < 8, 0.2, 0.6)
    values = performance({"L": blink(9, 12)}, look_up_L=look)
    values[6:8] = np.nan
    found = hold_through_blinks(TIMES, values)
    assert np.isnan(found[6:8]).all()
    np.testing.assert_allclose(found[8:, channels.INDEX["look_up_L"]], 0.6)
    assert hold_through_blinks(TIMES[:0], values[:0]).shape == (0, 58)
