"""Everybody in a shot at once: real faces on paths that are known."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest

from au_mocap.cast import MOST_ACTORS, Cast, track_cast
from au_mocap.crops import Crop, Image
from au_mocap.errors import SettingsError
from au_mocap.onnx_tracker import OnnxTracker
from au_mocap.registry import Registry
from au_mocap.tracking import TrackedFace, open_tracker, track_frames
from au_mocap.video import VideoFrame
from tests.core.shots import Path2D, heads, shot, straight

Person = tuple[list[Image], Path2D]


@pytest.fixture(scope="module")
def tracker() -> OnnxTracker:
    opened = open_tracker("onnx", Registry(), device="cpu")
    assert isinstance(opened, OnnxTracker)
    return opened


@pytest.fixture(scope="module")
def woman(tracker: OnnxTracker, single_face: Path) -> list[Image]:
    return heads(single_face, tracker.detector, 40)


@pytest.fixture(scope="module")
def man(tracker: OnnxTracker, webcam_a: Path) -> list[Image]:
    return heads(webcam_a, tracker.detector, 40)


def hidden(path: Path2D, frames: range) -> Path2D:
    """The same path, out of sight for some frames."""
    visible = path.visible.copy()
    visible[frames.start : frames.stop] = False
    return Path2D(path.x, path.y, path.face_px, visible)


def follow(
    tracker: OnnxTracker, frames: Iterable[VideoFrame], most: int = MOST_ACTORS, workers: int = 2
) -> tuple[dict[int, list[TrackedFace | None]], Cast]:
    """Everybody's face in each frame, by number."""
    cast = Cast(tracker, most)
    seen = [dict(faces) for _, faces in track_cast(frames, cast, workers)]
    return {number: [faces.get(number) for faces in seen] for number in sorted(set().union(*seen))}, cast


def off(faces: Sequence[TrackedFace | None], path: Path2D) -> np.ndarray:
    """How far a face is from a head, in widths of the face; NaN where none was found."""
    centers = np.array([face.landmarks[:, :2].mean(axis=0) if face else (np.nan, np.nan) for face in faces])
    return np.hypot(centers[:, 0] - path.x, centers[:, 1] - path.y) / path.face_px


def test_two_side_by_side_are_each_followed_as_one_alone(
    tracker: OnnxTracker, woman: list[Image], man: list[Image]
) -> None:
    paths = straight((300, 270), (320, 260), 24, 130.0), straight((680, 280), (650, 290), 24, 110.0)
    frames = list(shot([(woman, paths[0]), (man, paths[1])]))
    faces, _ = follow(tracker, frames)
    assert list(faces) == [0, 1]
    for number, path in enumerate(paths):
        assert (off(faces[number], path) < 0.3).all()
        tracker.reset()
        tracker.wanted = Crop(float(path.x[0]), float(path.y[0]), 1.5 * float(path.face_px[0]), 0.0)
        try:
            alone = [face for _, face in track_frames(frames, tracker, 2)]
        finally:
            tracker.wanted = None
        for one, among in zip(alone, faces[number], strict=True):
            assert one is not None
            assert among is not None
            np.testing.assert_array_equal(among.landmarks, one.landmarks)
            assert among.confidence == one.confidence


def test_those_who_cross_keep_their_numbers(tracker: OnnxTracker, woman: list[Image], man: list[Image]) -> None:
    there, back = straight((220, 270), (740, 270), 50, 115.0), straight((740, 270), (220, 270), 50, 100.0)
    faces, cast = follow(tracker, shot([(man, back), (woman, there)]))
    assert cast.actors == (0, 1)
    apart = np.abs(there.x - back.x) > 150
    assert (off(faces[0], there)[apart] < 0.3).all()
    assert (off(faces[1], back)[apart] < 0.3).all()
    behind = np.array([face is not None for face in faces[1]])[np.abs(there.x - back.x) < 40]
    assert not behind.any(), "a face behind another is not seen"


def test_one_who_leaves_and_comes_back_elsewhere_keeps_the_number(
    tracker: OnnxTracker, woman: list[Image], man: list[Image]
) -> None:
    away = range(14, 30)
    stays = straight((250, 270), (260, 270), 38, 120.0)
    moves = straight((700, 270), (700, 270), 38, 100.0)
    moves = hidden(Path2D(moves.x - 120 * (np.arange(38) >= 30), moves.y, moves.face_px, moves.visible), away)
    faces, cast = follow(tracker, shot([(woman, stays), (man, moves)], rate_hz=10.0))
    assert cast.actors == (0, 1)
    assert (off(faces[0], stays) < 0.3).all()
    found = np.array([face is not None for face in faces[1]])
    assert found[:14].all()
    assert not found[14:30].any()
    assert found[32:].all()
    assert (off(faces[1], moves)[found] < 0.3).all()


def test_a_newcomer_in_the_place_of_one_who_left_is_somebody_else(
    tracker: OnnxTracker, woman: list[Image], man: list[Image]
) -> None:
    place = straight((480, 270), (480, 270), 40, 120.0)
    first, second = hidden(place, range(14, 40)), hidden(place, range(28))
    faces, cast = follow(tracker, shot([(woman, first), (man, second)], rate_hz=10.0))
    assert cast.actors == (0, 1)
    assert [number for number, seen in faces.items() if seen[8] is not None] == [0]
    assert [number for number, seen in faces.items() if seen[36] is not None] == [1]


def test_a_glimpse_is_forgotten_and_makes_room(tracker: OnnxTracker, woman: list[Image], man: list[Image]) -> None:
    stays = straight((250, 270), (250, 270), 20, 120.0)
    glimpse = hidden(straight((700, 270), (700, 270), 20, 100.0), range(5, 20))
    faces, cast = follow(tracker, shot([(woman, stays), (man, glimpse)], rate_hz=10.0))
    assert cast.actors == (0,)
    assert sum(face is not None for face in faces[1]) == 5


def test_no_more_than_were_asked_for_the_largest_first(
    tracker: OnnxTracker, woman: list[Image], man: list[Image]
) -> None:
    near, far = straight((680, 280), (680, 280), 6, 150.0), straight((250, 270), (250, 270), 6, 90.0)
    faces, _ = follow(tracker, shot([(woman, far), (man, near)]), most=1)
    assert list(faces) == [0]
    assert (off(faces[0], near) < 0.3).all()


def test_a_shot_without_anybody(tracker: OnnxTracker) -> None:
    frames = [VideoFrame(index, index / 25, np.full((180, 320, 3), 90, np.uint8)) for index in range(3)]
    assert follow(tracker, frames)[0] == {}


@pytest.mark.parametrize("most", [0, -1, MOST_ACTORS + 1])
def test_a_number_that_cannot_be(tracker: OnnxTracker, most: int) -> None:
    with pytest.raises(SettingsError, match=f"1 to {MOST_ACTORS}"):
        Cast(tracker, most)
