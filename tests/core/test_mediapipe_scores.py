"""The regressor `mediapipe`: MediaPipe's scores as channels, side by side and less the actor's neutral."""

import tomllib
from pathlib import Path

import numpy as np
import pytest

from au_mocap import blendshapes, calibration, channels, pipeline
from au_mocap.calibration import NeutralSettings, Settings
from au_mocap.landmarks import COUNT
from au_mocap.registry import BUNDLED, Registry
from au_mocap.regressors import Features, Neutral, Regressor, open_regressor
from au_mocap.take import Take
from au_mocap.tracking import open_tracker

# Upper lid and the lower lid's landmark beneath it, of the actor's left eye.
LEFT_LIDS = ((384, 381), (385, 380), (386, 374), (387, 373), (388, 390))


@pytest.fixture(scope="module")
def scores() -> Regressor:
    return open_regressor(Registry(), "mediapipe", "cpu")


@pytest.fixture(scope="module")
def take(scores: Regressor, single_face: Path) -> Take:
    return pipeline.extract(single_face, open_tracker("onnx", Registry(), "cpu"), scores)[0]


def seen(embedding: np.ndarray) -> Features:
    """Frames of which nothing but the scores is known."""
    count = len(embedding)
    return Features(np.zeros((count, COUNT, 3), np.float32), np.zeros((count, 3), np.float32), embedding)


def neutral(embedding: np.ndarray, upper: float, lower: float) -> Neutral:
    """A neutral that is trusted differently above and below the middle of the face."""
    weight = np.full((COUNT, 1), lower, np.float32)
    weight[10] = upper
    return Neutral(np.zeros((COUNT, 3), np.float32), weight, embedding)


def channel(values: np.ndarray, channel_id: str) -> np.ndarray:
    return values[:, channels.INDEX[channel_id]]


def test_every_channel_has_the_score_of_its_own_shape(scores: Regressor) -> None:
    for place, name in enumerate(blendshapes.SCORES):
        embedding = np.zeros((1, 52), np.float32)
        embedding[0, place] = 0.6
        values = scores.values(seen(embedding))[0]
        moved = {channels.IDS[index] for index in np.flatnonzero(values)}
        wanted = {
            item.id
            for item in channels.CHANNELS
            if item.id in channels.PREDICTED_IDS and item.arkit_shape.partition(",")[0] == name
        }
        wanted -= {"lips_together"}  # never above the dropped jaw, which is closed here
        wanted |= {mean for mean, sides in channels.SIDES_OF.items() if wanted & set(sides)}
        assert moved == wanted, name
        assert values[[channels.INDEX[channel_id] for channel_id in wanted & set(channels.PREDICTED_IDS)]] == (
            pytest.approx(0.6)
        )


def test_what_arkit_does_not_split_moves_both_sides(scores: Regressor) -> None:
    embedding = np.zeros((1, 52), np.float32)
    embedding[0, blendshapes.SCORES.index("cheekPuff")] = 0.3
    embedding[0, blendshapes.SCORES.index("browInnerUp")] = 0.7
    values = scores.values(seen(embedding))
    for stem, value in (("cheek_puff", 0.3), ("inner_brow_raise", 0.7)):
        assert channel(values, f"{stem}_L") == channel(values, f"{stem}_R") == pytest.approx(value)


def test_all_but_the_tongue_are_predicted(scores: Regressor) -> None:
    assert set(channels.PREDICTED_IDS) - set(scores.entry.channels) == {"tongue_out"}


def test_the_neutral_is_taken_out_as_far_as_it_is_trusted(scores: Regressor) -> None:
    rest, now = np.zeros(52, np.float32), np.zeros((3, 52), np.float32)
    brow, smile = (blendshapes.SCORES.index(name) for name in ("browInnerUp", "mouthSmileLeft"))
    rest[[brow, smile]] = 0.5
    now[:, brow] = now[:, smile] = (0.3, 0.5, 0.8)
    half = scores.values(seen(now), neutral(rest, 0.5, 1.0))
    np.testing.assert_allclose(channel(half, "lip_corner_pull_L"), (0, 0, 0.6), atol=1e-6)
    np.testing.assert_allclose(channel(half, "inner_brow_raise_L"), (0.05 / 0.75, 0.25 / 0.75, 0.55 / 0.75), atol=1e-6)
    np.testing.assert_array_equal(scores.values(seen(now), neutral(rest, 0.0, 0.0)), scores.values(seen(now)))


def test_a_neutral_near_the_top_is_not_stretched_without_end(scores: Regressor) -> None:
    rest = np.full(52, 0.98, np.float32)
    values = scores.values(seen(np.full((1, 52), 1.0, np.float32)), neutral(rest, 1.0, 1.0))
    assert channel(values, "inner_brow_raise_L") == pytest.approx(0.02 / 0.2, abs=1e-5)


def test_left_is_the_actors_left(scores: Regressor, take: Take) -> None:
    """The left eye of a tracked face shut by hand: its upper lid's landmarks laid on the lower one's."""
    session = scores.stage.session if scores.stage else None
    assert session is not None
    points = take.landmarks[0].astype(np.float32)
    shut = points.copy()
    for upper, lower in LEFT_LIDS:
        shut[upper] = points[lower]
    open_, closed = (session.run({"points": blendshapes.points_of(face * 256)})[0] for face in (points, shut))
    change = scores.values(seen(closed[None])) - scores.values(seen(open_[None]))
    assert channel(change, "eye_close_L") > 0.5
    assert abs(channel(change, "eye_close_R")) < 0.1


def test_a_smile_is_seen_and_the_neutral_still(scores: Regressor, take: Take) -> None:
    curves = calibration.curves(take, Settings(), scores)
    smile = channel(curves.values, "lip_corner_pull_L")
    assert smile[:10].max() < 0.1
    assert smile[30:60].min() > 0.6
    raw = calibration.curves(take, Settings(NeutralSettings("none"), smoothing="off", contact=0.0), scores)
    face = [index for index, channel_id in enumerate(channels.IDS) if not channel_id.startswith("look_")]
    np.testing.assert_allclose(raw.values[:, face], take.values[:, face], atol=1e-6)
    assert take.embedding.shape == (len(take), 52)
    assert np.abs(take.embedding.astype(float)).max() <= 1


def test_the_head_and_its_entry_are_made_from_nothing(tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed: `python make.py env train` installs it")
    from training import mediapipe_head

    mediapipe_head.write(tmp_path)
    assert (tmp_path / mediapipe_head.FILE).read_bytes() == (BUNDLED / mediapipe_head.FILE).read_bytes()
    made, bundled = (
        next(
            row
            for row in tomllib.loads((folder / "registry.toml").read_text(encoding="utf-8"))["regressor"]
            if row["name"] == "mediapipe"
        )
        for folder in (tmp_path, BUNDLED)
    )
    bundled.pop("accuracy", None)
    assert made == bundled


def test_figures_measured_before_stay_in_the_entry(tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed: `python make.py env train` installs it")
    from training import mediapipe_head

    mediapipe_head.write(tmp_path)
    with (tmp_path / "registry.toml").open("a", encoding="utf-8") as file:
        file.write("accuracy = { icc_feafa24 = 0.25 }\n")
    for _ in range(2):
        mediapipe_head.write(tmp_path)
        assert Registry((tmp_path,)).regressor("mediapipe").accuracy == {"icc_feafa24": 0.25}
