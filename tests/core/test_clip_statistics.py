"""What is known of a whole clip's pictures: exact at its end, estimated while it runs, and what goes by it."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from au_mocap import framing, pipeline, preprocessors
from au_mocap.clip_statistics import REMEMBERED, Deviation, Pictures
from au_mocap.crops import Crop, Image
from au_mocap.errors import ModelError
from au_mocap.landmarks import canonical_face
from au_mocap.registry import BUNDLED, Registry
from au_mocap.regressors import Regressor, open_regressor
from au_mocap.tracking import TrackedFace, open_tracker
from au_mocap.video import open_video
from tests.core.whole_clips import FOLDER, of_clips

FRAMES = pipeline.Range(0, 24)


def face_at(center_px: tuple[float, float], scale: float, roll_rad: float = 0.0) -> TrackedFace:
    """The canonical face, turned in the picture; its eyes' centres are `63 * scale` mm apart in pixels."""
    points = canonical_face().points * 1000.0 * scale
    cos, sin = np.cos(roll_rad), np.sin(roll_rad)
    turned = points.copy()
    turned[:, 0] = cos * points[:, 0] - sin * points[:, 1]
    turned[:, 1] = sin * points[:, 0] + cos * points[:, 1]
    landmarks = (turned + np.array([*center_px, 0.0])).astype(np.float32)
    return TrackedFace(landmarks, Crop(*center_px, 300.0 * scale, roll_rad), 1.0)


@pytest.fixture(scope="module")
def regressor(tmp_path_factory: pytest.TempPathFactory) -> Regressor:
    return of_clips(tmp_path_factory.mktemp("clips"))


@pytest.fixture
def pictures() -> NDArray[np.float32]:
    rng = np.random.default_rng(0)
    return (rng.integers(0, 256, (12, 1, 8, 8)) / 255).astype(np.float32)


def test_deviation_is_that_of_all_pixels_of_all_pictures(pictures: NDArray[np.float32]) -> None:
    pictures *= np.linspace(0.1, 1.0, len(pictures), dtype=np.float32)[:, None, None, None]
    clip = Deviation()
    values = [clip.add(picture) for picture in pictures]
    assert values[-1] == clip.value == pytest.approx(pictures.std(), rel=1e-5)
    assert values[0] == pytest.approx(pictures[0].std(), rel=1e-5)
    assert clip.pictures == len(pictures)


def test_pictures_that_show_nothing_can_be_divided_by_their_deviation() -> None:
    assert Deviation().value > 0
    assert Deviation().add(np.full((1, 4, 4), 0.7)) > 0


def test_running_estimate_is_exact_at_first_and_follows_the_light_later() -> None:
    rng = np.random.default_rng(1)
    running, whole = Deviation(REMEMBERED), Deviation()
    dim, bright = (contrast * rng.standard_normal((1, 8, 8)) for contrast in (0.1, 0.3))
    for _ in range(REMEMBERED // 2):
        assert running.add(dim) == whole.add(dim)
    for _ in range(4 * REMEMBERED):
        running.add(bright)
        whole.add(bright)
    assert whole.value < 0.97 * bright.std()  # it remembers the dim beginning
    assert running.value == pytest.approx(float(bright.std()), rel=0.01)


def test_kept_pictures_come_back_unchanged(pictures: NDArray[np.float32]) -> None:
    clip = Pictures()
    for picture in pictures:
        clip.add(picture)
    assert len(clip) == len(pictures)
    assert clip.deviation == pytest.approx(pictures.std(), rel=1e-5)
    np.testing.assert_allclose(np.stack(list(clip)), pictures, atol=1e-6)


def test_take_goes_by_the_deviation_of_the_whole_clip(regressor: Regressor, returning_clip: Path) -> None:
    tracker = open_tracker("onnx", Registry(), "cpu")
    take = pipeline.extract(returning_clip, tracker, regressor, pipeline.Extraction(frames=FRAMES))[0]
    assert regressor.stage is not None
    with open_video(returning_clip) as video:
        results = list(pipeline.analyse(video, tracker, regressor, FRAMES))
    shown = [result.picture for result in results]
    found = [picture for picture in shown if picture is not None]
    assert [picture is not None for picture in shown] == take.found.tolist()
    deviation = take.meta["clip"]["deviation"]
    assert deviation == pytest.approx(np.stack(found).std(), rel=1e-4)
    means = np.stack([picture.mean(axis=(1, 2)) for picture in found])
    np.testing.assert_allclose(take.embedding[take.found], means / deviation, rtol=2e-3)
    assert np.isnan(take.embedding[~take.found]).all()


def test_live_the_estimate_runs_along_and_begins_anew_with_a_session(regressor: Regressor) -> None:
    rng = np.random.default_rng(2)
    images: list[Image] = [rng.integers(0, high, (120, 120, 3), np.uint8) for high in (60, 250)]
    face = TrackedFace(face_at((60.0, 60.0), 0.4).landmarks, Crop(60.0, 60.0, 100.0, 0.0), 1.0)
    assert regressor.stage is not None
    pictures = [regressor.stage.picture(image, face) for image in images]
    for _ in range(2):
        regressor.reset()
        first, second = (regressor.embed(image, face) for image in images)
        np.testing.assert_allclose(first, pictures[0].mean(axis=(1, 2)) / pictures[0].std(), rtol=1e-3)
        np.testing.assert_allclose(second, pictures[1].mean(axis=(1, 2)) / np.stack(pictures).std(), rtol=1e-3)


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (("size_px = 32", 'size_px = 32, clip_statistics = "median"'), "'clip_statistics' must be one of deviation"),
        (('label = "Mean colour"', 'label = "x"\ngroup = "best"'), "'group' must be one of standard, advanced"),
        (('label = "Mean colour"', 'label = "x"\nthresholds = { jaw_drop = 0.2 }'), "'jaw_drop' 0.2"),
        (('label = "Mean colour"', 'label = "x"\nthresholds = { lip_corner_pull_L = 1.5 }'), "from 0 to below 1"),
        (('label = "Mean colour"', 'label = "x"\nthresholds = 0.2'), "malformed"),
        (('inputs = ["map_8"', 'clip_statistics = "deviation", inputs = ["map_8"'), "has no clip_statistics"),
    ],
)
def test_wrong_entry_is_told_and_leaves_the_others(change: tuple[str, str], wanted: str, tmp_path: Path) -> None:
    text = (FOLDER / "registry.toml").read_text(encoding="utf-8")
    assert change[0] in text
    (tmp_path / "registry.toml").write_text(text.replace(*change), encoding="utf-8")
    registry = Registry((BUNDLED, tmp_path))
    name = "of_maps" if "map_8" in change[0] else "two_stage"
    with pytest.raises(ModelError, match=re.escape(wanted)):
        registry.regressor(name)
    assert registry.regressor("geometry").group == "standard"


