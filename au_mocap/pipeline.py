"""One pass over a video: frames in, a take out.

`analyse` is a generator of `FrameResult` that the command line, Blender and the tests all drive: whoever iterates
shows progress, and stops by not iterating on. `TakeBuilder` gathers the results; `extract` is both in one call.
"""

import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from . import __version__, channels, crops, pose
from .clip_statistics import Pictures
from .errors import TakeError
from .landmarks import COUNT
from .regressors import Regressor, features_of, in_image_axes
from .take import Take
from .tracking import FaceTracker, TrackedFace, track_frames
from .video import Video, VideoFrame, file_sha256, open_video, read_ahead

_POSE_BATCH: Final = 16
"""Frames whose head pose is fitted at once: few enough for the processor's caches, which halves the time of 256."""

_LOOKERS: Final = min(max(2, (os.cpu_count() or 1) - 2), 4)
"""Faces that image stages look at beside the tracking of the next ones."""


@dataclass(frozen=True, slots=True)
class FrameResult:
    """What was found in one frame.

    Attributes:
        index: Frame number in the video.
        time_s: Presentation time in seconds.
        face: The followed face; None where it is not seen.
        embedding: (E,) float32 of the regressor's image stage; empty without a face or a stage.
        picture: (C, S, S) float32 in its place, where the regressor reads whole clips: `TakeBuilder.build` looks at it.
    """

    index: int
    time_s: float
    face: TrackedFace | None
    embedding: NDArray[np.float32]
    picture: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True)
class Range:
    """Frames to analyse: from `start` up to but not including `stop` (None: to the end)."""

    start: int = 0
    stop: int | None = None


@dataclass(slots=True)
class Progress:
    """How far a pass has come.

    Attributes:
        done: Frames analysed.
        total: Frames expected, None where the file does not say.
        faces: Frames in which the face was found.
        elapsed_s: Wall-clock seconds so far.
    """

    done: int
    total: int | None
    faces: int
    elapsed_s: float

    @property
    def frames_per_s(self) -> float:
        """Mean speed so far."""
        return self.done / self.elapsed_s if self.elapsed_s > 0 else 0.0


def analyse(video: Video, tracker: FaceTracker, regressor: Regressor, frames: Range = Range()) -> Iterator[FrameResult]:
    """Tracks the face through a video, and looks at it, while further frames are decoded ahead.

    Raises:
        VideoError: The video cannot be decoded.
        TrackerError: A frame cannot be read by the tracker.
        ModelError: The image stage does not fit its registry entry.
    """
    tracker.reset(regressor.maps)
    tracked = track_frames(read_ahead(video.frames(frames.start, frames.stop)), tracker)
    waiting = deque[Future[FrameResult]]()
    pool = ThreadPoolExecutor(_LOOKERS, thread_name_prefix="look")
    try:
        for frame, face in tracked:
            waiting.append(pool.submit(look, frame, face, regressor))
            if len(waiting) > _LOOKERS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:  # also where the caller stops early, or a frame fails
        pool.shutdown(cancel_futures=True)


def look(frame: VideoFrame, face: TrackedFace | None, regressor: Regressor) -> FrameResult:
    """What a regressor's image stage sees of a face; None for a frame without one. Raises as `analyse`."""
    nothing = np.zeros(0, np.float32)
    if face is None:
        return FrameResult(frame.index, frame.time_s, None, nothing)
    if regressor.stage is not None and regressor.of_whole_clips:
        picture = regressor.stage.picture(frame.image, face)
        return FrameResult(frame.index, frame.time_s, face, nothing, picture)
    return FrameResult(frame.index, frame.time_s, face, regressor.embed(frame.image, face))


@dataclass(slots=True)
class _Batch:
    landmarks: list[NDArray[np.float32]] = field(default_factory=list[NDArray[np.float32]])
    poses: list[pose.HeadPoses] = field(default_factory=list[pose.HeadPoses])


