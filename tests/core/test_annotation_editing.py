"""A coder at work: sides and means, copying, mirroring, interpolating, and a history that can be walked."""

import numpy as np
import pytest

from au_mocap import channels
from au_mocap.annotation import Labels
from au_mocap.annotation.editing import Editing, Row
from au_mocap.errors import AnnotationError
from tests.core import labelled

NAN = np.nan
TIME_S = np.arange(20) / 25
JAW, SMILE_L, SMILE_R = (channels.INDEX[name] for name in labelled.COLUMNS)
PUFF, PUFF_L, PUFF_R = (channels.INDEX[name] for name in ("cheek_puff", "cheek_puff_L", "cheek_puff_R"))


def editing(*frames: int, **values: list[float]) -> Editing:
    return Editing(labelled.labels(frames, None, **values) if frames else Labels.empty(), TIME_S)


def values_of(at: Editing, frame: int, *columns: int) -> list[float]:
    row = at.row(frame)
    assert row is not None
    return [float(row.values[column]) for column in columns]


def test_a_value_is_kept_to_two_decimals_and_within_range() -> None:
    at = editing()
    at.set_value(4, [JAW], 0.12345)
    at.set_value(4, [SMILE_L, SMILE_R], 1.7)
    assert values_of(at, 4, JAW, SMILE_L, SMILE_R) == pytest.approx([0.12, 1, 1])
    assert np.isnan(at.row(4).values).sum() == 55  # pyright: ignore[reportOptionalMemberAccess]
    assert at.labels.frames.tolist() == [4]
    assert at.labels.key.tolist() == [True]


def test_a_mean_and_its_sides_stay_in_line() -> None:
    at = editing()
    at.set_value(1, [PUFF], 0.4)
    assert np.isnan(values_of(at, 1, PUFF_L, PUFF_R)).all()
    at.set_value(1, [PUFF_L], 0.8)
    assert values_of(at, 1, PUFF, PUFF_L, PUFF_R) == pytest.approx([0.6, 0.8, 0.4])
    at.set_value(1, [PUFF], 0.2)
    assert values_of(at, 1, PUFF, PUFF_L, PUFF_R) == pytest.approx([0.2, 0.2, 0.2])
    at.set_value(2, [PUFF_R], 0.3)
    np.testing.assert_allclose(values_of(at, 2, PUFF, PUFF_L, PUFF_R), [NAN, NAN, 0.3], atol=1e-6)


def test_copy_mirror_clear_and_unset() -> None:
    at = editing(2, jaw_drop=[0.5], lip_corner_pull_L=[0.25])
    at.copy_previous(9)
    at.mirror(9)
    assert values_of(at, 9, JAW, SMILE_R) == pytest.approx([0.5, 0.25])
    assert np.isnan(values_of(at, 9, SMILE_L)).all()
    at.unset(9, [JAW])
    assert np.isnan(values_of(at, 9, JAW)).all()
    at.unset(9, [SMILE_R])
    assert at.labels.frames.tolist() == [2]
    at.clear([2, 3])
    assert len(at.labels) == 0


def test_interpolation_runs_straight_in_time_and_spares_what_was_set_by_hand() -> None:
    """The clip's frames lie unevenly; the smile is labelled at the ends alone, the brow by a machine."""
    time_s = np.array([0.0, 0.1, 0.4, 0.5, 1.0, 1.5])
    brow = channels.INDEX["brow_lower_L"]
    start = labelled.labels([0, 3, 4], jaw_drop=[0.0, 0.5, 1.0], lip_corner_pull_L=[0.0, NAN, 1.0])
    at = Editing(Labels(start.frames, time_s[[0, 3, 4]], start.key, start.values), time_s)
    machine = np.full((1, 58), NAN)
    machine[0, [JAW, brow]] = 0.77, 0.66
    at.fill([2], machine)
    changed = at.interpolate(0, 5)
    assert sorted(changed) == [1, 2]
    assert values_of(at, 1, JAW, SMILE_L) == pytest.approx([0.1, 0.1])
    assert values_of(at, 2, JAW, SMILE_L, brow) == pytest.approx([0.4, 0.4, 0.66])
    assert np.isnan(values_of(at, 3, SMILE_L)).all()
    assert at.labels.key.tolist() == [True, False, False, True, True]
    at.set_value(2, [JAW], 0.9)
    assert at.labels.key[2]


