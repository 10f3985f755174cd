"""One live session over minutes, in a process of its own: `python -m tests.bench.live_once CLIP SECONDS`.

The main thread does what a user interface does: 60 times a second some milliseconds of Python, and a look at the
newest frame. Prints one line of JSON.
"""

import json
import sys
import time
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from au_mocap import calibration, pipeline
from au_mocap.live.session import DEFAULT_REGRESSOR, LiveFrame, LiveSettings, Session
from au_mocap.live.sources import FileSource
from au_mocap.registry import Registry
from au_mocap.regressors import Regressor, open_regressor
from au_mocap.tracking import FaceTracker, open_tracker

_TICK_S: Final = 1.0 / 60.0
_WORK: Final = 40_000
"""Additions of a tick: 2 to 3 ms."""
_WARM_S: Final = 60.0
"""By then the allocators have what they keep."""
_EASED: Final = 15
"""Frames after which the face has eased in."""
_MOST_DELAY_S: Final = 0.1


def tracker() -> FaceTracker:
    """The bundled tracker on the CPU."""
    return open_tracker("onnx", Registry(), "cpu")


def resident_mb() -> float:
    """Memory that this process holds now; NaN where the system does not tell in this way."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return float("nan")
    return pages * 4096 / 2**20


def tick() -> tuple[float, float]:
    """One turn of a user interface: seconds that it began too late, and that its own work took."""
    before_s = time.perf_counter()
    time.sleep(_TICK_S)
    began_s = time.perf_counter()
    total = 0
    for number in range(_WORK):
        total += number
    return began_s - before_s - _TICK_S, time.perf_counter() - began_s


def ticks_alone(seconds: float) -> NDArray[np.float64]:
    """(N, 2) ticks beside nothing."""
    return np.array([tick() for _ in range(int(seconds / _TICK_S / 1.3))])


class Log:
    """Rows of numbers whose memory is taken before the first one, so that keeping them is no growth of the session."""

    def __init__(self, width: int, most: int) -> None:
        self._table = np.full((most, width), np.nan)
        self._count = 0

    def add(self, *row: float) -> None:
        """Keeps a row; none beyond those that there is room for."""
        if self._count < len(self._table):
            self._table[self._count] = row
            self._count += 1

    @property
    def rows(self) -> NDArray[np.float64]:
        """(N, width) what was kept."""
        return self._table[: self._count]


def measure(clip: Path, seconds: float) -> dict[str, float]:
    """Play a clip for some seconds and gather what the bench shows."""
    alone = ticks_alone(3.0)
    regressor = open_regressor(Registry(), DEFAULT_REGRESSOR, "cpu")
    session = Session(FileSource(clip, loop=True), tracker, regressor)
    session.start()
    while session.state == "opening":
        time.sleep(0.01)
    started_s = time.perf_counter()
    weighed_s = -np.inf
    turns = int(seconds / _TICK_S) + 1
    ticks, shown, memory = Log(2, turns), Log(4, turns), Log(2, turns)
    while (now_s := time.perf_counter()) < started_s + seconds and session.state == "running":
        ticks.add(*tick())
        frame = session.newest()
        if frame is not None:
            age_s = time.perf_counter() - frame.captured_s
            analysed = frame.index - session.statistics.dropped
            shown.add(age_s, frame.ready_s - frame.captured_s, analysed, frame.time_s)
        if now_s - weighed_s > 1.0:
            weighed_s = now_s
            memory.add(now_s, resident_mb())
    played_s = time.perf_counter() - started_s
    dropped = session.statistics.dropped
    before_s = time.perf_counter()
    session.stop()
    stop_s = time.perf_counter() - before_s
    ages_s, latencies_s, analysed_frames, times_s = shown.rows.T
    late_s, work_s = ticks.rows.T
    return {
        "frames_per_s": float(np.ptp(analysed_frames) / np.ptp(times_s)),
        "shown_per_s": len(latencies_s) / played_s,
        "latency_s": float(np.median(latencies_s)),
        "latency_p99_s": float(np.percentile(latencies_s, 99)),
        "oldest_shown_s": float(ages_s.max()),
        "shown_p99_s": float(np.percentile(ages_s, 99)),
        "shown_late": float(np.mean(ages_s > _MOST_DELAY_S)),
        "dropped": dropped / (analysed_frames[-1] + dropped),
        "tick_late_p99_s": float(np.percentile(late_s, 99)),
        "tick_late_alone_p99_s": float(np.percentile(alone[:, 0], 99)),
        "tick_work_ratio": float(np.median(work_s) / np.median(alone[:, 1])),
        "memory_mb": float(memory.rows[-1, 1]),
        "growth_mb_per_hour": growth_mb_per_hour(memory.rows, started_s),
        "stop_s": stop_s,
    }


def growth_mb_per_hour(memory: NDArray[np.float64], started_s: float) -> float:
    """Slope of a line through the memory after warming up."""
    warm = memory[memory[:, 0] > started_s + _WARM_S]
    if len(warm) < 10 or np.isnan(warm).any():
        return float("nan")
    return float(np.polyfit(warm[:, 0], warm[:, 1], 1)[0] * 3600.0)


def agreement(clip: Path) -> dict[str, float]:
    """Play a clip once in its own time; compare with the offline curves of the same frames, less the filter's delay."""
    regressor = open_regressor(Registry(), DEFAULT_REGRESSOR, "cpu")
    offline = pipeline.extract(clip, tracker(), regressor)[0]
    reference = calibration.curves(offline, calibration.Settings(), regressor)
    frames = played_once(clip, regressor, reference.neutral)
    index = np.array([frame.index for frame in frames])
    times_s = np.array([frame.time_s for frame in frames])
    values = np.stack([frame.values for frame in frames])
    kept = (index >= _EASED) & np.array([frame.found for frame in frames])
    known = ~np.isnan(reference.values).any(axis=1)
    found: list[tuple[float, float]] = []
    for delay_s in np.arange(0.0, _MOST_DELAY_S, 0.005):
        shifted = np.stack(
            [np.interp(times_s - delay_s, reference.time_s[known], column[known]) for column in reference.values.T],
            axis=1,
        )
        found.append((float(np.abs(values - shifted)[kept].mean()), float(delay_s)))
    raw = np.abs(np.stack([frame.raw for frame in frames]) - reference.values[index])[kept]
    difference, delay_s = min(found)
    return {"difference": difference, "delay_s": delay_s, "difference_raw": float(np.nanmean(raw))}


def played_once(clip: Path, regressor: Regressor, neutral: calibration.NeutralChoice) -> list[LiveFrame]:
    """Every frame that a session shows of a clip."""
    session = Session(FileSource(clip), tracker, regressor, LiveSettings())
    session.set_neutral(neutral.neutral)
    session.start()
    frames: list[LiveFrame] = []
    while session.state in ("opening", "running"):
        frame = session.newest()
        if frame is not None:
            frames.append(frame)
        time.sleep(0.002)
    session.stop()
    return frames


def main(arguments: list[str]) -> None:
    """Print the figures of a clip; without seconds, those of the agreement with offline."""
    clip = Path(arguments[0])
    print(json.dumps(measure(clip, float(arguments[1])) if len(arguments) > 1 else agreement(clip)))


if __name__ == "__main__":
    main(sys.argv[1:])
