"""Following one face through a video: the seam between video and everything that reads faces.

A `FaceTracker` is shown the frames of one video in order and says where the face's landmarks are. It follows the
largest face of the first frame that has one, and keeps to that person while others cross or come nearer. A frame
without that face gives None: nothing is made up.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Generic, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from .crops import Crop, Image, readable
from .errors import TrackerError
from .landmark_model import LandmarkResult
from .registry import Registry
from .runtimes import AUTOMATIC_THREADS

_ENOUGH_PX: Final = 64.0
"""Side of the smallest crop that shows a face well enough."""


@dataclass(frozen=True, slots=True)
class TrackedFace:
    """A face in one frame.

    Attributes:
        landmarks: (478, 3) float32 image pixels, x right, y down; z in pixels too, smaller nearer to the camera.
        crop: Region around the landmarks, half as large again, eyes level.
        confidence: 0..1: how well the face is to be seen, times how much of it the frame shows. Near 1 for any clear
            face; it falls behind hands, towards profile, at the frame's edge, and for tiny or blurred faces.
        maps: What else the landmark graph said of this very frame, as far as it was asked for at `FaceTracker.reset`:
            by name, each (1, ...) float32 (`landmark_model.OUTPUTS`). Empty where the tracker has none to give.
        tile: (256, 256, 3) uint8 BGR, what the landmark graph was shown; None where the maps are empty.
    """

    landmarks: NDArray[np.float32]
    crop: Crop
    confidence: float
    maps: Mapping[str, NDArray[np.float32]] = field(default_factory=dict[str, NDArray[np.float32]])
    tile: NDArray[np.uint8] | None = None


class FaceTracker(Protocol):
    """Follows one face through the frames of one video.

    Attributes:
        name: As in settings and on the command line.
        version: Changes whenever results may.
    """

    name: str
    version: str

    def track(self, image: NDArray[Any], time_s: float) -> TrackedFace | None:
        """Finds the face in the next frame.

        Args:
            image: (H, W, 3) uint8 BGR; (H, W), (H, W, 1) and (H, W, 4) are understood too.
            time_s: Presentation time, later than the last frame's.

        Returns:
            The face, None where it is not to be seen.

        Raises:
            TrackerError: The array is not an image.
        """
        ...

    def reset(self, maps: Sequence[str] = ()) -> None:
        """Forgets the face; the next frame begins another video.

        Args:
            maps: Outputs of the landmark graph (`landmark_model.OUTPUTS`) that faces should carry from now on. A
                tracker without that graph gives faces without them.
        """
        ...


@dataclass(frozen=True, slots=True)
class Proposal:
    """Where to look for the face in a frame before its predecessors are all known.

    Attributes:
        crop: Region to run the landmark graph on.
        generation: Which stretch of uninterrupted following it belongs to.
    """

    crop: Crop
    generation: int


@runtime_checkable
class LookaheadTracker(Protocol):
    """A tracker whose work on a frame comes in three parts, so that several frames can be measured at once.

    `measure` may run in any thread; `propose` and `judge` are called in frame order from one.
    """

    def propose(self, time_s: float) -> Proposal | None:
        """Where the face should be at a time, judging by the frames judged so far; None while it is lost."""
        ...

    def measure(self, frame: Image, proposal: Proposal | None) -> LandmarkResult | None:
        """Runs the landmark graph where a proposal says."""
        ...

    def judge(
        self, frame: Image, time_s: float, proposal: Proposal | None, result: LandmarkResult | None
    ) -> TrackedFace | None:
        """Decides what a frame shows, given what was measured in it, and remembers it for the next ones."""
        ...


class TimedImage(Protocol):
    """A frame of a video: its image and its presentation time."""

    @property
    def time_s(self) -> float:
        """Presentation time."""
        ...

    @property
    def image(self) -> NDArray[Any]:
        """(H, W, 3) uint8 BGR."""
        ...


Frame = TypeVar("Frame", bound=TimedImage)


def open_tracker(
    name: str, registry: Registry, device: str = "auto", threads: int = AUTOMATIC_THREADS, bundle: Path | None = None
) -> FaceTracker:
    """Opens a tracker by name.

    Args:
        name: `onnx`, or `mediapipe` for the mediapipe package where it is installed.
        registry: Where the graphs are looked up.
        device: `auto`, `cpu` or `cuda`; mediapipe always runs on the CPU.
        threads: Threads inside one operator, 0 for automatic; see `sessions.open_session`. mediapipe takes its own.
        bundle: The `face_landmarker.task` file that the mediapipe package needs.

    Raises:
        TrackerError: Unknown name, or the mediapipe package or its bundle is missing.
        ModelError: A graph's file is missing or damaged.
        SettingsError: Unknown device, or a number of threads that cannot be.
    """
    if name == "mediapipe":
        from .mediapipe_tracker import MediapipeTracker

        return MediapipeTracker(bundle)
    if name != "onnx":
        message = f"There is no tracker '{name}'. Use onnx, or mediapipe where that package is installed."
        raise TrackerError(message)
    from .onnx_tracker import open_onnx_tracker

    return open_onnx_tracker(registry, device, threads)


@dataclass(frozen=True, slots=True)
class _Started(Generic[Frame]):
    """A frame that is being measured."""

    frame: Frame
    image: Image
    proposal: Proposal | None
    result: "Future[LandmarkResult | None]"


def track_frames(
    frames: Iterable[Frame], tracker: FaceTracker, workers: int = 2
) -> Iterator[tuple[Frame, TrackedFace | None]]:
    """Follows the face through a video, on several cores where the tracker can.

    The next frame is measured while the last one is still being judged: where the face will be is foretold by its
    velocity. What is measured depends on `workers` alone, never on how fast threads happen to run: results are the
    same every time.

    Args:
        frames: Frames in order.
        tracker: Used for these frames only; it is not reset before.
        workers: Frames in work at once, for a `LookaheadTracker`. 1 is `tracker.track` frame by frame. With more, the
            face's place is foretold further ahead, which moves landmarks a little: with 2, and a face 100 to 170 px
            wide, by 0.1 px in the median.

    Yields:
        Every frame with its face, None where it is not to be seen.

    Raises:
        TrackerError: A frame is not an image.
    """
    if workers < 2 or not isinstance(tracker, LookaheadTracker):
        for frame in frames:
            yield frame, tracker.track(frame.image, frame.time_s)
        return
    started: deque[_Started[Frame]] = deque()
    judged: tuple[Frame, TrackedFace | None] | None = None
    with ThreadPoolExecutor(workers, thread_name_prefix="landmarks") as pool:
        for frame in frames:
            image, proposal = readable(frame.image), tracker.propose(frame.time_s)
            started.append(_Started(frame, image, proposal, pool.submit(tracker.measure, image, proposal)))
            if judged is not None:
                yield judged  # only now, so that no worker waits while the caller is busy with this frame
                judged = None
            if len(started) == workers:
                judged = _finish(started.popleft(), tracker)
        if judged is not None:
            yield judged
        while started:
            yield _finish(started.popleft(), tracker)


def _finish(item: _Started[Frame], tracker: LookaheadTracker) -> tuple[Frame, TrackedFace | None]:
    return item.frame, tracker.judge(item.image, item.frame.time_s, item.proposal, item.result.result())


def shown_share(landmarks: NDArray[np.float32], crop: Crop, frame: Image) -> float:
    """How much of a face a frame shows, 0..1: the part inside, less where it has too few pixels to tell an expression.

    Landmarks shake by a hundredth of the crop's side where that is 44 px, by a thirtieth at 20 px.
    """
    return inside_share(landmarks, frame) * min(crop.side_px / _ENOUGH_PX, 1.0)


def inside_share(landmarks: NDArray[np.float32], frame: Image) -> float:
    """Which part of the landmarks lies inside the frame, 0..1."""
    height, width = frame.shape[:2]
    x, y = landmarks[:, 0], landmarks[:, 1]
    return float(np.count_nonzero((x >= 0) & (y >= 0) & (x <= width) & (y <= height)) / len(landmarks))
