"""Crops: what lies where, and back again."""

import math

import numpy as np
import pytest

from au_mocap.crops import Crop, crop_image, readable, to_crop, to_image
from au_mocap.errors import TrackerError

CROP = Crop(100.0, 50.0, 40.0, math.radians(30))


def test_the_corners_of_a_crop_lie_at_half_a_side() -> None:
    level = Crop(100.0, 50.0, 40.0, 0.0)
    corners = to_image(np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5]]), level)
    np.testing.assert_allclose(corners, [[80, 30], [120, 30], [120, 70]], atol=1e-5)


def test_roll_turns_clockwise_on_screen() -> None:
    right_end = to_image(np.array([[0.5, 0.0]]), CROP)[0]
    np.testing.assert_allclose(
        right_end, [100 + 20 * math.cos(math.pi / 6), 50 + 20 * math.sin(math.pi / 6)], rtol=1e-6
    )


@pytest.mark.parametrize("dimensions", [2, 3])
def test_points_come_back_from_a_crop(dimensions: int) -> None:
    points = np.random.default_rng(1).uniform(-300, 300, (478, dimensions)).astype(np.float32)
    np.testing.assert_allclose(to_image(to_crop(points, CROP), CROP), points, atol=1e-3)


def test_depth_is_measured_in_sides() -> None:
    assert to_crop(np.array([[0.0, 0.0, -8.0]]), CROP)[0, 2] == pytest.approx(-0.2)
    assert to_image(np.array([[0.0, 0.0, -0.2]]), CROP)[0, 2] == pytest.approx(-8.0)


@pytest.mark.parametrize("dimensions", [2, 3])
def test_arrays_of_crops_equal_one_crop_at_a_time(dimensions: int) -> None:
    random = np.random.default_rng(2)
    crops = [Crop(*row) for row in random.uniform([0, 0, 20, -3], [500, 400, 300, 3], (7, 4)).tolist()]
    table = np.stack([crop.as_array() for crop in crops])
    points = random.uniform(-1, 1, (7, 478, dimensions)).astype(np.float32)
    for convert in (to_image, to_crop):
        single = np.stack([convert(row, crop) for row, crop in zip(points, crops, strict=True)])
        np.testing.assert_allclose(convert(points, table), single, atol=1e-3)


def test_frames_without_a_face_stay_nan() -> None:
    table = np.stack([CROP.as_array(), np.full(4, np.nan, np.float32)])
    result = to_image(np.zeros((2, 5, 3), np.float32), table)
    assert np.isfinite(result[0]).all()
    assert np.isnan(result[1]).all()


def test_a_crop_of_the_whole_image_is_the_image() -> None:
    image = np.random.default_rng(3).integers(0, 255, (64, 64, 3), np.uint8)
    np.testing.assert_array_equal(crop_image(image, Crop(32, 32, 64, 0.0), 64), image)


def test_a_crop_shows_what_its_coordinates_say() -> None:
    image = np.zeros((200, 200, 3), np.uint8)
    x, y = to_image(np.array([[0.25, -0.125]]), CROP)[0]
    image[round(float(y)) - 2 : round(float(y)) + 3, round(float(x)) - 2 : round(float(x)) + 3] = 255
    tile = crop_image(image, CROP, 256)
    rows, columns = np.nonzero(tile[:, :, 0] > 128)
    assert columns.mean() == pytest.approx((0.25 + 0.5) * 256, abs=4)
    assert rows.mean() == pytest.approx((-0.125 + 0.5) * 256, abs=4)


def test_outside_the_image_is_black_or_its_edge_continued() -> None:
    image = np.full((50, 50, 3), 200, np.uint8)
    outside = Crop(-100.0, 25.0, 40.0, 0.0)
    assert crop_image(image, outside, 32).max() == 0
    assert crop_image(image, outside, 32, replicate=True).min() == 200


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 1), (4, 5, 4)])
def test_grey_and_alpha_become_colour(shape: tuple[int, ...]) -> None:
    image = readable(np.full(shape, 77, np.uint8))
    assert image.shape == (4, 5, 3)
    assert image.dtype == np.uint8
    assert (image == 77).all()


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((4, 5, 3), np.float32),
        np.zeros((4, 5, 2), np.uint8),
        np.zeros((0, 5, 3), np.uint8),
        np.zeros((2, 4, 5, 3), np.uint8),
        np.zeros(7, np.uint8),
    ],
)
def test_what_is_no_image_is_refused(image: np.ndarray) -> None:
    with pytest.raises(TrackerError, match=r"Give an 8-bit image"):
        readable(image)
