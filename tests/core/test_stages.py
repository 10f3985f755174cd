"""Image stages that read the landmark graph's maps: of which frame, from which tracker, and what they refuse."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from au_mocap import pipeline
from au_mocap.crops import Crop, Image
from au_mocap.errors import ModelError, TrackerError
from au_mocap.landmark_model import OUTPUTS, LandmarkModel
from au_mocap.onnx_tracker import OnnxTracker
from au_mocap.registry import BUNDLED, Registry
from au_mocap.regressors import Regressor, open_regressor
from au_mocap.sessions import open_session
from au_mocap.tracking import TrackedFace, open_tracker, track_frames
from au_mocap.video import open_video

FOLDER = Path(__file__).parents[1] / "data" / "two_stage"
SPOTS = (33, 263, 10, 152)
"""Landmarks that the stage passes on, where the graph saw them in its tile."""


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry((BUNDLED, FOLDER))


@pytest.fixture(scope="module")
def of_maps(registry: Registry) -> Regressor:
    return open_regressor(registry, "of_maps", "cpu")


@pytest.fixture(scope="module")
def model(registry: Registry) -> LandmarkModel:
    return LandmarkModel(open_session(registry.path(registry.tracker("onnx").files["landmarks"]), "cpu"))


@pytest.fixture
def tracker(registry: Registry) -> OnnxTracker:
    opened = open_tracker("onnx", registry, "cpu")
    assert isinstance(opened, OnnxTracker)
    return opened


@pytest.fixture(scope="module")
def image(single_face: Path) -> Image:
    with open_video(single_face) as video:
        return next(iter(video.frames())).image


def shape_of(points: NDArray[np.floating]) -> NDArray[np.float64]:
    """Distances between four points over the first of them: the same in the image and in any crop of it."""
    first, second, third, fourth = np.asarray(points, np.float64)[..., :2].swapaxes(0, -2)
    lengths = [np.linalg.norm(a - b, axis=-1) for a, b in ((first, second), (third, fourth), (first, fourth))]
    return np.stack(lengths[1:], axis=-1) / lengths[0][..., None]


def test_every_output_has_the_promised_shape(model: LandmarkModel) -> None:
    tiles = np.random.default_rng(0).integers(0, 256, (2, 256, 256, 3), np.uint8)
    assert {name: output.shape for name, output in model.run_tiles(tiles).items()} == {
        name: (2, *shape) for name, shape in OUTPUTS.items()
    }
    assert list(model.run_tiles(tiles, ("map_32",))) == ["map_32"]


def test_maps_are_those_of_the_tile_that_gave_the_landmarks(model: LandmarkModel, image: Image) -> None:
    result = model.run(image, Crop(300.0, 200.0, 280.0, 0.1), ("map_32", "landmarks"))
    assert set(result.maps) == {"map_32", "landmarks"}
    again = model.run_tiles(result.tile[None])
    for name, given in result.maps.items():
        np.testing.assert_array_equal(given, again[name])


def test_a_second_look_sees_the_mirrored_tile(
    registry: Registry, model: LandmarkModel, tracker: OnnxTracker, image: Image
) -> None:
    of_both = open_regressor(registry, "of_both", "cpu")
    assert of_both.maps == ("landmarks",), "the tracker is not asked for the second look"
    tracker.reset(of_both.maps)
    face = tracker.track(image, 0.0)
    assert face is not None
    for shown, tile in ((face, face.tile), (replace(face, maps={}, tile=None), model.run(image, face.crop).tile)):
        assert tile is not None
        both = model.run_tiles(np.stack([tile, tile[:, ::-1]]), ("landmarks",))["landmarks"]
        plain, mirrored = of_both.embed(image, shown).reshape(2, 4, 2) * 256
        np.testing.assert_allclose(plain, both[0, SPOTS, :2], atol=0.01)
        np.testing.assert_allclose(mirrored, both[1, SPOTS, :2], atol=0.01)
        assert np.abs(mirrored[[1, 0, 2, 3]] * [-1, 1] + [255, 0] - plain).max() < 8.0, "the same face, in a mirror"


def test_faces_carry_what_was_asked_for_and_nothing_else(tracker: OnnxTracker, image: Image) -> None:
    for wanted in ((), ("map_64", "map_8")):
        tracker.reset(wanted)
        for time_s in (0.0, 0.04):
            face = tracker.track(image, time_s)
            assert face is not None
            assert tuple(face.maps) == wanted


def test_maps_belong_to_their_frame_with_several_in_work(
    tracker: OnnxTracker, of_maps: Regressor, returning_clip: Path
) -> None:
    """What the stage saw of the face's shape in a frame is the shape of the landmarks of that very frame."""
    take, _ = pipeline.extract(returning_clip, tracker, of_maps)
    found = take.found
    assert found.sum() > 40
    assert not found.all()
    seen = take.embedding[found, 1:].reshape(-1, 4, 2)
    np.testing.assert_allclose(shape_of(seen), shape_of(take.landmarks[found][:, SPOTS]), rtol=0.02)
    assert np.isnan(take.embedding[~found]).all()


