"""The bundled tracker: MediaPipe's graphs in onnxruntime, and the logic of following one person."""

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .crops import Crop, Image, crop_image, readable
from .detector import Detection, FaceDetector, overlaps
from .identity import STRANGER, Identity, Signature, Verdict, prepare_colours, signature
from .landmark_model import INPUT_PX, LandmarkModel, LandmarkResult, crop_around
from .registry import Registry
from .sessions import open_session
from .tracking import Proposal, TrackedFace, inside_share, shown_share

MIN_PRESENCE: Final = 0.5

_SURE_SCORE: Final = 0.8
_SURE_PRESENCE: Final = 0.95
_MIN_INSIDE: Final = 0.25
_MIN_SIDE_PX: Final = 12.0
_MAX_CANDIDATES: Final = 6
_SCAN_S: Final = 0.5
_UNSURE_SCAN_S: Final = 0.1
_LONG_LOSS_S: Final = 1.0
_SEARCH_SIDES: Final = 3.0
_SCAN_SIDES: Final = 5.0
_SAME_PLACE: Final = 0.3
_MAX_SHIFT: Final = 0.5
_STILL: Final = 0.05


@dataclass(frozen=True, slots=True)
class Candidate:
    """A face that was looked at closely.

    Attributes:
        result: What the landmark graph says of it.
        crop: Region around its landmarks.
        look: What it looks like.
    """

    result: LandmarkResult
    crop: Crop
    look: Signature


@dataclass(frozen=True, slots=True)
class _Motion:
    """Where the followed face was last and how fast it moved, pixels per second."""

    crop: Crop
    time_s: float
    velocity_x: float = 0.0
    velocity_y: float = 0.0

    def at(self, time_s: float) -> Crop:
        """Where the face should be at a time.

        Small motions are left to the crop's margin, because every jump of the crop shakes the landmarks a little; large
        ones are followed as far as half the face's size.
        """
        ahead_s, side = max(time_s - self.time_s, 0.0), self.crop.side_px
        x, y = self.velocity_x * ahead_s, self.velocity_y * ahead_s
        length = math.hypot(x, y)
        shift = min(max(length - side * _STILL, 0.0), side * _MAX_SHIFT) / length if length else 0.0
        return Crop(self.crop.center_x_px + x * shift, self.crop.center_y_px + y * shift, side, self.crop.roll_rad)

    def then(self, crop: Crop, time_s: float) -> "_Motion":
        """The motion after another sight of the face."""
        if time_s <= self.time_s:
            return _Motion(crop, time_s)
        x = (crop.center_x_px - self.crop.center_x_px) / (time_s - self.time_s)
        y = (crop.center_y_px - self.crop.center_y_px) / (time_s - self.time_s)
        return _Motion(crop, time_s, (x + self.velocity_x) / 2, (y + self.velocity_y) / 2)


