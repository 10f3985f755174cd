"""Coders compared by hand-made answers, obviously wrong values, the command `agree`, and labelled clips for `eval`."""

import csv
from pathlib import Path

import numpy as np
import pytest

from au_mocap import annotation, channels, cli, datasets, metrics
from au_mocap.annotation import Labels, agreement
from au_mocap.datasets import DatasetError
from au_mocap.errors import AnnotationError
from au_mocap.video import file_sha256, open_video
from tests.core import clips, labelled
from tests.core.labelled import labels, table_of

NAN = np.nan
RENDERED = Path(__file__).parents[1] / "data" / "rendered_performance.mp4"
JAW = channels.INDEX["jaw_drop"]


def compared(**coders: Labels) -> agreement.Agreement:
    return agreement.compare(labelled.annotation(coders))


def jaws(*values: float) -> Labels:
    return labels(range(len(values)), jaw_drop=values)


def test_icc_of_two_is_that_of_metrics_and_of_three_is_shrout_and_fleiss() -> None:
    """Of three: mean squares 0.07 between frames, 0.0075 of error over four; (0.07 - 0.0075) / (0.07 + 2 0.0075)."""
    random = np.random.default_rng(2)
    ratings = random.uniform(size=(2, 50))
    two = metrics.icc(ratings[0][:, None], ratings[1][:, None])[0]
    assert agreement.icc_of(ratings) == pytest.approx(two)
    three = np.array([[0.1, 0.3, 0.4], [0.2, 0.3, 0.5], [0.3, 0.3, 0.6]])
    frames, coders = three.mean(axis=0), three.mean(axis=1)
    between = 3 * ((frames - three.mean()) ** 2).sum() / 2
    error = ((three - frames - coders[:, None] + three.mean()) ** 2).sum() / 4
    assert agreement.icc_of(three) == pytest.approx((between - error) / (between + 2 * error))
    assert agreement.icc_of(three) == pytest.approx(agreement.icc_of(np.add(three, [[0.0], [0.1], [0.2]])))
    assert np.isnan(agreement.icc_of(np.full((2, 5), 0.5)))


def test_two_coders_are_compared_where_both_have_labelled() -> None:
    found = compared(
        Anna=labels([0, 1, 2, 3], jaw_drop=[0.1, 0.2, 0.3, NAN], lip_corner_pull_L=[0.5] * 4),
        Bo=labels([1, 2, 3, 4], jaw_drop=[0.3, 0.4, 0.5, 0.6]),
    )
    assert [each.channel for each in found.by_channel] == ["jaw_drop"]
    jaw = found.by_channel[0]
    assert (jaw.coders, jaw.frames, jaw.outliers) == (2, 2, 0)
    assert jaw.icc == pytest.approx(1.0)
    assert jaw.mae == pytest.approx(0.1)
    assert (found.by_pair[0].coders, found.by_pair[0].frames) == (("Anna", "Bo"), 2)
    assert found.agreed.frames.tolist() == [0, 1, 2, 3, 4]
    np.testing.assert_allclose(found.agreed.values[:, JAW], [0.1, 0.25, 0.35, 0.5, 0.6], atol=1e-6)


def test_of_three_the_one_who_is_far_off_is_left_out() -> None:
    found = compared(Anna=jaws(0.2, 0.3, 0.4), Bo=jaws(0.22, 0.3, 0.44), Cy=jaws(0.9, 0.3, 0.42))
    assert [(each.coder, each.frame, each.is_contested) for each in found.outliers] == [("Cy", 0, False)]
    assert found.outliers[0].median == pytest.approx(0.22)
    np.testing.assert_allclose(found.agreed.values[:, JAW], [0.21, 0.3, 0.42], atol=1e-6)


def test_of_two_nobody_can_tell_who_is_right() -> None:
    found = compared(Anna=jaws(0.2, 0.3, 0.4), Bo=jaws(0.9, 0.3, 0.45))
    assert {(each.coder, each.is_contested) for each in found.outliers} == {("Anna", True), ("Bo", True)}
    assert found.agreed.frames.tolist() == [1, 2]


def test_where_coders_differ_much_throughout_the_limit_is_wider_but_never_beyond_half_the_scale() -> None:
    random = np.random.default_rng(5)
    truth = random.uniform(0.3, 0.7, 200)
    rough = [np.clip(truth + random.normal(0, 0.12, 200), 0, 1) for _ in range(3)]
    found = compared(**{name: jaws(*values) for name, values in zip("ABC", rough, strict=True)})
    assert len(found.outliers) < 12
    rough[0][7] = 0.0
    rough[1][7] = rough[2][7] = 0.95
    found = compared(**{name: jaws(*values) for name, values in zip("ABC", rough, strict=True)})
    assert ("A", 7) in [(each.coder, each.frame) for each in found.outliers]


def test_clips_of_other_length_or_rate_are_told() -> None:
    slow = labels([0, 1, 2], jaw_drop=[0, 0, 0])
    slow = Labels(slow.frames, slow.frames / 30 * 2, slow.key, slow.values)
    with pytest.raises(
        AnnotationError, match=r"'Bo' has frame 1 at 0\.067 s, the others at 0\.040 s: .* Label the same"
    ):
        compared(Anna=jaws(0, 0, 0), Bo=slow)
    early = Labels(np.array([5]), np.array([0.01]), np.array([True]), jaws(0.5).values)
    with pytest.raises(AnnotationError, match="different clips"):
        compared(Anna=jaws(0, 0, 0), Bo=early)