def test_results_are_the_same_every_time(tracker: OnnxTracker, of_maps: Regressor, single_face: Path) -> None:
    def embeddings() -> NDArray[np.floating]:
        with open_video(single_face) as video:
            frames = pipeline.analyse(video, tracker, of_maps, pipeline.Range(0, 12))
            return np.stack([frame.embedding for frame in frames])

    np.testing.assert_array_equal(embeddings(), embeddings())


def test_a_stage_runs_the_landmark_graph_itself_for_a_tracker_without_maps(
    of_maps: Regressor, model: LandmarkModel, tracker: OnnxTracker, image: Image
) -> None:
    face = tracker.track(image, 0.0)
    assert face is not None
    assert not face.maps
    own = model.run(image, face.crop, ("map_8", "landmarks")).maps
    wanted = of_maps.embed(image, replace(face, maps=own))
    np.testing.assert_array_equal(of_maps.embed(image, face), wanted)
    np.testing.assert_allclose(wanted[0], own["map_8"].mean(), atol=1e-5)
    np.testing.assert_allclose(wanted[1:].reshape(4, 2) * 256, own["landmarks"][0, SPOTS, :2], atol=1e-3)


class Package:
    """A tracker that gives faces without maps, as the mediapipe package does."""

    name = "package"
    version = "1"

    def __init__(self, tracker: OnnxTracker) -> None:
        self._tracker = tracker

    def reset(self, maps: Sequence[str] = ()) -> None:
        assert maps == ("map_8", "landmarks")
        self._tracker.reset()

    def track(self, image: Image, time_s: float) -> TrackedFace | None:
        return self._tracker.track(image, time_s)


def test_a_pass_works_with_any_tracker(tracker: OnnxTracker, of_maps: Regressor, single_face: Path) -> None:
    with open_video(single_face) as video:
        frames = pipeline.Range(0, 6)
        theirs = [result.embedding for result in pipeline.analyse(video, Package(tracker), of_maps, frames)]
    with open_video(single_face) as video:
        ours = [result.embedding for result in pipeline.analyse(video, tracker, of_maps, frames)]
    np.testing.assert_allclose(np.stack(theirs)[:, 1:], np.stack(ours)[:, 1:], atol=0.1)
    np.testing.assert_allclose(np.stack(theirs)[:, 0], np.stack(ours)[:, 0], rtol=0.1)


@pytest.mark.parametrize(
    "crop",
    [
        Crop(320.0, 180.0, 0.0, 0.0),
        Crop(320.0, 180.0, -5.0, 0.0),
        Crop(float("nan"), 180.0, 100.0, 0.0),
        Crop(2000.0, 180.0, 100.0, 0.0),
        Crop(320.0, -400.0, 100.0, 0.0),
    ],
)
@pytest.mark.parametrize("name", ["two_stage", "of_maps", "mediapipe"])
def test_a_crop_of_nothing_is_an_error(registry: Registry, image: Image, name: str, crop: Crop) -> None:
    face = TrackedFace(np.zeros((478, 3), np.float32), crop, 1.0)
    with pytest.raises(TrackerError, match="shows nothing of a frame of 640x360 px"):
        open_regressor(registry, name, "cpu").embed(image, face)


