"""Heads of other makers: names of shapes, plans of frames, folders, and what an evaluation makes of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from au_mocap import channels
from au_mocap.crops import Crop
from au_mocap.tracking import TrackedFace
from training.transfer import album, evaluate, plan, shapes
from training.transfer.backdrop import before_backdrop

ALL = frozenset(shapes.CHANNELS_OF)
IPD_M = 0.06


def row(**values: float) -> NDArray[np.float32]:
    """One expression: (1, P)."""
    return np.array([[values.get(channel_id, 0.0) for channel_id in channels.PREDICTED_IDS]], np.float32)


def value(rows: NDArray[np.float32], channel_id: str) -> float:
    return float(rows[0, channels.PREDICTED_IDS.index(channel_id)])


@pytest.mark.parametrize(
    ("morph", "shape"),
    [
        ("eyeBlinkLeft", "eyeBlinkLeft"),
        ("eyeBlink_L", "eyeBlinkLeft"),
        ("blendShape1.mouthSmile_R", "mouthSmileRight"),
        ("jaw_L", "jawLeft"),
        ("tongue_out", "tongueOut"),
        ("viseme_aa", None),
        ("cor_ElbowBend_Lt", None),
        ("mouthSmile", None),
    ],
)
def test_names_of_morphs(morph: str, shape: str | None) -> None:
    assert shapes.arkit_name(morph) == shape


def test_every_predicted_channel_has_one_of_the_52_shapes() -> None:
    assert len(shapes.CHANNELS_OF) == 52
    assert sorted(sum(shapes.CHANNELS_OF.values(), ())) == sorted(channels.PREDICTED_IDS)


def test_a_mean_needs_both_sides() -> None:
    assert "nose_wrinkle" in shapes.channels_of(["noseSneerLeft", "noseSneerRight"])
    assert shapes.channels_of(["noseSneerLeft"]) == ("nose_wrinkle_L",)
    assert shapes.channels_of(["cheekPuff"]) == ("cheek_puff", "cheek_puff_L", "cheek_puff_R")


def test_what_a_head_lacks_is_not_shown() -> None:
    shown = shapes.showable(row(eye_close_L=0.7, jaw_drop=0.5), {"jawOpen"})
    assert value(shown, "jaw_drop") == pytest.approx(0.5)
    assert value(shown, "eye_close_L") == 0.0


def test_sides_that_the_shapes_lack_are_alike() -> None:
    shown = shapes.showable(row(inner_brow_raise_L=0.8), ALL)
    assert value(shown, "inner_brow_raise_L") == value(shown, "inner_brow_raise_R") == pytest.approx(0.4)
    assert shapes.weights(shown[0])["browInnerUp"] == pytest.approx(0.4)


def test_sides_that_the_shapes_have_stay_the_actors_own() -> None:
    weights = shapes.weights(shapes.showable(row(eye_close_L=1.0), ALL)[0])
    assert (weights["eyeBlinkLeft"], weights["eyeBlinkRight"]) == (1.0, 0.0)


def test_more_frames_leave_the_first_ones_as_they_are() -> None:
    few, many = (plan.frames("somebody", ALL, IPD_M, count) for count in (30, 130))
    for short, long in zip(few, many, strict=False):
        np.testing.assert_array_equal(short.values, long.values)
        np.testing.assert_array_equal(short.view.rotation, long.view.rotation)


def test_heads_do_not_perform_the_same() -> None:
    one, other = (plan.frames(name, ALL, IPD_M, 40) for name in ("one", "other"))
    assert any(not np.array_equal(a.values, b.values) for a, b in zip(one, other, strict=True))


def test_first_frames_are_neutral_and_frontal() -> None:
    for frame in plan.frames("somebody", ALL, IPD_M, plan.NEUTRAL_FRAMES):
        assert not frame.values.any()
        assert np.trace(frame.view.rotation) > 1.0 + 2.0 * np.cos(np.radians(6.0))


def test_the_face_is_in_the_picture() -> None:
    """Brows to chin: half a distance between the eyes above them and 1.8 below."""
    face = IPD_M * np.array([[-0.9, -0.5, 0.0], [0.9, -0.5, 0.0], [0.0, 1.8, 0.0]])
    for frame in plan.frames("somebody", ALL, IPD_M, 60):
        camera = face @ frame.view.rotation.T + frame.view.translation
        xy_px = camera[:, :2] / camera[:, 2:] * frame.view.focal_px + plan.SIZE_PX / 2
        assert (xy_px > 0).all()
        assert (xy_px < plan.SIZE_PX).all()


def test_a_cut_out_before_a_backdrop() -> None:
    picture = np.zeros((8, 8, 4), np.uint8)
    picture[:, :4] = (10, 20, 30, 255)
    corners = np.tile([1.0, 0.5, 0.0], (4, 1))
    mixed = before_backdrop(picture, corners)
    assert mixed[4, 1].tolist() == [10, 20, 30]
    assert mixed[4, 6].tolist() == [0, 128, 255]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A head's folder with the truth about 12 frames, and no pictures."""
    frames = plan.frames("somebody", {"jawOpen"}, IPD_M, 12)
    album.write_truth(tmp_path, frames)
    album.write_description(tmp_path, "nobody's", ["jawOpen"], frames)
    return tmp_path


