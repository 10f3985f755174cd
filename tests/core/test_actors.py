"""Several takes from one pass over a clip: two faces side by side, one of whom comes later."""

from pathlib import Path

import numpy as np
import pytest

from au_mocap import actors, cli, pipeline
from au_mocap import take as takes
from au_mocap.crops import Crop
from au_mocap.errors import SettingsError, TakeError, TrackerError
from au_mocap.onnx_tracker import OnnxTracker
from au_mocap.pipeline import Extraction, Range
from au_mocap.registry import Registry
from au_mocap.regressors import Regressor
from au_mocap.take import Take
from au_mocap.tracking import open_tracker
from au_mocap.video import open_video
from tests.core import clips
from tests.core.command_line import rows_of
from tests.core.whole_clips import of_clips

FRAMES, LATE, RATE_HZ = 20, 5, 12.5
ALL = 12


@pytest.fixture(scope="module")
def tracker() -> OnnxTracker:
    opened = open_tracker("onnx", Registry(), device="cpu")
    assert isinstance(opened, OnnxTracker)
    return opened


@pytest.fixture(scope="module")
def duo(single_face: Path, langer: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1280x360, 12.5 fps, 20 frames: an actress, and on the right another one, who comes at frame 5."""
    sides: list[list[np.ndarray]] = []
    for clip in (langer, single_face):
        with open_video(clip) as video:
            sides.append([frame.image for frame in video.frames(0, 2 * FRAMES)][::2])
    sides[1][:LATE] = [np.full_like(sides[1][0], 100)] * LATE
    raw = b"".join(np.concatenate(pair, axis=1).tobytes() for pair in zip(*sides, strict=True))
    path = tmp_path_factory.mktemp("clips") / "duo.mp4"
    source = ("-f", "rawvideo", "-pix_fmt", "bgr24", "-s", "1280x360", "-r", str(RATE_HZ), "-i", "-")
    clips.ffmpeg(*source, "-c:v", "libx264", "-crf", "12", "-pix_fmt", "yuv420p", path, stdin=raw)
    return path


@pytest.fixture(scope="module")
def both(duo: Path, tracker: OnnxTracker, regressor: Regressor) -> list[Take]:
    """Everybody's takes from the frame on at which both are there."""
    return actors.analyse_all(duo, tracker, regressor, Extraction(Range(LATE), actors=ALL))[0]


def test_each_take_equals_that_of_the_actor_alone(
    duo: Path, both: list[Take], tracker: OnnxTracker, regressor: Regressor
) -> None:
    assert len(both) == 2
    for number, take in enumerate(both, 1):
        assert take.meta["actor"] == {"number": number, "of": 2}
        x, y, side, roll = (float(value) for value in take.crop[0])
        tracker.wanted = Crop(x, y, side, roll)
        try:
            alone, _ = pipeline.extract(duo, tracker, regressor, Extraction(Range(LATE)))
        finally:
            tracker.wanted = None
        assert alone.found.all()
        for name in ("time_s", "found", "confidence", "crop"):
            np.testing.assert_allclose(getattr(take, name), getattr(alone, name), atol=1e-3, err_msg=name)
        np.testing.assert_allclose(take.values, alone.values, atol=1e-3)
        np.testing.assert_allclose(take.head_rotation, alone.head_rotation, atol=1e-3)
        assert take.meta["source"] == alone.meta["source"]
        assert take.meta["regressor"] == alone.meta["regressor"]


def test_the_larger_face_comes_first(both: list[Take]) -> None:
    first, second = (np.median(take.crop, axis=0) for take in both)
    assert first[2] > 1.2 * second[2]
    assert first[0] < 640 < second[0]


def test_who_comes_later_has_all_frames_and_no_face_before(
    duo: Path, tracker: OnnxTracker, regressor: Regressor, tmp_path: Path
) -> None:
    seen: list[tuple[int, int]] = []

    def note(progress: pipeline.Progress) -> bool:
        seen.append((progress.done, progress.faces))
        return True

    made, _ = actors.analyse_all(duo, tracker, regressor, Extraction(actors=ALL), note)
    assert [len(take) for take in made] == [FRAMES, FRAMES]
    assert seen[-1] == (FRAMES, FRAMES)
    assert made[0].found.all()
    late = made[1]
    assert not late.found[:LATE].any()
    assert late.found[LATE + 3 :].all(), "newcomers are looked for ten times a second"
    assert np.isnan(late.values[:LATE]).all()
    assert (late.confidence[:LATE] == 0).all()
    takes.save(late, tmp_path / "late.take.npz")
    np.testing.assert_array_equal(takes.load(tmp_path / "late.take.npz").values, late.values)


def test_each_goes_by_the_deviation_of_the_own_pictures(
    duo: Path, tracker: OnnxTracker, regressor: Regressor, tmp_path: Path
) -> None:
    """A regressor that reads whole clips: what it knows of one actor's pictures must not reach the other's."""
    whole = of_clips(tmp_path)
    made, _ = actors.analyse_all(duo, tracker, whole, Extraction(Range(LATE), actors=ALL))
    first, second = (take.meta["clip"]["deviation"] for take in made)
    assert first != pytest.approx(second, rel=0.05)
    tracker.wanted = Crop(*(float(value) for value in made[1].crop[0]))
    try:
        alone, _ = pipeline.extract(duo, tracker, whole, Extraction(Range(LATE)))
    finally:
        tracker.wanted = None
    assert alone.meta["clip"]["deviation"] == pytest.approx(second, rel=1e-3)
    np.testing.assert_allclose(made[1].embedding, alone.embedding, atol=2e-2)


def test_stopping_keeps_what_was_analysed(duo: Path, tracker: OnnxTracker, regressor: Regressor) -> None:
    made, _ = actors.analyse_all(
        duo, tracker, regressor, Extraction(actors=ALL), lambda progress: progress.done < FRAMES - LATE
    )
    assert [len(take) for take in made] == [FRAMES - LATE], "the second was not seen for a second yet"


def test_nobody_for_long_enough(duo: Path, tracker: OnnxTracker, regressor: Regressor, no_face: Path) -> None:
    with pytest.raises(TakeError, match=r"Nobody was seen in duo\.mp4 for 1 s"):
        actors.analyse_all(duo, tracker, regressor, Extraction(Range(0, 5), actors=2))
    with pytest.raises(TakeError, match="Nobody was seen"):
        actors.analyse_all(no_face, tracker, regressor, Extraction(Range(0, 3), actors=2))


def test_what_cannot_be_asked_for(duo: Path, tracker: OnnxTracker, regressor: Regressor) -> None:
    class Other:
        name = version = "other"

        def track(self, image: object, time_s: float) -> None: ...

        def reset(self, maps: object = ()) -> None: ...

    with pytest.raises(TrackerError, match="choose the tracker onnx"):
        actors.analyse_all(duo, Other(), regressor, Extraction(actors=2))
    with pytest.raises(SettingsError, match="1 to 12 actors"):
        actors.analyse_all(duo, tracker, regressor, Extraction(actors=0))


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str]:
    """The command's exit code and what it said, in this process."""
    try:
        code = cli.main([str(argument) for argument in arguments])
    except SystemExit as stop:
        code = int(str(stop.code))
    return code, capsys.readouterr().err


