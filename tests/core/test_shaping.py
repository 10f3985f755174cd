"""Intensity by region, exaggeration and symmetry: what they change, and what they must leave alone."""

import numpy as np
import pytest

from au_mocap import calibration, channels
from au_mocap.calibration import Settings
from au_mocap.channels import INDEX
from au_mocap.errors import SettingsError
from au_mocap.regions import REGION_OF, REGIONS
from au_mocap.regressors import Regressor
from au_mocap.shaping import Shaping, exaggerated, shape, side_balance
from au_mocap.take import Take

LEFT, RIGHT = INDEX["lip_corner_pull_L"], INDEX["lip_corner_pull_R"]


def table(count: int = 200, **curves: object) -> np.ndarray:
    values = np.zeros((count, len(channels.IDS)))
    for channel, curve in curves.items():
        values[:, INDEX[channel]] = curve
    return values


def smile(count: int = 200) -> np.ndarray:
    return 0.4 - 0.4 * np.cos(np.arange(count) / 20.0)


def test_every_channel_has_a_region() -> None:
    assert set(REGION_OF) == set(channels.IDS)
    assert set(REGION_OF.values()) == set(REGIONS)
    for channel_id in channels.IDS:
        assert REGION_OF[channel_id] == REGION_OF[channels.mirrored(channel_id)]


def test_defaults_change_nothing() -> None:
    values = np.random.default_rng(1).uniform(size=(50, 58))
    assert Shaping().is_plain
    np.testing.assert_array_equal(shape(values, Shaping()), values)
    assert Shaping({"lips": 1.0}, {"lips": 0.0}).is_plain


@pytest.mark.parametrize("region", REGIONS)
def test_intensity_acts_on_its_region_alone(region: str) -> None:
    values = np.random.default_rng(1).uniform(size=(50, 58))
    shaped = shape(values, Shaping({region: 1.5}))
    own = np.array([REGION_OF[channel_id] == region for channel_id in channels.IDS])
    assert own.any()
    np.testing.assert_allclose(shaped[:, own], 1.5 * values[:, own])
    np.testing.assert_array_equal(shaped[:, ~own], values[:, ~own])


@pytest.mark.parametrize("amount", [-2.0, -0.5, 0.5, 2.0])
def test_exaggeration_keeps_rest_and_the_full_action(amount: float) -> None:
    inputs = np.linspace(0.0, 1.0, 201)
    bent = exaggerated(inputs, amount)
    assert bent[[0, -1]] == pytest.approx([0.0, 1.0])
    assert (np.diff(bent) > 0.0).all()
    assert ((bent - inputs)[1:-1] * amount > 0.0).all()
    assert bent[1] / inputs[1] == pytest.approx(2.0**amount, rel=0.03)
    np.testing.assert_allclose(exaggerated(bent, -amount), inputs, atol=1e-12)


def test_exaggeration_cuts_off_what_lies_beyond() -> None:
    assert exaggerated(np.array([-0.4, 1.7]), 2.0).tolist() == [0.0, 1.0]


def test_a_side_that_is_weaker_throughout_is_lifted() -> None:
    values = table(lip_corner_pull_L=0.6 * smile(), lip_corner_pull_R=smile())
    factors = side_balance(values)
    assert factors[LEFT] == pytest.approx(1 / 0.6)
    assert (np.delete(factors, LEFT) == 1.0).all()
    whole, half = (shape(values, Shaping(symmetry=amount)) for amount in (1.0, 0.5))
    np.testing.assert_allclose(whole[:, LEFT], whole[:, RIGHT])
    assert (half[:, LEFT] > values[:, LEFT] - 1e-12).all()
    assert half[:, LEFT].max() < whole[:, LEFT].max()
    np.testing.assert_array_equal(whole[:, RIGHT], values[:, RIGHT])


def test_what_one_side_does_alone_stays_alone() -> None:
    wink = np.zeros(400)
    wink[100:120] = 0.9
    blink = np.zeros(400)
    blink[200:206] = blink[300:306] = 0.9
    values = table(400, eye_close_L=np.maximum(wink, blink), eye_close_R=0.9 * blink)
    shaped = shape(values, Shaping(symmetry=1.0))
    assert shaped[110, INDEX["eye_close_R"]] == 0.0
    assert shaped[203, INDEX["eye_close_R"]] == pytest.approx(0.9)
    only_one = table(lip_corner_pull_L=smile(), lip_corner_pull_R=0.05)
    np.testing.assert_array_equal(shape(only_one, Shaping(symmetry=1.0)), only_one)


def test_balance_is_limited_and_passes_over_directions() -> None:
    weak = side_balance(table(lip_corner_pull_L=smile(), lip_corner_pull_R=0.3 * smile()))
    assert weak[RIGHT] == pytest.approx(2.0)
    ways = table(look_in_L=0.3, look_in_R=0.8, jaw_slide_L=0.3, jaw_slide_R=0.8, mouth_slide_L=0.2, mouth_slide_R=0.9)
    assert (side_balance(ways) == 1.0).all()


def test_gaps_stay_gaps_and_say_nothing() -> None:
    values = table(lip_corner_pull_L=0.5 * smile(), lip_corner_pull_R=smile())
    values[50:60] = np.nan
    shaped = shape(values, Shaping({"lips": 2.0}, {"lips": 1.0}, 1.0))
    assert np.isnan(shaped[50:60]).all()
    assert np.isfinite(np.delete(shaped, slice(50, 60), axis=0)).all()
    assert np.isnan(shape(np.full((3, 58), np.nan), Shaping(symmetry=1.0))).all()


def test_a_balance_can_be_brought_along_for_single_frames() -> None:
    values = table(lip_corner_pull_L=0.6 * smile(), lip_corner_pull_R=smile())
    whole = shape(values, Shaping(symmetry=1.0))
    single = shape(values[40:41], Shaping(symmetry=1.0), side_balance(values))
    np.testing.assert_allclose(single, whole[40:41])


def test_reaches_the_curves_before_the_rules(single_face_take: Take, regressor: Regressor) -> None:
    plain = calibration.curves(single_face_take, Settings(), regressor).values
    shaped = calibration.curves(
        single_face_take, Settings(shaping=Shaping({"lips": 3.0, "jaw": 0.0})), regressor
    ).values
    assert shaped.max() <= 1.0
    np.testing.assert_allclose(shaped[:, LEFT], np.minimum(3.0 * plain[:, LEFT], 1.0), atol=1e-5)
    assert not shaped[:, INDEX["jaw_drop"]].any()
    assert not shaped[:, INDEX["lips_together"]].any(), "the lips may not close a jaw that does not open"
    for mean, (left, right) in channels.SIDES_OF.items():
        sides = (shaped[:, INDEX[left]] + shaped[:, INDEX[right]]) / 2
        np.testing.assert_allclose(shaped[:, INDEX[mean]], sides, atol=1e-6)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"intensity": {"ears": 1.0}}, "Unknown regions ears"),
        ({"exaggeration": {"brow": 1.0}}, "use brows, lids"),
        ({"intensity": {"lips": 3.1}}, "intensity of lips is out of range: use 0 to 3"),
        ({"intensity": {"lips": float("nan")}}, "intensity of lips"),
        ({"exaggeration": {"lips": -2.5}}, "use -2 to 2"),
        ({"symmetry": 1.5}, "symmetry of both sides"),
        ({"symmetry": float("nan")}, "symmetry"),
    ],
)
def test_impossible_settings_are_refused(settings: dict, problem: str) -> None:
    with pytest.raises(SettingsError, match=problem):
        Shaping(**settings)
