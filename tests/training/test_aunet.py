"""AUNet from films to a regressor that the engine runs, on a few frames of the rendered clip."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs the 'train' extra: `python make.py env train` installs it")
pytest.importorskip("moderngl", reason="films need the 'train' extra")

import torch

from au_mocap import channels, pipeline
from au_mocap.channels import PREDICTED_IDS
from au_mocap.landmark_model import INPUT_PX, OUTPUTS
from au_mocap.landmarks import IPD_M, canonical_face
from au_mocap.registry import BUNDLED, Registry
from au_mocap.regressors import open_regressor
from au_mocap.tracking import open_tracker
from tests.training.filmed import CLIP, film_clip
from training import accuracy
from training.outcome import amplitude
from training.papers import aunet_fitting, aunet_labels, data, dependency, study
from training.papers.__main__ import SYSTEMS, make
from training.papers.aunet_data import WINDOW_S, Clips
from training.papers.aunet_features import ATTENDED_POINTS, CHANNELS, GRID, LOW, OFFSETS, Basic
from training.papers.aunet_network import EMBEDDING, VARIANTS, Network
from training.papers.export import NO_NEUTRAL
from training.papers.system import Order, Studied
from training.synth.film import FRAMES_PER_PERFORMER, NEUTRAL_FRAMES, STEP_S


@pytest.fixture(scope="module")
def order(tmp_path_factory: pytest.TempPathFactory) -> Order:
    films = film_clip(tmp_path_factory.mktemp("films"), {"training": 2, "validation": 1, "test": 1})
    casts = {cast: data.load(paths) for cast, paths in films.items()}
    return Order(casts=casts, checkpoints=tmp_path_factory.mktemp("runs") / "run", epochs=1)


@pytest.fixture(scope="module")
def folder(order: Order, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models with AUNet in it."""
    out = tmp_path_factory.mktemp("aunet")
    make(SYSTEMS["aunet"], order, out)
    return out


def face(turn_rad: float = 0.0, size_px: float = 50.0, middle_px: float = 128.0) -> torch.Tensor:
    """(1, 478, 3) the canonical face in a tile, turned and as large as is wanted."""
    points = canonical_face().points / IPD_M * size_px
    cos, sin = np.cos(turn_rad), np.sin(turn_rad)
    x, y = points[:, 0].copy(), points[:, 1].copy()
    points = np.stack([cos * x - sin * y + middle_px, sin * x + cos * y + middle_px, points[:, 2]], axis=1)
    return torch.from_numpy(points).float()[None]


def test_grid_turns_and_grows_with_the_face() -> None:
    basic = Basic()
    straight, size_px2 = basic.place(face())
    turned, larger_px2 = basic.place(face(0.4, 75.0, 100.0))
    complex_straight = torch.view_as_complex(straight[0].double().contiguous()) - complex(128, 128)
    moved = complex_straight * 1.5 * complex(np.cos(0.4), np.sin(0.4)) + complex(100, 100)
    torch.testing.assert_close(torch.view_as_real(moved).float(), turned[0], atol=1e-2, rtol=0)
    assert float(larger_px2 / size_px2) == pytest.approx(1.5**2, rel=1e-4)
    low, high = face()[0, :, :2].amin(0), face()[0, :, :2].amax(0)
    assert (straight[0].amin(0) < low + 5).all()  # the whole face lies in the grid
    assert (straight[0].amax(0) > high - 5).all()


def test_attention_is_full_at_landmarks_and_fades_with_distance_whatever_the_size() -> None:
    basic = Basic()
    for size_px in (30.0, 60.0):
        seen = face(size_px=size_px)
        _, size_px2 = basic.place(seen)
        landmark = seen[:, ATTENDED_POINTS[0], :2]  # the outermost of the right cheek: nothing lies beyond it
        steps = torch.tensor([[0.0, 0.0], [-basic.reach, 0.0], [-4 * basic.reach, 0.0]]) * size_px
        attention = basic.attend(seen, landmark[:, None] + steps, size_px2)[0]
        assert float(attention[0]) == pytest.approx(1.0)
        assert 0.5 < float(attention[1]) < 0.95
        assert float(attention[2]) < 0.01


