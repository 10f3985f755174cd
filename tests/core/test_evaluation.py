"""Scores over many clips by hand, the command `eval` on a rendered clip, and what it says of bad input."""

import csv
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from au_mocap import channels, cli, datasets, evaluation, score_table, scores, take
from au_mocap.calibration import NeutralSettings, Settings
from au_mocap.datasets import Clip, DatasetError, Labels
from au_mocap.datasets.targets import FEAFA, Target, channel
from au_mocap.pipeline import Progress
from au_mocap.registry import Registry
from au_mocap.regressors import Regressor
from au_mocap.scores import Pair
from au_mocap.take import Take
from au_mocap.tracking import open_tracker

from .command_line import run

NAN = np.nan
GEOMETRY = ("--regressor", "geometry", "--device", "cpu")
RENDERED = Path(__file__).parents[1] / "data" / "rendered_performance.mp4"
JAW, SMILE = channel("jaw_drop"), Target("AU12", ("lip_corner_pull_L", "lip_corner_pull_R"))
BROW = Target("AU4", ("brow_lower_L", "brow_lower_R"), graded=False)


def pair_of(
    targets: Sequence[Target],
    predicted: Sequence[Sequence[float]],
    truth: Sequence[Sequence[float]],
    frames: Sequence[int] | None = None,
    subject: str = "a",
) -> Pair:
    """A pair from columns."""
    numbers = np.arange(len(truth[0])) if frames is None else np.array(frames)
    return Pair(subject, subject, tuple(targets), numbers, np.array(predicted).T, np.array(truth).T)


# Scores -------------------------------------------------------------------------------------------------------------


def test_scores_over_two_clips_by_hand() -> None:
    """Clip a: jaw (0.1, 0.2), truth (0.2, 0.4). Clip b: (0.3, 0.4), truth (0.3, 0.5), one frame without label.

    Together the ratings of `test_icc_by_hand`, tenths: ICC 0.8. Errors 0.1, 0.2, 0, 0.1: MAE 0.1, MSE 0.06 / 4.
    """
    of_both = [
        pair_of([JAW], [[0.1, 0.2]], [[0.2, 0.4]]),
        pair_of([JAW], [[0.3, 0.9, 0.4]], [[0.3, NAN, 0.5]], subject="b"),
    ]
    found = scores.score(of_both)
    assert found.targets == (JAW,)
    assert found.counts.tolist() == [4]
    assert found.found == 1.0
    assert found.mean("icc") == pytest.approx(0.8)
    assert found.mean("mae") == pytest.approx(0.1)
    assert found.mean("mse") == pytest.approx(0.015)
    assert found.mean("f1") == pytest.approx(2 * 3 / (2 * 3 + 0 + 1))  # 0.1 is not above 0.1
    assert found.feafa_loss is None


def test_frames_without_a_face_are_counted_and_left_out() -> None:
    found = scores.score([pair_of([JAW], [[0.5, NAN, NAN, 0.1]], [[0.6, 0.9, 0.8, 0.3]])])
    assert found.found == 0.5
    assert found.counts.tolist() == [2]
    assert found.mean("mae") == pytest.approx(0.15)


def test_targets_of_which_a_measure_says_nothing_are_in_no_mean() -> None:
    """The jaw moves, the smile stands still at rest, the brow was only told present from absent."""
    truth = [[0.2, 0.4, 0.6], [0.0, 0.0, 0.0], [0.0, 1.0, 1.0]]
    found = scores.score([pair_of([JAW, SMILE, BROW], [[0.2, 0.4, 0.6], [0.3, 0.0, 0.0], [0.0, 0.4, 0.0]], truth)])
    np.testing.assert_allclose(found.figures["icc"], [1, NAN, NAN])
    np.testing.assert_allclose(found.figures["pcc"], [1, NAN, NAN])
    np.testing.assert_allclose(found.figures["mae"], [0, 0.1, NAN], atol=1e-12)
    np.testing.assert_allclose(found.figures["f1"], [1, NAN, 2 / 3])
    assert found.mean("icc") == pytest.approx(1)
    assert found.mean("mae") == pytest.approx(0.05)
    assert found.mean("mae", ("AU12",)) == pytest.approx(0.1)
    assert np.isnan(found.mean("icc", ("AU12",)))


