"""Measures one `extract` of a clip in a process of its own; prints one JSON object.

`python -m tests.bench.extract_once CLIP REGRESSOR`: the clock starts before anything of the project or of its libraries
is imported.
"""

import json
import sys
import tempfile
import time
from pathlib import Path


def measure(clip: Path, name: str) -> dict[str, float]:
    """Times a whole extraction, from importing the engine to the written take and table.

    Returns:
        Seconds from the first import to the first frame's result, frames per second of decoding, tracking, regression
        and writing (loading the graphs not counted, as for the peer), frames, faces, and peak memory in MB where the
        system tells it (0 elsewhere).
    """
    start = time.perf_counter()
    from au_mocap import calibration, exchange, pipeline, take
    from au_mocap.registry import Registry
    from au_mocap.regressors import open_regressor
    from au_mocap.tracking import open_tracker

    registry = Registry()
    regressor = open_regressor(registry, name)
    tracker = open_tracker("onnx", registry)
    ready = time.perf_counter()
    first: list[float] = []

    def note(_progress: pipeline.Progress) -> bool:
        if not first:
            first.append(time.perf_counter())
        return True

    made, _ = pipeline.extract(clip, tracker, regressor, on_progress=note)
    with tempfile.TemporaryDirectory() as folder:
        curves = calibration.curves(made, calibration.Settings(), regressor)
        exchange.write_csv(made, curves, Path(folder) / "take.csv")
        take.save(made, Path(folder) / "take.take.npz")
    end = time.perf_counter()
    return {
        "start_up_s": first[0] - start,
        "frames_per_s": len(made) / (end - ready),
        "frames": len(made),
        "faces": int(made.found.sum()),
        "peak_mb": _peak_mb(),
    }


def _peak_mb() -> float:
    status = Path("/proc/self/status")
    if status.exists():  # on Linux `ru_maxrss` counts what the parent held before it started this program, too
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e6
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # bytes on macOS


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(Path(sys.argv[1]), sys.argv[2])) + "\n")