def test_nothing_to_work_with_is_told() -> None:
    at = editing(4, 5, jaw_drop=[0.1, 0.2])
    for attempt, part in (
        (lambda: at.copy_previous(4), "nothing to copy"),
        (lambda: at.mirror(3), "nothing to mirror"),
        (lambda: at.interpolate(0, 19), "two frames by hand"),
        (lambda: at.set_value(20, [JAW], 0.5), "last frame is 19"),
        (lambda: Editing(labelled.labels([20], jaw_drop=[0]), TIME_S), "the clip has 20 frames"),
    ):
        with pytest.raises(AnnotationError, match=part):
            attempt()
    assert at.step == 0


def test_a_machines_values_do_not_replace_what_was_set_by_hand() -> None:
    at = editing(1, jaw_drop=[0.1])
    values = np.full((3, 58), 0.555)
    values[2] = NAN
    assert sorted(at.fill([0, 1, 2], values)) == [0]
    assert not at.row(0).key  # pyright: ignore[reportOptionalMemberAccess]
    assert sorted(at.fill([1], values[:1], replace_keys=True)) == [1]


def test_stepping_from_label_to_label() -> None:
    at = editing(3, 9, jaw_drop=[0.1, 0.2])
    at.fill([6], np.full((1, 58), 0.5))
    assert [at.neighbour(frame, 1, keys=False) for frame in (0, 3, 6, 9)] == [3, 6, 9, None]
    assert [at.neighbour(frame, -1, keys=True) for frame in (3, 6, 9, 19)] == [None, 3, 3, 9]


def test_the_history_leads_back_and_forth_and_a_new_change_ends_what_lay_ahead() -> None:
    at = Editing(Labels.empty(), TIME_S, step=40)
    for value in (0.1, 0.2, 0.3):
        at.set_value(5, [JAW], value)
    assert at.step == 43
    assert not at.set_value(5, [JAW], 0.3)
    assert at.step == 43
    assert sorted(at.go_to(41)) == [5]
    assert values_of(at, 5, JAW) == pytest.approx([0.1])
    at.go_to(43)
    assert values_of(at, 5, JAW) == pytest.approx([0.3])
    at.go_to(40)
    assert at.row(5) is None
    at.set_value(6, [JAW], 0.9)
    assert at.go_to(43) == {}
    assert at.go_to(39) == {}
    assert at.labels.frames.tolist() == [6]


def test_any_walk_through_the_history_gives_the_same_labels() -> None:
    random = np.random.default_rng(3)
    at = editing()
    states = [at.labels]
    for _ in range(60):
        frames = random.integers(0, 20, 3).tolist()
        values = np.where(random.uniform(size=(3, 58)) < 0.7, NAN, random.uniform(size=(3, 58))).astype(np.float32)
        row = {frame: Row(values[place], key=bool(random.integers(2))) for place, frame in enumerate(frames)}
        at.put(row if random.integers(4) else dict.fromkeys(frames))
        states[at.step :] = [at.labels]
    for step in random.integers(0, len(states), 40).tolist():
        at.go_to(step)
        np.testing.assert_array_equal(at.labels.frames, states[step].frames)
        np.testing.assert_array_equal(at.labels.values, states[step].values)
        np.testing.assert_array_equal(at.shown(7), Editing(states[step], TIME_S).shown(7))


def test_what_is_shown_between_labels_is_a_blend_and_never_unknown() -> None:
    at = editing(4, 8, jaw_drop=[0.0, 0.8], cheek_puff=[NAN, 0.5])
    assert at.shown(6)[JAW] == pytest.approx(0.4)
    assert at.shown(0)[JAW] == 0.0
    assert at.shown(15)[JAW] == pytest.approx(0.8)
    assert at.shown(4)[[PUFF, PUFF_L, PUFF_R]] == pytest.approx([0.5, 0.5, 0.5])
    assert np.isfinite(at.shown(6)).all()
    assert at.shown(6)[SMILE_L] == 0.0
    assert (editing().shown(3) == 0.0).all()


def test_single_channels_are_labelled_as_one_step() -> None:
    at = editing(3, jaw_drop=[0.9], lip_corner_pull_L=[0.4])
    rows = at.label([(3, JAW, 0.25), (7, PUFF_L, 0.6), (7, PUFF_R, 0.2)])
    assert sorted(rows) == [3, 7]
    assert values_of(at, 3, JAW, SMILE_L) == pytest.approx([0.25, 0.4]), "other labels stay"
    assert values_of(at, 7, PUFF, PUFF_L, PUFF_R) == pytest.approx([0.4, 0.6, 0.2]), "the mean follows its sides"
    assert at.labels.key.tolist() == [True, True]
    at.go_to(0)
    assert values_of(at, 3, JAW) == pytest.approx([0.9])
    assert at.row(7) is None
    with pytest.raises(AnnotationError, match="last frame is 19"):
        at.label([(2, JAW, 0.5), (20, JAW, 0.5)])
    assert at.row(2) is None
