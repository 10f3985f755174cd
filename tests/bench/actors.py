"""Frames a second with one face and with two in the shot, for one take and for everybody's."""

import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import imageio_ffmpeg

from au_mocap import DEFAULT_REGRESSOR, actors, pipeline
from au_mocap.cast import MOST_ACTORS
from au_mocap.registry import Registry
from au_mocap.regressors import open_regressor
from au_mocap.tracking import open_tracker
from training import packages

from . import Row, at_least

_FRAMES: Final = 72
_SHOTS: Final = {"one_face": "[0:v]pad=1280:360[v]", "two_faces": "[0:v][1:v]hstack[v]"}


def rows() -> Iterator[Row]:
    """Each shot is analysed by both ways; everybody's takes of two faces take less than two passes."""
    registry = Registry()
    regressor, tracker = open_regressor(registry, DEFAULT_REGRESSOR, "cpu"), open_tracker("onnx", registry, "cpu")
    options = pipeline.Extraction(pipeline.Range(0, _FRAMES), actors=MOST_ACTORS)
    with tempfile.TemporaryDirectory() as name:
        for shot, drawn in _SHOTS.items():
            clip = _composed(drawn, Path(name) / f"{shot}.mp4")
            pipeline.extract(clip, tracker, regressor, pipeline.Extraction(pipeline.Range(0, 5)))  # warms up
            single = _rate(lambda clip=clip: pipeline.extract(clip, tracker, regressor, options))
            everybody = _rate(lambda clip=clip: actors.analyse_all(clip, tracker, regressor, options))
            yield Row(f"{shot}_single", single, "frames/s")
            yield Row(f"{shot}_everybody", everybody, "frames/s")
            yield at_least(f"{shot}_ratio", everybody / single, "", 0.8 if shot == "one_face" else 0.5)


def _rate(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return _FRAMES / (time.perf_counter() - started)


def _composed(drawn: str, path: Path) -> Path:
    sources = [("-i", str(packages.fetch(each))) for each in (packages.LANGER, packages.SINGLE_FACE)]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *sources[0], *sources[1], "-filter_complex", drawn]
    subprocess.run([*command, "-map", "[v]", "-frames:v", str(_FRAMES), "-an", str(path)], check=True)
    return path