def test_command_writes_takes_and_tables(capsys: pytest.CaptureFixture[str], duo: Path, tmp_path: Path) -> None:
    options = ("--actors", "all", "--regressor", "geometry", "--device", "cpu", "--frames", f"{LATE}:")
    code, said = run(capsys, "extract", duo, *options, "-o", tmp_path / "out")
    assert code == 0, said
    names = [f"duo.actor{number}{ending}" for number in (1, 2) for ending in (".csv", ".take.npz")]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == names
    stored = takes.load(tmp_path / "out" / "duo.actor2.take.npz")
    assert stored.meta["actor"] == {"number": 2, "of": 2}
    assert len(rows_of(tmp_path / "out" / "duo.actor2.csv")) == FRAMES - LATE
    code, said = run(capsys, "extract", duo, *options, "-o", tmp_path / "out")
    assert code == 1
    assert "already exists" in said


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ("a.mp4 --actors 0", "no number of actors"),
        ("a.mp4 --actors 13", "1 to 12"),
        ("a.mp4 --actors both", "no number of actors"),
        ("a.mp4 --actors all -o a.take.npz", "name a folder"),
        ("a.mp4 --actors 2 -o a.csv", "name a folder"),
        ("a.take.npz --actors 2", "--actors needs the video"),
        ("a/x.mp4 b/x.mp4 --actors 2 -o out", "share a name"),
    ],
)
def test_bad_usage_is_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: str, problem: str
) -> None:
    monkeypatch.chdir(tmp_path)
    code, said = run(capsys, "extract", *arguments.split())
    assert code == 2, said
    assert problem in said
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
