"""training.synth.performers: lids and lips meet on every face, eyes turn as spheres, and 1 stays the full action."""

import time

import numpy as np
import pytest
from numpy.typing import NDArray

from au_mocap.channels import PREDICTED_IDS, mirrored
from training import packages
from training.synth import contact, identity, manner, rings
from training.synth.anatomy import Anatomy, anatomy
from training.synth.performers import Performer, sample
from training.synth.rings import Opening

INDEX = {channel_id: index for index, channel_id in enumerate(PREDICTED_IDS)}
PEOPLE = 24
MM = 1e-3

CLOSED_BY_CONTACT = ("eye_close_L", "eye_close_R", "lips_together", "tongue_out")
"""Channels whose action contact decides, or that move no skin."""


@pytest.fixture(scope="module")
def parts() -> Anatomy:
    try:
        return anatomy()
    except packages.PackageError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def people(parts: Anatomy) -> list[Performer]:
    assert len(parts.mirror)
    return [sample(np.random.default_rng([7, seed])) for seed in range(PEOPLE)]


def values(**levels: float) -> NDArray[np.float32]:
    """Channels by id, or both sides by stem; the others are 0."""
    row = np.zeros(len(PREDICTED_IDS), np.float32)
    for name, level in levels.items():
        for channel_id in (name,) if name in INDEX else (f"{name}_L", f"{name}_R"):
            row[INDEX[channel_id]] = level
    return row


def lid_gaps(parts: Anatomy, vertices: NDArray[np.float32]) -> NDArray[np.floating]:
    """(2, U) metres between the edges of upper and lower lid, seen from the front."""
    return np.stack([contact.lip_gap(lid, vertices) for lid in parts.lids])


def distances(opening: Opening, vertices: NDArray[np.float32], centre: NDArray[np.float32]) -> NDArray[np.floating]:
    """Metres from an eye's centre to the outer side of its lids: their vertices and the middles of their quads."""
    rings = vertices[opening.rings[opening.edge :]]
    around = 0.5 * (rings + np.roll(rings, 1, axis=1))
    middles = 0.5 * (around[1:] + around[:-1])
    return np.concatenate([np.linalg.norm(points - centre, axis=2).ravel() for points in (rings, middles)])


def test_left_and_right_are_mirror_images(parts: Anatomy) -> None:
    assert np.array_equal(parts.mirror[parts.mirror], np.arange(len(parts.mirror)))
    others = [INDEX[mirrored(channel_id)] for channel_id in PREDICTED_IDS]
    flipped = parts.deltas[others][:, parts.mirror] * np.array([-1.0, 1.0, 1.0], np.float32)
    assert np.abs(parts.deltas - flipped).max() < 1e-7
    smile = parts.deltas[INDEX["lip_corner_pull_L"]]
    corner = parts.lips.edge_ids[np.argmax(parts.base[parts.lips.edge_ids, 0])]
    assert smile[corner, 0] > 3 * MM  # the actor's left is +x
    assert smile[corner, 1] < -5 * MM  # and up is -y


def test_halves_of_an_unsplit_shape_add_up_to_it(parts: Anatomy) -> None:
    whole = parts.unit("browInnerUp")
    halves = parts.deltas[INDEX["inner_brow_raise_L"]] + parts.deltas[INDEX["inner_brow_raise_R"]]
    assert np.abs(halves - whole).max() < 0.1 * MM


def test_openings_are_rings_around_eyes_and_mouth(parts: Anatomy) -> None:
    left, right = parts.lids
    assert np.array_equal(parts.mirror[left.rings], right.rings)
    for opening in (left, parts.lips):
        assert len(np.unique(opening.rings)) == opening.rings.size
        assert opening.spread[opening.edge] == 1.0
        assert np.allclose(opening.lower_at_upper.sum(axis=1), 1.0)
        heights = parts.base[opening.edge_ids, 1]
        assert heights[opening.upper].mean() > heights[opening.lower].mean()
    assert parts.outer_skin[left.rings[left.edge :]].all()
    assert not parts.outer_skin[left.rings[: left.edge]].any()
    assert not parts.outer_skin[np.concatenate([parts.oral, parts.eyeballs.ravel()])].any()