def test_clips_with_different_targets() -> None:
    found = scores.score(
        [
            pair_of([JAW], [[0.1, 0.2]], [[0.1, 0.2]]),
            pair_of([SMILE, JAW], [[0.5, 0.5], [0.0, 0.0]], [[1, 0], [0, 0.5]]),
        ]
    )
    assert [target.name for target in found.targets] == ["jaw_drop", "AU12"]
    assert found.counts.tolist() == [4, 2]
    np.testing.assert_allclose(found.figures["mae"], [0.125, 0.5])


def test_jitter_reaches_over_neither_gaps_nor_clips() -> None:
    """A window of five steady frames on each side of a jump: none trembles."""
    truth = [[0.0] * 10]
    jump = [[0.0] * 5 + [1.0] * 5]
    together = scores.score([pair_of([JAW], jump, truth)])
    assert together.mean("jitter") > 0.2
    parted = scores.score([pair_of([JAW], jump, truth, frames=[*range(5), *range(7, 12)])])
    assert parted.mean("jitter") == 0.0
    halves = [pair_of([JAW], [[value] * 5], [[0.0] * 5]) for value in (0.0, 1.0)]
    assert scores.score(halves).mean("jitter") == 0.0


def test_feafa_loss_over_frames_of_which_all_24_are_known() -> None:
    """Two frames: errors 0.5 and 0.1 in one channel each; a third lacks one label. Loss (0.25 + 0.01) / 2."""
    truth = np.zeros((24, 3))
    truth[0] = [0.5, 0.3, 1.0]
    truth[5, 2] = NAN
    predicted = np.zeros((24, 3))
    predicted[0] = [0.0, 0.2, 0.0]
    found = scores.score([pair_of(FEAFA, predicted.tolist(), truth.tolist())])
    assert found.feafa_loss == pytest.approx(0.13)
    assert found.feafa_loss_of_zero == pytest.approx((0.25 + 0.09) / 2)


def test_constant_zero_finds_nothing_but_is_never_absent() -> None:
    zero = scores.score(scores.of_zero([pair_of([JAW], [[NAN, 0.7]], [[0.4, 0.8]])]))
    assert (zero.mean("icc"), zero.mean("pcc"), zero.mean("f1"), zero.found) == pytest.approx((0, 0, 0, 1))
    assert zero.mean("mae") == pytest.approx(0.6)


def test_pair_reads_means_of_sides() -> None:
    values = np.zeros((2, len(channels.IDS)))
    values[:, channels.INDEX["lip_corner_pull_L"]] = [0.2, 0.4]
    labels = Labels((SMILE,), np.array([3, 8]), np.array([[0.5], [1.0]], np.float32))
    pair = scores.pair("clip", "subject", labels, values)
    np.testing.assert_allclose(pair.predicted, [[0.1], [0.2]])
    np.testing.assert_allclose(pair.truth, [[0.5], [1.0]])
    assert pair.frames.tolist() == [3, 8]


# Table and JSON -----------------------------------------------------------------------------------------------------


def test_table_by_eye() -> None:
    targets = [JAW, BROW]
    first = pair_of(targets, [[0.1, 0.2], [0.0, 0.0]], [[0.2, 0.4], [0.0, 1.0]], subject="a")
    second = pair_of(targets, [[0.3, 0.4], [1.0, 0.0]], [[0.3, 0.5], [1.0, 0.0]], subject="b")
    results = score_table.results_of({("fast", "2"): [first, second]}, [("a",), ("b",), ("c",)])
    assert score_table.text(results).splitlines() == [
        "                                       fast",
        "channel            frames      ICC    PCC    MAE     F1",
        "jaw_drop                4    0.800  0.800  0.100  0.857",
        "AU4                     4        -      -      -  0.667",
        "mean                         0.800  0.800  0.100  0.762",
        "",
        "regressor          ICC    PCC    MAE    MSE     F1 jitter     face",
        "fast             0.800  0.800  0.100  0.015  0.762      -   100.0%",
        "constant zero    0.000  0.000  0.350  0.135  0.000      -   100.0%",
        "",
        "fast           ICC    PCC    MAE     F1",
        "fold 1       0.800  1.000  0.150  0.333  1 subject",
        "fold 2       0.800  1.000  0.050  1.000  1 subject",
        "deviation    0.000  0.000  0.050  0.333",
    ]
    data = score_table.as_json(results)
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert [row["regressor"] for row in data] == ["fast", "constant zero"]
    assert data[0]["channels"][1]["icc"] is None
    assert data[0]["channels"][1]["graded"] is False
    assert data[0]["folds"][0]["subjects"] == ["a"]
    assert len(data[0]["folds"]) == 2


