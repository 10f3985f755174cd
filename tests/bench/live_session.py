"""Live: a 640x480 clip at 30 frames a second as the camera, for minutes beside a user interface."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import cv2

from au_mocap.live.film import open_film
from au_mocap.video import open_video
from tests.environments import ROOT
from training.packages import LANGER, SINGLE_FACE, WEBCAM_A, WEBCAM_B, fetch

from . import Row, at_least, at_most

_SECONDS: Final = 150
_SIZE_PX: Final = (640, 480)
_RATE_HZ: Final = 30.0
_AGREE: Final = {"single_face": SINGLE_FACE, "webcam_a": WEBCAM_A, "webcam_b": WEBCAM_B, "langer": LANGER}


def as_camera(path: Path) -> Path:
    """Write a face, there and back so that the loop has no jump, as a camera would give it."""
    with open_video(fetch(SINGLE_FACE)) as video:
        images = [frame.image for frame in video.frames()]
    film = open_film(path, _SIZE_PX, _RATE_HZ)
    edge = (_SIZE_PX[1] - images[0].shape[0]) // 2
    for image in [*images, *images[-2:0:-1]]:
        film.write(cv2.copyMakeBorder(image, edge, edge, 0, 0, cv2.BORDER_REPLICATE))  # type: ignore[arg-type]
    film.close()
    return path


def rows() -> Iterator[Row]:
    """Yield speed, delay, memory and agreement with offline analysis."""
    with tempfile.TemporaryDirectory() as folder:
        found = _run(as_camera(Path(folder) / "camera.avi"), _SECONDS)
    yield at_least("frame_rate", found["frames_per_s"], "frames/s", 29.5, "analysed; the camera gives 30")
    yield Row("shown_rate", found["shown_per_s"], "frames/s", note="by an interface that looks 50 to 60 times a second")
    yield at_most("latency", found["latency_s"], "s", 0.05, "capture to values, median")
    yield Row("latency_p99", found["latency_p99_s"], "s")
    yield at_most("oldest_shown", found["oldest_shown_s"], "s", 0.1, "the worst of all frames, when it is shown")
    yield Row("shown_p99", found["shown_p99_s"], "s")
    yield at_most("shown_late", found["shown_late"], "", 0.0, "share of frames older than 0.1 s when shown")
    yield Row("dropped", found["dropped"], "", note="share of the camera's frames")
    yield Row("tick_late_p99", found["tick_late_p99_s"], "s", note="how late a tick of the interface begins")
    yield Row("tick_late_alone_p99", found["tick_late_alone_p99_s"], "s", note="the same without a session")
    yield Row("tick_work_ratio", found["tick_work_ratio"], "", note="a tick's own work beside a session and without")
    yield Row("memory", found["memory_mb"], "MB")
    note = f"slope over the last 90 of {_SECONDS} s, not an hour's run"
    yield at_most("memory_growth", found["growth_mb_per_hour"], "MB/hour", 100.0, note)
    yield at_most("stop", found["stop_s"], "s", 0.5)
    for name, package in _AGREE.items():
        agreed = _run(fetch(package))
        note = f"after {agreed['delay_s']:.3f} s of delay; unfiltered {agreed['difference_raw']:.4f}"
        yield at_most(f"{name}_difference", agreed["difference"], "", 0.05, note)


def _run(clip: Path, *more: object) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.bench.live_once", str(clip), *map(str, more)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])
