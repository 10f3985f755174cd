"""Animation that is already on a rig: sampled below a performance, and kept where a bake writes over it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import bpy
import numpy as np
from numpy.typing import NDArray

from ..au_mocap import euler, rotations
from ..au_mocap.arrays import Floats
from ..au_mocap.errors import SettingsError
from . import actions, punch_in, tracks, turning

BEFORE: Final = "au_mocap_before"
"""Custom property of an Action that a bake wrote into: the copy that holds its curves as they were."""

OVER: Final = "au_mocap_over"
"""Custom property of the same Action: which curves those are, as JSON."""

_REST: Final = {
    "rotation_quaternion": (1.0, 0.0, 0.0, 0.0),
    "rotation_axis_angle": (0.0, 0.0, 1.0, 0.0),
    "rotation_euler": (0.0, 0.0, 0.0),
    "location": (0.0, 0.0, 0.0),
}


@dataclass(frozen=True, slots=True)
class Turns:
    """How other animation turns a bone.

    Attributes:
        quaternions: (T, 4) in the bone's rest frame.
        start: (3,) or (4,) the property's own values in the first frame.
    """

    quaternions: NDArray[np.float64]
    start: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Layer:
    """What one Action or strip says: (T, D) values, NaN where it is silent, and how they meet what is below."""

    values: NDArray[np.float64]
    blend: str


def turns(
    owner: bpy.types.Object,
    bone: bpy.types.PoseBone,
    active: Any,  # noqa: ANN401
    frames: Floats,
) -> Turns | None:
    """A bone's rotation as other animation has it, None where there is none.

    Args:
        owner: The armature.
        bone: One of its bones.
        active: What holds the curves of the Action that plays above all strips, or None.
        frames: (T,) scene frames.

    Raises:
        SettingsError: NLA strips are mixed in a way that is not followed here.
    """
    leaf = turning.leaf(bone)
    values = sampled(owner, f"{bone.path_from_id()}.{leaf}", active, frames)
    if values is None:
        return None
    if leaf == "rotation_quaternion":
        quaternions = _unit(np.where(np.abs(values).sum(axis=1, keepdims=True) > 0.0, values, _REST[leaf]))
    elif leaf == "rotation_axis_angle":
        quaternions = euler.from_axis_angle(values)
    else:
        quaternions = euler.from_euler(values, bone.rotation_mode)
    return Turns(rotations.continuous(quaternions), values[0])


def sampled(
    owner: bpy.types.Object,
    data_path: str,
    active: Any,  # noqa: ANN401
    frames: Floats,
) -> Floats | None:
    """(T, D) values of an array property as other animation has them, or None; else as `turns`."""
    rest = np.array(_REST[data_path.rpartition(".")[2]])
    layers = list(_strips(owner, data_path, frames, len(rest)))
    data = owner.animation_data
    own = _curves(active, data_path, len(rest))
    if any(own):
        blend = "REPLACE"
        if data is not None and data.action is not None and data.nla_tracks:
            _check(data.action_influence == 1.0, owner)
            blend = data.action_blend_type
        layers.append(_Layer(_evaluated(own, frames), blend))
    if not layers:
        return None
    result: NDArray[np.float64] = np.tile(rest, (len(frames), 1))
    for layer in layers:
        known = ~np.isnan(layer.values)
        if layer.blend == "REPLACE":
            result = np.where(known, layer.values, result)
        elif layer.blend == "COMBINE" and data_path.endswith("quaternion"):
            above = np.where(known, layer.values, rest)
            both = (rotations.to_matrices(_unit(each)) for each in (result, above))
            result = rotations.to_quaternions(np.matmul(*both))
        else:
            _check(layer.blend in ("ADD", "COMBINE") and not data_path.endswith(("quaternion", "axis_angle")), owner)
            result = result + np.where(known, layer.values, 0.0)
    return result


def _unit(quaternions: NDArray[np.float64]) -> NDArray[np.float64]:
    return quaternions / np.maximum(np.linalg.norm(quaternions, axis=1, keepdims=True), 1e-12)


def _curves(bag: Any, data_path: str, size: int) -> list[bpy.types.FCurve | None]:  # noqa: ANN401
    """Other people's curves of a property, by index; as they were before AU Mocap wrote over them."""
    found = []
    before, over = _before(bag), _written_over(bag)
    for index in range(size):
        source = before if (data_path, index) in over else bag
        curve = source.fcurves.find(data_path, index=index) if source is not None else None
        found.append(None if curve is None or curve.mute or tracks.is_own(curve) else curve)
    return found


def _evaluated(curves: Sequence[bpy.types.FCurve | None], frames: Floats) -> NDArray[np.float64]:
    columns = [
        np.array([curve.evaluate(frame) for frame in frames]) if curve else np.full(len(frames), np.nan)
        for curve in curves
    ]
    return np.stack(columns, axis=1)


def _strips(owner: bpy.types.Object, data_path: str, frames: Floats, size: int) -> list[_Layer]:
    """What NLA tracks say, from the lowest."""
    data = owner.animation_data
    if data is None or not data.use_nla:
        return []
    solo = [track for track in data.nla_tracks if track.is_solo]
    layers = []
    for track in solo or [track for track in data.nla_tracks if not track.mute]:
        for strip in (each for each in track.strips if not each.mute):
            own = _curves(actions.strip_bag(strip), data_path, size)
            if not any(own):
                _check(strip.type == "CLIP", owner)
                continue
            plain = strip.influence == 1.0 or not strip.use_animated_influence
            _check(plain and not (strip.blend_in or strip.blend_out or strip.use_animated_time), owner)
            times = _strip_frames(track, strip, frames)
            is_heard = np.isfinite(times)
            values = np.full((len(frames), size), np.nan)
            values[is_heard] = _evaluated(own, times[is_heard])
            layers.append(_Layer(values, strip.blend_type))
    return layers


