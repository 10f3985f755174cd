"""The character's pose for an actor at rest. Imported at first use: it needs the engine."""

from collections.abc import Iterable

import bpy
import numpy as np

from ..au_mocap import channels
from ..au_mocap.calibration import Curves, NeutralChoice
from . import keying, rows, scene, settings, trying
from .bake_settings import BakeSettings, HeadSettings
from .eye_tracks import EyeSettings
from .posing import Pose


def pose(stage: bpy.types.Scene) -> tuple[str, ...]:
    """Puts what the scene's table, head and eyes drive to where an actor at rest leaves it. Keys are not touched.

    Returns:
        What of it cannot be set, and why, but for what the character does not have.

    Raises:
        AuMocapError: There is no character, or nothing of the table exists on it.
    """
    chosen, own = settings.character_of(stage)
    trying.stop()
    character = scene.find_character(chosen)
    frame = float(stage.frame_current)
    how = BakeSettings(
        start_frame=frame,
        destination="new",  # locked curves and shared Actions have no say: nothing is keyed
        head=HeadSettings(position=True, head_bone=own.head_bone, neck_bone=own.neck_bone),
        eyes=EyeSettings(own.eye_left, own.eye_right) if own.use_eye_bones else None,
    )
    plan = keying.planned(stage, character, _rest(), rows.table_of(own), how)
    Pose(plan).show(frame)
    for owner in plan.tracks:
        owner.update_tag()
    return tuple(_told(plan.skipped))


def _told(skipped: Iterable[str]) -> Iterable[str]:
    return (line for line in skipped if not line.startswith("no "))


def _rest() -> Curves:
    """One frame in which the actor does nothing and looks ahead."""
    return Curves(
        time_s=np.zeros(1),
        values=np.zeros((1, len(channels.IDS)), np.float32),
        head_rotation=np.array([[1.0, 0.0, 0.0, 0.0]]),
        head_position=np.zeros((1, 3)),
        neutral=NeutralChoice((), (), 0.0, None),
    )
