"""Regressors: what they see, what they promise, and graphs that do not fit."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from au_mocap import channels, regressors
from au_mocap.errors import ModelError
from au_mocap.landmarks import canonical_face
from au_mocap.registry import BUNDLED, Registry
from au_mocap.regressors import Features, Neutral, Regressor, features, features_of, in_image_axes, open_regressor
from au_mocap.rotations import from_angles
from au_mocap.sessions import Session
from au_mocap.take import Take
from tests.core.test_registry import entry


def some(seen: Features, rows: slice | np.ndarray) -> Features:
    return Features(seen.landmarks[rows], seen.rotation[rows], seen.embedding[rows])


def test_bundled_regressor_opens(regressor: Regressor) -> None:
    assert regressor.entry.name == "geometry"
    assert regressor.embedding_size == 0
    assert regressor.providers == ("CPUExecutionProvider",)


def test_values_are_the_whole_vocabulary(regressor: Regressor, single_face_take: Take) -> None:
    values = regressor.values(features(single_face_take))
    assert values.shape == (72, 58)
    assert values.dtype == np.float32
    assert values.min() >= 0.0
    assert values.max() <= 1.0
    for mean, (left, right) in channels.SIDES_OF.items():
        columns = [channels.INDEX[channel_id] for channel_id in (mean, left, right)]
        np.testing.assert_allclose(values[:, columns[0]], values[:, columns[1:]].mean(axis=1), atol=1e-6)


def test_smile_at_the_end_is_above_the_beginning(regressor: Regressor, single_face_take: Take) -> None:
    values = regressor.values(features(single_face_take))
    for channel_id in ("lip_corner_pull_L", "lip_corner_pull_R"):
        curve = values[:, channels.INDEX[channel_id]]
        assert curve[-20:].mean() > curve[:12].mean() + 0.3


def test_frames_are_judged_one_by_one(
    regressor: Regressor, single_face_take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the company of other frames nor the size of the chunks changes a value."""
    seen = features(single_face_take)
    whole = regressor.values(seen)
    np.testing.assert_allclose(regressor.values(some(seen, slice(50, 51))), whole[50:51], atol=1e-5)
    np.testing.assert_allclose(regressor.values(some(seen, slice(None, None, -1))), whole[::-1], atol=1e-5)
    monkeypatch.setattr(regressors, "_CHUNK", 7)
    np.testing.assert_allclose(regressor.values(seen), whole, atol=1e-5)


class Failing:
    """A head that fails from its third call on."""

    def __init__(self, head: Session) -> None:
        self._head = head
        self._calls = count(1)
        self.providers, self.input_names, self.output_names = head.providers, head.input_names, head.output_names

    def run(self, feeds: Mapping[str, Any], wanted: Sequence[str] | None = None) -> list[Any]:
        outputs = self._head.run(feeds, wanted)
        return outputs if next(self._calls) < 3 else [np.full_like(output, np.nan) for output in outputs]