def test_table_names_the_mean_of_the_24_where_there_are_more() -> None:
    targets = [*FEAFA, SMILE]
    truth = np.tile([0.0, 0.5], (25, 1)).tolist()
    predicted = [*np.tile([0.0, 0.25], (24, 1)).tolist(), [0.0, 0.5]]
    text = score_table.text(score_table.results_of({("fast", "1"): [pair_of(targets, predicted, truth)]}))
    rows = {line[:15].strip(): line[15:].split() for line in text.splitlines()}
    assert rows["mean of FEAFA's"] == ["0.800", "1.000", "0.125", "1.000"]
    assert rows["mean"][0] == "0.808"
    assert rows["fast"][-2:] == ["0.750", "0.250"]  # 24 times 0.25 squared, every other frame; a quarter of zero's


# Clips --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def clip() -> Clip:
    labels = datasets.read_truth(RENDERED.with_suffix(".csv"))
    return Clip("rendered", "nobody", RENDERED, labels)


@pytest.fixture(scope="module")
def setup(regressor: Regressor) -> evaluation.Setup:
    settings = Settings(neutral=NeutralSettings("none"), smoothing="off", contact=0.0)
    return evaluation.Setup(open_tracker("onnx", Registry(), "cpu"), regressor, settings)


def test_prediction_is_what_extract_finds(clip: Clip, setup: evaluation.Setup, tmp_path: Path) -> None:
    told: list[Progress] = []
    kept = evaluation.Setup(setup.tracker, setup.regressor, setup.settings, tmp_path / "takes")
    pair = evaluation.predict(clip, kept, told.append)
    assert [progress.done for progress in told] == list(range(1, 151))
    assert told[-1].total == 150
    (path,) = (tmp_path / "takes").iterdir()
    assert path.name == "rendered.geometry.take.npz"
    face = [index for index, target in enumerate(pair.targets) if "look_" not in str(target)]
    np.testing.assert_allclose(pair.predicted[:, face], take.load(path).values[:, face], atol=1e-6)
    told.clear()
    again = evaluation.predict(clip, kept, told.append)
    assert told == []  # the take was used
    np.testing.assert_array_equal(again.predicted, pair.predicted)


@pytest.mark.parametrize("change", ["version", "graph", "source", "damage", "fov"])
def test_kept_take_that_does_not_fit_is_made_again(
    clip: Clip, setup: evaluation.Setup, tmp_path: Path, change: str, single_face_take: Take
) -> None:
    path = tmp_path / "rendered.geometry.take.npz"
    kept = evaluation.Setup(setup.tracker, setup.regressor, setup.settings, tmp_path)
    fitting = evaluation.take_of(clip, kept)
    changes = {
        "version": {"regressor": {"name": "geometry", "version": "0"}},
        "graph": {"regressor_sha256": ["0" * 64]},
        "source": {"source": single_face_take.meta["source"]},
        "fov": {"settings": {**fitting.meta["settings"], "fov_deg": 40.0}},
    }
    if change == "damage":
        path.write_bytes(b"PK\x03\x04")
    else:
        meta = {**fitting.meta, **changes[change]}
        take.save(Take(**{name: getattr(fitting, name) for name in Take.__slots__ if name != "meta"}, meta=meta), path)
    told: list[Progress] = []
    evaluation.take_of(clip, kept, told.append)
    assert len(told) == 150
    assert take.load(path).meta["regressor_sha256"] == fitting.meta["regressor_sha256"]


def test_labels_behind_the_end(clip: Clip, setup: evaluation.Setup) -> None:
    labels = Labels((JAW,), np.array([0, 500]), np.zeros((2, 1), np.float32))
    with pytest.raises(DatasetError, match="rendered has 150 frames, but labels up to frame 501"):
        evaluation.predict(Clip("rendered", "nobody", RENDERED, labels), setup)


def test_compare_aligns_frames_and_channels() -> None:
    predicted = Labels((JAW, channel("tongue_out")), np.array([3, 4, 5]), np.array([[0.3, 1], [NAN, NAN], [0.5, 1]]))
    truth = Labels((channel("cheek_puff"), JAW), np.array([2, 4, 5]), np.array([[0, 0.1], [0, 0.2], [0, 0.4]]))
    pair = evaluation.compare("mine", predicted, truth)
    assert pair.targets == (JAW,)
    assert pair.frames.tolist() == [4, 5]
    np.testing.assert_allclose(pair.predicted, [[NAN], [0.5]])
    np.testing.assert_allclose(pair.truth, [[0.2], [0.4]])
    apart = Labels((JAW,), np.array([9]), np.array([[0.5]], np.float32))
    with pytest.raises(DatasetError, match="mine and the labels share no frame number"):
        evaluation.compare("mine", predicted, apart)
    other = Labels((channel("chin_raise"),), np.array([3]), np.array([[0.5]], np.float32))
    with pytest.raises(DatasetError, match="share no channel"):
        evaluation.compare("mine", predicted, other)