def test_features_are_the_maps_at_the_grid_the_deeper_ones_weighted() -> None:
    basic, seen = Basic(), face(0.2)
    ramps = {}
    for name in OFFSETS:
        depth, side, _ = OUTPUTS[name]
        ramp = (torch.arange(side) + 0.5) * (INPUT_PX / side)  # each cell says how far right it is, in pixels
        ramps[name] = ramp.expand(1, depth, side, side).contiguous()
    found = basic(seen, ramps)
    assert found.shape == (1, CHANNELS, GRID, GRID)
    places, size_px2 = basic.place(seen)
    across = places[0, :, 0].unflatten(0, (GRID, GRID))
    attention = basic.attend(seen, places, size_px2)[0].unflatten(0, (GRID, GRID))
    inside = (across > 16) & (across < INPUT_PX - 16)
    assert inside.float().mean() > 0.8
    low = len(OFFSETS[LOW[0]]) * OUTPUTS[LOW[0]][0]
    torch.testing.assert_close(found[0, :low].mean(0)[inside], across[inside], atol=0.01, rtol=0)
    torch.testing.assert_close(found[0, -1][inside], (across * attention)[inside], atol=0.01, rtol=0)


def test_pictures_lie_a_window_apart_in_performances_alone(order: Order) -> None:
    clips = Clips(order.casts["training"])
    (batch,) = clips.plain()
    away = round(WINDOW_S / STEP_S)
    first = 2 * FRAMES_PER_PERFORMER - 1
    assert batch.usable.all()
    assert int(batch.earlier[first]) == first - away
    assert int(batch.later[first]) == first
    assert int(batch.later[NEUTRAL_FRAMES]) == NEUTRAL_FRAMES + away
    assert int(batch.earlier[NEUTRAL_FRAMES + 1]) == NEUTRAL_FRAMES
    assert batch.later[:NEUTRAL_FRAMES].tolist() == list(range(NEUTRAL_FRAMES))
    assert int(batch.performed.sum()) == 2 * (FRAMES_PER_PERFORMER - NEUTRAL_FRAMES)


def test_rounds_go_through_the_cast_and_flip_values_with_pictures(order: Order) -> None:
    values = np.random.default_rng(0).random(order.casts["training"].frames.values.shape).astype(np.float32)
    cast = order.casts["training"]
    cast = replace(cast, frames=replace(cast.frames, values=values))
    twin = [PREDICTED_IDS.index(channels.mirrored(name)) for name in PREDICTED_IDS]
    plain = values.reshape(2, FRAMES_PER_PERFORMER, -1)
    shown: list[int] = []
    kinds: set[bool] = set()
    for number in range(4):
        (batch,) = Clips(cast, seed=3).treated(number, 1)
        found = batch.values.numpy()
        same = [(np.array_equal(found, each), np.array_equal(found, each[:, twin])) for each in plain]
        (who,) = (performer for performer, pair in enumerate(same) if any(pair))
        shown.append(who)
        kinds.add(same[who][1])
    assert sorted(shown[:2]) == sorted(shown[2:]) == [0, 1]
    assert kinds == {False, True}


def test_only_variants_with_differences_read_what_lies_beside() -> None:
    torch.manual_seed(0)
    basic = torch.randn(6, CHANNELS, GRID, GRID)
    still, moving = torch.arange(6), torch.arange(6).roll(1)
    for variant in VARIANTS:
        network = Network(variant).eval()
        if network.head.motion is not None:
            torch.nn.init.normal_(network.head.motion.outward.weight)
        with torch.no_grad():
            same = torch.allclose(network(basic, still, still), network(basic, moving, still), atol=1e-6)
        assert same == (not variant.motion)


def test_label_vae_knows_what_goes_with_what(order: Order) -> None:
    kept = order.checkpoints / "aunet-labels.pt"
    vae = aunet_labels.label_vae(2, 1, kept)
    values = aunet_labels.draw(30, seed=99)
    torch.manual_seed(0)
    apart = torch.stack([column[torch.randperm(len(column))] for column in values.T], dim=1)
    nothing = torch.zeros(len(values), aunet_labels.LATENT)
    with torch.no_grad():
        assert vae.loss(values, nothing) < 0.9 * vae.loss(apart, nothing)
        assert float(vae.distance(values, values)) == 0.0
        near = vae.distance((values + 0.05).clamp(0, 1), values)
        assert 0 < float(near) < float(vae.distance(apart, values))
    again = aunet_labels.label_vae(2, 2, kept)  # whatever is asked for: it is the one of this training
    torch.testing.assert_close(again.state_dict(), vae.state_dict())


def test_label_vae_draws_on_predictions(order: Order) -> None:
    """Its distance reaches the network through predictions, and only of variants that have it."""
    cast = order.casts["training"]
    labels = aunet_labels.label_vae(2, 1, order.checkpoints / "aunet-labels.pt")
    (batch,) = Clips(cast).plain()
    losses = aunet_fitting.Losses(aunet_fitting.balance(cast.frames.values), labels)
    weights: dict[str, torch.Tensor] = {}
    fresh = Order(casts=order.casts, checkpoints=order.checkpoints / "none", epochs=1)
    for variant in VARIANTS[:2]:
        trainee = aunet_fitting.Trainee(variant, fresh)
        torch.manual_seed(0)
        trainee.step(batch, 1e-3, losses)
        weights[variant.name] = list(trainee.network.head.parameters())[-1].detach()
    assert not torch.equal(weights["base"], weights["vae"])
    assert float(losses.weights.sum()) == pytest.approx(1.0)
    often = (cast.frames.values > channels.PRESENT_ABOVE).mean(axis=0)
    assert int(losses.weights.argmin()) == int(often.argmax())


