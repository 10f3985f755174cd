"""Match by looking: shapes are known by what they do to a face, on heads of every make; nothing else gets a row."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from au_mocap import rotations
from au_mocap.channels import MIRROR, PREDICTED_IDS, mirrored
from au_mocap.errors import SettingsError, TrackerError
from au_mocap.landmarks import IPD_M
from au_mocap.looking import finding, marks, matches, measure, places, solve
from au_mocap.looking.motion import FILE, channel_motion
from au_mocap.looking.surface import plain

from . import looking_heads as heads
from .looking_heads import Head, Points

LIPS_M = np.array([0.0, -0.132, 0.209])
"""Middle of the demo head's mouth."""


@pytest.fixture(scope="module")
def face() -> finding.FoundFace:
    """The demo head's face: its surface is the same in all heads that only have other shapes."""
    return heads.found(heads.demo())


def with_shapes(**shapes: Points) -> Head:
    """The demo head with further shapes."""
    return replace(heads.demo(), shapes={**heads.demo().shapes, **shapes})


def combined(*names: str) -> Points:
    return np.sum([heads.demo().shapes[name] for name in names], axis=0)


def test_the_demo_head_is_matched_without_a_name(face: finding.FoundFace) -> None:
    head, names = heads.demo().renamed()
    seen = heads.looked_at(head, face)
    right, wrong = heads.right_rows(seen, names)
    assert (right, wrong, seen.unmatched) == (54, [], ())
    assert len(seen.mapping.rows) == len(seen.confidence) == 54
    assert min(seen.confidence) > 0.7
    assert {row.gain for row in seen.mapping.rows} == {1.0, 0.5}
    assert heads.errors(head, seen.mapping, face, heads.expressions(10)).max() < 1e-4


def stretched(points: Points) -> Points:
    """A broad, low, bulging head, three times as large."""
    bent = points - LIPS_M
    bent[:, 0] *= 1.25 - 1.2 * np.clip(0.06 - bent[:, 2], -0.1, 0.1)
    bent[:, 1] += 5.0 * points[:, 0] ** 2
    bent[:, 2] *= 0.85
    return 3.0 * bent


def narrow(points: Points) -> Points:
    """A long face with a small mouth region."""
    bent = points - LIPS_M
    small = np.exp(-np.square(bent / 0.05).sum(axis=1, keepdims=True))
    return bent * [0.85, 1.0, 1.15] * (1.0 - 0.2 * small)


@pytest.mark.parametrize(
    "made",
    [
        lambda head: head.bent(stretched),
        lambda head: head.bent(narrow),
        lambda head: heads.coarse(head, 0.003, np.random.default_rng(1)),
        lambda head: heads.coarse(head, 0.006, np.random.default_rng(2)),
    ],
    ids=["stretched", "narrow", "5000 points", "2900 points"],
)
def test_other_heads_are_matched_as_well(made: Callable[[Head], Head]) -> None:
    head, names = made(heads.demo()).renamed(3)
    right, wrong = heads.right_rows(heads.looked_at(head), names)
    assert right >= 52, wrong


@pytest.mark.parametrize("turn", [(0.0, 0.0, 2.6), (1.5707963, 0.0, 0.0), (0.7, 1.9, -0.4)], ids=["yaw", "y up", "any"])
def test_place_size_and_facing_do_not_count(turn: tuple[float, float, float]) -> None:
    matrix = rotations.from_vectors(np.array([turn]))[0]
    head, names = heads.demo().bent(lambda points: 40.0 * points @ matrix.T + [3.0, -70.0, 11.0]).renamed(4)
    seen = heads.looked_at(head, heads.found(head, others=[matrix[:, 2].tolist()]))
    assert heads.right_rows(seen, names) == (54, [])


