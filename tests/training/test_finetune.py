"""Fine-tuning: a weak smile is learnt, everything else stays, and too few labels are refused with counts."""

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from onnxruntime import InferenceSession

from au_mocap import annotation, calibration, channels, cli, pipeline
from au_mocap import take as takes
from au_mocap.errors import AnnotationError, ModelError, SettingsError, TakeError
from au_mocap.exchange import tables
from au_mocap.registry import Registry
from au_mocap.regressors import Regressor, open_regressor
from au_mocap.take import Take
from au_mocap.tracking import open_tracker
from tests.training import labelled
from training.appearance.network import ExportedHead
from training.finetune import adapter, base, clips, corrected, fit, holding, judging, tuning, writing
from training.finetune.__main__ import main

SMILE = ("lip_corner_pull_L", "lip_corner_pull_R")
LABELLED = (*SMILE, "jaw_drop", "lip_pucker")
TIMES = 6


@pytest.fixture(scope="module")
def measured() -> Take:
    """The rendered performance, analysed once."""
    registry = Registry()
    regressor = open_regressor(registry, "accurate", "cpu")
    part = pipeline.Extraction(pipeline.Range(0, labelled.FRAMES))
    return pipeline.extract(labelled.CLIP, open_tracker("onnx", registry, "cpu"), regressor, part)[0]


