"""Fix Here: the value under the playhead, and the character posed by another one while its slider moves.

What is posed is put back when the playhead moves, when the fix is made, and around every save (`live_trace` does so
after an undo); nothing of it is stored.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

import bpy
from bpy.app.handlers import persistent

from ..au_mocap.errors import AuMocapError, TakeError
from . import bundle, redrawing

if TYPE_CHECKING:
    from ..au_mocap.arrays import Floats
    from ..au_mocap.calibration import Curves
    from ..au_mocap.edits import Fix
    from .capture_properties import AUMOCAP_PG_take
    from .live_pose import LivePose
    from .posing import Remembered

_SOON_S: Final = 0.01


@dataclass(frozen=True, slots=True)
class Wanted:
    """A value that is shown and not stored yet."""

    scene: str
    channel: str
    value: float


class _State:
    """Of this Blender, never stored in a file."""

    key: ClassVar[tuple[str, str]] = ("", "")
    curves: "ClassVar[Curves | None]" = None
    is_stale: ClassVar[bool] = False
    wanted: "ClassVar[Wanted | None]" = None
    pose: "ClassVar[LivePose | None]" = None
    remembered: "ClassVar[Remembered | None]" = None


def _key(stage: bpy.types.Scene) -> tuple[str, str]:
    own = stage.aumocap
    item = own.takes[own.active_take] if 0 <= own.active_take < len(own.takes) else None
    return (stage.name, item.filepath) if item is not None else (stage.name, "")


def forget() -> None:
    """The curves have changed: what is shown is put back, and they are asked for again.

    Until then panels show what was known; numbers that vanish for a moment would flicker.
    """
    forget_pose()
    _State.is_stale = True


def _curves(stage: bpy.types.Scene) -> "Curves":
    if _State.curves is None or _State.is_stale or _State.key != _key(stage):
        with bundle.needed():
            from . import performing
        _State.curves, _State.key = performing.curves_of(performing.active_take(stage)), _key(stage)
        _State.is_stale = False
    return _State.curves


def prepare(stage: bpy.types.Scene) -> None:
    """Make sure that the slider stands where the take is.

    Raises:
        AuMocapError: There is no take, or it cannot be read.
    """
    _curves(stage)


def row(stage: bpy.types.Scene) -> "Floats | None":
    """(58,) the take's values under the playhead, NaN where unknown; None before they were asked for.

    For panels: nothing is computed while they are drawn, but soon after.
    """
    if _State.curves is None or _State.key != _key(stage):
        _ask_soon()
        return None
    if _State.is_stale:
        _ask_soon()
    return _row(stage, _State.curves)


def _row(stage: bpy.types.Scene, curves: "Curves") -> "Floats":
    import numpy as np

    from . import take_curves

    frames = take_curves.placed_now(stage).frames(curves.time_s)
    place = float(np.interp(stage.frame_current_final, frames, np.arange(len(frames))))
    below = int(place)
    above, share = min(below + 1, len(frames) - 1), place - below
    if share < 1e-6:
        return curves.values[below]
    return (1.0 - share) * curves.values[below] + share * curves.values[above]


def _ask_soon() -> None:
    if not bpy.app.background and not bpy.app.timers.is_registered(_ask):
        bpy.app.timers.register(_ask, first_interval=_SOON_S)


def _ask() -> None:
    stage = bpy.context.scene
    if stage is None or not _key(stage)[1]:
        return
    try:
        _curves(stage)
    except AuMocapError:
        return  # the buttons that need them say why
    redrawing.redraw("", panels=True)


def value(stage: bpy.types.Scene) -> float:
    """What the slider stands at: what is being shown, or what the chosen channel is under the playhead."""
    wanted, channel = _State.wanted, stage.aumocap_fixing.channel
    if wanted is not None and (wanted.scene, wanted.channel) == (stage.name, channel):
        return wanted.value
    if bpy.app.background:
        _ask()  # scripts wait for no timer
    found = row(stage)
    if found is None:
        return 0.0
    from ..au_mocap.channels import INDEX

    here = float(found[INDEX[channel]])
    return 0.0 if math.isnan(here) else here  # where there is no face


def show(stage: bpy.types.Scene, wanted: float) -> None:
    """Pose the scene's character as it would be with another value of the chosen channel.

    Raises:
        AuMocapError: There is no take or no character, or nothing on it answers.
    """
    with bundle.needed():
        import numpy as np

        from ..au_mocap.edits import Edits, Fix, apply
        from .live_pose import Moment
    from . import live_trace

    curves, channel = _curves(stage), stage.aumocap_fixing.channel
    here = np.nan_to_num(np.asarray(_row(stage, curves)))[None]
    changed = apply(np.zeros(1), here, Edits((Fix(channel, 0.0, min(max(wanted, 0.0), 1.0)),)))
    rotation, position = _head(stage, curves)
    moment = Moment(np.array([0.0, 1.0]), np.repeat(changed, 2, axis=0), rotation, position)
    try:
        _posing(stage).show(moment)
    except ReferenceError:  # a part of the rig was deleted since it was looked at
        live_trace.put_back()
        forget_pose()
        _posing(stage).show(moment)
    _State.wanted = Wanted(stage.name, channel, wanted)


def _posing(stage: bpy.types.Scene) -> "LivePose":
    """What poses the character: made once, for it looks at the whole rig."""
    from . import annotate, live, settings
    from .live_pose import LivePose
    from .posing import Remembered

    if _State.wanted is not None and _State.wanted.scene != stage.name:
        stop()
    chosen, own = settings.character_of(stage)
    how = settings.of_bake(stage.aumocap.bake, own, "Live")
    if _State.pose is not None and not _State.pose.fits(chosen, how):
        forget_pose()
    if _State.pose is None:
        _State.remembered = Remembered()
        _State.pose = LivePose(stage, _State.remembered)
    if _State.wanted is None:
        live.stop()
        annotate.give_way(stage)  # what fixing puts back afterwards would be a label
        for name, function in _handlers():
            getattr(bpy.app.handlers, name).append(function)
    return _State.pose


def _head(stage: bpy.types.Scene, curves: "Curves") -> "tuple[Floats, Floats]":
    """(2, 4) and (2, 3): the head as the take begins, from which its moves are counted, and under the playhead."""
    import numpy as np

    from . import take_curves

    known = np.flatnonzero(np.isfinite(curves.head_rotation).all(axis=1))
    if not len(known):
        return np.tile([1.0, 0.0, 0.0, 0.0], (2, 1)), np.zeros((2, 3))
    frames = take_curves.placed_now(stage).frames(curves.time_s)
    rows = [known[0], known[np.abs(frames[known] - stage.frame_current_final).argmin()]]
    return curves.head_rotation[rows], np.nan_to_num(curves.head_position[rows])


def is_shown(stage: bpy.types.Scene) -> bool:
    """Whether a value is shown that is not stored yet."""
    return _State.wanted is not None and _State.wanted.scene == stage.name


def stop() -> None:
    """Put the character back; the slider shows the take again."""
    was_shown, _State.wanted = _State.wanted is not None, None
    for name, function in _handlers():
        handlers = getattr(bpy.app.handlers, name)
        if function in handlers:
            handlers.remove(function)
    if was_shown:
        from . import live_trace

        live_trace.put_back()
    if _State.remembered is not None:
        _State.remembered.before.clear()  # by the next time it may be something else


def forget_pose() -> None:
    """Put the character back, and look at the whole rig again the next time."""
    stop()
    _State.pose = _State.remembered = None


def _handlers() -> tuple[tuple[str, Callable[..., None]], ...]:
    """Before the frame changes, or what keys say of the new frame would be taken for what has to be put back."""
    return ("frame_change_pre", _end), ("save_pre", _end), ("undo_post", _end), ("redo_post", _end)


@persistent
def _end(*_arguments: object) -> None:
    stop()


def drop() -> None:
    """The file is being closed: what was posed goes with it."""
    if bpy.app.timers.is_registered(_ask):
        bpy.app.timers.unregister(_ask)
    _State.wanted = _State.curves = None
    forget()


def end() -> None:
    """The extension ends."""
    forget()
    drop()


def fix_here(stage: bpy.types.Scene, item: "AUMOCAP_PG_take", wanted: float) -> "Fix":
    """The fix that the scene's settings describe, at the take's frame under the playhead.

    Raises:
        TakeError: The playhead is not over the take, or no face is seen there and gaps are left empty.
        AuMocapError: The take cannot be read.
    """
    with bundle.needed():
        import numpy as np

        from ..au_mocap.edits import Fix
        from . import take_curves
    curves, own = _curves(stage), stage.aumocap_fixing
    frames = take_curves.placed_now(stage).frames(curves.time_s)
    index = int(np.abs(frames - stage.frame_current_final).argmin())
    period = float(np.median(np.diff(frames))) if len(frames) > 1 else 1.0
    if abs(float(frames[index]) - stage.frame_current_final) > max(period, 1.0):
        message = f"The take covers the frames {frames[0]:g} to {frames[-1]:g}: move the playhead there."
        raise TakeError(message)
    if not np.isfinite(curves.values[index]).all():
        message = f"No face is seen there: set Gaps of '{item.name}' to Hold or Fade first, so that there is a curve."
        raise TakeError(message)
    seconds = take_curves.seconds_a_frame(stage, curves.time_s)
    return Fix(own.channel, float(curves.time_s[index]), wanted, own.blend_in * seconds, own.blend_out * seconds)
