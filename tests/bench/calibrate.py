"""Changes of settings on a take of 10,000 frames: what an artist waits for while trying them."""

import time
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from statistics import median
from typing import Any, Final

import numpy as np

from au_mocap import DEFAULT_REGRESSOR, pipeline
from au_mocap.calibration import Calibrator, NeutralSettings, Settings
from au_mocap.registry import Registry
from au_mocap.regressors import open_regressor
from au_mocap.take import Take
from au_mocap.tracking import open_tracker
from training.packages import SINGLE_FACE, fetch

from . import Row, at_most

FRAMES: Final = 10_000
_RATE_HZ: Final = 30.0
_TURNS: Final = 3
_MOST_S: Final = 0.5
_LOST: Final = slice(4000, 4100)
"""Frames from which the face is taken, so that there is a gap to fill."""


def long_take(take: Take) -> Take:
    """The take again and again, with a gap."""
    rows = np.arange(FRAMES) % len(take)
    repeated: dict[str, Any] = {}
    for field in fields(Take):
        array = getattr(take, field.name)
        if isinstance(array, np.ndarray):
            repeated[field.name] = array[rows]
            if array.dtype.kind == "f":
                repeated[field.name][_LOST] = np.nan
    repeated["found"][_LOST] = False
    repeated["confidence"][_LOST] = 0.0
    repeated["time_s"] = np.arange(FRAMES) / _RATE_HZ
    return replace(take, **repeated)


_CHANGES: Final[dict[str, Callable[[int], Settings]]] = {
    "gain": lambda turn: Settings(gains={"jaw_drop": 1.0 + turn / 100}),
    "offset": lambda turn: Settings(offsets={"jaw_drop": turn / 100}),
    "mirror": lambda turn: Settings(mirror=turn % 2 == 0),
    "gaps": lambda turn: Settings(gaps="fade" if turn % 2 else "hold"),
    "smoothing": lambda turn: Settings(smoothing=("medium", "strong", "off")[turn]),
    "neutral": lambda turn: Settings(NeutralSettings("frames", (turn, turn + 1))),
}
"""Settings by what they change, for each turn others, so that none is answered from what was kept."""


def rows() -> Iterator[Row]:
    """Yield seconds to open the take, and for each kind of change (medians over turns)."""
    regressor = open_regressor(Registry(), DEFAULT_REGRESSOR, "cpu")
    short = pipeline.extract(fetch(SINGLE_FACE), open_tracker("onnx", Registry(), "cpu"), regressor)[0]
    take = long_take(short)
    started = time.perf_counter()
    Calibrator(take, regressor).curves(Settings())
    yield Row("open", time.perf_counter() - started, "s")
    for key, change in _CHANGES.items():
        calibrator = Calibrator(take, regressor)
        calibrator.curves(Settings())
        seconds: list[float] = []
        for turn in range(_TURNS):
            started = time.perf_counter()
            calibrator.curves(change(turn))
            seconds.append(time.perf_counter() - started)
        yield at_most(key, median(seconds), "s", _MOST_S)
