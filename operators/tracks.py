"""Keys in bulk: what a bake has planned, written into an Action's curves."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import bpy
import numpy as np
from numpy.typing import NDArray

from . import punch_in
from .curve_keys import Keys, bezier_keys, linear_keys

GROUP_PREFIX: Final = "AU Mocap "
"""Curves in groups of this name are AU Mocap's own: a new bake replaces them, and no others."""

_COLOURS: Final = ("THEME03", "THEME04", "THEME09", "THEME06")


@dataclass(frozen=True, slots=True)
class Track:
    """Keys for one animated value.

    Attributes:
        data_path: Path from the data-block.
        index: Index in an array property, else 0.
        group: Name of the group, without the prefix.
        frames: (K,) rising scene frames, fractions allowed.
        values: (K,) the keys' values.
        slopes: (K, 2) per frame, on the left and on the right of each key; None where lines between them are straight.
    """

    data_path: str
    index: int
    group: str
    frames: NDArray[np.float32]
    values: NDArray[np.float32]
    slopes: NDArray[np.float32] | None = None

    @property
    def keys(self) -> Keys:
        """All that the curve's keys shall hold."""
        if self.slopes is None:
            return linear_keys(self.frames, self.values)
        return bezier_keys(self.frames, self.values, self.slopes)

    def negative(self) -> "Track":
        """The same with the opposite sign."""
        return replace(self, values=-self.values, slopes=None if self.slopes is None else -self.slopes)


def write(bag: Any, tracks: Sequence[Track], groups: Collection[str]) -> None:  # noqa: ANN401
    """Replace AU Mocap's own curves, and curves of the same values, by tracks; everything else stays.

    Args:
        bag: Action or channelbag.
        tracks: What to write.
        groups: Groups of which nothing earlier shall remain.
    """
    renewed = {(track.data_path, track.index) for track in tracks if _renewed(bag, track)}
    remove_own(bag, groups, renewed)
    made: dict[str, bpy.types.ActionGroup] = {}
    for track in tracks:
        if (track.data_path, track.index) in renewed:
            continue
        old = bag.fcurves.find(track.data_path, index=track.index)
        if old is not None:
            bag.fcurves.remove(old)
        if track.group not in made:
            made[track.group] = _group(bag, track.group, len(made))
        curve = bag.fcurves.new(track.data_path, index=track.index)
        curve.group = made[track.group]
        punch_in.write_keys(curve, track.keys)


def _renewed(bag: Any, track: Track) -> bool:  # noqa: ANN401
    """Move the keys of an earlier bake's curve that has as many: quicker, and its modifiers and colours stay."""
    curve = bag.fcurves.find(track.data_path, index=track.index)
    if curve is None or curve.group is None or curve.group.name != GROUP_PREFIX + track.group or is_locked(curve):
        return False
    if len(curve.keyframe_points) != len(track.frames):
        return False
    punch_in.renew_keys(curve, track.keys)
    return True


def write_range(bag: Any, tracks: Sequence[Track], frame_range: tuple[float, float]) -> None:  # noqa: ANN401
    """Replace keys of curves inside a range of frames; curves that do not exist are made with the range alone.

    Args:
        bag: Action or channelbag.
        tracks: What to write; their keys lie inside the range.
        frame_range: First and last scene frame to replace.
    """
    new = []
    for track in _same_signs(bag, tracks, frame_range):
        curve = bag.fcurves.find(track.data_path, index=track.index)
        if curve is None or not curve.keyframe_points:
            new.append(track)
        else:
            punch_in.replace_keys(curve, track.keys, frame_range)
    write(bag, new, ())


def remove_own(bag: Any, groups: Collection[str], kept: Collection[tuple[str, int]] = ()) -> None:  # noqa: ANN401
    """Remove what AU Mocap wrote into some groups before, but for what the user has locked and some data paths."""
    names = {GROUP_PREFIX + name for name in groups}
    for curve in list(bag.fcurves):
        is_kept = is_locked(curve) or (curve.data_path, curve.array_index) in kept
        if curve.group is not None and curve.group.name in names and not is_kept:
            bag.fcurves.remove(curve)
    for group in list(bag.groups):
        if group.name in names and not group.channels:
            bag.groups.remove(group)


def is_own(curve: bpy.types.FCurve) -> bool:
    """Whether a bake has made a curve."""
    return curve.group is not None and curve.group.name.startswith(GROUP_PREFIX)


def is_locked(curve: bpy.types.FCurve) -> bool:
    """Whether the user has locked a curve or its group."""
    return curve.lock or (curve.group is not None and curve.group.lock)


def _group(bag: Any, name: str, number: int) -> bpy.types.ActionGroup:  # noqa: ANN401
    group = bag.groups.get(GROUP_PREFIX + name)
    if group is None:
        group = bag.groups.new(GROUP_PREFIX + name)
        group.color_set = _COLOURS[number % len(_COLOURS)]
    return group


def _same_signs(bag: Any, tracks: Sequence[Track], frame_range: tuple[float, float]) -> list[Track]:  # noqa: ANN401
    """The tracks with quaternions of the sign that the old curves have before the range: q and -q turn alike."""
    agreement: dict[str, float] = {}
    for track in tracks:
        if track.data_path.endswith(".rotation_quaternion"):
            curve = bag.fcurves.find(track.data_path, index=track.index)
            old = punch_in.value_at(curve, frame_range[0] - punch_in.SEAM_FRAMES) if curve is not None else 0.0
            agreement[track.data_path] = agreement.get(track.data_path, 0.0) + old * float(track.values[0])
    return [track.negative() if agreement.get(track.data_path, 0.0) < 0.0 else track for track in tracks]