def test_landmarks_that_are_no_numbers_are_an_error(registry: Registry, image: Image) -> None:
    face = TrackedFace(np.full((478, 3), np.nan, np.float32), Crop(320.0, 180.0, 100.0, 0.0), 1.0)
    with pytest.raises(TrackerError, match="no face to look at"):
        open_regressor(registry, "mediapipe", "cpu").embed(image, face)


def test_an_image_that_is_none_is_an_error(of_maps: Regressor) -> None:
    face = TrackedFace(np.zeros((478, 3), np.float32), Crop(5.0, 5.0, 10.0, 0.0), 1.0)
    for nothing in (np.zeros((0, 0, 3), np.uint8), np.zeros((10, 10, 3), np.float32)):
        with pytest.raises(TrackerError, match="8-bit image"):
            of_maps.embed(nothing, face)  # type: ignore[arg-type]


def test_an_embedding_that_is_no_number_is_an_error(of_maps: Regressor, image: Image) -> None:
    """Neither NaN nor what a take's half floats cannot hold ever reaches a take."""
    crop = Crop(300.0, 200.0, 280.0, 0.0)
    for value in (np.nan, np.inf, 1e6):
        maps = {"map_8": np.full((1, 128, 8, 8), value, np.float32), "landmarks": np.ones((1, 478, 3), np.float32)}
        with pytest.raises(ModelError, match=r"'of_maps' cannot be used.*promises 9 finite numbers"):
            of_maps.embed(image, TrackedFace(np.zeros((478, 3), np.float32), crop, 1.0, maps))


def broken(tmp_path: Path, *changes: tuple[str, str]) -> Registry:
    """The test registry in a folder of its own, changed."""
    for path in FOLDER.glob("*.onnx"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    text = (FOLDER / "registry.toml").read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "registry.toml").write_text(text, encoding="utf-8")
    return Registry((BUNDLED, tmp_path))


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (('"map_8", "landmarks"', '"map_8", "map_4"'), "the landmark graph has no map_4, only landmarks"),
        (('"map_8", "landmarks"', '"map_8", "map_16"'), "reads .* promises map_8, map_16"),
        (('"map_8", "landmarks"', '"map_8"'), "reads map_8, landmarks, its registry entry promises map_8"),
        (('source = "maps", inputs = ["map_8", "landmarks"]', 'source = "landmarks"'), "promises one input"),
        (("embedding_size = 9", "embedding_size = 8"), r"returned \(1, 9\), its registry entry promises 8"),
    ],
)
def test_a_stage_that_does_not_fit_is_named_when_it_is_opened(
    tmp_path: Path, change: tuple[str, str], wanted: str
) -> None:
    registry = broken(tmp_path, change)
    with pytest.raises(ModelError, match=f"Regressor 'of_maps' cannot be used: .*{wanted}"):
        open_regressor(registry, "of_maps", "cpu")
    open_regressor(registry, "two_stage", "cpu")


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (('source = "maps"', 'source = "sound"'), "'source' must be one of crop, maps, landmarks, not sound"),
        ((', inputs = ["map_8", "landmarks"]', ""), "has no 'inputs'"),
        (('["map_8", "landmarks"]', "[]"), "'inputs' must be a list of different names"),
        (('["map_8", "landmarks"]', '["map_8", "map_8"]'), "'inputs' must be a list of different names"),
        (('["map_8", "landmarks"]', '"map_8"'), "'inputs' must be a list of different names"),
        (('"landmarks"], embedding', '"landmarks"], size_px = 8, embedding'), "source 'maps' has no size_px"),
    ],
)
def test_a_malformed_stage_is_named_and_leaves_the_others(tmp_path: Path, change: tuple[str, str], wanted: str) -> None:
    registry = broken(tmp_path, change)
    with pytest.raises(ModelError, match=wanted):
        registry.regressor("of_maps")
    assert registry.regressor("two_stage").name == "two_stage"


def test_tracking_ahead_hands_frames_on_in_order(tracker: OnnxTracker, single_face: Path) -> None:
    with open_video(single_face) as video:
        tracker.reset(("map_8",))
        pairs = list(track_frames(video.frames(0, 7), tracker, 2))
    assert [frame.index for frame, _ in pairs] == list(range(7))
    assert all(face is not None and tuple(face.maps) == ("map_8",) for _, face in pairs)
