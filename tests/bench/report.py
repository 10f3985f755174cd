"""The page of a ten-minute take: seconds and megabytes, with pictures of its video."""

import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import imageio_ffmpeg
import numpy as np

from au_mocap import DEFAULT_REGRESSOR, calibration, html_report, pipeline
from au_mocap import take as takes
from au_mocap.registry import Registry
from au_mocap.regressors import open_regressor
from au_mocap.take import Take
from au_mocap.tracking import open_tracker
from training import packages

from . import Row, at_most

_RATE_HZ: Final = 30
_FRAMES: Final = 600 * _RATE_HZ
_FACELESS: Final = (700, 60)
"""A gap begins every so many frames, and lasts so many."""


def rows() -> Iterator[Row]:
    """From the stored take to the page on disk, alone and compared with another take of the clip."""
    registry = Registry()
    regressor, tracker = open_regressor(registry, DEFAULT_REGRESSOR, "cpu"), open_tracker("onnx", registry, "cpu")
    clip = packages.fetch(packages.LANGER)
    short, _ = pipeline.extract(clip, tracker, regressor, pipeline.Extraction(pipeline.Range(0, 150)))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        takes.save(_repeated(short, _long_video(clip, folder / "long.mp4")), folder / "long.take.npz")
        for key, compared in (("page", False), ("comparison", True)):
            started = time.perf_counter()
            settings = calibration.Settings()
            take = takes.load(folder / "long.take.npz")
            shown = html_report.Performance("long", take, calibration.curves(take, settings, regressor), settings)
            notes = html_report.write(shown, folder / "long.html", against=shown if compared else None)
            yield at_most(f"{key}_seconds", time.perf_counter() - started, "s", 10.0, "; ".join(notes))
            yield at_most(f"{key}_size", (folder / "long.html").stat().st_size / 1e6, "MB", 10.0)


def _long_video(clip: Path, path: Path) -> Path:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-stream_loop", "-1", "-i", str(clip), "-t", "760"]
    subprocess.run([*command, "-c", "copy", "-an", str(path)], check=True)
    return path


def _repeated(take: Take, video: Path) -> Take:
    """The take forwards and backwards until it is long enough, with gaps."""
    index = np.arange(_FRAMES) % (2 * len(take) - 2)
    index = np.minimum(index, 2 * len(take) - 2 - index)
    names = ("found", "confidence", "values", "head_rotation", "head_position", "crop", "landmarks", "embedding")
    arrays: dict[str, Any] = {name: getattr(take, name)[index] for name in names}
    gap = np.arange(_FRAMES) % _FACELESS[0] >= _FACELESS[0] - _FACELESS[1]
    arrays["found"][gap], arrays["confidence"][gap] = False, 0.0
    for name in names[2:]:
        arrays[name][gap] = np.nan
    meta = {**take.meta, "source": {**take.meta["source"], "path": str(video)}}
    return replace(take, time_s=np.arange(_FRAMES) / _RATE_HZ, meta=meta, **arrays)
