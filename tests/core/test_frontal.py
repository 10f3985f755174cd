"""3D registration: one painted face, turned about, looks the same from the front."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from au_mocap import frontal, rotations
from au_mocap.crops import Crop
from au_mocap.errors import TrackerError
from au_mocap.landmarks import IPD_M, canonical_face
from au_mocap.preprocessors import PREPROCESSORS

SIDE_PX = 480
WHOLE = Crop(SIDE_PX / 2, SIDE_PX / 2, float(SIDE_PX), 0.0)
DEGREE = np.pi / 180.0


def face() -> NDArray[np.float64]:
    return canonical_face().points / IPD_M


def shot(
    points: NDArray[np.float64], yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0, px: float = 140.0
) -> NDArray[np.float64]:
    """Landmarks of a face before the camera, turned by degrees, its eyes so many pixels apart."""
    angles = np.array([[yaw, pitch, roll]]) * DEGREE
    turned = points @ rotations.from_angles(angles)[0].T
    return turned * px + np.array([SIDE_PX / 2, SIDE_PX / 2 - 0.5 * px, 0.0])


def paint(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Colours of points on the face: each runs evenly along one of its axes, so that triangles carry it exactly."""
    return np.clip(128.0 + 60.0 * points, 1.0, 255.0)


def drawn(landmarks_px: NDArray[np.float64], colours: NDArray[np.float64]) -> NDArray[np.uint8]:
    """A picture of the painted mesh, pixel by pixel, the nearest surface first, upon a background of white."""
    image = np.full((SIDE_PX, SIDE_PX, 3), 255.0)
    depth = np.full((SIDE_PX, SIDE_PX), np.inf)
    for corners in frontal.triangles():
        a, b, c = landmarks_px[corners]
        whole = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
        if whole <= 1e-9:
            continue
        low = np.floor(landmarks_px[corners, :2].min(axis=0)).astype(int)
        high = np.ceil(landmarks_px[corners, :2].max(axis=0)).astype(int) + 1
        y, x = np.mgrid[low[1] : high[1], low[0] : high[0]]
        second = ((x - a[0]) * (c[1] - a[1]) - (y - a[1]) * (c[0] - a[0])) / whole
        third = ((b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0])) / whole
        shares = np.stack([1.0 - second - third, second, third], axis=-1)
        z = shares @ landmarks_px[corners, 2]
        hit = (shares >= -1e-9).all(axis=-1) & (z < depth[y, x])
        depth[y[hit], x[hit]] = z[hit]
        image[y[hit], x[hit]] = shares[hit] @ colours[corners]
    return np.round(image).astype(np.uint8)


