"""Taking edits back: of a channel, of a range of the timeline, or all. Imported at first use: it needs numpy."""

import bpy
import numpy as np

from ..au_mocap import channels, edits
from ..au_mocap.errors import SettingsError, TakeError
from . import curve_renewal, edit_store, fixing, refresh, take_curves
from .capture_properties import AUMOCAP_PG_take


def chosen_range(stage: bpy.types.Scene, item: AUMOCAP_PG_take) -> tuple[float, float]:
    """First and last scene frame of the timeline's preview range, or else of the selected keys of a take's curves.

    Raises:
        SettingsError: There is neither.
    """
    if stage.use_preview_range:
        return float(stage.frame_preview_start), float(stage.frame_preview_end)
    bags = take_curves.bags_of(item)
    selected = [
        key.co.x
        for curve in (bags.own.fcurves if bags is not None and bags.own is not None else ())
        for key in curve.keyframe_points
        if key.select_control_point
    ]
    if not selected:
        message = "Set a preview range (P in the timeline), or select keys of the take's curves."
        raise SettingsError(message)
    return min(selected), max(selected)


def reset(
    stage: bpy.types.Scene,
    item: AUMOCAP_PG_take,
    channel_ids: tuple[str, ...] | None,
    frame_range: tuple[float, float] | None = None,
) -> int:
    """Bring back what was measured: fixes, copied stretches and F-curves.

    Args:
        stage: The scene.
        item: The take.
        channel_ids: Whose, with the sides of a mean and the mean of a side; None for all.
        frame_range: First and last scene frame; None for the whole take.

    Returns:
        How many F-curves keep modifiers that still change them.

    Raises:
        AuMocapError: The range holds no frame of the take, or the take cannot be read.
    """
    fixing.stop()
    meant = (
        channels.IDS
        if channel_ids is None
        else tuple(each for each in channels.IDS if each in edits.related(channel_ids))
    )
    if channel_ids is None and frame_range is None:
        kept = edits.Edits()  # without a look at what is there: it may be damaged
    elif frame_range is None:
        kept = edits.without(edit_store.below_curves(item), meant)
    else:
        kept = edits.without(edit_store.below_curves(item), meant, *_seconds(stage, item, frame_range))
    modified = curve_renewal.reset(item, meant, frame_range)
    edit_store.put(item, kept)
    refresh.scene(stage)
    return modified


def _seconds(stage: bpy.types.Scene, item: AUMOCAP_PG_take, frame_range: tuple[float, float]) -> tuple[float, float]:
    """Where the frames of a range begin and end in the take."""
    times = take_curves.times_of(item)
    has_curves = take_curves.holder(item) is not None
    frames = (take_curves.placed_of(item) if has_curves else take_curves.placed_now(stage)).frames(times)
    inside = np.flatnonzero((frames >= frame_range[0] - 1e-3) & (frames <= frame_range[1] + 1e-3))
    if not len(inside):
        message = (
            f"The range {frame_range[0]:g} to {frame_range[1]:g} holds no frame of the take, which covers "
            f"{frames[0]:g} to {frames[-1]:g}."
        )
        raise TakeError(message)
    borders = edits.edges(times)
    return float(borders[inside[0]]), float(borders[inside[-1] + 1])
