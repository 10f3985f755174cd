"""The artist's word over the curves: exact where it was said, gone outside its blend, and safe in its text form."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from au_mocap import calibration, channels, edits, edits_json
from au_mocap.calibration import NeutralSettings, Settings
from au_mocap.edits import Edits, Fix, Override
from au_mocap.errors import SettingsError
from au_mocap.gaps import GapMode
from au_mocap.imported import ImportedValues
from tests.core.takes import made_take

TIMES = np.arange(50) / 25.0
JAW, LEFT, RIGHT, MEAN = "jaw_drop", "cheek_puff_L", "cheek_puff_R", "cheek_puff"


def table(**curves: "np.ndarray | float") -> np.ndarray:
    values = np.zeros((len(TIMES), len(channels.IDS)), np.float32)
    for name, curve in curves.items():
        values[:, channels.INDEX[name]] = curve
    return channels.enforce_rules(values)


def edited(values: np.ndarray, *fixes: Fix, overrides: tuple[Override, ...] = ()) -> dict[str, np.ndarray]:
    result = edits.apply(TIMES, values, Edits(fixes, overrides))
    return {name: result[:, channels.INDEX[name]] for name in channels.IDS}


def drawn(channel: str, first: int, values: list[float]) -> Override:
    at = TIMES[first : first + len(values)]
    return Override(channel, at[0] - 0.02, at[-1] + 0.02, at, np.array(values))


def test_no_edits_change_nothing() -> None:
    values = np.random.default_rng(1).uniform(size=(50, 58)).astype(np.float32)  # breaks the rules on purpose
    np.testing.assert_array_equal(edits.apply(TIMES, values, Edits()), values)


def test_a_fix_is_exact_keeps_the_motion_around_and_leaves_the_rest() -> None:
    wave = 0.3 + 0.1 * np.sin(TIMES * 20.0)
    before = table(jaw_drop=wave)
    curve = edited(before, Fix(JAW, TIMES[20], 0.6, 0.4, 0.2))[JAW]
    assert curve[20] == np.float32(0.6)
    offset = curve - before[:, channels.INDEX[JAW]]
    assert (offset[:11] == 0.0).all()
    assert (offset[25:] == 0.0).all()
    assert (np.diff(offset[10:21]) > 0.0).all()
    assert (np.diff(offset[20:26]) < 0.0).all()
    assert offset[15] == pytest.approx(offset[20] / 2, abs=1e-6), "half way through the blend it is half there"


def test_a_fix_without_blend_is_one_frame() -> None:
    curve = edited(table(jaw_drop=0.2), Fix(JAW, TIMES[7] + 0.015, 0.9))[JAW]
    assert curve[7] == np.float32(0.9)
    assert (np.delete(curve, 7) == np.float32(0.2)).all()


def test_fixes_that_meet_go_over_into_each_other_and_others_come_to_rest_between() -> None:
    base = table(jaw_drop=0.2)
    near = edited(base, Fix(JAW, TIMES[10], 0.6, 0.2, 0.3), Fix(JAW, TIMES[20], 0.4, 0.2, 0.2))[JAW]
    assert (near[10], near[20]) == (np.float32(0.6), np.float32(0.4))
    assert near[15] == pytest.approx(0.5, abs=1e-6)
    assert (np.diff(near[10:21]) < 0.0).all()
    far = edited(base, Fix(JAW, TIMES[10], 0.6, 0.2, 0.2), Fix(JAW, TIMES[40], 0.4, 0.2, 0.2))[JAW]
    assert (far[16:35] == np.float32(0.2)).all()


def test_a_row_of_fixes_in_any_order_is_exact_at_each() -> None:
    random = np.random.default_rng(3)
    base = table(jaw_drop=random.uniform(size=50))
    rows = random.permutation(50)[:20]
    wanted = random.uniform(size=20).astype(np.float32)
    fixes = [Fix(JAW, row / 25.0, float(value), 0.5, 0.3) for row, value in zip(rows.tolist(), wanted, strict=True)]
    curve = edited(base, *fixes)[JAW]
    np.testing.assert_array_equal(curve[rows], wanted)
    assert ((curve >= 0.0) & (curve <= 1.0)).all()


def test_the_later_of_two_words_about_one_frame_counts() -> None:
    first, second = Fix(JAW, TIMES[5], 0.9), Fix(JAW, TIMES[5] + 1e-4, 0.3)
    assert edited(table(), first, second)[JAW][5] == np.float32(0.3)
    assert edited(table(), second, first)[JAW][5] == np.float32(0.9)
    assert edits.labels(Edits((first, Fix(LEFT, 0.0, 0.5), replace(first, value=0.1)))) == (
        (0.0, LEFT, 0.5),
        (TIMES[5], JAW, 0.1),
    )


@pytest.mark.parametrize(("wanted", "apart"), [(0.0, 0.0), (0.2, 0.4), (0.9, 0.2), (1.0, 0.0)])
def test_fixing_a_mean_moves_both_sides(wanted: float, apart: float) -> None:
    curves = edited(table(**{LEFT: 0.7, RIGHT: 0.3}), Fix(MEAN, TIMES[9], wanted, 0.2, 0.2))
    assert curves[MEAN][9] == pytest.approx(wanted, abs=1e-6)
    np.testing.assert_allclose(curves[MEAN], (curves[LEFT] + curves[RIGHT]) / 2, atol=1e-6)
    assert curves[LEFT][9] - curves[RIGHT][9] == pytest.approx(apart, abs=1e-6), "alike, as far as both have room"
    assert curves[LEFT][20] == np.float32(0.7)


def test_fixing_a_side_moves_the_mean() -> None:
    curves = edited(table(**{LEFT: 0.2, RIGHT: 0.2}), Fix(LEFT, TIMES[9], 0.8))
    assert curves[MEAN][9] == pytest.approx(0.5)
    assert (curves[RIGHT] == np.float32(0.2)).all()


def test_rules_hold_after_a_fix() -> None:
    curves = edited(table(jaw_drop=0.3), Fix("lips_together", TIMES[4], 0.8, 0.1, 0.1))
    assert curves["lips_together"][4] == np.float32(0.3)
    both = edited(table(jaw_drop=0.3), Fix("lips_together", TIMES[4], 0.8), Fix(JAW, TIMES[4], 0.9))
    assert both["lips_together"][4] == np.float32(0.8)


def test_drawn_stretches_replace_and_fixes_lie_on_top() -> None:
    base = table(jaw_drop=0.2)
    stretch = drawn(JAW, 10, [0.5, 0.6, 0.7, 0.6, 0.5])
    curve = edited(base, overrides=(stretch,))[JAW]
    np.testing.assert_allclose(curve[9:16], [0.2, 0.5, 0.6, 0.7, 0.6, 0.5, 0.2], atol=1e-6)
    curve = edited(base, Fix(JAW, TIMES[12], 0.3, 0.04, 0.04), overrides=(stretch,))[JAW]
    np.testing.assert_allclose(curve[9:16], [0.2, 0.5, 0.6, 0.3, 0.6, 0.5, 0.2], atol=1e-6)
    curve = edited(base, overrides=(stretch, drawn(JAW, 12, [0.1])))[JAW]
    np.testing.assert_allclose(curve[10:15], [0.5, 0.6, 0.1, 0.6, 0.5], atol=1e-6)


def test_drawing_a_mean_moves_both_sides() -> None:
    curves = edited(table(**{LEFT: 0.7, RIGHT: 0.3}), overrides=(drawn(MEAN, 3, [0.6, 0.9]),))
    np.testing.assert_allclose(curves[MEAN][2:6], [0.5, 0.6, 0.9, 0.5], atol=1e-6)
    np.testing.assert_allclose(curves[LEFT][3:5], [0.8, 1.0], atol=1e-6)
    np.testing.assert_allclose(curves[RIGHT][3:5], [0.4, 0.8], atol=1e-6)


def test_edits_hold_at_another_rate_and_after_a_trim() -> None:
    said = Edits((Fix(JAW, 0.8, 0.9, 0.2, 0.2),), (drawn(JAW, 40, [0.5, 0.6]),))
    for times in (np.arange(120) / 60.0, np.arange(24) / 12.0, TIMES[18:] + 0.0, np.arange(48) / 24.0 + 0.003):
        curve = edits.apply(times, np.zeros((len(times), 58), np.float32), said)[:, channels.INDEX[JAW]]
        assert curve[np.abs(times - 0.8).argmin()] == np.float32(0.9)
        assert (curve[(times > 1.02) & (times < 1.57)] == 0.0).all()
        assert curve[(times > 1.6) & (times < 1.64)] == pytest.approx(
            0.5 + (times[(times > 1.6) & (times < 1.64)] - 1.6) / 0.4
        )
    late = edits.apply(TIMES[22:], np.zeros((28, 58), np.float32), said)[:, channels.INDEX[JAW]]
    assert 0.0 < late[0] < 0.9, "of a fix that was cut off its blend reaches in"
    assert late[4] == 0.0


def test_unknown_frames_stay_unknown() -> None:
    base = table(jaw_drop=0.2)
    base[10:20] = np.nan
    result = edits.apply(TIMES, base, Edits((Fix(JAW, TIMES[12], 0.9, 0.4, 0.4),), (drawn(JAW, 8, [0.6] * 5),)))
    assert np.isnan(result[10:20]).all()
    np.testing.assert_allclose(result[7:10, channels.INDEX[JAW]], [0.2, 0.6, 0.6], atol=1e-6)
    assert not len(edits.apply(np.zeros(0), np.zeros((0, 58)), Edits((Fix(JAW, 0.0, 1.0),))))


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("gaps", ["hold", "fade", "leave"])
def test_settings_apply_edits_last(mirror: bool, gaps: GapMode) -> None:
    take = made_take(frames=12, faceless=(5, 6), landmarks=np.zeros((12, 0, 3), np.float16))
    plain = Settings(smoothing="off", neutral=NeutralSettings("none"), gaps=gaps, mirror=mirror, gains={LEFT: 0.5})
    fixed = replace(plain, edits=Edits((Fix(LEFT, 3 / 25, 0.77), Fix(LEFT, 6 / 25, 0.66))))
    calibrator = calibration.Calibrator(take, ImportedValues())
    before, after = calibrator.curves(plain).values, calibrator.curves(fixed).values
    column = channels.INDEX[LEFT]
    assert after[3, column] == np.float32(0.77)
    assert np.isnan(after[6, column]) if gaps == "leave" else after[6, column] == np.float32(0.66)
    np.testing.assert_array_equal(np.delete(after, (3, 6), axis=0), np.delete(before, (3, 6), axis=0))
    np.testing.assert_array_equal(calibrator.curves(plain).values, before)


def test_differing_stretches_bring_the_drawn_curve_back() -> None:
    written = 0.4 + 0.2 * np.sin(TIMES * 9.0)
    now = written.copy()
    now[3:6] += 0.1
    now[20] = 1.4
    now[30] += 5e-4
    found = edits.differing(JAW, TIMES, now, written, 1e-3)
    assert [len(each.values) for each in found] == [3, 1]
    curve = edited(table(jaw_drop=written), overrides=found)[JAW]
    np.testing.assert_allclose(np.delete(curve, 30), np.delete(np.clip(now, 0, 1), 30), atol=1e-6)
    assert edits.differing(JAW, TIMES, written, written, 1e-3) == ()
    assert len(edits.differing(JAW, TIMES[:1], now[:1] + 0.5, written[:1], 1e-3)) == 1


def test_resetting_takes_back_a_range_or_a_channel_with_its_sides() -> None:
    said = Edits(
        (Fix(JAW, 0.1, 0.5), Fix(LEFT, 0.2, 0.5), Fix(MEAN, 0.3, 0.5), Fix(JAW, 0.9, 0.5)),
        (drawn(JAW, 5, [0.1, 0.2, 0.3, 0.4, 0.5]), drawn(RIGHT, 5, [0.1])),
    )
    assert edits.without(said, None) == Edits()
    assert edits.without(said, [MEAN]).channel_ids == (JAW,)
    assert edits.without(said, [RIGHT]).fixes == (said.fixes[0], said.fixes[1], said.fixes[3])
    cut = edits.without(said, [JAW], 0.2599, 0.3001)
    assert cut.fixes == said.fixes
    base = table(jaw_drop=0.9)
    np.testing.assert_allclose(
        edited(base, overrides=cut.overrides)[JAW][4:11], [0.9, 0.1, 0.2, 0.9, 0.4, 0.5, 0.9], atol=1e-6
    )
    assert len(edits.without(said, [JAW], 0.5, 2.0).fixes) == 3


def test_text_brings_all_back() -> None:
    said = Edits((Fix(JAW, 0.123456789, 1 / 3, 0.1, 0.2), Fix(MEAN, 2.0, 0.0)), (drawn(LEFT, 3, [0.1, 0.7]),))
    assert edits_json.from_json(edits_json.to_json(said)) == said
    assert edits_json.from_json("") == Edits() == edits_json.from_json(edits_json.to_json(Edits()))
    assert hash(said) == hash(edits_json.from_json(edits_json.to_json(said)))
    assert said != replace(said, overrides=(drawn(LEFT, 3, [0.1, 0.8]),))


FIX = {"channel": JAW, "time_s": 1.0, "value": 0.5, "blend_in_s": 0.0, "blend_out_s": 0.0}
STRETCH = {"channel": JAW, "from_s": 0.0, "until_s": 1.0, "time_s": [0.2, 0.4], "values": [0.5, 0.5]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "cannot be read"),
        ("[" * 100_000, "nested"),
        ("[]", "fields version, fixes, overrides"),
        ('{"version":1,"fixes":[],"fixes":[],"overrides":[]}', "twice"),
        ({"version": 2}, "update it"),
        ({"more": 1}, "and no others"),
        ({"fixes": {}}, "must be a list"),
        ({"fixes": [1]}, "A fix must have the fields"),
        ({"fixes": [FIX | {"channel": "wink"}]}, "Unknown channels wink"),
        ({"fixes": [FIX | {"channel": 3}]}, "named by its id"),
        ({"fixes": [FIX | {"value": 1.5}]}, "between 0 and 1"),
        ({"fixes": [FIX | {"value": "1"}]}, "'value' must be numbers"),
        ({"fixes": [FIX | {"value": True}]}, "'value' must be numbers"),
        ({"fixes": [FIX | {"time_s": 1e300}]}, "The time of a fix"),
        ({"fixes": [FIX | {"time_s": 10**400}]}, "too large"),
        ({"fixes": [FIX | {"blend_in_s": -0.1}]}, "The blend of a fix"),
        ('{"version":1,"fixes":[{"channel":"jaw_drop","time_s":NaN}],"overrides":[]}', "NaN"),
        ({"overrides": [STRETCH | {"values": [0.5]}]}, "as many times as values"),
        ({"overrides": [STRETCH | {"values": [], "time_s": []}]}, "at least one"),
        ({"overrides": [STRETCH | {"time_s": [0.4, 0.4]}]}, "rising times"),
        ({"overrides": [STRETCH | {"values": [0.5, -0.1]}]}, "between 0 and 1"),
        ({"overrides": [STRETCH | {"until_s": -1.0}]}, "its end"),
    ],
)
def test_other_text_is_refused_with_what_to_do(text: str | dict[str, Any], said: str) -> None:
    if isinstance(text, dict):
        text = json.dumps({"version": 1, "fixes": [], "overrides": [], **text})
    with pytest.raises(SettingsError, match=said) as caught:
        edits_json.from_json(text)
    assert "Remove all edits" in str(caught.value)


@pytest.mark.parametrize("wrong", [{"value": float("nan")}, {"time_s": float("inf")}, {"blend_out_s": float("nan")}])
def test_fixes_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingsError, match="must lie between"):
        Fix(**{**FIX, **wrong})
