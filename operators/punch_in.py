"""Keys of one curve: written whole, or replaced inside a range with the curve outside held as it was."""

from typing import Final

import bpy
import numpy as np
from numpy.typing import NDArray

Keys = dict[str, NDArray[np.float32 | np.int32]]
"""All that a curve's keys hold, by attribute: (K,) or (K, 2)."""

SEAM_FRAMES: Final = 1.0
"""Between the last frame outside a replaced range and the first inside, the curve goes over from old to new."""

_CONSTANT: Final = 0
_LINEAR: Final = 1
_FREE: Final = 0
_AUTO_CLAMPED: Final = 4
_PLAIN: Final = (_CONSTANT, _LINEAR)
_POINTS: Final = ("co", "handle_left", "handle_right")
# What Blender gives to a key that is made by hand.
_NUMBERS: Final = {"amplitude": 0.8, "back": 1.70158, "period": 4.1}
_CHOICES: Final = {
    # Linear: between frames of a video nothing is known, and across a gap a curve must not swing out.
    "interpolation": _LINEAR,
    "handle_left_type": _AUTO_CLAMPED,
    "handle_right_type": _AUTO_CLAMPED,
    "easing": 0,
    "type": 0,
}


def linear_keys(frames: NDArray[np.float32], values: NDArray[np.float32]) -> Keys:
    """Keys joined by straight lines: (K,) frames and values."""
    keys: Keys = {name: np.stack([frames, values], axis=1).astype(np.float32) for name in _POINTS}
    keys |= {name: np.full(len(frames), number, np.float32) for name, number in _NUMBERS.items()}
    return keys | {name: np.full(len(frames), choice, np.int32) for name, choice in _CHOICES.items()}


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


def renew_keys(curve: bpy.types.FCurve, frames: NDArray[np.float32], values: NDArray[np.float32]) -> None:
    """Move a curve's keys, joined by straight lines again, to (K,) frames and values; it has K keys already."""
    points = curve.keyframe_points
    points.foreach_set("co", np.stack([frames, values], axis=1).astype(np.float32).reshape(-1))
    for name in ("interpolation", "handle_left_type", "handle_right_type"):
        points.foreach_set(name, np.full(len(frames), _CHOICES[name], np.int32))
    curve.update()


def replace_keys(
    curve: bpy.types.FCurve,
    frames: NDArray[np.float32],
    values: NDArray[np.float32],
    frame_range: tuple[float, float],
) -> None:
    """Replace a curve's keys inside a range. Outside, no key moves and the curve keeps its values at the frames.

    Args:
        curve: A curve with keys.
        frames: (K,) rising scene frames inside the range.
        values: (K,) their values.
        frame_range: First and last frame to replace.
    """
    first, last = (float(np.float32(frame)) for frame in frame_range)  # as keys at its ends are stored
    keys = read_keys(curve)
    at = keys["co"][:, 0]
    is_before, is_after = at < first, at > last
    before, after = _picked(keys, is_before), _picked(keys, is_after)
    leading = _border(curve, before, _crossing(keys, first), first, -1)
    trailing = _border(curve, after, _crossing(keys, last), last, 1)
    parts = (before, leading, linear_keys(frames, values), trailing, after)
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


def _crossing(keys: Keys, frame: float) -> int:
    """How the old curve goes across a frame; before its first and after its last key it is held."""
    left = np.flatnonzero(keys["co"][:, 0] <= frame)
    is_between = len(left) and left[-1] + 1 < len(keys["co"])
    return int(keys["interpolation"][left[-1]]) if is_between else _LINEAR


def _border(curve: bpy.types.FCurve, outside: Keys, crossing: int, edge: float, side: int) -> Keys:
    """Keys that hold the old curve between a range's edge and the nearest key outside, on one side of the range.

    The nearest key's handles are frozen where they would move with their new neighbour and bend the curve beyond.

    Args:
        curve: The old curve, still whole.
        outside: Its keys on that side; altered as said.
        crossing: How it went across the edge.
        edge: The range's first or last frame.
        side: -1 before the range, 1 behind it.
    """
    near = -1 if side < 0 else 0
    frames = np.array([edge + side * SEAM_FRAMES])
    if len(outside["co"]):
        nearest = float(outside["co"][near, 0])
        reach = abs(nearest - edge)
        if not set(outside["interpolation"][-2:] if side < 0 else outside["interpolation"][:1]) <= set(_PLAIN):
            outside["handle_left_type"][near] = outside["handle_right_type"][near] = _FREE
        if reach <= SEAM_FRAMES:
            frames = frames[:0]
        elif crossing not in _PLAIN:
            # A curved stretch cannot be cut without moving its key: each frame of it becomes a key.
            frames = edge + side * np.arange(1.0, reach)
            outside["handle_left_type"][near] = outside["handle_right_type"][near] = _FREE
            if side < 0:
                outside["interpolation"][near] = _LINEAR
    frames = np.sort(frames)
    values = np.array([value_at(curve, frame) for frame in frames])
    keys = linear_keys(frames.astype(np.float32), values.astype(np.float32))
    if crossing == _CONSTANT:
        keys["interpolation"][:] = _CONSTANT
    return keys
