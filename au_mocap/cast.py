"""Following everybody in a shot at once: every frame is decoded and searched once, each face has a tracker of its own.

Each actor is followed just as one alone would be (`onnx_tracker`): by place and motion from frame to frame, by looks
after a loss. What the trackers share is the search of the whole frame, whom each knows as somebody else, and that no
two may have the same face. Somebody who comes back with another look (a mask, another lamp) is a new actor; two people
who look alike and swap places out of sight cannot be told apart.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations
from typing import Final, Generic

from .crops import Crop, Image, readable
from .detector import Detection, FaceDetector
from .errors import SettingsError
from .landmark_model import LandmarkResult
from .onnx_tracker import Candidate, OnnxTracker, same_place, tracked
from .tracking import Frame, Proposal, TrackedFace

MOST_ACTORS: Final = 12
LEAST_S: Final = 1.0
"""A face that is seen for less is no actor."""

_LOOK_S: Final = 0.1
"""How often newcomers are looked for while somebody is in the shot; while nobody is, every frame is searched."""

_TILES_S: Final = 1.0
"""How often small newcomers are looked for, which takes some 15 runs of the detector."""

_GIVE_UP_S: Final = 1.0
_MOST_LOOKS: Final = MOST_ACTORS

Faces = Mapping[int, TrackedFace]
"""The faces of a frame by the number of their actor, from 0 in the order in which they were first seen."""


@dataclass(slots=True)
class _Actor:
    """Somebody who is followed.

    Attributes:
        tracker: Follows the face.
        seen_s: How long the face was seen.
        last_s: When it was seen last.
    """

    tracker: OnnxTracker
    seen_s: float
    last_s: float


class _SharedDetector(FaceDetector):
    """A detector that searches each whole frame once, however many trackers ask."""

    def __init__(self, detector: FaceDetector) -> None:
        self._detector = detector
        self._frame: Image | None = None
        self._found: dict[str, list[Detection]] = {}

    def detect(self, image: Image) -> list[Detection]:
        """As `FaceDetector.detect`."""
        if "whole" not in self._answers(image):
            self._found["whole"] = self._detector.detect(image)
        return self._found["whole"]

    def detect_small(self, image: Image) -> list[Detection]:
        """As `FaceDetector.detect_small`."""
        if "small" not in self._answers(image):
            self._found["small"] = self._detector.detect_small(image)
        return self._found["small"]

    def detect_in(self, image: Image, region: Crop) -> list[Detection]:
        """As `FaceDetector.detect_in`."""
        return self._detector.detect_in(image, region)

    def _answers(self, image: Image) -> dict[str, list[Detection]]:
        if image is not self._frame:
            self._frame, self._found = image, {}
        return self._found


class Cast:
    """The people of one shot, each with a number that stays.

    As with one tracker the work on a frame comes in three parts: `propose` and `judge` are called in frame order from
    one thread, the proposals may be measured in any.

    Attributes:
        actors: How many were seen so far, those that were given up left out.
    """

    def __init__(self, tracker: OnnxTracker, most: int = MOST_ACTORS, maps: Sequence[str] = ()) -> None:
        """Begins with nobody.

        Args:
            tracker: Its graphs are used; it follows nobody itself.
            most: How many people to follow at most, 1 to `MOST_ACTORS`; the largest faces first.
            maps: Outputs of the landmark graph that faces should carry, as `FaceTracker.reset`.

        Raises:
            SettingsError: `most` is out of range.
        """
        if not 1 <= most <= MOST_ACTORS:
            message = f"Choose 1 to {MOST_ACTORS} actors, not {most}."
            raise SettingsError(message)
        self._scout = OnnxTracker(_SharedDetector(tracker.detector), tracker.model, tracker.version)
        self._scout.reset(maps)
        self._maps = tuple(maps)
        self._most = most
        self._actors: dict[int, _Actor] = {}
        self._next = 0
        self._before_s: float | None = None
        self._looked_s = self._tiled_s = -float("inf")

    @property
    def actors(self) -> tuple[int, ...]:
        """Numbers of those who are followed, whether they are in the shot or away."""
        return tuple(self._actors)

    def propose(self, time_s: float) -> dict[int, Proposal]:
        """Where the faces should be at a time; those that are away are left out."""
        proposals = {number: actor.tracker.propose(time_s) for number, actor in self._actors.items()}
        return {number: proposal for number, proposal in proposals.items() if proposal is not None}

    def measure(self, frame: Image, proposal: Proposal) -> LandmarkResult | None:
        """Runs the landmark graph where a proposal says. Changes nothing, so any thread may call it."""
        return self._scout.measure(frame, proposal)

    def judge(
        self,
        frame: Image,
        time_s: float,
        proposals: Mapping[int, Proposal],
        results: Mapping[int, LandmarkResult | None],
    ) -> dict[int, TrackedFace]:
        """Decides who is where in a frame, and looks for newcomers."""
        elapsed_s = 0.0 if self._before_s is None else time_s - self._before_s
        self._before_s = time_s
        faces: dict[int, TrackedFace] = {}
        for number, actor in self._actors.items():
            face = actor.tracker.judge(frame, time_s, proposals.get(number), results.get(number))
            if face is not None:
                faces[number] = face
        self._settle(faces)
        for number in faces:
            self._actors[number].seen_s += elapsed_s
            self._actors[number].last_s = time_s
        self._give_up(time_s)
        faces |= self._newcomers(frame, time_s, faces)
        return faces

    def _settle(self, faces: dict[int, TrackedFace]) -> None:
        """Leaves a face that two trackers took to the one whose actor it resembles more."""
        for first, second in combinations(tuple(faces), 2):
            if first in faces and second in faces and same_place(faces[first].crop, faces[second].crop):
                wrong = max(first, second, key=lambda number: self._actors[number].tracker.unlikeness())
                self._actors[wrong].tracker.interrupt()
                del faces[wrong]

    def _give_up(self, time_s: float) -> None:
        """Forgets faces that were seen for a moment and did not come back."""
        for number, actor in tuple(self._actors.items()):
            if actor.seen_s < LEAST_S and time_s - actor.last_s > _GIVE_UP_S:
                del self._actors[number]

    def _newcomers(self, frame: Image, time_s: float, faces: Faces) -> dict[int, TrackedFace]:
        room = self._most - len(self._actors)
        if room <= 0 or (faces and time_s - self._looked_s < _LOOK_S):
            return {}
        self._looked_s = time_s
        taken = [face.crop for face in faces.values()]
        found = self._look_at_free(frame, self._detections(frame, time_s), taken)
        new: dict[int, TrackedFace] = {}
        for candidate in found[:room]:
            tracker = OnnxTracker(self._scout.detector, self._scout.model, self._scout.version)
            tracker.reset(self._maps)
            tracker.among_others = True
            tracker.begin(found, candidate, time_s)
            for other in self._actors.values():
                other.tracker.note_bystander(candidate.look)
                look = other.tracker.look_of_followed
                if look is not None:
                    tracker.note_bystander(look)
            self._actors[self._next] = _Actor(tracker, 0.0, time_s)
            new[self._next] = tracked(candidate, frame)
            self._next += 1
        return new

    def _detections(self, frame: Image, time_s: float) -> list[Detection]:
        """Faces of the whole frame, then of its tiles; within each the largest first."""
        whole = sorted(self._scout.detector.detect(frame), key=lambda item: -item.side_px)
        if time_s - self._tiled_s < _TILES_S:
            return whole
        self._tiled_s = time_s
        return whole + sorted(self._scout.detector.detect_small(frame), key=lambda item: -item.side_px)

    def _look_at_free(self, frame: Image, detections: list[Detection], taken: list[Crop]) -> list[Candidate]:
        """Faces that nobody has, largest first, each once."""
        found: list[Candidate] = []
        for detection in detections:
            if len(found) == _MOST_LOOKS:
                break
            if any(same_place(detection.crop(), crop) for crop in taken):
                continue
            candidate = self._scout.look(frame, detection)
            if candidate is not None and not any(same_place(candidate.crop, crop) for crop in taken):
                found.append(candidate)
                taken = [*taken, candidate.crop]
        return sorted(found, key=lambda item: -item.crop.side_px)


@dataclass(frozen=True, slots=True)
class _Started(Generic[Frame]):
    """A frame whose faces are being measured."""

    frame: Frame
    image: Image
    proposals: dict[int, Proposal]
    results: "dict[int, Future[LandmarkResult | None]]"


def track_cast(frames: Iterable[Frame], cast: Cast, workers: int = 2) -> Iterator[tuple[Frame, Faces]]:
    """Follows everybody through a video, the next frame being measured while the last one is judged.

    As `tracking.track_frames`: what is measured depends on `workers` alone, and each actor's faces are those that a
    tracker of that actor alone gives with as many.

    Args:
        frames: Frames in order.
        cast: Used for these frames only.
        workers: Frames in work at once.

    Yields:
        Every frame with its faces.

    Raises:
        TrackerError: A frame is not an image.
    """
    started: deque[_Started[Frame]] = deque()
    judged: tuple[Frame, Faces] | None = None
    with ThreadPoolExecutor(workers, thread_name_prefix="landmarks") as pool:
        for frame in frames:
            image, proposals = readable(frame.image), cast.propose(frame.time_s)
            results = {number: pool.submit(cast.measure, image, each) for number, each in proposals.items()}
            started.append(_Started(frame, image, proposals, results))
            if judged is not None:
                yield judged  # only now, so that no worker waits while the caller is busy with this frame
                judged = None
            if len(started) >= workers:
                judged = _finish(started.popleft(), cast)
        if judged is not None:
            yield judged
        while started:
            yield _finish(started.popleft(), cast)


def _finish(item: _Started[Frame], cast: Cast) -> tuple[Frame, Faces]:
    results = {number: future.result() for number, future in item.results.items()}
    return item.frame, cast.judge(item.image, item.frame.time_s, item.proposals, results)
