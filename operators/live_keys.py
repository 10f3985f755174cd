"""Keys while live: what Blender's auto-keying asks for, at the playing frame. Imported at first use: it needs numpy."""

from dataclasses import replace
from typing import TYPE_CHECKING

import bpy
import numpy as np

from . import tracks
from .bake_settings import BakeSettings
from .destinations import place_of

if TYPE_CHECKING:
    from .tracks import Track


def is_wanted(stage: bpy.types.Scene) -> bool:
    """Whether Blender keys by itself now: the switch is on, and the scene plays in a window."""
    if not stage.tool_settings.use_keyframe_insert_auto:
        return False
    windows = bpy.context.window_manager.windows
    return any(window.scene == stage and window.screen.is_animation_playing for window in windows)


class LiveKeys:
    """Writes poses as keys, one frame after the other."""

    def __init__(self) -> None:
        """Writes nothing yet."""
        self.frames = 0
        self._place = place_of(BakeSettings(name="Live", destination="active"))
        self._latest: int | None = None
        self._signs: dict[tuple[str, str], tuple[float, ...]] = {}

    def write(self, planned: "dict[bpy.types.ID, list[Track]]", frame: int) -> None:
        """Key a pose, once for each frame.

        Args:
            planned: Tracks of one value each, by data-block.
            frame: The scene's frame.
        """
        if frame == self._latest:
            return
        self._latest = frame
        self.frames += 1
        self._place.prepare(planned)
        at = np.array([frame], np.float32)
        for owner, each in planned.items():
            _, bag = self._place.open(owner)
            new: list[Track] = []
            for track in self._in_line(owner, each):
                curve = bag.fcurves.find(track.data_path, index=track.index)
                if curve is None:
                    new.append(replace(track, frames=at, values=track.values.astype(np.float32)))
                elif not tracks.is_locked(curve):
                    key = curve.keyframe_points.insert(frame, float(track.values[0]), options={"FAST"})
                    key.interpolation = "LINEAR"
            if new:
                tracks.write(bag, new, ())

    def finish(self) -> None:
        """Settle the handles of what was written."""
        for owner in (*bpy.data.objects, *bpy.data.shape_keys) if self.frames else ():
            bag = self._place.existing(owner) if owner.animation_data is not None else None
            for curve in bag.fcurves if bag is not None else ():
                if curve.group is not None and curve.group.name.startswith(tracks.GROUP_PREFIX):
                    curve.update()

    def _in_line(self, owner: bpy.types.ID, planned: "list[Track]") -> "list[Track]":
        """The tracks with quaternions of the sign of the key before: q and -q turn alike, but not between two keys."""
        quaternions: dict[str, list[Track]] = {}
        for track in planned:
            if track.data_path.endswith(".rotation_quaternion"):
                quaternions.setdefault(track.data_path, []).append(track)
        flipped: set[str] = set()
        for path, parts in quaternions.items():
            now = tuple(float(track.values[0]) for track in parts)
            before = self._signs.get((owner.name, path), now)
            if sum(a * b for a, b in zip(now, before, strict=True)) < 0.0:
                flipped.add(path)
                now = tuple(-each for each in now)
            self._signs[owner.name, path] = now
        return [replace(track, values=-track.values) if track.data_path in flipped else track for track in planned]
