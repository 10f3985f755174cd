"""One picture after the other: the face, its values and the head's pose, as soon as they can be known."""

from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .. import pose
from ..crops import Image
from ..regressors import Features, Neutral, Regressor, features_of
from ..tracking import FaceTracker, TrackedFace

_SHAPE_EVERY_S: Final = 0.25
_SHAPE_FRAMES: Final = 40
_SETTLE_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Look:
    """What one picture shows of a face.

    Attributes:
        face: The tracked face, without the graph's maps.
        embedding: (E,) float32 of the regressor's image stage.
        seen: What the regressor's head reads, of this one frame.
        values: (58,) float32, 0..1, with the neutral that was in force.
        rotation: (4,) unit quaternion as in a `Take`.
        position: (3,) metres.
    """

    face: TrackedFace
    embedding: NDArray[np.float32]
    seen: Features
    values: NDArray[np.float32]
    rotation: NDArray[np.float64]
    position: NDArray[np.float64]


class Looker:
    """Follows one actor live. Not for several threads at once."""

    def __init__(self, tracker: FaceTracker, regressor: Regressor, camera: pose.Camera) -> None:
        """Puts the parts together and resets the tracker."""
        self.tracker = tracker
        self.regressor = regressor
        self.camera = camera
        self._shape = _Shape()
        self._recent = _Recent(regressor.entry.window_s)
        tracker.reset(regressor.maps)
        regressor.reset()

    def look(self, image: Image, time_s: float, neutral: Neutral | None) -> Look | None:
        """Looks at the next picture.

        Args:
            image: (H, W, 3) uint8 BGR.
            time_s: When it was taken, later than the last one.
            neutral: The actor's neutral, None for the regressor's generic one.

        Returns:
            What it shows, None where the face is not to be seen.

        Raises:
            TrackerError: The picture cannot be read.
            ModelError: A network failed.
        """
        face = self.tracker.track(image, time_s)
        if face is None:
            self._recent.forget()
            return None
        embedding = self.regressor.embed(image, face)
        seen = features_of(face.landmarks[None], embedding[None], np.array([time_s]))
        if not seen.known[0]:
            self._recent.forget()
            return None
        fitted = pose.fit_poses(face.landmarks[None], self.camera)
        poses = pose.corrected(fitted, self._shape.then(seen.landmarks, time_s))
        return Look(
            face=TrackedFace(face.landmarks, face.crop, face.confidence),
            embedding=embedding,
            seen=seen,
            values=self.regressor.values(self._recent.then(seen, time_s), neutral)[-1],
            rotation=poses.rotation[0],
            position=poses.position[0],
        )


class _Recent:
    """The frames of the last moment, for heads that also read what lies a window before."""

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self._frames: deque[tuple[float, Features]] = deque()

    def forget(self) -> None:
        """The face was lost: what was seen before has nothing to do with what comes."""
        self._frames.clear()

    def then(self, seen: Features, time_s: float) -> Features:
        """Takes in a frame; gives it as the last of two where one lies about a window before it, else alone."""
        if not self._window_s:
            return seen
        frames, wanted_s = self._frames, time_s - self._window_s
        while len(frames) > 1 and frames[1][0] <= wanted_s:
            frames.popleft()
        before = min(frames, key=lambda frame: abs(frame[0] - wanted_s), default=None)
        frames.append((time_s, seen))
        if before is None:
            return seen
        return Features(
            landmarks=np.concatenate([before[1].landmarks, seen.landmarks]),
            rotation=np.concatenate([before[1].rotation, seen.rotation]),
            embedding=np.concatenate([before[1].embedding, seen.embedding]),
            time_s=np.array([before[0], time_s]),
        )


class _Shape:
    """The actor's face shape, which `pose.corrected` reads, known better from second to second.

    A take's pose is corrected by the median face of all its frames. Live there is the past only: a few faces a second
    are remembered, and what they say is taken over slowly, so that the head does not jump when the median does.
    """

    def __init__(self) -> None:
        self._faces: list[NDArray[np.float32]] = []
        self._median: NDArray[np.float32] | None = None
        self._settled: NDArray[np.float32] | None = None
        self._looked_s = -np.inf
        self._time_s = -np.inf

    def then(self, aligned: NDArray[np.float32], time_s: float) -> NDArray[np.float32]:
        """Takes in an aligned face (1, 478, 3) and gives the actor's shape so far in the same form."""
        median = self._median
        if time_s - self._looked_s >= _SHAPE_EVERY_S or median is None:
            self._looked_s = time_s
            self._faces = [*self._faces, aligned[0]][-_SHAPE_FRAMES:]
            median = self._median = np.median(np.stack(self._faces), axis=0).astype(np.float32)
        before = median if self._settled is None else self._settled
        share = np.float32(-np.expm1(-max(time_s - self._time_s, 0.0) / _SETTLE_S))
        settled = self._settled = before + share * (median - before)
        self._time_s = time_s
        return settled[None]
