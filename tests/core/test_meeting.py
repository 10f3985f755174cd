"""Where lids meet, found on a mesh made in code whose opening is known."""

import numpy as np
import pytest

from au_mocap import meeting, retarget
from au_mocap.mapping import Row, ShapeKeyTarget

WIDTH, HEIGHT, STEPS = 0.030, 0.010, 12
"""An eye of 30 mm by 10 mm, with `STEPS` vertices across."""


def eye(rest_open: float = 1.0, full: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two lids of three rows of vertices each, joined at the corners, and an eyeball behind that is not.

    Args:
        rest_open: Height of the resting opening, against a fully open one.
        full: How far the shape goes, against the fully open height.

    Returns:
        Points (N, 3), motion (N, 3) and edges (E, 2): x across, y up, z out of the face.
    """
    across = np.linspace(-0.5, 0.5, STEPS) * WIDTH
    bow = 1.0 - (2.0 * across / WIDTH) ** 2
    rows, moved = [], []
    for row in range(3):
        rows.append(np.stack([across, HEIGHT * rest_open * bow + 0.004 * row, 0.0 * across], axis=1))
        moved.append(np.stack([0.0 * across, -HEIGHT * full * bow * (1.0 - 0.3 * row), 0.0 * across], axis=1))
    for row in range(3):
        rows.append(np.stack([across, -0.004 * row + 0.0 * across, 0.0 * across], axis=1))
        moved.append(np.zeros((STEPS, 3)))
    ball = np.stack([across * 0.5, 0.5 * HEIGHT + 0.0 * across, -0.003 + 0.0 * across], axis=1)
    index = np.arange(6 * STEPS).reshape(6, STEPS)
    sideways = np.stack([index[:, :-1].ravel(), index[:, 1:].ravel()], axis=1)
    upper = np.stack([index[:2].ravel(), index[1:3].ravel()], axis=1)
    lower = np.stack([index[3:5].ravel(), index[4:6].ravel()], axis=1)
    corners = np.array([[index[0, 0], index[3, 0]], [index[0, -1], index[3, -1]]])
    own = 6 * STEPS + np.stack([np.arange(STEPS - 1), np.arange(1, STEPS)], axis=1)
    points, motion = np.concatenate([*rows, ball]), np.concatenate([*moved, np.zeros((STEPS, 3))])
    return points, motion, np.concatenate([sideways, upper, lower, corners, own]).astype(np.int32)


@pytest.mark.parametrize(("rest_open", "full"), [(1.0, 1.0), (0.6, 1.0), (1.0, 1.3), (0.9, 0.7)])
def test_the_value_at_which_lids_meet(rest_open: float, full: float) -> None:
    points, motion, edges = eye(rest_open, full)
    opening = meeting.find(points, motion, edges)
    assert opening is not None
    assert opening.gap(points) / opening.closing(motion) == pytest.approx(rest_open / full, abs=0.03)
    assert opening.gap(points + rest_open / full * motion) == pytest.approx(0.0, abs=0.03 * HEIGHT)


def test_a_known_lateral_direction_gives_the_same() -> None:
    points, motion, edges = eye()
    turned = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])  # another up and another front
    opening = meeting.find(points @ turned.T, motion @ turned.T, edges, turned @ [1.0, 0.0, 0.0])
    assert opening is not None
    assert opening.gap(points @ turned.T) == pytest.approx(HEIGHT, rel=0.1)


def test_what_is_no_opening() -> None:
    points, motion, edges = eye()
    assert meeting.find(points, np.zeros_like(motion), edges) is None
    assert meeting.find(points, np.ones_like(motion), edges) is None, "all moves, nothing stays"
    assert meeting.find(points, -motion, edges) is None, "nothing lies ahead"
    assert meeting.find(points, motion, edges[:0]) is None
    outwards = np.zeros_like(motion)
    outwards[:, 0] = np.sign(points[:, 0])
    assert meeting.find(points, outwards, edges) is None, "two ways at once"


def row(channel: str = "eye_close_L", gain: float = 1.0) -> Row:
    return Row(channel, ShapeKeyTarget("Key"), gain)


def test_values_that_cannot_be_believed_are_none() -> None:
    assert retarget.meets_at(1.0, 0.0) is None
    assert retarget.meets_at(1.0, -1.0) is None
    assert retarget.meets_at(1.0, 20.0) is None
    assert retarget.meets_at(5.0, 1.0) is None
    assert retarget.meets_at(1.0, 1.0) == pytest.approx(1.0 + retarget.PRESSED)


def test_lids_that_leave_a_slit_or_pass_through_are_fitted() -> None:
    short = retarget.fit_lids(row(), 1.25)
    assert short.apply(np.ones(1)) == pytest.approx(1.25)
    assert retarget.fit_lids(row(), 0.6).apply(np.array([0.0, 1.0])) == pytest.approx([0.0, 0.6])
    assert retarget.fit_lids(row(gain=0.5), 0.6).apply(np.ones(1)) == pytest.approx(0.6)


@pytest.mark.parametrize("value", [0.85, 1.0])
def test_lids_that_meet_well_enough_are_left_alone(value: float) -> None:
    assert retarget.fit_lids(row(), value) == row()
    assert retarget.fit_lids(row(gain=0.0), value) == row(gain=0.0)


def test_lips_are_closed_over_any_jaw_and_at_rest() -> None:
    jaw, together = row("jaw_drop", gain=0.8), row("lips_together")
    measured = retarget.Lips(gap=0.002, opening=0.020, closing=0.010)
    fitted = retarget.fit_lips(together, jaw, measured)
    for dropped in (0.0, 0.3, 1.0):
        opened = measured.gap + measured.opening * jaw.apply(np.array([dropped]))[0]
        left = opened - measured.closing * fitted.apply(np.array([dropped]))[0]
        assert left == pytest.approx(-retarget.PRESSED_LIPS * measured.opening, abs=1e-9)


def test_lips_that_close_as_they_should_are_left_alone() -> None:
    jaw, together = row("jaw_drop"), row("lips_together")
    assert retarget.fit_lips(together, jaw, retarget.Lips(-0.001, 0.020, 0.0201)) == together
    assert retarget.fit_lips(together, jaw, retarget.Lips(0.005, 0.020, 0.0)) == together, "nothing to close with"
