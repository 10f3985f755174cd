"""From properties to the engine's settings and back. Imported at first use: it needs the engine."""

from pathlib import Path

import bpy

from ..au_mocap.calibration import NeutralSettings, Settings
from ..au_mocap.edits import Edits
from ..au_mocap.errors import SettingsError
from . import actor_settings
from .bake_settings import BakeSettings
from .capture_properties import AUMOCAP_PG_take
from .character_properties import AUMOCAP_PG_character
from .eye_tracks import EyeSettings
from .head_tracks import HeadSettings
from .scene_properties import AUMOCAP_PG_bake


def path_of(item: AUMOCAP_PG_take) -> Path:
    """Where a take of the list lies."""
    return Path(bpy.path.abspath(item.filepath))


def of_take(item: AUMOCAP_PG_take, edits: Edits | None = None) -> Settings:
    """The actor's settings of one take, with its own edits unless others are given."""
    from . import edit_store  # which needs this module to find the take

    frames: tuple[int, ...] = ()
    if item.neutral == "frames":
        if item.neutral_last < item.neutral_first:
            message = "The neutral's last frame lies before its first."
            raise SettingsError(message)
        frames = tuple(range(item.neutral_first, item.neutral_last + 1))
    return Settings(
        neutral=NeutralSettings(item.neutral, frames, actor_settings.neutral_of(item)),
        gains={each.name: each.gain for each in item.channels if each.gain != 1.0},
        offsets={each.name: each.offset for each in item.channels if each.offset != 0.0},
        smoothing=item.smoothing,
        gaps=item.gaps,
        mirror=item.mirror,
        shaping=actor_settings.shaping_of(item),
        contact=item.contact,
        edits=edit_store.of(item) if edits is None else edits,
    )


def head_of(character: AUMOCAP_PG_character, *, rotation: bool, position: bool) -> HeadSettings:
    """How the character's head follows; raises SettingsError where it neither turns nor moves."""
    return HeadSettings(
        rotation=rotation,
        position=position,
        head_bone=character.head_bone,
        neck_bone=character.neck_bone,
        neck_share=character.neck_share,
        facing=character.facing,
        over_body=character.over_body,
        moves=character.moves,
    )


def eyes_of(character: AUMOCAP_PG_character) -> EyeSettings | None:
    """Which bones take the gaze; None leaves it to the table's rows."""
    if not character.use_eye_bones:
        return None
    return EyeSettings(character.eye_left, character.eye_right, character.eye_target, character.facing)


def of_bake(bake: AUMOCAP_PG_bake, character: AUMOCAP_PG_character, name: str) -> BakeSettings:
    """How to bake a take of that name."""
    follows = bake.use_rotation or bake.use_position
    return BakeSettings(
        start_frame=bake.start_frame,
        name=name,
        destination=bake.destination,
        action=bake.action.name if bake.action and bake.destination == "active" else None,
        face=bake.use_face,
        head=head_of(character, rotation=bake.use_rotation, position=bake.use_position) if follows else None,
        gaze=bake.use_gaze,
        eyes=eyes_of(character),
        timing=bake.timing,
        speed=bake.speed,
        tolerance=bake.tolerance,
        handles=bake.use_handles,
        driven=bake.driven,
        fit_contacts=character.fit_contacts,
    )


def timing_of(bake: AUMOCAP_PG_bake) -> BakeSettings:
    """Where on the timeline a bake lands, whatever it bakes."""
    return BakeSettings(start_frame=bake.start_frame, timing=bake.timing, speed=bake.speed)


def character_of(scene: bpy.types.Scene) -> "tuple[bpy.types.Object, AUMOCAP_PG_character]":
    """The scene's character: the object that holds its table, and the table.

    Raises:
        SettingsError: None is chosen, or it left the scene.
    """
    chosen = scene.aumocap.character
    if chosen is None:
        message = "Choose a character in the Character panel first: its armature or its face mesh."
        raise SettingsError(message)
    if chosen.name not in scene.objects:
        message = f"'{chosen.name}' is not in this scene any more: choose another character."
        raise SettingsError(message)
    return chosen, chosen.aumocap
