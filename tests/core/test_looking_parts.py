"""The parts of match by looking against known answers: drawing, places, pairing, least squares, tables."""

import itertools
import time
from dataclasses import replace

import numpy as np
import pytest

from au_mocap.looking import matches
from au_mocap.looking.assignment import assign
from au_mocap.looking.least_squares import nonnegative
from au_mocap.looking.places import nearest_on
from au_mocap.looking.solve import Played
from au_mocap.looking.surface import Surface, islands, joined, normals, plain
from au_mocap.looking.view import Frame, draw

FRONT = Frame(np.eye(3), np.zeros(3), 1.0, 64)


def square(half: float, depth: float) -> Surface:
    """A square of two triangles across the line of sight."""
    points = np.array([[-half, -half, depth], [half, -half, depth], [half, half, depth], [-half, half, depth]])
    return plain(points, np.array([[0, 1, 2], [0, 2, 3]]))


def test_the_nearest_surface_is_drawn_and_its_points_are_known() -> None:
    both = joined([square(0.8, 0.5), square(0.4, -0.5)])
    picture = draw(both, FRONT, normals(both))
    shown = picture.triangle >= 0
    assert shown.sum() == pytest.approx((0.8 * 64) ** 2, rel=0.05)
    assert set(np.unique(picture.triangle[20:44, 20:44])) == {2, 3}
    assert set(np.unique(picture.triangle[shown])) == {0, 1, 2, 3}
    corners = both.points[both.triangles[picture.triangle[shown]]]
    seen = FRONT.project((picture.shares[shown][..., None] * corners).sum(axis=1))
    np.testing.assert_allclose(seen[:, :2], np.argwhere(shown)[:, ::-1] + 0.5, atol=1e-4)
    assert (picture.image[~shown] == picture.image[0, 0]).all()


def test_order_slant_and_broken_points_do_not_matter() -> None:
    rng = np.random.default_rng(4)
    points, triangles = rng.uniform(-1.5, 1.5, (60, 3)), rng.integers(0, 60, (80, 3))
    made = plain(points, triangles)
    picture = draw(made, FRONT, normals(made))
    turned = rng.permutation(80)
    again = draw(plain(points, triangles[turned]), FRONT, normals(made))
    shown = picture.triangle >= 0
    assert (shown == (again.triangle >= 0)).all()
    assert (turned[again.triangle[shown]] == picture.triangle[shown]).mean() > 0.999
    broken = replace(made, points=np.concatenate([points[:-1], [[np.nan, 0.0, 0.0]]]))
    shown = np.unique(draw(broken, FRONT, normals(made)).triangle)
    assert not (triangles[shown[shown >= 0]] == 59).any()


def test_textures_colour_and_see_through() -> None:
    texture = np.zeros((2, 2, 4), np.uint8)
    texture[0, 0] = (255, 0, 0, 255)  # upper left: blue; the others are see-through
    near = replace(
        square(0.8, -0.5),
        colours=np.full((2, 3, 3), 255, np.uint8),
        texture=np.zeros(2, np.int64),
        uv=np.array([[[0, 1], [1, 1], [1, 0]], [[0, 1], [1, 0], [0, 0]]], np.float32),
        textures=(texture,),
    )
    both = joined([square(0.8, 0.5), near])
    picture = draw(both, FRONT, normals(both))
    blue, green, red = (int(value) for value in picture.image[20, 20])
    assert blue > 100 > green == red
    assert set(np.unique(picture.triangle[40:50, 40:50])) <= {0, 1}
    assert picture.triangle[20, 20] in (2, 3)


def test_a_face_of_many_triangles_is_drawn_in_a_moment() -> None:
    steps = np.linspace(-1.0, 1.0, 142)
    x, y = np.meshgrid(steps, steps)
    points = np.stack([x.ravel(), y.ravel(), 0.3 * np.square(x.ravel())], axis=1)
    corner = (np.arange(141)[:, None] * 142 + np.arange(141)).ravel()
    upper, lower = np.stack([corner, corner + 1, corner + 143]), np.stack([corner, corner + 143, corner + 142])
    made = plain(points, np.concatenate([upper, lower], axis=1).T)
    seconds = []
    for _ in range(3):
        started = time.process_time()
        picture = draw(made, replace(FRONT, size_px=512), normals(made))
        seconds.append(time.process_time() - started)
    assert (picture.triangle >= 0).mean() > 0.99
    assert min(seconds) < 2.0