def test_one_shape_for_both_sides_plays_both(face: finding.FoundFace) -> None:
    """Expressions whose sides are alike miss their mark by less than 0.1 % of the distance between the eyes.

    The others miss it by 0.5 %, since one shape has no sides to tell apart.
    """
    shapes = dict(heads.demo().shapes)
    for stem in ("mouthSmile", "eyeBlink", "browDown", "cheekSquint"):
        shapes[stem] = shapes.pop(f"{stem}Left") + shapes.pop(f"{stem}Right")
    shapes["brows"] = shapes.pop("browInnerUp") + shapes.pop("browOuterUpLeft") + shapes.pop("browOuterUpRight")
    head, names = replace(heads.demo(), shapes=shapes).renamed(5)
    seen = heads.looked_at(head, face)
    rows = {(row.channel, names[row.target.name]): row.gain for row in seen.mapping.rows}
    for channel, shape in (
        ("lip_corner_pull", "mouthSmile"),
        ("eye_close", "eyeBlink"),
        ("cheek_raise", "cheekSquint"),
    ):
        assert rows[f"{channel}_L", shape] == rows[f"{channel}_R", shape] == 0.5
    whole = [gain for (channel, shape), gain in rows.items() if shape == "brows"]
    assert len(whole) == 4
    assert sum(whole) == pytest.approx(1.0, abs=0.01)
    assert seen.unmatched == ()
    assert heads.errors(head, seen.mapping, face, heads.expressions(60)).mean() < 0.005
    alike = symmetric(heads.expressions(60))
    assert heads.errors(head, seen.mapping, face, alike).mean() < 0.001