def test_the_truth_survives_its_file(folder: Path) -> None:
    frames = plan.frames("somebody", {"jawOpen"}, IPD_M, 12)
    truth = album.read_truth(folder, 12)
    played = shapes.truth(np.stack([frame.values for frame in frames]))
    np.testing.assert_allclose(truth.values, played, atol=1e-5)
    assert truth.channels == ("jaw_drop",)
    assert truth.neutral_frames == tuple(range(plan.NEUTRAL_FRAMES))


def test_another_plan_is_refused(folder: Path) -> None:
    with pytest.raises(album.AlbumError, match="another plan"):
        album.write_truth(folder, plan.frames("somebody else", {"jawOpen"}, IPD_M, 12))


def test_pictures_without_truth_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(album.AlbumError, match="13 pictures"):
        album.read_truth(folder, 13)
    with pytest.raises(album.AlbumError, match="no rendered head"):
        album.read_truth(tmp_path / "elsewhere", 1)
    with pytest.raises(album.AlbumError, match="no rendered heads"):
        album.heads_in(tmp_path / "elsewhere")


class Following:
    """A tracker that notes what it was asked."""

    name, version = "following", "1"

    def __init__(self) -> None:
        self.calls: list[object] = []

    def reset(self, maps: Sequence[str] = ()) -> None:
        self.calls.append(tuple(maps))

    def track(self, image: NDArray[Any], time_s: float) -> TrackedFace | None:
        self.calls.append(time_s)
        return TrackedFace(np.zeros((478, 3), np.float32), Crop(0.0, 0.0, 1.0, 0.0), 1.0) if image.any() else None


def test_stills_are_looked_at_one_by_one() -> None:
    inner = Following()
    stills = evaluate.Stills(inner)
    stills.reset(["map"])
    assert stills.track(np.ones((4, 4, 3), np.uint8), 0.0) is not None
    assert stills.track(np.zeros((4, 4, 3), np.uint8), 1.0) is None
    assert inner.calls == [("map",), 0.0, 0.001, ("map",), 1.0]


def test_means_of_a_score_leave_out_what_a_head_cannot_show() -> None:
    measures = np.array([0.2, 0.6, 0.7])
    ids = ("eye_close_L", "nose_wrinkle", "nose_wrinkle_L")
    score = evaluate.Score("head", "regressor", 3, 1.0, ids, measures, measures, measures, measures, measures)
    assert score.mean("icc", feafa=True) == pytest.approx(0.4)
    assert score.mean("icc", feafa=False) == pytest.approx(0.45)
    assert "head" in evaluate.summary([score])
    assert evaluate.as_json([score])[0]["channels"]["nose_wrinkle"]["icc"] == 0.6
