"""Keys that stay of the real clips' curves at an error of 0.01: with straight lines, and with fitted handles."""

import time
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from au_mocap import DEFAULT_REGRESSOR, bezier, calibration, channels, mapping, pipeline, reduction
from au_mocap.registry import Registry
from au_mocap.regressors import open_regressor
from au_mocap.tracking import open_tracker
from training import packages

from . import Row, at_least, at_most

TOLERANCE: Final = 0.01
_CLIPS: Final = {
    "single_face": packages.SINGLE_FACE,
    "langer": packages.LANGER,
    "webcam_a": packages.WEBCAM_A,
    "webcam_b": packages.WEBCAM_B,
}
_LONG: Final = 10_000


def rows() -> Iterator[Row]:
    """For each clip how many times fewer keys there are, and the largest error; then the time for a long take."""
    registry = Registry()
    regressor, tracker = open_regressor(registry, DEFAULT_REGRESSOR, "cpu"), open_tracker("onnx", registry, "cpu")
    totals = np.zeros(3)
    longest: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None
    for clip, package in _CLIPS.items():
        take, _ = pipeline.extract(packages.fetch(package), tracker, regressor)
        curves = calibration.curves(take, calibration.Settings(gaps="hold"), regressor)
        frames = 24.0 * curves.time_s
        played = mapping.evaluate(mapping.load("arkit"), channels.IDS, curves.values)
        table = np.stack([np.asarray(each, np.float64) for each in played.values()], axis=1)
        counts, errors = _reduced(frames, table)
        totals += counts
        yield Row(f"{clip}_lines", counts[0] / counts[1], "times fewer")
        yield Row(f"{clip}_handles", counts[0] / counts[2], "times fewer")
        yield at_most(f"{clip}_error", errors, "", TOLERANCE)
        if longest is None or len(table) > len(longest[1]):
            longest = frames, table
    yield Row("all_lines", totals[0] / totals[1], "times fewer")
    yield at_least("all_handles", totals[0] / totals[2], "times fewer", 5.0)
    assert longest is not None
    table = np.concatenate([longest[1]] * (1 + _LONG // len(longest[1])))[:_LONG]
    started = time.perf_counter()
    for values in table.T:
        bezier.fit(np.arange(_LONG, dtype=np.float64), values, TOLERANCE)
    yield at_most("fit_10000_frames", time.perf_counter() - started, "s", 8.0, f"{table.shape[1]} curves")


def _reduced(frames: NDArray[np.float64], table: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Samples, keys with lines and keys with handles; the largest error of the latter."""
    lines = handles = 0
    worst = 0.0
    for values in table.T:
        lines += int(reduction.keep(frames, values, TOLERANCE).sum())
        keys = bezier.fit(frames, values, TOLERANCE)
        handles += len(keys.kept)
        worst = max(worst, float(np.abs(bezier.evaluate(frames[keys.kept], keys, frames) - values).max()))
    return np.array([float(table.size), lines, handles]), worst
