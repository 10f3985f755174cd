"""What stands behind a performer: made-up pictures."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
SIZE_PX: Final = 256


def sample(rng: np.random.Generator) -> Picture:
    """Draws a background: (256, 256, 3) uint8, to be stretched over the picture."""
    makers = (_patches, _gradient, _grain, _room, _polygons)
    picture = makers[rng.choice(len(makers), p=[0.17, 0.23, 0.08, 0.4, 0.12])](rng)
    picture = picture * rng.uniform(0.35, 1.15) * rng.uniform(0.9, 1.08, 3)
    blur = rng.choice([0.0, rng.uniform(0.5, 3.0), rng.uniform(3.0, 14.0)], p=[0.25, 0.4, 0.35])
    if blur > 0:
        picture = cv2.GaussianBlur(picture, (0, 0), float(blur))
    return np.clip(picture, 0, 255).astype(np.uint8)


def _color(rng: np.random.Generator) -> NDArray[np.float64]:
    """A colour: mostly dull, as walls and furniture are."""
    grey = rng.uniform(10, 250)
    return np.clip(grey + rng.normal(0, rng.choice([6.0, 20.0, 60.0], p=[0.6, 0.3, 0.1]), 3), 0, 255)


def _patches(rng: np.random.Generator) -> NDArray[np.float64]:
    cells = int(rng.integers(2, 9))
    patches = np.stack([_color(rng) for _ in range(cells * cells)]).reshape(cells, cells, 3)
    return cv2.resize(patches, (SIZE_PX, SIZE_PX), interpolation=cv2.INTER_CUBIC).astype(np.float64)


def _gradient(rng: np.random.Generator) -> NDArray[np.float64]:
    y, x = np.mgrid[0 : 1 : SIZE_PX * 1j, 0 : 1 : SIZE_PX * 1j]
    angle = rng.uniform(0, 2 * np.pi)
    share = x * np.cos(angle) + y * np.sin(angle)
    share = (share - share.min()) / np.ptp(share)
    if rng.random() < 0.4:
        share = np.hypot(x - rng.random(), y - rng.random()) * rng.uniform(0.6, 1.2)
    share = np.clip(share, 0.0, 1.0)[..., None]
    return _color(rng) * (1.0 - share) + _color(rng) * share


def _grain(rng: np.random.Generator) -> NDArray[np.float64]:
    picture = np.zeros((SIZE_PX, SIZE_PX, 3))
    for cells in (4, 8, 16, 32, 64, 128):
        layer = rng.normal(0, rng.uniform(5, 40), (cells, cells, 1)) + rng.normal(0, 8, (cells, cells, 3))
        picture += cv2.resize(layer, (SIZE_PX, SIZE_PX), interpolation=cv2.INTER_LINEAR)
    return picture + _color(rng)


def _polygons(rng: np.random.Generator) -> NDArray[np.float64]:
    picture = np.empty((SIZE_PX, SIZE_PX, 3))
    picture[:] = _color(rng)
    for _ in range(int(rng.integers(3, 40))):
        around = rng.uniform(0, SIZE_PX, 2) + rng.normal(0, rng.uniform(8, 90), (int(rng.integers(3, 7)), 2))
        cv2.fillPoly(picture, [around.astype(np.int32)], _color(rng).tolist(), cv2.LINE_AA)
    return picture


def _room(rng: np.random.Generator) -> NDArray[np.float64]:
    """A wall with a corner, and what stands at it: windows, doors, shelves, pictures, lamps."""
    picture = _gradient(rng) * 0.3 + 0.7 * _color(rng)
    if rng.random() < 0.5:
        corner = int(rng.uniform(0, SIZE_PX))
        picture[:, corner:] *= rng.uniform(0.6, 1.3)
    if rng.random() < 0.3:
        picture[int(rng.uniform(0.5, 0.9) * SIZE_PX) :] = _color(rng)
    for _ in range(int(rng.integers(1, 8))):
        _furnish(picture, rng)
    return picture


def _furnish(picture: NDArray[np.float64], rng: np.random.Generator) -> None:
    left, top = rng.uniform(-0.2, 0.9, 2) * SIZE_PX
    width, height = rng.uniform(0.08, 0.6, 2) * SIZE_PX
    first = (int(left), int(top))
    last = (int(left + width), int(top + height))
    color = _color(rng).tolist()
    kind = rng.integers(4)
    if kind == 0:  # a bright window or screen
        cv2.rectangle(picture, first, last, np.clip(_color(rng) + 140, 0, 255).tolist(), -1)
        cv2.rectangle(picture, first, last, color, int(rng.integers(2, 7)))
    elif kind == 1:  # shelves
        cv2.rectangle(picture, first, last, color, -1)
        for x in np.arange(left, left + width, max(3.0, width / rng.integers(4, 16))):
            tall = rng.uniform(0.4, 0.95) * height
            cv2.rectangle(picture, (int(x), int(top + height - tall)), (int(x + 5), last[1]), _color(rng).tolist(), -1)
    elif kind == 2:  # a framed picture, a door
        cv2.rectangle(picture, first, last, color, -1)
        cv2.rectangle(picture, first, last, _color(rng).tolist(), int(rng.integers(1, 5)))
    else:  # a lamp
        cv2.circle(
            picture, first, int(rng.uniform(4, 30)), np.clip(_color(rng) + 120, 0, 255).tolist(), -1, cv2.LINE_AA
        )
