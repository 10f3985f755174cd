"""The expression generator: what its losses measure, that it learns and goes on, and what it leaves in a folder."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs the 'train' extra: `python make.py env train` installs it")
pytest.importorskip("moderngl", reason="films need the 'train' extra")

import torch

from au_mocap.channels import PREDICTED_IDS
from tests.training.filmed import film_clip
from training import packages
from training.papers import data, frechet
from training.papers.__main__ import main
from training.papers.data import Look
from training.papers.system import Order
from training.papers.translator import estimator, grid, losses, making, resampling
from training.papers.translator.album import Album, joined, of, to_colours
from training.papers.translator.course import Course, Training
from training.papers.translator.likeness import measure
from training.papers.translator.network import Critic, Generator
from training.papers.translator.settings import Settings, TranslatorError, Weights
from training.papers.translator.translator import Translator, open_translator

TINY = Settings(
    Look("pupils", 16),
    8,
    1,
    8,
    critic_steps=1,
    batch=8,
    rate=6e-3,
    weights=Weights(expression=20.0, idiosyncratic=100.0),
)
JAW = PREDICTED_IDS.index("jaw_drop")
RIGHT_EYE = PREDICTED_IDS.index("eye_close_R")
PEOPLE, EACH = 6, 8


@pytest.fixture(scope="module")
def album() -> Album:
    """Grey squares, everybody's own grey: the lower half brightens as the jaw drops."""
    rng = np.random.default_rng(0)
    values = np.zeros((PEOPLE * EACH, len(PREDICTED_IDS)), np.float32)
    values[:, JAW] = rng.random(len(values))
    values[::EACH] = 0.0
    person = np.repeat(np.arange(PEOPLE), EACH)
    pictures = np.repeat(40 + 8 * person, 3 * 16 * 16).reshape(-1, 3, 16, 16)
    pictures[:, :, 8:] += (120 * values[:, JAW]).astype(int)[:, None, None, None]
    return Album(pictures.astype(np.uint8), values, person, np.tile(np.eye(3, dtype=np.float32), (len(values), 1, 1)))


@pytest.fixture(scope="module")
def trained(album: Album, tmp_path_factory: pytest.TempPathFactory) -> Translator:
    training = Training(TINY, 1, tmp_path_factory.mktemp("runs") / "tiny.pt")
    assert training.run(album, Course(steps=60, seed=1)) == ""
    return Translator(TINY, training.generator)


def test_translator_learns_what_an_action_looks_like(trained: Translator, album: Album) -> None:
    sources = np.flatnonzero(album.neutral)
    wanted = np.zeros((len(sources), len(PREDICTED_IDS)), np.float32)
    lower = [trained.translate(album.pictures[sources], wanted)[:, :, 8:].mean()]
    wanted[:, JAW] = 1.0
    made = trained.translate(album.pictures[sources], wanted)
    lower.append(made[:, :, 8:].mean())
    assert lower[1] - lower[0] > 25
    off = np.abs(made[:, :, :8].mean(axis=(1, 2, 3)) - album.pictures[sources, :, :8].mean(axis=(1, 2, 3)))
    assert off.max() < 40


def test_interrupted_training_goes_on_as_if_it_had_not_been(album: Album, tmp_path: Path) -> None:
    whole = Training(TINY, 3, tmp_path / "whole.pt")
    whole.run(album, Course(4, 3))
    Training(TINY, 3, tmp_path / "part.pt").run(album, Course(2, 3))
    rest = Training(TINY, 3, tmp_path / "part.pt")
    assert rest.done == 2
    rest.run(album, Course(4, 3))
    assert not list(tmp_path.glob("*.part"))
    for own, other in zip(whole.generator.parameters(), rest.generator.parameters(), strict=True):
        assert torch.allclose(own, other, atol=1e-5)
    late = Course(9, 3, deadline_s=0.0)
    assert rest.run(album, late) == "4 of 9 steps were trained, then the time was up"


@pytest.mark.parametrize("content", [b"nothing", None])
def test_checkpoint_that_cannot_be_taken_up_is_told(content: bytes | None, album: Album, tmp_path: Path) -> None:
    path = tmp_path / "kept.pt"
    if content is None:
        Training(replace(TINY, width=4), 1, path).run(album, Course(1, 1))
    else:
        path.write_bytes(content)
    with pytest.raises(TranslatorError, match=r"kept\.pt cannot be taken up .*: delete it to begin anew"):
        Training(TINY, 1, path)