class OnnxTracker:
    """Follows a face with MediaPipe's graphs in onnxruntime.

    `track` does one frame after the other. `propose`, `measure` and `judge` are its three parts, for callers that
    measure several frames at once: `measure` may run in any thread, the other two only in frame order.

    Attributes:
        version: Changes whenever results may.
        detector: Finds faces.
        model: Finds their landmarks.
        wanted: Whom to follow: of the first frame with faces, the one nearest to this region; None for the largest.
            Kept when the tracker is reset.
        among_others: Whether the other people of the shot are followed too (`cast`): a face that looks like nobody in
            particular is then somebody new, and not the followed one after a long absence.
    """

    name = "onnx"

    def __init__(self, detector: FaceDetector, model: LandmarkModel, version: str) -> None:
        """Puts the two graphs together."""
        self.version = version
        self.detector = detector
        self.model = model
        self.wanted: Crop | None = None
        self.among_others = False
        self.reset()

    def reset(self, maps: Sequence[str] = ()) -> None:
        """Forgets the face; see `FaceTracker.reset`."""
        self._maps = tuple(maps)
        self._identity: Identity | None = None
        self._look_of_last: Signature | None = None
        self._motion: _Motion | None = None
        self._following = False
        self._generation = 0
        self._last_scan_s = -math.inf
        self._last_tiles_s = -math.inf

    def track(self, image: NDArray[Any], time_s: float) -> TrackedFace | None:
        """Finds the face in the next frame; see `FaceTracker.track`."""
        frame = readable(image)
        proposal = self.propose(time_s)
        return self.judge(frame, time_s, proposal, self.measure(frame, proposal))

    def propose(self, time_s: float) -> Proposal | None:
        """Where the face should be at a time, judging by the frames known so far; None while it is lost."""
        if self._motion is None or not self._following:
            return None
        return Proposal(self._motion.at(time_s), self._generation)

    def measure(self, frame: Image, proposal: Proposal | None) -> LandmarkResult | None:
        """Runs the landmark graph where a proposal says. Changes nothing, so any thread may call it."""
        return None if proposal is None else self.model.run(frame, proposal.crop, self._maps)

    def judge(
        self, frame: Image, time_s: float, proposal: Proposal | None, result: LandmarkResult | None
    ) -> TrackedFace | None:
        """Decides what a frame shows, given what was measured in it, and remembers it for the next ones."""
        current = self.propose(time_s)
        if current is not None and (proposal is None or proposal.generation != self._generation):
            result = self.measure(frame, current)
        found = self._follow(frame, time_s, result) if result is not None and self._following else None
        if found is None:
            found = self._search(frame, time_s)
        if found is None:
            self.interrupt()
            return None
        return tracked(found, frame)

    def _follow(self, frame: Image, time_s: float, result: LandmarkResult) -> Candidate | None:
        """Accepts what the landmark graph found in the expected place, unless it is somebody else or nobody."""
        candidate = _candidate(frame, result, signature(result.tile))
        if candidate is None or self._identity is None:
            return None
        likeness = self._identity.judge(candidate.look)
        if likeness.verdict is Verdict.OTHER:
            return None
        due_s = _SCAN_S if likeness.verdict is Verdict.SAME else _UNSURE_SCAN_S
        if time_s - self._last_scan_s >= due_s:
            better = self._scan(frame, time_s, candidate.crop)
            if better is not None and likeness.verdict is Verdict.UNSURE:
                return self._keep(better, Verdict.SAME, time_s, interrupted=True)
        return self._keep(candidate, likeness.verdict, time_s, interrupted=False)

    def _scan(self, frame: Image, time_s: float, followed: Crop) -> Candidate | None:
        """Looks at the other faces in a frame and remembers them; returns one that is the followed person, if any."""
        self._last_scan_s = time_s
        identity = self._identity
        if identity is None:
            return None
        near = self._detect_around(frame, followed, _SCAN_SIDES)
        for detection in (self.detector.detect(frame) + near)[:_MAX_CANDIDATES]:
            if same_place(detection.crop(), followed):
                continue
            other = self.look(frame, detection)
            if other is None:
                continue
            if identity.judge(other.look).verdict is Verdict.SAME:
                return other
            identity.note_bystander(other.look)
        return None

    def _search(self, frame: Image, time_s: float) -> Candidate | None:
        """Looks for the followed face in the whole frame, or for a face to follow where there has been none yet."""
        for detections in self._detect(frame, time_s):
            largest = sorted(detections, key=lambda item: -item.side_px)[:_MAX_CANDIDATES]
            looks = (self.look(frame, detection) for detection in largest)
            candidates = [candidate for candidate in looks if candidate is not None]
            if not candidates:
                continue
            if self._identity is None or self._motion is None:
                return self.begin(candidates, self._first(candidates), time_s)
            found = self._recognise(candidates, self._identity, self._motion, time_s)
            if found is not None:
                return found
        return None

    def _first(self, candidates: list[Candidate]) -> Candidate:
        wanted = self.wanted
        if wanted is None:
            return max(candidates, key=lambda item: item.crop.side_px)
        return min(candidates, key=lambda item: _remoteness(item.crop, wanted))

    def begin(self, candidates: Sequence[Candidate], first: Candidate, time_s: float) -> Candidate:
        """Takes one face of a frame as the one to follow and remembers the others as bystanders."""
        self._identity = Identity(first.look, time_s)
        for other in candidates:
            if other is not first:
                self._identity.note_bystander(other.look)
        self._last_scan_s = time_s
        return self._keep(first, Verdict.SAME, time_s, interrupted=True)

    def _recognise(
        self, candidates: list[Candidate], identity: Identity, motion: _Motion, time_s: float
    ) -> Candidate | None:
        """Chooses the followed person among the faces of a frame after a loss."""
        expected = motion.at(time_s)
        lost_long = time_s - motion.time_s >= _LONG_LOSS_S
        best: tuple[float, Candidate, Verdict] | None = None
        for candidate in candidates:
            likeness = identity.judge(candidate.look)
            stayed = same_place(expected, candidate.crop)
            trusted = stayed and not lost_long if self.among_others else stayed or lost_long
            if likeness.verdict is Verdict.OTHER or not (likeness.distance < STRANGER or trusted):
                continue
            cost = likeness.distance + _remoteness(candidate.crop, expected)
            if best is None or cost < best[0]:
                best = (cost, candidate, likeness.verdict)
        return None if best is None else self._keep(best[1], best[2], time_s, interrupted=True)

    def _detect(self, frame: Image, time_s: float) -> Iterator[list[Detection]]:
        """Faces of a frame: of the whole, then from around where the face was lost, then, now and then, of tiles."""
        whole = self.detector.detect(frame)
        tiles_due = time_s - self._last_tiles_s >= _SCAN_S
        if self._motion is not None:
            yield whole
            yield self._detect_around(frame, self._motion.at(time_s), _SEARCH_SIDES)
        elif whole and (whole[0].score >= _SURE_SCORE or not tiles_due):
            yield whole
            return
        if tiles_due:
            self._last_tiles_s = time_s
            yield self.detector.detect_small(frame) or whole

    def _detect_around(self, frame: Image, crop: Crop, sides: float) -> list[Detection]:
        """Faces of a region around a crop; none where it is no smaller than the frame, which is searched anyway."""
        region = _around(crop, sides)
        return self.detector.detect_in(frame, region) if region.side_px < max(frame.shape[:2]) else []

    def look(self, frame: Image, detection: Detection) -> Candidate | None:
        """Runs the landmark graph on a detection; None where it sees no face.

        A weak detection is looked at from close up; where that does not bear it out, the graph must be sure twice.
        """
        confirmed = detection if detection.score >= _SURE_SCORE else self.detector.confirm(frame, detection)
        result = self.model.run(frame, (confirmed or detection).crop(), self._maps)
        if confirmed is None and result.presence >= _SURE_PRESENCE:
            result = self.model.run(frame, crop_around(result.landmarks), self._maps)
        if result.presence < (_SURE_PRESENCE if confirmed is None else MIN_PRESENCE):
            return None
        tile = crop_image(frame, crop_around(result.landmarks), INPUT_PX, replicate=True)
        return _candidate(frame, result, signature(tile))

    def _keep(self, found: Candidate, verdict: Verdict, time_s: float, *, interrupted: bool) -> Candidate:
        """Takes a candidate as the followed face."""
        if interrupted:
            self._generation += 1
        if self._motion is None or interrupted:
            self._motion = _Motion(found.crop, time_s)
        else:
            self._motion = self._motion.then(found.crop, time_s)
        self._following = True
        self._look_of_last = found.look
        if self._identity is not None:
            self._identity.follow(found.look, verdict, time_s)
        return found

    def note_bystander(self, look: Signature) -> None:
        """Remembers what somebody else in the shot looks like."""
        if self._identity is not None:
            self._identity.note_bystander(look)

    @property
    def look_of_followed(self) -> Signature | None:
        """What the followed face looks like; None before the first."""
        return None if self._identity is None else self._identity.reference

    def unlikeness(self) -> float:
        """How differently the face that was accepted last looks from the followed one; infinite before the first."""
        if self._identity is None or self._look_of_last is None:
            return math.inf
        return self._identity.judge(self._look_of_last).distance

    def interrupt(self) -> None:
        """Notes that the face is out of sight."""
        self._generation += self._following
        self._following = False