def symmetric(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Expressions whose sides are alike."""
    return np.maximum(values, values[:, MIRROR])


def test_shapes_that_are_parts_of_an_action_play_it_together(face: finding.FoundFace) -> None:
    """Expressions miss their mark by less than 0.02 % of the distance between the eyes."""
    shapes, points = dict(heads.demo().shapes), heads.demo().points
    for name, axis, middle_m in (("jawOpen", 2, 0.19), ("mouthPucker", 0, 0.0), ("mouthSmileLeft", 2, 0.215)):
        part = np.clip((points[:, axis] - middle_m) / 0.012 + 0.5, 0.0, 1.0)[:, None]
        shapes[f"{name} 1"], shapes[f"{name} 2"] = shapes[name] * part, shapes.pop(name) * (1.0 - part)
    head, names = replace(heads.demo(), shapes=shapes).renamed(6)
    seen = heads.looked_at(head, face)
    for channel, shape in (
        ("jaw_drop", "jawOpen"),
        ("lip_pucker", "mouthPucker"),
        ("lip_corner_pull_L", "mouthSmileLeft"),
    ):
        assert {names[row.target.name] for row in seen.mapping.rows if row.channel == channel} == {
            f"{shape} 1", f"{shape} 2"
        }, channel  # fmt: skip
    assert heads.errors(head, seen.mapping, face, heads.expressions(60)).mean() < 0.0002


def bystanders() -> dict[str, Points]:
    """Shapes of a head that no channel means."""
    points = heads.demo().points
    rng = np.random.default_rng(8)
    below = np.clip((0.12 - points[:, 2]) / 0.05, 0.0, 1.0)[:, None]
    nose = np.exp(-np.square((points - [0.0, -0.16, 0.24]) / 0.012).sum(axis=1, keepdims=True))
    return {
        "breathe": below * [0.0, -0.02, 0.01],
        "taller": np.broadcast_to([0.0, 0.0, 0.05], points.shape),
        "nod": np.cross([0.3, 0.0, 0.0], points - points.mean(axis=0)),
        "bigger": 0.1 * (points - points.mean(axis=0)),
        "long nose": nose * [0.0, -0.02, 0.0],
        "wide skull": points * [0.06, 0.0, 0.0],
        "crumpled": rng.normal(0.0, 0.001, points.shape),
        "AA": combined("jawOpen") * 0.5 + combined("mouthLowerDownLeft", "mouthLowerDownRight") * 0.4,
        "EE": combined("mouthStretchLeft", "mouthStretchRight", "mouthSmileLeft", "mouthSmileRight") * 0.4,
        "OO": combined("mouthFunnel", "jawOpen") * 0.4 + combined("mouthPucker") * 0.3,
        "wink": combined("eyeBlinkLeft", "mouthSmileLeft", "cheekSquintLeft") * 0.7,
        "nothing": np.zeros_like(points),
    }


def test_shapes_that_no_channel_means_get_no_row(face: finding.FoundFace) -> None:
    head, names = with_shapes(**bystanders()).renamed(7)
    seen = heads.looked_at(head, face)
    arkit = {new: old for new, old in names.items() if old in heads.demo().shapes}
    assert {names[row.target.name] for row in seen.mapping.rows} == set(heads.demo().shapes)
    assert heads.right_rows(seen, arkit) == (54, [])


def test_bystanders_alone_make_no_table(face: finding.FoundFace) -> None:
    kept = {name: shape for name, shape in bystanders().items() if name not in ("AA", "EE", "OO", "wink")}
    assert solve.solve(heads.measured(replace(heads.demo(), shapes=kept), face)) == ()
    assert solve.solve(heads.measured(replace(heads.demo(), shapes={}), face)) == ()


@pytest.mark.parametrize("name", sorted(heads.demo().shapes))
def test_a_shape_alone_is_never_taken_for_the_other_side(face: finding.FoundFace, name: str) -> None:
    """Whatever else is missing: no row leads to a channel of the wrong side."""
    played = solve.solve(heads.measured(replace(heads.demo(), shapes={name: heads.demo().shapes[name]}), face))
    side = "L" if name.endswith("Left") else "R" if name.endswith("Right") else ""
    sides = {each.channel[-1] for each in played if each.channel[-2:] in ("_L", "_R")}
    if side and not name.startswith(("jaw", "mouthLeft", "mouthRight")):
        assert sides <= {side}
    elif not side:
        assert sides in (set(), {"L", "R"})
    wanted = {channel for channel, shape in heads.expected(list(heads.demo().shapes)).items() if shape == name}
    assert wanted & {each.channel for each in played} == wanted


def test_eyes_that_no_shape_moves_are_left_alone(face: finding.FoundFace) -> None:
    """Lids that follow the gaze are no gaze: bones turn such eyes."""
    head = heads.demo()
    part = heads.parts(head)
    eyes = set(part[face.places.corners[places.FIRST_IRIS :, 0]].tolist()) - {int(part[face.places.corners[1, 0]])}
    still = np.isin(part, list(eyes))
    shapes = {name: np.where(still[:, None], 0.0, shape) for name, shape in head.shapes.items()}
    seen = heads.looked_at(replace(head, shapes=shapes), face)
    assert set(seen.unmatched) == {each for each in PREDICTED_IDS if each.startswith("look_")}


def test_marks_do_where_the_tracker_sees_nothing(face: finding.FoundFace) -> None:
    head, names = heads.demo().renamed(9)
    landmarks = np.array(marks.LANDMARKS)
    rng = np.random.default_rng(2)
    exact = face.places.points(head.points)[landmarks]
    for shaken in (exact, exact + rng.normal(0.0, 0.02 * IPD_M, exact.shape)):
        marks.check(landmarks, shaken)
        found = places.nearest_on(shaken, landmarks, head.surface)
        played = solve.solve(measure.measure(found, head.points, head.shapes.values()))
        right, wrong = heads.right_rows(matches.to_table(played, list(head.shapes), "marks"), names)
        assert right >= 50, wrong


def test_marks_that_cannot_be_are_refused(face: finding.FoundFace) -> None:
    points, landmarks = face.places.points(heads.demo().points), np.array(marks.LANDMARKS)
    swapped = [marks.LANDMARKS.index(other) for other in _other_sides()]
    with pytest.raises(SettingsError, match="left and right marks are exchanged"):
        marks.check(landmarks, points[landmarks][swapped])
    few = places.nearest_on(points[:5], np.arange(5), heads.demo().surface)
    with pytest.raises(SettingsError, match="pick at least 8"):
        measure.measure(few, heads.demo().points, [])
    one = places.nearest_on(np.tile(points[:1], (24, 1)), landmarks, heads.demo().surface)
    with pytest.raises(SettingsError, match="lie in one place"):
        measure.measure(one, heads.demo().points, [])


def _other_sides() -> list[int]:
    by_label = {mark.label: mark.landmark for mark in marks.MARKS}
    return [
        by_label[mark.label.replace("Left", "*").replace("Right", "Left").replace("*", "Right")] for mark in marks.MARKS
    ]


def test_marks_start_where_a_face_has_them() -> None:
    """In the order of a face: eyes above the nose above the mouth above the chin, left on the left."""
    axes = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
    spread = dict(
        zip([mark.label for mark in marks.MARKS], marks.spread(axes, np.array([0.0, 0.0, 1.6]), 0.1), strict=True)
    )
    heights = [
        spread[name][2] for name in ("Left Brow Inner End", "Left Pupil", "Nose Tip", "Upper Lip Middle", "Chin")
    ]
    assert heights == sorted(heights, reverse=True)
    assert spread["Left Pupil"][0] > 0.02 > -0.02 > spread["Right Pupil"][0]
    assert spread["Nose Tip"][1] < spread["Left Pupil"][1]
    assert np.ptp([place[2] for place in spread.values()]) < 0.2


def test_what_has_no_face_is_told_with_the_next_step() -> None:
    rng = np.random.default_rng(1)
    lump = plain(rng.normal(0.0, 1.0, (300, 3)), rng.integers(0, 300, (500, 3)))
    regions = finding.regions(lump.points, np.ones(300, np.int64), heads.UP)
    sides = finding.views(regions[:1], heads.UP, heads.FRONT)
    told: list[float] = []
    with pytest.raises(TrackerError, match="pick its landmarks by hand"):
        finding.find_face(lump, sides, finding.Looker(), told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_views_look_from_all_around_and_straight() -> None:
    sides = finding.views([(np.zeros(3), 1.0), (np.ones(3), 2.0)], (0, 0, 2), (0, -1, 0), [(0, 0, 1), (0, -1, 0)])
    assert len(sides) == 20
    np.testing.assert_allclose(sides[0].axes, [[1, 0, 0], [0, 0, -1], [0, 1, 0]], atol=1e-12)
    for side in sides:
        np.testing.assert_allclose(side.axes @ side.axes.T, np.eye(3), atol=1e-12)
        assert np.linalg.det(side.axes) == pytest.approx(1.0)
    np.testing.assert_allclose([side.axes[1] for side in sides[8:12]], [[0, 1, 0]] * 4, atol=1e-12)
    assert [side.reach for side in sides] == [1.0] * 12 + [2.0] * 8


@pytest.mark.parametrize("own_strength", [True, False])
def test_strength_is_the_artists_or_the_actors(face: finding.FoundFace, own_strength: bool) -> None:
    """A shape that was sculpted three times as strong keeps its strength, or gives a third of it."""
    shapes = {name: shape * (3.0 if name == "jawOpen" else 1.0) for name, shape in heads.demo().shapes.items()}
    usual = heads.looked_at(heads.demo(), face, own_strength)
    strong = heads.looked_at(replace(heads.demo(), shapes=shapes), face, own_strength)
    gains = [next(row.gain for row in seen.mapping.rows if row.channel == "jaw_drop") for seen in (usual, strong)]
    assert gains[1] == (1.0 if own_strength else pytest.approx(gains[0] / 3.0, abs=0.002))


def test_sides_of_the_table_are_mirror_images() -> None:
    known = channel_motion()
    assert known.ids == PREDICTED_IDS
    assert FILE.stat().st_size < 300_000
    assert np.isfinite(known.motion).all()
    furthest = np.linalg.norm(known.motion, axis=2).max(axis=1)
    assert all(size > 0.03 for size, channel in zip(furthest, known.ids, strict=True) if channel != "tongue_out")
    for channel, motion in zip(known.ids, known.motion, strict=True):
        other = known.motion[PREDICTED_IDS.index(mirrored(channel))]
        np.testing.assert_allclose(np.sort(motion[:, 0]), np.sort(-other[:, 0]), atol=2e-4)
        np.testing.assert_allclose(np.sort(motion[:, 1]), np.sort(other[:, 1]), atol=2e-4)