def test_a_seed_off_the_rings_is_refused(parts: Anatomy) -> None:
    start, along, outward = (int(parts.lips.rings[row, column]) for row, column in ((4, 0), (4, 1), (5, 0)))
    seed = rings.Seed(start, along, outward, inside=4, outside=40, reach_m=0.01)
    with pytest.raises(ValueError, match="rings end"):
        rings.opening(parts.topology.quads, parts.base, seed)


def test_rest_is_the_neutral(people: list[Performer]) -> None:
    for person in people:
        assert np.abs(person.pose(values()) - person.neutral).max() < 1e-6


def test_the_same_seed_gives_the_same_person(parts: Anatomy) -> None:
    assert len(parts.base)
    first, again, other = (sample(np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert np.array_equal(first.neutral, again.neutral)
    assert np.array_equal(first.deltas, again.deltas)
    assert np.array_equal(first.damping, again.damping)
    assert not np.allclose(first.neutral, other.neutral, atol=1e-4)


@pytest.mark.parametrize(
    "company",
    [
        {},
        {"look_up": 1.0},
        {"look_down": 1.0},
        {"lid_tighten": 1.0, "cheek_raise": 1.0},
        {"brow_raise": 1.0, "look_out_L": 1.0, "look_in_R": 1.0},
    ],
)
def test_closed_eyes_are_closed_whatever_else_happens(
    parts: Anatomy, people: list[Performer], company: dict[str, float]
) -> None:
    for person in people:
        gaps = lid_gaps(parts, person.pose(values(eye_close=1.0, **company)))
        assert np.abs(gaps).max() < 0.5 * MM


def test_an_eye_closes_alone(parts: Anatomy, people: list[Performer]) -> None:
    for person in people:
        rest = lid_gaps(parts, person.neutral)
        gaps = lid_gaps(parts, person.pose(values(eye_close_L=1.0)))
        assert np.abs(gaps[0]).max() < 0.5 * MM
        assert np.abs(gaps[1] - rest[1]).max() < 0.2 * MM


def test_half_closed_eyes_are_half_closed(parts: Anatomy, people: list[Performer]) -> None:
    for person in people:
        rest = lid_gaps(parts, person.neutral).max(axis=1)
        half = lid_gaps(parts, person.pose(values(eye_close=0.5))).max(axis=1)
        assert np.all(np.abs(half / rest - 0.5) < 0.12)


def test_eyeballs_stay_behind_the_lids(parts: Anatomy, people: list[Performer]) -> None:
    rng = np.random.default_rng(11)
    for person in people:
        rows = [values(eye_close=level) for level in (0.0, 0.3, 0.6, 0.8, 1.0)]
        rows += list(np.where(rng.random((6, len(PREDICTED_IDS))) < 0.25, 1.0, 0.0))
        for row in rows:
            vertices = person.pose(row)
            for lid, centre, radius in zip(parts.lids, person.eyes.centres, person.eyes.radii, strict=True):
                assert distances(lid, vertices, centre).min() > radius + 0.1 * MM


def test_lids_rest_on_the_eyeballs(parts: Anatomy, people: list[Performer]) -> None:
    """Closed lids lie close over the eye: nothing is pushed further than the clearance asks for."""
    for person in people:
        vertices = person.pose(values(eye_close=1.0))
        for lid, centre, radius in zip(parts.lids, person.eyes.centres, person.eyes.radii, strict=True):
            edge = np.linalg.norm(vertices[lid.edge_ids] - centre, axis=1) - radius
            assert np.median(edge) < 1.5 * MM


def test_eyes_turn_rigidly_around_their_centres(parts: Anatomy, people: list[Performer]) -> None:
    for person in people[:6]:
        vertices = person.pose(values(look_up=0.7, look_out_L=1.0, look_in_R=1.0))
        for ids, centre, radius in zip(parts.eyeballs, person.eyes.centres, person.eyes.radii, strict=True):
            assert np.allclose(np.linalg.norm(vertices[ids] - centre, axis=1), radius, atol=1e-6)


def test_gaze_goes_where_the_channels_say(people: list[Performer]) -> None:
    ahead = np.array([0.0, 0.0, -1.0])
    for person in people:
        up, down, side = person.eyes.full_turns_rad
        assert np.radians(8) < up < np.radians(14)
        assert np.radians(12) < down < np.radians(20)
        assert np.radians(18) < side < np.radians(27)
        left = person.eyes.rotations(values(look_out_L=1.0, look_in_R=1.0)) @ ahead
        assert np.allclose(left, np.array([np.sin(side), 0.0, -np.cos(side)]), atol=1e-5)
        upward = person.eyes.rotations(values(look_up=1.0)) @ ahead
        assert np.allclose(upward, np.array([0.0, -np.sin(up), -np.cos(up)]), atol=1e-5)
        assert person.eyes.centres[0, 0] > 0 > person.eyes.centres[1, 0]


def test_resting_lips_meet(parts: Anatomy, people: list[Performer]) -> None:
    parted = [person for person in people if person.parted_m > 0]
    for person in people:
        gap = contact.lip_gap(parts.lips, person.neutral)
        assert gap.min() > -0.8 * MM
        assert gap.max() < person.parted_m + 0.1 * MM
    assert len(parted) < PEOPLE / 3


def test_a_few_people_rest_with_parted_lips(parts: Anatomy) -> None:
    assert len(parts.base)
    gaps = np.array([sample(np.random.default_rng([8, seed])).parted_m for seed in range(40)])
    assert 0.02 < np.mean(gaps > 0) < 0.3
    assert gaps.max() <= 3 * MM


@pytest.mark.parametrize("level", [0.3, 0.6, 1.0])
def test_lips_close_over_a_dropped_jaw(parts: Anatomy, people: list[Performer], level: float) -> None:
    for person in people:
        vertices = person.pose(values(jaw_drop=level, lips_together=level))
        gap = contact.lip_gap(parts.lips, vertices)
        assert gap.max() < (1.0 - level) * person.parted_m + 0.3 * MM
        assert gap.min() > -1.0 * MM
        opened = contact.lip_gap(parts.lips, person.pose(values(jaw_drop=level)))
        assert opened.max() > 20 * MM * level


def test_lips_never_close_further_than_the_jaw_drops(people: list[Performer]) -> None:
    person = people[0]
    assert np.array_equal(person.pose(values(lips_together=1.0)), person.pose(values()))


def test_sealed_actions_keep_lips_together(parts: Anatomy, people: list[Performer]) -> None:
    for person in people:
        for channel_id in ("lower_lip_suck", "upper_lip_suck", "lip_press", "lip_corner_pull", "lip_pucker"):
            gap = contact.lip_gap(parts.lips, person.pose(values(**{channel_id: 1.0})))
            assert np.median(gap) < person.parted_m + 0.4 * MM


def test_lips_do_not_cross(parts: Anatomy, people: list[Performer]) -> None:
    rng = np.random.default_rng(5)
    for person in people:
        row = np.where(rng.random(len(PREDICTED_IDS)) < 0.3, rng.random(len(PREDICTED_IDS)), 0.0)
        assert contact.lip_gap(parts.lips, person.pose(row)).min() > -0.8 * MM


def test_the_jaw_takes_lower_teeth_and_tongue_along(parts: Anatomy, people: list[Performer]) -> None:
    lower, upper, tongue = (parts.members(f"helper-{name}") for name in ("lower-teeth", "upper-teeth", "tongue"))
    for person in people:
        for channel_id, axis, least in (("jaw_drop", 1, 12), ("jaw_slide_L", 0, 3), ("jaw_thrust", 2, -4)):
            moved = person.pose(values(**{channel_id: 1.0})) - person.neutral
            for ids in (lower, tongue):
                assert np.sign(least) * moved[ids, axis].mean() > abs(least) * MM
            assert np.abs(moved[upper]).max() < 0.5 * MM


def test_lower_teeth_stay_inside_the_chin(parts: Anatomy, people: list[Performer]) -> None:
    teeth = parts.members("helper-lower-teeth")
    chin = parts.outer_skin.copy()
    chin[parts.lips.rings[: parts.lips.edge + 6]] = False  # lips curl in: behind them is not inside
    skin = np.flatnonzero(chin)
    for person in people:
        for row in (values(jaw_drop=1.0), values(jaw_drop=1.0, lips_together=1.0), values(jaw_drop=0.6)):
            vertices = person.pose(row)
            normals = _normals(parts, vertices)[skin]
            offset = vertices[teeth][:, None] - vertices[skin][None]
            nearest = np.einsum("tsc,tsc->ts", offset, offset).argmin(axis=1)
            outside = np.einsum("tc,tc->t", offset[np.arange(len(teeth)), nearest], normals[nearest])
            assert outside.max() < 0.0


def test_a_tongue_comes_out_between_the_lips(parts: Anatomy, people: list[Performer]) -> None:
    tongue = parts.members("helper-tongue")
    for person in people:
        out = person.pose(values(jaw_drop=0.3, tongue_out=1.0))
        lips = out[parts.lips.edge_ids[parts.lips.upper]]
        assert out[tongue, 2].min() < lips[:, 2].min() - 4 * MM  # z points into the head


def test_one_stays_the_full_action(parts: Anatomy, people: list[Performer]) -> None:
    """Strength in each channel's main region, against the base figure's action fitted to the face."""
    for person in people:
        plain = manner.fitted(parts, person.neutral)
        for channel_id, index in INDEX.items():
            if channel_id in CLOSED_BY_CONTACT:
                continue
            size = np.linalg.norm(parts.deltas[index], axis=1)
            size[parts.oral] = 0.0
            main = size > 0.5 * size.max()
            strength = (plain[index, main] * person.deltas[index, main]).sum() / (plain[index, main] ** 2).sum()
            assert 0.72 < strength < 1.28, channel_id


def test_people_differ_in_manner_but_do_the_same(parts: Anatomy, people: list[Performer]) -> None:
    body = np.flatnonzero(parts.outer_skin)
    for channel_id in ("lip_corner_pull_L", "brow_lower_R", "nose_wrinkle_L", "lip_pucker", "chin_raise"):
        actions = np.stack([person.deltas[INDEX[channel_id]][body].ravel() for person in people])
        actions /= np.linalg.norm(actions, axis=1, keepdims=True)
        alike = (actions @ actions.T)[np.triu_indices(PEOPLE, 1)]
        assert alike.min() > 0.4, channel_id
        assert np.median(alike) < 0.99, channel_id


def test_sides_differ_a_little(people: list[Performer]) -> None:
    ratios = np.array(
        [
            np.linalg.norm(person.deltas[INDEX["lip_corner_pull_L"]])
            / np.linalg.norm(person.deltas[INDEX["lip_corner_pull_R"]])
            for person in people
        ]
    )
    assert 0.02 < np.log(ratios).std() < 0.25


def test_people_are_varied_and_plausible(parts: Anatomy, people: list[Performer]) -> None:
    ipds = np.array([person.ipd_m for person in people])
    assert np.all((ipds > 44 * MM) & (ipds < 76 * MM))
    assert ipds.std() > 2 * MM
    openings = np.array([lid_gaps(parts, person.neutral).max() for person in people])
    assert np.all((openings > 4.5 * MM) & (openings < 15 * MM))
    phenotypes = [identity.sample_phenotype(np.random.default_rng(seed)) for seed in range(300)]
    ages = np.array([phenotype.age for phenotype in phenotypes])
    assert 0.04 < np.mean(ages < 0.36) < 0.18
    assert np.mean(ages > 0.75) > 0.1


def test_sampling_and_posing_are_quick(people: list[Performer]) -> None:
    row = np.random.default_rng(0).random(len(PREDICTED_IDS))
    people[0].pose(row)
    assert _best_s(lambda: people[0].pose(row)) < 0.004
    assert _best_s(lambda: sample(np.random.default_rng(1)), runs=3) < 0.4


def _best_s(action: object, runs: int = 20) -> float:
    assert callable(action)
    best = np.inf
    for _ in range(runs):
        start = time.perf_counter()
        action()
        best = min(best, time.perf_counter() - start)
    return best


def _normals(parts: Anatomy, vertices: NDArray[np.float32]) -> NDArray[np.float64]:
    """(N, 3) unit normals out of the skin."""
    a, b, c = (vertices[parts.triangles[:, corner]] for corner in range(3))
    faces = np.cross(b - a, c - a)
    normals = np.zeros(vertices.shape)
    for corner in range(3):
        np.add.at(normals, parts.triangles[:, corner], faces)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
