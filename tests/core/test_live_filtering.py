"""The live filter on made-up signals and clocks: noise, delay, rest, loss and return."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from au_mocap import channels, metrics, rotations
from au_mocap.channels import INDEX
from au_mocap.errors import SettingsError
from au_mocap.live.filtering import HOLD_S, STRENGTHS, Filtered, LiveFilter, Sample
from au_mocap.live.one_euro import OneEuro, OneEuroRotation, Tuning, angle, between, share
from au_mocap.live.rest import Deadband
from au_mocap.live.settings import PARTS, LiveSettings, shown
from au_mocap.shaping import Shaping, shape

RATE_HZ = 30.0
FORWARD = np.array([1.0, 0.0, 0.0, 0.0])
PLACE = np.array([0.0, 0.0, 0.6])
FILTERING = [name for name, strength in STRENGTHS.items() if strength is not None]
BLINK = INDEX["eye_close_L"]
JAW = INDEX["jaw_drop"]


def sample(values: NDArray[np.float64] | float, rotation: NDArray[np.float64] = FORWARD, sure: float = 1.0) -> Sample:
    return Sample(np.broadcast_to(values, (len(channels.IDS),)), rotation, PLACE, sure)


def run(samples: Iterable[Sample | None], strength: str, rate_hz: float = RATE_HZ) -> list[Filtered]:
    smooth = LiveFilter()
    return [smooth.step(index / rate_hz, item, strength) for index, item in enumerate(samples)]


def table(steps: list[Filtered]) -> NDArray[np.float64]:
    return np.stack([step.values for step in steps])


def turned(yaw_rad: float) -> NDArray[np.float64]:
    return np.array([np.cos(yaw_rad / 2), 0.0, np.sin(yaw_rad / 2), 0.0])


# One-Euro -------------------------------------------------------------------------------------------------------------


def test_one_euro_follows_the_paper_step_by_step() -> None:
    """Against the published algorithm in plain arithmetic."""
    tuning = Tuning(np.array([1.0]), np.array([0.5]), 1.0)
    smooth, elapsed_s = OneEuro(), 1 / 30
    signal = np.random.default_rng(3).normal(size=40).cumsum()

    def alpha(cutoff_hz: float) -> float:
        return 1.0 / (1.0 + 1.0 / (2 * np.pi * cutoff_hz) / elapsed_s)

    expected, speed = signal[0], 0.0
    for index, value in enumerate(signal):
        if index:
            speed += alpha(1.0) * ((value - signal[index - 1]) / elapsed_s - speed)
            expected += alpha(1.0 + 0.5 * abs(speed)) * (value - expected)
        assert smooth.step(elapsed_s, np.array([value]), tuning)[0] == pytest.approx(expected, abs=1e-12)


def test_one_euro_takes_noise_out_at_rest_and_keeps_up_in_motion() -> None:
    tuning = Tuning(np.array([1.0]), np.array([10.0]), 4.0)
    noise = np.random.default_rng(5).normal(0, 0.005, 300)
    still = OneEuro()
    rest = np.array([still.step(1 / 30, np.array([value]), tuning)[0] for value in noise])
    assert rest[60:].std() < 0.5 * noise[60:].std()
    moving = OneEuro()
    ramp = np.linspace(0, 3, 60)  # 1.5 a second
    followed = np.array([moving.step(1 / 30, np.array([value]), tuning)[0] for value in ramp])
    assert (ramp - followed)[20:].max() / 1.5 < 0.02, "seconds behind"


def test_one_euro_does_not_depend_on_the_frame_rate() -> None:
    """A slow wave at 30 and at 120 frames a second ends nearly alike."""
    tuning = Tuning(np.array([2.0]), np.array([5.0]), 4.0)
    ends = []
    for rate_hz in (30, 120):
        smooth = OneEuro()
        times_s = np.arange(rate_hz * 2) / rate_hz
        waves = [smooth.step(1 / rate_hz, np.array([np.sin(2 * time_s)]), tuning)[0] for time_s in times_s]
        ends.append(np.interp(1.5, times_s, waves))
    assert ends[0] == pytest.approx(ends[1], abs=0.03)


def test_one_euro_bears_a_clock_that_stands_still() -> None:
    tuning = Tuning(np.array([1.0]), np.array([1.0]), 1.0)
    smooth = OneEuro()
    smooth.step(0.1, np.array([0.0]), tuning)
    assert smooth.step(0.0, np.array([5.0]), tuning)[0] == 0.0
    assert np.isfinite(smooth.step(0.1, np.array([5.0]), tuning)).all()


def test_share_is_that_of_a_low_pass() -> None:
    assert share(0.0, 1.0) == 0.0
    assert share(1.0, 1.0 / (2 * np.pi)) == pytest.approx(0.5)
    assert share(1e9, 1.0) == pytest.approx(1.0)


def test_rotations_are_filtered_on_the_shortest_turn() -> None:
    """Signs that flip mean the same turn and must not be seen."""
    tuning = Tuning(np.array(1.0), np.array(5.0), 4.0)
    signs = np.random.default_rng(2).choice([-1.0, 1.0], 90)
    yaws = np.linspace(0.0, 1.0, 90)
    plain, flipped = OneEuroRotation(), OneEuroRotation()
    for yaw, sign in zip(yaws, signs, strict=True):
        first, second = plain.step(1 / 30, turned(yaw), tuning), flipped.step(1 / 30, sign * turned(yaw), tuning)
        assert angle(first, second) < 1e-6
        assert np.linalg.norm(first) == pytest.approx(1.0)
    assert angle(first, turned(1.0)) < 0.02


def test_angle_and_between_agree_with_matrices() -> None:
    random = np.random.default_rng(4)
    first, second = (q / np.linalg.norm(q) for q in random.normal(size=(2, 4)))
    matrices = rotations.to_matrices(np.stack([first, second]))
    expected = np.arccos((np.trace(matrices[0].T @ matrices[1]) - 1) / 2)
    assert angle(first, second) == pytest.approx(expected)
    assert angle(first, -second) == pytest.approx(expected)
    middle = between(first, second, 0.25)
    assert angle(first, middle) == pytest.approx(0.25 * expected)
    assert angle(middle, second) == pytest.approx(0.75 * expected)
    assert angle(first, between(first, second, 0.0)) == pytest.approx(0.0, abs=1e-6)


# Rest -----------------------------------------------------------------------------------------------------------------


def test_deadband_holds_noise_and_lets_movement_through() -> None:
    random = np.random.default_rng(6)
    band = Deadband(0.03)
    noise = random.normal(0, 0.004, (150, 1))
    out = np.stack([band.step(1 / 30, row, row * 0.5, 3.0) for row in noise])
    assert np.abs(np.diff(out[60:], axis=0)).mean() < 0.3 * np.abs(np.diff(noise[60:] * 0.5, axis=0)).mean()
    assert band.noise[0] == pytest.approx(0.004, rel=0.5)
    moved = band.step(1 / 30, np.array([0.5]), np.array([0.5]), 3.0)
    assert moved[0] == 0.5, "all the way, not up to the band's edge"


def test_deadband_is_never_wider_than_allowed() -> None:
    """However noisy a channel is, what it shows is at most that far off."""
    band = Deadband(0.02)
    for row in np.random.default_rng(7).normal(0, 0.3, (200, 2)):
        out = band.step(1 / 30, row, row, 4.0)
        assert np.abs(out - row).max() <= 0.02


def test_rest_is_stiller_the_stronger() -> None:
    noise = np.random.default_rng(8).normal(0.2, 0.01, (240, len(channels.IDS)))
    jitter = [
        metrics.jitter(table(run(map(sample, noise), strength))[60:].astype(np.float32)).mean()
        for strength in ("off", *FILTERING)
    ]
    assert jitter == sorted(jitter, reverse=True)
    assert jitter[1] < 0.5 * jitter[0]


@pytest.mark.parametrize("strength", FILTERING)
def test_a_blink_keeps_its_height_and_comes_in_time(strength: str) -> None:
    """0.2 s from open to shut to open, as people blink."""
    times_s = np.arange(90) / RATE_HZ
    lid = np.interp(times_s, [1.5, 1.6, 1.7], [0.0, 1.0, 0.0])
    values = np.zeros((90, len(channels.IDS)))
    values[:, BLINK] = lid
    out = table(run(map(sample, values), strength))[:, BLINK]
    assert out.max() > {"light": 0.9, "medium": 0.8, "strong": 0.65}[strength]
    assert times_s[out.argmax()] - times_s[lid.argmax()] <= 1.01 / RATE_HZ


def test_off_changes_nothing() -> None:
    values = np.random.default_rng(9).uniform(size=(60, len(channels.IDS)))
    out = table(run(map(sample, values), "off"))
    assert out[15:] == pytest.approx(values[15:])


def test_head_jitter_is_taken_out_and_turns_are_followed() -> None:
    random = np.random.default_rng(10)
    still = [sample(0.0, turned(yaw)) for yaw in random.normal(0, 0.004, 150)]
    out = [step.rotation for step in run(still, "light")]
    steps = [angle(a, b) for a, b in pairwise(out[60:])]
    raw = [angle(a.rotation, b.rotation) for a, b in pairwise(still[60:])]
    assert np.mean(steps) < 0.5 * np.mean(raw)
    turning = [sample(0.0, turned(yaw)) for yaw in np.linspace(0, 1, 30)]
    assert angle(run(turning, "light")[-1].rotation, turned(1.0)) < 0.05


def test_a_doubtful_face_leans_on_the_last_clear_one() -> None:
    samples = [sample(0.2)] * 60 + [sample(0.9, sure=0.05)] * 30
    out = table(run(samples, "light"))
    assert out[-1] == pytest.approx(0.2, abs=0.02)


# Loss and return ------------------------------------------------------------------------------------------------------


def test_nothing_is_shown_before_the_first_face() -> None:
    first = run([None], "light")[0]
    assert (first.values == 0.0).all()
    assert np.isnan(first.rotation).all()
    assert first.presence == 0.0


def test_a_short_gap_is_held_and_a_long_one_fades_to_rest() -> None:
    lost = int(1.0 * RATE_HZ)
    out = run([sample(0.6, turned(0.3))] * 60 + [None] * lost, "light")
    values, held = table(out)[60:, JAW], int(HOLD_S * RATE_HZ) - 1
    assert values[:held] == pytest.approx(0.6, abs=0.01)
    assert (np.diff(values) <= 1e-9).all()
    assert values[-1] == 0.0
    assert out[-1].presence == 0.0
    assert np.abs(np.diff(values)).max() < 0.12, "eases, never jumps"
    assert angle(out[-1].rotation, turned(0.3)) < 0.01, "the head is held"


@pytest.mark.parametrize("gap_s", [0.4, 0.5, 2.0])
def test_a_returning_face_blends_in(gap_s: float) -> None:
    """From wherever the fade has come to, without a jump of face or head."""
    gap = int(gap_s * RATE_HZ)
    out = run([sample(0.2)] * 60 + [None] * gap + [sample(0.8, turned(0.5))] * 30, "light")
    values = table(out)[:, JAW]
    assert np.abs(np.diff(values))[60:].max() < 0.15
    turns = [angle(a.rotation, b.rotation) for a, b in pairwise(out[60:])]
    assert max(turns) < 0.12
    assert values[-1] == pytest.approx(0.8, abs=0.01)
    assert angle(out[-1].rotation, turned(0.5)) < 0.01
    assert out[-1].presence == 1.0


def test_a_frame_or_two_without_a_face_leave_no_trace() -> None:
    values = 0.3 + 0.2 * np.sin(np.arange(90) / 6)
    whole = table(run(map(sample, values), "light"))
    gaps = [None if index in (50, 51) else sample(value) for index, value in enumerate(values)]
    assert np.abs(table(run(gaps, "light")) - whole).max() < 0.06


def test_freezing_holds_and_letting_go_eases() -> None:
    smooth = LiveFilter()
    out = []
    for index in range(120):
        values = np.full(len(channels.IDS), 0.2 if index < 60 else 0.9)
        out.append(smooth.step(index / RATE_HZ, sample(values), "light", frozen=50 <= index < 80))
    values = table(out)[:, JAW]
    assert (values[50:80] == values[49]).all()
    assert np.abs(np.diff(values[79:])).max() < 0.15
    assert values[-1] == pytest.approx(0.9, abs=0.01)


# Settings -------------------------------------------------------------------------------------------------------------


def filtered(presence: float = 1.0) -> Filtered:
    values = np.linspace(0.1, 0.5, len(channels.IDS))
    return Filtered(values, np.array([0.9, 0.1, 0.3, -0.3]), np.array([0.1, 0.2, 0.6]), presence)


def test_gains_and_offsets_fit_the_offline_ones() -> None:
    plain = shown(filtered(), LiveSettings())
    changed = shown(filtered(), LiveSettings(gains={"jaw_drop": 2.0}, offsets={"chin_raise": -0.1}))
    assert changed.values[JAW] == pytest.approx(min(2.0 * plain.values[JAW], 1.0))
    chin = INDEX["chin_raise"]
    assert changed.values[chin] == pytest.approx(plain.values[chin] - 0.1, abs=1e-6)
    assert changed.values[INDEX["upper_lip_raise"]] == pytest.approx(
        changed.values[[INDEX["upper_lip_raise_L"], INDEX["upper_lip_raise_R"]]].mean()
    )


def test_intensity_and_exaggeration_fit_the_offline_ones() -> None:
    shaping = Shaping(intensity={"jaw": 0.5}, exaggeration={"lips": 1.0}, symmetry=1.0)
    plain, changed = shown(filtered(), LiveSettings()), shown(filtered(), LiveSettings(shaping=shaping))
    offline = shape(plain.values[None], replace(shaping, symmetry=0.0))
    assert changed.values == pytest.approx(channels.enforce_rules(offline.astype(np.float32))[0])
    assert changed.values[JAW] == pytest.approx(0.5 * plain.values[JAW])


def test_offsets_fade_with_the_face() -> None:
    gone = Filtered(np.zeros(len(channels.IDS)), FORWARD, PLACE, 0.0)
    assert (shown(gone, LiveSettings(offsets={"jaw_drop": 0.5})).values == 0.0).all()


def test_mirror_swaps_the_sides() -> None:
    plain, mirrored = shown(filtered(), LiveSettings()), shown(filtered(), LiveSettings(mirror=True))
    assert (mirrored.values == plain.values[list(channels.MIRROR)]).all()
    assert mirrored.rotation == pytest.approx(plain.rotation * [1, 1, -1, -1])
    assert mirrored.position == pytest.approx(plain.position * [-1, 1, 1])


@pytest.mark.parametrize("part", PARTS)
def test_each_part_can_be_muted(part: str) -> None:
    plain, muted = shown(filtered(), LiveSettings()), shown(filtered(), LiveSettings(muted=frozenset({part})))
    if part == "head":
        assert np.isnan(muted.rotation).all()
        assert np.isnan(muted.position).all()
        assert (muted.values == plain.values).all()
    else:
        changed = muted.values != plain.values
        assert changed.any()
        assert (muted.values[changed] == 0.0).all()
        assert (muted.rotation == plain.rotation).all()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"smoothing": "huge"}, "Unknown smoothing 'huge'"),
        ({"muted": frozenset({"ears"})}, "Unknown part 'ears'"),
        ({"gains": {"jaw_drop": 99.0}}, "out of range for jaw_drop"),
        ({"offsets": {"nose": 0.1}}, "Unknown channels nose"),
        ({"gains": {"nose_wrinkle": 1.5}}, "mean of two sides"),
    ],
)
def test_wrong_settings_are_refused(wrong: dict, told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        LiveSettings(**wrong)
