"""Keys in bulk: one Action with a slot for each data-block where Blender has slots (4.4 on), else one Action each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import bpy
import numpy as np
from numpy.typing import NDArray

GROUP_PREFIX: Final = "AU Mocap "
"""Curves in groups of this name are AU Mocap's own: a new bake replaces them, and no others."""

HAS_SLOTS: Final = "slots" in bpy.types.Action.bl_rna.properties

_COLOURS: Final = ("THEME03", "THEME04", "THEME09", "THEME06")
_LINEAR: Final = 1
_AUTO_CLAMPED: Final = 4


@dataclass(frozen=True, slots=True)
class Track:
    """Keys for one animated value.

    Attributes:
        data_path: Path from the data-block.
        index: Index in an array property, else 0.
        group: Name of the group, without the prefix.
        frames: (K,) rising scene frames, fractions allowed.
        values: (K,) the keys' values.
    """

    data_path: str
    index: int
    group: str
    frames: NDArray[np.float32]
    values: NDArray[np.float32]


def write(owner: bpy.types.ID, tracks: Sequence[Track], shared: bpy.types.Action | None, name: str) -> bpy.types.Action:
    """Write tracks as animation of a data-block.

    The data-block keeps the Action that it has; what AU Mocap wrote there before, and curves of the same values, are
    replaced, everything else stays. Without an Action it gets a slot of the shared one, or one of its own.

    Args:
        owner: Object or shape keys.
        tracks: What to write.
        shared: The Action of this bake's earlier data-blocks, if any.
        name: Name of a new Action.

    Returns:
        The Action that holds the tracks.
    """
    data = owner.animation_data or owner.animation_data_create()
    action = data.action
    if action is None:
        action = shared if shared is not None and HAS_SLOTS else bpy.data.actions.new(name)
        _assign(owner, data, action)
    bag = _bag(owner, data, action)
    _remove_old(bag, {(track.data_path, track.index) for track in tracks})
    groups: dict[str, bpy.types.ActionGroup] = {}
    for track in tracks:
        if track.group not in groups:
            groups[track.group] = _group(bag, track.group, len(groups))
        _write_curve(bag, track, groups[track.group])
    return action


def _assign(owner: bpy.types.ID, data: bpy.types.AnimData, action: bpy.types.Action) -> None:
    data.action = action
    if HAS_SLOTS:
        # Never the slot that Blender may have picked: it could belong to another data-block of the same kind.
        data.action_slot = action.slots.new(id_type=owner.id_type, name=owner.name)


def _bag(owner: bpy.types.ID, data: bpy.types.AnimData, action: bpy.types.Action) -> Any:  # noqa: ANN401
    """What holds a data-block's curves and groups: its slot's channelbag, or the Action itself before 4.4."""
    if not HAS_SLOTS:
        return action
    if data.action_slot is None:
        _assign(owner, data, action)
    layers = action.layers
    layer = layers[0] if layers else layers.new("Layer")
    strip = layer.strips[0] if layer.strips else layer.strips.new(type="KEYFRAME")
    return strip.channelbag(data.action_slot, ensure=True)


def _remove_old(bag: Any, written: set[tuple[str, int]]) -> None:  # noqa: ANN401
    for curve in list(bag.fcurves):
        ours = curve.group is not None and curve.group.name.startswith(GROUP_PREFIX)
        if ours or (curve.data_path, curve.array_index) in written:
            bag.fcurves.remove(curve)
    for group in list(bag.groups):
        if group.name.startswith(GROUP_PREFIX):
            bag.groups.remove(group)


def _group(bag: Any, name: str, number: int) -> bpy.types.ActionGroup:  # noqa: ANN401
    group = bag.groups.new(GROUP_PREFIX + name)
    group.color_set = _COLOURS[number % len(_COLOURS)]
    return group


def _write_curve(bag: Any, track: Track, group: bpy.types.ActionGroup) -> None:  # noqa: ANN401
    curve = bag.fcurves.new(track.data_path, index=track.index)
    curve.group = group
    points = curve.keyframe_points
    points.add(len(track.frames))
    points.foreach_set("co", np.stack([track.frames, track.values], axis=1).ravel())
    # Linear: between frames of a video nothing is known, and across a gap a curve must not swing out.
    points.foreach_set("interpolation", np.full(len(track.frames), _LINEAR, np.int32))
    for side in ("handle_left_type", "handle_right_type"):
        points.foreach_set(side, np.full(len(track.frames), _AUTO_CLAMPED, np.int32))
    curve.update()