# The command --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of two subjects in our own form: the rendered clip twice, every fifth frame labelled."""
    folder = tmp_path_factory.mktemp("labelled")
    with RENDERED.with_suffix(".csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for name in ("anna_1", "ben_1"):
        shutil.copy(RENDERED, folder / f"{name}.mp4")
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, ["frame", *channels.FEAFA_IDS], extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows[::5])
    return folder


def test_eval_of_a_folder(folder: Path, tmp_path: Path) -> None:
    figures = tmp_path / "out" / "figures.json"
    command = ("eval", "--dataset", "csv", folder, *GEOMETRY, "--folds", "2", "--json", figures)
    outcome = run(*command, "--takes", tmp_path / "takes", "--regressor", "geometry")
    assert outcome.code == 0
    lines = outcome.stdout.splitlines()
    assert lines[0] == f"csv of {folder}: 2 clips, 2 subjects, 60 labelled frames; neutral auto, smoothing off"
    assert sum(line.startswith(channels.FEAFA_IDS) for line in lines) == 24
    assert sum(line.startswith("geometry  ") for line in lines) == 2  # its summary and its folds
    assert any(line.startswith("constant zero") and line.endswith("1.000") for line in lines)
    assert "anna_1, geometry: 150/150 frames, 150 faces" in outcome.stderr
    assert outcome.stderr.splitlines()[-1] == f"Wrote {figures}"
    data = json.loads(figures.read_text(encoding="utf-8"))
    assert (data["clips"], data["subjects"], data["frames"], data["failed"]) == (2, 2, 60, [])
    assert (data["neutral"], data["smoothing"]) == ("auto", "off")
    geometry, zero = data["results"]
    assert [part["subjects"] for part in geometry["folds"]] == [["anna"], ["ben"]]
    assert geometry["mean"]["icc"] > 0.6
    assert geometry["feafa_loss"] < 0.4 * geometry["feafa_loss_of_zero"]
    assert zero["feafa_loss"] == zero["feafa_loss_of_zero"] == pytest.approx(geometry["feafa_loss_of_zero"])
    assert sorted(path.name for path in (tmp_path / "takes").iterdir()) == [
        "anna_1.geometry.take.npz",
        "ben_1.geometry.take.npz",
    ]

    run(*command).fails("already exists", "--overwrite")
    again = run(*command, "--takes", tmp_path / "takes", "--overwrite")
    assert again.code == 0
    assert again.stderr.splitlines() == [f"Wrote {figures}"]
    assert again.stdout == outcome.stdout


def test_eval_goes_on_after_a_clip_that_fails(folder: Path, no_face: Path, tmp_path: Path) -> None:
    for name in ("ben_1.mp4", "ben_1.csv"):
        shutil.copy(folder / name, tmp_path / name)
    shutil.copy(no_face, tmp_path / "anna_1.mp4")
    shutil.copy(folder / "anna_1.csv", tmp_path / "anna_1.csv")
    outcome = run("eval", "--dataset", "csv", tmp_path, *GEOMETRY)
    assert outcome.code == 1
    assert outcome.error == "Error: anna_1: No face was found in anna_1."
    assert "1 clip, 1 subject, 30 labelled frames" in outcome.stdout
    assert outcome.stderr.splitlines()[-1] == "1 clip failed and is in none of the figures: anna_1."