def test_points_at_one_place_join_what_they_belong_to() -> None:
    strip = np.array([[i, j, 0.0] for i in range(200) for j in (0.0, 1.0)], np.float64)
    triangles = np.array([[i, i + 1, i + 2] for i in range(398)])
    split = plain(strip[triangles].reshape(-1, 3), np.arange(3 * 398).reshape(-1, 3))
    apart = plain(strip + np.array([0.0, 5.0, 0.0]), triangles)
    number = islands(joined([split, apart]))
    assert len(set(number[:398])) == len(set(number[398:])) == 1
    assert number[0] != number[-1]


def test_picked_places_go_to_what_moves() -> None:
    still = replace(square(1.0, 0.0), movable=np.zeros(2, bool))
    both = joined([still, square(1.0, 0.3)])
    found = nearest_on(np.array([[0.2, 0.1, -0.1], [0.2, 0.1, -0.1]]), np.array([1, 468]), both)
    np.testing.assert_allclose(found.points(both.points), [[0.2, 0.1, 0.3], [0.2, 0.1, 0.0]], atol=1e-9)
    beside = nearest_on(np.array([[9.0, 0.0, 0.0]]), np.array([1]), still)
    assert beside.points(still.points)[0, 0] == pytest.approx(1.0)


@pytest.mark.parametrize("shape", [(1, 1), (4, 4), (3, 6), (6, 3), (5, 1)])
def test_pairs_are_the_best_of_all(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(sum(shape))
    for _ in range(30):
        value = rng.normal(0.2, 1.0, shape)
        pairs = assign(value)
        assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)
        assert all(value[pair] > 0.0 for pair in pairs)
        worth, long = np.maximum(value, 0.0), max(shape)
        padded = np.zeros((long, long))
        padded[: shape[0], : shape[1]] = worth
        best = max(padded[np.arange(long), list(order)].sum() for order in itertools.permutations(range(long)))
        assert sum(value[pair] for pair in pairs) == pytest.approx(best)


def test_pairs_of_nothing() -> None:
    assert assign(np.zeros((0, 4))) == assign(np.zeros((3, 0))) == assign(np.full((2, 2), np.nan)) == []


def test_no_answer_is_negative_and_none_is_better() -> None:
    rng = np.random.default_rng(6)
    for _ in range(60):
        design, target = rng.normal(size=(12, 5)), rng.normal(size=12)
        solution = nonnegative(design, target)
        gradient = design.T @ (target - design @ solution)
        assert solution.min() >= 0.0
        assert gradient.max() < 1e-8  # no step up helps
        assert np.abs(gradient[solution > 0.0]).max(initial=0.0) < 1e-8
    np.testing.assert_allclose(nonnegative(np.ones((3, 2)), np.full(3, 2.0)).sum(), 2.0)
    np.testing.assert_array_equal(nonnegative(np.zeros((3, 2)), np.ones(3)), 0.0)


def test_gains_are_the_artists_own_or_as_measured() -> None:
    played = [
        Played("jaw_drop", 0, 2.0, 0.9),
        Played("jaw_drop", 1, 1.0, 0.9),
        Played("lip_pucker", 2, 0.2, 1.3),
        Played("eye_close_L", 3, 0.3, 0.8, shared=2),
        Played("eye_close_R", 3, 0.3, 0.8, shared=2),
    ]
    own = matches.to_table(played, list("abcd"), "own")
    assert [row.gain for row in own.mapping.rows] == [1.0, 0.5, 1.0, 0.5, 0.5]
    assert own.confidence == (0.9, 0.9, 1.0, 0.8, 0.8)
    assert [row.gain for row in matches.to_table(played, list("abcd"), "m", False).mapping.rows] == [
        2,
        1,
        0.2,
        0.3,
        0.3,
    ]
    assert {"jaw_drop", "lip_pucker", "eye_close_L"}.isdisjoint(own.unmatched)
    assert len(own.unmatched) == 50
