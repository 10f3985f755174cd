"""Labels on a character: posed without a key, and put back. Imported at first use: it needs numpy.

What is posed is noted on the posed data-blocks (`live_trace`), so that undo and saving put it back as in live preview.
"""

from typing import ClassVar

import bpy
import numpy as np

from ..au_mocap.arrays import Floats
from . import live_trace, settings
from .live_pose import LivePose, Moment
from .posing import Remembered


class _State:
    """What is posed; never stored in a file."""

    pose: "ClassVar[LivePose | None]" = None
    remembered: "ClassVar[Remembered | None]" = None


def show(stage: bpy.types.Scene, values: Floats) -> None:
    """Pose the scene's character.

    Args:
        stage: The scene.
        values: (58,) without NaN.

    Raises:
        AuMocapError: There is no character, or nothing of the table exists on it.
    """
    chosen, own = settings.character_of(stage)
    pose = _State.pose
    if pose is None or not pose.fits(chosen, settings.of_bake(stage.aumocap.bake, own, "Live")):
        _State.remembered = _State.remembered or Remembered()
        pose = _State.pose = LivePose(stage, _State.remembered)
    try:
        pose.show(_moment(values))
    except ReferenceError:  # something of the character was deleted: look anew
        renew()
        _State.pose = LivePose(stage, _State.remembered or Remembered())
        _State.pose.show(_moment(values))


def renew() -> None:
    """The table or the character has changed: read both again with the next pose."""
    _State.pose = None


def stop() -> None:
    """Put the character back."""
    if _State.remembered is not None:
        live_trace.put_back()
    forget()


def forget() -> None:
    """Before Blender replaces all data: hold nothing of it."""
    _State.pose = _State.remembered = None


def _moment(values: Floats) -> Moment:
    """Head and neck are left alone."""
    unknown = np.full((1, 4), np.nan)
    return Moment(
        time_s=np.array([0.0, 1.0]),
        values=np.stack([values, values]).astype(np.float32),
        head_rotation=np.concatenate([np.array([[1.0, 0.0, 0.0, 0.0]]), unknown]),
        head_position=np.concatenate([np.zeros((1, 3)), unknown[:, :3]]),
    )