def test_eval_of_disfa(tmp_path: Path) -> None:
    """The rendered clip as DISFA would hold it: AU 12 and 26 in fifths; of a second subject there are labels alone."""
    truth = datasets.read_truth(RENDERED.with_suffix(".csv"))
    values = np.zeros((len(truth.frames), len(channels.IDS)))
    values[:, [channels.INDEX[target.name] for target in truth.targets]] = truth.values
    for subject in ("SN001", "SN002"):
        labels = tmp_path / "ActionUnit_Labels" / subject
        labels.mkdir(parents=True)
        for number, target in ((12, SMILE), (26, JAW)):
            codes = np.rint(5 * target.of(values)).astype(int)
            lines = [f"{frame},{code}" for frame, code in enumerate(codes, 1)]
            (labels / f"{subject}_au{number}.txt").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "Video_LeftCamera").mkdir()
    shutil.copy(RENDERED, tmp_path / "Video_LeftCamera" / "LeftVideoSN001_comp.mp4")
    outcome = run("eval", "--dataset", "disfa", tmp_path, *GEOMETRY)
    assert outcome.code == 0
    assert "Warning: " in outcome.stderr
    assert "1 of 2 labelled clips (SN002): they are left out." in outcome.stderr
    rows = {line.split()[0]: line.split()[1:] for line in outcome.stdout.splitlines() if line.startswith("AU")}
    assert sorted(rows) == ["AU12", "AU26/27"]
    for name, (frames, agreement, *_) in rows.items():
        assert frames == "150"
        assert float(agreement) > 0.9, name
    assert "FEAFA loss" not in outcome.stdout


def test_eval_of_a_damaged_clip_fails_before_any_is_analysed(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "set")
    (tmp_path / "set" / "ben_1.mp4").write_bytes(b"")
    run("eval", "--dataset", "csv", tmp_path / "set", *GEOMETRY).fails("ben_1.mp4 is empty")


def test_eval_of_a_table_a_take_and_a_video(tmp_path: Path) -> None:
    truth = RENDERED.with_suffix(".csv")
    of_itself = run("eval", truth, truth)
    assert of_itself.code == 0
    assert of_itself.stdout.splitlines()[0].startswith("labels of ")
    means = next(line for line in of_itself.stdout.splitlines() if line.startswith("mean  "))
    assert means.split() == ["mean", "1.000", "1.000", "0.000", "1.000"]

    rest = tmp_path / "part.take.npz"
    assert run("extract", RENDERED, "-o", rest, "--frames", "100:", *GEOMETRY).code == 0
    outcome = run("eval", rest, truth, "--neutral", "none")
    assert outcome.code == 0
    assert outcome.stderr == "Note: 100 of 150 labelled frames are not in part.take.npz and were left out.\n"
    assert "50 labelled frames; neutral none" in outcome.stdout

    short = tmp_path / "short.csv"
    short.write_text("frame,jaw_drop\n100,0.5\n149,0.1\n", encoding="utf-8")
    outcome = run("eval", RENDERED, short, *GEOMETRY)
    assert outcome.code == 0
    assert "1 clip, 1 subject, 2 labelled frames" in outcome.stdout


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ("eval", "INPUT"),
        ("eval a.csv", "the table of its labels, or a folder with --dataset"),
        ("eval a.csv b.csv c.csv", "the table of its labels"),
        ("eval --dataset disfa a b", "--dataset reads one folder"),
        ("eval --dataset ck a", "ck"),
        ("eval --dataset disfa a --folds 1", "write 2 or more"),
        ("eval a.mp4 b.csv --folds 3", "subjects of a --dataset"),
        ("eval a.csv b.csv --neutral none --smooth off", "--neutral, --smooth needs the video"),
        ("eval a.take.npz b.csv --regressor geometry --takes t", "--regressor, --takes needs the video"),
    ],
)
def test_bad_usage(capsys: pytest.CaptureFixture[str], arguments: str, problem: str) -> None:
    try:
        code = cli.main(arguments.split())
    except SystemExit as stop:
        code = stop.code
    captured = capsys.readouterr()
    assert code == 2, captured.err
    assert captured.err.startswith("Error: ")
    assert captured.err.count("\n") == 1
    assert problem in captured.err


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ("eval --dataset disfa gone", "gone is no folder"),
        ("eval --dataset feafa .", "no label files"),
        ("eval gone.csv truth.csv", "gone.csv cannot be read"),
        ("eval gone.take.npz truth.csv", "no take gone.take.npz"),
        ("eval gone.mp4 truth.csv", "no file gone.mp4"),
        ("eval truth.csv gone.csv", "gone.csv cannot be read"),
        ("eval truth.csv truth.csv --json .", "is a folder: name a file"),
    ],
)
def test_input_that_is_wrong(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: str, problem: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "truth.csv").write_text("frame,jaw_drop\n0,0.5\n", encoding="utf-8")
    assert cli.main(arguments.split()) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("Error: ")
    assert captured.err.count("\n") == 1
    assert problem in captured.err