def test_nobody_and_unknown_coders_are_told() -> None:
    with pytest.raises(AnnotationError, match="Nobody has labelled"):
        compared(Anna=Labels.empty())
    with pytest.raises(AnnotationError, match="no coder 'Zoe' in this folder: it has Anna"):
        agreement.compare(labelled.annotation({"Anna": jaws(0)}), ["Zoe"])
    alone = compared(Anna=jaws(0.5))
    assert (alone.by_channel, alone.by_pair, alone.outliers) == ((), (), ())
    assert alone.agreed.frames.tolist() == [0]


# The command --------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two coders, one of whom is called like a formula's end."""
    folder = tmp_path / "actor.annotation"
    coders = {"Anna": jaws(0.1, 0.2, 0.3, 0.4), "Bo +1": jaws(0.1, 0.3, 0.3, 1.0)}
    annotation.save(labelled.annotation(coders), folder)
    return folder


def test_agree_prints_and_writes(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "report.csv"
    assert cli.main(["agree", str(folder), "-o", str(output), "--write-agreed"]) == 0
    said = capsys.readouterr()
    assert "actor.mp4: 2 coders, 3 agreed frames" in said.out
    assert "frame 3, jaw_drop: Anna 0.40, median 0.70 (nobody can tell" in said.out
    assert said.err.count("Wrote ") == 2
    with output.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[1][:4] == ["channel", "jaw_drop", "2", "4"]
    assert float(rows[1][5]) == pytest.approx(0.175)
    assert [row[2] for row in rows if row and row[0] == "outlier"][1:] == ["Anna", "Bo +1"]
    stored = annotation.load(folder).agreed
    assert stored is not None
    assert stored.values[:, JAW] == pytest.approx([0.1, 0.25, 0.3])
    assert cli.main(["agree", str(folder), "--write-agreed"]) == 1
    assert "already exists" in capsys.readouterr().err


def test_agree_says_what_is_wrong(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["agree", str(tmp_path)]) == 1
    assert "no folder of labels" in capsys.readouterr().err
    assert cli.main(["agree", str(folder), "--coder", "Zoe"]) == 1
    assert "no coder 'Zoe'" in capsys.readouterr().err


# As a data set ------------------------------------------------------------------------------------------------------


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "anna_talks.mp4"
    clips.ffmpeg("-i", RENDERED, "-frames:v", "10", path)
    return path


def saved(clip: Path, **changes: object) -> Path:
    """Two coders of a real clip: the jaw, and a cheek puff that one coder gave by its sides."""
    with open_video(clip) as video:
        frames = video.info.frame_count
    facts = {"name": clip.name, "path": str(clip), "size_bytes": clip.stat().st_size, "sha256": file_sha256(clip)}
    anna = labels([2, 5, 8], jaw_drop=[0.1, 0.5, 0.2], cheek_puff_L=[0.2, 0.4, NAN], cheek_puff_R=[0.4, NAN, NAN])
    bo = labels([2, 5], jaw_drop=[0.2, 0.6])
    ids = ("jaw_drop", "cheek_puff", "cheek_puff_L", "cheek_puff_R")
    stored = labelled.annotation({"Anna": anna, "Bo": bo}, frames or 0, ids, **{**facts, **changes})
    folder = clip.with_suffix(".annotation")
    annotation.save(stored, folder)
    annotation.save_agreed(folder, agreement.compare(stored).agreed, stored.channels)
    return folder


def test_labelled_clips_are_a_data_set(clip: Path) -> None:
    folder = saved(clip)
    for named in (folder, folder.parent):
        (found,) = datasets.load("annotated", named)
        assert (found.name, found.subject, found.source) == ("anna_talks", "anna", clip)
        assert [target.name for target in found.labels.targets][:2] == ["jaw_drop", "cheek_puff"]
        assert found.labels.frames.tolist() == [2, 5, 8]
        assert found.labels.values[:, 0] == pytest.approx([0.15, 0.55, 0.2])
        np.testing.assert_allclose(found.labels.values[:, 1], [0.3, NAN, NAN], atol=1e-6)
    (of_bo,) = datasets.annotated.load(folder, "Bo")
    assert of_bo.labels.values.tolist() == [pytest.approx([0.2]), pytest.approx([0.6])]


def test_a_clip_that_has_moved_is_found_beside_the_folder_and_another_file_is_refused(clip: Path) -> None:
    folder = saved(clip, path="/elsewhere/anna_talks.mp4")
    assert datasets.load("annotated", folder)[0].source == clip
    clip.write_bytes(clip.read_bytes()[:-1] + b"x")
    with pytest.raises(DatasetError, match="not the file that"):
        datasets.load("annotated", folder)
    clip.unlink()
    with pytest.raises(DatasetError, match="put it beside that folder"):
        datasets.load("annotated", folder)


def test_faults_of_labelled_clips_are_told(clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = saved(clip)
    with pytest.raises(DatasetError, match="no labels of 'Zoe', only of Anna, Bo"):
        datasets.annotated.load(folder, "Zoe")
    (folder / "agreed.csv").unlink()
    with pytest.raises(DatasetError, match="--write-agreed"):
        datasets.load("annotated", folder)
    table_of(folder).write_text("x\n", encoding="utf-8")
    with pytest.raises(DatasetError, match=r"Anna\.csv, line 1"):
        datasets.load("annotated", folder)
    with pytest.raises(DatasetError, match="holds no folder"):
        datasets.load("annotated", folder / "coders")
    assert cli.main(["eval", str(tmp_path), "--coder", "Anna"]) == 2
    assert "Error: " in capsys.readouterr().err


def test_eval_scores_a_regressor_against_labels(clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = saved(clip)
    options = ["eval", "--dataset", "annotated", str(folder), "--regressor", "geometry", "--device", "cpu"]
    assert cli.main([*options, "--coder", "Bo"]) == 0
    said = capsys.readouterr().out
    assert "1 clip, 1 subject, 2 labelled frames" in said
    assert "jaw_drop" in said
