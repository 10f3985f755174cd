"""Decoding: au_mocap.video against bare OpenCV on the 472-frame clip, in turns in one run."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Final

import cv2

from au_mocap.video import open_video, read_ahead
from training.packages import LANGER, fetch

from . import Row, at_least

_TURNS: Final = 7
_LEAST_SHARE: Final = 0.9


def _bare(clip: Path) -> int:
    capture = cv2.VideoCapture(str(clip))
    count = 0
    while capture.read()[0]:
        count += 1
    capture.release()
    return count


def _frames(clip: Path) -> int:
    with open_video(clip) as video:
        return sum(1 for _ in video.frames())


def _ahead(clip: Path) -> int:
    with open_video(clip) as video:
        return sum(1 for _ in read_ahead(video.frames()))


def rows() -> Iterator[Row]:
    """Yield frames per second and ratios to bare OpenCV (medians over turns)."""
    clip = fetch(LANGER)
    ways: dict[str, Callable[[Path], int]] = {"bare_opencv": _bare, "frames": _frames, "read_ahead": _ahead}
    rates: dict[str, list[float]] = {key: [] for key in ways}
    for _ in range(_TURNS):
        for key, way in ways.items():
            start = time.perf_counter()
            count = way(clip)
            rates[key].append(count / (time.perf_counter() - start))
    for key, rate in rates.items():
        yield Row(key, median(rate), "frames/s")
    for key in ("frames", "read_ahead"):
        ratios = [mine / bare for mine, bare in zip(rates[key], rates["bare_opencv"], strict=True)]
        yield at_least(f"{key}_to_bare_opencv", median(ratios), "", _LEAST_SHARE)
