"""Problems of a take: each kind is found where it was made, and nowhere else."""

import time
from dataclasses import replace

import numpy as np
import pytest

from au_mocap import calibration, channels, problems, spikes
from au_mocap.contact import Contacts
from au_mocap.errors import SettingsError
from au_mocap.problems import Evidence, Problem, find
from au_mocap.regressors import Regressor
from au_mocap.take import Take

RATE_HZ = 30.0


def still(count: int = 120, rate_hz: float = RATE_HZ, noise: float = 0.0) -> Evidence:
    """A clear face at rest, its contacts as it is: lips and lids apart."""
    values = np.random.default_rng(3).normal(0.1, noise, (count, len(channels.IDS))) if noise else None
    rest = np.zeros((count, len(channels.IDS))) if values is None else np.clip(values, 0.0, 1.0)
    contacts = Contacts(np.zeros((count, 2)), np.zeros(count), np.ones(count))
    times = np.arange(count) / rate_hz
    return Evidence(times, np.ones(count, bool), np.ones(count), rest, rest.copy(), contacts)


def acting(channel_id: str, curve: np.ndarray, seen: Evidence | None = None) -> Evidence:
    """The same with one channel's curve, cut at 0 and 1 where it lies beyond."""
    seen = seen or still(len(curve))
    values, unclipped = np.array(seen.values), np.array(seen.unclipped)
    unclipped[:, channels.INDEX[channel_id]] = curve
    values[:, channels.INDEX[channel_id]] = np.clip(curve, 0.0, 1.0)
    return replace(seen, values=values, unclipped=unclipped)


def touching(lips: slice | None = None, left_eye: slice | None = None) -> Contacts:
    """The actor's lips, or left lids, meet in some of 120 frames."""
    contacts = still().contacts
    assert contacts is not None
    if lips is not None:
        contacts.lips[lips], contacts.lips_apart[lips] = 1.0, 0.0
    if left_eye is not None:
        contacts.eyes[left_eye, 0] = 1.0
    return contacts


def pulse(height: float, frames: slice, count: int = 120) -> np.ndarray:
    curve = np.zeros(count)
    curve[frames] = height
    return curve


def kinds(found: list[Problem]) -> list[str]:
    return [problem.kind for problem in found]


@pytest.mark.parametrize("noise", [0.0, 0.02, 0.05])
@pytest.mark.parametrize("rate_hz", [24.0, 30.0, 60.0])
def test_a_still_face_has_none(noise: float, rate_hz: float) -> None:
    assert find(still(600, rate_hz, noise)) == []


def test_gaps_are_found_with_their_length() -> None:
    seen = still()
    seen.found[30:45] = False
    seen.found[110:] = False
    seen.confidence[~seen.found] = 0.0
    seen.values[~seen.found] = np.nan
    first, last = find(seen)
    assert (first.kind, first.start_s, first.stop_s) == ("gap", 30 / RATE_HZ, 44 / RATE_HZ)
    assert first.message == "No face for 0.50 s."
    assert first.severity == pytest.approx(0.5)
    assert (last.start_s, last.stop_s) == (110 / RATE_HZ, 119 / RATE_HZ)
    assert last.message == "No face for 0.33 s."


def test_low_confidence_is_found_unless_it_is_short() -> None:
    seen = still()
    seen.confidence[20:22] = 0.2
    seen.confidence[50:60] = np.linspace(0.4, 0.275, 10)
    (problem,) = find(seen)
    assert (problem.kind, problem.channel) == ("confidence", None)
    assert (problem.start_s, problem.stop_s) == (50 / RATE_HZ, 59 / RATE_HZ)
    assert problem.severity == pytest.approx((0.45 - 0.275) / 0.35)
    assert "0.28" in problem.message or "0.27" in problem.message