def open_onnx_tracker(registry: Registry, device: str, threads: int) -> OnnxTracker:
    """Opens the bundled tracker; see `tracking.open_tracker`."""
    entry = registry.tracker(OnnxTracker.name)
    with ThreadPoolExecutor(1, thread_name_prefix="prepare") as pool:
        pool.submit(prepare_colours)
        detector, landmarks = (
            open_session(registry.path(entry.files[role]), device, threads) for role in ("detector", "landmarks")
        )
    return OnnxTracker(FaceDetector(detector), LandmarkModel(landmarks), entry.version)


def tracked(found: Candidate, frame: Image) -> TrackedFace:
    """A face that was accepted, as trackers give it."""
    result = found.result
    confidence = result.confidence * shown_share(result.landmarks, found.crop, frame)
    return TrackedFace(result.landmarks, found.crop, confidence, result.maps)


def _candidate(frame: Image, result: LandmarkResult, look: Signature) -> Candidate | None:
    """A face worth judging, None where the graph saw none, or one that is nearly gone."""
    if result.presence < MIN_PRESENCE or inside_share(result.landmarks, frame) < _MIN_INSIDE:
        return None
    crop = crop_around(result.landmarks)
    return Candidate(result, crop, look) if crop.side_px >= _MIN_SIDE_PX else None


def _around(crop: Crop, sides: float) -> Crop:
    """A level region around a crop, so many times its size."""
    return Crop(crop.center_x_px, crop.center_y_px, crop.side_px * sides, 0.0)


def _box(crop: Crop) -> NDArray[np.float32]:
    """A crop's extent (2, 2), its roll left out."""
    center, half = np.array([crop.center_x_px, crop.center_y_px], np.float32), np.float32(crop.side_px / 2)
    return np.stack([center - half, center + half])


def same_place(first: Crop, second: Crop) -> bool:
    """Whether two regions show one face rather than two."""
    return bool(overlaps(_box(first), _box(second)[None])[0] > _SAME_PLACE)


def _remoteness(crop: Crop, expected: Crop) -> float:
    """How far a face is from where it should be, on the scale of signature distances: up to 4."""
    distance = math.hypot(crop.center_x_px - expected.center_x_px, crop.center_y_px - expected.center_y_px)
    growth = abs(math.log(crop.side_px / expected.side_px))
    return min(distance / expected.side_px + growth, 2.0) * 2.0
