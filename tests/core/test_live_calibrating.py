"""The actor's neutral, live: from real frames at rest, and refused, with a reason, from any others."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from au_mocap import channels
from au_mocap.channels import INDEX
from au_mocap.live.calibrating import LENGTH_S, Calibration, NeutralSearch
from au_mocap.live.looking import Look, Looker
from au_mocap.live.session import DEFAULT_REGRESSOR
from au_mocap.pose import Camera
from au_mocap.registry import Registry
from au_mocap.regressors import Regressor, open_regressor
from au_mocap.tracking import TrackedFace
from au_mocap.video import VideoFrame, open_video
from tests.core.live import Pictures, live_threads, play, started, tracker, wait_for

RATE_HZ = 30.0


@pytest.fixture(scope="module")
def fast() -> Regressor:
    return open_regressor(Registry(), DEFAULT_REGRESSOR, "cpu")


@pytest.fixture(scope="module")
def clip(single_face: Path) -> list[VideoFrame]:
    with open_video(single_face) as video:
        return list(video.frames())


@pytest.fixture(scope="module")
def look(clip: list[VideoFrame], fast: Regressor) -> Look:
    """A real face at rest."""
    found = Looker(tracker(), fast, Camera((640, 360))).look(clip[0].image, 0.0, None)
    assert found is not None
    return found


@pytest.fixture(autouse=True)
def all_threads_end() -> object:
    yield
    wait_for(lambda: not live_threads(), "threads to end")


def searched(make: Callable[[int], Look | None], rate_hz: float = RATE_HZ) -> Calibration:
    """How a search over made-up frames ends."""
    search = NeutralSearch()
    for index in range(int(5 * rate_hz)):
        found = search.add(index / rate_hz, make(index))
        if found.state != "running":
            assert found.progress == 1.0
            return found
        assert 0.0 <= found.progress <= 1.0
        assert found.neutral is None
    pytest.fail("the search never ends")


def with_values(look: Look, **values: float) -> Look:
    table = look.values.copy()
    for channel_id, value in values.items():
        table[INDEX[channel_id]] = value
    return replace(look, values=table)


def turned(look: Look, yaw_rad: float) -> Look:
    return replace(look, rotation=np.array([np.cos(yaw_rad / 2), 0.0, np.sin(yaw_rad / 2), 0.0]))


def test_a_face_at_rest_is_averaged(look: Look) -> None:
    random = np.random.default_rng(1)

    def jittered(index: int) -> Look:
        seen = replace(look.seen, landmarks=look.seen.landmarks + random.normal(0, 0.01, (1, 478, 3)).astype("f4"))
        return replace(look, seen=seen)

    found = searched(jittered)
    assert found.state == "done"
    assert found.neutral is not None
    assert np.abs(found.neutral.landmarks - look.seen.landmarks[0]).max() < 0.01
    assert found.neutral.embedding == pytest.approx(look.seen.embedding[0], abs=1e-4)
    assert (found.neutral.weight == 1.0).all()
    assert found.head_rotation == pytest.approx(look.rotation, abs=1e-6)
    assert found.head_position == pytest.approx(look.position, abs=1e-6)
    assert "31 frames" in found.message


def test_a_blink_does_no_harm(look: Look) -> None:
    found = searched(lambda index: with_values(look, eye_close_L=0.9, eye_close_R=0.9) if 10 <= index < 16 else look)
    assert found.state == "done"
    assert "25 frames" in found.message


@pytest.mark.parametrize("rate_hz", [5.0, 15.0, 60.0])
def test_any_camera_can_calibrate(look: Look, rate_hz: float) -> None:
    assert searched(lambda index: look, rate_hz).state == "done"


REFUSED: dict[str, tuple[Callable[[Look, int], Look | None], str]] = {
    "no face": (lambda look, index: None, "No face was seen: look into the camera"),
    "half of the time": (lambda look, index: look if index % 2 else None, "lost now and then: stay in the picture"),
    "half hidden": (
        lambda look, index: replace(look, face=replace(look.face, confidence=0.3)),
        "only half to be seen: face the camera",
    ),
    "moving mouth": (lambda look, index: with_values(look, jaw_drop=index / 30), r"The face moved \(jaw drop\)"),
    "moving head": (lambda look, index: turned(look, index / 100), "The head moved: hold it still"),
    "blinking": (
        lambda look, index: with_values(look, eye_close_L=0.9 if index % 20 < 9 else 0.0),
        "keep them open for a second",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_rest_is_refused_with_a_reason(look: Look, case: str) -> None:
    change, told = REFUSED[case]
    found = searched(lambda index: change(look, index))
    assert found.state == "refused"
    assert found.neutral is None
    assert re.search(told, found.message), found.message


def test_the_looker_keeps_no_maps(look: Look) -> None:
    """They are a hundred times the size of all else, and a calibration keeps a second of looks."""
    assert isinstance(look.face, TrackedFace)
    assert not look.face.maps


def test_a_session_calibrates_and_uses_the_neutral(clip: list[VideoFrame], fast: Regressor) -> None:
    """40 times the first, calm frames, then the smile: with the neutral, rest is nearer to 0."""
    rest = [VideoFrame(k, k / RATE_HZ, clip[k % 3].image) for k in range(45)]
    source = Pictures(rest)
    session = started(source, fast, smoothing="off")
    assert session.calibration.state == "idle"
    seen: list[Calibration] = []

    def act(frame: object) -> None:
        if frame.index == 5:  # type: ignore[attr-defined]
            session.calibrate()
        seen.append(session.calibration)

    frames = play(session, source, act)
    states = [item.state for item in seen]
    assert states[:5] == ["idle"] * 5
    assert {"running", "done"} <= set(states)
    assert session.neutral is session.calibration.neutral is not None
    before, after = (frames[index].raw for index in (3, 44))
    assert after.sum() < 0.5 * before.sum()
    assert after.shape == (len(channels.IDS),)


def test_a_refused_calibration_keeps_the_neutral(clip: list[VideoFrame], fast: Regressor) -> None:
    wall = np.full_like(clip[0].image, 140)
    frames = [VideoFrame(k, k / RATE_HZ, clip[0].image if k < 5 else wall) for k in range(int(LENGTH_S * 30) + 15)]
    source = Pictures(frames)
    session = started(source, fast)
    session.set_neutral(None)
    play(session, source, lambda frame: session.calibrate() if frame.index == 6 else None)
    assert session.calibration.state == "refused"
    assert "No face was seen" in session.calibration.message
    assert session.neutral is None


def test_a_session_that_ends_meanwhile_says_so(clip: list[VideoFrame], fast: Regressor) -> None:
    source = Pictures(clip[:10])
    session = started(source, fast)
    play(session, source, lambda frame: session.calibrate() if frame.index == 5 else None)
    assert session.calibration.state == "refused"
    assert "ended before" in session.calibration.message