@pytest.mark.parametrize(("frames", "rate_hz"), [(1, 25.0), (1, 30.0), (2, 30.0), (4, 60.0)])
def test_a_spike_is_found_up_or_down(frames: int, rate_hz: float) -> None:
    for height, rest in ((0.4, 0.0), (-0.4, 0.6)):
        (problem,) = find(acting("jaw_drop", rest + pulse(height, slice(60, 60 + frames)), still(120, rate_hz)))
        assert (problem.kind, problem.channel) == ("spike", "jaw_drop")
        assert (problem.start_s, problem.stop_s) == (60 / rate_hz, (59 + frames) / rate_hz)
        assert problem.severity == pytest.approx(0.4)
        assert problem.message == "Jaw drop jumps by 0.40 and back."


def test_what_stays_longer_or_does_not_come_back_is_no_spike() -> None:
    curves = (
        pulse(0.6, slice(60, 66)),
        pulse(0.6, slice(60, None)),
        pulse(0.6, slice(119, None)),
        pulse(0.6, slice(0, 1)),
        np.clip(0.5 * np.sin(np.arange(120) * 0.7) + 0.5, 0, 0.99),  # lips that talk, three syllables a second
        np.maximum(0.6 - 0.15 * np.abs(np.arange(120) - 60), 0.0),  # the tip of a movement
    )
    for curve in curves:
        assert find(acting("lip_funnel", curve)) == []


def test_blinks_and_what_moves_with_them_are_no_spikes() -> None:
    blink = pulse(0.95, slice(60, 62))
    contacts = touching(left_eye=slice(60, 62))
    seen = acting("cheek_raise_L", 0.5 * blink, acting("eye_close_L", blink, replace(still(), contacts=contacts)))
    assert find(seen) == []
    assert kinds(find(acting("cheek_raise_L", np.roll(0.5 * blink, 30), seen))) == ["spike"]


def test_a_trembling_channel_needs_a_higher_spike() -> None:
    seen = still(600, noise=0.05)
    name = "jaw_thrust"
    column = channels.INDEX[name]
    for height, expected in ((0.22, []), (0.8, ["spike"])):
        curve = seen.values[:, column].copy()
        curve[300] += height
        assert kinds(find(acting(name, np.minimum(curve, 0.99), seen))) == expected


def test_spikes_at_one_moment_are_one_problem() -> None:
    seen = acting("jaw_drop", pulse(0.3, slice(60, 61)))
    seen = acting("lip_funnel", pulse(0.7, slice(60, 62)), seen)
    (problem,) = find(seen)
    assert problem.channel == "lip_funnel"
    assert problem.stop_s == pytest.approx(61 / RATE_HZ)


def test_spikes_beside_a_gap_are_judged_by_their_own_side() -> None:
    seen = acting("jaw_drop", np.where(np.arange(120) < 60, 0.0, 0.6))
    seen.found[50:60] = False
    seen.values[50:60] = np.nan
    assert kinds(find(seen)) == ["gap"]


def test_values_above_1_for_long_are_cut() -> None:
    long, short = pulse(1.25, slice(30, 60)), pulse(1.25, slice(80, 86))
    (problem,) = find(acting("lip_corner_pull_L", long + short))
    assert (problem.kind, problem.channel) == ("clamp", "lip_corner_pull_L")
    assert (problem.start_s, problem.stop_s) == (30 / RATE_HZ, 59 / RATE_HZ)
    assert problem.severity == pytest.approx(0.55)
    assert problem.message == "Lip corner pull, left is cut at 1 for 1.00 s: lower its gain or intensity."


def test_closed_eyes_are_not_cut() -> None:
    shut = slice(30, 90)
    seen = acting("eye_close_L", pulse(1.0, shut), replace(still(), contacts=touching(left_eye=shut)))
    assert find(seen) == []


def test_below_0_counts_where_movement_is_lost() -> None:
    hidden = np.full(120, -0.15) + 0.14 * np.sin(np.arange(120) / 10.0) ** 2
    (problem,) = find(acting("brow_lower_L", hidden))
    assert (problem.kind, problem.channel) == ("clamp", "brow_lower_L")
    assert "raise its offset" in problem.message
    assert find(acting("brow_lower_L", np.full(120, -0.15))) == []


