"""A take's F-curves written anew where nothing was drawn, and put back where it was. Imported at first use."""

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import bpy
import numpy as np
from numpy.typing import NDArray

from ..au_mocap import channels, edits
from ..au_mocap.arrays import Floats
from . import punch_in, take_curves
from .bake_settings import BakeSettings
from .curve_keys import Keys
from .take_curves import Bags, Measured, Placed
from .tracks import is_locked

_CLOSE: Final = 1e-2
"""Frames that are no farther apart are one."""


@dataclass(frozen=True, slots=True)
class Renewal:
    """What F-curves are to become.

    Attributes:
        bags: What holds them.
        before: Where they lie.
        now: Where they shall lie.
        target: What they shall be where nothing was drawn.
    """

    bags: Bags
    before: Placed
    now: Placed
    target: Measured


def renew(job: Renewal, channel_ids: Iterable[str]) -> None:
    """Write the curves of some channels, and what they are compared with."""
    old, new = (placed.frames(job.target.curves.time_s) for placed in (job.before, job.now))
    for channel_id in channel_ids:
        values = job.target.curves.values[:, channels.INDEX[channel_id]]
        keys = take_curves.keys_of(new, values, job.target.how)
        path = take_curves.path_of(channel_id)
        written = job.bags.written.fcurves.find(path)
        curve = job.bags.own.fcurves.find(path) if job.bags.own is not None else None
        if keys is None or written is None:
            continue
        if curve is not None and not is_locked(curve):
            stays = _drawn_rows(curve, written, old)
            if not np.array_equal(old, new):
                _move(curve, old, new)
            _write_around(
                curve, keys, stays, lambda span, at=values: take_curves.keys_of(new, at, job.target.how, span), new
            )
        _write(written, keys)


def _drawn_rows(curve: bpy.types.FCurve, written: bpy.types.FCurve, frames: Floats) -> NDArray[np.bool_]:
    """(T,) at which frames keys were drawn; what modifiers do goes on by itself over new keys."""
    with _without_modifiers(curve):
        rows = take_curves.suspected(curve, written, frames)
        apart = take_curves.sampled(curve, frames[rows]) - take_curves.sampled(written, frames[rows])
    drawn = np.zeros(len(frames), bool)
    drawn[rows] = np.abs(apart) > take_curves.TOLERANCE
    return drawn


@contextmanager
def _without_modifiers(curve: bpy.types.FCurve) -> Generator[None]:
    active = [each for each in curve.modifiers if not each.mute]
    for each in active:
        each.mute = True
    try:
        yield
    finally:
        for each in active:
            each.mute = False


def _move(curve: bpy.types.FCurve, old: Floats, new: Floats) -> None:
    """Take a curve's keys along to where the frames lie now."""
    keys = punch_in.read_keys(curve)
    for name in ("co", "handle_left", "handle_right"):
        keys[name][:, 0] = _mapped(keys[name][:, 0], old, new)
    punch_in.renew_keys(curve, keys)


def _mapped(at: Floats, old: Floats, new: Floats) -> Floats:
    """Frames moved with those of the take, beyond its ends by as much as the ends."""
    inside = np.interp(at, old, new)
    return inside + np.where(at < old[0], at - old[0], 0.0) + np.where(at > old[-1], at - old[-1], 0.0)


def _write_around(curve, keys, stays, keys_within, frames) -> None:  # noqa: ANN001
    """Write keys where nothing was drawn."""
    if not stays.any():
        _write(curve, keys)
        return
    for run in edits.runs(~stays):
        span = float(frames[run[0]]), float(frames[run[-1]])
        new = keys_within(span)
        if new is not None:
            _replace(curve, new, span)


def _replace(curve: bpy.types.FCurve, keys: Keys, span: tuple[float, float]) -> None:
    """`punch_in.replace_keys`, but beyond the ends of a curve no key is added that holds what was there."""
    at = punch_in.read_keys(curve)["co"][:, 0]
    ends = (at < span[0]).any(), (at > span[1]).any()
    punch_in.replace_keys(curve, keys, span)
    points = curve.keyframe_points
    if not ends[0] and points[0].co.x < span[0] - _CLOSE:
        points.remove(points[0])
    if not ends[1] and points[-1].co.x > span[1] + _CLOSE:
        points.remove(points[-1])
    curve.update()


def _write(curve: bpy.types.FCurve, keys: Keys) -> None:
    if len(curve.keyframe_points) == len(keys["co"]):
        punch_in.renew_keys(curve, keys)
    else:
        punch_in.write_keys(curve, keys)


def reset(item, channel_ids: Iterable[str], frame_range: tuple[float, float] | None = None) -> int:  # noqa: ANN001
    """Put a take's F-curves back to what was written.

    Args:
        item: The take.
        channel_ids: Whose.
        frame_range: First and last scene frame; None for whole curves, which lose their modifiers, too.

    Returns:
        How many curves keep modifiers that still change them.
    """
    bags = take_curves.bags_of(item)
    if bags is None or bags.own is None or bags.written is None:
        return 0
    changed = 0
    for channel_id in channel_ids:
        path = take_curves.path_of(channel_id)
        written, curve = bags.written.fcurves.find(path), bags.own.fcurves.find(path)
        if written is None or (curve is not None and is_locked(curve)):
            continue
        if frame_range is None:
            _reset_curve(curve or take_curves.new_curve(bags.own, channel_id), written)
        elif curve is not None:
            _reset_range(item, curve, written, frame_range)
            changed += any(not each.mute for each in curve.modifiers)
    return changed


def _reset_curve(curve: bpy.types.FCurve, written: bpy.types.FCurve) -> None:
    for modifier in list(curve.modifiers):
        curve.modifiers.remove(modifier)
    curve.mute, curve.extrapolation = False, written.extrapolation
    punch_in.write_keys(curve, punch_in.read_keys(written))


def _reset_range(item, curve: bpy.types.FCurve, written: bpy.types.FCurve, frame_range: tuple[float, float]) -> None:  # noqa: ANN001
    """Every frame of the take in the range gets its key back, however few there were."""
    frames = take_curves.placed_of(item).frames(take_curves.times_of(item))
    inside = frames[(frames >= frame_range[0] - 1e-3) & (frames <= frame_range[1] + 1e-3)]
    if len(inside):
        keys = take_curves.keys_of(inside, take_curves.sampled(written, inside), BakeSettings())
        assert keys is not None, "a curve that was written has values everywhere"
        _replace(curve, keys, (float(inside[0]), float(inside[-1])))