def seen(picture: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return picture.any(axis=2)


def inner(mask: NDArray[np.bool_], px: int = 4) -> NDArray[np.bool_]:
    return cv2.erode(mask.astype(np.uint8), np.ones((2 * px + 1, 2 * px + 1), np.uint8)) > 0


@pytest.mark.parametrize(
    "angles", [(0, 0, 0), (20, 0, 0), (-20, 0, 0), (0, 15, 0), (0, -12, 0), (15, 10, 30), (0, 0, -90)]
)
def test_a_turned_face_shows_what_the_frontal_one_does(angles: tuple[float, float, float]) -> None:
    points = face()
    straight, turned = shot(points), shot(points, *angles, px=120.0)
    expected = frontal.frontalise(drawn(straight, paint(points)), straight)
    picture = frontal.frontalise(drawn(turned, paint(points)), turned)
    both = inner(seen(expected) & seen(picture))
    assert both.sum() > 0.75 * seen(expected).sum()
    differences = np.abs(expected[both].astype(int) - picture[both].astype(int)).max(axis=1)
    assert np.quantile(differences, 0.98) <= 3


def test_the_picture_is_the_face_from_the_front_to_the_pixel() -> None:
    """Colours tell where on the face each pixel of the result comes from."""
    points = face()
    landmarks = shot(points, yaw=12.0)
    picture = frontal.frontalise(drawn(landmarks, paint(points)), landmarks).astype(float)
    inside = inner(seen(picture.astype(np.uint8)))
    rows, columns = np.nonzero(inside)
    across, down = ((picture[rows, columns, axis] - 128.0) / 60.0 for axis in (0, 1))
    per_px = np.polyfit(columns, across, 1)[0], np.polyfit(rows, down, 1)[0]
    assert per_px == pytest.approx((3.1 / frontal.SIZE_PX,) * 2, rel=0.02)
    assert abs(np.interp(111.5, np.sort(columns), np.sort(across))) < 0.05


def test_the_far_side_of_a_turned_face_stays_black() -> None:
    points = face()
    straight, turned = shot(points), shot(points, yaw=55.0)
    whole = seen(frontal.frontalise(drawn(straight, paint(points)), straight))
    part = seen(frontal.frontalise(drawn(turned, paint(points)), turned))
    # Turned to the actor's right, which is the picture's left: there the cheek is turned away.
    middle = frontal.SIZE_PX // 2
    assert part[:, :middle].sum() < 0.75 * whole[:, :middle].sum()
    assert part[:, middle:].sum() > 0.9 * whole[:, middle:].sum()


def test_expression_stays() -> None:
    points = face()
    dropped = points.copy()
    dropped[[14, 87, 317, 17, 84, 314, 152, 148, 377, 199, 200]] += [0.0, 0.25, 0.0]
    picture = [
        frontal.frontalise(drawn(shot(each, yaw=10.0), paint(points)), shot(each, yaw=10.0))
        for each in (points, dropped)
    ]
    lowest = [np.nonzero(seen(each).any(axis=1))[0].max() for each in picture]
    assert lowest[1] > lowest[0] + 8


def test_what_lies_outside_the_image_is_black() -> None:
    points = face()
    landmarks = shot(points)
    image = drawn(landmarks, paint(points))
    half = frontal.frontalise(image[:, : SIDE_PX // 2].copy(), landmarks)
    assert not half[:, frontal.SIZE_PX // 2 + 2 :].any()
    assert half[:, : frontal.SIZE_PX // 2 - 2].any()
    assert not frontal.frontalise(image, landmarks + np.array([9999.0, 0.0, 0.0])).any()


@pytest.mark.parametrize("size_px", [48, 96, 224])
def test_size_is_as_asked(size_px: int) -> None:
    landmarks = shot(face())
    picture = frontal.frontalise(drawn(landmarks, paint(face())), landmarks, size_px)
    assert picture.shape == (size_px, size_px, 3)
    assert picture.dtype == np.uint8
    assert 0.25 < seen(picture).mean() < 0.6


@pytest.mark.parametrize("wrong", [np.zeros((468, 3)), np.full((478, 3), np.nan), np.zeros((478, 2))])
def test_no_face_is_refused(wrong: NDArray[np.float64]) -> None:
    with pytest.raises(TrackerError, match="track the frame first"):
        frontal.frontalise(np.zeros((8, 8, 3), np.uint8), wrong)


def test_triangles_cover_the_face_once() -> None:
    table = frontal.triangles()
    assert set(table.ravel()) == set(range(468))
    corners = canonical_face().points[table, :2]
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    areas = 0.5 * (first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0])
    hull = cv2.convexHull(canonical_face().points[:468, :2].astype(np.float32))
    assert (areas > 0).all()
    assert areas.sum() == pytest.approx(cv2.contourArea(hull), rel=0.01)


@pytest.mark.parametrize(("roll", "px"), [(0, 140.0), (25, 140.0), (-60, 110.0)])
def test_laid_over_the_template_a_frontal_face_lies_where_the_registered_one_does(roll: float, px: float) -> None:
    landmarks = shot(face(), roll=roll, px=px).astype(np.float32)
    image = drawn(landmarks.astype(np.float64), paint(face()))
    flat, solid = (PREPROCESSORS[name](image, landmarks, WHOLE, 96) for name in ("template", "frontal"))
    assert flat.shape == solid.shape == (3, 96, 96)
    both = inner(solid.any(axis=0), 2)
    assert both.mean() > 0.25
    assert np.quantile(np.abs(flat - solid)[:, both], 0.98) < 3 / 255


def test_only_the_registered_face_forgets_a_turned_head() -> None:
    """The tip of the nose (landmark 1) leaves the middle of a face that is turned in depth, if it is but laid flat."""
    landmarks = shot(face(), yaw=30.0).astype(np.float32)
    colours = np.full((478, 3), 60.0)
    colours[[1, 4, 5, 44, 274], 2] = 250.0  # red, which white around the face is not
    image = drawn(landmarks.astype(np.float64), colours)
    middle = {}
    for name in ("template", "frontal"):
        shown = PREPROCESSORS[name](image, landmarks, WHOLE, 96)
        red = (shown[0] - shown[2]).sum(axis=0)
        middle[name] = float(red @ np.arange(96) / red.sum())
    assert abs(middle["frontal"] - 48.0) < 2.0
    assert abs(middle["template"] - 48.0) > 5.0


@pytest.mark.parametrize("name", ["template", "frontal"])
def test_no_face_is_nothing_to_register(name: str) -> None:
    image = np.zeros((8, 8, 3), np.uint8)
    with pytest.raises(TrackerError, match=r"nothing to see|track the frame first"):
        PREPROCESSORS[name](image, np.full((478, 3), np.nan, np.float32), WHOLE, 48)
    point = PREPROCESSORS[name](image, np.zeros((478, 3), np.float32), WHOLE, 48)
    assert point.shape == (3, 48, 48)
    assert np.isfinite(point).all()
