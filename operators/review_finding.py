"""A take's problems on the scene's timeline. Imported at first use: it needs numpy and the engine."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import bpy
import numpy as np
from numpy.typing import NDArray

from ..au_mocap import problems
from ..au_mocap.problems import Problem
from . import annotate, loaded, performing, settings
from .bake_settings import scene_frames

if TYPE_CHECKING:
    from ..au_mocap.take import Take


@dataclass(frozen=True, slots=True)
class Spot:
    """A problem and where it lies.

    Attributes:
        problem: What it is.
        frame: Scene frame nearest to its first one.
        last_frame: Scene frame nearest to its last one.
    """

    problem: Problem
    frame: int
    last_frame: int


@dataclass(frozen=True, slots=True)
class Review:
    """A take on the timeline.

    Attributes:
        take: The take.
        frames: (T,) rising scene frames of the take's frames, fractions kept.
        spots: Its problems, sorted.
    """

    take: "Take"
    frames: NDArray[np.float64]
    spots: tuple[Spot, ...]

    def index_at(self, frame: float) -> int | None:
        """The take's frame that is nearest to a scene frame; None before its first and after its last one."""
        after = int(np.searchsorted(self.frames, frame))
        near = [index for index in (after - 1, after) if 0 <= index < len(self.frames)]
        index = min(near, key=lambda each: abs(self.frames[each] - frame))
        step = float(np.median(np.diff(self.frames))) if len(self.frames) > 1 else 1.0
        return index if abs(self.frames[index] - frame) <= max(0.5 * step, 0.5) + 1e-6 or self._holds(frame) else None

    def _holds(self, frame: float) -> bool:
        return bool(self.frames[0] <= frame <= self.frames[-1])


def find(stage: bpy.types.Scene) -> Review:
    """Look for the problems of a scene's take, with the settings of now.

    Raises:
        AuMocapError: There is no take, or it cannot be read with these settings.
    """
    item = performing.active_take(stage)
    calibrator = loaded.calibrator(settings.path_of(item))
    frames = frames_of(stage, item.video, calibrator.take.time_s, calibrator.take.first_frame)
    found = problems.find_in(calibrator, settings.of_take(item), performing.curves_of(item).values)
    times = calibrator.take.time_s
    return Review(calibrator.take, frames, tuple(_spot(problem, times, frames) for problem in found))


def frames_of(stage: bpy.types.Scene, video: str, time_s: NDArray[np.float64], first_frame: int) -> NDArray[np.float64]:
    """(T,) scene frames of a take, as a bake places them; one by one as in its clip while that is being labelled.

    Args:
        stage: The scene.
        video: The take's clip.
        time_s: (T,) its seconds.
        first_frame: Number of its first frame in the clip.
    """
    if annotate.is_clip_of(stage, video):
        return annotate.scene_frame(stage, first_frame) + np.arange(len(time_s), dtype=np.float64)
    timing = settings.timing_of(stage.aumocap.bake)
    return scene_frames(time_s, stage.render.fps, stage.render.fps_base, timing)


def _spot(problem: Problem, time_s: NDArray[np.float64], frames: NDArray[np.float64]) -> Spot:
    first, last = np.interp((problem.start_s, problem.stop_s), time_s, frames)
    return Spot(problem, round(float(first)), round(float(last)))
