"""What a live session gives."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..crops import Crop, Image


@dataclass(frozen=True, slots=True)
class LiveFrame:
    """One picture of a live performance and what it gave. Its arrays are nobody else's, free to keep.

    Attributes:
        index: The source's number of the picture.
        captured_s: When it was taken, seconds of `time.perf_counter()`.
        ready_s: When its values were there, on the same clock.
        time_s: When it was taken, seconds since the session's first picture.
        image: (H, W, 3) uint8 BGR; to be read only, since a recording may still write it.
        landmarks: (478, 3) float32 image pixels, None without a face.
        crop: The face's region, None without a face.
        confidence: 0..1, 0 without a face; see `TrackedFace`.
        values: (58,) float32, 0..1, filtered and with all settings, columns as `channels.IDS`; at rest, not NaN, where
            the face is lost for long.
        raw: (58,) float32, 0..1, as the regressor gave them with the neutral in force; NaN without a face.
        head_rotation: (4,) float32 filtered unit quaternion as in a `Take`, held while the face is lost; NaN before the
            first face and while the head is muted.
        head_position: (3,) float32 filtered metres; NaN as above.
        found: Whether the face was found in this picture.
    """

    index: int
    captured_s: float
    ready_s: float
    time_s: float
    image: Image
    landmarks: NDArray[np.float32] | None
    crop: Crop | None
    confidence: float
    values: NDArray[np.float32]
    raw: NDArray[np.float32]
    head_rotation: NDArray[np.float32]
    head_position: NDArray[np.float32]
    found: bool


@dataclass(frozen=True, slots=True)
class Statistics:
    """How a live session keeps up.

    Attributes:
        frames_per_s: Frames that became ready in the last two seconds, for each second.
        latency_s: Median time from capture to values over the same frames; NaN before the first.
        dropped: Pictures of the source that were left out, since a newer one was there.
        age_s: How long ago the newest ready frame was captured; infinite before the first.
    """

    frames_per_s: float
    latency_s: float
    dropped: int
    age_s: float