class TakeBuilder:
    """Gathers frame results into a take, at most 6 KB a frame.

    Attributes:
        faces: Frames with a face so far.
    """

    def __init__(self, camera: pose.Camera, regressor: Regressor) -> None:
        """Starts with no frames; `camera` is the one that filmed."""
        self._camera = camera
        self._regressor = regressor
        self.faces = 0
        self._first: int | None = None
        self._time_s: list[float] = []
        self._confidence: list[float] = []
        self._crop: list[NDArray[np.float32]] = []
        self._landmarks: list[NDArray[np.float16]] = []
        self._embedding: list[NDArray[np.float16]] = []
        self._pictures = Pictures()
        self._pictured: list[int] = []
        self._batch = _Batch()

    def __len__(self) -> int:
        """Frames so far."""
        return len(self._time_s)

    def add(self, result: FrameResult) -> None:
        """Adds the next frame."""
        self._first = result.index if self._first is None else self._first
        face = result.face
        self.faces += face is not None
        self._time_s.append(result.time_s)
        self._confidence.append(face.confidence if face else 0.0)
        if face is None:
            self._crop.append(np.full(4, np.nan, np.float32))
            self._landmarks.append(np.full((COUNT, 3), np.nan, np.float16))
            self._embedding.append(np.full(self._regressor.embedding_size, np.nan, np.float16))
            self._batch.landmarks.append(np.full((COUNT, 3), np.nan, np.float32))
        else:
            self._crop.append(face.crop.as_array())
            self._landmarks.append(crops.to_crop(face.landmarks, face.crop).astype(np.float16))
            self._embedding.append(self._seen(result))
            self._batch.landmarks.append(face.landmarks)
        if len(self._batch.landmarks) == _POSE_BATCH:
            self._fit_poses()

    def _seen(self, result: FrameResult) -> NDArray[np.float16]:
        """The embedding of a frame; of a picture that has to wait for the whole clip, a place for it."""
        if result.picture is None:
            return result.embedding.astype(np.float16)
        self._pictured.append(len(self._embedding))
        self._pictures.add(result.picture)
        return np.zeros(self._regressor.embedding_size, np.float16)

    def _look_at_pictures(self) -> dict[str, Any]:
        """Fills the places of pictures that waited; what the take's description says of them."""
        if not self._pictured:
            return {}
        for place, embedding in zip(self._pictured, self._regressor.embed_clip(self._pictures), strict=True):
            self._embedding[place] = embedding.astype(np.float16)
        return {"clip": {"deviation": self._pictures.deviation}}

    def _fit_poses(self) -> None:
        if self._batch.landmarks:
            self._batch.poses.append(pose.fit_poses(np.stack(self._batch.landmarks), self._camera))
            self._batch.landmarks.clear()

    def build(self, meta: dict[str, Any]) -> Take:
        """Finishes the take: values with the regressor's generic neutral, poses, description.

        Raises:
            TakeError: There are no frames.
            ModelError: The regressor failed.
        """
        if not self._time_s:
            message = "Nothing was analysed: the video has no frames in the chosen range."
            raise TakeError(message)
        self._fit_poses()
        meta = {**self._look_at_pictures(), **meta}
        landmarks = np.stack(self._landmarks)
        crop = np.stack(self._crop)
        embedding = np.stack(self._embedding)
        seen = features_of(in_image_axes(landmarks, crop[:, 3]), embedding, np.array(self._time_s))
        fitted = pose.HeadPoses(
            rotation=np.concatenate([poses.rotation for poses in self._batch.poses]),
            position=np.concatenate([poses.position for poses in self._batch.poses]),
        )
        poses = pose.corrected(fitted, seen.landmarks)
        return Take(
            time_s=np.array(self._time_s),
            found=~np.isnan(crop).any(axis=1),
            confidence=np.array(self._confidence, np.float32),
            values=self._regressor.values(seen),
            channels=channels.IDS,
            head_rotation=poses.rotation.astype(np.float32),
            head_position=poses.position.astype(np.float32),
            crop=crop,
            landmarks=landmarks,
            embedding=embedding,
            meta={"first_frame": self._first, **meta},
        )


@dataclass(frozen=True, slots=True)
class Extraction:
    """How to analyse a video.

    Attributes:
        frames: Which frames.
        fov_deg: Vertical field of view of the camera in degrees.
        actors: How many people to follow at most, where everybody in the shot is (`actors.analyse_all`).
    """

    frames: Range = Range()
    fov_deg: float = pose.DEFAULT_FOV_DEG
    actors: int = 1


def extract(
    path: Path,
    tracker: FaceTracker,
    regressor: Regressor,
    options: Extraction = Extraction(),
    on_progress: Callable[[Progress], bool] | None = None,
) -> tuple[Take, list[str]]:
    """Analyses a video from beginning to end.

    Args:
        path: Video file or image sequence.
        tracker: Face tracker; it is reset first.
        regressor: Regressor for the take's values.
        options: Range and camera.
        on_progress: Called after every frame; returning False stops the pass and keeps what was analysed.

    Returns:
        The take, and warnings for the user.

    Raises:
        VideoError: The video cannot be read.
        TakeError: Its range holds no frames.
    """
    started = time.perf_counter()
    with open_video(path) as video:
        builder = TakeBuilder(pose.Camera(video.info.size_px, options.fov_deg), regressor)
        total = expected_frames(video.info.frame_count, options.frames)
        for result in analyse(video, tracker, regressor, options.frames):
            builder.add(result)
            progress = Progress(len(builder), total, builder.faces, time.perf_counter() - started)
            if on_progress is not None and not on_progress(progress):
                break
        take = builder.build(describe(video, tracker, regressor, options))
        return take, list(video.warnings)


def expected_frames(count: int | None, frames: Range) -> int | None:
    """How many frames a range of a video holds, judging by the number that its file gives; None where that is open."""
    if count is None:
        return None if frames.stop is None else frames.stop - frames.start
    return max(0, min(count, frames.stop if frames.stop is not None else count) - frames.start)


def describe(video: Video, tracker: FaceTracker, regressor: Regressor, options: Extraction) -> dict[str, Any]:
    """What a take's meta data says of its making."""
    info = video.info
    return {
        "source": {
            "name": info.name,
            "path": str(info.path.resolve()),
            "size_bytes": info.path.stat().st_size if info.path.is_file() else None,
            "sha256": file_sha256(info.path) if info.path.is_file() else None,
            "rate_hz": info.rate_hz,
        },
        "frame_size": list(info.size_px),
        "tracker": {"name": tracker.name, "version": tracker.version},
        "regressor": {"name": regressor.entry.name, "version": regressor.entry.version},
        "settings": {"fov_deg": options.fov_deg, "start": options.frames.start, "stop": options.frames.stop},
        "made_by": f"AU Mocap {__version__}",
    }