def test_contact_that_the_curves_break_is_found() -> None:
    cases = (
        (acting("jaw_drop", pulse(0.3, slice(20, 60))), touching(lips=slice(30, 34)), "lips_together", (30, 33)),
        (acting("eye_close_L", pulse(0.7, slice(20, 60))), touching(left_eye=slice(30, 34)), "eye_close_L", (30, 33)),
        (acting("eye_close_R", pulse(0.95, slice(20, 60))), touching(), "eye_close_R", (20, 59)),
        (
            acting("lips_together", pulse(0.3, slice(20, 60)), acting("jaw_drop", pulse(0.3, slice(20, 60)))),
            touching(),
            "lips_together",
            (20, 59),
        ),
    )
    for seen, contacts, channel, frames in cases:
        (problem,) = find(replace(seen, contacts=contacts))
        assert (problem.kind, problem.channel) == ("contact", channel)
        assert (problem.start_s, problem.stop_s) == pytest.approx((frames[0] / RATE_HZ, frames[1] / RATE_HZ))
        assert find(replace(seen, contacts=None)) == []


def test_contact_that_is_kept_is_no_problem() -> None:
    both = slice(30, 40)
    seen = acting("lips_together", pulse(0.3, both), acting("jaw_drop", pulse(0.3, both)))
    assert find(replace(seen, contacts=touching(lips=both))) == []
    assert find(replace(acting("eye_close_L", pulse(1.0, both)), contacts=touching(left_eye=both))) == []
    ajar = replace(acting("jaw_drop", pulse(0.3, both)), contacts=touching())
    assert find(ajar) == []


def test_both_eyes_are_one_problem_and_all_are_sorted() -> None:
    seen = acting("eye_close_L", pulse(0.95, slice(60, 80)), acting("eye_close_R", pulse(0.95, slice(62, 84))))
    seen.found[:5] = False
    gap, contact = find(seen)
    assert (gap.kind, contact.kind) == ("gap", "contact")
    assert (contact.start_s, contact.stop_s) == (60 / RATE_HZ, 83 / RATE_HZ)


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_takes_of_a_few_frames(count: int) -> None:
    seen = still(count)
    assert find(seen) == []
    seen.found[:] = False
    seen.values[:] = np.nan
    assert kinds(find(seen)) == ["gap"]


def test_frames_that_disagree_are_refused() -> None:
    seen = still()
    with pytest.raises(SettingsError, match="confidence is \\(7,\\)"):
        replace(seen, confidence=np.ones(7))
    with pytest.raises(SettingsError, match="contacts"):
        replace(seen, contacts=still(9).contacts)
    with pytest.raises(SettingsError, match="unclipped"):
        replace(seen, unclipped=np.zeros((3, 58)))


def test_a_take_says_what_its_settings_do(single_face_take: Take, regressor: Regressor) -> None:
    calibrator = calibration.Calibrator(single_face_take, regressor)
    clean = problems.find_in(calibrator, calibration.Settings())
    assert len(clean) <= 4, "two seconds of a clear smile"
    gained = calibration.Settings(gains={"lip_corner_pull_L": 6.0, "lip_corner_pull_R": 6.0})
    (cut,) = (each for each in problems.find_in(calibrator, gained) if "Lip corner pull" in each.message)
    assert cut.kind == "clamp"
    edited = calibrator.curves(calibration.Settings()).values
    edited[36, channels.INDEX["tongue_out"]] = 0.9
    (spike,) = (
        each
        for each in problems.find_in(calibrator, calibration.Settings(), edited)
        if each.channel == "tongue_out" and each.kind == "spike"
    )
    assert spike.start_s == pytest.approx(float(single_face_take.time_s[36]))


def test_ten_minutes_are_looked_through_at_once() -> None:
    seen = still(18_000, noise=0.02)
    find(still(30))
    began = time.process_time()
    assert find(seen) == []
    assert time.process_time() - began < 6.0, "0.3 s where nothing else runs"


def test_labels() -> None:
    assert problems.label("jaw_drop") == "Jaw drop"
    assert problems.label(None) == ""
    assert spikes.heights(np.arange(3) / 30, np.zeros((3, 58))).shape == (3, 58)