def test_failure_in_a_later_chunk_is_told(
    regressor: Regressor, single_face_take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(regressors, "_CHUNK", 7)
    failing = Regressor(regressor.entry, Failing(regressor.head))
    with pytest.raises(ModelError, match="Regressor 'geometry' cannot be used: its head returned values that are no"):
        failing.values(features(single_face_take))


def test_faceless_frames_are_empty_and_change_nothing(regressor: Regressor, single_face_take: Take) -> None:
    seen = features(single_face_take)
    holed = some(seen, np.arange(72))
    holed.landmarks[10:20] = np.nan
    values = regressor.values(holed)
    assert np.isnan(values[10:20]).all()
    rest = [*range(10), *range(20, 72)]
    np.testing.assert_allclose(values[rest], regressor.values(seen)[rest], atol=1e-5)
    nothing = features_of(np.full((3, 478, 3), np.nan), np.zeros((3, 0)))
    assert np.isnan(regressor.values(nothing)).all()


def test_untrusted_neutral_has_no_say(regressor: Regressor, single_face_take: Take) -> None:
    seen = features(single_face_take)
    noise = np.random.default_rng(1).normal(size=(478, 3)).astype(np.float32)
    untrusted = Neutral(noise, np.zeros((478, 1), np.float32), np.zeros(0, np.float32))
    np.testing.assert_allclose(regressor.values(seen, untrusted), regressor.values(seen), atol=1e-5)


def test_own_face_as_neutral_is_rest(regressor: Regressor, single_face_take: Take) -> None:
    seen = some(features(single_face_take), slice(60, 61))
    own = Neutral(seen.landmarks[0], np.ones((478, 1), np.float32), np.zeros(0, np.float32))
    assert regressor.values(seen, own).mean() < 0.3 * regressor.values(seen).mean()


def test_crop_axes_turn_back_to_the_image() -> None:
    """A crop rolled clockwise by a quarter turn has its x axis pointing down in the image."""
    points = np.array([[[1.0, 0.0, 0.5], [0.0, 1.0, 0.0]]], np.float16)
    turned = in_image_axes(points, np.array([np.pi / 2], np.float32))
    np.testing.assert_allclose(turned, [[[0.0, 1.0, 0.5], [-1.0, 0.0, 0.0]]], atol=1e-6)


def test_features_do_not_depend_on_place_size_or_turn_of_the_head() -> None:
    face = canonical_face().points[None]
    angles = np.array([[0.4, -0.2, 0.3]])
    moved = 250.0 * np.einsum("tij,tnj->tni", from_angles(angles), face) + [320.0, 180.0, 50.0]
    straight, turned = features_of(face, np.zeros((1, 0))), features_of(moved, np.zeros((1, 0)))
    np.testing.assert_allclose(turned.landmarks, straight.landmarks, atol=1e-4)
    np.testing.assert_allclose(turned.rotation, angles, atol=1e-5)
    np.testing.assert_allclose(straight.rotation, 0.0, atol=1e-6)


def test_roll_of_the_crop_is_part_of_the_rotation(single_face_take: Take) -> None:
    """The same landmarks in a crop that is rolled the other way are another rotation of the same face."""
    rolled = replace(single_face_take, crop=single_face_take.crop + np.array([0, 0, 0, 0.3], np.float32))
    seen, turned = features(single_face_take), features(rolled)
    np.testing.assert_allclose(turned.landmarks, seen.landmarks, atol=2e-3)
    np.testing.assert_allclose(turned.rotation[:, 2] - seen.rotation[:, 2], 0.3, atol=0.02)


def user_registry(tmp_path: Path, graph: str, text: str) -> Registry:
    """A registry whose regressor `mine` runs a bundled graph."""
    shutil.copy(BUNDLED / graph, tmp_path / "head.onnx")
    sha256 = next(
        model_file.sha256
        for model_file in (Registry().regressor("geometry").head, *Registry().tracker("onnx").files.values())
        if model_file.file == graph
    )
    (tmp_path / "registry.toml").write_text("version = 1\n" + text.replace("SHA256", sha256), encoding="utf-8")
    return Registry((BUNDLED, tmp_path))


def test_regressor_of_a_user_folder_runs(tmp_path: Path, regressor: Regressor, single_face_take: Take) -> None:
    ids = '", "'.join(regressor.entry.channels)
    text = entry(sha256="SHA256").replace('["jaw_drop"]', f'["{ids}"]')
    mine = open_regressor(user_registry(tmp_path, "geometry.onnx", text), "mine", "cpu")
    seen = features(single_face_take)
    np.testing.assert_array_equal(mine.values(seen), regressor.values(seen))


def test_head_with_other_channels_than_promised(tmp_path: Path) -> None:
    registry = user_registry(tmp_path, "geometry.onnx", entry(sha256="SHA256"))
    with pytest.raises(ModelError, match=r"'mine' cannot be used: its head returned \(1, 54\).* promises 1 channels"):
        open_regressor(registry, "mine", "cpu")


def test_graph_that_is_no_head(tmp_path: Path) -> None:
    registry = user_registry(tmp_path, "face_blendshapes.onnx", entry(sha256="SHA256"))
    with pytest.raises(ModelError, match="'mine' cannot be used: it does not fit this AU Mocap"):
        open_regressor(registry, "mine", "cpu")


def test_head_without_the_inputs_of_its_image_stage(tmp_path: Path) -> None:
    stage = 'preprocessor = "similarity", size_px = 64, embedding_size = 8'
    text = entry(sha256="SHA256") + f'image = {{ file = "head.onnx", sha256 = "SHA256", {stage} }}\n'
    with pytest.raises(ModelError, match=r"its head's inputs differ: embedding, neutral_embedding"):
        open_regressor(user_registry(tmp_path, "geometry.onnx", text), "mine", "cpu")


def test_damaged_regressor_is_named(tmp_path: Path) -> None:
    registry = user_registry(tmp_path, "geometry.onnx", entry(sha256="SHA256"))
    with (tmp_path / "head.onnx").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(ModelError, match=r"head\.onnx is damaged: its sha256"):
        open_regressor(registry, "mine", "cpu")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"abc", r"head\.onnx cannot be loaded"),
        (b"", r"head\.onnx is damaged"),
        (None, r"head\.onnx cannot be read"),
    ],
)
def test_regressor_that_does_not_load_is_named_and_leaves_the_others(
    tmp_path: Path, content: bytes | None, problem: str
) -> None:
    (tmp_path / "registry.toml").write_text("version = 1\n" + entry(), encoding="utf-8")  # the checksum of `abc`
    if content is not None:
        (tmp_path / "head.onnx").write_bytes(content)
    registry = Registry((BUNDLED, tmp_path))
    with pytest.raises(ModelError, match=f"Regressor 'mine' cannot be used: .*{problem}"):
        open_regressor(registry, "mine", "cpu")
    assert open_regressor(registry, "geometry", "cpu").entry.name == "geometry"


@pytest.mark.parametrize("name", [entry.name for entry in Registry().regressors])
def test_frames_without_a_face_give_no_values(name: str, single_face_take: Take) -> None:
    """NaN in, NaN out, and nowhere else: whatever the head would make of it."""
    regressor = open_regressor(Registry(), name, "cpu")
    seen = features(single_face_take)
    embedding = np.zeros((len(single_face_take), regressor.embedding_size), np.float32)
    holed = replace(seen, landmarks=seen.landmarks.copy(), embedding=embedding)
    holed.landmarks[3, 17, 1] = np.nan
    if regressor.embedding_size:
        holed.embedding[5, 0] = np.nan
    values = regressor.values(holed)
    lost = np.isnan(values).any(axis=1)
    assert np.flatnonzero(lost).tolist() == ([3, 5] if regressor.embedding_size else [3])
    assert np.isnan(values[lost]).all()
    assert values[~lost].min() >= 0
    assert values[~lost].max() <= 1


def test_unknown_regressor() -> None:
    with pytest.raises(ModelError, match="no regressor 'appearance'"):
        open_regressor(Registry(), "appearance")
