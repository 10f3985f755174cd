"""Extraction with every regressor against mediapipe's Face Landmarker in VIDEO mode, in turns in one run."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final

from au_mocap import DEFAULT_REGRESSOR
from au_mocap.registry import Registry
from tests.environments import ROOT, MissingEnvironmentError, python_of
from training.packages import FACE_LANDMARKER_TASK, LANGER, PackageError, fetch

from . import Row, at_least, at_most, skipped

_TURNS: Final = 5
_LEAST_RATIO: Final = {"accurate": 1.0, "fast": 2.0, "geometry": 1.5}
"""Regressors with the speed that is asked of them, as a multiple of the peer's."""

_NO_PEER: Final = "the mediapipe package cannot be installed here"
_MOST_MEMORY_MB: Final = 1000.0
_MOST_START_UP_S: Final = 2.0


def _run(command: Sequence[str | Path]) -> dict[str, Any]:
    done = subprocess.run([str(part) for part in command], cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def _peer(clip: Path) -> list[str | Path]:
    """The command that measures the peer; empty where its package or bundle cannot be had."""
    try:
        return [python_of("mediapipe"), ROOT / "tests/bench/mediapipe_video.py", fetch(FACE_LANDMARKER_TASK), clip]
    except (MissingEnvironmentError, PackageError):
        return []


def rows() -> Iterator[Row]:
    """Yield speed and ratio to the peer of every regressor, start-up time and peak memory (medians over turns)."""
    clip = fetch(LANGER)
    peer = _peer(clip)
    names = [entry.name for entry in Registry().regressors]
    ours = {name: [sys.executable, "-m", "tests.bench.extract_once", clip, name] for name in names}
    _run(ours[DEFAULT_REGRESSOR])  # warms the file cache for all
    measured: dict[str, list[dict[str, float]]] = {name: [] for name in ours}
    theirs: dict[str, list[float]] = {"mediapipe_package": [], "mediapipe_package_with_scores": []}
    for _ in range(_TURNS):
        for name, command in ours.items():
            measured[name].append(_run(command))
        if peer:
            theirs["mediapipe_package"].append(_run(peer)["frames_per_s"])
            theirs["mediapipe_package_with_scores"].append(_run([*peer, "--blendshapes"])["frames_per_s"])
    for name, rates in theirs.items():
        yield Row(f"{name}_rate", median(rates), "frames/s") if rates else skipped(f"{name}_rate", _NO_PEER)
    for name, turns in measured.items():
        rates = [turn["frames_per_s"] for turn in turns]
        yield Row(f"{name}_rate", median(rates), "frames/s")
        for package, their_rates in theirs.items():
            key, limit = f"{name}_ratio_to_{package}", _LEAST_RATIO.get(name)
            if not peer:
                yield skipped(key, _NO_PEER)
            else:
                ratio = median(a / b for a, b in zip(rates, their_rates, strict=True))
                asked = limit is not None and package == "mediapipe_package"
                yield at_least(key, ratio, "", limit or 0.0) if asked else Row(key, ratio)
    turns = measured[DEFAULT_REGRESSOR]
    yield at_most("start_up", median(turn["start_up_s"] for turn in turns), "s", _MOST_START_UP_S)
    yield at_most("peak_memory", median(turn["peak_mb"] for turn in turns), "MB", _MOST_MEMORY_MB)
