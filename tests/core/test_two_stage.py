"""A regressor with an image stage: run once a frame and kept; another neutral runs its head alone."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from au_mocap import calibration, channels, crops, pipeline
from au_mocap.calibration import NeutralSettings, Settings
from au_mocap.errors import ModelError
from au_mocap.registry import BUNDLED, Registry
from au_mocap.regressors import Regressor, features, open_regressor
from au_mocap.take import Take, load, save
from au_mocap.tracking import open_tracker
from au_mocap.video import open_video

FOLDER = Path(__file__).parents[1] / "data" / "two_stage"
LEFT, RIGHT = (channels.INDEX[f"lip_corner_pull_{side}"] for side in "LR")


@pytest.fixture(scope="module")
def two_stage() -> Regressor:
    return open_regressor(Registry((BUNDLED, FOLDER)), "two_stage", "cpu")


@pytest.fixture(scope="module")
def take(two_stage: Regressor, returning_clip: Path) -> Take:
    return pipeline.extract(returning_clip, open_tracker("onnx", Registry(), "cpu"), two_stage)[0]


def test_embedding_is_what_the_image_stage_says_of_the_crop(take: Take, returning_clip: Path) -> None:
    with open_video(returning_clip) as video:
        frame = next(video.frames(7, 8))
    tile = crops.similarity(frame.image, crops.Crop(*(float(number) for number in take.crop[7])), 32)
    np.testing.assert_allclose(take.embedding[7], tile.mean(axis=(1, 2)), atol=1e-3)


def test_lost_frames_have_no_embedding_and_no_values(take: Take) -> None:
    assert not take.found.all()
    assert np.isnan(take.embedding[~take.found]).all()
    assert np.isnan(take.values[~take.found]).all()
    assert np.isfinite(take.embedding[take.found]).all()


def test_values_are_the_heads_with_the_generic_neutral(take: Take) -> None:
    found = take.found
    np.testing.assert_allclose(take.values[found][:, [LEFT, RIGHT]], take.embedding[found, :2], atol=1e-6)


def test_another_neutral_runs_the_head_alone(take: Take, two_stage: Regressor, tmp_path: Path) -> None:
    save(take, tmp_path / "a.take.npz")
    loaded = load(tmp_path / "a.take.npz")
    settings = Settings(neutral=NeutralSettings("frames", (3,)), smoothing="off")
    values = calibration.curves(loaded, settings, two_stage).values
    wanted = np.clip(take.embedding.astype(np.float32) - take.embedding[3].astype(np.float32), 0, 1)[:, :2]
    np.testing.assert_allclose(values[:, [LEFT, RIGHT]], wanted, atol=1e-6)


def test_take_stays_small(take: Take) -> None:
    assert take.embedding.dtype == np.float16
    assert take.embedding.shape == (len(take), 3)


def test_single_frames_and_batches_agree(take: Take, two_stage: Regressor) -> None:
    seen = features(take)
    one = type(seen)(*(getattr(seen, name)[5:6] for name in ("landmarks", "rotation", "embedding")))
    np.testing.assert_array_equal(two_stage.values(one)[0], two_stage.values(seen)[5])


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (("size_px = 32", "size_px = 0"), "'size_px' must be a whole number"),
        ((", embedding_size = 3", ""), "has no 'embedding_size'"),
    ],
)
def test_wrong_entry_is_named_and_leaves_the_others(change: tuple[str, str], wanted: str, tmp_path: Path) -> None:
    text = (FOLDER / "registry.toml").read_text(encoding="utf-8")
    (tmp_path / "registry.toml").write_text(text.replace(*change), encoding="utf-8")
    registry = Registry((BUNDLED, tmp_path))
    with pytest.raises(ModelError, match=wanted):
        registry.regressor("two_stage")
    assert registry.regressor("geometry")


def test_unknown_preprocessor_is_named(tmp_path: Path) -> None:
    for name in ("image.onnx", "head.onnx"):
        (tmp_path / name).write_bytes((FOLDER / name).read_bytes())
    text = (FOLDER / "registry.toml").read_text(encoding="utf-8")
    (tmp_path / "registry.toml").write_text(text.replace('"similarity"', '"polar"'), encoding="utf-8")
    with pytest.raises(ModelError, match="preprocessor 'polar' is none of similarity, grey"):
        open_regressor(Registry((BUNDLED, tmp_path)), "two_stage", "cpu")


def test_embedding_of_another_size_than_promised_is_an_error(tmp_path: Path) -> None:
    for name in ("image.onnx", "head.onnx"):
        (tmp_path / name).write_bytes((FOLDER / name).read_bytes())
    text = (FOLDER / "registry.toml").read_text(encoding="utf-8")
    (tmp_path / "registry.toml").write_text(text.replace("embedding_size = 3", "embedding_size = 4"), encoding="utf-8")
    with pytest.raises(ModelError, match=r"'two_stage' cannot be used: its image stage returned .* promises 4"):
        open_regressor(Registry((BUNDLED, tmp_path)), "two_stage", "cpu")


def test_take_of_another_version_with_embeddings_of_the_same_size_is_told(take: Take, two_stage: Regressor) -> None:
    older = replace(take, meta={**take.meta, "regressor": {"name": "two_stage", "version": "0"}})
    with pytest.raises(ModelError, match=r"made with regressor two_stage 0, here is two_stage 1: analyse .* again"):
        calibration.curves(older, Settings(), two_stage)


def test_take_of_another_version_is_told(take: Take) -> None:
    """An embedding of a size that this regressor's head does not read."""
    other = open_regressor(Registry(), "geometry", "cpu")
    with pytest.raises(ModelError, match=r"'geometry' reads 0 numbers .* the take holds 3.*Analyse the video again"):
        other.values(features(take))