def _strip_frames(track: bpy.types.NlaTrack, strip: bpy.types.NlaStrip, frames: Floats) -> NDArray[np.float64]:
    """(T,) frames of a strip's Action at frames of the scene, NaN where the strip is silent."""
    first, last = strip.frame_start, strip.frame_end
    others = [each for each in track.strips if each != strip]
    is_first = all(each.frame_start > first for each in others)
    until = min((each.frame_start for each in others if each.frame_start >= last), default=np.inf)
    low = -np.inf if strip.extrapolation == "HOLD" and is_first else first
    high = until if strip.extrapolation in ("HOLD", "HOLD_FORWARD") else last
    inside = (np.clip(frames, first, last) - first) / max(strip.scale, 1e-9)
    length = max(strip.action_frame_end - strip.action_frame_start, 1e-9)
    rounds = np.minimum(np.floor(inside / length), max(np.ceil(strip.repeat) - 1.0, 0.0))
    local = inside - rounds * length
    times = strip.action_frame_end - local if strip.use_reverse else strip.action_frame_start + local
    return np.where((frames >= low) & (frames <= high), times, np.nan)


def _check(plain: bool, owner: bpy.types.Object) -> None:
    if not plain:
        message = (
            f"The NLA of '{owner.name}' mixes the head's animation by influence or blending: choose Head over Body: "
            "Replace, or bake those strips to one Action first (NLA editor: Bake Action)."
        )
        raise SettingsError(message)


# What a bake writes over


def write_over(action: bpy.types.Action, bag: Any, planned: Sequence[tracks.Track], group: str) -> list[tracks.Track]:  # noqa: ANN401
    """Write tracks into curves that other animation made: only their own frames change, and a copy is kept.

    What an earlier bake wrote over comes back first.

    Args:
        action: Holds the curves.
        bag: The same, or a channelbag of it.
        planned: What to write.
        group: Which of them to write here.

    Returns:
        The tracks that are still to be written.
    """
    restore(action, bag)
    over = [track for track in planned if track.group == group and _is_others(bag, track)]
    if over:
        keep(action, bag, over)
        span = min(float(track.frames[0]) for track in over), max(float(track.frames[-1]) for track in over)
        tracks.write_range(bag, over, span)
    return [track for track in planned if track not in over]


def keep(action: bpy.types.Action, bag: Any, planned: Sequence[tracks.Track]) -> None:  # noqa: ANN401
    """Keep a copy of an Action whose curves of other animation are to be written over by tracks."""
    known = _written_over(bag)
    places = {(track.data_path, track.index) for track in planned if _is_others(bag, track)} - known
    if not places:
        return
    if _before(bag) is None:
        copy = action.copy()
        copy.name, copy.use_fake_user = f"{action.name} before AU Mocap", True
        for name in (BEFORE, OVER):
            if name in copy:
                del copy[name]
        action[BEFORE] = copy
    before = _before(bag)
    for path, index in places:  # curves that are younger than the copy
        if before.fcurves.find(path, index=index) is None:
            copied = before.fcurves.new(path, index=index)
            punch_in.write_keys(copied, punch_in.read_keys(bag.fcurves.find(path, index=index)))
    others = [entry for entry in _entries(action) if entry[0] != _slot_name(bag)]
    action[OVER] = json.dumps([*others, *((_slot_name(bag), *place) for place in sorted(known | places))])


def notes(action: bpy.types.Action) -> list[str]:
    """Where the curves are kept that a bake has written over."""
    copy = action.get(BEFORE)
    if not isinstance(copy, bpy.types.Action) or not _entries(action):
        return []
    return [f"the head's own keys in '{action.name}' are kept as they were in '{copy.name}'"]


def restore(action: bpy.types.Action, bag: Any) -> None:  # noqa: ANN401
    """Give the curves that a bake has written over the keys that they had."""
    before = _before(bag)
    if before is None:
        return
    for path, index in _written_over(bag):
        curve, old = bag.fcurves.find(path, index=index), before.fcurves.find(path, index=index)
        if curve is not None and old is not None and not tracks.is_own(curve) and not tracks.is_locked(curve):
            punch_in.write_keys(curve, punch_in.read_keys(old))
    action[OVER] = json.dumps([entry for entry in _entries(action) if entry[0] != _slot_name(bag)])


def _is_others(bag: Any, track: tracks.Track) -> bool:  # noqa: ANN401
    curve = bag.fcurves.find(track.data_path, index=track.index)
    return curve is not None and not tracks.is_own(curve) and len(curve.keyframe_points) > 0


def _before(bag: Any) -> Any:  # noqa: ANN401
    """What holds the curves of a bag's Action as they were before a bake wrote over them, or None."""
    copy = bag.id_data.get(BEFORE) if bag is not None else None
    if not isinstance(copy, bpy.types.Action):
        return None
    if not actions.HAS_SLOTS:
        return copy
    return actions.find_bag(copy, copy.slots.get(_slot_name(bag)))


def _written_over(bag: Any) -> set[tuple[str, int]]:  # noqa: ANN401
    if bag is None or _before(bag) is None:
        return set()
    return {(path, index) for slot, path, index in _entries(bag.id_data) if slot == _slot_name(bag)}


def _entries(action: bpy.types.Action) -> list[tuple[str, str, int]]:
    """What a file says may be anything: it is read as nothing where it is no such list."""
    try:
        return [(str(slot), str(path), int(index)) for slot, path, index in json.loads(action.get(OVER, "[]"))]
    except (TypeError, ValueError):
        return []


def _slot_name(bag: Any) -> str:  # noqa: ANN401
    return bag.slot.identifier if actions.HAS_SLOTS else ""