def test_translation_keeps_what_it_does_not_paint() -> None:
    torch.manual_seed(0)
    generator = Generator(TINY)
    pictures, values = torch.rand(2, 3, 16, 16) * 2 - 1, torch.rand(2, len(PREDICTED_IDS))
    colour, kept = generator.painted(pictures, values)
    assert torch.allclose(generator(pictures, values), kept * pictures + (1 - kept) * colour)
    assert float(generator(pictures, values).detach().abs().max()) <= 1.0
    bias = generator.last.bias
    assert bias is not None
    with torch.no_grad():
        bias[3] = 100.0
        assert torch.equal(generator(pictures, values), pictures)
        bias[3] = -100.0
        assert not torch.equal(generator(pictures, values), generator(pictures, 1 - values))


class _Sloped(Critic):
    """Scores by the sum of all pixels, with a slope of one's choice."""

    slope = 1.0

    def forward(self, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.slope * pictures.flatten(1).sum(dim=1), pictures.new_zeros(len(pictures), len(PREDICTED_IDS))


@pytest.mark.parametrize(("length", "wanted"), [(1.0, 0.0), (3.0, 4.0)])
def test_penalty_is_the_squared_distance_of_the_slope_from_one(length: float, wanted: float) -> None:
    critic = _Sloped(TINY)
    critic.slope = length / (3 * 16 * 16) ** 0.5
    real, made = torch.rand(2, 2, 3, 16, 16)
    assert float(losses.penalty(critic, real, made, torch.tensor([0.2, 0.7]))) == pytest.approx(wanted, abs=1e-4)


def test_losses_are_those_of_the_paper() -> None:
    ones, zeros = torch.ones(2, 3, 4, 4), torch.zeros(2, 3, 4, 4)
    assert float(losses.difference(torch.tensor([1.0, 3.0]), torch.tensor([0.0, 1.0]))) == -1.5
    assert float(losses.expression(torch.tensor([[0.0, 1.0]]), torch.tensor([[0.0, 0.5]]))) == 0.125
    assert float(losses.identity(ones, zeros)) == 1.0
    made = torch.stack([ones[0], 3 * ones[0]])
    for same, wanted in (([True, False], 1.0), ([True, True], 2.0), ([False, False], 0.0)):
        assert float(losses.idiosyncratic(made, zeros, torch.tensor(same))) == wanted


def test_batch_pairs_people_with_themselves_and_mirrors_pictures_with_their_values() -> None:
    count = 8
    values = np.zeros((count, len(PREDICTED_IDS)), np.float32)
    values[:, RIGHT_EYE] = np.linspace(0.2, 0.9, count)
    pictures = np.zeros((count, 3, 16, 16), np.uint8)
    pictures[:, :, :, :8] = (20 * np.arange(1, count + 1))[:, None, None, None]
    rotation = np.tile(np.eye(3, dtype=np.float32), (count, 1, 1))
    turned = np.float32(np.radians(18.0))
    rotation[3, :2, :2] = [[np.cos(turned), -np.sin(turned)], [np.sin(turned), np.cos(turned)]]
    album = Album(pictures, values, np.repeat([4, 9], count // 2), rotation)
    batch = album.batch(200, np.random.default_rng(1))
    rows = batch.source.amax(dim=(1, 2, 3)), batch.own.amax(dim=(1, 2, 3))
    source, own = (((1 + each) * 127.5 / 20 - 1).round().int().numpy() for each in rows)
    same = batch.same.numpy()
    assert 60 < same.sum() < 140
    assert (source[same] // 4 == own[same] // 4).all()
    assert (source[same] != own[same]).all()
    assert not np.isin(source[same], 3).any(), "a head that is turned otherwise than the others has nobody beside it"
    flipped = batch.source[:, 0, 0, 0].numpy() == -1.0
    assert 60 < flipped.sum() < 140
    left = PREDICTED_IDS.index("eye_close_L")
    for row in range(200):
        closed = left if flipped[row] else RIGHT_EYE
        assert batch.shown[row, closed] == values[source[row], RIGHT_EYE]
        off = abs(float(batch.wanted[row, closed]) - values[own[row], RIGHT_EYE])
        assert off == 0.0 if same[row] else off <= 0.1


def test_rare_levels_are_made_as_frequent_as_common_ones() -> None:
    known = np.array([0] * 50 + [1] * 9 + [5])
    rng = np.random.default_rng(0)
    assert np.bincount(known[resampling.real(known, 12, rng)]).tolist() == [12, 12, 0, 0, 0, 12]
    chosen = resampling.pairs(known, 12, rng)
    assert (known[chosen.sources] == 0).all()
    assert np.array_equal(chosen.levels, known[chosen.targets])
    with pytest.raises(TranslatorError, match="give pictures of neutral faces"):
        resampling.pairs(known[50:], 2, rng)


def test_head_reads_the_levels_that_it_was_taught() -> None:
    rng = np.random.default_rng(0)
    levels = rng.integers(0, 6, 400)
    features = np.concatenate([np.eye(6)[levels], rng.normal(0, 0.1, (400, 4))], axis=1).astype(np.float32)
    head = estimator.Head(estimator.Rows(features[:300], levels[:300]), seed=1)
    said = head.read(features[300:])
    assert np.corrcoef(said, levels[300:])[0, 1] > 0.95
    assert 0.0 <= said.min() <= said.max() <= 1.0


def test_distance_is_that_of_normal_distributions() -> None:
    rng = np.random.default_rng(0)
    raw = rng.normal(size=(50, 2))
    raw -= raw.mean(axis=0)
    white = raw @ np.linalg.inv(np.linalg.cholesky(np.cov(raw, rowvar=False))).T
    first = white * [1.0, 3.0] + [1.0, 2.0]
    assert frechet.distance(first, white * [2.0, 5.0] + [4.0, 6.0]) == pytest.approx(1.0 + 4.0 + 25.0)
    mixed = np.array([[2.0, 0.0], [1.5, 0.5]])
    product = np.diag([1.0, 9.0]) @ mixed @ mixed.T
    shared = np.sqrt(np.trace(product) + 2.0 * np.sqrt(np.linalg.det(product)))
    wanted = 10.0 + np.trace(mixed @ mixed.T) - 2.0 * shared
    assert frechet.distance(first, white @ mixed.T + [1.0, 2.0]) == pytest.approx(wanted)
    assert frechet.distance(first, first) == pytest.approx(0.0, abs=1e-9)
    wide, other = (np.pad(each[:9], ((0, 0), (0, 40))) for each in (first, white @ mixed.T))
    assert frechet.distance(wide, other) == pytest.approx(frechet.distance(first[:9], (white @ mixed.T)[:9]))


@pytest.mark.parametrize(("one", "other"), [((1, 4), (5, 4)), ((5, 4), (5, 3))])
def test_sets_without_a_distance_are_told(one: tuple[int, int], other: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="have no distance: give at least 2 rows of one width"):
        frechet.distance(np.zeros(one), np.zeros(other))


def test_file_gives_the_same_translator(trained: Translator, album: Album, tmp_path: Path) -> None:
    trained.save(tmp_path / "translator.pt")
    again = open_translator(tmp_path / "translator.pt")
    assert again.settings == TINY
    wanted = (album.pictures[:3], album.values[5:8])
    assert np.array_equal(again.translate(*wanted), trained.translate(*wanted))
    assert again.translate(album.pictures[:0], album.values[:0]).shape == (0, 3, 16, 16)
    kept = torch.load(tmp_path / "translator.pt", weights_only=True)
    for change in ({"channels": ["jaw_drop"]}, {"generator": {}}, {"settings": {"width": 3}}):
        torch.save(kept | change, tmp_path / "other.pt")
        with pytest.raises(TranslatorError, match=r"make\.py train papers translator"):
            open_translator(tmp_path / "other.pt")
    (tmp_path / "other.pt").write_bytes(b"nothing")
    for name in ("other.pt", "missing.pt"):
        with pytest.raises(TranslatorError, match=r"make\.py train papers translator"):
            open_translator(tmp_path / name)


def test_pictures_and_values_that_do_not_fit_are_told(trained: Translator, album: Album) -> None:
    with pytest.raises(TranslatorError, match=r"cannot be translated: give \(\(2, 3, 16, 16\), \(2, 54\)\)"):
        trained.translate(album.pictures[:2, :, :8], album.values[:2])
    with pytest.raises(TranslatorError, match="cannot be translated"):
        trained.translate(album.pictures[:2], album.values[:1])
    for wrong in (1.5, -0.1, np.nan):
        with pytest.raises(TranslatorError, match="lie between 0 and 1: clip them first"):
            trained.translate(album.pictures[:1], np.full((1, len(PREDICTED_IDS)), wrong, np.float32))


@pytest.fixture(scope="module")
def eye() -> Iterator[frechet.Eye]:
    """An eye that is shown smaller pictures than usual."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(frechet, "SIDE_PX", 32)
        try:
            yield frechet.Eye()
        except packages.PackageError as error:
            pytest.skip(str(error))


def test_everything_is_made_from_films(
    eye: frechet.Eye, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    films = film_clip(tmp_path / "films", {"training": 2, "validation": 1, "test": 1})
    casts = {name: data.load(paths) for name, paths in films.items()}
    for cast in casts.values():
        cast.frames.values[: len(cast) // 4] = 0.0
    monkeypatch.setattr(estimator, "_STEPS", 3)
    order = Order(casts=casts, checkpoints=tmp_path / "runs", epochs=1)
    commission = making.Commission(replace(TINY, batch=24), tmp_path / "docs" / "sheet.jpg", each=1)
    making.make(order, commission, tmp_path)
    assert "translator: Fréchet distance" in capsys.readouterr().err
    translator = open_translator(tmp_path / "translator.pt")
    shown = of(casts["test"], translator.settings.look)
    assert translator.translate(shown.pictures[:2], shown.values[:2]).shape == (2, 3, 16, 16)
    card = " ".join((tmp_path / "TRANSLATOR.md").read_text(encoding="utf-8").split())
    assert "48 pictures of 2 synthetic performers" in card
    assert "2 steps of 24 pictures" in card
    assert "Not FID" in card
    assert card.count("| jaw_drop |") == 1
    assert 1000 < commission.sheet.stat().st_size <= 300_000


def test_likeness_of_renders_themselves_is_nearest(eye: frechet.Eye, trained: Translator, album: Album) -> None:
    found = measure(trained, eye, joined((album, album)), seed=1)
    assert found.pictures == PEOPLE * EACH
    assert found.halves < found.translated
    assert found.halves < found.sources
    with pytest.raises(TranslatorError, match="one with neutral faces"):
        measure(trained, eye, album.of(~album.neutral), seed=1)
    with pytest.raises(TranslatorError, match="begins with neutral faces"):
        grid.sheet(trained, album.of(~album.neutral), 2)


def test_faces_that_are_turned_away_are_left_out(tmp_path: Path) -> None:
    cast = data.load(film_clip(tmp_path, {"training": 1})["training"])
    side = np.array([[0, 0, 1], [0, 1, 0], [-1, 0, 0]], np.float32)
    cast.frames.rotation[3:] = side
    kept = of(cast, TINY.look)
    assert len(kept) == 3
    finer = cast.picture(2, Look("pupils", 32)).astype(np.float64)
    assert (
        np.abs(
            kept.pictures[2]
            - cv2.resize(finer.transpose(1, 2, 0), (16, 16), interpolation=cv2.INTER_AREA).transpose(2, 0, 1)
        ).max()
        <= 0.5
    )
    assert torch.allclose(kept.seen(np.array([2])), to_colours(kept.pictures[2:]))
    cast.frames.rotation[:] = side
    with pytest.raises(TranslatorError, match="turned less than 20 degrees"):
        of(cast, TINY.look)


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["--size", "48"], "cannot have a side of 48 px: choose a power of two, 16 or more"),
        (["--look", "grey"], "is not shown 'grey': choose from frontal, pupils, similarity, template"),
        (["--look", "nonsense"], "is not shown 'nonsense'"),
        (["--study"], "translator has no comparisons of its own"),
    ],
)
def test_wrong_arguments_are_told(
    arguments: list[str], wanted: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["papers", "translator", *arguments])
    with pytest.raises(SystemExit, match="2"):
        main()
    assert wanted in capsys.readouterr().err