def test_dependency_measures_have_known_answers() -> None:
    rng = np.random.default_rng(0)
    first, third = rng.random(400) < 0.5, rng.random(400) < 0.5
    truth = np.stack([first, first, third], axis=1).astype(np.float32)  # the first two always go together
    same = dependency.measure(truth, truth, truth > 0.5)
    assert (same.l2, same.f1, same.pairs) == (0.0, 1.0, 6)
    lost = truth.copy()
    lost[:, 1] = rng.permutation(lost[:, 1])  # as often as before, but on its own
    apart = dependency.measure(lost, truth, lost > 0.5)
    assert apart.l2 == pytest.approx(1.0, abs=0.1)
    assert apart.f1 < 0.9
    silent = dependency.measure(truth * 0, truth, truth < 0)
    assert (silent.l2, silent.f1) == (1.0, 0.0)
    rare = dependency.measure(truth[:10], truth[:10], truth[:10] > 0.5)
    assert rare.pairs == 0
    assert np.isnan(rare.f1)


def test_engine_reads_what_training_read(folder: Path, order: Order) -> None:
    """Stage, window and head in the engine, against PyTorch with half as many bits, on a cast that moves."""
    regressor = open_regressor(Registry((BUNDLED, folder)), "aunet", "cpu")
    cast = order.casts["test"]
    said = accuracy.perform([regressor], cast.tiles, cast.frames.moving)["aunet" + NO_NEUTRAL]
    (variant,) = (each for each in VARIANTS if each.labels and each.motion)
    networks, _ = aunet_fitting.fit([variant], order)
    gains = amplitude(aunet_fitting.judge(networks, order.casts["validation"])["both"].outcome)
    judged = aunet_fitting.judge(networks, cast)["both"]
    wanted = channels.complete(np.clip(judged.outcome.predicted * gains, 0, 1).astype(np.float32), PREDICTED_IDS)
    off = np.abs(said - wanted)
    assert float(off.max()) < 0.03
    alone = accuracy.perform([regressor], cast.tiles)["aunet" + NO_NEUTRAL]
    assert float(np.abs(said - alone)[NEUTRAL_FRAMES:].max()) > 0.0
    np.testing.assert_allclose(said[:NEUTRAL_FRAMES], alone[:NEUTRAL_FRAMES], atol=1e-6)


def test_regressor_runs_on_a_video_and_its_card_tells_what_differs(folder: Path) -> None:
    regressor = open_regressor(Registry((BUNDLED, folder)), "aunet", "cpu")
    entry = regressor.entry
    assert (entry.group, entry.window_s, regressor.maps) == ("advanced", WINDOW_S, ("landmarks", *OFFSETS))
    options = pipeline.Extraction(frames=pipeline.Range(60, 72))
    take, _ = pipeline.extract(CLIP, open_tracker("onnx", Registry(), "cpu"), regressor, options)
    assert take.embedding.shape == (12, EMBEDDING)
    assert np.isfinite(take.values).all()
    card = " ".join((folder / "AUNET.md").read_text(encoding="utf-8").split())
    for words in (
        "no heat maps: the attention is a Gaussian",
        "0.4 s before and after",
        "`map_16` of the landmark graph",
    ):
        assert words in card


def test_ablation_compares_all_four_and_takes_up_what_is_trained(
    folder: Path, order: Order, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    system = SYSTEMS["aunet"]
    assert isinstance(system, Studied)
    page = study.make(system, order, tmp_path).read_text(encoding="utf-8")
    told = capsys.readouterr().err
    assert "aunet-both: taken up after round 1" in told
    assert "round 1/1, loss base" in told
    for variant in VARIANTS:
        assert page.count(f"| {variant.paper} |") == (2 if variant.name == "base" else 3)
    assert "Nothing was shortened" in page
    assert "nan" not in page.split("## Dependencies")[0]


def test_time_that_is_up_is_said(folder: Path, order: Order, tmp_path: Path) -> None:
    shutil.copy(order.checkpoints / "aunet-labels.pt", tmp_path)
    late = Order(casts=order.casts, checkpoints=tmp_path, epochs=3, deadline_s=0.0)
    _, shortened = aunet_fitting.fit(VARIANTS[:1], late)
    assert shortened == f"1 of 3 rounds of {aunet_fitting.ROUND} performers were trained, then the time was up"
