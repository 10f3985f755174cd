"""Extractions that several test files read: each clip is analysed once a session."""

from pathlib import Path

import numpy as np
import pytest

from au_mocap import pipeline
from au_mocap.registry import Registry
from au_mocap.regressors import Regressor, open_regressor
from au_mocap.take import Take, save
from au_mocap.tracking import open_tracker
from au_mocap.video import open_video
from tests.core import clips


def extract(path: Path, regressor: Regressor) -> Take:
    """The take of a clip, by the bundled tracker on the CPU."""
    return pipeline.extract(path, open_tracker("onnx", Registry(), "cpu"), regressor)[0]


@pytest.fixture(scope="session")
def regressor() -> Regressor:
    return open_regressor(Registry(), "geometry", "cpu")


@pytest.fixture(scope="session")
def single_face_take(single_face: Path, regressor: Regressor) -> Take:
    """72 frames, a face in each, neutral to smile."""
    return extract(single_face, regressor)


@pytest.fixture(scope="session")
def langer_take(langer: Path, regressor: Regressor) -> Take:
    """472 frames that begin with closed eyes."""
    return extract(langer, regressor)


GAP = range(20, 35)
"""Frames of `returning_clip` without a face."""


@pytest.fixture(scope="session")
def returning_clip(single_face: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """640x360, 30 fps, 60 frames: the first 60 of `single_face`, those of `GAP` replaced by a plain wall."""
    with open_video(single_face) as video:
        images = [frame.image for frame in video.frames(0, 60)]
    wall = np.full_like(images[0], 140)
    raw = b"".join((wall if index in GAP else image).tobytes() for index, image in enumerate(images))
    path = tmp_path_factory.mktemp("clips") / "returning.mp4"
    source = ("-f", "rawvideo", "-pix_fmt", "bgr24", "-s", "640x360", "-r", "30", "-i", "-")
    clips.ffmpeg(*source, "-c:v", "libx264", "-crf", "12", "-pix_fmt", "yuv420p", path, stdin=raw)
    return path


@pytest.fixture(scope="session")
def returning_take(returning_clip: Path, regressor: Regressor) -> Take:
    return extract(returning_clip, regressor)


@pytest.fixture(scope="session")
def stored(single_face_take: Take, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The take of `single_face` on disk."""
    path = tmp_path_factory.mktemp("stored") / "actor.take.npz"
    save(single_face_take, path)
    return path
