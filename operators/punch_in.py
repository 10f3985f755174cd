"""Keys of one curve: written whole, or replaced inside a range with the curve outside held as it was."""

from typing import Final

import bpy
import numpy as np
from numpy.typing import NDArray

from .curve_keys import BEZIER, CONSTANT, FREE, LINEAR, Keys, cut, linear_keys

SEAM_FRAMES: Final = 1.0
"""Between the last frame outside a replaced range and the first inside, the curve goes over from old to new."""

_AUTOMATIC: Final = (1, 2, 4)
"""Types of handles that move with a key's neighbours."""
_PLAIN: Final = (CONSTANT, LINEAR)


def read_keys(curve: bpy.types.FCurve) -> Keys:
    """All that a curve's keys hold."""
    points = curve.keyframe_points
    keys = linear_keys(*np.zeros((2, len(points)), np.float32))
    for name, array in keys.items():
        points.foreach_get(name, array.reshape(-1))
    return keys


def write_keys(curve: bpy.types.FCurve, keys: Keys) -> None:
    """Give a curve these keys and no others."""
    points = curve.keyframe_points
    points.clear()
    points.add(len(keys["co"]))
    for name, array in keys.items():
        points.foreach_set(name, array.reshape(-1))
    curve.update()


def renew_keys(curve: bpy.types.FCurve, keys: Keys) -> None:
    """Move a curve's keys to where as many others are, and shape the curve between as they do."""
    # Between straight lines Blender places the handles itself.
    handles = ("handle_left", "handle_right") if (keys["interpolation"] == BEZIER).any() else ()
    for name in ("co", *handles, "interpolation", "handle_left_type", "handle_right_type"):
        curve.keyframe_points.foreach_set(name, keys[name].reshape(-1))
    curve.update()


def replace_keys(curve: bpy.types.FCurve, new: Keys, frame_range: tuple[float, float]) -> None:
    """Replace a curve's keys inside a range. Outside, no key moves and the curve keeps its values at the frames.

    Args:
        curve: A curve with keys.
        new: Keys inside the range.
        frame_range: First and last frame to replace.
    """
    first, last = (float(np.float32(frame)) for frame in frame_range)  # as keys at its ends are stored
    keys = read_keys(curve)
    at = keys["co"][:, 0]
    is_before, is_after = at < first, at > last
    before, after = _picked(keys, is_before), _picked(keys, is_after)
    leading = _border(curve, before, _crossing(keys, first), first, -1)
    trailing = _border(curve, after, _crossing(keys, last), last, 1)
    inside = {name: array.copy() for name, array in new.items()}
    inside["interpolation"][-1:] = LINEAR  # across the seam, whatever the handles on both sides are
    parts = (before, leading, inside, trailing, after)
    joined: Keys = {name: np.concatenate([part[name] for part in parts]) for name in keys}
    write_keys(curve, joined)
    _restore_handles(curve, before, after)


def _restore_handles(curve: bpy.types.FCurve, before: Keys, after: Keys) -> None:
    """Undo what smoothing automatic handles does to keys far beyond their new neighbours."""
    keys = read_keys(curve)
    for name in ("handle_left", "handle_right"):
        keys[name][: len(before[name])] = before[name]
        keys[name][len(keys[name]) - len(after[name]) :] = after[name]
        curve.keyframe_points.foreach_set(name, keys[name].reshape(-1))


def value_at(curve: bpy.types.FCurve, frame: float) -> float:
    """A curve's value as its keys have it, without its modifiers."""
    active = [modifier for modifier in curve.modifiers if not modifier.mute]
    for modifier in active:
        modifier.mute = True
    value = curve.evaluate(frame)
    for modifier in active:
        modifier.mute = False
    return value


def _picked(keys: Keys, chosen: NDArray[np.bool_]) -> Keys:
    return {name: array[chosen] for name, array in keys.items()}


def _crossing(keys: Keys, frame: float) -> Keys:
    """The two keys between which the old curve goes across a frame; none before its first and after its last key."""
    left = np.flatnonzero(keys["co"][:, 0] <= frame)
    is_between = len(left) and left[-1] + 1 < len(keys["co"])
    chosen = slice(left[-1], left[-1] + 2) if is_between else slice(0)
    return {name: array[chosen].copy() for name, array in keys.items()}


def _border(curve: bpy.types.FCurve, outside: Keys, crossing: Keys, edge: float, side: int) -> Keys:
    """Keys that hold the old curve between a range's edge and the nearest key outside, on one side of the range.

    The nearest key's handles are frozen where they would move with their new neighbour and bend the curve beyond.

    Args:
        curve: The old curve, still whole.
        outside: Its keys on that side; altered as said.
        crossing: The two of its keys between which it went across the edge, if there are any.
        edge: The range's first or last frame.
        side: -1 before the range, 1 behind it.
    """
    how = int(crossing["interpolation"][0]) if len(crossing["co"]) else LINEAR
    reach = abs(float(outside["co"][-1 if side < 0 else 0, 0]) - edge) if len(outside["co"]) else np.inf
    _freeze(outside, side)
    if reach <= SEAM_FRAMES:
        return linear_keys(*np.zeros((2, 0), np.float32))
    seam = edge + side * SEAM_FRAMES
    if how == BEZIER and len(outside["co"]):
        return _cut_border(outside, crossing, seam, side)
    frames = np.array([seam])
    if how not in _PLAIN and len(outside["co"]):
        # Such a curve cannot be cut: each frame of it becomes a key.
        frames = np.sort(edge + side * np.arange(1.0, reach))
        if side < 0:
            outside["interpolation"][-1] = LINEAR
    values = np.array([value_at(curve, frame) for frame in frames])
    keys = linear_keys(frames.astype(np.float32), values.astype(np.float32))
    if how == CONSTANT:
        keys["interpolation"][:] = CONSTANT
    return keys


def _freeze(outside: Keys, side: int) -> None:
    """Fix the handles of the key nearest to the range, if they are automatic and shape the curve outside."""
    near = -1 if side < 0 else 0
    if set(outside["interpolation"][-2:] if side < 0 else outside["interpolation"][:1]) <= set(_PLAIN):
        return
    types = [outside[name] for name in ("handle_left_type", "handle_right_type")]
    if any(each[near] in _AUTOMATIC for each in types):
        for each in types:
            each[near] = FREE


def _cut_border(outside: Keys, crossing: Keys, seam: float, side: int) -> Keys:
    """The key at which a Bezier curve is cut at a range's seam; it goes on outside as if it were whole."""
    before, after = cut(crossing, seam)
    near, key = (-1, before) if side < 0 else (0, after)
    inner, outer = ("handle_right", "handle_left") if side < 0 else ("handle_left", "handle_right")
    outside[inner][near] = key.near_handle
    outside["handle_left_type"][near] = outside["handle_right_type"][near] = FREE
    made = linear_keys(*(np.array([number], np.float32) for number in key.point))
    made[outer][0] = key.own_handle
    made["handle_left_type"][:] = made["handle_right_type"][:] = FREE
    if side > 0:
        made["interpolation"][:] = BEZIER
    return made
