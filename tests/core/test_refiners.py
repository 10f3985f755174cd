"""Refiners: the aligned picture, the tables, the registry's word, and fitting against known answers."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from au_mocap.channels import PREDICTED_IDS
from au_mocap.errors import ModelError, SettingsError, TrackerError
from au_mocap.landmarks import canonical_face
from au_mocap.refiners import aligning, basis
from au_mocap.refiners.entry import refiner_entry, refiners
from au_mocap.refiners.fitting import Shown, fit_frames, fit_identity
from au_mocap.refiners.refiner import Refiner, open_refiner
from au_mocap.registry import Registry
from tests.core.refiners import IDENTITIES, SIZE_PX, made_basis, made_refiner

VALUES = len(PREDICTED_IDS)


def face_px(scale: float, turn_rad: float, at: tuple[float, float]) -> np.ndarray:
    """Landmarks of the canonical face in an image, in pixels."""
    points = canonical_face().points.copy() * scale
    cos, sin = np.cos(turn_rad), np.sin(turn_rad)
    points[:, :2] = points[:, :2] @ np.array([[cos, sin], [-sin, cos]]) + at
    return points.astype(np.float32)


@pytest.mark.parametrize(("scale", "turn_rad"), [(600.0, 0.0), (900.0, 0.6), (4000.0, -1.2)])
def test_five_points_come_to_the_base_face(scale: float, turn_rad: float) -> None:
    landmarks = face_px(scale, turn_rad, (300.0, 220.0))
    matrix = aligning.similarity(landmarks)
    moved = aligning.five_points(landmarks) @ matrix[:, :2].T + matrix[:, 2]
    np.testing.assert_allclose(moved, aligning.base_points(), atol=1e-5)


def test_picture_shows_the_points_where_the_base_face_has_them_whatever_the_size() -> None:
    for scale in (700.0, 5600.0):
        landmarks = face_px(scale, 0.3, (400.0, 300.0))
        image = np.zeros((700, 900, 3), np.uint8)
        eye = aligning.five_points(landmarks)[0]
        cv2.circle(image, (round(float(eye[0])), round(float(eye[1]))), round(scale * 0.008), (255, 255, 255), -1)
        shown = aligning.picture(image, landmarks, 64)[..., 0].astype(float)
        grid = (np.arange(64) + 0.5) / 64
        center = [(shown.sum(axis=axis) * grid).sum() / shown.sum() for axis in (0, 1)]
        np.testing.assert_allclose(center, aligning.base_points()[0], atol=0.012)


def test_face_in_one_place_or_nowhere_is_told() -> None:
    for landmarks in (np.full((478, 3), 7.0, np.float32), np.full((478, 3), np.nan, np.float32)):
        with pytest.raises(TrackerError, match="no face to look at"):
            aligning.picture(np.zeros((9, 9, 3), np.uint8), landmarks, 8)


def test_identity_is_the_nearest_face_of_the_subspace() -> None:
    tables = made_basis()
    identity = np.array([0.2, 0.5, 0.9], np.float32)
    face = tables.neutral_of(identity)
    np.testing.assert_allclose(tables.identity_of(face), identity, atol=1e-4)
    np.testing.assert_allclose(tables.identity_of(tables.mean), 0.5, atol=1e-5)
    assert tables.identity_of(face + 100.0 * tables.components[0]).max() == 1.0


def test_colours_of_patches_are_those_of_the_picture() -> None:
    picture = np.zeros((1, 3, SIZE_PX, SIZE_PX), np.float32)
    picture[0, 1] = 0.7
    assert made_basis().appearance_of(picture)[0] == pytest.approx([0.0, 0.7, 0.0] * 4, abs=1e-5)


def test_basis_comes_back_from_its_file(tmp_path: Path) -> None:
    tables = made_basis(anchor=np.float32(0.25))
    basis.save(tables, tmp_path / "basis.npz")
    back = basis.load(tmp_path / "basis.npz", SIZE_PX, VALUES)
    assert float(back.anchor) == 0.25
    np.testing.assert_allclose(back.components, tables.components, atol=1e-3)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rates": np.ones(3, np.float32)}, "'rates'"),
        ({"rates": np.full(basis.POSES + VALUES + IDENTITIES, -1.0, np.float32)}, "'rates'"),
        ({"mean": np.full((478, 3), np.nan, np.float32)}, "'mean'"),
        ({"patches": np.zeros((4, 5, 5), np.float32)}, "'patches'"),
        ({"step": np.ones(2, np.float32)}, "'step'"),
        ({"deviations": np.ones((2, 2), np.float32)}, "'components'"),
    ],
)
def test_basis_that_does_not_fit_is_told(changes: dict[str, np.ndarray], said: str, tmp_path: Path) -> None:
    basis.save(made_basis(**changes), tmp_path / "basis.npz")
    with pytest.raises(ModelError, match=f"does not fit its refiner: its {said}"):
        basis.load(tmp_path / "basis.npz", SIZE_PX, VALUES)


def test_file_that_is_no_basis_is_told(tmp_path: Path) -> None:
    (tmp_path / "text.npz").write_text("no archive")
    np.savez(tmp_path / "other.npz", mean=np.zeros(3))
    for name in ("text.npz", "other.npz", "missing.npz"):
        with pytest.raises(ModelError, match="no refiner's basis"):
            basis.load(tmp_path / name, SIZE_PX, VALUES)


ROW = """version = 1
[[refiner]]
name = "own"
version = "1"
label = "Own"
description = "Mine"
licence = "CC0-1.0"
training_data = "none"
channels = ["jaw_drop", "eye_close_L"]
size_px = 64
features = { file = "a.onnx", sha256 = "00" }
step = { file = "b.onnx", sha256 = "00" }
render = { file = "c.onnx", sha256 = "00" }
basis = { file = "d.npz", sha256 = "00" }
"""


def folder_of(tmp_path: Path, text: str) -> Registry:
    (tmp_path / "registry.toml").write_text(text, encoding="utf-8")
    return Registry((tmp_path,))


def test_registry_names_refiners(tmp_path: Path) -> None:
    registry = folder_of(tmp_path, ROW)
    (entry,) = refiners(registry)
    assert (entry.name, entry.channels, entry.size_px) == ("own", ("jaw_drop", "eye_close_L"), 64)
    assert [each.file for each in entry.files] == ["a.onnx", "b.onnx", "c.onnx", "d.npz"]
    assert refiner_entry(registry) == refiner_entry(registry, "own") == entry
    with pytest.raises(ModelError, match=r"There is no refiner 'other'\. Choose one of: own"):
        refiner_entry(registry, "other")
    with pytest.raises(ModelError, match=r"Refiner 'own' cannot be used: .*d\.npz cannot be read"):
        open_refiner(registry)
    with pytest.raises(ModelError, match="No refiner is installed: name a model folder"):
        refiner_entry(Registry())


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('label = "Own"\n', "", "has no 'label'"),
        ('label = "Own"', "label = 3", "'label' must be a text"),
        ("size_px = 64", "size_px = true", "'size_px' must be a whole number from 4 to 256"),
        ("size_px = 64", "size_px = 9999", "'size_px' must be a whole number"),
        ('"jaw_drop"', '"jaw"', "not jaw"),
        ('"jaw_drop"', '"eye_close"', "no means of two sides, not eye_close"),
        ('"jaw_drop"', '"eye_close_L"', "different ids"),
        ('file = "a.onnx"', 'file = "../a.onnx"', "must lie inside the model folder"),
        ('file = "a.onnx", ', "", "a file of a refiner has file and sha256"),
        ("size_px = 64", "size_px = 64\nspeed = 2", "a refiner has no speed"),
    ],
)
def test_wrong_entry_is_told_when_it_is_asked_for(old: str, new: str, said: str, tmp_path: Path) -> None:
    registry = folder_of(tmp_path, ROW.replace(old, new))
    assert refiners(registry) == ()
    with pytest.raises(ModelError) as caught:
        refiner_entry(registry, "own")
    assert said in str(caught.value)
    assert "own" in str(caught.value)


def shown_of(refiner: Refiner, truth: np.ndarray, start: np.ndarray, identity: np.ndarray) -> Shown:
    """Frames whose pictures are renderings of the truth."""
    count = len(truth)
    appearance = np.full((count, refiner.basis.appearances), 0.4, np.float32)
    parameters = np.concatenate([truth, np.tile(identity, (count, 1)), appearance], axis=1)
    return Shown(
        pose=start[:, : basis.POSES].astype(np.float32),
        values=start[:, basis.POSES :].astype(np.float32),
        appearance=appearance,
        features=refiner.features(refiner.render(parameters)),
        tied=np.arange(count) > 0,
    )


def frames(count: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """(N, 2 + P) truth, and a noisy start."""
    random = np.random.default_rng(1)
    truth = random.uniform(0.2, 0.8, (count, basis.POSES + VALUES)).astype(np.float32)
    return truth, np.clip(truth + random.normal(0, 0.1, truth.shape), 0, 1).astype(np.float32)


IDENTITY = np.array([0.3, 0.6, 0.5], np.float32)


def test_fitting_finds_what_was_rendered() -> None:
    refiner = made_refiner()
    truth, start = frames()
    fitted = fit_frames(refiner, shown_of(refiner, truth, start, IDENTITY), IDENTITY, steps=12)
    np.testing.assert_allclose(fitted.parameters, truth, atol=2e-3)
    assert (fitted.after < 0.01 * fitted.before).all()


def test_anchor_holds_the_start() -> None:
    refiner = made_refiner(anchor=np.float32(1e6))
    truth, start = frames()
    fitted = fit_frames(refiner, shown_of(refiner, truth, start, IDENTITY), IDENTITY, steps=5)
    np.testing.assert_allclose(fitted.parameters, start, atol=1e-3)


def test_steadiness_brings_tied_frames_together_and_no_others() -> None:
    refiner = made_refiner(steadiness=np.float32(1e4))
    truth, start = frames(4)
    shown = shown_of(refiner, truth, start, IDENTITY)
    shown = replace(shown, tied=np.array([True, True, False, True]))
    found = fit_frames(refiner, shown, IDENTITY, steps=8).parameters
    assert np.abs(found[0] - found[1]).max() < 0.01
    assert np.abs(found[2] - found[3]).max() < 0.01
    assert np.abs(found[1] - found[2]).max() > 0.1
    last = np.full(basis.POSES + VALUES, 0.5, np.float32)
    held = fit_frames(refiner, shown, IDENTITY, steps=8, last=last).parameters
    assert np.abs(held[1] - 0.5).max() < 0.01
    np.testing.assert_allclose(held[2:], found[2:], atol=1e-6)


def test_values_stay_within_their_range() -> None:
    refiner = made_refiner(step=np.float32(50.0))
    truth, start = frames(2)
    found = fit_frames(refiner, shown_of(refiner, truth, start, IDENTITY), IDENTITY, steps=3).parameters
    assert found.min() >= 0.0
    assert found.max() <= 1.0


def test_identity_is_solved_from_all_frames_together() -> None:
    refiner = made_refiner()
    truth, _ = frames()
    shown = shown_of(refiner, truth, truth, IDENTITY)
    found = fit_identity(refiner, shown, np.full(IDENTITIES, 0.5, np.float32))
    np.testing.assert_allclose(found, IDENTITY, atol=0.02)


def test_steps_that_cannot_be_and_a_broken_graph_are_told() -> None:
    truth, start = frames(2)
    refiner = made_refiner()
    with pytest.raises(SettingsError, match="in 1 to 1000 steps, not 0"):
        fit_frames(refiner, shown_of(refiner, truth, start, IDENTITY), IDENTITY, steps=0)
    broken = made_refiner(broken=True)
    with pytest.raises(ModelError, match="Refiner 'linear' cannot be used: its step graph returned values that are no"):
        fit_frames(broken, shown_of(broken, truth, start, IDENTITY), IDENTITY, steps=1)
