"""Several actors of one clip as several takes, from one pass over it."""

import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from . import pose
from .cast import LEAST_S, Cast, Faces, track_cast
from .errors import TakeError, TrackerError
from .onnx_tracker import OnnxTracker
from .pipeline import Extraction, FrameResult, Progress, TakeBuilder, describe, expected_frames, look
from .regressors import Regressor
from .take import Take
from .tracking import FaceTracker
from .video import VideoFrame, open_video, read_ahead

_OCTAVE_PARTS = 2
"""Faces whose sizes differ by less than half an octave are ordered by their places instead."""


class _Builders:
    """A take in the making for each actor; frames before the first sight are filled in when the actor appears."""

    def __init__(self, camera: pose.Camera, regressor: Regressor) -> None:
        self._camera = camera
        self._regressor = regressor
        self._frames: list[tuple[int, float]] = []
        self._of: dict[int, TakeBuilder] = {}
        self.faces = 0

    def __len__(self) -> int:
        return len(self._frames)

    def add(self, frame: VideoFrame, faces: Faces) -> None:
        """Adds a frame to everybody's take, looking closely at each face in it."""
        self.faces += bool(faces)
        for number in faces:
            if number not in self._of:
                self._of[number] = self._begun()
        for number, builder in self._of.items():
            builder.add(look(frame, faces.get(number), self._regressor))
        self._frames.append((frame.index, frame.time_s))

    def forget_all_but(self, kept: tuple[int, ...]) -> None:
        """Drops those who were given up."""
        self._of = {number: builder for number, builder in self._of.items() if number in kept}

    def takes(self) -> list[Take]:
        """The takes of those who were seen long enough, in no particular order."""
        if not self._frames:
            message = "Nothing was analysed: the video has no frames in the chosen range."
            raise TakeError(message)
        made = [builder.build({}) for builder in self._of.values() if builder.faces]
        return [take for take in made if _seen_s(take) >= LEAST_S]

    def _begun(self) -> TakeBuilder:
        builder = TakeBuilder(self._camera, self._regressor)
        for index, time_s in self._frames:
            builder.add(FrameResult(index, time_s, None, np.zeros(0, np.float32)))
        return builder


def analyse_all(
    path: Path,
    tracker: FaceTracker,
    regressor: Regressor,
    options: Extraction,
    on_progress: Callable[[Progress], bool] | None = None,
) -> tuple[list[Take], list[str]]:
    """Analyses everybody in a video in one pass.

    Args:
        path: Video file or image sequence.
        tracker: The bundled tracker, whose graphs are used.
        regressor: Regressor for the takes' values.
        options: Range, camera, and how many people to follow at most; the largest faces first.
        on_progress: Called after every frame; returning False stops the pass and keeps what was analysed.

    Returns:
        A take for each actor, all with the same frames, larger faces first and those of like size from left to right;
        `meta["actor"]` holds its `number` from 1 and how many there are (`of`). And warnings for the user.

    Raises:
        VideoError: The video cannot be read.
        TrackerError: The tracker can follow one person only.
        SettingsError: The number of people is out of range.
        TakeError: The range holds no frames, or nobody was seen for a second.
    """
    if not isinstance(tracker, OnnxTracker):
        message = "Only the bundled tracker follows several actors: choose the tracker onnx."
        raise TrackerError(message)
    started = time.perf_counter()
    cast = Cast(tracker, options.actors, regressor.maps)
    with open_video(path) as video:
        builders = _Builders(pose.Camera(video.info.size_px, options.fov_deg), regressor)
        total = expected_frames(video.info.frame_count, options.frames)
        frames = read_ahead(video.frames(options.frames.start, options.frames.stop))
        for frame, faces in track_cast(frames, cast):
            builders.add(frame, faces)
            builders.forget_all_but(cast.actors)
            progress = Progress(len(builders), total, builders.faces, time.perf_counter() - started)
            if on_progress is not None and not on_progress(progress):
                break
        takes = builders.takes()
        if not takes:
            message = (
                f"Nobody was seen in {video.info.name} for {LEAST_S:g} s: nothing was written. Faces must be seen, "
                "upright, from the front."
            )
            raise TakeError(message)
        described = describe(video, tracker, regressor, options)
        ordered = _ordered(takes)
        for number, take in enumerate(ordered, 1):
            take.meta.update({**described, "actor": {"number": number, "of": len(ordered)}})
        return ordered, list(video.warnings)


def _ordered(takes: list[Take]) -> list[Take]:
    def key(take: Take) -> tuple[int, float]:
        crop = np.median(take.crop[take.found], axis=0)
        return -math.floor(_OCTAVE_PARTS * math.log2(float(crop[2]))), float(crop[0])

    return sorted(takes, key=key)


def _seen_s(take: Take) -> float:
    """How long the face was seen: each frame counts until the next."""
    if len(take) < 2:
        return 0.0
    steps = np.diff(take.time_s)
    return float(np.append(steps, np.median(steps))[take.found].sum())
