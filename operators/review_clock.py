"""Which picture of a clip belongs to a scene frame. Imported at first use: it needs numpy and the engine."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import bpy
import numpy as np
from numpy.typing import NDArray

from ..au_mocap.errors import VideoError
from ..au_mocap.video import open_video
from . import loaded, review_finding, settings
from .capture_properties import AUMOCAP_PG_take

_STEADY: Final = 0.25
"""A clip's frames are evenly spaced where no step between them differs by more than this part of the usual one."""


@dataclass(frozen=True, slots=True)
class Clock:
    """A take's times, as far as the clip's pictures need them.

    Attributes:
        time_s: (T,) rising seconds of the take's frames.
        first_frame: Number of the take's first frame in the clip.
        duration_s: Length of the clip, or None where its file does not say.
    """

    time_s: NDArray[np.float64]
    first_frame: int
    duration_s: float | None

    def picture(self, frames: NDArray[np.float64], frame: float, count: int) -> int:
        """Number of the picture, from 0, that is nearest to a scene frame.

        Args:
            frames: (T,) scene frames of the take's frames.
            frame: The scene frame.
            count: Pictures that Blender counts in the clip; it is held within them.
        """
        place = _place(frames, frame)
        if self._is_even or not self.duration_s:
            number = self.first_frame + place
        else:  # Blender spaces the pictures of a clip of varying rate evenly over its length
            number = float(np.interp(place, np.arange(len(self.time_s)), self.time_s)) * count / self.duration_s
        return int(np.clip(np.floor(number + 0.5), 0, max(count - 1, 0)))

    def show(self, stage: bpy.types.Scene, video: str, image: bpy.types.Image, user: bpy.types.ImageUser) -> None:
        """Have a film, that of a clip, show the picture of the scene's frame."""
        count, first = max(user.frame_duration, 1), _first_number(image)
        frames = review_finding.frames_of(stage, video, self.time_s, self.first_frame)
        number = self.picture(frames, stage.frame_current_final, count)
        natural = min(max(stage.frame_current - user.frame_start + 1, 1), count)  # what Blender shows by itself
        offset = first + number - natural
        if user.frame_offset != offset:
            user.frame_offset = offset

    @property
    def _is_even(self) -> bool:
        if len(self.time_s) < 3:
            return True
        steps = np.diff(self.time_s)
        usual = float(np.median(steps))
        return bool(np.abs(steps - usual).max() <= _STEADY * usual)


def read(item: AUMOCAP_PG_take) -> Clock:
    """A take's clock.

    Raises:
        TakeError: The take cannot be read.
    """
    take = loaded.take(settings.path_of(item))
    try:
        with open_video(Path(bpy.path.abspath(item.video))) as video:
            duration_s = video.info.duration_s
    except VideoError:
        duration_s = None
    return Clock(take.time_s, take.first_frame, duration_s)


def release(image: bpy.types.Image, user: bpy.types.ImageUser) -> None:
    """Have a film run as Blender lets it: one picture in each scene frame."""
    user.frame_offset = _first_number(image) - 1


def _first_number(image: bpy.types.Image) -> int:
    """What Blender calls the first picture: 1 in a film, its own number in a sequence."""
    number = re.search(r"(\d+)\D*$", Path(image.filepath).stem) if image.source == "SEQUENCE" else None
    return int(number[1]) if number else 1


def _place(frames: NDArray[np.float64], frame: float) -> float:
    """Place of a scene frame among the take's frames, from 0, fractions kept; beyond its ends the usual step counts."""
    last = len(frames) - 1
    step = float(np.median(np.diff(frames))) if last else 1.0
    if frame < frames[0]:
        return float(frame - frames[0]) / step
    if frame > frames[-1]:
        return last + float(frame - frames[-1]) / step
    return float(np.interp(frame, frames, np.arange(last + 1)))
