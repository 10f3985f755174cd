"""The test slider of a row: the face is posed by that row alone while it is above 0."""

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import bpy
import numpy as np
from bpy.app.handlers import persistent

from ..au_mocap import channels, mapping
from ..au_mocap.calibration import Curves, NeutralChoice
from . import annotate, keying, refresh, rows, scene
from .bake_settings import BakeSettings
from .posing import Pose

if TYPE_CHECKING:
    from .character_properties import AUMOCAP_PG_row


class _State:
    """What is posed at the moment; never stored in a file."""

    pose: "ClassVar[Pose | None]" = None


def show(stage: bpy.types.Scene, row: "AUMOCAP_PG_row") -> None:
    """Pose the character of a row by its test slider.

    Raises:
        AuMocapError: The row is wrong, or nothing on the character answers to it.
    """
    stop()
    if row.test == 0.0:
        return
    annotate.give_way(stage)  # what is put back afterwards would be a label
    frame = float(stage.frame_current)
    table = mapping.Mapping(row.target, (replace(rows.row_of(row), enabled=True),))
    how = BakeSettings(start_frame=frame, head=None)
    planned = keying.planned(stage, scene.find_character(row.id_data), _acting(row.channel, row.test), table, how)
    _State.pose = Pose(planned)
    _State.pose.show(frame)
    if _before_save not in bpy.app.handlers.save_pre:
        bpy.app.handlers.save_pre.append(_before_save)
        bpy.app.handlers.load_pre.append(_forget)


def _acting(channel: str, value: float) -> Curves:
    """One frame in which the actor does one thing."""
    values = np.zeros((1, len(channels.IDS)), np.float32)
    values[0, channels.INDEX[channel]] = value
    unseen = NeutralChoice((), (), 0.0, None)
    return Curves(np.zeros(1), values, np.array([[1.0, 0.0, 0.0, 0.0]]), np.zeros((1, 3)), unseen)


def stop() -> None:
    """Put the character back."""
    pose, _State.pose = _State.pose, None
    for handlers, function in ((bpy.app.handlers.save_pre, _before_save), (bpy.app.handlers.load_pre, _forget)):
        if function in handlers:
            handlers.remove(function)
    if pose is not None:
        pose.restore()


@persistent
def _before_save(*_arguments: object) -> None:
    """No file holds a pose that was only tried."""
    stop()
    with refresh.held():
        for row in (row for each in bpy.data.objects for row in each.aumocap.rows):
            if row.test:
                row.test = 0.0


@persistent
def _forget(*_arguments: object) -> None:
    _State.pose = None
    stop()
