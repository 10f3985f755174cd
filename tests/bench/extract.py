"""Extraction with `geometry` against the mediapipe package's Face Landmarker in VIDEO mode, in turns in one run."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final

from tests.environments import ROOT, MissingEnvironmentError, python_of
from training.packages import FACE_LANDMARKER_TASK, LANGER, PackageError, fetch

from . import Row, at_least, at_most, skipped

_TURNS: Final = 5
_LEAST_RATIO: Final = 1.5
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
    """Yield speed, ratio to the peer, start-up time and peak memory (medians over turns)."""
    clip = fetch(LANGER)
    ours = [sys.executable, "-m", "tests.bench.extract_once", clip]
    peer = _peer(clip)
    _run(ours)  # warms the file cache for both
    mine, theirs, theirs_with_scores = [], [], []
    for _ in range(_TURNS):
        mine.append(_run(ours))
        if peer:
            theirs.append(_run(peer)["frames_per_s"])
            theirs_with_scores.append(_run([*peer, "--blendshapes"])["frames_per_s"])
    rates = [one["frames_per_s"] for one in mine]
    yield Row("frames_per_second", median(rates), "frames/s")
    if not peer:
        yield skipped("ratio_to_mediapipe", "the mediapipe package cannot be installed here")
    else:
        yield Row("mediapipe_frames_per_second", median(theirs), "frames/s")
        yield Row("mediapipe_with_scores_frames_per_second", median(theirs_with_scores), "frames/s")
        ratio = median(a / b for a, b in zip(rates, theirs, strict=True))
        yield at_least("ratio_to_mediapipe", ratio, "", _LEAST_RATIO)
        ratio = median(a / b for a, b in zip(rates, theirs_with_scores, strict=True))
        yield Row("ratio_to_mediapipe_with_scores", ratio)
    yield at_most("start_up", median(one["start_up_s"] for one in mine), "s", _MOST_START_UP_S)
    yield at_most("peak_memory", median(one["peak_mb"] for one in mine), "MB", _MOST_MEMORY_MB)