def test_entry_says_group_and_thresholds(tmp_path: Path) -> None:
    text = (FOLDER / "registry.toml").read_text(encoding="utf-8")
    mine = 'label = "x"\ngroup = "advanced"\nthresholds = { lip_corner_pull_L = 0.25 }'
    (tmp_path / "registry.toml").write_text(text.replace('label = "Mean colour"', mine), encoding="utf-8")
    entry = Registry((tmp_path,)).regressor("two_stage")
    assert (entry.group, entry.thresholds) == ("advanced", {"lip_corner_pull_L": 0.25})


def test_regressor_without_a_stage_has_no_clip_to_look_at() -> None:
    geometry = open_regressor(Registry(), "geometry", "cpu")
    geometry.reset()
    assert not geometry.of_whole_clips
    with pytest.raises(ModelError, match="'geometry' cannot be used: it has no image stage"):
        geometry.embed_clip(Pictures())


@pytest.mark.parametrize("roll_deg", [0.0, 20.0, -35.0])
@pytest.mark.parametrize("name", ["level_eyes_grey", "pupils"])
def test_crops_go_by_the_eyes(name: str, roll_deg: float) -> None:
    """The distance of the eyes fills the same share of the crop at any size; one is turned with them, one is not."""
    frame = framing.level_eyes if name == "level_eyes_grey" else framing.pupils
    roll = float(np.radians(roll_deg))
    sides = []
    for scale in (1.0, 2.5):
        face = face_at((200.0, 150.0), scale, roll)
        crop = frame(face.landmarks, face.crop)
        sides.append(crop.side_px / scale)
        assert crop.roll_rad == pytest.approx(roll if name == "level_eyes_grey" else 0.0, abs=0.02)
        down = np.array([-np.sin(crop.roll_rad), np.cos(crop.roll_rad)])
        offset = np.array([crop.center_x_px, crop.center_y_px]) - face.landmarks[[33, 133, 263, 362], :2].mean(axis=0)
        assert 0.15 < float(offset @ down) / crop.side_px < 0.3  # the middle of the face lies below the eyes
    assert sides[0] == pytest.approx(sides[1], rel=1e-4)
    assert 160 < sides[0] < 230  # millimetres: about three distances between the eyes


def test_face_from_the_side_keeps_a_crop_of_a_face() -> None:
    face = face_at((200.0, 150.0), 1.0)
    narrow = replace(face, landmarks=face.landmarks * np.array([0.02, 1.0, 1.0], np.float32))
    for frame in (framing.level_eyes, framing.pupils, framing.template):
        crop = frame(narrow.landmarks, narrow.crop)
        assert crop.side_px >= 0.4 * narrow.crop.side_px


def test_preprocessors_give_what_graphs_read() -> None:
    image = np.random.default_rng(3).integers(0, 256, (240, 320, 3), np.uint8)
    face = face_at((160.0, 110.0), 0.8)
    for name in preprocessors.PREPROCESSORS:
        depth = 1 if name.endswith("grey") else 3
        shown = preprocessors.PREPROCESSORS[name](image, face.landmarks, face.crop, 48)
        assert (shown.shape, shown.dtype) == ((depth, 48, 48), np.float32)
        assert 0.0 <= shown.min() < shown.max() <= 1.0
