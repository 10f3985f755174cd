"""Heads that also read a moment before and after: which frames those are, offline and live."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from au_mocap import calibration, channels, pipeline, pose, windows
from au_mocap.calibration import Settings
from au_mocap.errors import ModelError
from au_mocap.live.looking import Looker
from au_mocap.registry import BUNDLED, Registry
from au_mocap.regressors import Regressor, features, open_regressor
from au_mocap.take import Take
from au_mocap.tracking import open_tracker
from au_mocap.video import open_video
from tests.core.conftest import GAP

FOLDER = Path(__file__).parents[1] / "data" / "two_stage"
FRAMES = pipeline.Range(0, 48)
BEFORE, AFTER = (channels.INDEX[f"lip_corner_pull_{side}"] for side in "LR")


@pytest.fixture(scope="module")
def moments() -> Regressor:
    return open_regressor(Registry((BUNDLED, FOLDER)), "moments", "cpu")


@pytest.fixture(scope="module")
def take(moments: Regressor, returning_clip: Path) -> Take:
    options = pipeline.Extraction(frames=FRAMES)
    return pipeline.extract(returning_clip, open_tracker("onnx", Registry(), "cpu"), moments, options)[0]


def around(times_s: list[float], lost: tuple[int, ...] = (), window_s: float = 0.4) -> tuple[list[int], list[int]]:
    known = ~np.isin(np.arange(len(times_s)), lost)
    earlier, later = windows.around(np.array(times_s), known, window_s)
    return earlier.tolist(), later.tolist()


@pytest.mark.parametrize(("rate_hz", "away"), [(10, 4), (24, 10), (25, 10), (30, 12), (60, 24), (2, 1)])
def test_window_is_as_long_at_every_frame_rate(rate_hz: float, away: int) -> None:
    earlier, later = around([frame / rate_hz for frame in range(80)])
    assert earlier == [max(frame - away, 0) for frame in range(80)]
    assert later == [min(frame + away, 79) for frame in range(80)]


def test_nearest_frame_counts_where_the_rate_varies() -> None:
    times_s = [0.0, 0.1, 0.35, 0.5, 0.52, 0.9, 2.0]
    assert around(times_s) == ([0, 0, 0, 1, 1, 3, 6], [2, 3, 5, 5, 5, 5, 6])


def test_face_is_not_followed_across_a_gap() -> None:
    times_s = [frame / 10 for frame in range(12)]
    earlier, later = around(times_s, lost=(5, 11))
    assert earlier == [0, 0, 0, 0, 0, 5, 6, 6, 6, 6, 6, 11]
    assert later == [4, 4, 4, 4, 4, 5, 10, 10, 10, 10, 10, 11]


def test_clips_of_hardly_a_frame_stand_alone() -> None:
    assert around([3.0]) == ([0], [0])
    assert around([]) == ([], [])
    assert around([0.0, 0.1], lost=(0, 1)) == ([0, 1], [0, 1])


def test_take_is_read_around_every_frame(take: Take, moments: Regressor) -> None:
    red = take.embedding[:, 0]
    stretches = np.split(np.flatnonzero(take.found), np.flatnonzero(np.diff(np.flatnonzero(take.found)) > 1) + 1)
    assert len(stretches) == 2
    for stretch in stretches:
        for frame in stretch:
            before, after = max(frame - 6, stretch[0]), min(frame + 6, stretch[-1])
            assert take.values[frame, [BEFORE, AFTER]] == pytest.approx(red[[before, after]], abs=1e-3)
    assert np.isnan(take.values[~take.found]).all()
    settings = Settings(smoothing="off", neutral=calibration.NeutralSettings("none"))
    found = take.found
    plain = moments.values(features(take))
    np.testing.assert_array_equal(plain[found], take.values[found])
    assert np.isfinite(calibration.curves(take, settings, moments).values[found]).all()


def test_frames_without_times_stand_alone(take: Take, moments: Regressor) -> None:
    alone = moments.values(replace(features(take), time_s=None))
    red = take.embedding[take.found, 0].astype(np.float32)
    np.testing.assert_allclose(alone[take.found][:, [BEFORE, AFTER]], np.stack([red, red], axis=1), atol=1e-6)


def test_live_there_is_the_past_alone(take: Take, moments: Regressor, returning_clip: Path) -> None:
    looker = Looker(open_tracker("onnx", Registry(), "cpu"), moments, pose.Camera((640, 360)))
    seen: list[tuple[int, float]] = []
    with open_video(returning_clip) as video:
        for frame in video.frames(FRAMES.start, FRAMES.stop):
            look = looker.look(frame.image, frame.time_s, None)
            if look is None:
                seen.clear()
                continue
            seen.append((frame.index, float(look.embedding[0])))
            before = next(red for index, red in seen if index >= frame.index - 6)
            assert look.values[[BEFORE, AFTER]] == pytest.approx([before, seen[-1][1]], abs=1e-5)
            assert len(look.seen.landmarks) == 1
    assert seen[0][0] >= GAP.stop


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("window_s = 0.2", "window_s = -0.2"), "'window_s' must be a number of seconds from 0 to 5, not -0.2"),
        (("window_s = 0.2", 'window_s = "long"'), "'window_s' must be a number of seconds"),
        (("window_s = 0.2", "window_s = true"), "'window_s' must be a number of seconds"),
        (("window_s = 0.2", "window_s = 60"), "from 0 to 5, not 60"),
        (("window_s = 0.2", ""), "inputs differ: earlier_embedding, later_embedding"),
    ],
)
def test_wrong_window_is_told(change: tuple[str, str], told: str, tmp_path: Path) -> None:
    for name in ("image.onnx", "moments_head.onnx"):
        (tmp_path / name).write_bytes((FOLDER / name).read_bytes())
    text = (FOLDER / "registry.toml").read_text(encoding="utf-8")
    (tmp_path / "registry.toml").write_text(text.replace(*change), encoding="utf-8")
    with pytest.raises(ModelError, match=re.escape(told)):
        open_regressor(Registry((BUNDLED, tmp_path)), "moments", "cpu")


def test_window_without_an_image_stage_is_told(tmp_path: Path) -> None:
    lines = (FOLDER / "registry.toml").read_text(encoding="utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.startswith("image"))
    (tmp_path / "registry.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match="'window_s' needs an 'image'"):
        Registry((BUNDLED, tmp_path)).regressor("moments")