@pytest.fixture(scope="module")
def weak(measured: Take, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Labels of an actor whose smile is more than it seems; most channels are not labelled."""
    values = np.full((TIMES * len(measured), len(channels.IDS)), np.nan, np.float32)
    columns = [channels.INDEX[each] for each in LABELLED]
    values[:, columns] = np.concatenate([labelled.truth()] * TIMES)[:, columns]
    smile = [channels.INDEX[each] for each in SMILE]
    values[:, smile] = np.clip(1.4 * values[:, smile], 0.0, 1.0)
    folder = tmp_path_factory.mktemp("labels") / "weak.annotation"
    return labelled.write(folder, labelled.repeated(measured, TIMES), values, every=3)


@pytest.fixture(scope="module")
def made(weak: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model folder that the command makes of them."""
    out = tmp_path_factory.mktemp("made") / "models"
    assert main([str(weak), "--out", str(out), "--name", "weak_smile"]) == 0
    return out


def test_result_is_a_regressor_with_card(made: Path) -> None:
    registry = Registry((made,))
    (entry,) = registry.regressors
    assert all(registry.path(each).exists() for each in entry.files)
    assert entry.name == "weak_smile"
    assert entry.version.startswith(f"{Registry().regressor('accurate').version}-")
    assert entry.accuracy["mae_held_back"] < 0.9 * entry.accuracy["mae_held_back_base"]
    card = (made / "weak_smile.md").read_text(encoding="utf-8")
    assert Registry().regressor("accurate").head.sha256 in card
    assert re.search(r"(\d+) frames were learnt from, (\d+) were held back \(blocks of time\)", card)
    assert not [path for path in made.iterdir() if path.name.startswith(".")]


def test_smile_is_learnt_and_nothing_else_moves(made: Path, weak: Path) -> None:
    source, after = _source("accurate"), _tuned(made)
    before = source.regressor
    clip = clips.read(weak, source)
    verdict = judging.judge(before, after, [clip], holding.split([clip]).held, LABELLED)
    scores = {score.channel: score for score in verdict.scores}
    assert all(scores[each].mae[1] < 0.9 * scores[each].mae[0] for each in SMILE)
    assert verdict.improved
    assert verdict.others == 0.0
    assert verdict.at_rest < 0.005
    own, base_own = (regressor.values(clip.seen, clip.neutral) for regressor in (after, before))
    free = [channels.INDEX[each] for each in channels.PREDICTED_IDS if each not in (*LABELLED, "lips_together")]
    assert np.array_equal(own[:, free], base_own[:, free])
    assert own[:, channels.INDEX[SMILE[0]]].max() > base_own[:, channels.INDEX[SMILE[0]]].max()


def test_extract_runs_it_and_differs(made: Path, tmp_path: Path) -> None:
    arguments = ["extract", str(labelled.CLIP), "--frames", "15:35", "--models", str(made)]
    for name in ("weak_smile", "accurate"):
        assert cli.main([*arguments, "--regressor", name, "-o", str(tmp_path / f"{name}.take.npz")]) == 0
    own, plain = (takes.load(tmp_path / f"{name}.take.npz") for name in ("weak_smile", "accurate"))
    assert own.meta["regressor"]["name"] == "weak_smile"
    column = channels.INDEX[SMILE[0]]
    assert own.values[:, column].max() > plain.values[:, column].max() + 0.02
    assert np.array_equal(own.embedding, plain.embedding)


def test_graph_says_what_the_network_says(tmp_path: Path) -> None:
    head = base.load(Registry(), "fast").head
    generator = torch.Generator().manual_seed(1)
    count, width = head.values.weight.shape
    gain, change = (0.3 * torch.randn(shape, generator=generator) for shape in ((count,), (count, width)))
    adapted = adapter.AdaptedHead(head, gain, change)
    assert adapter.export(adapted, tmp_path / "head.onnx") < 1e-3
    given = base.examples(head)
    said = InferenceSession(tmp_path / "head.onnx").run(None, {key: each.numpy() for key, each in given.items()})[0]
    assert np.abs(said - adapted(*given.values()).numpy()).max() < 1e-3
    assert np.abs(said - ExportedHead(head)(*given.values()).numpy()).max() > 0.05
    rest = (given["neutral_landmarks"], torch.ones(478, 1), given["neutral_embedding"])
    still = (rest[0][None], torch.zeros(1, 3), rest[2][None])
    assert torch.allclose(adapted(*still, *rest), ExportedHead(head)(*still, *rest), atol=1e-5)


@pytest.mark.parametrize("name", ["geometry", "mediapipe"])
def test_heads_of_another_make_are_refused(name: str) -> None:
    with pytest.raises(ModelError, match="Give one of those as --base"):
        base.load(Registry(), name)


def test_too_little_is_refused_with_counts(measured: Take, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values = np.full((len(measured), len(channels.IDS)), np.nan, np.float32)
    values[:, channels.INDEX["jaw_drop"]] = labelled.truth()[:, channels.INDEX["jaw_drop"]]
    folder = labelled.write(tmp_path / "few.annotation", measured, values, every=7)
    out = tmp_path / "out"
    assert main([str(folder), "--out", str(out)]) == 1
    told = capsys.readouterr().err
    assert "jaw_drop has 14 of 40 frames" in told
    assert re.search(r"\d of 8 frames above 0.1", told)
    assert not out.exists()


def test_base_is_kept_where_nothing_is_gained(weak: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Labels that are what the base says already."""
    described = annotation.load(weak)
    take = takes.load(Path(str(described.take.path)))
    own = np.full_like(described.coders["Ann"].values, np.nan)
    column = channels.INDEX["jaw_drop"]
    source = _source("accurate")
    clip = clips.read(weak, source)
    own[:, column] = annotation.rounded(source.regressor.values(clip.seen, clip.neutral)[clip.rows, column])
    labels = replace(described.coders["Ann"], values=own)
    folder = tmp_path / "same.annotation"
    annotation.save(replace(described, coders={"Ann": labels}), folder)
    assert len(take) == TIMES * labelled.FRAMES
    assert main([str(folder), "--out", str(tmp_path / "out")]) == 1
    assert "Nothing was gained" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_wrong_orders_are_told(weak: Path, made: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="named twice"):
        tuning.learn(tuning.Order((weak, weak)))
    for name, message in (
        ("accurate", "of AU Mocap itself"),
        ("Ann Smith", "small letters"),
        ("../x", "small letters"),
    ):
        with pytest.raises(SettingsError, match=message):
            writing.check(tmp_path, name, overwrite=False)
    with pytest.raises(Exception, match="already: give another --name"):
        writing.check(made, "weak_smile", overwrite=False)
    writing.check(made, "weak_smile", overwrite=True)
    assert main([str(tmp_path / "none.annotation"), "--out", str(tmp_path / "out")]) == 1
    assert main([str(weak), "--out", str(tmp_path / "out"), "--base", "geometry"]) == 1
    for wrong in (["--passes", "0"], ["--passes", "many"]):
        with pytest.raises(SystemExit) as stopped:
            main([str(weak), "--out", str(tmp_path / "out"), *wrong])
        assert stopped.value.code == 2


def test_whose_labels_count_must_be_clear(weak: Path, tmp_path: Path) -> None:
    described = annotation.load(weak)
    ann = described.coders["Ann"]
    folder = tmp_path / "two.annotation"
    annotation.save(replace(described, coders={"Ann": ann, "Ben": ann}), folder)
    source = _source("accurate")
    with pytest.raises(AnnotationError, match="none that are agreed"):
        clips.read(folder, source)
    with pytest.raises(AnnotationError, match="no labels of 'Cem'"):
        clips.read(folder, source, "Cem")
    assert len(clips.read(folder, source, "Ben").rows) == len(ann)
    annotation.save_agreed(folder, replace(ann, values=0.5 * ann.values), described.channels)
    assert np.nanmax(clips.read(folder, source).labels) == pytest.approx(0.5)


def test_a_clip_without_a_fitting_take_is_analysed(weak: Path, tmp_path: Path) -> None:
    described = annotation.load(weak)
    folder = tmp_path / "moved.annotation"
    gone = replace(
        described, take=annotation.TakeFacts(), clip=replace(described.clip, path="gone.mp4", name="gone.mp4")
    )
    annotation.save(gone, folder)
    source = _source("fast")
    with pytest.raises(TakeError, match=r"Put gone\.mp4 beside the folder of labels"):
        clips.read(folder, source)
    (tmp_path / "gone.mp4").write_bytes(labelled.CLIP.read_bytes())
    annotation.save(replace(gone, clip=replace(gone.clip, sha256="0" * 64)), folder)
    with pytest.raises(TakeError, match="is not the clip that was labelled"):
        clips.read(folder, source)


def test_a_mean_is_a_label_of_both_sides(weak: Path, tmp_path: Path) -> None:
    described = annotation.load(weak)
    values = np.full_like(described.coders["Ann"].values, np.nan)
    values[:, channels.INDEX["nose_wrinkle"]] = 0.4
    folder = tmp_path / "mean.annotation"
    labels = replace(described.coders["Ann"], values=values)
    annotation.save(replace(described, coders={"Ann": labels}), folder)
    clip = clips.read(folder, _source("accurate"))
    table = clips.targets(clip)
    sides = [channels.PREDICTED_IDS.index(f"nose_wrinkle_{side}") for side in "LR"]
    assert table[:, sides].mean(axis=1) == pytest.approx(0.4, abs=0.02)
    assert np.isnan(np.delete(table, sides, axis=1)).all()


def test_a_corrected_take_is_learnt_from(weak: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An artist made the smile stronger, and exported the table beside the take."""
    source = _source("accurate")
    take = takes.load(weak.with_name("weak.take.npz"))
    plain = calibration.curves(take, calibration.Settings(), source.regressor)
    settings = calibration.Settings(gains=dict.fromkeys(SMILE, 1.4))
    takes.save(take, tmp_path / "ann.take.npz")
    table = tmp_path / "ann.csv"
    tables.write_csv(take, calibration.curves(take, settings, source.regressor), table)
    clip = corrected.read(table, source)
    labelled_ids = [channels.IDS[k] for k in np.flatnonzero(~np.isnan(clip.labels).all(axis=0))]
    assert labelled_ids == list(SMILE)
    assert np.diff(clip.time_s).min() > 0.1
    assert main([str(table), "--out", str(tmp_path / "out"), "--name", "ann"]) == 0
    told = capsys.readouterr().err
    assert "Lip corner pull, left" in told
    tables.write_csv(take, plain, table)
    with pytest.raises(AnnotationError, match="nothing was corrected"):
        corrected.read(table, source)
    with pytest.raises(TakeError, match="was not made with 'fast'"):
        corrected.read(table, _source("fast"))
    later = replace(take, time_s=take.time_s + 0.01)
    takes.save(later, tmp_path / "ann.take.npz")
    with pytest.raises(AnnotationError, match="other times than its take"):
        corrected.read(table, source)
    with pytest.raises(TakeError, match="There is no take"):
        corrected.read(tmp_path / "none.csv", source)


def test_what_is_held_back_has_no_neighbours(weak: Path) -> None:
    clip = clips.read(weak, _source("accurate"))
    split = holding.split([clip])
    apart = np.abs(clip.time_s[split.held][:, None] - clip.time_s[split.learnt]).min()
    assert apart >= 0.3
    assert 0.15 < split.held.mean() < 0.35
    whole = holding.split([clip, clip, clip])
    assert whole.by_clip
    assert all(len(set(whole.held[whole.clip == index])) == 1 for index in range(3))
    assert not (whole.held & whole.learnt).any()


def test_fit_finds_a_gain_and_keeps_channels_that_gain_nothing() -> None:
    rng = np.random.default_rng(0)
    away = rng.uniform(0.0, 0.6, (160, 3))
    truth = np.column_stack([1.5 * away[:, 0], away[:, 1], rng.uniform(0.0, 1.0, 160)])
    change = _learnt(away, truth)
    assert change.changed.tolist() == [True, False, False]
    assert 0.3 < change.gain[0] <= 0.55
    assert not change.layer[1:].any()


def test_labels_at_the_ends_pull_nothing_that_is_clipped() -> None:
    """A base that reads far below zero at rest, where the label says 0, is right there."""
    rng = np.random.default_rng(0)
    away = rng.uniform(-0.5, 0.6, (160, 1))
    change = _learnt(away, np.clip(1.5 * away, 0.0, 1.0))
    assert 0.3 < change.gain[0] <= 0.6


def _learnt(away: NDArray[np.float64], truth: NDArray[np.float64]) -> fit.Change:
    count = len(away)
    thought = np.random.default_rng(1).normal(0.0, 1.0, (count, 6))
    examples = fit.Examples(away, away, thought, truth, np.ones(count), np.arange(count) // 10)
    return fit.learn(examples, np.ones(truth.shape[1], np.bool_))


@cache
def _source(name: str) -> clips.Source:
    registry = Registry()
    return clips.Source(registry, open_regressor(registry, name, "cpu"), base.load(registry, name).stage)


def _tuned(made: Path) -> Regressor:
    return open_regressor(Registry(further=(made,)), "weak_smile", "cpu")
